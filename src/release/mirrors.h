/* mirrors.h - where releases are fetched from: an ordered list of https://, http:// and file://
 * folders, from the command line, else from the environment, else the documented two. */
#ifndef CDA_RELEASE_MIRRORS_H
#define CDA_RELEASE_MIRRORS_H

#include "util/err.h"
#include "util/vec.h"

enum cda_mirrors_origin { CDA_MIRRORS_OPTION, CDA_MIRRORS_ENVIRONMENT, CDA_MIRRORS_DEFAULT };

struct cda_mirrors {
	struct cda_strv urls; /* without a last slash, each once */
	enum cda_mirrors_origin origin;
};

/* options: the --mirror words; text: the value of CONDA_MIRRORS, URLs with blanks or commas
 * between, or NULL. A folder's path is taken for its file:// URL. Errors: CDA_E_VALUE for what is
 * no URL of the three kinds. */
int cda_mirrors_init(const struct cda_strv *options, const char *text, struct cda_mirrors *ret,
		     struct cda_err *err) CDA_CHECK;
void cda_mirrors_done(struct cda_mirrors *mirrors);

char *cda_mirror_url(const char *mirror, const char *name); /* owned */

#endif
