/* rewrite.h - the build-time prefix (placeholder) in a file's bytes becomes the real one.
 * Pure: bytes in, bytes out. Same results as conda/core/portability.py. */
#ifndef CDA_PREFIX_REWRITE_H
#define CDA_PREFIX_REWRITE_H

#include "util/buf.h"
#include "util/err.h"

/* Text: every placeholder is replaced; a first line `#!` that grows beyond 127 bytes, or has a
 * prefix with blanks, names /usr/bin/env instead. Appended to out. */
void cda_rewrite_text(const char *p, size_t len, const char *placeholder, const char *prefix,
		      struct cda_buf *out);
/* Binary: within each NUL-ended string that has a placeholder the replaced text is padded with
 * NULs, so the length stays. Appended to out. Errors: CDA_E_PADDING when the prefix is longer than
 * the placeholder (out as before). */
int cda_rewrite_binary(const char *p, size_t len, const char *placeholder, const char *prefix,
		       struct cda_buf *out, struct cda_err *err) CDA_CHECK;
/* The first line or lines of a script for this interpreter: `#!` while it fits and has no blanks,
 * else text that sh and Python both understand. Appended. */
void cda_rewrite_shebang(const char *interpreter, struct cda_buf *out);

#endif
