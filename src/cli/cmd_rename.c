/* rename: a copy under the new name, then the old one goes. */
#include "cli/change_cmd.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

struct rename_opts {
	struct cda_common common;
	bool force;
};

static const struct cda_opt rename_opts[] = {
	COMMON_HELP(struct rename_opts),
	OPT_FLAG(0, "force", struct rename_opts, force, "replace an environment of the new name"),
	COMMON_TARGET(struct rename_opts),
	OPT_FLAG(0, "offline", struct rename_opts, common.offline, "do not use the network"),
	COMMON_OUTPUT(struct rename_opts),
	COMMON_PROMPT(struct rename_opts),
	OPT_END()};

static int check(const struct cda_context *ctx, const struct cda_strv *words, struct cda_err *err)
{
	if (words->n != 1)
		return cda_err_set(err, CDA_E_USAGE, "one new name is to be given");
	if (!ctx->prefix_is_named)
		return cda_err_set(err, CDA_E_USAGE,
				   "one of the arguments -n/--name -p/--prefix is required");
	if (cda_streq(ctx->prefix, ctx->root_prefix))
		return cda_err_set(err, CDA_E_ENVIRONMENT,
				   "the base environment cannot be renamed");
	if (cda_streq(ctx->prefix, cda_context_active(ctx))) {
		cda_err_set(err, CDA_E_ENVIRONMENT, "the active environment cannot be renamed");
		return cda_err_hint(err, "`conda deactivate` first");
	}
	return cda_context_need_prefix(ctx, err);
}

/* The environment of the context's prefix as a whole. */
static int remove_env(struct cda_context *ctx, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	struct cda_change_commit how = {0};
	int rc = cda_change_remove_all(ctx, &change, err);

	return rc < 0 ? rc : cda_change_remove_all_commit(change, &how, err);
}

static int copy_env(struct cda_cli *cli, struct cda_context *ctx, const char *from,
		    struct cda_err *err)
{
	struct cda_change_request request = {.command = CDA_SOLVE_CREATE, .clone = from};
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	CDA_AUTOFREE char *cmd = cda_cli_cmdline(cli);
	struct cda_change_commit how = {.cmd = cmd};
	int rc = cda_change_prepare(ctx, &request, false, &change, err);

	return rc < 0 ? rc : cda_change_commit(change, &how, err);
}

static int rename_env(struct cda_cli *cli, struct cda_context *ctx, const char *to, bool force,
		      struct cda_err *err)
{
	CDA_AUTOFREE char *from = cda_strdup(ctx->prefix);
	bool taken = cda_fs_exists(AT_FDCWD, to);
	int rc = 0;

	if (cda_streq(from, to) || (taken && !force)) {
		cda_err_set(err, CDA_E_ENVIRONMENT, "'%s' exists", to);
		return cda_err_hint(err, "choose another name, or replace it with --force");
	}
	if (cli->common->dry_run) {
		cda_out_text(cli->out, "would copy '%s' to '%s'\nwould remove '%s'\n", from, to,
			     from);
		return 0;
	}
	cda_replace(&ctx->prefix, cda_strdup(to));
	if (taken)
		rc = remove_env(ctx, err);
	if (rc == 0)
		rc = copy_env(cli, ctx, from, err);
	if (rc < 0)
		return rc;
	/* Only when the copy is whole. */
	cda_replace(&ctx->prefix, cda_strdup(from));
	return remove_env(ctx, err);
}

static int run_rename(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct rename_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOFREE char *to = NULL;
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0)
		rc = check(ctx, words, err);
	if (rc == 0 && strchr(words->v[0], '/'))
		to = cda_path_normal(words->v[0], ctx->cwd, ctx->home);
	else if (rc == 0)
		rc = cda_context_locate_new(ctx, words->v[0], &to, err);
	if (rc == 0)
		rc = rename_env(cli, ctx, to, opts->force, err);
	if (rc < 0)
		return rc;
	yyjson_mut_obj_add_strcpy(doc, root, "prefix", to);
	yyjson_mut_obj_add_bool(doc, root, "success", true);
	cda_out_doc(cli->out, root);
	return 0;
}

const struct cda_cmd cda_cmd_rename = {.name = "rename",
				       .synopsis = "(-n NAME | -p PATH) NEW_NAME",
				       .summary = "rename an environment",
				       .opts = rename_opts,
				       .opts_size = sizeof(struct rename_opts),
				       .run = run_rename};
