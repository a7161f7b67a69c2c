/* list: what is installed, in the forms that people and tools read. */
#include "cli/cmds.h"
#include "cli/plan.h"
#include "client/look.h"
#include "util/alloc.h"
#include "util/str.h"
#include "util/url.h"

#include <regex.h>

struct list_opts {
	struct cda_common common;
	bool canonical, full_name, export_, explicit_, md5, sha256, revisions, no_pip, reverse;
	bool show_channel_urls, auth;
};

static const struct cda_opt list_opts[] = {
	COMMON_HELP(struct list_opts),
	OPT_FLAG('f', "full-name", struct list_opts, full_name, "the pattern is a whole name"),
	OPT_FLAG('c', "canonical", struct list_opts, canonical,
		 "channel/subdir::name-version-build, one a line"),
	OPT_FLAG('e', "export", struct list_opts, export_, "name=version=build, one a line"),
	OPT_FLAG(0, "explicit", struct list_opts, explicit_,
		 "URLs of all packages, for `conda create --file`"),
	OPT_FLAG(0, "md5", struct list_opts, md5, "with --explicit: the md5 of each package"),
	OPT_FLAG(0, "sha256", struct list_opts, sha256,
		 "with --explicit: the sha256 of each package"),
	OPT_FLAG(0, "auth", struct list_opts, auth, "with --explicit: with credentials"),
	OPT_FLAG('r', "revisions", struct list_opts, revisions, "what changed, and when"),
	OPT_FLAG(0, "no-pip", struct list_opts, no_pip, "without what pip installed"),
	OPT_FLAG(0, "reverse", struct list_opts, reverse, "last name first"),
	OPT_FLAG(0, "show-channel-urls", struct list_opts, show_channel_urls,
		 "URLs of channels in place of their names"),
	COMMON_TARGET(struct list_opts),
	COMMON_OUTPUT(struct list_opts),
	OPT_END()};

static int print_revisions(struct cda_cli *cli, struct cda_context *ctx, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_arr(doc);
	struct cda_revisions revisions = {0};
	int rc = cda_look_revisions(ctx, &revisions, err);

	for (size_t i = 0; rc == 0 && i < revisions.n; i++) {
		const struct cda_revision *rev = &revisions.v[i];
		yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, root);

		yyjson_mut_obj_add_strcpy(doc, obj, "date", rev->date);
		cda_json_add_strv(doc, obj, "downgrade", &rev->downgrade);
		cda_json_add_strv(doc, obj, "install", &rev->install);
		cda_json_add_strv(doc, obj, "remove", &rev->remove);
		yyjson_mut_obj_add_uint(doc, obj, "rev", i);
		cda_json_add_strv(doc, obj, "upgrade", &rev->upgrade);
		cda_out_text(cli->out, "%s  (rev %zu)\n", rev->date, i);
		for (size_t k = 0; k < rev->lines.n; k++)
			cda_out_text(cli->out, "%s\n", rev->lines.v[k]);
		cda_out_puts(cli->out, "\n");
	}
	if (rc == 0)
		cda_out_doc(cli->out, root);
	cda_look_revisions_done(&revisions);
	return rc;
}

static bool is_pypi(const struct cda_record *record)
{
	return cda_streq(record->channel_name, "pypi");
}

static int select_records(const struct list_opts *opts, const struct cda_strv *words,
			  const struct cda_records *all, struct cda_records *selected,
			  struct cda_err *err)
{
	regex_t pattern;
	bool any = words->n == 0;

	if (!any && !opts->full_name &&
	    regcomp(&pattern, words->v[0], REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0) {
		cda_err_set(err, CDA_E_VALUE, "'%s' is no regular expression", words->v[0]);
		return cda_err_hint(err, "--full-name takes it as a name");
	}
	cda_vec_each (record, all) {
		bool good = any ||
			    (opts->full_name ? cda_streq((*record)->name, words->v[0])
					     : regexec(&pattern, (*record)->name, 0, NULL, 0) == 0);

		if (good)
			cda_records_push(selected, *record);
	}
	if (!any && !opts->full_name)
		regfree(&pattern);
	if (opts->reverse) {
		for (size_t i = 0, k = selected->n; i + 1 < k; i++, k--) {
			const struct cda_record *swap = selected->v[i];

			selected->v[i] = selected->v[k - 1];
			selected->v[k - 1] = swap;
		}
	}
	return 0;
}

static void add_explicit(struct cda_buf *text, const struct list_opts *opts,
			 const struct cda_record *r)
{
	CDA_AUTOFREE char *url = NULL;

	if (is_pypi(r))
		return;
	if (!r->url) {
		cda_buf_addf(text, "# no URL for: %s-%s-%s\n", r->name, r->version, r->build);
		return;
	}
	url = opts->auth ? cda_strdup(r->url) : cda_url_safe(r->url);
	cda_buf_adds(text, url);
	if (opts->md5 && r->md5)
		cda_buf_addf(text, "#%s", r->md5);
	else if (opts->sha256 && r->sha256)
		cda_buf_addf(text, "#sha256:%s", r->sha256);
	cda_buf_addc(text, '\n');
}

static void add_channel(struct cda_buf *text, const struct list_opts *opts,
			const struct cda_context *ctx, const struct cda_record *r)
{
	bool urls = opts->show_channel_urls ||
		    cda_settings_tri(ctx->settings, CDA_SET_show_channel_urls) == 1;

	/* Packages of the default channels need no word. */
	if (!urls && cda_streq(r->channel_name, "defaults"))
		return;
	if (r->channel_name) {
		CDA_AUTOFREE char *safe = cda_url_safe(r->channel_name);

		cda_buf_addf(text, "    %s", safe);
	}
}

static const char *dist_place(const struct cda_record *r)
{
	return r->channel_name ? r->channel_name : "<unknown>";
}

static void add_text(struct cda_buf *text, const struct list_opts *opts,
		     const struct cda_context *ctx, const struct cda_record *r)
{
	if (opts->explicit_) {
		add_explicit(text, opts, r);
	} else if (opts->canonical) {
		if (is_pypi(r))
			cda_buf_addf(text, "pypi/pypi::%s-%s-%s\n", r->name, r->version, r->build);
		else
			cda_buf_addf(text, "%s/%s::%s-%s-%s\n", dist_place(r),
				     r->subdir ? r->subdir : "", r->name, r->version, r->build);
	} else if (opts->export_) {
		cda_buf_addf(text, "%s=%s=%s\n", r->name, r->version, r->build);
	} else {
		cda_buf_addf(text, "%-25s %-15s %15s", r->name, r->version, r->build);
		add_channel(text, opts, ctx, r);
		cda_buf_addc(text, '\n');
	}
}

static void add_head(struct cda_buf *text, const struct list_opts *opts,
		     const struct cda_context *ctx)
{
	if (opts->canonical)
		return;
	if (opts->explicit_ || opts->export_)
		cda_buf_addf(text,
			     "# This file may be used to create an environment using:\n"
			     "# $ conda create --name <env> --file <this file>\n"
			     "# platform: %s\n%s",
			     cda_settings_str(ctx->settings, CDA_SET_subdir),
			     opts->explicit_ ? "@EXPLICIT\n" : "");
	else
		cda_buf_addf(text,
			     "# packages in environment at %s:\n#\n"
			     "# %-23s %-15s %15s  Channel\n",
			     ctx->prefix, "Name", "Version", "Build");
}

static int run_list(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct list_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	struct cda_installed_look look = {0};
	struct cda_records selected = {0};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, clean = CDA_BUF_INIT;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_arr(doc);
	bool pip;
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc < 0)
		return rc;
	if (opts->revisions)
		return print_revisions(cli, ctx, err);
	pip = !opts->no_pip && !opts->explicit_;
	rc = cda_look_installed(ctx, ctx->prefix, pip, &look, err);
	if (rc == 0)
		rc = select_records(opts, words, &look.records, &selected, err);
	if (rc == 0) {
		add_head(&text, opts, ctx);
		cda_vec_each (record, &selected) {
			add_text(&text, opts, ctx, *record);
			yyjson_mut_arr_append(root, cda_record_dist_json(doc, *record));
		}
		cda_out_clean(&clean, text.p, true);
		/* The file of --explicit has no other form. */
		if (opts->explicit_)
			fputs(clean.p, stdout);
		else
			cda_out_puts(cli->out, clean.p);
		if (!opts->explicit_)
			cda_out_doc(cli->out, root);
	}
	cda_records_done(&selected);
	cda_look_installed_done(&look);
	return rc;
}

const struct cda_cmd cda_cmd_list = {.name = "list",
				     .synopsis = "[options] [PATTERN]",
				     .summary = "show what is installed",
				     .opts = list_opts,
				     .opts_size = sizeof(struct list_opts),
				     .run = run_list,
				     .epilog = "  conda list -n work\n"
					       "  conda list --explicit --md5 > work.txt\n"};
