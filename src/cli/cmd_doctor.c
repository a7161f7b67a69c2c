/* doctor: are the files of an environment those of its packages? */
#include "cli/cmds.h"
#include "client/look.h"
#include "util/str.h"

struct doctor_opts {
	struct cda_common common;
};

static const struct cda_opt doctor_opts[] = {COMMON_HELP(struct doctor_opts),
					     COMMON_TARGET(struct doctor_opts),
					     COMMON_OUTPUT(struct doctor_opts), OPT_END()};

static void print_text(struct cda_cli *cli, const struct cda_context *ctx,
		       const struct cda_problems *problems)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, clean = CDA_BUF_INIT;
	const char *package = NULL;

	cda_buf_addf(&text, "Environment: %s\n", ctx->prefix);
	cda_vec_each (problem, problems) {
		if (!cda_streq(package, problem->package))
			cda_buf_addf(&text, "%s:\n", problem->package);
		package = problem->package;
		cda_buf_addf(&text, "  %s  %s\n", problem->missing ? "missing" : "altered",
			     problem->path);
	}
	if (problems->n == 0)
		cda_buf_adds(&text, "All files are there, as the packages brought them.\n");
	cda_out_clean(&clean, text.p, true);
	cda_out_puts(cli->out, clean.p);
}

static int run_doctor(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *lists[2];
	struct cda_problems problems = {0};
	int rc;

	if (words->n > 0)
		return cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", words->v[0]);
	rc = cda_cli_context(cli, NULL, &ctx, err);
	if (rc == 0)
		rc = cda_look_problems(ctx, &problems, err);
	if (rc < 0)
		return rc;
	lists[0] = yyjson_mut_obj_add_obj(doc, root, "altered");
	lists[1] = yyjson_mut_obj_add_obj(doc, root, "missing");
	cda_vec_each (problem, &problems) {
		yyjson_mut_val *of = lists[problem->missing];
		yyjson_mut_val *list = yyjson_mut_obj_get(of, problem->package);

		if (!list) {
			list = yyjson_mut_arr(doc);
			yyjson_mut_obj_add(of, yyjson_mut_strcpy(doc, problem->package), list);
		}
		yyjson_mut_arr_add_strcpy(doc, list, problem->path);
	}
	yyjson_mut_obj_add_strcpy(doc, root, "prefix", ctx->prefix);
	yyjson_mut_obj_add_bool(doc, root, "success", problems.n == 0);
	print_text(cli, ctx, &problems);
	cda_out_doc(cli->out, root);
	rc = problems.n > 0;
	cda_look_problems_done(&problems);
	return rc;
}

const struct cda_cmd cda_cmd_doctor = {.name = "doctor",
				       .synopsis = "[-n NAME]",
				       .summary = "look for missing and altered files",
				       .opts = doctor_opts,
				       .opts_size = sizeof(struct doctor_opts),
				       .run = run_doctor};
