#include "stamp.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { SLOTS = 1 << 15 }; /* of 8 bytes; no prefix has so many names */

/* FNV-1a of 64 bits; 0 stands for an empty slot. */
static uint64_t sum_of(struct cda_span name)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < name.len; i++)
		sum = (sum ^ (uint8_t)name.p[i]) * 0x100000001b3;
	return sum != 0 ? sum : 1;
}

/* Where the name is, or the free slot for it. */
static uint64_t *slot_of(const struct cda_names *names, uint64_t sum)
{
	size_t at = sum % SLOTS;

	while (names->slots[at] != 0 && names->slots[at] != sum)
		at = (at + 1) % SLOTS;
	return &names->slots[at];
}

int cda_names_init(struct cda_names *names)
{
	void *slots = mmap(NULL, SLOTS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*names = (struct cda_names){.slots = slots != MAP_FAILED ? slots : NULL};
	return slots != MAP_FAILED ? 0 : -errno;
}

void cda_names_done(struct cda_names *names)
{
	if (names->slots != NULL)
		munmap(names->slots, SLOTS * sizeof(uint64_t));
	names->slots = NULL;
}

void cda_names_add(void *ctx, const char *name)
{
	struct cda_names *names = ctx;
	uint64_t sum = sum_of((struct cda_span){name, strlen(name)});
	uint64_t *slot = slot_of(names, sum);

	/* A quarter stays free, so that every search ends; a name left out counts as vanished. */
	if (*slot == 0 && names->count < SLOTS / 4 * 3) {
		*slot = sum;
		names->count++;
	}
}

bool cda_names_has(const struct cda_names *names, struct cda_span name)
{
	return *slot_of(names, sum_of(name)) != 0;
}

static const char lead[] = "stamp 1 ";

void cda_stamp_begin(struct cda_text *stamp, const char hash[CDA_SHA256_HEX])
{
	cda_text_add_str(stamp, lead);
	cda_stamp_add(stamp, hash);
}

void cda_stamp_add(void *ctx, const char *name)
{
	struct cda_text *stamp = ctx;

	cda_text_add_str(stamp, name);
	cda_text_add_str(stamp, "\n");
}

bool cda_stamp_is(const struct cda_text *stamp, const char hash[CDA_SHA256_HEX])
{
	struct cda_span rest = {stamp->data, stamp->len}, line;
	const size_t len = sizeof(lead) - 1;

	return cda_span_line(&rest, &line) && line.len == len + CDA_SHA256_HEX - 1 &&
	       memcmp(line.p, lead, len) == 0 &&
	       memcmp(line.p + len, hash, CDA_SHA256_HEX - 1) == 0;
}

bool cda_stamp_holds(const struct cda_text *stamp, const struct cda_names *names)
{
	struct cda_span rest = {stamp->data, stamp->len}, line;

	if (!cda_span_line(&rest, &line))
		return false;
	while (cda_span_line(&rest, &line)) {
		if (!cda_names_has(names, line))
			return false;
	}
	return true;
}
