/* oci_choose.h - within image: which of the images that an archive holds is meant. */
#ifndef CDA_IMAGE_OCI_CHOOSE_H
#define CDA_IMAGE_OCI_CHOOSE_H

#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>

struct cda_platform {
	char *os, *arch, *variant; /* owned, or NULL */
};

/* "linux/arm64/v8" against what an image says; parts that are not asked for do not matter. */
bool cda_platform_fits(const struct cda_platform *have, const char *want);
void cda_platform_done(struct cda_platform *platform);

/* An image that an index or a manifest.json names. */
struct cda_candidate {
	char *digest;     /* two candidates with one digest are the same image */
	char *ref, *name; /* owned, or NULL */
	struct cda_platform platform;
	size_t at; /* place in its list */
};
CDA_VEC_DEFINE(cda_candidates, struct cda_candidate);

/* Picks by name (NULL: any) and platform (NULL: linux on this machine; when there is none, the
 * only one). An image that tells no platform fits any, after those that do. Borrowed. Errors:
 * CDA_E_NOTFOUND with the list, for none and for several. */
int cda_candidates_choose(const struct cda_candidates *from, const char *ref, const char *platform,
			  const struct cda_candidate **ret, struct cda_err *err) CDA_CHECK;
void cda_candidates_free_all(struct cda_candidates *list); /* the items' texts too */

#endif
