/* clean: free the space of caches. */
#include "cli/cmds.h"
#include "util/alloc.h"

struct clean_opts {
	struct cda_common common;
	bool all, index, packages, tarballs, force_pkgs_dirs, logfiles;
	struct cda_strv tempfiles;
};

static const struct cda_opt clean_opts[] = {
	COMMON_HELP(struct clean_opts),
	OPT_GROUP("what goes"),
	OPT_FLAG('a', "all", struct clean_opts, all,
		 "index cache, tarballs, unused packages, logs"),
	OPT_FLAG('i', "index-cache", struct clean_opts, index, "cached channel indexes"),
	OPT_FLAG('p', "packages", struct clean_opts, packages,
		 "unpacked packages that no environment is linked to"),
	OPT_FLAG('t', "tarballs", struct clean_opts, tarballs, "downloaded archives"),
	OPT_FLAG('f', "force-pkgs-dirs", struct clean_opts, force_pkgs_dirs,
		 "all unpacked packages, used or not: environments that link to them softly break"),
	OPT_WORDS('c', "tempfiles", struct clean_opts, tempfiles, "PREFIX ...",
		  "temporary files that could not be removed, in these environments"),
	OPT_FLAG('l', "logfiles", struct clean_opts, logfiles, "log files"),
	COMMON_OUTPUT(struct clean_opts),
	COMMON_PROMPT(struct clean_opts),
	OPT_END()};

struct task {
	enum cda_clean_kind kind;
	bool wanted;
	const char *key, *noun; /* of --json; for people */
};

static void add_json(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct task *task,
		     const struct cda_clean_items *items, uint64_t total)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);

	cda_vec_each (item, items) {
		CDA_AUTOFREE char *path = cda_asprintf("%s/%s", item->dir, item->name);

		yyjson_mut_arr_add_strcpy(doc, list, path);
	}
	yyjson_mut_obj_add_val(doc, obj, "files", list);
	yyjson_mut_obj_add_uint(doc, obj, "total_size", total);
	yyjson_mut_obj_add_val(doc, root, task->key, obj);
}

static int clean_one(struct cda_cli *cli, struct cda_context *ctx, struct cda_store *store,
		     const struct task *task, struct cda_clean_items *items, yyjson_mut_doc *doc,
		     yyjson_mut_val *root, struct cda_err *err)
{
	uint64_t total = 0;
	CDA_AUTOFREE char *size = NULL;
	int rc;

	cda_vec_each (item, items)
		total += item->size;
	size = cda_out_bytes((int64_t)total);
	add_json(doc, root, task, items, total);
	if (items->n == 0) {
		cda_out_text(cli->out, "There are no unused %s(s) to remove.\n", task->noun);
		return 0;
	}
	cda_out_text(cli->out, "Will remove %zu (%s) %s(s).\n", items->n, size, task->noun);
	if (cli->common->verbose > 0) {
		cda_vec_each (item, items)
			cda_out_text(cli->out, "  %s/%s\n", item->dir, item->name);
	}
	if (cli->common->dry_run)
		return 0;
	rc = cda_cli_confirm(cli, ctx, err);
	return rc < 0 ? rc : cda_store_clean_remove(store, items, err);
}

static int run_clean(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct clean_opts *opts = data;
	const struct task tasks[] = {
		{CDA_CLEAN_TARBALLS, opts->all || opts->tarballs || opts->force_pkgs_dirs,
		 "tarballs", "tarball"},
		{CDA_CLEAN_INDEX, opts->all || opts->index, "index_cache", "index cache"},
		{CDA_CLEAN_PACKAGES, (opts->all || opts->packages) && !opts->force_pkgs_dirs,
		 "packages", "package"},
		{CDA_CLEAN_TEMPFILES, opts->tempfiles.n > 0 || opts->all, "tempfiles", "tempfile"},
		{CDA_CLEAN_ALL_PACKAGES, opts->force_pkgs_dirs, "pkgs_dirs", "unpacked package"},
		{CDA_CLEAN_LOGS, opts->all || opts->logfiles, "logfiles", "logfile"},
	};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	struct cda_store *store = NULL;
	bool any = false;
	int rc;

	if (words->n > 0)
		return cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", words->v[0]);
	for (size_t i = 0; i < CDA_LEN(tasks); i++)
		any = any || tasks[i].wanted;
	if (!any) {
		cda_err_set(err, CDA_E_USAGE,
			    "At least one removal target must be given. See 'conda clean --help'.");
		return -CDA_E_USAGE;
	}
	rc = cda_cli_context(cli, NULL, &ctx, err);
	if (rc == 0)
		rc = cda_context_store(ctx, &store, err);
	for (size_t i = 0; rc == 0 && i < CDA_LEN(tasks); i++) {
		struct cda_clean_items items = {0};

		if (!tasks[i].wanted)
			continue;
		rc = cda_store_clean_find(store, tasks[i].kind, &items, err);
		for (size_t k = 0;
		     rc == 0 && tasks[i].kind == CDA_CLEAN_TEMPFILES && k < opts->tempfiles.n; k++)
			rc = cda_store_clean_find_in(opts->tempfiles.v[k], &items, err);
		if (rc == 0)
			rc = clean_one(cli, ctx, store, &tasks[i], &items, doc, root, err);
		cda_clean_items_free_all(&items);
	}
	if (rc == 0) {
		yyjson_mut_obj_add_bool(doc, root, "success", true);
		cda_out_doc(cli->out, root);
	}
	return rc;
}

const struct cda_cmd cda_cmd_clean = {.name = "clean",
				      .synopsis = "[options]",
				      .summary = "free the space of caches",
				      .opts = clean_opts,
				      .opts_size = sizeof(struct clean_opts),
				      .run = run_clean,
				      .epilog = "  conda clean -ay\n"};
