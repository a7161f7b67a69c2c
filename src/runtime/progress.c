#include "progress.h"

#include "redact.h"
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000, AGAIN = 100, USUAL_WIDTH = 80, MAX_WIDTH = 400, LINE = 4096 };

static struct {
	const char *program;
	bool on, live;
	long long begin, drawn; /* in ms */
	size_t columns;         /* of what stands there; 0: nothing */
	struct cda_status status;
} now;

/* Lines on their way to stderr. */
struct line {
	char text[LINE];
	size_t len;
};
static struct line out_line, err_line;

static long long clock_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000LL + at.tv_nsec / 1000000;
}

static void put(const char *data, size_t len)
{
	if (write(STDERR_FILENO, data, len) < 0)
		return; /* nobody looks */
}

void cda_progress_begin(const char *program, const char *fmt, ...)
{
	struct winsize size;
	char text[512];
	va_list ap;

	memset(&now, 0, sizeof(now));
	now.program = program;
	now.on = true;
	now.live = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
	now.begin = clock_ms();
	out_line.len = err_line.len = 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!now.live)
		cda_say("%s", text);
}

void cda_progress_end(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	cda_progress_hide();
	if (fmt != NULL && now.on && !now.live) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		cda_say("%s in %lld s", text, (clock_ms() - now.begin) / SECOND);
	}
	now.on = now.live = false;
}

bool cda_progress_is_live(void)
{
	return now.live;
}

int cda_progress_wait(void)
{
	return now.live ? (int)(SECOND - (clock_ms() - now.begin) % SECOND) : -1;
}

static void draw(void)
{
	char text[CDA_PROGRESS_LINE * 4 + MAX_WIDTH + 128], last[CDA_PROGRESS_LINE * 4];
	size_t width = USUAL_WIDTH, columns, len;
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col < MAX_WIDTH ? size.ws_col : MAX_WIDTH;
	now.drawn = clock_ms();
	if (cda_put(text, sizeof(text), "\rcondense: %s %lld s%s", now.program,
		    (now.drawn - now.begin) / SECOND, now.status.len > 0 ? ": " : "") != 0)
		return;
	/* The last column stays free: some terminals go to the next line behind it. */
	len = strlen(text);
	if (len - 1 >= width) {
		len = width;
		columns = len - 1;
	} else {
		columns = len - 1;
		columns += cda_status_cut(&now.status, width - 1 - columns, last, sizeof(last));
		memcpy(text + len, last, strlen(last));
		len += strlen(last);
	}
	for (size_t i = columns; i < now.columns && i + 1 < width; i++)
		text[len++] = ' ';
	now.columns = columns;
	put(text, len);
}

void cda_progress_tick(void)
{
	long long at;

	if (!now.live)
		return;
	at = clock_ms();
	if (now.columns == 0 || (at - now.begin) / SECOND != (now.drawn - now.begin) / SECOND)
		draw();
}

void cda_progress_hide(void)
{
	char blanks[MAX_WIDTH + 2];
	size_t len = now.columns;

	if (!now.live || len == 0)
		return;
	blanks[0] = '\r';
	memset(blanks + 1, ' ', len);
	blanks[len + 1] = '\r';
	put(blanks, len + 2);
	now.columns = 0;
}

/* Where a status line stands, which has it too, a warning need not stay above. */
static bool is_passing(const struct line *line, size_t len)
{
	static const char *const leads[] = {"WARNING: ", "W: "};

	for (size_t i = 0; now.live && i < 2; i++) {
		size_t lead = strlen(leads[i]);

		if (len > lead && memcmp(line->text, leads[i], lead) == 0)
			return true;
	}
	return false;
}

static void pass_on(struct line *line, size_t len, bool newline)
{
	char text[LINE + LINE / 2];
	size_t size = 0;

	if (!newline || !is_passing(line, len))
		size = cda_redact(line->text, len, text, sizeof(text) - 1);
	else
		newline = false;

	if (newline)
		text[size++] = '\n';
	if (size > 0) {
		cda_progress_hide();
		put(text, size);
	}
	line->len -= len;
	memmove(line->text, line->text + len, line->len);
}

/* A line that is too long goes on in parts; the end of a secret must not be in the next one. */
static void make_room(struct line *line)
{
	size_t len = line->len;

	while (len > 0 && line->text[len - 1] != ' ')
		len--;
	pass_on(line, len > 0 ? len : line->len, false);
}

static void add(struct line *line, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			pass_on(line, line->len, true);
			continue;
		}
		if (line->len == sizeof(line->text))
			make_room(line);
		line->text[line->len++] = data[i];
	}
}

static void show(const char *data, size_t len)
{
	if (!now.live)
		return;
	cda_status_add(&now.status, data, len);
	if (clock_ms() - now.drawn >= AGAIN)
		draw();
}

void cda_progress_out(const char *data, size_t len, bool pass)
{
	if (now.live)
		show(data, len);
	else if (pass)
		add(&out_line, data, len);
}

void cda_progress_err(const char *data, size_t len, bool pass)
{
	if (pass)
		add(&err_line, data, len);
	show(data, len);
}

void cda_progress_flush(void)
{
	if (out_line.len > 0)
		pass_on(&out_line, out_line.len, true);
	if (err_line.len > 0)
		pass_on(&err_line, err_line.len, true);
}
