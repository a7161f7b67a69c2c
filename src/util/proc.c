#include "util/proc.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { max_out_default = 64 * 1024 * 1024 };

/* What waits for the end looks up at least this often: a signal may have been taken elsewhere. */
enum { look_ms = 100, kill_after_ms = 5000 };

extern char **environ;

static volatile sig_atomic_t forward_to; /* the child in the foreground */

static void forward(int sig)
{
	int saved = errno;

	if (forward_to > 0)
		kill((pid_t)forward_to, sig);
	errno = saved;
}

static const int foreground_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

struct signals {
	struct sigaction before[CDA_LEN(foreground_signals)];
	sigset_t mask;
};

static void signals_take(struct signals *saved, bool foreground)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &saved->mask);
	for (size_t i = 0; foreground && i < CDA_LEN(foreground_signals); i++) {
		struct sigaction action = {.sa_handler = i < 2 ? SIG_IGN : forward};

		sigaction(foreground_signals[i], NULL, &saved->before[i]);
		/* nohup and friends meant it for the child too. */
		if (saved->before[i].sa_handler != SIG_IGN)
			sigaction(foreground_signals[i], &action, NULL);
	}
}

static void signals_give_back(const struct signals *saved, bool foreground)
{
	for (size_t i = 0; foreground && i < CDA_LEN(foreground_signals); i++)
		sigaction(foreground_signals[i], &saved->before[i], NULL);
}

/* The program's path by the PATH that it will see; the name itself where it has a slash. */
static char *look_up(const char *name, const char *const *env)
{
	const char *path = NULL;
	struct cda_str rest, piece;
	int why = ENOENT;

	if (strchr(name, '/'))
		return cda_strdup(name);
	for (const char *const *p = env ? env : (const char *const *)environ; *p; p++)
		if (cda_starts_with(*p, "PATH="))
			path = *p + 5;
	rest = cda_str(path ? path : "/usr/local/bin:/usr/bin:/bin");
	while (cda_str_cut(&rest, ":", &piece)) {
		CDA_AUTOFREE char *full = cda_asprintf(CDA_STR_FMT "/%s", CDA_STR_ARG(piece), name);

		if (piece.len == 0 || !cda_fs_is_file(AT_FDCWD, full))
			continue;
		if (access(full, X_OK) == 0)
			return cda_take_ptr(full);
		why = errno;
	}
	errno = why;
	return NULL;
}

struct child {
	const struct cda_proc *proc;
	const char *path;
	const char *const *sh_argv; /* for a script without #!: the shell's, as execvp has it */
	const struct signals *saved;
	pid_t parent;
	int in, out, err; /* -1: inherited */
	int report;       /* errno of a failed exec goes here */
};

static bool move_fd(int from, int to)
{
	return from < 0 || dup2(from, to) >= 0;
}

/* Between fork and exec: system calls only, other threads may have held any lock. */
static _Noreturn void become(const struct child *child)
{
	const struct cda_proc *proc = child->proc;
	char *const *env = proc->env ? (char *const *)(uintptr_t)proc->env : environ;
	struct sigaction plain = {.sa_handler = SIG_DFL};
	int why;

	signals_give_back(child->saved, proc->foreground);
	sigaction(SIGPIPE, &plain, NULL);
	if (!proc->foreground)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!proc->foreground && getppid() != child->parent)
		_exit(127);
	if (move_fd(child->in, 0) && move_fd(child->out, 1) && move_fd(child->err, 2) &&
	    (!proc->cwd || chdir(proc->cwd) == 0)) {
		pthread_sigmask(SIG_SETMASK, &child->saved->mask, NULL);
		execve(child->path, (char *const *)(uintptr_t)proc->argv, env);
		if (errno == ENOEXEC)
			execve(child->sh_argv[0], (char *const *)(uintptr_t)child->sh_argv, env);
	}
	why = errno;
	while (write(child->report, &why, sizeof(why)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Never 0, 1 or 2, even where those are closed: what the child moves there must not lie there. */
static int above_stdio(int fd)
{
	int moved = fd;

	if (fd >= 0 && fd <= STDERR_FILENO) {
		moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(fd);
	}
	return moved;
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*ret_read = above_stdio(ends[0]);
	*ret_write = above_stdio(ends[1]);
	return *ret_read < 0 || *ret_write < 0 ? -1 : 0;
}

/* The text for stdin lies in memory as a file: no writer can block or meet a closed pipe. */
static int make_input(const struct cda_proc *proc)
{
	int fd;

	if (!proc->in)
		return above_stdio(open("/dev/null", O_RDONLY | O_CLOEXEC));
	fd = above_stdio(memfd_create("stdin", MFD_CLOEXEC));
	if (fd >= 0 &&
	    (cda_fs_write_all(fd, proc->in, proc->in_len) != 0 || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

struct capture {
	int fd;
	struct cda_buf *to;
};

/* Takes what is there. Closes at the end of the pipe; what is beyond max is read and dropped. */
static void take_output(struct capture *capture, size_t max)
{
	char chunk[16 * 1024];

	for (;;) {
		ssize_t n = read(capture->fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		size_t room = capture->to->len < max ? max - capture->to->len : 0;
		cda_buf_add(capture->to, chunk, (size_t)n < room ? (size_t)n : room);
	}
	close(cda_take_fd(capture->fd));
}

static int wait_for(pid_t pid, int flags, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, flags);
	while (got < 0 && errno == EINTR);
	return (int)got;
}

/* Reads both pipes until the child has ended; a grandchild that keeps them open is not waited
 * for. An interruption that comes meanwhile ends the child. */
static int follow(const struct cda_proc *proc, pid_t pid, struct capture captures[2],
		  bool was_interrupted)
{
	CDA_AUTOCLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	size_t max = proc->max_out ? proc->max_out : max_out_default;
	int waited = 0, status = 0;

	while (wait_for(pid, WNOHANG, &status) == 0) {
		struct pollfd fds[3] = {{captures[0].fd, POLLIN, 0},
					{captures[1].fd, POLLIN, 0},
					{pidfd, POLLIN, 0}};
		int ready = poll(fds, 3, pidfd >= 0 ? look_ms : look_ms / 10);

		for (int i = 0; ready > 0 && i < 2; i++)
			if (captures[i].fd >= 0 && fds[i].revents)
				take_output(&captures[i], max);
		if (!cda_interrupted || was_interrupted || proc->foreground)
			continue;
		if (waited == 0)
			kill(pid, SIGTERM);
		waited += look_ms;
		if (waited > kill_after_ms)
			kill(pid, SIGKILL);
	}
	for (int i = 0; i < 2; i++)
		if (captures[i].fd >= 0)
			take_output(&captures[i], max);
	return status;
}

static const char *const *shell_argv(const char *path, const char *const *argv)
{
	size_t n = 0;
	const char **copy;

	while (argv[n])
		n++;
	copy = cda_alloc0(n + 3, sizeof(*copy));
	copy[0] = "/bin/sh";
	copy[1] = path;
	for (size_t i = 1; i < n; i++)
		copy[i + 1] = argv[i];
	return copy;
}

static int run(struct child *child, struct capture captures[2], int *ret_status,
	       struct cda_err *err)
{
	const struct cda_proc *proc = child->proc;
	/* Asked before the child is there: an interruption right after that counts. */
	bool was_interrupted = cda_interrupted;
	CDA_AUTOCLOSE int report = -1;
	struct signals saved;
	int why = 0, status;
	ssize_t n;
	pid_t pid;

	if (make_pipe(&report, &child->report) != 0)
		return cda_err_sys(err, errno, "cannot make a pipe");
	child->saved = &saved;
	child->parent = getpid();
	signals_take(&saved, proc->foreground);
	pid = fork();
	if (pid == 0)
		become(child);
	why = pid < 0 ? errno : 0;
	if (proc->foreground)
		forward_to = pid;
	pthread_sigmask(SIG_SETMASK, &saved.mask, NULL);
	close(cda_take_fd(child->report));
	if (child->out >= 0)
		close(cda_take_fd(child->out));
	if (child->err >= 0)
		close(cda_take_fd(child->err));
	if (pid > 0) {
		do
			n = read(report, &why, sizeof(why));
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(why))
			why = 0;
		if (why != 0 || (proc->foreground && captures[0].fd < 0 && captures[1].fd < 0))
			wait_for(pid, 0, &status);
		else
			status = follow(proc, pid, captures, was_interrupted);
	}
	if (proc->foreground) {
		signals_give_back(&saved, true);
		forward_to = 0;
	}
	if (why != 0)
		return cda_err_sys(err, why, "cannot run '%s'", proc->argv[0]);
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int cda_proc_run(const struct cda_proc *proc, int *ret_status, struct cda_err *err)
{
	CDA_AUTOFREE char *path = look_up(proc->argv[0], proc->env);
	CDA_AUTOFREE const char *const *sh_argv = NULL;
	struct capture captures[2] = {{-1, proc->out}, {-1, proc->errout}};
	struct child child = {proc, path, NULL, NULL, 0, -1, -1, -1, -1};
	bool one_pipe = proc->out && proc->out == proc->errout;
	int rc = 0;

	if (!path)
		return cda_err_sys(err, errno, "cannot run '%s'", proc->argv[0]);
	child.sh_argv = sh_argv = shell_argv(path, proc->argv);
	if (!proc->inherit_in && (child.in = make_input(proc)) < 0)
		rc = cda_err_sys(err, errno, "cannot make the input of '%s'", proc->argv[0]);
	if (rc == 0 && ((proc->out && make_pipe(&captures[0].fd, &child.out) != 0) ||
			(proc->errout && !one_pipe && make_pipe(&captures[1].fd, &child.err) != 0)))
		rc = cda_err_sys(err, errno, "cannot make a pipe");
	if (one_pipe && child.out >= 0)
		child.err = fcntl(child.out, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	for (int i = 0; i < 2; i++)
		if (captures[i].fd >= 0)
			fcntl(captures[i].fd, F_SETFL, O_NONBLOCK);
	if (rc == 0)
		rc = run(&child, captures, ret_status, err);
	for (int i = 0; i < 2; i++)
		cda_closep(&captures[i].fd);
	cda_closep(&child.in);
	cda_closep(&child.out);
	cda_closep(&child.err);
	cda_closep(&child.report);
	return rc;
}
