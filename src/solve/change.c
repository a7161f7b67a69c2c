/* change.c - from the final set of packages to a plan. */
#include "solve/request.h"

#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

static bool has_same(const struct cda_records *list, const struct cda_record *record)
{
	cda_vec_each (other, list)
		if (cda_record_same(*other, record))
			return true;
	return false;
}

static const struct cda_record *named(const struct cda_records *list, const char *name)
{
	cda_vec_each (record, list)
		if (strcmp((*record)->name, name) == 0)
			return *record;
	return NULL;
}

static bool matches_any(const struct cda_matchspecs *specs, const struct cda_record *record)
{
	cda_vec_each (spec, specs)
		if (cda_matchspec_match(*spec, record))
			return true;
	return false;
}

/* One of the records in list depends on this one. */
static bool is_needed(const struct cda_solve_request *request, const struct cda_records *list,
		      const struct cda_record *record)
{
	cda_vec_each (other, list)
		for (size_t i = 0; i < (*other)->depends.n; i++) {
			CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
			struct cda_err ignored = {0};
			bool needed;

			/* most names differ: look before parsing */
			if (!cda_starts_with((*other)->depends.v[i], record->name) &&
			    !strstr((*other)->depends.v[i], "::"))
				continue;
			if (cda_matchspec_parse(request->channels, (*other)->depends.v[i], &spec,
						&ignored) < 0)
				spec = NULL;
			cda_err_done(&ignored);
			needed = spec && cda_matchspec_match(spec, record);
			if (needed && *other != record)
				return true;
		}
	return false;
}

/* installed, with the records of list in place of those of their names. */
static void overlay(const struct cda_records *installed, const struct cda_records *list,
		    struct cda_records *ret)
{
	cda_vec_each (record, installed)
		if (!named(list, (*record)->name))
			cda_records_push(ret, *record);
	cda_vec_each (record, list)
		cda_records_push(ret, *record);
}

void cda_wish_only(const struct cda_solve_request *request, struct cda_records *final)
{
	CDA_CLEANUP(cda_records_done) struct cda_records list = {0};
	struct cda_records out = {0};

	if (request->deps == CDA_DEPS_NONE) {
		cda_vec_each (record, final)
			if (matches_any(&request->specs, *record))
				cda_records_push(&list, *record);
		overlay(&request->installed, &list, &out);
	} else {
		/* what is asked for goes, unless another needs it; then it is as it was */
		cda_vec_each (record, final)
			if (!matches_any(&request->specs, *record) ||
			    is_needed(request, final, *record))
				cda_records_push(&out, *record);
		cda_vec_each (record, &request->installed)
			if (matches_any(&request->specs, *record) && !named(&out, (*record)->name))
				cda_records_push(&out, *record);
	}
	cda_records_done(final);
	*final = out;
}

static size_t minor_len(const char *version)
{
	size_t len = strcspn(version, ".");

	return version[len] ? len + 1 + strcspn(version + len + 1, ".") : len;
}

/* python moves to another minor version, so that noarch packages have other folders. */
static bool python_moves(const struct cda_solve_request *request, const struct cda_records *final)
{
	const struct cda_record *old = named(&request->installed, "python");
	const struct cda_record *new = named(final, "python");
	size_t len;

	if (!old || !new)
		return false;
	len = minor_len(old->version);
	return len != minor_len(new->version) || memcmp(old->version, new->version, len) != 0;
}

static bool is_foreign(const struct cda_record *record)
{
	return cda_streq(record->subdir, "pypi") || cda_streq(record->channel_name, "pypi") ||
	       cda_streq(record->channel, "pypi");
}

void cda_wish_plan(const struct cda_solve_request *request, struct cda_records *final,
		   struct cda_plan *plan)
{
	CDA_CLEANUP(cda_records_done) struct cda_records gone = {0};
	bool moves = python_moves(request, final);

	cda_solve_order(request->channels, final);
	cda_vec_each (record, final) {
		bool there = has_same(&request->installed, *record);
		bool again = there &&
			     ((request->force_reinstall && matches_any(&request->specs, *record)) ||
			      (moves && (*record)->noarch == CDA_NOARCH_PYTHON));

		if (!there || again)
			cda_records_push(&plan->link, *record);
	}
	cda_vec_each (record, &request->installed)
		if (!is_foreign(*record) &&
		    (!has_same(final, *record) || has_same(&plan->link, *record)))
			cda_records_push(&gone, *record);
	cda_solve_order(request->channels, &gone);
	for (size_t i = gone.n; i > 0; i--)
		cda_records_push(&plan->unlink, gone.v[i - 1]);
}

/* Moves every installed record that needs one of `gone` there, until none is left. */
static void add_dependents(const struct cda_solve_request *request, struct cda_records *gone)
{
	for (size_t i = 0; i < gone->n; i++)
		cda_vec_each (record, &request->installed) {
			struct cda_records one = {(const struct cda_record **)record, 1, 1};

			if (!has_same(gone, *record) && is_needed(request, &one, gone->v[i]))
				cda_records_push(gone, *record);
		}
}

/* Takes along what only the gone ones needed: not in history, needed by nobody who stays. */
static void add_orphans(const struct cda_solve_request *request, struct cda_records *gone)
{
	CDA_CLEANUP(cda_matchspecs_free_all) struct cda_matchspecs history = {0};
	CDA_CLEANUP(cda_records_done) struct cda_records kept = {0};
	size_t i = 0;

	for (size_t k = 0; k < request->history.n; k++) {
		struct cda_matchspec *spec = NULL;
		struct cda_err ignored = {0};

		if (cda_matchspec_parse(request->channels, request->history.v[k], &spec,
					&ignored) == 0)
			cda_matchspecs_push(&history, spec);
		cda_err_done(&ignored);
	}
	cda_vec_each (record, &request->installed)
		if (!has_same(gone, *record))
			cda_records_push(&kept, *record);
	while (i < kept.n) {
		const struct cda_record *record = kept.v[i];
		bool asked =
			cda_strv_has(&request->aggressive_updates, record->name) && !request->prune;

		cda_vec_each (spec, &history)
			asked = asked || strcmp(cda_matchspec_name(*spec), record->name) == 0;
		if (asked || is_foreign(record) || !is_needed(request, gone, record) ||
		    is_needed(request, &kept, record)) {
			i++;
			continue;
		}
		cda_records_push(gone, record);
		memmove(kept.v + i, kept.v + i + 1, (kept.n - i - 1) * sizeof(*kept.v));
		kept.n--;
		i = 0; /* what this one needed may be an orphan now */
	}
}

int cda_wish_remove(const struct cda_solve_request *request, struct cda_plan *plan,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_records_done) struct cda_records gone = {0};
	CDA_AUTOSTRV struct cda_strv missing = {0};
	CDA_AUTOFREE char *joined = NULL;

	cda_vec_each (spec, &request->specs) {
		bool found = false;

		cda_vec_each (record, &request->installed) {
			if (!cda_matchspec_match(*spec, *record))
				continue;
			found = true;
			if (!has_same(&gone, *record))
				cda_records_push(&gone, *record);
		}
		if (!found)
			cda_strv_push(&missing, cda_matchspec_text(*spec));
	}
	if (missing.n > 0) {
		joined = cda_strv_join(&missing, ", ");
		cda_err_set(err, CDA_E_NOTFOUND,
			    "packages are missing from the target environment: %s", joined);
		cda_err_data_list(err, "packages", &missing);
		return -CDA_E_NOTFOUND;
	}
	if (!request->force_remove) {
		add_dependents(request, &gone);
		if (request->history.n > 0 || request->prune)
			add_orphans(request, &gone);
	}
	cda_solve_order(request->channels, &gone);
	for (size_t i = gone.n; i > 0; i--)
		cda_records_push(&plan->unlink, gone.v[i - 1]);
	return 0;
}
