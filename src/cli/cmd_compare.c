/* compare: does an environment have what an environment file asks for? */
#include "cli/cmds.h"
#include "client/envfile.h"
#include "client/look.h"
#include "client/pypi.h"
#include "util/alloc.h"
#include "util/fs.h"

struct compare_opts {
	struct cda_common common;
};

static const struct cda_opt compare_opts[] = {COMMON_HELP(struct compare_opts),
					      COMMON_TARGET(struct compare_opts),
					      COMMON_OUTPUT(struct compare_opts), OPT_END()};

/* Appends what is not so; a spec of pip's list is compared by name alone. */
static int compare_one(struct cda_context *ctx, const struct cda_installed_look *look,
		       const char *text, struct cda_strv *lines, struct cda_err *err)
{
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
	const struct cda_record *found = NULL;
	int rc = cda_matchspec_parse(ctx->channels, text, &spec, err);

	if (rc < 0)
		return rc;
	cda_vec_each (record, &look->records)
		if (strcmp((*record)->name, cda_matchspec_name(spec)) == 0)
			found = *record;
	if (!found)
		cda_strv_pushf(lines, "%s: not installed", text);
	else if (!cda_matchspec_match(spec, found))
		cda_strv_pushf(lines, "%s: %s=%s=%s is installed", text, found->name,
			       found->version, found->build);
	return 0;
}

static int compare(struct cda_context *ctx, const char *path, struct cda_strv *lines,
		   struct cda_err *err)
{
	struct cda_installed_look look = {0};
	struct cda_envfile file = {0};
	int rc = cda_envfile_read(path, &file, err);

	if (rc == 0)
		rc = cda_look_installed(ctx, ctx->prefix, true, &look, err);
	for (size_t i = 0; rc == 0 && i < file.dependencies.n; i++)
		rc = compare_one(ctx, &look, file.dependencies.v[i], lines, err);
	for (size_t i = 0; rc == 0 && i < file.pip.n; i++) {
		CDA_AUTOFREE char *name =
			cda_strndup(file.pip.v[i], strcspn(file.pip.v[i], " <>=!~;["));

		cda_pypi_normalize(name);
		/* Options and URLs of pip are no names. */
		if (name[0] && name[0] != '-' && !strpbrk(name, "/:"))
			rc = compare_one(ctx, &look, name, lines, err);
	}
	cda_look_installed_done(&look);
	cda_envfile_done(&file);
	return rc;
}

static int run_compare(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_arr(doc);
	CDA_AUTOSTRV struct cda_strv lines = {0};
	CDA_AUTOBUF struct cda_buf clean = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = NULL;
	int rc;

	if (words->n != 1) {
		cda_err_set(err, CDA_E_USAGE, "one environment file is to be named");
		return cda_err_hint(err, "conda compare -n NAME environment.yml");
	}
	rc = cda_cli_context(cli, NULL, &ctx, err);
	if (rc == 0)
		rc = cda_context_need_prefix(ctx, err);
	if (rc == 0) {
		path = cda_path_normal(words->v[0], ctx->cwd, ctx->home);
		rc = compare(ctx, path, &lines, err);
	}
	if (rc < 0)
		return rc;
	rc = lines.n > 0;
	if (lines.n == 0)
		cda_strv_push(&lines, "The environment has all that the file asks for.");
	for (size_t i = 0; i < lines.n; i++) {
		yyjson_mut_arr_add_strcpy(doc, root, lines.v[i]);
		cda_out_clean(&clean, lines.v[i], false);
		cda_buf_addc(&clean, '\n');
	}
	cda_out_puts(cli->out, clean.p);
	cda_out_doc(cli->out, root);
	return rc;
}

const struct cda_cmd cda_cmd_compare = {.name = "compare",
					.synopsis = "[-n NAME] FILE",
					.summary = "compare an environment with a file",
					.opts = compare_opts,
					.opts_size = sizeof(struct compare_opts),
					.run = run_compare};
