/* search: what the channels have; --envs: where it is installed. */
#include "cli/cmds.h"
#include "cli/plan.h"
#include "client/look.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

#include <time.h>

struct search_opts {
	struct cda_common common;
	bool info, envs, reverse;
};

static const struct cda_opt search_opts[] = {
	COMMON_HELP(struct search_opts),
	OPT_FLAG('i', "info", struct search_opts, info, "all that is known of each package"),
	OPT_FLAG(0, "envs", struct search_opts, envs, "search the environments, not the channels"),
	OPT_FLAG(0, "reverse-dependency", struct search_opts, reverse, NULL),
	COMMON_TARGET(struct search_opts),
	COMMON_CHANNELS(struct search_opts),
	COMMON_OUTPUT(struct search_opts),
	OPT_END()};

static void print_rows(struct cda_cli *cli, const struct cda_records *records)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, clean = CDA_BUF_INIT;

	cda_buf_addf(&text, "# %-18s %15s %15s  %-20s\n", "Name", "Version", "Build", "Channel");
	cda_vec_each (record, records) {
		CDA_AUTOFREE char *channel = cda_record_channel(*record);

		cda_buf_addf(&text, "%-20s %15s %15s  %-20s\n", (*record)->name, (*record)->version,
			     (*record)->build, channel);
	}
	cda_out_clean(&clean, text.p, true);
	cda_out_puts(cli->out, clean.p);
}

static void add_list(struct cda_buf *text, const char *title, const struct cda_texts *list)
{
	if (list->n == 0)
		return;
	cda_buf_addf(text, "%-12s:\n", title);
	for (size_t i = 0; i < list->n; i++)
		cda_buf_addf(text, "  - %s\n", list->v[i]);
}

static void add_line(struct cda_buf *text, const char *title, const char *value)
{
	if (value)
		cda_buf_addf(text, "%-12s: %s\n", title, value);
}

static void print_info(struct cda_cli *cli, const struct cda_record *r)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, clean = CDA_BUF_INIT;
	CDA_AUTOFREE char *size = cda_out_bytes(r->size);
	CDA_AUTOFREE char *url = r->url ? cda_url_safe(r->url) : NULL;
	int title = (int)(strlen(r->name) + strlen(r->version) + strlen(r->build) + 2);

	cda_buf_addf(&text, "%s %s %s\n", r->name, r->version, r->build);
	for (int i = 0; i < title; i++)
		cda_buf_addc(&text, '-');
	cda_buf_addc(&text, '\n');
	add_line(&text, "file name", r->fn);
	add_line(&text, "name", r->name);
	add_line(&text, "version", r->version);
	add_line(&text, "build", r->build);
	cda_buf_addf(&text, "%-12s: %lld\n", "build number", (long long)r->build_number);
	if (r->size > 0)
		add_line(&text, "size", size);
	add_line(&text, "license", r->license);
	add_line(&text, "subdir", r->subdir);
	add_line(&text, "url", url);
	add_line(&text, "md5", r->md5);
	add_line(&text, "sha256", r->sha256);
	if (r->timestamp > 0) {
		time_t when = (time_t)(r->timestamp / 1000);
		struct tm tm;
		char date[64];

		if (gmtime_r(&when, &tm) && strftime(date, sizeof(date), "%F %T UTC", &tm) > 0)
			add_line(&text, "timestamp", date);
	}
	add_list(&text, "constraints", &r->constrains);
	add_list(&text, "dependencies", &r->depends);
	cda_buf_adds(&text, "\n\n");
	cda_out_clean(&clean, text.p, true);
	cda_out_puts(cli->out, clean.p);
}

static void print_json(struct cda_cli *cli, const struct cda_records *records)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *list = NULL;
	const char *name = NULL;

	cda_vec_each (record, records) {
		if (!list || !cda_streq(name, (*record)->name)) {
			name = (*record)->name;
			list = yyjson_mut_arr(doc);
			yyjson_mut_obj_add(root, yyjson_mut_strcpy(doc, name), list);
		}
		yyjson_mut_arr_append(list, cda_record_json(doc, *record, false));
	}
	cda_out_doc(cli->out, root);
}

static int not_found(const struct cda_context *ctx, const char *spec, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv urls = {0}, packages = {0};
	CDA_AUTOFREE char *list = NULL;
	int rc = cda_look_channel_urls(ctx, NULL, false, &urls, err);

	if (rc < 0)
		return rc;
	list = cda_strv_join(&urls, "\n  - ");
	cda_strv_push(&packages, spec);
	cda_err_set(err, CDA_E_NOTFOUND,
		    "the following packages are not available from the current channels:\n\n"
		    "  - %s\n\ncurrent channels:\n\n  - %s",
		    spec, list);
	cda_err_data_list(err, "packages", &packages);
	cda_err_data_list(err, "channel_urls", &urls);
	return cda_err_hint(err, "add a channel with -c CHANNEL, or search with '*%s*'", spec);
}

static int search_channels(struct cda_cli *cli, struct cda_context *ctx,
			   const struct search_opts *opts, const char *spec, struct cda_err *err)
{
	CDA_CLEANUP(cda_index_freep) struct cda_index *index = NULL;
	struct cda_records found = {0}, close = {0};
	int rc = cda_look_search(ctx, spec, &index, &found, &close, err);

	if (rc == 0 && found.n == 0 && close.n > 0 && !cda_out_is_json(cli->out)) {
		cda_out_text(cli->out, "No match found for: %s. Search: *%s*\n", spec, spec);
		print_rows(cli, &close);
	} else if (rc == 0 && found.n == 0 && !cda_streq(spec, "*")) {
		rc = not_found(ctx, spec, err);
	} else if (rc == 0 && cda_out_is_json(cli->out)) {
		print_json(cli, &found);
	} else if (rc == 0 && opts->info) {
		cda_vec_each (record, &found)
			print_info(cli, *record);
	} else if (rc == 0) {
		print_rows(cli, &found);
	}
	cda_records_done(&found);
	cda_records_done(&close);
	return rc;
}

static int search_envs(struct cda_cli *cli, struct cda_context *ctx, const char *text,
		       struct cda_err *err)
{
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_arr(doc);
	CDA_AUTOSTRV struct cda_strv prefixes = {0};
	CDA_AUTOBUF struct cda_buf rows = CDA_BUF_INIT, clean = CDA_BUF_INIT;
	int rc = cda_matchspec_parse(ctx->channels, text, &spec, err);

	if (rc < 0)
		return rc;
	cda_look_envs(ctx, &prefixes);
	cda_buf_addf(&rows, "# %-13s %15s %15s  %-20s %-20s\n", "Name", "Version", "Build",
		     "Channel", "Location");
	for (size_t i = 0; i < prefixes.n; i++) {
		struct cda_installed_look look = {0};
		struct cda_err ignored = {0};
		yyjson_mut_val *list = NULL;

		if (cda_look_installed(ctx, prefixes.v[i], false, &look, &ignored) < 0) {
			cda_err_done(&ignored);
			continue;
		}
		cda_vec_each (record, &look.records) {
			CDA_AUTOFREE char *channel = cda_record_channel(*record);

			if (!cda_matchspec_match(spec, *record))
				continue;
			if (!list) {
				yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, root);

				yyjson_mut_obj_add_strcpy(doc, obj, "location", prefixes.v[i]);
				list = yyjson_mut_obj_add_arr(doc, obj, "package_records");
			}
			yyjson_mut_arr_append(list, cda_record_json(doc, *record, true));
			cda_buf_addf(&rows, "%-15s %15s %15s  %-20s %-20s\n", (*record)->name,
				     (*record)->version, (*record)->build, channel, prefixes.v[i]);
		}
		cda_look_installed_done(&look);
	}
	cda_out_clean(&clean, rows.p, true);
	cda_out_puts(cli->out, clean.p);
	cda_out_doc(cli->out, root);
	return 0;
}

static int run_search(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct search_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	const char *spec = words->n > 0 ? words->v[0] : "*";
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0 && words->n > 1)
		rc = cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", words->v[1]);
	if (rc < 0)
		return rc;
	return opts->envs ? search_envs(cli, ctx, spec, err)
			  : search_channels(cli, ctx, opts, spec, err);
}

const struct cda_cmd cda_cmd_search = {.name = "search",
				       .synopsis = "[options] [SPEC]",
				       .summary = "find packages in the channels",
				       .opts = search_opts,
				       .opts_size = sizeof(struct search_opts),
				       .run = run_search,
				       .epilog = "  conda search 'numpy>=2'\n"
						 "  conda search -i conda-forge::pyyaml\n"};
