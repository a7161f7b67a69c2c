/* create, install, update, remove: one table for what they share, a few checks each, one change. */
#include "cli/plan.h"
#include "cli/change_cmd.h"

#include "client/specfile.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

#include <dirent.h>

#define CHANGE_SOLVE                                                                               \
	OPT_GROUP("solver"),                                                                       \
		OPT_FLAG(0, "no-deps", struct cda_change_opts, no_deps,                            \
			 "leave dependencies out; a broken environment may be the result"),        \
		OPT_FLAG(0, "only-deps", struct cda_change_opts, only_deps,                        \
			 "only the dependencies of what is named"),                                \
		OPT_FLAG(0, "no-pin", struct cda_change_opts, no_pin, "ignore pinned packages")
#define CHANGE_UPDATE                                                                              \
	OPT_CONST(0, "freeze-installed|no-update-deps", struct cda_change_opts, update,            \
		  1 + CDA_FREEZE_INSTALLED, "do not update or change what is installed"),          \
		OPT_CONST(0, "update-deps", struct cda_change_opts, update, 1 + CDA_UPDATE_DEPS,   \
			  "update dependencies too"),                                              \
		OPT_CONST('S', "satisfied-skip-solve", struct cda_change_opts, update,             \
			  1 + CDA_SPECS_SATISFIED_SKIP,                                            \
			  "do nothing where what is installed satisfies the specs"),               \
		OPT_FLAG(0, "force-reinstall", struct cda_change_opts, force_reinstall,            \
			 "install what is named even if it is there"),                             \
		OPT_FLAG(0, "update-all|all", struct cda_change_opts, all,                         \
			 "update all packages of the environment"),                                \
		OPT_FLAG(0, "prune", struct cda_change_opts, prune,                                \
			 "remove packages that nothing asked for needs")
#define CHANGE_LINK                                                                                \
	OPT_GROUP("files"),                                                                        \
		OPT_FLAG(0, "copy", struct cda_change_opts, copy, "copy files, never link"),       \
		OPT_FLAG(0, "download-only", struct cda_change_opts, download_only,                \
			 "fill the package cache only"),                                           \
		OPT_FLAG(0, "clobber", struct cda_change_opts, clobber,                            \
			 "packages may overwrite files of others without a warning"),              \
		OPT_FLAG(0, "show-channel-urls", struct cda_change_opts, show_channel_urls, NULL), \
		OPT_FLAG('m', "mkdir", struct cda_change_opts, mkdir, NULL),                       \
		OPT_FLAG(0, "dev", struct cda_change_opts, dev, NULL),                             \
		OPT_FLAG(0, "force", struct cda_change_opts, force, NULL),                         \
		OPT_LIST(0, "experimental", struct cda_change_opts, experimental, "X", NULL)
#define CHANGE_FILE                                                                                \
	OPT_LIST(0, "file", struct cda_change_opts, files, "FILE",                                 \
		 "read specs from FILE, one a line; again for more")

static const struct cda_opt create_opts[] = {
	COMMON_HELP(struct cda_change_opts),
	OPT_TEXT(0, "clone", struct cda_change_opts, clone, "ENV",
		 "a copy of this environment (a name or path)"),
	CHANGE_FILE,
	OPT_FLAG(0, "no-default-packages", struct cda_change_opts, no_default_packages,
		 "without the create_default_packages of .condarc"),
	COMMON_TARGET(struct cda_change_opts),
	COMMON_CHANNELS(struct cda_change_opts),
	CHANGE_SOLVE,
	CHANGE_LINK,
	COMMON_OUTPUT(struct cda_change_opts),
	COMMON_PROMPT(struct cda_change_opts),
	OPT_END()};
static const struct cda_opt install_opts[] = {
	COMMON_HELP(struct cda_change_opts),
	CHANGE_FILE,
	OPT_TEXT(0, "revision", struct cda_change_opts, revision, "N",
		 "go back to revision N of `conda list --revisions`"),
	COMMON_TARGET(struct cda_change_opts),
	COMMON_CHANNELS(struct cda_change_opts),
	CHANGE_SOLVE,
	CHANGE_UPDATE,
	CHANGE_LINK,
	COMMON_OUTPUT(struct cda_change_opts),
	COMMON_PROMPT(struct cda_change_opts),
	OPT_END()};
static const struct cda_opt remove_opts[] = {
	COMMON_HELP(struct cda_change_opts),
	OPT_FLAG(0, "all", struct cda_change_opts, all,
		 "remove all packages and the environment itself"),
	OPT_FLAG(0, "keep-env", struct cda_change_opts, keep_env, "with --all: keep it, empty"),
	OPT_FLAG(0, "force-remove|force", struct cda_change_opts, force,
		 "without the packages that depend on it"),
	OPT_FLAG(0, "no-pin", struct cda_change_opts, no_pin, "ignore pinned packages"),
	OPT_FLAG(0, "features", struct cda_change_opts, features, NULL),
	OPT_FLAG(0, "dev", struct cda_change_opts, dev, NULL),
	OPT_LIST(0, "experimental", struct cda_change_opts, experimental, "X", NULL),
	COMMON_TARGET(struct cda_change_opts),
	COMMON_CHANNELS(struct cda_change_opts),
	COMMON_OUTPUT(struct cda_change_opts),
	COMMON_PROMPT(struct cda_change_opts),
	OPT_END()};

/* The command line as history keeps it: the program's own path, then what was typed. */
char *cda_cli_cmdline(const struct cda_cli *cli)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *exe = cda_fs_readlink(AT_FDCWD, "/proc/self/exe");

	cda_buf_adds(&text, exe ? exe : cli->argv[0]);
	for (int i = 1; i < cli->argc; i++) {
		/* History goes wherever the environment goes: without passwords and tokens. */
		CDA_AUTOFREE char *safe = cda_url_safe(cli->argv[i]);

		cda_buf_addf(&text, " %s", safe);
	}
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] < 0x20)
			text.p[i] = ' ';
	}
	return cda_buf_take(&text);
}

static int context_of(struct cda_cli *cli, const struct cda_change_opts *opts,
		      struct cda_context **ret, struct cda_err *err)
{
	CDA_AUTOYAML struct cda_yaml *values = cda_yaml_new(CDA_YAML_MAP);

	if (opts->copy)
		cda_cli_set_bool(values, "always_copy", true);
	if (opts->clobber)
		cda_cli_set_bool(values, "clobber", true);
	if (opts->download_only)
		cda_cli_set_bool(values, "download_only", true);
	return cda_cli_context(cli, values, ret, err);
}

/* Specs of --file and of the line; sets explicit_urls where they are packages. */
static int collect_specs(const struct cda_change_opts *opts, const struct cda_strv *words,
			 struct cda_change_request *request, struct cda_err *err)
{
	size_t n_explicit = 0;

	for (size_t i = 0; i < opts->files.n; i++) {
		const char *file = opts->files.v[i];
		int rc;

		if (cda_ends_with(file, ".yml") || cda_ends_with(file, ".yaml")) {
			cda_err_set(err, CDA_E_VALUE, "'%s' is an environment file", file);
			return cda_err_hint(err,
					    "use `conda env create -f %s` or `conda env update "
					    "-f %s`",
					    file, file);
		}
		rc = cda_specfile_read(file, &request->specs, &request->explicit_urls, err);
		if (rc < 0)
			return rc;
	}
	cda_strv_append(&request->specs, words);
	for (size_t i = 0; i < request->specs.n; i++)
		n_explicit += cda_change_is_explicit(request->specs.v[i]);
	if (n_explicit > 0 && n_explicit < request->specs.n)
		return cda_err_set(err, CDA_E_VALUE,
				   "cannot mix specifications with conda package filenames");
	request->explicit_urls = request->explicit_urls || n_explicit > 0;
	return 0;
}

static void print_how_to_activate(struct cda_cli *cli, const struct cda_context *ctx)
{
	CDA_AUTOFREE char *name = cda_context_prefix_name(ctx, ctx->prefix);

	if (!cda_out_is_quiet(cli->out))
		cda_out_text(
			cli->out,
			"#\n# To activate this environment, use\n#\n#     $ conda activate %s\n"
			"#\n# To deactivate an active environment, use\n#\n"
			"#     $ conda deactivate\n\n",
			name);
}

/* Shows the plan, asks, does it. */
int cda_cli_change(struct cda_cli *cli, struct cda_change *change, bool download_only, bool removed,
		   struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	bool dry = cli->common->dry_run;
	CDA_AUTOFREE char *cmd = cda_cli_cmdline(cli);
	struct cda_change_commit how = {.cmd = cmd, .download_only = download_only};
	bool nothing = cda_plan_is_empty(&change->plan);
	int rc;

	if (nothing && !change->is_new) {
		cda_out_puts(cli->out, "\n# All requested packages already installed.\n\n");
		/* What was asked for is remembered all the same. */
		if (!dry && change->plan.update_specs.n > 0)
			rc = cda_change_commit(change, &how, err);
		else
			rc = 0;
		if (rc == 0)
			cda_plan_print_json(cli->out, change, dry);
		return rc;
	}
	cda_plan_print(cli->out, change, removed);
	if (dry) {
		cda_plan_print_json(cli->out, change, true);
		if (cda_out_is_json(cli->out))
			return 0;
		return cda_err_set(err, CDA_E_DRYRUN, "Dry run. Exiting.");
	}
	rc = nothing ? 0 : cda_cli_confirm(cli, ctx, err);
	if (rc == 0)
		rc = cda_change_commit(change, &how, err);
	if (rc < 0)
		return rc;
	if (download_only && !cda_out_is_json(cli->out))
		return cda_err_set(err, CDA_E_EXITZERO,
				   "Package caches prepared, nothing is linked (--download-only).");
	if (change->command == CDA_SOLVE_CREATE)
		print_how_to_activate(cli, ctx);
	cda_plan_print_json(cli->out, change, false);
	return 0;
}

static int run_change(struct cda_cli *cli, struct cda_context *ctx,
		      const struct cda_change_opts *opts, struct cda_change_request *request,
		      struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	int rc;

	request->deps = opts->no_deps     ? CDA_DEPS_NONE
			: opts->only_deps ? CDA_DEPS_ONLY
					  : CDA_DEPS_ALL;
	if (opts->update > 0)
		request->update = (enum cda_update_modifier)(opts->update - 1);
	request->ignore_pinned = opts->no_pin;
	request->force_reinstall = opts->force_reinstall;
	request->prune = opts->prune;
	rc = cda_change_prepare(ctx, request, cli->common->dry_run, &change, err);
	if (rc < 0)
		return rc;
	return cda_cli_change(cli, change, opts->download_only,
			      request->command == CDA_SOLVE_REMOVE, err);
}

static bool holds_files(const char *dir)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;
	bool found = false;

	while (list && !found && (entry = readdir(list)))
		found = !cda_streq(entry->d_name, ".") && !cda_streq(entry->d_name, "..") &&
			!cda_streq(entry->d_name, "conda-meta");
	if (list)
		closedir(list);
	return found;
}

/* A prefix that is there already is asked about, emptied, and made anew. */
static int make_room(struct cda_cli *cli, struct cda_context *ctx, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	CDA_AUTOFREE char *meta = cda_path_join(ctx->prefix, "conda-meta/history");
	struct cda_change_commit how = {0};
	int rc;

	if (cda_streq(ctx->prefix, ctx->root_prefix) && cda_fs_exists(AT_FDCWD, meta))
		return cda_err_set(err, CDA_E_VALUE,
				   "The target prefix is the base prefix. Aborting.");
	if (cli->common->dry_run)
		return 0;
	if (!cda_fs_exists(AT_FDCWD, meta)) {
		if (!holds_files(ctx->prefix))
			return 0;
		cda_out_text(cli->out,
			     "WARNING: A directory already exists at the target location '%s'\n"
			     "but it is not a conda environment.\n"
			     "Continue creating environment\n",
			     ctx->prefix);
		return cda_cli_confirm_danger(cli, ctx, err);
	}
	cda_out_text(cli->out,
		     "WARNING: A conda environment already exists at '%s'\n"
		     "Remove existing environment, with all that is in its folder\n",
		     ctx->prefix);
	rc = cda_cli_confirm_danger(cli, ctx, err);
	if (rc == 0)
		rc = cda_change_remove_all(ctx, &change, err);
	if (rc == 0)
		rc = cda_change_remove_all_commit(change, &how, err);
	return rc;
}

static int locate_clone(const struct cda_context *ctx, const char *text, char **ret,
			struct cda_err *err)
{
	if (strchr(text, '/')) {
		*ret = cda_path_normal(text, ctx->cwd, ctx->home);
		return 0;
	}
	return cda_context_locate_new(ctx, text, ret, err);
}

static int run_create(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	struct cda_change_opts *opts = data;
	struct cda_change_request request = {.command = CDA_SOLVE_CREATE,
					     .no_default_packages = opts->no_default_packages};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOFREE char *clone = NULL;
	int rc;

	if (!opts->common.name && !opts->common.prefix && !opts->common.dry_run) {
		cda_err_set(err, CDA_E_USAGE,
			    "either -n NAME or -p PREFIX option required,\n"
			    "       try \"conda create -h\" for more details");
		return -CDA_E_USAGE;
	}
	rc = context_of(cli, opts, &ctx, err);
	if (rc == 0)
		rc = collect_specs(opts, words, &request, err);
	if (rc == 0 && opts->clone && request.specs.n > 0)
		rc = cda_err_set(err, CDA_E_VALUE,
				 "did not expect any arguments for --clone, got: %s",
				 request.specs.v[0]);
	if (rc == 0 && opts->clone)
		rc = locate_clone(ctx, opts->clone, &clone, err);
	if (rc == 0)
		rc = make_room(cli, ctx, err);
	if (rc == 0) {
		request.clone = clone;
		rc = run_change(cli, ctx, opts, &request, err);
	}
	cda_strv_done(&request.specs);
	return rc;
}

static int run_install(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	struct cda_change_opts *opts = data;
	struct cda_change_request request = {.command = opts->all ? CDA_SOLVE_UPDATE_ALL
								  : CDA_SOLVE_INSTALL,
					     .dists_of = opts->revision};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	int rc = context_of(cli, opts, &ctx, err);

	if (rc == 0)
		rc = collect_specs(opts, words, &request, err);
	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc == 0 && request.specs.n == 0 && !opts->revision && !opts->all) {
		rc = cda_err_set(
			err, CDA_E_VALUE,
			"too few arguments, must supply command line package specs or --file");
	}
	if (rc == 0)
		rc = run_change(cli, ctx, opts, &request, err);
	cda_strv_done(&request.specs);
	return rc;
}

static int run_update(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	struct cda_change_opts *opts = data;
	struct cda_change_request request = {.command = opts->all ? CDA_SOLVE_UPDATE_ALL
								  : CDA_SOLVE_UPDATE};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	int rc = context_of(cli, opts, &ctx, err);

	if (rc == 0)
		rc = collect_specs(opts, words, &request, err);
	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc == 0 && request.specs.n == 0 && !opts->all)
		rc = cda_err_set(
			err, CDA_E_VALUE,
			"no package names supplied\n# Example: conda update -n myenv scipy");
	for (size_t i = 0; rc == 0 && i < request.specs.n && !request.explicit_urls; i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;

		rc = cda_matchspec_parse(ctx->channels, request.specs.v[i], &spec, err);
		if (rc < 0)
			rc = cda_change_bad_spec(request.specs.v[i], err);
		if (rc == 0 && !cda_matchspec_is_name_only(spec))
			rc = cda_err_set(err, CDA_E_GENERAL,
					 "Invalid spec for 'conda update': %s\n"
					 "Use 'conda install' instead.",
					 request.specs.v[i]);
	}
	if (rc == 0)
		rc = run_change(cli, ctx, opts, &request, err);
	cda_strv_done(&request.specs);
	return rc;
}

static int remove_all(struct cda_cli *cli, struct cda_context *ctx,
		      const struct cda_change_opts *opts, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = NULL;
	CDA_AUTOFREE char *cmd = cda_cli_cmdline(cli);
	struct cda_change_commit how = {.cmd = cmd};
	int rc;

	if (cda_streq(ctx->prefix, ctx->root_prefix) ||
	    cda_streq(ctx->prefix, cda_context_active(ctx))) {
		cda_err_set(err, CDA_E_ENVIRONMENT,
			    "cannot remove current environment. deactivate "
			    "and run conda remove again");
		return -CDA_E_ENVIRONMENT;
	}
	rc = cda_change_remove_all(ctx, &change, err);
	if (rc < 0)
		return rc;
	cda_out_text(cli->out, "\nRemove all packages in environment %s:\n\n", ctx->prefix);
	if (!cda_plan_is_empty(&change->plan))
		cda_plan_print(cli->out, change, true);
	if (cli->common->dry_run) {
		cda_plan_print_json(cli->out, change, true);
		return cda_out_is_json(cli->out)
			       ? 0
			       : cda_err_set(err, CDA_E_DRYRUN, "Dry run. Exiting.");
	}
	rc = cda_cli_confirm(cli, ctx, err);
	if (rc == 0 && opts->keep_env)
		rc = cda_change_commit(change, &how, err);
	else if (rc == 0)
		rc = cda_change_remove_all_commit(change, &how, err);
	if (rc == 0)
		cda_plan_print_json(cli->out, change, false);
	return rc;
}

static int run_remove(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	struct cda_change_opts *opts = data;
	struct cda_change_request request = {.command = CDA_SOLVE_REMOVE,
					     .force_remove = opts->force};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	int rc = context_of(cli, opts, &ctx, err);

	if (rc < 0)
		return rc;
	if (!opts->all && words->n == 0) {
		cda_err_set(err, CDA_E_VALUE,
			    "no package names supplied,\n"
			    "       try \"conda remove -h\" for more details");
		return -CDA_E_VALUE;
	}
	rc = cda_context_need_prefix(ctx, err);
	/* Where there is no environment, there are no packages: so conda tells it. */
	if (rc == -(int)CDA_E_NOENV && !opts->all) {
		cda_err_done(err);
		rc = cda_err_set(err, CDA_E_NOTFOUND,
				 "packages are missing from the target environment, which is not "
				 "there: %s",
				 ctx->prefix);
		cda_err_data_list(err, "packages", words);
	}
	if (rc < 0)
		return rc;
	if (opts->all)
		return remove_all(cli, ctx, opts, err);
	cda_strv_append(&request.specs, words);
	rc = run_change(cli, ctx, opts, &request, err);
	cda_strv_done(&request.specs);
	return rc;
}

#define CHANGE(n, s, h, o, r, e)                                                                   \
	{                                                                                          \
		.name = n, .synopsis = s, .summary = h, .opts = o,                                 \
		.opts_size = sizeof(struct cda_change_opts), .run = r, .epilog = e                 \
	}

const struct cda_cmd cda_cmd_create = CHANGE("create", "(-n NAME | -p PATH) [options] [SPEC ...]",
					     "make a new environment", create_opts, run_create,
					     "  conda create -n work python=3.13 numpy\n"
					     "  conda create -p ./env --file specs.txt\n");
const struct cda_cmd cda_cmd_install =
	CHANGE("install", "[options] SPEC ...", "add packages to an environment", install_opts,
	       run_install,
	       "  conda install -n work 'numpy>=2' pyyaml\n"
	       "  conda install ./package-1.0-0.conda\n");
const struct cda_cmd cda_cmd_update =
	CHANGE("update|upgrade", "[options] NAME ... | --all", "bring packages up to date",
	       install_opts, run_update, "  conda update -n work --all\n");
const struct cda_cmd cda_cmd_remove =
	CHANGE("remove|uninstall", "[options] NAME ... | --all",
	       "take packages out of an environment, or remove it", remove_opts, run_remove,
	       "  conda remove -n work numpy\n  conda remove -n work --all\n");
