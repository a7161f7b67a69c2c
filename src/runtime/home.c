#include "home.h"

#include "inside.h"
#include "move.h"
#include "paths.h"
#include "reown.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
	EMPTY_PATH = 0x1000 /* AT_EMPTY_PATH */,
	WAY_DOWN = 16 /* folders that an engine makes on the way to a mount */
};

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

/* A link that an earlier run may have made: to a folder in /home, or to the home there was. Others
 * of root's are somebody else's. */
static bool is_ours(int homes, const char *name, const char *was)
{
	char now[CDA_HOME_MAX];
	ssize_t len = readlinkat(homes, name, now, sizeof(now) - 1);

	if (len < 0)
		return false;
	now[len] = '\0';
	return below_home(now) != NULL || (was != NULL && strcmp(now, was) == 0);
}

/* Make homes/name a link to target, in the place of nothing or of an older link of ours; was is the
 * home that there was, or NULL. */
static int lead_to(int homes, const char *name, const char *target, const char *was)
{
	struct stat st;
	char temp[CDA_HOME_MAX];

	if (is_link_to(homes, name, target))
		return 0;
	if (fstatat(homes, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return symlinkat(target, homes, name) == 0 ? 0 : -errno;
	if (!S_ISLNK(st.st_mode) || st.st_uid != 0 || !is_ours(homes, name, was))
		return -EEXIST;
	if (cda_put(temp, sizeof(temp), ".%s.condense", name) < 0)
		return -ENAMETOOLONG;
	unlinkat(homes, temp, 0);
	if (symlinkat(target, homes, temp) != 0 || renameat(homes, temp, homes, name) != 0)
		return -errno;
	return 0;
}

/* Is nothing in the folder, however deep, but mounts, what leads to them, and what a new file
 * system has? */
static bool holds_only_mounts(int fd, const char *path, int depth)
{
	struct cda_dir dir;
	const char *name;

	cda_dir_init(&dir, fd);
	while ((name = cda_dir_next(&dir)) != NULL) {
		char below[CDA_HOME_MAX + NAME_MAX + 2];
		bool only;
		int inner;

		if (depth == 0 && strcmp(name, "lost+found") == 0)
			continue;
		if (cda_put(below, sizeof(below), "%s/%s", path, name) < 0 ||
		    strlen(below) >= CDA_HOME_MAX || depth == WAY_DOWN)
			return false;
		if (cda_mount_at(below, false) == 1)
			continue;
		inner = cda_mount_at(below, true) == 1 ? openat(fd, name, OPEN_DIR) : -1;
		only = inner >= 0 && holds_only_mounts(inner, below, depth + 1);
		if (inner >= 0)
			close(inner);
		if (!only)
			return false;
	}
	return true;
}

static bool is_accounts(const struct cda_home *home, uint32_t uid)
{
	return uid != 0 && (uid == home->uid || uid == home->olds[0] || uid == home->olds[1] ||
			    uid == home->olds[2]);
}

static struct cda_reown to_caller(const struct cda_home *home, const char *path)
{
	return (struct cda_reown){.uid = home->uid,
				  .olds = {home->olds[0], home->olds[1], home->olds[2]},
				  .path = path};
}

/* Does a mount lie at or below path, or is all of /home one? Whatever cannot be known is one. */
static bool is_mounted(const char *path)
{
	return cda_mount_at(path, true) != 0 || cda_mount_at("/home", false) != 0;
}

/* May root treat the folder open at fd as the account's? An engine makes folders of root's for a
 * missing bind source, for a new volume, and on the way to a mount deeper down. */
static bool may_take(const struct cda_home *home, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (is_accounts(home, st.st_uid))
		return true;
	return st.st_uid == 0 && cda_mount_at(path, true) == 1 && holds_only_mounts(fd, path, 0);
}

/* Folder or file directly in dirfd, on the same mount: give it to the new owner if it was the old
 * one's. It is held, never opened: whatever it is now, nothing happens to it but that. */
static void give(const struct cda_home *home, int dirfd, const char *name)
{
	const struct cda_reown how = to_caller(home, name);
	struct stat st;
	int fd = cda_inside_open(dirfd, name, O_PATH);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) &&
	    cda_reown_fits(&how, &st) && fchownat(fd, "", home->uid, (gid_t)-1, EMPTY_PATH) != 0)
		cda_say("cannot give '%s' in the home to uid %lu: %s", name,
			(unsigned long)home->uid, strerror(errno));
	close(fd);
}

/* Is the folder open at fd on another mount than the root? Whatever cannot be known is. */
static bool is_in_mount(int fd)
{
	uint64_t here, top;
	int root = open("/", OPEN_DIR);
	bool same = root >= 0 && cda_inside_mount(root, &top) == 0 &&
		    cda_inside_mount(fd, &here) == 0 && here == top;

	if (root >= 0)
		close(root);
	return !same;
}

/* May the owner of the folder open at fd change? Of a mount, only that of an empty one. */
static bool may_own(const struct cda_home *home, int fd, const char *path, const struct stat *st)
{
	/* Outside /home the caller may have put anything under that name. */
	if (st->st_uid == home->uid || below_home(path) == NULL)
		return st->st_uid == home->uid;
	return may_take(home, fd, path) && (!is_in_mount(fd) || holds_only_mounts(fd, path, 0));
}

static void say_mounted(const struct cda_home *home, const char *path)
{
	cda_say("'%s' is a mount: what is in it keeps its owners; as root they can be changed: "
		"docker run --rm -u 0 -v VOLUME:/v IMAGE chown -R %lu /v",
		path, (unsigned long)home->uid);
}

/* Returns 0, a negative errno, or 1 if the home is a mount that the caller cannot use, with a
 * message. */
static int own(const struct cda_home *home, const char *path)
{
	static const char *const inner[] = {".local", ".cache", ".conda", ".condarc"};
	struct stat st;
	int rc = 0, fd = open_no_links(path);
	bool mounted;

	if (fd < 0)
		return -errno;
	mounted = is_in_mount(fd);
	if (fstat(fd, &st) != 0) {
		rc = -errno;
	} else if (may_own(home, fd, path, &st)) {
		if (st.st_uid != home->uid && fchown(fd, home->uid, (gid_t)-1) != 0)
			rc = -errno;
	} else if (!mounted) {
		rc = -EPERM;
	} else if (faccessat(fd, ".", R_OK | W_OK | X_OK, 0) != 0) { /* by the caller's real ids */
		say_mounted(home, path);
		rc = 1;
	}
	for (size_t i = 0; rc == 0 && !mounted && i < sizeof(inner) / sizeof(*inner); i++)
		give(home, fd, inner[i]);
	close(fd);
	return rc;
}

/* A folder that may be taken, at path, is known by what it holds: so before anything comes in. */
static int take(const struct cda_home *home, int homes, const char *name, const char *path)
{
	struct stat st;
	int rc = 0, fd = openat(homes, name, OPEN_DIR);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) != 0 || (st.st_uid != home->uid && may_own(home, fd, path, &st) &&
				    fchown(fd, home->uid, (gid_t)-1) != 0))
		rc = -errno;
	close(fd);
	return rc;
}

/* Bring what is in /home/FROM to /home/TO (nothing yet, or a folder that may be taken), and leave a
 * link. What has its name taken there stays behind in /home/FROM.image. Completes what a killed run
 * began. Nothing was done for those reasons that why_not knows. */
static int move_home(const struct cda_home *home, int homes, const char *from, const char *to)
{
	const struct cda_move move = {
		.uids = {home->uid, home->olds[0], home->olds[1], home->olds[2]}};
	char target[CDA_HOME_MAX], rest[CDA_HOME_MAX];
	struct stat st;
	int rc;

	if (cda_put(target, sizeof(target), "/home/%s", to) < 0 ||
	    cda_put(rest, sizeof(rest), "%s.image", from) < 0)
		return -ENAMETOOLONG;
	if (is_link_to(homes, from, target))
		return 0;
	rc = take(home, homes, to, target);
	if (rc < 0)
		return rc;
	rc = cda_move_tree(&move, homes, from, homes, to);
	if (rc == -ENOTEMPTY)
		rc = cda_move_tree(&move, homes, from, homes, rest);
	/* All of it is there, and only the link is missing. */
	if (rc == -ENOENT && fstatat(homes, to, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		rc = 0;
	if (rc < 0)
		return rc;
	return lead_to(homes, from, target, NULL);
}

static const char *why_not(int rc)
{
	return rc == -E2BIG     ? "there is too much to copy in"
	       : rc == -ENOTSUP ? "what cannot be copied lies in"
				: NULL;
}

/* The home stays where it is for that reason, and the wanted name leads there if it is free. */
static int stay(const struct cda_home *home, int homes, struct cda_record *record, bool is_free,
		const char *why)
{
	const char *to = below_home(home->wanted);
	int rc;

	if (!is_free) {
		cda_say("%s '%s', so it stays beside '%s'", why, record->home, home->wanted);
		return cda_put(record->home, sizeof(record->home), "%s", home->wanted) < 0
			       ? CDA_EXIT_REFUSED
			       : 0;
	}
	rc = lead_to(homes, to, record->home, NULL);
	cda_say("%s '%s', so it stays; '%s' leads to it", why, record->home, home->wanted);
	return rc == 0 ? 0 : CDA_EXIT_CANNOT;
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
		cda_say("NEW_HOME '%s' is a link: name what it leads to", home->wanted);
		return CDA_EXIT_REFUSED;
	}
	fd = open_no_links(home->wanted);
	if (fd >= 0) {
		bool fine = to != NULL ? may_take(home, fd, home->wanted)
				       : fstat(fd, &st) == 0 && st.st_uid == home->uid;

		close(fd);
		if (!fine) {
			cda_say("NEW_HOME '%s' belongs to somebody else: name a folder of uid "
				"%lu's, or "
				"one in /home that is not there yet",
				home->wanted, (unsigned long)home->uid);
			return CDA_EXIT_REFUSED;
		}
	} else if (to == NULL) {
		cda_say("NEW_HOME '%s' is neither a folder of yours nor a name in /home: mount a "
			"folder there, or take '/home/NAME'",
			home->wanted);
		return CDA_EXIT_REFUSED;
	}
	if (to == NULL || from == NULL) {
		/* A folder of the caller's own: used as it is, and nothing is carried into it. */
		if (fd < 0 && (mkdirat(homes, to, 0770) != 0 ||
			       fchownat(homes, to, home->uid, home->gid, AT_SYMLINK_NOFOLLOW) != 0))
			goto cannot;
	} else if (!is_link_to(homes, from, home->wanted) && is_mounted(record->home)) {
		return stay(home, homes, record, fd < 0, "a mount lies in");
	} else {
		rc = move_home(home, homes, from, to);
		if (why_not(rc) != NULL)
			return stay(home, homes, record, fd < 0, why_not(rc));
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
static int link_name(const struct cda_home *home, int homes, const char *name, const char *was,
		     struct cda_record *record)
{
	char path[CDA_HOME_MAX];
	int fd, rc;

	if (cda_put(path, sizeof(path), "/home/%s", name) < 0)
		return -ENAMETOOLONG;
	if (strcmp(path, record->home) == 0)
		return 0;
	rc = lead_to(homes, name, record->home, was);
	if (rc != -EEXIST || strcmp(name, home->name) != 0)
		return rc;
	fd = openat(homes, name, OPEN_DIR);
	if (fd < 0)
		return rc;
	if (cda_mount_at(path, true) == 1 && may_take(home, fd, path)) {
		const char *from = below_home(record->home);

		rc = 0;
		if (from != NULL && cda_mount_at(path, false) == 0 && !is_mounted(record->home))
			rc = move_home(home, homes, from, name);
		if (why_not(rc) != NULL) {
			cda_say("%s '%s', so it stays beside '%s'", why_not(rc), record->home,
				path);
			rc = 0;
		}
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
	char linked[CDA_HOME_MAX], was[CDA_HOME_MAX];
	int status = 0;

	cda_put(ret_path, CDA_HOME_MAX, "%s", record->home);
	cda_put(was, sizeof(was), "%s", record->home);
	if (homes < 0 || fstat(homes, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0) {
		cda_say("'/home' is not a folder that root alone may write: homes stay as they "
			"are");
		if (homes >= 0)
			close(homes);
		return CDA_EXIT_CANNOT;
	}
	if (home->wanted != NULL && !path_sane(home->wanted)) {
		cda_say("NEW_HOME is not a plain absolute path, as '/home/NAME' is: without '..', "
			"'//', blanks, ':' and '\\'");
		status = CDA_EXIT_REFUSED;
	} else if (home->wanted != NULL) {
		status = bring(home, homes, record);
	}
	if (status == 0) {
		rc = link_name(home, homes, home->name, was, record);
		if (rc < 0) {
			cda_say("cannot lead '/home/%s' to '%s': %s", home->name, record->home,
				strerror(-rc));
			status = CDA_EXIT_CANNOT;
		}
		/* Old paths keep working; where something mounted has the place, it keeps it. */
		(void)link_name(home, homes, home->image, was, record);
	}
	if (status != CDA_EXIT_REFUSED) {
		rc = own(home, record->home);
		if (rc < 0)
			cda_say("'%s' cannot be given to uid %lu: %s", record->home,
				(unsigned long)home->uid, strerror(-rc));
		if (rc != 0)
			status = CDA_EXIT_CANNOT;
	}
	cda_put(ret_path, CDA_HOME_MAX, "%s", record->home);
	if (cda_put(linked, sizeof(linked), "/home/%s", home->name) == 0 &&
	    is_link_to(homes, home->name, record->home))
		cda_put(ret_path, CDA_HOME_MAX, "%s", linked);
	close(homes);
	return status;
}

int cda_home_reown(const struct cda_home *home, const char *path)
{
	const struct cda_reown how = to_caller(home, path);
	const char *name = below_home(path);
	struct stat st;
	int homes, fd, status = 0;

	if (name == NULL) {
		cda_say("'%s' is not below '/home': its files keep their owners", path);
		return 0;
	}
	homes = open("/home", OPEN_DIR);
	fd = homes < 0 ? -errno : cda_inside_open(homes, name, O_RDONLY | O_DIRECTORY);
	if (fd == -EXDEV || (fd >= 0 && is_in_mount(fd))) {
		say_mounted(home, path);
	} else if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != home->uid) {
		cda_say("'%s' cannot be given to uid %lu: it is not a folder of this account", path,
			(unsigned long)home->uid);
		status = CDA_EXIT_FAILED;
	} else {
		status = cda_reown_tree(fd, &how);
	}
	if (fd >= 0)
		close(fd);
	if (homes >= 0)
		close(homes);
	return status;
}
