/* installed.h - was a list of conda's or pip's installed, and is it still? By its stamp in
 * CDA_STAMPS and by what the prefix has. */
#ifndef CDA_RUNTIME_INSTALLED_H
#define CDA_RUNTIME_INSTALLED_H

#include "file.h"
#include "sha256.h"

/* One kind of list. */
struct cda_kind {
	const char *what;  /* who installs it */
	const char *stamp; /* file in CDA_STAMPS */
	bool yaml;
	bool conda, pip; /* what the stamp names */
};

extern const struct cda_kind cda_kind_conda, cda_kind_environment, cda_kind_pip;

/* What decides about a list: its text at path, with what it includes, and Python's version. */
void cda_installed_hash(const struct cda_kind *kind, const char *path, const struct cda_text *list,
			const char *python, char ret[CDA_SHA256_HEX]);

/* Was the list installed, and is all that was there afterwards still there? */
bool cda_installed_is(const struct cda_kind *kind, const char *python, const char *hash);

/* Note that it is; a message if that fails. */
void cda_installed_note(const struct cda_kind *kind, const char *python, const char *hash);

#endif
