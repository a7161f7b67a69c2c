/* What decides whether a list is installed again, and what is said about one: hashes, databases of
 * the distributions, stamps, names, URLs without their secrets. */
#include "check.h"
#include "runtime/osdb.h"
#include "runtime/policy.h"
#include "runtime/prefix.h"
#include "runtime/redact.h"
#include "runtime/stamp.h"

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
