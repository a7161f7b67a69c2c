#include "util/lock.h"
#include "util/alloc.h"
#include "util/event.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

struct cda_lock {
	int fd;
};

/* Who may only read the lock file can still lock it: flock asks for no write access. */
static int open_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		int first = errno;

		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			errno = first;
	}
	return fd;
}

/* A holder may remove the folder with the lock file in it: then the name is another file now. */
static bool is_still_there(int dirfd, const char *name, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

struct cda_lock *cda_lock_free(struct cda_lock *lock)
{
	if (!lock)
		return NULL;
	close(lock->fd);
	free(lock);
	return NULL;
}

/* Waits by asking again, not inside flock: a signal that came just before the call would be
 * forgotten there. */
int cda_lock_acquire(int dirfd, const char *name, bool shared, bool wait,
		     struct cda_lock **ret_lock, struct cda_err *err)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	struct cda_lock *lock;

	for (;;) {
		CDA_AUTOCLOSE int fd = open_file(dirfd, name);
		bool busy;

		if (fd < 0 && shared && (errno == EACCES || errno == EROFS || errno == EPERM)) {
			*ret_lock = NULL;
			return 0;
		}
		if (fd < 0)
			return cda_err_sys(err, errno, "cannot open lock file '%s'", name);
		busy = flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0;
		/* A file system without locks must not make the program useless. */
		if (busy && (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP))
			busy = false;
		if (busy && errno != EWOULDBLOCK && errno != EINTR)
			return cda_err_sys(err, errno, "cannot lock '%s'", name);
		if (!busy && is_still_there(dirfd, name, fd)) {
			lock = cda_new0(struct cda_lock);
			lock->fd = cda_take_fd(fd);
			*ret_lock = lock;
			return 0;
		}
		if (busy && !wait)
			return cda_err_set(err, CDA_E_BUSY, "another process holds the lock '%s'",
					   name);
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED,
					   "interrupted while waiting for the lock '%s'", name);
		if (busy)
			nanosleep(&pause, NULL);
	}
}
