/* prefix.h - what is installed in the conda prefix, by names alone. */
#ifndef CDA_RUNTIME_PREFIX_H
#define CDA_RUNTIME_PREFIX_H

#include "file.h"

enum { CDA_VERSION_MAX = 32 };

/* Called with "conda NAME" for each record of conda-meta, or "pip NAME" for each *.dist-info of
 * site-packages: names as both tools compare them, without versions. */
typedef void cda_prefix_each(void *ctx, const char *name);

/* The version of the prefix's Python, from the name of its record. Returns 0, or -1 if there is
 * none. */
int cda_prefix_python(char ret[CDA_VERSION_MAX]);
void cda_prefix_conda(cda_prefix_each *each, void *ctx);
/* python: its version */
void cda_prefix_pip(const char *python, cda_prefix_each *each, void *ctx);

/* "conda NAME" of a record NAME-VERSION-BUILD.json, "pip NAME" of a folder NAME-VERSION.dist-info.
 * Returns 0, or -1 if the file is no such thing. */
int cda_prefix_conda_name(const char *file, char *ret, size_t cap);
int cda_prefix_pip_name(const char *file, char *ret, size_t cap);

#endif
