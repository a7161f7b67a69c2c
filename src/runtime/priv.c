#include "priv.h"

#include "file.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { EXIT_UNSAFE = 2 };

static void close_others(void)
{
	if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
		return;
	for (int fd = 3; fd < 4096; fd++)
		close(fd);
}

static void limit(int what, rlim_t low, rlim_t high)
{
	struct rlimit now;

	if (getrlimit(what, &now) != 0)
		return;
	if (now.rlim_max < high)
		now.rlim_max = high;
	now.rlim_cur = low < now.rlim_max ? low : now.rlim_max;
	if (setrlimit(what, &now) == 0)
		return;
	/* Not allowed to lift the hard limit: as far as it goes. */
	if (getrlimit(what, &now) == 0) {
		now.rlim_cur = low < now.rlim_max ? low : now.rlim_max;
		(void)setrlimit(what, &now);
	}
}

/* What exec hands on beside files and limits, and a program of root's would begin with. */
static void forget_inherited(void)
{
	static const struct itimerval off;
	const unsigned long none = 0;

	for (int timer = ITIMER_REAL; timer <= ITIMER_PROF; timer++)
		setitimer(timer, &off, NULL);
	/* Ignored, it would make children end unnoticed. */
	signal(SIGCHLD, SIG_DFL);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	personality(PER_LINUX); /* another one answers uname with another machine or version */
}

void cda_priv_clean(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			_exit(EXIT_UNSAFE);
	}
	close_others();
	umask(077);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY);
	limit(RLIMIT_NOFILE, 1024, 1024);
	limit(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY);
	limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
	limit(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY);
	limit(RLIMIT_STACK, 8 << 20, 8 << 20);
	/* A limit that stays makes writes fail with EFBIG instead of ending us halfway. */
	signal(SIGXFSZ, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	forget_inherited();
	if (chdir("/") != 0)
		_exit(EXIT_UNSAFE);
}

const char *cda_priv_tight(void)
{
	static const struct {
		int what;
		rlim_t least;
		const char *text;
	} rows[] = {
		{RLIMIT_FSIZE, RLIM_INFINITY, "the size of files (ulimit -f)"},
		{RLIMIT_CPU, RLIM_INFINITY, "processor time (ulimit -t)"},
		{RLIMIT_AS, 1 << 30, "memory (ulimit -v)"},
		{RLIMIT_DATA, 1 << 30, "memory (ulimit -d)"},
		{RLIMIT_STACK, 1 << 20, "the stack (ulimit -s)"},
		{RLIMIT_NOFILE, 64, "open files (ulimit -n)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rlimit now;

		if (getrlimit(rows[i].what, &now) != 0 || now.rlim_cur < rows[i].least)
			return rows[i].text;
	}
	return NULL;
}

/* The kernel's, from its <linux/capability.h>; version 3 has two words of each set. */
struct cap_header {
	uint32_t version;
	int pid;
};
struct cap_words {
	uint32_t effective, permitted, inheritable;
};

enum {
	CAP_VERSION_3 = 0x20080522,
	KEPT = 1 << 0 /* CHOWN: the home */ | 1 << 1 /* DAC_OVERRIDE: a home of mode 0700 */ |
	       1 << 3 /* FOWNER: modes of what was given away */ | 1 << 6 /* SETGID */ |
	       1 << 7 /* SETUID: act as the caller; the package manager's own ids */
};

int cda_priv_shed(void)
{
	struct cap_header header = {.version = CAP_VERSION_3};
	struct cap_words words[2];

	if (syscall(SYS_capget, &header, words) != 0)
		goto failed;
	words[0].permitted &= KEPT;
	words[0].effective = words[0].permitted;
	words[0].inheritable = 0;
	words[1] = (struct cap_words){.effective = 0};
	if (syscall(SYS_capset, &header, words) == 0)
		return 0;
failed:
	cda_say("cannot give up capabilities: %s", strerror(errno));
	return -1;
}

void cda_priv_as_caller(void)
{
	if (setegid(getgid()) != 0 || seteuid(getuid()) != 0 || geteuid() != getuid())
		_exit(EXIT_UNSAFE);
}

void cda_priv_as_root(void)
{
	if (seteuid(0) != 0 || geteuid() != 0)
		_exit(EXIT_UNSAFE);
}

int cda_priv_all_root(void)
{
	if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
		return -errno;
	return 0;
}
