/* What decides whether a list is installed again, and what is said about one: hashes, databases of
 * the distributions, stamps, names, URLs without their secrets. */
#include "check.h"
#include "runtime/blame.h"
#include "runtime/include.h"
#include "runtime/osdb.h"
#include "runtime/policy.h"
#include "runtime/prefix.h"
#include "runtime/redact.h"
#include "runtime/reqlist.h"
#include "runtime/stamp.h"

#include <fcntl.h>
#include <unistd.h>

static struct cda_text text_of(const char *str)
{
	return (struct cda_text){
		.data = (char *)(uintptr_t)str, .len = strlen(str), .cap = strlen(str)};
}

/* FIPS 180-4's examples, with the two-block and the long one; the empty text. */
TEST(sha256_has_the_published_values)
{
	static const struct {
		const char *text, *hash;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqk"
		 "lm"
		 "nopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	char hex[CDA_SHA256_HEX];
	struct cda_sha256 sum;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cda_sha256_init(&sum);
		cda_sha256_add(&sum, rows[i].text, strlen(rows[i].text));
		cda_sha256_hex(&sum, hex);
		CHECK_STR_AT(hex, rows[i].hash, "'%s'", rows[i].text);
		/* A byte at a time. */
		cda_sha256_init(&sum);
		for (const char *p = rows[i].text; *p != '\0'; p++)
			cda_sha256_add(&sum, p, 1);
		cda_sha256_hex(&sum, hex);
		CHECK_STR_AT(hex, rows[i].hash, "'%s' byte by byte", rows[i].text);
	}
	cda_sha256_init(&sum);
	for (int i = 0; i < 1000000; i += 8)
		cda_sha256_add(&sum, "aaaaaaaa", 8);
	cda_sha256_hex(&sum, hex);
	CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(urls_lose_their_secrets)
{
	static const char *const rows[][2] = {
		{"no url at all", "no url at all"},
		{"https://host/path", "https://host/path"},
		{"https://user:secret@host/path", "https://user:***@host/path"},
		{"see 'https://user:secret@host/p', then", "see 'https://user:***@host/p', then"},
		{"https://token@host/p", "https://***@host/p"},
		{"https://:secret@host", "https://:***@host"},
		{"https://user:se@cr@et@host:81/p", "https://user:***@host:81/p"},
		{"https://user:se/cr?et@host/p", "https://user:***@host/p"},
		{"https://host:8080/a@b", "https://host:8080/a@b"},
		{"https://[::1]:80/a@b", "https://[::1]:80/a@b"},
		{"git+https://u:p@host/x@v1#egg=x", "git+https://u:***@host/x@v1#egg=x"},
		{"https://host/t/tk-123/channel", "https://host/t/***/channel"},
		{"https://u:p@host/t/tk-123", "https://u:***@host/t/***"},
		{"https://host/t/a b", "https://host/t/*** b"},
		{"/usr/t/file stays", "/usr/t/file stays"},
		{"a https://u:p@h and b ftp://v:q@h", "a https://u:***@h and b ftp://v:***@h"},
		{"://", "://"},
		{"x://@", "x://***@"},
		{"(http://user:p)w@host)", "(http://user:***@host)"},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = cda_redact(rows[i][0], strlen(rows[i][0]), out, sizeof(out) - 1);

		out[len] = '\0';
		CHECK_STR_AT(out, rows[i][1], "'%s'", rows[i][0]);
		len = cda_redact(rows[i][0], strlen(rows[i][0]), out, 5);
		CHECK_AT(len <= 5, "'%s' in 5 bytes", rows[i][0]);
	}
}

TEST(a_list_is_text_in_utf_8)
{
	static const char utf16[] = "is UTF-16; save it as UTF-8";
	static const char utf32[] = "is UTF-32; save it as UTF-8";
	static const char binary[] = "is no text: it has bytes of value 0";
	static const struct {
		const char *what, *text;
		size_t len;
		const char *unfit;
	} rows[] = {
		{"nothing", "", 0, NULL},
		{"a name", "jq\n", 3, NULL},
		{"a mark of UTF-8", "\xef\xbb\xbfjq\n", 6, NULL},
		{"UTF-8", "# \xc3\xa4\njq\n", 8, NULL},
		{"half a mark", "\xff", 1, NULL},
		{"Notepad's", "\xff\xfej\0q\0\n\0", 8, utf16},
		{"a mark alone", "\xff\xfe", 2, utf16},
		{"big endian", "\xfe\xff\0j\0q", 6, utf16},
		{"no mark", "j\0q\0", 4, utf16},
		{"big endian, no mark", "\0j\0q", 4, utf16},
		{"a letter beyond 255", "\xff\xfe\x01\x01", 4, utf16},
		{"UTF-32", "\xff\xfe\0\0j\0\0\0", 8, utf32},
		{"one NUL", "\0", 1, binary},
		{"a NUL in the middle", "jq\0tree\n", 8, binary},
		{"a NUL at the end", "jq\n\0", 4, binary},
		{"an odd length", "j\0q", 3, binary},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *unfit = cda_list_unfit((struct cda_span){rows[i].text, rows[i].len});

		CHECK_STR_AT(unfit != NULL ? unfit : "", rows[i].unfit != NULL ? rows[i].unfit : "",
			     "%s", rows[i].what);
	}
}

/* ---- dpkg's and apk's databases */

#define STANZA(name, status, arch, version)                                                        \
	"Package: " name "\nStatus: " status "\nPriority: optional\nArchitecture: " arch           \
	"\nVersion: " version "\nDescription: a text\n Package: inside\n .\n more\n\n"

#if defined(__x86_64__)
#define NATIVE "amd64"
#else
#define NATIVE "arm64"
#endif

static const char dpkg[] = STANZA("jq", "install ok installed", NATIVE, "1.7.1-6")
	STANZA("libjq1", "hold ok installed", NATIVE,
	       "1:1.7.1-6") STANZA("tzdata", "install ok installed", "all", "2025b-4")
		STANZA("gone", "deinstall ok config-files", NATIVE,
		       "1") STANZA("half", "install ok half-configured", NATIVE, "1")
			STANZA("broken", "install reinstreq installed", NATIVE, "1")
				STANZA("other", "install ok installed", "riscv64", "1")
					STANZA("twice",
					       "install ok installed\nStatus: install ok installed",
					       NATIVE, "1")
						STANZA("last", "install ok installed", NATIVE, "9");
static const char apk[] =
	"C:Q1abc=\nP:jq\nV:1.7.1-r0\nA:x86_64\nD:oniguruma so:libc\np:cmd:jq=1.7\n"
	"F:usr/bin\nR:jq\n\nP:tree\nV:2.1.1-r0\nP:less\n\nP:novers\n\n"
	"F:P:inside\nP:last\nV:1-r0\n";

struct row {
	const char *word;
	enum cda_held held;
};

static const struct row dpkg_rows[] = {
	{"jq", CDA_THERE},
	{"jq:" NATIVE, CDA_THERE},
	{"jq:i386", CDA_ABSENT},
	{"jq=1.7.1-6", CDA_THERE},
	{"jq=1.7.1", CDA_OTHER},
	{"jq:" NATIVE "=1.7.1-6", CDA_THERE},
	{"jq:" NATIVE "=1:1.7.1-6", CDA_OTHER},
	{"libjq1", CDA_THERE},
	{"libjq1=1:1.7.1-6", CDA_THERE},
	{"libjq1=1.7.1-6", CDA_OTHER},
	{"tzdata", CDA_THERE},
	{"tzdata:i386", CDA_THERE},
	{"gone", CDA_ABSENT},
	{"half", CDA_ABSENT},
	{"broken", CDA_ABSENT},
	{"other", CDA_ABSENT},
	{"other:riscv64", CDA_THERE},
	{"other:any", CDA_THERE},
	{"twice", CDA_ABSENT},
	{"inside", CDA_ABSENT},
	{"j", CDA_ABSENT},
	{"jqq", CDA_ABSENT},
	{"last", CDA_THERE},
};

static const struct row apk_rows[] = {
	{"jq", CDA_THERE},           {"jq=1.7.1-r0", CDA_THERE}, {"jq=1.7.1", CDA_OTHER},
	{"jq>=1.6-r0", CDA_RANGE},   {"jq<2", CDA_RANGE},        {"jq~1.7", CDA_RANGE},
	{"jq==1.7.1-r0", CDA_RANGE}, {"tree", CDA_ABSENT},       {"less", CDA_ABSENT},
	{"novers", CDA_ABSENT},      {"inside", CDA_ABSENT},     {"oniguruma", CDA_ABSENT},
	{"last", CDA_THERE},
};

static void check_rows(enum cda_pm pm, const char *text, const struct row *rows, size_t count)
{
	static struct cda_reqlist list;
	uint8_t held[CDA_LIST_NAMES];
	struct cda_osdb db;

	list.count = (int)count;
	for (size_t i = 0; i < count; i++)
		snprintf(list.pkgs[i].text, sizeof(list.pkgs[i].text), "%s", rows[i].word);
	for (size_t piece = 1; piece <= strlen(text); piece = piece * 3 + 1) {
		cda_osdb_init(&db, pm, &list, held);
		for (size_t at = 0; at < strlen(text); at += piece)
			cda_osdb_add(&db, text + at,
				     strlen(text) - at < piece ? strlen(text) - at : piece);
		cda_osdb_end(&db);
		for (size_t i = 0; i < count; i++)
			CHECK_INT_AT(held[i], rows[i].held, "'%s' in pieces of %zu", rows[i].word,
				     piece);
	}
}

TEST(dpkg_says_what_is_installed)
{
	check_rows(CDA_APT, dpkg, dpkg_rows, sizeof(dpkg_rows) / sizeof(*dpkg_rows));
}

TEST(apk_says_what_is_installed)
{
	check_rows(CDA_APK, apk, apk_rows, sizeof(apk_rows) / sizeof(*apk_rows));
}

TEST(a_record_that_does_not_parse_is_not_installed)
{
	static const struct row rows[] = {{"jq", CDA_ABSENT}, {"tree", CDA_THERE}};
	static char text[4096], version[1024];
	static const char *const heads[] = {"P:jq\nP:jq\nV:1\n", "P:jq\nV:1\nV:1\n",
					    "P:\nP:jq\nV:1\n", "P:jq\nV:\n", "V:1\n"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		snprintf(text, sizeof(text), "%s\nP:tree\nV:1\n", heads[i]);
		check_rows(CDA_APK, text, rows, 2);
	}
	memset(version, '1', sizeof(version) - 1);
	snprintf(text, sizeof(text), "P:jq\nV:%s\n\nP:tree\nV:1\n", version);
	check_rows(CDA_APK, text, rows, 2);
}

/* ---- stamps */

TEST(a_stamp_holds_while_no_name_vanished)
{
	char data[512], hash[CDA_SHA256_HEX], other[CDA_SHA256_HEX];
	struct cda_text stamp = {.data = data, .cap = sizeof(data)}, old = text_of("jq\ntree\n");
	struct cda_names names;
	struct cda_sha256 sum;

	cda_sha256_init(&sum);
	cda_sha256_hex(&sum, hash);
	cda_sha256_init(&sum);
	cda_sha256_add(&sum, "x", 1);
	cda_sha256_hex(&sum, other);
	cda_stamp_begin(&stamp, hash);
	cda_stamp_add(&stamp, "conda numpy");
	cda_stamp_add(&stamp, "pip soupsieve");
	CHECK(cda_stamp_is(&stamp, hash));
	CHECK(!cda_stamp_is(&stamp, other));
	CHECK(!cda_stamp_is(&old, hash));
	CHECK_INT(cda_names_init(&names), 0);
	cda_names_add(&names, "conda numpy");
	CHECK(!cda_stamp_holds(&stamp, &names));
	cda_names_add(&names, "conda soupsieve");
	CHECK(!cda_stamp_holds(&stamp, &names));
	cda_names_add(&names, "pip soupsieve");
	CHECK(cda_stamp_holds(&stamp, &names));
	cda_names_add(&names, "pip another");
	CHECK(cda_stamp_holds(&stamp, &names));
	/* However many there are, a search ends, and what is left out has vanished. */
	for (int i = 0; i < 100000; i++) {
		snprintf(data, sizeof(data), "conda n%d", i);
		cda_names_add(&names, data);
	}
	CHECK(cda_names_has(&names, (struct cda_span){"conda n7", 8}));
	CHECK(!cda_names_has(&names, (struct cda_span){"conda n99999", 12}));
	cda_names_done(&names);
}

TEST(names_of_what_the_prefix_has)
{
	static const struct {
		const char *file, *conda, *pip;
	} rows[] = {
		{"numpy-2.3.1-py313h1_0.json", "conda numpy", NULL},
		{"ca-certificates-2025.1-h_0.json", "conda ca-certificates", NULL},
		{"history", NULL, NULL},
		{"-1-0.json", NULL, NULL},
		{"a-0.json", NULL, NULL},
		{"typing_extensions-4.15.0.dist-info", NULL, "pip typing_extensions"},
		{"Typing.Extensions-4.15.0.dist-info", NULL, "pip typing_extensions"},
		{"zope-interface-1.dist-info", NULL, "pip zope_interface"},
		{"-1.dist-info", NULL, NULL},
		{".dist-info", NULL, NULL},
	};
	char name[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = cda_prefix_conda_name(rows[i].file, name, sizeof(name));

		CHECK_STR_AT(rc == 0 ? name : NULL, rows[i].conda, "'%s'", rows[i].file);
		rc = cda_prefix_pip_name(rows[i].file, name, sizeof(name));
		CHECK_STR_AT(rc == 0 ? name : NULL, rows[i].pip, "'%s'", rows[i].file);
	}
}

TEST(the_policy_says_whether_recommends_come_along)
{
	static const struct {
		const char *text;
		int rc;
		bool recommends;
	} rows[] = {{"", 0, false},
		    {"recommends yes\n", 0, true},
		    {"recommends no\n", 0, false},
		    {"recommends\n", -1, false},
		    {"recommends maybe\n", -1, false}};
	static struct cda_policy policy;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_text text = text_of(rows[i].text);
		int rc = cda_policy_parse(&text, &policy);

		CHECK_INT_AT(rc, rows[i].rc, "'%s'", rows[i].text);
		if (rc == 0)
			CHECK_INT_AT(policy.recommends, rows[i].recommends, "'%s'", rows[i].text);
	}
}

/* ---- lists of conda's and pip's */

TEST(included_files_are_found)
{
	static const char *const rows[][2] = {
		{"-r other.txt", "other.txt"},
		{"  -rother.txt\r", "other.txt"},
		{"--requirement other.txt", "other.txt"},
		{"--requirement=\"a b.txt\"", "a b.txt"},
		{"-c ../c.txt # why", "../c.txt"},
		{"--constraint /abs/c.txt", "/abs/c.txt"},
		{"    - -r other.txt", "other.txt"},
		{"    - '-r other.txt'", "other.txt"},
		{"-r a#b.txt", "a#b.txt"},
		{"-r https://host/list.txt", NULL},
		{"--requirements x", NULL},
		{"-e ./local", NULL},
		{"requests", NULL},
		{"# -r no.txt", NULL},
		{"-r", NULL},
		{"-r ''", NULL},
		{"", NULL},
	};
	char path[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool found = cda_include_of((struct cda_span){rows[i][0], strlen(rows[i][0])}, path,
					    sizeof(path));

		CHECK_STR_AT(found ? path : NULL, rows[i][1], "'%s'", rows[i][0]);
	}
}

static void put_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void sum_file(const char *path, const char *text, char ret[CDA_SHA256_HEX])
{
	struct cda_text list = text_of(text);
	struct cda_sha256 sum;

	cda_sha256_init(&sum);
	cda_include_sum(&sum, path, &list);
	cda_sha256_hex(&sum, ret);
}

TEST(a_list_changes_with_what_it_includes)
{
	static const char text[] = "-r a.txt\n-r deep/b.txt\nrequests\n";
	char folder[] = "/tmp/cda-include.XXXXXX", path[64];
	char first[CDA_SHA256_HEX], now[CDA_SHA256_HEX];
	int dir;

	REQUIRE(mkdtemp(folder) != NULL);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(dir >= 0 && mkdirat(dir, "deep", 0700) == 0);
	snprintf(path, sizeof(path), "%s/list.txt", folder);
	put_file(dir, "a.txt", "one\n-r list.txt\n"); /* a circle */
	put_file(dir, "list.txt", text);
	put_file(dir, "deep/b.txt", "-c c.txt\n");
	put_file(dir, "deep/c.txt", "two<2\n");
	sum_file(path, text, first);
	sum_file(path, text, now);
	CHECK_STR(now, first);
	put_file(dir, "deep/c.txt", "two<3\n");
	sum_file(path, text, now);
	CHECK_AT(strcmp(now, first) != 0, "a file below two others");
	put_file(dir, "deep/c.txt", "two<2\n");
	sum_file(path, text, now);
	CHECK_STR(now, first);
	unlinkat(dir, "a.txt", 0);
	sum_file(path, text, now);
	CHECK_AT(strcmp(now, first) != 0, "a file that is gone");
	for (const char *const *name =
		     (const char *const[]){"list.txt", "deep/b.txt", "deep/c.txt", NULL};
	     *name != NULL; name++)
		unlinkat(dir, *name, 0);
	unlinkat(dir, "deep", AT_REMOVEDIR);
	rmdir(folder);
	close(dir);
}

TEST(the_line_of_a_failure_is_found)
{
	static const struct {
		const char *list, *said, *word;
		bool yaml;
		int line;
	} rows[] = {
		{"soupsieve\nabsent==3\n", "No matching distribution found for absent==3", "absent",
		 false, 2},
		{"a\nb\n# absent\nabsent\n", "absent", "absent", false, 4},
		{"python-dateutil\ndateutil\n", "no dateutil here", "dateutil", false, 2},
		{"req\nrequests[x]>1\n", "cannot find requests.", "requests", false, 2},
		{"conda-forge::numpy=1\n", "numpy is not there", "numpy", false, 1},
		{"https://u:p@h/x.whl#sha256=1\n", "cannot get https://u:p@h/x.whl",
		 "https://u:p@h/x.whl", false, 1},
		{"name: absent\nchannels:\n  - absent\ndependencies:\n  - x\n  - absent=1\n",
		 "absent", "absent", true, 6},
		{"dependencies:\n- \"absent>=1\"\n", "absent", "absent", true, 2},
		{"dependencies:\n  - pip:\n      - absent\n", "absent", "absent", true, 3},
		{"dependencies:\n  - pip\n  - pip:\n    - absent\n", "absent: pip ended", "absent",
		 true, 4},
		{"pip\n", "no pip here", "pip", false, 1},
		{"@EXPLICIT\n/a/b-1-0.conda#12\n", "cannot read '/a/b-1-0.conda'", "/a/b-1-0.conda",
		 false, 2},
		{"dependencies: []\nvariables:\n  - absent\n", "absent", NULL, true, 0},
		{"a\n", "nothing of it", NULL, false, 0},
		{"", "x", NULL, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_span list = {rows[i].list, strlen(rows[i].list)}, word;
		char name[64] = "";
		int line = cda_blame_line(list, rows[i].yaml, rows[i].said, &word);

		CHECK_INT_AT(line, rows[i].line, "row %zu", i);
		if (line > 0 && cda_span_copy(word, name, sizeof(name)) == 0)
			CHECK_STR_AT(name, rows[i].word, "row %zu", i);
	}
}

TEST(files_of_python_are_known)
{
	static const char *const rows[][2] = {
		{"https://conda.anaconda.org/conda-forge/linux-64/python-3.12.1-h1_0_cpython.conda",
		 "3.12.1"},
		{"/tmp/python-2.7.18-0.tar.bz2", "2.7.18"},
		{"python-3.13.5-0.conda", "3.13.5"},
		{"https://host/noarch/python-dateutil-2.9-0.conda", NULL},
		{"https://host/noarch/python_abi-3.13-0.conda", NULL},
		{"https://host/linux-64/ipython-9.0-0.conda", NULL},
		{"python=3.12", NULL},
		{"python", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_span version;
		char text[64];
		bool found = cda_blame_python((struct cda_span){rows[i][0], strlen(rows[i][0])},
					      &version) &&
			     cda_span_copy(version, text, sizeof(text)) == 0;

		CHECK_STR_AT(found ? text : NULL, rows[i][1], "'%s'", rows[i][0]);
	}
}

#define RETRY(left)                                                                                \
	"WARNING: Retrying (Retry(total=" left ", connect=None)) after connection broken by "
#define PIP_PROXY                                                                                  \
	"'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy "    \
	"Authentication Required'))': /simple/a/"
#define PIP_REFUSED "'NewConnectionError('[Errno 111] Connection refused')': /simple/a/"
#define PIP_CERTIFICATE                                                                            \
	"'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ...'))': /a/"
#define NO_VERSION                                                                                 \
	"ERROR: Could not find a version that satisfies the requirement a (from versions: "        \
	"none)\nERROR: No matching distribution found for a\n"
#define APT_FETCH(why) "E: Failed to fetch http://h/dists/x/InRelease  " why " [IP: 127.0.0.1 9]"
#define APT_UNSIGNED "E: The repository 'http://h x InRelease' is not signed."

TEST(the_cause_is_the_last_error)
{
	static const char *const rows[][2] = {
		{"warning\nERROR: a\nERROR: b\nhint: c\n", "ERROR: b"},
		{"Collecting\nSomeError: x y\n\n", "SomeError: x y"},
		{"XError: do not fit:\n  - a needs b\n    - c\nhint: d\n",
		 "XError: do not fit: - a needs b - c"},
		{"error: why:\r\n  - a\r\n", "error: why:"},
		{"error: end:", "error: end:"},
		{"error: end:\n ", "error: end: "},
		{"PackagesNotFoundError: not there:\n\n  - a\n\nCurrent channels:\n\n  - b\n",
		 "PackagesNotFoundError: not there: - a"},
		{"ZError: z:\n\nnext\n", "ZError: z:"},
		{"UnavailableInvalidChannel: HTTP 401 for x <u>\n\nadjust.\nUse `conda config`\n",
		 "UnavailableInvalidChannel: HTTP 401 for x <u>"},
		{"InvalidMatchSpec: Invalid spec 'a=>1'\nmore\n",
		 "InvalidMatchSpec: Invalid spec 'a=>1'"},
		{"ERROR: No match for a\n\nCondaEnvException: Pip failed\n",
		 "ERROR: No match for a"},
		{"\nCondaEnvException: Pip failed\n", "CondaEnvException: Pip failed"},
		{"XError: x\nChannel: y\nFound: z\n", "XError: x"},
		{"one\ntwo\n", "two"},
		/* Who gets no index finds no package in it. */
		{RETRY("4") PIP_PROXY "\n" RETRY("0") PIP_PROXY "\n" NO_VERSION,
		 "connection broken by " PIP_PROXY},
		{RETRY("0") PIP_REFUSED "\n" NO_VERSION, "connection broken by " PIP_REFUSED},
		{RETRY("4") PIP_REFUSED "\n" NO_VERSION,
		 "ERROR: No matching distribution found for a"},
		{RETRY("0") PIP_REFUSED "\nERROR: Could not find a version that satisfies a==3 "
					"(from versions: 1, 2)\nERROR: No matching distribution\n",
		 "ERROR: No matching distribution"},
		{"WARNING: 401 Error, Credentials not correct for http://h/\n" NO_VERSION,
		 "WARNING: 401 Error, Credentials not correct for http://h/"},
		{RETRY("0") PIP_PROXY "\nERROR: Invalid requirement: 'a b'\n",
		 "ERROR: Invalid requirement: 'a b'"},
		{NO_VERSION, "ERROR: No matching distribution found for a"},
		{"", "no word from it"},
	};
	char said[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(said, sizeof(said), "%s", rows[i][0]);
		CHECK_STR_AT(cda_blame_cause(said), rows[i][1], "row %zu", i);
	}
}

TEST(what_follows_from_the_network_is_not_the_cause)
{
	static const char *const rows[][3] = {
		{APT_FETCH("407  Proxy Authentication Required") "\n" APT_UNSIGNED, APT_UNSIGNED,
		 APT_FETCH("407  Proxy Authentication Required")},
		{APT_UNSIGNED "\n" APT_FETCH("503  No") "\n" APT_UNSIGNED, APT_UNSIGNED,
		 APT_FETCH("503  No")},
		{APT_UNSIGNED, APT_UNSIGNED, APT_UNSIGNED},
		{APT_FETCH("404  Not Found") "\nE: no space", "E: no space", "E: no space"},
		{"", "", ""},
	};
	char said[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i][0]) - strlen(rows[i][1]);

		snprintf(said, sizeof(said), "%s", rows[i][0]);
		CHECK_STR_AT(cda_blame_behind(said, said + len), rows[i][2], "row %zu", i);
	}
}

TEST(what_may_pass_by_itself_is_tried_again)
{
	static const struct {
		const char *said;
		bool transient;
	} rows[] = {
		{APT_FETCH("407  Proxy Authentication Required") "\n" APT_UNSIGNED, false},
		{APT_FETCH("401  Unauthorized"), false},
		{APT_FETCH("403  Forbidden"), false},
		{APT_FETCH("404  Not Found"), false},
		{APT_FETCH("Certificate verification failed: The certificate is NOT trusted."),
		 false},
		{APT_FETCH("Invalid response from proxy: HTTP/1.0 407 Proxy Authentication"),
		 false},
		{APT_FETCH("500  Internal Server Error"), true},
		{APT_FETCH("503  Service Unavailable"), true},
		{APT_FETCH("Could not connect to h:9. - connect (111: Connection refused)"), true},
		{APT_FETCH("Hash Sum mismatch"), true},
		{"WARNING: updating and opening http://h/alpine: Permission denied", false},
		{"WARNING: updating and opening http://h/alpine: temporary error", true},
		{"WARNING: updating and opening https://h: TLS: server certificate not trusted",
		 false},
		{RETRY("0") PIP_PROXY "\n" NO_VERSION, false},
		{RETRY("0") PIP_CERTIFICATE "\n" NO_VERSION, false},
		{RETRY("0") PIP_REFUSED "\n" NO_VERSION, true},
		{"ERROR: HTTP error 404 while getting http://h/a.whl", false},
		{"ERROR: HTTP error 502 while getting http://h/a.whl", true},
		{"CondaHTTPError: cannot fetch 'https://h/x': the proxy answered 407", false},
		{NO_VERSION, false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_INT_AT(cda_blame_transient(rows[i].said), rows[i].transient, "'%s'",
			     rows[i].said);
}

TEST(a_cause_has_its_next_step)
{
	static const char *const rows[][2] = {
		{APT_FETCH("407  Proxy Authentication Required"), "CONDENSE_PROXY"},
		{PIP_PROXY, "CONDENSE_PROXY"},
		{"CondaHTTPError: cannot fetch 'https://h/x': the proxy answered 407",
		 "CONDENSE_PROXY"},
		{APT_FETCH("401  Unauthorized"), "/run/secrets/netrc"},
		{"UnavailableInvalidChannel: HTTP 401 for x <u>", "/run/secrets/netrc"},
		{APT_FETCH("Certificate verification failed: The certificate is NOT trusted."),
		 "CONDENSE_CA"},
		{PIP_CERTIFICATE, "CONDENSE_CA"},
		{"updating and opening http://h/alpine: Permission denied", "/run/secrets/netrc"},
		{"there is no package 'x401' in http://h:401/", ""},
		{"E: no space", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *hint = cda_blame_hint(rows[i][0]);

		CHECK_AT(rows[i][1][0] == '\0' ? hint[0] == '\0' : strstr(hint, rows[i][1]) != NULL,
			 "'%s': '%s'", rows[i][0], hint);
	}
}
