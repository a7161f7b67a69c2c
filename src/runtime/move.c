#include "move.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_DEPTH = 32, NO_REPLACE = 1 /* RENAME_NOREPLACE */ };

static bool is_owner(const struct cda_move *move, uint32_t uid)
{
	return uid == move->uids[0] || uid == move->uids[1] || uid == move->uids[2];
}

static int rename_new(int fromfd, const char *from, int tofd, const char *to)
{
	return syscall(SYS_renameat2, fromfd, from, tofd, to, NO_REPLACE) == 0 ? 0 : -errno;
}

static int copy_link(int fromfd, const char *name, int tofd, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(fromfd, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (symlinkat(target, tofd, name) != 0)
		return -errno;
	if (fchownat(tofd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return 0;
}

static int copy_bytes(int in, int out)
{
	char data[8192];

	for (;;) {
		ssize_t got = read(in, data, sizeof(data));
		int rc;

		if (got <= 0)
			return got == 0 ? 0 : -errno;
		rc = cda_file_write(out, data, (size_t)got);
		if (rc < 0)
			return rc;
	}
}

static int copy_file(const struct cda_move *move, int fromfd, const char *name, int tofd)
{
	struct stat st;
	int rc, out, in = cda_file_open(fromfd, name, &st);

	if (in < 0)
		return in;
	if (!is_owner(move, st.st_uid) || st.st_nlink != 1) {
		close(in);
		return -EPERM;
	}
	out = openat(tofd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0) {
		rc = -errno;
		close(in);
		return rc;
	}
	rc = copy_bytes(in, out);
	if (rc == 0 &&
	    (fchown(out, st.st_uid, st.st_gid) != 0 || fchmod(out, st.st_mode & 0777) != 0))
		rc = -errno;
	if (close(out) != 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(tofd, name, 0);
	close(in);
	return rc;
}

static int move_file(const struct cda_move *move, int fromfd, const char *name, int tofd,
		     const struct stat *st)
{
	int rc = rename_new(fromfd, name, tofd, name);

	if (rc != -EXDEV && rc != -EINVAL)
		return rc;
	if (S_ISLNK(st->st_mode))
		rc = copy_link(fromfd, name, tofd, st);
	else if (S_ISREG(st->st_mode))
		rc = copy_file(move, fromfd, name, tofd);
	if (rc == 0 && unlinkat(fromfd, name, 0) != 0)
		rc = -errno;
	return rc;
}

static int move_dir(const struct cda_move *move, int fromfd, const char *from, int tofd,
		    const char *to, dev_t dev, int depth);

/* All entries of the folder open at in. Entries that stay are seen again in the second look, and
 * end it: a look that moved nothing is the last. */
static void move_entries(const struct cda_move *move, int in, int out, dev_t dev, int depth)
{
	bool moved = true;

	while (moved) {
		struct cda_dir dir;
		const char *name;

		moved = false;
		cda_dir_init(&dir, in);
		while ((name = cda_dir_next(&dir)) != NULL) {
			struct stat st;

			if (fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
			    !is_owner(move, st.st_uid))
				continue;
			if (S_ISDIR(st.st_mode))
				moved |= move_dir(move, in, name, out, name, dev, depth + 1) == 0;
			else
				moved |= move_file(move, in, name, out, &st) == 0;
		}
	}
}

static int move_dir(const struct cda_move *move, int fromfd, const char *from, int tofd,
		    const char *to, dev_t dev, int depth)
{
	struct stat st, there;
	bool made = true;
	int in, out, rc;

	if (depth > MAX_DEPTH)
		return -ELOOP;
	in = openat(fromfd, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return -errno;
	if (fstat(in, &st) != 0 || st.st_dev != dev || !is_owner(move, st.st_uid)) {
		close(in);
		return -EPERM;
	}
	rc = rename_new(fromfd, from, tofd, to);
	if (rc == 0) {
		close(in);
		return 0;
	}
	/* Taken, or a folder of a lower layer or another file system: one by one. */
	if (mkdirat(tofd, to, 0700) != 0) {
		made = false;
		rc = -errno;
		if (rc != -EEXIST) {
			close(in);
			return rc;
		}
	}
	out = openat(tofd, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = out < 0 ? -errno : 0;
	if (rc == 0 && (fstat(out, &there) != 0 || !(is_owner(move, there.st_uid) ||
						     (there.st_uid == 0 && (made || depth == 0)))))
		rc = -EPERM;
	if (rc == 0 && made &&
	    (fchown(out, st.st_uid, st.st_gid) != 0 || fchmod(out, st.st_mode & 03777) != 0))
		rc = -errno;
	if (rc == 0) {
		move_entries(move, in, out, dev, depth);
		if (unlinkat(fromfd, from, AT_REMOVEDIR) != 0)
			rc = errno == EEXIST ? -ENOTEMPTY : -errno;
	}
	if (out >= 0)
		close(out);
	close(in);
	return rc;
}

int cda_move_tree(const struct cda_move *move, int fromfd, const char *from, int tofd,
		  const char *to)
{
	struct stat st;

	if (fstatat(fromfd, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return move_dir(move, fromfd, from, tofd, to, st.st_dev, 0);
}
