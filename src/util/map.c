#include "util/map.h"
#include "util/alloc.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Entries stand in order of insertion; slots hold 1 + their index, 0 for never used, and are
 * probed one after the other. A removed entry keeps its slot (key NULL) until the next rebuild. */
struct entry {
	char *key;
	void *value;
	uint64_t hash;
};

struct cda_map {
	struct entry *entries;
	uint32_t *slots;
	size_t used, cap; /* entries in use, removed ones too; room */
	size_t live;
	size_t mask; /* slots - 1 */
};

static uint64_t seed;

/* Keys come from the network: the seed keeps a chosen set of them from piling up in one slot. */
static void make_seed(void)
{
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_of(const char *key, size_t len)
{
	uint64_t h = seed ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

struct cda_map *cda_map_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_seed);
	return cda_new0(struct cda_map);
}

struct cda_map *cda_map_free(struct cda_map *map)
{
	if (!map)
		return NULL;
	for (size_t i = 0; i < map->used; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->slots);
	free(map);
	return NULL;
}

static struct entry *find(const struct cda_map *map, const char *key, size_t len, uint64_t hash)
{
	if (map->used == 0)
		return NULL;
	for (size_t at = hash & map->mask; map->slots[at] != 0; at = (at + 1) & map->mask) {
		struct entry *entry = &map->entries[map->slots[at] - 1];

		if (entry->key && entry->hash == hash && strncmp(entry->key, key, len) == 0 &&
		    entry->key[len] == '\0')
			return entry;
	}
	return NULL;
}

static void put_slot(struct cda_map *map, size_t index)
{
	size_t at = map->entries[index].hash & map->mask;

	while (map->slots[at] != 0)
		at = (at + 1) & map->mask;
	map->slots[at] = (uint32_t)index + 1;
}

/* Drops removed entries and makes room: slots are at most half full. */
static void rebuild(struct cda_map *map)
{
	size_t cap = 8, kept = 0;

	while (cap < map->live * 2 || cap < map->live + 1)
		cap *= 2;
	for (size_t i = 0; i < map->used; i++)
		if (map->entries[i].key)
			map->entries[kept++] = map->entries[i];
	map->used = kept;
	map->cap = cap;
	map->entries = cda_realloc(map->entries, cap, sizeof(*map->entries));
	free(map->slots);
	map->slots = cda_alloc0(cap * 2, sizeof(*map->slots));
	map->mask = cap * 2 - 1;
	for (size_t i = 0; i < kept; i++)
		put_slot(map, i);
}

void *cda_map_set(struct cda_map *map, const char *key, void *value)
{
	size_t len = strlen(key);
	uint64_t hash = hash_of(key, len);
	struct entry *entry = find(map, key, len, hash);

	if (entry) {
		void *former = entry->value;

		entry->value = value;
		return former;
	}
	if (map->used == map->cap)
		rebuild(map);
	map->entries[map->used] = (struct entry){cda_strndup(key, len), value, hash};
	put_slot(map, map->used++);
	map->live++;
	return NULL;
}

void *cda_map_getn(const struct cda_map *map, const char *key, size_t len)
{
	const struct entry *entry = find(map, key, len, hash_of(key, len));

	return entry ? entry->value : NULL;
}

void *cda_map_get(const struct cda_map *map, const char *key)
{
	return cda_map_getn(map, key, strlen(key));
}

bool cda_map_has(const struct cda_map *map, const char *key)
{
	size_t len = strlen(key);

	return find(map, key, len, hash_of(key, len)) != NULL;
}

void *cda_map_remove(struct cda_map *map, const char *key)
{
	size_t len = strlen(key);
	struct entry *entry = find(map, key, len, hash_of(key, len));
	void *value;

	if (!entry)
		return NULL;
	value = entry->value;
	free(entry->key);
	*entry = (struct entry){0};
	map->live--;
	return value;
}

size_t cda_map_count(const struct cda_map *map)
{
	return map->live;
}

bool cda_map_next(const struct cda_map *map, size_t *at, const char **ret_key, void **ret_value)
{
	while (*at < map->used) {
		const struct entry *entry = &map->entries[(*at)++];

		if (!entry->key)
			continue;
		if (ret_key)
			*ret_key = entry->key;
		if (ret_value)
			*ret_value = entry->value;
		return true;
	}
	return false;
}
