/* run.h - run a program in an environment as if it had been activated. */
#ifndef CDA_CLIENT_RUN_H
#define CDA_CLIENT_RUN_H

#include "client/context.h"

struct cda_run {
	const char *const *argv; /* NULL-ended */
	const char *cwd;         /* NULL: ours */
};

/* Activates the context's prefix (variables and the activate.d scripts, by a shell that then is
 * replaced by the program) and becomes the program: returns on failure only. The program keeps our
 * pid, so every signal reaches it and its status is ours. Errors: CDA_E_NOENV, CDA_E_SYS. */
int cda_run_exec(struct cda_context *ctx, const struct cda_run *run, struct cda_err *err) CDA_CHECK;

#endif
