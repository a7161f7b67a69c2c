#include "cli/plan.h"

#include "core/record_json.h"
#include "core/version.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

char *cda_record_channel(const struct cda_record *record)
{
	const char *name = record->channel_name ? record->channel_name : record->channel;

	if (!name)
		return cda_strdup("<unknown>");
	if (cda_url_has_scheme(name))
		return cda_strdup(cda_path_basename(name));
	return cda_strdup(name);
}

/* "NAME/SUBDIR::DIST" as the plan names a package. */
static void add_dist(struct cda_buf *text, const struct cda_record *record)
{
	CDA_AUTOFREE char *channel = cda_record_channel(record);

	cda_buf_addf(text, "%s/%s::", channel, record->subdir ? record->subdir : "");
	cda_record_dist(record, text);
}

static void add_downloads(struct cda_buf *text, const struct cda_change *change)
{
	static const char rule[] =
		"    ------------------------------------------------------------\n";
	const struct cda_records *link = &change->plan.link;
	CDA_AUTOFREE char *total = cda_out_bytes((int64_t)change->need_bytes);
	bool any = false;

	for (size_t i = 0; i < link->n; i++) {
		const struct cda_record *r = link->v[i];
		CDA_AUTOFREE char *dist = cda_asprintf("%s-%s", r->name, r->version);
		CDA_AUTOFREE char *size = cda_out_bytes(r->size);

		if (!change->need[i])
			continue;
		if (!any)
			cda_buf_addf(text,
				     "The following packages will be downloaded:\n\n"
				     "    %-27s|%17s\n    %.27s|%.17s\n",
				     "package", "build", "---------------------------",
				     "-----------------");
		any = true;
		cda_buf_addf(text, "    %-27s|%17s  %10s", dist, r->build, size);
		if (r->channel) {
			CDA_AUTOFREE char *safe =
				cda_url_safe(r->channel_name && !cda_url_has_scheme(r->channel_name)
						     ? r->channel_name
						     : r->channel);

			cda_buf_addf(text, "  %s", safe);
		}
		cda_buf_addc(text, '\n');
	}
	if (any)
		cda_buf_addf(text, "%s%49s%10s\n\n", rule, "Total: ", total);
}

enum move { MOVE_NEW, MOVE_REMOVED, MOVE_UPDATED, MOVE_DOWNGRADED, MOVE_SUPERSEDED, MOVE_REVISED };

static const char *const headings[] = {
	[MOVE_NEW] = "The following NEW packages will be INSTALLED:",
	[MOVE_REMOVED] = "The following packages will be REMOVED:",
	[MOVE_UPDATED] = "The following packages will be UPDATED:",
	[MOVE_DOWNGRADED] = "The following packages will be DOWNGRADED:",
	[MOVE_SUPERSEDED] =
		"The following packages will be SUPERSEDED by a higher-priority channel:",
	[MOVE_REVISED] = "The following packages will be REVISED:",
};

static enum move move_of(const struct cda_record *old, const struct cda_record *now)
{
	int order = cda_version_cmp_text(now->version, old->version);

	if (order == 0)
		order = (now->build_number > old->build_number) -
			(now->build_number < old->build_number);
	if (!cda_streq(old->channel_name, now->channel_name) && order <= 0)
		return MOVE_SUPERSEDED;
	return order > 0 ? MOVE_UPDATED : order < 0 ? MOVE_DOWNGRADED : MOVE_REVISED;
}

static void add_row(struct cda_buf *text, const struct cda_plan *plan, enum move want,
		    const struct cda_record *now)
{
	int at = cda_plan_replaces(plan, now);
	const struct cda_record *old = at < 0 ? NULL : plan->unlink.v[at];

	if ((old ? move_of(old, now) : MOVE_NEW) != want)
		return;
	cda_buf_addf(text, "  %-18s ", now->name);
	if (!old) {
		add_dist(text, now);
	} else {
		bool same = cda_streq(old->channel_name, now->channel_name);

		if (same)
			cda_buf_addf(text, "%s-%s --> %s-%s", old->version, old->build,
				     now->version, now->build);
		else {
			add_dist(text, old);
			cda_buf_adds(text, " --> ");
			add_dist(text, now);
		}
	}
	cda_buf_addc(text, '\n');
}

static int by_name(const void *a, const void *b)
{
	const struct cda_record *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void add_moves(struct cda_buf *text, const struct cda_plan *plan)
{
	struct cda_records sorted = {0};
	size_t start;

	cda_vec_each (record, &plan->link)
		cda_records_push(&sorted, *record);
	if (sorted.n > 1)
		qsort(sorted.v, sorted.n, sizeof(*sorted.v), by_name);
	for (int move = 0; move < (int)CDA_LEN(headings); move++) {
		CDA_AUTOBUF struct cda_buf rows = CDA_BUF_INIT;

		if (move == MOVE_REMOVED) {
			struct cda_records gone = {0};

			cda_vec_each (old, &plan->unlink) {
				bool replaced = false;

				for (size_t i = 0; i < plan->link.n && !replaced; i++)
					replaced = cda_streq(plan->link.v[i]->name, (*old)->name);
				if (!replaced)
					cda_records_push(&gone, *old);
			}
			if (gone.n > 1)
				qsort(gone.v, gone.n, sizeof(*gone.v), by_name);
			cda_vec_each (old, &gone) {
				cda_buf_adds(&rows, "  ");
				cda_record_dist(*old, &rows);
				cda_buf_addc(&rows, '\n');
			}
			cda_records_done(&gone);
		} else {
			cda_vec_each (record, &sorted)
				add_row(&rows, plan, (enum move)move, *record);
		}
		start = rows.len;
		if (start > 0)
			cda_buf_addf(text, "%s\n\n%s\n", headings[move], rows.p);
	}
	cda_records_done(&sorted);
}

void cda_plan_print(struct cda_out *out, const struct cda_change *change, bool removed)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_buf_addf(&text, "\n## Package Plan ##\n\n  environment location: %s\n\n",
		     change->ctx->prefix);
	if (change->specs.n > 0) {
		cda_buf_addf(&text, "  %s specs:\n", removed ? "removed" : "added / updated");
		for (size_t i = 0; i < change->specs.n; i++)
			cda_buf_addf(&text, "    - %s\n", change->specs.v[i]);
		cda_buf_adds(&text, "\n\n");
	}
	add_downloads(&text, change);
	add_moves(&text, &change->plan);
	cda_buf_addc(&text, '\n');
	cda_out_puts(out, text.p);
}

/* In the place of what is there. */
static void put_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key, const char *text)
{
	yyjson_mut_obj_put(obj, yyjson_mut_str(doc, key), yyjson_mut_strcpy(doc, text));
}

yyjson_mut_val *cda_record_json(yyjson_mut_doc *doc, const struct cda_record *r, bool installed)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	cda_record_to_json(r, doc, obj);
	if (!r->arch && !installed)
		yyjson_mut_obj_add_null(doc, obj, "arch");
	if (!r->platform && (r->arch || !installed))
		yyjson_mut_obj_add_null(doc, obj, "platform");
	if (r->channel) {
		CDA_AUTOFREE char *safe = cda_url_safe(r->channel);
		CDA_AUTOFREE char *channel =
			cda_asprintf("%s/%s", safe, r->subdir ? r->subdir : "");

		put_text(doc, obj, "channel", channel);
	}
	if (r->noarch == CDA_NOARCH_PYTHON)
		yyjson_mut_obj_add_str(doc, obj, "package_type", "noarch_python");
	else if (r->noarch == CDA_NOARCH_GENERIC)
		yyjson_mut_obj_add_str(doc, obj, "package_type", "noarch_generic");
	if (r->url) {
		CDA_AUTOFREE char *safe = cda_url_safe(r->url);

		put_text(doc, obj, "url", safe);
	}
	return obj;
}

yyjson_mut_val *cda_record_dist_json(yyjson_mut_doc *doc, const struct cda_record *r)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);
	CDA_AUTOBUF struct cda_buf dist = CDA_BUF_INIT;
	CDA_AUTOFREE char *channel = cda_record_channel(r);
	const char *base = r->channel && cda_url_has_scheme(r->channel) ? r->channel : NULL;

	cda_record_dist(r, &dist);
	if (base) {
		CDA_AUTOFREE char *safe = cda_url_safe(base);

		yyjson_mut_obj_add_strcpy(doc, obj, "base_url", safe);
	} else {
		yyjson_mut_obj_add_null(doc, obj, "base_url");
	}
	yyjson_mut_obj_add_sint(doc, obj, "build_number", r->build_number);
	yyjson_mut_obj_add_strcpy(doc, obj, "build_string", r->build ? r->build : "");
	yyjson_mut_obj_add_strcpy(doc, obj, "channel", channel);
	yyjson_mut_obj_add_strcpy(doc, obj, "dist_name", dist.p);
	yyjson_mut_obj_add_strcpy(doc, obj, "name", r->name);
	yyjson_mut_obj_add_strcpy(doc, obj, "platform", r->subdir ? r->subdir : "");
	yyjson_mut_obj_add_strcpy(doc, obj, "version", r->version);
	return obj;
}

void cda_plan_print_json(struct cda_out *out, const struct cda_change *change, bool dry)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	const struct cda_plan *plan = &change->plan;

	if (cda_plan_is_empty(plan)) {
		yyjson_mut_obj_add_str(doc, root, "message",
				       "All requested packages already installed.");
	} else {
		yyjson_mut_val *actions = yyjson_mut_obj_add_obj(doc, root, "actions");
		yyjson_mut_val *fetch = yyjson_mut_obj_add_arr(doc, actions, "FETCH");

		for (size_t i = 0; i < plan->link.n; i++) {
			if (change->need[i])
				yyjson_mut_arr_append(fetch,
						      cda_record_json(doc, plan->link.v[i], false));
		}
		if (plan->link.n > 0) {
			yyjson_mut_val *link = yyjson_mut_obj_add_arr(doc, actions, "LINK");

			cda_vec_each (record, &plan->link)
				yyjson_mut_arr_append(link, cda_record_dist_json(doc, *record));
		}
		if (plan->unlink.n > 0) {
			yyjson_mut_val *unlinks = yyjson_mut_obj_add_arr(doc, actions, "UNLINK");

			cda_vec_each (record, &plan->unlink)
				yyjson_mut_arr_append(unlinks, cda_record_dist_json(doc, *record));
		}
		yyjson_mut_obj_add_strcpy(doc, actions, "PREFIX", change->ctx->prefix);
		yyjson_mut_obj_add_strcpy(doc, root, "prefix", change->ctx->prefix);
		if (dry)
			yyjson_mut_obj_add_bool(doc, root, "dry_run", true);
	}
	yyjson_mut_obj_add_bool(doc, root, "success", true);
	cda_out_doc(out, root);
}
