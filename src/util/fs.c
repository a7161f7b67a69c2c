#include "util/fs.h"
#include "util/alloc.h"
#include "util/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int cda_fs_read(int dirfd, const char *path, size_t max, struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t start = out->len;
	struct stat st;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (uintmax_t)st.st_size <= max)
		cda_buf_reserve(out, (size_t)st.st_size + 1);
	for (;;) {
		cda_buf_reserve(out, out->cap > out->len + 1 ? 1 : 64 * 1024);
		ssize_t n = read(fd, out->p + out->len, out->cap - 1 - out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int why = errno;

			cda_buf_cut(out, start);
			return cda_err_sys(err, why, "cannot read '%s'", path);
		}
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		out->p[out->len] = '\0';
		if (out->len - start > max) {
			cda_buf_cut(out, start);
			return cda_err_set(err, CDA_E_VALUE, "'%s' is larger than %zu bytes", path,
					   max);
		}
	}
}

int cda_fs_write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = ENOSPC;
			return -1;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new file beside path under a name that nobody else has. Returns fd or -1 with errno. */
static int open_temporary(int dirfd, const char *path, mode_t mode, char **ret_name)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);

	for (int tries = 0; tries < 100; tries++) {
		uint64_t noise = 0;
		char *name;
		int fd;

		if (getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
			noise = (uint64_t)getpid() << 32 | (uint64_t)tries;
		name = cda_asprintf("%s/.new.%016jx", dir, (uintmax_t)noise);
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    mode);
		if (fd >= 0) {
			*ret_name = name;
			return fd;
		}
		free(name);
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int sync_folder_of(int dirfd, const char *path)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);
	CDA_AUTOCLOSE int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot sync a folder; the rename itself is done. */
	return fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) ? -1 : 0;
}

int cda_fs_replace(int dirfd, const char *path, const void *p, size_t len, mode_t mode, bool sync,
		   struct cda_err *err)
{
	CDA_AUTOFREE char *name = NULL;
	struct stat st;
	bool there = fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	CDA_AUTOCLOSE int fd =
		open_temporary(dirfd, path, there ? st.st_mode & 07777 : mode, &name);
	int why = 0;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	/* The owner too, where we may: root edits other people's files. */
	if (there && geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
		why = errno;
	if ((there && fchmod(fd, st.st_mode & 07777) != 0) || cda_fs_write_all(fd, p, len) != 0 ||
	    (sync && fsync(fd) != 0) || close(cda_take_fd(fd)) != 0 ||
	    renameat(dirfd, name, dirfd, path) != 0) {
		why = errno;
		unlinkat(dirfd, name, 0);
		return cda_err_sys(err, why, "cannot write '%s'", path);
	}
	if (sync && sync_folder_of(dirfd, path) != 0)
		return cda_err_sys(err, errno, "cannot write the folder of '%s'", path);
	return 0;
}

int cda_fs_output(const char *path, const void *p, size_t len, mode_t mode, struct cda_err *err)
{
	struct stat st;

	if (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return cda_fs_replace(AT_FDCWD, path, p, len, mode, false, err);
	CDA_AUTOCLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || cda_fs_write_all(fd, p, len) != 0 || close(cda_take_fd(fd)) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

int cda_fs_append(int dirfd, const char *path, const void *p, size_t len, mode_t mode,
		  struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);

	if (fd < 0 || cda_fs_write_all(fd, p, len) != 0 || close(cda_take_fd(fd)) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

int cda_fs_mkdirs(int dirfd, const char *path, mode_t mode, struct cda_err *err)
{
	CDA_AUTOFREE char *part = cda_strdup(path);
	char *end = part;

	if (!*path)
		return 0;
	/* The usual case first: only the last folder is missing, or none. */
	if (mkdirat(dirfd, path, mode) == 0 || (errno == EEXIST && cda_fs_is_dir(dirfd, path)))
		return 0;
	while (*end) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char kept = *end;

		*end = '\0';
		if (mkdirat(dirfd, part, mode) != 0) {
			int why = errno == EEXIST ? ENOTDIR : errno;

			if (!cda_fs_is_dir(dirfd, part))
				return cda_err_sys(err, why, "cannot make the folder '%s'", part);
		}
		*end = kept;
	}
	return 0;
}

int cda_fs_mkparents(int dirfd, const char *path, mode_t mode, struct cda_err *err)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);

	return strcmp(dir, ".") == 0 ? 0 : cda_fs_mkdirs(dirfd, dir, mode, err);
}

void cda_fs_prune_parents(int dirfd, const char *path)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);

	while (strcmp(dir, ".") != 0 && strcmp(dir, "/") != 0 &&
	       unlinkat(dirfd, dir, AT_REMOVEDIR) == 0)
		cda_replace(&dir, cda_path_dirname(dir));
}

bool cda_fs_exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool cda_fs_is_dir(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

bool cda_fs_is_file(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

bool cda_fs_dir_is_writable(const char *dir)
{
	CDA_AUTOFREE char *probe = cda_path_join(dir, "probe"), *name = NULL;
	CDA_AUTOCLOSE int fd = open_temporary(AT_FDCWD, probe, 0600, &name);

	/* A full disk is another matter, and is told when it is written to. */
	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT;
	unlink(name);
	return true;
}

char *cda_fs_readlink(int dirfd, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, path, target, sizeof(target));

	if (n < 0)
		return NULL;
	if (n == (ssize_t)sizeof(target)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return cda_strndup(target, (size_t)n);
}

int cda_fs_tempdir(const char *dir, const char *stem, char **ret_path, struct cda_err *err)
{
	CDA_AUTOFREE char *name = cda_asprintf("%s.XXXXXX", stem), *path = NULL;

	if (!dir)
		dir = getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	path = cda_path_join(dir, name);
	if (!mkdtemp(path))
		return cda_err_sys(err, errno, "cannot make a folder in '%s'", dir);
	*ret_path = cda_take_ptr(path);
	return 0;
}
