#include "check.h"
#include "core/channel.h"
#include "core/platform.h"
#include "util/alloc.h"

static char linux_64[] = "linux-64", noarch[] = "noarch", bad[] = "bad";
static char main_url[] = "https://repo.example/pkgs/main", r_url[] = "https://repo.example/pkgs/r";
static char *subdirs[] = {linux_64, noarch, NULL};
static char *defaults[] = {main_url, r_url, NULL};
static char *denied[] = {bad, NULL};
static const struct cda_channel_config config = {.channel_alias = "https://conda.example",
						 .default_channels = {defaults, 2, 3},
						 .subdirs = {subdirs, 2, 3},
						 .denylist_channels = {denied, 1, 2},
						 .cwd = "/work/here",
						 .home = "/home/me"};

TEST(names_urls_and_paths_become_channels)
{
	static const struct {
		const char *text, *name, *canonical, *base;
	} rows[] = {
		{"conda-forge", "conda-forge", "conda-forge", "https://conda.example/conda-forge"},
		{"https://conda.example/conda-forge/linux-64/", "conda-forge", "conda-forge",
		 "https://conda.example/conda-forge"},
		{"pkgs/main", "pkgs/main", "defaults", "https://repo.example/pkgs/main"},
		{"https://me:pw@host.example/t/tk-1/x/noarch", "x", "https://host.example/x",
		 "https://host.example/x"},
		{"/opt/chan", "chan", "file:///opt/chan", "file:///opt/chan"},
		{"../chan", "chan", "file:///work/chan", "file:///work/chan"},
		{"~/chan", "chan", "file:///home/me/chan", "file:///home/me/chan"},
		{"defaults", "defaults", "defaults", NULL},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};
		CDA_AUTOFREE char *base = NULL;
		struct cda_err err = {0};

		REQUIRE(cda_channel_parse(&config, rows[i].text, &ch, &err) == 0);
		base = cda_channel_base_url(&ch);
		CHECK_STR_AT(ch.name, rows[i].name, "'%s'", rows[i].text);
		CHECK_STR_AT(ch.canonical_name, rows[i].canonical, "'%s'", rows[i].text);
		CHECK_STR_AT(base, rows[i].base, "'%s'", rows[i].text);
	}
}

TEST(credentials_are_in_urls_only_when_asked_for)
{
	CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};
	CDA_AUTOSTRV struct cda_strv plain = {0}, secret = {0};
	struct cda_err err = {0};

	REQUIRE(cda_channel_parse(&config, "https://me:pw@host.example/t/tk-1/x", &ch, &err) == 0);
	REQUIRE(cda_channel_urls(&config, &ch, NULL, false, &plain, &err) == 0);
	REQUIRE(cda_channel_urls(&config, &ch, NULL, true, &secret, &err) == 0);
	CHECK_STR(plain.v[0], "https://host.example/x/linux-64");
	CHECK_STR(secret.v[1], "https://me:pw@host.example/t/tk-1/x/noarch");
}

TEST(priorities_count_members_and_each_url_once)
{
	CDA_CLEANUP(cda_channel_urls_free_all) struct cda_channel_urls urls = {0};
	CDA_AUTOSTRV struct cda_strv channels = {0};
	struct cda_err err = {0};

	cda_strv_push(&channels, "conda-forge");
	cda_strv_push(&channels, "defaults");
	cda_strv_push(&channels, "conda-forge");
	REQUIRE(cda_channels_prioritize(&config, &channels, &urls, &err) == 0);
	CHECK_INT(urls.n, 6);
	CHECK_INT(urls.v[0].priority, 0);
	CHECK_INT(urls.v[3].priority, 1);
	CHECK_INT(urls.v[5].priority, 2);
	CHECK_STR(urls.v[5].url, "https://repo.example/pkgs/r/noarch");
	CHECK_STR(urls.v[5].subdir, "noarch");
	CHECK_STR(urls.v[5].name, "defaults");
}

TEST(a_denied_channel_is_refused)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {{"bad", -CDA_E_CHANNEL},
		    {"https://conda.example/bad/linux-64", -CDA_E_CHANNEL},
		    {"good", 0},
		    {"defaults", 0}};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};
		struct cda_err err = {0};

		REQUIRE(cda_channel_parse(&config, rows[i].text, &ch, &err) == 0);
		CHECK_INT_AT(cda_channel_check_allowed(&config, &ch, &err), rows[i].rc, "'%s'",
			     rows[i].text);
		cda_err_done(&err);
	}
}

TEST(subdirs_are_known_by_whole_name)
{
	CHECK(cda_platform_is_subdir("linux-64", 8));
	CHECK(cda_platform_is_subdir("noarch", 6));
	CHECK(!cda_platform_is_subdir("linux-6", 7));
	CHECK(!cda_platform_is_subdir("linux-128", 9));
	CHECK(cda_platform_is_subdir(cda_platform_native(), strlen(cda_platform_native())));
}
