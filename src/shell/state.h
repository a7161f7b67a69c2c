/* state.h - what an environment on disk brings to a shell: its variables and its scripts. */
#ifndef CDA_SHELL_STATE_H
#define CDA_SHELL_STATE_H

#include "shell/activate.h"

/* Variables of etc/conda/env_vars.d/ (JSON, by name) and, over them, of conda-meta/state. Names
 * that are no shell names are left out with a warning. Errors: CDA_E_PARSE, CDA_E_SYS. */
int cda_state_vars(const char *prefix, struct cda_assigns *ret, struct cda_strv *warnings,
		   struct cda_err *err) CDA_CHECK;
void cda_state_vars_done(struct cda_assigns *vars);

/* Files of etc/conda/DIR with the ending, absolute, by name. */
void cda_state_scripts(const char *prefix, const char *dir, const char *ext, bool reverse,
		       struct cda_strv *ret);

#endif
