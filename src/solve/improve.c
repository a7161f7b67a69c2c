/* improve.c - a package that is not at its best version is tried with a better one; what that costs
 * elsewhere decides. Dependencies are tried before those who need them, and win a draw. */
#include "solve/improve.h"

#include "util/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 30, TRIES_TIMES_PKGS = 60000 };

struct score { /* less is better, the first difference counts */
	uint64_t asked, moved, features, others;
};

static struct score score_of(const struct cda_universe *uni, const struct cda_jobs *jobs,
			     const struct cda_indexes *chosen)
{
	struct score score = {0};

	cda_vec_each (at, chosen) {
		const struct cda_pkg *pkg = &uni->pkgs.v[*at];
		const char *name = pkg->record->name;

		if (pkg->record->is_virtual)
			continue;
		if (cda_map_has(jobs->asked, name))
			score.asked += pkg->group;
		else if (cda_map_has(jobs->keep, name))
			score.moved += pkg->installed == NULL;
		else
			score.others += pkg->group;
		score.features += pkg->record->track_features.n;
	}
	return score;
}

static int score_cmp(const struct score *a, const struct score *b)
{
	const uint64_t va[] = {a->asked, a->moved, a->features, a->others};
	const uint64_t vb[] = {b->asked, b->moved, b->features, b->others};

	for (size_t i = 0; i < CDA_LEN(va); i++)
		if (va[i] != vb[i])
			return va[i] < vb[i] ? -1 : 1;
	return 0;
}

/* How many steps of dependencies a package has below it among the chosen; cycles end at a limit. */
static void find_depths(const struct cda_universe *uni, const struct cda_indexes *chosen,
			unsigned *depth)
{
	CDA_AUTOFREE bool *in = cda_alloc0(uni->pkgs.n + 1, sizeof(bool));
	bool changed = true;

	cda_vec_each (at, chosen)
		in[*at] = true;
	for (size_t round = 0; changed && round < chosen->n && round < 64; round++) {
		changed = false;
		cda_vec_each (at, chosen) {
			unsigned deepest = 0;

			cda_vec_each (dep, &uni->pkgs.v[*at].depends)
				cda_vec_each (match, &uni->specs.v[*dep].matches)
					if (in[*match] && *match != *at &&
					    depth[*match] + 1 > deepest)
						deepest = depth[*match] + 1;
			if (deepest > depth[*at] && deepest < 64) {
				depth[*at] = deepest;
				changed = true;
			}
		}
	}
}

/* Packages of the same name in a better group. */
static void better_ones(const struct cda_universe *uni, const struct cda_pkg *pkg,
			struct cda_indexes *out)
{
	const struct cda_bucket *bucket = pkg->bucket;

	out->n = 0;
	for (size_t i = 0; i < bucket->records.n; i++) {
		const struct cda_pkg *other =
			bucket->pkg[i] ? &uni->pkgs.v[bucket->pkg[i] - 1] : NULL;

		if (other && other->valid && other->group < pkg->group)
			cda_indexes_push(out, bucket->pkg[i] - 1);
	}
}

struct candidate {
	unsigned pkg, depth;
	const char *name;
};

static int deepest_first(const void *a, const void *b)
{
	const struct candidate *ca = a, *cb = b;

	if (ca->depth != cb->depth)
		return ca->depth < cb->depth ? -1 : 1;
	return strcmp(ca->name, cb->name);
}

static size_t find_candidates(const struct cda_universe *uni, const struct cda_jobs *jobs,
			      const struct cda_indexes *chosen, struct candidate *out)
{
	CDA_AUTOFREE unsigned *depth = cda_alloc0(uni->pkgs.n + 1, sizeof(*depth));
	size_t n = 0;

	find_depths(uni, chosen, depth);
	cda_vec_each (at, chosen) {
		const struct cda_pkg *pkg = &uni->pkgs.v[*at];

		if (pkg->group > 0 && !pkg->record->is_virtual &&
		    !(pkg->installed && cda_map_has(jobs->keep, pkg->record->name)))
			out[n++] = (struct candidate){*at, depth[*at], pkg->record->name};
	}
	qsort(out, n, sizeof(*out), deepest_first);
	return n;
}

/* A draw goes to the new answer when all who pay for it are above the one that was tried. */
static bool wins_draw(const struct cda_universe *uni, unsigned depth,
		      const struct cda_indexes *before, const struct cda_indexes *after,
		      const unsigned *depth_of)
{
	cda_vec_each (old, before)
		cda_vec_each (new, after) {
			const struct cda_pkg *was = &uni->pkgs.v[*old], *is = &uni->pkgs.v[*new];

			if (was->bucket == is->bucket && is->group > was->group &&
			    depth_of[*old] <= depth)
				return false;
		}
	return true;
}

static bool try_better(const struct cda_universe *uni, struct cda_pool *pool,
		       const struct cda_jobs *jobs, struct candidate candidate,
		       struct cda_indexes *chosen)
{
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes one_of = {0};
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes other = {0};
	CDA_AUTOFREE unsigned *depth = cda_alloc0(uni->pkgs.n + 1, sizeof(*depth));
	struct score now = score_of(uni, jobs, chosen), then;
	struct cda_indexes swap;
	int c;

	better_ones(uni, &uni->pkgs.v[candidate.pkg], &one_of);
	if (one_of.n == 0 || !cda_pool_solve(pool, &jobs->specs, &one_of, &other, NULL))
		return false;
	then = score_of(uni, jobs, &other);
	c = score_cmp(&then, &now);
	if (c == 0)
		find_depths(uni, chosen, depth);
	if (c > 0 || (c == 0 && !wins_draw(uni, candidate.depth, chosen, &other, depth)))
		return false;
	swap = *chosen;
	*chosen = other;
	other = swap;
	return true;
}

void cda_improve(const struct cda_universe *uni, struct cda_pool *pool, const struct cda_jobs *jobs,
		 struct cda_indexes *chosen)
{
	size_t tries = TRIES_TIMES_PKGS / (uni->pkgs.n + 1), n;
	CDA_CLEANUP(cda_map_freep) struct cda_map *tried = cda_map_new();
	CDA_AUTOFREE struct candidate *list = NULL;

	if (tries > MAX_TRIES)
		tries = MAX_TRIES;
	while (tries > 0) {
		bool improved = false;

		list = cda_realloc(list, chosen->n + 1, sizeof(*list));
		n = find_candidates(uni, jobs, chosen, list);
		for (size_t i = 0; i < n && tries > 0 && !improved; i++) {
			if (cda_map_has(tried, list[i].name))
				continue;
			cda_map_set(tried, list[i].name, tried);
			tries--;
			improved = try_better(uni, pool, jobs, list[i], chosen);
		}
		if (!improved)
			return;
	}
}
