/* pinned.h - the releases whose sha256 our own repository knows (data/releases/miniconda.tsv). */
#ifndef CDA_RELEASE_PINNED_H
#define CDA_RELEASE_PINNED_H

#include "release/listing.h"

/* Appends all; size and time are rounded, or 0 where they are not known. */
void cda_pinned_add(struct cda_releases *list);
bool cda_pinned_find(const struct cda_release_name *name, struct cda_release *ret_release);
bool cda_pinned_find_hash(const char *sha256, struct cda_release *ret_release);

#endif
