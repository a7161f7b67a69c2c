#include "pkg/archive.h"
#include "pkg/unpack.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/str.h"
#include "util/utf8.h"

#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { block_size = 256 * 1024, members_max = 64, metadata_max = 64 * 1024 };

static struct archive *close_archive(struct archive *archive)
{
	if (archive)
		archive_read_free(archive);
	return NULL;
}
CDA_DEFINE_CLEANUP(struct archive *, close_archive)
#define AUTOARCHIVE CDA_CLEANUP(close_archivep)

const char *cda_archive_ending(const char *fn)
{
	static const char *const endings[] = {".conda", ".tar.bz2"};

	for (size_t i = 0; i < CDA_LEN(endings); i++)
		if (strlen(fn) > strlen(endings[i]) && cda_ends_with(fn, endings[i]))
			return endings[i];
	return NULL;
}

/* What to do with a tar stream once it is open. */
typedef int tar_fn(void *ctx, struct archive *tar, struct cda_err *err);

/* Feeds a member of the outer zip to the reader of the inner tar. */
static ssize_t read_member(struct archive *tar, void *ctx, const void **ret_block)
{
	struct archive *zip = ctx;
	la_int64_t offset;
	size_t len;
	int rc = archive_read_data_block(zip, ret_block, &len, &offset);

	(void)offset;
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) {
		archive_set_error(tar, archive_errno(zip), "%s", archive_error_string(zip));
		return -1;
	}
	return (ssize_t)len;
}

static int open_tar(struct archive *tar, struct archive *zip, int fd, struct cda_err *err)
{
	int rc = archive_read_support_format_tar(tar);

	if (rc == ARCHIVE_OK)
		rc = zip ? archive_read_support_filter_zstd(tar)
			 : archive_read_support_filter_bzip2(tar);
	if (rc == ARCHIVE_OK && zip)
		rc = archive_read_open(tar, zip, NULL, read_member, NULL);
	else if (rc == ARCHIVE_OK)
		rc = archive_read_open_fd(tar, fd, block_size);
	return rc == ARCHIVE_OK ? 0 : cda_unpack_failed(tar, err);
}

/* Reads to the end, so that the checksums behind the data are looked at. */
static int drain(struct archive *archive, struct cda_err *err)
{
	const void *block;
	la_int64_t offset;
	size_t len;
	int rc;

	do
		rc = archive_read_data_block(archive, &block, &len, &offset);
	while (rc == ARCHIVE_OK);
	return rc == ARCHIVE_EOF ? 0 : cda_unpack_failed(archive, err);
}

static int read_inner(struct archive *zip, tar_fn *fn, void *ctx, struct cda_err *err)
{
	AUTOARCHIVE struct archive *tar = archive_read_new();
	int rc = open_tar(tar, zip, -1, err);

	if (rc == 0)
		rc = fn(ctx, tar, err);
	return rc == 0 ? drain(zip, err) : rc;
}

static int check_metadata(struct archive *zip, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	const void *block;
	la_int64_t offset;
	size_t len;
	int rc;

	while ((rc = archive_read_data_block(zip, &block, &len, &offset)) == ARCHIVE_OK) {
		if (len > metadata_max - text.len)
			return cda_err_set(err, CDA_E_ARCHIVE, "its 'metadata.json' is too long");
		cda_buf_add(&text, block, len);
	}
	if (rc != ARCHIVE_EOF)
		return cda_unpack_failed(zip, err);
	rc = cda_json_parse(text.p, text.len, "metadata.json", &doc, err);
	if (rc < 0) {
		err->code = CDA_E_ARCHIVE;
		return -(int)CDA_E_ARCHIVE;
	}
	if (cda_json_int(yyjson_doc_get_root(doc), "conda_pkg_format_version", 0) != 2)
		return cda_err_set(err, CDA_E_ARCHIVE, "it has a package format that is not known");
	return 0;
}

enum parts { PART_INFO = 1, PART_PKG = 2 };

static enum parts part_of(const char *name)
{
	if (!name || !cda_ends_with(name, ".tar.zst"))
		return 0;
	return cda_starts_with(name, "info-")  ? PART_INFO
	       : cda_starts_with(name, "pkg-") ? PART_PKG
					       : 0;
}

/* Calls fn for the wanted parts of a .conda; each must be there once. */
static int read_conda(int fd, enum parts wanted, tar_fn *fn, void *ctx, struct cda_err *err)
{
	AUTOARCHIVE struct archive *zip = archive_read_new();
	struct archive_entry *entry;
	unsigned seen = 0, members = 0;
	int rc;

	/* By its list of members, which is at the end: what was cut off has none. */
	if (archive_read_support_format_zip_seekable(zip) != ARCHIVE_OK ||
	    archive_read_open_fd(zip, fd, block_size) != ARCHIVE_OK)
		return cda_unpack_failed(zip, err);
	while ((rc = archive_read_next_header(zip, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		const char *name = archive_entry_pathname(entry);
		enum parts part = part_of(name);

		if (++members > members_max)
			return cda_err_set(err, CDA_E_ARCHIVE, "it has too many members");
		if (part & seen)
			return cda_err_set(err, CDA_E_ARCHIVE, "it has a part twice");
		seen |= part;
		rc = 0;
		if (part & wanted)
			rc = read_inner(zip, fn, ctx, err);
		else if (cda_streq(name, "metadata.json"))
			rc = check_metadata(zip, err);
		if (rc != 0)
			return rc;
		if ((seen & wanted) == wanted && wanted != (PART_INFO | PART_PKG))
			return 0;
	}
	if (rc != ARCHIVE_EOF)
		return cda_unpack_failed(zip, err);
	if ((seen & wanted) != wanted)
		return cda_err_set(err, CDA_E_ARCHIVE, "it lacks its %s part",
				   seen & PART_INFO ? "pkg" : "info");
	return 0;
}

static int read_tar_bz2(int fd, tar_fn *fn, void *ctx, struct cda_err *err)
{
	AUTOARCHIVE struct archive *tar = archive_read_new();
	int rc = open_tar(tar, NULL, fd, err);

	return rc == 0 ? fn(ctx, tar, err) : rc;
}

/* The kind is what the first bytes say. */
static int read_package(int fd, enum parts wanted, tar_fn *fn, void *ctx, struct cda_err *err)
{
	CDA_AUTOUTF8 utf8 = cda_utf8_begin();
	unsigned char magic[4] = {0};
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	if (n < 0)
		return cda_err_sys(err, errno, "cannot read the package");
	if (memcmp(magic, "PK\3\4", 4) == 0)
		return read_conda(fd, wanted, fn, ctx, err);
	if (memcmp(magic, "BZh", 3) == 0)
		return read_tar_bz2(fd, fn, ctx, err);
	return cda_err_set(err, CDA_E_ARCHIVE,
			   n == 0 ? "the file is empty" : "it is neither .conda nor .tar.bz2");
}

static int unpack_part(void *ctx, struct archive *tar, struct cda_err *err)
{
	return cda_unpack_tar(ctx, tar, err);
}

static int unpack_into(int fd, int root, const struct cda_archive_limits *limits,
		       struct cda_err *err)
{
	CDA_CLEANUP(cda_unpack_done) struct cda_unpack unpack = {root, limits, .parent_fd = -1};
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return cda_err_sys(err, errno, "cannot read the package");
	unpack.packed = (uint64_t)st.st_size;
	rc = read_package(fd, PART_INFO | PART_PKG, unpack_part, &unpack, err);
	if (rc < 0)
		return rc;
	if (!cda_fs_is_file(root, "info/index.json"))
		return cda_err_set(err, CDA_E_ARCHIVE, "it has no 'info/index.json'");
	return 0;
}

/* Makes the folder the new dest; what was there goes away. */
static int put_in_place(int dirfd, const char *temp, const char *dest, struct cda_err *err)
{
	CDA_AUTOFREE char *trash = cda_asprintf("%s.trash", temp);
	bool was_there;

	for (int tries = 0; tries < 10; tries++) {
		was_there = renameat(dirfd, dest, dirfd, trash) == 0;
		if (renameat(dirfd, temp, dirfd, dest) == 0)
			return was_there ? cda_fs_remove(dirfd, trash, err) : 0;
		/* Another process was quicker with the same package: again. */
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
		if (was_there && cda_fs_remove(dirfd, trash, err) < 0)
			return -(int)err->code;
	}
	return cda_err_sys(err, errno, "cannot rename to '%s'", dest);
}

int cda_archive_extract(int dirfd, const char *path, int dest_dirfd, const char *dest,
			const struct cda_archive_limits *limits, struct cda_err *err)
{
	static unsigned count;
	CDA_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC), root = -1;
	CDA_AUTOFREE char *temp = cda_asprintf("%s.%ld-%u.c~", dest, (long)getpid(),
					       __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
	struct cda_err ignored = {0};
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", path);
	/* What has our number is left over from a process that had it before. */
	rc = cda_fs_remove(dest_dirfd, temp, err);
	if (rc < 0)
		return rc;
	if (mkdirat(dest_dirfd, temp, 0777) != 0)
		return cda_err_sys(err, errno, "cannot make the folder '%s'", temp);
	root = openat(dest_dirfd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		rc = cda_err_sys(err, errno, "cannot open the folder '%s'", temp);
	if (rc == 0)
		rc = unpack_into(fd, root, limits, err);
	if (rc == 0)
		rc = put_in_place(dest_dirfd, temp, dest, err);
	if (rc < 0) {
		(void)!cda_fs_remove(dest_dirfd, temp, &ignored);
		cda_err_done(&ignored);
		return cda_err_wrap(err, rc, "'%s'", cda_path_basename(path));
	}
	return 0;
}

struct search {
	const char *member;
	size_t max;
	struct cda_buf *out;
	bool found;
};

static int search_part(void *ctx, struct archive *tar, struct cda_err *err)
{
	struct search *search = ctx;
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		const char *name = archive_entry_pathname(entry);
		CDA_AUTOFREE char *path = name ? cda_unpack_path(name) : NULL;
		const void *block;
		la_int64_t offset;
		size_t len;

		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (!cda_streq(path, search->member) || archive_entry_filetype(entry) != AE_IFREG ||
		    archive_entry_hardlink(entry))
			continue;
		if ((uint64_t)archive_entry_size(entry) > search->max)
			return cda_err_set(err, CDA_E_ARCHIVE, "its '%s' is too large", path);
		for (size_t room = search->max;
		     (rc = archive_read_data_block(tar, &block, &len, &offset)) == ARCHIVE_OK &&
		     len <= room;
		     room -= len)
			cda_buf_add(search->out, block, len);
		if (rc != ARCHIVE_EOF)
			return cda_unpack_failed(tar, err);
		search->found = true;
		return 1; /* enough */
	}
	return rc == ARCHIVE_EOF ? 0 : cda_unpack_failed(tar, err);
}

int cda_archive_read(int dirfd, const char *path, const char *member, size_t max,
		     struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	struct search search = {member, max, out, false};
	enum parts part = cda_starts_with(member, "info/") ? PART_INFO : PART_PKG;
	size_t before = out->len;
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", path);
	rc = read_package(fd, part, search_part, &search, err);
	if (rc >= 0 && search.found)
		return 0;
	cda_buf_cut(out, before);
	if (rc >= 0)
		rc = cda_err_set(err, CDA_E_NOTFOUND, "it has no '%s'", member);
	return cda_err_wrap(err, rc, "'%s'", cda_path_basename(path));
}
