#include "check.h"
#include "scratch.h"

#include "image/inventory.h"
#include "image/inventory_parse.h"
#include "util/fs.h"
#include "util/str.h"

/* A file of a root; "-> X" makes a link to X. */
struct file {
	const char *path, *text;
};

static void make_root(struct scratch *scratch, const struct file *files)
{
	for (; files->path; files++) {
		CDA_AUTOFREE char *path = cda_path_join(scratch->dir, files->path);
		struct cda_err err = {0};

		if (cda_fs_mkparents(AT_FDCWD, path, 0755, &err))
			scratch_die("make the folder of", path, &err);
		if (cda_starts_with(files->text, "-> ")) {
			if (symlink(files->text + 3, path) != 0)
				scratch_die("link", path, NULL);
		} else if (cda_fs_replace(AT_FDCWD, path, files->text, strlen(files->text), 0644,
					  false, &err)) {
			scratch_die("write", path, &err);
		}
	}
}

struct world {
	struct scratch scratch;
	struct cda_tree *tree;
	struct cda_inventory inv;
};

static struct world world_of(const struct file *files)
{
	struct world w = {scratch_new(), cda_tree_new(NULL), {0}};
	struct cda_err err = {0};

	make_root(&w.scratch, files);
	if (cda_tree_add_folder(w.tree, w.scratch.dir, &err))
		scratch_die("read", w.scratch.dir, &err);
	cda_tree_sort(w.tree);
	if (cda_inventory_read(w.tree, &w.inv, &err))
		scratch_die("take stock of", w.scratch.dir, &err);
	return w;
}

static void world_done(struct world *w)
{
	cda_inventory_done(&w->inv);
	cda_tree_free(w->tree);
	scratch_done(&w->scratch);
}

/* "dpkg:bash" of the owner of path, "-" for nobody's, "absent". */
static char *owner_of(const struct world *w, const char *path)
{
	for (size_t i = 0; i < w->tree->n; i++) {
		const struct cda_inv_package *p;

		if (!cda_streq(w->tree->v[i]->path, path))
			continue;
		if (w->inv.owner[i] < 0)
			return cda_strdup("-");
		p = &w->inv.packages.v[w->inv.owner[i]];
		return cda_asprintf("%s:%s", cda_inv_kind_name(p->kind), p->name);
	}
	return cda_strdup("absent");
}

struct want {
	const char *path, *owner;
};

static void check_owners(const struct world *w, const struct want *wants)
{
	for (; wants->path; wants++) {
		CDA_AUTOFREE char *got = owner_of(w, wants->path);

		CHECK_STR_AT(got, wants->owner, "'%s'", wants->path);
	}
}

static void check_packages(const struct world *w, const char *const *wants)
{
	size_t n = 0;

	for (; wants[n]; n++) {
		const struct cda_inv_package *p = &w->inv.packages.v[n];

		if (n == w->inv.packages.n)
			break;
		CDA_AUTOFREE char *got = cda_asprintf(
			"%s|%s|%s|%s|%llu|%llu", p->purl, p->license ? p->license : "-",
			p->summary ? p->summary : "-", p->place, (unsigned long long)p->size,
			(unsigned long long)p->files);

		CHECK_STR_AT(got, wants[n], "package %zu", n);
	}
	CHECK_INT(w->inv.packages.n, n);
}

static const struct file debian[] = {
	{"etc/os-release", "-> ../usr/lib/os-release"},
	{"usr/lib/os-release", "NAME=x\nID=debian\nVERSION_ID=\"13\"\n"},
	{"lib", "-> usr/lib"},
	{"bin", "-> usr/bin"},
	{"usr/lib/libz.so.1", "zzzz"},
	{"usr/bin/bash", "bashbash"},
	{"usr/bin/loose", "x"},
	{"etc/loop", "-> loop2"},
	{"etc/loop2", "-> loop"},
	{"usr/share/doc/bash/copyright",
	 "Format: x\n\nFiles: *\nLicense: GPL-3+\n text\n\nFiles: a\nLicense: BSD-3-clause\n"},
	{"usr/share/doc/zlib1g/copyright", "free text\nLicense: none\n"},
	{"var/lib/dpkg/status",
	 "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1)\n"
	 "Version: 1:1.3+b1\nDescription: compression\n more\n\n"
	 "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n"
	 "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
	 "Package: half\nStatus: install ok installed\n"},
	{"var/lib/dpkg/info/bash.list",
	 "/.\n/bin\n/bin/bash\n/etc/loop/x\n/usr/share/doc/bash/copyright\n/nowhere\n"},
	{"var/lib/dpkg/info/bash.postinst", "#!"},
	{"var/lib/dpkg/info/zlib1g:amd64.list", "/lib/libz.so.1\n/usr/bin/bash\n"},
	{NULL, NULL},
};

TEST(debian_packages_own_what_their_lists_name_through_the_links_of_a_merged_usr)
{
	struct world w = world_of(debian);

	check_packages(&w,
		       (const char *const[]){
			       "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-13|BSD-3-clause "
			       "and GPL-3+|-||153|4",
			       "pkg:deb/debian/zlib1g@1:1.3%2Bb1?arch=amd64&distro=debian-13|-|"
			       "compression||33|2",
			       NULL});
	check_owners(&w, (const struct want[]){{"usr/bin/bash", "dpkg:bash"},
					       {"usr/lib/libz.so.1", "dpkg:zlib1g"},
					       {"usr/bin/loose", "-"},
					       {"bin", "-"},
					       {"var/lib/dpkg/info/bash.postinst", "dpkg:bash"},
					       {"usr/share/doc/bash", "dpkg:bash"},
					       {"usr/share/doc", "-"},
					       {"usr/bin", "-"},
					       {NULL, NULL}});
	world_done(&w);
}

static const struct file distroless[] = {
	{"var/lib/dpkg/status.d/tz", "Package: tzdata\nVersion: 2026\nArchitecture: all\n"},
	{"var/lib/dpkg/status.d/tzdata.md5sums",
	 "00112233445566778899aabbccddeeff  usr/share/zoneinfo/UTC\nshort\n"},
	{"usr/share/zoneinfo/UTC", "utc"},
	{NULL, NULL},
};

TEST(a_root_without_dpkg_has_its_packages_in_status_d)
{
	struct world w = world_of(distroless);

	check_packages(
		&w, (const char *const[]){"pkg:deb/debian/tzdata@2026?arch=all|-|-||66|2", NULL});
	check_owners(
		&w, (const struct want[]){{"usr/share/zoneinfo/UTC", "dpkg:tzdata"}, {NULL, NULL}});
	world_done(&w);
}

static const struct file alpine[] = {
	{"etc/os-release", "ID=alpine\nVERSION_ID=3.22.1\n"},
	{"lib/apk/db/installed",
	 "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nT:libc\nL:MIT\no:musl\nF:lib\n"
	 "M:0:0:755\nR:ld-musl-x86_64.so.1\na:0:0:755\n\n"
	 "P:busybox\nV:1.37-r1\nA:x86_64\nL:GPL-2.0-only\nF:\nR:top\nF:bin\n"
	 "R:busybox\nR:../lib/none\n\nP:meta\nV:1\n\nP:nothing\n"},
	{"lib/ld-musl-x86_64.so.1", "musl"},
	{"bin/busybox", "bb"},
	{"top", "t"},
	{NULL, NULL},
};

TEST(alpine_packages_come_from_the_database_of_apk)
{
	struct world w = world_of(alpine);

	check_packages(&w, (const char *const[]){
				   "pkg:apk/alpine/busybox@1.37-r1?arch=x86_64&distro=alpine-3.22.1"
				   "|GPL-2.0-only|-||3|2",
				   "pkg:apk/alpine/meta@1?distro=alpine-3.22.1|-|-||0|0",
				   "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.22.1"
				   "|MIT|libc||4|1",
				   NULL});
	check_owners(&w, (const struct want[]){{"bin/busybox", "apk:busybox"},
					       {"bin", "apk:busybox"},
					       {"top", "apk:busybox"},
					       {"lib/apk/db/installed", "-"},
					       {NULL, NULL}});
	world_done(&w);
}

#define LIB "opt/conda/lib/python3.13/site-packages"
#define SITE LIB "/"
static const struct file python[] = {
	{"opt/conda/conda-meta/pip-25.1-py_0.json",
	 "{\"name\": \"pip\", \"version\": \"25.1\", \"build\": \"py_0\", \"subdir\": \"noarch\","
	 " \"license\": \"MIT\", \"channel\": \"conda-forge\", \"files\": [\"bin/pip\","
	 " \"lib/python3.13/site-packages/pip/__init__.py\","
	 " \"lib/python3.13/site-packages/pip-25.1.dist-info/METADATA\", 7, \"../../etc/x\"]}"},
	{"opt/conda/conda-meta/bad.json", "[1"},
	{"opt/conda/conda-meta/history", "h"},
	{"opt/conda/bin/pip", "#!"},
	{"etc/x", "x"},
	{SITE "pip/__init__.py", "1"},
	{SITE "pip/__pycache__/__init__.cpython-313.pyc", "23"},
	{SITE "pip/__pycache__/stray.cpython-313.pyc", "4"},
	{SITE "pip-25.1.dist-info/METADATA", "Name: pip\nVersion: 25.1\n"},
	{SITE "Flask_X-3.dist-info/METADATA",
	 "Metadata-Version: 2.4\nName: Flask_X\nVersion: 3.0\nSummary: a <b>\nLicense: UNKNOWN\n"
	 "Classifier: License :: OSI Approved :: BSD License\n\nName: other\n"},
	{SITE "Flask_X-3.dist-info/RECORD",
	 "flask_x/__init__.py,sha256=x,1\n\"flask_x/a,\"\"b\"\".txt\",,\n../../../bin/flask,,\n"
	 "pip/__init__.py,,\n"},
	{SITE "flask_x/__init__.py", "f"},
	{SITE "flask_x/a,\"b\".txt", "ab"},
	{SITE "flask_x/__pycache__/__init__.cpython-313.pyc", "pyc"},
	{"opt/conda/bin/flask", "fl"},
	{SITE "old.egg-info/PKG-INFO",
	 "Name: old\nVersion: 1\nLicense-Expression: MIT\nLicense: x\n"},
	{SITE "old.egg-info/top_level.txt", "oldmod\nsingle\n"},
	{SITE "oldmod/x.py", "x"},
	{SITE "single.py", "y"},
	{SITE "lone-2.egg-info", "Name: lone\nVersion: 2\n"},
	{SITE "broken.dist-info/METADATA", "Name: broken\n"},
	{NULL, NULL},
};

TEST(conda_and_pip_packages_are_found_in_any_prefix_and_conda_comes_first)
{
	struct world w = world_of(python);

	check_packages(
		&w, (const char *const[]){
			    "pkg:conda/pip@25.1?build=py_0&channel=conda-forge&subdir=noarch|MIT|-|"
			    "opt/conda|292|5",
			    "pkg:pypi/flask-x@3.0|BSD License|a <b>|" LIB "|247|6",
			    "pkg:pypi/lone@2|-|-|" LIB "|22|1", "pkg:pypi/old@1|MIT|-|" LIB "|72|4",
			    NULL});
	check_owners(&w,
		     (const struct want[]){
			     {"opt/conda/bin/pip", "conda:pip"},
			     {"etc/x", "-"},
			     {SITE "pip/__init__.py", "conda:pip"},
			     {SITE "pip/__pycache__/__init__.cpython-313.pyc", "conda:pip"},
			     {SITE "pip/__pycache__/stray.cpython-313.pyc", "-"},
			     {SITE "pip-25.1.dist-info/METADATA", "conda:pip"},
			     {SITE "flask_x/a,\"b\".txt", "pip:Flask_X"},
			     {SITE "flask_x", "pip:Flask_X"},
			     {SITE "flask_x/__pycache__/__init__.cpython-313.pyc", "pip:Flask_X"},
			     {"opt/conda/bin/flask", "pip:Flask_X"},
			     {SITE "oldmod/x.py", "pip:old"},
			     {SITE "single.py", "pip:old"},
			     {SITE "lone-2.egg-info", "pip:lone"},
			     {NULL, NULL}});
	CHECK_INT(w.inv.notes.n, 2);
	CHECK_STR(w.inv.notes.v[0], "'opt/conda/conda-meta/bad.json' is no record of a package");
	CHECK_STR(w.inv.notes.v[1], "'" SITE "broken.dist-info/METADATA' has no name and version");
	world_done(&w);
}

TEST(a_purl_names_the_distribution_that_made_the_package)
{
	static const struct {
		enum cda_inv_kind kind;
		const char *name, *version, *os, *os_ver, *purl;
	} rows[] = {
		{CDA_INV_DPKG, "a+", "1:2~x", NULL, NULL, "pkg:deb/debian/a%2B@1:2~x"},
		{CDA_INV_DPKG, "a", "1", "ubuntu", "24.04",
		 "pkg:deb/ubuntu/a@1?distro=ubuntu-24.04"},
		{CDA_INV_DPKG, "libc6", "2", "alpine", "3.20", "pkg:deb/debian/libc6@2"},
		{CDA_INV_APK, "a", "1-r0", "alpine", "3.20",
		 "pkg:apk/alpine/a@1-r0?distro=alpine-3.20"},
		{CDA_INV_APK, "a", "1-r0", NULL, NULL, "pkg:apk/alpine/a@1-r0"},
		{CDA_INV_PIP, "A_b.C", "1/2", "debian", "13", "pkg:pypi/a-b.c@1%2F2"},
		{CDA_INV_CONDA, "_X", "1!2", "debian", "13", "pkg:conda/_X@1%212"},
	};
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_inv_package p = {.kind = rows[i].kind,
					    .name = rows[i].name,
					    .version = rows[i].version,
					    .place = ""};

		CHECK_STR_AT(cda_inv_purl(&p, rows[i].os, rows[i].os_ver, arena), rows[i].purl,
			     "row %zu", i);
	}
}

TEST(control_bytes_and_endless_texts_do_not_come_through)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_inv_packages list = {0};
	char text[2048] = "Package: a\x1b[31mb\nVersion: 1\t2\x7f\nArchitecture: ";

	memset(text + strlen(text), 'x', 1000);
	cda_inv_parse_dpkg(cda_str(text), arena, &list);
	REQUIRE(list.n == 1);
	CHECK_STR(list.v[0].name, "a[31mb");
	CHECK_STR(list.v[0].version, "12");
	CHECK_INT(strlen(list.v[0].arch), 255);
	cda_inv_packages_done(&list);
}

TEST(a_file_with_several_names_belongs_to_one_package_and_counts_once)
{
	struct scratch scratch = scratch_new();
	struct world w = {scratch, cda_tree_new(NULL), {0}};
	struct cda_err err = {0};

	make_root(&scratch,
		  (const struct file[]){{"opt/pkgs/x/f", "12345"},
					{"opt/conda-meta/x-1-0.json",
					 "{\"name\":\"x\",\"version\":\"1\",\"files\":[\"z/f\"]}"},
					{"opt/z/g", "g"},
					{NULL, NULL}});
	CDA_AUTOFREE char *from = cda_path_join(scratch.dir, "opt/pkgs/x/f");
	CDA_AUTOFREE char *to = cda_path_join(scratch.dir, "opt/z/f");

	REQUIRE(link(from, to) == 0);
	REQUIRE(cda_tree_add_folder(w.tree, scratch.dir, &err) == 0);
	cda_tree_sort(w.tree);
	REQUIRE(cda_inventory_read(w.tree, &w.inv, &err) == 0);
	check_owners(&w, (const struct want[]){{"opt/pkgs/x/f", "conda:x"},
					       {"opt/z/f", "conda:x"},
					       {"opt/z/g", "-"},
					       {NULL, NULL}});
	REQUIRE(w.inv.packages.n == 1);
	CHECK_INT(w.inv.packages.v[0].size, 5 + 42);
	world_done(&w);
}
