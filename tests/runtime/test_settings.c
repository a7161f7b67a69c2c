/* Mirror, proxy, certificate and offline as text, and what is written for apt and apk: rows. */
#include "runtime/archives.h"
#include "runtime/pem.h"
#include "runtime/policy.h"

#include "check.h"

static struct cda_span span_of(const char *str)
{
	return (struct cda_span){str, strlen(str)};
}

/* ---- addresses */

static const struct {
	const char *text;
	bool valid;
	const char *user, *password, *host, *port, *path;
} addresses[] = {
	{"http://h", true, "", "", "h", "", ""},
	{"https://mirror.example.com:8443/a/b", true, "", "", "mirror.example.com", "8443", "/a/b"},
	{"http://u:p@h:1/", true, "u", "p", "h", "1", "/"},
	{"http://u@h", true, "u", "", "h", "", ""},
	{"http://u:a%40b%3ac@h", true, "u", "a%40b%3ac", "h", "", ""},
	{"http://[::1]:3128", true, "", "", "[::1]", "3128", ""},
	{"http://127.0.0.1", true, "", "", "127.0.0.1", "", ""},
	{"file:///mirror", true, "", "", "", "", "/mirror"},
	{"file:///", true, "", "", "", "", "/"},
	{"http://h/debian-security", true, "", "", "h", "", "/debian-security"},
	{"http://h/a@b", true, "", "", "h", "", "/a@b"},
	{"file://host/x", false, "", "", "", "", ""},
	{"file:/x", false, "", "", "", "", ""},
	{"ftp://h", false, "", "", "", "", ""},
	{"HTTP://h", false, "", "", "", "", ""},
	{"h:80", false, "", "", "", "", ""},
	{"http://", false, "", "", "", "", ""},
	{"http:///x", false, "", "", "", "", ""},
	{"http://h:", false, "", "", "", "", ""},
	{"http://h:0", false, "", "", "", "", ""},
	{"http://h:65536", false, "", "", "", "", ""},
	{"http://h:8o", false, "", "", "", "", ""},
	{"http://h:-1", false, "", "", "", "", ""},
	{"http://-h", false, "", "", "", "", ""},
	{"http://h-", false, "", "", "", "", ""},
	{"http://.h", false, "", "", "", "", ""},
	{"http://h..x", false, "", "", "", "", ""},
	{"http://@h", false, "", "", "", "", ""},
	{"http://a@b@h", false, "", "", "", "", ""},
	{"http://a:b:c@h", false, "", "", "", "", ""},
	{"http://u:%0a@h", false, "", "", "", "", ""},
	{"http://u:%20@h", false, "", "", "", "", ""},
	{"http://u:%4@h", false, "", "", "", "", ""},
	{"http://u:\"@h", false, "", "", "", "", ""},
	{"http://h/\"; DPkg::Pre-Invoke", false, "", "", "", "", ""},
	{"http://h/a b", false, "", "", "", "", ""},
	{"http://h/a\nb", false, "", "", "", "", ""},
	{"http://h/a;b", false, "", "", "", "", ""},
	{"http://h/?q", false, "", "", "", "", ""},
	{"http://h/#f", false, "", "", "", "", ""},
	{"http://h/../x", false, "", "", "", "", ""},
	{"http://h/x/..", false, "", "", "", "", ""},
	{"http://h/./x", false, "", "", "", "", ""},
	{"http://h/%2e%2e/x", false, "", "", "", "", ""},
	{"http://h/..x", true, "", "", "h", "", "/..x"},
	{"http://[::1", false, "", "", "", "", ""},
	{"http://[::1]x", false, "", "", "", "", ""},
	{"http://[v1.x]", false, "", "", "", "", ""},
	{"http://h\\x", false, "", "", "", "", ""},
	{"http://\xc3\xa9", false, "", "", "", "", ""},
};

static void check_part(struct cda_span got, const char *want, const char *row)
{
	CHECK_AT(cda_span_is(got, want), "'%s': '%.*s' is not '%s'", row, (int)got.len,
		 got.len > 0 ? got.p : "", want);
}

TEST(addresses_have_one_narrow_form)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		const char *row = addresses[i].text;
		struct cda_address address;
		const char *wrong =
			cda_address_parse(span_of(row), CDA_HTTP | CDA_HTTPS | CDA_FILE, &address);

		CHECK_INT_AT(wrong == NULL, addresses[i].valid, "'%s'", row);
		if (wrong != NULL || !addresses[i].valid)
			continue;
		check_part(address.user, addresses[i].user, row);
		check_part(address.password, addresses[i].password, row);
		check_part(address.host, addresses[i].host, row);
		check_part(address.port, addresses[i].port, row);
		check_part(address.path, addresses[i].path, row);
	}
}

TEST(addresses_are_shown_without_credentials)
{
	static const char *const rows[][2] = {{"http://u:p@h:1/x", "http://h:1/x"},
					      {"http://h/a@b", "http://h/a@b"},
					      {"http://u@h/a@b", "http://h/a@b"},
					      {"file:///a@b", "file:///a@b"},
					      {"http://h", "http://h"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char shown[64];

		cda_address_show(rows[i][0], shown, sizeof(shown));
		CHECK_STR(shown, rows[i][1]);
	}
}

TEST(escapes_are_undone)
{
	char text[8];

	CHECK_INT(cda_address_decode(span_of("a%40b%3A"), text, sizeof(text)), 0);
	CHECK_STR(text, "a@b:");
	CHECK_INT(cda_address_decode(span_of("12345678"), text, sizeof(text)), -1);
	CHECK_INT(cda_address_decode(span_of("1234567"), text, sizeof(text)), 0);
}

/* ---- settings */

static const struct {
	enum cda_setting setting;
	const char *text;
	bool valid;
} values[] = {
	{CDA_MIRROR, "http://h", true},
	{CDA_MIRROR, "https://h/x/ conda=http://c", true},
	{CDA_MIRROR, "conda=http://c pypi=file:///p", true},
	{CDA_MIRROR, "debian=http://d debian-security=http://s alpine=http://a", true},
	{CDA_MIRROR, "none", true},
	{CDA_MIRROR, "http://a http://b", false},
	{CDA_MIRROR, "conda=http://a conda=http://b", false},
	{CDA_MIRROR, "rpm=http://a", false},
	{CDA_MIRROR, "conda=", false},
	{CDA_MIRROR, "=http://h", false},
	{CDA_MIRROR, "  ", false},
	{CDA_MIRROR, "none http://h", false},
	{CDA_MIRROR, "http://h\tconda=http://c", false},
	{CDA_MIRROR, "http://h\nconda=http://c", false},
	{CDA_PROXY, "http://h:3128", true},
	{CDA_PROXY, "http://u:p@h:3128/", true},
	{CDA_PROXY, "none", true},
	{CDA_PROXY, "https://h:3128", false},
	{CDA_PROXY, "socks5://h", false},
	{CDA_PROXY, "h:3128", false},
	{CDA_PROXY, "http://h/x", false},
	{CDA_PROXY, "http://h http://i", false},
	{CDA_CA, "/etc/x.pem", true},
	{CDA_CA, "none", true},
	{CDA_CA, "x.pem", false},
	{CDA_CA, "/x\n", false},
	{CDA_OFFLINE, "yes", true},
	{CDA_OFFLINE, "1", true},
	{CDA_OFFLINE, "true", true},
	{CDA_OFFLINE, "no", true},
	{CDA_OFFLINE, "0", true},
	{CDA_OFFLINE, "false", true},
	{CDA_OFFLINE, "maybe", false},
	{CDA_OFFLINE, "YES", false},
	{CDA_OFFLINE, "", false},
	{CDA_PROXY, "", false},
};

TEST(each_setting_has_its_values)
{
	static struct cda_settings settings;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		memset(&settings, 0, sizeof(settings));
		CHECK_INT_AT(cda_setting_parse(values[i].setting, values[i].text, CDA_FROM_POLICY,
					       &settings) == NULL,
			     values[i].valid, "'%s'", values[i].text);
		CHECK_INT_AT(settings.from[values[i].setting],
			     values[i].valid ? CDA_FROM_POLICY : CDA_UNSET, "'%s'", values[i].text);
	}
}

TEST(values_have_a_greatest_length)
{
	static char text[CDA_SETTING_MAX];
	static struct cda_settings settings;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "http://h/", 9);
	CHECK(cda_setting_parse(CDA_MIRROR, text, CDA_FROM_POLICY, &settings) != NULL);
	text[CDA_ADDRESS_MAX - 1] = '\0';
	/* As a base it would need more room. */
	CHECK(cda_setting_parse(CDA_MIRROR, text, CDA_FROM_POLICY, &settings) != NULL);
	text[CDA_ADDRESS_MAX - 32] = '\0';
	CHECK(cda_setting_parse(CDA_MIRROR, text, CDA_FROM_POLICY, &settings) == NULL);
}

TEST(a_mirror_has_a_folder_for_each_kind)
{
	static struct cda_settings settings;

	CHECK(cda_setting_parse(CDA_MIRROR, "conda=http://c/x/ https://h/m/", CDA_FROM_ENVIRONMENT,
				&settings) == NULL);
	CHECK_STR(settings.mirror[CDA_DEBIAN], "https://h/m/debian");
	CHECK_STR(settings.mirror[CDA_DEBIAN_SECURITY], "https://h/m/debian-security");
	CHECK_STR(settings.mirror[CDA_ALPINE], "https://h/m/alpine");
	CHECK_STR(settings.mirror[CDA_CONDA], "http://c/x");
	CHECK_STR(settings.mirror[CDA_PYPI], "https://h/m/pypi/simple");
	CHECK(cda_setting_parse(CDA_MIRROR, "pypi=http://p", CDA_FROM_ENVIRONMENT, &settings) ==
	      NULL);
	CHECK_STR(settings.mirror[CDA_DEBIAN], "");
	CHECK_STR(settings.mirror[CDA_PYPI], "http://p");
}

static const struct {
	const char *policy, *proxy, *want; /* want NULL: refused */
	enum cda_origin from;
} orders[] = {
	{"", "", "", CDA_UNSET},
	{"", "http://e", "http://e", CDA_FROM_ENVIRONMENT},
	{"proxy http://p\n", "", "http://p", CDA_FROM_POLICY},
	{"proxy http://p\n", "http://e", "http://e", CDA_FROM_ENVIRONMENT},
	{"proxy http://p\nsettings start\n", "http://e", "http://e", CDA_FROM_ENVIRONMENT},
	{"proxy http://p\nsettings policy\n", "http://e", "http://p", CDA_FROM_POLICY},
	{"settings policy\n", "http://e", "", CDA_UNSET},
	{"settings policy\n", "nonsense", "", CDA_UNSET},
	{"proxy http://p\n", "none", "", CDA_FROM_ENVIRONMENT},
	{"", "nonsense", NULL, CDA_UNSET},
};

TEST(the_environment_wins_unless_the_policy_says_otherwise)
{
	static struct cda_setting_texts given;
	static struct cda_settings settings;
	static struct cda_policy policy;

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct cda_text text = {.data = (char *)orders[i].policy,
					.len = strlen(orders[i].policy)};

		CHECK_INT(cda_policy_parse(&text, &policy), 0);
		strcpy(given.value[CDA_PROXY], orders[i].proxy);
		CHECK_INT_AT(cda_settings_load(&policy, &given, &settings),
			     orders[i].want != NULL ? 0 : -1, "row %zu", i);
		if (orders[i].want == NULL)
			continue;
		CHECK_STR_AT(settings.proxy, orders[i].want, "row %zu", i);
		CHECK_INT_AT(settings.from[CDA_PROXY], orders[i].from, "row %zu", i);
		CHECK_INT(cda_settings_foreign(&settings), orders[i].from == CDA_FROM_ENVIRONMENT);
	}
}

TEST(a_policy_with_a_bad_value_is_refused)
{
	static const char *const rows[] = {"proxy h\n",         "mirror ftp://h\n", "ca x\n",
					   "offline perhaps\n", "settings mine\n",  "proxy\n",
					   "settings\n"};
	static struct cda_policy policy;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_text text = {.data = (char *)rows[i], .len = strlen(rows[i])};

		CHECK_INT_AT(cda_policy_parse(&text, &policy), -1, "'%s'", rows[i]);
	}
}

/* ---- certificates */

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"

static const struct {
	const char *text;
	int want;
	const char *copy;
} pems[] = {
	{BEGIN "MAMCAQE=\n" END, 1, BEGIN "MAMCAQE=\n" END},
	{"# mine\r\n\r\n" BEGIN "MAMC\r\nAQE=\r\n" END "\n", 1, BEGIN "MAMC\nAQE=\n" END},
	{BEGIN "MAMCAQE=\n" END BEGIN "MAMCAQE=\n" END, 2,
	 BEGIN "MAMCAQE=\n" END BEGIN "MAMCAQE=\n" END},
	{"", -1, NULL},
	{"# nothing\n", -1, NULL},
	{BEGIN "MAMCAQE=\n", -2, NULL},
	{BEGIN END, -2, NULL},
	{BEGIN "MAMCAQE\n" END, -3, NULL},
	{BEGIN "MAMCAQ==\n" END, -3, NULL},
	{BEGIN "MAQCAQE=\n" END, -3, NULL},
	{BEGIN "AAMCAQE=\n" END, -3, NULL},
	{BEGIN "MAMCAQE=\nAA==\n" END, -3, NULL},
	{BEGIN "MAMC*QE=\n" END, -2, NULL},
	{"root:*:1::::::\n", -1, NULL},
	{BEGIN "MAMCAQE=\n" END "-----BEGIN RSA PRIVATE KEY-----\n", -4, NULL},
	{BEGIN BEGIN "MAMCAQE=\n" END, -2, NULL},
	{"Certificate:\n" BEGIN "MAMCAQE=\n" END, -1, NULL},
};

TEST(a_file_of_certificates_holds_nothing_else)
{
	for (size_t i = 0; i < sizeof(pems) / sizeof(*pems); i++) {
		char data[512];
		struct cda_text out = {.data = data, .cap = sizeof(data) - 1};

		CHECK_INT_AT(cda_pem_copy(span_of(pems[i].text), &out), pems[i].want, "'%s'",
			     pems[i].text);
		data[out.len] = '\0';
		if (pems[i].copy != NULL)
			CHECK_STR(data, pems[i].copy);
	}
}

TEST(a_file_that_is_none_of_certificates_is_told_as_what_it_is)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "it is empty"},
		{"-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n", "it holds a private key: give the "
							    "certificates alone"},
		{"-----BEGIN RSA PRIVATE KEY-----\n" BEGIN, "it holds a private key: give the "
							    "certificates alone"},
		{BEGIN "MAMCAQE=\n" END "-----BEGIN EC PRIVATE KEY-----\n",
		 "it holds a private key: give the certificates alone"},
		{"\x30\x82\x03\x11", "it is DER: openssl x509 -inform DER -in FILE -out FILE.pem "
				     "makes PEM of it"},
		{"0123", "there is no certificate in it ('-----BEGIN CERTIFICATE-----')"},
		{"hello\n", "there is no certificate in it ('-----BEGIN CERTIFICATE-----')"},
		{"# nothing\n", "there is no certificate in it ('-----BEGIN CERTIFICATE-----')"},
		{"Certificate:\n" BEGIN "MAMCAQE=\n" END,
		 "line 1: not a PEM file of certificates alone"},
		{BEGIN "MAMC*QE=\n" END, "line 2: not a PEM file of certificates alone"},
	};
	char data[512], why[160];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_text out = {.data = data, .cap = sizeof(data)};
		int rc = cda_pem_copy(span_of(rows[i].text), &out);

		cda_pem_why(span_of(rows[i].text), -rc, why, sizeof(why));
		CHECK_STR_AT(why, rows[i].want, "row %zu", i);
	}
}

/* ---- netrc */

static const struct {
	const char *text;
	int line; /* that is refused, or 0 */
	const char *want;
} netrcs[] = {
	{"machine h login u password p\n", 0, "h u p\n"},
	{"machine h\n\tpassword p\n\tlogin u", 0, "h u p\n"},
	{"# why\nmachine h login u account a password p\n", 0, "h u p\n"},
	{"machine a login u password p machine b login v password q", 0, "a u p\nb v q\n"},
	{"machine h:8080 login u password p#x\n", 0, "h:8080 u p#x\n"},
	{"default login u password p\n", 0, ""},
	{"machine h login u password p\ndefault login x password y\n", 0, "h u p\n"},
	{"", 0, ""},
	{"machine h login u\n", 2, ""},
	{"machine h login u\nmachine i login v password p\n", 2, ""},
	{"login u password p\n", 1, ""},
	{"machine\n", 2, ""},
	{"machine h login u password\n", 2, ""},
	{"machine h login u login v password p\n", 1, ""},
	{"machine http://h login u password p\n", 1, ""},
	{"machine h login u password \"p\"\n", 1, ""},
	{"machine h login u password p\\q\n", 1, ""},
	{"machine h login u password p\nmacdef init\n", 2, ""},
	{"machine h login \xc3\xa9 password p\n", 1, ""},
	{"root:*:1::::::\n", 1, ""},
};

TEST(netrc_is_read_strictly)
{
	static struct cda_netrc netrc;

	for (size_t i = 0; i < sizeof(netrcs) / sizeof(*netrcs); i++) {
		char got[256] = "";
		size_t len = 0;
		int line;

		netrc.count = 0;
		line = cda_netrc_parse(span_of(netrcs[i].text), &netrc);
		CHECK_INT_AT(line, netrcs[i].line, "'%s'", netrcs[i].text);
		for (int n = 0; line == 0 && n < netrc.count; n++) {
			const struct cda_netrc_host *host = &netrc.hosts[n];

			len += (size_t)snprintf(got + len, sizeof(got) - len, "%.*s %.*s %.*s\n",
						(int)host->host.len, host->host.p,
						(int)host->login.len, host->login.p,
						(int)host->password.len, host->password.p);
		}
		CHECK_STR_AT(got, line == 0 ? netrcs[i].want : "", "'%s'", netrcs[i].text);
	}
}

TEST(netrc_has_a_greatest_number_of_hosts)
{
	static char text[CDA_NETRC_HOSTS * 40 + 80];
	static struct cda_netrc netrc;
	size_t len = 0;

	for (int i = 0; i < CDA_NETRC_HOSTS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"machine h%d login u password p\n", i);
	CHECK_INT(cda_netrc_parse(span_of(text), &netrc), 0);
	snprintf(text + len, sizeof(text) - len, "machine more login u password p\n");
	netrc.count = 0;
	CHECK_INT(cda_netrc_parse(span_of(text), &netrc), CDA_NETRC_HOSTS + 1);
	CHECK(cda_netrc_find(&netrc, span_of("H3"), span_of("")) == &netrc.hosts[3]);
	CHECK(cda_netrc_find(&netrc, span_of("h"), span_of("")) == NULL);
	CHECK(cda_netrc_find(&netrc, span_of("h33"), span_of("80")) == &netrc.hosts[33]);
}

/* ---- archives */

static const struct {
	const char *name;
	enum cda_archives_form form;
	const char *mirror, *in, *want;
	bool moved, network, trusting;
} copies[] = {
	{"deb822 as the image has it", CDA_DEB822, "http://m",
	 "Types: deb\nURIs: http://d/debian\nSuites: trixie\nComponents: main\n"
	 "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
	 "URIs: http://d/debian-security\nSuites: trixie-security\n",
	 "Types: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n"
	 "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
	 "URIs: http://m/debian-security\nSuites: trixie-security\n",
	 true, true, false},
	{"a key of Debian's makes any path one of Debian's", CDA_DEB822, "http://m",
	 "uris:\thttp://d/pub/debian/  https://e/debian\nSigned-By: x debian-archive-keyring.pgp\n",
	 "uris:\thttp://m/debian  http://m/debian\nSigned-By: x debian-archive-keyring.pgp\n", true,
	 true, false},
	{"somebody else's archive stays", CDA_DEB822, "http://m",
	 "URIs: https://vendor/linux/debian\nSigned-By: /etc/v.gpg\n",
	 "URIs: https://vendor/linux/debian\nSigned-By: /etc/v.gpg\n", false, true, false},
	{"URIs in lines of their own", CDA_DEB822, "file:///m",
	 "URIs:\n http://d/debian\n# not http://d/debian\n http://d/debian\nSuites: s\n",
	 "URIs:\n copy:/m/debian\n# not http://d/debian\n copy:/m/debian\nSuites: s\n", true, false,
	 false},
	{"a stanza that trusts", CDA_DEB822, "http://m", "URIs: http://d/x\nTrusted: yes\n",
	 "URIs: http://d/x\nTrusted: yes\n", false, true, true},
	{"a stanza that trusts in the next line", CDA_DEB822, "http://m",
	 "allow-insecure:\n yes\nURIs: file:/x\n", "allow-insecure:\n yes\nURIs: file:/x\n", false,
	 false, true},
	{"a stanza that does not trust", CDA_DEB822, "http://m", "Trusted: no\nURIs: cdrom:x\n",
	 "Trusted: no\nURIs: cdrom:x\n", false, false, false},
	{"one line", CDA_ONE_LINE, "https://u:p@m/x",
	 "# deb http://d/debian s main\n deb  http://d/debian/ s main # why\n"
	 "deb-src [arch=amd64 signed-by=/k/debian-archive-x.gpg] http://e/a/debian s main\n",
	 "# deb http://d/debian s main\n deb  https://m/x/debian s main # why\n"
	 "deb-src [arch=amd64 signed-by=/k/debian-archive-x.gpg] https://m/x/debian s main\n",
	 true, true, false},
	{"one line that trusts", CDA_ONE_LINE, "http://m", "deb [ trusted=yes ] file:/x ./\n",
	 "deb [ trusted=yes ] file:/x ./\n", false, false, true},
	{"one line that trusts among others", CDA_ONE_LINE, "http://m",
	 "deb [arch=amd64 allow-weak=yes] http://x/y s main\n",
	 "deb [arch=amd64 allow-weak=yes] http://x/y s main\n", false, true, true},
	{"a key in a folder called so is no trust", CDA_ONE_LINE, "http://m",
	 "deb [signed-by=/etc/apt/trusted.gpg.d/x.gpg trusted=no] http://x/y s main\n",
	 "deb [signed-by=/etc/apt/trusted.gpg.d/x.gpg trusted=no] http://x/y s main\n", false, true,
	 false},
	{"repositories", CDA_REPOSITORIES, "http://m",
	 "https://a/alpine/v3.20/main\n#https://a/alpine/v3.20/x\n@edge "
	 "http://a/b/alpine/edge/main\n"
	 "https://vendor/alpine/any/main\n/local/repo\n",
	 "http://m/alpine/v3.20/main\n#https://a/alpine/v3.20/x\n@edge http://m/alpine/edge/main\n"
	 "https://vendor/alpine/any/main\n/local/repo\n",
	 true, true, false},
	{"repositories on this machine", CDA_REPOSITORIES, "file:///m",
	 "https://a/alpine/v3.20/main", "/m/alpine/v3.20/main\n", true, false, false},
	{"no mirror of that kind", CDA_REPOSITORIES, "conda=http://c",
	 "https://a/alpine/v3.20/main\n", "https://a/alpine/v3.20/main\n", false, true, false},
};

TEST(archives_are_copied_with_another_mirror)
{
	static struct cda_settings settings;

	for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
		char data[1024];
		struct cda_text out = {.data = data, .cap = sizeof(data) - 1};
		struct cda_archives archives = {.settings = &settings};

		CHECK(cda_setting_parse(CDA_MIRROR, copies[i].mirror, CDA_FROM_POLICY, &settings) ==
		      NULL);
		cda_archives_copy(&archives, copies[i].form, span_of(copies[i].in), &out);
		data[out.len] = '\0';
		CHECK_STR_AT(data, copies[i].want, "%s", copies[i].name);
		CHECK_INT_AT(archives.moved, copies[i].moved, "%s: moved", copies[i].name);
		CHECK_INT_AT(archives.network, copies[i].network, "%s: network", copies[i].name);
		CHECK_INT_AT(archives.trusting, copies[i].trusting, "%s: trusting", copies[i].name);
	}
}

TEST(credentials_go_where_they_belong)
{
	static const char in[] = "https://root:own@a/x\nhttp://b:8080/y\nhttp://c/z\n";
	static const char *const want[] = {
		"https://root:own@a/x\nhttp://u:p%40%3A@b:8080/y\nhttp://c/z\n",
		"https://a/x\nhttp://u:p%40%3A@b:8080/y\nhttp://c/z\n"};
	static struct cda_settings settings;
	static struct cda_netrc netrc;
	char data[256];

	CHECK_INT(cda_netrc_parse(span_of("machine b login u password p@:\n"), &netrc), 0);
	for (int bare = 0; bare < 2; bare++) {
		struct cda_text out = {.data = data, .cap = sizeof(data) - 1};
		struct cda_archives archives = {
			.settings = &settings, .netrc = &netrc, .bare = bare == 1};

		cda_archives_copy(&archives, CDA_REPOSITORIES, span_of(in), &out);
		data[out.len] = '\0';
		CHECK_STR(data, want[bare]);
	}
}
