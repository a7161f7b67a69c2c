#include "check.h"
#include "images.h"

#include "image/size.h"
#include "image/size_print.h"
#include "image/treemap.h"
#include "util/json.h"
#include "util/str.h"

TEST(text_that_could_fool_a_reader_is_shown_as_bytes)
{
	static const char *const rows[][2] = {
		{"plain name", "plain name"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\x1b[31mb\n", "a\\x1b[31mb\\x0a"},
		{"\x7f", "\\x7f"},
		{"\xc2\x85x", "\\xc2\\x85x"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xe2\x80\xaegnp.exe", "\\xe2\\x80\\xaegnp.exe"},
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
		{"\xe2\x81\xa7", "\\xe2\\x81\\xa7"},
		{"", ""},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_size_text(rows[i][0], &out);
		CHECK_STR_AT(out.p, rows[i][1], "row %zu", i);
	}
}

TEST(sizes_are_of_1000_bytes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {{0, "0 B"},
		    {999, "999 B"},
		    {1000, "1.0 kB"},
		    {999949, "999.9 kB"},
		    {999950, "1.0 MB"},
		    {26000000, "26.0 MB"},
		    {UINT64_MAX, "18.4 EB"}};
	static const struct {
		uint64_t before, after;
		const char *text;
	} changes[] = {{5, 5, "0 B"}, {5000, 2000, "-3.0 kB"}, {0, 1500000, "+1.5 MB"}};
	char out[CDA_SIZE_HUMAN_MAX];

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_STR_AT(cda_size_human(rows[i].bytes, out), rows[i].text, "row %zu", i);
	for (size_t i = 0; i < CDA_LEN(changes); i++)
		CHECK_STR_AT(cda_size_change(changes[i].before, changes[i].after, out),
			     changes[i].text, "change %zu", i);
}

/* --- reports --- */

static void measure(const struct scratch *scratch, const struct row *rows, struct cda_size *ret)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = scratch_path(scratch, "root.tar");
	struct cda_err err = {0};

	rows_tar(rows, NULL, &out);
	if (cda_fs_replace(AT_FDCWD, path, out.p, out.len, 0644, false, &err) ||
	    cda_size_read(path, NULL, ret, &err))
		scratch_die("measure", path, &err);
	cda_replace(&ret->path, cda_strdup("root.tar"));
}

#define STATUS "var/lib/dpkg/status"
static const struct row plain[] = {
	{STATUS, "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
		 "Package: b\nStatus: install ok installed\nVersion: 2\n"},
	{"var/lib/dpkg/info/a.list", "/usr/lib/a/x\n/usr/lib/a/y\n"},
	{"var/lib/dpkg/info/b.list", "/usr/bin/b\n"},
	{"usr/lib/a/x", "1234567890"},
	{"usr/lib/a/y", "1234567890"},
	{"usr/lib/a/z", "=> usr/lib/a/y"},
	{"usr/bin/b", "bbbbb"},
	{"usr/bin/sh", "-> b"},
	{"srv/loose", "loose"},
	{NULL, NULL},
};
static const struct row later[] = {
	{STATUS, "Package: a\nStatus: install ok installed\nVersion: 1.1\n\n"
		 "Package: c\nStatus: install ok installed\nVersion: 3\n"},
	{"var/lib/dpkg/info/a.list", "/usr/lib/a/x\n/usr/lib/a/y\n"},
	{"usr/lib/a/x", "12"},
	{"srv/loose", "loose"},
	{"srv/more", "more"},
	{NULL, NULL},
};

TEST(sums_count_a_file_with_two_names_once)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size size = {0};

	measure(&scratch, plain, &size);
	CHECK_INT(size.kinds[CDA_INV_DPKG].packages, 2);
	CHECK_INT(size.kinds[CDA_INV_DPKG].size, 10 + 10 + 5 + 26 + 11);
	CHECK_INT(size.all.files, 7);
	CHECK_INT(size.links, 2);
	CHECK_INT(size.all.size, size.kinds[CDA_INV_DPKG].size + size.kinds[CDA_SIZE_NOBODY].size);
	REQUIRE(size.packages.n == 2);
	CHECK_STR(size.inv.packages.v[size.packages.v[0].index].name, "a");
	REQUIRE(size.duplicates.n == 1);
	CHECK_INT(size.duplicates.v[0].count, 2);
	CHECK_INT(size.wasted, 10);
	CHECK_STR(size.image.tree->v[size.duplicates.v[0].entries[0]]->path, "usr/lib/a/x");
	cda_size_done(&size);
}

TEST(packages_of_two_images_are_compared_by_name)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size before = {0}, after = {0};
	struct cda_size_pairs pairs = {0};

	measure(&scratch, plain, &before);
	measure(&scratch, later, &after);
	cda_size_compare(&before, &after, &pairs);
	REQUIRE(pairs.n == 3);
	CHECK_STR(pairs.v[0].before->version, "1");
	CHECK_STR(pairs.v[0].after->version, "1.1");
	CHECK_INT(pairs.v[0].size[0], 46);
	CHECK_INT(pairs.v[0].size[1], 28);
	CHECK(pairs.v[1].before && !pairs.v[1].after);
	CHECK(!pairs.v[2].before && cda_streq(pairs.v[2].after->name, "c"));
	cda_size_pairs_done(&pairs);
	cda_size_compare(&before, &before, &pairs);
	CHECK_INT(pairs.n, 0);
	cda_size_pairs_done(&pairs);
	cda_size_done(&before);
	cda_size_done(&after);
}

/* "name:before>after(...)" of a node and what is below. */
static void draw(const struct cda_treemap_node *node, struct cda_buf *out)
{
	cda_buf_addf(out, "%s:%d>%d", node->name, (int)node->size[0], (int)node->size[1]);
	if (!node->child)
		return;
	cda_buf_addc(out, '(');
	for (const struct cda_treemap_node *c = node->child; c; c = c->next) {
		cda_buf_adds(out, c == node->child ? "" : " ");
		draw(c, out);
	}
	cda_buf_addc(out, ')');
}

TEST(a_treemap_has_both_images_by_package_and_by_folder)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size before = {0}, after = {0};
	struct cda_treemap map;
	CDA_AUTOBUF struct cda_buf folders = CDA_BUF_INIT, packages = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf few = CDA_BUF_INIT;

	measure(&scratch, plain, &before);
	measure(&scratch, later, &after);
	cda_treemap_init(&map, &before, &after, 0);
	draw(map.folders, &folders);
	draw(map.packages, &packages);
	cda_treemap_done(&map);
	CHECK_STR(folders.p,
		  "/:170>142(var/lib/dpkg:140>131(status:103>105 info:37>26(a.list:26>26 "
		  "b.list:11>0)) usr:25>2(lib/a:20>2(x:10>2 y:10>0) bin:5>0(b:5>0)) "
		  "srv:5>9(loose:5>5 more:0>4))");
	CHECK_STR(
		packages.p,
		"all packages:170>142(no package:108>114(var/lib/dpkg:103>105(status:103>105) "
		"srv:5>9(loose:5>5 more:0>4)) Debian packages:62>28(a:46>28(var/lib/dpkg/info:26>26"
		"(a.list:26>26) usr/lib/a:20>2(x:10>2 y:10>0)) b:16>0(var/lib/dpkg/info:11>0"
		"(b.list:11>0) usr/bin:5>0(b:5>0))))");
	/* what is small is one node */
	cda_treemap_init(&map, &before, NULL, 12);
	draw(map.folders, &few);
	CHECK_STR(few.p, "/:170>0(var/lib/dpkg:140>0(status:103>0 info:37>0(a.list:26>0 "
			 "b.list:11>0)) usr:25>0(lib/a:20>0(2 smaller:20>0) bin:5>0(b:5>0)) "
			 "srv:5>0(loose:5>0))");
	cda_treemap_done(&map);
	cda_size_done(&before);
	cda_size_done(&after);
}

/* --- hostile names --- */

static const struct row hostile[] = {
	{STATUS, "Package: <script>alert(1)</script>\nStatus: install ok installed\n"
		 "Version: \"'&<!--\nDescription: </script><img src=x onerror=alert(1)>\n"},
	{"var/lib/dpkg/info/<script>alert(1)<.list", "x"},
	{"</script><script>alert(2)</script>", "12345"},
	{"\"onmouseover=\"alert(3)", "12345"},
	{"' & &lt;", "1234"},
	{"esc\x1b[2Jape", "123"},
	{"new\nline", "12"},
	{"\xff\xfe\x80", "1"},
	{"\xe2\x80\xaeright", "1"},
	{NULL, NULL},
};

static unsigned occurrences(const char *text, const char *of)
{
	unsigned n = 0;

	for (; (text = strstr(text, of)); text++)
		n++;
	return n;
}

TEST(no_name_becomes_markup_or_reaches_the_terminal)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size size = {0};
	struct cda_size_print how = {100, 0};
	CDA_AUTOBUF struct cda_buf page = CDA_BUF_INIT, both = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf table = CDA_BUF_INIT, json = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};

	measure(&scratch, hostile, &size);
	cda_replace(&size.path, cda_strdup("</title><script>alert(4)</script>"));
	cda_size_html(&size, NULL, &page);
	cda_size_html(&size, &size, &both);
	CHECK_INT(occurrences(page.p, "<script"), 2);
	CHECK_INT(occurrences(page.p, "</script"), 2);
	CHECK_INT(occurrences(page.p, "</title"), 1);
	CHECK_INT(occurrences(page.p, "<img"), 0);
	CHECK_INT(occurrences(page.p, "<!--"), 0);
	CHECK_INT(occurrences(page.p, "\"onmouseover"), 0);
	CHECK(occurrences(page.p, "alert(2)") > 0);
	CHECK_INT(occurrences(both.p, "<script"), 2);
	CHECK(cda_str_is_utf8(page.p));
	CHECK_INT(strlen(page.p), page.len);
	for (size_t i = 0; i < page.len; i++)
		if (!CHECK((unsigned char)page.p[i] >= ' ' || strchr("\n\t", page.p[i])))
			break;
	cda_size_table(&size, NULL, &how, &table);
	for (size_t i = 0; i < table.len; i++)
		if (!CHECK((unsigned char)table.p[i] >= ' ' || table.p[i] == '\n'))
			break;
	CHECK(strstr(table.p, "esc\\x1b[2Jape"));
	cda_size_json(&size, NULL, &how, &json);
	CHECK_INT(cda_json_parse(json.p, json.len, "report", &doc, &err), 0);
	CHECK(strstr(json.p, "\"\\\\xff\\\\xfe\\\\x80\""));
	cda_size_done(&size);
}

TEST(a_page_asks_for_nothing_from_outside)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size size = {0};
	CDA_AUTOBUF struct cda_buf page = CDA_BUF_INIT;
	static const char *const never[] = {" src=",  "@import", "url(",      "http:", "https:",
					    "fetch(", "XMLHttp", "innerHTML", "eval("};

	measure(&scratch, plain, &size);
	cda_size_html(&size, NULL, &page);
	for (size_t i = 0; i < CDA_LEN(never); i++)
		CHECK_INT_AT(occurrences(page.p, never[i]), 0, "'%s'", never[i]);
	CHECK(strstr(page.p, "default-src 'none'"));
	CHECK_INT(occurrences(page.p, "'sha256-"), 2);
	CHECK_INT(occurrences(page.p, "unsafe"), 0);
	cda_size_done(&size);
}

TEST(the_same_image_gives_the_same_report)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	struct cda_size_print how = {10, 80};
	CDA_AUTOBUF struct cda_buf first = CDA_BUF_INIT;

	for (unsigned i = 0; i < 2; i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_size size = {0}, after = {0};

		measure(&scratch, plain, &size);
		measure(&scratch, later, &after);
		cda_size_table(&size, &after, &how, &out);
		cda_size_json(&size, &after, &how, &out);
		cda_size_html(&size, &after, &out);
		if (i == 0)
			cda_buf_add(&first, out.p, out.len);
		else
			CHECK_STR(out.p, first.p);
		cda_size_done(&size);
		cda_size_done(&after);
	}
}

TEST(lines_fit_the_terminal_and_show_both_ends_of_a_path)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	static const struct row rows[] = {
		{"a/very/long/path/that/does/not/fit/into/any/narrow/terminal/at/all/"
		 "\xc3\xa9nd.txt",
		 "x"},
		{NULL, NULL},
	};
	struct cda_size size = {0};

	measure(&scratch, rows, &size);
	for (unsigned width = 40; width < 90; width += 7) {
		struct cda_size_print how = {10, width};
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		const char *files;

		cda_size_table(&size, NULL, &how, &out);
		files = strstr(out.p, "Largest files");
		REQUIRE(files);
		CHECK_AT(strstr(files, "\xc3\xa9nd.txt\n"), "width %u", width);
		CHECK_AT(strstr(files, "a/"), "width %u", width);
		for (const char *line = files; *line; line += strcspn(line, "\n") + 1) {
			size_t columns = 0;

			for (const char *c = line; *c && *c != '\n'; c++)
				columns += ((unsigned char)*c & 0xc0) != 0x80;
			CHECK_AT(columns <= (width < 52 ? 52 : width), "width %u: %zu", width,
				 columns);
		}
	}
	cda_size_done(&size);
}
