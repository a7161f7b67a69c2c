/* workers.h - the one worker pool: independent jobs on threads, results in the caller's memory. */
#ifndef CDA_UTIL_WORKERS_H
#define CDA_UTIL_WORKERS_H

#include "util/err.h"

#include <stddef.h>

/* Calls job(ctx, i, err) for i in 0..count-1, on at most `threads` threads (0: one per CPU). The
 * first failure stops jobs that did not start; its error is returned. Signals stay with the
 * caller's thread. job must touch nothing shared without a lock of its own. */
typedef int cda_workers_job(void *ctx, size_t i, struct cda_err *err);
int cda_workers_run(size_t count, unsigned threads, cda_workers_job *job, void *ctx,
		    struct cda_err *err) CDA_CHECK;
unsigned cda_workers_cpus(void);

#endif
