#include "pkg/fetch.h"
#include "core/record_json.h"
#include "pkg/info.h"
#include "pkg/store_internal.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/lock.h"
#include "util/str.h"
#include "util/url.h"
#include "util/workers.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct pipe;

/* One package on its way into the store. */
struct task {
	struct pipe *pipe;
	const struct cda_record *record;
	char *fn, *stem, *item;
	char *archive; /* absolute path: there and verified, or where it is going to */
	bool have_archive;
	struct task *twin; /* an earlier one of the same folder does the work */
	char *dir;         /* absolute path once it is unpacked and sound */
	int rc;
	struct cda_err err;
};

/* Downloads run in one job, unpacking in the others; what is downloaded waits in the queue. */
struct pipe {
	struct cda_store *store;
	const struct cda_fetch_options *options;
	struct cda_net *net;
	bool explicit;    /* the records know little but their URLs */
	const char *home; /* the writable folder of the store */
	int home_fd;
	struct task *tasks;
	size_t n;
	struct cda_transfer *transfers; /* one per task that needs it */
	size_t n_transfers;
	pthread_mutex_t lock; /* of the queue */
	pthread_cond_t more;
	struct task **queue;
	size_t head, tail;
	bool closed;
};

static bool is_file_url(const char *url)
{
	return url && cda_starts_with(url, "file:");
}

static void task_done(struct task *task)
{
	free(task->fn);
	free(task->stem);
	free(task->item);
	free(task->archive);
	free(task->dir);
	cda_err_done(&task->err);
}

static bool digest_is_right(enum cda_hash_kind kind, const char *path, const char *want)
{
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	bool ok = cda_hash_file(kind, AT_FDCWD, path, hex, &err) == 0 && cda_hash_eq(hex, want);

	cda_err_done(&err);
	return ok;
}

/* An archive that lies there is used when its digest is right. Without a digest to go by it is
 * fetched again, but for when that cannot be. */
static bool archive_is_good(const struct pipe *pipe, const struct cda_record *record,
			    const char *path)
{
	if (record->sha256)
		return digest_is_right(CDA_SHA256, path, record->sha256);
	if (record->md5)
		return digest_is_right(CDA_MD5, path, record->md5);
	return pipe->options->offline && !is_file_url(record->url);
}

/* What is there already; one record per call, on any thread. */
static int look(void *ctx, size_t i, struct cda_err *err)
{
	struct pipe *pipe = ctx;
	struct task *task = &pipe->tasks[i];
	struct cda_store_entry entry;

	task->fn = cda_store_fn(task->record);
	task->stem = cda_store_stem(task->record);
	if (!cda_record_fn_is_good(task->fn, strlen(task->fn)))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no name of a package file", task->fn);
	cda_replace(&task->item, cda_asprintf("%s-%s", task->record->name, task->record->version));
	cda_store_find(pipe->store, task->record, pipe->options->deep_checks, &entry);
	task->have_archive =
		!entry.dir && entry.archive && archive_is_good(pipe, task->record, entry.archive);
	if (task->have_archive)
		task->archive = cda_take_ptr(entry.archive);
	task->dir = cda_take_ptr(entry.dir);
	cda_store_entry_done(&entry);
	return 0;
}

static bool needs_work(const struct pipe *pipe, const struct task *task)
{
	return !task->twin && !task->dir && !(pipe->options->download_only && task->have_archive);
}

static void enqueue(struct pipe *pipe, struct task *task)
{
	pthread_mutex_lock(&pipe->lock);
	pipe->queue[pipe->tail++] = task;
	pthread_cond_signal(&pipe->more);
	pthread_mutex_unlock(&pipe->lock);
}

static struct task *dequeue(struct pipe *pipe)
{
	struct task *task = NULL;

	pthread_mutex_lock(&pipe->lock);
	while (pipe->head == pipe->tail && !pipe->closed)
		pthread_cond_wait(&pipe->more, &pipe->lock);
	if (pipe->head < pipe->tail)
		task = pipe->queue[pipe->head++];
	pthread_mutex_unlock(&pipe->lock);
	return task;
}

/* In the thread of the network, as soon as one download is through. */
static void transfer_done(void *ctx, struct cda_transfer *transfer)
{
	struct task *task = ctx;

	if (transfer->rc < 0) {
		task->rc = transfer->rc;
		cda_err_move(&task->err, &transfer->err);
		return;
	}
	task->have_archive = true;
	enqueue(task->pipe, task);
}

static void close_queue(struct pipe *pipe)
{
	pthread_mutex_lock(&pipe->lock);
	pipe->closed = true;
	pthread_cond_broadcast(&pipe->more);
	pthread_mutex_unlock(&pipe->lock);
}

/* What an explicit URL does not tell: the package's own words, and the digests of its archive. */
static int complete(const struct task *task, struct cda_arena *arena, struct cda_record *record,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	const struct cda_record *from = task->record;
	char hex[CDA_HASH_HEX_MAX];
	struct stat st;
	int rc = cda_pkg_info_read(AT_FDCWD, task->dir, &info, err);

	if (rc < 0)
		return rc;
	*record = *cda_record_copy(arena, &info->record);
	record->url = from->url;
	record->fn = task->fn;
	record->channel = from->channel;
	if (from->subdir)
		record->subdir = from->subdir;
	rc = cda_hash_file(CDA_SHA256, AT_FDCWD, task->archive, hex, err);
	if (rc < 0)
		return rc;
	record->sha256 = cda_arena_strdup(arena, hex);
	rc = cda_hash_file(CDA_MD5, AT_FDCWD, task->archive, hex, err);
	if (rc < 0)
		return rc;
	record->md5 = cda_arena_strdup(arena, hex);
	if (stat(task->archive, &st) == 0)
		record->size = st.st_size;
	return 0;
}

/* The folder counts from the moment that it has its record: a run that ends before makes the next
 * one unpack again. */
static int unpack(struct task *task, struct cda_err *err)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct pipe *pipe = task->pipe;
	struct cda_record record = *task->record;
	int rc;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	rc = cda_archive_extract(AT_FDCWD, task->archive, pipe->home_fd, task->stem,
				 pipe->options->limits, err);
	if (rc < 0) {
		/* A damaged archive must not be found again. */
		if (rc == -(int)CDA_E_ARCHIVE && cda_starts_with(task->archive, pipe->home))
			unlink(task->archive);
		return rc;
	}
	cda_replace(&task->dir, cda_path_join(pipe->home, task->stem));
	record.fn = task->fn;
	if (pipe->explicit)
		rc = complete(task, arena, &record, err);
	if (rc == 0)
		rc = cda_store_write_record(pipe->home_fd, task->stem, &record, err);
	if (rc == 0 && record.url)
		rc = cda_store_add_url(pipe->store, record.url, err);
	return rc;
}

static int run_job(void *ctx, size_t i, struct cda_err *err)
{
	struct pipe *pipe = ctx;
	struct task *task;

	(void)err; /* each task keeps its own: all that can be done is done */
	if (i == 0) {
		if (pipe->n_transfers > 0)
			(void)cda_net_run(pipe->net, pipe->transfers, pipe->n_transfers,
					  pipe->options->events, NULL);
		close_queue(pipe);
		return 0;
	}
	while ((task = dequeue(pipe)))
		if (!pipe->options->download_only)
			task->rc = unpack(task, &task->err);
	return 0;
}

static int plan_transfer(struct pipe *pipe, struct task *task, struct cda_err *err)
{
	const struct cda_record *record = task->record;

	if (!record->url)
		return cda_err_set(err, CDA_E_VALUE, "it is not known where '%s' comes from",
				   task->fn);
	if (pipe->options->offline && !is_file_url(record->url)) {
		CDA_AUTOFREE char *safe = cda_url_safe(record->url);

		cda_err_set(err, CDA_E_OFFLINE, "'%s' is not in the package cache", safe);
		return cda_err_hint(err, "run it once without --offline");
	}
	cda_replace(&task->archive, cda_path_join(pipe->home, task->fn));
	pipe->transfers[pipe->n_transfers++] = (struct cda_transfer){
		.url = record->url,
		.dirfd = AT_FDCWD,
		.path = task->archive,
		.resume = true,
		.size = record->size > 0 ? (uint64_t)record->size : 0,
		.sha256 = record->sha256,
		.md5 = record->md5,
		.item = task->item,
		.done = transfer_done,
		.ctx = task,
	};
	return 0;
}

static int fetch_missing(struct pipe *pipe, struct cda_err *err)
{
	const struct cda_net_config offline = {.offline = true};
	CDA_CLEANUP(cda_net_freep) struct cda_net *own_net = NULL;
	unsigned threads = pipe->options->threads ? pipe->options->threads : cda_workers_cpus();
	int rc = 0;

	pipe->transfers = cda_alloc0(pipe->n + 1, sizeof(*pipe->transfers));
	pipe->queue = cda_alloc0(pipe->n + 1, sizeof(struct task *));
	for (size_t i = 0; rc == 0 && i < pipe->n; i++) {
		struct task *task = &pipe->tasks[i];

		if (!needs_work(pipe, task))
			continue;
		if (task->have_archive)
			enqueue(pipe, task);
		else
			rc = plan_transfer(pipe, task, err);
	}
	if (rc == 0 && pipe->n_transfers > 0 && !pipe->net) {
		rc = cda_net_new(&offline, &own_net, err);
		pipe->net = own_net;
	}
	if (rc == 0)
		rc = cda_workers_run(threads + 1, threads + 1, run_job, pipe, err);
	for (size_t i = 0; i < pipe->n_transfers; i++)
		cda_transfer_done(&pipe->transfers[i]);
	for (size_t i = 0; rc == 0 && i < pipe->n; i++) {
		rc = pipe->tasks[i].rc;
		if (rc < 0)
			cda_err_move(err, &pipe->tasks[i].err);
	}
	return rc;
}

static bool all_are_there(const struct pipe *pipe)
{
	for (size_t i = 0; i < pipe->n; i++)
		if (needs_work(pipe, &pipe->tasks[i]))
			return false;
	return true;
}

static int make_tasks(struct pipe *pipe, const struct cda_records *records, struct cda_err *err)
{
	for (size_t i = 0; i < pipe->n; i++) {
		task_done(&pipe->tasks[i]);
		pipe->tasks[i] = (struct task){.record = records->v[i], .pipe = pipe};
	}
	int rc = cda_workers_run(pipe->n, pipe->options->threads, look, pipe, err);

	/* Who lists a package twice gets it once. */
	for (size_t i = 1; rc == 0 && i < pipe->n; i++)
		for (size_t k = 0; k < i && !pipe->tasks[i].twin; k++)
			if (cda_streq(pipe->tasks[i].stem, pipe->tasks[k].stem))
				pipe->tasks[i].twin = &pipe->tasks[k];
	return rc;
}

/* One process at a time puts packages into a folder: whoever waited finds them there. */
static int lock_home(struct pipe *pipe, struct cda_lock **ret_lock, struct cda_err *err)
{
	struct cda_err busy = {0};
	int rc = cda_store_writable(pipe->store, &pipe->home, err);

	if (rc < 0)
		return rc;
	pipe->home_fd = open(pipe->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pipe->home_fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", pipe->home);
	if (cda_lock_acquire(pipe->home_fd, CDA_STORE_LOCK, false, false, ret_lock, &busy) == 0)
		return 0;
	rc = -(int)busy.code;
	if (rc != -(int)CDA_E_BUSY) {
		cda_err_move(err, &busy);
		return rc;
	}
	cda_err_done(&busy);
	cda_emit(pipe->options->events, CDA_EVENT_INFO,
		 "Waiting for another process that uses the package cache '%s'", pipe->home);
	return cda_lock_acquire(pipe->home_fd, CDA_STORE_LOCK, false, true, ret_lock, err);
}

static void pipe_done(struct pipe *pipe)
{
	for (size_t i = 0; i < pipe->n; i++)
		task_done(&pipe->tasks[i]);
	free(pipe->tasks);
	free(pipe->transfers);
	free(pipe->queue);
	if (pipe->home_fd >= 0)
		close(pipe->home_fd);
	pthread_mutex_destroy(&pipe->lock);
	pthread_cond_destroy(&pipe->more);
}

static int fetch(struct cda_store *store, const struct cda_records *records,
		 const struct cda_fetch_options *options, bool explicit, char **ret_dirs,
		 struct cda_err *err)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	CDA_CLEANUP(pipe_done)
	struct pipe pipe = {.store = store,
			    .options = options,
			    .net = options->net,
			    .explicit = explicit,
			    .home_fd = -1,
			    .n = records->n};
	int rc;

	pthread_mutex_init(&pipe.lock, NULL);
	pthread_cond_init(&pipe.more, NULL);
	pipe.tasks = cda_alloc0(pipe.n + 1, sizeof(*pipe.tasks));
	rc = make_tasks(&pipe, records, err);
	if (rc == 0 && !all_are_there(&pipe)) {
		rc = lock_home(&pipe, &lock, err);
		if (rc == 0)
			rc = make_tasks(&pipe, records, err);
		if (rc == 0)
			rc = fetch_missing(&pipe, err);
	}
	for (size_t i = 0; rc == 0 && i < pipe.n; i++) {
		const struct task *task = pipe.tasks[i].twin ? pipe.tasks[i].twin : &pipe.tasks[i];

		ret_dirs[i] = cda_strdup_null(task->dir);
	}
	return rc;
}

int cda_fetch_packages(struct cda_store *store, const struct cda_records *records,
		       const struct cda_fetch_options *options, char **ret_dirs,
		       struct cda_err *err)
{
	for (size_t i = 0; i < records->n; i++)
		ret_dirs[i] = NULL;
	return fetch(store, records, options, false, ret_dirs, err);
}

uint64_t cda_fetch_needed(const struct cda_store *store, const struct cda_records *records,
			  bool *need)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct cda_store_entry entry;
		bool there = cda_store_find(store, records->v[i], false, &entry);

		if (need)
			need[i] = !there;
		if (!there && records->v[i]->size > 0)
			sum += (uint64_t)records->v[i]->size;
		cda_store_entry_done(&entry);
	}
	return sum;
}

int cda_fetch_explicit(struct cda_store *store, const struct cda_records *wanted,
		       const struct cda_fetch_options *options, struct cda_arena *arena,
		       struct cda_records *ret_records, struct cda_err *err)
{
	char **dirs = cda_alloc0(wanted->n + 1, sizeof(*dirs));
	struct cda_fetch_options unpacked = *options;
	int rc;

	unpacked.download_only = false;
	rc = fetch(store, wanted, &unpacked, true, dirs, err);
	for (size_t i = 0; rc == 0 && i < wanted->n; i++) {
		struct cda_record *record = cda_arena_alloc0(arena, 1, sizeof(*record));

		if (!cda_store_read_record(AT_FDCWD, dirs[i], arena, record)) {
			rc = cda_err_set(err, CDA_E_ARCHIVE, "'%s' has no record", dirs[i]);
			break;
		}
		record->url = wanted->v[i]->url;
		if (!record->channel)
			record->channel = wanted->v[i]->channel;
		record->extracted_package_dir = cda_arena_strdup(arena, dirs[i]);
		cda_records_push(ret_records, record);
	}
	for (size_t i = 0; i < wanted->n; i++)
		free(dirs[i]);
	free(dirs);
	return rc;
}
