/* progress.h - what an installation shows while it runs.
 *
 * On a terminal (stderr) one status line is rewritten in place: the program, the seconds so far,
 * the last line of its output, cut to the width and free of control characters. It is redrawn when
 * a second has passed or output came, and leaves nothing behind. Elsewhere there is a line at the
 * beginning and one at the end. What the program says on stderr is passed on, a line at a time,
 * without the secrets of URLs; but for warnings where the status line shows them. One installation
 * at a time; no heap. */
#ifndef CDA_RUNTIME_PROGRESS_H
#define CDA_RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { CDA_PROGRESS_LINE = 512 };

/* program: as the status line names it; borrowed. The text is the line at the beginning. */
void cda_progress_begin(const char *program, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The text, with the seconds behind it, is the line at the end; NULL: there was a message. */
void cda_progress_end(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Is there a status line? Then programs may be told to say more than otherwise. */
bool cda_progress_is_live(void);

/* For the loop that waits for the program. Milliseconds until it should look again, -1: as long as
 * it likes; draw, if it is time to; take the line away. */
int cda_progress_wait(void);
void cda_progress_tick(void);
void cda_progress_hide(void);

/* A piece of the program's stdout, which goes to stderr where no status line stands for it, or of
 * its stderr, which always does; unless it is not passed on. */
void cda_progress_out(const char *data, size_t len, bool pass);
void cda_progress_err(const char *data, size_t len, bool pass);
/* The end of a program: what it left without a newline. */
void cda_progress_flush(void);

/* The last complete line of output that may rewrite itself with CR and hold escape sequences:
 * without these, and without the secrets of URLs. */
struct cda_status {
	char text[CDA_PROGRESS_LINE], part[CDA_PROGRESS_LINE];
	size_t len, part_len;
	bool cut; /* the part did not fit */
	int state;
};
void cda_status_add(struct cda_status *status, const char *data, size_t len);
/* The first of it that fits into width columns, as well-formed UTF-8 without control characters,
 * with a NUL. Returns the columns. */
size_t cda_status_cut(const struct cda_status *status, size_t width, char *ret, size_t cap);

#endif
