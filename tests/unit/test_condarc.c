/* test_condarc.c - YAML within limits; editing a .condarc keeps what it does not name. */
#include "check.h"
#include "scratch.h"

#include "config/condarc.h"

static struct cda_condarc *parse(const char *text)
{
	struct cda_condarc *rc = NULL;
	struct cda_err err = {0};

	if (cda_condarc_parse(text, strlen(text), "/h/.condarc", &rc, &err) < 0) {
		printf("# %s\n", err.msg);
		cda_err_done(&err);
	}
	return rc;
}

struct edit {
	const char *before;
	enum cda_condarc_op op;
	const char *key, *value, *after;
};

static const struct edit edits[] = {
	{"", CDA_RC_PREPEND, "channels", "conda-forge",
	 "channels:\n  - conda-forge\n  - defaults\n"},
	{"", CDA_RC_APPEND, "channels", "last", "channels:\n  - defaults\n  - last\n"},
	{"", CDA_RC_APPEND, "pinned_packages", "python 3.10.*",
	 "pinned_packages:\n  - python 3.10.*\n"},
	{"channels:\n  - a\n  - b\n", CDA_RC_PREPEND, "channels", "b", "channels:\n  - b\n  - a\n"},
	{"channels:\n  - a\n  - b\n", CDA_RC_APPEND, "channels", "a", "channels:\n  - b\n  - a\n"},
	{"# mine\nchannels: [a]   # why\n\n# more\noffline: false\n", CDA_RC_PREPEND, "channels",
	 "b", "# mine\nchannels:  # why\n  - b\n  - a\n\n# more\noffline: false\n"},
	{"channels:\n- a  #!top\n# between\n- b\nquiet: true\n", CDA_RC_PREPEND, "channels", "c",
	 "channels:\n  - c\n  - a  #!top\n  - b\nquiet: true\n"},
	{"channels:\noffline: true\n", CDA_RC_APPEND, "channels", "a",
	 "channels:\n  - a\noffline: true\n"},
	{"quiet: true", CDA_RC_SET, "always_yes", "yes", "quiet: true\nalways_yes: true\n"},
	{"always_yes: no\nquiet: true\n", CDA_RC_SET, "always_yes", "true",
	 "always_yes: true\nquiet: true\n"},
	{"", CDA_RC_SET, "remote_connect_timeout_secs", "5", "remote_connect_timeout_secs: 5.0\n"},
	{"", CDA_RC_SET, "channel_priority", "strict", "channel_priority: strict\n"},
	{"", CDA_RC_SET, "ssl_verify", "/etc/ca.pem", "ssl_verify: /etc/ca.pem\n"},
	{"", CDA_RC_SET, "ssl_verify", "false", "ssl_verify: false\n"},
	{"", CDA_RC_SET, "env_prompt", "({name}) ", "env_prompt: '({name}) '\n"},
	{"", CDA_RC_SET, "default_python", "3.10", "default_python: '3.10'\n"},
	{"", CDA_RC_SET, "proxy_servers.http", "http://u:p@127.0.0.1:1",
	 "proxy_servers:\n  http: http://u:p@127.0.0.1:1\n"},
	{"proxy_servers:\n  http: x\n  https: y\nquiet: true\n", CDA_RC_SET, "proxy_servers.http",
	 "z", "proxy_servers:\n  http: z\n  https: y\nquiet: true\n"},
	{"channels:\n  - a\n  - b\nquiet: true\n", CDA_RC_REMOVE, "channels", "a",
	 "channels:\n  - b\nquiet: true\n"},
	{"channels:\n  - a\n", CDA_RC_REMOVE, "channels", "a", "channels: []\n"},
	{"channels:\n  - a\nquiet: true\noffline: true\n", CDA_RC_REMOVE_KEY, "quiet", NULL,
	 "channels:\n  - a\noffline: true\n"},
	{"proxy_servers:\n  http: x\n  https: y\n", CDA_RC_REMOVE_KEY, "proxy_servers.http", NULL,
	 "proxy_servers:\n  https: y\n"},
	{"quiet: true\n", CDA_RC_REMOVE_KEY, "quiet", NULL, ""},
	{"{channels: [a], quiet: true}\n", CDA_RC_APPEND, "channels", "b",
	 "channels:\n  - a\n  - b\nquiet: true\n"},
	{"---\n  quiet: true\n  offline: true\n", CDA_RC_SET, "offline", "false",
	 "quiet: true\noffline: false\n"},
	{"own_key:\n    deep: [1, 'x: y']\nquiet: true\n", CDA_RC_SET, "quiet", "false",
	 "own_key:\n    deep: [1, 'x: y']\nquiet: false\n"},
	{"quiet: true  # a\r\nchannels:\r\n  - a\r\n", CDA_RC_SET, "quiet", "false",
	 "quiet: false  # a\nchannels:\r\n  - a\r\n"},
	{"offline: true # a\rquiet: true # b\r", CDA_RC_SET, "quiet", "false",
	 "offline: true  # a\nquiet: false  # b\n"},
	{"env_prompt: >-\n  two\n  lines\nquiet: true\n", CDA_RC_SET, "env_prompt", "x",
	 "env_prompt: x\nquiet: true\n"},
};

TEST(an_edit_changes_the_lines_of_its_key_alone)
{
	for (size_t i = 0; i < CDA_LEN(edits); i++) {
		struct cda_condarc *rc = parse(edits[i].before);
		CDA_AUTOSTRV struct cda_strv warnings = {0};
		struct cda_err err = {0};

		REQUIRE(rc);
		CHECK_INT_AT(cda_condarc_edit(rc, edits[i].op, edits[i].key, edits[i].value,
					      &warnings, &err),
			     0, "row %zu: %s", i, err.msg ? err.msg : "");
		CHECK_STR_AT(cda_condarc_text(rc), edits[i].after, "row %zu", i);
		cda_err_done(&err);
		cda_condarc_free(rc);
	}
}

TEST(a_doubled_item_moves_with_a_warning)
{
	struct cda_condarc *rc = parse("channels:\n  - a\n  - b\n");
	CDA_AUTOSTRV struct cda_strv warnings = {0};
	struct cda_err err = {0};

	CHECK_INT(cda_condarc_edit(rc, CDA_RC_PREPEND, "channels", "b", &warnings, &err), 0);
	REQUIRE(warnings.n == 1);
	CHECK_STR(warnings.v[0], "'b' already in 'channels' list, moving to the top");
	cda_condarc_free(rc);
}

static const struct {
	const char *before;
	enum cda_condarc_op op;
	const char *key, *value;
	enum cda_errc code;
} refusals[] = {
	{"", CDA_RC_SET, "nosuchkey", "1", CDA_E_VALUE},
	{"", CDA_RC_SET, "channels", "x", CDA_E_VALUE},
	{"", CDA_RC_SET, "proxy_servers", "x", CDA_E_VALUE},
	{"", CDA_RC_SET, "quiet.sub", "x", CDA_E_VALUE},
	{"", CDA_RC_SET, "channel_priority", "sometimes", CDA_E_CHOICE},
	{"", CDA_RC_SET, "quiet", "perhaps", CDA_E_TYPE},
	{"", CDA_RC_SET, "remote_max_retries", "many", CDA_E_TYPE},
	{"", CDA_RC_APPEND, "quiet", "x", CDA_E_VALUE},
	{"", CDA_RC_APPEND, "nosuchkey", "x", CDA_E_VALUE},
	{"channels: text\n", CDA_RC_APPEND, "channels", "x", CDA_E_TYPE},
	{"channels:\n  - a\n", CDA_RC_REMOVE, "channels", "absent", CDA_E_KEY},
	{"", CDA_RC_REMOVE, "pinned_packages", "absent", CDA_E_KEY},
	{"", CDA_RC_REMOVE_KEY, "quiet", NULL, CDA_E_KEY},
	{"proxy_servers: {}\n", CDA_RC_REMOVE_KEY, "proxy_servers.http", NULL, CDA_E_KEY},
};

TEST(a_refused_edit_leaves_the_text_alone)
{
	for (size_t i = 0; i < CDA_LEN(refusals); i++) {
		struct cda_condarc *rc = parse(refusals[i].before);
		CDA_AUTOSTRV struct cda_strv warnings = {0};
		struct cda_err err = {0};

		CHECK_INT_AT(cda_condarc_edit(rc, refusals[i].op, refusals[i].key,
					      refusals[i].value, &warnings, &err),
			     -(int)refusals[i].code, "row %zu", i);
		CHECK_INT_AT(err.code, refusals[i].code, "row %zu: %s", i, err.msg);
		CHECK_STR_AT(cda_condarc_text(rc), refusals[i].before, "row %zu", i);
		cda_err_done(&err);
		cda_condarc_free(rc);
	}
}

TEST(get_prints_the_options_that_write_it)
{
	struct cda_condarc *rc = parse("channels:\n  - conda-forge\n  - mid\n  - first\n"
				       "always_yes: true\nproxy_servers:\n  http: h\n"
				       "remote_max_retries: 5\n");
	CDA_AUTOSTRV struct cda_strv keys = {0}, warnings = {0};
	CDA_AUTOBUF struct cda_buf all = CDA_BUF_INIT, none = CDA_BUF_INIT;

	cda_condarc_get(rc, NULL, &all, &warnings);
	CHECK_STR(all.p, "--set always_yes True\n"
			 "--add channels 'first'   # lowest priority\n"
			 "--add channels 'mid'\n"
			 "--add channels 'conda-forge'   # highest priority\n"
			 "--set proxy_servers.http h\n"
			 "--set remote_max_retries 5\n");
	CHECK_INT(warnings.n, 0);
	cda_strv_push(&keys, "nosuch");
	cda_strv_push(&keys, "quiet");
	cda_condarc_get(rc, &keys, &none, &warnings);
	CHECK_STR(none.p, "");
	REQUIRE(warnings.n == 1);
	CHECK_STR(warnings.v[0], "unknown key nosuch");
	cda_condarc_free(rc);
}

TEST(standard_input_replaces_whole_keys)
{
	struct cda_condarc *rc = parse("# keep\nquiet: true\nchannels:\n  - a\n");
	const char *more = "channels: [b]\noffline: true\n";
	struct cda_err err = {0};

	CHECK_INT(cda_condarc_merge(rc, more, strlen(more), &err), 0);
	CHECK_STR(cda_condarc_text(rc), "# keep\nquiet: true\nchannels:\n  - b\noffline: true\n");
	cda_condarc_free(rc);
}

static const struct {
	const char *text, *in_message;
} bad_texts[] = {
	{"channels: [a\nb: c\n", "line "},
	{"a: 1\na: 2\n", "line 2: 'a' is there twice"},
	{"- a\n- b\n", "must be a map"},
	{"text\n", "must be a map"},
	{"a: *nowhere\n", "line 1"},
	{"[a]: b\n", "a key must be a text"},
	{"a: 1\n---\nb: 2\n", "second document"},
	{"a: \"x\\0y\"\n", "NUL"},
	{"a:\n\t- b\n", "line "},
};

TEST(bad_text_is_an_error_that_names_file_and_line)
{
	for (size_t i = 0; i < CDA_LEN(bad_texts); i++) {
		struct cda_condarc *rc = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(cda_condarc_parse(bad_texts[i].text, strlen(bad_texts[i].text),
					       "/h/.condarc", &rc, &err),
			     -CDA_E_CONFIG, "row %zu", i);
		CHECK_AT(err.msg && strstr(err.msg, "/h/.condarc"), "row %zu: %s", i, err.msg);
		CHECK_AT(err.msg && strstr(err.msg, bad_texts[i].in_message), "row %zu: %s", i,
			 err.msg);
		cda_err_done(&err);
	}
}

TEST(hostile_yaml_ends_early)
{
	CDA_AUTOBUF struct cda_buf deep = CDA_BUF_INIT, laughs = CDA_BUF_INIT, large = CDA_BUF_INIT;
	const struct cda_buf *texts[] = {&deep, &laughs, &large};

	cda_buf_adds(&deep, "a: ");
	for (int i = 0; i < 5000; i++)
		cda_buf_addc(&deep, '[');
	cda_buf_adds(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		cda_buf_addf(&laughs, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			cda_buf_addf(&laughs, "*a%d,", i - 1);
		cda_buf_adds(&laughs, "]\n");
	}
	while (large.len <= CDA_YAML_MAX_BYTES)
		cda_buf_adds(&large, "# a comment that goes on and on\n");
	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		struct cda_yaml *tree = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(cda_yaml_parse(texts[i]->p, texts[i]->len, "it", &tree, &err),
			     -CDA_E_VALUE, "text %zu", i);
		cda_err_done(&err);
	}
}

static const struct {
	const char *text;
	enum cda_yaml_kind kind;
} scalars[] = {
	{"", CDA_YAML_NULL},     {"~", CDA_YAML_NULL},     {"null", CDA_YAML_NULL},
	{"true", CDA_YAML_BOOL}, {"False", CDA_YAML_BOOL}, {"yes", CDA_YAML_STR},
	{"12", CDA_YAML_INT},    {"-3", CDA_YAML_INT},     {"0x1f", CDA_YAML_INT},
	{"1.5", CDA_YAML_FLOAT}, {"1e3", CDA_YAML_FLOAT},  {"1.2.3", CDA_YAML_STR},
	{".", CDA_YAML_STR},     {"-", CDA_YAML_STR},      {"3.x", CDA_YAML_STR},
};

TEST(plain_scalars_have_the_type_of_the_core_schema)
{
	for (size_t i = 0; i < CDA_LEN(scalars); i++) {
		struct cda_yaml *node = cda_yaml_scalar(scalars[i].text);
		CHECK_INT_AT(node->kind, scalars[i].kind, "'%s'", scalars[i].text);
		cda_yaml_free(node);
	}
}

static const char *const texts_to_keep[] = {
	"plain",
	"true",
	"no",
	"3.10",
	"",
	" lead",
	"a: b",
	"a #b",
	"#x",
	"- x",
	"-x",
	"it's",
	"\"q\"",
	"{a}",
	"*x",
	"&x",
	"@x",
	"two\nlines",
	"tab\there",
	"end:",
	"~",
	"\xc3\xa4",
	"null",
	"---",
	"%x",
	"key: [",
	"1_000",
	"0o17",
	"?",
	"<<",
	"=",
	"http://u:p@h:1/x?y#z",
	("a\xe2\x80\xa8"
	 "b"),
	"\xef\xbb\xbfx",
	"\xf0\x9f\x98\x80\n",
	"\xc2\x85",
	"\x01\"\\",
};

TEST(text_is_read_back_as_it_was_written)
{
	for (size_t i = 0; i < CDA_LEN(texts_to_keep); i++) {
		CDA_AUTOYAML struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP), *again = NULL;
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);
		struct cda_err err = {0};

		cda_yaml_push(list, cda_yaml_str(texts_to_keep[i]));
		cda_yaml_set(map, "k", cda_yaml_str(texts_to_keep[i]));
		cda_yaml_set(map, "l", list);
		cda_yaml_format(map, 0, &text);
		CHECK_INT_AT(cda_yaml_parse(text.p, text.len, "it", &again, &err), 0, "'%s': %s",
			     texts_to_keep[i], err.msg ? err.msg : "");
		cda_err_done(&err);
		if (!again)
			continue;
		CHECK_INT_AT(cda_yaml_get(again, "k")->kind, CDA_YAML_STR, "'%s'",
			     texts_to_keep[i]);
		CHECK_STR_AT(cda_yaml_get(again, "k")->text, texts_to_keep[i], "value");
		CHECK_STR_AT(cda_yaml_get(again, "l")->items.v[0]->text, texts_to_keep[i], "item");
	}
}

TEST(aliases_and_merge_keys_are_resolved)
{
	const char *text = "base: &b\n  x: 1\n  y: 2\nother:\n  <<: *b\n  y: 3\nsame: *b\n"
			   "late:\n  <<: &m {z: 5}\nagain: *m\n";
	CDA_AUTOYAML struct cda_yaml *tree = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_yaml_parse(text, strlen(text), "it", &tree, &err) == 0);
	CHECK_STR(cda_yaml_get(cda_yaml_get(tree, "other"), "x")->text, "1");
	CHECK_STR(cda_yaml_get(cda_yaml_get(tree, "other"), "y")->text, "3");
	CHECK_STR(cda_yaml_get(cda_yaml_get(tree, "same"), "y")->text, "2");
	CHECK_STR(cda_yaml_get(cda_yaml_get(tree, "late"), "z")->text, "5");
	CHECK_STR(cda_yaml_get(cda_yaml_get(tree, "again"), "z")->text, "5");
}

TEST(a_file_behind_a_link_is_written_where_it_is)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *link_path = scratch_path(&scratch, ".condarc");
	CDA_AUTOFREE char *text = NULL;
	struct cda_condarc *rc = NULL;
	struct cda_err err = {0};

	scratch_write(&scratch, "dot/rc", "quiet: true\n");
	REQUIRE(symlink("dot/rc", link_path) == 0);
	REQUIRE(cda_condarc_read(link_path, &rc, &err) == 0);
	CHECK_INT(cda_condarc_edit(rc, CDA_RC_SET, "quiet", "false", NULL, &err), 0);
	CHECK_INT(cda_condarc_write(rc, &err), 0);
	text = scratch_read(&scratch, "dot/rc");
	CHECK_STR(text, "quiet: false\n");
	cda_condarc_free(rc);
}

TEST(an_absent_file_is_empty_and_made_by_writing)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *path = scratch_path(&scratch, "new");
	CDA_AUTOFREE char *text = NULL;
	struct cda_condarc *rc = NULL;
	struct cda_err err = {0};

	REQUIRE(cda_condarc_read(path, &rc, &err) == 0);
	CHECK_INT(cda_condarc_edit(rc, CDA_RC_SET, "quiet", "1", NULL, &err), 0);
	CHECK_INT(cda_condarc_write(rc, &err), 0);
	text = scratch_read(&scratch, "new");
	CHECK_STR(text, "quiet: true\n");
	cda_condarc_free(rc);
}

TEST(the_search_path_goes_from_system_to_CONDARC)
{
	static const char *const files[] = {"etc/conda/.condarc",
					    "etc/conda/condarc.d/a.yml",
					    "etc/conda/condarc.d/b.yaml",
					    "var/lib/conda/condarc",
					    "root/.condarc",
					    "root/condarc.d/z.yml",
					    "xdg/conda/.condarc",
					    "home/.config/conda/condarc",
					    "home/.conda/.condarc",
					    "home/.condarc",
					    "prefix/.condarc",
					    "extra.rc"};
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *root = scratch_path(&scratch, "root");
	CDA_AUTOSTRV struct cda_strv env = {0}, paths = {0};
	struct cda_settings_input input = {
		.env = &env, .root_prefix = root, .sysroot = scratch.dir};

	cda_strv_pushf(&env, "HOME=%s/home", scratch.dir);
	cda_strv_pushf(&env, "XDG_CONFIG_HOME=%s/xdg", scratch.dir);
	cda_strv_pushf(&env, "CONDA_PREFIX=%s/prefix", scratch.dir);
	cda_strv_pushf(&env, "CONDARC=%s/extra.rc", scratch.dir);
	for (size_t i = 0; i < CDA_LEN(files); i++)
		scratch_write(&scratch, files[i], "");
	scratch_write(&scratch, "etc/conda/condarc.d/ignored.txt", "");
	cda_condarc_search(&input, &paths);
	CHECK_INT(paths.n, CDA_LEN(files));
	for (size_t i = 0; i < paths.n && i < CDA_LEN(files); i++)
		CHECK_STR(paths.v[i] + strlen(scratch.dir) + 1, files[i]);
}
