/* entry with a terminal: job control inside it and around it, sizes, who has the terminal. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_S = 60 };

struct session {
	pid_t pid;
	int master;
	char said[65536];
	size_t len;
};

static struct session session;

static long now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec;
}

static void open_session(const char *const *argv)
{
	int slave;

	session.len = 0;
	session.said[0] = '\0';
	session.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (session.master < 0 || grantpt(session.master) != 0 || unlockpt(session.master) != 0) {
		printf("Bail out! no terminal\n");
		exit(1);
	}
	session.pid = fork();
	if (session.pid == 0) {
		setsid();
		slave = open(ptsname(session.master), O_RDWR);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
			_exit(90);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		setenv("PS1", "P> ", 1);
		unsetenv("ENV");
		execvp(argv[0], (char *const *)(void *)argv);
		_exit(91);
	}
}

/* Read for up to a second. Returns false at the end, and when there is no room for more. */
static bool take_more(void)
{
	struct pollfd in = {.fd = session.master, .events = POLLIN};
	ssize_t got;

	if (session.len > sizeof(session.said) - 4096)
		return false;
	if (poll(&in, 1, 1000) <= 0)
		return true;
	got = read(session.master, session.said + session.len, 4000);
	if (got <= 0)
		return false;
	session.len += (size_t)got;
	session.said[session.len] = '\0';
	return true;
}

/* Read until text was said since the last time something was found; it is then used up. */
static bool expect(const char *text)
{
	long end = now_s() + WAIT_S;

	for (;;) {
		char *at = strstr(session.said, text);

		if (at != NULL) {
			size_t used = (size_t)(at - session.said) + strlen(text);

			memmove(session.said, session.said + used, session.len - used + 1);
			session.len -= used;
			return true;
		}
		if (now_s() > end || !take_more())
			break;
	}
	printf("# no '%s' in: %s\n", text, session.said);
	return false;
}

static void type(const char *text)
{
	if (write(session.master, text, strlen(text)) != (ssize_t)strlen(text))
		printf("# cannot type\n");
}

/* An idle shell runs its traps after the next line. Each line waits for the prompt after it: the
 * kernel echoes faster than a shell reads, and lines without end would fill both buffers. */
static bool enter_until(const char *text)
{
	bool more = true;

	for (long end = now_s() + WAIT_S; more && strstr(session.said, text) == NULL;) {
		size_t from = session.len;

		type("\n");
		while (more && strstr(session.said + from, "P> ") == NULL)
			more = now_s() <= end && take_more();
		usleep(10000);
	}
	return expect(text);
}

/* Read "LEAD<NUMBER>". */
static int expect_number(const char *lead)
{
	if (!expect(lead) || !expect("<"))
		return 0;
	for (long end = now_s() + WAIT_S; strchr(session.said, '>') == NULL && now_s() <= end;) {
		if (!take_more())
			break;
	}
	return atoi(session.said);
}

/* Every process of a stopped job must stand before the next key: until then it may read. */
static bool stands(int pid)
{
	long end = now_s() + WAIT_S;
	char path[64], text[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		FILE *file = fopen(path, "r");

		at = NULL;
		if (file != NULL) {
			if (fgets(text, sizeof(text), file) != NULL)
				at = strrchr(text, ')');
			fclose(file);
		}
		if (at != NULL && at[1] == ' ' && at[2] == 'T')
			return true;
		usleep(5000);
	} while (now_s() <= end);
	return false;
}

/* The end's status, 128+n after a signal; -1 if it does not end. */
static int close_session(void)
{
	long end = now_s() + WAIT_S;
	int status = 0, rc;

	while ((rc = waitpid(session.pid, &status, WNOHANG)) == 0 && now_s() <= end) {
		struct pollfd in = {.fd = session.master, .events = POLLIN};
		char data[4096];

		if (poll(&in, 1, 50) > 0 && read(session.master, data, sizeof(data)) < 0)
			usleep(10000);
	}
	if (rc == 0) {
		kill(session.pid, SIGKILL);
		waitpid(session.pid, &status, 0);
		status = -1;
	} else {
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	close(session.master);
	return status;
}

static char entry_path[4096], script_path[4096], line[16384];

__attribute__((constructor)) static void find_paths(void)
{
	const char *build = getenv("BUILD_ROOT"), *source = getenv("SOURCE_ROOT");

	snprintf(entry_path, sizeof(entry_path), "%s/src/runtime/entry",
		 build != NULL ? build : ".");
	if (getenv("ENTRY") != NULL)
		snprintf(entry_path, sizeof(entry_path), "%s", getenv("ENTRY"));
	snprintf(script_path, sizeof(script_path), "%s/data/image/entrypoint.sh",
		 source != NULL ? source : ".");
}

static void open_entry(const char *shell_text)
{
	const char *const argv[] = {entry_path, script_path, "sh", "-c", shell_text, NULL};

	open_session(argv);
}

/* Both are bash: its job control is what users have. */
static void open_bash_inside(void)
{
	const char *const argv[] = {entry_path,    script_path,   "bash", "--norc",
				    "--noprofile", "--noediting", "-i",   NULL};

	open_session(argv);
}

static void open_bash_around(void)
{
	static const char *const argv[] = {"bash",        "--norc", "--noprofile",
					   "--noediting", "-i",     NULL};

	open_session(argv);
}

static bool have_bash(void)
{
	return access("/bin/bash", X_OK) == 0;
}

/* The end of a session throws away what its terminal has not delivered yet: who says something that
 * is looked for goes on to its end only when told that it was read. */
TEST(the_command_has_the_terminal_and_its_status_passes)
{
	open_entry("read -r a && echo got-$a && read -r b && exit 7");
	type("hello\n");
	CHECK(expect("got-hello"));
	type("end\n");
	CHECK_INT(close_session(), 7);
}

TEST(keys_reach_the_command)
{
	open_entry("trap 'echo int-$((1+1)); read -r a; exit 9' INT; echo ready; "
		   "while :; do sleep 0.1; done");
	CHECK(expect("ready"));
	type("\x03");
	CHECK(expect("int-2"));
	type("end\n");
	CHECK_INT(close_session(), 9);
	open_entry("echo ready; exec sleep 600");
	CHECK(expect("ready"));
	type("\x1c");
	CHECK_INT(close_session(), 128 + SIGQUIT);
}

TEST(a_new_size_reaches_the_command)
{
	struct winsize size = {.ws_row = 33, .ws_col = 99};

	open_entry("trap 'stty size; read -r a; exit 5' WINCH; echo ready; "
		   "while :; do sleep 0.1; done");
	CHECK(expect("ready"));
	ioctl(session.master, TIOCSWINSZ, &size);
	CHECK(expect("33 99"));
	type("end\n");
	CHECK_INT(close_session(), 5);
}

/* As the first process of a container: nobody could continue what the stop key stops. */
TEST(without_a_shell_around_the_stop_key_does_not_hang)
{
	open_entry("echo ready; while read -r a; do echo got-$a; done; exit 6");
	CHECK(expect("ready"));
	for (int i = 0; i < 5; i++) {
		type("\x1a");
		CHECK(expect("^Z"));
		type("more\n");
		CHECK(expect("got-more"));
	}
	type("\x04");
	CHECK_INT(close_session(), 6);
}

/* A typed line is safe at any time: whoever has the terminal next reads it. A key is not. */
TEST(job_control_in_the_container)
{
	int job;

	if (!have_bash())
		SKIP("no bash");
	open_bash_inside();
	CHECK(expect("P> "));
	type("sh -c 'echo up-$((1+1))\"<$$>\"; while read -r a; do echo got-$a; done'\n");
	job = expect_number("up-2");
	for (int i = 0; i < 2; i++) {
		type("\x1a");
		CHECK(stands(job));
		CHECK(expect("Stopped"));
		CHECK(expect("P> "));
		type("fg\n");
		CHECK(expect("sh -c"));
		type("line\n");
		CHECK(expect("got-line"));
	}
	type("\x03");
	CHECK(expect("P> "));
	type("echo was-$?\n");
	CHECK(expect("was-130"));
	type("exit 3\n");
	CHECK_INT(close_session(), 3);
}

/* It made a group of its own, so the command's group is not where it is. */
TEST(signals_reach_an_interactive_shell)
{
	if (!have_bash())
		SKIP("no bash");
	open_bash_inside();
	CHECK(expect("P> "));
	type("trap 'echo usr-$((1+1))' USR1; trap 'echo winch-$((1+1))' WINCH; echo "
	     "set-$((1+1))\n");
	CHECK(expect("set-2"));
	CHECK(expect("P> "));
	kill(session.pid, SIGUSR1);
	CHECK(enter_until("usr-2"));
	kill(session.pid, SIGWINCH);
	CHECK(enter_until("winch-2"));
	type("exit 4\n");
	CHECK_INT(close_session(), 4);
}

TEST(an_interactive_shell_ends_at_a_stop)
{
	int status;

	if (!have_bash())
		SKIP("no bash");
	open_bash_inside();
	CHECK(expect("P> "));
	type("sh -c 'echo up-$((1+1)); sleep 600'\n");
	CHECK(expect("up-2"));
	kill(session.pid, SIGTERM);
	kill(session.pid, SIGTERM);
	status = close_session();
	CHECK_AT(status > 128, "status %d", status);
}

TEST(job_control_around_it)
{
	int job;

	if (!have_bash())
		SKIP("no bash");
	open_bash_around();
	CHECK(expect("P> "));
	snprintf(line, sizeof(line),
		 "%s %s sh -c 'echo up-$((1+1))\"<$$>\"; while read -r a; do echo got-$a; done'\n",
		 entry_path, script_path);
	type(line);
	job = expect_number("up-2");
	type("one\n");
	CHECK(expect("got-one"));
	for (int i = 0; i < 3; i++) {
		type("\x1a");
		CHECK(stands(job));
		CHECK(expect("Stopped"));
		CHECK(expect("P> "));
		type("echo shell-$((1+1))\n");
		CHECK(expect("shell-2"));
		type("fg\n");
		CHECK(expect("sh -c"));
		type("two\n");
		CHECK(expect("got-two"));
	}
	type("\x03");
	CHECK(expect("P> "));
	type("echo was-$?\n");
	CHECK(expect("was-130"));
	type("exit\n");
	close_session();
}

/* The end of both tests below: the command is in front, and reads. */
static void read_in_front(void)
{
	type("three\n");
	CHECK(expect("got-three"));
	CHECK(expect("P> "));
	type("echo was-$?\n");
	CHECK(expect("was-8"));
	type("exit\n");
	close_session();
}

/* Started behind, it stops when it reads. A shell that has not noticed the stop does not continue
 * what it brings to the front, so wait for its notice. */
TEST(to_the_front_after_it_stopped)
{
	if (!have_bash())
		SKIP("no bash");
	open_bash_around();
	CHECK(expect("P> "));
	snprintf(line, sizeof(line),
		 "%s %s sh -c 'echo up-$((1+1)); read -r a; echo got-$a; exit 8' &\n", entry_path,
		 script_path);
	type(line);
	CHECK(expect("up-2"));
	CHECK(enter_until("Stopped"));
	type("fg\n");
	CHECK(expect("fg"));
	CHECK(expect("sh -c"));
	read_in_front();
}

/* It takes the terminal when the shell brought it to the front, not before. */
TEST(to_the_front_before_it_reads)
{
	char dir[] = "/tmp/cda-terminal.XXXXXX", path[64];
	long end;
	int fd;

	if (!have_bash())
		SKIP("no bash");
	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/go", dir);
	open_bash_around();
	CHECK(expect("P> "));
	snprintf(line, sizeof(line),
		 "%s %s sh -c 'echo up-$((1+1)); until [ -e %s ]; do sleep 0.05; done; read -r a; "
		 "echo got-$a; exit 8' &\n",
		 entry_path, script_path, path);
	type(line);
	CHECK(expect("up-2"));
	type("fg\n");
	end = now_s() + WAIT_S;
	while (tcgetpgrp(session.master) == session.pid && now_s() <= end)
		usleep(5000);
	CHECK(tcgetpgrp(session.master) != session.pid);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
	read_in_front();
	unlink(path);
	rmdir(dir);
}
