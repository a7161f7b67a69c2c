#include "image/size_print.h"
#include "util/alloc.h"
#include "util/map.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

const char *cda_size_human(uint64_t bytes, char out[CDA_SIZE_HUMAN_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.95 would be printed as 1000.0 */
	while (value >= 999.95 && unit + 1 < CDA_LEN(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(out, CDA_SIZE_HUMAN_MAX, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

const char *cda_size_change(uint64_t before, uint64_t after, char out[CDA_SIZE_HUMAN_MAX])
{
	char text[CDA_SIZE_HUMAN_MAX];

	if (before == after)
		snprintf(out, CDA_SIZE_HUMAN_MAX, "0 B");
	else
		snprintf(out, CDA_SIZE_HUMAN_MAX, "%c%.20s", after > before ? '+' : '-',
			 cda_size_human(after > before ? after - before : before - after, text));
	return out;
}

const char *cda_size_kind_title(unsigned kind)
{
	static const char *const titles[CDA_SIZE_KINDS] = {
		"Debian packages", "Alpine packages",     "conda packages",
		"pip packages",    "files of no package",
	};

	return titles[kind < CDA_SIZE_KINDS ? kind : CDA_SIZE_NOBODY];
}

static char *key_of(const struct cda_inv_package *p)
{
	return cda_asprintf("%u\2%s\2%s\2%s", (unsigned)p->kind, p->place, p->name,
			    p->kind == CDA_INV_DPKG && p->arch ? p->arch : "");
}

static void collect(const struct cda_size *size, unsigned side, struct cda_map *places,
		    struct cda_size_pairs *out)
{
	cda_vec_each (package, &size->packages) {
		const struct cda_inv_package *p = &size->inv.packages.v[package->index];
		CDA_AUTOFREE char *key = key_of(p);
		size_t at = (size_t)(uintptr_t)cda_map_get(places, key);
		struct cda_size_pair *pair;

		if (!at) {
			cda_size_pairs_push(out, (struct cda_size_pair){0});
			at = out->n;
			cda_map_set(places, key, (void *)(uintptr_t)at);
		}
		pair = &out->v[at - 1];
		*(side ? &pair->after : &pair->before) = p;
		pair->size[side] += p->size;
		pair->packed[side] += package->packed;
		pair->files[side] += p->files;
	}
}

static uint64_t change(const struct cda_size_pair *pair)
{
	return pair->size[0] > pair->size[1] ? pair->size[0] - pair->size[1]
					     : pair->size[1] - pair->size[0];
}

static int by_change(const void *a, const void *b)
{
	const struct cda_size_pair *x = a, *y = b;
	const struct cda_inv_package *p = x->before ? x->before : x->after;
	const struct cda_inv_package *q = y->before ? y->before : y->after;
	int rc = (change(x) < change(y)) - (change(x) > change(y));

	if (!rc)
		rc = (p->kind > q->kind) - (p->kind < q->kind);
	if (!rc)
		rc = strcmp(p->name, q->name);
	return rc ? rc : strcmp(p->purl, q->purl);
}

void cda_size_compare(const struct cda_size *before, const struct cda_size *after,
		      struct cda_size_pairs *out)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *places = cda_map_new();
	size_t n = 0;

	collect(before, 0, places, out);
	collect(after, 1, places, out);
	for (size_t i = 0; i < out->n; i++) {
		const struct cda_size_pair *pair = &out->v[i];

		if (pair->before && pair->after && !change(pair) &&
		    cda_streq(pair->before->version, pair->after->version))
			continue;
		out->v[n++] = *pair;
	}
	out->n = n;
	if (n)
		qsort(out->v, n, sizeof(*out->v), by_change);
}
