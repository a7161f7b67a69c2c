/* store_internal.h - within pkg: names in the store. */
#ifndef CDA_PKG_STORE_INTERNAL_H
#define CDA_PKG_STORE_INTERNAL_H

#include "pkg/store.h"

/* The lock of who puts packages into a folder of the store, or removes them. */
#define CDA_STORE_LOCK ".condense.lock"

char *cda_store_fn(const struct cda_record *record);   /* owned: the archive's file name */
char *cda_store_stem(const struct cda_record *record); /* owned: the folder's name */
char *cda_store_bare_url(const char *url);             /* owned: without credentials */
/* repodata_record.json of an unpacked folder, into the arena; false when it has none. */
bool cda_store_read_record(int dirfd, const char *dir, struct cda_arena *arena,
			   struct cda_record *ret);

#endif
