/* What goes to people and to tools: clean text, sizes, errors. */
#include "check.h"

#include "cli/out.h"
#include "printed.h"
#include "util/alloc.h"

TEST(control_characters_are_shown_as_question_marks)
{
	static const struct {
		const char *text, *want;
		bool lines;
	} rows[] = {
		{"plain text", "plain text", false},
		{"\033[31mred\033[0m", "?[31mred?[0m", false},
		{"tab\tstays", "tab\tstays", false},
		{"two\nlines", "two?lines", false},
		{"two\nlines", "two\nlines", true},
		{"back\b\r\x7f", "back???", true},
		{"\xc3\xa9t\xc3\xa9 \xe2\x80\xa6", "\xc3\xa9t\xc3\xa9 \xe2\x80\xa6", false},
		{"csi \xc2\x9b"
		 "31m",
		 "csi ?31m", false},
		{"\xc2\xa0 is no control", "\xc2\xa0 is no control", false},
		{"cut \xc2", "cut \xc2", false},
		{"", "", false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;

		cda_out_clean(&buf, rows[i].text, rows[i].lines);
		CHECK_STR_AT(buf.p, rows[i].want, "row %zu", i);
	}
}

TEST(sizes_count_in_1024)
{
	static const struct {
		int64_t bytes;
		const char *want;
	} rows[] = {
		{0, "0 B"},           {686, "686 B"},          {1023, "1023 B"},
		{1191, "1 KB"},       {1 << 20, "1.0 MB"},     {2621440, "2.5 MB"},
		{1 << 30, "1.00 GB"}, {1610612736, "1.50 GB"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *got = cda_out_bytes(rows[i].bytes);

		CHECK_STR_AT(got, rows[i].want, "%lld", (long long)rows[i].bytes);
	}
}

/* The document of an error; owned. */
static yyjson_doc *doc_of(struct cda_err *err)
{
	CDA_CLEANUP(cda_out_freep) struct cda_out *out = cda_out_new(true, false, 0);
	struct printed printed;
	CDA_AUTOFREE char *text = NULL;

	printed_begin(&printed);
	cda_out_error(out, err);
	cda_out_finish(out);
	text = printed_end(&printed);
	return yyjson_read(text, strlen(text), 0);
}

TEST(an_error_as_json_has_its_name_and_its_data)
{
	CDA_AUTOSTRV struct cda_strv packages = {0};
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	yyjson_val *root;

	cda_strv_push(&packages, "a");
	cda_strv_push(&packages, "b \"quoted\"");
	cda_err_set(&err, CDA_E_NOTFOUND, "not there");
	cda_err_hint(&err, "look elsewhere");
	cda_err_data_list(&err, "packages", &packages);
	doc = doc_of(&err);
	root = yyjson_doc_get_root(doc);
	REQUIRE(yyjson_is_obj(root));
	CHECK_STR(cda_json_str(root, "exception_name"), "PackagesNotFoundError");
	CHECK_STR(cda_json_str(root, "exception_type"),
		  "<class 'conda.exceptions.PackagesNotFoundError'>");
	CHECK_STR(cda_json_str(root, "message"), "not there");
	CHECK_STR(cda_json_str(root, "error"), "PackagesNotFoundError: not there");
	CHECK_STR(cda_json_str(root, "hint"), "look elsewhere");
	CHECK_STR(cda_json_str(root, "packages_formatted"), "  - a\n  - b \"quoted\"");
	CHECK_INT(yyjson_arr_size(yyjson_obj_get(root, "channels_formatted")), 0);
	CHECK_INT(err.code, CDA_OK);
}

TEST(an_error_of_several_is_a_list)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	yyjson_val *root, *one;

	cda_err_set(&err, CDA_E_CHECKSUM, "wrong");
	cda_err_data_int(&err, "expected_checksum", 7);
	cda_err_data_json(&err, "json", "{}");
	err.multi = true;
	doc = doc_of(&err);
	root = yyjson_doc_get_root(doc);
	REQUIRE(yyjson_is_obj(root));
	CHECK_STR(cda_json_str(root, "exception_name"), "CondaMultiError");
	CHECK_STR(cda_json_str(root, "exception_type"), "<class 'conda.CondaMultiError'>");
	CHECK_INT(yyjson_arr_size(yyjson_obj_get(root, "errors")), 1);
	one = yyjson_arr_get_first(yyjson_obj_get(root, "errors"));
	CHECK_STR(cda_json_str(one, "exception_name"), "ChecksumMismatchError");
	CHECK_INT(cda_json_int(one, "expected_checksum", 0), 7);
	CHECK(yyjson_is_obj(yyjson_obj_get(one, "json")));
}

TEST(json_and_text_do_not_mix)
{
	for (int json = 0; json < 2; json++) {
		CDA_CLEANUP(cda_out_freep) struct cda_out *out = cda_out_new(json, false, 0);
		CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
		struct printed printed;
		CDA_AUTOFREE char *text = NULL;

		printed_begin(&printed);
		cda_out_text(out, "%s\n", "text");
		cda_out_puts(out, "100%\n");
		cda_out_doc(out, yyjson_mut_arr(doc));
		cda_out_finish(out);
		text = printed_end(&printed);
		CHECK_STR(text, json ? "[]\n" : "text\n100%\n");
	}
}
