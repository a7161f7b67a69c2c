#include "image/oci_store.h"
#include "image/tree_state.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"
#include "util/utf8.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { chunk_size = 256 * 1024, members_max = 4000000, names_max = 512 << 20, links_max = 8 };
#define UNPACKED_MAX ((uint64_t)256 << 30)

struct member {
	int64_t at;
	uint64_t size;
	char *link; /* owned: the name that has the content, for links; or NULL */
};

struct cda_store {
	int dir;                 /* the folder, or -1 */
	int disk;                /* the archive as it lies there */
	int plain;               /* the archive unpacked: disk, or a nameless file */
	struct cda_map *members; /* of the archive, by clean name, to struct member */
	size_t names;            /* bytes of their names and links */
};

static struct archive *close_archive(struct archive *archive)
{
	if (archive)
		archive_read_free(archive);
	return NULL;
}
CDA_DEFINE_CLEANUP(struct archive *, close_archive)

struct cda_store *cda_store_free(struct cda_store *store)
{
	size_t at = 0;
	void *value;

	if (!store)
		return NULL;
	while (store->members && cda_map_next(store->members, &at, NULL, &value)) {
		free(((struct member *)value)->link);
		free(value);
	}
	cda_map_free(store->members);
	if (store->dir >= 0)
		close(store->dir);
	if (store->plain >= 0 && store->plain != store->disk)
		close(store->plain);
	if (store->disk >= 0)
		close(store->disk);
	free(store);
	return NULL;
}

bool cda_store_is_folder(const struct cda_store *store)
{
	return store->dir >= 0;
}

static int damaged(struct archive *archive, const char *path, struct cda_err *err)
{
	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is no tar archive, or damaged: %s", path,
			   archive_error_string(archive) ? archive_error_string(archive)
							 : "cannot be read");
}

/* --- packed archives --- */

static bool is_packed(int fd)
{
	static const struct {
		const char *magic;
		size_t len;
	} kinds[] = {{"\x1f\x8b", 2},
		     {"\x28\xb5\x2f\xfd", 4},
		     {"BZh", 3},
		     {"\xfd"
		      "7zXZ",
		      5}};
	char head[8] = {0};
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; i < CDA_LEN(kinds); i++)
		if (n >= (ssize_t)kinds[i].len && memcmp(head, kinds[i].magic, kinds[i].len) == 0)
			return true;
	return false;
}

static int unpack_to(struct archive *raw, const char *path, int fd, struct cda_err *err)
{
	struct archive_entry *entry;
	const void *block;
	la_int64_t offset;
	uint64_t all = 0;
	size_t len;
	int rc = archive_read_next_header(raw, &entry);

	while (rc == ARCHIVE_OK) {
		rc = archive_read_data_block(raw, &block, &len, &offset);
		if (rc != ARCHIVE_OK)
			break;
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		all += len;
		if (all > UNPACKED_MAX)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is too large unpacked", path);
		if (cda_fs_write_all(fd, block, len) != 0)
			return cda_err_sys(err, errno, "cannot write a temporary file");
	}
	return rc == ARCHIVE_EOF ? 0 : damaged(raw, path, err);
}

static int unpack(struct cda_store *store, const char *path, struct cda_err *err)
{
	CDA_CLEANUP(close_archivep) struct archive *raw = archive_read_new();
	int rc = cda_tree_temporary(&store->plain, err);

	if (rc < 0)
		return rc;
	archive_read_support_filter_gzip(raw);
	archive_read_support_filter_zstd(raw);
	archive_read_support_filter_bzip2(raw);
	archive_read_support_filter_xz(raw);
	archive_read_support_format_raw(raw);
	if (archive_read_open_fd(raw, store->disk, chunk_size) != ARCHIVE_OK)
		return damaged(raw, path, err);
	return unpack_to(raw, path, store->plain, err);
}

/* --- members --- */

/* "./a//b/" is "a/b". Owned. */
static char *clean(const char *name)
{
	CDA_AUTOFREE char *normal = cda_path_normal(name, "/", NULL);

	return cda_strdup(normal + 1);
}

static void add_member(struct cda_store *store, struct archive *tar, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *hard = archive_entry_hardlink(entry);
	struct member *member, *former;

	if (!name)
		return;
	CDA_AUTOFREE char *key = clean(name);

	if (!hard && archive_entry_filetype(entry) != AE_IFREG &&
	    archive_entry_filetype(entry) != AE_IFLNK)
		return;
	member = cda_new0(struct member);
	store->names += strlen(name);
	if (hard) {
		member->link = clean(hard);
	} else if (archive_entry_filetype(entry) == AE_IFLNK) {
		CDA_AUTOFREE char *folder = cda_path_dirname(key);
		const char *target = archive_entry_symlink(entry);
		CDA_AUTOFREE char *joined = cda_path_join(folder, target ? target : "");

		member->link = clean(target && target[0] == '/' ? target : joined);
	} else if (archive_entry_sparse_reset(entry) > 0) {
		free(member); /* its content is not in one piece */
		return;
	} else {
		/* the header is taken, the content is next */
		member->at = archive_filter_bytes(tar, 0);
		member->size =
			archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
	}
	store->names += member->link ? strlen(member->link) : 0;
	former = cda_map_set(store->members, key, member);
	if (former)
		free(former->link);
	free(former);
}

static int list_members(struct cda_store *store, const char *path, struct cda_err *err)
{
	CDA_CLEANUP(close_archivep) struct archive *tar = archive_read_new();
	CDA_AUTOUTF8 utf8 = cda_utf8_begin();
	struct archive_entry *entry;
	int rc;

	store->members = cda_map_new();
	archive_read_support_format_tar(tar);
	if (lseek(store->plain, 0, SEEK_SET) < 0)
		return cda_err_sys(err, errno, "cannot read '%s'", path);
	if (archive_read_open_fd(tar, store->plain, chunk_size) != ARCHIVE_OK)
		return damaged(tar, path, err);
	while ((rc = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (cda_map_count(store->members) >= members_max || store->names > names_max)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has too many members", path);
		add_member(store, tar, entry);
	}
	return rc == ARCHIVE_EOF ? 0 : damaged(tar, path, err);
}

int cda_store_open(const char *path, struct cda_store **ret_store, struct cda_err *err)
{
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = cda_new0(struct cda_store);
	struct stat st;
	int fd, rc;

	store->dir = store->disk = store->plain = -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = cda_err_sys(err, errno, "cannot open '%s'", path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (S_ISDIR(st.st_mode)) {
		store->dir = fd;
		*ret_store = cda_take_ptr(store);
		return 0;
	}
	store->disk = fd;
	if (!S_ISREG(st.st_mode))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is neither a folder nor a file", path);
	if (is_packed(fd)) {
		rc = unpack(store, path, err);
		if (rc)
			return rc;
	} else {
		store->plain = fd;
	}
	rc = list_members(store, path, err);
	if (rc)
		return rc;
	*ret_store = cda_take_ptr(store);
	return 0;
}

static const struct member *find(const struct cda_store *store, const char *name)
{
	const struct member *member = cda_map_get(store->members, name);

	for (unsigned i = 0; member && member->link; i++)
		member = i < links_max ? cda_map_get(store->members, member->link) : NULL;
	return member;
}

bool cda_store_has(const struct cda_store *store, const char *name)
{
	struct cda_blob blob = CDA_BLOB_INIT;
	struct cda_err err = {0};

	if (cda_store_blob(store, name, &blob, &err)) {
		cda_err_done(&err);
		return false;
	}
	cda_blob_done(&blob);
	return true;
}

static int open_file(const struct cda_store *store, const char *name, struct cda_blob *ret_blob,
		     struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = cda_fs_open_beneath(store->dir, name, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cda_err_set(err, CDA_E_NOTFOUND, "there is no '%s'", name);
	if (fd < 0 || fstat(fd, &st) != 0)
		return cda_err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return cda_err_set(err, CDA_E_NOTFOUND, "'%s' is no file", name);
	*ret_blob = (struct cda_blob){cda_take_fd(fd), true, 0, (uint64_t)st.st_size,
				      (uint64_t)st.st_size};
	return 0;
}

int cda_store_blob(const struct cda_store *store, const char *name, struct cda_blob *ret_blob,
		   struct cda_err *err)
{
	const struct member *member;
	struct stat st;

	if (!name) {
		if (fstat(store->disk, &st) != 0)
			return cda_err_sys(err, errno, "cannot read the archive");
		*ret_blob = (struct cda_blob){store->disk, false, 0, (uint64_t)st.st_size,
					      (uint64_t)st.st_size};
		return 0;
	}
	if (!cda_fs_path_is_inside(name))
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' leads out of the image", name);
	if (store->dir >= 0)
		return open_file(store, name, ret_blob, err);
	member = find(store, name);
	if (!member)
		return cda_err_set(err, CDA_E_NOTFOUND, "there is no '%s'", name);
	*ret_blob = (struct cda_blob){store->plain, false, member->at, member->size, member->size};
	return 0;
}

int64_t cda_blob_read(struct cda_blob *blob, void *p, size_t len, struct cda_err *err)
{
	size_t want = blob->left < len ? (size_t)blob->left : len;
	ssize_t n = 0;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	if (!want)
		return 0;
	do
		n = pread(blob->fd, p, want, blob->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return cda_err_sys(err, errno, "cannot read");
	if (n == 0)
		return cda_err_set(err, CDA_E_ARCHIVE, "the file ends too early");
	blob->at += n;
	blob->left -= (uint64_t)n;
	return n;
}

void cda_blob_done(struct cda_blob *blob)
{
	if (blob->owned && blob->fd >= 0)
		close(blob->fd);
	*blob = CDA_BLOB_INIT;
}

int cda_store_read(const struct cda_store *store, const char *name, size_t max, struct cda_buf *out,
		   struct cda_err *err)
{
	CDA_CLEANUP(cda_blob_done) struct cda_blob blob = CDA_BLOB_INIT;
	size_t before = out->len;
	int64_t n = cda_store_blob(store, name, &blob, err);

	if (n < 0)
		return (int)n;
	if (blob.size > max)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is larger than %zu bytes", name, max);
	do {
		cda_buf_reserve(out, 65536);
		n = cda_blob_read(&blob, out->p + out->len, 65536, err);
		out->len += n > 0 ? (size_t)n : 0;
		out->p[out->len] = '\0';
	} while (n > 0);
	if (n < 0) {
		cda_buf_cut(out, before);
		return cda_err_wrap(err, (int)n, "'%s'", name);
	}
	return 0;
}
