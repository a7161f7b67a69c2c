#include "file.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYS_OPENAT2 = 437 }; /* newer than some C libraries */

void cda_text_add(struct cda_text *text, const char *data, size_t len)
{
	if (text->full || len > text->cap - text->len) {
		text->full = true;
		return;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

void cda_text_add_str(struct cda_text *text, const char *str)
{
	cda_text_add(text, str, strlen(str));
}

bool cda_span_is(struct cda_span span, const char *str)
{
	return strlen(str) == span.len && memcmp(span.p, str, span.len) == 0;
}

bool cda_span_line(struct cda_span *rest, struct cda_span *ret_line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	ret_line->p = rest->p;
	ret_line->len = end != NULL ? (size_t)(end - rest->p) : rest->len;
	rest->len -= ret_line->len + (end != NULL);
	rest->p += ret_line->len + (end != NULL);
	return true;
}

bool cda_span_word(struct cda_span *rest, struct cda_span *ret_word)
{
	size_t len = 0;

	while (rest->len > 0 && rest->p[0] == ' ') {
		rest->p++;
		rest->len--;
	}
	while (len < rest->len && rest->p[len] != ' ')
		len++;
	*ret_word = (struct cda_span){rest->p, len};
	rest->p += len;
	rest->len -= len;
	return len > 0;
}

int cda_span_copy(struct cda_span span, char *buf, size_t cap)
{
	if (span.len >= cap || memchr(span.p, '\0', span.len) != NULL)
		return -1;
	memcpy(buf, span.p, span.len);
	buf[span.len] = '\0';
	return 0;
}

int cda_file_read(int fd, struct cda_text *text)
{
	for (;;) {
		char extra;
		bool more = text->len < text->cap;
		ssize_t got = more ? read(fd, text->data + text->len, text->cap - text->len)
				   : read(fd, &extra, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		if (!more)
			return -EFBIG;
		text->len += (size_t)got;
	}
}

int cda_open_strict(int dirfd, const char *path, int flags, unsigned long resolve)
{
	/* The kernel's struct open_how, from its <linux/openat2.h>. */
	const struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW), .resolve = resolve};
	int fd = (int)syscall(SYS_OPENAT2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int cda_file_open(int dirfd, const char *path, struct stat *ret_st)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = cda_open_strict(dirfd, path, flags,
				 strchr(path, '/') == NULL ? CDA_NO_LINKS | CDA_BENEATH
							   : CDA_NO_MAGIC);

	if (cda_openat2_missing(fd)) {
		fd = openat(dirfd, path, flags);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, ret_st) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	if (!S_ISREG(ret_st->st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int cda_file_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, data, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

static int fill(int fd, const struct cda_text *text, const struct stat *like)
{
	mode_t mode = like->st_mode & 0777;
	int rc = cda_file_write(fd, text->data, text->len);

	if (rc < 0)
		return rc;
	if (fchown(fd, like->st_uid, like->st_gid) != 0) {
		struct stat now;

		if (fstat(fd, &now) != 0 || now.st_uid != like->st_uid)
			return -EPERM;
		/* The group is not the old one: it may do what others may. */
		mode = (mode & ~(mode_t)0070) | ((mode & 07) << 3);
	}
	if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
		return -errno;
	return 0;
}

static int rewrite(int dirfd, const char *name, const struct cda_text *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return -errno;
	rc = cda_file_write(fd, text->data, text->len);
	if (rc == 0 && (ftruncate(fd, (off_t)text->len) != 0 || fsync(fd) != 0))
		rc = -errno;
	close(fd);
	return rc;
}

int cda_file_replace(int dirfd, const char *name, const struct cda_text *text,
		     const struct stat *like)
{
	char temp[64];
	int fd, rc;

	if (text->full || cda_put(temp, sizeof(temp), ".%s.condense", name) < 0)
		return -EFBIG;
	/* Left behind by a writer that was killed; the lock says that none is at work. */
	if (unlinkat(dirfd, temp, 0) != 0 && errno == EROFS)
		return rewrite(dirfd, name, text) == 0 ? 0 : -EROFS;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = -errno;
		return rc == -EROFS && rewrite(dirfd, name, text) == 0 ? 0 : rc;
	}
	rc = fill(fd, text, like);
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(dirfd, temp, dirfd, name) != 0)
		rc = -errno;
	if (rc == 0) {
		fsync(dirfd);
		return 0;
	}
	unlinkat(dirfd, temp, 0);
	return rc == -EBUSY ? rewrite(dirfd, name, text) : rc;
}

void cda_dir_init(struct cda_dir *dir, int fd)
{
	dir->fd = fd;
	dir->at = dir->end = 0;
	lseek(fd, 0, SEEK_SET);
}

const char *cda_dir_next(struct cda_dir *dir)
{
	struct entry {
		uint64_t ino, off;
		uint16_t size;
		uint8_t type;
		char name[];
	};

	for (;;) {
		const struct entry *e;

		if (dir->at == dir->end) {
			long got = syscall(SYS_getdents64, dir->fd, dir->data, sizeof(dir->data));

			if (got <= 0)
				return NULL;
			dir->at = 0;
			dir->end = (size_t)got;
		}
		e = (const struct entry *)(const void *)(dir->data + dir->at);
		dir->at += e->size;
		if (strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0)
			return e->name;
	}
}

/* The fifth field of mountinfo is the mount point, with \040 and the like for odd characters; the
 * paths asked for hold none of these. */
static bool line_is_at(const char *line, const char *path, bool below)
{
	size_t len = strlen(path);
	const char *at = line;

	for (int field = 0; field < 4; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return false;
		at++;
	}
	if (strncmp(at, path, len) != 0)
		return false;
	return at[len] == ' ' || (below && at[len] == '/');
}

bool cda_mount_in(struct cda_span mounts, const char *path, bool below)
{
	struct cda_span line;
	bool found = false;

	while (!found && cda_span_line(&mounts, &line)) {
		char copy[1024];

		if (cda_span_copy(line, copy, sizeof(copy)) == 0)
			found = line_is_at(copy, path, below);
		else /* a long line: look at its head, where the mount point is */
			found = cda_span_copy((struct cda_span){line.p, line.len < sizeof(copy) - 1
										? line.len
										: sizeof(copy) - 1},
					      copy, sizeof(copy)) < 0 ||
				line_is_at(copy, path, below);
	}
	return found;
}

int cda_mount_at(const char *path, bool below)
{
	static char data[1 << 18];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	int rc, fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	rc = cda_file_read(fd, &text);
	close(fd);
	return rc < 0 ? rc : cda_mount_in((struct cda_span){text.data, text.len}, path, below);
}
