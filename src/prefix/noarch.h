/* noarch.h - python packages for any python: where their files go, entry points, pyc. */
#ifndef CDA_PREFIX_NOARCH_H
#define CDA_PREFIX_NOARCH_H

#include "core/record.h"
#include "pkg/info.h"
#include "util/err.h"

#include <stdbool.h>

/* What a prefix's python is; owned texts. A zeroed one: no python. */
struct cda_python {
	char *version;       /* "3.11" */
	char *site_packages; /* "lib/python3.11/site-packages" */
	char *program;       /* "bin/python3.11" */
};
void cda_python_of(const struct cda_record *python, struct cda_python *ret);
void cda_python_done(struct cda_python *python);

/* Where a file of a noarch python package goes: site-packages/… and python-scripts/… move, the rest
 * stays. Owned. */
char *cda_noarch_target(const struct cda_python *python, const char *path);
/* The compiled file of a source (relative to the prefix), owned. */
char *cda_noarch_pyc(const struct cda_python *python, const char *py);
/* True for the files that are compiled, by their name in the package. */
bool cda_noarch_is_source(const char *path);

/* The whole script of an entry point; appended. */
void cda_entry_point_format(const struct cda_entry_point *entry, const char *interpreter,
			    struct cda_buf *out);

/* Compiles the files (relative to the prefix) by the prefix's own python. A python that is missing
 * or fails is no error: *ret_done says whether it ended well. env as in util/proc.h. */
int cda_noarch_compile(const char *prefix, const struct cda_python *python,
		       const struct cda_strv *files, const char *const *env, bool *ret_done,
		       struct cda_err *err) CDA_CHECK;

#endif
