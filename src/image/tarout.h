/* tarout.h - writes a tar archive (POSIX ustar, pax records where a value does not fit), the same
 * bytes for the same input: no names of owners, whole seconds, attributes by name. */
#ifndef CDA_IMAGE_TAROUT_H
#define CDA_IMAGE_TAROUT_H

#include "image/tree.h"

#include <stdint.h>

/* Takes the bytes of the archive. */
typedef int cda_tarout_sink(void *ctx, const void *p, size_t len, struct cda_err *err);

struct cda_tarout {
	cda_tarout_sink *sink;
	void *ctx;
};

struct cda_tarout_member {
	const char *path;     /* without a slash in front or behind */
	const char *hardlink; /* of an earlier member, or NULL */
	enum cda_tree_type type;
	unsigned mode;
	uint32_t uid, gid;
	int64_t mtime; /* not negative */
	uint64_t size;
	const char *target;
	unsigned major, minor;
	const struct cda_tree_xattr *xattrs;
	size_t nxattrs;
};

/* Writes what comes before the content. The caller then hands exactly size bytes to the sink, and
 * calls cda_tarout_pad. */
int cda_tarout_header(const struct cda_tarout *out, const struct cda_tarout_member *member,
		      struct cda_err *err) CDA_CHECK;
int cda_tarout_pad(const struct cda_tarout *out, uint64_t size, struct cda_err *err) CDA_CHECK;
int cda_tarout_end(const struct cda_tarout *out, struct cda_err *err) CDA_CHECK;

#endif
