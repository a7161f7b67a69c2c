/* config: read and edit .condarc files; the config layer has the texts. */
#include "cli/cmds.h"
#include "config/condarc.h"
#include "config/show.h"
#include "util/alloc.h"
#include "util/fs.h"

#include <errno.h>

struct config_opts {
	struct cda_common common;
	bool system_wide, env, show_sources, validate, write_default, stdin_;
	const char *file;
	bool show, describe, get;
	struct cda_strv prepend, append, set, remove, remove_key;
};

/* --show, --describe and --get take names or none at all: words that follow them. */
static const struct cda_opt config_opts[] = {
	COMMON_HELP(struct config_opts),
	OPT_GROUP("file"),
	OPT_FLAG(0, "system", struct config_opts, system_wide, "the file of the installation"),
	OPT_FLAG(0, "env", struct config_opts, env, "the file of the active environment"),
	OPT_TEXT(0, "file", struct config_opts, file, "FILE", "this file [~/.condarc]"),
	OPT_GROUP("look"),
	OPT_FLAG(0, "show", struct config_opts, show, "values in effect: of the KEYs, or all"),
	OPT_FLAG(0, "show-sources", struct config_opts, show_sources,
		 "which file or variable says what"),
	OPT_FLAG(0, "validate", struct config_opts, validate, "check all files"),
	OPT_FLAG(0, "describe", struct config_opts, describe, "what the KEYs mean"),
	OPT_FLAG(0, "get", struct config_opts, get, "what the file says"),
	OPT_GROUP("change"),
	OPT_FLAG(0, "write-default", struct config_opts, write_default,
		 "write a file in which every key is explained"),
	OPT_PAIR(0, "prepend|add", struct config_opts, prepend, "KEY VALUE",
		 "put a value first in a list"),
	OPT_PAIR(0, "append", struct config_opts, append, "KEY VALUE",
		 "put a value last in a list"),
	OPT_PAIR(0, "set", struct config_opts, set, "KEY VALUE", "set a value"),
	OPT_PAIR(0, "remove", struct config_opts, remove, "KEY VALUE",
		 "take a value out of a list"),
	OPT_LIST(0, "remove-key", struct config_opts, remove_key, "KEY", "take a key out"),
	OPT_FLAG(0, "stdin", struct config_opts, stdin_, "read keys and values from stdin"),
	OPT_FLAG('f', "force", struct config_opts, common.yes, NULL),
	COMMON_OUTPUT(struct config_opts),
	OPT_GROUP("target environment"),
	OPT_TEXT('n', "name", struct config_opts, common.name, "NAME", NULL),
	OPT_TEXT('p', "prefix", struct config_opts, common.prefix, "PATH", NULL),
	OPT_END()};

static struct cda_settings_input input_of(const struct cda_context *ctx)
{
	return (struct cda_settings_input){.env = &ctx->env,
					   .root_prefix = ctx->root_prefix,
					   .home = ctx->home,
					   .cwd = ctx->cwd};
}

/* The file that the command works on; owned. Works without readable settings, so that a broken
 * file can be mended. */
static char *file_of(const struct config_opts *opts, const struct cda_context *ctx)
{
	struct cda_settings_input input = input_of(ctx);

	if (opts->file)
		return cda_path_normal(opts->file, ctx->cwd, ctx->home);
	if (opts->system_wide)
		return cda_condarc_system_path(&input);
	if (opts->env && ctx->prefix_is_named)
		return cda_path_join(ctx->prefix, ".condarc");
	if (opts->env)
		return cda_condarc_env_path(&input);
	return cda_condarc_user_path(&input);
}

static void warn(struct cda_cli *cli, const struct cda_strv *warnings)
{
	for (size_t i = 0; i < warnings->n; i++)
		cda_emit(cda_out_events(cli->out), CDA_EVENT_WARNING, "warning: %s",
			 warnings->v[i]);
}

static int show(struct cda_cli *cli, const struct cda_context *ctx, const struct cda_strv *names,
		struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_mut_val *root = NULL;
	int rc = cda_config_show(ctx->settings, names, &text, err);

	if (rc == 0)
		rc = cda_config_show_json(ctx->settings, names, doc, &root, err);
	if (rc < 0)
		return rc;
	cda_out_puts(cli->out, text.p);
	cda_out_doc(cli->out, root);
	return 0;
}

static int show_sources(struct cda_cli *cli, const struct cda_context *ctx)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_config_show_sources(ctx->settings, &text);
	cda_out_puts(cli->out, text.p);
	cda_out_doc(cli->out, cda_config_show_sources_json(ctx->settings, doc));
	return 0;
}

static int describe(struct cda_cli *cli, const struct cda_strv *names, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_mut_val *root = NULL;
	int rc = cda_config_describe(names, &text, err);

	if (rc == 0)
		rc = cda_config_describe_json(names, doc, &root, err);
	if (rc < 0)
		return rc;
	cda_out_puts(cli->out, text.p);
	cda_out_doc(cli->out, root);
	return 0;
}

/* {"rc_path", "success", "warnings", and with --get "get"}: what tools read after an edit. */
static void print_done(struct cda_cli *cli, const char *path, const struct cda_strv *warnings,
		       const struct cda_condarc *rc, const struct cda_strv *get)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	if (get)
		yyjson_mut_obj_add_val(doc, root, "get", cda_condarc_get_json(doc, rc, get));
	yyjson_mut_obj_add_strcpy(doc, root, "rc_path", path);
	yyjson_mut_obj_add_bool(doc, root, "success", true);
	cda_json_add_strv(doc, root, "warnings", warnings);
	cda_out_doc(cli->out, root);
}

static int get(struct cda_cli *cli, const char *path, const struct cda_strv *names,
	       struct cda_err *err)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *rc = NULL;
	CDA_AUTOSTRV struct cda_strv warnings = {0};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int status = cda_condarc_read(path, &rc, err);

	if (status < 0)
		return status;
	cda_condarc_get(rc, names, &text, &warnings);
	if (!cda_out_is_json(cli->out))
		warn(cli, &warnings);
	cda_out_puts(cli->out, text.p);
	print_done(cli, path, &warnings, rc, names);
	return 0;
}

static int read_stdin(struct cda_condarc *rc, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	char chunk[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR && !cda_interrupted)
			continue;
		if (n < 0)
			return cda_err_sys(err, errno, "cannot read the standard input");
		if (text.len + (size_t)n > CDA_YAML_MAX_BYTES)
			return cda_err_set(err, CDA_E_VALUE, "the text on stdin is too long");
		cda_buf_add(&text, chunk, (size_t)n);
	}
	return cda_condarc_merge(rc, text.p, text.len, err);
}

static int edit(struct cda_cli *cli, const struct config_opts *opts, const char *path,
		struct cda_err *err)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *rc = NULL;
	CDA_AUTOSTRV struct cda_strv warnings = {0};
	const struct {
		enum cda_condarc_op op;
		const struct cda_strv *pairs;
		size_t step;
	} edits[] = {
		{CDA_RC_PREPEND, &opts->prepend, 2},
		{CDA_RC_APPEND, &opts->append, 2},
		{CDA_RC_SET, &opts->set, 2},
		{CDA_RC_REMOVE, &opts->remove, 2},
		{CDA_RC_REMOVE_KEY, &opts->remove_key, 1},
	};
	int status = cda_condarc_read(path, &rc, err);

	if (status == 0 && opts->stdin_)
		status = read_stdin(rc, err);
	for (size_t i = 0; status == 0 && i < CDA_LEN(edits); i++) {
		const struct cda_strv *list = edits[i].pairs;

		for (size_t k = 0; status == 0 && k + edits[i].step <= list->n; k += edits[i].step)
			status = cda_condarc_edit(rc, edits[i].op, list->v[k],
						  edits[i].step == 2 ? list->v[k + 1] : NULL,
						  &warnings, err);
	}
	if (status == 0) {
		status = cda_condarc_write(rc, err);
		if (status == -(int)CDA_E_SYS)
			err->code = CDA_E_GENERAL;
	}
	if (status < 0)
		return -(int)err->code;
	if (!cda_out_is_json(cli->out))
		warn(cli, &warnings);
	print_done(cli, path, &warnings, rc, NULL);
	return 0;
}

static int write_default(struct cda_cli *cli, const char *path, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc;

	if (cda_fs_exists(AT_FDCWD, path)) {
		cda_err_set(err, CDA_E_VALUE, "'%s' exists", path);
		return cda_err_hint(err, "name another file with --file");
	}
	cda_config_write_default(&text);
	rc = cda_fs_replace(AT_FDCWD, path, text.p, text.len, 0666, false, err);
	if (rc == 0)
		cda_out_text(cli->out, "wrote %s\n", path);
	return rc;
}

static int run_config(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct config_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOFREE char *path = NULL;
	bool edits = opts->prepend.n + opts->append.n + opts->set.n + opts->remove.n +
				     opts->remove_key.n >
			     0 ||
		     opts->stdin_;
	bool looks = opts->show || opts->show_sources || opts->validate || opts->describe;
	int rc;

	if (!edits && !looks && !opts->get && !opts->write_default) {
		cda_err_set(err, CDA_E_USAGE,
			    "one of the arguments --show --show-sources "
			    "--validate --describe --get --set --add --append "
			    "--remove --remove-key --stdin is required");
		return cda_err_hint(err, "`conda config --help` explains them");
	}
	if (words->n > 0 && !opts->show && !opts->describe && !opts->get)
		return cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", words->v[0]);
	if (opts->describe)
		return describe(cli, words, err);
	rc = edits || opts->get ? cda_cli_context_without_files(cli, &ctx, err)
				: cda_cli_context(cli, NULL, &ctx, err);
	if (rc < 0)
		return rc;
	path = file_of(opts, ctx);
	if (opts->show)
		return show(cli, ctx, words, err);
	if (opts->show_sources)
		return show_sources(cli, ctx);
	if (opts->validate)
		return 0;
	if (opts->get)
		return get(cli, path, words, err);
	if (opts->write_default)
		return write_default(cli, path, err);
	return edit(cli, opts, path, err);
}

const struct cda_cmd cda_cmd_config = {.name = "config",
				       .synopsis = "[options] [KEY ...]",
				       .summary = "read and edit .condarc files",
				       .opts = config_opts,
				       .opts_size = sizeof(struct config_opts),
				       .run = run_config,
				       .epilog = "  conda config --show channels\n"
						 "  conda config --add channels conda-forge\n"
						 "  conda config --set channel_priority strict\n"};
