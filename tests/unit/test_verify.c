#include "check.h"
#include "prefix/verify.h"
#include "prefixes.h"

static const struct tpkg_file files[] = {
	{"bin/x", .text = "#!" TPKG_PLACEHOLDER "/bin/sh\n", .mode = 0755, .prefix = "text"},
	{"lib/l.so", .link = "gone.so"},
	{"share/a", .text = "a"},
	{"share/b", .text = "b", .no_link = true},
	{"share/c", .text = "c", .no_link = true},
	{NULL}};
static const struct tpkg pkg = {"x", "1", "0", .files = files};

static void check_findings(struct tprefix *t, bool hash, const char *want)
{
	CDA_AUTOBUF struct cda_buf got = CDA_BUF_INIT;
	struct cda_verify_findings found = {0};
	struct cda_err err = {0};

	REQUIRE(cda_verify_prefix(t->prefix, hash, 2, &found, &err) >= 0);
	cda_vec_each (item, &found)
		cda_buf_addf(&got, "%s %s %s\n", item->package, item->path,
			     item->kind == CDA_VERIFY_MISSING ? "missing" : "altered");
	CHECK_STR(got.p, want);
	cda_verify_findings_free_all(&found);
}

TEST(missing_and_altered_files_are_found)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *path = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	tprefix_link(&t, &pkg);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	check_findings(&t, true, "");
	scratch_write(&t.scratch, "env/share/b", "B");
	scratch_write(&t.scratch, "env/share/c", "longer");
	scratch_write(&t.scratch, "env/bin/x", "#!/bin/sh\n");
	path = cda_path_join(t.prefix, "share/a");
	CHECK(unlink(path) == 0);
	check_findings(&t, false, "x share/a missing\n");
	check_findings(
		&t, true,
		"x bin/x altered\nx share/a missing\nx share/b altered\nx share/c altered\n");
}

TEST(old_records_have_names_alone)
{
	AUTOTPREFIX struct tprefix t;

	tprefix_new(&t);
	scratch_write(&t.scratch, "env/conda-meta/o-1-0.json",
		      "{\"name\": \"o\", \"version\": \"1\", \"build\": \"0\","
		      " \"files\": [\"bin/o\", \"lib/o.pyc\", \"../x\"]}");
	check_findings(&t, true, "o bin/o missing\n");
}
