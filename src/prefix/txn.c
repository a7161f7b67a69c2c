#include "prefix/txn.h"

#include "prefix/envs.h"
#include "prefix/stage.h"
#include "util/fs.h"
#include "util/lock.h"

#include <errno.h>
#include <time.h>

static const char lock_name[] = ".condense.lock";

struct hold { /* the prefix, locked */
	int prefixfd, metafd;
	struct cda_lock *lock;
};

static void hold_done(struct hold *hold)
{
	/* Removed while it is held: whoever waits for it sees that and takes the next one. */
	if (hold->lock)
		unlinkat(hold->metafd, lock_name, 0);
	cda_lock_free(hold->lock);
	if (hold->metafd >= 0)
		close(hold->metafd);
	if (hold->prefixfd >= 0)
		close(hold->prefixfd);
	*hold = (struct hold){-1, -1, NULL};
}

static int unwritable(const char *prefix, int why, struct cda_err *err)
{
	if (why != EACCES && why != EROFS && why != EPERM)
		return cda_err_sys(err, why, "cannot write to the environment '%s'", prefix);
	cda_err_set(err, CDA_E_UNWRITABLE, "the environment '%s' is not writable by this user",
		    prefix);
	return cda_err_hint(err, "use an environment of your own: conda create -n NAME …");
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int wait_for_lock(struct hold *hold, const char *prefix, unsigned wait_ms,
			 const struct cda_events *events, struct cda_err *err)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	uint64_t until = now_ms() + (wait_ms ? wait_ms : 60 * 1000);
	bool told = false;

	for (;;) {
		int rc = cda_lock_acquire(hold->metafd, lock_name, false, false, &hold->lock, err);

		if (rc >= 0)
			return 0;
		if (rc != -CDA_E_BUSY) {
			int why = err->sys;

			cda_err_done(err);
			return unwritable(prefix, why, err);
		}
		cda_err_done(err);
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED,
					   "interrupted while another conda works on '%s'", prefix);
		if (now_ms() >= until)
			break;
		if (!told)
			cda_emit(events, CDA_EVENT_WARNING,
				 "another conda works on '%s': waiting for its end", prefix);
		told = true;
		nanosleep(&pause, NULL);
	}
	cda_err_set(err, CDA_E_BUSY, "the environment '%s' is locked by another conda", prefix);
	return cda_err_hint(err, "wait for the other one to end, then run the command again");
}

static int hold_open(struct hold *hold, const char *prefix, bool make, unsigned wait_ms,
		     const struct cda_events *events, struct cda_err *err)
{
	if (make && cda_fs_mkdirs(AT_FDCWD, prefix, 0777, err) < 0) {
		int why = err->sys;

		cda_err_done(err);
		return unwritable(prefix, why, err);
	}
	hold->prefixfd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (hold->prefixfd < 0)
		return cda_err_sys(err, errno, "cannot open the environment '%s'", prefix);
	if (make && mkdirat(hold->prefixfd, "conda-meta", 0777) != 0 && errno != EEXIST)
		return unwritable(prefix, errno, err);
	hold->metafd = openat(hold->prefixfd, "conda-meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (hold->metafd < 0)
		return cda_err_sys(err, errno, "cannot open '%s/conda-meta'", prefix);
	return wait_for_lock(hold, prefix, wait_ms, events, err);
}

static int recover(const struct hold *hold, const char *prefix, const struct cda_events *events,
		   bool *ret_found, struct cda_err *err)
{
	int rc = cda_journal_recover(hold->prefixfd, ret_found, err);

	if (rc >= 0 && *ret_found)
		cda_emit(events, CDA_EVENT_WARNING,
			 "an earlier conda was killed while it changed '%s': the environment is as "
			 "before that",
			 prefix);
	return rc < 0 ? cda_err_wrap(err, rc, "cannot restore the environment '%s'", prefix) : rc;
}

int cda_txn_recover(const char *prefix, const struct cda_events *events, bool *ret_found,
		    struct cda_err *err)
{
	CDA_CLEANUP(hold_done) struct hold hold = {-1, -1, NULL};
	CDA_AUTOFREE char *journal = cda_path_join(prefix, CDA_JOURNAL_DIR);
	bool found = false;
	int rc;

	if (ret_found)
		*ret_found = false;
	if (!cda_fs_exists(AT_FDCWD, journal) || access(journal, W_OK) != 0)
		return 0;
	rc = hold_open(&hold, prefix, false, 0, events, err);
	if (rc >= 0)
		rc = recover(&hold, prefix, events, &found, err);
	if (rc >= 0 && ret_found)
		*ret_found = found;
	return rc;
}

/* Tells of the phase, does it, and tells how it ended. */
static int phase(struct cda_stage *stage, const char *name,
		 int (*run)(struct cda_stage *stage, struct cda_err *err), struct cda_err *err)
{
	int rc;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	cda_emit(stage->txn->events, CDA_EVENT_PHASE, "%s", name);
	rc = run(stage, err);
	cda_emit(stage->txn->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE, "%s", name);
	return rc;
}

/* conda leaves the history of an environment that a link script kept from being: later runs of
 * either see the attempt. */
static void keep_history(struct cda_stage *stage, const struct cda_buf *text)
{
	struct cda_err err = {0};

	if (text->len > 0 && !cda_fs_exists(stage->prefixfd, "conda-meta/history") &&
	    cda_fs_replace(stage->prefixfd, "conda-meta/history", text->p, text->len, 0666, false,
			   &err) < 0)
		cda_err_done(&err);
}

static void roll_back(struct cda_stage *stage, struct cda_err *err)
{
	static const char name[] = "Rolling back transaction";
	struct cda_err inner = {0};
	int rc;

	cda_emit(stage->txn->events, CDA_EVENT_PHASE, "%s", name);
	rc = cda_journal_rollback(stage->journal, &inner);
	cda_emit(stage->txn->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE, "%s", name);
	if (rc < 0)
		cda_err_hint(err, "the environment could not be restored yet: %s%s%s", inner.msg,
			     inner.hint ? "; " : "", inner.hint ? inner.hint : "");
	cda_err_done(&inner);
}

static int execute(struct cda_stage *stage, struct cda_err *err)
{
	static const char name[] = "Executing transaction";
	CDA_AUTOBUF struct cda_buf new_history = CDA_BUF_INIT;
	int rc;

	cda_emit(stage->txn->events, CDA_EVENT_PHASE, "%s", name);
	rc = cda_stage_apply(stage, &new_history, err);
	if (rc >= 0)
		rc = cda_journal_commit(stage->journal, err);
	cda_emit(stage->txn->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE, "%s", name);
	if (rc >= 0)
		return 0;
	roll_back(stage, err);
	if (err->code == CDA_E_LINK)
		keep_history(stage, &new_history);
	return rc;
}

/* The plan was made before the lock was ours. */
static int check_plan(const struct cda_stage *stage, struct cda_err *err)
{
	const struct cda_plan *plan = stage->txn->plan;
	bool fits = true;

	for (size_t i = 0; i < plan->unlink.n; i++) {
		const struct cda_record *planned = plan->unlink.v[i];
		const struct cda_installed *installed = cda_stage_installed(stage, planned);

		fits = fits && installed &&
		       cda_streq(installed->record.version, planned->version) &&
		       cda_streq(installed->record.build, planned->build);
	}
	for (size_t i = 0; i < plan->link.n; i++)
		fits = fits && (cda_plan_replaces(plan, plan->link.v[i]) >= 0 ||
				!cda_stage_installed(stage, plan->link.v[i]));
	if (fits)
		return 0;
	cda_err_set(err, CDA_E_BUSY, "the environment '%s' was changed by another conda meanwhile",
		    stage->txn->prefix);
	return cda_err_hint(err, "run the command again: it then starts from what is there now");
}

static int run_locked(struct cda_stage *stage, struct cda_err *err)
{
	const struct cda_txn *txn = stage->txn;
	int rc = cda_meta_load(txn->prefix, txn->config, CDA_META_FILES, &stage->meta, err);

	if (rc >= 0)
		rc = check_plan(stage, err);
	if (rc >= 0)
		rc = phase(stage, "Preparing transaction", cda_stage_prepare, err);
	if (rc >= 0)
		rc = phase(stage, "Verifying transaction", cda_stage_verify, err);
	return rc < 0 ? rc : execute(stage, err);
}

static void note_environment(const struct cda_txn *txn)
{
	struct cda_err err = {0};

	if (!txn->conda_dir || cda_envs_register(txn->conda_dir, txn->prefix, &err) >= 0)
		return;
	/* A home that cannot be written is no reason to fail. */
	cda_emit(txn->events, CDA_EVENT_DEBUG, "%s", err.msg);
	cda_err_done(&err);
}

int cda_txn_run(const struct cda_txn *txn, struct cda_err *err)
{
	CDA_CLEANUP(hold_done) struct hold hold = {-1, -1, NULL};
	CDA_CLEANUP(cda_stage_done) struct cda_stage stage = {.txn = txn};
	bool found;
	int rc = cda_stage_check_allowed(txn, err);

	if (rc >= 0)
		rc = hold_open(&hold, txn->prefix, true, txn->lock_wait_ms, txn->events, err);
	if (rc >= 0)
		rc = recover(&hold, txn->prefix, txn->events, &found, err);
	if (rc < 0)
		return rc;
	stage.prefixfd = hold.prefixfd;
	rc = run_locked(&stage, err);
	if (rc >= 0)
		note_environment(txn);
	return rc;
}
