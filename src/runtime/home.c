#include "home.h"

#include "move.h"
#include "paths.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

/* The only part of path below /home, or NULL. */
static const char *below_home(const char *path)
{
	static const char lead[] = "/home/";
	const char *name = path + sizeof(lead) - 1;

	if (strncmp(path, lead, sizeof(lead) - 1) != 0 || strchr(name, '/') != NULL)
		return NULL;
	return name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? NULL : name;
}

/* Absolute, short, printable ASCII without ':' and '\', no empty, "." or ".." part. */
static bool path_sane(const char *path)
{
	size_t part = 0;

	if (path[0] != '/' || strlen(path) >= CDA_HOME_MAX)
		return false;
	for (const char *p = path + 1;; p++) {
		if (*p == '/' || *p == '\0') {
			if (part == 0 || (part == 1 && p[-1] == '.') ||
			    (part == 2 && p[-1] == '.' && p[-2] == '.'))
				return false;
			if (*p == '\0')
				return true;
			part = 0;
			continue;
		}
		if (*p <= ' ' || *p > '~' || *p == ':' || *p == '\\')
			return false;
		part++;
	}
}

/* Open an existing folder with no link anywhere in its path. */
static int open_no_links(const char *path)
{
	int fd = cda_open_strict(AT_FDCWD, path, OPEN_DIR, CDA_NO_LINKS);

	if (!cda_openat2_missing(fd)) {
		errno = fd < 0 ? -fd : 0;
		return fd < 0 ? -1 : fd;
	}
	fd = open("/", OPEN_DIR);
	for (const char *p = path + 1; fd >= 0 && *p != '\0';) {
		char part[NAME_MAX + 1];
		size_t len = strcspn(p, "/");
		int next = -1;

		if (len <= NAME_MAX) {
			memcpy(part, p, len);
			part[len] = '\0';
			next = openat(fd, part, OPEN_DIR);
		}
		close(fd);
		fd = next;
		p += len + (p[len] == '/');
	}
	return fd;
}

static bool is_link_to(int dirfd, const char *name, const char *target)
{
	char now[CDA_HOME_MAX];
	ssize_t len = readlinkat(dirfd, name, now, sizeof(now));

	return len >= 0 && (size_t)len == strlen(target) && memcmp(now, target, (size_t)len) == 0;
}

/* Make homes/name a link to target, in the place of nothing or of an older link. */
static int lead_to(int homes, const char *name, const char *target)
{
	struct stat st;
	char temp[CDA_HOME_MAX];

	if (is_link_to(homes, name, target))
		return 0;
	if (fstatat(homes, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return symlinkat(target, homes, name) == 0 ? 0 : -errno;
	if (!S_ISLNK(st.st_mode) || st.st_uid != 0)
		return -EEXIST;
	if (cda_put(temp, sizeof(temp), ".%s.condense", name) < 0)
		return -ENAMETOOLONG;
	unlinkat(homes, temp, 0);
	if (symlinkat(target, homes, temp) != 0 || renameat(homes, temp, homes, name) != 0)
		return -errno;
	return 0;
}

/* Is nothing in the folder but what leads to mounts, and what a new file system has? */
static bool holds_only_mounts(int fd, const char *path)
{
	struct cda_dir dir;
	const char *name;

	cda_dir_init(&dir, fd);
	while ((name = cda_dir_next(&dir)) != NULL) {
		char below[CDA_HOME_MAX + NAME_MAX + 2];

		if (strcmp(name, "lost+found") == 0)
			continue;
		if (cda_put(below, sizeof(below), "%s/%s", path, name) < 0 ||
		    cda_mount_at(below, true) != 1)
			return false;
	}
	return true;
}

/* May root treat the folder open at fd as the account's? An engine makes folders of root's for a
 * missing bind source, for a new volume, and on the way to a mount deeper down. */
static bool may_take(const struct cda_home *home, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (st.st_uid == home->uid || st.st_uid == home->old_uid || st.st_uid == home->image_uid)
		return true;
	return st.st_uid == 0 && cda_mount_at(path, true) == 1 && holds_only_mounts(fd, path);
}

/* Folder or file directly in dirfd: give it to the new owner if it was the old one's, is on the
 * same file system, and no other name leads to it. */
static void give(const struct cda_home *home, int dirfd, const char *name, dev_t dev)
{
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_dev == dev && st.st_uid != home->uid &&
	    (st.st_uid == home->old_uid || st.st_uid == home->image_uid) &&
	    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)) &&
	    fchown(fd, home->uid, (gid_t)-1) != 0)
		cda_say("cannot give '%s' in the home to uid %lu: %s", name,
			(unsigned long)home->uid, strerror(errno));
	close(fd);
}

static int own(const struct cda_home *home, const char *path)
{
	static const char *const inner[] = {".local", ".cache", ".conda", ".condarc"};
	struct stat st;
	int fd = open_no_links(path);

	if (fd < 0)
		return -errno;
	if (!may_take(home, fd, path) || fstat(fd, &st) != 0) {
		close(fd);
		return -EPERM;
	}
	if (st.st_uid != home->uid && fchown(fd, home->uid, (gid_t)-1) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		give(home, fd, inner[i], st.st_dev);
	close(fd);
	return 0;
}

/* A folder of root's that may be taken is known by what it holds: so before anything comes in. */
static int take(const struct cda_home *home, int homes, const char *name)
{
	struct stat st;
	int rc = 0, fd = openat(homes, name, OPEN_DIR);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) != 0 || (st.st_uid == 0 && fchown(fd, home->uid, (gid_t)-1) != 0))
		rc = -errno;
	close(fd);
	return rc;
}

/* Bring what is in /home/FROM to /home/TO (nothing yet, or a folder that may be taken), and leave a
 * link. What has its name taken there stays behind in /home/FROM.image. */
static int move_home(const struct cda_home *home, int homes, const char *from, const char *to)
{
	const struct cda_move move = {.uids = {home->uid, home->old_uid, home->image_uid}};
	char target[CDA_HOME_MAX], rest[CDA_HOME_MAX];
	int rc;

	if (cda_put(target, sizeof(target), "/home/%s", to) < 0 ||
	    cda_put(rest, sizeof(rest), "%s.image", from) < 0)
		return -ENAMETOOLONG;
	rc = take(home, homes, to);
	if (rc < 0)
		return rc;
	rc = cda_move_tree(&move, homes, from, homes, to);
	if (rc == -ENOTEMPTY)
		rc = cda_move_tree(&move, homes, from, homes, rest);
	if (rc < 0)
		return rc;
	return lead_to(homes, from, target);
}

/* NEW_HOME: decide, and do it. Returns 0 with record->home, or an exit status. */
static int bring(const struct cda_home *home, int homes, struct cda_record *record)
{
	const char *to = below_home(home->wanted), *from = below_home(record->home);
	struct stat st;
	int fd, rc;

	if (strcmp(home->wanted, record->home) == 0 ||
	    (to != NULL && is_link_to(homes, to, record->home)))
		return 0;
	if (to != NULL && fstatat(homes, to, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode)) {
		cda_say("NEW_HOME '%s' is a link", home->wanted);
		return CDA_EXIT_REFUSED;
	}
	fd = open_no_links(home->wanted);
	if (fd >= 0) {
		bool fine = to != NULL ? may_take(home, fd, home->wanted)
				       : fstat(fd, &st) == 0 && st.st_uid == home->uid;

		close(fd);
		if (!fine) {
			cda_say("NEW_HOME '%s' belongs to somebody else", home->wanted);
			return CDA_EXIT_REFUSED;
		}
	} else if (to == NULL) {
		cda_say("NEW_HOME '%s' is neither a folder of yours nor a name in /home",
			home->wanted);
		return CDA_EXIT_REFUSED;
	}
	if (to == NULL || from == NULL) {
		/* A folder of the caller's own: used as it is, and nothing is carried into it. */
		if (fd < 0 && (mkdirat(homes, to, 0770) != 0 ||
			       fchownat(homes, to, home->uid, home->gid, AT_SYMLINK_NOFOLLOW) != 0))
			goto cannot;
	} else if (cda_mount_at(record->home, true) != 0) {
		if (fd < 0) {
			rc = lead_to(homes, to, record->home);
			cda_say("a mount lies in '%s', so it stays; '%s' leads to it", record->home,
				home->wanted);
			return rc == 0 ? 0 : CDA_EXIT_CANNOT;
		}
		cda_say("a mount lies in '%s', so it stays beside '%s'", record->home,
			home->wanted);
	} else {
		rc = move_home(home, homes, from, to);
		if (rc < 0) {
			errno = -rc;
			goto cannot;
		}
	}
	return cda_put(record->home, sizeof(record->home), "%s", home->wanted) < 0
		       ? CDA_EXIT_REFUSED
		       : 0;
cannot:
	cda_say("cannot move the home to '%s': %s", home->wanted, strerror(errno));
	return CDA_EXIT_CANNOT;
}

/* Make /home/NAME lead to the home. A folder there that is a mount or leads to one becomes the home
 * instead; what an engine made on the way to a mount gets what the home held. */
static int link_name(const struct cda_home *home, int homes, const char *name,
		     struct cda_record *record)
{
	char path[CDA_HOME_MAX];
	int fd, rc;

	if (cda_put(path, sizeof(path), "/home/%s", name) < 0)
		return -ENAMETOOLONG;
	if (strcmp(path, record->home) == 0)
		return 0;
	rc = lead_to(homes, name, record->home);
	if (rc != -EEXIST || strcmp(name, home->name) != 0)
		return rc;
	fd = openat(homes, name, OPEN_DIR);
	if (fd < 0)
		return rc;
	if (cda_mount_at(path, true) == 1 && may_take(home, fd, path)) {
		const char *from = below_home(record->home);

		rc = 0;
		if (from != NULL && cda_mount_at(path, false) == 0 &&
		    cda_mount_at(record->home, true) == 0)
			rc = move_home(home, homes, from, name);
		if (rc == 0)
			cda_put(record->home, sizeof(record->home), "%s", path);
	}
	close(fd);
	return rc;
}

int cda_home_settle(const struct cda_home *home, struct cda_record *record,
		    char ret_path[CDA_HOME_MAX])
{
	struct stat st;
	int rc, homes = open("/home", OPEN_DIR);
	char linked[CDA_HOME_MAX];
	int status = 0;

	cda_put(ret_path, CDA_HOME_MAX, "%s", record->home);
	if (homes < 0 || fstat(homes, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0) {
		cda_say("'/home' is not a folder that root alone may write: homes stay as they "
			"are");
		if (homes >= 0)
			close(homes);
		return CDA_EXIT_CANNOT;
	}
	if (home->wanted != NULL && !path_sane(home->wanted)) {
		cda_say("NEW_HOME is not a plain absolute path");
		status = CDA_EXIT_REFUSED;
	} else if (home->wanted != NULL) {
		status = bring(home, homes, record);
	}
	if (status == 0) {
		rc = link_name(home, homes, home->name, record);
		if (rc < 0) {
			cda_say("cannot lead '/home/%s' to '%s': %s", home->name, record->home,
				strerror(-rc));
			status = CDA_EXIT_CANNOT;
		}
		/* Old paths keep working; where something mounted has the place, it keeps it. */
		(void)link_name(home, homes, home->image, record);
	}
	if (status != CDA_EXIT_REFUSED) {
		rc = own(home, record->home);
		if (rc < 0) {
			cda_say("'%s' cannot be given to uid %lu: %s", record->home,
				(unsigned long)home->uid, strerror(-rc));
			status = CDA_EXIT_CANNOT;
		}
	}
	cda_put(ret_path, CDA_HOME_MAX, "%s", record->home);
	if (cda_put(linked, sizeof(linked), "/home/%s", home->name) == 0 &&
	    is_link_to(homes, home->name, record->home))
		cda_put(ret_path, CDA_HOME_MAX, "%s", linked);
	close(homes);
	return status;
}
