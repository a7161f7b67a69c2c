/* info: what this conda is, where it keeps things, which environments there are. */
#include "cli/cmds.h"
#include "client/look.h"
#include "config/condarc.h"
#include "config/env.h"
#include "core/platform.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

struct info_opts {
	struct cda_common common;
	bool all, envs, base, vars, unsafe_channels, license;
};

static const struct cda_opt info_opts[] = {
	COMMON_HELP(struct info_opts),
	OPT_FLAG('a', "all", struct info_opts, all, "everything"),
	OPT_FLAG(0, "base", struct info_opts, base, "path of the base environment"),
	OPT_FLAG('e', "envs", struct info_opts, envs, "known environments"),
	OPT_FLAG('s', "system", struct info_opts, vars, "variables that matter"),
	OPT_FLAG(0, "unsafe-channels", struct info_opts, unsafe_channels,
		 "the channels, with credentials"),
	OPT_FLAG('l', "license", struct info_opts, license, NULL),
	COMMON_OUTPUT(struct info_opts),
	OPT_END()};

/* "# conda environments:" with the active one starred. */
void cda_cli_print_envs(struct cda_cli *cli, const struct cda_context *ctx)
{
	CDA_AUTOSTRV struct cda_strv prefixes = {0};
	const char *active = cda_context_active(ctx);

	cda_look_envs(ctx, &prefixes);
	cda_out_puts(cli->out, "# conda environments:\n#\n");
	for (size_t i = 0; i < prefixes.n; i++) {
		CDA_AUTOFREE char *name = cda_context_prefix_name(ctx, prefixes.v[i]);
		bool here = active && cda_streq(active, prefixes.v[i]);

		cda_out_text(cli->out, "%-20s  %c  %s\n",
			     cda_streq(name, prefixes.v[i]) ? "" : name, here ? '*' : ' ',
			     prefixes.v[i]);
	}
	cda_out_puts(cli->out, "\n");
}

static yyjson_mut_val *text_or_null(yyjson_mut_doc *doc, const char *text)
{
	return text ? yyjson_mut_strcpy(doc, text) : yyjson_mut_null(doc);
}

static void add_vars(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct cda_context *ctx)
{
	static const char *const names[] = {"CIO_TEST", "CURL_CA_BUNDLE",     "LD_PRELOAD",
					    "PATH",     "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"};

	for (size_t i = 0; i < CDA_LEN(names); i++) {
		const char *value = cda_env_get(&ctx->env, names[i]);

		yyjson_mut_obj_add_strcpy(doc, obj, names[i], value ? value : "<not set>");
	}
	for (size_t i = 0; i < ctx->env.n; i++) {
		const char *line = ctx->env.v[i], *eq = strchr(line, '=');
		bool ours =
			eq && (cda_starts_with(line, "CONDA") || cda_starts_with(line, "_CONDA"));

		if (ours) {
			yyjson_mut_val *key = yyjson_mut_strncpy(doc, line, (size_t)(eq - line));
			/* Tokens are no business of whoever reads a report. */
			bool secret = strstr(line, "TOKEN") && strstr(line, "TOKEN") < eq;

			yyjson_mut_obj_add(obj, key,
					   yyjson_mut_strcpy(doc, secret ? "<set>" : eq + 1));
		}
	}
}

static void add_virtual(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct cda_context *ctx)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_records records = {0};

	cda_context_virtual(ctx, arena, &records);
	cda_vec_each (record, &records) {
		yyjson_mut_val *row = yyjson_mut_arr_add_arr(doc, list);

		yyjson_mut_arr_add_strcpy(doc, row, (*record)->name);
		yyjson_mut_arr_add_strcpy(doc, row, (*record)->version);
		yyjson_mut_arr_add_strcpy(doc, row, (*record)->build);
	}
	cda_records_done(&records);
}

static int make_doc(struct cda_context *ctx, yyjson_mut_doc *doc, yyjson_mut_val *root,
		    struct cda_err *err)
{
	const struct cda_settings *s = ctx->settings;
	struct cda_settings_input input = {.env = &ctx->env,
					   .root_prefix = ctx->root_prefix,
					   .home = ctx->home,
					   .cwd = ctx->cwd};
	const char *active = cda_context_active(ctx), *netrc = cda_env_get(&ctx->env, "NETRC");
	CDA_AUTOFREE char *active_name = active ? cda_context_prefix_name(ctx, active) : NULL;
	CDA_AUTOFREE char *user_rc = cda_condarc_user_path(&input);
	CDA_AUTOFREE char *system_rc = cda_condarc_system_path(&input);
	CDA_AUTOFREE char *av = cda_path_join(ctx->root_prefix, "etc/conda");
	CDA_AUTOFREE char *python = cda_path_join(ctx->root_prefix, "bin/python");
	CDA_AUTOSTRV struct cda_strv urls = {0}, envs = {0};
	const char *shlvl = cda_env_get(&ctx->env, "CONDA_SHLVL");
	int64_t level = -1;
	int rc = cda_look_channel_urls(ctx, NULL, false, &urls, err);

	if (rc < 0)
		return rc;
	cda_look_envs(ctx, &envs);
	if (shlvl)
		(void)cda_parse_int(shlvl, 0, 1000, &level);
	yyjson_mut_obj_add_uint(doc, root, "UID", geteuid());
	yyjson_mut_obj_add_uint(doc, root, "GID", getegid());
	yyjson_mut_obj_add_val(doc, root, "active_prefix", text_or_null(doc, active));
	yyjson_mut_obj_add_val(doc, root, "active_prefix_name", text_or_null(doc, active_name));
	yyjson_mut_obj_add_strcpy(doc, root, "av_data_dir", av);
	yyjson_mut_obj_add_null(doc, root, "av_metadata_url_base");
	cda_json_add_strv(doc, root, "channels", &urls);
	yyjson_mut_obj_add_str(doc, root, "conda_build_version", "not installed");
	yyjson_mut_obj_add_str(doc, root, "conda_env_version", CDA_VERSION);
	yyjson_mut_obj_add_strcpy(doc, root, "conda_location", ctx->root_prefix);
	yyjson_mut_obj_add_strcpy(doc, root, "conda_prefix", ctx->root_prefix);
	yyjson_mut_obj_add_sint(doc, root, "conda_shlvl", level);
	yyjson_mut_obj_add_str(doc, root, "conda_version", CDA_VERSION);
	cda_json_add_strv(doc, root, "config_files", cda_settings_files(s));
	yyjson_mut_obj_add_strcpy(doc, root, "default_prefix", ctx->prefix);
	add_vars(doc, yyjson_mut_obj_add_obj(doc, root, "env_vars"), ctx);
	cda_json_add_strv(doc, root, "envs", &envs);
	cda_json_add_strv(doc, root, "envs_dirs", cda_settings_envs_dirs(s));
	yyjson_mut_obj_add_val(doc, root, "netrc_file", text_or_null(doc, netrc));
	yyjson_mut_obj_add_bool(doc, root, "offline", cda_settings_bool(s, CDA_SET_offline));
	cda_json_add_strv(doc, root, "pkgs_dirs", cda_settings_pkgs_dirs(s));
	yyjson_mut_obj_add_strcpy(doc, root, "platform", cda_settings_str(s, CDA_SET_subdir));
	yyjson_mut_obj_add_str(doc, root, "python_version", "none: conda is one static program");
	yyjson_mut_obj_add_strcpy(doc, root, "rc_path", user_rc);
	yyjson_mut_obj_add_str(doc, root, "requests_version", "none");
	yyjson_mut_obj_add_strcpy(doc, root, "root_prefix", ctx->root_prefix);
	yyjson_mut_obj_add_bool(doc, root, "root_writable",
				cda_fs_dir_is_writable(ctx->root_prefix));
	yyjson_mut_obj_add_arr(doc, root, "site_dirs");
	yyjson_mut_obj_add_strcpy(doc, root, "sys.executable", python);
	yyjson_mut_obj_add_strcpy(doc, root, "sys.prefix", ctx->root_prefix);
	yyjson_mut_obj_add_str(doc, root, "sys.version", "none: conda is one static program");
	yyjson_mut_obj_add_strcpy(doc, root, "sys_rc_path", system_rc);
	yyjson_mut_obj_add_strcpy(doc, root, "user_agent", cda_context_user_agent(ctx));
	yyjson_mut_obj_add_strcpy(doc, root, "user_rc_path", user_rc);
	add_virtual(doc, yyjson_mut_obj_add_arr(doc, root, "virtual_pkgs"), ctx);
	return 0;
}

/* The same facts for people: title, and a value or a list of them. */
static void print_row(struct cda_cli *cli, const char *title, yyjson_mut_val *value)
{
	if (yyjson_mut_is_arr(value)) {
		yyjson_mut_arr_iter iter;
		yyjson_mut_val *item;

		if (yyjson_mut_arr_size(value) == 0)
			cda_out_text(cli->out, "%24s : none\n", title);
		yyjson_mut_arr_iter_init(value, &iter);
		while ((item = yyjson_mut_arr_iter_next(&iter))) {
			if (yyjson_mut_is_arr(item))
				cda_out_text(cli->out, "%24s : %s=%s=%s\n", title,
					     yyjson_mut_get_str(yyjson_mut_arr_get(item, 0)),
					     yyjson_mut_get_str(yyjson_mut_arr_get(item, 1)),
					     yyjson_mut_get_str(yyjson_mut_arr_get(item, 2)));
			else
				cda_out_text(cli->out, "%24s : %s\n", title,
					     yyjson_mut_get_str(item));
			title = "";
		}
	} else if (yyjson_mut_is_bool(value)) {
		cda_out_text(cli->out, "%24s : %s\n", title,
			     yyjson_mut_get_bool(value) ? "True" : "False");
	} else if (yyjson_mut_is_int(value)) {
		cda_out_text(cli->out, "%24s : %lld\n", title,
			     (long long)yyjson_mut_get_sint(value));
	} else {
		cda_out_text(cli->out, "%24s : %s\n", title,
			     yyjson_mut_is_str(value) ? yyjson_mut_get_str(value) : "None");
	}
}

static void print_facts(struct cda_cli *cli, yyjson_mut_val *root)
{
	static const char *const rows[][2] = {
		{"active_prefix_name", "active environment"},
		{"active_prefix", "active env location"},
		{"conda_shlvl", "shell level"},
		{"user_rc_path", "user config file"},
		{"config_files", "populated config files"},
		{"conda_version", "conda version"},
		{"virtual_pkgs", "virtual packages"},
		{"root_prefix", "base environment"},
		{"root_writable", "base is writable"},
		{"channels", "channel URLs"},
		{"pkgs_dirs", "package cache"},
		{"envs_dirs", "envs directories"},
		{"platform", "platform"},
		{"user_agent", "user-agent"},
		{"netrc_file", "netrc file"},
		{"offline", "offline mode"},
	};

	cda_out_puts(cli->out, "\n");
	for (size_t i = 0; i < CDA_LEN(rows); i++)
		print_row(cli, rows[i][1], yyjson_mut_obj_get(root, rows[i][0]));
	cda_out_text(cli->out, "%24s : %u:%u\n\n", "UID:GID", (unsigned)geteuid(),
		     (unsigned)getegid());
}

static void print_vars(struct cda_cli *cli, yyjson_mut_val *root)
{
	yyjson_mut_val *vars = yyjson_mut_obj_get(root, "env_vars"), *key;
	yyjson_mut_obj_iter iter;

	yyjson_mut_obj_iter_init(vars, &iter);
	while ((key = yyjson_mut_obj_iter_next(&iter)))
		cda_out_text(cli->out, "%s: %s\n", yyjson_mut_get_str(key),
			     yyjson_mut_get_str(yyjson_mut_obj_iter_get_val(key)));
	cda_out_puts(cli->out, "\n");
}

static int print_unsafe(struct cda_cli *cli, const struct cda_context *ctx)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	const struct cda_strv *channels = cda_settings_channels(ctx->settings);

	for (size_t i = 0; i < channels->n; i++)
		cda_out_text(cli->out, "%s\n", channels->v[i]);
	cda_json_add_strv(doc, root, "channels", channels);
	cda_out_doc(cli->out, root);
	return 0;
}

static int print_base(struct cda_cli *cli, const struct cda_context *ctx)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	cda_out_text(cli->out, "%s\n", ctx->root_prefix);
	yyjson_mut_obj_add_strcpy(doc, root, "root_prefix", ctx->root_prefix);
	cda_out_doc(cli->out, root);
	return 0;
}

static int run_info(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct info_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	int rc;

	if (words->n > 0)
		return cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", words->v[0]);
	rc = cda_cli_context(cli, NULL, &ctx, err);
	if (rc < 0)
		return rc;
	if (opts->unsafe_channels)
		return print_unsafe(cli, ctx);
	if (opts->base)
		return print_base(cli, ctx);
	rc = make_doc(ctx, doc, root, err);
	if (rc < 0)
		return rc;
	if (opts->all || (!opts->envs && !opts->vars))
		print_facts(cli, root);
	if (opts->all || opts->envs)
		cda_cli_print_envs(cli, ctx);
	if (opts->all || opts->vars)
		print_vars(cli, root);
	cda_out_doc(cli->out, root);
	return 0;
}

const struct cda_cmd cda_cmd_info = {.name = "info",
				     .synopsis = "[options]",
				     .summary = "what this conda is and where it keeps things",
				     .opts = info_opts,
				     .opts_size = sizeof(struct info_opts),
				     .run = run_info};
