/* The expected texts are what Python's json.dumps writes. */
#include "check.h"
#include "util/json.h"

#include <fcntl.h>

static char *formatted(const char *text, unsigned indent, bool sort)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *copy = NULL;
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};

	if (cda_json_parse(text, strlen(text), "text", &doc, &err) < 0) {
		char *msg = cda_strdup(err.msg);

		cda_err_done(&err);
		return msg;
	}
	copy = yyjson_doc_mut_copy(doc, NULL);
	cda_json_format(yyjson_mut_doc_get_root(copy), indent, sort, &out);
	return cda_buf_take(&out);
}

TEST(text_is_what_python_writes)
{
	static const struct {
		const char *in;
		unsigned indent;
		bool sort;
		const char *out;
	} rows[] = {
		{"{}", 2, false, "{}"},
		{"[]", 2, false, "[]"},
		{"{\"a\":[],\"b\":{}}", 2, false, "{\n  \"a\": [],\n  \"b\": {}\n}"},
		{"[1,[2,3],{\"k\":null}]", 2, false,
		 "[\n  1,\n  [\n    2,\n    3\n  ],\n  {\n    \"k\": null\n  }\n]"},
		{"[1,[2,3],{\"k\":null}]", 0, false, "[1, [2, 3], {\"k\": null}]"},
		{"{\"b\":true,\"a\":false,\"B\":1}", 0, true,
		 "{\"B\": 1, \"a\": false, \"b\": true}"},
		{"{\"b\":1,\"a\":2}", 4, false, "{\n    \"b\": 1,\n    \"a\": 2\n}"},
		{"\"\\u00e9\\u20ac\\ud83d\\ude00\"", 0, false, "\"\\u00e9\\u20ac\\ud83d\\ude00\""},
		{"\"\xc3\xa9\xf0\x9f\x98\x80\"", 0, false, "\"\\u00e9\\ud83d\\ude00\""},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\"", 0, false,
		 "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\""},
		{"\"\\u0000\"", 0, false, "\"\\u0000\""},
		{"[0,-1,18446744073709551615,-9223372036854775808]", 0, false,
		 "[0, -1, 18446744073709551615, -9223372036854775808]"},
		{"123456789012345678901234567890", 0, false, "123456789012345678901234567890"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *out = formatted(rows[i].in, rows[i].indent, rows[i].sort);

		CHECK_STR_AT(out, rows[i].out, "'%s'", rows[i].in);
	}
}

TEST(floats_are_what_python_writes)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {
		{0.0, "0.0"},
		{-0.0, "-0.0"},
		{1.0, "1.0"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3.0, "0.3333333333333333"},
		{100.0, "100.0"},
		{123456.789, "123456.789"},
		{1617897961.123456, "1617897961.123456"},
		{1e15, "1000000000000000.0"},
		{1e16, "1e+16"},
		{1.5e16, "1.5e+16"},
		{123456789012345680.0, "1.2345678901234568e+17"},
		{0.0001, "0.0001"},
		{0.00012, "0.00012"},
		{0.00001, "1e-05"},
		{1.25e-7, "1.25e-07"},
		{1e22, "1e+22"},
		{1e100, "1e+100"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{5e-324, "5e-324"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{9007199254740993.0, "9007199254740992.0"},
	};
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_json_format(yyjson_mut_real(doc, rows[i].in), 0, false, &out);
		CHECK_STR(out.p, rows[i].out);
	}
}

TEST(bytes_that_are_no_text_are_quoted_as_python_escapes_them)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"a\xff"
		 "b",
		 "\"a\\udcffb\""},
		{"\xc3", "\"\\udcc3\""},
		{"\xed\xa0\x80", "\"\\udced\\udca0\\udc80\""},
		{"\xc0\xaf", "\"\\udcc0\\udcaf\""},
		{"\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\""},
		{"", "\"\""},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_json_quote(rows[i].in, &out);
		CHECK_STR(out.p, rows[i].out);
	}
}

TEST(bad_text_is_told_by_place)
{
	struct cda_err err = {0};
	yyjson_doc *doc = NULL;
	CDA_AUTOBUF struct cda_buf deep = CDA_BUF_INIT;

	CHECK_INT(cda_json_parse("{\n \"a\": x}", 10, "f.json", &doc, &err), -CDA_E_PARSE);
	CHECK_AT(cda_starts_with(err.msg, "'f.json' is not valid JSON: line 2, column 7: "), "%s",
		 err.msg);
	cda_err_done(&err);
	CHECK_INT(cda_json_parse("", 0, "f.json", &doc, &err), -CDA_E_PARSE);
	cda_err_done(&err);
	for (int i = 0; i < 100000; i++)
		cda_buf_addc(&deep, '[');
	for (int i = 0; i < 100000; i++)
		cda_buf_addc(&deep, ']');
	CHECK_INT(cda_json_parse(deep.p, deep.len, "deep", &doc, &err), -CDA_E_PARSE);
	CHECK_STR(err.msg, "'deep' nests deeper than 200 levels");
	cda_err_done(&err);
	CHECK_INT(cda_json_parse(deep.p + 99801, 398, "deep", &doc, &err), 0);
	CHECK(doc != NULL);
	yyjson_doc_free(doc);
	CHECK_INT(cda_json_read(AT_FDCWD, "/nowhere/x", 10, &doc, &err), -CDA_E_SYS);
	cda_err_done(&err);
}

TEST(getters_take_the_default_for_other_types)
{
	static const char text[] = "{\"s\":\"x\",\"i\":-5,\"u\":7,\"f\":3.0,\"h\":3.5,\"b\":true,"
				   "\"n\":null,\"l\":[\"a\",1,\"b\"],\"big\":18446744073709551615}";
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *copy = yyjson_mut_doc_new(NULL);
	CDA_AUTOSTRV struct cda_strv list = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	yyjson_mut_val *made;
	yyjson_val *root;

	REQUIRE(cda_json_parse(text, strlen(text), "t", &doc, NULL) == 0);
	root = yyjson_doc_get_root(doc);
	CHECK_STR(cda_json_str(root, "s"), "x");
	CHECK_STR(cda_json_str(root, "i"), NULL);
	CHECK_STR(cda_json_str(NULL, "i"), NULL);
	CHECK_INT(cda_json_int(root, "i", 1), -5);
	CHECK_INT(cda_json_int(root, "u", 1), 7);
	CHECK_INT(cda_json_int(root, "f", 1), 3);
	CHECK_INT(cda_json_int(root, "h", 1), 1);
	CHECK_INT(cda_json_int(root, "s", 1), 1);
	CHECK_INT(cda_json_int(root, "big", 1), 1);
	CHECK(cda_json_bool(root, "b", false));
	CHECK(cda_json_bool(root, "n", true));
	cda_json_strv(root, "l", &list);
	cda_json_strv(root, "s", &list);
	cda_json_strv(root, "none", &list);
	made = yyjson_mut_obj(copy);
	cda_json_add_strv(copy, made, "k", &list);
	cda_json_format(made, 0, false, &out);
	CHECK_STR(out.p, "{\"k\": [\"a\", \"b\", \"x\"]}");
}
