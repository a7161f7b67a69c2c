/* entry as a process: statuses, signals, orphans. Also the program that it starts here. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_S = 60, LAST_SIGNAL = 64 };

static char entry_path[4096], script_path[4096], self_path[4096];

/* A sanitizer's own handlers would be what the tests look at. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:"
	       "detect_leaks=0";
}

/* A signal mask of the kernel's own size: libc hides some signals. */
static void mask_all(void)
{
	unsigned long all = ~0ul;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

static int wait_signal(void)
{
	unsigned long all = ~0ul;
	struct timespec limit = {.tv_sec = WAIT_S};
	long got;

	do
		got = syscall(SYS_rt_sigtimedwait, &all, NULL, &limit, 8);
	while (got < 0 && errno == EINTR);
	return (int)got;
}

static void tell(int fd, int value)
{
	char byte = (char)value;

	if (write(fd, &byte, 1) != 1)
		_exit(98);
}

/* One byte, or -1 at the end of the pipe or after WAIT_S. */
static int hear(int fd)
{
	struct pollfd in = {.fd = fd, .events = POLLIN};
	unsigned char byte;

	while (poll(&in, 1, WAIT_S * 1000) < 0 && errno == EINTR)
		;
	return read(fd, &byte, 1) == 1 ? byte : -1;
}

/* ---- what runs under entry: SELF MODE FD [ARGUMENT...] */

static int mode_orphan(int fd)
{
	int pids[2];
	char path[64];
	pid_t orphan;

	if (pipe(pids) != 0)
		return 90;
	if (fork() == 0) {
		pid_t parent = getpid();

		orphan = fork();
		if (orphan == 0) {
			/* Ends once its parent is another. */
			for (int i = 0; i < WAIT_S * 100 && getppid() == parent; i++)
				usleep(10000);
			_exit(7);
		}
		if (write(pids[1], &orphan, sizeof(orphan)) != sizeof(orphan))
			_exit(91);
		_exit(0);
	}
	if (read(pids[0], &orphan, sizeof(orphan)) != sizeof(orphan) || wait(NULL) < 0)
		return 92;
	snprintf(path, sizeof(path), "/proc/%d", (int)orphan);
	for (int i = 0; i < WAIT_S * 100; i++) {
		if (access(path, F_OK) != 0)
			return 0;
		usleep(10000);
	}
	tell(fd, 'z');
	return 93;
}

static int mode_state(int fd)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	unsigned long bits = 0, value;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "SigIgn: %lx", &value) == 1 ||
		    sscanf(line, "SigCgt: %lx", &value) == 1)
			bits |= value;
	}
	tell(fd, bits == 0 ? 'y' : 'n');
	tell(fd, getpgrp() == getppid() ? 'y' : 'n'); /* the script leads the group */
	return 0;
}

static int under_entry(int argc, char **argv)
{
	const char *mode = argv[1];
	int fd = atoi(argv[2]), n = argc > 3 ? atoi(argv[3]) : 0;

	if (strcmp(mode, "exit") == 0)
		return n;
	if (strcmp(mode, "die") == 0) {
		raise(n);
		return 97;
	}
	if (strcmp(mode, "take") == 0) {
		/* Takes a signal and ends with a status of its own; so does a child of it. */
		int at[2];
		pid_t child;

		mask_all();
		if (pipe(at) != 0)
			return 90;
		child = fork();
		if (child == 0) {
			tell(at[1], 0);
			_exit(wait_signal() == n ? 0 : 1);
		}
		hear(at[0]);
		tell(fd, 'r');
		for (;;) {
			int got = wait_signal(), status;

			if (got == SIGCHLD && n != SIGCHLD)
				continue;
			while (waitpid(child, &status, 0) < 0 && errno == EINTR)
				;
			tell(fd, got);
			return got == n && status == 0 ? 40 : 41;
		}
	}
	if (strcmp(mode, "take-alone") == 0) {
		mask_all();
		tell(fd, 'r');
		n = wait_signal() == n ? n : 0;
		tell(fd, n);
		return n != 0 ? 40 : 41;
	}
	if (strcmp(mode, "stay") == 0) {
		alarm(WAIT_S);
		tell(fd, 'r');
		for (;;)
			pause();
	}
	if (strcmp(mode, "deaf") == 0) {
		mask_all();
		tell(fd, 'r');
		n = wait_signal();
		tell(fd, n == SIGINT || n == SIGTERM ? 'd' : 'x');
		while (n != SIGUSR2)
			n = wait_signal();
		return 33;
	}
	if (strcmp(mode, "args") == 0)
		return argc == 7 && strcmp(argv[3], "a b") == 0 && strcmp(argv[4], "") == 0 &&
				       strcmp(argv[5], "*\n'\"$x") == 0 &&
				       strcmp(argv[6], "--entered") == 0
			       ? 0
			       : 1;
	if (strcmp(mode, "orphan") == 0)
		return mode_orphan(fd);
	if (strcmp(mode, "state") == 0)
		return mode_state(fd);
	return 96;
}

static void remove_script(void)
{
	unlink(script_path);
}

/* ENTRY_SHELL: another shell reads the script than the one that it names. */
static void change_shell(const char *shell)
{
	static char copy[] = "/tmp/cda-entry.XXXXXX";
	char line[4096];
	FILE *in = fopen(script_path, "r"), *out;
	int fd = mkstemp(copy);

	if (in == NULL || fd < 0 || (out = fdopen(fd, "w")) == NULL ||
	    fgets(line, sizeof(line), in) == NULL)
		_exit(95);
	fprintf(out, "#!%s\n", shell);
	while (fgets(line, sizeof(line), in) != NULL)
		fputs(line, out);
	fclose(in);
	fchmod(fd, 0755);
	fclose(out);
	strcpy(script_path, copy);
	atexit(remove_script);
}

__attribute__((constructor)) static void be_the_command(int argc, char **argv)
{
	const char *build = getenv("BUILD_ROOT"), *source = getenv("SOURCE_ROOT");

	if (argc > 2 && strcmp(argv[2], "-") != 0 && atoi(argv[2]) > 2)
		_exit(under_entry(argc, argv));
	snprintf(entry_path, sizeof(entry_path), "%s/src/runtime/entry",
		 build != NULL ? build : ".");
	if (getenv("ENTRY") != NULL)
		snprintf(entry_path, sizeof(entry_path), "%s", getenv("ENTRY"));
	snprintf(script_path, sizeof(script_path), "%s/data/image/entrypoint.sh",
		 source != NULL ? source : ".");
	if (readlink("/proc/self/exe", self_path, sizeof(self_path) - 1) < 0)
		_exit(95);
	if (getenv("ENTRY_SHELL") != NULL)
		change_shell(getenv("ENTRY_SHELL"));
}

/* ---- the tests' side */

struct run {
	pid_t pid;
	int out; /* what the command tells */
};

static bool errors_to_file; /* where a limit on files holds */

static struct run start_words(const char *const *words)
{
	struct run run;
	const char *argv[16] = {entry_path, script_path, self_path};
	char number[16];
	int fds[2], n = 3;

	if (pipe(fds) != 0)
		exit(1);
	argv[n++] = words[0];
	snprintf(number, sizeof(number), "%d", fds[1]);
	argv[n++] = number;
	for (int i = 1; words[i] != NULL; i++)
		argv[n++] = words[i];
	argv[n] = NULL;
	run.pid = fork();
	if (run.pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		close(fds[0]);
		setpgid(0, 0);
		dup2(null, STDOUT_FILENO);
		dup2(errors_to_file ? open("/tmp", O_TMPFILE | O_WRONLY, 0600) : null,
		     STDERR_FILENO);
		execv(entry_path, (char *const *)(void *)argv);
		_exit(94);
	}
	close(fds[1]);
	run.out = fds[0];
	return run;
}

static struct run start(const char *mode, int n)
{
	char number[16];
	const char *const words[] = {mode, number, NULL};

	snprintf(number, sizeof(number), "%d", n);
	return start_words(words);
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int end(struct run *run)
{
	int status = 0;

	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(run->out);
	return status_of(status);
}

TEST(every_exit_status_passes_through)
{
	for (int n = 0; n < 256; n++) {
		struct run run = start("exit", n);

		CHECK_INT_AT(end(&run), n, "exit %d", n);
	}
}

TEST(a_value_of_on_error_is_known_or_refused)
{
	static const struct {
		const char *value;
		int status;
	} rows[] = {{"stop", 7},      {"continue", 7}, {"", 7},  {"Continue", 2},
		    {"continue ", 2}, {"1", 2},        {"no", 2}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run run;

		setenv("CONDENSE_ON_ERROR", rows[i].value, 1);
		run = start("exit", 7);
		CHECK_INT_AT(end(&run), rows[i].status, "'%s'", rows[i].value);
	}
	unsetenv("CONDENSE_ON_ERROR");
}

TEST(death_by_a_signal_is_128_and_its_number)
{
	static const int ways[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGABRT, SIGKILL,
				   SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct run run = start("die", ways[i]);

		CHECK_INT_AT(end(&run), 128 + ways[i], "signal %d", ways[i]);
	}
}

TEST(arguments_arrive_as_they_are)
{
	static const char *const words[] = {"args", "a b", "", "*\n'\"$x", "--entered", NULL};
	struct run run = start_words(words);

	CHECK_INT(end(&run), 0);
}

TEST(a_missing_command_is_127_and_one_that_cannot_run_126)
{
	static const struct {
		const char *command;
		int status;
	} rows[] = {{"/nonexistent/x", 127},
		    {"no-such-command-here", 127},
		    {"/etc/passwd", 126},
		    {"/", 126}};
	char keep[sizeof(self_path)];

	strcpy(keep, self_path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run run;

		strcpy(self_path, rows[i].command);
		run = start("x", 0);
		CHECK_INT_AT(end(&run), rows[i].status, "'%s'", rows[i].command);
	}
	strcpy(self_path, keep);
}

TEST(a_missing_script_is_127)
{
	char keep[sizeof(script_path)];
	struct run run;

	strcpy(keep, script_path);
	strcpy(script_path, "/nonexistent/entrypoint.sh");
	run = start("exit", 0);
	CHECK_INT(end(&run), 127);
	strcpy(script_path, keep);
}

/* The command and its child get it; what the command then says is the status. */
TEST(signals_reach_the_command_and_its_children)
{
	static const int all[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,
				  SIGUSR2, SIGTERM, SIGALRM, SIGWINCH};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct run run = start("take", all[i]);

		CHECK_INT_AT(hear(run.out), 'r', "signal %d", all[i]);
		kill(run.pid, all[i]);
		CHECK_INT_AT(hear(run.out), all[i], "signal %d", all[i]);
		CHECK_INT_AT(end(&run), 40, "signal %d", all[i]);
	}
}

/* The script does not note these, and must not die of them before the command ends. */
TEST(rare_signals_reach_the_command)
{
	static const int all[] = {SIGPIPE, SIGVTALRM, SIGPROF, SIGIO, 34, 50, LAST_SIGNAL};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct run run = start("take-alone", all[i]);

		CHECK_INT_AT(hear(run.out), 'r', "signal %d", all[i]);
		kill(run.pid, all[i]);
		CHECK_INT_AT(hear(run.out), all[i], "signal %d", all[i]);
		CHECK_INT_AT(end(&run), 40, "signal %d", all[i]);
	}
}

TEST(a_command_that_keeps_the_default_dies_of_it)
{
	static const int all[] = {SIGHUP, SIGINT, SIGUSR1, SIGTERM, SIGVTALRM, 34, 50, LAST_SIGNAL};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct run run = start("stay", 0);

		CHECK_INT_AT(hear(run.out), 'r', "signal %d", all[i]);
		kill(run.pid, all[i]);
		CHECK_INT_AT(end(&run), 128 + all[i], "signal %d", all[i]);
	}
}

/* At any moment of the start: it must end, with that status, and not go on to wait for ever. */
TEST(a_stop_before_the_command_is_not_lost)
{
	for (int i = 0; i < 200; i++) {
		struct run run = start("stay", 0);

		for (volatile int spin = 0; spin < i * 20000; spin = spin + 1)
			;
		kill(run.pid, SIGTERM);
		CHECK_INT_AT(end(&run), 128 + SIGTERM, "after %d rounds", i * 20000);
	}
}

TEST(orphans_are_reaped)
{
	struct run run = start("orphan", 0);

	CHECK_INT(end(&run), 0);
}

TEST(the_command_starts_with_plain_signals_in_a_group_of_its_own)
{
	struct run run;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	run = start("state", 0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	CHECK_INT(hear(run.out), 'y');
	CHECK_INT(hear(run.out), 'y');
	CHECK_INT(end(&run), 0);
}

static bool wait_for_state(pid_t pid, char wanted)
{
	for (int i = 0; i < WAIT_S * 100; i++) {
		char path[64], text[512], *at = NULL;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		file = fopen(path, "r");
		if (file != NULL) {
			if (fgets(text, sizeof(text), file) != NULL)
				at = strrchr(text, ')');
			fclose(file);
		}
		if (at != NULL && at[1] == ' ' && at[2] == wanted)
			return true;
		usleep(10000);
	}
	return false;
}

/* The one child of pid. */
static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "r");
	if (file != NULL) {
		if (fscanf(file, "%d", &child) != 1)
			child = 0;
		fclose(file);
	}
	return child;
}

TEST(a_stopped_command_stands_until_it_is_continued_or_ended)
{
	static const int ends[] = {SIGTERM, SIGTERM, SIGKILL};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct run run = start("stay", 0);
		pid_t script, command;

		REQUIRE(hear(run.out) == 'r');
		script = child_of(run.pid);
		command = child_of(script);
		REQUIRE(script > 0 && command > 0);
		kill(run.pid, SIGTSTP);
		CHECK(wait_for_state(command, 'T'));
		CHECK(wait_for_state(script, 'T'));
		kill(run.pid, SIGCONT);
		CHECK(wait_for_state(command, 'S'));
		CHECK(wait_for_state(script, 'S'));
		kill(run.pid, SIGTSTP);
		CHECK(wait_for_state(script, 'T'));
		if (ends[i] == SIGKILL) {
			/* Others come first: they wait like the command. */
			kill(run.pid, SIGUSR1);
			kill(run.pid, SIGHUP);
			kill(command, SIGKILL);
			kill(run.pid, SIGCONT);
		} else {
			kill(run.pid, ends[i]);
			kill(run.pid, ends[i]);
		}
		CHECK_INT_AT(end(&run), 128 + ends[i], "end %zu", i);
	}
}

/* A command that takes its time over a stop: more of them neither hang nor end it. */
TEST(a_second_stop_does_not_hang)
{
	struct run run = start("deaf", 0);

	CHECK_INT(hear(run.out), 'r');
	for (int i = 0; i < 20; i++)
		kill(run.pid, i % 2 ? SIGTERM : SIGINT);
	CHECK_INT(hear(run.out), 'd');
	for (int i = 0; i < 20; i++)
		kill(run.pid, i % 2 ? SIGTERM : SIGINT);
	kill(run.pid, SIGUSR2);
	CHECK_INT(end(&run), 33);
}

/* Counted by the kernel: each wake-up is a switch to the process. */
static long switches(pid_t pid)
{
	char path[64], text[256];
	long sum = 0, value;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(text, sizeof(text), file) != NULL) {
		if (sscanf(text, "voluntary_ctxt_switches: %ld", &value) == 1 ||
		    sscanf(text, "nonvoluntary_ctxt_switches: %ld", &value) == 1)
			sum += value;
	}
	if (file != NULL)
		fclose(file);
	return sum;
}

TEST(nothing_wakes_it_while_the_command_runs)
{
	struct run run = start("stay", 0);
	long before, after;

	REQUIRE(hear(run.out) == 'r');
	/* It may not have come to rest yet. */
	for (int i = 0; i < WAIT_S; i++) {
		CHECK(wait_for_state(run.pid, 'S'));
		before = switches(run.pid);
		usleep(500000);
		if (switches(run.pid) == before)
			break;
	}
	before = switches(run.pid);
	sleep(3);
	after = switches(run.pid);
	CHECK_INT(after, before);
	kill(run.pid, SIGTERM);
	CHECK_INT(end(&run), 128 + SIGTERM);
}

/* The signal of a write over the limit is the writer's own affair. */
TEST(a_limit_on_files_is_no_stop)
{
	struct rlimit keep, none;
	char path[sizeof(script_path)];
	struct run run;

	REQUIRE(getrlimit(RLIMIT_FSIZE, &keep) == 0);
	none = keep;
	none.rlim_cur = 0;
	strcpy(path, script_path);
	strcpy(script_path, "/nonexistent/script");
	errors_to_file = true;
	setrlimit(RLIMIT_FSIZE, &none);
	run = start("exit", 7);
	setrlimit(RLIMIT_FSIZE, &keep);
	errors_to_file = false;
	strcpy(script_path, path);
	CHECK_INT(end(&run), 127);
}
