/* workers, lock and event: what happens at the same time. */
#include "check.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/lock.h"
#include "util/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static int square(void *ctx, size_t i, struct cda_err *err)
{
	((size_t *)ctx)[i] = i * i;
	return 0;
}

TEST(every_job_is_done_once)
{
	static const unsigned threads[] = {0, 1, 2, 7, 64};
	enum { many = 1000 };

	for (size_t t = 0; t < CDA_LEN(threads); t++) {
		size_t out[many] = {0};

		CHECK_INT(cda_workers_run(many, threads[t], square, out, NULL), 0);
		for (size_t i = 0; i < many; i++)
			CHECK_INT(out[i], i * i);
	}
	CHECK_INT(cda_workers_run(0, 4, square, NULL, NULL), 0);
	CHECK(cda_workers_cpus() >= 1);
}

struct failing {
	atomic_size_t done;
};

static int fail_at_sevens(void *ctx, size_t i, struct cda_err *err)
{
	struct failing *f = ctx;

	atomic_fetch_add(&f->done, 1);
	if (i % 10 == 7)
		return cda_err_set(err, CDA_E_VALUE, "job %zu", i);
	return 0;
}

TEST(the_first_failure_is_told_and_stops_the_rest)
{
	for (int round = 0; round < 50; round++) {
		struct failing f = {0};
		struct cda_err err = {0};

		CHECK_INT(cda_workers_run(100000, 4, fail_at_sevens, &f, &err), -CDA_E_VALUE);
		CHECK_STR(err.msg, "job 7");
		CHECK(f.done < 100000);
		cda_err_done(&err);
	}
}

static int signals_blocked(void *ctx, size_t i, struct cda_err *err)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	if (!pthread_equal(pthread_self(), *(pthread_t *)ctx) && !sigismember(&set, SIGINT))
		return cda_err_set(err, CDA_E_VALUE, "a worker takes signals");
	return 0;
}

TEST(signals_stay_with_the_caller)
{
	pthread_t self = pthread_self();
	sigset_t set;

	CHECK_INT(cda_workers_run(1000, 4, signals_blocked, &self, NULL), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	CHECK(!sigismember(&set, SIGINT));
}

struct folder {
	char *path;
	int fd;
};

static void folder_done(struct folder *f)
{
	close(f->fd);
	CHECK_INT(cda_fs_remove(AT_FDCWD, f->path, NULL), 0);
	free(f->path);
}

static struct folder folder_new(void)
{
	struct folder f = {NULL, -1};

	if (cda_fs_tempdir(NULL, "test-lock", &f.path, NULL) < 0)
		abort();
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f;
}

TEST(locks_exclude_but_shared_ones_do_not)
{
	static const struct {
		bool first, second; /* shared */
		int rc;
	} rows[] = {
		{false, false, -CDA_E_BUSY},
		{false, true, -CDA_E_BUSY},
		{true, false, -CDA_E_BUSY},
		{true, true, 0},
	};
	CDA_CLEANUP(folder_done) struct folder f = folder_new();

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_lock_freep) struct cda_lock *a = NULL, *b = NULL;
		struct cda_err err = {0};

		CHECK_INT(cda_lock_acquire(f.fd, ".lock", rows[i].first, false, &a, NULL), 0);
		CHECK(a != NULL);
		CHECK_INT_AT(cda_lock_acquire(f.fd, ".lock", rows[i].second, false, &b, &err),
			     rows[i].rc, "row %zu", i);
		CHECK_INT(b != NULL, rows[i].rc == 0);
		cda_err_done(&err);
		a = cda_lock_free(a);
		b = cda_lock_free(b);
		CHECK_INT(cda_lock_acquire(f.fd, ".lock", false, false, &b, NULL), 0);
	}
}

struct waiter {
	int fd, rc;
	atomic_int state; /* 1: about to wait, 2: has it */
	struct cda_err err;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *w = arg;
	struct cda_lock *lock = NULL;

	atomic_store(&w->state, 1);
	w->rc = cda_lock_acquire(w->fd, ".lock", false, true, &lock, &w->err);
	atomic_store(&w->state, 2);
	cda_lock_free(lock);
	return NULL;
}

TEST(a_waiter_gets_the_lock_even_when_its_file_was_replaced)
{
	for (int removed = 0; removed < 2; removed++) {
		CDA_CLEANUP(folder_done) struct folder f = folder_new();
		struct cda_lock *held = NULL;
		struct waiter w = {.fd = f.fd};
		pthread_t thread;

		REQUIRE(cda_lock_acquire(f.fd, ".lock", false, true, &held, NULL) == 0);
		REQUIRE(pthread_create(&thread, NULL, wait_for_lock, &w) == 0);
		while (atomic_load(&w.state) == 0)
			sched_yield();
		CHECK_INT(atomic_load(&w.state), 1);
		if (removed)
			CHECK_INT(unlinkat(f.fd, ".lock", 0), 0);
		cda_lock_free(held);
		pthread_join(thread, NULL);
		CHECK_INT(w.rc, 0);
		CHECK(cda_fs_exists(f.fd, ".lock"));
		cda_err_done(&w.err);
	}
}

TEST(waiting_ends_with_an_interruption_and_links_are_no_lock_files)
{
	CDA_CLEANUP(folder_done) struct folder f = folder_new();
	struct cda_lock *held = NULL, *none = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_lock_acquire(f.fd, ".lock", false, true, &held, NULL) == 0);
	cda_interrupted = 1;
	CHECK_INT(cda_lock_acquire(f.fd, ".lock", false, true, &none, &err), -CDA_E_INTERRUPTED);
	cda_interrupted = 0;
	cda_err_done(&err);
	CHECK_INT(symlinkat("/etc/passwd", f.fd, "link"), 0);
	CHECK_INT(cda_lock_acquire(f.fd, "link", false, true, &none, &err), -CDA_E_SYS);
	CHECK_INT(err.sys, ELOOP);
	cda_err_done(&err);
	cda_lock_free(held);
}

static void count_event(void *ctx, const struct cda_event *event)
{
	int *n = ctx; /* no atomic: the emitter locks */

	*n += event->kind == CDA_EVENT_INFO && event->text[0] == 'n';
}

static int emit_some(void *ctx, size_t i, struct cda_err *err)
{
	cda_emit(ctx, CDA_EVENT_INFO, "n%zu", i);
	cda_emit_progress(ctx, "x", i, 0);
	return 0;
}

TEST(events_come_one_at_a_time)
{
	int n = 0;
	struct cda_events events = {count_event, &n}, silent = {0};

	CHECK_INT(cda_workers_run(5000, 8, emit_some, &events, NULL), 0);
	CHECK_INT(n, 5000);
	cda_emit(NULL, CDA_EVENT_INFO, "n");
	cda_emit(&silent, CDA_EVENT_INFO, "n");
	CHECK_INT(n, 5000);
}
