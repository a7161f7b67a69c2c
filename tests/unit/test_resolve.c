#include "check.h"
#include "release/pinned.h"
#include "release/resolve.h"

/* words of a command line, NULL where an option is absent; what the pinned table gives */
static const struct {
	const char *product, *python, *conda, *release, *arch, *want;
} picks[] = {
	{NULL, "3.13", "26.5.3", NULL, "x86_64", "Miniconda3-py313_26.5.3-1-Linux-x86_64.sh"},
	{NULL, "3.13", "26.5.3-1", NULL, "x86_64", "Miniconda3-py313_26.5.3-1-Linux-x86_64.sh"},
	{NULL, "py39", NULL, NULL, "amd64", "Miniconda3-py39_25.9.1-3-Linux-x86_64.sh"},
	{NULL, "39", NULL, NULL, "linux/arm64", "Miniconda3-py39_25.9.1-3-Linux-aarch64.sh"},
	{NULL, NULL, "26.5.3", NULL, "x86_64", "Miniconda3-py314_26.5.3-1-Linux-x86_64.sh"},
	{"miniconda3", "3.10", "23.5", NULL, "x86_64", "Miniconda3-py310_23.5.2-0-Linux-x86_64.sh"},
	{NULL, "3.8", NULL, NULL, "x86_64", "Miniconda3-py38_23.11.0-2-Linux-x86_64.sh"},
	{NULL, "3.9", NULL, NULL, "x86_64", "Miniconda3-py39_25.9.1-3-Linux-x86_64.sh"},
	{NULL, NULL, NULL, NULL, "s390x", NULL}, /* below */
	{NULL, NULL, "4.7.12", NULL, "x86_64", "Miniconda3-4.7.12-Linux-x86_64.sh"},
	{NULL, NULL, "4.7", NULL, "x86_64", "Miniconda3-4.7.12.1-Linux-x86_64.sh"},
	{NULL, NULL, NULL, "py39_4.12.0", "x86_64", "Miniconda3-py39_4.12.0-Linux-x86_64.sh"},
	{NULL, "3.11", NULL, "23.5.2-0", "x86_64", "Miniconda3-py311_23.5.2-0-Linux-x86_64.sh"},
	{NULL, "3.11", NULL, "23.5.2", "x86_64", "-"},
	{NULL, "3.11", "23.5.2-7", NULL, "x86_64", "-"},
	{NULL, NULL, "4.1", NULL, "x86_64", "Miniconda3-4.1.11-Linux-x86_64.sh"}, /* not 4.12 */
	{"Condense3", NULL, NULL, NULL, NULL, "-"},
	{NULL, "3.7", "26", NULL, NULL, "-"},
	{NULL, "3", "26.5.3", NULL, "x86_64", "Miniconda3-py314_26.5.3-1-Linux-x86_64.sh"},
};

TEST(requests_pick_what_they_mean)
{
	struct cda_releases all = {0};

	cda_pinned_add(&all);
	for (size_t i = 0; i < CDA_LEN(picks); i++) {
		struct cda_release_request request;
		const struct cda_release *got;
		char text[CDA_RELEASE_NAME_MAX] = "-";
		struct cda_err err = {0};

		CHECK_INT_AT(cda_request_init(picks[i].product, picks[i].python, picks[i].conda,
					      picks[i].release, picks[i].arch, &request, &err),
			     0, "row %zu", i);
		got = cda_request_pick(&request, &all, true);
		if (got)
			cda_release_name_format(&got->name, text);
		if (picks[i].want)
			CHECK_STR_AT(text, picks[i].want, "row %zu", i);
		else
			CHECK_STR_AT(got->name.arch, picks[i].arch, "row %zu", i);
		cda_err_done(&err);
	}
	cda_releases_done(&all);
}

static const struct {
	const char *product, *python, *conda, *release, *arch, *text;
} refused[] = {
	{"Anaconda3", NULL, NULL, NULL, NULL, "--product"},
	{NULL, "x", NULL, NULL, NULL, "--python"},
	{NULL, "", NULL, NULL, NULL, "--python"},
	{NULL, "3.", NULL, NULL, NULL, "--python"},
	{NULL, "3.13.1", NULL, NULL, NULL, "--python"},
	{NULL, "3.-1", NULL, NULL, NULL, "--python"},
	{NULL, NULL, "", NULL, NULL, "--conda"},
	{NULL, NULL, "26..5", NULL, NULL, "--conda"},
	{NULL, NULL, "26.5.", NULL, NULL, "--conda"},
	{NULL, NULL, "latest", NULL, NULL, "--conda"},
	{NULL, NULL, "26.5.3-", NULL, NULL, "--conda"},
	{NULL, NULL, "26.5.3-1-1", NULL, NULL, "--conda"},
	{NULL, NULL, "../26", NULL, NULL, "--conda"},
	{NULL, NULL, NULL, "py_1", NULL, "--release"},
	{NULL, NULL, NULL, "x_1.2", NULL, "--release"},
	{NULL, NULL, NULL, NULL, "mips", "--arch"},
};

TEST(words_that_mean_nothing_are_refused_by_the_option_s_name)
{
	for (size_t i = 0; i < CDA_LEN(refused); i++) {
		struct cda_release_request request;
		struct cda_err err = {0};
		int rc = cda_request_init(refused[i].product, refused[i].python, refused[i].conda,
					  refused[i].release, refused[i].arch, &request, &err);

		CHECK_INT_AT(rc, -CDA_E_USAGE, "row %zu", i);
		if (rc < 0)
			CHECK_AT(strstr(err.msg, refused[i].text) && err.hint, "row %zu: %s", i,
				 err.msg);
		cda_err_done(&err);
	}
}

TEST(newest_keeps_one_of_each_kind)
{
	struct cda_release_request request;
	struct cda_releases all = {0};
	struct cda_err err = {0};
	size_t before;

	cda_pinned_add(&all);
	cda_listing_sort(&all);
	REQUIRE(cda_request_init(NULL, NULL, NULL, NULL, "x86_64", &request, &err) == 0);
	cda_request_filter(&request, true, &all);
	/* without a Python, and 3.7 to 3.14 or later */
	CHECK(all.n >= 9 && all.n < 20);
	for (size_t i = 1; i < all.n; i++)
		CHECK(cda_release_name_cmp(&all.v[i - 1].name, &all.v[i].name) < 0);
	before = all.n;
	cda_request_filter(&request, true, &all);
	CHECK_INT(all.n, before);
	cda_releases_done(&all);
}

TEST(a_request_is_told_in_words)
{
	struct cda_release_request request;
	struct cda_err err = {0};

	REQUIRE(cda_request_init("Condense3", "3.13", "26.11", NULL, "amd64", &request, &err) == 0);
	CDA_AUTOFREE char *text = cda_request_format(&request);
	CHECK_STR(text, "Condense3, Python 3.13, conda 26.11, x86_64");
	REQUIRE(cda_request_init(NULL, NULL, NULL, NULL, NULL, &request, &err) == 0);
	CDA_AUTOFREE char *any = cda_request_format(&request);
	CHECK_STR(any, "any release");
}
