/* shell.NAME: what the shell functions evaluate; init: rc files. */
#include "cli/cmds.h"
#include "shell/dialect.h"
#include "shell/init.h"
#include "util/alloc.h"
#include "util/str.h"

/* `conda shell.bash activate work`: everything behind the shell's name is the shell layer's. */
int cda_cli_shell(const char *shell, int argc, char *const *argv)
{
	struct cda_common common = {0};
	CDA_CLEANUP(cda_out_freep) struct cda_out *out = cda_out_new(false, true, 0);
	struct cda_cli cli = {.out = out, .common = &common};
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv args = {0}, warnings = {0};
	struct cda_shell_opts opts;
	struct cda_err err = {0};
	int rc = cda_cli_context(&cli, NULL, &ctx, &err);

	for (int i = 0; i < argc; i++)
		cda_strv_push(&args, argv[i]);
	if (rc == 0) {
		opts = cda_context_shell(ctx);
		rc = cda_shell_command(&opts, shell, &args, &text, &warnings, &err);
	}
	for (size_t i = 0; i < warnings.n; i++)
		cda_emit(cda_out_events(out), CDA_EVENT_WARNING, "%s", warnings.v[i]);
	if (rc < 0) {
		rc = cda_err_status(err.code);
		cda_out_error(out, &err);
	} else {
		cda_out_raw(out, text.p);
	}
	return cda_out_finish(out) || rc > 0 ? rc : 1;
}

struct init_opts {
	struct cda_common common;
	bool all, user, no_user, system_wide, install, reverse;
};

static const struct cda_opt init_opts[] = {
	COMMON_HELP(struct init_opts),
	OPT_FLAG(0, "all", struct init_opts, all, "every shell that conda knows"),
	OPT_FLAG(0, "user", struct init_opts, user, "rc files of the user (default)"),
	OPT_FLAG(0, "no-user", struct init_opts, no_user, "leave rc files of the user alone"),
	OPT_FLAG(0, "system", struct init_opts, system_wide, "files in /etc, for all users"),
	OPT_FLAG(0, "install", struct init_opts, install, NULL),
	OPT_FLAG(0, "reverse", struct init_opts, reverse, "undo it"),
	COMMON_OUTPUT(struct init_opts),
	OPT_FLAG('d', "dry-run", struct init_opts, common.dry_run,
		 "show what would be done, change nothing"),
	OPT_END()};

static void print_changes(struct cda_cli *cli, const struct cda_init_changes *changes)
{
	static const char *const words[] = {
		[CDA_INIT_NO_CHANGE] = "no change",
		[CDA_INIT_MODIFIED] = "modified",
		[CDA_INIT_NEEDS_SUDO] = "needs sudo",
	};
	bool any = false;

	cda_vec_each (change, changes) {
		cda_out_text(cli->out, "%-12s  %s\n", words[change->result], change->path);
		any = any || change->result == CDA_INIT_MODIFIED;
	}
	cda_out_puts(cli->out, any ? "\n==> For changes to take effect, close and re-open your "
				     "current shell. <==\n"
				   : "No action taken.\n");
}

static int run_init(struct cda_cli *cli, void *data, struct cda_strv *words, struct cda_err *err)
{
	const struct init_opts *opts = data;
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = NULL;
	struct cda_init_changes changes = {0};
	struct cda_shell_opts shell;
	unsigned flags = 0;
	int rc = cda_cli_context(cli, NULL, &ctx, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; opts->all && cda_init_shells[i]; i++)
		cda_strv_push(words, cda_init_shells[i]);
	if (opts->reverse)
		flags |= CDA_INIT_REVERSE;
	if (cli->common->dry_run)
		flags |= CDA_INIT_DRY_RUN;
	if (opts->system_wide)
		flags |= CDA_INIT_SYSTEM;
	if (opts->user || (!opts->system_wide && !opts->no_user))
		flags |= CDA_INIT_USER;
	shell = cda_context_shell(ctx);
	rc = cda_init(&shell, ctx->home, "/etc", words, flags, &changes, err);
	if (rc == 0)
		print_changes(cli, &changes);
	cda_init_changes_free_all(&changes);
	return rc;
}

const struct cda_cmd cda_cmd_init = {.name = "init",
				     .synopsis = "[options] [SHELL ...]",
				     .summary = "make `conda activate` work in your shell",
				     .opts = init_opts,
				     .opts_size = sizeof(struct init_opts),
				     .run = run_init};
