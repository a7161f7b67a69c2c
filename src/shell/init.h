/* init.h - `conda init`: a marked block in rc files, and the scripts below the base prefix that it
 * calls. Idempotent; the rest of an rc file is kept byte for byte. */
#ifndef CDA_SHELL_INIT_H
#define CDA_SHELL_INIT_H

#include "shell/activate.h"
#include "util/err.h"
#include "util/vec.h"

enum cda_init_flags {
	CDA_INIT_REVERSE = 1u << 0,
	CDA_INIT_DRY_RUN = 1u << 1,
	CDA_INIT_USER = 1u << 2,      /* rc files of home */
	CDA_INIT_SYSTEM = 1u << 3,    /* /etc/profile.d/conda.sh and the like */
	CDA_INIT_NO_SCRIPTS = 1u << 4 /* leave the base prefix alone */
};

enum cda_init_result { CDA_INIT_NO_CHANGE, CDA_INIT_MODIFIED, CDA_INIT_NEEDS_SUDO };

struct cda_init_change {
	char *path; /* owned */
	enum cda_init_result result;
	char *before, *after; /* of rc files that change: whole texts, for a diff; else NULL */
};
CDA_VEC_DEFINE(cda_init_changes, struct cda_init_change);

extern const char *const cda_init_shells[]; /* bash fish tcsh xonsh zsh; NULL-ended */

/* shells: of cda_init_shells, or empty for bash. etc: "/etc", or another folder in tests. Errors:
 * CDA_E_USAGE for an unknown shell, CDA_E_SYS. */
int cda_init(const struct cda_shell_opts *opts, const char *home, const char *etc,
	     const struct cda_strv *shells, unsigned flags, struct cda_init_changes *ret,
	     struct cda_err *err) CDA_CHECK;
void cda_init_changes_free_all(struct cda_init_changes *changes);

/* Writes etc/profile.d/conda.sh, conda.csh, etc/fish/conf.d/conda.fish, condabin/conda,
 * bin/activate and bin/deactivate below the base prefix. */
int cda_init_scripts(const struct cda_shell_opts *opts, unsigned flags,
		     struct cda_init_changes *ret, struct cda_err *err) CDA_CHECK;

/* An rc text with the block set to block (NULL: taken out); owned. */
char *cda_init_edit(const char *text, const char *block);

#endif
