/* condense-doctor: what it reads, how it reports, and what it finds in folders made here: rows. */
#include "doctor/listline.h"
#include "doctor/mountinfo.h"
#include "runtime/paths.h"
#include "doctor/probe.h"
#include "doctor/reach.h"
#include "runtime/say.h"
#include "doctor/sources.h"

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static struct cda_span span_of(const char *str)
{
	return (struct cda_span){str, strlen(str)};
}

/* ---- addresses in configurations */

static void collect(void *ctx, const char *key, struct cda_span value)
{
	char *all = ctx;
	size_t len = strlen(all);

	(void)cda_put(all + len, 1024 - len, "%s%s=%.*s", len > 0 ? " " : "", key, (int)value.len,
		      value.p);
}

typedef void (*reader_fn)(struct cda_span text, cda_source_fn add, void *ctx);

static const struct {
	const char *name;
	reader_fn reader;
	const char *text, *want;
} sources[] = {
	{"a line of sources.list", cda_sources_list, "deb http://a/debian x main\n",
	 "url=http://a/debian"},
	{"options, comments, sources", cda_sources_list,
	 "# deb http://no x\n\n  deb-src [arch=amd64 signed-by=/k] http://b x\ndeb [ a=b ] "
	 "http://c x\n",
	 "url=http://b url=http://c"},
	{"no line of sources.list", cda_sources_list, "deb\ndeb [x\ndebug http://a x\ndeb # x\n",
	 ""},
	{"deb822", cda_sources_deb822,
	 "Types: deb\nURIs: http://a/debian\nSuites: x\n\nTypes: deb\nUris: http://b\n\thttp://c\n"
	 "# URIs: http://no\n",
	 "url=http://a/debian url=http://b url=http://c"},
	{"a stanza that is off", cda_sources_deb822,
	 "URIs: http://a\nEnabled: no\n \nEnabled: yes\nURIs: http://b", "url=http://b"},
	{"apk", cda_sources_apk, "http://a/main\n#http://no\n@edge http://b/x\r\n@lone\n/media/x\n",
	 "url=http://a/main url=http://b/x url=/media/x"},
	{"channels as conda writes them", cda_sources_condarc,
	 "channels:\n  - conda-forge\n  - https://a/b # mine\nchannel_priority: flexible\n"
	 "channel_alias: 'https://c'\n",
	 "channels=conda-forge channels=https://a/b channel_alias=https://c"},
	{"channels in one line, and without indent", cda_sources_condarc,
	 "channels: [a, \"b\" ,c]\ndefault_channels:\n- d\nenvs_dirs:\n- e\n",
	 "channels=a channels=b channels=c default_channels=d"},
	{"of another map", cda_sources_condarc,
	 "proxy_servers:\n  channels: no\n  http: x\ncustom_channels:\n  a: b\n", ""},
	{"pip", cda_sources_pip,
	 "[global]\nindex-url = https://a/simple\nextra_index_url =\n  https://b\n  https://c\n"
	 "timeout = 3\n[list]\nindex-url = https://no\n[install]\nno-index: true\n",
	 "index-url=https://a/simple extra-index-url=https://b extra-index-url=https://c "
	 "no-index=true"},
	{"pip without a section", cda_sources_pip, "index-url = https://a\n", ""},
};

TEST(addresses_are_read_from_each_configuration)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		char all[1024] = "";

		sources[i].reader(span_of(sources[i].text), collect, all);
		CHECK_STR_AT(all, sources[i].want, "row '%s'", sources[i].name);
	}
}

static const struct {
	const char *url, *want; /* NULL: refused */
} places[] = {
	{"https://pypi.org/simple", "https pypi.org 443"},
	{"HTTP://A.b:8080", "http A.b 8080"},
	{"http://user:p@ss:w@host/x@y", "http host 80"},
	{"http://[::1]:81/", "http ::1 81"},
	{"http://[::1]", "http ::1 80"},
	{"socks5h://p", "socks5h p 1080"},
	{"http://h:/", "http h 80"},
	{"http://h?x", "http h 80"},
	{"http://", NULL},
	{"http:///x", NULL},
	{"http://h:0", NULL},
	{"http://h:65536", NULL},
	{"http://h:8x", NULL},
	{"http://[::1", NULL},
	{"http://[::1]x", NULL},
	{"http://a b/", NULL},
	{"http://a\r\nb/", NULL},
	{"file:///x", NULL},
	{"cdrom:x", NULL},
	{"/media/x", NULL},
	{"", NULL},
};

TEST(a_url_leads_to_a_host_and_a_port)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct cda_place_of place;
		char got[300] = "";

		CHECK_INT_AT(cda_url_place(span_of(places[i].url), &place),
			     places[i].want != NULL ? 0 : -1, "'%s'", places[i].url);
		if (places[i].want == NULL)
			continue;
		cda_put(got, sizeof(got), "%s %s %d", place.scheme, place.host, place.port);
		CHECK_STR_AT(got, places[i].want, "'%s'", places[i].url);
	}
}

static const struct {
	const char *list, *host;
	bool want;
} exceptions[] = {
	{"a.b", "a.b", true},     {"a.b", "x.a.b", true},  {".a.b", "x.a.b", true},
	{"*.a.b", "x.a.b", true}, {"a.b", "xa.b", false},  {"x, a.b,y", "A.B", true},
	{"*", "any", true},       {"", "any", false},      {",,", "any", false},
	{".", "any.", false},     {"a.b.c", "b.c", false},
};

TEST(no_proxy_names_hosts_and_what_is_below_them)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		CHECK_INT_AT(cda_no_proxy(exceptions[i].list, exceptions[i].host),
			     exceptions[i].want, "'%s' '%s'", exceptions[i].list,
			     exceptions[i].host);
}

/* ---- mounts */

static const struct {
	const char *text, *want;
} mountinfos[] = {
	{"36 35 98:0 /m /mnt rw,nosuid shared:1 master:2 - ext3 /dev/root rw,errors=continue\n",
	 "/mnt ext3 nosuid;"},
	{"1 2 3:4 / /a\\040b\\134c ro - tmpfs tmpfs rw\n", "/a b\\c tmpfs ro;"},
	{"1 2 3:4 / /a rw - tmpfs tmpfs ro,size=1k\n", "/a tmpfs ro;"},
	{"1 2 3:4 / /a rw,idmapped - ext4 /dev/x rw\n", "/a ext4 idmapped;"},
	{"1 2 3:4 / /a rw - ext4\n", "/a ext4;"},
	{"bad\n1 2 3:4 / /a rw\n1 2 3:4 / a rw - x y z\n1 2 3:4 / /b rw - x y z", "/b x;"},
	{"1 2 3:4 / /a\\000b rw - x y z\n", ""},
	{"1 2 3:4 / /a\\9 rw,norandomro - x y z\n", "/a\\9 x;"},
	{"", ""},
};

TEST(mounts_are_read_with_their_options)
{
	static struct cda_mount mount;

	for (size_t i = 0; i < sizeof(mountinfos) / sizeof(*mountinfos); i++) {
		struct cda_span rest = span_of(mountinfos[i].text);
		char got[1024] = "";

		while (cda_mountinfo_next(&rest, &mount)) {
			size_t len = strlen(got);

			cda_put(got + len, sizeof(got) - len, "%s %s%s%s%s;", mount.point,
				mount.type, mount.read_only ? " ro" : "",
				mount.nosuid ? " nosuid" : "", mount.idmapped ? " idmapped" : "");
		}
		CHECK_STR_AT(got, mountinfos[i].want, "row %zu", i);
	}
}

/* ---- lines of lists */

static const struct {
	enum cda_list_kind kind;
	const char *text;
	int want;
} listlines[] = {
	{CDA_LIST_CONDA, "# a\r\n\nnumpy\nnumpy=2.1\nscipy >=1,<2\nconda-forge::x 1.0 py_0\n", 0},
	{CDA_LIST_CONDA, "x[version='>=1']\n@EXPLICIT\nhttps://a/b-1-0.conda#0123\n_libgcc_mutex\n",
	 0},
	{CDA_LIST_CONDA, "numpy\n- scipy\n", 2},
	{CDA_LIST_CONDA, "numpy;scipy\n", 1},
	{CDA_LIST_CONDA, "\xef\xbb\xbfnumpy\n\nnum/py\n", 3},
	{CDA_LIST_CONDA, "'numpy'\n", 1},
	{CDA_LIST_CONDA, "", 0},
	{CDA_LIST_PIP, "requests\nrequests>=2 ; python_version > '3'\na[b,c]==1 --hash=sha256:0\n",
	 0},
	{CDA_LIST_PIP,
	 "-r other.txt\n--index-url https://a\n-e .\n./x\ngit+https://a/b\nx @ file:///y\n", 0},
	{CDA_LIST_PIP, "a==1 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\nb # c\n", 0},
	{CDA_LIST_PIP, "a\n- b\n", 2},
	{CDA_LIST_PIP, "a b\n", 1},
	{CDA_LIST_PIP, "a = 1\n", 1},
	{CDA_LIST_PIP, "a\n\n\nb=1", 4},
	{CDA_LIST_PIP, "\"a\"\n", 1},
	{CDA_LIST_YAML, "name: x\ndependencies:\n  - a\n", 0},
	{CDA_LIST_YAML, "{dependencies: [a]}", 0},
	{CDA_LIST_YAML, "name: x\n", 1},
	{CDA_LIST_YAML, "dependencies:\n\t- a\n", 2},
	{CDA_LIST_YAML, "# nothing\n", 1},
	{CDA_LIST_YAML, " \n", 1},
};

TEST(lines_that_are_certainly_wrong_are_found)
{
	for (size_t i = 0; i < sizeof(listlines) / sizeof(*listlines); i++)
		CHECK_INT_AT(cda_list_refused(listlines[i].kind, span_of(listlines[i].text)),
			     listlines[i].want, "row %zu '%s'", i, listlines[i].text);
}

/* ---- the report */

static char *printed(const struct cda_report *report, int way)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (way == 2)
		cda_report_print_json(report, out);
	else
		cda_report_print(report, out, way == 1);
	fclose(out);
	return text;
}

static const struct {
	const char *text, *json;
} strings[] = {
	{"plain", "\"plain\""},
	{"", "\"\""},
	{"a\"b\\c", "\"a\\\"b\\\\c\""},
	{"\n\t\033\177", "\"\\u000a\\u0009\\u001b\\u007f\""},
	{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"\xff\xc3", "\"\\ufffd\\ufffd\""},
	{"\xc0\x80", "\"\\ufffd\\ufffd\""},
	{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	{"\xe2\x82", "\"\\ufffd\\ufffd\""},
};

TEST(a_json_string_is_utf8_whatever_the_bytes)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		cda_json_string(strings[i].text, out);
		fclose(out);
		CHECK_STR_AT(text, strings[i].json, "row %zu", i);
		free(text);
	}
}

TEST(a_report_has_parts_in_order_a_summary_and_no_line_over_100)
{
	struct cda_report report = {.count = 0};
	char longest[301];
	char *text;
	size_t width = 0;

	memset(longest, 'x', 300);
	longest[300] = '\0';
	cda_report_add(&report, CDA_PART_IMAGE, "one", CDA_NOTE, "%s %s", "last", longest);
	cda_report_add(&report, CDA_PART_IDENTITY, "two", CDA_PROBLEM, "a\033[31m\xff\xc2\x9b b");
	cda_report_todo(&report, "%s", "do this");
	cda_report_about(&report, "/x");
	cda_report_fact(&report, "uid", "%d", 7);
	text = printed(&report, 0);
	CHECK(strncmp(text, "identity\n  problem  a?[31m?? b\n           do: do this\nimage\n",
		      60) == 0);
	CHECK(strstr(text, "\n1 problem, 1 note\n") != NULL);
	for (const char *p = text; *p != '\0'; p++) {
		width = *p == '\n' ? 0 : width + 1;
		CHECK(width <= 100);
	}
	CHECK(strchr(text, '\033') == NULL);
	free(text);
	text = printed(&report, 1);
	CHECK(strstr(text, "\033[1;31mproblem") != NULL);
	free(text);
	text = printed(&report, 2);
	CHECK(strstr(text, "\"problems\": 1,\n  \"notes\": 1,") != NULL);
	CHECK(strstr(text, "\"uid\": \"7\"") != NULL);
	CHECK(strstr(text, "{\"part\": \"identity\", \"id\": \"two\", \"verdict\": \"problem\", "
			   "\"text\": "
			   "\"a\\u001b[31m\\ufffd\xc2\x9b b\", \"subject\": \"/x\", \"todo\": \"do "
			   "this\"}") != NULL);
	free(text);
	cda_report_free(&report);
	text = printed(&report, 0);
	CHECK_STR(text, "nothing to do\n");
	free(text);
}

/* ---- hosts: loopback alone */

/* A listening socket of loopback; its port. */
static int listening(int *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 8) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return -1;
	*ret_port = ntohs(address.sin_port);
	return fd;
}

struct proxy {
	int fd;
	const char *answer; /* NULL: none, the connection stays open */
	char request[2048];
};

static void *serve(void *arg)
{
	struct proxy *proxy = arg;
	size_t len = 0;
	int fd = accept(proxy->fd, NULL, NULL);
	ssize_t got;

	while (fd >= 0 && len < sizeof(proxy->request) - 1 &&
	       strstr(proxy->request, "\r\n\r\n") == NULL &&
	       (got = read(fd, proxy->request + len, sizeof(proxy->request) - 1 - len)) > 0)
		len += (size_t)got;
	if (proxy->answer == NULL) /* until the other side gives up */
		while (read(fd, proxy->request + len, 1) > 0)
			;
	else if (write(fd, proxy->answer, strlen(proxy->answer)) < 0)
		perror("# write");
	close(fd);
	return NULL;
}

static const struct {
	const char *answer;
	const char *scheme;
	enum cda_reached want;
	int code;
	const char *request;
} proxies[] = {
	{"HTTP/1.1 200 OK\r\n\r\n", "https", CDA_REACH_OK, 200,
	 "CONNECT far.invalid:443 HTTP/1.1\r\nHost: far.invalid:443\r\n"
	 "Proxy-Authorization: Basic bWU6eDpA\r\n\r\n"},
	{"HTTP/1.0 404 no\r\n\r\n", "http", CDA_REACH_OK, 404,
	 "HEAD http://far.invalid:443/ HTTP/1.1\r\nHost: far.invalid:443\r\n"
	 "Proxy-Authorization: Basic bWU6eDpA\r\n\r\n"},
	{"HTTP/1.1 407 who\r\n\r\n", "https", CDA_REACH_PROXY, 407, NULL},
	{"HTTP/1.1 502 bad\r\n\r\n", "http", CDA_REACH_PROXY, 502, NULL},
	{"220 mail.invalid\r\n", "https", CDA_REACH_PROXY, 0, NULL},
	{"short", "https", CDA_REACH_PROXY, 0, NULL},
	{"", "https", CDA_REACH_PROXY, 0, NULL},
	{NULL, "https", CDA_REACH_LATE, -1, NULL},
};

TEST(a_proxy_is_asked_as_a_program_would)
{
	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++) {
		struct cda_target target = {.to = {.host = "far.invalid", .port = 443},
					    .proxied = true,
					    .proxy = {"http", "127.0.0.1", 0},
					    .login = "me:x:@"};
		struct proxy proxy = {.answer = proxies[i].answer};
		pthread_t thread;

		cda_put(target.to.scheme, sizeof(target.to.scheme), "%s", proxies[i].scheme);
		proxy.fd = listening(&target.proxy.port);
		REQUIRE(proxy.fd >= 0);
		REQUIRE(pthread_create(&thread, NULL, serve, &proxy) == 0);
		cda_reach(&target, 1, proxies[i].answer != NULL ? 60000 : 300);
		CHECK_INT_AT(target.result, proxies[i].want, "row %zu", i);
		if (proxies[i].code >= 0)
			CHECK_INT_AT(target.code, proxies[i].code, "row %zu", i);
		pthread_join(thread, NULL);
		if (proxies[i].request != NULL)
			CHECK_STR_AT(proxy.request, proxies[i].request, "row %zu", i);
		close(proxy.fd);
	}
}

TEST(hosts_are_reached_refused_or_without_a_name)
{
	struct cda_target targets[4] = {{.to = {"http", "127.0.0.1", 0}},
					{.to = {"http", "127.0.0.1", 0}},
					{.to = {"http", "a..b", 80}},
					{.to = {"https", "localhost", 0}, .proxied = true}};
	int open = listening(&targets[0].to.port), closed = listening(&targets[1].to.port);

	REQUIRE(open >= 0 && closed >= 0);
	close(closed);
	/* A proxy that speaks something else: that it listens is enough. */
	targets[3].proxy = targets[0].to;
	cda_put(targets[3].proxy.scheme, sizeof(targets[3].proxy.scheme), "socks5");
	cda_reach(targets, 4, 60000);
	CHECK_INT(targets[0].result, CDA_REACH_OK);
	CHECK_INT(targets[1].result, CDA_REACH_REFUSED);
	CHECK_INT(targets[1].code, ECONNREFUSED);
	CHECK_INT(targets[2].result, CDA_REACH_NO_NAME);
	CHECK_INT(targets[3].result, CDA_REACH_OK);
	close(open);
}

/* ---- findings, in a folder that is made for each row */

static char folder[] = "/tmp/cda-doctor.XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Write text to a file below the folder, its parents made. A path with '/' at its end: a folder. */
static void put(const char *path, const char *text, mode_t mode)
{
	char whole[PATH_MAX];
	int fd;

	cda_put(whole, sizeof(whole), "%s%s", folder, path);
	for (char *at = whole + strlen(folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(whole, 0755);
		*at = '/';
	}
	if (whole[strlen(whole) - 1] == '/') {
		chmod(whole, mode);
		return;
	}
	unlink(whole);
	fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	/* Another's than root's, also where root tests; chown takes the setuid bit away. */
	if (fd < 0 || write(fd, text, strlen(text)) < 0 ||
	    (geteuid() == 0 && fchown(fd, 3000, 3000) != 0) || fchmod(fd, mode) != 0)
		perror(whole);
	if (fd >= 0)
		close(fd);
}

static void healthy(void)
{
	put("/etc/passwd",
	    "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n"
	    "anaconda:x:3000:3000::/home/anaconda:/bin/bash\n",
	    0644);
	put("/etc/group", "root:x:0:\nanaconda:x:3000:\n", 0644);
	put("/etc/condense/policy", "account anaconda\npackages start\n", 0644);
	put("/home/anaconda/", NULL, 0770);
	put("/main/", NULL, 0775);
	put("/tmp/", NULL, 01777);
	put("/startup", "", 04755);
	put("/usr/bin/apt-get", "", 0755);
	put("/opt/conda/conda-meta/python-3.13.5-0.json", "{}", 0660);
	put("/opt/conda/conda-meta/conda-26.11.0-0.json", "{}", 0660);
	put("/opt/conda/bin/conda", "", 0755);
	put("/opt/conda/bin/python", "", 0755);
	put("/opt/conda/bin/pip", "", 0755);
	put("/var/lib/dpkg/status",
	    "Package: curl\nStatus: install ok installed\nArchitecture: all\nVersion: 7-1\n", 0644);
	put("/proc/self/mountinfo", "1 0 0:1 / / rw - overlay overlay rw\n", 0444);
	put("/proc/self/uid_map", "         0          0 4294967295\n", 0444);
	put("/proc/1/cmdline", "/usr/lib/condense/entry", 0444);
	put("/proc/1/stat", "1 (entry) S 0 1 1", 0444);
}

static const char *const usual[] = {"HOME=/home/anaconda", "PATH=/opt/conda/bin:/usr/bin",
				    "LANG=C.UTF-8", "CONDA_PREFIX=/opt/conda",
				    "CONDA_DEFAULT_ENV=base"};

static const struct {
	const char *name;
	const char *path, *text; /* a file that is different; text NULL: it is missing */
	mode_t mode;
	const char *env[3];
	uint32_t uid; /* 0: 3000 */
	bool no_new_privs, no_capabilities;
	/* "PART ID VERDICT" of a finding, and a part of its text or of what to do. With NULL, there
	 * is no problem and no note. */
	const char *want, *says;
} rows[] = {
	{"healthy", .want = NULL},
	{"versions", .want = "image versions ok", .says = "conda 26.11.0, Python 3.13.5"},
	{"Miniconda", "/opt/conda/lib/python3.13/site-packages/conda/", "", 0755,
	 .want = "image versions ok", .says = "release Miniconda"},
	{"no name", .uid = 54321, .want = "identity user problem", .says = "uid 54321 has no name"},
	{"a name without an account", "/etc/nsswitch.conf", "passwd: files condense\n", 0644,
	 .uid = 54321, .want = "identity user note", .says = "see the name 'anaconda'"},
	{"no passwd", "/etc/passwd", .want = "identity user problem", .says = "has no name"},
	{"another account", .uid = 1, .want = "identity user note", .says = "account 'daemon'"},
	{"mapped", "/var/lib/condense/account",
	 "name anaconda\nhome /home/anaconda\nimage_uid 4000\n", 0644, .want = "identity user ok",
	 .says = "which had uid 4000"},
	{"no HOME", .env = {"HOME="}, .want = "identity home problem", .says = "no path from '/'"},
	{"odd HOME", .env = {"HOME=x\033y"}, .want = "identity home problem", .says = "HOME is 'x"},
	{"missing HOME", .env = {"HOME=/nowhere"}, .want = "identity home problem",
	 .says = "No such file"},
	{"missing HOME, a private one", "/tmp/home-3000/", "", 0700, .env = {"HOME=/nowhere"},
	 .want = "identity home note", .says = "-e HOME=/tmp/home-3000"},
	{"HOME is a file", .env = {"HOME=/startup"}, .want = "identity home problem",
	 .says = "Not a directory"},
	{"another HOME", .env = {"HOME=/main"}, .want = "identity home note", .says = "passwd"},
	{"a file of another uid in the home", "/home/anaconda/.profile", "", 0640, .uid = 3001,
	 .want = "identity home-owner note", .says = "such as '.profile'"},
	{"a home in tmp", "/tmp/home-3000/", "", 0700, .env = {"HOME=/tmp/home-3000"},
	 .want = "identity home note", .says = "goes with the container"},
	{"NEW_USER as it is", .env = {"NEW_USER=anaconda"}, .want = "identity new-user ok",
	 .says = "'anaconda'"},
	{"NEW_USER not done", .env = {"NEW_USER=dja"}, .want = "identity new-user problem",
	 .says = "asks for 'dja'"},
	{"NEW_USER is no name", .env = {"NEW_USER=a b"}, .want = "identity new-user problem",
	 .says = "no name for an account"},
	{"NEW_HOME not done", .env = {"NEW_HOME=/home/x"}, .want = "identity new-home problem",
	 .says = "'/home/x'"},
	{"user namespace", "/proc/self/uid_map", "0 100000 65536\n", 0444,
	 .want = "identity user-namespace note", .says = "uid 103000 outside"},
	{"no new privileges, nothing wanted", .no_new_privs = true,
	 .want = "setuid no-new-privileges note", .says = "allowPrivilegeEscalation"},
	{"no new privileges, a name wanted", .no_new_privs = true, .uid = 54321,
	 .want = "setuid no-new-privileges problem", .says = "no effect"},
	{"capabilities", .no_capabilities = true, .want = "setuid capabilities note",
	 .says = "CHOWN, DAC_OVERRIDE"},
	{"capabilities, what to do", .no_capabilities = true, .want = "setuid capabilities note",
	 .says = "--cap-add CHOWN --cap-add"},
	{"no startup", "/startup", .want = "setuid startup note", .says = "not there"},
	{"startup without its bit", "/startup", "", 0755, .want = "setuid startup note",
	 .says = "not setuid root"},
	{"no policy", "/etc/condense/policy", .want = "setuid policy ok", .says = "defaults"},
	{"a bad policy", "/etc/condense/policy", "nonsense\n", 0644,
	 .want = "setuid policy problem", .says = "line 1"},
	{"never", "/etc/condense/policy", "packages never\n", 0644, .want = "setuid policy ok",
	 .says = "never"},
	{"limits", "/etc/condense/policy", "users 7-9\nnames curl\nlists /l\n", 0644,
	 .want = "setuid policy ok", .says = "for uids 7-9, from /l, curl"},
	{"a mount", "/proc/self/mountinfo",
	 "1 0 0:1 / / rw - overlay o rw\n2 1 0:2 / /main rw - ext4 x rw\n"
	 "3 1 0:3 / /proc rw - proc p rw\n4 1 0:4 / /etc/hosts rw - ext4 x rw\n",
	 0444, .want = "mounts mount ok", .says = "'/main': uid"},
	{"a read-only mount", "/proc/self/mountinfo", "2 1 0:2 / /main ro - ext4 x rw\n", 0444,
	 .want = "mounts mount ok", .says = "; read-only"},
	{"an idmapped mount", "/proc/self/mountinfo", "2 1 0:2 / /main rw,idmapped - ext4 x rw\n",
	 0444, .want = "mounts idmapped note", .says = "'/main'"},
	{"no mountinfo", "/proc/self/mountinfo", .want = "mounts mountinfo note",
	 .says = "cannot be read"},
	{"nothing mounted", .want = "mounts mounts ok", .says = "nothing is mounted"},
	{"no list", .want = "lists none ok", .says = "no list"},
	{"an empty list", "/tmp/pip_requirements.txt", "# nothing\n", 0644, .want = "lists list ok",
	 .says = "is empty"},
	{"a list that is installed", "/tmp/apt_requirements.txt", "curl=7-1\n", 0644,
	 .want = "lists list ok", .says = "is installed"},
	{"a list that is not", "/tmp/apt_requirements.txt", "curl hello\n", 0644,
	 .want = "lists list problem", .says = "'hello' is missing"},
	{"another version", "/tmp/apt_requirements.txt", "curl=7-2\n", 0644,
	 .want = "lists list problem", .says = "'curl=7-2' is missing"},
	{"a list that is not, without new privileges", "/tmp/apt_requirements.txt", "hello\n", 0644,
	 .no_new_privs = true, .want = "setuid no-new-privileges problem", .says = "no effect"},
	{"a list of many", "/tmp/apt_requirements.txt", "aa bb\ncc dd", 0644,
	 .want = "lists list problem", .says = "'aa', 'bb', 'cc' and others are missing"},
	{"a list for pip that is not", "/tmp/pip_requirements.txt", "requests\n", 0644,
	 .want = "lists list problem", .says = "/entrypoint.sh true"},
	{"tabs in an environment", "/tmp/environment.yml", "dependencies:\n\t- a\n", 0644,
	 .want = "lists list problem", .says = "line 2: YAML"},
	{"a bad line for apt", "/tmp/apt_requirements.txt", "curl\n\n/etc/x.deb\n", 0644,
	 .want = "lists list problem", .says = "line 3"},
	{"a bad line for pip", "/tmp/pip_requirements.txt", "a b\n", 0644,
	 .want = "lists list problem", .says = "line 1"},
	{"a bad line for conda", "/l", "numpy\n- scipy\n", 0644, .env = {"CONDA_REQUIREMENTS=/l"},
	 .want = "lists list problem", .says = "'/l' line 2"},
	{"no environment", "/tmp/environment.yml", "name: x\n", 0644, .want = "lists list problem",
	 .says = "'dependencies:'"},
	{"a folder for a list", "/tmp/pip_requirements.txt/", "", 0755,
	 .want = "lists list problem", .says = "not a regular file"},
	{"a list that is named and missing", .env = {"PIP_REQUIREMENTS=/l"},
	 .want = "lists list note", .says = "'/l' is not there"},
	{"a mirror", .env = {"CONDENSE_MIRROR=http://u:secret@m/x"}, .want = "settings mirror ok",
	 .says = "http://m/x/debian (CONDENSE_MIRROR)"},
	{"a proxy of the policy", "/etc/condense/policy", "proxy http://u:secret@p:3128\n", 0644,
	 .want = "settings proxy ok", .says = "http://p:3128 (of the policy)"},
	{"a bad setting", .env = {"CONDENSE_OFFLINE=maybe"}, .want = "settings refused problem",
	 .says = "CONDENSE_OFFLINE"},
	{"no such certificates", .env = {"CONDENSE_CA=/ca.pem"}, .want = "settings ca problem",
	 .says = "No such file"},
	{"certificates that are none", "/ca.pem", "hello\n", 0644, .env = {"CONDENSE_CA=/ca.pem"},
	 .want = "settings ca problem", .says = "PEM"},
	{"certificates", "/ca.pem",
	 "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n", 0644,
	 .env = {"CONDENSE_CA=/ca.pem"}, .want = "settings ca ok", .says = "1 in '/ca.pem'"},
	{"offline", .env = {"CONDENSE_OFFLINE=yes"}, .want = "settings offline ok",
	 .says = "offline"},
	{"a secret", "/run/secrets/netrc", "machine x", 0600, .want = "settings secret ok",
	 .says = "netrc"},
	{"settings of the policy alone", "/etc/condense/policy", "settings policy\n", 0644,
	 .env = {"CONDENSE_OFFLINE=yes"}, .want = "settings ignored note", .says = "no effect"},
	{"no prefix", "/opt/conda/conda-meta/", NULL, .want = "image prefix problem",
	 .says = "no environment of conda"},
	{"no Python", "/opt/conda/conda-meta/python-3.13.5-0.json", .want = "image python problem",
	 .says = "no Python"},
	{"a record of root's", "/opt/conda/conda-meta/x-1-0.json", "{}", 0644,
	 .want = "image records problem", .says = "1 record "},
	{"no PATH", .env = {"PATH="}, .want = "image path problem", .says = "not set"},
	{"the present folder in PATH", .env = {"PATH=/opt/conda/bin:.:/usr/bin"},
	 .want = "image path problem", .says = "present folder: '.'"},
	{"an empty part of PATH", .env = {"PATH=/opt/conda/bin:"}, .want = "image path problem",
	 .says = "present folder: ''"},
	{"everybody's folder in PATH", .env = {"PATH=/opt/conda/bin:/tmp"},
	 .want = "image path problem", .says = "'/tmp'"},
	{"without conda in PATH", .env = {"PATH=/usr/bin"}, .want = "image path problem",
	 .says = "'/opt/conda/bin/python'"},
	{"another python first", "/usr/bin/python", "", 0755,
	 .env = {"PATH=/usr/bin:/opt/conda/bin"}, .want = "image path note",
	 .says = "'/usr/bin/python'"},
	{"no environment is active", .env = {"CONDA_PREFIX="}, .want = "image activation note",
	 .says = "CONDA_PREFIX"},
	{"PYTHONHOME", .env = {"PYTHONHOME=/x"}, .want = "image variable note",
	 .says = "PYTHONHOME"},
	{"locale", .env = {"LANG=C"}, .want = "image locale note", .says = "'C'"},
	{"another process 1", "/proc/1/cmdline", "/bin/sh", 0444, .want = "image process-1 note",
	 .says = "'/bin/sh'"},
	{"another process 1, entry below", "/proc/1/cmdline", "/sbin/docker-init", 0444,
	 .want = "image process-1 note", .says = "docker-init"},
	{"no proc", "/proc/1/", NULL, .want = "image process-1 note", .says = "does not show"},
	{"a zombie", "/proc/7/stat", "7 (a) b) Z 5 1 1", 0444, .want = "image zombies note",
	 .says = "child of process 5"},
	{"network left out", .want = "network left-out ok", .says = "--no-network"},
};

static const char *const parts[] = {"identity", "setuid",  "mounts", "lists",
				    "settings", "network", "image"};
static const char *const verdicts[] = {"ok", "note", "problem"};

static bool has(const struct cda_report *report, const char *want, const char *says)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct cda_finding *f = &report->findings[i];
		char key[128];

		cda_put(key, sizeof(key), "%s %s %s", parts[f->part], f->id, verdicts[f->verdict]);
		if (strcmp(key, want) == 0 && (strstr(f->text, says) != NULL ||
					       (f->todo != NULL && strstr(f->todo, says) != NULL)))
			return true;
	}
	return false;
}

/* The row's variables in front: the first of a name counts. */
static void look(size_t row, struct cda_report *report)
{
	static struct cda_world world;
	static char *env[16];
	size_t count = 0;

	for (size_t i = 0; i < 3 && rows[row].env[i] != NULL; i++)
		env[count++] = (char *)rows[row].env[i];
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		env[count++] = (char *)usual[i];
	env[count] = NULL;
	world = (struct cda_world){.root = folder,
				   .env = env,
				   .uid = rows[row].uid != 0 ? rows[row].uid : 3000,
				   .gid = 3000,
				   .no_new_privs = rows[row].no_new_privs,
				   .bounding = rows[row].no_capabilities ? 0 : ~(uint64_t)0,
				   .umask = 007,
				   .cwd = "/main"};
	cda_probe_all(&world, 0, report);
}

TEST(findings_of_folders)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_report report = {.count = 0};
		char *text;

		cda_put(folder, sizeof(folder), "%s", "/tmp/cda-doctor.XXXXXX");
		REQUIRE(mkdtemp(folder) != NULL);
		healthy();
		if (rows[i].path != NULL && rows[i].text != NULL) {
			put(rows[i].path, rows[i].text, rows[i].mode);
		} else if (rows[i].path != NULL) {
			char whole[PATH_MAX];

			cda_put(whole, sizeof(whole), "%s%s", folder, rows[i].path);
			nftw(whole, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		}
		look(i, &report);
		text = printed(&report, 0);
		if (rows[i].want == NULL) {
			if (!CHECK_AT(strstr(text, "\n  note") == NULL &&
					      strstr(text, "\n  problem") == NULL,
				      "row '%s'", rows[i].name))
				fprintf(stderr, "%s", text);
		} else if (!CHECK_AT(has(&report, rows[i].want, rows[i].says), "row '%s'",
				     rows[i].name)) {
			fprintf(stderr, "%s", text);
		}
		CHECK_AT(strstr(text, "secret@") == NULL, "row '%s'", rows[i].name);
		free(text);
		cda_report_free(&report);
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
}
