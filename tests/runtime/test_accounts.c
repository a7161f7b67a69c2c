/* The account files as text, and the lists of OS packages: rows. */
#include "runtime/accounts.h"
#include "runtime/reqlist.h"

#include "check.h"

static struct cda_text text_of(const char *str)
{
	return (struct cda_text){.data = (char *)str, .len = strlen(str), .cap = strlen(str)};
}

static struct cda_span span_of(const char *str)
{
	return (struct cda_span){str, strlen(str)};
}

typedef int (*change_fn)(const struct cda_text *, const struct cda_change *, struct cda_text *);

static const struct {
	const char *name;
	change_fn change;
	const char *old, *to;  /* the account's names, before and after */
	const char *in, *want; /* want NULL: refused */
} changes[] = {
	{"uid alone", cda_passwd_change, "anaconda", "anaconda",
	 "root:x:0:0::/root:/bin/sh\nanaconda:x:3000:3000:D,,:/home/anaconda:/bin/bash\n",
	 "root:x:0:0::/root:/bin/sh\nanaconda:x:1234:3000:D,,:/home/to:/bin/bash\n"},
	{"no newline at the end", cda_passwd_change, "anaconda", "anaconda",
	 "anaconda:x:3000:3000::/home/anaconda:/bin/sh",
	 "anaconda:x:1234:3000::/home/to:/bin/sh\n"},
	{"new name keeps the image's", cda_passwd_change, "anaconda", "dja",
	 "anaconda:x:3000:3000::/home/anaconda:/bin/sh\nx:x:9:9::/:/x\n",
	 "dja:x:1234:3000::/home/to:/bin/sh\nanaconda:x:1234:3000::/home/anaconda:/bin/"
	 "sh\nx:x:9:9::/:/x\n"},
	{"another new name", cda_passwd_change, "dja", "bob",
	 "dja:x:5:3000:G:/home/dja:/bin/sh\nanaconda:x:5:3000::/home/anaconda:/bin/ash\n",
	 "bob:x:1234:3000:G:/home/to:/bin/sh\nanaconda:x:1234:3000:G:/home/anaconda:/bin/sh\n"},
	{"back to the image's name", cda_passwd_change, "dja", "anaconda",
	 "dja:x:5:3000::/home/dja:/bin/sh\nanaconda:x:5:3000::/home/anaconda:/bin/sh\n",
	 "anaconda:x:1234:3000::/home/to:/bin/sh\n"},
	{"half of a change", cda_passwd_change, "anaconda", "dja",
	 "dja:x:5:3000::/home/dja:/bin/sh\n", NULL},
	{"odd lines stay", cda_passwd_change, "anaconda", "anaconda",
	 "+::::::\n\nanaconda:short\n#x\nanaconda:x:3000:3000::/h:/bin/sh\n",
	 "+::::::\n\nanaconda:short\n#x\nanaconda:x:1234:3000::/home/to:/bin/sh\n"},
	{"no account", cda_passwd_change, "anaconda", "anaconda", "root:x:0:0::/root:/bin/sh\n",
	 NULL},
	{"a longer name is another", cda_passwd_change, "anaconda", "anaconda",
	 "anaconda2:x:1:1::/:/x\n", NULL},
	{"shadow", cda_shadow_change, "anaconda", "dja", "root:*:1::::::\nanaconda:!:2:0:9:7:::\n",
	 "root:*:1::::::\ndja:!:2:0:9:7:::\nanaconda:!:2:0:9:7:::\n"},
	{"shadow without the account", cda_shadow_change, "anaconda", "dja", "root:*:1::::::\n",
	 "root:*:1::::::\n"},
	{"group names stay, members change", cda_group_change, "anaconda", "dja",
	 "anaconda:x:3000:\ndocker:x:99:a,anaconda,b\n",
	 "anaconda:x:3000:\ndocker:x:99:a,b,dja,anaconda\n"},
	{"group back", cda_group_change, "dja", "anaconda", "docker:x:99:a,b,dja,anaconda\n",
	 "docker:x:99:a,b,anaconda\n"},
	{"a line with a bad uid is no record", cda_passwd_change, "anaconda", "anaconda",
	 "anaconda:x:no:3000::/h:/bin/sh\nanaconda:x:3000:3000::/h:/bin/sh\n",
	 "anaconda:x:no:3000::/h:/bin/sh\nanaconda:x:1234:3000::/home/to:/bin/sh\n"},
	{"a list without the account stays", cda_group_change, "anaconda", "anaconda",
	 "g:!:a,,:b,anaconda,,c,\n", "g:!:a,,:b,c,anaconda\n"},
	{"gshadow administrators", cda_group_change, "anaconda", "dja", "g:!:anaconda:anaconda\n",
	 "g:!:dja,anaconda:dja,anaconda\n"},
};

TEST(changes_give_the_account_away_and_touch_nothing_else)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char data[1024];
		struct cda_text in = text_of(changes[i].in);
		struct cda_text out = {.data = data, .cap = sizeof(data) - 1};
		const struct cda_change change = {.image = "anaconda",
						  .old = changes[i].old,
						  .name = changes[i].to,
						  .home = "/home/to",
						  .image_home = "/home/anaconda",
						  .uid = 1234};
		int rc = changes[i].change(&in, &change, &out);

		data[out.len] = '\0';
		CHECK_INT_AT(rc, changes[i].want != NULL ? 0 : -1, "'%s'", changes[i].name);
		if (changes[i].want != NULL)
			CHECK_STR_AT(data, changes[i].want, "'%s'", changes[i].name);
	}
}

TEST(a_change_that_does_not_fit_is_refused)
{
	char data[20];
	struct cda_text in = text_of("anaconda:x:3000:3000::/home/anaconda:/bin/sh\n");
	struct cda_text out = {.data = data, .cap = sizeof(data)};
	const struct cda_change change = {.image = "anaconda",
					  .old = "anaconda",
					  .name = "anaconda",
					  .home = "/h",
					  .image_home = "/h",
					  .uid = 1};

	CHECK_INT(cda_passwd_change(&in, &change, &out), -1);
}

static const struct {
	const char *text;
	bool valid;
	uint32_t id;
} ids[] = {{"0", true, 0},
	   {"1", true, 1},
	   {"4294967294", true, 4294967294u},
	   {"4294967295", true, 4294967295u},
	   {"4294967296", false, 0},
	   {"99999999999", false, 0},
	   {"-1", false, 0},
	   {"+1", false, 0},
	   {"01", false, 0},
	   {"", false, 0},
	   {" 1", false, 0},
	   {"1x", false, 0}};

TEST(ids_are_plain_decimal_numbers)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		uint32_t id = 0;

		CHECK_INT_AT(cda_id_parse(span_of(ids[i].text), &id), ids[i].valid, "'%s'",
			     ids[i].text);
		CHECK_INT_AT(id, ids[i].id, "'%s'", ids[i].text);
	}
}

static const struct {
	const char *name;
	bool valid;
} names[] = {{"dja", true},
	     {"_x", true},
	     {"a-b_9", true},
	     {"abcdefghijklmnopqrstuvwxyz012345", true},
	     {"abcdefghijklmnopqrstuvwxyz0123456", false},
	     {"", false},
	     {"9a", false},
	     {"-a", false},
	     {"A", false},
	     {"a b", false},
	     {"a:b", false},
	     {"a\nb", false},
	     {"../a", false},
	     {"a.b", false},
	     {"\xc3\xa4", false}};

TEST(names_of_accounts_are_plain)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		CHECK_INT_AT(cda_name_valid(names[i].name), names[i].valid, "'%s'", names[i].name);
}

TEST(records_are_found_by_exact_name_and_first_uid)
{
	struct cda_text passwd = text_of("root:x:0:0::/root:/bin/sh\nbad:x:7x:0::/:/x\n"
					 "dja:x:7:8::/home/dja:/bin/sh\nanaconda:x:7:8::/a:/b\n");
	struct cda_account got = {.uid = 99};

	CHECK_INT(cda_passwd_uid(&passwd, 7, &got), 0);
	CHECK_STR(got.name, "dja");
	CHECK_STR(got.home, "/home/dja");
	CHECK_INT(cda_passwd_name(&passwd, "anaconda", &got), 0);
	CHECK_INT(got.gid, 8);
	CHECK_INT(cda_passwd_name(&passwd, "anacond", &got), -1);
	CHECK_INT(cda_passwd_name(&passwd, "bad", &got), -1);
	CHECK_INT(cda_passwd_other(&passwd, 7, "dja", "anaconda", &got), -1);
	CHECK_INT(cda_passwd_other(&passwd, 7, "bob", "anaconda", &got), 0);
	CHECK_STR(got.name, "dja");
}

static const struct {
	const char *word;
	bool apt, apk;
} words[] = {{"curl", true, true},
	     {"g++", true, true},
	     {"libstdc++6", true, true},
	     {"python3.13", true, true},
	     {"libc6:i386", true, false},
	     {"curl=8.14.1-2+deb13u2", true, false},
	     {"curl:amd64=1:2~rc1", true, false},
	     {"curl>=8", false, true},
	     {"py3-numpy~1.2", false, true},
	     {"GraphicsMagick", false, true},
	     {"x", false, true},
	     {"-o", false, false},
	     {"--allow-untrusted", false, false},
	     {"coreutils-", false, false},
	     {"!pkg", false, false},
	     {"./x.deb", false, false},
	     {"x.apk", true, false},
	     {"/tmp/x.deb", false, false},
	     {"http://h/x", false, false},
	     {"a.*", false, false},
	     {"web^", false, false},
	     {"a[bc]", false, false},
	     {"a/b", false, false},
	     {"a,b", false, false},
	     {"curl=", false, false},
	     {"curl:", false, false},
	     {"curl=8.14.1-2-", false, false},
	     {"", false, false}};

TEST(packages_are_names_and_nothing_else)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		CHECK_INT_AT(cda_pkg_valid(span_of(words[i].word), CDA_APT), words[i].apt,
			     "apt '%s'", words[i].word);
		CHECK_INT_AT(cda_pkg_valid(span_of(words[i].word), CDA_APK), words[i].apk,
			     "apk '%s'", words[i].word);
	}
}

static const struct {
	const char *text, *want; /* "name@line ..." or "!line" */
} lists[] = {{"curl\n", "curl@1"},
	     {"curl", "curl@1"},
	     {"", ""},
	     {"\n\n  \n# only words\n", ""},
	     {"curl git\t jq\n", "curl@1 git@1 jq@1"},
	     {"# tools\r\ncurl\r\n\r\ngit # why\r\n", "curl@2 git@4"},
	     {"\xef\xbb\xbf"
	      "curl\ngit",
	      "curl@1 git@2"},
	     {"\xef\xbb\xbf# a\ng++\n", "g++@2"},
	     {"ssh\ngit", "ssh@1 git@2"},
	     {"curl\n-oX=y\n", "!2"},
	     {"curl\ngit,jq\n", "!2"},
	     {"a#b\n", "!1"}};

TEST(lists_take_comments_and_every_line_end)
{
	static struct cda_reqlist list;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct cda_text text = text_of(lists[i].text);
		char got[256] = "";
		size_t len = 0;
		int line = cda_reqlist_parse(&text, CDA_APT, &list);

		if (line != 0)
			len += (size_t)snprintf(got, sizeof(got), "!%d", line);
		for (int n = 0; line == 0 && n < list.count; n++)
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s@%d",
						n ? " " : "", list.pkgs[n].text, list.pkgs[n].line);
		CHECK_STR_AT(got, lists[i].want, "'%s'", lists[i].text);
		CHECK_INT_AT(cda_list_says_something(span_of(lists[i].text)),
			     lists[i].want[0] != '\0', "'%s'", lists[i].text);
	}
}
