/* proc.h - run a program by argv, never through a shell string. */
#ifndef CDA_UTIL_PROC_H
#define CDA_UTIL_PROC_H

#include "util/buf.h"
#include "util/err.h"

struct cda_proc {
	const char *const
		*argv;          /* NULL-ended; argv[0] is looked up in PATH unless it has a slash */
	const char *const *env; /* NULL-ended NAME=value; NULL: ours */
	const char *cwd;        /* NULL: ours */
	struct cda_buf *out;    /* captured stdout; NULL: inherited */
	struct cda_buf *errout; /* captured stderr (may be the same buffer); NULL: inherited */
	const void *in;         /* text for its stdin; NULL: /dev/null unless inherit_in */
	size_t in_len;
	bool inherit_in;
	bool foreground; /* keyboard signals are the child's alone while it runs, and SIGTERM and
			  * SIGHUP are handed on to it */
	size_t max_out;  /* limit of each capture; 0: 64 MiB; more is cut off */
};

/* Waits for the end. *ret_status: exit code, or 128+n. Its end ends with ours (PR_SET_PDEATHSIG)
 * unless foreground. Errors: CDA_E_SYS when it cannot be started (127/126 are the caller's). */
int cda_proc_run(const struct cda_proc *proc, int *ret_status, struct cda_err *err) CDA_CHECK;

#endif
