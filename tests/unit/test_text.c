/* str, buf, vec, map and arena: what all text goes through. */
#include "check.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/map.h"
#include "util/str.h"
#include "util/vec.h"

TEST(globs_match_the_whole_text)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} rows[] = {
		{"", "", true},           {"", "a", false},
		{"*", "", true},          {"a*", "abc", true},
		{"*c", "abc", true},      {"a*c", "abbc", true},
		{"a*b*c", "aXbYc", true}, {"a*b*c", "aXcYb", false},
		{"?", "", false},         {"?", "x", true},
		{"a?c", "abc", true},     {"[abc]", "b", true},
		{"[!abc]", "b", false},   {"[^abc]", "d", true},
		{"[a-c]x", "bx", true},   {"[a-c]x", "dx", false},
		{"[]]", "]", true},       {"[", "[", true},
		{"[a", "[a", true},       {"*.conda", "a.conda", true},
		{"*/*", "a/b", true},     {"py*3.1?", "python3.11", true},
		{"[z-a]", "m", false},    {"*a*a*a*b", "aaaaaaaaaaaa", false},
		{"[a-]", "-", true},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_INT_AT(cda_glob_match(rows[i].pattern, rows[i].text), rows[i].match,
			     "'%s' on '%s'", rows[i].pattern, rows[i].text);
}

TEST(integers_are_whole_and_in_range)
{
	static const struct {
		const char *text;
		int64_t min, max;
		bool good;
		int64_t value;
	} rows[] = {
		{"0", 0, 10, true, 0},
		{"10", 0, 10, true, 10},
		{"11", 0, 10, false, 0},
		{"-1", -1, 10, true, -1},
		{"-1", 0, 10, false, 0},
		{"", 0, 10, false, 0},
		{"-", -1, 10, false, 0},
		{"+1", 0, 10, false, 0},
		{" 1", 0, 10, false, 0},
		{"1 ", 0, 10, false, 0},
		{"0x1", 0, 10, false, 0},
		{"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
		{"9223372036854775808", 0, INT64_MAX, false, 0},
		{"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
		{"-9223372036854775809", INT64_MIN, 0, false, 0},
		{"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		int64_t value = 0;

		CHECK_INT_AT(cda_parse_int(rows[i].text, rows[i].min, rows[i].max, &value),
			     rows[i].good, "'%s'", rows[i].text);
		CHECK_INT_AT(value, rows[i].value, "'%s'", rows[i].text);
	}
	CHECK(!cda_parse_int(NULL, 0, 1, &(int64_t){0}));
}

TEST(cutting_gives_the_pieces_between)
{
	static const struct {
		const char *text, *seps, *joined;
	} rows[] = {
		{"a,,b", ",", "a||b"}, {"", ",", ""},     {"a", ",", "a"},
		{"a,", ",", "a"},      {",a", ",", "|a"}, {"a b,c", " ,", "a|b|c"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOSTRV struct cda_strv list = {0};
		struct cda_str rest = cda_str(rows[i].text), piece;
		char *joined;

		while (cda_str_cut(&rest, rows[i].seps, &piece))
			cda_strv_take(&list, cda_str_dup(piece));
		joined = cda_strv_join(&list, "|");
		CHECK_STR_AT(joined, rows[i].joined, "'%s'", rows[i].text);
		free(joined);
	}
}

TEST(small_questions)
{
	CHECK(cda_starts_with("abc", "ab") && !cda_starts_with("a", "ab"));
	CHECK(cda_ends_with("abc", "bc") && !cda_ends_with("c", "bc"));
	CHECK(cda_strcaseeq("ETag", "etag") && !cda_strcaseeq("a", "ab"));
	CHECK(cda_strcaseeq(NULL, NULL) && !cda_strcaseeq(NULL, ""));
	CHECK(cda_streq(NULL, NULL) && !cda_streq(NULL, ""));
	CHECK_INT(cda_str_trim(CDA_STR(" \t x y\n")).len, 3);
	CHECK_INT(cda_str_cmp(CDA_STR("a"), CDA_STR("b")), -1);
	CHECK_INT(cda_str_cmp(CDA_STR("ab"), CDA_STR("a")), 1);
	CHECK_INT(cda_str_cmp(CDA_STR("\xff"), CDA_STR("a")), 1);
	CHECK_INT(cda_str_cmp(CDA_STR(""), CDA_STR("")), 0);
}

TEST(the_nearest_name_is_near)
{
	static const char *const names[] = {"install", "list", "remove", "info", NULL};
	static const struct {
		const char *name, *near;
	} rows[] = {
		{"instal", "install"}, {"isntall", "install"},
		{"lst", "list"},       {"remvoe", "remove"},
		{"INFO", "info"},      {"frobnicate", NULL},
		{"x", NULL},           {"", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_STR_AT(cda_nearest(rows[i].name, names), rows[i].near, "'%s'", rows[i].name);
}

TEST(a_buffer_is_always_text)
{
	CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;
	char *taken;

	CHECK_STR(buf.p, "");
	cda_buf_add(&buf, NULL, 0);
	CHECK_INT(buf.cap, 0);
	taken = cda_buf_take(&buf);
	CHECK_STR(taken, "");
	free(taken);
	cda_buf_adds(&buf, "abcde");
	cda_buf_addf(&buf, "-%d", 42);
	cda_buf_addc(&buf, '!');
	CHECK_STR(buf.p, "abcde-42!");
	cda_buf_addf(&buf, "%*s|%s", 5000, "", "end");
	CHECK_INT(buf.len, 9 + 5000 + 4);
	CHECK_STR(buf.p + buf.len - 4, "|end");
	cda_buf_cut(&buf, 3);
	cda_buf_cut(&buf, 30);
	CHECK_STR(buf.p, "abc");
	cda_buf_clear(&buf);
	for (int i = 0; i < 10000; i++)
		cda_buf_addc(&buf, 'x');
	CHECK_INT(buf.len, 10000);
	CHECK_INT(strlen(buf.p), 10000);
	cda_buf_done(&buf);
	CHECK_STR(buf.p, "");
}

TEST(a_list_is_argv_at_any_time)
{
	CDA_AUTOSTRV struct cda_strv list = {0};
	char *text;

	CHECK(cda_strv_argv(&list)[0] == NULL);
	cda_strv_split(&list, "b,,a,c,a", ",");
	CHECK_INT(list.n, 4);
	CHECK(list.v[4] == NULL);
	cda_strv_append(&list, &list);
	CHECK_INT(list.n, 8);
	cda_strv_uniq(&list);
	cda_strv_insert(&list, 1, "z");
	cda_strv_pushf(&list, "%d", 7);
	text = cda_strv_join(&list, " ");
	CHECK_STR(text, "b z a c 7");
	free(text);
	cda_strv_sort(&list);
	cda_strv_remove(&list, 0);
	cda_strv_remove(&list, 99);
	text = cda_strv_join(&list, " ");
	CHECK_STR(text, "a b c z");
	free(text);
	CHECK(cda_strv_has(&list, "z") && !cda_strv_has(&list, "7"));
	CHECK(cda_strv_argv(&list)[4] == NULL);
}

TEST(a_map_keeps_order_over_removal_and_growth)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *map = cda_map_new();
	enum { many = 5000 };
	static int values[many];
	const char *key;
	size_t at = 0, seen = 0;
	void *value;

	CHECK(!cda_map_get(map, "k") && !cda_map_remove(map, "k"));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < many; i++) {
			char name[16];

			snprintf(name, sizeof(name), "k%d", i);
			cda_map_set(map, name, &values[i]);
		}
		for (int i = 1; i < many; i += 2) {
			char name[16];

			snprintf(name, sizeof(name), "k%d", i);
			CHECK(cda_map_remove(map, name) == &values[i]);
		}
	}
	CHECK_INT(cda_map_count(map), many / 2);
	for (; cda_map_next(map, &at, &key, &value); seen++)
		CHECK(value == &values[2 * seen]);
	CHECK_INT(seen, many / 2);
	CHECK(cda_map_getn(map, "k12345", 3) == &values[12]);
	CHECK(!cda_map_has(map, "k1"));
	CHECK(!cda_map_set(map, "nothing", NULL));
	CHECK(cda_map_has(map, "nothing"));
	CHECK(cda_map_set(map, "k0", NULL) == &values[0]);
}

TEST(an_arena_gives_aligned_memory_of_any_size)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();

	for (size_t i = 1; i < 3000; i += 7) {
		char *text = cda_arena_strndup(arena, "abcdefg", i % 8);
		char *p = cda_arena_alloc(arena, i);
		char *zero = cda_arena_alloc0(arena, i, 3);

		CHECK_INT((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, 0xff, i);
		CHECK_INT(strlen(text), i % 8);
		CHECK(zero[0] == 0 && zero[3 * i - 1] == 0);
	}
	memset(cda_arena_alloc(arena, 5 << 20), 1, 5 << 20);
	CHECK_STR(cda_arena_printf(arena, "%s-%d", "x", 1), "x-1");
	CHECK(cda_arena_strdup(arena, NULL) == NULL);
}

CDA_VEC_DEFINE(ints, int);

TEST(a_typed_vector_grows)
{
	struct ints list = {0};
	long sum = 0;

	cda_vec_each (it, &list)
		sum += *it;
	for (int i = 0; i < 1000; i++)
		ints_push(&list, i);
	cda_vec_each (it, &list)
		sum += *it;
	CHECK_INT(sum, 499500);
	ints_done(&list);
	CHECK(list.v == NULL && list.n == 0);
}
