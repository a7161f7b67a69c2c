/* stamp.h - what an installed list leaves behind, so that the next start has nothing to do.
 *
 * A stamp is text: "stamp 1 HASH", HASH of what the list says and of what else decides about it;
 * then a name a line of each package that was there afterwards. A stamp holds as long as the hash
 * is the same and no name has vanished; packages that came along and other versions do not matter.
 * A list may hold credentials, a stamp never does. */
#ifndef CDA_RUNTIME_STAMP_H
#define CDA_RUNTIME_STAMP_H

#include "file.h"
#include "sha256.h"

/* A set of names, for "is there", in memory of its own that goes with it. */
struct cda_names {
	uint64_t *slots;
	size_t count;
};

/* Returns 0 or a negative errno. */
int cda_names_init(struct cda_names *names);
void cda_names_done(struct cda_names *names);
/* ctx is a struct cda_names: as cda_prefix_each. */
void cda_names_add(void *ctx, const char *name);
bool cda_names_has(const struct cda_names *names, struct cda_span name);

/* Begin the text of a stamp. */
void cda_stamp_begin(struct cda_text *stamp, const char hash[CDA_SHA256_HEX]);
/* ctx is a struct cda_text: as cda_prefix_each. */
void cda_stamp_add(void *ctx, const char *name);

/* Does the stamp say hash? */
bool cda_stamp_is(const struct cda_text *stamp, const char hash[CDA_SHA256_HEX]);
/* Are all its names among these? */
bool cda_stamp_holds(const struct cda_text *stamp, const struct cda_names *names);

#endif
