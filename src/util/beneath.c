/* cda_fs_open_beneath of fs.h. What must hold, with or without openat2: the file that is opened
 * lies below dirfd at the moment of opening, whoever else may write there. */
#include "util/fs.h"
#include "util/alloc.h"
#include "util/str.h"

#include <errno.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

static atomic_bool without_openat2;

void cda_fs_openat2_disable(void)
{
	atomic_store(&without_openat2, true);
}

static bool has_dotdot(const char *path)
{
	struct cda_str rest = cda_str(path), part;

	while (cda_str_cut(&rest, "/", &part))
		if (cda_str_eq(part, CDA_STR("..")))
			return true;
	return false;
}

/* The folders from dirfd (at 0, borrowed) down to where the walk stands. */
enum { deepest = 128, links_max = 40 };

struct walk {
	int fds[deepest];
	int depth;
};

static void walk_done(struct walk *walk)
{
	while (walk->depth > 0)
		close(walk->fds[walk->depth--]);
}

static int step_into(struct walk *walk, const char *name)
{
	int fd;

	if (walk->depth + 1 == deepest) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(walk->fds[walk->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	walk->fds[++walk->depth] = fd;
	return 0;
}

/* Part after part, no link ever followed by the kernel: a link's text takes the link's place in
 * what is left to walk, and `..` steps back along the folders that are open. */
static int open_by_walk(int dirfd, const char *path, int flags, mode_t mode)
{
	CDA_CLEANUP(walk_done) struct walk walk = {.fds = {dirfd}};
	CDA_AUTOFREE char *left = cda_strdup(path);
	int links = 0;

	for (;;) {
		size_t n = strcspn(left, "/"), next = n + strspn(left + n, "/");
		CDA_AUTOFREE char *part = cda_strndup(left, n);
		CDA_AUTOFREE char *rest = cda_strdup(left + next);
		bool last = !*rest, follow;

		if (strcmp(part, "..") == 0 && walk.depth == 0) {
			errno = EXDEV;
			return -1;
		}
		if (strcmp(part, "..") == 0)
			close(walk.fds[walk.depth--]);
		if (n == 0 || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
			if (last)
				return openat(walk.fds[walk.depth], ".", flags | O_CLOEXEC, mode);
			cda_replace(&left, cda_take_ptr(rest));
			continue;
		}
		follow = !last || next > n ||
			 !((flags & O_NOFOLLOW) || ((flags & O_CREAT) && (flags & O_EXCL)));
		CDA_AUTOFREE char *target =
			follow ? cda_fs_readlink(walk.fds[walk.depth], part) : NULL;
		if (target && (target[0] == '/' || ++links > links_max)) {
			errno = target[0] == '/' ? EXDEV : ELOOP;
			return -1;
		}
		if (target) {
			cda_replace(&left, last ? cda_take_ptr(target)
						: cda_asprintf("%s/%s", target, rest));
			continue;
		}
		if (last)
			return openat(walk.fds[walk.depth], part,
				      flags | O_NOFOLLOW | O_CLOEXEC | (next > n ? O_DIRECTORY : 0),
				      mode);
		if (step_into(&walk, part) != 0)
			return -1;
		cda_replace(&left, cda_take_ptr(rest));
	}
}

int cda_fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	if (path[0] == '/' || has_dotdot(path)) {
		errno = EXDEV;
		return -1;
	}
	/* EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether we are out.
	 */
	for (int tries = 0; tries < 64 && !atomic_load(&without_openat2); tries++) {
		int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

		if (fd >= 0)
			return fd;
		if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
	}
	return open_by_walk(dirfd, path, flags, mode);
}
