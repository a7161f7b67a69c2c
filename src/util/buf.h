/* buf.h - growable text buffer: never NULL, always NUL-ended. */
#ifndef CDA_UTIL_BUF_H
#define CDA_UTIL_BUF_H

#include "util/cleanup.h"
#include "util/str.h"

#include <stdarg.h>

struct cda_buf {
	char *p; /* NUL-ended; owned when cap > 0, else a static "" */
	size_t len, cap;
};

extern char cda_buf_empty[1];
#define CDA_BUF_INIT ((struct cda_buf){cda_buf_empty, 0, 0})

void cda_buf_done(struct cda_buf *buf); /* frees; usable again after */
#define CDA_AUTOBUF CDA_CLEANUP(cda_buf_done)

void cda_buf_reserve(struct cda_buf *buf, size_t more);
void cda_buf_add(struct cda_buf *buf, const void *p, size_t len);
void cda_buf_adds(struct cda_buf *buf, const char *s);
void cda_buf_addc(struct cda_buf *buf, char c);
void cda_buf_addf(struct cda_buf *buf, const char *fmt, ...) CDA_PRINTF(2, 3);
void cda_buf_vaddf(struct cda_buf *buf, const char *fmt, va_list ap) CDA_PRINTF(2, 0);
void cda_buf_cut(struct cda_buf *buf, size_t len); /* shorten to len */
void cda_buf_clear(struct cda_buf *buf);
char *cda_buf_take(struct cda_buf *buf); /* owned text; the buffer is empty after */
struct cda_str cda_buf_str(const struct cda_buf *buf);

#endif
