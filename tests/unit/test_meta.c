#include "check.h"
#include "prefix/meta.h"
#include "scratch.h"

#include "util/arena.h"

static struct cda_channel_config config = {
	.channel_alias = "https://example.org", .cwd = "/", .home = "/nowhere"};

static const char whole[] =
	"{\n  \"build\": \"h_0\",\n  \"build_number\": 0,\n"
	"  \"channel\": \"https://example.org/chan/linux-64\",\n"
	"  \"constrains\": [\n    \"b <2\"\n  ],\n  \"depends\": [\n    \"c >=1\",\n    \"d\"\n  "
	"],\n"
	"  \"extracted_package_dir\": \"/p/a-1.0-h_0\",\n"
	"  \"files\": [\n    \"bin/a\",\n    \"lib/python3.11/site-packages/\\u00e9.py\",\n"
	"    \"lib/l.so\",\n    \"bin/e\",\n    \"lib/__pycache__/x.pyc\"\n  ],\n"
	"  \"fn\": \"a-1.0-h_0.conda\",\n  \"license\": \"MIT\",\n  \"license_family\": \"MIT\",\n"
	"  \"link\": {\n    \"source\": \"/p/a-1.0-h_0\",\n    \"type\": 1\n  },\n"
	"  \"md5\": \"0123\",\n  \"name\": \"a\",\n  \"noarch\": \"python\",\n"
	"  \"package_tarball_full_path\": \"/p/a-1.0-h_0.conda\",\n"
	"  \"package_type\": \"noarch_python\",\n  \"paths_data\": {\n    \"paths\": [\n      {\n"
	"        \"_path\": \"bin/a\",\n        \"file_mode\": \"text\",\n        \"no_link\": "
	"true,\n"
	"        \"path_type\": \"hardlink\",\n        \"prefix_placeholder\": \"/old\",\n"
	"        \"sha256\": \"aa\",\n        \"sha256_in_prefix\": \"bb\",\n"
	"        \"size_in_bytes\": 3\n      },\n      {\n"
	"        \"_path\": \"site-packages/\\u00e9.py\",\n        \"path_type\": \"hardlink\",\n"
	"        \"sha256\": \"cc\",\n        \"sha256_in_prefix\": \"cc\",\n"
	"        \"size_in_bytes\": 0\n      },\n      {\n        \"_path\": \"lib/l.so\",\n"
	"        \"path_type\": \"softlink\",\n        \"sha256\": \"dd\",\n"
	"        \"size_in_bytes\": 4\n      },\n      {\n        \"_path\": \"bin/e\",\n"
	"        \"path_type\": \"unix_python_entry_point\"\n      },\n      {\n"
	"        \"_path\": \"lib/__pycache__/x.pyc\",\n        \"path_type\": \"pyc_file\"\n"
	"      }\n    ],\n    \"paths_version\": 1\n  },\n  \"requested_spec\": \"a=1\",\n"
	"  \"sha256\": \"4567\",\n  \"size\": 12,\n  \"subdir\": \"linux-64\",\n"
	"  \"timestamp\": 1689260000000,\n  \"track_features\": \"f g\",\n"
	"  \"url\": \"https://example.org/chan/linux-64/a-1.0-h_0.conda\",\n  \"version\": "
	"\"1.0\"\n}";

static const char bare[] =
	"{\n  \"build\": \"0\",\n  \"build_number\": 7,\n  \"channel\": \"file:///c/noarch\",\n"
	"  \"constrains\": [],\n  \"depends\": [],\n  \"files\": [],\n  \"name\": \"b\",\n"
	"  \"paths_data\": {\n    \"paths\": [],\n    \"paths_version\": 1\n  },\n"
	"  \"requested_spec\": \"None\",\n  \"subdir\": \"noarch\",\n  \"version\": \"2\"\n}";

TEST(a_record_comes_out_as_it_went_in)
{
	static const char *const texts[] = {whole, bare};
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();

	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_installed installed;
		struct cda_err err = {0};

		REQUIRE(cda_meta_parse(texts[i], strlen(texts[i]), "x.json", NULL, CDA_META_FILES,
				       arena, &installed, &err) >= 0);
		cda_meta_format(&installed, &out);
		CHECK_STR_AT(out.p, texts[i], "text %zu", i);
	}
}

TEST(the_parts_of_a_record)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_installed a, b;
	struct cda_err err = {0};

	REQUIRE(cda_meta_parse(whole, sizeof(whole) - 1, "a.json", &config, CDA_META_FILES, arena,
			       &a, &err) >= 0);
	CHECK_STR(a.record.channel, "https://example.org/chan");
	CHECK_STR(a.record.channel_name, "chan");
	CHECK_STR(a.record.subdir, "linux-64");
	CHECK_STR(a.record.requested_spec, "a=1");
	CHECK_INT(a.record.noarch, CDA_NOARCH_PYTHON);
	CHECK_INT(a.record.track_features.n, 2);
	REQUIRE(CHECK_INT(a.path_count, 5));
	CHECK_STR(a.paths[1].path, "site-packages/\xc3\xa9.py");
	CHECK_STR(a.paths[1].target, "lib/python3.11/site-packages/\xc3\xa9.py");
	CHECK_INT(a.paths[4].kind, CDA_META_PYC);
	CHECK_INT(a.paths[4].size, -1);
	REQUIRE(cda_meta_parse(bare, sizeof(bare) - 1, "b.json", NULL, 0, arena, &b, &err) >= 0);
	CHECK(!b.record.requested_spec);
	CHECK_STR(b.record.channel_name, "file:///c");
	CHECK_INT(b.record.build_number, 7);
}

struct odd_row {
	const char *text;
	const char *channel, *subdir; /* NULL channel: no record */
	enum cda_noarch noarch;
	int64_t timestamp;
	const char *requested;
};

#define NVB "\"name\": \"x\", \"version\": \"1\", \"build\": \"0\""
static const struct odd_row odd[] = {
	/* conda 4.0 to 4.3 */
	{"{" NVB
	 ", \"schannel\": \"defaults\", \"url\": \"https://r/pkgs/free/linux-64/x-1-0.tar.bz2\"}",
	 "defaults", "linux-64", CDA_NOARCH_NONE, 0, NULL},
	{"{" NVB ", \"channel\": \"https://r/pkgs/free/linux-64/\", \"subdir\": \"linux-64\"}",
	 "https://r/pkgs/free", "linux-64", CDA_NOARCH_NONE, 0, NULL},
	{"{" NVB ", \"noarch\": true, \"build_number\": \"3\"}", "", NULL, CDA_NOARCH_GENERIC, 0,
	 NULL},
	{"{" NVB ", \"timestamp\": 1510000000}", "", NULL, CDA_NOARCH_NONE, 1510000000000, NULL},
	{"{" NVB ", \"timestamp\": 1510000000.0}", "", NULL, CDA_NOARCH_NONE, 1510000000000, NULL},
	/* conda 24 and later, and other tools */
	{"{" NVB ", \"requested_specs\": [\"x >=1\", \"x\"]}", "", NULL, CDA_NOARCH_NONE, 0,
	 "x >=1"},
	{"{" NVB ", \"requested_spec\": \"\", \"channel\": \"conda-forge\"}", "conda-forge", NULL,
	 CDA_NOARCH_NONE, 0, NULL},
	{"{" NVB ", \"requested_spec\": null, \"depends\": null, \"paths_data\": 7, \"files\": {}}",
	 "", NULL, CDA_NOARCH_NONE, 0, NULL},
	{"{\"name\": \"x\", \"version\": \"1\", \"build_string\": \"0\"}", "", NULL,
	 CDA_NOARCH_NONE, 0, NULL},
	/* none */
	{"{\"name\": \"x\", \"version\": \"1\"}", NULL, NULL, CDA_NOARCH_NONE, 0, NULL},
	{"{\"name\": \"\", \"version\": \"1\", \"build\": \"0\"}", NULL, NULL, CDA_NOARCH_NONE, 0,
	 NULL},
	{"[]", NULL, NULL, CDA_NOARCH_NONE, 0, NULL},
	{"", NULL, NULL, CDA_NOARCH_NONE, 0, NULL},
	{"{", NULL, NULL, CDA_NOARCH_NONE, 0, NULL},
};

TEST(records_of_every_conda_are_read)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();

	for (size_t i = 0; i < CDA_LEN(odd); i++) {
		struct cda_installed installed;
		struct cda_err err = {0};
		int rc = cda_meta_parse(odd[i].text, strlen(odd[i].text), "x.json", NULL,
					CDA_META_FILES, arena, &installed, &err);

		CHECK_INT_AT(rc < 0 ? -rc : 0, odd[i].channel ? 0 : CDA_E_PARSE, "row %zu", i);
		cda_err_done(&err);
		if (rc < 0 || !odd[i].channel)
			continue;
		CHECK_STR_AT(installed.record.channel, odd[i].channel, "row %zu", i);
		CHECK_STR_AT(installed.record.subdir, odd[i].subdir, "row %zu", i);
		CHECK_INT_AT(installed.record.noarch, odd[i].noarch, "row %zu", i);
		CHECK_INT_AT(installed.record.timestamp, odd[i].timestamp, "row %zu", i);
		CHECK_STR_AT(installed.record.requested_spec, odd[i].requested, "row %zu", i);
	}
}

TEST(files_outside_the_prefix_are_left_out)
{
	static const char text[] =
		"{" NVB ", \"files\": [\"../x\", \"/etc/passwd\", \"a/../../b\", \"ok\", \"\", 3],"
		" \"paths_data\": {\"paths\": [{\"_path\": \"../x\"}, {\"_path\": \"ok\"}, {}, "
		"1]}}";
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_installed installed;
	struct cda_err err = {0};

	REQUIRE(cda_meta_parse(text, sizeof(text) - 1, "x.json", NULL, CDA_META_FILES, arena,
			       &installed, &err) >= 0);
	REQUIRE(CHECK_INT(installed.files.n, 1));
	CHECK_STR(installed.files.v[0], "ok");
	REQUIRE(CHECK_INT(installed.path_count, 1));
	CHECK_STR(installed.paths[0].target, "ok");
}

TEST(credentials_do_not_get_into_records)
{
	struct cda_installed installed = {
		.record = {.name = "x",
			   .version = "1",
			   .build = "0",
			   .channel = "https://h/c",
			   .subdir = "noarch",
			   .url = "https://me:secret@h/t/to-ken-1234/c/noarch/x-1-0.conda"}};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_meta_format(&installed, &out);
	CHECK(strstr(out.p, "\"https://h/c/noarch/x-1-0.conda\""));
	CHECK(!strstr(out.p, "secret") && !strstr(out.p, "to-ken"));
}

TEST(a_prefix_is_loaded_in_order)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_meta_load(scratch.dir, NULL, 0, &meta, &err) >= 0);
	CHECK_INT(cda_meta_count(meta), 0);
	CHECK(!cda_meta_find(meta, "a"));
	meta = cda_meta_free(meta);
	scratch_write(&scratch, "conda-meta/b-2-0.json", bare);
	scratch_write(&scratch, "conda-meta/a-1.0-h_0.json", whole);
	scratch_write(&scratch, "conda-meta/.hidden.json", "junk");
	scratch_write(&scratch, "conda-meta/history", "junk");
	REQUIRE(cda_meta_load(scratch.dir, &config, 0, &meta, &err) >= 0);
	REQUIRE(CHECK_INT(cda_meta_count(meta), 2));
	CHECK_STR(cda_meta_records(meta)->v[0]->name, "a");
	CHECK_STR(cda_meta_at(meta, 1)->file, "b-2-0.json");
	CHECK_STR(cda_meta_find(meta, "b")->record.version, "2");
	CHECK(!cda_meta_find(meta, "c"));
	meta = cda_meta_free(meta);
	scratch_write(&scratch, "conda-meta/c.json", "{");
	CHECK_INT(cda_meta_load(scratch.dir, NULL, 0, &meta, &err), -CDA_E_PARSE);
	CHECK(err.msg && strstr(err.msg, "c.json") && strstr(err.msg, scratch.dir));
	cda_err_done(&err);
}

TEST(what_a_prefix_is)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *env = scratch_path(&scratch, "env"), *message = NULL;
	CDA_AUTOFREE char *deep = scratch_path(&scratch, "not/yet/there");
	CDA_AUTOSTRV struct cda_strv pins = {0};
	struct cda_err err = {0};

	CHECK(!cda_prefix_is_env(env));
	scratch_write(&scratch, "env/conda-meta/history", "");
	CHECK(cda_prefix_is_env(env));
	CHECK(cda_prefix_is_writable(env));
	CHECK(cda_prefix_is_writable(deep));
	CHECK(!cda_prefix_is_writable("/proc/none/such"));
	CHECK(!cda_prefix_is_frozen(env, &message));
	CHECK(!message);
	scratch_write(&scratch, "env/conda-meta/frozen", "");
	CHECK(cda_prefix_is_frozen(env, &message));
	CHECK(!message);
	scratch_write(&scratch, "env/conda-meta/frozen", "{\"message\": \"hands off\"}");
	CHECK(cda_prefix_is_frozen(env, NULL));
	CHECK(cda_prefix_is_frozen(env, &message));
	CHECK_STR(message, "hands off");
	CHECK(cda_prefix_pinned(env, &pins, &err) >= 0);
	CHECK_INT(pins.n, 0);
	scratch_write(&scratch, "env/conda-meta/pinned", "# pins\n\n numpy 1.7.* \r\nscipy\n");
	CHECK(cda_prefix_pinned(env, &pins, &err) >= 0);
	REQUIRE(CHECK_INT(pins.n, 2));
	CHECK_STR(pins.v[0], "numpy 1.7.*");
}
