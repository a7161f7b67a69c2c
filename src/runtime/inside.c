#include "inside.h"

#include "file.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NO_XDEV = 0x01, /* RESOLVE_NO_XDEV */
	EMPTY_PATH = 0x1000 /* AT_EMPTY_PATH */,
	WANT_MOUNT = 0x1000 /* STATX_MNT_ID, since Linux 5.8 */
};

/* The kernel's struct statx, from its <linux/stat.h>. */
struct wide_stat {
	uint32_t mask, rest[35];
	uint64_t mount; /* at byte 144 */
	uint64_t more[13];
};
_Static_assert(offsetof(struct wide_stat, mount) == 144 && sizeof(struct wide_stat) == 256,
	       "as the kernel lays it out");

/* "mnt_id:" of /proc/self/fdinfo/FD, there since Linux 3.15. */
static int from_proc(int fd, uint64_t *ret)
{
	static const char key[] = "mnt_id:";
	char path[64], data[1024];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	struct cda_span rest, line;
	int rc, in;

	cda_put(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return -errno;
	rc = cda_file_read(in, &text);
	close(in);
	rest = (struct cda_span){text.data, text.len};
	while ((rc == 0 || rc == -EFBIG) && cda_span_line(&rest, &line)) {
		size_t at = sizeof(key) - 1;
		uint64_t number = 0;

		if (line.len <= at || memcmp(line.p, key, at) != 0)
			continue;
		while (at < line.len && (line.p[at] == '\t' || line.p[at] == ' '))
			at++;
		if (at == line.len)
			return -EINVAL;
		for (; at < line.len; at++) {
			if (line.p[at] < '0' || line.p[at] > '9' || number > UINT32_MAX)
				return -EINVAL;
			number = number * 10 + (uint64_t)(line.p[at] - '0');
		}
		*ret = number;
		return 0;
	}
	return rc < 0 && rc != -EFBIG ? rc : -ENODATA;
}

int cda_inside_mount(int fd, uint64_t *ret)
{
	struct wide_stat st;

	if (syscall(SYS_statx, fd, "", EMPTY_PATH, WANT_MOUNT, &st) == 0 &&
	    (st.mask & WANT_MOUNT) != 0) {
		*ret = st.mount;
		return 0;
	}
	return from_proc(fd, ret);
}

int cda_inside_open(int dirfd, const char *name, int flags)
{
	uint64_t outer, inner;
	int fd = cda_open_strict(dirfd, name, flags, CDA_NO_LINKS | CDA_BENEATH | NO_XDEV);

	if (!cda_openat2_missing(fd))
		return fd;
	fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (cda_inside_mount(dirfd, &outer) == 0 && cda_inside_mount(fd, &inner) == 0 &&
	    outer == inner)
		return fd;
	close(fd);
	return -EXDEV;
}
