/* map.h - string keys to pointers (hash table), order of insertion kept. */
#ifndef CDA_UTIL_MAP_H
#define CDA_UTIL_MAP_H

#include "util/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct cda_map; /* opaque */

struct cda_map *cda_map_new(void);
struct cda_map *cda_map_free(struct cda_map *map); /* keys only; values are the caller's */
CDA_DEFINE_CLEANUP(struct cda_map *, cda_map_free)

/* Keys are copied. set replaces and returns the former value, or NULL. get: NULL when absent;
 * has tells an absent key from a NULL value. remove returns the value. */
void *cda_map_set(struct cda_map *map, const char *key, void *value);
void *cda_map_get(const struct cda_map *map, const char *key);
void *cda_map_getn(const struct cda_map *map, const char *key, size_t len);
bool cda_map_has(const struct cda_map *map, const char *key);
void *cda_map_remove(struct cda_map *map, const char *key);
size_t cda_map_count(const struct cda_map *map);

/* In order of insertion: start with *at = 0; false at the end. */
bool cda_map_next(const struct cda_map *map, size_t *at, const char **ret_key, void **ret_value);

#endif
