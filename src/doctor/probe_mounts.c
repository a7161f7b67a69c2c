#include "mountinfo.h"
#include "runtime/paths.h"
#include "probe.h"
#include "runtime/say.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const enum cda_part MOUNTS = CDA_PART_MOUNTS;

enum { MOUNTS_MAX = 512, SHOWN_MAX = 30 };

/* A folder that the user works in, mounted or not. */
struct folder {
	char *path;
	bool mounted, read_only;
};

struct folders {
	struct folder items[MOUNTS_MAX];
	int count, shown, left_out;
	dev_t measured[MOUNTS_MAX]; /* file systems that were looked at for room */
	int measured_count;
};

static bool is_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* The kernel's file systems, and what the engine itself mounts. */
static bool is_of_kernel(const struct cda_mount *mount)
{
	static const char *const types[] = {"proc",    "sysfs",     "cgroup",   "cgroup2",
					    "devpts",  "mqueue",    "devtmpfs", "securityfs",
					    "debugfs", "tracefs",   "bpf",      "pstore",
					    "nsfs",    "hugetlbfs", "configfs", "fusectl"};
	static const char *const points[] = {"/proc",
					     "/sys",
					     "/dev",
					     "/etc/hostname",
					     "/etc/hosts",
					     "/etc/resolv.conf",
					     "/tmp/.X11-unix",
					     "/.dockerenv",
					     "/sbin/docker-init",
					     "/dev/init",
					     "/run/.containerenv"};

	if (strcmp(mount->point, "/") == 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(mount->type, types[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		if (is_in(mount->point, points[i]))
			return true;
	}
	return false;
}

static struct folder *add(struct folders *folders, const char *path)
{
	for (int i = 0; i < folders->count; i++) {
		if (strcmp(folders->items[i].path, path) == 0)
			return &folders->items[i];
	}
	if (folders->count == MOUNTS_MAX)
		return NULL;
	folders->items[folders->count] = (struct folder){.path = strdup(path)};
	if (folders->items[folders->count].path == NULL)
		return NULL;
	return &folders->items[folders->count++];
}

/* Returns false if the kernel does not tell. */
static bool find_mounts(struct cda_case *c, struct folders *folders)
{
	static struct cda_mount mount;
	struct cda_text text;
	struct cda_span rest;
	int rc = cda_world_read(c->world, "/proc/self/mountinfo", &text);

	if (rc < 0) {
		cda_report_add(c->report, MOUNTS, "mountinfo", CDA_NOTE,
			       "'/proc/self/mountinfo' cannot be read, so mounts are not seen: %s",
			       strerror(-rc));
		return false;
	}
	rest = (struct cda_span){text.data, text.len};
	while (cda_mountinfo_next(&rest, &mount)) {
		struct folder *folder = is_of_kernel(&mount) ? NULL : add(folders, mount.point);

		if (folder == NULL)
			continue;
		folder->mounted = true; /* a later one hides what is there */
		folder->read_only = mount.read_only;
		if (!mount.idmapped)
			continue;
		cda_report_add(
			c->report, MOUNTS, "idmapped", CDA_NOTE,
			"'%s' is an idmapped mount: owners there are shown as the mount maps "
			"them",
			mount.point);
		cda_report_about(c->report, mount.point);
	}
	cda_world_free(&text);
	return true;
}

/* Bytes as people say it. */
static const char *human(unsigned long long bytes, char buf[32])
{
	static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	while (bytes >= 10000 && unit + 1 < sizeof(units) / sizeof(*units)) {
		bytes /= 1000;
		unit++;
	}
	cda_put(buf, 32, "%llu %s", bytes, units[unit]);
	return buf;
}

/* Room on the file system of a folder, once for each file system. */
static void room(struct cda_case *c, struct folders *folders, const char *path)
{
	char buf[PATH_MAX], size[32], left[32];
	unsigned long long bytes, all;
	struct statvfs vfs;
	struct stat st;

	if (cda_world_stat(c->world, path, &st) < 0 ||
	    statvfs(cda_world_path(c->world, path, buf), &vfs) != 0 || vfs.f_blocks == 0 ||
	    (vfs.f_flag & ST_RDONLY) != 0)
		return;
	for (int i = 0; i < folders->measured_count; i++) {
		if (folders->measured[i] == st.st_dev)
			return;
	}
	if (folders->measured_count < MOUNTS_MAX)
		folders->measured[folders->measured_count++] = st.st_dev;
	bytes = (unsigned long long)vfs.f_bavail * vfs.f_frsize;
	all = (unsigned long long)vfs.f_blocks * vfs.f_frsize;
	if (bytes == 0 || (bytes < 1 << 20 && bytes < all / 100)) {
		cda_report_add(c->report, MOUNTS, "room", CDA_PROBLEM,
			       "the file system of '%s' is full: %s left of %s", path,
			       human(bytes, left), human(all, size));
		cda_report_todo(c->report,
				"remove files there, or give it more room (a tmpfs: "
				"--tmpfs %s:size=...)",
				path);
	} else if (vfs.f_files > 0 && vfs.f_favail == 0) {
		cda_report_add(
			c->report, MOUNTS, "room", CDA_PROBLEM,
			"the file system of '%s' can hold no more files: all %llu inodes are "
			"taken",
			path, (unsigned long long)vfs.f_files);
		cda_report_todo(c->report, "remove files there");
	} else if (bytes < 100000000 && bytes < all / 20) {
		cda_report_add(c->report, MOUNTS, "room", CDA_NOTE,
			       "the file system of '%s' is nearly full: %s left of %s", path,
			       human(bytes, left), human(all, size));
	} else {
		return;
	}
	cda_report_about(c->report, path);
}

static const char *owner(const struct cda_world *world, const struct stat *st, char buf[96])
{
	char group[CDA_NAME_MAX];

	cda_world_group(world, st->st_gid, group);
	cda_put(buf, 96, "uid %lu, gid %lu%s%s%s, mode %04o", (unsigned long)st->st_uid,
		(unsigned long)st->st_gid, group[0] != '\0' ? " (" : "", group,
		group[0] != '\0' ? ")" : "", (unsigned)st->st_mode & 07777);
	return buf;
}

static void wrong_owner(struct cda_case *c, const struct folder *folder, const struct stat *st)
{
	const struct cda_world *world = c->world;
	const char *home = cda_world_env(world, "HOME");
	char buf[96];

	cda_report_add(c->report, MOUNTS, "mount", CDA_PROBLEM,
		       "'%s' belongs to %s: uid %lu cannot write there", folder->path,
		       owner(world, st, buf), (unsigned long)world->uid);
	if (st->st_uid == 65534)
		cda_report_todo(c->report,
				"its owner is unknown to the user namespace: give it on the "
				"host to the uid that is yours there");
	else if (st->st_uid == world->uid)
		cda_report_todo(c->report, "it is yours: chmod u+rwx %s", folder->path);
	else if (home != NULL && is_in(folder->path, home) && is_in(home, folder->path))
		cda_report_todo(c->report,
				"as root: docker run --rm -u 0 -v VOLUME:/v IMAGE chown -R %lu "
				"/v; or on the host: chown -R %lu FOLDER",
				(unsigned long)world->uid, (unsigned long)world->uid);
	else if (st->st_uid == 0)
		cda_report_todo(c->report,
				"on the host: chown %lu FOLDER; or add :ro to the mount, if "
				"it is to be read only",
				(unsigned long)world->uid);
	else
		cda_report_todo(
			c->report,
			"start as its owner: -u %lu:%s; or on the host: chown -R %lu FOLDER; "
			"or add :ro to the mount",
			(unsigned long)st->st_uid, c->policy.account, (unsigned long)world->uid);
}

static void mounted(struct cda_case *c, struct folders *folders, const struct folder *folder)
{
	const struct cda_world *world = c->world;
	struct stat st;
	int rc = cda_world_stat(world, folder->path, &st);
	bool dir = rc == 0 && S_ISDIR(st.st_mode);
	char buf[96];

	if (rc == 0 && !dir && !S_ISREG(st.st_mode))
		return; /* sockets and devices have their own rules */
	if (rc == 0)
		rc = cda_world_access(world, folder->path, dir ? R_OK | X_OK : R_OK);
	if (rc < 0 && !(rc == -EACCES && !folder->read_only && dir)) {
		/* What lies in a folder that is closed to us is not ours to use. */
		cda_report_add(c->report, MOUNTS, "mount", CDA_NOTE, "'%s' cannot be read: %s",
			       folder->path, strerror(-rc));
		cda_report_about(c->report, folder->path);
		return;
	}
	if (!folder->read_only && dir &&
	    (rc < 0 || cda_world_access(world, folder->path, W_OK | X_OK) < 0)) {
		wrong_owner(c, folder, &st);
		cda_report_about(c->report, folder->path);
		return;
	}
	if (folders->shown++ >= SHOWN_MAX) {
		folders->left_out++;
		return;
	}
	cda_report_add(c->report, MOUNTS, "mount", CDA_OK, "'%s': %s; %s", folder->path,
		       owner(world, &st, buf),
		       folder->read_only                                  ? "read-only"
		       : cda_world_access(world, folder->path, W_OK) == 0 ? "writable"
									  : "readable");
	cda_report_about(c->report, folder->path);
}

/* Folders of the image that must be writable, mounted or not. */
static void work_folder(struct cda_case *c, const char *path, bool needed, const char *todo)
{
	int rc = cda_world_access(c->world, path, W_OK | X_OK);
	char buf[96];
	struct stat st;

	if (rc == 0 || (rc == -ENOENT && !needed))
		return;
	if (rc == -EACCES && cda_world_stat(c->world, path, &st) == 0)
		cda_report_add(c->report, MOUNTS, "folder", needed ? CDA_PROBLEM : CDA_NOTE,
			       "'%s' is not writable for uid %lu: it belongs to %s", path,
			       (unsigned long)c->world->uid, owner(c->world, &st, buf));
	else
		cda_report_add(c->report, MOUNTS, "folder", needed ? CDA_PROBLEM : CDA_NOTE,
			       "'%s' is not writable for uid %lu: %s", path,
			       (unsigned long)c->world->uid, strerror(-rc));
	cda_report_todo(c->report, "%s", todo);
	cda_report_about(c->report, path);
}

static bool has(const struct folders *folders, const char *path)
{
	for (int i = 0; i < folders->count; i++) {
		if (strcmp(folders->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static void temporary(struct cda_case *c)
{
	const char *folder = cda_world_env(c->world, "TMPDIR");

	work_folder(c, "/tmp", true,
		    "start with --tmpfs /tmp, or as root: chmod 1777 /tmp; programs need it");
	if (folder != NULL && strcmp(folder, "/tmp") != 0)
		work_folder(c, folder, true, "unset TMPDIR, or make that folder");
}

void cda_probe_mounts(struct cda_case *c)
{
	static const char *const measured[] = {"/", "/tmp", CDA_PREFIX, CDA_WORK, "/dev/shm"};
	struct folders *folders = calloc(1, sizeof(*folders));
	const char *home = cda_world_env(c->world, "HOME");
	bool seen, member = c->world->uid == 0;
	struct stat st;

	if (folders == NULL)
		return;
	seen = find_mounts(c, folders);
	for (int i = 0; i < folders->count; i++)
		mounted(c, folders, &folders->items[i]);
	if (folders->left_out > 0)
		cda_report_add(c->report, MOUNTS, "mounts", CDA_OK, "%d more mounts, all usable",
			       folders->left_out);
	if (seen && folders->count == 0)
		cda_report_add(c->report, MOUNTS, "mounts", CDA_OK,
			       "nothing is mounted: what is written goes with the container");
	temporary(c);
	if (cda_world_stat(c->world, CDA_PREFIX, &st) == 0)
		member = member || cda_world_member(c->world, st.st_gid);
	/* For others than members the group was named already. */
	if (!has(folders, CDA_WORK) && member)
		work_folder(c, CDA_WORK, false, "mount a folder there: -v \"$PWD:" CDA_WORK "\"");
	if (c->world->cwd[0] == '\0') {
		cda_report_add(c->report, MOUNTS, "folder", CDA_NOTE,
			       "the working folder is gone: programs that ask for it fail");
		cda_report_todo(c->report, "cd " CDA_WORK);
	}
	for (size_t i = 0; i < sizeof(measured) / sizeof(*measured); i++)
		room(c, folders, measured[i]);
	if (home != NULL && home[0] == '/')
		room(c, folders, home);
	for (int i = 0; i < folders->count; i++)
		room(c, folders, folders->items[i].path);
	for (int i = 0; i < folders->count; i++)
		free(folders->items[i].path);
	free(folders);
}
