#include "client/run.h"

#include "config/env.h"
#include "util/alloc.h"
#include "util/str.h"

#include <errno.h>
#include <signal.h>

/* Quoted for sh: what is in single quotes is text. */
static void add_quoted(struct cda_buf *out, const char *text)
{
	cda_buf_addc(out, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			cda_buf_adds(out, "'\\''");
		else
			cda_buf_addc(out, *p);
	}
	cda_buf_addc(out, '\'');
}

/* ". 'script'" for each, then the program in place of the shell: its arguments stay words. */
static void make_script(const struct cda_activation *activation, struct cda_buf *script)
{
	const struct cda_strv *lists[] = {&activation->deactivate_scripts,
					  &activation->activate_scripts};

	for (size_t i = 0; i < CDA_LEN(lists); i++) {
		for (size_t k = 0; k < lists[i]->n; k++) {
			cda_buf_adds(script, ". ");
			add_quoted(script, lists[i]->v[k]);
			cda_buf_addc(script, '\n');
		}
	}
	cda_buf_adds(script, "exec \"$@\"\n");
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

static int cannot_run(const char *program, struct cda_err *err)
{
	int why = errno;

	if (why == ENOENT) {
		cda_err_set(err, CDA_E_NOTRUN, "'%s' is not there", program);
		return cda_err_hint(err, "is it installed in this environment? `conda list` tells");
	}
	cda_err_set(err, CDA_E_NOTRUN, "cannot run '%s': %s", program, strerror(why));
	err->sys = why;
	return -CDA_E_NOTRUN;
}

int cda_run_exec(struct cda_context *ctx, const struct cda_run *run, struct cda_err *err)
{
	struct cda_shell_opts opts = cda_context_shell(ctx);
	CDA_AUTOACTIVATION struct cda_activation activation = {0};
	CDA_AUTOBUF struct cda_buf script = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv env = {0}, argv = {0};
	bool scripts;
	int rc = cda_context_need_prefix(ctx, err);

	if (rc == 0)
		rc = cda_activate(&opts, ctx->prefix, false, ".sh", &activation, err);
	if (rc < 0)
		return rc;
	cda_strv_append(&env, &ctx->env);
	cda_activation_apply(&activation, &env);
	scripts = activation.deactivate_scripts.n + activation.activate_scripts.n > 0;
	if (scripts) {
		make_script(&activation, &script);
		cda_strv_push(&argv, "/bin/sh");
		cda_strv_push(&argv, "-c");
		cda_strv_push(&argv, script.p);
		cda_strv_push(&argv, "conda-run");
	}
	for (size_t i = 0; run->argv[i]; i++)
		cda_strv_push(&argv, run->argv[i]);
	if (run->cwd && chdir(run->cwd) < 0)
		return cda_err_sys(err, errno, "cannot go to '%s'", run->cwd);
	fflush(NULL);
	reset_signals();
	/* The program is looked up in the PATH of the environment. */
	setenv("PATH", cda_env_get(&env, "PATH") ? cda_env_get(&env, "PATH") : "/usr/bin:/bin", 1);
	execvpe(argv.v[0], cda_strv_argv(&argv), cda_strv_argv(&env));
	return cannot_run(run->argv[0], err);
}
