/* universe.c - loading what a request reaches, and no more. */
#include "solve/universe.h"

#include "util/alloc.h"
#include "util/str.h"

#include <stdint.h>
#include <string.h>

static struct cda_bucket *bucket_for(struct cda_universe *uni, const char *name)
{
	struct cda_bucket *bucket = cda_map_get(uni->buckets, name);

	if (!bucket) {
		bucket = cda_new0(struct cda_bucket);
		bucket->name = name;
		cda_map_set(uni->buckets, name, bucket);
	}
	return bucket;
}

/* Records of one name often follow each other, so the last bucket is tried first. */
static void add_records(struct cda_universe *uni, const struct cda_records *records)
{
	struct cda_bucket *bucket = NULL;

	for (size_t i = 0; i < records->n; i++) {
		const struct cda_record *record = records->v[i];

		if (!bucket || strcmp(bucket->name, record->name) != 0)
			bucket = bucket_for(uni, record->name);
		cda_records_push(&bucket->records, record);
	}
}

/* Of every name only the records of the channel that comes first. */
static void hide_by_priority(struct cda_bucket *bucket)
{
	int best = INT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < bucket->records.n; i++)
		if (bucket->records.v[i]->priority < best)
			best = bucket->records.v[i]->priority;
	for (size_t i = 0; i < bucket->records.n; i++)
		if (bucket->records.v[i]->priority == best)
			bucket->records.v[kept++] = bucket->records.v[i];
	bucket->records.n = kept;
}

static void add_installed(struct cda_universe *uni, const struct cda_record *record)
{
	struct cda_bucket *bucket = bucket_for(uni, record->name);

	bucket->installed = record;
	for (size_t i = 0; i < bucket->records.n; i++)
		if (cda_record_same(bucket->records.v[i], record))
			return;
	cda_records_push(&bucket->records, record);
}

struct cda_universe *cda_universe_new(const struct cda_solve_request *request, bool strict)
{
	struct cda_universe *uni = cda_new0(struct cda_universe);
	const char *name;
	void *value;

	uni->request = request;
	uni->buckets = cda_map_new();
	uni->spec_by_text = cda_map_new();
	add_records(uni, &request->index);
	if (strict)
		for (size_t at = 0; cda_map_next(uni->buckets, &at, &name, &value);)
			hide_by_priority(value);
	for (size_t i = 0; i < request->installed.n; i++)
		add_installed(uni, request->installed.v[i]);
	add_records(uni, &request->virtual_pkgs);
	return uni;
}

static void bucket_free(struct cda_bucket *bucket)
{
	cda_records_done(&bucket->records);
	for (unsigned i = 0; i < bucket->n_versions; i++)
		cda_version_free(bucket->versions[i]);
	free(bucket->versions);
	free(bucket->version_texts);
	free(bucket->version_of);
	free(bucket->pkg);
	cda_matchspecs_done(&bucket->must);
	free(bucket);
}

struct cda_universe *cda_universe_free(struct cda_universe *uni)
{
	const char *name;
	void *value;

	if (!uni)
		return NULL;
	for (size_t at = 0; cda_map_next(uni->buckets, &at, &name, &value);)
		bucket_free(value);
	cda_map_free(uni->buckets);
	cda_map_free(uni->spec_by_text);
	cda_vec_each (pkg, &uni->pkgs) {
		cda_indexes_done(&pkg->depends);
		cda_indexes_done(&pkg->constrains);
		cda_indexes_done(&pkg->matched_by);
	}
	cda_pkgs_done(&uni->pkgs);
	cda_vec_each (info, &uni->specs) {
		cda_matchspec_free(info->spec);
		cda_indexes_done(&info->matches);
	}
	cda_spec_infos_done(&uni->specs);
	cda_indexes_done(&uni->queue);
	free(uni);
	return NULL;
}

struct cda_bucket *cda_universe_bucket(const struct cda_universe *uni, const char *name)
{
	return cda_map_get(uni->buckets, name);
}

void cda_universe_limit(struct cda_universe *uni, const struct cda_matchspec *spec)
{
	struct cda_bucket *bucket = cda_map_get(uni->buckets, cda_matchspec_name(spec));

	if (bucket && cda_matchspec_name_is_exact(spec))
		cda_matchspecs_push(&bucket->must, (struct cda_matchspec *)spec);
}

unsigned cda_universe_spec(struct cda_universe *uni, const char *text, bool wanted)
{
	unsigned at = (unsigned)(uintptr_t)cda_map_get(uni->spec_by_text, text);
	struct cda_err ignored = {0};

	if (at == 0) {
		struct cda_spec_info info = {0};

		if (cda_matchspec_parse(uni->request->channels, text, &info.spec, &ignored) < 0)
			info.spec = NULL;
		cda_err_done(&ignored);
		cda_spec_infos_push(&uni->specs, info);
		at = (unsigned)uni->specs.n;
		cda_map_set(uni->spec_by_text, text, (void *)(uintptr_t)at);
	}
	at--;
	if (wanted && !uni->specs.v[at].wanted) {
		uni->specs.v[at].wanted = true;
		cda_indexes_push(&uni->queue, at);
	}
	return at;
}

unsigned cda_universe_spec_of(struct cda_universe *uni, const struct cda_matchspec *spec)
{
	return cda_universe_spec(uni, cda_matchspec_text(spec), true);
}

/* Finds the distinct versions of the bucket. */
static void prepare(struct cda_bucket *bucket)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *seen = NULL;
	size_t n = bucket->records.n;

	if (bucket->pkg)
		return;
	seen = cda_map_new();
	bucket->pkg = cda_alloc0(n + 1, sizeof(*bucket->pkg));
	bucket->version_of = cda_alloc0(n + 1, sizeof(*bucket->version_of));
	bucket->versions = cda_alloc0(n + 1, sizeof(*bucket->versions));
	bucket->version_texts = cda_alloc0(n + 1, sizeof(*bucket->version_texts));
	for (size_t i = 0; i < n; i++) {
		const char *text = bucket->records.v[i]->version;
		uintptr_t at = (uintptr_t)cda_map_get(seen, text);
		struct cda_err ignored = {0};

		if (at == 0) {
			unsigned k = bucket->n_versions++;

			bucket->version_texts[k] = text;
			if (cda_version_parse(text, &bucket->versions[k], &ignored) < 0)
				bucket->versions[k] = NULL;
			cda_err_done(&ignored);
			at = k + 1;
			cda_map_set(seen, text, (void *)at);
		}
		bucket->version_of[i] = (unsigned)at - 1;
	}
}

static unsigned load_record(struct cda_universe *uni, struct cda_bucket *bucket, size_t i)
{
	const struct cda_record *record = bucket->records.v[i];
	struct cda_pkg pkg = {.record = record, .bucket = bucket, .valid = true};

	if (bucket->pkg[i] > 0)
		return bucket->pkg[i] - 1;
	pkg.version = bucket->version_of[i];
	if (bucket->installed && cda_record_same(bucket->installed, record))
		pkg.installed = bucket->installed;
	for (size_t k = 0; k < record->depends.n; k++)
		cda_indexes_push(&pkg.depends, cda_universe_spec(uni, record->depends.v[k], true));
	for (size_t k = 0; k < record->constrains.n; k++)
		cda_indexes_push(&pkg.constrains,
				 cda_universe_spec(uni, record->constrains.v[k], false));
	if (uni->request->add_pip_as_python_dependency && strcmp(record->name, "python") == 0 &&
	    (cda_starts_with(record->version, "2.") || cda_starts_with(record->version, "3.")) &&
	    cda_map_has(uni->buckets, "pip"))
		cda_indexes_push(&pkg.depends, cda_universe_spec(uni, "pip", true));
	cda_pkgs_push(&uni->pkgs, pkg);
	bucket->pkg[i] = (unsigned)uni->pkgs.n;
	return (unsigned)uni->pkgs.n - 1;
}

static bool allowed(const struct cda_bucket *bucket, size_t i)
{
	if (bucket->frozen)
		return cda_record_same(bucket->installed, bucket->records.v[i]);
	cda_vec_each (must, &bucket->must) {
		unsigned version = bucket->version_of[i];

		if (!cda_matchspec_match_version(*must, bucket->version_texts[version],
						 bucket->versions[version]) ||
		    !cda_matchspec_match_rest(*must, bucket->records.v[i]))
			return false;
	}
	return true;
}

static void match_bucket(struct cda_universe *uni, unsigned spec_at, struct cda_bucket *bucket)
{
	const struct cda_matchspec *spec = uni->specs.v[spec_at].spec;
	CDA_AUTOFREE signed char *by_version = NULL; /* 0 unknown, 1 matches, -1 does not */

	prepare(bucket);
	by_version = cda_alloc0(bucket->n_versions + 1, 1);
	for (size_t i = 0; i < bucket->records.n; i++) {
		unsigned version = bucket->version_of[i], pkg;

		if (by_version[version] == 0)
			by_version[version] =
				cda_matchspec_match_version(spec, bucket->version_texts[version],
							    bucket->versions[version])
					? 1
					: -1;
		if (by_version[version] < 0 ||
		    !cda_matchspec_match_rest(spec, bucket->records.v[i]))
			continue;
		uni->specs.v[spec_at].missing = false;
		if (!allowed(bucket, i))
			continue;
		pkg = load_record(uni, bucket, i);
		cda_indexes_push(&uni->specs.v[spec_at].matches, pkg);
		cda_indexes_push(&uni->pkgs.v[pkg].matched_by, spec_at);
	}
}

static void match_spec(struct cda_universe *uni, unsigned at)
{
	const struct cda_matchspec *spec = uni->specs.v[at].spec;
	struct cda_bucket *bucket;
	const char *name;
	void *value;

	uni->specs.v[at].missing = true;
	if (!spec)
		return;
	if (cda_matchspec_name_is_exact(spec)) {
		bucket = cda_map_get(uni->buckets, cda_matchspec_name(spec));
		if (bucket)
			match_bucket(uni, at, bucket);
		return;
	}
	for (size_t i = 0; cda_map_next(uni->buckets, &i, &name, &value);)
		match_bucket(uni, at, value);
}

/* A package is valid when each of its dependencies has a valid package: the greatest such set, so
 * that cycles are fine. Works off what became invalid. */
static void find_valid(struct cda_universe *uni)
{
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes dead = {0};
	CDA_AUTOFREE struct cda_indexes *users =
		cda_alloc0(uni->specs.n + 1, sizeof(*users)); /* of each spec */

	for (size_t i = 0; i < uni->pkgs.n; i++)
		cda_vec_each (dep, &uni->pkgs.v[i].depends)
			cda_indexes_push(&users[*dep], (unsigned)i);
	for (size_t i = 0; i < uni->specs.n; i++) {
		uni->specs.v[i].valid_matches = (unsigned)uni->specs.v[i].matches.n;
		if (uni->specs.v[i].wanted && uni->specs.v[i].matches.n == 0)
			cda_indexes_push(&dead, (unsigned)i);
	}
	while (dead.n > 0) {
		unsigned spec = dead.v[--dead.n];

		cda_vec_each (user, &users[spec]) {
			struct cda_pkg *pkg = &uni->pkgs.v[*user];

			if (!pkg->valid)
				continue;
			pkg->valid = false;
			cda_vec_each (by, &pkg->matched_by)
				if (--uni->specs.v[*by].valid_matches == 0)
					cda_indexes_push(&dead, *by);
		}
	}
	for (size_t i = 0; i < uni->specs.n; i++)
		cda_indexes_done(&users[i]);
}

void cda_universe_load(struct cda_universe *uni)
{
	for (size_t i = 0; i < uni->queue.n; i++)
		match_spec(uni, uni->queue.v[i]);
	uni->queue.n = 0;
	find_valid(uni);
}
