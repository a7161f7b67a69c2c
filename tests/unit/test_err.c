#include "check.h"
#include "util/err.h"

#include <errno.h>

TEST(a_story_grows_outward)
{
	struct cda_err err = {0};
	int rc = cda_err_set(&err, CDA_E_PARSE, "bad %s in '%s'", "byte", "x.json");

	CHECK_INT(rc, -CDA_E_PARSE);
	CHECK_INT(cda_err_wrap(&err, rc, "cannot read %d", 7), rc);
	CHECK_STR(err.msg, "cannot read 7: bad byte in 'x.json'");
	CHECK_INT(cda_err_hint(&err, "try %d", 1), -CDA_E_PARSE);
	cda_err_hint(&err, "or that");
	CHECK_STR(err.hint, "try 1\nor that");
	cda_err_done(&err);
	CHECK_INT(err.code, CDA_OK);
	CHECK(!err.msg && !err.hint);
}

TEST(system_errors_keep_errno_and_a_full_disk_is_its_own)
{
	static const struct {
		int sys;
		enum cda_errc code;
		const char *msg;
		bool hint;
	} rows[] = {
		{ENOENT, CDA_E_SYS, "cannot open 'x': No such file or directory", false},
		{EACCES, CDA_E_SYS, "cannot open 'x': Permission denied", false},
		{ENOSPC, CDA_E_NOSPACE, "cannot open 'x': No space left on device", true},
		{EDQUOT, CDA_E_NOSPACE, "cannot open 'x': Disk quota exceeded", true},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_err err = {0};

		CHECK_INT(cda_err_sys(&err, rows[i].sys, "cannot open '%s'", "x"),
			  -(int)rows[i].code);
		CHECK_STR(err.msg, rows[i].msg);
		CHECK_INT(err.sys, rows[i].sys);
		CHECK_INT(err.hint != NULL, rows[i].hint);
		cda_err_done(&err);
	}
}

TEST(moving_cleans_the_source_and_null_drops)
{
	struct cda_err a = {0}, b = {0};

	cda_err_set(&a, CDA_E_BUSY, "held");
	cda_err_move(&b, &a);
	CHECK_INT(a.code, CDA_OK);
	CHECK_STR(b.msg, "held");
	cda_err_move(NULL, &b);
	CHECK_INT(b.code, CDA_OK);
	CHECK_INT(cda_err_set(NULL, CDA_E_BUSY, "nobody looks"), -CDA_E_BUSY);
}

TEST(codes_have_status_and_id)
{
	CHECK_INT(cda_err_status(CDA_OK), 0);
	CHECK_INT(cda_err_status(CDA_E_USAGE), 2);
	CHECK_INT(cda_err_status(CDA_E_INTERRUPTED), 130);
	CHECK_STR(cda_err_id(CDA_E_NOTFOUND), "PackagesNotFoundError");
}
