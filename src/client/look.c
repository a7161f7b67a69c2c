#include "client/look.h"

#include "client/pypi.h"
#include "core/version.h"
#include "prefix/envs.h"
#include "prefix/history.h"
#include "prefix/meta.h"
#include "prefix/verify.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

static int by_name(const void *a, const void *b)
{
	const struct cda_record *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

int cda_look_installed(struct cda_context *ctx, const char *prefix, bool pip,
		       struct cda_installed_look *ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	int rc = cda_meta_load(prefix, ctx->channels, pip ? CDA_META_FILES : 0, &meta, err);

	if (rc < 0)
		return rc;
	*ret = (struct cda_installed_look){.arena = cda_arena_new()};
	for (size_t i = 0; i < cda_meta_count(meta); i++)
		cda_records_push(&ret->records,
				 cda_record_copy(ret->arena, &cda_meta_at(meta, i)->record));
	if (pip)
		cda_pypi_records(prefix, meta, ret->arena, &ret->records);
	if (ret->records.n > 1)
		qsort(ret->records.v, ret->records.n, sizeof(*ret->records.v), by_name);
	return 0;
}

void cda_look_installed_done(struct cda_installed_look *look)
{
	cda_records_done(&look->records);
	look->arena = cda_arena_free(look->arena);
}

struct change {
	struct cda_record old, now;
	bool has_old, has_now;
};

static int change_by_name(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return strcmp(x->has_now ? x->now.name : x->old.name,
		      y->has_now ? y->now.name : y->old.name);
}

/* "channel/subdir" as revisions show it. */
static const char *place(struct cda_arena *arena, const struct cda_record *r)
{
	if (!r->channel_name)
		return "";
	return r->subdir ? cda_arena_printf(arena, "%s/%s", r->channel_name, r->subdir)
			 : r->channel_name;
}

static void add_change(struct cda_arena *arena, const struct change *c, struct cda_revision *rev)
{
	const struct cda_record *r = c->has_now ? &c->now : &c->old;
	const char *where = place(arena, r);

	if (c->has_old && c->has_now) {
		bool up = cda_version_cmp_text(c->now.version, c->old.version) >= 0;
		CDA_AUTOFREE char *text =
			cda_asprintf("%s {%s (%s) -> %s (%s)}", r->name, c->old.version,
				     place(arena, &c->old), c->now.version, where);

		cda_strv_push(up ? &rev->upgrade : &rev->downgrade, text);
		cda_strv_pushf(&rev->lines, "     %s", text);
	} else {
		cda_strv_pushf(c->has_now ? &rev->install : &rev->remove, "%s-%s-%s-%s", r->name,
			       r->version, r->build, where);
		cda_strv_pushf(&rev->lines, "    %c%s-%s-%s (%s)", c->has_now ? '+' : '-', r->name,
			       r->version, r->build, where);
	}
}

static void add_revision(struct cda_arena *arena, const struct cda_history_entry *entry,
			 struct cda_revision *rev)
{
	CDA_AUTOFREE struct change *changes = cda_alloc0(entry->diff.n + 1, sizeof(*changes));
	size_t n = 0;

	for (size_t i = 0; i < entry->diff.n; i++) {
		const char *dist = entry->diff.v[i];
		bool gone = dist[0] == '-';
		struct cda_record record = {0};
		size_t at = 0;

		if (dist[0] == '+' || dist[0] == '-')
			dist++;
		if (!cda_history_dist(arena, dist, &record))
			continue;
		while (at < n &&
		       !cda_streq(changes[at].has_now ? changes[at].now.name : changes[at].old.name,
				  record.name))
			at++;
		if (at == n)
			n++;
		if (gone) {
			changes[at].old = record;
			changes[at].has_old = true;
		} else {
			changes[at].now = record;
			changes[at].has_now = true;
		}
	}
	if (n > 1)
		qsort(changes, n, sizeof(*changes), change_by_name);
	for (size_t i = 0; i < n; i++)
		add_change(arena, &changes[i], rev);
}

int cda_look_revisions(struct cda_context *ctx, struct cda_revisions *ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_AUTOHISTORY struct cda_history history = {0};
	int rc = cda_history_load(ctx->prefix, &history, err);

	if (rc < 0)
		return rc;
	cda_vec_each (entry, &history.entries) {
		struct cda_revision rev = {.date = cda_strdup(entry->date ? entry->date : "")};

		add_revision(arena, entry, &rev);
		cda_revisions_push(ret, rev);
	}
	return 0;
}

void cda_look_revisions_done(struct cda_revisions *revisions)
{
	cda_vec_each (rev, revisions) {
		free(rev->date);
		cda_strv_done(&rev->install);
		cda_strv_done(&rev->remove);
		cda_strv_done(&rev->upgrade);
		cda_strv_done(&rev->downgrade);
		cda_strv_done(&rev->lines);
	}
	cda_revisions_done(revisions);
}

void cda_look_envs(const struct cda_context *ctx, struct cda_strv *ret_prefixes)
{
	CDA_AUTOFREE char *conda_dir = cda_path_join(ctx->home, ".conda");
	CDA_AUTOFREE char *meta = cda_path_join(ctx->root_prefix, "conda-meta");
	bool has_base = cda_fs_is_dir(AT_FDCWD, meta);

	cda_envs_list(conda_dir, has_base ? ctx->root_prefix : NULL,
		      cda_settings_envs_dirs(ctx->settings), ret_prefixes);
	cda_strv_sort(ret_prefixes);
}

static int by_version(const void *a, const void *b)
{
	const struct cda_record *x = *(const struct cda_record *const *)a;
	const struct cda_record *y = *(const struct cda_record *const *)b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = cda_version_cmp_text(x->version, y->version);
	if (order == 0)
		order = (x->build_number > y->build_number) - (x->build_number < y->build_number);
	if (order == 0)
		order = strcmp(x->build ? x->build : "", y->build ? y->build : "");
	return order != 0 ? order : (y->priority > x->priority) - (y->priority < x->priority);
}

int cda_look_search(struct cda_context *ctx, const char *text, struct cda_index **ret_index,
		    struct cda_records *ret_records, struct cda_records *ret_close,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
	CDA_AUTOSTRV struct cda_strv subdirs = {0}, channels = {0};
	const char *subdir, *channel;
	int rc = cda_matchspec_parse(ctx->channels, text, &spec, err);

	if (rc < 0)
		return rc;
	subdir = cda_matchspec_field(spec, "subdir");
	if (subdir && !strchr(subdir, '*'))
		cda_strv_push(&subdirs, subdir);
	channel = cda_matchspec_field(spec, "channel");
	if (channel && !strpbrk(channel, "*^"))
		cda_strv_push(&channels, channel);
	rc = cda_context_index(ctx, channels.n > 0 ? &channels : NULL,
			       subdirs.n > 0 ? &subdirs : NULL, ret_index, err);
	if (rc < 0)
		return rc;
	cda_index_find(*ret_index, spec, ret_records);
	if (ret_records->n == 0 && cda_matchspec_is_name_only(spec)) {
		CDA_AUTOFREE char *name = cda_strdup(text);

		cda_lower_inplace(name);
		cda_vec_each (record, &(*ret_index)->records) {
			if (strstr((*record)->name, name))
				cda_records_push(ret_close, *record);
		}
	}
	if (ret_records->n > 1)
		qsort(ret_records->v, ret_records->n, sizeof(*ret_records->v), by_version);
	if (ret_close->n > 1)
		qsort(ret_close->v, ret_close->n, sizeof(*ret_close->v), by_version);
	return 0;
}

int cda_look_requested(struct cda_context *ctx, const char *prefix, struct cda_strv *ret_specs,
		       struct cda_err *err)
{
	CDA_AUTOHISTORY struct cda_history history = {0};
	int rc = cda_history_load(prefix, &history, err);

	if (rc == 0)
		cda_history_requested(&history, ctx->channels, NULL, ret_specs);
	return rc;
}

int cda_look_channel_urls(const struct cda_context *ctx, const struct cda_strv *channels,
			  bool with_credentials, struct cda_strv *ret_urls, struct cda_err *err)
{
	struct cda_channel_urls urls = {0};
	int rc = cda_channels_prioritize(ctx->channels,
					 channels ? channels : cda_settings_channels(ctx->settings),
					 &urls, err);

	if (rc == 0) {
		cda_vec_each (url, &urls) {
			CDA_AUTOFREE char *safe = cda_url_safe(url->url);

			cda_strv_push(ret_urls, with_credentials ? url->url : safe);
		}
	}
	cda_channel_urls_free_all(&urls);
	return rc;
}

int cda_look_problems(struct cda_context *ctx, struct cda_problems *ret, struct cda_err *err)
{
	struct cda_verify_findings findings = {0};
	int rc = cda_context_need_prefix(ctx, err);

	if (rc == 0)
		rc = cda_verify_prefix(ctx->prefix, true, 0, &findings, err);
	if (rc < 0)
		return rc;
	cda_vec_each (finding, &findings)
		cda_problems_push(ret, (struct cda_problem){
					       cda_strdup(finding->package),
					       cda_strdup(finding->path),
					       finding->kind == CDA_VERIFY_MISSING,
				       });
	cda_verify_findings_free_all(&findings);
	return 0;
}

void cda_look_problems_done(struct cda_problems *problems)
{
	cda_vec_each (problem, problems) {
		free(problem->package);
		free(problem->path);
	}
	cda_problems_done(problems);
}
