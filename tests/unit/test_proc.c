#include "check.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/str.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* Looks again and again, for a minute at most. */
#define UNTIL(cond)                                                                                \
	for (int tries_ = 0; !(cond) && tries_ < 6000; tries_++)                                   \
	nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL)

TEST(status_and_both_outputs_come_back)
{
	static const struct {
		const char *script, *in, *out, *err;
		int status;
	} rows[] = {
		{"exit 0", NULL, "", "", 0},
		{"exit 3", NULL, "", "", 3},
		{"exit 255", NULL, "", "", 255},
		{"kill -9 $$", NULL, "", "", 137},
		{"kill -PIPE $$", NULL, "", "", 141},
		{"echo out; echo err >&2; exit 1", NULL, "out\n", "err\n", 1},
		{"cat", "some text", "some text", "", 0},
		{"cat", NULL, "", "", 0},
		{"head -c 4", "some text", "some", "", 0},
		{"exit 0", "nobody reads this", "", "", 0},
		{"exec >&-; echo late >&2", NULL, "", "late\n", 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, err = CDA_BUF_INIT;
		const char *const argv[] = {"sh", "-c", rows[i].script, NULL};
		int status = -1;
		struct cda_proc proc = {.argv = argv,
					.out = &out,
					.errout = &err,
					.in = rows[i].in,
					.in_len = rows[i].in ? strlen(rows[i].in) : 0};

		CHECK_INT_AT(cda_proc_run(&proc, &status, NULL), 0, "%s", rows[i].script);
		CHECK_INT_AT(status, rows[i].status, "%s", rows[i].script);
		CHECK_STR_AT(out.p, rows[i].out, "%s", rows[i].script);
		CHECK_STR_AT(err.p, rows[i].err, "%s", rows[i].script);
	}
}

TEST(much_text_goes_through_at_once)
{
	CDA_AUTOBUF struct cda_buf in = CDA_BUF_INIT, out = CDA_BUF_INIT, err = CDA_BUF_INIT;
	const char *const argv[] = {"sh", "-c", "tee /dev/stderr", NULL};
	struct cda_proc proc = {.argv = argv, .out = &out, .errout = &err};
	int status;

	for (int i = 0; i < 100000; i++)
		cda_buf_adds(&in, "0123456789");
	proc.in = in.p;
	proc.in_len = in.len;
	CHECK_INT(cda_proc_run(&proc, &status, NULL), 0);
	CHECK_MEM(out.p, out.len, in.p, in.len);
	CHECK_MEM(err.p, err.len, in.p, in.len);
	cda_buf_clear(&out);
	proc.errout = &out;
	proc.max_out = 1500000;
	CHECK_INT(cda_proc_run(&proc, &status, NULL), 0);
	CHECK_INT(out.len, 1500000);
	CHECK_INT(status, 0);
}

TEST(folder_and_environment_are_the_given_ones)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	const char *const argv[] = {"sh", "-c", "pwd; echo $A-$HOME-$B", NULL};
	const char *const env[] = {"A=1", "PATH=/usr/bin:/bin", NULL};
	struct cda_proc proc = {.argv = argv, .env = env, .cwd = "/", .out = &out};
	int status;

	CHECK_INT(cda_proc_run(&proc, &status, NULL), 0);
	CHECK_STR(out.p, "/\n1--\n");
}

TEST(what_cannot_start_says_why)
{
	CDA_AUTOFREE char *dir = NULL, *plain = NULL, *script = NULL;
	const char *names[3], *const env[] = {"PATH=/nowhere", NULL};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};
	int status;

	REQUIRE(cda_fs_tempdir(NULL, "test-proc", &dir, NULL) == 0);
	plain = cda_path_join(dir, "plain");
	script = cda_path_join(dir, "script");
	CHECK_INT(cda_fs_replace(AT_FDCWD, plain, "echo no\n", 8, 0644, false, NULL), 0);
	CHECK_INT(cda_fs_replace(AT_FDCWD, script, "echo \"$1\" \"$2\"\n", 15, 0755, false, NULL),
		  0);
	names[0] = "/nowhere/x";
	names[1] = plain;
	names[2] = "sh";
	for (int i = 0; i < 3; i++) {
		const char *const argv[] = {names[i], NULL};
		struct cda_proc proc = {.argv = argv, .env = env, .out = &out};

		CHECK_INT_AT(cda_proc_run(&proc, &status, &err), -CDA_E_SYS, "%s", names[i]);
		CHECK_INT_AT(err.sys, i == 1 ? EACCES : ENOENT, "%s", names[i]);
		CHECK_AT(cda_starts_with(err.msg, "cannot run '"), "%s", err.msg);
		cda_err_done(&err);
	}
	const char *const bad_cwd[] = {"/bin/sh", "-c", "exit 0", NULL};
	CHECK_INT(
		cda_proc_run(&(struct cda_proc){.argv = bad_cwd, .cwd = "/nowhere"}, &status, &err),
		-CDA_E_SYS);
	cda_err_done(&err);
	/* Without #! it is the shell's. */
	const char *const argv[] = {script, "a b", "c", NULL};
	CHECK_INT(cda_proc_run(&(struct cda_proc){.argv = argv, .out = &out}, &status, NULL), 0);
	CHECK_STR(out.p, "a b c\n");
	CHECK_INT(cda_fs_remove(AT_FDCWD, dir, NULL), 0);
}

TEST(a_grandchild_that_keeps_the_pipe_is_not_waited_for)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	const char *const argv[] = {"sh", "-c", "sleep 1000 & echo $!", NULL};
	int status = -1;
	int64_t pid = 0;

	CHECK_INT(cda_proc_run(&(struct cda_proc){.argv = argv, .out = &out}, &status, NULL), 0);
	CHECK_INT(status, 0);
	REQUIRE(out.len > 0);
	cda_buf_cut(&out, out.len - 1);
	REQUIRE(cda_parse_int(out.p, 2, 1 << 30, &pid));
	CHECK_INT(kill((pid_t)pid, SIGKILL), 0);
}

/* A process of our own that runs the script by proc.h, so that it can be sent signals. */
struct runner {
	char *dir, *ready;
	pid_t pid;
};

static struct runner runner_start(const char *script, bool foreground)
{
	struct runner r = {0};

	if (cda_fs_tempdir(NULL, "test-proc", &r.dir, NULL) < 0)
		abort();
	r.ready = cda_path_join(r.dir, "ready");
	r.pid = fork();
	if (r.pid == 0) {
		/* A shell cannot trap what was ignored when it began, as under nohup. */
		signal(SIGHUP, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		const char *const argv[] = {"sh", "-c", script, "sh", r.ready, NULL};
		struct cda_proc proc = {.argv = argv, .foreground = foreground};
		int status = 99;

		if (cda_proc_run(&proc, &status, NULL) < 0)
			status = 98;
		_exit(status);
	}
	UNTIL(cda_fs_exists(AT_FDCWD, r.ready));
	CHECK(cda_fs_exists(AT_FDCWD, r.ready));
	return r;
}

static int runner_end(struct runner *r)
{
	int status = 0;

	CHECK_INT(waitpid(r->pid, &status, 0), r->pid);
	CHECK_INT(cda_fs_remove(AT_FDCWD, r->dir, NULL), 0);
	free(r->dir);
	free(r->ready);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#define LOOP "mkdir \"$1\"; while :; do sleep 0.05; done"

TEST(in_the_foreground_term_and_hup_go_to_the_child)
{
	static const struct {
		const char *script;
		int sig, status;
	} rows[] = {
		{"trap 'exit 9' TERM; " LOOP, SIGTERM, 9},
		{"trap 'exit 8' HUP; " LOOP, SIGHUP, 8},
		{LOOP, SIGTERM, 128 + SIGTERM},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct runner r = runner_start(rows[i].script, true);

		/* The keyboard's signals are the child's business: ours must not end on them. */
		kill(r.pid, SIGINT);
		kill(r.pid, SIGQUIT);
		kill(r.pid, rows[i].sig);
		CHECK_INT_AT(runner_end(&r), rows[i].status, "%s", rows[i].script);
	}
}

TEST(a_child_in_the_background_ends_with_us)
{
	struct runner r;
	int status, killed = 0;

	/* Its orphan comes to us, so that its end can be seen. */
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	r = runner_start(LOOP, false);
	kill(r.pid, SIGKILL);
	CHECK_INT(runner_end(&r), 128 + SIGKILL);
	/* The shell's own sleep may come first: it ends by itself. */
	while (waitpid(-1, &status, 0) > 0)
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	CHECK_INT(killed, 1);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void *interrupt(void *path)
{
	UNTIL(cda_fs_exists(AT_FDCWD, path));
	cda_interrupted = 1;
	return NULL;
}

TEST(an_interruption_ends_the_child)
{
	CDA_AUTOFREE char *dir = NULL, *ready = NULL;
	pthread_t thread;
	int status = -1;

	REQUIRE(cda_fs_tempdir(NULL, "test-proc", &dir, NULL) == 0);
	ready = cda_path_join(dir, "ready");
	signal(SIGTERM, SIG_DFL);
	const char *const argv[] = {"sh", "-c", "trap 'exit 5' TERM; " LOOP, "sh", ready, NULL};
	REQUIRE(pthread_create(&thread, NULL, interrupt, ready) == 0);
	CHECK_INT(cda_proc_run(&(struct cda_proc){.argv = argv}, &status, NULL), 0);
	pthread_join(thread, NULL);
	CHECK_INT(status, 5);
	/* What runs after it, to clean up, is let be. */
	const char *const after[] = {"sh", "-c", "sleep 0.3; exit 6", NULL};
	CHECK_INT(cda_proc_run(&(struct cda_proc){.argv = after}, &status, NULL), 0);
	CHECK_INT(status, 6);
	cda_interrupted = 0;
	CHECK_INT(cda_fs_remove(AT_FDCWD, dir, NULL), 0);
}

TEST(ignored_sigpipe_and_blocked_signals_do_not_reach_the_child)
{
	const char *const argv[] = {"sh", "-c", "kill -PIPE $$; exit 0", NULL};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int status = -1;

	sigaction(SIGPIPE, &ignore, &before);
	CHECK_INT(cda_proc_run(&(struct cda_proc){.argv = argv}, &status, NULL), 0);
	CHECK_INT(status, 128 + SIGPIPE);
	sigaction(SIGPIPE, &before, NULL);
}
