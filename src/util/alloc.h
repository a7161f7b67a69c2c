/* alloc.h - allocation that cannot fail: out of memory ends the process with one line. */
#ifndef CDA_UTIL_ALLOC_H
#define CDA_UTIL_ALLOC_H

#include "util/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

void *cda_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *cda_alloc0(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *cda_realloc(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
char *cda_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *cda_strdup_null(const char *s); /* NULL gives NULL */
char *cda_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
void *cda_memdup(const void *p, size_t len) __attribute__((malloc, returns_nonnull));
char *cda_asprintf(const char *fmt, ...) CDA_PRINTF(1, 2) __attribute__((malloc, returns_nonnull));
char *cda_vasprintf(const char *fmt, va_list ap) CDA_PRINTF(1, 0)
	__attribute__((malloc, returns_nonnull));

#define cda_new0(type) ((type *)cda_alloc0(1, sizeof(type)))

/* Frees *p and puts value (owned from now on, may be NULL) there. */
void cda_replace(char **p, char *value);

#endif
