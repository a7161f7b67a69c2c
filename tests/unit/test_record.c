#include "check.h"
#include "core/plan.h"
#include "core/record.h"
#include "util/alloc.h"

static const char *const depends[] = {"python >=3.9", "numpy"};
static const struct cda_record pandas = {.name = "pandas",
					 .version = "2.1.0",
					 .build = "py310_0",
					 .channel_name = "main",
					 .subdir = "linux-64",
					 .depends = {depends, 2}};

TEST(a_copy_is_the_same_and_has_its_own_texts)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	const struct cda_record *copy = cda_record_copy(arena, &pandas);

	CHECK(cda_record_same(copy, &pandas));
	CHECK(copy->name != pandas.name && copy->depends.v[1] != pandas.depends.v[1]);
	CHECK_STR(copy->depends.v[1], "numpy");
	CHECK_INT(copy->constrains.n, 0);
	CHECK_STR(copy->md5, NULL);
}

TEST(another_build_or_channel_is_not_the_same)
{
	struct cda_record other = pandas;

	other.build = "py311_0";
	CHECK(!cda_record_same(&other, &pandas));
	other = pandas;
	other.channel_name = "other";
	CHECK(!cda_record_same(&other, &pandas));
	other = pandas;
	other.md5 = "00";
	CHECK(cda_record_same(&other, &pandas));
}

TEST(texts_name_the_record)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_record_format(&pandas, &out);
	CHECK_STR(out.p, "main/linux-64::pandas-2.1.0-py310_0");
	cda_buf_clear(&out);
	cda_record_dist(&pandas, &out);
	CHECK_STR(out.p, "pandas-2.1.0-py310_0");
}

TEST(file_names_are_cut_at_the_last_two_dashes)
{
	static const struct {
		const char *fn, *name, *version, *build;
		int64_t number;
	} rows[] = {
		{"numpy-1.8-py27_3.conda", "numpy", "1.8", "py27_3", 3},
		{"https://h/x/my-long-name-1!2.0_1-h1_7.tar.bz2", "my-long-name", "1!2.0_1", "h1_7",
		 7},
		{"a-1-0.tar.bz2", "a", "1", "0", 0},
		{"a-1.conda", NULL, NULL, NULL, 0},
		{"-1-0.conda", NULL, NULL, NULL, 0},
		{"a--0.conda", NULL, NULL, NULL, 0},
		{"a-1-.conda", NULL, NULL, NULL, 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
		struct cda_record record = {0};
		bool ok = cda_record_from_fn(arena, rows[i].fn, &record);

		CHECK_INT_AT(ok, rows[i].name != NULL, "'%s'", rows[i].fn);
		CHECK_STR_AT(record.name, rows[i].name, "'%s'", rows[i].fn);
		CHECK_STR_AT(record.version, rows[i].version, "'%s'", rows[i].fn);
		CHECK_STR_AT(record.build, rows[i].build, "'%s'", rows[i].fn);
		CHECK_INT_AT(record.build_number, rows[i].number, "'%s'", rows[i].fn);
	}
}

TEST(a_plan_knows_what_a_link_replaces)
{
	CDA_CLEANUP(cda_plan_done) struct cda_plan plan = {0};
	struct cda_record newer = pandas, other = pandas;

	newer.version = "2.2.0";
	other.name = "six";
	CHECK(cda_plan_is_empty(&plan));
	cda_records_push(&plan.unlink, &pandas);
	cda_records_push(&plan.link, &newer);
	CHECK(!cda_plan_is_empty(&plan));
	CHECK_INT(cda_plan_replaces(&plan, &newer), 0);
	CHECK_INT(cda_plan_replaces(&plan, &other), -1);
}
