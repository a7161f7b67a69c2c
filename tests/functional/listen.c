/* listen N PROGRAM [WORD]... - runs a program with N listening sockets of 127.0.0.1, their ports
 * chosen by the kernel: nobody can take one in between. They are open from 3 on; the environment
 * has PORT1 to PORTN, and NGINX="3;4;" by which nginx takes over sockets that are open already. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	char fds[1024] = "";
	int n = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;

	if (n < 1 || n > 100) {
		fputs("usage: listen N PROGRAM [WORD]...\n", stderr);
		return 2;
	}
	/* what the caller left open is not handed on */
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	for (int i = 1; i <= n; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(address);
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char name[16], port[16];
		size_t at = strlen(fds);

		if (fd != i + 2 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
		    listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
			return fail("socket");
		snprintf(name, sizeof(name), "PORT%d", i);
		snprintf(port, sizeof(port), "%d", ntohs(address.sin_port));
		snprintf(fds + at, sizeof(fds) - at, "%d;", fd);
		setenv(name, port, 1);
	}
	setenv("NGINX", fds, 1);
	execvp(argv[2], argv + 2);
	return fail(argv[2]);
}
