/* cda_tree_add_folder of tree.h. What must hold whoever else may write there: no file outside the
 * folder is looked at or opened. */
#include "image/tree.h"
#include "image/tree_state.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* Hard links of files that are seen the first time: "DEV:INO" to their inode. */
struct reader {
	struct cda_tree *tree;
	struct cda_map *linked;
	dev_t dev;
};

/* Names and values of any size; where a file system has none, there are none. */
static int read_xattrs(struct reader *reader, const char *proc, const char *path,
		       struct cda_tree_inode *inode, struct cda_err *err)
{
	struct cda_arena *arena = reader->tree->state->arena;
	char names[65536];
	ssize_t len = listxattr(proc, names, sizeof(names));
	size_t count = 0;

	if (len < 0 && (errno == ENOTSUP || errno == ENOENT || errno == EPERM || errno == EACCES))
		return 0;
	if (len < 0)
		return cda_err_sys(err, errno, "cannot read the attributes of '%s'", path);
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1)
		count++;
	if (!count)
		return 0;
	inode->xattrs = cda_arena_alloc0(arena, count, sizeof(*inode->xattrs));
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		struct cda_tree_xattr *x = &inode->xattrs[inode->nxattrs];
		char value[65536];
		ssize_t n = getxattr(proc, names + at, value, sizeof(value));
		char *copy;

		if (n < 0 &&
		    (errno == ENODATA || errno == EPERM || errno == EACCES || errno == ENOTSUP))
			continue;
		if (n < 0)
			return cda_err_sys(err, errno, "cannot read the attribute '%s' of '%s'",
					   names + at, path);
		copy = cda_arena_alloc(arena, (size_t)n + 1);
		memcpy(copy, value, (size_t)n);
		*x = (struct cda_tree_xattr){cda_arena_strdup(arena, names + at), copy, (size_t)n};
		inode->nxattrs++;
	}
	cda_tree_sort_xattrs(inode);
	return 0;
}

/* The type in an image; -1 for what it cannot hold. */
static int type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return CDA_TREE_FILE;
	case S_IFDIR:
		return CDA_TREE_FOLDER;
	case S_IFLNK:
		return CDA_TREE_LINK;
	case S_IFCHR:
		return CDA_TREE_CHAR;
	case S_IFBLK:
		return CDA_TREE_BLOCK;
	case S_IFIFO:
		return CDA_TREE_FIFO;
	default:
		return -1;
	}
}

/* Through a descriptor that was opened without following: the very thing that fstat saw. */
static int read_inode(struct reader *reader, int fd, const char *path, const struct stat *st,
		      struct cda_tree_inode **ret_inode, struct cda_err *err)
{
	struct cda_arena *arena = reader->tree->state->arena;
	struct cda_tree_inode *inode =
		cda_tree_inode_new(reader->tree, (enum cda_tree_type)type_of(st->st_mode));
	char proc[64];

	inode->mode = st->st_mode & 07777;
	inode->uid = st->st_uid;
	inode->gid = st->st_gid;
	inode->mtime = st->st_mtime;
	if (inode->type == CDA_TREE_CHAR || inode->type == CDA_TREE_BLOCK) {
		inode->major = major(st->st_rdev);
		inode->minor = minor(st->st_rdev);
	}
	if (inode->type == CDA_TREE_LINK) {
		CDA_AUTOFREE char *target = cda_fs_readlink(fd, "");

		if (!target)
			return cda_err_sys(err, errno, "cannot read the link '%s'", path);
		inode->target = cda_arena_strdup(arena, target);
	}
	if (inode->type == CDA_TREE_FILE) {
		int rc = cda_tree_count(reader->tree, path, (uint64_t)st->st_size, err);

		if (rc)
			return rc;
		inode->size = (uint64_t)st->st_size;
		inode->from = cda_arena_strdup(arena, path);
	}
	*ret_inode = inode;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return read_xattrs(reader, proc, path, inode, err);
}

/* The thing behind fd under its path; a further name of a file that was seen shares its inode. */
static int add_one(struct reader *reader, int fd, const char *path, const struct stat *st,
		   struct cda_err *err)
{
	bool shared = !S_ISDIR(st->st_mode) && st->st_nlink > 1;
	CDA_AUTOFREE char *key =
		cda_asprintf("%jx:%jx", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
	struct cda_tree_inode *inode = shared ? cda_map_get(reader->linked, key) : NULL;
	int rc = 0;

	if (!inode)
		rc = read_inode(reader, fd, path, st, &inode, err);
	if (!rc && shared)
		cda_map_set(reader->linked, key, inode);
	return rc ? rc : cda_tree_put(reader->tree, path, inode, NULL, err);
}

static int add_below(struct reader *reader, int dirfd, const char *below, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc = cda_fs_list(dirfd, ".", &names, err);

	for (size_t i = 0; !rc && i < names.n; i++) {
		CDA_AUTOFREE char *path =
			*below ? cda_path_join(below, names.v[i]) : cda_strdup(names.v[i]);
		CDA_AUTOCLOSE int fd = openat(dirfd, names.v[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		CDA_AUTOCLOSE int folder = -1;
		struct stat st;

		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (fd < 0 || fstat(fd, &st) != 0)
			return cda_err_sys(err, errno, "cannot look at '%s'", path);
		if (type_of(st.st_mode) < 0) {
			reader->tree->nskipped++;
			continue;
		}
		rc = add_one(reader, fd, path, &st, err);
		if (rc || !S_ISDIR(st.st_mode) || st.st_dev != reader->dev)
			continue;
		folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return cda_err_sys(err, errno, "cannot open the folder '%s'", path);
		close(cda_take_fd(fd));
		rc = add_below(reader, folder, path, err);
	}
	return rc;
}

int cda_tree_add_folder(struct cda_tree *tree, const char *path, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *linked = cda_map_new();
	struct reader reader = {tree, linked, 0};
	struct stat st;
	int rc;

	tree->state->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->state->root < 0 || fstat(tree->state->root, &st) != 0)
		return cda_err_sys(err, errno, "cannot open the folder '%s'", path);
	reader.dev = st.st_dev;
	tree->state->layer++;
	rc = add_below(&reader, tree->state->root, "", err);
	return rc ? cda_err_wrap(err, rc, "'%s'", path) : 0;
}
