/* Changes without a solve: packages by URL, a copy of an environment, an earlier revision. */
#include "client/change_impl.h"

#include "client/specfile.h"
#include "prefix/history.h"
#include "prefix/meta.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

/* Links the packages in the order of their dependencies; each replaces what has its name. */
static void plan_records(struct cda_change *change, struct cda_records *records, bool force)
{
	cda_solve_order(change->ctx->channels, records);
	cda_vec_each (record, records) {
		const struct cda_installed *old = cda_meta_find(change->meta, (*record)->name);

		if (old && !force && cda_record_same(&old->record, *record))
			continue;
		if (old)
			cda_records_push(&change->plan.unlink, &old->record);
		cda_records_push(&change->plan.link, *record);
	}
}

/* A path that is not there is no failure of the network. */
static int check_file(const char *text, const struct cda_record *record, struct cda_err *err)
{
	CDA_AUTOFREE char *path = record->url && cda_starts_with(record->url, "file:")
					  ? cda_url_to_path(record->url)
					  : NULL;

	if (!path || cda_fs_exists(AT_FDCWD, path))
		return 0;
	cda_err_set(err, CDA_E_NOPATH, "there is no '%s'", text);
	cda_err_data_text(err, "path", path);
	return -(int)CDA_E_NOPATH;
}

/* Packages by URL or path: nothing is solved, what is listed is what comes. */
int cda_plan_explicit(struct cda_change *change, const struct cda_change_request *request,
		      struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	struct cda_records wanted = {0}, records = {0};
	struct cda_fetch_options options = {0};
	struct cda_store *store;
	int rc;

	cda_change_fetch_options(ctx, &options);
	rc = cda_context_store(ctx, &store, err);
	if (rc == 0)
		rc = cda_context_net(ctx, &options.net, err);
	for (size_t i = 0; rc == 0 && i < request->specs.n; i++) {
		struct cda_record *record =
			cda_arena_alloc0(change->arena, 1, sizeof(struct cda_record));

		rc = cda_fetch_explicit_parse(change->arena, request->specs.v[i], ctx->cwd, record,
					      err);
		if (rc == 0)
			rc = check_file(request->specs.v[i], record, err);
		if (rc == 0)
			cda_records_push(&wanted, record);
	}
	if (rc == 0) {
		cda_emit(ctx->events, CDA_EVENT_PHASE, "Downloading and extracting packages");
		rc = cda_fetch_explicit(store, &wanted, &options, change->arena, &records, err);
		err->multi = rc < 0;
		cda_emit(ctx->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE,
			 "Downloading and extracting packages");
	}
	if (rc == 0) {
		cda_vec_each (record, &records) {
			CDA_AUTOFREE char *spec = cda_specfile_explicit(ctx->channels, *record);

			cda_strv_push(&change->plan.update_specs, spec);
		}
		plan_records(change, &records, true);
	}
	cda_records_done(&wanted);
	cda_records_done(&records);
	return rc;
}

int cda_plan_clone(struct cda_change *change, const struct cda_change_request *request,
		   struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *source = NULL;
	struct cda_records records = {0};
	struct cda_history history = {0};
	int rc;

	if (!cda_prefix_is_env(request->clone)) {
		cda_err_set(err, CDA_E_NOENV, "Not a conda environment: %s", request->clone);
		cda_err_data_text(err, "location", request->clone);
		return -CDA_E_NOENV;
	}
	rc = cda_meta_load(request->clone, ctx->channels, 0, &source, err);
	if (rc == 0)
		rc = cda_history_load(request->clone, &history, err);
	if (rc < 0)
		return rc;
	cda_vec_each (record, cda_meta_records(source))
		cda_records_push(&records, cda_record_copy(change->arena, *record));
	cda_history_requested(&history, ctx->channels, NULL, &change->plan.update_specs);
	plan_records(change, &records, false);
	change->clone_of = cda_strdup(request->clone);
	cda_records_done(&records);
	cda_history_done(&history);
	return 0;
}

/* Back to an earlier revision: its dists, from the channels or from what is still cached. */
int cda_plan_revision(struct cda_change *change, const struct cda_change_request *request,
		      struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv dists = {0}, missing = {0};
	struct cda_matchspecs none = {0};
	struct cda_records keep = {0}, add = {0};
	int64_t rev = -1;
	int rc = cda_history_load(ctx->prefix, &history, err);

	if (rc < 0)
		return rc;
	if (!cda_parse_int(request->dists_of, 0, INT32_MAX, &rev) ||
	    !cda_history_state(&history, (size_t)rev, &dists))
		rc = cda_err_set(err, CDA_E_INDEX, "no such revision: %s", request->dists_of);
	if (rc == 0)
		rc = cda_change_index(change, request, &none, err);
	for (size_t i = 0; rc == 0 && i < dists.n; i++) {
		struct cda_record want = {0};
		const struct cda_installed *old;
		const struct cda_records *found;
		bool has = false;

		if (!cda_history_dist(change->arena, dists.v[i], &want))
			continue;
		old = cda_meta_find(change->meta, want.name);
		if (old && cda_streq(old->record.version, want.version) &&
		    cda_streq(old->record.build, want.build)) {
			cda_records_push(&keep, &old->record);
			continue;
		}
		found = cda_index_get(change->index, want.name);
		for (size_t k = 0; found && k < found->n && !has; k++) {
			has = cda_streq(found->v[k]->version, want.version) &&
			      cda_streq(found->v[k]->build, want.build);
			if (has)
				cda_records_push(&add, found->v[k]);
		}
		if (!has)
			cda_strv_push(&missing, dists.v[i]);
	}
	if (rc == 0 && missing.n > 0) {
		CDA_AUTOFREE char *list = cda_strv_join(&missing, "\n  - ");

		cda_err_set(err, CDA_E_NOTFOUND,
			    "packages of this revision are in no channel any more:\n  - %s", list);
		cda_err_data_list(err, "packages", &missing);
		rc = -CDA_E_NOTFOUND;
	}
	if (rc == 0) {
		const struct cda_records *installed = cda_meta_records(change->meta);

		plan_records(change, &add, false);
		for (size_t i = installed->n; i-- > 0;) {
			const char *name = installed->v[i]->name;
			bool stays = false;

			for (size_t k = 0; k < keep.n && !stays; k++)
				stays = cda_streq(keep.v[k]->name, name);
			for (size_t k = 0; k < add.n && !stays; k++)
				stays = cda_streq(add.v[k]->name, name);
			if (!stays)
				cda_records_push(&change->plan.unlink, installed->v[i]);
		}
	}
	cda_records_done(&keep);
	cda_records_done(&add);
	cda_history_done(&history);
	return rc;
}
