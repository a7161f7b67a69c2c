/* package.h - from a finished stage to a conda package: its metadata and its file. */
#ifndef CDA_FORGE_PACKAGE_H
#define CDA_FORGE_PACKAGE_H

#include "forge/deb.h"
#include "forge/stage.h"

CDA_VEC_DEFINE(cda_debs, struct cda_deb);

struct cda_package {
	const struct cda_recipe *recipe;
	struct cda_stage stage;
	struct cda_debs debs;                /* what it is made of, in the recipe's order */
	struct cda_strv depends, constrains; /* with versions put in */
	char *version, *build;
	const char *subdir; /* "linux-64" or "noarch" */
	char *fn;           /* NAME-VERSION-BUILD.conda, once written */
};

void cda_package_done(struct cda_package *package);

/* Writes OUT/SUBDIR/NAME-VERSION-BUILD.conda with info/index.json, paths.json, files, about.json,
 * link.json, has_prefix, recipe and licenses. Python noarch packages have their files below
 * site-packages/. The same stage gives the same bytes. */
int cda_package_write(struct cda_package *package, const char *out, int level, struct cda_err *err)
	CDA_CHECK;

#endif
