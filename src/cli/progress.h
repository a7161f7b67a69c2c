/* progress.h - phases and bars on stderr. On a terminal one line is redrawn at most every 100 ms;
 * elsewhere each phase is a line when it ends and no bar is drawn. Nothing when silent. */
#ifndef CDA_CLI_PROGRESS_H
#define CDA_CLI_PROGRESS_H

#include "util/event.h"

#include <stdbool.h>

struct cda_progress; /* opaque */

struct cda_progress *cda_progress_new(bool bars);
struct cda_progress *cda_progress_free(struct cda_progress *progress);

/* text is the event's, fit for a terminal. */
void cda_progress_event(struct cda_progress *progress, const struct cda_event *event,
			const char *text);
void cda_progress_line(struct cda_progress *progress, const char *text); /* a line of its own */
void cda_progress_clear(struct cda_progress *progress); /* the line is free for other text */

#endif
