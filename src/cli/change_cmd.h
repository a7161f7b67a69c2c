/* change_cmd.h - what the commands that change environments share. */
#ifndef CDA_CLI_CHANGE_CMD_H
#define CDA_CLI_CHANGE_CMD_H

#include "cli/cmds.h"
#include "client/change.h"

struct cda_change_opts {
	struct cda_common common;
	struct cda_strv files, experimental;
	const char *clone, *revision;
	int update; /* 0, or 1 + enum cda_update_modifier */
	bool no_deps, only_deps, no_pin, force_reinstall, all, prune, copy, download_only, clobber;
	bool show_channel_urls, mkdir, dev, force, no_default_packages, keep_env, features;
};

/* Shows the change, asks, does it; says what happened. */
int cda_cli_change(struct cda_cli *cli, struct cda_change *change, bool download_only, bool removed,
		   struct cda_err *err) CDA_CHECK;
/* The command line as history keeps it; owned. */
char *cda_cli_cmdline(const struct cda_cli *cli);

#endif
