#include "util/arena.h"
#include "util/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) char mem[];
};

struct cda_arena {
	struct block *head; /* the block that is filled now */
};

enum { first_block = 4096, largest_step = 1 << 20 };

struct cda_arena *cda_arena_new(void)
{
	return cda_new0(struct cda_arena);
}

struct cda_arena *cda_arena_free(struct cda_arena *arena)
{
	struct block *block, *next;

	if (!arena)
		return NULL;
	for (block = arena->head; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
	return NULL;
}

/* Blocks double up to largest_step, so that few objects cost little and many cost few calls. */
static struct block *grow(struct cda_arena *arena, size_t need)
{
	size_t size = arena->head ? arena->head->size * 2 : first_block, total;
	struct block *block;

	if (size > largest_step)
		size = largest_step;
	if (size < need)
		size = need;
	if (__builtin_add_overflow(size, sizeof(*block), &total))
		total = SIZE_MAX; /* cda_alloc ends the process */
	block = cda_alloc(total);
	block->next = arena->head;
	block->used = 0;
	block->size = size;
	arena->head = block;
	return block;
}

static void *take(struct cda_arena *arena, size_t size, size_t align)
{
	struct block *block = arena->head;
	size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;

	if (!block || at > block->size || block->size - at < size) {
		block = grow(arena, size);
		at = 0;
	}
	block->used = at + size;
	return block->mem + at;
}

void *cda_arena_alloc(struct cda_arena *arena, size_t size)
{
	return take(arena, size, alignof(max_align_t));
}

void *cda_arena_alloc0(struct cda_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = SIZE_MAX;
	p = cda_arena_alloc(arena, bytes);
	memset(p, 0, bytes);
	return p;
}

char *cda_arena_strndup(struct cda_arena *arena, const char *s, size_t len)
{
	char *copy = take(arena, len + 1, 1);

	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *cda_arena_strdup(struct cda_arena *arena, const char *s)
{
	return s ? cda_arena_strndup(arena, s, strlen(s)) : NULL;
}

char *cda_arena_printf(struct cda_arena *arena, const char *fmt, ...)
{
	CDA_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = cda_vasprintf(fmt, ap);
	va_end(ap);
	return cda_arena_strdup(arena, text);
}
