/* run: a program in an environment. */
#include "cli/cmds.h"
#include "client/run.h"
#include "util/alloc.h"

struct run_opts {
	struct cda_common common;
	const char *cwd;
	bool no_capture, live, dev, debug_scripts;
};

static const struct cda_opt run_opts[] = {
	COMMON_HELP(struct run_opts),
	OPT_TEXT(0, "cwd", struct run_opts, cwd, "PATH", "folder to run in"),
	OPT_FLAG(0, "no-capture-output|live-stream", struct run_opts, no_capture,
		 "accepted: output is never captured"),
	OPT_FLAG('s', "live", struct run_opts, live, NULL),
	OPT_FLAG(0, "dev", struct run_opts, dev, NULL),
	OPT_FLAG(0, "debug-wrapper-scripts", struct run_opts, debug_scripts, NULL),
	OPT_COUNT('v', "verbose", struct run_opts, common.verbose, NULL),
	COMMON_TARGET(struct run_opts),
	OPT_END()};

static int run_run(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct run_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	struct cda_run run = {.cwd = opts->cwd};
	int rc;

	if (words->n == 0) {
		cda_err_set(err, CDA_E_USAGE, "a program to run is required");
		return cda_err_hint(err, "conda run -n NAME PROGRAM [ARGUMENT ...]");
	}
	rc = cda_cli_context(cli, NULL, &ctx, err);
	if (rc < 0)
		return rc;
	run.argv = (const char *const *)cda_strv_argv(words);
	rc = cda_run_exec(ctx, &run, err);
	if (rc == -CDA_E_NOTRUN && err->sys) {
		/* There, but not to be run: as shells say it. */
		cda_out_error(cli->out, err);
		return 126;
	}
	return rc;
}

const struct cda_cmd cda_cmd_run = {.name = "run",
				    .synopsis = "[options] PROGRAM [ARGUMENT ...]",
				    .summary = "run a program in an environment",
				    .opts = run_opts,
				    .opts_size = sizeof(struct run_opts),
				    .flags = CDA_OPT_STOP_AT_WORD,
				    .run = run_run,
				    .epilog = "  conda run -n work python script.py\n"};
