/* Who may fetch, through what, and how many at a time. The rest of http is in test_http.c. */
#include "check.h"
#include "net/http.h"
#include "server.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

static struct server http, https;
static char *dir;

static void end(void)
{
	server_stop(&http);
	server_stop(&https);
	if (cda_fs_remove(AT_FDCWD, dir, NULL) < 0)
		abort();
	free(dir);
}

static void put(const char *name, const char *text)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, name);

	if (cda_fs_mkparents(AT_FDCWD, path, 0755, NULL) < 0 ||
	    cda_fs_replace(AT_FDCWD, path, text, strlen(text), 0600, false, NULL) < 0)
		abort();
}

static void begin(void)
{
	static const char *const foreign[] = {
		"http_proxy",         "https_proxy",    "all_proxy",     "no_proxy",
		"HTTP_PROXY",         "HTTPS_PROXY",    "ALL_PROXY",     "NO_PROXY",
		"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"};

	for (size_t i = 0; i < CDA_LEN(foreign); i++)
		unsetenv(foreign[i]);
	if (dir) {
		server_clear(&http);
		server_clear(&https);
		return;
	}
	if (cda_fs_tempdir(NULL, "test-http", &dir, NULL) < 0)
		abort();
	setenv("HOME", dir, 1);
	put("small", "hello\n");
	put("t/tk-secret/small", "hello\n");
	server_start(&http, dir, false);
	server_start(&https, dir, true);
	atexit(end);
}

/* One fetch with a new engine; the caller checks and ends *err. */
static int fetch(const struct cda_net_config *config, const char *url, struct cda_err *err)
{
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = NULL;
	CDA_CLEANUP(cda_transfer_done)
	struct cda_transfer transfer = {.url = url, .compressed = true};
	struct cda_net_config quick = *config;
	int rc;

	quick.backoff_ms = 1;
	quick.retries = -1;
	quick.connect_timeout = 120;
	rc = cda_net_new(&quick, &net, err);
	if (rc == 0)
		rc = cda_net_run(net, &transfer, 1, NULL, err);
	if (rc == 0)
		CHECK_STR(transfer.body.p, "hello\n");
	return rc;
}

static void check_told(struct cda_err *err, const char *msg, const char *hint)
{
	CHECK_AT(err->msg && strstr(err->msg, msg), "'%s' in '%s'", msg, err->msg ? err->msg : "");
	CHECK_AT(err->hint && strstr(err->hint, hint), "'%s' in '%s'", hint,
		 err->hint ? err->hint : "");
	CHECK_AT(!strstr(err->msg, "secret"), "%s", err->msg);
	cda_err_done(err);
}

TEST(certificates_are_checked)
{
	struct cda_err err = {0};

	begin();
	CDA_AUTOFREE char *url = cda_asprintf("%s/small", https.url);
	CHECK_INT(fetch(&(struct cda_net_config){.ca_file = https.ca}, url, &err), 0);
	CHECK_INT(fetch(&(struct cda_net_config){.no_ssl_verify = true}, url, &err), 0);
	setenv("REQUESTS_CA_BUNDLE", https.ca, 1);
	CHECK_INT(fetch(&(struct cda_net_config){0}, url, &err), 0);
	unsetenv("REQUESTS_CA_BUNDLE");
	CHECK_INT(fetch(&(struct cda_net_config){0}, url, &err), -CDA_E_TLS);
	check_told(&err, "cannot fetch 'https://127.0.0.1:", "ssl_verify in .condarc");
	CHECK_INT(fetch(&(struct cda_net_config){.ca_file = "/nowhere/ca"}, url, &err), -CDA_E_TLS);
	check_told(&err, "there is no CA file '/nowhere/ca'", "REQUESTS_CA_BUNDLE");
	CHECK_INT(fetch(&(struct cda_net_config){.client_cert = "/nowhere/c"}, url, &err),
		  -CDA_E_TLS);
	check_told(&err, "'/nowhere/c'", "client_ssl_cert");
	/* A server that speaks no TLS. */
	CDA_AUTOFREE char *plain = cda_asprintf("https://127.0.0.1:%d/small", http.port);
	CHECK_INT(fetch(&(struct cda_net_config){0}, plain, &err), -CDA_E_TLS);
	check_told(&err, "cannot fetch", "proxy_servers");
}

TEST(a_secure_url_does_not_lead_to_an_insecure_one)
{
	struct cda_net_config config = {0};
	struct cda_err err = {0};

	begin();
	config.ca_file = https.ca;
	CDA_AUTOFREE char *down = cda_asprintf("/down redirect %s/small", http.url);
	CDA_AUTOFREE char *up = cda_asprintf("/up redirect %s/small", https.url);
	CDA_AUTOFREE char *from_https = cda_asprintf("%s/down", https.url);
	CDA_AUTOFREE char *from_http = cda_asprintf("%s/up", http.url);
	server_rule(&https, down);
	server_rule(&http, up);
	CHECK_INT(fetch(&config, from_https, &err), -CDA_E_HTTP);
	CHECK_AT(strstr(err.msg, "redirects to a URL that is not https"), "%s", err.msg);
	cda_err_done(&err);
	CHECK_INT(server_count(&http, "GET"), 0);
	CHECK_INT(fetch(&config, from_http, &err), 0);
}

TEST(credentials_come_from_the_url_or_netrc_and_stay_out_of_messages)
{
	struct cda_net_config config = {0};
	struct cda_err err = {0};

	begin();
	CDA_AUTOFREE char *with = cda_asprintf("http://me:secret@127.0.0.1:%d/small", http.port);
	CDA_AUTOFREE char *wrong = cda_asprintf("http://me:secret2@127.0.0.1:%d/small", http.port);
	CDA_AUTOFREE char *without = cda_asprintf("%s/small", http.url);
	CDA_AUTOFREE char *token = cda_asprintf("%s/t/tk-secret/small", http.url);
	CDA_AUTOFREE char *no_token = cda_asprintf("%s/t/tk-secret/none", http.url);
	server_rule(&http, "/small auth me:secret");
	CHECK_INT(fetch(&config, with, &err), 0);
	CHECK_INT(fetch(&config, wrong, &err), -CDA_E_HTTP);
	check_told(&err, "HTTP 401 (unauthorized)", "~/.netrc");
	CHECK_INT(fetch(&config, without, &err), -CDA_E_HTTP);
	check_told(&err, "HTTP 401 (unauthorized)", "token");
	put(".netrc", "machine 127.0.0.1 login me password secret\n");
	CHECK_INT(fetch(&config, without, &err), 0);
	config.no_netrc = true;
	CHECK_INT(fetch(&config, without, &err), -CDA_E_HTTP);
	cda_err_done(&err);
	CHECK_INT(fetch(&config, token, &err), 0);
	CHECK_INT(fetch(&config, no_token, &err), -CDA_E_HTTP);
	CHECK_AT(strstr(err.msg, "/t/<TOKEN>/none': HTTP 404"), "%s", err.msg);
	CHECK_AT(err.data && strstr(err.data, "/t/<TOKEN>/none\""), "%s", err.data);
	cda_err_done(&err);
}

/* A port that nobody listens on as long as the socket lives. */
static int closed_port(int *ret_fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret_fd < 0 || bind(*ret_fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(*ret_fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	return ntohs(at.sin_port);
}

TEST(proxies_are_used_as_configured)
{
	struct cda_err err = {0};
	int fd = -1;

	begin();
	CDA_AUTOFREE char *dead = cda_asprintf("http://127.0.0.1:%d", closed_port(&fd));
	CDA_AUTOFREE char *full = cda_asprintf("http://me:secret@127.0.0.1:%d", http.port);
	CDA_AUTOFREE char *own = cda_asprintf("%s/small", http.url);
	const char *far = "http://conda.invalid/small";
	const struct {
		struct cda_net_proxy proxies[2];
		const char *env, *url, *rule;
		int rc;
		const char *seen, *msg, *hint;
	} rows[] = {
		{{{"http", http.url}}, 0, far, 0, 0, "GET http://conda.invalid/small 200", 0, 0},
		{{{"all", http.url}}, 0, far, 0, 0, "GET http://conda.invalid/small 200", 0, 0},
		{{{"all", dead}, {"http://conda.invalid", http.url}},
		 0,
		 far,
		 0,
		 0,
		 "GET http://conda.invalid/small 200",
		 0,
		 0},
		{{{0}}, http.url, far, 0, 0, "GET http://conda.invalid/small 200", 0, 0},
		{{{"http", http.url}}, dead, far, 0, 0, "GET http://conda.invalid/small 200", 0, 0},
		{{{"https", dead}}, 0, own, 0, 0, "GET /small 200", 0, 0},
		{{{"http", full}}, 0, far, "/small auth proxy me:secret", 0, "small 200", 0, 0},
		{{{"http", http.url}},
		 0,
		 far,
		 "/small auth proxy me:secret",
		 -CDA_E_HTTP,
		 " 407 ",
		 "HTTP 407",
		 "http://USER:PASSWORD@HOST:PORT"},
		{{{"http", dead}}, 0, far, 0, -CDA_E_HTTP, 0, "cannot fetch", "proxy_servers"},
		{{{"https", http.url}},
		 0,
		 "https://conda.invalid/small",
		 "* status 407",
		 -CDA_E_HTTP,
		 " 407 ",
		 "the proxy answered 407",
		 "http://USER:PASSWORD@HOST:PORT"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_net_config config = {.proxies = rows[i].proxies};

		begin();
		while (config.n_proxies < 2 && rows[i].proxies[config.n_proxies].match)
			config.n_proxies++;
		if (rows[i].env)
			setenv("http_proxy", rows[i].env, 1);
		if (rows[i].rule)
			server_rule(&http, rows[i].rule);
		CHECK_INT_AT(fetch(&config, rows[i].url, &err), rows[i].rc, "row %zu: %s", i,
			     err.msg ? err.msg : "");
		if (rows[i].seen)
			CHECK_AT(server_count(&http, rows[i].seen) >= 1, "row %zu", i);
		if (rows[i].msg)
			check_told(&err, rows[i].msg, rows[i].hint);
		cda_err_done(&err);
	}
	begin();
	CHECK_INT(fetch(&(struct cda_net_config){0}, dead, &err), -CDA_E_HTTP);
	check_told(&err, "cannot fetch", "http_proxy");
	close(fd);
}

TEST(what_is_no_url_to_fetch_is_told)
{
	static const struct {
		const char *url, *msg;
		int rc;
	} rows[] = {
		{"s3://bucket/x", "unknown scheme 's3'", -CDA_E_VALUE},
		{"conda-forge", "is no valid URL", -CDA_E_VALUE},
		{"http:///x", "has no host", -CDA_E_VALUE},
		{"file://other/x", "is no file on this machine", -CDA_E_VALUE},
		{"http://me:secret@[/x", "", -CDA_E_VALUE},
	};

	begin();
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_err err = {0};

		CHECK_INT_AT(fetch(&(struct cda_net_config){0}, rows[i].url, &err), rows[i].rc,
			     "%s", rows[i].url);
		CHECK_AT(err.msg && strstr(err.msg, rows[i].msg), "%s", err.msg);
		CHECK_AT(!strstr(err.msg, "secret"), "%s", err.msg);
		cda_err_done(&err);
	}
}

struct tally {
	int done, last;
};

static void on_done(void *ctx, struct cda_transfer *t)
{
	struct tally *tally = ctx;

	tally->done++;
	CHECK(t->rc == 0 || t->err.msg);
}

static void on_event(void *ctx, const struct cda_event *event)
{
	struct tally *tally = ctx;

	if (event->kind != CDA_EVENT_PROGRESS)
		return;
	CHECK(event->total == 0 || event->done <= event->total);
	tally->last += event->done == event->total;
}

TEST(many_run_at_a_time_and_fail_alone)
{
	enum { many = 60 };
	struct cda_transfer t[many] = {0};
	char urls[many][128], names[many][16];
	struct tally tally = {0};
	struct cda_events events = {on_event, &tally};
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = NULL;
	struct cda_err err = {0};
	CDA_AUTOFREE char *out = NULL;

	begin();
	REQUIRE(cda_net_new(&(struct cda_net_config){.backoff_ms = 1,
						     .max_parallel = 6,
						     .retries = 10,
						     .connect_timeout = 120},
			    &net, NULL) == 0);
	out = cda_path_join(dir, "out");
	mkdir(out, 0755);
	CDA_AUTOCLOSE int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	server_rule(&http, "/small drop x5");
	for (int i = 0; i < many; i++) {
		snprintf(urls[i], sizeof(urls[i]), "%s/%s", http.url,
			 i % 10 == 3 ? "none" : "small");
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		t[i] = (struct cda_transfer){.url = urls[i],
					     .dirfd = fd,
					     .path = i == 7 ? "no/folder" : names[i],
					     .item = names[i],
					     .done = on_done,
					     .ctx = &tally};
	}
	CHECK_INT(cda_net_run(net, t, many, &events, &err), -CDA_E_HTTP);
	CHECK_INT(tally.done, many);
	CHECK(tally.last >= many - 6 - 1); /* each tells its end, at least */
	for (int i = 0; i < many; i++) {
		CHECK_INT_AT(t[i].rc,
			     i % 10 == 3 ? -CDA_E_HTTP
			     : i == 7    ? -CDA_E_SYS
					 : 0,
			     "%d: %s", i, t[i].err.msg ? t[i].err.msg : "");
		CHECK_INT(cda_fs_is_file(fd, names[i]), t[i].rc == 0);
		cda_transfer_done(&t[i]);
	}
	cda_err_done(&err);
	CHECK_INT(cda_fs_remove(AT_FDCWD, out, NULL), 0);
}

static void interrupt(void *ctx, const struct cda_event *event)
{
	cda_interrupted = 1;
}

TEST(an_interruption_ends_all)
{
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = NULL;
	struct cda_events events = {interrupt, NULL};

	begin();
	REQUIRE(cda_net_new(&(struct cda_net_config){.max_parallel = 1}, &net, NULL) == 0);
	CDA_AUTOFREE char *url = cda_asprintf("%s/small", http.url);
	struct cda_transfer t[3] = {{.url = url, .item = "x"}, {.url = url}, {.url = url}};
	server_rule(&http, "/small stall 3");
	CHECK_INT(cda_net_run(net, t, 3, &events, NULL), -CDA_E_INTERRUPTED);
	cda_interrupted = 0;
	for (int i = 0; i < 3; i++) {
		CHECK_INT(t[i].rc, -CDA_E_INTERRUPTED);
		cda_transfer_done(&t[i]);
	}
}
