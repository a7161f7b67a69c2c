/* packer.h - a stream of bytes into a file, packed by gzip or zstd or not at all, with the digests
 * of both sides. What comes out depends on bytes, kind and level only, not on the threads. */
#ifndef CDA_IMAGE_PACKER_H
#define CDA_IMAGE_PACKER_H

#include "util/err.h"

#include <stddef.h>
#include <stdint.h>

enum cda_packer_kind { CDA_PACKER_NONE, CDA_PACKER_GZIP, CDA_PACKER_ZSTD };

struct cda_packer; /* opaque */

struct cda_packed {
	char raw_sha256[65], sha256[65]; /* before and after packing */
	uint64_t raw_size, size;
};

/* Level 0: 9 of gzip (1 to 9), 19 of zstd (1 to 22). The packer writes to fd, borrowed. */
struct cda_packer *cda_packer_new(enum cda_packer_kind kind, int level, unsigned threads, int fd);
struct cda_packer *cda_packer_free(struct cda_packer *packer);
CDA_DEFINE_CLEANUP(struct cda_packer *, cda_packer_free)

int cda_packer_add(struct cda_packer *packer, const void *p, size_t len, struct cda_err *err)
	CDA_CHECK;
int cda_packer_end(struct cda_packer *packer, struct cda_packed *ret_packed, struct cda_err *err)
	CDA_CHECK;

#endif
