/* solve.c - conda's way from a request to a plan (conda/core/solve.py): which specs hold, in what
 * order, what may move, and what to try when that has no answer. */
#include "solve/solve.h"

#include "solve/explain.h"
#include "solve/improve.h"
#include "solve/pool.h"
#include "solve/request.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

/* One solve of one mode. 0: *final has the records. CDA_E_UNSAT tells the clashes where libsolv
 * found them, and is without a text where some spec has no candidate at all. */
static int try_mode(const struct cda_wish *wish, bool freeze, struct cda_records *final,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_clashes_done) struct cda_clashes clashes = {0};
	bool strict = wish->request->channel_priority == CDA_PRIORITY_STRICT;
	CDA_CLEANUP(cda_universe_freep)
	struct cda_universe *uni = cda_universe_new(wish->request, strict);
	CDA_CLEANUP(cda_pool_freep) struct cda_pool *pool = NULL;
	CDA_CLEANUP(cda_jobs_done) struct cda_jobs jobs = {0};
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes chosen = {0};

	cda_wish_jobs(wish, uni, freeze, &jobs);
	cda_universe_load(uni);
	cda_vec_each (job, &jobs.specs)
		if (uni->specs.v[*job].valid_matches == 0)
			return cda_err_set(err, CDA_E_UNSAT, "%s", "");
	cda_universe_rank(uni, jobs.asked, jobs.keep);
	pool = cda_pool_new(uni, false);
	if (!cda_pool_solve(pool, &jobs.specs, NULL, &chosen, &clashes))
		return cda_explain_clashes(uni, &clashes, err);
	cda_improve(uni, pool, &jobs, &chosen);
	cda_wish_collect(uni, &jobs.specs, &chosen, final);
	return 0;
}

/* A record that is needed and does not exist: among all records, whatever else holds. */
static int explain_missing(const struct cda_wish *wish, struct cda_err *err)
{
	CDA_CLEANUP(cda_universe_freep)
	struct cda_universe *uni = cda_universe_new(wish->request, false);
	CDA_CLEANUP(cda_jobs_done) struct cda_jobs jobs = {0};
	struct cda_wish open = *wish;

	open.unlimited = true;
	cda_wish_jobs(&open, uni, false, &jobs);
	cda_universe_load(uni);
	return cda_explain_missing(uni, &jobs.specs, err);
}

/* Why some spec has no candidate: with the packages that lack something, libsolv can tell. */
static int explain(const struct cda_wish *wish, struct cda_err *err)
{
	CDA_CLEANUP(cda_universe_freep) struct cda_universe *uni = NULL;
	CDA_CLEANUP(cda_pool_freep) struct cda_pool *pool = NULL;
	CDA_CLEANUP(cda_jobs_done) struct cda_jobs jobs = {0};
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes chosen = {0};
	CDA_CLEANUP(cda_clashes_done) struct cda_clashes clashes = {0};
	int rc = explain_missing(wish, err);

	if (rc < 0)
		return rc;
	uni = cda_universe_new(wish->request,
			       wish->request->channel_priority == CDA_PRIORITY_STRICT);
	cda_wish_jobs(wish, uni, false, &jobs);
	cda_universe_load(uni);
	cda_universe_rank(uni, jobs.asked, jobs.keep);
	pool = cda_pool_new(uni, true);
	cda_pool_solve(pool, &jobs.specs, NULL, &chosen, &clashes);
	return cda_explain_clashes(uni, &clashes, err);
}

/* The request without its pins has an answer: then they are what stands against it. */
static bool pins_are_why(const struct cda_wish *wish)
{
	struct cda_solve_request loose = *wish->request;
	CDA_CLEANUP(cda_wish_done) struct cda_wish other = {0};
	CDA_CLEANUP(cda_records_done) struct cda_records final = {0};
	struct cda_err ignored = {0};
	bool ok;

	if (loose.ignore_pinned || loose.pinned.n == 0)
		return false;
	loose.ignore_pinned = true;
	ok = cda_wish_init(&other, &loose, &ignored) == 0 &&
	     try_mode(&other, false, &final, &ignored) == 0;
	cda_err_done(&ignored);
	return ok;
}

/* last: of the last try; taken over when it has a text. */
static int fail(const struct cda_wish *wish, struct cda_err *last, struct cda_err *err)
{
	CDA_AUTOFREE char *pins = NULL, *asked = NULL;
	CDA_AUTOSTRV struct cda_strv specs = {0};
	int rc;

	if (!pins_are_why(wish)) {
		if (last->msg && *last->msg) {
			cda_err_move(err, last);
			rc = -(int)err->code;
		} else {
			rc = explain(wish, err);
		}
		if (rc == -CDA_E_UNSAT && strstr(err->msg, "python has to be"))
			cda_err_hint(err, "python stays within its minor version unless it is "
					  "asked for: give python=VERSION as well");
		if (wish->request->channel_priority == CDA_PRIORITY_STRICT && rc == -CDA_E_UNSAT)
			cda_err_hint(err, "strict channel priority may hide packages that would "
					  "satisfy the request");
		return rc;
	}
	cda_vec_each (spec, &wish->request->specs)
		cda_strv_push(&specs, cda_matchspec_original(*spec));
	asked = cda_strv_join(&specs, ", ");
	pins = cda_strv_join(&wish->request->pinned, ", ");
	cda_err_set(err, CDA_E_PINNED,
		    "what is asked for (%s) conflicts with the pinned specs (%s)", asked, pins);
	return cda_err_hint(err,
			    "see pinned_specs in the configuration and conda-meta/pinned of the "
			    "environment, or give --no-pin");
}

/* Freezing first, then moving what has to. */
static int solve_wish(const struct cda_wish *wish, struct cda_records *final, struct cda_err *err)
{
	struct cda_err last = {0};
	int rc = -1;

	if (wish->may_freeze)
		rc = try_mode(wish, true, final, &last);
	cda_err_done(&last);
	if (rc < 0)
		rc = try_mode(wish, false, final, &last);
	if (rc < 0)
		rc = fail(wish, &last, err);
	cda_err_done(&last);
	return rc;
}

/* --update-deps: what the asked for packages need is asked for too, in a second solve. */
static int update_deps(struct cda_wish *wish, struct cda_records *final, struct cda_err *err)
{
	cda_wish_ask_deps(wish, final);
	cda_records_done(final);
	return solve_wish(wish, final, err);
}

static bool satisfied(const struct cda_solve_request *request)
{
	cda_vec_each (spec, &request->specs) {
		bool found = false;

		cda_vec_each (record, &request->installed)
			found = found || cda_matchspec_match(*spec, *record);
		if (!found)
			return false;
	}
	return true;
}

static int check_update(const struct cda_solve_request *request, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv missing = {0};
	CDA_AUTOFREE char *joined = NULL;

	cda_vec_each (spec, &request->specs) {
		bool found = false;

		cda_vec_each (record, &request->installed)
			found = found || strcmp((*record)->name, cda_matchspec_name(*spec)) == 0;
		if (!found)
			cda_strv_push(&missing, cda_matchspec_name(*spec));
	}
	if (missing.n == 0)
		return 0;
	joined = cda_strv_join(&missing, ", ");
	cda_err_set(err, CDA_E_MISSING, "not installed in this environment: %s", joined);
	cda_err_data_text(err, "package_name", missing.v[0]);
	return cda_err_hint(err, "use 'conda install' to install");
}

static int solve_change(const struct cda_solve_request *request, struct cda_plan *plan,
			struct cda_err *err)
{
	CDA_CLEANUP(cda_wish_done) struct cda_wish wish = {0};
	CDA_CLEANUP(cda_records_done) struct cda_records final = {0};
	int rc = 0;

	if (request->command == CDA_SOLVE_UPDATE)
		rc = check_update(request, err);
	if (rc < 0)
		return rc;
	if (request->update == CDA_SPECS_SATISFIED_SKIP && satisfied(request))
		return 0;
	if (cda_wish_init(&wish, request, err) < 0)
		return -(int)err->code;
	rc = solve_wish(&wish, &final, err);
	if (rc == 0 && request->update == CDA_UPDATE_DEPS)
		rc = update_deps(&wish, &final, err);
	if (rc < 0)
		return rc;
	if (request->deps != CDA_DEPS_ALL)
		cda_wish_only(request, &final);
	cda_wish_plan(request, &final, plan);
	return 0;
}

int cda_solve(const struct cda_solve_request *request, struct cda_plan *ret_plan,
	      struct cda_err *err)
{
	CDA_CLEANUP(cda_plan_done) struct cda_plan plan = {0};
	struct cda_strv *texts =
		request->command == CDA_SOLVE_REMOVE ? &plan.remove_specs : &plan.update_specs;
	int rc;

	cda_vec_each (spec, &request->specs)
		cda_strv_push(texts, cda_matchspec_text(*spec));
	if (request->command == CDA_SOLVE_REMOVE)
		rc = cda_wish_remove(request, &plan, err);
	else
		rc = solve_change(request, &plan, err);
	if (rc < 0)
		return rc;
	*ret_plan = plan;
	plan = (struct cda_plan){0};
	return 0;
}
