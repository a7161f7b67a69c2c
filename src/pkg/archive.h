/* archive.h - safe unpacking of .conda and .tar.bz2 packages.
 * What comes out stays inside the target: no absolute path, no `..`, nothing written through a
 * link, no devices or sockets, no setuid, setgid or sticky bits, no name twice, and never more
 * bytes or entries than the limits. A target folder appears under its name only when it is whole.
 */
#ifndef CDA_PKG_ARCHIVE_H
#define CDA_PKG_ARCHIVE_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_archive_limits {   /* 0: the value in brackets */
	uint64_t max_bytes;   /* of all unpacked files [64 GiB] */
	uint64_t max_entries; /* [4 million] */
	uint64_t max_ratio;   /* unpacked to packed bytes, counted from 64 MiB on [2000] */
};

/* Unpacks the package file at (dirfd, path) to the new folder (dest_dirfd, dest): into a temporary
 * beside it, which is renamed when all is there. An existing dest is replaced. The kind is told by
 * the first bytes, not by the name. limits may be NULL. Files get the archive's modes
 * (the umask does not count, as conda has it), folders at least u+rwx; owners are ours. Errors:
 * CDA_E_ARCHIVE (damaged, hostile, too large, no package), CDA_E_SYS, CDA_E_NOSPACE,
 * CDA_E_INTERRUPTED; nothing is left behind. */
int cda_archive_extract(int dirfd, const char *path, int dest_dirfd, const char *dest,
			const struct cda_archive_limits *limits, struct cda_err *err) CDA_CHECK;

/* Appends one file of the package ("info/index.json") to *out without unpacking the rest.
 * CDA_E_NOTFOUND when it is not in there; else the errors above. */
int cda_archive_read(int dirfd, const char *path, const char *member, size_t max,
		     struct cda_buf *out, struct cda_err *err) CDA_CHECK;

/* ".conda" or ".tar.bz2" at the end of a file name; NULL for neither. */
const char *cda_archive_ending(const char *fn);

#endif
