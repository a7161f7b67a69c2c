#include "check.h"
#include "prefix/history.h"
#include "scratch.h"

#include "util/arena.h"

static struct cda_channel_config config = {
	.channel_alias = "https://example.org", .cwd = "/", .home = "/nowhere"};

static const char sample[] = "==> 2026-01-01 00:00:00 <==\n"
			     "# cmd: /opt/conda/bin/conda create -n x python=3.11 'numpy >=1'\n"
			     "# conda version: 23.5.2\n"
			     "+chan/linux-64::python-3.11.2-h_0\n"
			     "+chan/linux-64::numpy-1.20-py_0\n"
			     "# update specs: ['python=3.11', \"numpy[version='>=1']\"]\n"
			     "\n"
			     "==> 2026-01-02 00:00:00 <==\n"
			     "# cmd: conda remove numpy\n"
			     "# conda version: 23.5.2\n"
			     "-chan/linux-64::numpy-1.20-py_0\n"
			     "# remove specs: ['numpy']\n"
			     "==> 2026-01-03 00:00:00 <==\n"
			     "# cmd: conda install x\n"
			     "# conda version: 23.5.2\n"
			     "-chan/linux-64::python-3.11.2-h_0\n"
			     "+chan/linux-64::python-3.12.0-h_0\n"
			     "+chan/noarch::x-1-0\n"
			     "# update specs: ['x']\n"
			     "# neutered specs: ['python']\n";

TEST(revisions_requests_and_states_are_read)
{
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv names = {0}, specs = {0}, state = {0};
	CDA_AUTOFREE char *text = NULL;

	cda_history_parse(sample, sizeof(sample) - 1, &history);
	REQUIRE(CHECK_INT(history.entries.n, 3));
	CHECK_STR(history.entries.v[0].date, "2026-01-01 00:00:00");
	CHECK_STR(history.entries.v[1].cmd, "conda remove numpy");
	CHECK_STR(history.entries.v[2].conda_version, "23.5.2");
	CHECK_INT(history.entries.v[2].diff.n, 3);
	REQUIRE(CHECK_INT(history.entries.v[0].update_specs.n, 2));
	CHECK_STR(history.entries.v[0].update_specs.v[1], "numpy[version='>=1']");
	cda_history_requested(&history, &config, &names, &specs);
	text = cda_strv_join(&specs, " ");
	CHECK_STR(text, "python x");
	cda_replace(&text, cda_strv_join(&names, " "));
	CHECK_STR(text, "python x");
	CHECK(cda_history_state(&history, 0, &state));
	cda_replace(&text, cda_strv_join(&state, " "));
	CHECK_STR(text, "chan/linux-64::numpy-1.20-py_0 chan/linux-64::python-3.11.2-h_0");
	cda_strv_done(&state);
	state = (struct cda_strv){0};
	CHECK(cda_history_state(&history, 2, &state));
	cda_replace(&text, cda_strv_join(&state, " "));
	CHECK_STR(text, "chan/linux-64::python-3.12.0-h_0 chan/noarch::x-1-0");
	CHECK(!cda_history_state(&history, 3, &state));
}

struct specs_row {
	const char *line, *want; /* joined by "|" */
};

static const struct specs_row spec_rows[] = {
	{"# update specs: ['a', 'b=1']", "a|b=1"},
	{"# install specs: [u'a', u'b']", "a|b"},
	{"# create specs: [\"a\", \"b's\"]", "a|b's"},
	{"# update specs: ['it\\'s', 'back\\\\slash']", "it's|back\\slash"},
	{"# update specs: numpy >=1.7,<2,python", "numpy >=1.7,<2|python"},
	{"# update specs:a,b", "a|b"},
	{"#update specs: ['a']", "a"},
	{"# update specs: []", ""},
	{"# update specs:", ""},
	{"# update specs: ['never ends", "never ends"},
	{"# update specs: ['a'] trailing 'b'", "a"},
	{"# other specs: ['a']", ""},
	{"# update", ""},
	{"#", ""},
};

TEST(specs_are_read_in_every_form_conda_wrote)
{
	for (size_t i = 0; i < CDA_LEN(spec_rows); i++) {
		CDA_AUTOHISTORY struct cda_history history = {0};
		CDA_AUTOFREE char *text =
			cda_asprintf("==> d <==\n# cmd: conda\n%s\n", spec_rows[i].line);
		CDA_AUTOFREE char *got = NULL;

		cda_history_parse(text, strlen(text), &history);
		REQUIRE(CHECK_INT(history.entries.n, 1));
		got = cda_strv_join(&history.entries.v[0].update_specs, "|");
		CHECK_STR_AT(got ? got : "", spec_rows[i].want, "row %zu", i);
	}
}

TEST(hostile_text_gives_what_sense_it_has)
{
	static const char text[] =
		"junk\n-before any head\n# update specs: ['x']\n==> <==\n==> \n"
		"==> d <==\n+a::b\0c-1-0\n-\n+\n# cmd:\n# update specs: ['!!=']\n"
		"\xff\xfe\n==> e <==";
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv specs = {0}, state = {0};

	cda_history_parse(text, sizeof(text) - 1, &history);
	REQUIRE(CHECK_INT(history.entries.n, 2));
	CHECK_STR(history.entries.v[1].date, "e");
	cda_history_requested(&history, &config, NULL, &specs);
	CHECK_INT(specs.n, 0);
	CHECK(cda_history_state(&history, 1, &state));
	CHECK_INT(state.n, 0);
}

TEST(bare_lines_are_a_whole_state)
{
	static const char text[] = "==> a <==\nzlib-1.2-0\npython-2.7-0\n==> b <==\n-zlib-1.2-0\n";
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv state = {0};
	CDA_AUTOFREE char *got = NULL;

	cda_history_parse(text, sizeof(text) - 1, &history);
	CHECK(cda_history_state(&history, 1, &state));
	got = cda_strv_join(&state, " ");
	CHECK_STR(got, "python-2.7-0");
}

TEST(an_entry_is_written_as_conda_writes_it)
{
	static const char want[] =
		"==> 2026-01-02 03:04:05 <==\n# cmd: conda install  b\n# conda version: 26.1\n"
		"-c/noarch::a-1-0\n-c/noarch::z-1-0\n+c/noarch::a-2-0\n+c/noarch::b-1-0\n"
		"# remove specs: ['z']\n# update specs: ['b', \"it's\", 'x\\\\y']\n";
	CDA_AUTOSTRV struct cda_strv before = {0}, after = {0}, update = {0}, removed = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOHISTORY struct cda_history history = {0};
	struct cda_history_change change = {.date = "2026-01-02 03:04:05",
					    .cmd = "conda install\n b",
					    .conda_version = "26.1",
					    .update_specs = &update,
					    .remove_specs = &removed};

	cda_strv_split(&before, "c/noarch::z-1-0 c/noarch::k-1-0 c/noarch::a-1-0", " ");
	cda_strv_split(&after, "c/noarch::k-1-0 c/noarch::b-1-0 c/noarch::a-2-0", " ");
	cda_strv_split(&update, "b it's x\\y", " ");
	cda_strv_split(&removed, "z", " ");
	cda_history_format(&change, &before, &after, &out);
	CHECK_STR(out.p, want);
	cda_history_parse(out.p, out.len, &history);
	REQUIRE(CHECK_INT(history.entries.n, 1));
	REQUIRE(CHECK_INT(history.entries.v[0].update_specs.n, 3));
	CHECK_STR(history.entries.v[0].update_specs.v[2], "x\\y");
}

struct dist_row {
	const char *dist, *channel, *subdir, *name, *version, *build; /* name NULL: none */
};

static const struct dist_row dists[] = {
	{"conda-forge/linux-64::numpy-1.20-py_0", "conda-forge", "linux-64", "numpy", "1.20",
	 "py_0"},
	{"file:///a/b/noarch::x-y-1-0", "file:///a/b", "noarch", "x-y", "1", "0"},
	{"defaults::zlib-1.2-0", "defaults", NULL, "zlib", "1.2", "0"},
	{"zlib-1.2-0", NULL, NULL, "zlib", "1.2", "0"},
	{"zlib-1.2-0.tar.bz2", NULL, NULL, "zlib", "1.2", "0"},
	{"zlib", NULL, NULL, NULL, NULL, NULL},
	{"", NULL, NULL, NULL, NULL, NULL},
	{"a::", NULL, NULL, NULL, NULL, NULL},
};

TEST(dists_come_apart)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();

	for (size_t i = 0; i < CDA_LEN(dists); i++) {
		struct cda_record record;

		if (!CHECK_INT_AT(cda_history_dist(arena, dists[i].dist, &record),
				  dists[i].name != NULL, "%s", dists[i].dist) ||
		    !dists[i].name)
			continue;
		CHECK_STR_AT(record.channel_name, dists[i].channel, "%s", dists[i].dist);
		CHECK_STR_AT(record.subdir, dists[i].subdir, "%s", dists[i].dist);
		CHECK_STR_AT(record.name, dists[i].name, "%s", dists[i].dist);
		CHECK_STR_AT(record.version, dists[i].version, "%s", dists[i].dist);
		CHECK_STR_AT(record.build, dists[i].build, "%s", dists[i].dist);
	}
}

TEST(no_file_is_no_history)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOHISTORY struct cda_history history = {0};
	struct cda_err err = {0};

	CHECK(cda_history_load(scratch.dir, &history, &err) >= 0);
	CHECK_INT(history.entries.n, 0);
	scratch_write(&scratch, "conda-meta/history", sample);
	CHECK(cda_history_load(scratch.dir, &history, &err) >= 0);
	CHECK_INT(history.entries.n, 3);
}
