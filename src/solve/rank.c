/* rank.c - which package of a name is better, as conda weighs it: what is kept, features, channel,
 * version, build number, what its dependencies allow, time. The rank becomes the version that
 * libsolv compares, so that one place decides. */
#include "solve/universe.h"

#include "util/alloc.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

struct order {
	const struct cda_universe *uni;
	bool asked, keep;
	enum cda_channel_priority priority;
};

static int by(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int version_cmp(const struct cda_pkg *a, const struct cda_pkg *b)
{
	const struct cda_version *va = a->bucket->versions[a->version];
	const struct cda_version *vb = b->bucket->versions[b->version];

	if (a->version == b->version)
		return 0;
	if (va && vb)
		return cda_version_cmp(va, vb);
	if (va || vb)
		return va ? 1 : -1;
	return strcmp(a->record->version, b->record->version);
}

static int channel_cmp(const struct cda_pkg *a, const struct cda_pkg *b)
{
	return by(b->record->priority, a->record->priority);
}

static int group_cmp(const struct cda_pkg *a, const struct cda_pkg *b, const struct order *order)
{
	int c = 0;

	if (order->priority != CDA_PRIORITY_DISABLED)
		c = channel_cmp(a, b);
	return c ? c : version_cmp(a, b);
}

/* Greater is better. */
static int pkg_cmp(const struct cda_pkg *a, const struct cda_pkg *b, const struct order *order)
{
	int features =
		by((int64_t)b->record->track_features.n, (int64_t)a->record->track_features.n);
	int c = 0;

	if (order->keep)
		c = (a->installed != NULL) - (b->installed != NULL);
	if (!c && !order->asked)
		c = features;
	if (!c)
		c = group_cmp(a, b, order);
	if (!c)
		c = features;
	if (!c)
		c = channel_cmp(a, b);
	if (!c)
		c = by(a->record->build_number, b->record->build_number);
	if (!c)
		c = by(b->record->noarch != CDA_NOARCH_NONE, a->record->noarch != CDA_NOARCH_NONE);
	if (!c)
		c = (b->deficit > a->deficit) - (b->deficit < a->deficit);
	if (!c)
		c = by(a->record->timestamp, b->record->timestamp);
	if (!c && a->record->fn && b->record->fn)
		c = cda_ends_with(a->record->fn, ".conda") - cda_ends_with(b->record->fn, ".conda");
	if (!c)
		c = (a->installed != NULL) - (b->installed != NULL);
	if (!c)
		c = strcmp(b->record->build, a->record->build);
	return c;
}

struct entry {
	struct cda_pkg *pkg;
	const struct order *order;
};

static int best_group_first(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;

	return group_cmp(eb->pkg, ea->pkg, ea->order);
}

static int worst_first(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;
	int c = pkg_cmp(ea->pkg, eb->pkg, ea->order);

	/* where nothing tells them apart: the order of the index */
	return c ? c : by(eb->pkg - ea->pkg, 0);
}

static void each_bucket(struct cda_universe *uni, const struct cda_map *asked,
			const struct cda_map *keep, bool groups)
{
	struct order order = {.uni = uni, .priority = uni->request->channel_priority};
	CDA_AUTOFREE struct entry *entries = NULL;
	const char *name;
	void *value;

	for (size_t at = 0; cda_map_next(uni->buckets, &at, &name, &value);) {
		struct cda_bucket *bucket = value;
		size_t n = 0;
		unsigned group = 0;

		if (!bucket->pkg)
			continue;
		order.asked = cda_map_has(asked, name);
		order.keep = cda_map_has(keep, name);
		entries = cda_realloc(entries, bucket->records.n + 1, sizeof(*entries));
		for (size_t i = 0; i < bucket->records.n; i++)
			if (bucket->pkg[i] > 0)
				entries[n++] =
					(struct entry){&uni->pkgs.v[bucket->pkg[i] - 1], &order};
		qsort(entries, n, sizeof(*entries), groups ? best_group_first : worst_first);
		for (size_t i = 0; i < n; i++) {
			if (!groups) {
				entries[i].pkg->rank = (unsigned)i + 1;
				continue;
			}
			if (i > 0 && best_group_first(&entries[i - 1], &entries[i]) != 0)
				group++;
			entries[i].pkg->group = group;
		}
	}
}

void cda_universe_rank(struct cda_universe *uni, const struct cda_map *asked,
		       const struct cda_map *keep)
{
	each_bucket(uni, asked, keep, true);
	cda_vec_each (info, &uni->specs) {
		info->best_group = UINT32_MAX;
		cda_vec_each (match, &info->matches)
			if (uni->pkgs.v[*match].valid &&
			    uni->pkgs.v[*match].group < info->best_group)
				info->best_group = uni->pkgs.v[*match].group;
	}
	cda_vec_each (pkg, &uni->pkgs) {
		pkg->deficit = 0;
		cda_vec_each (dep, &pkg->depends)
			pkg->deficit += uni->specs.v[*dep].best_group;
	}
	each_bucket(uni, asked, keep, false);
}
