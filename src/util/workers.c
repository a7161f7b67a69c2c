#include "util/workers.h"
#include "util/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct run {
	size_t count;
	cda_workers_job *job;
	void *ctx;
	atomic_size_t next;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the three below */
	size_t failed_at;     /* the lowest failed job: the same error whatever the timing */
	int rc;
	struct cda_err err;
};

static void work(struct run *run)
{
	while (!atomic_load(&run->stop)) {
		struct cda_err err = {0};
		size_t i = atomic_fetch_add(&run->next, 1);
		int rc;

		if (i >= run->count)
			return;
		rc = run->job(run->ctx, i, &err);
		if (rc >= 0)
			continue;
		atomic_store(&run->stop, true);
		pthread_mutex_lock(&run->lock);
		if (run->rc == 0 || i < run->failed_at) {
			cda_err_done(&run->err);
			cda_err_move(&run->err, &err);
			run->failed_at = i;
			run->rc = rc;
		}
		pthread_mutex_unlock(&run->lock);
		cda_err_done(&err);
	}
}

static void *thread_main(void *arg)
{
	work(arg);
	return NULL;
}

unsigned cda_workers_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}

int cda_workers_run(size_t count, unsigned threads, cda_workers_job *job, void *ctx,
		    struct cda_err *err)
{
	struct run run = {.count = count, .job = job, .ctx = ctx};
	CDA_AUTOFREE pthread_t *ids = NULL;
	unsigned started = 0;
	sigset_t all, before;

	if (threads == 0)
		threads = cda_workers_cpus();
	if (threads > count)
		threads = (unsigned)count;
	pthread_mutex_init(&run.lock, NULL);
	if (threads > 1) {
		ids = cda_alloc0(threads, sizeof(*ids));
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &before);
		/* The caller's thread works too; where no thread can be had, it works alone. */
		while (started < threads - 1 &&
		       pthread_create(&ids[started], NULL, thread_main, &run) == 0)
			started++;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	work(&run);
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&run.lock);
	if (run.rc < 0)
		cda_err_move(err, &run.err);
	return run.rc;
}
