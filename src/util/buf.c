#include "util/buf.h"
#include "util/alloc.h"

#include <stdlib.h>
#include <string.h>

char cda_buf_empty[1] = "";

void cda_buf_done(struct cda_buf *buf)
{
	if (buf->cap > 0)
		free(buf->p);
	*buf = CDA_BUF_INIT;
}

void cda_buf_reserve(struct cda_buf *buf, size_t more)
{
	size_t need, cap;

	if (buf->cap > 0 && buf->cap - 1 - buf->len >= more)
		return;
	if (__builtin_add_overflow(buf->len, more, &need) || need >= SIZE_MAX / 2)
		need = SIZE_MAX - 1; /* cda_realloc ends the process */
	cap = need + 1;
	if (cap < buf->cap * 2)
		cap = buf->cap * 2;
	if (cap < 64)
		cap = 64;
	buf->p = cda_realloc(buf->cap > 0 ? buf->p : NULL, cap, 1);
	buf->p[buf->len] = '\0';
	buf->cap = cap;
}

void cda_buf_add(struct cda_buf *buf, const void *p, size_t len)
{
	if (len == 0)
		return;
	cda_buf_reserve(buf, len);
	memcpy(buf->p + buf->len, p, len);
	buf->len += len;
	buf->p[buf->len] = '\0';
}

void cda_buf_adds(struct cda_buf *buf, const char *s)
{
	cda_buf_add(buf, s, strlen(s));
}

void cda_buf_addc(struct cda_buf *buf, char c)
{
	cda_buf_add(buf, &c, 1);
}

void cda_buf_vaddf(struct cda_buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	/* Most texts are short: in place at the first try. */
	cda_buf_reserve(buf, 64);
	room = buf->cap - buf->len;
	va_copy(again, ap);
	n = vsnprintf(buf->p + buf->len, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room) {
		cda_buf_reserve(buf, (size_t)n);
		n = vsnprintf(buf->p + buf->len, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n > 0)
		buf->len += (size_t)n;
	buf->p[buf->len] = '\0';
}

void cda_buf_addf(struct cda_buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cda_buf_vaddf(buf, fmt, ap);
	va_end(ap);
}

void cda_buf_cut(struct cda_buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->p[len] = '\0';
}

void cda_buf_clear(struct cda_buf *buf)
{
	cda_buf_cut(buf, 0);
}

char *cda_buf_take(struct cda_buf *buf)
{
	char *text = buf->cap > 0 ? buf->p : cda_strdup("");

	*buf = CDA_BUF_INIT;
	return text;
}

struct cda_str cda_buf_str(const struct cda_buf *buf)
{
	return (struct cda_str){buf->p, buf->len};
}
