/* condense slim: trees before and after each rule, records that are told, what is refused. */
#include "check.h"
#include "image/slim.h"
#include "image/slim_impl.h"
#include "scratch.h"
#include "util/alloc.h"
#include "util/proc.h"
#include "util/str.h"

#include <elf.h>

enum { ROWS = 20 };

#define RULE(id) (1u << CDA_SLIM_##id)
#define USUAL                                                                                      \
	(RULE(STATIC) | RULE(MAPS) | RULE(TESTS) | RULE(DOCS) | RULE(CACHES) | RULE(STRIP) |       \
	 RULE(DUPLICATES))
#define PREFIX "conda-meta/history\t"
#define ROOT "etc/passwd\t"
#define SITE "lib/python3.13/site-packages/"
#define ARCHIVE "\t!<arch>\n"

/* before: "PATH<tab>CONTENT" or "PATH -> TARGET"; after: what is gone. */
static const struct {
	const char *name;
	unsigned rules;
	const char *keep; /* a pattern, or NULL */
	const char *before[ROWS];
	const char *gone[ROWS];
} rows[] = {
	{"static libraries, told by their first bytes",
	 RULE(STATIC),
	 NULL,
	 {PREFIX, "lib/libx.a" ARCHIVE, "lib/liby.a\ttext",
	  "lib/libx.la\t# libx.la - a libtool library", "lib/thin.a\t!<thin>\n", "lib/a.la\t# no"},
	 {"lib/libx.a", "lib/libx.la", "lib/thin.a"}},
	{"what compilers link with stays",
	 RULE(STATIC),
	 NULL,
	 {PREFIX, "lib/gcc/x/13/libgcc.a" ARCHIVE, "x/sysroot/usr/lib/libc.a" ARCHIVE,
	  "lib/libc_nonshared.a" ARCHIVE},
	 {NULL}},
	{"links go with what they name",
	 RULE(STATIC),
	 NULL,
	 {PREFIX, "lib/libx.1.a" ARCHIVE, "lib/libx.a -> libx.1.a", "lib/liby.a -> libnone.a"},
	 {"lib/libx.1.a", "lib/libx.a"}},
	{"what another link needs stays",
	 RULE(STATIC),
	 NULL,
	 {PREFIX, "lib/libx.a" ARCHIVE, "share/needed -> ../lib/libx.a"},
	 {NULL}},
	{"source maps and program databases, not proteins",
	 RULE(MAPS),
	 NULL,
	 {PREFIX, "a/x.js.map\t{}", "a/x.css.map\t{}", "a/x.map\t{}", "a/1abc.pdb\tHEADER  PROTEIN",
	  "a/x.pdb\tMicrosoft C/C++ MSF 7.00\r\n"},
	 {"a/x.css.map", "a/x.js.map", "a/x.pdb"}},
	{"tests of packages at any depth, with what is compiled of them",
	 RULE(TESTS),
	 NULL,
	 {PREFIX, SITE "p/__init__.py\timport os\n", SITE "p/tests/test_a.py\tx",
	  SITE "p/tests/__pycache__/test_a.cpython-313.pyc\tx", SITE "p/sub/tests/data/x\ty",
	  SITE "p/tests.py\tx", SITE "tests/test_top.py\tx"},
	 {SITE "p/sub/tests/data/x", SITE "p/tests/__pycache__/test_a.cpython-313.pyc",
	  SITE "p/tests/test_a.py"}},
	{"tests that the package imports stay",
	 RULE(TESTS),
	 NULL,
	 {PREFIX, SITE "p/run.py\tdef f():\n\tfrom p.test.utils import (\n\t\tx)\n",
	  SITE "p/test/utils.py\tx", SITE "p/test/test_x.py\tx", SITE "q/a.py\t# from q.tests\n",
	  SITE "q/tests/test_x.py\tx"},
	 {SITE "q/tests/test_x.py"}},
	{"a folder called test without a test stays",
	 RULE(TESTS),
	 NULL,
	 {PREFIX, SITE "p/test/client.py\tx", SITE "p/a.py\tx"},
	 {NULL}},
	{"tests of Python itself, not a package's module of that name",
	 RULE(TESTS),
	 NULL,
	 {PREFIX, "lib/python3.13/test/test_os.py\tx", "lib/python3.13/idlelib/idle_test/a.py\tx",
	  "lib/python3.13/unittest/case.py\tx", "lib/test/x.py\tx"},
	 {"lib/python3.13/idlelib/idle_test/a.py", "lib/python3.13/test/test_os.py"}},
	{"documentation without licences",
	 RULE(DOCS),
	 NULL,
	 {PREFIX, "share/man/man1/x.1\tx", "share/doc/x/LICENSE.txt\tx", "share/doc/x/README\tx",
	  "share/info/dir\tx", "share/gtk-doc/html/x\tx", "share/doc/y/Copying\tx",
	  "share/doctor/x\tx", "share/man/man1/y.1 -> x.1"},
	 {"share/doc/x/README", "share/gtk-doc/html/x", "share/info/dir", "share/man/man1/x.1",
	  "share/man/man1/y.1"}},
	{"files of dpkg stay, others go",
	 RULE(DOCS) | RULE(STATIC),
	 NULL,
	 {ROOT, "var/lib/dpkg/info/x.list\t/usr/share/doc/x\n/usr/share/doc/x/a\n/lib/libx.a\n",
	  "usr/share/doc/x/a\tx", "usr/share/doc/mine/a\tx", "usr/lib/libx.a" ARCHIVE,
	  "usr/local/lib/liby.a" ARCHIVE},
	 {"usr/local/lib/liby.a", "usr/share/doc/mine/a"}},
	{"files of apk stay, others go",
	 RULE(DOCS),
	 NULL,
	 {ROOT, "lib/apk/db/installed\tP:x\nF:usr/share/doc/x\nR:a\nZ:Q1\nR:b\n",
	  "usr/share/doc/x/a\tx", "usr/share/doc/x/b\tx", "usr/share/doc/x/c\tx"},
	 {"usr/share/doc/x/c"}},
	{"caches of a root",
	 RULE(CACHES),
	 NULL,
	 {ROOT, "var/lib/apt/lists/lock\t", "var/lib/apt/lists/a_Packages\tx",
	  "var/cache/apt/pkgcache.bin\tx", "var/cache/apt/archives/lock\t",
	  "var/cache/apt/archives/x.deb\tx", "var/cache/apk/APKINDEX\tx", "var/log/dpkg.log\tx",
	  "var/log/wtmp\tx", "var/cache/ldconfig/aux-cache\tx", "home/a/.cache/pip/http/x\tx",
	  "home/a/.cache/mine\tx", "var/lib/dpkg/status-old\tx", "var/lib/dpkg/status\tx",
	  "root/.cache/pip/x\tx"},
	 {"home/a/.cache/pip/http/x", "root/.cache/pip/x", "var/cache/apk/APKINDEX",
	  "var/cache/apt/archives/x.deb", "var/cache/apt/pkgcache.bin",
	  "var/cache/ldconfig/aux-cache", "var/lib/apt/lists/a_Packages", "var/lib/dpkg/status-old",
	  "var/log/dpkg.log"}},
	{"the package cache, of a prefix within a root too",
	 RULE(CACHES),
	 NULL,
	 {ROOT, "opt/c/conda-meta/history\t", "opt/c/pkgs/x-1-0/info/index.json\t{}",
	  "opt/c/pkgs/urls.txt\tx", "opt/pkgs/x\tx"},
	 {"opt/c/pkgs/urls.txt", "opt/c/pkgs/x-1-0/info/index.json"}},
	{"a package cache that files are links into",
	 RULE(CACHES),
	 NULL,
	 {PREFIX, "pkgs/x-1-0/lib/a\tx", "pkgs/x-1-0/lib/b -> a", "lib/a -> ../pkgs/x-1-0/lib/a"},
	 {NULL}},
	{"a package cache that stays is as its packages say",
	 USUAL & ~RULE(CACHES),
	 NULL,
	 {PREFIX, "pkgs/x-1-0/lib/libx.a" ARCHIVE, "pkgs/x-1-0/x.js.map\t{}",
	  "pkgs/x-1-0/" SITE "p/a.py\tx", "pkgs/x-1-0/" SITE "p/tests/test_a.py\tx",
	  "lib/libx.a" ARCHIVE},
	 {"lib/libx.a"}},
	{"compiled files without a source",
	 RULE(CACHES),
	 NULL,
	 {PREFIX, SITE "__pycache__/gone.cpython-313.opt-1.pyc\tx", SITE "here.py\tx",
	  SITE "__pycache__/here.cpython-313.pyc\tx", SITE "alone.pyc\tx"},
	 {SITE "__pycache__/gone.cpython-313.opt-1.pyc"}},
	{"compiled files with one, when asked for",
	 RULE(BYTECODE),
	 "site-packages/keep/**/x.*.pyc",
	 {PREFIX, SITE "here.py\tx", SITE "__pycache__/here.cpython-313.pyc\tx",
	  SITE "__pycache__/gone.cpython-313.pyc\tx"},
	 {SITE "__pycache__/here.cpython-313.pyc"}},
	{"a folder that is kept by its path",
	 RULE(DOCS),
	 "opt/c/share/doc",
	 {ROOT, "opt/c/conda-meta/history\t", "opt/c/share/doc/x/a\tx", "opt/c/share/man/a\tx"},
	 {"opt/c/share/man/a"}},
	{"a file that is kept by its path in the prefix",
	 RULE(DOCS),
	 "share/doc/x/a",
	 {ROOT, "opt/c/conda-meta/history\t", "opt/c/share/doc/x/a\tx", "opt/c/share/doc/x/ab\tx"},
	 {"opt/c/share/doc/x/ab"}},
	{"what is kept by name",
	 RULE(STATIC) | RULE(DOCS),
	 "libx.a",
	 {PREFIX, "lib/libx.a" ARCHIVE, "lib/liby.a" ARCHIVE, "share/doc/x/a\tx"},
	 {"lib/liby.a", "share/doc/x/a"}},
};

/* Writes "PATH<tab>CONTENT" or "PATH -> TARGET". */
static void write_entry(const struct scratch *scratch, const char *entry)
{
	const char *tab = strchr(entry, '\t'), *arrow = strstr(entry, " -> ");

	if (tab) {
		CDA_AUTOFREE char *path = cda_strndup(entry, (size_t)(tab - entry));

		scratch_write(scratch, path, tab + 1);
	} else {
		CDA_AUTOFREE char *path = cda_strndup(entry, (size_t)(arrow - entry));
		CDA_AUTOFREE char *folder = cda_path_dirname(path);
		CDA_AUTOFREE char *full = scratch_path(scratch, path);

		scratch_mkdir(scratch, folder);
		CHECK(symlink(arrow + 4, full) == 0);
	}
}

static int collect(void *ctx, const char *path, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		cda_strv_push(ctx, path);
	return 0;
}

static void list(const struct scratch *scratch, struct cda_strv *paths)
{
	struct cda_err err = {0};

	CHECK(cda_fs_walk(AT_FDCWD, scratch->dir, collect, paths, &err) == 0);
	cda_strv_sort(paths);
}

static int slim(const struct scratch *scratch, unsigned rules, const char *keep, bool dry_run,
		struct cda_slim_report *report, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv patterns = {0};
	struct cda_slim_options options = {
		.root = scratch->dir, .rules = rules, .keep = &patterns, .dry_run = dry_run};

	if (keep)
		cda_strv_push(&patterns, keep);
	return cda_slim_run(&options, report, err);
}

/* One run that has to work; returns the number of files that it names. */
static size_t slimmed(const struct scratch *scratch, unsigned rules, const char *keep, bool dry_run)
{
	struct cda_slim_report report = {0};
	struct cda_err err = {0};
	size_t n;

	CHECK_INT_AT(slim(scratch, rules, keep, dry_run, &report, &err), 0, "%s",
		     err.msg ? err.msg : "");
	n = report.items.n;
	cda_slim_report_done(&report);
	cda_err_done(&err);
	return n;
}

TEST(each_rule_takes_what_its_row_says_and_no_more)
{
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		AUTOSCRATCH struct scratch scratch = scratch_new();
		CDA_AUTOSTRV struct cda_strv before = {0}, dry = {0}, after = {0}, want = {0};
		size_t gone = 0;

		for (size_t k = 0; rows[i].before[k]; k++)
			write_entry(&scratch, rows[i].before[k]);
		list(&scratch, &before);
		for (; rows[i].gone[gone]; gone++)
			CHECK_AT(cda_strv_has(&before, rows[i].gone[gone]), "row '%s' has no '%s'",
				 rows[i].name, rows[i].gone[gone]);
		for (size_t k = 0; k < before.n; k++) {
			bool stays = true;

			for (size_t g = 0; g < gone; g++)
				stays = stays && strcmp(before.v[k], rows[i].gone[g]) != 0;
			if (stays)
				cda_strv_push(&want, before.v[k]);
		}
		CHECK_INT_AT(slimmed(&scratch, rows[i].rules, rows[i].keep, true), gone, "row '%s'",
			     rows[i].name);
		list(&scratch, &dry);
		CHECK_INT_AT(slimmed(&scratch, rows[i].rules, rows[i].keep, false), gone,
			     "row '%s'", rows[i].name);
		list(&scratch, &after);
		CDA_AUTOFREE char *a = cda_strv_join(&after, "\n");
		CDA_AUTOFREE char *b = cda_strv_join(&want, "\n");
		CDA_AUTOFREE char *c = cda_strv_join(&dry, "\n");
		CDA_AUTOFREE char *d = cda_strv_join(&before, "\n");
		CHECK_STR_AT(a, b, "row '%s'", rows[i].name);
		CHECK_STR_AT(c, d, "row '%s': a dry run changes", rows[i].name);
		CHECK_INT_AT(slimmed(&scratch, rows[i].rules, rows[i].keep, false), 0,
			     "row '%s': a second run", rows[i].name);
	}
}

TEST(folders_that_become_empty_go_those_of_caches_stay)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();

	write_entry(&scratch, ROOT);
	write_entry(&scratch, "opt/c/" PREFIX);
	write_entry(&scratch, "opt/c/share/man/man1/x.1\tx");
	write_entry(&scratch, "opt/c/pkgs/x/y/z\tx");
	write_entry(&scratch, "var/lib/apt/lists/partial/x\tx");
	write_entry(&scratch, "root/.cache/pip/a/b\tx");
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 4);
	CHECK(!scratch_has(&scratch, "opt/c/share"));
	CHECK(scratch_has(&scratch, "opt/c/pkgs"));
	CHECK(!scratch_has(&scratch, "opt/c/pkgs/x"));
	CHECK(scratch_has(&scratch, "var/lib/apt/lists/partial"));
	CHECK(!scratch_has(&scratch, "root/.cache/pip/a"));
}

TEST(equal_files_become_one_but_not_settings)
{
	static const char *const paths[] = {"lib/a",  "lib/b",          "lib/mode",
					    "etc/c",  "etc/d",          "x/a.py",
					    "x/b.py", "var/lib/dpkg/e", "var/lib/dpkg/f"};
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *text = cda_alloc0(1, 4097);
	struct timespec times[2] = {{1000, 0}, {1000, 0}};
	struct stat st[CDA_LEN(paths)];

	memset(text, 'x', 4096);
	scratch_write(&scratch, "conda-meta/history", "");
	for (size_t i = 0; i < CDA_LEN(paths); i++)
		scratch_write_mode(&scratch, paths[i], text, i == 2 ? 0700 : 0644);
	/* python would compile b.py again */
	CDA_AUTOFREE char *source = scratch_path(&scratch, "x/b.py");
	CHECK(utimensat(AT_FDCWD, source, times, 0) == 0);
	CHECK_INT(slimmed(&scratch, RULE(DUPLICATES), NULL, false), 1);
	for (size_t i = 0; i < CDA_LEN(paths); i++) {
		CDA_AUTOFREE char *path = scratch_path(&scratch, paths[i]);

		CHECK(stat(path, &st[i]) == 0);
	}
	CHECK_INT(st[0].st_ino, st[1].st_ino);
	CHECK(st[0].st_ino != st[2].st_ino);
	CHECK(st[3].st_ino != st[4].st_ino);
	CHECK(st[6].st_ino != st[5].st_ino);
	CHECK(st[7].st_ino != st[8].st_ino);
	CHECK_INT(slimmed(&scratch, RULE(DUPLICATES), NULL, false), 0);
}

TEST(bytes_of_hard_links_count_with_the_last_name)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *one = scratch_path(&scratch, "share/doc/a");
	CDA_AUTOFREE char *two = scratch_path(&scratch, "share/doc/b");
	CDA_AUTOFREE char *kept = scratch_path(&scratch, "share/kept");
	CDA_AUTOFREE char *third = scratch_path(&scratch, "share/doc/c");
	struct cda_slim_report report = {0};
	struct cda_err err = {0};

	scratch_write(&scratch, "conda-meta/history", "");
	scratch_write(&scratch, "share/doc/a", "12345");
	scratch_write(&scratch, "share/kept", "123");
	CHECK(link(one, two) == 0 && link(kept, third) == 0);
	CHECK_INT(slim(&scratch, USUAL, NULL, false, &report, &err), 0);
	CHECK_INT(report.rules[CDA_SLIM_DOCS].files, 3);
	CHECK_INT(report.rules[CDA_SLIM_DOCS].bytes, 5);
	cda_slim_report_done(&report);
}

/* ---- records */

static const char meta[] =
	"{\n  \"arch\": null,\n  \"extra\": {\n    \"kept\": 1\n  },\n  \"files\": [\n"
	"    \"lib/p.py\",\n    \"lib/__pycache__/p.cpython-313.pyc\",\n    \"share/man/a.1\",\n"
	"    \"share/man/b.1\",\n    \"share/z\"\n  ],\n  \"name\": \"x\",\n  \"paths_data\": {\n"
	"    \"paths\": [\n"
	"      {\n        \"_path\": \"p.py\",\n        \"path_type\": \"hardlink\"\n      },\n"
	"      {\n        \"_path\": \"q.pyc\",\n        \"path_type\": \"hardlink\",\n"
	"        \"sha256\": \"00\",\n        \"size_in_bytes\": 1\n      },\n"
	"      {\n        \"_path\": \"a.1\"\n      },\n      {\n        \"_path\": \"b.1\"\n      "
	"},\n"
	"      {\n        \"_path\": \"z\"\n      }\n    ],\n    \"paths_version\": 1\n  }\n}";

static const char meta_after[] =
	"{\n  \"arch\": null,\n  \"extra\": {\n    \"kept\": 1\n  },\n  \"files\": [\n"
	"    \"lib/p.py\",\n    \"lib/__pycache__/p.cpython-313.pyc\",\n    \"share/z\"\n  ],\n"
	"  \"name\": \"x\",\n  \"paths_data\": {\n    \"paths\": [\n"
	"      {\n        \"_path\": \"p.py\",\n        \"path_type\": \"hardlink\"\n      },\n"
	"      {\n        \"_path\": \"q.pyc\",\n        \"path_type\": \"pyc_file\"\n      },\n"
	"      {\n        \"_path\": \"z\"\n      }\n    ],\n    \"paths_version\": 1\n  }\n}";

TEST(conda_meta_loses_what_went_and_keeps_all_else)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();

	scratch_write(&scratch, "conda-meta/history", "");
	scratch_write(&scratch, "conda-meta/x-1-0.json", meta);
	scratch_write(&scratch, "lib/p.py", "x");
	scratch_write(&scratch, "lib/__pycache__/p.cpython-313.pyc", "x");
	scratch_write(&scratch, "share/man/a.1", "x");
	scratch_write(&scratch, "share/man/b.1", "x");
	scratch_write(&scratch, "share/z", "x");
	CHECK_INT(slimmed(&scratch, USUAL | RULE(BYTECODE), NULL, false), 3);
	CDA_AUTOFREE char *text = scratch_read(&scratch, "conda-meta/x-1-0.json");
	CHECK_STR(text, meta_after);
	CHECK_INT(slimmed(&scratch, USUAL | RULE(BYTECODE), NULL, false), 0);
}

static struct cda_slim_change ask(void *ctx, const char *name)
{
	static const char hex[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	if (cda_streq(name, "gone") || cda_streq(name, "a, \"b\""))
		return (struct cda_slim_change){.act = CDA_SLIM_REMOVE};
	if (cda_streq(name, "new"))
		return (struct cda_slim_change){CDA_SLIM_REWRITE, hex, 42};
	return (struct cda_slim_change){0};
}

TEST(record_lines_are_told_and_others_keep_their_bytes)
{
	static const struct {
		const char *before, *after; /* NULL: unchanged */
	} lines[] = {
		{"a,sha256=x,1\r\ngone,sha256=x,2\r\nb,,\r\n", "a,sha256=x,1\r\nb,,\r\n"},
		{"\"a, \"\"b\"\"\",sha256=x,1\nb,,\n", "b,,\n"},
		{"new,sha256=x,1\nb,,",
		 "new,sha256=ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8,42\nb,,"},
		{"new,,\n", NULL},
		{"new,sha256=ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8,42\n", NULL},
		{"\"open,sha256=x", NULL},
		{",,\n\n", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(lines); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		int rc = cda_slim_edit_record(lines[i].before, strlen(lines[i].before), ask, NULL,
					      &out);

		CHECK_INT_AT(rc, lines[i].after != NULL, "line '%s'", lines[i].before);
		CHECK_STR_AT(out.p, lines[i].after ? lines[i].after : lines[i].before, "line '%s'",
			     lines[i].before);
	}
}

TEST(a_record_with_a_nul_keeps_what_is_behind_it)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *path = scratch_path(&scratch, SITE "p-1.dist-info/RECORD");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};

	scratch_write(&scratch, "conda-meta/history", "");
	scratch_write(&scratch, SITE "p/a.py", "x");
	scratch_write(&scratch, SITE "p/tests/test_a.py", "x");
	scratch_write(&scratch, SITE "p-1.dist-info/RECORD", "");
	REQUIRE(cda_fs_replace(AT_FDCWD, path, "a\0b,,\np/tests/test_a.py,,\np/a.py,,\n", 35, 0644,
			       false, &err) == 0);
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 1);
	REQUIRE(cda_fs_read(AT_FDCWD, path, 4096, &text, &err) == 0);
	CHECK_INT(text.len, 15);
	CHECK_MEM(text.p, text.len, "a\0b,,\np/a.py,,\n", 15);
}

TEST(a_record_that_cannot_be_read_stops_before_anything_changes)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_slim_report report = {0};
	struct cda_err err = {0};

	scratch_write(&scratch, "conda-meta/x-1-0.json", "{");
	scratch_write(&scratch, "share/man/a.1", "x");
	CHECK_INT(slim(&scratch, USUAL, NULL, false, &report, &err), -CDA_E_PARSE);
	CHECK(err.msg && strstr(err.msg, "conda-meta/x-1-0.json"));
	CHECK(scratch_has(&scratch, "share/man/a.1"));
	cda_err_done(&err);
}

/* ---- what is refused, what is hostile */

TEST(no_root_is_refused)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_slim_options options = {.root = scratch.dir, .rules = USUAL};
	struct cda_slim_report report = {0};
	struct cda_err err = {0};

	CHECK_INT(cda_slim_run(&options, &report, &err), -CDA_E_USAGE);
	CHECK(err.msg && strstr(err.msg, "no root file system and no environment"));
	cda_err_done(&err);
	options.root = "/";
	CHECK_INT(cda_slim_run(&options, &report, &err), -CDA_E_USAGE);
	CHECK(err.msg && strstr(err.msg, "running system"));
	cda_err_done(&err);
	options.root = "/proc/self/root";
	CHECK_INT(cda_slim_run(&options, &report, &err), -CDA_E_USAGE);
	cda_err_done(&err);
}

TEST(links_are_never_followed)
{
	AUTOSCRATCH struct scratch outside = scratch_new();
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *way = cda_asprintf("share/man -> %s", outside.dir);
	CDA_AUTOFREE char *cache = cda_asprintf("pkgs -> %s", outside.dir);
	CDA_AUTOFREE char *record = cda_asprintf("conda-meta/y-1-0.json -> %s/r", outside.dir);

	scratch_write(&outside, "a.1", "x");
	scratch_write(&outside, "r", meta);
	write_entry(&scratch, PREFIX);
	write_entry(&scratch, way);
	write_entry(&scratch, cache);
	write_entry(&scratch, record);
	write_entry(&scratch, "lib/x.a -> ../../../../../../../../etc/passwd");
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 0);
	CHECK(scratch_has(&outside, "a.1"));
	CDA_AUTOFREE char *text = scratch_read(&outside, "r");
	CHECK_STR(text, meta);
	CHECK(scratch_has(&scratch, "pkgs"));
}

TEST(patterns_of_keep)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{"*.a", "lib/x.a", true},
		{"lib", "opt/lib/x", true},
		{"lib/x.a", "lib/x.a", true},
		{"lib/*", "lib/a/b", true},
		{"lib/x.a", "opt/lib/x.a", false},
		{"**/lib/x.a", "opt/lib/x.a", true},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "ab", false},
		{"/lib/", "lib/x", true},
		{"", "x", false},
		{"/", "x", false},
		{"a/*", "a", false},
		{"**", "a", true},
	};

	for (size_t i = 0; i < CDA_LEN(cases); i++)
		CHECK_INT_AT(cda_slim_pattern(cases[i].pattern, cases[i].path), cases[i].match,
			     "'%s' and '%s'", cases[i].pattern, cases[i].path);
}

/* ---- ELF */

/* Header, one segment, then .text (in it), .debug_info, .symtab, .strtab, .comment, .shstrtab. */
static void make_elf(struct cda_buf *file)
{
	static const char names[] = "\0.text\0.debug_info\0.symtab\0.strtab\0.comment\0.shstrtab";
	static const struct {
		const char *name;
		unsigned type, flags, size, link;
	} sections[] = {
		{".text", SHT_PROGBITS, SHF_ALLOC, 64, 0},
		{".debug_info", SHT_PROGBITS, 0, 500, 0},
		{".symtab", SHT_SYMTAB, 0, 48, 4},
		{".strtab", SHT_STRTAB, 0, 30, 0},
		{".comment", SHT_PROGBITS, 0, 7, 0},
		{".shstrtab", SHT_STRTAB, 0, sizeof(names), 0},
	};
	Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_phoff = sizeof(head),
			   .e_ehsize = sizeof(head),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = CDA_LEN(sections) + 1,
			   .e_shstrndx = CDA_LEN(sections)};
	Elf64_Phdr segment = {.p_type = PT_LOAD, .p_filesz = 256, .p_memsz = 256};
	Elf64_Shdr table[CDA_LEN(sections) + 1] = {{0}};

	cda_buf_clear(file);
	for (int i = 0; i < 192; i++)
		cda_buf_addc(file, (char)i);
	for (size_t i = 0; i < CDA_LEN(sections); i++) {
		const char *name =
			memmem(names, sizeof(names), sections[i].name, strlen(sections[i].name));

		table[i + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)(name - names),
					    .sh_type = sections[i].type,
					    .sh_flags = sections[i].flags,
					    .sh_offset = file->len,
					    .sh_size = sections[i].size,
					    .sh_link = sections[i].link,
					    .sh_addralign = 1};
		if (i == CDA_LEN(sections) - 1)
			cda_buf_add(file, names, sizeof(names));
		else
			for (unsigned k = 0; k < sections[i].size; k++)
				cda_buf_addc(file, (char)('a' + i));
	}
	head.e_shoff = file->len;
	cda_buf_add(file, table, sizeof(table));
	memcpy(file->p, &head, sizeof(head));
	memcpy(file->p + sizeof(head), &segment, sizeof(segment));
}

TEST(debug_sections_and_symbols_go_segments_stay)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT, out = CDA_BUF_INIT, twice = CDA_BUF_INIT;
	Elf64_Ehdr head;

	make_elf(&file);
	REQUIRE(cda_slim_strip(file.p, file.len, &out) == 1);
	CHECK(out.len < file.len - 500);
	memcpy(&head, out.p, sizeof(head));
	CHECK_INT(head.e_shnum, 4);
	CHECK_INT(head.e_shstrndx, 3);
	CHECK_MEM(out.p + sizeof(head), 256 - sizeof(head), file.p + sizeof(head),
		  256 - sizeof(head));
	CHECK(memmem(out.p, out.len, "eeeeeee", 7) != NULL); /* .comment */
	CHECK(memmem(out.p, out.len, "bbbb", 4) == NULL);    /* .debug_info */
	CHECK(memmem(out.p, out.len, "dddd", 4) == NULL);    /* .strtab */
	CHECK_INT(cda_slim_strip(out.p, out.len, &twice), 0);
}

TEST(files_that_are_not_safe_to_strip_are_left)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT, out = CDA_BUF_INIT;
	const uint32_t symtab = 3;
	Elf64_Ehdr head;

	make_elf(&file);
	cda_buf_adds(&file, "payload behind the tables");
	CHECK_INT(cda_slim_strip(file.p, file.len, &out), 0);
	make_elf(&file);
	file.p[offsetof(Elf64_Ehdr, e_type)] = ET_REL;
	CHECK_INT(cda_slim_strip(file.p, file.len, &out), 0);
	/* a file of debug sections alone: the code is elsewhere */
	make_elf(&file);
	memcpy(&head, file.p, sizeof(head));
	Elf64_Shdr text;
	memcpy(&text, file.p + head.e_shoff + sizeof(text), sizeof(text));
	text.sh_type = SHT_NOBITS;
	text.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	memcpy(file.p + head.e_shoff + sizeof(text), &text, sizeof(text));
	CHECK_INT(cda_slim_strip(file.p, file.len, &out), 0);
	make_elf(&file);
	memcpy(&head, file.p, sizeof(head));
	memcpy(file.p + head.e_shoff + 5 * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_link),
	       &symtab, sizeof(symtab)); /* .comment needs .symtab */
	CHECK_INT(cda_slim_strip(file.p, file.len, &out), 0);
	for (size_t len = 0; len < 400; len++) {
		make_elf(&file);
		CHECK_INT(cda_slim_strip(file.p, len, &out), 0);
	}
}

TEST(a_stripped_program_runs_and_its_record_knows)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf self = CDA_BUF_INIT, record = CDA_BUF_INIT, want = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = scratch_path(&scratch, "bin/self");
	CDA_AUTOFREE char *second = scratch_path(&scratch, "bin/second");
	const char *argv[] = {path, "imports_are_found", NULL};
	struct cda_proc proc = {.argv = argv};
	struct cda_buf said = CDA_BUF_INIT;
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	struct stat st, twin;
	int status = -1;

	REQUIRE(cda_fs_read(AT_FDCWD, "/proc/self/exe", (size_t)256 << 20, &self, &err) == 0);
	scratch_mkdir(&scratch, "bin");
	REQUIRE(cda_fs_replace(AT_FDCWD, path, self.p, self.len, 0755, false, &err) == 0);
	CHECK(link(path, second) == 0);
	scratch_write(&scratch, "conda-meta/x-1-0.json",
		      "{\"files\": [\"bin/self\"], \"paths_data\": {\"paths\": [{\"_path\": "
		      "\"bin/self\", \"sha256_in_prefix\": \"00\", \"size_in_bytes\": 3}]}}");
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 2);
	CHECK(stat(path, &st) == 0 && (size_t)st.st_size < self.len);
	CHECK(stat(second, &twin) == 0 && twin.st_ino == st.st_ino);
	CHECK_INT(st.st_mode & 07777, 0755);
	proc.out = &said;
	CHECK_INT(cda_proc_run(&proc, &status, &err), 0);
	CHECK_INT(status, 0);
	CHECK(cda_hash_file(CDA_SHA256, AT_FDCWD, path, hex, &err) == 0);
	cda_buf_addf(&want, "\"sha256_in_prefix\": \"%s\"", hex);
	CDA_AUTOFREE char *text = scratch_read(&scratch, "conda-meta/x-1-0.json");
	CHECK(text && strstr(text, want.p));
	cda_buf_clear(&want);
	cda_buf_addf(&want, "\"size_in_bytes\": %jd", (intmax_t)st.st_size);
	CHECK(text && strstr(text, want.p));
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 0);
	cda_buf_done(&said);
}

TEST(a_program_that_the_cache_shares_stays_shared)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf self = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = scratch_path(&scratch, "bin/self");
	CDA_AUTOFREE char *cached = scratch_path(&scratch, "pkgs/x-1-0/bin/self");
	struct cda_err err = {0};
	struct stat st, twin;

	REQUIRE(cda_fs_read(AT_FDCWD, "/proc/self/exe", (size_t)256 << 20, &self, &err) == 0);
	scratch_write(&scratch, "conda-meta/history", "");
	scratch_mkdir(&scratch, "bin");
	scratch_mkdir(&scratch, "pkgs/x-1-0/bin");
	REQUIRE(cda_fs_replace(AT_FDCWD, path, self.p, self.len, 0755, false, &err) == 0);
	CHECK(link(path, cached) == 0);
	CHECK_INT(slimmed(&scratch, USUAL & ~RULE(CACHES), NULL, false), 0);
	CHECK(stat(path, &st) == 0 && (size_t)st.st_size == self.len);
	CHECK(stat(cached, &twin) == 0 && twin.st_ino == st.st_ino);
	/* the cache goes: then there is something to gain */
	CHECK_INT(slimmed(&scratch, USUAL, NULL, false), 2);
	CHECK(stat(path, &st) == 0 && (size_t)st.st_size < self.len);
}

TEST(imports_are_found_in_python)
{
	static const struct {
		const char *text;
		bool found;
	} cases[] = {
		{"import a.tests", true},
		{"  from . import (a,\n  tests,\n)", true},
		{"from a.tests.b import c\n", true},
		{"from a import (b)\ntests = 1\n", false},
		{"# import tests\n", false},
		{"from a import testsuite\n", false},
		{"x = importlib.import_module(\"a.tests\")\n", true},
		{"important = tests\n", false},
		{"", false},
	};

	for (size_t i = 0; i < CDA_LEN(cases); i++)
		CHECK_INT_AT(cda_slim_imports(cases[i].text, strlen(cases[i].text), "tests"),
			     cases[i].found, "'%s'", cases[i].text);
}
