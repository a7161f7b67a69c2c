/* Invariants, each with a test in tests/unit/test_archive.c:
 * - a name is relative and stays inside: no empty, `.` or `..` part, no control character;
 * - a folder on the way is opened without following links, so nothing is written through one;
 * - every file, link and hard link is made anew (O_EXCL): a second entry of a name is refused;
 * - nothing below info/, which we read, is a symbolic link; a hard link names a regular file that
 *   came before;
 * - devices, sockets and pipes are refused; setuid, setgid and sticky bits are dropped;
 * - bytes, entries and the ratio of unpacked to packed bytes have limits. */
#include "pkg/unpack.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/str.h"

#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { path_max = 4000 };
static const uint64_t default_bytes = (uint64_t)64 << 30;
static const uint64_t default_entries = 4000000;
static const uint64_t default_ratio = 2000;
static const uint64_t ratio_from = (uint64_t)64 << 20;

int cda_unpack_failed(struct archive *archive, struct cda_err *err)
{
	const char *why = archive_error_string(archive);
	int sys = archive_errno(archive);

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	if (sys == EIO || sys == EISDIR)
		return cda_err_sys(err, sys, "cannot read the package");
	return cda_err_set(err, CDA_E_ARCHIVE, "the package is damaged: %s",
			   why ? why : "unreadable");
}

char *cda_unpack_path(const char *path)
{
	size_t len;

	while (path[0] == '.' && path[1] == '/') {
		path += 2;
		while (*path == '/')
			path++;
	}
	if (strcmp(path, ".") == 0)
		path = "";
	len = strlen(path);
	if (len > path_max)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return NULL;
	while (len > 1 && path[len - 1] == '/')
		len--;
	char *copy = cda_strndup(path, len);
	if (len > 0 && !cda_fs_path_is_inside(copy)) {
		free(copy);
		return NULL;
	}
	return copy;
}

void cda_unpack_done(struct cda_unpack *unpack)
{
	if (unpack->parent_fd >= 0)
		close(cda_take_fd(unpack->parent_fd));
	cda_replace(&unpack->parent, NULL);
}

static int refuse(struct cda_err *err, const char *path, const char *why)
{
	CDA_AUTOFREE char *shown = cda_strndup(path, strlen(path) < 200 ? strlen(path) : 200);

	/* It is shown to people: nothing in it may move their terminal. */
	for (char *c = shown; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	cda_err_set(err, CDA_E_ARCHIVE, "the package has an entry '%s' that is refused: %s", shown,
		    why);
	return -(int)CDA_E_ARCHIVE;
}

/* Opens the folder of the path, makes what is missing, and follows no link. Returns a borrowed fd,
 * or -1 with errno. */
static int open_parent(struct cda_unpack *unpack, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	CDA_AUTOCLOSE int fd = -1;
	CDA_AUTOFREE char *dir = cda_strndup(path, len);
	char *part, *rest = dir;

	if (len == 0)
		return unpack->root;
	if (unpack->parent && strcmp(unpack->parent, dir) == 0)
		return unpack->parent_fd;
	while ((part = strsep(&rest, "/"))) {
		int at = fd >= 0 ? fd : unpack->root;
		int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
		int next = openat(at, part, flags);

		if (next < 0 && errno == ENOENT && mkdirat(at, part, 0777) == 0)
			next = openat(at, part, flags);
		if (next < 0)
			return -1;
		if (fd >= 0)
			close(fd);
		fd = next;
	}
	cda_unpack_done(unpack);
	unpack->parent = cda_strndup(path, len);
	unpack->parent_fd = cda_take_fd(fd);
	return unpack->parent_fd;
}

static int place_failed(struct cda_err *err, const char *path)
{
	if (errno == EEXIST)
		return refuse(err, path, "there is one of that name before");
	if (errno == ELOOP || errno == ENOTDIR)
		return refuse(err, path, "a part of its path is no folder");
	if (errno == ENAMETOOLONG)
		return refuse(err, path, "its name is too long");
	return cda_err_sys(err, errno, "cannot write '%s'", path);
}

static int check_limits(struct cda_unpack *unpack, uint64_t more, struct cda_err *err)
{
	const struct cda_archive_limits *limits = unpack->limits;
	uint64_t max = limits && limits->max_bytes ? limits->max_bytes : default_bytes;
	uint64_t ratio = limits && limits->max_ratio ? limits->max_ratio : default_ratio;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	unpack->bytes += more;
	if (unpack->bytes > max)
		return cda_err_set(err, CDA_E_ARCHIVE, "the package unpacks to more than %ju bytes",
				   (uintmax_t)max);
	if (unpack->bytes > ratio_from && unpack->bytes / ratio > unpack->packed)
		return cda_err_set(err, CDA_E_ARCHIVE,
				   "the package unpacks to more than %ju times its size",
				   (uintmax_t)ratio);
	return 0;
}

static int write_at(int fd, const char *p, size_t len, int64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int copy_data(struct cda_unpack *unpack, struct archive *tar, int fd, const char *path,
		     int64_t size, struct cda_err *err)
{
	int64_t end = 0;

	for (;;) {
		const void *block;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(tar, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return cda_unpack_failed(tar, err);
		if (offset < end || offset > size || (int64_t)len > size - offset)
			return refuse(err, path, "its data is not as long as it says");
		/* Holes count: they are bytes to whoever reads the file. */
		rc = check_limits(unpack, (uint64_t)(offset - end) + len, err);
		if (rc < 0)
			return rc;
		if (write_at(fd, block, len, offset) != 0)
			return cda_err_sys(err, errno, "cannot write '%s'", path);
		end = offset + (int64_t)len;
	}
	if (end != size) {
		int rc = check_limits(unpack, (uint64_t)(size - end), err);

		if (rc < 0)
			return rc;
		if (ftruncate(fd, size) != 0)
			return cda_err_sys(err, errno, "cannot write '%s'", path);
	}
	return 0;
}

static int place_file(struct cda_unpack *unpack, struct archive *tar, struct archive_entry *entry,
		      const char *path, struct cda_err *err)
{
	int parent = open_parent(unpack, path);
	mode_t mode = archive_entry_perm(entry) & 0777;
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_NOW},
		{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)}};
	CDA_AUTOCLOSE int fd = -1;
	int rc;

	if (parent < 0)
		return place_failed(err, path);
	fd = openat(parent, cda_path_basename(path),
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return place_failed(err, path);
	rc = copy_data(unpack, tar, fd, path, archive_entry_size(entry), err);
	if (rc < 0)
		return rc;
	if (archive_entry_mtime_is_set(entry))
		(void)!futimens(fd, times); /* some file systems keep no times */
	/* As conda: the package's mode, whatever the umask; and ours to read at least. */
	if (fchmod(fd, mode | 0400) != 0 || close(cda_take_fd(fd)) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

static int place_hardlink(struct cda_unpack *unpack, const char *path, const char *target,
			  struct cda_err *err)
{
	CDA_AUTOFREE char *from = cda_unpack_path(target);
	CDA_AUTOCLOSE int from_fd = -1;
	struct stat st;
	int parent;

	if (!from || !*from)
		return refuse(err, path, "it is a hard link out of the package");
	parent = open_parent(unpack, from);
	if (parent < 0 || fstatat(parent, cda_path_basename(from), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return refuse(err, path, "it is a hard link to no file of the package");
	from_fd = fcntl(parent, F_DUPFD_CLOEXEC, 0);
	if (from_fd < 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	parent = open_parent(unpack, path);
	if (parent < 0 ||
	    linkat(from_fd, cda_path_basename(from), parent, cda_path_basename(path), 0) != 0)
		return place_failed(err, path);
	return 0;
}

/* Packages do have links to places outside (conda installs them), and they hurt nobody while they
 * are not followed. What is below info/ we read ourselves: no links there. */
static int place_symlink(struct cda_unpack *unpack, const char *path, const char *target,
			 struct cda_err *err)
{
	int parent;

	if (!target || !*target || strlen(target) > path_max)
		return refuse(err, path, "it is a link to nothing");
	if (cda_starts_with(path, "info/") || strcmp(path, "info") == 0)
		return refuse(err, path, "it is a link among the package's own records");
	parent = open_parent(unpack, path);
	if (parent < 0 || symlinkat(target, parent, cda_path_basename(path)) != 0)
		return place_failed(err, path);
	return 0;
}

static int place_folder(struct cda_unpack *unpack, const char *path, mode_t mode,
			struct cda_err *err)
{
	int parent = open_parent(unpack, path);
	const char *name = cda_path_basename(path);
	struct stat st;

	if (parent < 0)
		return place_failed(err, path);
	if (mkdirat(parent, name, (mode & 0777) | 0700) == 0)
		return 0;
	if (errno == EEXIST && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return 0;
	return place_failed(err, path);
}

static int place(struct cda_unpack *unpack, struct archive *tar, struct archive_entry *entry,
		 struct cda_err *err)
{
	const char *name = archive_entry_pathname(entry), *hardlink = archive_entry_hardlink(entry);
	CDA_AUTOFREE char *path = name ? cda_unpack_path(name) : NULL;
	unsigned type = archive_entry_filetype(entry);
	uint64_t max = unpack->limits && unpack->limits->max_entries ? unpack->limits->max_entries
								     : default_entries;

	if (++unpack->entries > max)
		return cda_err_set(err, CDA_E_ARCHIVE, "the package has more than %ju entries",
				   (uintmax_t)max);
	if (!path)
		return refuse(err, name ? name : "?", "its path leaves the package");
	if (!*path)
		return type == AE_IFDIR ? 0 : refuse(err, name, "it has no name");
	if (hardlink)
		return place_hardlink(unpack, path, hardlink, err);
	if (type == AE_IFREG)
		return place_file(unpack, tar, entry, path, err);
	if (type == AE_IFDIR)
		return place_folder(unpack, path, archive_entry_perm(entry), err);
	if (type == AE_IFLNK)
		return place_symlink(unpack, path, archive_entry_symlink(entry), err);
	return refuse(err, path, "it is a device, pipe or socket");
}

int cda_unpack_tar(struct cda_unpack *unpack, struct archive *tar, struct cda_err *err)
{
	for (;;) {
		struct archive_entry *entry;
		int rc = archive_read_next_header(tar, &entry);

		if (rc == ARCHIVE_EOF)
			return 0;
		/* Warnings are of metadata that we do not take. */
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return cda_unpack_failed(tar, err);
		rc = check_limits(unpack, 0, err);
		if (rc == 0)
			rc = place(unpack, tar, entry, err);
		if (rc < 0)
			return rc;
	}
}
