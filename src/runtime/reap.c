#include "reap.h"

#include "outlet.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CANNOT_EXEC = 126,
	NOT_FOUND = 127,
	LAST_SIGNAL = 64,
	MASK_BYTES = LAST_SIGNAL / 8,
	HOLD_TRIES = 5000, /* of 0.2 ms */
	STAND_TRIES = 1000,
	TRIES = 3, /* of what may pass */
};

/* musl keeps signals 32 to 34 to itself, so masks and actions go to the kernel directly. */
struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static unsigned long old_mask;
static int signals = -1, stopped_by;

static const char *word_for(int err)
{
	return err == ENOENT ? "not found" : strerror(err);
}

int cda_reap_init(void)
{
	unsigned long mask = ~0ul;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old_mask, MASK_BYTES) != 0)
		return -errno;
	signals = (int)syscall(SYS_signalfd4, -1, &mask, MASK_BYTES, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return -errno;
	/* Who starts us may ignore it: then the kernel would tell of no child's end. */
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return 0;
}

unsigned long cda_reap_mask(void)
{
	return old_mask;
}

int cda_reap_resume(unsigned long mask)
{
	int rc = cda_reap_init();

	old_mask = mask;
	return rc;
}

int cda_reap_stopped(void)
{
	return stopped_by;
}

/* Put what the start of a file of /proc says into data, with a NUL. Returns its length or -1. */
static ssize_t read_proc(const char *fmt, pid_t pid, char *data, size_t cap)
{
	char path[64];
	ssize_t got;
	int fd;

	cda_put(path, sizeof(path), fmt, (int)pid, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	got = read(fd, data, cap - 1);
	close(fd);
	data[got > 0 ? got : 0] = '\0';
	return got;
}

static void put_fd(int fd, int at)
{
	if (fd < 0 || dup2(fd, at) < 0)
		_exit(CANNOT_EXEC);
}

static void child(const struct cda_run *run, int tty, int err_pipe, int out_pipe)
{
	const struct kernel_action plain = {.handler = SIG_DFL};
	const unsigned long all = ~0ul;
	int failure;

	setpgid(0, 0);
	if (tty >= 0)
		tcsetpgrp(tty, getpgrp());
	if (run->quiet_input) {
		put_fd(open("/dev/null", O_RDONLY), STDIN_FILENO);
		put_fd(STDERR_FILENO, STDOUT_FILENO);
	}
	if (run->no_output && out_pipe < 0)
		put_fd(open("/dev/null", O_WRONLY), STDOUT_FILENO);
	if (err_pipe >= 0)
		put_fd(err_pipe, STDERR_FILENO);
	if (out_pipe >= 0)
		put_fd(out_pipe, STDOUT_FILENO);
	for (int n = 1; n <= LAST_SIGNAL; n++)
		syscall(SYS_rt_sigaction, n, &plain, NULL, MASK_BYTES);
	if (run->cwd != NULL && chdir(run->cwd) != 0) {
		cda_say("cannot go to '%s': %s", run->cwd, strerror(errno));
		_exit(CANNOT_EXEC);
	}
	if (run->prepare != NULL) {
		int rc = run->prepare();

		if (rc < 0) {
			cda_say("'%s' does not get the rights it needs: %s", run->argv[0],
				strerror(-rc));
			_exit(CANNOT_EXEC);
		}
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask, NULL, MASK_BYTES);
	execve(run->argv[0], (char *const *)(void *)run->argv, run->envp);
	failure = errno;
	/* The line may go to a file at its limit: that must not become our end. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, MASK_BYTES);
	cda_say("'%s': %s", run->argv[0], word_for(failure));
	_exit(failure == ENOENT ? NOT_FOUND : CANNOT_EXEC);
}

static int status_of(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

/* Is pid the shell that reads the script or a copy of it, and not yet a program of its own? */
static bool is_script(pid_t pid)
{
	static const char mark[] = "\0--entered";
	char data[512];
	ssize_t got = read_proc("/proc/%d/cmdline", pid, data, sizeof(data));

	return got > 0 && memmem(data, (size_t)got, mark, sizeof(mark)) != NULL;
}

/* The letter that /proc/PID/stat has for it, or 0. */
static char state_of(pid_t pid)
{
	char data[256], *end;

	if (read_proc("/proc/%d/stat", pid, data, sizeof(data)) <= 0)
		return 0;
	end = strrchr(data, ')');
	return end != NULL && end[1] == ' ' ? end[2] : (char)0;
}

/* Shells with job control ignore SIGTSTP; init processes and ordinary commands do not. */
static bool has_job_control(pid_t pid)
{
	static const char key[] = "\nSigIgn:\t";
	char data[4096];
	const char *at;

	if (read_proc("/proc/%d/status", pid, data, sizeof(data)) <= 0)
		return false;
	at = strstr(data, key);
	return at != NULL &&
	       (strtoull(at + sizeof(key) - 1, NULL, 16) & (1ull << (SIGTSTP - 1))) != 0;
}

/* Is our parent a shell that continues what it sees stopped? Such a one has us in a group of our
 * own. */
static bool shell_waits(void)
{
	pid_t parent = getppid();

	return parent > 0 && getsid(parent) == getsid(0) && getpgid(parent) != getpgrp() &&
	       has_job_control(parent);
}

/* The children of the script's shell: commands (zombies among them: their end is still to be
 * noticed), and copies of the shell on their way to become one. */
struct children {
	pid_t commands[64], copies[64];
	int command_count, copy_count;
};

/* Returns false if the kernel does not tell. */
static bool list_children(pid_t pid, struct children *ret)
{
	char data[1024];

	ret->command_count = ret->copy_count = 0;
	if (read_proc("/proc/%d/task/%d/children", pid, data, sizeof(data)) < 0)
		return false;
	for (char *at = data; *at >= '0' && *at <= '9'; at += *at == ' ') {
		pid_t one = (pid_t)strtol(at, &at, 10);

		if (one <= 1)
			continue;
		if (is_script(one) && ret->copy_count < 64)
			ret->copies[ret->copy_count++] = one;
		else if (ret->command_count < 64)
			ret->commands[ret->command_count++] = one;
	}
	return true;
}

static bool ends_by_default(int n)
{
	return n != SIGWINCH && n != SIGURG && n != SIGCONT && n != SIGTSTP && n != SIGTTIN &&
	       n != SIGTTOU && n != SIGCHLD;
}

struct loop {
	const struct cda_run *run;
	pid_t main;
	int tty, status, instead;
	bool done;
	bool front;      /* the terminal is the command's */
	bool stop_asked; /* by a signal that we forwarded */
};

/* An interactive shell ignores a request to end, and takes losing its terminal as one. Such a shell
 * made a group of its own, and may have given the terminal to a job's. */
static void hang_up(const struct loop *loop)
{
	pid_t front = loop->front ? tcgetpgrp(loop->tty) : -1;
	struct children children;

	if (loop->tty >= 0 && list_children(loop->main, &children)) {
		for (int i = 0; i < children.command_count; i++) {
			pid_t one = children.commands[i];

			if (getpgid(one) != loop->main && has_job_control(one)) {
				kill(one, SIGHUP);
				kill(one, SIGCONT);
			}
		}
	}
	if (front > 0 && front != loop->main && front != getpgrp()) {
		kill(-front, SIGHUP);
		kill(-front, SIGCONT);
	}
}

/* Hand the terminal over if it is ours to give. */
static bool give_terminal(struct loop *loop)
{
	if (tcgetpgrp(loop->tty) != getpgrp() || tcsetpgrp(loop->tty, loop->main) != 0)
		return false;
	loop->front = true;
	return true;
}

/* The script stands; its commands got the same signal, and may be about to read a last byte of what
 * is typed for the shell. One that goes on all the same is not waited for long. */
static void let_stand(const struct loop *loop)
{
	const struct timespec pause = {.tv_nsec = 200000};
	struct children children;
	int tries = STAND_TRIES;

	if (!list_children(loop->main, &children))
		return;
	for (int i = 0; i < children.command_count; i++) {
		while (state_of(children.commands[i]) != 'T' && tries-- > 0)
			nanosleep(&pause, NULL);
	}
}

/* Stop with the others of our pipeline, as a shell expects it of a job. In the background that
 * shell may bring us to the front at this very moment: it gives us the terminal, then continues us.
 * The stop is pending while we look, so either we see the terminal, or being continued takes it
 * back. */
static void stand(struct loop *loop)
{
	const struct kernel_action plain = {.handler = SIG_DFL};
	const unsigned long stop = 1ul << (SIGTSTP - 1);
	bool was_front = loop->front;

	syscall(SYS_rt_sigaction, SIGTSTP, &plain, NULL, MASK_BYTES);
	if (was_front)
		tcsetpgrp(loop->tty, getpgrp());
	loop->front = false;
	kill(0, SIGTSTP);
	if (!was_front && tcgetpgrp(loop->tty) == getpgrp()) {
		kill(0, SIGCONT);
		give_terminal(loop);
		/* A shell's own may have been merged with ours, which is not forwarded. */
		kill(-loop->main, SIGCONT);
		return;
	}
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &stop, NULL, MASK_BYTES);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &stop, NULL, MASK_BYTES);
	give_terminal(loop);
}

/* The command was stopped by signal n. If a shell started us, it gets the terminal and sees us
 * stop too; what it then sends to go on is forwarded. */
static void stopped(struct loop *loop, int n)
{
	if (loop->tty < 0 || n == SIGSTOP)
		return;
	if (!loop->front && give_terminal(loop)) {
		kill(-loop->main, SIGCONT); /* a shell brought us to the front meanwhile */
	} else if (shell_waits()) {
		let_stand(loop);
		stand(loop);
	} else if (n == SIGTSTP && !loop->stop_asked) {
		kill(-loop->main, SIGCONT); /* nobody is there who could */
	}
}

/* The entry script notes these and ends after its command, with the command's status. */
static bool script_notes(int n)
{
	return n == SIGHUP || n == SIGINT || n == SIGQUIT || n == SIGUSR1 || n == SIGUSR2 ||
	       n == SIGALRM || n == SIGTERM;
}

/* Stop pid and wait until it stands still or has ended. Returns false if it does neither in time:
 * it may be waiting for a copy of itself that shares its memory. */
static bool hold(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 200000};

	if (kill(pid, SIGSTOP) != 0)
		return false;
	for (int i = 0; i < HOLD_TRIES; i++) {
		siginfo_t info = {.si_pid = 0};
		char state;

		if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG) != 0)
			return false;
		state = state_of(pid);
		if (info.si_pid == pid || state == 'T' || state == 'Z')
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Send n to the command's group, and to the script's commands that left it: an interactive shell
 * makes a group of its own. */
static void reach(const struct loop *loop, int n)
{
	struct children children;

	kill(-loop->main, n);
	if (!loop->run->guard_start || !list_children(loop->main, &children))
		return;
	for (int i = 0; i < children.command_count; i++) {
		if (getpgid(children.commands[i]) != loop->main)
			kill(children.commands[i], n);
	}
}

/* A shell that is between two commands only notes a signal and would start the next one all the
 * same; its copy that is about to become the command does so too. So look while it stands still:
 * copies end here; with a command, the signal is for that; without one, the whole start ends.
 * Returns false if this is no such script. */
static bool forward_to_script(struct loop *loop, int n)
{
	struct children children;
	bool stood = state_of(loop->main) == 'T';

	if (!is_script(loop->main))
		return false;
	if (!hold(loop->main)) {
		kill(loop->main, SIGCONT);
		return false;
	}
	if (!list_children(loop->main, &children)) {
		kill(-loop->main, n);
	} else {
		for (int i = 0; i < children.copy_count; i++)
			kill(children.copies[i], SIGKILL);
		if (children.command_count == 0 && state_of(loop->main) != 'Z') {
			loop->instead = 128 + n;
			kill(-loop->main, SIGKILL);
		} else if (script_notes(n)) {
			reach(loop, n);
		} else {
			for (int i = 0; i < children.command_count; i++)
				kill(children.commands[i], n);
		}
	}
	if (!stood)
		kill(loop->main, SIGCONT);
	return true;
}

static void forward(struct loop *loop, int n)
{
	bool end = ends_by_default(n);

	if (end && stopped_by == 0)
		stopped_by = n;
	if (loop->done || loop->main <= 0 || loop->instead != 0)
		return;
	/* An installation has no terminal, and nobody who would continue it. */
	if (!loop->run->terminal && (n == SIGTSTP || n == SIGTTIN || n == SIGTTOU))
		return;
	if (n == SIGTSTP || n == SIGTTIN || n == SIGTTOU || n == SIGCONT)
		loop->stop_asked = n != SIGCONT;
	if (!end || !loop->run->guard_start || !forward_to_script(loop, n))
		reach(loop, n);
	if (n == SIGTERM) {
		hang_up(loop);
		kill(-loop->main, SIGCONT); /* what stands still could not end */
	}
}

static void reap(struct loop *loop)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};

		if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) != 0 || info.si_pid == 0)
			return;
		if (info.si_pid != loop->main)
			continue;
		if (info.si_code == CLD_STOPPED) {
			stopped(loop, info.si_status);
			continue;
		}
		loop->status = loop->instead != 0 ? loop->instead : status_of(&info);
		loop->done = true;
	}
}

static void take_signals(struct loop *loop)
{
	const uint32_t own = (uint32_t)getpid();
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(loop);
		else if (info.ssi_pid != own) /* a write of our own may raise SIGXFSZ or SIGPIPE */
			forward(loop, (int)info.ssi_signo);
	}
}

int cda_reap_run(const struct cda_run *run)
{
	struct loop loop = {.run = run, .tty = -1};
	struct cda_outlet outlet;

	if (cda_outlet_open(&outlet, run) != 0) {
		cda_say("cannot make a pipe: %s", strerror(errno));
		return CANNOT_EXEC;
	}
	if (run->terminal) {
		loop.tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
		loop.front = loop.tty >= 0 && tcgetpgrp(loop.tty) == getpgrp();
	}
	loop.main = fork();
	if (loop.main == 0)
		child(run, loop.front ? loop.tty : -1, outlet.err[1], outlet.out[1]);
	cda_outlet_started(&outlet);
	if (loop.main < 0) {
		cda_say("cannot start '%s': %s", run->argv[0], strerror(errno));
		loop.done = true;
		loop.status = CANNOT_EXEC;
	} else {
		setpgid(loop.main, loop.main);
	}
	while (!loop.done) {
		struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
				       {.fd = outlet.err[0], .events = POLLIN},
				       {.fd = outlet.out[0], .events = POLLIN}};

		if (poll(fds, 3, cda_outlet_wait(&outlet)) < 0 && errno != EINTR)
			break;
		cda_outlet_take(&outlet, fds[1].revents != 0, fds[2].revents != 0);
		if (fds[0].revents != 0)
			take_signals(&loop);
	}
	cda_outlet_close(&outlet);
	if (loop.front)
		tcsetpgrp(loop.tty, getpgrp());
	if (loop.tty >= 0)
		close(loop.tty);
	return loop.status;
}

void cda_reap_pause(int milliseconds)
{
	struct loop loop = {.done = true, .tty = -1};
	struct timespec now;
	long long end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + milliseconds;
	while (stopped_by == 0) {
		struct pollfd fd = {.fd = signals, .events = POLLIN};
		long long left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = end - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
		if (left <= 0)
			return;
		if (poll(&fd, 1, (int)left) > 0)
			take_signals(&loop);
	}
}

int cda_reap_insist(const struct cda_run *run, bool (*passes)(const char *tail))
{
	int status = 0;

	for (int try = 1; try <= TRIES && stopped_by == 0; try++) {
		status = cda_reap_run(run);
		if (status == 0 || stopped_by != 0 || try == TRIES || !passes(run->tail))
			break;
		cda_say("trying again in %d s", 1 << try);
		cda_reap_pause(1000 << try);
	}
	return stopped_by != 0 ? 128 + stopped_by : status;
}
