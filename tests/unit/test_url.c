#include "check.h"
#include "util/url.h"
#include "util/alloc.h"

TEST(parts_come_out_and_go_together_again)
{
	static const struct {
		const char *text, *scheme, *auth, *host, *port, *path, *query, *formatted;
	} rows[] = {
		{"https://conda.example/pkgs/main", "https", NULL, "conda.example", NULL,
		 "/pkgs/main", NULL, "https://conda.example/pkgs/main"},
		{"HTTP://Me:p@ss@Host.EXAMPLE:8080/a?b=c?d", "http", "Me:p@ss", "host.example",
		 "8080", "/a", "b=c?d", "http://Me:p@ss@host.example:8080/a?b=c?d"},
		{"file:///a/b%20c", "file", NULL, NULL, NULL, "/a/b%20c", NULL, "file:///a/b%20c"},
		{"file://localhost/a", "file", NULL, NULL, NULL, "/a", NULL, "file:///a"},
		{"http://[::1]:80/x", "http", NULL, "[::1]", "80", "/x", NULL, "http://[::1]:80/x"},
		{"http://[::1]", "http", NULL, "[::1]", NULL, "", NULL, "http://[::1]"},
		{"https://h", "https", NULL, "h", NULL, "", NULL, "https://h"},
		{"https://h?q", "https", NULL, "h", NULL, "", "q", "https://h?q"},
		{"s3://bucket/x", "s3", NULL, "bucket", NULL, "/x", NULL, "s3://bucket/x"},
		{"http://h:/x", "http", NULL, "h", NULL, "/x", NULL, "http://h/x"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOURL struct cda_url url = {0};
		CDA_AUTOFREE char *formatted = NULL;

		CHECK_AT(cda_url_parse(rows[i].text, &url), "%s", rows[i].text);
		CHECK_STR_AT(url.scheme, rows[i].scheme, "%s", rows[i].text);
		CHECK_STR_AT(url.auth, rows[i].auth, "%s", rows[i].text);
		CHECK_STR_AT(url.host, rows[i].host, "%s", rows[i].text);
		CHECK_STR_AT(url.port, rows[i].port, "%s", rows[i].text);
		CHECK_STR_AT(url.path, rows[i].path, "%s", rows[i].text);
		CHECK_STR_AT(url.query, rows[i].query, "%s", rows[i].text);
		formatted = cda_url_format(&url, true);
		CHECK_STR(formatted, rows[i].formatted);
	}
}

TEST(other_text_is_no_url)
{
	static const char *const rows[] = {
		"",     "conda-forge", "/a/b",    "./x",           "a:b",
		"://x", "1a://x",      "http:/x", "http://h:80x/", "http://h:123456/"};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_url url = {.scheme = (char *)1};

		CHECK_AT(!cda_url_parse(rows[i], &url), "%s", rows[i]);
		CHECK(url.scheme == NULL);
	}
	CHECK(!cda_url_parse(NULL, &(struct cda_url){0}));
}

TEST(credentials_stay_out_of_text)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"https://h/x", "https://h/x"},
		{"https://me:secret@h/x", "https://h/x"},
		{"https://me:sec@ret@h/x", "https://h/x"},
		{"https://me@h", "https://h"},
		{"https://h/t/tk-123-abc/main/noarch", "https://h/t/<TOKEN>/main/noarch"},
		{"https://a:b@h/t/tk-123", "https://h/t/<TOKEN>"},
		{"https://h/t/tk_1.2~x/y", "https://h/t/<TOKEN>/y"},
		{"https://h/t/one/t/two/x", "https://h/t/<TOKEN>/t/<TOKEN>/x"},
		{"h/t/tk-1/x", "h/t/<TOKEN>/x"},
		{"https://h/a@b/c", "https://h/a@b/c"},
		{"/home/t/x/y", "/home/t/x/y"},
		{"file:///home/t/x/y", "file:///home/t/x/y"},
		{"https://h/art/x", "https://h/art/x"},
		{"defaults", "defaults"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *out = cda_url_safe(rows[i].in);

		CHECK_STR(out, rows[i].out);
	}
}

TEST(a_token_is_cut_out)
{
	static const struct {
		const char *in, *out, *token;
	} rows[] = {
		{"https://h/t/tk-1-a/main/noarch", "https://h/main/noarch", "tk-1-a"},
		{"https://h/t/tk-1-a", "https://h", "tk-1-a"},
		{"https://h/main", "https://h/main", NULL},
		{"https://t/x/main", "https://t/x/main", NULL}, /* found by fuzz_url */
		{"file:///srv/t/x/main", "file:///srv/t/x/main", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		char *token = NULL, *out = cda_url_split_token(rows[i].in, &token);

		CHECK_STR(out, rows[i].out);
		CHECK_STR_AT(token, rows[i].token, "%s", rows[i].in);
		free(token);
		free(out);
		free(cda_url_split_token(rows[i].in, NULL));
	}
}

TEST(paths_survive_the_way_through_a_url)
{
	static const struct {
		const char *path, *url;
	} rows[] = {
		{"/a/b", "file:///a/b"},         {"/a b/c", "file:///a%20b/c"},
		{"/a%20b", "file:///a%2520b"},   {"/a?b#c", "file:///a%3Fb%23c"},
		{"/\xc3\xa9", "file:///%C3%A9"}, {"/", "file:///"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *url = cda_url_from_path(rows[i].path);
		CDA_AUTOFREE char *path = cda_url_to_path(rows[i].url);

		CHECK_STR(url, rows[i].url);
		CHECK_STR(path, rows[i].path);
	}
	CHECK(cda_url_to_path("http://h/x") == NULL);
	CHECK(cda_url_to_path("file://other/x") == NULL);
	CHECK(cda_url_to_path("/x") == NULL);
}

TEST(percent_coding)
{
	static const struct {
		const char *in, *out;
	} rows[] = {{"%41%62", "Ab"}, {"100%", "100%"}, {"%zz%4", "%zz%4"}, {"%00x", "%00x"}};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *out = cda_url_decode(rows[i].in);

		CHECK_STR(out, rows[i].out);
	}
	CDA_AUTOFREE char *coded = cda_url_encode("a b/c~@", "/");
	CHECK_STR(coded, "a%20b/c~%40");
}
