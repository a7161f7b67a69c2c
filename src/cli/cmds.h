/* cmds.h - a command: its option table and the function that runs it; and the list of them. */
#ifndef CDA_CLI_CMDS_H
#define CDA_CLI_CMDS_H

#include "cli/opt.h"
#include "cli/out.h"
#include "client/context.h"

/* Options that most commands share; the first member of their option structs. */
struct cda_common {
	bool help, json, quiet, debug;
	int verbose;
	bool yes, dry_run, offline, insecure;
	const char *name, *prefix;
	struct cda_strv channels;
	bool override_channels, use_local, use_index_cache;
	struct cda_strv repodata_fns;
	int channel_priority; /* 0, or 1 + enum cda_channel_priority */
	const char *subdir, *solver;
};

#define COMMON_HELP(type)                                                                          \
	OPT_GROUP("options"), OPT_FLAG('h', "help", type, common.help, "show this help and exit")
#define COMMON_OUTPUT(type)                                                                        \
	OPT_GROUP("output"), OPT_FLAG(0, "json", type, common.json, "report everything as JSON"),  \
		OPT_COUNT('v', "verbose", type, common.verbose, "say more; again for more"),       \
		OPT_FLAG('q', "quiet", type, common.quiet, "no progress bars"),                    \
		OPT_FLAG(0, "debug", type, common.debug, NULL)
#define COMMON_PROMPT(type)                                                                        \
	OPT_FLAG('d', "dry-run", type, common.dry_run, "show what would be done, change nothing"), \
		OPT_FLAG('y', "yes", type, common.yes, "do not ask for confirmation")
#define COMMON_TARGET(type)                                                                        \
	OPT_GROUP("target environment"),                                                           \
		OPT_TEXT('n', "name", type, common.name, "NAME", "name of the environment"),       \
		OPT_TEXT('p', "prefix", type, common.prefix, "PATH", "path of the environment")
#define COMMON_CHANNELS(type)                                                                      \
	OPT_GROUP("channels"),                                                                     \
		OPT_LIST('c', "channel", type, common.channels, "CHANNEL",                         \
			 "a channel to search first; again for more; a name, URL or folder"),      \
		OPT_FLAG(0, "override-channels", type, common.override_channels,                   \
			 "only the channels given with -c"),                                       \
		OPT_FLAG(0, "use-local", type, common.use_local, NULL),                            \
		OPT_LIST(0, "repodata-fn", type, common.repodata_fns, "NAME", NULL),               \
		OPT_TEXT(0, "subdir|platform", type, common.subdir, "SUBDIR",                      \
			 "platform to look for, such as linux-64"),                                \
		OPT_FLAG('C', "use-index-cache", type, common.use_index_cache,                     \
			 "use the cached index even if it is old"),                                \
		OPT_FLAG('k', "insecure", type, common.insecure, "do not check TLS certificates"), \
		OPT_FLAG(0, "offline", type, common.offline, "do not use the network"),            \
		OPT_CONST(0, "strict-channel-priority", type, common.channel_priority,             \
			  1 + CDA_PRIORITY_STRICT, "only the first channel that has a package"),   \
		OPT_CONST(0, "no-channel-priority", type, common.channel_priority,                 \
			  1 + CDA_PRIORITY_DISABLED, "the newest package of any channel"),         \
		OPT_TEXT(0, "solver|experimental-solver", type, common.solver, "NAME", NULL)

struct cda_cli {
	struct cda_out *out;
	struct cda_common *common; /* json, quiet and dry_run: of the settings too */
	int argc;                  /* as the program was called: history keeps it */
	char *const *argv;
};

struct cda_cmd {
	const char *name;     /* "a|b": with other names */
	const char *synopsis; /* behind "conda NAME" */
	const char *summary;
	const struct cda_opt *opts; /* the struct begins with struct cda_common */
	size_t opts_size;
	unsigned flags; /* enum cda_opt_flags */
	/* Returns 0, an exit status above 0, or -code with err. */
	int (*run)(struct cda_cli *cli, void *opts, struct cda_strv *words, struct cda_err *err);
	const char *epilog;                /* examples; or NULL */
	const struct cda_cmd *const *subs; /* NULL-ended commands below this one; or NULL */
};

extern const struct cda_cmd *const cda_cmds[]; /* NULL-ended; in the order of the help */

/* The settings of this run: condarc files, environment, and over them the common options and
 * `values` (setting name to value; owned by the caller; may be NULL). */
int cda_cli_context(struct cda_cli *cli, const struct cda_yaml *values,
		    struct cda_context **ret_ctx, struct cda_err *err) CDA_CHECK;
/* The same, but no .condarc is read: for commands that must work when one is broken. */
int cda_cli_context_without_files(struct cda_cli *cli, struct cda_context **ret_ctx,
				  struct cda_err *err) CDA_CHECK;
/* For the values: a boolean, and text. */
void cda_cli_set_bool(struct cda_yaml *values, const char *setting, bool value);
void cda_cli_set_text(struct cda_yaml *values, const char *setting, const char *text);

/* As cda_cli_confirm, and no answer is a no: "Proceed (y/[n])?". */
int cda_cli_confirm_danger(struct cda_cli *cli, const struct cda_context *ctx, struct cda_err *err)
	CDA_CHECK;
/* Asks "Proceed ([y]/n)?" on the terminal or reads the answer from stdin; yes without asking with
 * -y, --json or always_yes. Errors: CDA_E_CANCELLED. */
int cda_cli_confirm(struct cda_cli *cli, const struct cda_context *ctx, struct cda_err *err)
	CDA_CHECK;

/* `conda shell.NAME ARGS`; the exit status. */
int cda_cli_shell(const char *shell, int argc, char *const *argv);
/* The table of environments. */
void cda_cli_print_envs(struct cda_cli *cli, const struct cda_context *ctx);

#endif
