#include "check.h"
#include "release/mirrors.h"

/* options (blank between) or NULL, environment or NULL, the list (blank between) or NULL */
static const struct {
	const char *options, *text, *want;
	enum cda_mirrors_origin origin;
} rows[] = {
	{NULL, NULL, "https://repo.anaconda.com/miniconda https://repo.continuum.io/miniconda",
	 CDA_MIRRORS_DEFAULT},
	{NULL, "", "https://repo.anaconda.com/miniconda https://repo.continuum.io/miniconda",
	 CDA_MIRRORS_DEFAULT},
	{NULL, " , ", "https://repo.anaconda.com/miniconda https://repo.continuum.io/miniconda",
	 CDA_MIRRORS_DEFAULT},
	{NULL, "https://b/x/ http://a:80/y,file:///tmp\tHTTPS://B/z",
	 "https://b/x http://a:80/y file:///tmp HTTPS://B/z", CDA_MIRRORS_ENVIRONMENT},
	{"https://a/x", "https://b/x", "https://a/x", CDA_MIRRORS_OPTION},
	{"https://a/x https://a/x/ https://b", NULL, "https://a/x https://b", CDA_MIRRORS_OPTION},
	{"/", NULL, "file:///", CDA_MIRRORS_OPTION},
	{"https://me:secret@a/x", NULL, "https://me:secret@a/x", CDA_MIRRORS_OPTION},
	{"ftp://a/x", NULL, NULL, 0},
	{"https:///x", NULL, NULL, 0},
	{"https://", NULL, NULL, 0},
	{"/no/such/folder", NULL, NULL, 0},
	{"repo.anaconda.com/miniconda", NULL, NULL, 0},
	{"https://a/x?y", NULL, NULL, 0},
	{"https://a/x#y", NULL, NULL, 0},
	{NULL, "https://a/\x01", NULL, 0},
};

TEST(mirrors_come_from_one_place_in_order)
{
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOSTRV struct cda_strv options = {0};
		struct cda_mirrors mirrors = {0};
		struct cda_err err = {0};
		int rc;

		if (rows[i].options)
			cda_strv_split(&options, rows[i].options, " ");
		rc = cda_mirrors_init(&options, rows[i].text, &mirrors, &err);
		CHECK_INT_AT(rc, rows[i].want ? 0 : -CDA_E_VALUE, "row %zu", i);
		if (rc == 0) {
			CDA_AUTOFREE char *got = cda_strv_join(&mirrors.urls, " ");

			CHECK_STR_AT(got, rows[i].want ? rows[i].want : "an error", "row %zu", i);
			CHECK_INT_AT(mirrors.origin, rows[i].origin, "row %zu", i);
		} else {
			CHECK_AT(err.hint != NULL, "row %zu", i);
		}
		cda_mirrors_done(&mirrors);
		cda_err_done(&err);
	}
}

TEST(a_refused_mirror_shows_no_password)
{
	CDA_AUTOSTRV struct cda_strv options = {0};
	struct cda_mirrors mirrors = {0};
	struct cda_err err = {0};

	cda_strv_push(&options, "ftp://me:topsecret@host/x");
	CHECK_INT(cda_mirrors_init(&options, NULL, &mirrors, &err), -CDA_E_VALUE);
	CHECK(strstr(err.msg, "topsecret") == NULL);
	cda_err_done(&err);
}

TEST(a_name_is_appended)
{
	CDA_AUTOFREE char *url = cda_mirror_url("https://a/x", ".files.json");

	CHECK_STR(url, "https://a/x/.files.json");
}
