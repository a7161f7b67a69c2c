/* inherit - run a program with something odd that exec hands on: inherit WHAT COMMAND...
 *
 * chld: SIGCHLD ignored. mask: all signals blocked. machine: uname tells of an old kernel on i686.
 * alarm=S: SIGALRM comes after S seconds. folder: the working folder is shared with a process that
 * goes on. RESOURCE=N: that limit, soft and hard, by its number. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* As long as the parent is there: looked at, since the kernel's word of its end can come too soon.
 */
static int stay(void *parent)
{
	const struct timespec pause = {.tv_nsec = 20000000};

	while (getppid() == *(const pid_t *)parent)
		nanosleep(&pause, NULL);
	return 0;
}

static int share_folder(void)
{
	static char stack[65536];
	static pid_t own;

	own = getpid();
	return clone(stay, stack + sizeof(stack), CLONE_FS, &own);
}

static int apply(const char *what)
{
	const char *value = strchr(what, '=');
	sigset_t all;

	if (strcmp(what, "chld") == 0)
		return signal(SIGCHLD, SIG_IGN) == SIG_ERR;
	sigfillset(&all);
	if (strcmp(what, "mask") == 0)
		return sigprocmask(SIG_SETMASK, &all, NULL);
	if (strcmp(what, "machine") == 0)
		return personality(PER_LINUX32 | UNAME26) < 0;
	if (strcmp(what, "folder") == 0)
		return share_folder() < 0;
	if (value == NULL)
		return -1;
	if (strncmp(what, "alarm=", 6) == 0) {
		alarm((unsigned)strtoul(value + 1, NULL, 10));
		return 0;
	}
	struct rlimit limit;
	limit.rlim_cur = limit.rlim_max = strtoul(value + 1, NULL, 10);
	return setrlimit((__rlimit_resource_t)strtoul(what, NULL, 10), &limit);
}

int main(int argc, char **argv)
{
	if (argc < 3 || apply(argv[1]) != 0) {
		fprintf(stderr, "inherit: %s: %s\n", argc > 1 ? argv[1] : "what?", strerror(errno));
		return 99;
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "inherit: %s: %s\n", argv[2], strerror(errno));
	return 98;
}
