/* arena.h - bump allocator: many small objects with one end. Not thread-safe. */
#ifndef CDA_UTIL_ARENA_H
#define CDA_UTIL_ARENA_H

#include "util/cleanup.h"

#include <stddef.h>

struct cda_arena; /* opaque */

struct cda_arena *cda_arena_new(void);
struct cda_arena *cda_arena_free(struct cda_arena *arena); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_arena *, cda_arena_free)

/* Memory that lives as long as the arena, aligned for any type; zeroed by alloc0. */
void *cda_arena_alloc(struct cda_arena *arena, size_t size);
void *cda_arena_alloc0(struct cda_arena *arena, size_t count, size_t size);
char *cda_arena_strdup(struct cda_arena *arena, const char *s); /* NULL gives NULL */
char *cda_arena_strndup(struct cda_arena *arena, const char *s, size_t len);
char *cda_arena_printf(struct cda_arena *arena, const char *fmt, ...) CDA_PRINTF(2, 3);

#endif
