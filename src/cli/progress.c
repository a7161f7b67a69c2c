#include "cli/progress.h"

#include "util/alloc.h"
#include "util/buf.h"
#include "util/map.h"
#include "util/str.h"

#include <sys/ioctl.h>
#include <time.h>

enum { REDRAW_MS = 100, BAR = 24, NAME = 24 };

struct item {
	uint64_t done, total;
};

struct cda_progress {
	bool bars, tty, drawn;
	char *phase;
	struct cda_map *items; /* name -> struct item, of this phase */
	uint64_t done, total;  /* sums over the items */
	size_t ended;
	struct timespec last;
};

struct cda_progress *cda_progress_new(bool bars)
{
	struct cda_progress *progress = cda_new0(struct cda_progress);

	progress->tty = isatty(STDERR_FILENO) == 1;
	progress->bars = bars;
	progress->items = cda_map_new();
	return progress;
}

static void forget_items(struct cda_progress *progress)
{
	const char *name;
	void *item;

	for (size_t at = 0; cda_map_next(progress->items, &at, &name, &item);)
		free(item);
	progress->items = cda_map_free(progress->items);
	progress->items = cda_map_new();
	progress->done = progress->total = 0;
	progress->ended = 0;
}

struct cda_progress *cda_progress_free(struct cda_progress *progress)
{
	if (progress) {
		cda_progress_clear(progress);
		forget_items(progress);
		progress->items = cda_map_free(progress->items);
		free(progress->phase);
		free(progress);
	}
	return NULL;
}

void cda_progress_clear(struct cda_progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}

void cda_progress_line(struct cda_progress *progress, const char *text)
{
	size_t len = strlen(text);

	cda_progress_clear(progress);
	fflush(stdout);
	fprintf(stderr, "%s%s", text, len > 0 && text[len - 1] == '\n' ? "" : "\n");
}

static bool is_time(struct cda_progress *progress)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (long)(now.tv_sec - progress->last.tv_sec) * 1000 +
	     (now.tv_nsec - progress->last.tv_nsec) / 1000000;
	if (progress->last.tv_sec != 0 && ms < REDRAW_MS)
		return false;
	progress->last = now;
	return true;
}

static size_t columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "Downloading  numpy    [#####.....]  12.3/45.6 MB  3/7"; what counts steps, not bytes, goes by
 * the name of its phase: "Executing transaction  [#####.....]  12/30". */
static void draw(struct cda_progress *progress, const char *item)
{
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT;
	size_t count = cda_map_count(progress->items);
	double share = progress->total > 0 ? (double)progress->done / (double)progress->total : 0;
	int full = (int)(share * BAR);

	bool steps = cda_streq(item, progress->phase);

	cda_buf_addf(&line, "%s", progress->phase ? progress->phase : "");
	if (count > 0) {
		if (steps)
			cda_buf_adds(&line, "  ");
		else
			cda_buf_addf(&line, "  %-*.*s ", NAME, NAME, item);
		if (progress->total > 0)
			cda_buf_addf(&line, "[%.*s%.*s] ", full < BAR ? full : BAR,
				     "########################", full < BAR ? BAR - full : 0,
				     "........................");
		if (steps) {
			cda_buf_addf(&line, "%llu/%llu", (unsigned long long)progress->done,
				     (unsigned long long)progress->total);
		} else {
			cda_buf_addf(&line, "%.1f", (double)progress->done / 1e6);
			if (progress->total > 0)
				cda_buf_addf(&line, "/%.1f", (double)progress->total / 1e6);
			cda_buf_addf(&line, " MB  %zu/%zu", progress->ended, count);
		}
	} else {
		cda_buf_adds(&line, " ...");
	}
	if (line.len >= columns())
		cda_buf_cut(&line, columns() - 1);
	fprintf(stderr, "\r\033[K%s", line.p);
	progress->drawn = true;
}

static void add_item(struct cda_progress *progress, const struct cda_event *event, const char *text)
{
	struct item *item = cda_map_get(progress->items, text);
	bool ended;

	if (!item) {
		item = cda_new0(struct item);
		cda_map_set(progress->items, text, item);
	}
	ended = item->total > 0 && item->done >= item->total;
	progress->done += event->done - item->done;
	progress->total += event->total - item->total;
	item->done = event->done;
	item->total = event->total;
	if (!ended && item->total > 0 && item->done >= item->total)
		progress->ended++;
}

void cda_progress_event(struct cda_progress *progress, const struct cda_event *event,
			const char *text)
{
	/* Where both go to one place, what was said first stands first. */
	fflush(stdout);
	switch (event->kind) {
	case CDA_EVENT_PHASE:
		cda_replace(&progress->phase, cda_strdup(text));
		forget_items(progress);
		progress->last = (struct timespec){0};
		if (progress->bars && progress->tty)
			draw(progress, "");
		break;
	case CDA_EVENT_DONE:
	case CDA_EVENT_FAILED:
		cda_progress_clear(progress);
		if (progress->bars)
			fprintf(stderr, "%s: %s\n", text,
				event->kind == CDA_EVENT_DONE ? "done" : "failed");
		cda_replace(&progress->phase, NULL);
		forget_items(progress);
		break;
	case CDA_EVENT_PROGRESS:
		add_item(progress, event, text);
		if (progress->bars && progress->tty && is_time(progress))
			draw(progress, text);
		break;
	case CDA_EVENT_INFO:
	case CDA_EVENT_WARNING:
	case CDA_EVENT_OUTPUT:
	case CDA_EVENT_DEBUG:
		cda_progress_line(progress, text);
		break;
	}
}
