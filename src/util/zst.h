/* zst.h - zstd as a stream, and whole buffers. Frames larger than the limits are refused. */
#ifndef CDA_UTIL_ZST_H
#define CDA_UTIL_ZST_H

#include "util/buf.h"
#include "util/err.h"

/* Appends the decompressed text to out, at most max bytes (CDA_E_VALUE beyond). Errors:
 * CDA_E_ARCHIVE for bytes that are no whole zstd stream. */
int cda_zst_decompress(const void *p, size_t len, size_t max, struct cda_buf *out,
		       struct cda_err *err) CDA_CHECK;
int cda_zst_compress(const void *p, size_t len, int level, struct cda_buf *out, struct cda_err *err)
	CDA_CHECK;

#endif
