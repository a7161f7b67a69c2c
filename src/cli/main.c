/* main.c - the `conda` program: finds the command, runs it, says how it ended. */
#include "cli/cmds.h"
#include "util/alloc.h"
#include "util/str.h"

#include <signal.h>
#include <sys/resource.h>

static void on_signal(int number)
{
	/* The first one ends the work in order, a second one at once. */
	if (cda_interrupted)
		_exit(128 + number);
	cda_interrupted = number;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < CDA_LEN(numbers); i++) {
		struct sigaction old;

		/* What a shell ignores for its background jobs (nohup) stays ignored. */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static bool cmd_is(const struct cda_cmd *cmd, const char *name)
{
	struct cda_str rest = cda_str(cmd->name), piece;

	while (cda_str_cut(&rest, "|", &piece)) {
		if (cda_str_eq(piece, cda_str(name)))
			return true;
	}
	return false;
}

static const struct cda_cmd *find_cmd(const struct cda_cmd *const *list, const char *name)
{
	for (; *list; list++) {
		if (cmd_is(*list, name))
			return *list;
	}
	return NULL;
}

static void add_names(struct cda_buf *text, const struct cda_cmd *const *list)
{
	cda_buf_adds(text, "\ncommands:\n");
	for (; *list; list++) {
		struct cda_str rest = cda_str((*list)->name), name;

		if (!(*list)->summary)
			continue;
		cda_str_cut(&rest, "|", &name);
		cda_buf_addf(text, "  %-12.*s  %s\n", (int)name.len, name.p, (*list)->summary);
	}
}

static void print_main_help(void)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_buf_adds(&text, "usage: conda [-h] [-V] command ...\n\n"
			    "conda " CDA_VERSION ", packages and environments.\n");
	add_names(&text, cda_cmds);
	cda_buf_adds(&text, "\noptions:\n"
			    "  -h, --help     show this help and exit\n"
			    "  -V, --version  show the version and exit\n\n"
			    "`conda COMMAND --help` tells what a command takes.\n");
	fputs(text.p, stdout);
}

static void print_cmd_help(const char *path, const struct cda_cmd *cmd)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_buf_addf(&text, "usage: conda %s %s\n\n%s\n", path, cmd->synopsis ? cmd->synopsis : "",
		     cmd->summary ? cmd->summary : "");
	if (cmd->subs)
		add_names(&text, cmd->subs);
	if (cmd->opts)
		cda_opt_help(cmd->opts, &text);
	if (cmd->epilog)
		cda_buf_addf(&text, "\nexamples:\n%s", cmd->epilog);
	fputs(text.p, stdout);
}

/* Words that say how to answer, before the options could be read. */
static bool wants_json(int argc, char *const *argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return true;
	}
	return false;
}

static int fail(bool json, struct cda_err *err)
{
	CDA_CLEANUP(cda_out_freep) struct cda_out *out = cda_out_new(json, false, 0);
	int status = cda_err_status(err->code);

	cda_out_error(out, err);
	cda_out_finish(out);
	return status;
}

static int unknown_cmd(const char *path, const struct cda_cmd *const *list, const char *name,
		       bool json)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};
	const char *nearest;

	for (; *list; list++)
		cda_strv_split(&names, (*list)->name, "|");
	cda_err_set(&err, CDA_E_COMMAND, "no command 'conda %s%s%s'", path, path[0] ? " " : "",
		    name);
	nearest = cda_nearest(name, (const char *const *)cda_strv_argv(&names));
	if (nearest)
		cda_err_hint(&err, "did you mean 'conda %s%s%s'?", path, path[0] ? " " : "",
			     nearest);
	else
		cda_err_hint(&err, "`conda --help` lists the commands");
	return fail(json, &err);
}

static int run_cmd(const char *path, const struct cda_cmd *cmd, int argc, char *const *argv,
		   int full_argc, char *const *full_argv)
{
	void *opts = cda_alloc0(1, cmd->opts_size);
	struct cda_common *common = opts;
	CDA_AUTOSTRV struct cda_strv words = {0};
	CDA_CLEANUP(cda_out_freep) struct cda_out *out = NULL;
	struct cda_cli cli = {.common = common, .argc = full_argc, .argv = full_argv};
	struct cda_err err = {0};
	int rc;

	rc = cda_opt_parse(cmd->opts, opts, argc, argv, cmd->flags, &words, &err);
	if (rc < 0) {
		cda_err_hint(&err, "`conda %s --help` lists the options", path);
		rc = fail(wants_json(argc, argv), &err);
	} else if (common->help) {
		print_cmd_help(path, cmd);
		rc = fflush(stdout) == 0 ? 0 : 1;
	} else {
		out = cda_out_new(common->json, common->quiet, common->verbose + common->debug);
		cli.out = out;
		rc = cmd->run(&cli, opts, &words, &err);
		if (rc < 0) {
			rc = cda_err_status(err.code);
			cda_out_error(out, &err);
		}
		if (!cda_out_finish(out) && rc == 0)
			rc = 1;
	}
	cda_opt_done(cmd->opts, opts);
	free(opts);
	return rc;
}

static int dispatch(int argc, char *const *argv)
{
	const struct cda_cmd *const *list = cda_cmds;
	CDA_AUTOBUF struct cda_buf path = CDA_BUF_INIT;
	const struct cda_cmd *cmd = NULL;
	int at = 1;

	if (at < argc && cda_starts_with(argv[at], "shell."))
		return cda_cli_shell(argv[at] + strlen("shell."), argc - at - 1, argv + at + 1);
	while (at < argc) {
		const struct cda_cmd *next = argv[at][0] == '-' ? NULL : find_cmd(list, argv[at]);

		if (!next)
			break;
		cmd = next;
		cda_buf_addf(&path, "%s%s", path.len > 0 ? " " : "", argv[at]);
		at++;
		if (!cmd->subs)
			break;
		list = cmd->subs;
	}
	if (cmd && cmd->run)
		return run_cmd(path.p, cmd, argc - at, argv + at, argc, argv);
	if (at < argc && argv[at][0] != '-')
		return unknown_cmd(path.p, list, argv[at], wants_json(argc, argv));
	if (cmd) {
		print_cmd_help(path.p, cmd);
		return at < argc ? 0 : 2;
	}
	if (at >= argc || strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0) {
		print_main_help();
		return fflush(stdout) == 0 ? 0 : 1;
	}
	if (strcmp(argv[at], "-V") == 0 || strcmp(argv[at], "--version") == 0) {
		puts("conda " CDA_VERSION);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	{
		struct cda_err err = {0};

		cda_err_set(&err, CDA_E_USAGE, "unrecognized arguments: %s", argv[at]);
		cda_err_hint(&err, "`conda --help` lists the commands and options");
		return fail(wants_json(argc, argv), &err);
	}
}

int main(int argc, char **argv)
{
	catch_signals();
	return dispatch(argc, argv);
}
