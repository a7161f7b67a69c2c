/* The text of recipes: what is understood, and what is refused with its line. */
#include "check.h"
#include "forge/edit.h"
#include "forge/recipe.h"
#include "util/alloc.h"
#include "util/str.h"

#define GOOD "package a\n license MIT\n summary s\n version = 1\n"

static int parse(const char *text, struct cda_recipes *list, struct cda_err *err)
{
	struct cda_map *vars = cda_map_new();
	static char value[] = "3.13";
	int rc;

	cda_map_set(vars, "py", value);
	rc = cda_recipe_parse(text, strlen(text), "x.recipe", vars, list, err);
	cda_map_free(vars);
	return rc;
}

TEST(statements_become_fields_and_steps)
{
	struct cda_recipes list = {0};
	struct cda_err err = {0};
	const char *text = "# comment\n\npackage a\n  debs one two\n  version two date\n"
			   "  license GPL-3.0-only WITH x\n  summary all of it\n  noarch python\n"
			   "  depends python >=${py}\n  entry 'a = b:c'\n  number 3\n"
			   "  drop 'with blank' \"it's\"\n  write f 755\n  |one\n  |  two\n  |\n"
			   "  link a b\npackage b-2.x\n license MIT\n summary s\n version = 1.0\n";

	REQUIRE(parse(text, &list, &err) == 0);
	CHECK_INT(list.n, 2);
	CHECK_STR(list.v[0].version_deb, "two");
	CHECK(list.v[0].version_is_date);
	CHECK_STR(list.v[0].license, "GPL-3.0-only WITH x");
	CHECK_STR(list.v[0].depends.v[0], "python >=3.13");
	CHECK_STR(list.v[0].entries.v[0], "a = b:c");
	CHECK_INT(list.v[0].number, 3);
	REQUIRE(list.v[0].steps.n == 3);
	CHECK_STR(list.v[0].steps.v[0].args.v[0], "with blank");
	CHECK_STR(list.v[0].steps.v[0].args.v[1], "it's");
	CHECK_STR(list.v[0].steps.v[1].text, "one\n  two\n\n");
	CHECK_INT(list.v[0].steps.v[2].line, 17);
	CHECK(strstr(list.v[0].text, "${py}") != NULL);
	CHECK_STR(list.v[1].version, "1.0");
	CHECK(cda_recipe_find(&list, "b-2.x") == &list.v[1]);
	CHECK(!cda_recipe_find(&list, "c"));
	cda_recipes_free(&list);
}

static const struct {
	const char *text, *says;
} wrong[] = {
	{"debs a\n", "x.recipe:1: statement before the first package: 'debs'"},
	{"package A\n", "x.recipe:1: no good package name in 'A'"},
	{"package ../a\n", "x.recipe:1: no good package name in '../a'"},
	{"package\n", "x.recipe:1: no good package name in 'package'"},
	{GOOD "package a\n", "x.recipe:5: a second package 'a'"},
	{"package a\n", "x.recipe:1: no version for the package 'a'"},
	{"package a\nversion = 1\n", "x.recipe:1: no license or no summary for the package 'a'"},
	{"package a\nversion d\nlicense l\nsummary s\n", "package that is not in debs: 'd'"},
	{GOOD "version = 2\n", "x.recipe:5: a second version: '='"},
	{GOOD "bogus x\n", "x.recipe:5: unknown statement 'bogus'"},
	{GOOD "link one\n", "x.recipe:5: wrong number of arguments for 'link'"},
	{GOOD "drop\n", "x.recipe:5: no argument for 'drop'"},
	{GOOD "drop 'x\n", "x.recipe:5: no end of the quoted text ''x'"},
	{GOOD "drop 'x'y\n", "x.recipe:5: no blank after the quoted text 'y'"},
	{GOOD "drop ${no}\n", "x.recipe:5: unknown variable 'no'"},
	{GOOD "drop ${py\n", "x.recipe:5: unknown variable"},
	{GOOD "number x\n", "x.recipe:5: wrong build number 'x'"},
	{GOOD "drop a\n|text\n", "x.recipe:6: text that belongs to no 'write'"},
};

TEST(what_is_wrong_is_told_with_its_line)
{
	for (size_t i = 0; i < CDA_LEN(wrong); i++) {
		struct cda_recipes list = {0};
		struct cda_err err = {0};

		CHECK_INT_AT(parse(wrong[i].text, &list, &err), -CDA_E_PARSE, "row %zu", i);
		CHECK_AT(err.msg && strstr(err.msg, wrong[i].says), "row %zu: %s", i,
			 err.msg ? err.msg : "no message");
		cda_err_done(&err);
		cda_recipes_free(&list);
	}
}

static const struct {
	const char *before, *from, *to, *after;
} cuts[] = {
	{"a\nb\nc\nd\n", "b", "d", "a\nd\n"},
	{"a\nb\nb\nc\n", "b", "b", "a\nb\nc\n"},
	{"a\n", "x", "a", NULL},
	{"a\nb\n", "a", "x", NULL},
	{"a b a", "a", "a", NULL},
	{"  x = 1\ny\n", "x =", "y", "y\n"},
};

TEST(cut_takes_whole_lines_or_nothing)
{
	for (size_t i = 0; i < CDA_LEN(cuts); i++) {
		CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;
		bool done;

		cda_buf_adds(&buf, cuts[i].before);
		done = cda_edit_cut(&buf, cuts[i].from, cuts[i].to);
		CHECK_INT_AT(done, cuts[i].after != NULL, "row %zu", i);
		CHECK_STR_AT(buf.p, cuts[i].after ? cuts[i].after : cuts[i].before, "row %zu", i);
	}
}

TEST(sub_replaces_every_one)
{
	CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;

	cda_buf_adds(&buf, "aXbXXc");
	CHECK_INT(cda_edit_sub(&buf, "X", "XX"), 3);
	CHECK_STR(buf.p, "aXXbXXXXc");
	CHECK_INT(cda_edit_sub(&buf, "nothing", "x"), 0);
	CHECK_INT(cda_edit_sub(&buf, "", "x"), 0);
	CHECK_STR(buf.p, "aXXbXXXXc");
}
