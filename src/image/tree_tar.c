/* The tar archives of tree.h: names, owners and sizes are checked before anything is taken. */
#include "image/tree.h"
#include "image/tree_state.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/utf8.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { block_size = 256 * 1024, xattrs_max = 64, target_max = 4096 };
#define ID_MAX ((int64_t)UINT32_MAX - 1)
#define XATTR_BYTES_MAX ((size_t)1 << 20)

struct input {
	struct cda_tree *tree;
	unsigned flags;
	cda_tree_source *source;
	void *ctx;
	struct cda_err *err; /* of the source */
	int failed;
};

static struct archive *close_archive(struct archive *archive)
{
	if (archive)
		archive_read_free(archive);
	return NULL;
}
CDA_DEFINE_CLEANUP(struct archive *, close_archive)

static int failed(const struct input *input, struct archive *tar, struct cda_err *err)
{
	const char *why = archive_error_string(tar);

	if (input->failed)
		return input->failed;
	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	if (archive_errno(tar) == ENOMEM)
		return cda_err_set(err, CDA_E_ARCHIVE, "it wants too much memory");
	/* what libarchive says may quote the archive's bytes */
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	for (; why && *why; why++)
		cda_buf_addc(&text, (unsigned char)*why < ' ' ? '?' : *why);
	return cda_err_set(err, CDA_E_ARCHIVE, "no sound tar archive: %s",
			   text.len ? text.p : "it is damaged");
}

/* The path without `./` in front, `.` between and slashes behind: "" for the top itself, NULL for
 * one that is none (absolute, `..`). */
static char *clean_path(const char *name)
{
	struct cda_str rest = cda_str(name), part;
	CDA_AUTOBUF struct cda_buf path = CDA_BUF_INIT;

	if (name[0] == '/')
		return NULL;
	while (cda_str_cut(&rest, "/", &part)) {
		if (part.len == 0 || cda_str_eq(part, CDA_STR(".")))
			continue;
		if (cda_str_eq(part, CDA_STR("..")))
			return NULL;
		if (path.len)
			cda_buf_addc(&path, '/');
		cda_buf_add(&path, part.p, part.len);
	}
	return cda_buf_take(&path);
}

static int add_xattrs(struct cda_tree *tree, struct archive_entry *entry, const char *path,
		      struct cda_tree_inode *inode, struct cda_err *err)
{
	struct cda_arena *arena = tree->state->arena;
	int count = archive_entry_xattr_reset(entry);
	const char *name;
	const void *value;
	size_t len, all = 0;

	if (count <= 0)
		return 0;
	if (count > xattrs_max)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has too many attributes", path);
	inode->xattrs = cda_arena_alloc0(arena, (size_t)count, sizeof(*inode->xattrs));
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		char *copy;
		bool again = false;

		for (size_t i = 0; i < inode->nxattrs && !again; i++)
			again = cda_streq(inode->xattrs[i].name, name);
		all += len;
		if (!name || !*name || all > XATTR_BYTES_MAX)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has a bad attribute", path);
		if (again) /* libarchive's own archives say each twice */
			continue;
		if (cda_tree_count_names(tree, strlen(name) + len, err))
			return cda_err_wrap(err, -(int)err->code, "'%s'", path);
		copy = cda_arena_alloc(arena, len + 1);
		if (len)
			memcpy(copy, value, len);
		inode->xattrs[inode->nxattrs++] =
			(struct cda_tree_xattr){cda_arena_strdup(arena, name), copy, len};
	}
	cda_tree_sort_xattrs(inode);
	return 0;
}

/* Copies the content into the temporary file; holes stay holes. */
static int keep_content(struct input *input, struct archive *tar, const char *path,
			struct cda_tree_inode *inode, struct cda_err *err)
{
	struct cda_tree_state *state = input->tree->state;
	const void *block;
	la_int64_t offset;
	size_t len;
	int rc = cda_tree_spool(input->tree, err);

	if (rc)
		return rc;
	inode->offset = state->spool_end;
	while ((rc = archive_read_data_block(tar, &block, &len, &offset)) == ARCHIVE_OK) {
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (offset < 0 || (uint64_t)offset > inode->size ||
		    len > inode->size - (uint64_t)offset)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is longer than it says", path);
		for (size_t at = 0; at < len;) {
			ssize_t n = pwrite(state->spool, (const char *)block + at, len - at,
					   inode->offset + offset + (int64_t)at);

			if (n < 0 && errno != EINTR)
				return cda_err_sys(err, errno, "cannot write a temporary file");
			at += n > 0 ? (size_t)n : 0;
		}
	}
	if (rc != ARCHIVE_EOF)
		return failed(input, tar, err);
	state->spool_end += (int64_t)inode->size;
	if (ftruncate(state->spool, state->spool_end) != 0)
		return cda_err_sys(err, errno, "cannot write a temporary file");
	return 0;
}

static int type_of(struct archive_entry *entry)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return CDA_TREE_FILE;
	case AE_IFDIR:
		return CDA_TREE_FOLDER;
	case AE_IFLNK:
		return CDA_TREE_LINK;
	case AE_IFCHR:
		return CDA_TREE_CHAR;
	case AE_IFBLK:
		return CDA_TREE_BLOCK;
	case AE_IFIFO:
		return CDA_TREE_FIFO;
	default:
		return -1;
	}
}

static int add_hardlink(struct input *input, const char *path, const char *to, struct cda_err *err)
{
	CDA_AUTOFREE char *target = clean_path(to);
	struct cda_tree_entry *other = target ? cda_tree_find(input->tree, target) : NULL;

	if (!other || other->inode->type == CDA_TREE_FOLDER)
		return cda_err_set(err, CDA_E_ARCHIVE,
				   "'%s' is a hard link to '%s', which is no file", path, to);
	return cda_tree_put(input->tree, path, other->inode, NULL, err);
}

/* `.wh.NAME` at path removes NAME beside it; `.wh..wh..opq` everything there. True when it was
 * one of these. */
static bool obey_whiteout(struct input *input, const char *path)
{
	const char *name = cda_path_basename(path);
	CDA_AUTOFREE char *folder = cda_strndup(path, (size_t)(name - path));
	CDA_AUTOFREE char *gone = NULL;
	struct cda_tree_entry *entry, *next;

	if (!(input->flags & CDA_TREE_LAYER) || !cda_starts_with(name, CDA_TREE_WHITEOUT))
		return false;
	if (cda_streq(name, ".wh..wh..opq")) {
		if (name > path)
			folder[name - path - 1] = '\0';
		entry = name > path ? cda_tree_find(input->tree, folder) : NULL;
		entry = entry ? entry->child : name > path ? NULL : input->tree->state->top;
		for (; entry; entry = next) {
			next = entry->next;
			cda_tree_hide(input->tree, entry);
		}
		return true;
	}
	gone = cda_asprintf("%s%s", folder, name + strlen(CDA_TREE_WHITEOUT));
	entry = cda_tree_find(input->tree, gone);
	if (entry)
		cda_tree_hide(input->tree, entry);
	return true;
}

static int fill_inode(struct input *input, struct archive *tar, struct archive_entry *entry,
		      const char *path, struct cda_tree_inode *inode, struct cda_err *err)
{
	struct cda_arena *arena = input->tree->state->arena;
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	int64_t size = archive_entry_size(entry);
	const char *target;
	int rc;

	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has an owner that cannot be", path);
	inode->mode = archive_entry_mode(entry) & 07777;
	inode->uid = (uint32_t)uid;
	inode->gid = (uint32_t)gid;
	inode->mtime = archive_entry_mtime(entry);
	rc = add_xattrs(input->tree, entry, path, inode, err);
	if (rc)
		return rc;
	switch (inode->type) {
	case CDA_TREE_LINK:
		target = archive_entry_symlink(entry);
		if (!target || !*target || strlen(target) >= target_max)
			return cda_err_set(err, CDA_E_ARCHIVE, "the link '%s' has no sound target",
					   path);
		rc = cda_tree_count_names(input->tree, strlen(target), err);
		if (!rc)
			inode->target = cda_arena_strdup(arena, target);
		return rc;
	case CDA_TREE_CHAR:
	case CDA_TREE_BLOCK:
		inode->major = (unsigned)archive_entry_rdevmajor(entry);
		inode->minor = (unsigned)archive_entry_rdevminor(entry);
		return 0;
	case CDA_TREE_FILE:
		if (size < 0)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has a size that cannot be",
					   path);
		rc = cda_tree_count(input->tree, path, (uint64_t)size, err);
		if (rc)
			return rc;
		inode->size = (uint64_t)size;
		return keep_content(input, tar, path, inode, err);
	case CDA_TREE_FOLDER:
	case CDA_TREE_FIFO:
		break;
	}
	return 0;
}

static int add_entry(struct input *input, struct archive *tar, struct archive_entry *entry,
		     struct cda_err *err)
{
	const char *name = archive_entry_pathname(entry), *to = archive_entry_hardlink(entry);
	CDA_AUTOFREE char *path = name ? clean_path(name) : NULL;
	struct cda_tree_inode *inode;
	int type = type_of(entry), rc;

	if (!name)
		return cda_err_set(err, CDA_E_ARCHIVE, "an entry has no name that can be read");
	if (!path)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' leads out of the archive", name);
	if (!*path || obey_whiteout(input, path))
		return 0;
	if (to)
		return add_hardlink(input, path, to, err);
	if (type < 0) {
		input->tree->nskipped++;
		return 0;
	}
	inode = cda_tree_inode_new(input->tree, (enum cda_tree_type)type);
	inode->layer = input->tree->state->layer;
	inode->at = archive_read_header_position(tar);
	rc = fill_inode(input, tar, entry, path, inode, err);
	return rc ? rc : cda_tree_put(input->tree, path, inode, NULL, err);
}

static la_ssize_t read_source(struct archive *tar, void *ctx, const void **ret_block)
{
	struct input *input = ctx;
	int64_t n = input->source(input->ctx, ret_block, input->err);

	if (n < 0) {
		input->failed = (int)n;
		archive_set_error(tar, EIO, "the source failed");
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)n;
}

int cda_tree_add_stream(struct cda_tree *tree, cda_tree_source *source, void *ctx, const char *what,
			unsigned flags, struct cda_err *err)
{
	CDA_CLEANUP(close_archivep) struct archive *tar = archive_read_new();
	CDA_AUTOUTF8 utf8 = cda_utf8_begin();
	struct input input = {tree, flags, source, ctx, err, 0};
	struct archive_entry *entry;
	size_t count = 0;
	int rc;

	tree->state->layer++;
	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_zstd(tar);
	archive_read_support_filter_bzip2(tar);
	archive_read_support_filter_xz(tar);
	archive_read_support_format_tar(tar);
	archive_read_support_format_empty(tar);
	if (archive_read_open(tar, &input, NULL, read_source, NULL) != ARCHIVE_OK)
		return cda_err_wrap(err, failed(&input, tar, err), "'%s'", what);
	while ((rc = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		rc = add_entry(&input, tar, entry, err);
		if (rc)
			return cda_err_wrap(err, rc, "'%s'", what);
		count++;
	}
	if (rc != ARCHIVE_EOF)
		return cda_err_wrap(err, failed(&input, tar, err), "'%s'", what);
	/* An archive of nothing is a layer of nothing; no bytes at all are none. */
	if (!count && archive_filter_bytes(tar, -1) == 0)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s': it is empty", what);
	return 0;
}

struct file {
	int fd;
	char *chunk;
};

static int64_t read_file(void *ctx, const void **ret_block, struct cda_err *err)
{
	struct file *file = ctx;
	ssize_t n;

	do {
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		n = read(file->fd, file->chunk, block_size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return cda_err_sys(err, errno, "cannot read");
	*ret_block = file->chunk;
	return n;
}

int cda_tree_add_tar(struct cda_tree *tree, int fd, const char *what, unsigned flags,
		     struct cda_err *err)
{
	CDA_AUTOFREE char *chunk = cda_alloc(block_size);
	struct file file = {fd, chunk};

	return cda_tree_add_stream(tree, read_file, &file, what, flags, err);
}
