/* plan.c - what a transaction does. */
#include "core/plan.h"

#include "util/str.h"

void cda_plan_done(struct cda_plan *plan)
{
	cda_records_done(&plan->unlink);
	cda_records_done(&plan->link);
	cda_strv_done(&plan->update_specs);
	cda_strv_done(&plan->remove_specs);
	cda_strv_done(&plan->neutered_specs);
}

bool cda_plan_is_empty(const struct cda_plan *plan)
{
	return plan->unlink.n == 0 && plan->link.n == 0;
}

int cda_plan_replaces(const struct cda_plan *plan, const struct cda_record *link)
{
	for (size_t i = 0; i < plan->unlink.n; i++)
		if (cda_streq(plan->unlink.v[i]->name, link->name))
			return (int)i;
	return -1;
}
