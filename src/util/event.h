/* event.h - what the library tells its caller while it works. Nothing below cli prints. */
#ifndef CDA_UTIL_EVENT_H
#define CDA_UTIL_EVENT_H

#include "util/cleanup.h"

#include <stdint.h>

enum cda_event_kind {
	CDA_EVENT_PHASE,    /* text: what begins now, e.g. "Solving environment" */
	CDA_EVENT_DONE,     /* text: the phase that ended well */
	CDA_EVENT_FAILED,   /* text: the phase that ended badly */
	CDA_EVENT_PROGRESS, /* done of total bytes (total 0: unknown) of the item `text` */
	CDA_EVENT_INFO,     /* text: a line for people, hidden by -q */
	CDA_EVENT_WARNING,  /* text: a line for people, never hidden */
	CDA_EVENT_OUTPUT,   /* text: output of a script that ran, shown as it is */
	CDA_EVENT_DEBUG     /* text: with -v only */
};

struct cda_event {
	enum cda_event_kind kind;
	const char *text; /* borrowed for the call; without credentials */
	uint64_t done, total;
};

/* May be called from worker threads, one at a time (the emitter locks). */
typedef void cda_event_fn(void *ctx, const struct cda_event *event);

struct cda_events {
	cda_event_fn *fn; /* NULL: nobody listens */
	void *ctx;
};

void cda_emit(const struct cda_events *events, enum cda_event_kind kind, const char *fmt, ...)
	CDA_PRINTF(3, 4);
void cda_emit_progress(const struct cda_events *events, const char *item, uint64_t done,
		       uint64_t total);

/* Set by the program's signal handler on SIGINT/SIGTERM; long work looks at it between steps and
 * ends with CDA_E_INTERRUPTED. */
extern volatile int cda_interrupted;

#endif
