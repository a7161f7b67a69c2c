#include "check.h"
#include "release/listing.h"
#include "scratch.h"
#include "util/hash.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define M39 "Miniconda3-py39_4.9.2-Linux-x86_64.sh"
#define M310 "Miniconda3-py310_23.5.2-0-Linux-x86_64.sh"

/* "NAME sha256 size mtime" per release, a line each, after sorting */
static char *told(struct cda_releases *list)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	char name[CDA_RELEASE_NAME_MAX];

	cda_listing_sort(list);
	cda_vec_each (release, list) {
		cda_release_name_format(&release->name, name);
		cda_buf_addf(&text, "%s %s %ju %jd\n", name,
			     release->sha256[0] ? release->sha256 : "-", (uintmax_t)release->size,
			     (intmax_t)release->mtime);
	}
	cda_releases_done(list);
	return cda_buf_take(&text);
}

static const struct {
	const char *text, *want; /* want: NULL for an error */
	size_t skipped;
} json[] = {
	{"{}", "", 0},
	{"{\"" M39 "\": {\"size\": 123, \"mtime\": 1600000000.75, \"sha256\": \"" A64
	 "\", \"md5\": \"x\"}, \"index.json\": {\"size\": 5}, "
	 "\"Miniconda3-latest-Linux-x86_64.sh\": {\"sha256\": \"" B64 "\"}}",
	 M39 " " A64 " 123 1600000000\n", 2},
	/* upper case is the same hash; other lengths are none; odd kinds are nothing */
	{"{\"" M310
	 "\": {\"sha256\": \"AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaa\", \"size\": \"7\", \"mtime\": \"now\"}, \"" M39
	 "\": {\"sha256\": \"aaaa\", \"size\": -1, \"mtime\": 1e300}}",
	 M39 " - 0 0\n" M310 " " A64 " 0 0\n", 0},
	{"{\"" M39 "\": 1, \"" M310 "\": null}", "", 2},
	/* one name, two hashes: none is believed; one hash told twice is fine */
	{"{\"" M39 "\": {\"sha256\": \"" A64 "\"}, \"" M39 "\": {\"sha256\": \"" B64 "\"}, \"" M39
	 "\": {\"sha256\": \"" A64 "\"}, \"" M310 "\": {\"sha256\": \"" A64 "\"}, \"" M310
	 "\": {\"sha256\": \"" A64 "\", \"size\": 9}}",
	 M39 " - 0 0\n" M310 " " A64 " 9 0\n", 0},
	/* hostile names */
	{"{\"../" M39 "\": {}, \"/" M39 "\": {}, \" " M39 "\": {}, \"" M39 "\\n\": {}, \"" M39
	 "\\u0000\": {}, \"\": {}, \"&lt;\": {}, \"" M39 ";rm -rf\": {}}",
	 "", 8},
	{"[]", NULL, 0},
	{"", NULL, 0},
	{"<html>", NULL, 0},
	{"{\"" M39 "\": {\"size\": 1}", NULL, 0},
};

TEST(files_json_is_read_and_the_rest_left_out)
{
	for (size_t i = 0; i < CDA_LEN(json); i++) {
		struct cda_releases list = {0};
		struct cda_err err = {0};
		size_t skipped = 0;
		int rc = cda_listing_parse_json(json[i].text, strlen(json[i].text), "list", &list,
						&skipped, &err);
		CDA_AUTOFREE char *got = told(&list);

		CHECK_INT_AT(rc, json[i].want ? 0 : -CDA_E_PARSE, "row %zu", i);
		if (json[i].want)
			CHECK_STR_AT(got, json[i].want, "row %zu", i);
		CHECK_INT_AT(skipped, json[i].skipped, "row %zu", i);
		cda_err_done(&err);
	}
}

static const struct {
	const char *text, *want;
	size_t skipped;
} html[] = {
	{"", "", 0},
	{"no page at all", "", 0},
	{"<html><body><table><tr><th>Filename</th><th>Size</th><th>Last Modified</th>"
	 "<th>SHA256</th></tr>\n<tr>\n<td><a href=\"" M39 "\">" M39 "</a></td>\n"
	 "<td class=\"s\">25.6M</td>\n<td>2020-11-24 10:00:00</td>\n<td>" A64
	 "</td>\n</tr><tr><td><a href=\"x.exe\">x.exe</a></td><td>1</td></tr></table>",
	 M39 " " A64 " 26843545 1606212000\n", 1},
	/* attributes, case, white space, quotes, no ends, cells in another order, md5 is no sha256
	 */
	{"<TABLE border=0 ><TR class='a>b'><TD align=right>" A64 "<TD>\n <A title=x  HREF = '" M310
	 "' >\n " M310 "\n </A>\n<TD> 2023-07-13 <TD>73 MB <tr><td><a href=" M39
	 ">x</a><td>0123456789abcdef0123456789abcdef<td>12345",
	 M39 " - 12345 0\n" M310 " - 76546048 1689206400\n", 0},
	/* without a table, as web servers list */
	{"<pre><a href=\"../\">../</a>\n<a href=\"" M39 "\">" M39
	 "</a>    13-Jul-2023 16:00    4711\n<a href=\"" M310 "\">Mini..&gt;</a> 2023-07-13 16:00 "
	 "73M\n</pre>",
	 M39 " - 4711 0\n" M310 " - 76546048 1689206400\n", 1},
	/* entities and percent signs are decoded before the rule is asked */
	{"<a href=\"Miniconda3&#45;py39_4.9.2&#x2d;Linux%2Dx86_64.sh\">x</a>", M39 " - 0 0\n", 0},
	{"<a href=\"./" M39 "\">x</a>", M39 " - 0 0\n", 0},
	{"<a href=\"/miniconda/" M39 "\">" M39 "</a><a href=\"https://h/x/" M310 "\">" M310 "</a>",
	 M39 " - 0 0\n" M310 " - 0 0\n", 0},
	/* hostile */
	{"<a href=\"../" M39 "\">" M39 "</a>", "", 1},
	{"<a href=\"%2e%2e/" M39 "\">" M39 "</a>", "", 1},
	{"<a href=\"..&#x2f;" M39 "\">" M39 "</a>", "", 1},
	{"<a href=\"x/" M39 "\">" M39 "</a>", "", 1},
	{"<a href=\"https://evil/" M310 "\">" M39 "</a>", "", 1},
	{"<a href=\"Miniconda3 -py39_4.9.2-Linux-x86_64.sh\">x</a>", "", 1},
	{"<a href=\"" M39 "&#0;\">x</a>", "", 1},
	{"<a href=\"" M39 "&amp;x\">x</a>", "", 1},
	{"<!-- <a href=\"" M39 "\">x</a> --><script>'<a href=\"" M39 "\">'</script>", "", 0},
	{"<SCRIPT>x</SCRIPT><a href=\"" M39 "\">x</a><Style>y</STYLE >", M39 " - 0 0\n", 0},
	{"<a href=\"" M39, M39 " - 0 0\n", 0},
	{"<a href", "", 1},
	{"<", "", 0},
	{"<!--", "", 0},
	{"<script>", "", 0},
	{"&#99999999999999;&#x;&;&", "", 0},
	/* two rows of one name */
	{"<tr><td><a href=\"" M39 "\"></a><td>" A64 "<tr><td><a href=\"" M39 "\"></a><td>" B64,
	 M39 " - 0 0\n", 0},
};

TEST(the_page_of_a_mirror_is_read_as_it_comes)
{
	for (size_t i = 0; i < CDA_LEN(html); i++) {
		struct cda_releases list = {0};
		size_t skipped = 0;

		cda_listing_parse_html(html[i].text, strlen(html[i].text), &list, &skipped);
		CDA_AUTOFREE char *got = told(&list);
		CHECK_STR_AT(got, html[i].want, "row %zu", i);
		CHECK_INT_AT(skipped, html[i].skipped, "row %zu", i);
	}
}

/* A page and a list of 100,000 rows, each tenth a release. */
TEST(a_hundred_thousand_rows)
{
	CDA_AUTOBUF struct cda_buf page = CDA_BUF_INIT, files = CDA_BUF_INIT;
	struct cda_releases a = {0}, b = {0};
	struct cda_err err = {0};
	size_t skipped_page = 0, skipped_files = 0;

	cda_buf_addc(&files, '{');
	for (int i = 0; i < 100000; i++) {
		CDA_AUTOFREE char *fn =
			i % 10 ? cda_asprintf("../%d&#x2f;evil <b>.sh", i)
			       : cda_asprintf("Miniconda3-py39_%d.1-Linux-x86_64.sh", i / 10 + 1);

		cda_buf_addf(&page, "<tr><td><a href=\"%s\">%s</a></td><td>1K</td></tr>\n", fn, fn);
		cda_buf_addf(&files, "%s\"%s\": {\"size\": 1024}", i ? "," : "", fn);
	}
	cda_buf_addc(&files, '}');
	cda_listing_parse_html(page.p, page.len, &a, &skipped_page);
	CHECK_INT(cda_listing_parse_json(files.p, files.len, "list", &b, &skipped_files, &err), 0);
	CHECK_INT(a.n, 10000);
	CHECK_INT(b.n, 10000);
	CHECK_INT(skipped_page, 90000);
	CHECK_INT(skipped_files, 90000);
	CDA_AUTOFREE char *told_a = told(&a), *told_b = told(&b);
	CHECK(strcmp(told_a, told_b) == 0);
	cda_err_done(&err);
}

TEST(what_is_written_is_read_again)
{
	static const char text[] = "{\"" M39 "\": {\"mtime\": 1600000000, \"sha256\": \"" A64
				   "\", \"size\": 5}, \"" M310 "\": {}}";
	struct cda_releases list = {0}, again = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};

	REQUIRE(cda_listing_parse_json(text, strlen(text), "list", &list, NULL, &err) == 0);
	cda_listing_sort(&list);
	cda_listing_format(&list, &out);
	REQUIRE(cda_listing_parse_json(out.p, out.len, "list", &again, NULL, &err) == 0);
	CDA_AUTOFREE char *a = told(&list), *b = told(&again);
	CHECK_STR(b, a);
}

TEST(sizes_and_times)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = {
		{"0", 0},          {"12345", 12345},
		{"1K", 1024},      {"1.5 KiB", 1536},
		{"73M", 76546048}, {"2 GB", 2147483648},
		{" 7 B ", 7},      {"", 0},
		{"-", 0},          {"1.2.3", 0},
		{"12 apples", 0},  {"1 Kxxb", 0},
		{"M", 0},          {"99999999999999999999", 0},
		{"1e5", 0},        {"999999T", 0},
	};
	static const struct {
		const char *text;
		int64_t time;
	} times[] = {
		{"1970-01-01", 0},
		{"2013-11-27", 1385510400},
		{"2023-07-13 16:00:05", 1689264005},
		{"2023-07-13T16:00", 1689264000},
		{"2023-07-13 xx:00", 0},
		{"13-Jul-2023 16:00", 0},
		{"2023-7-13", 0},
		{"1969-12-31", 0},
		{"", 0},
	};

	for (size_t i = 0; i < CDA_LEN(sizes); i++)
		CHECK_INT_AT(cda_listing_size(cda_str(sizes[i].text)), sizes[i].size, "'%s'",
			     sizes[i].text);
	for (size_t i = 0; i < CDA_LEN(times); i++)
		CHECK_INT_AT(cda_listing_time(cda_str(times[i].text)), times[i].time, "'%s'",
			     times[i].text);
}

static int read_folder(const struct scratch *s, char **ret_told)
{
	struct cda_releases list = {0};
	struct cda_err err = {0};
	int rc = cda_listing_read_folder(s->dir, &list, NULL, &err);

	/* the time of a file is another each run */
	cda_vec_each (release, &list)
		release->mtime = 0;
	*ret_told = told(&list);
	cda_err_done(&err);
	return rc;
}

TEST(a_folder_is_a_mirror)
{
	AUTOSCRATCH struct scratch s = scratch_new();
	CDA_AUTOFREE char *bare = NULL, *hashed = NULL, *beside = NULL, *broken = NULL;
	CDA_AUTOFREE char *want = NULL;
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	size_t count = 0;

	cda_hash_mem(CDA_SHA256, "one", 3, hex);
	want = cda_asprintf(M39 " %s 3 0\n", hex);
	scratch_write(&s, M39, "one");
	scratch_write(&s, "notes.txt", "");
	scratch_mkdir(&s, M310);
	CHECK_INT(read_folder(&s, &bare), 0);
	CHECK_STR(bare, M39 " - 3 0\n");
	CHECK_INT(cda_listing_write_folder(s.dir, &count, &err), 0);
	CHECK_INT(count, 1);
	CHECK_INT(read_folder(&s, &hashed), 0);
	CHECK_STR(hashed, want);
	/* another kind of hash beside the file */
	CDA_AUTOFREE char *list = scratch_path(&s, ".files.json");
	REQUIRE(unlink(list) == 0);
	CDA_AUTOFREE char *line = cda_asprintf("%s  " M39 "\n", hex);
	scratch_write(&s, M39 ".sha256", line);
	CHECK_INT(read_folder(&s, &beside), 0);
	CHECK_STR(beside, want);
	scratch_write(&s, ".files.json", "{");
	CHECK_INT(read_folder(&s, &broken), -CDA_E_PARSE);
	cda_err_done(&err);
}

TEST(no_folder_is_an_error)
{
	struct cda_releases list = {0};
	struct cda_err err = {0};

	CHECK_INT(cda_listing_read_folder("/no/such/folder", &list, NULL, &err), -CDA_E_SYS);
	cda_err_done(&err);
	CHECK_INT(cda_listing_write_folder("/no/such/folder", NULL, &err), -CDA_E_SYS);
	cda_err_done(&err);
}
