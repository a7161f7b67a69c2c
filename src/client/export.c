/* An environment as an environment file, and the pip half of one. */
#include "client/envfile.h"
#include "client/look.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/str.h"
#include "util/url.h"

static int add_installed(struct cda_context *ctx, const struct cda_export *how,
			 struct cda_envfile *file, struct cda_strv *found, struct cda_err *err)
{
	struct cda_installed_look look = {0};
	int rc = cda_look_installed(ctx, ctx->prefix, true, &look, err);

	if (rc < 0)
		return rc;
	cda_vec_each (record, &look.records) {
		const struct cda_record *r = *record;

		if (cda_streq(r->channel_name, "pypi")) {
			cda_strv_pushf(&file->pip, "%s==%s", r->name, r->version);
			continue;
		}
		if (how->no_builds)
			cda_strv_pushf(&file->dependencies, "%s=%s", r->name, r->version);
		else
			cda_strv_pushf(&file->dependencies, "%s=%s=%s", r->name, r->version,
				       r->build);
		if (r->channel_name && !cda_strv_has(found, r->channel_name)) {
			CDA_AUTOFREE char *safe = cda_url_safe(r->channel_name);

			cda_strv_push(found, safe);
		}
	}
	cda_look_installed_done(&look);
	return 0;
}

int cda_envfile_of(struct cda_context *ctx, const struct cda_export *how, struct cda_envfile *ret,
		   struct cda_err *err)
{
	struct cda_envfile file = {0};
	CDA_AUTOSTRV struct cda_strv found = {0};
	int rc = how->from_history ? cda_look_requested(ctx, ctx->prefix, &file.dependencies, err)
				   : add_installed(ctx, how, &file, &found, err);

	if (rc == 0) {
		if (how->channels)
			cda_strv_append(&file.channels, how->channels);
		if (!how->ignore_channels && !how->override_channels)
			cda_strv_append(&file.channels, &found);
		if (!how->override_channels) {
			const struct cda_strv *set = cda_settings_channels(ctx->settings);

			for (size_t i = 0; i < set->n; i++) {
				CDA_AUTOFREE char *safe = cda_url_safe(set->v[i]);

				cda_strv_push(&file.channels, safe);
			}
		}
		cda_strv_uniq(&file.channels);
		file.name = cda_context_prefix_name(ctx, ctx->prefix);
		file.prefix = cda_strdup(ctx->prefix);
		rc = cda_envvars_read(ctx->prefix, &file.variables, err);
	}
	for (size_t i = file.variables.n; i-- > 0;) {
		if (cda_ends_with(file.variables.v[i], "=" CDA_VAR_UNSET))
			cda_strv_remove(&file.variables, i);
	}
	if (rc < 0)
		cda_envfile_done(&file);
	else
		*ret = file;
	return rc;
}

int cda_envfile_pip(struct cda_context *ctx, const struct cda_envfile *file, const char *path,
		    struct cda_err *err)
{
	CDA_AUTOFREE char *absolute = cda_path_normal(path, ctx->cwd, ctx->home);
	CDA_AUTOFREE char *cwd = cda_path_dirname(absolute);
	CDA_AUTOFREE char *python = cda_path_join(ctx->prefix, "bin/python");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv env = {0};
	struct cda_shell_opts shell = cda_context_shell(ctx);
	CDA_AUTOACTIVATION struct cda_activation activation = {0};
	const char *argv[] = {python, "-m", "pip", "install", "-U", "-r", "/dev/stdin", NULL};
	struct cda_proc proc = {.argv = argv, .cwd = cwd};
	int status, rc;

	if (file->pip.n == 0)
		return 0;
	if (!cda_fs_is_file(AT_FDCWD, python)) {
		cda_err_set(err, CDA_E_VALUE, "'%s' has a pip list, but the environment no python",
			    path);
		return cda_err_hint(err, "add 'python' and 'pip' to its dependencies");
	}
	for (size_t i = 0; i < file->pip.n; i++)
		cda_buf_addf(&text, "%s\n", file->pip.v[i]);
	rc = cda_activate(&shell, ctx->prefix, false, ".sh", &activation, err);
	if (rc < 0)
		return rc;
	cda_strv_append(&env, &ctx->env);
	cda_activation_apply(&activation, &env);
	proc.env = (const char *const *)cda_strv_argv(&env);
	proc.in = text.p;
	proc.in_len = text.len;
	cda_emit(ctx->events, CDA_EVENT_INFO, "Installing pip dependencies");
	rc = cda_proc_run(&proc, &status, err);
	if (rc < 0)
		return rc;
	if (status != 0)
		return cda_err_set(err, CDA_E_ENVIRONMENT,
				   "pip ended with status %d for the pip list of '%s'", status,
				   path);
	return 0;
}
