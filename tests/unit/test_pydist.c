/* The records of Python distributions. */
#include "check.h"
#include "forge/pydist.h"
#include "scratch.h"
#include "util/alloc.h"

TEST(records_name_every_file_once)
{
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOCLOSE int fd = open(scratch.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_err err = {0};

	scratch_mkdir(&scratch, "s/two");
	scratch_mkdir(&scratch, "s/Two_Words-1.0.dist-info");
	scratch_mkdir(&scratch, "s/Two_Words-1.0.dist-info");
	scratch_mkdir(&scratch, "s/one-2.egg-info");
	scratch_mkdir(&scratch, "s/two_words");
	scratch_write(&scratch, "s/two_words/a,b.py", "abc");
	scratch_write(&scratch, "s/one.py", "");
	scratch_write(&scratch, "s/Two_Words-1.0.dist-info/METADATA", "Name: two\n");
	scratch_write(&scratch, "s/Two_Words-1.0.dist-info/INSTALLER", "debian\n");
	scratch_write(&scratch, "s/one-2.egg-info/PKG-INFO", "Name: one\n");
	scratch_write(&scratch, "s/one-2.egg-info/SOURCES.txt", "x\n");
	REQUIRE(cda_pydist_fix(fd, "s", &err) == 0);
	CDA_AUTOFREE char *two = scratch_read(&scratch, "s/Two_Words-1.0.dist-info/RECORD");
	CDA_AUTOFREE char *one = scratch_read(&scratch, "s/one-2.dist-info/RECORD");
	CDA_AUTOFREE char *installer = scratch_read(&scratch, "s/one-2.dist-info/INSTALLER");

	CHECK(strstr(two, "\"two_words/a,b.py\",sha256="
			  "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\n") != NULL);
	CHECK(strstr(two, "one.py") == NULL);
	CHECK(strstr(two, "Two_Words-1.0.dist-info/RECORD,,\n") != NULL);
	CHECK(strstr(one, "one.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n") != NULL);
	CHECK(strstr(one, "one-2.dist-info/METADATA,sha256=") != NULL);
	CHECK(!scratch_has(&scratch, "s/one-2.dist-info/SOURCES.txt"));
	CHECK_STR(installer, "conda\n");
}

TEST(a_folder_without_distributions_is_an_error)
{
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOCLOSE int fd = open(scratch.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_err err = {0};

	scratch_mkdir(&scratch, "s/x");
	CHECK(cda_pydist_fix(fd, "s", &err) < 0);
	cda_err_done(&err);
	CHECK(cda_pydist_fix(fd, "none", &err) < 0);
	cda_err_done(&err);
}
