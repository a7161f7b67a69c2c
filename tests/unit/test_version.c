#include "check.h"
#include "core/regex.h"
#include "core/version.h"
#include "util/alloc.h"

static struct cda_version *version(const char *text)
{
	struct cda_version *ver = NULL;
	struct cda_err err = {0};

	if (cda_version_parse(text, &ver, &err) < 0)
		ver = NULL;
	cda_err_done(&err);
	return ver;
}

static bool spec_matches(const char *spec, const char *text)
{
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *parsed = NULL;
	struct cda_err err = {0};
	bool ok = cda_version_spec_parse(spec, &parsed, &err) == 0;

	CHECK_AT(ok, "spec '%s'", spec);
	cda_err_done(&err);
	return ok && cda_version_spec_match(parsed, text);
}

static bool refused(const char *spec)
{
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *parsed = NULL;
	struct cda_err err = {0};
	bool bad = cda_version_spec_parse(spec, &parsed, &err) == -CDA_E_VERSION;

	cda_err_done(&err);
	return bad;
}

/* ascending; '=' in front: equal to the row before */
static const char *const order[] = {
	"0.4",        "=0.4.0",     "0.4.1.rc",  "=0.4.1.RC",  "0.4.1",    "0.5a1",     "0.5b3",
	"0.5C1",      "0.5",        "0.9.6",     "0.960923",   "1.0",      "1.1dev1",   "1.1_",
	"1.1a1",      "1.1.0dev1",  "=1.1.dev1", "1.1.a1",     "1.1.0rc1", "1.1.0",     "=1.1",
	"1.1.0post1", "=1.1.post1", "1.1post1",  "1996.07.12", "1!0.4.1",  "1!3.1.1.6", "2!0.4.1"};

TEST(every_pair_compares_as_listed_both_ways_round)
{
	int rank[CDA_LEN(order)];

	for (size_t i = 0; i < CDA_LEN(order); i++)
		rank[i] = i == 0 ? 0 : rank[i - 1] + (order[i][0] != '=');
	for (size_t i = 0; i < CDA_LEN(order); i++)
		for (size_t j = 0; j < CDA_LEN(order); j++) {
			const char *ta = order[i] + (order[i][0] == '=');
			const char *tb = order[j] + (order[j][0] == '=');
			CDA_CLEANUP(cda_version_freep) struct cda_version *a = version(ta);
			CDA_CLEANUP(cda_version_freep) struct cda_version *b = version(tb);
			int c;

			REQUIRE(a && b);
			c = cda_version_cmp(a, b);
			CHECK_INT_AT((c > 0) - (c < 0), (rank[i] > rank[j]) - (rank[i] < rank[j]),
				     "'%s' against '%s'", ta, tb);
			c = cda_version_cmp_text(ta, tb);
			CHECK_INT_AT((c > 0) - (c < 0), (rank[i] > rank[j]) - (rank[i] < rank[j]),
				     "'%s' against '%s' as texts", ta, tb);
		}
}

TEST(what_is_no_version_is_refused_and_sorts_below_all)
{
	static const char *const bad[] = {"",    " ",   "1..2", "1.",  "+a", "1++2", "1!2!3",
					  "a!1", "1 0", "1,0",  "1/0", "!",  "_1",   "1-2_3"};
	CDA_AUTOFREE char *longest = cda_alloc0(1, 8192);

	for (size_t i = 0; i < CDA_LEN(bad); i++) {
		CDA_CLEANUP(cda_version_freep) struct cda_version *ver = version(bad[i]);

		CHECK_AT(!ver, "'%s'", bad[i]);
		CHECK_AT(cda_version_cmp_text(bad[i], "0dev") < 0, "'%s'", bad[i]);
	}
	memset(longest, '1', 8000);
	CHECK(!version(longest));
}

TEST(numbers_of_any_length_compare)
{
	CHECK(cda_version_cmp_text("1.99999999999999999999999", "1.100000000000000000000000") < 0);
	CHECK(cda_version_cmp_text("1.000000000000000000000001", "1.1") == 0);
}

TEST(specs_match_as_conda_says)
{
	static const struct {
		const char *spec, *version;
		bool matches;
	} rows[] = {
		{"1.8", "1.8.0", true},
		{"1.8", "1.8.1", false},
		{"=1.8", "1.8.1", true},
		{"1.8.*", "1.8.1", true},
		{"1.8*", "1.81", false},
		{"1.8*", "1.8.1", true},
		{">=1.8,<2", "1.9", true},
		{">=1.8,<2", "2.0", false},
		{"<2|>3", "3.1", true},
		{"(>=1,<2)|3.*", "3.4", true},
		{"!=1.8.*", "1.8.3", false},
		{"~=1.8.1", "1.8.9", true},
		{"~=1.8.1", "1.9", false},
		{"^1\\.8.*$", "1.8x", true},
		{"1.*.2", "1.5.2", true},
		{"*", "anything", true},
		{">1.8", "not a version!", false},
		{"~=1", "1.5", false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_INT_AT(spec_matches(rows[i].spec, rows[i].version), rows[i].matches,
			     "'%s' and '%s'", rows[i].spec, rows[i].version);
}

TEST(hostile_specs_end_soon)
{
	CDA_AUTOFREE char *deep = cda_alloc0(1, 60001);
	CDA_AUTOFREE char *wide = cda_alloc0(1, 60001);

	memset(deep, '(', 60000);
	CHECK(refused(deep));
	for (size_t i = 0; i + 6 < 60000; i += 4)
		memcpy(deep + i, i % 8 ? "1,(2" : "1|(2", 4);
	CHECK(refused(deep));
	for (size_t i = 0; i < 60000; i += 2)
		memcpy(wide + i, i == 59998 ? "1" : "1|", 2);
	CHECK(spec_matches(wide, "1"));
	memset(wide, '^', 59999);
	CHECK(refused(wide));
	CHECK(spec_matches("^(a*)*(a*)*(a*)*b$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	CHECK(refused("^((((a{1000}){1000}){1000}){1000})$"));
}

TEST(expressions_match_from_the_start)
{
	static const struct {
		const char *pattern, *text;
		int want; /* -1: refused */
	} rows[] = {
		{"^py(27|36)_\\d$", "py36_0", 1},
		{"^py(27|36)_\\d$", "py37_0", 0},
		{"a{2,3}$", "aa", 1},
		{"a{2,3}$", "aaaa", 0},
		{"a{2}b", "aab", 1},
		{"a{,2}b", "aaab", 0},
		{"[^a-c]+$", "xyz", 1},
		{"[^a-c]+$", "xbz", 0},
		{"(?:ab)*?c", "ababc", 1},
		{"x{y", "x{y", 1},
		{"\\bfoo\\b", "foo bar", 1},
		{"b", "ab", 0},
		{"(", "", -1},
		{"[a", "", -1},
		{"^*", "", -1},
		{"a**", "", -1},
		{"(?=a)", "", -1},
		{"a|b|", "", 1},
		{"\\w+\\s\\W", "ab !", 1},
		{")", "", -1},
		{"(a|b){2}$", "ab", 1},
		{"(a|b){2}$", "a", 0},
		{"a{0}b", "b", 1},
		{"(a?){3}$", "aa", 1},
		{"\\", "", -1},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		const char *why = NULL;
		CDA_CLEANUP(cda_regex_freep)
		struct cda_regex *re = cda_regex_new(rows[i].pattern, &why);

		CHECK_INT_AT(re ? cda_regex_match(re, rows[i].text) : -1, rows[i].want,
			     "'%s' on '%s'", rows[i].pattern, rows[i].text);
		CHECK(re || why);
	}
}
