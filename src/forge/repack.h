/* repack.h - Debian packages and recipes to a channel of conda packages. */
#ifndef CDA_FORGE_REPACK_H
#define CDA_FORGE_REPACK_H

#include "forge/recipe.h"
#include "util/event.h"

#include <stdint.h>

struct cda_repack {
	const struct cda_recipes *recipes;
	const char *debs; /* folder with the .deb files */
	const char *out;  /* the channel; SUBDIR/NAME-VERSION-BUILD.conda appear in it */
	const char *work; /* an empty folder; what is left in it is the caller's to remove */
	int64_t epoch;    /* time of packages that have no Debian package, seconds */
	int level;        /* of zstd */
	unsigned jobs;    /* 0: one per CPU */
	const struct cda_events *events; /* may be NULL */
};

/* The Debian packages that the recipes name, each once, sorted. */
void cda_repack_debs(const struct cda_recipes *recipes, struct cda_strv *ret);

/* Makes every package of the recipes. *ret_count (may be NULL): how many. Errors: CDA_E_NOTFOUND
 * for a Debian package that is not there, else of the steps. */
int cda_repack_run(const struct cda_repack *repack, size_t *ret_count, struct cda_err *err)
	CDA_CHECK;

#endif
