#include "check.h"
#include "core/record_json.h"
#include "index/parse.h"
#include "util/fs.h"
#include "util/str.h"

struct parsed {
	struct cda_buf text;
	struct cda_arena *arena;
	struct cda_records records;
	struct cda_repodata_counts counts;
	struct cda_err err;
	int rc;
};

static const struct cda_repodata_source usual = {
	.url = "https://user:pw@host/t/TOK/ch/linux-64",
	.base_url = "https://host/ch",
	.channel_name = "ch",
	.subdir = "linux-64",
	.priority = 3,
};

static struct parsed parse_from(const char *text, const struct cda_repodata_source *source)
{
	struct parsed p = {.text = CDA_BUF_INIT, .arena = cda_arena_new()};

	cda_buf_adds(&p.text, text);
	cda_buf_reserve(&p.text, CDA_REPODATA_PADDING);
	p.rc = cda_repodata_parse(p.text.p, p.text.len, source, p.arena, &p.records, &p.counts,
				  &p.err);
	return p;
}

static struct parsed parse(const char *text)
{
	return parse_from(text, &usual);
}

static void parsed_done(struct parsed *p)
{
	cda_records_done(&p->records);
	cda_arena_free(p->arena);
	cda_buf_done(&p->text);
	cda_err_done(&p->err);
}
#define PARSED CDA_CLEANUP(parsed_done) struct parsed

TEST(every_field_is_read)
{
	PARSED p = parse(
		"{\"info\": {\"subdir\": \"linux-64\", \"arch\": \"x86_64\"}, \"packages.conda\": {"
		"\"a-1.0-h_2.conda\": {\"name\": \"a\", \"version\": \"1.0\", \"build\": \"h_2\", "
		"\"build_number\": 2, \"depends\": [\"b >=1\", \"c\"], \"constrains\": [\"d <2\"], "
		"\"license\": \"MIT\", \"license_family\": \"M\", \"md5\": \"m\", \"sha256\": "
		"\"s\", \"size\": 12, \"timestamp\": 1700000000123, \"subdir\": \"linux-64\", "
		"\"noarch\": \"python\", \"track_features\": \"x y\", \"features\": [\"f\", "
		"\"g\"], "
		"\"python_site_packages_path\": \"lib/python3.13/site-packages\"}}}");

	CHECK_INT(p.rc, 0);
	REQUIRE(p.records.n == 1);
	const struct cda_record *r = p.records.v[0];
	CHECK_STR(r->name, "a");
	CHECK_STR(r->version, "1.0");
	CHECK_STR(r->build, "h_2");
	CHECK_INT(r->build_number, 2);
	CHECK_INT(r->depends.n, 2);
	CHECK_STR(r->depends.v[0], "b >=1");
	CHECK_INT(r->constrains.n, 1);
	CHECK_STR(r->license, "MIT");
	CHECK_STR(r->license_family, "M");
	CHECK_STR(r->md5, "m");
	CHECK_STR(r->sha256, "s");
	CHECK_INT(r->size, 12);
	CHECK_INT(r->timestamp, 1700000000123);
	CHECK_INT(r->noarch, CDA_NOARCH_PYTHON);
	CHECK_STR(r->noarch_text, "python");
	CHECK_INT(r->track_features.n, 2);
	CHECK_STR(r->track_features.v[1], "y");
	CHECK_STR(r->features, "f g");
	CHECK_STR(r->arch, "x86_64");
	CHECK_STR(r->python_site_packages_path, "lib/python3.13/site-packages");
	CHECK_STR(r->fn, "a-1.0-h_2.conda");
	CHECK_STR(r->url, "https://user:pw@host/t/TOK/ch/linux-64/a-1.0-h_2.conda");
	CHECK_STR(r->channel, "https://host/ch");
	CHECK_STR(r->channel_name, "ch");
	CHECK_STR(r->subdir, "linux-64");
	CHECK_INT(r->priority, 3);
}

#define REC(n) "{\"name\": \"" n "\", \"version\": \"1\", \"build\": \"0\"}"

TEST(conda_goes_before_its_twin)
{
	static const char text[] = "{\"packages\": {\"a-1-0.tar.bz2\": " REC(
		"a") ", "
		     "\"b-1-0.tar.bz2\": " REC(
			     "b") "}, \"packages.conda\": "
				  "{\"a-1-0.conda\": " REC("a") ", \"c-1-0.conda\": " REC("c") "}}";
	struct cda_repodata_source old = usual;
	PARSED both = parse(text);

	REQUIRE(both.records.n == 3);
	CHECK_STR(both.records.v[0]->fn, "a-1-0.conda");
	CHECK_STR(both.records.v[1]->fn, "c-1-0.conda");
	CHECK_STR(both.records.v[2]->fn, "b-1-0.tar.bz2");
	old.use_only_tar_bz2 = true;
	PARSED bz2 = parse_from(text, &old);
	REQUIRE(bz2.records.n == 2);
	CHECK_STR(bz2.records.v[0]->fn, "a-1-0.tar.bz2");
	CHECK_STR(bz2.records.v[1]->fn, "b-1-0.tar.bz2");
}

TEST(empty_texts_and_no_texts)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"{}", 0},
		{"{\"packages\": {}, \"packages.conda\": {}, \"removed\": []}", 0},
		{"", -CDA_E_PARSE},
		{"[]", -CDA_E_PARSE},
		{"null", -CDA_E_PARSE},
		{"{", -CDA_E_PARSE},
		{"{}x", -CDA_E_PARSE},
		{"<html>login</html>", -CDA_E_PARSE},
		{"{\"packages\": []}", -CDA_E_PARSE},
		{"{\"packages.conda\": \"x\"}", -CDA_E_PARSE},
		{"{\"packages\": {\"a-1-0.conda\": {\"name\": \"\xff\"}}}", -CDA_E_PARSE},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		PARSED p = parse(rows[i].text);

		CHECK_INT_AT(p.rc, rows[i].rc, "%s", rows[i].text);
		CHECK_INT(p.records.n, 0);
	}
}

/* Each entry is left out and counted; the sound one beside it stays. */
TEST(hostile_entries_are_left_out)
{
	static const char *const entries[] = {
		"\"../x-1-0.conda\": " REC("x"),
		"\"/x-1-0.conda\": " REC("x"),
		"\"x/y-1-0.conda\": " REC("x"),
		"\"x-1-0.zip\": " REC("x"),
		"\"\": " REC("x"),
		"\".conda\": " REC("x"),
		"\"x-1\\u0000-0.conda\": " REC("x"),
		"\"x\\n-1-0.conda\": " REC("x"),
		"\"x-1-0.conda\": []",
		"\"x-1-0.conda\": null",
		"\"x-1-0.conda\": {}",
		"\"x-1-0.conda\": " REC("../x"),
		"\"x-1-0.conda\": " REC(".."),
		"\"x-1-0.conda\": " REC("x/y"),
		"\"x-1-0.conda\": " REC("x y"),
		"\"x-1-0.conda\": " REC("x\\u001b[2J"),
		"\"x-1-0.conda\": " REC("x\\u0000y"),
		"\"x-1-0.conda\": " REC(""),
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": 1, \"build\": \"0\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1/2\", \"build\": \"0\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"depends\": \"y\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"depends\": [1]}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"depends\": [\"y\\nz\"]}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"build_number\": \"1\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"build_number\": -1}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"size\": 99999999999999999999}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"size\": {}}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"noarch\": \"other\"}",
		"\"x-1-0.conda\": {\"name\": \"x\", \"version\": \"1\", \"build\": \"0\", "
		"\"subdir\": \"../..\"}",
	};

	for (size_t i = 0; i < CDA_LEN(entries); i++) {
		CDA_AUTOFREE char *text =
			cda_asprintf("{\"packages.conda\": {%s, \"good-1-0.conda\": %s}}",
				     entries[i], REC("good"));
		PARSED p = parse(text);

		CHECK_INT_AT(p.rc, 0, "%s", entries[i]);
		CHECK_INT_AT(p.records.n, 1, "%s", entries[i]);
		CHECK_INT_AT(p.counts.skipped, 1, "%s", entries[i]);
		CHECK_AT(p.counts.first_bad && p.counts.why, "%s", entries[i]);
		for (const char *c = p.counts.first_bad; c && *c; c++)
			CHECK_AT((unsigned char)*c >= ' ', "%s", entries[i]);
	}
}

TEST(odd_values_of_old_indexes_are_understood)
{
	static const struct {
		const char *members;
		int64_t build_number, size, timestamp;
		enum cda_noarch noarch;
	} rows[] = {
		{"\"build_number\": 3.0", 3, 0, 0, CDA_NOARCH_NONE},
		{"\"size\": null, \"build_number\": null", 0, 0, 0, CDA_NOARCH_NONE},
		{"\"timestamp\": 1500000000", 0, 0, 1500000000000, CDA_NOARCH_NONE},
		{"\"timestamp\": 1500000000.5", 0, 0, 1500000000500, CDA_NOARCH_NONE},
		{"\"timestamp\": -5", 0, 0, 0, CDA_NOARCH_NONE},
		{"\"timestamp\": \"now\"", 0, 0, 0, CDA_NOARCH_NONE},
		{"\"noarch\": true", 0, 0, 0, CDA_NOARCH_GENERIC},
		{"\"noarch\": false", 0, 0, 0, CDA_NOARCH_NONE},
		{"\"noarch\": null, \"license\": null, \"depends\": null", 0, 0, 0,
		 CDA_NOARCH_NONE},
		{"\"license\": \"two\\nlines\"", 0, 0, 0, CDA_NOARCH_NONE},
		{"\"size\": 1, \"size\": 2", 0, 2, 0, CDA_NOARCH_NONE},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *text = cda_asprintf(
			"{\"packages\": {\"x-1-0.tar.bz2\": {\"name\": \"x\", \"version\": "
			"\"1\", \"build\": \"0\", %s}}}",
			rows[i].members);
		PARSED p = parse(text);

		CHECK_INT(p.rc, 0);
		if (!CHECK_AT(p.records.n == 1, "%s", rows[i].members))
			continue;
		const struct cda_record *r = p.records.v[0];
		CHECK_INT_AT(r->build_number, rows[i].build_number, "%s", rows[i].members);
		CHECK_INT_AT(r->size, rows[i].size, "%s", rows[i].members);
		CHECK_INT_AT(r->timestamp, rows[i].timestamp, "%s", rows[i].members);
		CHECK_INT_AT(r->noarch, rows[i].noarch, "%s", rows[i].members);
		CHECK_STR(r->license, NULL);
	}
}

TEST(base_url_tells_where_packages_are)
{
	static const struct {
		const char *url, *base, *want; /* NULL: refused */
	} rows[] = {
		{"https://h/c/noarch", "", "https://h/c/noarch/x-1-0.conda"},
		{"https://h/c/noarch", "https://cdn/p/", "https://cdn/p/x-1-0.conda"},
		{"https://h/c/noarch", "../all", "https://h/c/noarch/../all/x-1-0.conda"},
		{"https://h/c/noarch", "/all", "https://h/all/x-1-0.conda"},
		{"https://u:p@h/c/noarch", "https://h/all", "https://u:p@h/all/x-1-0.conda"},
		{"https://u:p@h/c/noarch", "https://other/all", "https://other/all/x-1-0.conda"},
		{"https://u:p@h/c/noarch", "http://h/all", "http://h/all/x-1-0.conda"},
		{"https://u:p@h/c/noarch", "https://h:99/all", "https://h:99/all/x-1-0.conda"},
		{"https://h/t/T/c/noarch", "https://h/all", "https://h/t/T/all/x-1-0.conda"},
		{"https://h/t/T/c/noarch", "https://i/all", "https://i/all/x-1-0.conda"},
		{"file:///c/noarch", "file:///all", "file:///all/x-1-0.conda"},
		{"https://h/c/noarch", "file:///etc", NULL},
		{"https://h/c/noarch", "ftp://h/", NULL},
		{"https://h/c/noarch", "https://h/ x", NULL},
		{"https://h/c/noarch", "https://h/\\n", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_repodata_source source = usual;
		CDA_AUTOFREE char *text =
			cda_asprintf("{\"info\": {\"base_url\": \"%s\"}, \"packages.conda\": "
				     "{\"x-1-0.conda\": %s}}",
				     rows[i].base, REC("x"));

		source.url = rows[i].url;
		PARSED p = parse_from(text, &source);
		CHECK_INT_AT(p.rc, rows[i].want ? 0 : -CDA_E_PARSE, "%s", rows[i].base);
		if (p.records.n)
			CHECK_STR_AT(p.records.v[0]->url, rows[i].want, "%s of %s", rows[i].base,
				     rows[i].url);
	}
}

TEST(later_schemas_of_a_record_are_passed_over)
{
	PARSED p = parse("{\"packages.conda\": {\"x-1-0.conda\": {\"record_version\": 2, \"name\": "
			 "\"x\", \"version\": \"1\", \"build\": \"0\"}}}");

	CHECK_INT(p.rc, 0);
	CHECK_INT(p.records.n, 0);
	CHECK_INT(p.counts.skipped, 0);
}

TEST(words_and_file_names)
{
	static const struct {
		const char *text;
		bool word, fn;
	} rows[] = {
		{"a", true, false},          {"1!2.0+x_y", true, false},
		{"a-1-0.conda", true, true}, {"a-1-0.tar.bz2", true, true},
		{"", false, false},          {".", false, false},
		{"..", false, false},        {"...", true, false},
		{"a b", false, false},       {"a/b.conda", false, false},
		{"a\\b", false, false},      {"a'b", false, false},
		{"\xc3\xa9", false, false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);

		CHECK_INT_AT(cda_record_word_is_good(rows[i].text, len), rows[i].word, "'%s'",
			     rows[i].text);
		CHECK_INT_AT(cda_record_fn_is_good(rows[i].text, len), rows[i].fn, "'%s'",
			     rows[i].text);
	}
}

TEST(a_record_survives_the_way_to_json_and_back)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	static const char *const depends[] = {"b >=1", "c"}, *const features[] = {"x", "y"};
	const struct cda_record in = {.name = "a",
				      .version = "1",
				      .build = "h_3",
				      .build_number = 3,
				      .channel = "https://host/ch",
				      .subdir = "linux-64",
				      .fn = "a-1-h_3.conda",
				      .url = "https://u:p@host/t/TOK/ch/linux-64/a-1-h_3.conda",
				      .depends = {depends, 2},
				      .track_features = {features, 2},
				      .size = 7,
				      .timestamp = 1700000000123,
				      .noarch = CDA_NOARCH_GENERIC,
				      .noarch_text = "generic"};
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *back = NULL;
	struct cda_record out = {0};
	struct cda_err err = {0};
	const char *why = NULL;

	yyjson_mut_doc_set_root(doc, root);
	cda_record_to_json(&in, doc, root);
	cda_json_format(root, 2, true, &text);
	CHECK(!strstr(text.p, "TOK") && !strstr(text.p, "u:p"));
	CHECK(strstr(text.p, "\"channel\": \"https://host/ch/linux-64\""));
	CHECK(strstr(text.p, "\"track_features\": \"x y\""));
	REQUIRE(cda_json_parse(text.p, text.len, "t", &back, &err) == 0);
	REQUIRE(cda_record_from_json(yyjson_doc_get_root(back), arena, true, &out, &why));
	CHECK_STR(out.channel, "https://host/ch");
	CHECK_STR(out.url, "https://host/ch/linux-64/a-1-h_3.conda");
	CHECK_STR(out.depends.v[1], "c");
	CHECK_INT(out.track_features.n, 2);
	CHECK_INT(out.size, 7);
	CHECK_INT(out.timestamp, 1700000000123);
	CHECK_INT(out.noarch, CDA_NOARCH_GENERIC);
}
