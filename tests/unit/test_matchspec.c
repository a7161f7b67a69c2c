#include "check.h"
#include "core/matchspec.h"
#include "util/alloc.h"

static const struct cda_channel_config config = {
	.channel_alias = "https://conda.example", .cwd = "/work", .home = "/home/me"};

static struct cda_matchspec *parse(const char *text)
{
	struct cda_matchspec *spec = NULL;
	struct cda_err err = {0};

	if (cda_matchspec_parse(&config, text, &spec, &err) < 0)
		spec = NULL;
	cda_err_done(&err);
	return spec;
}

static const struct cda_record numpy = {.name = "numpy",
					.version = "1.8.1",
					.build = "py27_1",
					.build_number = 1,
					.channel = "https://conda.example/free",
					.channel_name = "free",
					.subdir = "linux-64",
					.fn = "numpy-1.8.1-py27_1.conda",
					.license = "BSD"};

TEST(text_is_read_and_written_as_conda_does)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{"numpy", "numpy"},
		{"NumPy >=1.8,<2", "numpy[version='>=1.8,<2']"},
		{"numpy=1.8", "numpy=1.8"},
		{"numpy 1.8 py27_0", "numpy==1.8=py27_0"},
		{"numpy=1.8=py27*", "numpy==1.8[build=py27*]"},
		{"free::numpy", "free::numpy"},
		{"free/linux-64::numpy", "free/linux-64::numpy"},
		{"numpy[version='1.8|1.9', build_number=2]",
		 "numpy[version='1.8|1.9',build_number=2]"},
		{"https://conda.example/free/linux-64/numpy-1.8.1-py27_1.conda",
		 "free/linux-64::numpy==1.8.1=py27_1"},
		{"./numpy-1.8.1-py27_1.conda", "*[url=file:///work/numpy-1.8.1-py27_1.conda]"},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = parse(rows[i].text);

		CHECK_STR_AT(spec ? cda_matchspec_text(spec) : NULL, rows[i].canonical, "'%s'",
			     rows[i].text);
	}
}

TEST(records_match_by_every_field)
{
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
		{"numpy", true},
		{"num*", true},
		{"scipy", false},
		{"numpy 1.8.*", true},
		{"numpy >1.8.1", false},
		{"numpy * py27*", true},
		{"numpy * py36*", false},
		{"free::numpy", true},
		{"other::numpy", false},
		{"f*::numpy", true},
		{"numpy[subdir=noarch]", false},
		{"numpy[build_number=1]", true},
		{"numpy[build_number='>1']", false},
		{"numpy[license=bsd]", true},
		{"numpy[license=mit]", false},
		{"numpy[fn=numpy-1.8.1-py27_1.conda]", true},
		{"numpy[track_features=mkl]", false},
		{"*", true},
		{"", true},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = parse(rows[i].text);

		REQUIRE(spec);
		CHECK_INT_AT(cda_matchspec_match(spec, &numpy), rows[i].matches, "'%s'",
			     rows[i].text);
		CHECK_INT_AT(cda_matchspec_match_version(spec, numpy.version, NULL) &&
				     cda_matchspec_match_rest(spec, &numpy),
			     rows[i].matches, "halves of '%s'", rows[i].text);
	}
}

TEST(a_changed_copy_has_the_other_fields_as_before)
{
	CDA_CLEANUP(cda_matchspec_freep)
	struct cda_matchspec *spec = parse("free::numpy 1.8 py27_0");
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *copy = NULL, *bad = NULL;

	REQUIRE(spec);
	copy = cda_matchspec_with(spec, "version", "2.*", "build", NULL, NULL);
	REQUIRE(copy);
	CHECK_STR(cda_matchspec_text(copy), "free::numpy=2");
	CHECK_STR(cda_matchspec_field(copy, "version"), "2.*");
	CHECK_STR(cda_matchspec_field(copy, "build"), NULL);
	bad = cda_matchspec_with(spec, "version", "1..2", NULL);
	CHECK(!bad);
}

TEST(wrong_text_is_refused_with_the_right_code)
{
	static const struct {
		const char *text;
		enum cda_errc code;
	} rows[] = {
		{" ", CDA_E_SPEC},
		{"=1.8", CDA_E_SPEC},
		{"numpy[foo=bar]", CDA_E_SPEC},
		{"numpy[version=]", CDA_E_SPEC},
		{"numpy 1..8", CDA_E_VERSION},
		{"numpy >=1.8 <2", CDA_E_VERSION},
		{"numpy==", CDA_E_SPEC},
		{"c++*", CDA_E_SPEC},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(cda_matchspec_parse(&config, rows[i].text, &spec, &err),
			     -(int)rows[i].code, "'%s'", rows[i].text);
		cda_err_done(&err);
	}
}

TEST(hostile_text_ends_soon)
{
	CDA_AUTOFREE char *text = cda_alloc0(1, 65000);
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;

	for (size_t i = 0; i + 2 < 64999; i += 2)
		memcpy(text + i, "a=", 2);
	text[0] = 'n';
	text[1] = '[';
	memcpy(text + 64990, "']", 3);
	spec = parse(text);
	CHECK(spec == NULL || cda_matchspec_text(spec));
}
