/* stage.h - the first half of a transaction: what will be done to which file, checked, and what has
 * to be written staged beside. Nothing in the prefix changes but the journal's folder. */
#ifndef CDA_PREFIX_STAGE_H
#define CDA_PREFIX_STAGE_H

#include "pkg/info.h"
#include "prefix/journal.h"
#include "prefix/meta.h"
#include "prefix/noarch.h"
#include "prefix/txn.h"
#include "util/hash.h"

enum cda_step_kind {
	CDA_STEP_PLACE, /* link or copy the package's file */
	CDA_STEP_MOVE,  /* put the staged file: rewritten, or an entry point */
	CDA_STEP_PYC    /* the compiler makes it */
};

struct cda_step { /* one file that a package brings */
	size_t package;
	enum cda_step_kind kind;
	const struct cda_pkg_path *info;         /* NULL: entry point, pyc */
	const struct cda_entry_point *entry;     /* or NULL */
	char *target;                            /* relative to the prefix; owned */
	char *staged;                            /* owned; or NULL */
	bool is_overruled;                       /* a later package has the same target */
	char sha256_in_prefix[CDA_HASH_HEX_MAX]; /* of staged files */
};
CDA_VEC_DEFINE(cda_steps, struct cda_step);

struct cda_stage_package {
	struct cda_pkg_info *info;
	struct cda_record record; /* of the plan, what it lacks from the package */
	const struct cda_txn_source *source;
	enum cda_link_type link_type;
	size_t first_step, end_step;
};
CDA_VEC_DEFINE(cda_stage_packages, struct cda_stage_package);

struct cda_stage_removal { /* a file to move aside */
	const char *path;
	unsigned id;
};
CDA_VEC_DEFINE(cda_stage_removals, struct cda_stage_removal);

struct cda_stage {
	const struct cda_txn *txn;
	int prefixfd;
	struct cda_arena *arena;
	struct cda_meta *meta; /* what is installed before */
	struct cda_journal *journal;
	struct cda_python python; /* of the prefix afterwards */
	struct cda_stage_packages packages;
	struct cda_steps steps;
	struct cda_stage_removals removals; /* of unlinked packages, then of clobbered files */
	struct cda_strv folders_in_the_way; /* folders where files go */
};

/* Reads the packages and lists the steps. meta and prefixfd are set by the caller. */
int cda_stage_prepare(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;
/* Checks sources and targets and writes the staged files; makes the journal. */
int cda_stage_verify(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;
void cda_stage_done(struct cda_stage *stage);

/* The installed package that the record of plan->unlink means, or NULL. */
const struct cda_installed *cda_stage_installed(const struct cda_stage *stage,
						const struct cda_record *record);

/* Of check.c: collisions of targets with what is there and with each other, in one thread. */
int cda_stage_check_targets(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;
int cda_stage_check_space(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;
int cda_stage_check_allowed(const struct cda_txn *txn, struct cda_err *err) CDA_CHECK;

/* Of apply.c: the second half, step by step. */
int cda_stage_apply(struct cda_stage *stage, struct cda_buf *ret_new_history, struct cda_err *err)
	CDA_CHECK;

#endif
