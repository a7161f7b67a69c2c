/* txn.h - execute a plan on a prefix: everything or nothing. What was there before is kept aside
 * until the last step (journal.h), so any failure, signal or crash leads back to it.
 *
 * Phases: lock, undo what an earlier run left, verify and stage (no change yet), unlink, link,
 * entry points, pyc, records, history, post-link scripts, commit, clean up. */
#ifndef CDA_PREFIX_TXN_H
#define CDA_PREFIX_TXN_H

#include "core/channel.h"
#include "core/plan.h"
#include "util/err.h"
#include "util/event.h"

enum cda_txn_checks { CDA_CHECKS_WARN, CDA_CHECKS_DISABLED, CDA_CHECKS_ENABLED };
enum cda_txn_conflict { CDA_CONFLICT_CLOBBER, CDA_CONFLICT_WARN, CDA_CONFLICT_PREVENT };

struct cda_txn_source {            /* where the package of plan->link.v[i] lies */
	const char *extracted_dir; /* absolute */
	const char *tarball;       /* absolute path of the archive, there or not */
};

/* Plain values; zero is conda's default but for the texts that say otherwise. */
struct cda_txn {
	const char *prefix;                      /* absolute; made when missing */
	const char *root_prefix;                 /* for scripts; NULL: none */
	const struct cda_channel_config *config; /* what channel texts mean; may be NULL */
	const struct cda_plan *plan;
	const struct cda_txn_source *sources; /* one per plan->link, same order */
	const char *const *disallowed;        /* specs, NULL-ended; NULL: none */
	enum cda_txn_checks safety_checks;
	bool extra_safety_checks; /* hash every file of every package too */
	enum cda_txn_conflict path_conflict;
	bool always_copy, always_softlink, allow_softlinks;
	bool skip_scripts;       /* no pre-link, post-link, pre-unlink scripts */
	bool no_compile;         /* no pyc files */
	unsigned threads;        /* 0: one per CPU */
	unsigned lock_wait_ms;   /* how long to wait for another run; 0: the default, a minute */
	const char *history_cmd; /* the command line; NULL or its version: no history entry */
	const char *history_version;
	const char *history_date; /* NULL: now */
	const char *conda_dir;    /* ~/.conda, where the prefix is registered; NULL: nowhere */
	const char *const *env;   /* environment of scripts and of python; NULL: ours */
	const struct cda_events *events; /* may be NULL */
};

/* On failure the prefix is as before (but for what scripts did) and err tells why. An empty plan
 * on a new prefix makes an empty environment. Errors: CDA_E_BUSY (locked, or
 * changed since the plan was made), CDA_E_UNWRITABLE,
 * CDA_E_DISALLOWED, CDA_E_CLOBBER, CDA_E_SAFETY, CDA_E_PADDING, CDA_E_LINK (script, python),
 * CDA_E_NOSPACE, CDA_E_INTERRUPTED, CDA_E_ARCHIVE (extracted package damaged), CDA_E_SYS. */
int cda_txn_run(const struct cda_txn *txn, struct cda_err *err) CDA_CHECK;

/* Undoes (or finishes) what a killed run left in the prefix, if any; cda_txn_run does so by itself.
 * *ret_found (may be NULL) tells whether there was something. A prefix that we may not write is
 * left alone. */
int cda_txn_recover(const char *prefix, const struct cda_events *events, bool *ret_found,
		    struct cda_err *err) CDA_CHECK;

#endif
