/* explain.c - why a request cannot be: what does not exist, or who stands against whom. */
#include "solve/explain.h"

#include "util/alloc.h"
#include "util/json.h"
#include "util/str.h"

#include <string.h>

enum { MAX_LINES = 25, MAX_VERSIONS = 6 };

static const char *spec_text(const struct cda_universe *uni, unsigned at)
{
	const struct cda_spec_info *info = &uni->specs.v[at];

	return info->spec ? cda_matchspec_text(info->spec) : "(unreadable spec)";
}

/* The specs at the ends of broken chains of dependencies below spec `at`: those that no record
 * matches. */
static void find_leaves(const struct cda_universe *uni, unsigned at, struct cda_strv *leaves)
{
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes todo = {0};
	CDA_AUTOFREE bool *seen = cda_alloc0(uni->specs.n + 1, sizeof(bool));

	cda_indexes_push(&todo, at);
	seen[at] = true;
	while (todo.n > 0) {
		unsigned spec = todo.v[--todo.n];
		const struct cda_spec_info *info = &uni->specs.v[spec];

		if (info->matches.n == 0)
			cda_strv_push(leaves, spec_text(uni, spec));
		cda_vec_each (match, &info->matches)
			cda_vec_each (dep, &uni->pkgs.v[*match].depends)
				if (!seen[*dep] && uni->specs.v[*dep].valid_matches == 0) {
					seen[*dep] = true;
					cda_indexes_push(&todo, *dep);
				}
	}
}

static void hint_nearest(const struct cda_universe *uni, const char *name, struct cda_err *err)
{
	CDA_AUTOFREE const char **names =
		cda_alloc0(cda_map_count(uni->buckets) + 1, sizeof(*names));
	const char *key, *near;
	size_t n = 0;
	void *value;

	for (size_t at = 0; cda_map_next(uni->buckets, &at, &key, &value);)
		if (strcmp(key, name) != 0)
			names[n++] = key;
	near = cda_nearest(name, names);
	if (near)
		cda_err_hint(err, "a package of a similar name is there: %s", near);
}

/* What versions there are of the name, newest first; "" when there is none. */
static void hint_versions(const struct cda_universe *uni, const struct cda_matchspec *spec,
			  struct cda_err *err)
{
	const struct cda_bucket *bucket = cda_universe_bucket(uni, cda_matchspec_name(spec));
	CDA_AUTOSTRV struct cda_strv texts = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!bucket || bucket->records.n == 0)
		return;
	for (size_t i = 0; i < bucket->records.n; i++)
		cda_strv_push(&texts, bucket->records.v[i]->version);
	cda_strv_uniq(&texts);
	for (int shown = 0; shown < MAX_VERSIONS && texts.n > 0; shown++) {
		size_t best = 0;

		for (size_t i = 1; i < texts.n; i++)
			if (cda_version_cmp_text(texts.v[i], texts.v[best]) > 0)
				best = i;
		cda_buf_addf(&out, "%s%s", shown ? ", " : "", texts.v[best]);
		cda_strv_remove(&texts, best);
	}
	if (bucket->records.v[0]->is_virtual)
		cda_err_hint(err,
			     "%s is what this system has, in version %s: the packages are made for "
			     "another system",
			     bucket->name, out.p);
	else
		cda_err_hint(err, "versions of %s that are there: %s%s", bucket->name, out.p,
			     texts.n > 0 ? ", ..." : "");
}

int cda_explain_missing(const struct cda_universe *uni, const struct cda_indexes *jobs,
			struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv leaves = {0};
	CDA_AUTOFREE char *joined = NULL;

	cda_vec_each (job, jobs)
		if (uni->specs.v[*job].valid_matches == 0)
			find_leaves(uni, *job, &leaves);
	if (leaves.n == 0)
		return 0;
	cda_strv_uniq(&leaves);
	joined = cda_strv_join(&leaves, ", ");
	cda_err_set(err, CDA_E_NOTFOUND, "packages are not available from the channels: %s",
		    joined);
	for (size_t i = 0; i < leaves.n && i < 5; i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err ignored = {0};

		if (cda_matchspec_parse(uni->request->channels, leaves.v[i], &spec, &ignored) ==
		    0) {
			if (cda_universe_bucket(uni, cda_matchspec_name(spec)))
				hint_versions(uni, spec, err);
			else
				hint_nearest(uni, cda_matchspec_name(spec), err);
		}
		cda_err_done(&ignored);
	}
	cda_err_data_list(err, "packages", &leaves);
	return -CDA_E_NOTFOUND;
}

static void add_pkg(const struct cda_universe *uni, int at, struct cda_buf *out)
{
	if (at < 0)
		cda_buf_adds(out, "a package");
	else
		cda_buf_addf(out, "%s %s", uni->pkgs.v[at].record->name,
			     uni->pkgs.v[at].record->version);
}

/* What else holds for the name of a spec that is needed: limits from before the solve. */
static void add_limits(const struct cda_universe *uni, int spec, struct cda_strv *lines)
{
	const struct cda_matchspec *needed = spec >= 0 ? uni->specs.v[spec].spec : NULL;
	const struct cda_bucket *bucket =
		needed ? cda_universe_bucket(uni, cda_matchspec_name(needed)) : NULL;

	if (!bucket)
		return;
	cda_vec_each (must, &bucket->must)
		if (!cda_matchspec_is_name_only(*must))
			cda_strv_pushf(lines, "%s has to be %s", bucket->name,
				       cda_matchspec_text(*must));
}

static void add_line(const struct cda_universe *uni, const struct cda_clash *clash,
		     struct cda_strv *lines)
{
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT;
	const char *spec = clash->spec >= 0 ? spec_text(uni, (unsigned)clash->spec) : "?";

	switch (clash->kind) {
	case CDA_CLASH_JOB:
		if (clash->spec < 0)
			return;
		cda_buf_addf(&line, "the request has %s", spec);
		break;
	case CDA_CLASH_NEEDS:
		add_pkg(uni, clash->pkg, &line);
		cda_buf_addf(&line, " needs %s", spec);
		add_limits(uni, clash->spec, lines);
		break;
	case CDA_CLASH_CONSTRAINS:
		add_pkg(uni, clash->pkg, &line);
		cda_buf_addf(&line, " goes only with %s", spec);
		break;
	case CDA_CLASH_SAME_NAME:
		return; /* that one name is there once goes without saying */
	}
	cda_strv_take(lines, cda_buf_take(&line));
}

static bool has_name(const struct cda_universe *uni, const struct cda_clash *clash,
		     const char *name)
{
	const struct cda_matchspec *spec = clash->spec >= 0 ? uni->specs.v[clash->spec].spec : NULL;

	return spec && strcmp(cda_matchspec_name(spec), name) == 0;
}

/* From what was asked for down to the spec of the clash. */
static void find_chain(const struct cda_universe *uni, const struct cda_clashes *clashes,
		       const struct cda_clash *from, struct cda_strv *chain)
{
	cda_strv_push(chain, spec_text(uni, (unsigned)from->spec));
	for (size_t depth = 0; depth < clashes->n && from->pkg >= 0; depth++) {
		const char *name = uni->pkgs.v[from->pkg].record->name;
		const struct cda_clash *above = NULL;

		cda_vec_each (clash, clashes)
			if (has_name(uni, clash, name) &&
			    (clash->kind == CDA_CLASH_JOB ||
			     (clash->kind == CDA_CLASH_NEEDS && !above && clash != from)))
				above = clash;
		if (!above) {
			cda_strv_insert(chain, 0, name);
			return;
		}
		cda_strv_insert(chain, 0, spec_text(uni, (unsigned)above->spec));
		if (above->kind == CDA_CLASH_JOB)
			return;
		from = above;
	}
}

/* For tools, as conda tells them: a list of such chains. */
static void tell_chains(const struct cda_universe *uni, const struct cda_clashes *clashes,
			struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf json = CDA_BUF_INIT;

	cda_buf_addc(&json, '[');
	cda_vec_each (clash, clashes) {
		CDA_AUTOSTRV struct cda_strv chain = {0};

		if (clash->spec < 0 || clash->pkg < 0 ||
		    (clash->kind != CDA_CLASH_NEEDS && clash->kind != CDA_CLASH_CONSTRAINS))
			continue;
		find_chain(uni, clashes, clash, &chain);
		cda_buf_adds(&json, json.len > 1 ? ", [" : "[");
		for (size_t i = 0; i < chain.n; i++) {
			cda_buf_adds(&json, i > 0 ? ", " : "");
			cda_json_quote(chain.v[i], &json);
		}
		cda_buf_addc(&json, ']');
	}
	cda_buf_addc(&json, ']');
	cda_err_data_json(err, "unsatisfiable", json.p);
}

int cda_explain_clashes(const struct cda_universe *uni, const struct cda_clashes *clashes,
			struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv lines = {0};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	size_t shown;

	/* jobs first, then who needs what */
	for (int jobs = 1; jobs >= 0; jobs--)
		cda_vec_each (clash, clashes)
			if ((clash->kind == CDA_CLASH_JOB) == jobs)
				add_line(uni, clash, &lines);
	cda_strv_uniq(&lines);
	shown = lines.n < MAX_LINES ? lines.n : MAX_LINES;
	for (size_t i = 0; i < shown; i++)
		cda_buf_addf(&text, "\n  - %s", lines.v[i]);
	if (shown < lines.n)
		cda_buf_addf(&text, "\n  - and %zu more", lines.n - shown);
	cda_err_set(err, CDA_E_UNSAT, "the specifications are incompatible with each other:%s",
		    text.p);
	tell_chains(uni, clashes, err);
	return -(int)CDA_E_UNSAT;
}
