#include "util/event.h"
#include "util/alloc.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

volatile int cda_interrupted;

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void send_event(const struct cda_events *events, const struct cda_event *event)
{
	pthread_mutex_lock(&one_at_a_time);
	events->fn(events->ctx, event);
	pthread_mutex_unlock(&one_at_a_time);
}

void cda_emit(const struct cda_events *events, enum cda_event_kind kind, const char *fmt, ...)
{
	CDA_AUTOFREE char *text = NULL;
	va_list ap;

	if (!events || !events->fn)
		return;
	va_start(ap, fmt);
	text = cda_vasprintf(fmt, ap);
	va_end(ap);
	send_event(events, &(struct cda_event){.kind = kind, .text = text});
}

void cda_emit_progress(const struct cda_events *events, const char *item, uint64_t done,
		       uint64_t total)
{
	if (!events || !events->fn)
		return;
	send_event(events, &(struct cda_event){CDA_EVENT_PROGRESS, item, done, total});
}
