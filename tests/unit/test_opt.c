/* The option tables: what argparse takes, taken the same way. */
#include "check.h"

#include "cli/opt.h"
#include "util/alloc.h"

struct opts {
	bool yes, quiet, pin;
	int verbose, jobs, mode;
	const char *name;
	struct cda_strv channels, specs, pairs;
};

static const struct cda_opt table[] = {
	OPT_GROUP("all"),
	OPT_FLAG('y', "yes", struct opts, yes, "answer yes"),
	OPT_FLAG('q', "quiet", struct opts, quiet, "say less"),
	OPT_OFF(0, "no-pin", struct opts, pin, "ignore pins"),
	OPT_COUNT('v', "verbose", struct opts, verbose, "say more"),
	OPT_INT('j', "jobs", struct opts, jobs, "N", "jobs"),
	OPT_TEXT('n', "name", struct opts, name, "NAME", "a name"),
	OPT_LIST('c', "channel", struct opts, channels, "C", "a channel"),
	OPT_WORDS(0, "specs", struct opts, specs, "S ...", "specs"),
	OPT_PAIR(0, "set|put", struct opts, pairs, "K V", "a pair"),
	OPT_CONST(0, "strict", struct opts, mode, 7, "strict"),
	OPT_END()};

/* The state of opts as text: what was set, in the order of the table. */
static char *parse(const char *line, unsigned flags)
{
	CDA_AUTOSTRV struct cda_strv argv = {0}, words = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct opts opts = {.pin = true};
	struct cda_err err = {0};

	cda_strv_split(&argv, line, " ");
	if (cda_opt_parse(table, &opts, (int)argv.n, cda_strv_argv(&argv), flags, &words, &err) <
	    0) {
		cda_buf_addf(&out, "error: %s", err.msg);
		cda_err_done(&err);
	} else {
		CDA_AUTOFREE char *channels = cda_strv_join(&opts.channels, "+");
		CDA_AUTOFREE char *specs = cda_strv_join(&opts.specs, "+");
		CDA_AUTOFREE char *pairs = cda_strv_join(&opts.pairs, "+");
		CDA_AUTOFREE char *rest = cda_strv_join(&words, "+");

		cda_buf_addf(&out, "%s%s%sv%d j%d m%d n=%s c=%s s=%s p=%s w=%s",
			     opts.yes ? "y " : "", opts.quiet ? "q " : "", opts.pin ? "" : "nopin ",
			     opts.verbose, opts.jobs, opts.mode, opts.name ? opts.name : "",
			     channels, specs, pairs, rest);
	}
	cda_opt_done(table, &opts);
	return cda_buf_take(&out);
}

static const struct {
	const char *line, *want;
	unsigned flags;
} rows[] = {
	{"", "v0 j0 m0 n= c= s= p= w=", 0},
	{"-y -q", "y q v0 j0 m0 n= c= s= p= w=", 0},
	{"-yqn work", "y q v0 j0 m0 n=work c= s= p= w=", 0},
	{"-nwork", "v0 j0 m0 n=work c= s= p= w=", 0},
	{"--name=work", "v0 j0 m0 n=work c= s= p= w=", 0},
	{"--name work a b", "v0 j0 m0 n=work c= s= p= w=a+b", 0},
	{"--na work", "v0 j0 m0 n=work c= s= p= w=", 0},
	{"-c a -c b --channel c", "v0 j0 m0 n= c=a+b+c s= p= w=", 0},
	{"-vv --verbose", "v3 j0 m0 n= c= s= p= w=", 0},
	{"--no-pin", "nopin v0 j0 m0 n= c= s= p= w=", 0},
	{"--specs a b -y c", "y v0 j0 m0 n= c= s=a+b p= w=c", 0},
	{"--set k v --put k2 v2", "v0 j0 m0 n= c= s= p=k+v+k2+v2 w=", 0},
	{"--strict", "v0 j0 m7 n= c= s= p= w=", 0},
	{"a -y b", "y v0 j0 m0 n= c= s= p= w=a+b", 0},
	{"a -y b", "v0 j0 m0 n= c= s= p= w=a+-y+b", CDA_OPT_STOP_AT_WORD},
	{"-- -y b", "v0 j0 m0 n= c= s= p= w=-y+b", 0},
	{"-", "v0 j0 m0 n= c= s= p= w=-", 0},
	{"-j 4", "v0 j4 m0 n= c= s= p= w=", 0},
	{"-j x", "error: argument -j: invalid int value: 'x'", 0},
	{"-j -1", "error: argument -j: expected one argument", 0},
	{"--name", "error: argument --name: expected one argument", 0},
	{"--set k", "error: argument --set: expected 2 arguments", 0},
	{"--frob", "error: unrecognized arguments: --frob", 0},
	{"-z", "error: unrecognized arguments: -z", 0},
	{"--yes=1", "error: argument --yes: ignored explicit argument '1'", 0},
	{"--s", "error: ambiguous option: '--s' could match '--specs' or '--set|put'", 0},
};

TEST(each_line_is_read_as_listed)
{
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *got = parse(rows[i].line, rows[i].flags);

		CHECK_STR_AT(got, rows[i].want, "'%s'", rows[i].line);
	}
}

TEST(help_has_a_line_for_each_shown_option)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_opt_help(table, &out);
	CHECK(strstr(out.p, "-y, --yes"));
	CHECK(strstr(out.p, "--set, --put K V"));
	CHECK(strstr(out.p, "\nall:\n"));
}

TEST(a_near_miss_is_named)
{
	char word[] = "--chanel";
	char *argv[] = {word, NULL};
	CDA_AUTOSTRV struct cda_strv words = {0};
	struct opts opts = {0};
	struct cda_err err = {0};

	CHECK(cda_opt_parse(table, &opts, 1, argv, 0, &words, &err) < 0);
	CHECK(err.hint && strstr(err.hint, "--channel"));
	cda_err_done(&err);
}
