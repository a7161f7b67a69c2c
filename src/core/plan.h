/* plan.h - what a transaction does: written by solve, read by prefix and by whoever shows it.
 * Records are borrowed from the index and from the prefix. */
#ifndef CDA_CORE_PLAN_H
#define CDA_CORE_PLAN_H

#include "core/record.h"
#include "util/vec.h"

struct cda_plan {
	struct cda_records unlink; /* in the order of removal: dependents first */
	struct cda_records link;   /* in the order of installation: dependencies first */
	/* What history records, canonical texts: */
	struct cda_strv update_specs; /* asked for by install, update, create */
	struct cda_strv remove_specs; /* asked for by remove */
	struct cda_strv neutered_specs;
};

void cda_plan_done(struct cda_plan *plan);
bool cda_plan_is_empty(const struct cda_plan *plan);
/* Index of the record in plan->unlink that the link record replaces (same name), or -1. */
int cda_plan_replaces(const struct cda_plan *plan, const struct cda_record *link);

#endif
