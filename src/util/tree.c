/* The calls of fs.h that handle folders whole, and the placing of one file. */
#include "util/fs.h"
#include "util/alloc.h"

#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* NULL with errno. */
static DIR *open_folder(int dirfd, const char *path, int flags)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir) {
		int why = errno;

		close(fd);
		errno = why;
	}
	return dir;
}

/* Names without . and ..; 0, or -1 with errno. */
static int read_names(DIR *dir, struct cda_strv *names)
{
	const struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? -1 : 0;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			cda_strv_push(names, entry->d_name);
	}
}

int cda_fs_list(int dirfd, const char *path, struct cda_strv *ret_names, struct cda_err *err)
{
	CDA_AUTOCLOSEDIR DIR *dir = open_folder(dirfd, path, 0);
	CDA_AUTOSTRV struct cda_strv names = {0};

	if (!dir || read_names(dir, &names) != 0)
		return cda_err_sys(err, errno, "cannot read the folder '%s'", path);
	cda_strv_sort(&names);
	cda_strv_append(ret_names, &names);
	return 0;
}

static int remove_any(int fd, const char *name);

static int remove_folder(int fd, const char *name)
{
	CDA_AUTOCLOSEDIR DIR *dir = NULL;
	CDA_AUTOSTRV struct cda_strv names = {0};

	dir = open_folder(fd, name, O_NOFOLLOW);
	/* Packages bring folders without permission to list or to write; they are ours to open. */
	if (!dir && errno == EACCES && fchmodat(fd, name, 0700, 0) == 0)
		dir = open_folder(fd, name, O_NOFOLLOW);
	if (!dir || read_names(dir, &names) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (remove_any(dirfd(dir), names.v[i]) == 0)
			continue;
		if (errno != EACCES || fchmod(dirfd(dir), 0700) != 0 ||
		    remove_any(dirfd(dir), names.v[i]) != 0)
			return -1;
	}
	return unlinkat(fd, name, AT_REMOVEDIR);
}

static int remove_any(int fd, const char *name)
{
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* A folder: EISDIR on Linux, EPERM by POSIX. */
	if (errno != EISDIR && errno != EPERM)
		return -1;
	int why = errno;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode)) {
		errno = why;
		return -1;
	}
	return remove_folder(fd, name) == 0 || errno == ENOENT ? 0 : -1;
}

int cda_fs_remove(int dirfd, const char *path, struct cda_err *err)
{
	if (remove_any(dirfd, path) == 0 || errno == ENOTDIR)
		return 0;
	return cda_err_sys(err, errno, "cannot remove '%s'", path);
}

static int walk(DIR *dir, const char *below, cda_fs_visit *visit, void *ctx, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};

	if (read_names(dir, &names) != 0)
		return cda_err_sys(err, errno, "cannot read the folder '%s'", below);
	cda_strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		CDA_AUTOFREE char *path =
			*below ? cda_path_join(below, names.v[i]) : cda_strdup(names.v[i]);
		struct stat st;
		int rc;

		if (fstatat(dirfd(dir), names.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				continue;
			return cda_err_sys(err, errno, "cannot look at '%s'", path);
		}
		rc = visit(ctx, path, &st);
		if (rc != 0)
			return rc;
		if (!S_ISDIR(st.st_mode))
			continue;
		CDA_AUTOCLOSEDIR DIR *sub = open_folder(dirfd(dir), names.v[i], O_NOFOLLOW);
		if (!sub && errno == ENOENT)
			continue;
		if (!sub)
			return cda_err_sys(err, errno, "cannot open the folder '%s'", path);
		rc = walk(sub, path, visit, ctx, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int cda_fs_walk(int dirfd, const char *path, cda_fs_visit *visit, void *ctx, struct cda_err *err)
{
	CDA_AUTOCLOSEDIR DIR *dir = open_folder(dirfd, path, 0);

	if (!dir)
		return cda_err_sys(err, errno, "cannot open the folder '%s'", path);
	return walk(dir, "", visit, ctx, err);
}

/* 0, or -1 with errno. */
static int copy_bytes(int from, int to)
{
	CDA_AUTOFREE char *chunk = NULL;
	const size_t size = 256 * 1024;

	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, SSIZE_MAX / 4096 * 4096, 0);

		if (n > 0)
			continue;
		/* 0 may be the end, or a file system that cannot tell: reading decides. */
		if (n == 0 || errno != EINTR)
			break;
	}
	chunk = cda_alloc(size);
	for (;;) {
		ssize_t n = read(from, chunk, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if (cda_fs_write_all(to, chunk, (size_t)n) != 0)
			return -1;
	}
}

static int place_link(int sfd, const char *src, int dfd, const char *dst)
{
	CDA_AUTOFREE char *target = cda_fs_readlink(sfd, src);

	return target ? symlinkat(target, dfd, dst) : -1;
}

/* Clone or copy; 0, or -1 with errno and nothing left behind. */
static int place_copy(int sfd, const char *src, int dfd, const char *dst, const struct stat *st,
		      enum cda_fs_how *how)
{
	CDA_AUTOCLOSE int from = openat(sfd, src, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	CDA_AUTOCLOSE int to = -1;
	int why;

	if (from < 0)
		return -1;
	to = openat(dfd, dst, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -1;
	if (*how != CDA_FS_REFLINK || ioctl(to, FICLONE, from) != 0)
		*how = CDA_FS_COPY;
	if ((*how == CDA_FS_COPY && copy_bytes(from, to) != 0) ||
	    fchmod(to, st->st_mode & 07777) != 0 || futimens(to, times) != 0 ||
	    close(cda_take_fd(to)) != 0) {
		why = errno;
		unlinkat(dfd, dst, 0);
		errno = why;
		return -1;
	}
	return 0;
}

int cda_fs_place(int sfd, const char *src, int dfd, const char *dst, enum cda_fs_how how,
		 enum cda_fs_how *ret_how, struct cda_err *err)
{
	struct stat st;

	if (fstatat(sfd, src, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", src);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no file and no link", src);
	if (S_ISLNK(st.st_mode)) {
		how = CDA_FS_COPY;
		if (place_link(sfd, src, dfd, dst) != 0)
			return cda_err_sys(err, errno, "cannot make the link '%s'", dst);
	} else if (how != CDA_FS_HARDLINK || linkat(sfd, src, dfd, dst, 0) != 0) {
		/* Whatever refused the hard link (another disk, too many, not our file), a copy
		 * meets its own cause where that stands in its way too. */
		if (how == CDA_FS_HARDLINK)
			how = CDA_FS_REFLINK;
		if (place_copy(sfd, src, dfd, dst, &st, &how) != 0)
			return cda_err_sys(err, errno, "cannot write '%s'", dst);
	}
	if (ret_how)
		*ret_how = how;
	return 0;
}
