/* serve - a loopback HTTP(S) server for tests, with faults by rule.
 *
 *	serve [--tls] [--log FILE] [--rule 'PATTERN KIND [ARGUMENT] [xN]']... FOLDER
 *
 * Prints its URL on a line, with --tls the path of its CA file on a second one, then serves FOLDER
 * until its stdin ends or it gets SIGTERM or SIGINT: `serve FOLDER <fifo >out &`, wait for the line
 * in out, kill it by its pid at the end. At its end it writes the requests that it saw to FILE.
 * The rules (404 n times, truncation, stall, redirect, ...) are listed in tests/unit/server.h. */
#include "../unit/server.h"

#include <poll.h>

static volatile sig_atomic_t stop_now;

static void on_signal(int sig)
{
	(void)sig;
	stop_now = 1;
}

static int usage(void)
{
	fputs("usage: serve [--tls] [--log FILE] [--rule RULE]... FOLDER\n", stderr);
	return 2;
}

/* Until SIGTERM or SIGINT. Only a pipe's end counts as the end of stdin: under `&` the shell gives
 * a background program /dev/null. */
static void wait_for_end(const sigset_t *mask)
{
	struct pollfd in = {.fd = STDIN_FILENO};
	struct stat st;

	if (fstat(STDIN_FILENO, &st) != 0 || !S_ISFIFO(st.st_mode))
		in.fd = -1;
	while (!stop_now && !(in.revents & (POLLHUP | POLLERR)))
		if (ppoll(&in, 1, NULL, mask) < 0)
			in.revents = 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	static struct server server;
	const char *log = NULL, *folder = NULL;
	sigset_t ends, before;
	bool tls = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--tls") == 0)
			tls = true;
		else if (i + 1 < argc && strcmp(argv[i], "--log") == 0)
			log = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--rule") == 0)
			i++;
		else if (argv[i][0] != '-' && !folder)
			folder = argv[i];
		else
			return usage();
	}
	if (!folder)
		return usage();
	/* Blocked but inside ppoll: a signal that comes early is not lost. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	server_start(&server, folder, tls);
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--rule") == 0)
			server_rule(&server, argv[++i]);
	printf("%s\n", server.url);
	if (tls)
		printf("%s\n", server.ca);
	fflush(stdout);
	wait_for_end(&before);
	if (log) {
		char *text = server_log(&server);
		FILE *file = fopen(log, "w");

		if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
			perror(log);
			return 1;
		}
		free(text);
	}
	server_stop(&server);
	return 0;
}
