/* env list|create|update|export|remove|config vars …, and export. */
#include "cli/change_cmd.h"
#include "cli/plan.h"
#include "client/envfile.h"
#include "client/look.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

struct env_opts {
	struct cda_common common;
	const char *file;
	bool force, prune, no_builds, ignore_channels, from_history, no_default_packages;
};

#define ENV_FILE(text) OPT_TEXT('f', "file", struct env_opts, file, "FILE", text)

static const struct cda_opt list_opts[] = {COMMON_HELP(struct env_opts),
					   COMMON_OUTPUT(struct env_opts), OPT_END()};
static const struct cda_opt create_opts[] = {
	COMMON_HELP(struct env_opts),
	ENV_FILE("environment file [environment.yml]"),
	OPT_FLAG(0, "force", struct env_opts, force, "replace an environment of that name"),
	OPT_FLAG(0, "prune", struct env_opts, prune,
		 "of update: remove what the file does not name"),
	OPT_FLAG(0, "no-default-packages", struct env_opts, no_default_packages, NULL),
	COMMON_TARGET(struct env_opts),
	COMMON_CHANNELS(struct env_opts),
	COMMON_OUTPUT(struct env_opts),
	COMMON_PROMPT(struct env_opts),
	OPT_END()};
static const struct cda_opt export_opts[] = {
	COMMON_HELP(struct env_opts),
	ENV_FILE("write to FILE, not to stdout"),
	OPT_FLAG(0, "no-builds", struct env_opts, no_builds, "without build strings"),
	OPT_FLAG(0, "ignore-channels", struct env_opts, ignore_channels,
		 "without the channels that packages came from"),
	OPT_FLAG(0, "from-history", struct env_opts, from_history,
		 "what was asked for, not what is installed"),
	COMMON_TARGET(struct env_opts),
	OPT_LIST('c', "channel", struct env_opts, common.channels, "CHANNEL",
		 "name this channel first"),
	OPT_FLAG(0, "override-channels", struct env_opts, common.override_channels,
		 "only the channels given with -c"),
	COMMON_OUTPUT(struct env_opts),
	OPT_END()};
static const struct cda_opt remove_opts[] = {
	COMMON_HELP(struct env_opts), COMMON_TARGET(struct env_opts),
	COMMON_OUTPUT(struct env_opts), COMMON_PROMPT(struct env_opts), OPT_END()};

static int run_list(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOSTRV struct cda_strv envs = {0};
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc < 0)
		return rc;
	cda_look_envs(ctx, &envs);
	cda_cli_print_envs(cli, ctx);
	cda_json_add_strv(doc, root, "envs", &envs);
	cda_out_doc(cli->out, root);
	return 0;
}

/* The plan, then the packages: no question, as conda env asks none. */
static int change_env(struct cda_cli *cli, struct cda_context *ctx, const struct cda_envfile *file,
		      enum cda_solve_command command, bool prune, const char *path,
		      struct cda_err *err)
{
	struct cda_change_request request = {
		.command = command, .prune = prune, .no_default_packages = true};
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	CDA_AUTOSTRV struct cda_strv channels = {0};
	CDA_AUTOFREE char *cmd = cda_cli_cmdline(cli);
	struct cda_change_commit how = {.cmd = cmd};
	bool nodefaults = cda_strv_has(&file->channels, "nodefaults");
	int rc;

	cda_strv_append(&request.specs, &file->dependencies);
	if (file->has_pip) {
		bool has = false;

		for (size_t i = 0; i < request.specs.n && !has; i++)
			has = strcspn(request.specs.v[i], " =<>![") == 3 &&
			      cda_starts_with(request.specs.v[i], "pip");
		if (!has) {
			cda_emit(cda_out_events(cli->out), CDA_EVENT_WARNING,
				 "warning: '%s' has a pip list, but its dependencies do not name "
				 "pip: it is added",
				 path);
			cda_strv_push(&request.specs, "pip");
		}
	}
	for (size_t i = 0; i < file->channels.n; i++) {
		if (!cda_streq(file->channels.v[i], "nodefaults"))
			cda_strv_push(&channels, file->channels.v[i]);
	}
	if (!nodefaults && !cli->common->override_channels)
		cda_strv_append(&channels, cda_settings_channels(ctx->settings));
	cda_strv_uniq(&channels);
	request.channels = &channels;
	rc = cda_change_prepare(ctx, &request, cli->common->dry_run, &change, err);
	cda_strv_done(&request.specs);
	/* conda env has a name of its own for it. */
	if (rc == -(int)CDA_E_NOTFOUND)
		err->code = CDA_E_RESOLVE;
	if (rc < 0)
		return -(int)err->code;
	if (cli->common->dry_run) {
		cda_plan_print(cli->out, change, false);
		cda_plan_print_json(cli->out, change, true);
		return 0;
	}
	if (change->is_new || !cda_plan_is_empty(&change->plan))
		rc = cda_change_commit(change, &how, err);
	if (rc == 0)
		rc = cda_envfile_pip(ctx, file, path, err);
	if (rc == 0 && file->variables.n > 0)
		rc = cda_envvars_change(ctx->prefix, &file->variables, err);
	if (rc < 0)
		return rc;
	cda_plan_print_json(cli->out, change, false);
	if (!cda_out_is_quiet(cli->out)) {
		CDA_AUTOFREE char *name = cda_context_prefix_name(ctx, ctx->prefix);

		cda_out_text(cli->out,
			     "#\n# To activate this environment, use\n#\n#     $ conda activate "
			     "%s\n#\n# To deactivate an active environment, use\n#\n"
			     "#     $ conda deactivate\n\n",
			     name);
	}
	return 0;
}

/* -p and -n, then the file's name and prefix. */
static int find_target(struct cda_context *ctx, const struct cda_envfile *file, struct cda_err *err)
{
	char *prefix = NULL;
	int rc = 0;

	if (ctx->prefix_is_named)
		return 0;
	if (file->name)
		rc = cda_context_locate_new(ctx, file->name, &prefix, err);
	else if (file->prefix)
		prefix = cda_path_normal(file->prefix, ctx->cwd, ctx->home);
	if (rc == 0 && prefix)
		cda_replace(&ctx->prefix, prefix);
	return rc;
}

static const char *file_of(const struct env_opts *opts, const struct cda_strv *words)
{
	return opts->file ? opts->file : words->n > 0 ? words->v[0] : "environment.yml";
}

static int read_file(struct cda_cli *cli, const struct env_opts *opts, const struct cda_strv *words,
		     struct cda_context **ret_ctx, struct cda_envfile *ret, struct cda_err *err)
{
	CDA_AUTOFREE char *path = NULL;
	int rc = cda_cli_context(cli, NULL, ret_ctx, err);

	if (rc < 0)
		return rc;
	path = cda_path_normal(file_of(opts, words), (*ret_ctx)->cwd, (*ret_ctx)->home);
	rc = cda_envfile_read(path, ret, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ret->unknown.n; i++)
		cda_emit(cda_out_events(cli->out), CDA_EVENT_WARNING,
			 "warning: '%s': the key '%s' means nothing here and is ignored", path,
			 ret->unknown.v[i]);
	return find_target(*ret_ctx, ret, err);
}

static int make_room(struct cda_context *ctx, bool force, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	CDA_AUTOFREE char *history = cda_path_join(ctx->prefix, "conda-meta/history");
	struct cda_change_commit how = {0};
	int rc;

	if (!cda_fs_exists(AT_FDCWD, history) && !cda_streq(ctx->prefix, ctx->root_prefix))
		return 0;
	if (!force || cda_streq(ctx->prefix, ctx->root_prefix)) {
		cda_err_set(err, CDA_E_VALUE, "prefix already exists: %s", ctx->prefix);
		return cda_err_hint(err, "`conda env update` changes it, -n NAME makes another");
	}
	rc = cda_change_remove_all(ctx, &change, err);
	return rc < 0 ? rc : cda_change_remove_all_commit(change, &how, err);
}

static int run_create(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct env_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	struct cda_envfile file = {0};
	int rc = read_file(cli, opts, words, &ctx, &file, err);

	if (rc == 0)
		rc = make_room(ctx, opts->force, err);
	if (rc == 0)
		rc = change_env(cli, ctx, &file, CDA_SOLVE_CREATE, false, file_of(opts, words),
				err);
	cda_envfile_done(&file);
	return rc;
}

static int run_update(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct env_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOFREE char *history = NULL;
	struct cda_envfile file = {0};
	int rc = read_file(cli, opts, words, &ctx, &file, err);

	if (rc == 0) {
		bool is_there;

		history = cda_path_join(ctx->prefix, "conda-meta/history");
		is_there = cda_fs_exists(AT_FDCWD, history);
		rc = change_env(cli, ctx, &file, is_there ? CDA_SOLVE_INSTALL : CDA_SOLVE_CREATE,
				opts->prune, file_of(opts, words), err);
	}
	cda_envfile_done(&file);
	return rc;
}

static int run_export(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct env_opts *opts = data;
	struct cda_export how = {.from_history = opts->from_history,
				 .no_builds = opts->no_builds,
				 .ignore_channels = opts->ignore_channels,
				 .override_channels = opts->common.override_channels,
				 .channels = &opts->common.channels};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_envfile file = {0};
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc == 0)
		rc = cda_envfile_of(ctx, &how, &file, err);
	if (rc < 0)
		return rc;
	cda_envfile_format(&file, &text);
	if (opts->file)
		rc = cda_fs_replace(AT_FDCWD, opts->file, text.p, text.len, 0666, false, err);
	else
		cda_out_puts(cli->out, text.p);
	if (rc == 0)
		cda_out_doc(cli->out, cda_envfile_json(doc, &file));
	cda_envfile_done(&file);
	return rc;
}

static int run_remove(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	struct cda_change_commit how = {0};
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0 && !ctx->prefix_is_named)
		rc = cda_err_set(err, CDA_E_USAGE,
				 "one of the arguments -n/--name -p/--prefix is "
				 "required");
	if (rc == 0 && cda_streq(ctx->prefix, cda_context_active(ctx)))
		rc = cda_err_set(err, CDA_E_ENVIRONMENT,
				 "cannot remove the active environment. "
				 "deactivate it first");
	if (rc == 0)
		rc = cda_change_remove_all(ctx, &change, err);
	if (rc < 0)
		return rc;
	if (cli->common->dry_run)
		return cda_err_set(err, CDA_E_DRYRUN, "Dry run. Exiting.");
	rc = cda_change_remove_all_commit(change, &how, err);
	if (rc == 0)
		cda_plan_print_json(cli->out, change, false);
	return rc;
}

static int run_vars_list(struct cda_cli *cli, void *data, struct cda_strv *words,
			 struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOSTRV struct cda_strv vars = {0};
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc == 0)
		rc = cda_envvars_read(ctx->prefix, &vars, err);
	for (size_t i = 0; rc == 0 && i < vars.n; i++) {
		const char *eq = strchr(vars.v[i], '=');
		size_t len = (size_t)(eq - vars.v[i]);

		if (cda_streq(eq + 1, CDA_VAR_UNSET))
			continue;
		cda_out_text(cli->out, "%.*s = %s\n", (int)len, vars.v[i], eq + 1);
		yyjson_mut_obj_add(root, yyjson_mut_strncpy(doc, vars.v[i], len),
				   yyjson_mut_strcpy(doc, eq + 1));
	}
	if (rc == 0)
		cda_out_doc(cli->out, root);
	return rc;
}

static int change_vars(struct cda_cli *cli, struct cda_strv *words, bool set, struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc == 0)
		rc = cda_context_need_writable(ctx, err);
	for (size_t i = 0; rc == 0 && i < words->n; i++) {
		if (set != (strchr(words->v[i], '=') != NULL)) {
			cda_err_set(err, CDA_E_VALUE,
				    set ? "'%s' is no NAME=value" : "'%s' is no variable name",
				    words->v[i]);
			rc = -CDA_E_VALUE;
		}
	}
	return rc < 0 ? rc : cda_envvars_change(ctx->prefix, words, err);
}

static int run_vars_set(struct cda_cli *cli, void *data, struct cda_strv *words,
			struct cda_err *err)
{
	return change_vars(cli, words, true, err);
}

static int run_vars_unset(struct cda_cli *cli, void *data, struct cda_strv *words,
			  struct cda_err *err)
{
	return change_vars(cli, words, false, err);
}

#define ENV_CMD(id, n, s, h, o, r)                                                                 \
	static const struct cda_cmd id = {.name = n,                                               \
					  .synopsis = s,                                           \
					  .summary = h,                                            \
					  .opts = o,                                               \
					  .opts_size = sizeof(struct env_opts),                    \
					  .run = r}

ENV_CMD(cmd_list, "list", "[options]", "show the environments", list_opts, run_list);
ENV_CMD(cmd_create, "create", "[-f FILE] [-n NAME]", "make an environment from a file", create_opts,
	run_create);
ENV_CMD(cmd_update, "update", "[-f FILE] [-n NAME]", "change an environment as a file says",
	create_opts, run_update);
ENV_CMD(cmd_export, "export", "[-n NAME]", "write an environment as a file", export_opts,
	run_export);
ENV_CMD(cmd_remove, "remove", "(-n NAME | -p PATH)", "remove an environment", remove_opts,
	run_remove);
ENV_CMD(cmd_vars_list, "list", "[-n NAME]", "show the variables of an environment", remove_opts,
	run_vars_list);
ENV_CMD(cmd_vars_set, "set", "[-n NAME] NAME=VALUE ...", "set variables of an environment",
	remove_opts, run_vars_set);
ENV_CMD(cmd_vars_unset, "unset", "[-n NAME] NAME ...", "unset variables of an environment",
	remove_opts, run_vars_unset);

static const struct cda_cmd *const vars_cmds[] = {&cmd_vars_list, &cmd_vars_set, &cmd_vars_unset,
						  NULL};
static const struct cda_cmd cmd_vars = {.name = "vars",
					.synopsis = "COMMAND",
					.summary = "variables of an environment",
					.subs = vars_cmds};
static const struct cda_cmd *const config_cmds[] = {&cmd_vars, NULL};
static const struct cda_cmd cmd_config = {.name = "config",
					  .synopsis = "vars COMMAND",
					  .summary = "settings of an environment",
					  .subs = config_cmds};
static const struct cda_cmd *const env_cmds[] = {&cmd_list,   &cmd_create, &cmd_update, &cmd_export,
						 &cmd_remove, &cmd_config, NULL};

const struct cda_cmd cda_cmd_env = {.name = "env",
				    .synopsis = "COMMAND",
				    .summary = "environments, and files that describe them",
				    .subs = env_cmds};
const struct cda_cmd cda_cmd_export = {.name = "export",
				       .synopsis = "[-n NAME]",
				       .summary = "write an environment as a file",
				       .opts = export_opts,
				       .opts_size = sizeof(struct env_opts),
				       .run = run_export};
