#include "index/repodata.h"
#include "index/cache.h"
#include "index/parse.h"
#include "util/fs.h"
#include "util/lock.h"
#include "util/str.h"
#include "util/url.h"
#include "util/workers.h"
#include "util/zst.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

enum { zst_check_days = 7 };
static const uint64_t text_max = (uint64_t)4 << 30; /* the largest channel has 0.4 GiB */
static const uint64_t packed_max = (uint64_t)1 << 30;

/* One subdir URL on its way. */
struct job {
	const struct cda_channel_url *channel;
	struct cda_repodata *repodata;
	char *safe_url; /* without credentials: names the cache entry */
	char *cache_name;
	struct cda_cache_state state;
	bool state_good;   /* the copy in the cache is what the state tells of */
	bool ask, ask_zst; /* of the server, in this round */
	char *url, *item;
	struct cda_transfer transfer;
};

struct run {
	const struct cda_index_options *options;
	const char *repodata_fn;
	int cache_fd; /* -1: no cache */
	struct job *jobs;
	size_t n;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void job_done(struct job *job)
{
	free(job->safe_url);
	free(job->cache_name);
	free(job->url);
	free(job->item);
	cda_cache_state_done(&job->state);
	cda_transfer_done(&job->transfer);
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		job_done(&run->jobs[i]);
	free(run->jobs);
	if (run->cache_fd >= 0)
		close(run->cache_fd);
}

void cda_repodata_done(struct cda_repodata *repodata)
{
	cda_buf_done(&repodata->text);
	*repodata = (struct cda_repodata){0};
}

/* Text with room behind it, which parsing in place wants. */
static int read_text(int dirfd, const char *path, struct cda_buf *out, struct cda_err *err)
{
	struct stat st;
	int rc;

	if (fstatat(dirfd, path, &st, 0) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= text_max)
		cda_buf_reserve(out, (size_t)st.st_size + 64);
	rc = cda_fs_read(dirfd, path, text_max, out, err);
	cda_buf_reserve(out, CDA_REPODATA_PADDING);
	return rc;
}

static char *safe_url_of(const char *text)
{
	CDA_AUTOFREE char *bare = cda_url_split_token(text, NULL);
	CDA_AUTOURL struct cda_url url = {0};

	return cda_url_parse(bare, &url) ? cda_url_format(&url, false) : cda_take_ptr(bare);
}

static bool is_noarch(const struct job *job)
{
	return cda_streq(job->channel->subdir, "noarch");
}

/* conda/gateways/repodata: every channel has a noarch, other subdirs may be missing. */
static int missing(const struct run *run, struct job *job, long status, struct cda_err *err)
{
	const char *why = status == 403 ? "403 forbidden" : "404 not found";

	job->repodata->missing = true;
	if (!is_noarch(job))
		return 0;
	if (run->options->allow_non_channel_urls) {
		cda_emit(run->options->events, CDA_EVENT_WARNING, "no repodata (HTTP %s) at '%s'",
			 why, job->safe_url);
		return 0;
	}
	cda_err_set(err, CDA_E_CHANNEL, "HTTP %s for channel '%s' <%s>", why, job->channel->name,
		    job->channel->base_url);
	cda_err_hint(err, "the channel is not accessible or is invalid: look at "
			  "'conda config --show channels' and 'conda config --show-sources'");
	if (cda_starts_with(job->channel->url, "file:"))
		cda_err_hint(err, "a channel folder needs '%s' at least in its folder 'noarch'",
			     run->repodata_fn);
	cda_err_data_text(err, "channel_name",
			  cda_url_has_scheme(job->channel->name)
				  ? cda_path_basename(job->channel->name)
				  : job->channel->name);
	cda_err_data_text(err, "channel_url", job->channel->base_url);
	cda_err_data_int(err, "status_code", status ? status : 404);
	cda_err_data_text(err, "reason", cda_http_reason(status ? status : 404));
	cda_err_data_json(err, "json", "{}");
	return -(int)CDA_E_CHANNEL;
}

/* A channel on our own disk is read where it is. */
static int load_local(const struct run *run, struct job *job, struct cda_err *err)
{
	CDA_AUTOFREE char *dir = cda_url_to_path(job->channel->url);
	CDA_AUTOFREE char *json = dir ? cda_path_join(dir, run->repodata_fn) : NULL;
	CDA_AUTOFREE char *zst = json ? cda_asprintf("%s.zst", json) : NULL;

	if (!dir)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no URL of a folder",
				   job->channel->url);
	if (cda_fs_exists(AT_FDCWD, json))
		return read_text(AT_FDCWD, json, &job->repodata->text, err);
	if (!cda_fs_exists(AT_FDCWD, zst))
		return missing(run, job, 404, err);
	CDA_AUTOBUF struct cda_buf packed = CDA_BUF_INIT;
	int rc = cda_fs_read(AT_FDCWD, zst, packed_max, &packed, err);
	if (rc < 0)
		return rc;
	rc = cda_zst_decompress(packed.p, packed.len, text_max, &job->repodata->text, err);
	cda_buf_reserve(&job->repodata->text, CDA_REPODATA_PADDING);
	return rc < 0 ? cda_err_wrap(err, rc, "'%s'", zst) : 0;
}

/* False when there is no copy that can be read. */
static bool load_cached(const struct run *run, struct job *job)
{
	const char *const *more = run->options->more_cache_dirs;
	struct cda_err err = {0};

	if (run->cache_fd >= 0 &&
	    read_text(run->cache_fd, job->cache_name, &job->repodata->text, &err) == 0)
		job->repodata->from_cache = true;
	cda_err_done(&err);
	for (; more && *more && !job->repodata->from_cache; more++) {
		CDA_AUTOFREE char *path = cda_path_join(*more, job->cache_name);

		if (read_text(AT_FDCWD, path, &job->repodata->text, &err) == 0)
			job->repodata->from_cache = true;
		cda_err_done(&err);
	}
	return job->repodata->from_cache;
}

/* What needs no server; sets job->ask for the rest. */
static int begin(struct run *run, struct job *job, struct cda_err *err)
{
	const struct cda_index_options *options = run->options;
	bool offline = options->offline || !options->net;
	int64_t now = now_ns(), day = 86400;

	if (cda_starts_with(job->channel->url, "file:"))
		return load_local(run, job, err);
	job->safe_url = safe_url_of(job->channel->url);
	job->cache_name = cda_cache_name(job->safe_url, run->repodata_fn);
	if (run->cache_fd >= 0)
		job->state_good = cda_cache_state_read(run->cache_fd, job->cache_name, &job->state);
	if (offline || options->use_index_cache ||
	    (job->state_good &&
	     cda_cache_is_fresh(&job->state, options->local_repodata_ttl, now))) {
		if (load_cached(run, job))
			return 0;
		if (offline) {
			job->repodata->missing = true;
			return 0;
		}
	}
	if (now / 1000000000 - job->state.zst_checked > zst_check_days * day)
		job->state.zst_known = false;
	job->ask = true;
	job->ask_zst = !options->no_zst && (!job->state.zst_known || job->state.zst);
	return 0;
}

static int begin_job(void *ctx, size_t i, struct cda_err *err)
{
	struct run *run = ctx;

	return begin(run, &run->jobs[i], err);
}

static void prepare(const struct run *run, struct job *job)
{
	cda_transfer_done(&job->transfer);
	job->transfer = (struct cda_transfer){.max_bytes = packed_max};
	cda_replace(&job->url, cda_asprintf("%s/%s%s", job->channel->url, run->repodata_fn,
					    job->ask_zst ? ".zst" : ""));
	if (!job->item)
		job->item = cda_asprintf("%s/%s", job->channel->name, job->channel->subdir);
	job->transfer.url = job->url;
	job->transfer.item = job->item;
	job->transfer.compressed = !job->ask_zst;
	if (job->state_good && job->state.etag && *job->state.etag)
		job->transfer.etag = job->state.etag;
	if (job->state_good && job->state.mod && *job->state.mod)
		job->transfer.last_modified = job->state.mod;
}

static bool is_absent(const struct cda_transfer *transfer)
{
	return transfer->rc == -(int)CDA_E_HTTP &&
	       (transfer->status == 404 || transfer->status == 403 || transfer->status == 410);
}

/* Asks the server for every job with `ask`, all at a time. */
static void ask(struct run *run)
{
	struct cda_transfer *transfers = cda_alloc0(run->n, sizeof(*transfers));
	size_t n = 0;

	for (size_t i = 0; i < run->n; i++) {
		if (run->jobs[i].ask) {
			prepare(run, &run->jobs[i]);
			transfers[n++] = run->jobs[i].transfer;
		}
	}
	if (n > 0) /* each transfer tells how it went */
		(void)cda_net_run(run->options->net, transfers, n, run->options->events, NULL);
	n = 0;
	for (size_t i = 0; i < run->n; i++)
		if (run->jobs[i].ask)
			run->jobs[i].transfer = transfers[n++];
	free(transfers);
}

/* Rounds: the .zst first, then the plain file where there is none. */
static void ask_all(struct run *run)
{
	bool again = false;

	ask(run);
	for (size_t i = 0; i < run->n; i++) {
		struct job *job = &run->jobs[i];
		bool retry = job->ask && job->ask_zst && is_absent(&job->transfer);

		if (job->ask && job->ask_zst && (retry || job->transfer.rc == 0)) {
			job->state.zst_known = true;
			job->state.zst = !retry;
			job->state.zst_checked = time(NULL);
		}
		job->ask = retry;
		job->ask_zst = false;
		again |= retry;
	}
	if (again)
		ask(run);
}

/* Writes text and state as a pair; that a cache cannot be written is no reason to fail. */
static void store(const struct run *run, struct job *job, const struct cda_buf *text)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	struct cda_cache_state state = job->state;
	struct cda_err err = {0};

	if (run->cache_fd < 0)
		return;
	state.url = job->safe_url;
	state.etag = job->transfer.got_etag;
	state.mod = job->transfer.got_last_modified;
	state.cache_control = job->transfer.got_cache_control;
	state.refresh_ns = now_ns();
	if (cda_lock_acquire(run->cache_fd, ".condense.lock", false, true, &lock, &err) < 0 ||
	    cda_fs_replace(run->cache_fd, job->cache_name, text->p, text->len, 0664, false, &err) <
		    0 ||
	    cda_cache_state_write(run->cache_fd, job->cache_name, &state, &err) < 0)
		cda_emit(run->options->events, CDA_EVENT_DEBUG, "repodata is not cached: %s",
			 err.msg);
	cda_err_done(&err);
}

/* The server said that our copy is still right. False when the copy is gone meanwhile. */
static bool confirm(const struct run *run, struct job *job)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	struct cda_cache_state state;
	struct cda_err err = {0};

	if (!load_cached(run, job))
		return false;
	if (cda_lock_acquire(run->cache_fd, ".condense.lock", false, true, &lock, &err) == 0 &&
	    cda_cache_state_read(run->cache_fd, job->cache_name, &state)) {
		/* Another process may have a newer copy by now, with a state of its own. */
		if (cda_streq(state.etag, job->state.etag) &&
		    cda_streq(state.mod, job->state.mod)) {
			state.refresh_ns = now_ns();
			if (job->transfer.got_cache_control)
				cda_replace(&state.cache_control,
					    cda_strdup(job->transfer.got_cache_control));
			if (cda_cache_state_write(run->cache_fd, job->cache_name, &state, &err) < 0)
				cda_err_done(&err);
		}
		cda_cache_state_done(&state);
	}
	cda_err_done(&err);
	return true;
}

static int finish(struct run *run, struct job *job, struct cda_err *err)
{
	struct cda_transfer *transfer = &job->transfer;
	bool packed = cda_ends_with(transfer->url, ".zst");
	struct cda_buf *text = &job->repodata->text;
	int rc;

	if (is_absent(transfer))
		return missing(run, job, transfer->status, err);
	if (transfer->rc < 0) {
		rc = transfer->rc;
		cda_err_move(err, &transfer->err);
		return rc;
	}
	if (packed) {
		rc = cda_zst_decompress(transfer->body.p, transfer->body.len, text_max, text, err);
		if (rc < 0)
			return cda_err_wrap(err, rc, "'%s/%s.zst'", job->safe_url,
					    run->repodata_fn);
		cda_buf_done(&transfer->body);
	} else {
		*text = transfer->body;
		transfer->body = CDA_BUF_INIT;
	}
	cda_buf_reserve(text, CDA_REPODATA_PADDING);
	store(run, job, text);
	return 0;
}

static int finish_job(void *ctx, size_t i, struct cda_err *err)
{
	struct run *run = ctx;

	return run->jobs[i].transfer.url && !run->jobs[i].repodata->from_cache
		       ? finish(run, &run->jobs[i], err)
		       : 0;
}

/* Copies that the server confirmed; what vanished meanwhile is asked for anew, without conditions.
 */
static void confirm_all(struct run *run)
{
	bool again = false;

	for (size_t i = 0; i < run->n; i++) {
		struct job *job = &run->jobs[i];

		job->ask = job->transfer.url && job->transfer.rc == 0 &&
			   job->transfer.not_modified && !confirm(run, job);
		if (!job->ask)
			continue;
		job->state_good = false;
		job->ask_zst = cda_ends_with(job->transfer.url, ".zst");
		again = true;
	}
	if (again)
		ask(run);
}

static int open_cache(const struct cda_index_options *options)
{
	struct cda_err err = {0};

	if (!options->cache_dir)
		return -1;
	if (cda_fs_mkdirs(AT_FDCWD, options->cache_dir, 0775, &err) < 0)
		cda_emit(options->events, CDA_EVENT_DEBUG, "repodata is not cached: %s", err.msg);
	cda_err_done(&err);
	return open(options->cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cda_repodata_get(const struct cda_channel_urls *urls, const struct cda_index_options *options,
		     struct cda_repodata *ret, struct cda_err *err)
{
	CDA_CLEANUP(run_done) struct run run = {.options = options, .n = urls->n};
	int rc;

	run.repodata_fn = options->repodata_fn ? options->repodata_fn : "repodata.json";
	run.cache_fd = open_cache(options);
	run.jobs = cda_alloc0(urls->n + 1, sizeof(*run.jobs));
	for (size_t i = 0; i < urls->n; i++) {
		run.jobs[i].channel = &urls->v[i];
		run.jobs[i].repodata = &ret[i];
		ret[i].text = CDA_BUF_INIT;
	}
	rc = cda_workers_run(run.n, options->threads, begin_job, &run, err);
	if (rc < 0)
		return rc;
	ask_all(&run);
	confirm_all(&run);
	return cda_workers_run(run.n, options->threads, finish_job, &run, err);
}

void cda_repodata_forget(const struct cda_channel_url *url, const struct cda_index_options *options)
{
	CDA_AUTOFREE char *safe = safe_url_of(url->url);
	CDA_AUTOFREE char *name =
		cda_cache_name(safe, options->repodata_fn ? options->repodata_fn : "repodata.json");
	CDA_AUTOFREE char *path =
		options->cache_dir ? cda_path_join(options->cache_dir, name) : NULL;

	if (path)
		unlink(path);
}
