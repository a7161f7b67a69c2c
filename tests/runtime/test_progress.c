/* The status line of an installation, on a terminal of its own, and what is printed without one. */
#include "check.h"
#include "runtime/progress.h"
#include "runtime/reap.h"
#include "runtime/say.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_S = 60 };

TEST(the_last_whole_line_is_kept)
{
	static const struct {
		const char *data, *want;
		size_t width;
	} rows[] = {
		{"one\ntwo\npart", "two", 40},
		{"no newline", "", 40},
		{"a\n\n\n", "a", 40},
		{" 10%\r 20%\r 30%", " 20%", 40},
		{"\033[1;31mred\033[0m alert\n", "red alert", 40},
		{"\033]0;title\aafter\n", "after", 40},
		{"\033]0;title\033\\after\n", "after", 40},
		{"\033Pstring\033\\x\033(By\n", "xy", 40},
		{"\033]never ended\nnext\n", "next", 40},
		{"\033[", "", 40},
		{"tab\there\b\x01\x7f\n", "tab here", 40},
		{"0123456789\n", "01234", 5},
		{"gr\xc3\xbc\xc3\x9f"
		 "e\n",
		 "gr\xc3\xbc\xc3\x9f"
		 "e",
		 5},
		{"\xe6\x97\xa5\xe6\x9c\xac\n", "\xe6\x97\xa5", 3},
		{"bad \xff\xc0\x80 \xc2\x85 \xe2\x80\xae end\n", "bad ??? ? ? end", 40},
		{"get https://u:pw@h/x now\n", "get https://u:***@h/x now", 40},
		{"x\n", "", 0},
	};
	char text[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_status whole = {.len = 0}, bytes = {.len = 0};
		size_t columns;

		cda_status_add(&whole, rows[i].data, strlen(rows[i].data));
		columns = cda_status_cut(&whole, rows[i].width, text, sizeof(text));
		CHECK_STR_AT(text, rows[i].want, "row %zu", i);
		CHECK_AT(columns <= rows[i].width, "row %zu", i);
		for (const char *p = rows[i].data; *p != '\0'; p++)
			cda_status_add(&bytes, p, 1);
		cda_status_cut(&bytes, rows[i].width, text, sizeof(text));
		CHECK_STR_AT(text, rows[i].want, "row %zu, byte by byte", i);
	}
}

TEST(a_line_that_is_too_long_ends_with_a_word)
{
	static char data[2000];
	char text[2100];
	struct cda_status status = {.len = 0};

	memset(data, 'a', sizeof(data) - 1);
	memcpy(data + 480, " https://user:", 14);
	data[sizeof(data) - 2] = '\n';
	cda_status_add(&status, data, strlen(data));
	cda_status_cut(&status, 1000, text, sizeof(text));
	CHECK_INT(strlen(text), 481);
	CHECK(strstr(text, "user") == NULL);
}

/* ---- a run on a terminal: the child of a test, with its own session */

static struct {
	pid_t pid;
	int fd; /* what it writes; the terminal's other end */
	char said[1 << 16];
	size_t len;
} run;

static char folder[64], go[80];

static int run_it(const char *script)
{
	static char tail[4096];
	const char *argv[] = {"/bin/sh", "-c", script, go, NULL};
	static char path[] = "PATH=/usr/bin:/bin", *const envp[] = {path, NULL};
	const struct cda_run spec = {.argv = argv,
				     .envp = envp,
				     .quiet_input = true,
				     .progress = true,
				     .tail = tail,
				     .tail_cap = sizeof(tail)};
	int status;

	if (cda_reap_init() != 0)
		return 90;
	cda_progress_begin("tool", "installing it");
	status = cda_reap_run(&spec);
	if (status == 0)
		cda_progress_end("installed it");
	else
		cda_progress_end(NULL);
	cda_say("status %d", status);
	return 0;
}

static void start(const char *script, bool terminal)
{
	struct winsize size = {.ws_row = 24, .ws_col = 40};
	int ends[2] = {-1, -1};

	snprintf(folder, sizeof(folder), "/tmp/cda-progress.XXXXXX");
	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(go, sizeof(go), "%s/go", folder);
	run.len = 0;
	run.said[0] = '\0';
	if (terminal) {
		run.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		REQUIRE(run.fd >= 0 && grantpt(run.fd) == 0 && unlockpt(run.fd) == 0);
		ioctl(run.fd, TIOCSWINSZ, &size);
	} else {
		REQUIRE(pipe(ends) == 0);
		run.fd = ends[0];
	}
	fflush(stdout);
	run.pid = fork();
	if (run.pid != 0) {
		if (ends[1] >= 0)
			close(ends[1]);
		return;
	}
	setsid();
	if (terminal) {
		ends[1] = open(ptsname(run.fd), O_RDWR);
		if (ends[1] < 0 || ioctl(ends[1], TIOCSCTTY, 0) != 0)
			_exit(91);
	}
	for (int fd = terminal ? 0 : 1; fd < 3; fd++)
		dup2(ends[1], fd);
	_exit(run_it(script));
}

static bool take_more(void)
{
	struct pollfd in = {.fd = run.fd, .events = POLLIN};
	ssize_t got;

	if (run.len > sizeof(run.said) - 5000)
		return false;
	if (poll(&in, 1, 1000) <= 0)
		return true;
	got = read(run.fd, run.said + run.len, 4000);
	if (got <= 0)
		return false;
	run.len += (size_t)got;
	run.said[run.len] = '\0';
	return true;
}

static bool expect(const char *text)
{
	struct timespec now, begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		if (strstr(run.said, text) != NULL)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec < WAIT_S && take_more());
	printf("# no '%s' in: %s\n", text, run.said);
	return strstr(run.said, text) != NULL;
}

static void let_go(void)
{
	int fd = open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	close(fd);
}

static void finish(void)
{
	int status = -1;

	expect("condense: status ");
	while (take_more())
		;
	waitpid(run.pid, &status, 0);
	CHECK_INT(status, 0);
	close(run.fd);
	unlink(go);
	rmdir(folder);
}

/* The widest of what was drawn from a place on. */
static size_t widest(const char *from)
{
	size_t most = 0;

	while ((from = strstr(from, "\rcondense: tool")) != NULL) {
		size_t len = strcspn(from + 1, "\r\n");

		most = len > most ? len : most;
		from++;
	}
	return most;
}

/* It goes on while the program says nothing. */
static bool expect_seconds(void)
{
	for (int i = 0; i < WAIT_S; i++) {
		const char *last = run.said, *at;

		while ((at = strstr(last + 1, "\rcondense: tool ")) != NULL)
			last = at;
		if (last != run.said && atoi(last + strlen("\rcondense: tool ")) >= 2)
			return true;
		if (!take_more())
			break;
	}
	printf("# no two seconds in: %s\n", run.said);
	return false;
}

#define UNTIL_GO "until [ -e \"$0\" ]; do sleep 0.05; done; "

TEST(a_status_line_is_rewritten_and_cleared)
{
	start("echo 'Get ftp://u:pw@h/f'; " UNTIL_GO, true);
	CHECK(expect("\rcondense: tool "));
	CHECK(expect("s: Get ftp://u:***@h"));
	CHECK(expect_seconds());
	let_go();
	finish();
	CHECK(strstr(run.said, "pw") == NULL);
	CHECK(strstr(run.said, "installing it") == NULL);
	CHECK(strstr(run.said, "installed it") == NULL);
	/* The last thing before the message: blanks over the line, and back. */
	CHECK(strstr(run.said, "    \rcondense: status 0") != NULL);
}

TEST(it_is_cut_to_the_width_and_has_no_escapes)
{
	struct winsize size = {.ws_row = 24, .ws_col = 25};
	const char *from;

	start("printf '\\033[31mred\\033[0m %080d\\n' 7; " UNTIL_GO, true);
	CHECK(expect("s: red 0000"));
	CHECK_INT(widest(run.said), 39);
	ioctl(run.fd, TIOCSWINSZ, &size);
	from = run.said + run.len;
	for (int i = 0; i < WAIT_S && widest(from) == 0 && take_more(); i++)
		;
	/* One may have been on its way with the old width. */
	from = strrchr(run.said, '\r');
	for (int i = 0; i < WAIT_S && from != NULL && widest(from) == 0 && take_more(); i++)
		;
	CHECK_AT(from != NULL && widest(from) <= 24, "widest %zu", from != NULL ? widest(from) : 0);
	let_go();
	finish();
	CHECK(strchr(run.said, '\033') == NULL);
}

TEST(errors_stand_above_it)
{
	start("echo 'WARNING: Retrying' >&2; echo 'W: other' >&2; echo 'warn https://u:pw@h' >&2; "
	      "echo later; " UNTIL_GO "printf last >&2",
	      true);
	CHECK(expect("warn https://u:***@h\r\n"));
	CHECK(expect("s: later"));
	let_go();
	finish();
	CHECK(strstr(run.said, "last\r\n") != NULL);
	CHECK(strstr(run.said, "pw") == NULL);
	CHECK(strstr(run.said, "Retrying\r\n") == NULL && strstr(run.said, "other\r\n") == NULL);
}

TEST(keys_end_it_and_do_not_stop_it)
{
	start("echo up; " UNTIL_GO, true);
	CHECK(expect("s: up"));
	CHECK(write(run.fd, "\x1a", 1) == 1);
	CHECK(expect("^Z"));
	let_go();
	finish();
	CHECK(strstr(run.said, "status 0") != NULL);
	start("echo up; exec sleep 600", true);
	CHECK(expect("s: up"));
	CHECK(write(run.fd, "\x03", 1) == 1);
	finish();
	CHECK(strstr(run.said, "status 130") != NULL);
}

TEST(without_a_terminal_there_are_lines)
{
	const char *out, *err;

	start("echo out; echo 'WARNING: w' >&2; echo 'err https://u:pw@h' >&2; printf tail", false);
	finish();
	out = strstr(run.said, "\nout\n");
	err = strstr(run.said, "\nerr https://u:***@h\n");
	CHECK(strncmp(run.said, "condense: installing it\n", 24) == 0);
	CHECK(out != NULL && err != NULL);
	CHECK(strstr(run.said, "\nWARNING: w\n") != NULL);
	CHECK(strstr(run.said, "tail\ncondense: installed it in ") != NULL);
	CHECK(strstr(run.said, " s\ncondense: status 0\n") != NULL);
	CHECK(strchr(run.said, '\r') == NULL);
	start("echo why >&2; exit 3", false);
	finish();
	CHECK_STR(run.said, "condense: installing it\nwhy\ncondense: status 3\n");
}

TEST(nothing_wakes_up_without_a_terminal)
{
	CHECK_INT(cda_progress_wait(), -1);
}
