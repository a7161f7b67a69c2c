#include "check.h"
#include "prefix/rewrite.h"

#define TEN "/ten-bytes"
#define P20 "/build/placeholder/x"
#define P_LONG                                                                                     \
	"/opt/"                                                                                    \
	"placeholder_placeholder_placeholder_placeholder_placeholder_placeholder_placeholder_"     \
	"placeholder_placeholder_placeholder_placeholder"

struct text_row {
	const char *text, *placeholder, *prefix, *want;
};

static const struct text_row texts[] = {
	{"", "/old", "/new", ""},
	{"nothing", "/old", "/new", "nothing"},
	{"/old", "/old", "/new", "/new"},
	{"a=/old/x\r\nb=/old/old/oldold\n", "/old", "/n", "a=/n/x\r\nb=/n/n/nold\n"},
	{"/old/old", "/old", "/old/old", "/old/old/old/old"},
	{"#!/old/bin/python\nimport x\n", "/old", "/new/env", "#!/new/env/bin/python\nimport x\n"},
	{"#!/old/bin/python -E -s\nx\n", "/old", "/n", "#!/n/bin/python -E -s\nx\n"},
	/* blanks in the prefix: no interpreter can be named */
	{"#!/old/bin/python -s\n/old\n", "/old", "/my env", "#!/usr/bin/env python -s\n/my env\n"},
	{"#!/bin/sh\nexec '/old/x'\n", "/old", "/my env", "#!/bin/sh\nexec '/my env/x'\n"},
	{"echo\n#!/old/bin/python\n", "/old", "/my env", "echo\n#!/my env/bin/python\n"},
	/* without a line end there is no first line to escape */
	{"#!/old/bin/python", "/old", "/my env", "#!/my env/bin/python"},
	{"#! " P_LONG "/bin/perl -w\n", P_LONG, P_LONG, "#!/usr/bin/env perl -w\n"},
	/* a long line that was there before, without a placeholder */
	{"#!" P_LONG "/perl\n/old\n", "/old", "/n", "#!/usr/bin/env perl\n/n\n"},
	/* every copy of that line goes with it */
	{"#!" P_LONG "/perl\n#!" P_LONG "/perl\n", "/old", "/n",
	 "#!/usr/bin/env perl\n#!/usr/bin/env perl\n"},
	{"#!relative " P_LONG P_LONG "\n", "/old", "/n", "#!relative " P_LONG P_LONG "\n"},
	{"#!", "/old", "/n", "#!"},
	{"#!\n", "/old", "/n", "#!\n"},
	{"#!/\n", "/old", "/n", "#!/\n"},
};

TEST(texts_get_the_prefix_and_a_first_line_that_works)
{
	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		const struct text_row *row = &texts[i];
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_rewrite_text(row->text, strlen(row->text), row->placeholder, row->prefix, &out);
		CHECK_STR_AT(out.p, row->want, "row %zu", i);
	}
}

TEST(a_first_line_has_127_bytes_at_most)
{
	for (size_t len = 110; len < 120; len++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, want = CDA_BUF_INIT;
		char prefix[121] = "/";

		memset(prefix + 1, 'a', len - 1);
		cda_rewrite_text("#!/old/bin/python\nx\n", 20, "/old", prefix, &out);
		if (2 + len + strlen("/bin/python") <= 127)
			cda_buf_addf(&want, "#!%s/bin/python\nx\n", prefix);
		else
			cda_buf_adds(&want, "#!/usr/bin/env python\nx\n");
		CHECK_STR_AT(out.p, want.p, "a prefix of %zu bytes", len);
	}
}

struct binary_row {
	const char *text;
	size_t len;
	const char *prefix, *want; /* want NULL: the prefix is too long */
};

#define B(text) text, sizeof(text) - 1
static const struct binary_row binaries[] = {
	{B(""), TEN, ""},
	{B("ELF\0" P20 "/lib\0tail\0"), TEN, "ELF\0" TEN "/lib\0\0\0\0\0\0\0\0\0\0\0tail\0"},
	{B("\0" P20 "\0"), TEN, "\0" TEN "\0\0\0\0\0\0\0\0\0\0\0"},
	/* two in one string: the padding stands behind both */
	{B(P20 "/a:" P20 "/b\0z"), TEN,
	 TEN "/a:" TEN "/b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z"},
	/* two strings */
	{B(P20 "/a\0" P20 "/b\0\0"), TEN,
	 TEN "/a\0\0\0\0\0\0\0\0\0\0\0" TEN "/b\0\0\0\0\0\0\0\0\0\0\0\0"},
	/* no NUL behind it: no string */
	{B("x\0" P20 "/a"), TEN, "x\0" P20 "/a"},
	{B(P20 "\0" P20), TEN, TEN "\0\0\0\0\0\0\0\0\0\0\0" P20},
	/* the same length, and one byte more */
	{B(P20 "\0"), "/build/placeholder/y", "/build/placeholder/y\0"},
	{B(P20 "\0"), "/build/placeholder/xy", NULL},
	{B("nothing here\0"), "/build/placeholder/xy", "nothing here\0"},
	{B("no end " P20), "/build/placeholder/xy", "no end " P20},
};

TEST(binaries_keep_their_length)
{
	for (size_t i = 0; i < CDA_LEN(binaries); i++) {
		const struct binary_row *row = &binaries[i];
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_err err = {0};
		int rc;

		cda_buf_adds(&out, "kept");
		rc = cda_rewrite_binary(row->text, row->len, P20, row->prefix, &out, &err);
		CHECK_INT_AT(rc < 0 ? -rc : 0, row->want ? 0 : CDA_E_PADDING, "row %zu", i);
		if (row->want && out.len >= 4)
			CHECK_MEM(out.p + 4, out.len - 4, row->want, row->len);
		else
			CHECK_STR_AT(out.p, "kept", "row %zu", i);
		cda_err_done(&err);
	}
}

TEST(entry_points_find_their_interpreter)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_rewrite_shebang("/opt/env/bin/python3.11", &out);
	CHECK_STR(out.p, "#!/opt/env/bin/python3.11\n");
	cda_buf_clear(&out);
	cda_rewrite_shebang("/my env/bin/python3.11", &out);
	CHECK_STR(out.p, "#!/bin/sh\n'''exec' \"/my env/bin/python3.11\" \"$0\" \"$@\"\n' '''\n");
	cda_buf_clear(&out);
	cda_rewrite_shebang(P_LONG "/python", &out);
	CHECK_STR(out.p, "#!/bin/sh\n'''exec' \"" P_LONG "/python\" \"$0\" \"$@\"\n' '''\n");
}
