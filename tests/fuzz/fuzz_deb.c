/* Whatever a Debian package holds: nothing appears outside its folder, nothing special inside. */
#include "fuzz.h"
#include "forge/deb.h"
#include "util/fs.h"

static int look(void *ctx, const char *path, const struct stat *st)
{
	HOLDS(cda_fs_path_is_inside(path));
	HOLDS(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode));
	HOLDS((st->st_mode & 07000) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOFREE char *root = NULL;
	CDA_AUTOFREE char *path = NULL;
	CDA_AUTOFREE char *out = NULL;
	CDA_AUTOCLOSE int fd = -1;
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_deb deb = {0};
	struct cda_err err = {0};
	int rc;

	HOLDS(cda_fs_tempdir(NULL, "fuzz_deb", &root, &err) == 0);
	path = cda_path_join(root, "in");
	out = cda_path_join(root, "out");
	HOLDS(cda_fs_mkdirs(AT_FDCWD, out, 0755, &err) == 0);
	HOLDS(cda_fs_replace(AT_FDCWD, path, p, len, 0644, false, &err) == 0);
	fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = cda_deb_open(path, &deb, &err);
	if (!rc)
		rc = cda_deb_unpack(&deb, fd, &err);
	if (rc) {
		HOLDS(err.code != CDA_OK && err.msg);
		cda_err_done(&err);
	}
	cda_deb_done(&deb);
	if (cda_deb_unzip(path, fd, &err))
		cda_err_done(&err);
	HOLDS(cda_fs_walk(fd, ".", look, NULL, &err) == 0);
	HOLDS(cda_fs_list(AT_FDCWD, root, &names, &err) == 0 && names.n == 2);
	HOLDS(cda_fs_remove(AT_FDCWD, root, &err) == 0);
	return 0;
}
