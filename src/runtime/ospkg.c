#include "ospkg.h"

#include "paths.h"
#include "priv.h"
#include "reap.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TRIES = 3, TAIL = 8192, MAX_ARGS = CDA_LIST_NAMES + 32 };

static char list_data[CDA_LIST_BYTES], stamp_data[CDA_LIST_BYTES], tail[TAIL];
static struct cda_reqlist list;
static const char *args[MAX_ARGS];

/* What an install under root may see of the environment: nothing of the caller's. */
static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					  "HOME=/root",
					  "LC_ALL=C",
					  "DEBIAN_FRONTEND=noninteractive",
					  "DEBCONF_NONINTERACTIVE_SEEN=true",
					  "TMPDIR=/tmp",
					  NULL};

struct manager {
	const char *program, *stamp;
	const char *update[12], *install[20];
};

static const struct manager managers[] = {
	[CDA_APT] = {"/usr/bin/apt-get",
		     "apt.list",
		     {"/usr/bin/apt-get", "-qq", "-o", "Acquire::Retries=2", "-o",
		      "APT::Update::Error-Mode=any", "update", NULL},
		     {"/usr/bin/apt-get", "-qq", "-y", "-o", "Acquire::Retries=2", "-o",
		      "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", "-o",
		      "APT::Install-Recommends=0", "--no-remove", "install", "--", NULL}},
	[CDA_APK] = {"/sbin/apk",
		     "apk.list",
		     {"/sbin/apk", "-q", "update", NULL},
		     {"/sbin/apk", "-q", "--no-progress", "add", "--", NULL}},
};

int cda_ospkg_manager(enum cda_pm *ret)
{
	for (enum cda_pm pm = CDA_APT; pm <= CDA_APK; pm++) {
		if (access(managers[pm].program, X_OK) == 0) {
			*ret = pm;
			return 0;
		}
	}
	return -1;
}

static int read_list(const char *path, struct cda_text *text)
{
	struct stat st;
	int fd, rc;

	cda_priv_as_caller();
	fd = cda_file_open(AT_FDCWD, path, &st);
	cda_priv_as_root();
	if (fd < 0)
		return fd;
	rc = cda_file_read(fd, text);
	close(fd);
	return rc;
}

/* The names one a line: what a stamp holds. */
static void canonical(struct cda_text *out)
{
	for (int i = 0; i < list.count; i++) {
		cda_text_add_str(out, list.pkgs[i].text);
		cda_text_add_str(out, "\n");
	}
}

static bool stamp_equal(int state, const char *name, const struct cda_text *want)
{
	struct cda_text have = {.data = stamp_data, .cap = sizeof(stamp_data)};
	struct stat st;
	bool equal;
	int fd = cda_file_open(state, name, &st);

	if (fd < 0)
		return false;
	equal = st.st_uid == 0 && cda_file_read(fd, &have) == 0 && have.len == want->len &&
		memcmp(have.data, want->data, want->len) == 0;
	close(fd);
	return equal;
}

/* Words of apt, apk and their transports for what may pass by itself. */
static bool is_transient(const char *text)
{
	static const char *const words[] = {
		"Temporary failure", "Could not connect", "Connection failed", "timed out",
		"Could not resolve", "Connection reset",  "Unable to connect", "network error",
		"temporary error",   "Failed to fetch",   "Could not get lock"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(text, words[i]) != NULL)
			return true;
	}
	return false;
}

static int run(const char *const *argv)
{
	const struct cda_run spec = {.argv = argv,
				     .envp = (char *const *)environment,
				     .cwd = "/",
				     .quiet_input = true,
				     .no_output = true,
				     .prepare = cda_priv_all_root,
				     .tail = tail,
				     .tail_cap = sizeof(tail)};
	int status = 0;

	for (int try = 1; try <= TRIES; try++) {
		status = cda_reap_run(&spec);
		if (status == 0 || cda_reap_stopped() != 0 || try == TRIES || !is_transient(tail))
			break;
		cda_say("trying again in %d s", 1 << try);
		cda_reap_pause(1000 << try);
		if (cda_reap_stopped() != 0)
			break;
	}
	return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : status;
}

struct search {
	bool found[CDA_LIST_NAMES];
	char line[CDA_PKG_MAX];
	size_t len;
};

static void mark_name(struct search *search)
{
	char name[CDA_PKG_MAX];

	for (int i = 0; i < list.count; i++) {
		if (search->found[i] || list.pkgs[i].text[0] != search->line[0])
			continue;
		cda_pkg_name(&list.pkgs[i], name);
		search->found[i] = strcmp(name, search->line) == 0;
	}
}

static void take_names(void *ctx, const char *data, size_t len)
{
	struct search *search = ctx;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (search->len < sizeof(search->line) - 1)
				search->line[search->len] = data[i];
			search->len++;
			continue;
		}
		if (search->len > 0 && search->len < sizeof(search->line)) {
			search->line[search->len] = '\0';
			mark_name(search);
		}
		search->len = 0;
	}
}

/* apt takes a name that it does not know for a pattern; so each must be known exactly. */
static int check_names(const char *path)
{
	static const char *const argv[] = {"/usr/bin/apt-cache", "pkgnames", NULL};
	static struct search search;
	struct cda_run spec = {.argv = argv,
			       .envp = (char *const *)environment,
			       .cwd = "/",
			       .quiet_input = true,
			       .prepare = cda_priv_all_root,
			       .output = take_names,
			       .ctx = &search};
	int bad = 0;

	if (cda_reap_run(&spec) != 0) {
		cda_say("'%s': apt-cache cannot list the packages", path);
		return -1;
	}
	for (int i = 0; i < list.count; i++) {
		if (search.found[i])
			continue;
		cda_say("'%s' line %d: there is no package '%s'", path, list.pkgs[i].line,
			list.pkgs[i].text);
		bad = -1;
	}
	return bad;
}

static void remove_files(const char *path, int depth)
{
	struct cda_dir dir;
	const char *name;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	cda_dir_init(&dir, fd);
	while ((name = cda_dir_next(&dir)) != NULL) {
		char below[512];

		if (unlinkat(fd, name, 0) == 0 || depth == 0)
			continue;
		if (cda_put(below, sizeof(below), "%s/%s", path, name) == 0)
			remove_files(below, depth - 1);
	}
	close(fd);
}

static void remove_caches(enum cda_pm pm)
{
	if (pm == CDA_APK) {
		remove_files("/var/cache/apk", 0);
		return;
	}
	remove_files("/var/lib/apt/lists", 1);
	remove_files("/var/cache/apt/archives", 1);
	unlink("/var/cache/apt/pkgcache.bin");
	unlink("/var/cache/apt/srcpkgcache.bin");
}

/* The line of the list whose package the error text names, else its first. */
static const struct cda_pkg *blamed(void)
{
	char name[CDA_PKG_MAX];

	for (int i = 0; i < list.count; i++) {
		cda_pkg_name(&list.pkgs[i], name);
		if (strstr(tail, name) != NULL)
			return &list.pkgs[i];
	}
	return &list.pkgs[0];
}

/* The last line of the tail that says something. */
static const char *cause(void)
{
	size_t len = strlen(tail);
	char *last;

	while (len > 0 && (tail[len - 1] == '\n' || tail[len - 1] == ' '))
		tail[--len] = '\0';
	last = strrchr(tail, '\n');
	last = last != NULL ? last + 1 : tail;
	return *last != '\0' ? last : "no word from the package manager";
}

static int failed(const char *path, int status)
{
	const struct cda_pkg *pkg = blamed();

	if (status > 128 && cda_reap_stopped() != 0)
		return status;
	cda_say("'%s' line %d: '%s' is not installed: %s", path, pkg->line, pkg->text, cause());
	return CDA_EXIT_FAILED;
}

static int install(enum cda_pm pm, const char *path)
{
	const struct manager *manager = &managers[pm];
	struct rlimit size;
	int status, n = 0;

	if (getrlimit(RLIMIT_FSIZE, &size) != 0 || size.rlim_cur != RLIM_INFINITY) {
		cda_say("'%s' is not installed: the size of files is limited (ulimit -f)", path);
		return CDA_EXIT_FAILED;
	}
	cda_say("installing %d OS package%s from '%s'", list.count, list.count == 1 ? "" : "s",
		path);
	status = run(manager->update);
	if (status != 0)
		return failed(path, status);
	if (pm == CDA_APT && check_names(path) != 0)
		return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : CDA_EXIT_FAILED;
	while (manager->install[n] != NULL) {
		args[n] = manager->install[n];
		n++;
	}
	for (int i = 0; i < list.count; i++)
		args[n++] = list.pkgs[i].text;
	args[n] = NULL;
	status = run(args);
	return status == 0 ? 0 : failed(path, status);
}

int cda_ospkg_install(enum cda_pm pm, const char *path)
{
	static const struct stat like = {.st_mode = 0644};
	static char names[CDA_LIST_BYTES + CDA_LIST_NAMES];
	struct cda_text text = {.data = list_data, .cap = sizeof(list_data)};
	struct cda_text want = {.data = names, .cap = sizeof(names)};
	int rc, state, status, line;

	rc = read_list(path, &text);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		cda_say("cannot read '%s': %s", path,
			rc == -EINVAL || rc == -ELOOP ? "not a regular file" : strerror(-rc));
		return CDA_EXIT_FAILED;
	}
	line = cda_reqlist_parse(&text, pm, &list);
	if (line != 0) {
		cda_say("'%s' line %d: not the name of a package; nothing is installed", path,
			line);
		return CDA_EXIT_FAILED;
	}
	if (list.count == 0)
		return 0;
	canonical(&want);
	state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (state < 0) {
		cda_say("cannot open '%s': %s", CDA_STATE, strerror(errno));
		return CDA_EXIT_CANNOT;
	}
	while (flock(state, LOCK_EX) != 0 && errno == EINTR)
		;
	if (stamp_equal(state, managers[pm].stamp, &want)) {
		close(state);
		return 0;
	}
	/* Only the programs become root in all ids: this one stays the caller's to stop. */
	umask(022);
	status = install(pm, path);
	remove_caches(pm);
	if (status == 0) {
		rc = cda_file_replace(state, managers[pm].stamp, &want, &like);
		if (rc < 0)
			cda_say("cannot write '%s/%s': %s", CDA_STATE, managers[pm].stamp,
				strerror(-rc));
	}
	close(state);
	return status;
}
