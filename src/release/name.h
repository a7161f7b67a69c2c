/* name.h - the file names of releases: reading, writing, numeric order. Two forms:
 *
 *	(Miniconda3|Miniforge3|Condense3)-py[0-9]+_[0-9.]+(-[0-9]+)?-Linux-ARCH.sh
 *	(Miniconda3|Miniforge3|Condense3)-[0-9.]+(-[0-9]+)?-Linux-ARCH.sh
 *
 * with ARCH one of x86_64, aarch64, ppc64le, s390x, in the second form x86 and armv7l too. The
 * first is the documented rule with what came later: a build suffix and other machines; the second
 * has the names of before 2020-03, and Miniforge's. What Python it brings, a name of the second
 * form does not say. "latest" is no release: its file changes under the name. */
#ifndef CDA_RELEASE_NAME_H
#define CDA_RELEASE_NAME_H

#include "util/buf.h"

#include <stdbool.h>

enum cda_product { CDA_PRODUCT_ANY, CDA_MINICONDA3, CDA_MINIFORGE3, CDA_CONDENSE3 };

enum {
	CDA_RELEASE_VERSION_MAX = 24, /* with the NUL, as all below */
	CDA_RELEASE_ARCH_MAX = 8,
	CDA_RELEASE_NAME_MAX = 80,
};

struct cda_release_name {
	enum cda_product product;
	int py_major, py_minor;                /* 3, 13; 0, 0: the name does not say */
	char version[CDA_RELEASE_VERSION_MAX]; /* conda's: "26.5.3" */
	int build;                             /* of the suffix; -1: there is none */
	char arch[CDA_RELEASE_ARCH_MAX];
};

/* The whole text must be a name. A number that begins with 0 is none, so that formatting gives
 * back what was read. */
bool cda_release_name_parse(struct cda_str text, struct cda_release_name *ret_name);
void cda_release_name_format(const struct cda_release_name *name,
			     char ret_text[CDA_RELEASE_NAME_MAX]);

/* By number: version, suffix, Python, then product and machine. */
int cda_release_name_cmp(const struct cda_release_name *a, const struct cda_release_name *b);
/* "26.5.3-1" into ret_text; "3.13" or "" into ret_text. */
void cda_release_format(const struct cda_release_name *name, char ret_text[CDA_RELEASE_NAME_MAX]);
void cda_release_python_format(const struct cda_release_name *name,
			       char ret_text[CDA_RELEASE_NAME_MAX]);

/* "25.11" against "25.9", digits and single dots. */
int cda_release_version_cmp(const char *a, const char *b);

const char *cda_product_name(enum cda_product product);                 /* NULL for ANY */
bool cda_product_find(const char *name, enum cda_product *ret_product); /* case does not matter */
/* The machine as names have it, from uname's or a container engine's word for it ("amd64",
 * "linux/arm64"); NULL where none is meant. */
const char *cda_release_arch_find(const char *word);
/* A name whose file changes: Miniconda3-latest-Linux-x86_64.sh. */
bool cda_release_name_is_latest(const char *text);

#endif
