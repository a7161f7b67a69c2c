#include "move.h"

#include "file.h"
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_DEPTH = 32,
	NO_REPLACE = 1 /* RENAME_NOREPLACE */,
	EMPTY_PATH = 0x1000 /* AT_EMPTY_PATH */,
	OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
};

/* What is not complete has this name, in the folder that it is for. Only a copy ever has it. */
static const char unfinished[] = ".condense-move";

static bool is_owner(const struct cda_move *move, uint32_t uid)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(move->uids) / sizeof(*move->uids); i++)
		found |= uid != 0 && uid == move->uids[i];
	return found;
}

static int rename_new(int fromfd, const char *from, int tofd, const char *to)
{
	return syscall(SYS_renameat2, fromfd, from, tofd, to, NO_REPLACE) == 0 ? 0 : -errno;
}

/* Give what is complete its name. Not every file system can rename without replacing. */
static int finish(int tofd, const char *to)
{
	int rc = rename_new(tofd, unfinished, tofd, to);

	if (rc != -EINVAL)
		return rc;
	if (linkat(tofd, unfinished, tofd, to, 0) != 0)
		return -errno;
	unlinkat(tofd, unfinished, 0);
	return 0;
}

static int read_link(int fd, const char *name, char target[PATH_MAX])
{
	ssize_t len = readlinkat(fd, name, target, PATH_MAX - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	return 0;
}

static int copy_link(int fromfd, const char *name, int tofd, const struct stat *st)
{
	char target[PATH_MAX];
	struct stat made;
	int fd, rc = read_link(fromfd, name, target);

	if (rc < 0)
		return rc;
	unlinkat(tofd, unfinished, 0);
	if (symlinkat(target, tofd, unfinished) != 0)
		return -errno;
	/* Only what is held can be known to be the link that was just made. */
	fd = openat(tofd, unfinished, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &made) != 0 || !S_ISLNK(made.st_mode) || made.st_nlink != 1)
		rc = -EPERM;
	else if (fchownat(fd, "", st->st_uid, st->st_gid, EMPTY_PATH) != 0)
		rc = -errno;
	close(fd);
	if (rc == 0)
		rc = finish(tofd, name);
	if (rc < 0)
		unlinkat(tofd, unfinished, 0);
	return rc;
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
	unlinkat(tofd, unfinished, 0);
	out = openat(tofd, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0) {
		rc = -errno;
		close(in);
		return rc;
	}
	rc = copy_bytes(in, out);
	if (rc == 0 &&
	    (fchown(out, st.st_uid, st.st_gid) != 0 || fchmod(out, st.st_mode & 0777) != 0))
		rc = -errno;
	if (rc == 0) {
		const struct timespec times[2] = {st.st_atim, st.st_mtim};

		(void)futimens(out, times);
	}
	if (close(out) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = finish(tofd, name);
	if (rc < 0)
		unlinkat(tofd, unfinished, 0);
	close(in);
	return rc;
}

/* As much as fits, or all that there is. Returns the length or a negative errno. */
static ssize_t read_full(int fd, char *data, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t got = read(fd, data + len, cap - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static bool same_bytes(int a, int b)
{
	char one[4096], other[sizeof(one)];

	for (;;) {
		ssize_t len = read_full(a, one, sizeof(one));

		if (len < 0 || read_full(b, other, sizeof(other)) != len ||
		    memcmp(one, other, (size_t)len) != 0)
			return false;
		if (len == 0)
			return true;
	}
}

/* Is the same there already? A run that was killed had copied it, and not yet removed it here. */
static bool is_copy(const struct cda_move *move, int fromfd, const char *name, int tofd,
		    const struct stat *st)
{
	struct stat one, other;
	char here[PATH_MAX], there[PATH_MAX];
	bool same = false;
	int a, b;

	if (S_ISLNK(st->st_mode))
		return read_link(fromfd, name, here) == 0 && read_link(tofd, name, there) == 0 &&
		       strcmp(here, there) == 0;
	a = cda_file_open(fromfd, name, &one);
	b = cda_file_open(tofd, name, &other);
	if (a >= 0 && b >= 0)
		same = is_owner(move, one.st_uid) && one.st_uid == other.st_uid &&
		       one.st_nlink == 1 && one.st_size == other.st_size &&
		       one.st_mode == other.st_mode && one.st_size <= CDA_MOVE_BYTES &&
		       same_bytes(a, b);
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return same;
}

static int move_file(const struct cda_move *move, int fromfd, const char *name, int tofd,
		     const struct stat *st)
{
	int rc = rename_new(fromfd, name, tofd, name);

	if (rc == -EEXIST && is_copy(move, fromfd, name, tofd, st))
		rc = 0;
	else if (rc != -EXDEV && rc != -EINVAL)
		return rc;
	else if (S_ISLNK(st->st_mode))
		rc = copy_link(fromfd, name, tofd, st);
	else if (S_ISREG(st->st_mode))
		rc = copy_file(move, fromfd, name, tofd);
	if (rc == 0 && unlinkat(fromfd, name, 0) != 0)
		rc = -errno;
	return rc;
}

static int move_dir(const struct cda_move *move, int fromfd, const char *from, int tofd,
		    const char *to, int depth);

/* All entries of the folder open at in. Entries that stay are seen again in the second look, and
 * end it: a look that moved nothing is the last. */
static void move_entries(const struct cda_move *move, int in, int out, int depth)
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
				moved |= move_dir(move, in, name, out, name, depth + 1) == 0;
			else
				moved |= move_file(move, in, name, out, &st) == 0;
		}
	}
}

/* Can all in the folder be carried by copying? Both limits are counted down. Returns 0, -E2BIG or
 * -ENOTSUP as cda_move_tree does. */
static int weigh(const struct cda_move *move, int fd, int depth, size_t *entries, off_t *bytes)
{
	struct cda_dir dir;
	const char *name;
	int rc = 0;

	cda_dir_init(&dir, fd);
	while (rc == 0 && (name = cda_dir_next(&dir)) != NULL) {
		struct stat st;
		int inner;

		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (*entries == 0 || (S_ISREG(st.st_mode) && st.st_size > *bytes))
			return -E2BIG;
		*entries -= 1;
		if (!is_owner(move, st.st_uid))
			return -ENOTSUP;
		if (S_ISREG(st.st_mode)) {
			*bytes -= st.st_size;
			if (st.st_nlink != 1 || (st.st_mode & (S_ISUID | S_ISGID)) != 0)
				return -ENOTSUP;
		} else if (S_ISDIR(st.st_mode)) {
			if (depth == MAX_DEPTH)
				return -E2BIG;
			inner = cda_inside_open(fd, name, OPEN_DIR);
			if (inner < 0)
				return inner == -EXDEV ? -ENOTSUP : inner;
			rc = weigh(move, inner, depth + 1, entries, bytes);
			close(inner);
		} else if (!S_ISLNK(st.st_mode)) {
			return -ENOTSUP;
		}
	}
	return rc;
}

/* Open folder to in tofd, made like st if it is missing: complete, or not there at all. What is
 * there already must be the account's, at the top also root's, and no mount below the top. */
static int open_target(const struct cda_move *move, int tofd, const char *to, const struct stat *st,
		       int depth)
{
	struct stat there;
	struct cda_dir dir;
	int rc, out = depth == 0 ? openat(tofd, to, OPEN_DIR) : cda_inside_open(tofd, to, OPEN_DIR);

	if (depth == 0 && out < 0)
		out = -errno;
	if (out >= 0) {
		if (fstat(out, &there) == 0 &&
		    (is_owner(move, there.st_uid) || (there.st_uid == 0 && depth == 0)))
			return out;
		close(out);
		return -EPERM;
	}
	if (out != -ENOENT)
		return out;
	unlinkat(tofd, unfinished, AT_REMOVEDIR);
	unlinkat(tofd, unfinished, 0);
	if (mkdirat(tofd, unfinished, 0700) != 0)
		return -errno;
	out = openat(tofd, unfinished, OPEN_DIR);
	if (out < 0)
		return -errno;
	cda_dir_init(&dir, out);
	if (fstat(out, &there) != 0 || there.st_uid != 0 || cda_dir_next(&dir) != NULL) {
		close(out);
		return -EPERM; /* it was exchanged for another */
	}
	rc = fchown(out, st->st_uid, st->st_gid) != 0 || fchmod(out, st->st_mode & 03777) != 0
		     ? -errno
		     : rename_new(tofd, unfinished, tofd, to);
	if (rc == -EINVAL) /* replaces an empty folder at most */
		rc = renameat(tofd, unfinished, tofd, to) == 0 ? 0 : -errno;
	if (rc == 0)
		return out;
	close(out);
	unlinkat(tofd, unfinished, AT_REMOVEDIR);
	return rc;
}

static int move_dir(const struct cda_move *move, int fromfd, const char *from, int tofd,
		    const char *to, int depth)
{
	size_t entries = CDA_MOVE_ENTRIES;
	off_t bytes = CDA_MOVE_BYTES;
	struct stat st;
	int in, out, rc;

	if (depth > MAX_DEPTH)
		return -ELOOP;
	in = cda_inside_open(fromfd, from, OPEN_DIR);
	if (in < 0)
		return in;
	if (fstat(in, &st) != 0 || !is_owner(move, st.st_uid)) {
		close(in);
		return -EPERM;
	}
	rc = rename_new(fromfd, from, tofd, to);
	if (rc == 0) {
		close(in);
		return 0;
	}
	/* Taken, or a folder of a lower layer or another file system: one by one. */
	rc = depth == 0 ? weigh(move, in, 0, &entries, &bytes) : 0;
	if (rc < 0) {
		close(in);
		return rc;
	}
	rc = out = open_target(move, tofd, to, &st, depth);
	if (out >= 0) {
		move_entries(move, in, out, depth);
		rc = unlinkat(fromfd, from, AT_REMOVEDIR) == 0 ? 0 : -errno;
		if (rc == -EEXIST)
			rc = -ENOTEMPTY;
		close(out);
	}
	close(in);
	return rc;
}

int cda_move_tree(const struct cda_move *move, int fromfd, const char *from, int tofd,
		  const char *to)
{
	struct stat st;

	if (fstatat(fromfd, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return move_dir(move, fromfd, from, tofd, to, 0);
}
