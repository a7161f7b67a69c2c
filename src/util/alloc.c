#include "util/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No stdio and no heap on this path: there is none left. */
static void *ours(void *p)
{
	static const char line[] = "out of memory\n";

	if (p)
		return p;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(1);
	_exit(1);
}

void *cda_alloc(size_t size)
{
	return ours(malloc(size ? size : 1));
}

void *cda_alloc0(size_t count, size_t size)
{
	return ours(count && size ? calloc(count, size) : calloc(1, 1));
}

void *cda_realloc(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return ours(NULL);
	return ours(realloc(p, bytes ? bytes : 1));
}

char *cda_strdup(const char *s)
{
	return cda_memdup(s, strlen(s) + 1);
}

char *cda_strdup_null(const char *s)
{
	return s ? cda_strdup(s) : NULL;
}

char *cda_strndup(const char *s, size_t len)
{
	return ours(strndup(s ? s : "", s ? len : 0));
}

void *cda_memdup(const void *p, size_t len)
{
	void *copy = cda_alloc(len);

	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

char *cda_vasprintf(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return ours(NULL);
	return text;
}

char *cda_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = cda_vasprintf(fmt, ap);
	va_end(ap);
	return text;
}

void cda_replace(char **p, char *value)
{
	if (*p == value)
		return;
	free(*p);
	*p = value;
}
