/* installer.h - a self-extracting release: a shell head, then a tar with the packages and conda. */
#ifndef CDA_FORGE_INSTALLER_H
#define CDA_FORGE_INSTALLER_H

#include "util/err.h"
#include "util/vec.h"

#include <stdint.h>

struct cda_installer {
	const char *channel;   /* an indexed channel folder */
	const char *conda;     /* the static conda program that does the work */
	const char *head;      /* the shell text; @NAME@ is replaced, see installer.c */
	const char *name;      /* "Condense3" */
	const char *version;   /* "26.11.0-0" */
	const char *py;        /* "3.13" */
	struct cda_strv specs; /* package names that the release installs, with all they need */
	int64_t epoch;
	const char *out; /* the file to write */
};

/* Writes the installer, complete and executable, or nothing. *ret_size: its bytes; *ret_count: its
 * packages. Errors: CDA_E_NOTFOUND for a package that the channel lacks; CDA_E_SYS. */
int cda_installer_write(const struct cda_installer *installer, int64_t *ret_size, size_t *ret_count,
			struct cda_err *err) CDA_CHECK;

/* Owned: Condense3-py313_26.11.0-0-Linux-x86_64.sh */
char *cda_installer_name(const char *name, const char *py, const char *version);

#endif
