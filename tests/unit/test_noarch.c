#include "check.h"
#include "prefix/noarch.h"
#include "scratch.h"

struct python_row {
	const char *version, *own, *short_version, *site_packages, *program;
};

static const struct python_row pythons[] = {
	{"3.11.2", NULL, "3.11", "lib/python3.11/site-packages", "bin/python3.11"},
	{"3.13.0rc1", NULL, "3.13", "lib/python3.13/site-packages", "bin/python3.13"},
	{"2.7.18", NULL, "2.7", "lib/python2.7/site-packages", "bin/python2.7"},
	{"3", NULL, "3", "lib/python3/site-packages", "bin/python3"},
	{"3.13.1", "lib/python3.13t/site-packages", "3.13", "lib/python3.13t/site-packages",
	 "bin/python3.13"},
	{"3.13.1", "../out", "3.13", "lib/python3.13/site-packages", "bin/python3.13"},
};

TEST(a_python_says_where_things_go)
{
	for (size_t i = 0; i < CDA_LEN(pythons); i++) {
		const struct python_row *row = &pythons[i];
		struct cda_record record = {.version = row->version,
					    .python_site_packages_path = row->own};
		struct cda_python python;

		cda_python_of(&record, &python);
		CHECK_STR_AT(python.version, row->short_version, "row %zu", i);
		CHECK_STR_AT(python.site_packages, row->site_packages, "row %zu", i);
		CHECK_STR_AT(python.program, row->program, "row %zu", i);
		cda_python_done(&python);
	}
}

struct target_row {
	const char *version, *path, *target, *pyc;
};

static const struct target_row targets[] = {
	{"3.11.2", "site-packages/a/b.py", "lib/python3.11/site-packages/a/b.py",
	 "lib/python3.11/site-packages/a/__pycache__/b.cpython-311.pyc"},
	{"3.9.1", "site-packages/s.py", "lib/python3.9/site-packages/s.py",
	 "lib/python3.9/site-packages/__pycache__/s.cpython-39.pyc"},
	{"2.7.1", "site-packages/s.py", "lib/python2.7/site-packages/s.py",
	 "lib/python2.7/site-packages/s.pyc"},
	{"3.11.2", "python-scripts/x", "bin/x", NULL},
	{"3.11.2", "share/x.py", "share/x.py", NULL},
	{"3.11.2", "site-packages", "site-packages", NULL},
	{"3.11.2", "site-packages/.py", "lib/python3.11/site-packages/.py", NULL},
	{"3.11.2", "site-packages/a\tb.py", "lib/python3.11/site-packages/a\tb.py", NULL},
	{"3.11.2", "site-packages/x.pyc", "lib/python3.11/site-packages/x.pyc", NULL},
};

TEST(files_and_compiled_files_have_their_place)
{
	for (size_t i = 0; i < CDA_LEN(targets); i++) {
		const struct target_row *row = &targets[i];
		struct cda_record record = {.version = row->version};
		CDA_AUTOFREE char *target = NULL, *pyc = NULL;
		struct cda_python python;

		cda_python_of(&record, &python);
		target = cda_noarch_target(&python, row->path);
		CHECK_STR_AT(target, row->target, "row %zu", i);
		if (CHECK_INT_AT(cda_noarch_is_source(row->path), row->pyc != NULL, "row %zu", i) &&
		    row->pyc) {
			pyc = cda_noarch_pyc(&python, target);
			CHECK_STR_AT(pyc, row->pyc, "row %zu", i);
		}
		cda_python_done(&python);
	}
}

TEST(entry_points_import_and_call)
{
	static const char want[] =
		"#!/e/bin/python3.11\n# -*- coding: utf-8 -*-\nimport re\nimport sys\n\n"
		"from a.b import Main\n\nif __name__ == '__main__':\n"
		"    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
		"    sys.exit(Main.run())\n";
	struct cda_entry_point entry = {"x", "a.b", "Main.run"};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_entry_point_format(&entry, "/e/bin/python3.11", &out);
	CHECK_STR(out.p, want);
}

TEST(the_prefix_compiles_with_its_own_python)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_record record = {.version = "3.11.2"};
	CDA_AUTOSTRV struct cda_strv files = {0};
	CDA_AUTOFREE char *text = NULL;
	struct cda_python python;
	struct cda_err err = {0};
	bool done = true;

	cda_python_of(&record, &python);
	cda_strv_push(&files, "lib/a b.py");
	cda_strv_push(&files, "lib/c.py");
	/* no python, no compiling, no error */
	CHECK(cda_noarch_compile(scratch.dir, &python, &files, NULL, &done, &err) >= 0);
	CHECK(!done);
	scratch_write_mode(&scratch, "bin/python3.11",
			   "#!/bin/sh\npwd >ran\necho \"$*\" >>ran\ncat >>ran\n", 0755);
	CHECK(cda_noarch_compile(scratch.dir, &python, &files, NULL, &done, &err) >= 0);
	CHECK(done);
	text = scratch_read(&scratch, "ran");
	CDA_AUTOFREE char *want =
		cda_asprintf("%s\n-Wi -m compileall -q -l -i -\nlib/a b.py\nlib/c.py", scratch.dir);
	CHECK_STR(text, want);
	scratch_write_mode(&scratch, "bin/python3.11", "#!/bin/sh\nexit 1\n", 0755);
	CHECK(cda_noarch_compile(scratch.dir, &python, &files, NULL, &done, &err) >= 0);
	CHECK(!done);
	cda_python_done(&python);
}
