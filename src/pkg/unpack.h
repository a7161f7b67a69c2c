/* unpack.h - within pkg: puts the entries of one tar stream below a folder. */
#ifndef CDA_PKG_UNPACK_H
#define CDA_PKG_UNPACK_H

#include "pkg/archive.h"

#include <archive.h>

struct cda_unpack {
	int root; /* the folder, ours alone and empty at the start; borrowed */
	const struct cda_archive_limits *limits;
	uint64_t bytes, entries; /* so far */
	uint64_t packed;         /* size of the package file */
	/* The folder of the last entry stays open: the next one is mostly beside it. */
	char *parent;
	int parent_fd;
};

/* Puts every entry of the open tar below the root. Errors: as cda_archive_extract. */
int cda_unpack_tar(struct cda_unpack *unpack, struct archive *tar, struct cda_err *err) CDA_CHECK;
void cda_unpack_done(struct cda_unpack *unpack);

/* The path of an entry without "./" in front and slashes behind; owned. NULL when it is none that
 * may be written; "" for the root itself. */
char *cda_unpack_path(const char *path);

/* CDA_E_ARCHIVE, or CDA_E_SYS where reading failed for a reason of the system. */
int cda_unpack_failed(struct archive *archive, struct cda_err *err);

#endif
