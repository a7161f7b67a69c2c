#include "lock.h"

#include "reap.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_MS = 100, PATIENCE = 30 /* pauses until the wait is told */ };

static const char name[] = "lock";

/* Returns a descriptor of root's own file, or a negative errno. */
static int open_lock(int state, int flags)
{
	int rc, fd = openat(state, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 077) != 0)
		rc = -EPERM;
	else
		return fd;
	close(fd);
	return rc;
}

int cda_lock_try(int state)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc, fd = open_lock(state, O_RDWR | O_CREAT);

	if (fd < 0 || fcntl(fd, F_SETLK, &whole) == 0)
		return fd;
	rc = errno == EACCES ? -EAGAIN : -errno;
	close(fd);
	return rc;
}

/* Returns 0 if nobody holds the lock, else as cda_lock_try. */
static int look(int state)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc = 0, fd = open_lock(state, O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fcntl(fd, F_GETLK, &whole) != 0)
		rc = -errno;
	else if (whole.l_type != F_UNLCK)
		rc = -EAGAIN;
	close(fd);
	return rc;
}

int cda_lock_wait(int state, bool hold)
{
	for (int i = 0;; i++) {
		int rc = hold ? cda_lock_try(state) : look(state);

		if (rc != -EAGAIN)
			return rc;
		if (i == PATIENCE)
			cda_say("waiting for another start that installs OS packages");
		cda_reap_pause(PAUSE_MS);
		if (cda_reap_stopped() != 0)
			return -EINTR;
	}
}
