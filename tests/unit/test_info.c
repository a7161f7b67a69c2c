#include "check.h"
#include "package.h"
#include "pkg/info.h"
#include "scratch.h"

#define INDEX "{\"name\": \"a\", \"version\": \"1\", \"build\": \"h_2\", \"build_number\": 2}"
#define PATHS(list) "{\"paths\": [" list "], \"paths_version\": 1}"

static bool every_third_is_a_link(void *ctx, const char *path)
{
	(void)ctx;
	return strcmp(path, "c") == 0;
}

TEST(paths_json_is_read)
{
	const struct cda_pkg_info_texts texts = {
		.index_json = INDEX,
		.paths_json = PATHS(
			"{\"_path\": \"bin/x\", \"path_type\": \"hardlink\", \"sha256\": "
			"\"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\", "
			"\"size_in_bytes\": 7, \"prefix_placeholder\": \"/opt/p\", \"file_mode\": "
			"\"binary\"}, {\"_path\": \"l\", \"path_type\": \"softlink\"}, "
			"{\"_path\": \"d/e\", \"path_type\": \"directory\"}, "
			"{\"_path\": \"t\", \"no_link\": true, \"prefix_placeholder\": \"/q\"}"),
		.about_json = "{\"summary\": \"s\", \"home\": [1]}",
	};
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_pkg_info_parse(&texts, &info, &err) == 0);
	CHECK(info->has_paths_json);
	CHECK_STR(info->record.name, "a");
	CHECK_INT(info->record.build_number, 2);
	REQUIRE(info->paths.n == 4);
	const struct cda_pkg_path *p = info->paths.v;
	CHECK_STR(p[0].path, "bin/x");
	CHECK_INT(p[0].type, CDA_PATH_HARDLINK);
	CHECK_STR(p[0].sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_INT(p[0].size, 7);
	CHECK_INT(p[0].file_mode, CDA_FILE_BINARY);
	CHECK_STR(p[0].prefix_placeholder, "/opt/p");
	CHECK_INT(p[1].type, CDA_PATH_SOFTLINK);
	CHECK_INT(p[1].size, -1);
	CHECK_INT(p[2].type, CDA_PATH_DIRECTORY);
	CHECK(p[3].no_link);
	CHECK_INT(p[3].file_mode, CDA_FILE_TEXT);
	CHECK_STR(info->summary, "s");
	CHECK_STR(info->home, NULL);
}

TEST(old_lists_are_read)
{
	const struct cda_pkg_info_texts texts = {
		.index_json = INDEX,
		.files = "a b\r\nb\nc\nd\n\nb\n",
		.has_prefix = "/opt/p text \"a b\"\n/opt/q binary d\nb\nabsent\n",
		.no_link = "d\n",
		.is_symlink = every_third_is_a_link,
	};
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_pkg_info_parse(&texts, &info, &err) == 0);
	CHECK(!info->has_paths_json);
	REQUIRE(info->paths.n == 4);
	const struct cda_pkg_path *p = info->paths.v;
	CHECK_STR(p[0].path, "a b");
	CHECK_STR(p[0].prefix_placeholder, "/opt/p");
	CHECK_INT(p[0].file_mode, CDA_FILE_TEXT);
	CHECK_STR(p[1].prefix_placeholder, cda_pkg_old_placeholder);
	CHECK_INT(p[1].file_mode, CDA_FILE_TEXT);
	CHECK_INT(p[2].type, CDA_PATH_SOFTLINK);
	CHECK_STR(p[2].prefix_placeholder, NULL);
	CHECK_INT(p[3].file_mode, CDA_FILE_BINARY);
	CHECK(p[3].no_link && !p[2].no_link);
}

TEST(entry_points)
{
	static const struct {
		const char *text;                    /* of JSON */
		const char *command, *module, *func; /* NULL: refused */
	} rows[] = {
		{"x = m.n:f", "x", "m.n", "f"},
		{"x=m:f.g", "x", "m", "f.g"},
		{"x-y = m:f [extra]", "x-y", "m", "f"},
		{"x", NULL, NULL, NULL},
		{"x = m", NULL, NULL, NULL},
		{"= m:f", NULL, NULL, NULL},
		{"x = :f", NULL, NULL, NULL},
		{"../x = m:f", NULL, NULL, NULL},
		{"x/y = m:f", NULL, NULL, NULL},
		{"x = m:f()", NULL, NULL, NULL},
		{"x = m; import os:f", NULL, NULL, NULL},
		{"x = m:f\\nimport os", NULL, NULL, NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
		CDA_AUTOFREE char *link = cda_asprintf(
			"{\"noarch\": {\"type\": \"python\", \"entry_points\": [\"%s\"]}}",
			rows[i].text);
		const struct cda_pkg_info_texts texts = {
			.index_json = INDEX, .files = "", .link_json = link};
		struct cda_err err = {0};
		int rc = cda_pkg_info_parse(&texts, &info, &err);

		CHECK_INT_AT(rc, rows[i].command ? 0 : -CDA_E_ARCHIVE, "%s", rows[i].text);
		if (info && CHECK(info->n_entry_points == 1)) {
			CHECK_INT(info->noarch, CDA_NOARCH_PYTHON);
			CHECK_STR(info->entry_points[0].command, rows[i].command);
			CHECK_STR(info->entry_points[0].module, rows[i].module);
			CHECK_STR(info->entry_points[0].func, rows[i].func);
		}
		cda_err_done(&err);
	}
}

TEST(hostile_texts_are_refused)
{
	static const struct cda_pkg_info_texts rows[] = {
		{.files = ""},
		{.index_json = "", .files = ""},
		{.index_json = "[]", .files = ""},
		{.index_json = "{}", .files = ""},
		{.index_json = "{\"name\": \"../x\", \"version\": \"1\", \"build\": \"0\"}",
		 .files = ""},
		{.index_json = INDEX},
		{.index_json = INDEX, .files = "../x"},
		{.index_json = INDEX, .files = "/etc/passwd"},
		{.index_json = INDEX, .files = "a//b"},
		{.index_json = INDEX, .files = "a\033[2J"},
		{.index_json = INDEX, .paths_json = "{}"},
		{.index_json = INDEX, .paths_json = "x"},
		{.index_json = INDEX, .paths_json = "{\"paths\": [], \"paths_version\": 2}"},
		{.index_json = INDEX, .paths_json = PATHS("1")},
		{.index_json = INDEX, .paths_json = PATHS("{}")},
		{.index_json = INDEX, .paths_json = PATHS("{\"_path\": \"../x\"}")},
		{.index_json = INDEX, .paths_json = PATHS("{\"_path\": \"x\\u0000y\"}")},
		{.index_json = INDEX, .paths_json = PATHS("{\"_path\": \"a/./b\"}")},
		{.index_json = INDEX,
		 .paths_json = PATHS("{\"_path\": \"x\", \"path_type\": \"device\"}")},
		{.index_json = INDEX,
		 .paths_json = PATHS("{\"_path\": \"x\", \"sha256\": \"zz\"}")},
		{.index_json = INDEX,
		 .paths_json = PATHS("{\"_path\": \"x\", \"size_in_bytes\": -1}")},
		{.index_json = INDEX,
		 .paths_json = PATHS("{\"_path\": \"x\", \"prefix_placeholder\": \"/p\", "
				     "\"file_mode\": \"other\"}")},
		{.index_json = INDEX, .files = "", .link_json = "{\"noarch\": {\"type\": 1}}"},
		{.index_json = INDEX, .files = "", .link_json = "["},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_pkg_info *info = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(cda_pkg_info_parse(&rows[i], &info, &err), -CDA_E_ARCHIVE,
			     "row %zu: %s", i, err.msg ? err.msg : "accepted");
		CHECK_AT(info == NULL, "row %zu", i);
		cda_pkg_info_free(info);
		cda_err_done(&err);
	}
}

TEST(an_unpacked_folder_is_read)
{
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	CDA_AUTOFREE char *link = cda_path_join(scratch.dir, "p/b");
	struct cda_err err = {0};

	scratch_write(&scratch, "p/info/index.json", INDEX);
	scratch_write(&scratch, "p/info/files", "a\nb\n");
	scratch_write(&scratch, "p/a", "x");
	CHECK(symlink("a", link) == 0);
	CDA_AUTOFREE char *dir = cda_path_join(scratch.dir, "p");
	REQUIRE(cda_pkg_info_read(AT_FDCWD, dir, &info, &err) == 0);
	REQUIRE(info->paths.n == 2);
	CHECK_INT(info->paths.v[0].type, CDA_PATH_HARDLINK);
	CHECK_INT(info->paths.v[1].type, CDA_PATH_SOFTLINK);
	CHECK_INT(cda_pkg_info_read(AT_FDCWD, scratch.dir, &info, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
}
