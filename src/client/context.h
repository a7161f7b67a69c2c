/* context.h - one run of the client: settings, target prefix, caches, network, who listens.
 * Operations (change.h, look.h, …) take a context and never print. */
#ifndef CDA_CLIENT_CONTEXT_H
#define CDA_CLIENT_CONTEXT_H

#include "config/settings.h"
#include "index/index.h"
#include "net/http.h"
#include "pkg/fetch.h"
#include "shell/activate.h"
#include "solve/solve.h"
#include "util/event.h"

/* What the command line says; borrowed, NULL and 0 where it says nothing. */
struct cda_client_options {
	const char *name, *prefix; /* target environment */
	const struct cda_strv *channels;
	bool override_channels;
	const struct cda_yaml *values; /* setting name to value, over all files and variables */
	bool use_index_cache;
	const struct cda_events *events;
	bool no_files; /* read no .condarc */
};

struct cda_context {
	struct cda_strv env; /* of the process, or what a test gives */
	char *home, *cwd;
	char *root_prefix; /* of the base environment: absolute */
	struct cda_settings *settings;
	const struct cda_channel_config *channels;
	char *prefix;         /* target: absolute; need not exist */
	bool prefix_is_named; /* by -n or -p */
	bool use_index_cache;
	struct cda_strv pkgs_dirs;
	struct cda_store *store; /* made by cda_context_store */
	struct cda_net *net;     /* made by cda_context_net */
	char *user_agent;
	const struct cda_events *events;
};

/* Reads settings and finds the target: -p, -n, then CONDA_PREFIX of an active environment, then
 * base. Errors: those of cda_settings_load; CDA_E_VALUE for a bad name. The caller owns *ret. */
int cda_context_new(const struct cda_client_options *options, struct cda_context **ret,
		    struct cda_err *err) CDA_CHECK;
struct cda_context *cda_context_free(struct cda_context *ctx); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_context *, cda_context_free)

/* Borrowed; made at first use. */
int cda_context_store(struct cda_context *ctx, struct cda_store **ret, struct cda_err *err)
	CDA_CHECK;
int cda_context_net(struct cda_context *ctx, struct cda_net **ret, struct cda_err *err) CDA_CHECK;

/* The path that a new environment of this name gets: in the first writable of envs_dirs, or where
 * one of that name is; owned. "base" and "root" are the base prefix. Errors: CDA_E_VALUE. */
int cda_context_locate_new(const struct cda_context *ctx, const char *name, char **ret_prefix,
			   struct cda_err *err) CDA_CHECK;
/* The name that people give the prefix: "base", its folder's name in envs_dirs, or its path. Owned.
 */
char *cda_context_prefix_name(const struct cda_context *ctx, const char *prefix);

/* What the servers are told; borrowed. */
const char *cda_context_user_agent(struct cda_context *ctx);
/* CONDA_PREFIX of the environment that is active; NULL for none. Borrowed. */
const char *cda_context_active(const struct cda_context *ctx);

/* The target must be an environment: CDA_E_NOENV when nothing is there, CDA_E_NOTAPREFIX when it
 * is a folder without conda-meta. */
int cda_context_need_prefix(const struct cda_context *ctx, struct cda_err *err) CDA_CHECK;
/* … and we must be able to write it: CDA_E_UNWRITABLE. */
int cda_context_need_writable(const struct cda_context *ctx, struct cda_err *err) CDA_CHECK;

/* What tools are told with CDA_E_UNWRITABLE. */
void cda_context_unwritable_data(const struct cda_context *ctx, struct cda_err *err);

/* Loads the channels of the settings for these subdirs (NULL: the settings'); the caller owns
 * *ret. Also the error CDA_E_VALUE where there are no channels. */
int cda_context_index(struct cda_context *ctx, const struct cda_strv *channels,
		      const struct cda_strv *subdirs, struct cda_index **ret, struct cda_err *err)
	CDA_CHECK;
/* Appends the virtual packages of this machine. */
void cda_context_virtual(const struct cda_context *ctx, struct cda_arena *arena,
			 struct cda_records *out);
/* For the shell layer; borrows from ctx. */
struct cda_shell_opts cda_context_shell(const struct cda_context *ctx);

enum cda_channel_priority cda_context_priority(const struct cda_context *ctx);

#endif
