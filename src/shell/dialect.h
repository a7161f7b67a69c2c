/* dialect.h - an activation as text that a shell evaluates, and `conda shell.NAME …` as a whole. */
#ifndef CDA_SHELL_DIALECT_H
#define CDA_SHELL_DIALECT_H

#include "shell/activate.h"
#include "util/buf.h"

struct cda_dialect; /* opaque, static */

/* "posix" (ash bash dash sh zsh), "csh" (tcsh), "fish", "xonsh", "powershell", "json", and
 * NAME+json; NULL when unknown. */
const struct cda_dialect *cda_dialect_find(const char *name);
extern const char *const cda_dialect_names[]; /* NULL-ended */

void cda_dialect_format(const struct cda_dialect *dialect, const struct cda_activation *activation,
			struct cda_buf *out);

/* The text of the shell functions, root_prefix filled in: data/shell/conda.{sh,csh,fish}. */
void cda_dialect_functions(const struct cda_dialect *dialect, const struct cda_shell_opts *opts,
			   struct cda_buf *out);

/* `conda shell.NAME ARGS`: hook, activate [--stack] [NAME], deactivate, reactivate, commands.
 * out is what the shell evaluates; warnings are for stderr. Errors: CDA_E_USAGE, and those of
 * activate.h. */
int cda_shell_command(const struct cda_shell_opts *opts, const char *shell,
		      const struct cda_strv *args, struct cda_buf *out, struct cda_strv *warnings,
		      struct cda_err *err) CDA_CHECK;

#endif
