/* activate.h - what activating an environment does to a shell: variables, PATH, scripts, prompt
 * (conda/activate.py). Judge: the activation vectors. Inputs are plain values; the environment
 * comes as a list, nothing is printed and the process's own environment is not looked at. */
#ifndef CDA_SHELL_ACTIVATE_H
#define CDA_SHELL_ACTIVATE_H

#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>

/* Borrowed for the call. */
struct cda_shell_opts {
	const struct cda_strv *env; /* "NAME=value" lines of the caller's shell */
	const char *root_prefix;    /* of the base environment */
	const char *conda_exe;      /* NULL: root_prefix/bin/conda */
	const char *python_exe;     /* NULL: root_prefix/bin/python */
	const struct cda_strv *envs_dirs;
	const char *cwd;        /* for relative paths */
	const char *env_prompt; /* NULL: "({default_env}) " */
	bool changeps1;
	bool auto_activate_base; /* for hook */
	int auto_stack;
};

struct cda_assign {
	char *name, *value; /* owned */
};
CDA_VEC_DEFINE(cda_assigns, struct cda_assign);

/* In the order in which a shell must do it: deactivate scripts, unset, set, export, activate
 * scripts; for deactivation PATH comes with path_first. */
struct cda_activation {
	char *path;                       /* new PATH, or NULL: leave it */
	bool path_first;                  /* PATH before the deactivate scripts */
	struct cda_assigns exports, sets; /* sets: unexported, PS1 */
	struct cda_strv unsets;
	struct cda_strv deactivate_scripts, activate_scripts; /* absolute, in order, of any shell */
	struct cda_strv warnings;                             /* for people */
};

/* target: name, path, or NULL for base. Errors: CDA_E_NOENVNAME, CDA_E_NOENV, CDA_E_VALUE. */
int cda_activate(const struct cda_shell_opts *opts, const char *target, bool stack,
		 const char *script_ext, struct cda_activation *ret, struct cda_err *err) CDA_CHECK;
int cda_deactivate(const struct cda_shell_opts *opts, const char *script_ext,
		   struct cda_activation *ret, struct cda_err *err) CDA_CHECK;
int cda_reactivate(const struct cda_shell_opts *opts, const char *script_ext,
		   struct cda_activation *ret, struct cda_err *err) CDA_CHECK;
void cda_activation_done(struct cda_activation *activation);
#define CDA_AUTOACTIVATION CDA_CLEANUP(cda_activation_done)

/* Does the variables to an environment list (scripts are the caller's); for `conda run`. */
void cda_activation_apply(const struct cda_activation *activation, struct cda_strv *env);

/* Prefix of a name or path; owned. The same errors as cda_activate. */
int cda_shell_locate(const struct cda_shell_opts *opts, const char *target, char **ret_prefix,
		     struct cda_err *err) CDA_CHECK;

#endif
