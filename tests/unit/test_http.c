#include "check.h"
#include "net/http.h"
#include "server.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"
#include "util/url.h"
#include "util/vec.h"

enum { big_size = 300000 };

/* Two servers over one folder with the files big, small and empty, and a folder out to write to. */
static struct world {
	char *dir, *srv, *out;
	int fd; /* of out */
	char *big, sha[CDA_HASH_HEX_MAX], md5[CDA_HASH_HEX_MAX];
	struct server http, https;
} w;

static void put(const char *name, const void *p, size_t len)
{
	CDA_AUTOFREE char *path = cda_path_join(w.srv, name);

	if (cda_fs_mkparents(AT_FDCWD, path, 0755, NULL) < 0 ||
	    cda_fs_replace(AT_FDCWD, path, p, len, 0644, false, NULL) < 0)
		abort();
}

static void world_end(void)
{
	server_stop(&w.http);
	server_stop(&w.https);
	close(w.fd);
	if (cda_fs_remove(AT_FDCWD, w.dir, NULL) < 0)
		abort();
	free(w.dir);
	free(w.srv);
	free(w.out);
	free(w.big);
}

static void world(void)
{
	static const char *const foreign[] = {
		"http_proxy",         "https_proxy",    "all_proxy",     "no_proxy",
		"HTTP_PROXY",         "HTTPS_PROXY",    "ALL_PROXY",     "NO_PROXY",
		"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"};
	uint32_t state = 7;

	if (w.dir) {
		server_clear(&w.http);
		server_clear(&w.https);
		if (cda_fs_remove(AT_FDCWD, w.out, NULL) < 0 || mkdir(w.out, 0755) != 0)
			abort();
		close(w.fd);
		w.fd = open(w.out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	for (size_t i = 0; i < CDA_LEN(foreign); i++)
		unsetenv(foreign[i]);
	if (cda_fs_tempdir(NULL, "test-http", &w.dir, NULL) < 0)
		abort();
	setenv("HOME", w.dir, 1);
	w.srv = cda_path_join(w.dir, "srv");
	w.out = cda_path_join(w.dir, "out");
	mkdir(w.srv, 0755);
	mkdir(w.out, 0755);
	w.fd = open(w.out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w.big = cda_alloc(big_size);
	for (size_t i = 0; i < big_size; i++)
		w.big[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
	cda_hash_mem(CDA_SHA256, w.big, big_size, w.sha);
	cda_hash_mem(CDA_MD5, w.big, big_size, w.md5);
	put("big", w.big, big_size);
	put("small", "hello\n", 6);
	put("empty", "", 0);
	put("t/tk-secret/small", "hello\n", 6);
	server_start(&w.http, w.srv, false);
	server_start(&w.https, w.srv, true);
	atexit(world_end);
}

static const struct cda_net_config quick = {.backoff_ms = 1, .retries = 3, .connect_timeout = 120};

static struct cda_net *net_with(const struct cda_net_config *config)
{
	struct cda_net *net = NULL;
	struct cda_err err = {0};

	if (cda_net_new(config, &net, &err) < 0) {
		printf("# %s\n", err.msg);
		abort();
	}
	return net;
}

/* The names in the folder out, joined. */
static char *out_names(void)
{
	CDA_AUTOSTRV struct cda_strv names = {0};

	CHECK_INT(cda_fs_list(w.fd, ".", &names, NULL), 0);
	return cda_strv_join(&names, " ");
}

static void check_names(const char *want, const char *row)
{
	CDA_AUTOFREE char *names = out_names();

	CHECK_STR_AT(names, want, "%s", row);
}

static void check_big(const char *row)
{
	char hex[CDA_HASH_HEX_MAX] = "";

	CHECK_INT_AT(cda_hash_file(CDA_SHA256, w.fd, "big", hex, NULL), 0, "%s", row);
	CHECK_STR_AT(hex, w.sha, "%s", row);
}

enum { F_SHA = 1, F_MD5 = 2, F_BAD = 4, AT_LEAST_2 = -2 };

TEST(faults_of_a_server_are_survived_or_told)
{
	static const struct {
		const char *rules[2], *path;
		unsigned flags;
		int64_t size, max; /* 0: not given */
		int rc;
		long status;
		int requests;
		const char *msg, *hint, *seen; /* parts of; seen: in one line of the log */
	} rows[] = {
		{{0}, "/big", F_SHA, big_size, 0, 0, 200, 1, 0, 0, "range=-"},
		{{0}, "/big", F_MD5, 0, 0, 0, 200, 1, 0, 0, 0},
		{{"/big chunked"}, "/big", F_SHA, 0, 0, 0, 200, 1, 0, 0, 0},
		{{0}, "/big", F_SHA | F_BAD, 0, 0, -CDA_E_CHECKSUM, 200, 2, "expected", 0, 0},
		{{0}, "/big", F_MD5 | F_BAD, 0, 0, -CDA_E_CHECKSUM, 200, 2, "md5 is", 0, 0},
		{{0},
		 "/big",
		 0,
		 big_size + 1,
		 0,
		 -CDA_E_CHECKSUM,
		 200,
		 2,
		 "size is 300000 bytes, expected 300001",
		 0,
		 0},
		{{0},
		 "/big",
		 0,
		 big_size - 1,
		 0,
		 -CDA_E_CHECKSUM,
		 200,
		 2,
		 "more than the expected 299999 bytes",
		 0,
		 0},
		{{0}, "/big", 0, 0, 1000, -CDA_E_VALUE, 200, 1, "more than the 1000 bytes", 0, 0},
		{{0}, "/none", 0, 0, 0, -CDA_E_HTTP, 404, 1, "HTTP 404 (not found)", 0, 0},
		{{"/big status 500 x2"}, "/big", F_SHA, 0, 0, 0, 200, 3, 0, 0, 0},
		{{"/big status 503"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 -CDA_E_HTTP,
		 503,
		 4,
		 "HTTP 503 (service unavailable)",
		 "try again later",
		 0},
		{{"/big status 429 retry-after 1 x1"}, "/big", F_SHA, 0, 0, 0, 200, 2, 0, 0, 0},
		{{"/big status 501"}, "/big", 0, 0, 0, -CDA_E_HTTP, 501, 1, "HTTP 501", 0, 0},
		{{"/big status 401"}, "/big", 0, 0, 0, -CDA_E_HTTP, 401, 1, "401", "token", 0},
		{{"/big status 403"},
		 "/big",
		 0,
		 0,
		 0,
		 -CDA_E_HTTP,
		 403,
		 1,
		 "403 (forbidden)",
		 "proxy_servers",
		 0},
		{{"/big drop x1"}, "/big", F_SHA, 0, 0, 0, 200, 2, 0, 0, 0},
		{{"/big drop"}, "/big", F_SHA, 0, 0, -CDA_E_HTTP, 0, 4, "cannot fetch", 0, 0},
		{{"/big truncate 1000 x1"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 0,
		 206,
		 2,
		 0,
		 0,
		 "206 range=bytes=1000- ifrange=\""},
		{{"/big truncate 1000 x3"},
		 "/big",
		 0,
		 0,
		 0,
		 0,
		 206,
		 4,
		 0,
		 0,
		 "206 range=bytes=3000- ifrange=\""},
		{{"/big truncate 1000 x1", "/big weak"}, "/big", 0, 0, 0, 0, 200, 2, 0, 0, 0},
		{{"/big truncate 1000 x1", "/big weak"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 0,
		 206,
		 2,
		 0,
		 0,
		 "206 range=bytes=1000- ifrange=-"},
		{{"/big truncate 1000 x1", "/big plain"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 0,
		 200,
		 2,
		 0,
		 0,
		 "200 range=bytes=1000- ifrange=-"},
		{{"/big truncate 1000"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 -CDA_E_HTTP,
		 206,
		 4,
		 "cannot fetch",
		 0,
		 0},
		{{"/big stall 1000 x1"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 0,
		 206,
		 AT_LEAST_2,
		 0,
		 0,
		 "bytes=1000-"},
		{{"/big stall 0"},
		 "/big",
		 F_SHA,
		 0,
		 0,
		 -CDA_E_HTTP,
		 200,
		 2,
		 "no bytes came in time",
		 "check the network",
		 0},
		{{"/big corrupt x1"}, "/big", F_SHA, 0, 0, 0, 200, 2, 0, 0, 0},
		{{"/big corrupt"}, "/big", F_SHA, 0, 0, -CDA_E_CHECKSUM, 200, 2, "sha256 is", 0, 0},
		{{"/other redirect /big"}, "/other", F_SHA, 0, 0, 0, 200, 2, 0, 0, 0},
		{{"/other redirect /other"},
		 "/other",
		 0,
		 0,
		 0,
		 -CDA_E_HTTP,
		 302,
		 11,
		 "too many redirects",
		 0,
		 0},
		{{"/other redirect file:///etc/passwd"},
		 "/other",
		 0,
		 0,
		 0,
		 -CDA_E_HTTP,
		 302,
		 1,
		 "redirects to a URL that is not http",
		 0,
		 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_net_freep) struct cda_net *net = NULL;
		CDA_CLEANUP(cda_transfer_done) struct cda_transfer t = {0};
		CDA_AUTOFREE char *url = NULL, *bad = NULL, *row = NULL;
		struct cda_net_config config = quick;
		unsigned flags = rows[i].flags;

		world();
		row = cda_asprintf("row %zu: %s", i, rows[i].rules[0] ? rows[i].rules[0] : "good");
		for (int k = 0; k < 2 && rows[i].rules[k]; k++)
			server_rule(&w.http, rows[i].rules[k]);
		if (rows[i].rules[0] && strstr(rows[i].rules[0], "stall"))
			config.read_timeout = 1;
		/* A server that never answers times out each time. After one stall a machine under
		 * load may see another one: more tries, and not exactly so many. */
		if (rows[i].requests == AT_LEAST_2)
			config.retries = 20;
		else if (config.read_timeout)
			config.retries = 1;
		net = net_with(&config);
		url = cda_asprintf("%s%s", w.http.url, rows[i].path);
		bad = cda_strdup(flags & F_MD5 ? w.md5 : w.sha);
		bad[0] = bad[0] == '0' ? '1' : '0';
		t.url = url;
		t.dirfd = w.fd;
		t.path = "big";
		t.sha256 = !(flags & F_SHA) ? NULL : flags & F_BAD ? bad : w.sha;
		t.md5 = !(flags & F_MD5) ? NULL : flags & F_BAD ? bad : w.md5;
		t.size = (uint64_t)rows[i].size;
		t.max_bytes = (uint64_t)rows[i].max;
		CHECK_INT_AT(cda_net_run(net, &t, 1, NULL, NULL), rows[i].rc, "%s", row);
		CHECK_INT_AT(t.rc, rows[i].rc, "%s: %s", row, t.err.msg ? t.err.msg : "");
		CHECK_INT_AT(t.status, rows[i].status, "%s", row);
		if (rows[i].requests == AT_LEAST_2)
			CHECK_AT(server_count(&w.http, "GET") >= 2, "%s", row);
		else
			CHECK_INT_AT(server_count(&w.http, "GET"), rows[i].requests, "%s", row);
		if (rows[i].msg)
			CHECK_AT(t.err.msg && strstr(t.err.msg, rows[i].msg), "%s: %s", row,
				 t.err.msg);
		if (rows[i].hint)
			CHECK_AT(t.err.hint && strstr(t.err.hint, rows[i].hint), "%s: %s", row,
				 t.err.hint);
		if (rows[i].seen)
			CHECK_AT(server_count(&w.http, rows[i].seen) >= 1, "%s", row);
		check_names(rows[i].rc == 0 ? "big" : "", row);
		if (rows[i].rc == 0)
			check_big(row);
	}
}

TEST(a_body_in_memory_comes_with_its_headers)
{
	static const char *const names[] = {"small", "empty"};
	static const char *const texts[] = {"hello\n", ""};

	world();
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = net_with(&quick);
	for (int i = 0; i < 2; i++) {
		CDA_CLEANUP(cda_transfer_done) struct cda_transfer t = {0};
		CDA_AUTOFREE char *url = cda_asprintf("%s/%s", w.http.url, names[i]);
		CDA_AUTOFREE char *etag = NULL, *modified = NULL;

		t.url = url;
		CHECK_INT(cda_net_run(net, &t, 1, NULL, NULL), 0);
		CHECK_STR(t.body.p, texts[i]);
		CHECK_INT(t.bytes, strlen(texts[i]));
		CHECK_STR(t.got_url, url);
		CHECK_STR(t.got_cache_control, "public, max-age=30");
		REQUIRE(t.got_etag && t.got_last_modified);
		/* And once more, only if it changed. */
		etag = cda_strdup(t.got_etag);
		modified = cda_strdup(t.got_last_modified);
		cda_transfer_done(&t);
		t.etag = etag;
		CHECK_INT(cda_net_run(net, &t, 1, NULL, NULL), 0);
		CHECK(t.not_modified);
		CHECK_INT(t.status, 304);
		CHECK_STR(t.got_etag, etag);
		cda_transfer_done(&t);
		t.etag = NULL;
		t.last_modified = modified;
		t.dirfd = w.fd;
		t.path = "kept";
		CHECK_INT(cda_net_run(net, &t, 1, NULL, NULL), 0);
		CHECK(t.not_modified);
		check_names("", "not modified");
		cda_transfer_done(&t);
		t.etag = "\"other\"";
		CHECK_INT(cda_net_run(net, &t, 1, NULL, NULL), 0);
		CHECK(!t.not_modified);
		CHECK_INT(t.status, 200);
		check_names("kept", "modified");
		CHECK_INT(unlinkat(w.fd, "kept", 0), 0);
	}
	CHECK(server_count(&w.http, "agent=condense/") == 8);
}

TEST(files_of_this_machine_are_fetched_offline_too)
{
	struct cda_net_config config = {.offline = true};

	world();
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = net_with(&config);
	CDA_AUTOFREE char *path = cda_path_join(w.srv, "big"), *url = cda_url_from_path(path);
	CDA_AUTOFREE char *none = cda_asprintf("%s-none", url), *dir = cda_url_from_path(w.srv);
	CDA_AUTOFREE char *etag = NULL, *remote = cda_asprintf("%s/big", w.http.url);
	struct cda_transfer t[4] = {
		{.url = url, .dirfd = w.fd, .path = "big", .sha256 = w.sha, .size = big_size},
		{.url = none},
		{.url = dir},
		{.url = remote},
	};
	struct cda_err err = {0};

	CHECK_INT(cda_net_run(net, t, 4, NULL, &err), -CDA_E_HTTP);
	CHECK_AT(strstr(err.msg, "there is no such file"), "%s", err.msg);
	cda_err_done(&err);
	CHECK_INT(t[0].rc, 0);
	check_big("file");
	CHECK_INT(t[1].rc, -CDA_E_HTTP);
	CHECK_INT(t[1].status, 404);
	CHECK_INT(t[2].rc, -CDA_E_SYS);
	CHECK_INT(t[3].rc, -CDA_E_OFFLINE);
	CHECK_STR(t[3].err.hint, "leave out --offline, or unset offline in .condarc");
	CHECK_INT(server_count(&w.http, "GET"), 0);
	REQUIRE(t[0].got_etag);
	etag = cda_strdup(t[0].got_etag);
	cda_transfer_done(&t[0]);
	t[0].etag = etag;
	CHECK_INT(cda_net_run(net, t, 1, NULL, NULL), 0);
	CHECK(t[0].not_modified);
	cda_transfer_done(&t[0]);
	t[0].etag = NULL;
	t[0].sha256 = "00";
	CHECK_INT(cda_net_run(net, t, 1, NULL, NULL), -CDA_E_CHECKSUM);
	check_names("big", "the good one stays");
	for (int i = 0; i < 4; i++)
		cda_transfer_done(&t[i]);
}

static int download_big(struct cda_net *net, const char *url)
{
	CDA_CLEANUP(cda_transfer_done)
	struct cda_transfer transfer = {
		.url = url, .dirfd = w.fd, .path = "big", .sha256 = w.sha, .resume = true};

	return cda_net_run(net, &transfer, 1, NULL, NULL);
}

TEST(a_later_run_goes_on_where_the_first_was_cut)
{
	static const struct {
		const char *with; /* the .part file of the second run; NULL: what the first left */
		const char *seen;
		int requests;
	} rows[] = {
		{NULL, "206 range=bytes=1000-", 2},
		{"not the beginning", "200 range=- ", 3}, /* 1: cut, 2: rest of it, 3: afresh */
	};
	struct cda_net_config config = {.retries = -1, .backoff_ms = 1};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_net_freep) struct cda_net *first = NULL, *second = NULL;
		CDA_AUTOFREE char *url = NULL;
		struct stat st;

		world();
		first = net_with(&config);
		second = net_with(&quick);
		url = cda_asprintf("%s/big", w.http.url);
		server_rule(&w.http, "/big truncate 1000 x1");
		CHECK_INT(download_big(first, url), -CDA_E_HTTP);
		check_names("big.part", "cut");
		CHECK_INT(fstatat(w.fd, "big.part", &st, 0), 0);
		CHECK_INT(st.st_size, 1000);
		if (rows[i].with)
			CHECK_INT(cda_fs_replace(w.fd, "big.part", rows[i].with,
						 strlen(rows[i].with), 0644, false, NULL),
				  0);
		CHECK_INT_AT(download_big(second, url), 0, "row %zu", i);
		CHECK_INT_AT(server_count(&w.http, "GET"), rows[i].requests, "row %zu", i);
		CHECK_AT(server_count(&w.http, rows[i].seen) >= 1, "row %zu", i);
		check_names("big", "done");
		check_big("done");
	}
	/* A .part file longer than all: 416, then from the start. */
	world();
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = net_with(&quick);
	CDA_AUTOFREE char *url = cda_asprintf("%s/big", w.http.url);
	CDA_AUTOFREE char *longer = cda_alloc0(big_size + 5, 1);
	CHECK_INT(cda_fs_replace(w.fd, "big.part", longer, big_size + 5, 0644, false, NULL), 0);
	CHECK_INT(download_big(net, url), 0);
	CHECK_INT(server_count(&w.http, " 416 "), 1);
	check_big("416");
}

struct told {
	int failures;
	bool more;
};

static void on_failed(void *ctx, const char *url, const struct cda_err *err, bool more)
{
	struct told *told = ctx;

	told->failures++;
	told->more = more;
	CHECK_AT(strstr(err->msg, url) != NULL, "%s: %s", url, err->msg);
}

TEST(a_mirror_stands_in)
{
	static const struct {
		const char *rule, *seen;
		int rc, requests;
	} rows[] = {
		{"/a/big status 404", "/b/big 200 range=-", 0, 2},
		{"/a/big status 503", "/b/big 200 range=-", 0, 2},
		{"/a/big truncate 1000", "/b/big 206 range=bytes=1000-", 0, 2},
		{"/a/big corrupt", "/b/big 200 range=-", 0, 2},
		{"/?/big status 404", "/b/big 404", -CDA_E_HTTP, 2},
		{"/?/big status 503", "/b/big 503", -CDA_E_HTTP, 8},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_net_freep) struct cda_net *net = net_with(&quick);
		CDA_CLEANUP(cda_transfer_done) struct cda_transfer t = {0};
		CDA_AUTOFREE char *url = NULL, *mirror = NULL;
		struct told told = {0};

		world();
		put("a/big", w.big, big_size);
		put("b/big", w.big, big_size);
		/* Another time makes another ETag. */
		CDA_AUTOFREE char *b = cda_path_join(w.srv, "b/big");
		CHECK_INT(utimensat(AT_FDCWD, b, (struct timespec[2]){{1, 0}, {1, 0}}, 0), 0);
		server_rule(&w.http, rows[i].rule);
		url = cda_asprintf("%s/a/big", w.http.url);
		mirror = cda_asprintf("%s/b/big", w.http.url);
		t = (struct cda_transfer){.url = url,
					  .mirrors = (const char *const[]){mirror, NULL},
					  .dirfd = w.fd,
					  .path = "big",
					  .sha256 = w.sha,
					  .failed = on_failed,
					  .ctx = &told};
		CHECK_INT_AT(cda_net_run(net, &t, 1, NULL, NULL), rows[i].rc, "%s", rows[i].rule);
		CHECK_INT_AT(server_count(&w.http, "GET"), rows[i].requests, "%s", rows[i].rule);
		CHECK_INT_AT(told.failures, rows[i].requests - (rows[i].rc == 0), "%s",
			     rows[i].rule);
		CHECK_INT_AT(told.more, rows[i].rc == 0, "%s", rows[i].rule);
		CHECK_AT(server_count(&w.http, rows[i].seen) >= 1, "%s", rows[i].rule);
		if (rows[i].rc == 0)
			check_big(rows[i].rule);
	}
}
