/* Images: their configuration and names, the groups of layers, the list of packages. */
#include "check.h"
#include "image/config.h"
#include "image/groups.h"
#include "image/license.h"
#include "image/oci_write.h"
#include "image/sbom.h"
#include "util/alloc.h"
#include "util/str.h"

TEST(a_configuration_is_what_either_tool_prints)
{
	static const char *const texts[] = {
		/* docker image inspect */
		"[{\"Id\": \"sha256:1\", \"Architecture\": \"arm64\", \"Variant\": \"v8\", "
		"\"Config\": "
		"{\"Hostname\": \"b1d\", \"Image\": \"sha256:2\", \"Tty\": false, \"User\": "
		"\"a:b\", "
		"\"Env\": [\"A=1\"], \"Cmd\": null, \"Volumes\": {\"/v\": {}}, \"Entrypoint\": "
		"[\"e\"]}}]",
		/* the OCI file */
		"{\"architecture\": \"arm64\", \"os\": \"linux\", \"variant\": \"v8\", \"rootfs\": "
		"1, "
		"\"config\": {\"Entrypoint\": [\"e\"], \"Env\": [\"A=1\"], \"User\": \"a:b\", "
		"\"Volumes\": {\"/v\": {}}}}",
	};

	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		CDA_CLEANUP(cda_config_freep) struct cda_config *config = cda_config_new();
		const struct cda_config_layer layer = {"abc", "all"};
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_err err = {0};

		CHECK_INT(cda_config_parse(config, texts[i], strlen(texts[i]), "x", &err), 0);
		CHECK_INT(cda_config_env(config, "A=2", &err), 0);
		CHECK_INT(cda_config_env(config, "AB=3", &err), 0);
		CHECK_INT(cda_config_words(config, "Cmd", "[\"b\", \"-l\"]", &err), 0);
		CHECK_INT(cda_config_words(config, "Entrypoint", "", &err), 0);
		cda_config_volume(config, "/w");
		cda_config_label(config, "l", "old");
		cda_config_label(config, "l", "new");
		CHECK_STR(cda_config_get_label(config, "l"), "new");
		cda_config_format(config, &layer, 1, 86400, &out);
		CHECK_STR(
			out.p,
			"{\"architecture\": \"arm64\", \"config\": {\"Cmd\": [\"b\", \"-l\"], "
			"\"Env\": [\"A=2\", \"AB=3\"], \"Labels\": {\"l\": \"new\"}, \"User\": "
			"\"a:b\", \"Volumes\": {\"/v\": {}, \"/w\": {}}}, \"created\": "
			"\"1970-01-02T00:00:00Z\", \"history\": [{\"created\": "
			"\"1970-01-02T00:00:00Z\", \"created_by\": \"condense pack: all\"}], "
			"\"os\": \"linux\", \"rootfs\": {\"diff_ids\": [\"sha256:abc\"], \"type\": "
			"\"layers\"}, \"variant\": \"v8\"}");
	}
}

TEST(bad_configurations_are_told)
{
	static const char *const rows[][2] = {
		{"{", "'x' is not valid JSON"},
		{"[]", "x: no configuration of an image: it has no object 'config'"},
		{"{\"config\": []}", "x: no configuration of an image: it has no object 'config'"},
		{"{\"config\": {\"Env\": \"A=1\"}}", "x: 'Env' is not of the right kind"},
		{"{\"config\": {\"Cmd\": [1]}}", "x: 'Cmd' is not of the right kind"},
		{"{\"config\": {\"Labels\": {\"a\": {}}}}", "x: 'Labels' is not of the right kind"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_config_freep) struct cda_config *config = cda_config_new();
		struct cda_err err = {0};

		CHECK_INT_AT(cda_config_parse(config, rows[i][0], strlen(rows[i][0]), "x", &err),
			     -CDA_E_PARSE, "%s", rows[i][0]);
		CHECK_AT(err.msg && cda_starts_with(err.msg, rows[i][1]), "%s: %s", rows[i][0],
			 err.msg);
		cda_err_done(&err);
	}
}

TEST(names_of_images_are_those_an_engine_takes)
{
	static const char *const rows[][2] = {
		{"a", "a:latest"},
		{"condense/conda:26.11.0-py3.13-debian", "condense/conda:26.11.0-py3.13-debian"},
		{"localhost:5000/a_b/c.d", "localhost:5000/a_b/c.d:latest"},
		{"a:_T", "a:_T"},
		{"", NULL},
		{"A", NULL},
		{"a:", NULL},
		{"a b", NULL},
		{"/a", NULL},
		{"a//b", NULL},
		{"a:-b", NULL},
		{"a:b/c:", NULL},
		{"-a", NULL},
		{"a:b:c", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *tag = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(cda_oci_check_tag(rows[i][0], &tag, &err),
			     rows[i][1] ? 0 : -CDA_E_USAGE, "'%s'", rows[i][0]);
		CHECK_STR(tag, rows[i][1]);
		cda_err_done(&err);
	}
}

TEST(licences_become_expressions)
{
	static const char *const rows[][2] = {
		{"MIT", "MIT"},
		{"bsd-3-clause AND mit", "BSD-3-Clause AND MIT"},
		{"GPL-2+ and Expat", "GPL-2.0-or-later AND MIT"},
		{"GPL-3 or LGPL-2.1+", "GPL-3.0-only OR LGPL-2.1-or-later"},
		{"(GPL-2.0-or-later OR MPL-2.0) AND Zlib",
		 "(GPL-2.0-or-later OR MPL-2.0) AND Zlib"},
		{"GPL-3.0-only WITH GCC-exception-3.1", "GPL-3.0-only WITH GCC-exception-3.1"},
		{"", NULL},
		{"public-domain", NULL},
		{"MIT and", NULL},
		{"MIT MIT", NULL},
		{"(MIT", NULL},
		{"MIT)", NULL},
		{"GPL-2.5", NULL},
		{"GPL-33", NULL},
		{"GPL", NULL},
		{"MIT with MIT", NULL},
		{"and MIT", NULL},
		{"GPL-2 with", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		CHECK_AT(cda_license_spdx(rows[i][0], &out) == (rows[i][1] != NULL), "'%s'",
			 rows[i][0]);
		CHECK_STR_AT(out.p, rows[i][1] ? rows[i][1] : "", "'%s'", rows[i][0]);
	}
}

static void add(struct cda_tree *tree, const char *path, const char *text)
{
	struct cda_err err = {0};

	CHECK_INT(cda_tree_add_text(tree, path, text, strlen(text), 0644, 5, &err), 0);
	CHECK_STR(err.msg, NULL);
}

static void add_conda(struct cda_tree *tree, const char *name, const char *version)
{
	CDA_AUTOFREE char *record =
		cda_asprintf("opt/conda/conda-meta/%s-%s-0.json", name, version);
	CDA_AUTOFREE char *file = cda_asprintf("lib/%s.so", name);
	CDA_AUTOFREE char *path = cda_asprintf("opt/conda/%s", file);
	CDA_AUTOFREE char *text =
		cda_asprintf("{\"name\": \"%s\", \"version\": \"%s\", \"build\": \"0\", "
			     "\"subdir\": \"linux-64\","
			     " \"license\": \"MIT\", \"sha256\": \"%064d\", \"files\": [\"%s\"]}",
			     name, version, 7, file);

	add(tree, record, text);
	add(tree, path, version);
}

static struct cda_tree *sample(const char *zlib)
{
	static const char *const names[] = {"conda",   "python", "xz",
					    "openssl", "sqlite", "readline"};
	struct cda_tree *tree = cda_tree_new(NULL);

	for (size_t i = 0; i < CDA_LEN(names); i++)
		add_conda(tree, names[i], "1");
	add_conda(tree, "zlib", zlib);
	add(tree, "var/lib/dpkg/status",
	    "Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5\n");
	add(tree, "var/lib/dpkg/info/dash.list", "/.\n/bin\n/bin/dash\n");
	add(tree, "bin/dash", "dash");
	add(tree, "home/note", "mine");
	cda_tree_sort(tree);
	return tree;
}

/* Names of the groups whose entries differ, and the group of a path. */
TEST(an_update_changes_its_own_group)
{
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *before = sample("1.2");
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *after = sample("1.3");
	struct cda_tree *trees[2] = {before, after};
	struct cda_strv names[2] = {{0}, {0}};
	CDA_AUTOFREE unsigned char *first = NULL;
	CDA_AUTOFREE unsigned char *second = NULL;
	unsigned char **of[2] = {&first, &second};
	struct cda_err err = {0};

	for (size_t i = 0; i < 2; i++) {
		struct cda_inventory inventory = {0};

		REQUIRE(cda_inventory_read(trees[i], &inventory, &err) == 0);
		CHECK_INT(inventory.packages.n, 8);
		cda_groups_divide(trees[i], &inventory, 8, &names[i], of[i]);
		cda_inventory_done(&inventory);
	}
	CDA_AUTOFREE char *list = cda_strv_join(&names[0], " ");
	CHECK_STR(list, "os python lib-1 lib-2 lib-3 conda pip rest");
	static const char *const rows[][2] = {
		{"bin/dash", "os"},
		{"home/note", "rest"},
		{"var/lib/dpkg/status", "rest"},
		{"opt/conda/lib/conda.so", "conda"},
		{"opt/conda/lib/python.so", "python"},
		{"opt/conda/lib/zlib.so", "lib-1"},
		{"opt/conda/conda-meta/xz-1-0.json", "lib-3"},
		{"opt/conda/lib/xz.so", "lib-3"},
	};
	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_STR_AT(names[0].v[first[cda_tree_find(before, rows[i][0])->index]],
			     rows[i][1], "%s", rows[i][0]);
	for (size_t i = 0; i < after->n; i++) {
		const struct cda_tree_entry *entry = cda_tree_find(before, after->v[i]->path);

		if (entry)
			CHECK_INT_AT(second[i], first[entry->index], "%s", entry->path);
		else
			CHECK_STR_AT(names[1].v[second[i]], "lib-1", "%s", after->v[i]->path);
	}
	cda_strv_done(&names[0]);
	cda_strv_done(&names[1]);
}

TEST(the_list_of_packages_is_the_same_each_time)
{
	struct cda_buf texts[2] = {CDA_BUF_INIT, CDA_BUF_INIT};
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	yyjson_val *zlib;

	for (size_t i = 0; i < 2; i++) {
		CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = sample("1.2");
		struct cda_inventory inventory = {0};

		REQUIRE(cda_inventory_read(tree, &inventory, &err) == 0);
		CHECK_INT(cda_sbom_write(tree, &inventory, "a/b:c", 86400, &texts[i], &err), 0);
		cda_inventory_done(&inventory);
	}
	CHECK_STR(texts[1].p, texts[0].p);
	REQUIRE(cda_json_parse(texts[0].p, texts[0].len, "sbom", &doc, &err) == 0);
	CHECK_STR(cda_json_str(yyjson_doc_get_root(doc), "spdxVersion"), "SPDX-2.3");
	zlib = yyjson_arr_get_last(yyjson_obj_get(yyjson_doc_get_root(doc), "packages"));
	CHECK_STR(cda_json_str(zlib, "name"), "zlib");
	CHECK_STR(cda_json_str(zlib, "licenseDeclared"), "MIT");
	CHECK_STR(cda_json_str(yyjson_arr_get_first(yyjson_obj_get(zlib, "checksums")),
			       "checksumValue"),
		  "0000000000000000000000000000000000000000000000000000000000000007");
	CHECK_STR(cda_json_str(yyjson_arr_get_first(yyjson_obj_get(zlib, "externalRefs")),
			       "referenceLocator"),
		  "pkg:conda/zlib@1.2?build=0&subdir=linux-64");
	for (size_t i = 0; i < 2; i++)
		cda_buf_done(&texts[i]);
}
