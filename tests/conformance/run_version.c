/* run_version.c - version order and version ranges. */
#include "run.h"

#include "core/version.h"
#include "util/arena.h"
#include "util/str.h"

#include <string.h>

/* Owned, or NULL for what is no version. */
static struct cda_version *parse(const char *text)
{
	struct cda_version *version = NULL;
	struct cda_err err = {0};

	if (cda_version_parse(text, &version, &err) < 0)
		version = NULL;
	cda_err_done(&err);
	return version;
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_pair(const char *a, const char *b, int want, struct tally *tally)
{
	CDA_CLEANUP(cda_version_freep) struct cda_version *va = parse(a), *vb = parse(b);
	int got;

	if (!va || !vb) {
		tally_check(tally, false, "'%s' against '%s': not accepted", a, b);
		return;
	}
	got = sign(cda_version_cmp(va, vb));
	tally_check(tally, got == want && sign(cda_version_cmp(vb, va)) == -want,
		    "'%s' against '%s': got %d, want %d", a, b, got, want);
}

/* Neighbours both ways, and each group against the first and the last. */
static void check_sorted(yyjson_val *groups, struct tally *tally)
{
	size_t n = yyjson_arr_size(groups), i, max;
	yyjson_val *group, *member;
	const char *former = NULL;
	const char *first = yyjson_get_str(yyjson_arr_get_first(yyjson_arr_get_first(groups)));
	const char *last = yyjson_get_str(yyjson_arr_get_first(yyjson_arr_get_last(groups)));
	size_t at = 0;

	yyjson_arr_foreach (groups, i, max, group) {
		const char *one = yyjson_get_str(yyjson_arr_get_first(group));
		size_t k, kmax;

		yyjson_arr_foreach (group, k, kmax, member)
			check_pair(one, yyjson_get_str(member), 0, tally);
		if (former)
			check_pair(former, one, -1, tally);
		check_pair(first, one, at == 0 ? 0 : -1, tally);
		check_pair(one, last, at == n - 1 ? 0 : -1, tally);
		former = one;
		at++;
	}
}

int run_version_order(yyjson_val *root, struct tally *tally)
{
	size_t i, max;
	yyjson_val *item;

	check_sorted(yyjson_obj_get(root, "sorted"), tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "pairs"), i, max, item)
		check_pair(yyjson_get_str(yyjson_arr_get(item, 0)),
			   yyjson_get_str(yyjson_arr_get(item, 1)),
			   (int)yyjson_get_sint(yyjson_arr_get(item, 2)), tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "invalid"), i, max, item) {
		const char *text = cda_json_str(item, "version");
		CDA_CLEANUP(cda_version_freep) struct cda_version *version = parse(text);

		tally_check(tally, !version, "'%s': accepted, want refused", text);
	}
	yyjson_arr_foreach (yyjson_obj_get(root, "parsed"), i, max, item) {
		const char *text = cda_json_str(item, "version"),
			   *norm = cda_json_str(item, "norm");
		CDA_CLEANUP(cda_version_freep) struct cda_version *version = parse(text);

		tally_check(tally, version && cda_streq(cda_version_text(version), norm),
			    "'%s': text '%s', want '%s'", text,
			    version ? cda_version_text(version) : "(refused)", norm);
	}
	return 0;
}

static struct cda_version_spec *parse_spec(const char *text)
{
	struct cda_version_spec *spec = NULL;
	struct cda_err err = {0};

	if (cda_version_spec_parse(text, &spec, &err) < 0)
		spec = NULL;
	cda_err_done(&err);
	return spec;
}

static void check_match(const char *text, const char *version, bool want, struct tally *tally)
{
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *spec = parse_spec(text);
	bool got = spec && cda_version_spec_match(spec, version);

	tally_check(tally, spec && got == want, "'%s' matches '%s': got %s, want %s", text, version,
		    !spec ? "refused"
		    : got ? "yes"
			  : "no",
		    want ? "yes" : "no");
}

/* What conda refuses only when it matches may be refused at once; else it matches nothing. */
static void check_invalid(yyjson_val *item, struct tally *tally)
{
	const char *text = cda_json_str(item, "spec"), *stage = cda_json_str(item, "stage");
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *spec = parse_spec(text);
	bool ok = !spec || (cda_streq(stage, "match") && !cda_version_spec_match(spec, "9999"));

	tally_check(tally, ok, "'%s': accepted, want refused", text);
}

static void check_canonical(yyjson_val *item, struct tally *tally)
{
	const char *text = cda_json_str(item, "spec"), *want = cda_json_str(item, "canonical");
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *spec = parse_spec(text);
	yyjson_val *exact = yyjson_obj_get(item, "is_exact");
	yyjson_val *matches = yyjson_obj_get(item, "matches_1.2");

	tally_check(tally, spec && cda_streq(cda_version_spec_text(spec), want),
		    "'%s': text '%s', want '%s'", text,
		    spec ? cda_version_spec_text(spec) : "(refused)", want);
	if (spec && exact)
		tally_check(tally, cda_version_spec_is_exact(spec) == yyjson_get_bool(exact),
			    "'%s': exact is not %d", text, yyjson_get_bool(exact));
	if (spec && matches)
		check_match(text, "1.2", yyjson_get_bool(matches), tally);
}

int run_version_spec(yyjson_val *root, struct tally *tally)
{
	size_t i, max;
	yyjson_val *item;

	yyjson_arr_foreach (yyjson_obj_get(root, "match"), i, max, item)
		check_match(yyjson_get_str(yyjson_arr_get(item, 0)),
			    yyjson_get_str(yyjson_arr_get(item, 1)),
			    yyjson_get_bool(yyjson_arr_get(item, 2)), tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "invalid"), i, max, item)
		check_invalid(item, tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "odd_accepted"), i, max, item)
		check_canonical(item, tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "canonical"), i, max, item)
		check_canonical(item, tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "match_errors"), i, max, item)
		check_match(yyjson_get_str(yyjson_arr_get(item, 0)),
			    yyjson_get_str(yyjson_arr_get(item, 1)), false, tally);
	return 0;
}
