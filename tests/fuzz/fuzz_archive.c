/* Whatever a package file holds: nothing appears outside its folder, nothing setuid or special
 * inside, nothing beyond the limits, and on failure nothing at all. */
#include "fuzz.h"
#include "pkg/archive.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

enum { bytes_max = 1 << 20, entries_max = 100 };

struct sum {
	uint64_t bytes;
	size_t entries;
};

static int look(void *ctx, const char *path, const struct stat *st)
{
	struct sum *sum = ctx;

	sum->entries++;
	HOLDS(cda_fs_path_is_inside(path));
	HOLDS(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode));
	HOLDS((st->st_mode & 07000) == 0 || S_ISLNK(st->st_mode));
	HOLDS(!S_ISLNK(st->st_mode) || !cda_starts_with(path, "info/"));
	if (S_ISREG(st->st_mode) && st->st_nlink == 1)
		sum->bytes += (uint64_t)st->st_size;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct cda_archive_limits limits = {.max_bytes = bytes_max,
						  .max_entries = entries_max};
	CDA_AUTOFREE char *root = NULL;
	CDA_AUTOCLOSE int fd = -1;
	CDA_AUTOSTRV struct cda_strv names = {0};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct sum sum = {0};
	struct cda_err err = {0};
	int rc;

	HOLDS(cda_fs_tempdir(NULL, "fuzz_archive", &root, &err) == 0);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	HOLDS(fd >= 0 && cda_fs_mkdirs(fd, "top", 0755, &err) == 0);
	HOLDS(cda_fs_replace(fd, "in", p, len, 0644, false, &err) == 0);
	rc = cda_archive_extract(fd, "in", fd, "top/out", &limits, &err);
	if (rc < 0) {
		HOLDS(err.code == CDA_E_ARCHIVE && err.msg);
		for (const char *c = err.msg; *c; c++)
			HOLDS((unsigned char)*c >= ' ' || *c == '\n');
		cda_err_done(&err);
	}
	HOLDS(cda_fs_list(fd, ".", &names, &err) == 0 && names.n == 2);
	HOLDS(cda_fs_list(fd, "top", &names, &err) == 0 && names.n == 2 + (rc == 0));
	if (rc == 0) {
		HOLDS(cda_fs_walk(fd, "top/out", look, &sum, &err) == 0);
		HOLDS(sum.bytes <= bytes_max && cda_fs_is_file(fd, "top/out/info/index.json"));
	}
	if (cda_archive_read(fd, "in", "info/index.json", 1000, &text, &err) < 0)
		cda_err_done(&err);
	HOLDS(text.len <= 1000);
	HOLDS(cda_fs_remove(AT_FDCWD, root, &err) == 0);
	return 0;
}
