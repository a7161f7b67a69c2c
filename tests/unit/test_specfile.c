/* Lists of specs and environment files. */
#include "check.h"

#include "client/envfile.h"
#include "client/specfile.h"
#include "util/alloc.h"

static const struct {
	const char *text, *want;
	bool is_explicit;
} lists[] = {
	{"", "", false},
	{"numpy\npandas>=2\n", "numpy|pandas>=2", false},
	{"# head\n\n  numpy   # why\r\npandas", "numpy|pandas", false},
	{"\xef\xbb\xbfnumpy\n", "numpy", false},
	{"@EXPLICIT\nhttps://h/c/a-1-0.conda#0123\n", "https://h/c/a-1-0.conda#0123", true},
	{"--no-deps\n", "error: f, line 1: '--no-deps' is no package spec", false},
};

TEST(lists_are_read_line_by_line)
{
	for (size_t i = 0; i < CDA_LEN(lists); i++) {
		CDA_AUTOSTRV struct cda_strv specs = {0};
		CDA_AUTOFREE char *got = NULL;
		struct cda_err err = {0};
		bool is_explicit = false;

		if (cda_specfile_parse(lists[i].text, strlen(lists[i].text), "f", &specs,
				       &is_explicit, &err) < 0)
			got = cda_asprintf("error: %s", err.msg);
		else
			got = cda_strv_join(&specs, "|");
		cda_err_done(&err);
		CHECK_STR_AT(got, lists[i].want, "row %zu", i);
		CHECK_INT_AT(is_explicit, lists[i].is_explicit, "row %zu", i);
	}
}

TEST(bytes_that_are_no_text_are_refused)
{
	CDA_AUTOSTRV struct cda_strv specs = {0};
	struct cda_err err = {0};
	bool is_explicit = false;

	CHECK(cda_specfile_parse("a\0b", 3, "f", &specs, &is_explicit, &err) < 0);
	CHECK_INT(err.code, CDA_E_VALUE);
	cda_err_done(&err);
}

static const struct {
	const char *text, *want; /* as written again, or the error */
} files[] = {
	{"name: a\nchannels: [c]\ndependencies:\n- x=1\n- pip:\n  - y==2\nvariables: {V: 1}\n",
	 "name: a\nchannels:\n  - c\ndependencies:\n  - x=1\n  - pip:\n      - y==2\n"
	 "variables:\n  V: '1'\n"},
	{"", "error: 'f' is empty"},
	{"- a\n", "error: f, line 1: 'the file' must be a map, not list"},
	{"dependencies: x\n", "error: f, line 1: 'dependencies' must be a list, not str"},
	{"dependencies:\n- conda: [x]\n",
	 "error: f, line 2: 'dependencies' must be a list of specs, with at most a 'pip:' list in "
	 "it, not map"},
	{"variables:\n  'A B': x\n", "error: f, line 2: 'A B' is no variable name"},
};

TEST(environment_files_are_read_and_written)
{
	for (size_t i = 0; i < CDA_LEN(files); i++) {
		struct cda_envfile file = {0};
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_err err = {0};

		if (cda_envfile_parse(files[i].text, strlen(files[i].text), "f", &file, &err) < 0)
			cda_buf_addf(&out, "error: %s", err.msg);
		else
			cda_envfile_format(&file, &out);
		cda_err_done(&err);
		cda_envfile_done(&file);
		CHECK_STR_AT(out.p, files[i].want, "row %zu", i);
	}
}
