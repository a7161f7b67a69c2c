#include "ospkg.h"

#include "life.h"
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
static char names_data[CDA_LIST_BYTES + CDA_LIST_NAMES];
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

/* update: fetch the lists; names: print the name of each package, one a line; plan: print what
 * install would do, if the program removes packages unasked; install: do it. marks: what the
 * program puts before a cause; none: its last line is the cause. */
struct manager {
	const char *program, *stamp;
	const char *update[12], *names[6], *plan[10], *install[20], *marks[2];
};

static const struct manager managers[] = {
	[CDA_APT] = {"/usr/bin/apt-get",
		     "apt.list",
		     {"/usr/bin/apt-get", "-qq", "-o", "Acquire::Retries=2", "-o",
		      "APT::Update::Error-Mode=any", "update", NULL},
		     {"/usr/bin/apt-cache", "pkgnames", NULL},
		     {NULL},
		     {"/usr/bin/apt-get", "-qq", "-y", "-o", "Acquire::Retries=2", "-o",
		      "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", "-o",
		      "APT::Install-Recommends=0", "--no-remove", "install", "--", NULL},
		     {NULL}},
	[CDA_APK] = {"/sbin/apk",
		     "apk.list",
		     {"/sbin/apk", "--no-progress", "--wait", "60", "update", NULL},
		     {"/sbin/apk", "-q", "search", "--from", "system", NULL},
		     {"/sbin/apk", "--no-progress", "--no-interactive", "add", "--simulate", "--",
		      NULL},
		     {"/sbin/apk", "--no-progress", "--no-interactive", "--wait", "60", "add", "--",
		      NULL},
		     {"ERROR: ", "WARNING: "}},
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
	static const char *const words[] = {"Temporary failure",  "Could not connect",
					    "Connection failed",  "timed out",
					    "Could not resolve",  "Connection reset",
					    "Unable to connect",  "network error",
					    "temporary error",    "Failed to fetch",
					    "Could not get lock", "could not connect",
					    "DNS lookup error",   "onnection aborted",
					    "BAD archive",        "server returned error"};

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

/* Cuts what a program prints into lines; one that is too long is left out. */
struct lines {
	void (*each)(const char *line);
	char line[256];
	size_t len;
};

static void take_lines(void *ctx, const char *data, size_t len)
{
	struct lines *lines = ctx;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (lines->len < sizeof(lines->line) - 1)
				lines->line[lines->len] = data[i];
			lines->len++;
			continue;
		}
		if (lines->len > 0 && lines->len < sizeof(lines->line)) {
			lines->line[lines->len] = '\0';
			lines->each(lines->line);
		}
		lines->len = 0;
	}
}

static int ask(const char *const *argv, void (*each)(const char *line))
{
	struct lines lines = {.each = each};
	const struct cda_run spec = {.argv = argv,
				     .envp = (char *const *)environment,
				     .cwd = "/",
				     .quiet_input = true,
				     .prepare = cda_priv_all_root,
				     .tail = tail,
				     .tail_cap = sizeof(tail),
				     .output = take_lines,
				     .ctx = &lines};

	return cda_reap_run(&spec);
}

static bool found[CDA_LIST_NAMES];

static void mark_name(const char *line)
{
	char name[CDA_PKG_MAX];

	for (int i = 0; i < list.count; i++) {
		if (found[i] || list.pkgs[i].text[0] != line[0])
			continue;
		cda_pkg_name(&list.pkgs[i], name);
		found[i] = strcmp(name, line) == 0;
	}
}

/* apt takes a name that it does not know for a pattern, apk for what another package provides; so
 * each must be known exactly. */
static int check_names(const struct manager *manager, const char *path)
{
	int bad = 0;

	if (ask(manager->names, mark_name) != 0) {
		cda_say("'%s': '%s' cannot list the packages", path, manager->names[0]);
		return -1;
	}
	for (int i = 0; i < list.count; i++) {
		if (found[i])
			continue;
		cda_say("'%s' line %d: there is no package '%s'", path, list.pkgs[i].line,
			list.pkgs[i].text);
		bad = -1;
	}
	/* Lists that are missing or not signed by a known key are but warnings of apk. */
	if (bad != 0 && strncmp(tail, "WARNING: ", 9) == 0)
		cda_say("%.*s", (int)strcspn(tail, "\n"), tail);
	return bad;
}

static const char *const *with_names(const char *const *words)
{
	int n = 0;

	while (words[n] != NULL) {
		args[n] = words[n];
		n++;
	}
	for (int i = 0; i < list.count; i++)
		args[n++] = list.pkgs[i].text;
	args[n] = NULL;
	return args;
}

static char removal[256];

/* "(1/2) Purging NAME (VERSION)", "(1/2) Downgrading NAME (VERSION -> OLDER)" */
static void mark_removal(const char *line)
{
	const char *verb = strstr(line, ") ");

	if (verb != NULL && removal[0] == '\0' &&
	    (strncmp(verb + 2, "Purging ", 8) == 0 || strncmp(verb + 2, "Downgrading ", 12) == 0))
		cda_put(removal, sizeof(removal), "%s", verb + 2);
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

/* The line of the list whose package the error text names, else its first. apk puts in brackets
 * what it cannot fulfil. */
static const struct cda_pkg *blamed(void)
{
	char name[CDA_PKG_MAX + 2];

	for (int i = 0; i < list.count; i++) {
		cda_put(name, sizeof(name), "[%s]", list.pkgs[i].text);
		if (strstr(tail, name) != NULL)
			return &list.pkgs[i];
	}
	for (int i = 0; i < list.count; i++) {
		cda_pkg_name(&list.pkgs[i], name);
		if (strstr(tail, name) != NULL)
			return &list.pkgs[i];
	}
	return &list.pkgs[0];
}

/* What apk says of an error goes on in indented lines: as one line. */
static const char *cause_of_apk(const char *mark)
{
	char *start = strstr(tail, mark), *to = start;

	if (start == NULL)
		return NULL;
	start += strlen(mark);
	to = start;
	for (const char *from = start; *from != '\0'; from++) {
		if (*from == '\n' && from[1] != ' ')
			break;
		if (*from != '\n' && (*from != ' ' || to == start || to[-1] != ' '))
			*to++ = *from;
	}
	*to = '\0';
	return start;
}

/* What follows the first mark, else the last line of the tail that says something. */
static const char *cause(const struct manager *manager)
{
	size_t len = strlen(tail);
	char *last;

	for (int i = 0; i < 2 && manager->marks[i] != NULL; i++) {
		const char *text = cause_of_apk(manager->marks[i]);

		if (text != NULL)
			return text;
	}
	while (len > 0 && (tail[len - 1] == '\n' || tail[len - 1] == ' '))
		tail[--len] = '\0';
	last = strrchr(tail, '\n');
	last = last != NULL ? last + 1 : tail;
	return *last != '\0' ? last : "no word from the package manager";
}

static int failed(const struct manager *manager, const char *path, int status)
{
	const struct cda_pkg *pkg = blamed();

	if (status > 128 && cda_reap_stopped() != 0)
		return status;
	cda_say("'%s' line %d: '%s' is not installed: %s", path, pkg->line, pkg->text,
		cause(manager));
	return CDA_EXIT_FAILED;
}

/* Status of a plan that removes nothing: 0. */
static int check_plan(const struct manager *manager, const char *path)
{
	int status;

	if (manager->plan[0] == NULL)
		return 0;
	status = ask(with_names(manager->plan), mark_removal);
	if (cda_reap_stopped() != 0)
		return 128 + cda_reap_stopped();
	if (status != 0)
		return failed(manager, path, status);
	if (removal[0] == '\0')
		return 0;
	cda_say("'%s' is not installed, as it would remove what is there: %s", path, removal);
	return CDA_EXIT_FAILED;
}

static int install(enum cda_pm pm, const char *path)
{
	const struct manager *manager = &managers[pm];
	struct rlimit size;
	int status;

	if (getrlimit(RLIMIT_FSIZE, &size) != 0 || size.rlim_cur != RLIM_INFINITY) {
		cda_say("'%s' is not installed: the size of files is limited (ulimit -f)", path);
		return CDA_EXIT_FAILED;
	}
	cda_say("installing %d OS package%s from '%s'", list.count, list.count == 1 ? "" : "s",
		path);
	status = run(manager->update);
	if (status != 0)
		return failed(manager, path, status);
	if (check_names(manager, path) != 0)
		return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : CDA_EXIT_FAILED;
	status = check_plan(manager, path);
	if (status != 0)
		return status;
	status = run(with_names(manager->install));
	return status == 0 ? 0 : failed(manager, path, status);
}

/* Put the names of the list at path, one a line, into want. Returns the number of names, or an exit
 * status as its negative, with a message unless quiet. */
static int load(enum cda_pm pm, const char *path, struct cda_text *want, bool quiet)
{
	struct cda_text text = {.data = list_data, .cap = sizeof(list_data)};
	int line, rc = read_list(path, &text);

	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		if (!quiet)
			cda_say("cannot read '%s': %s", path,
				rc == -EINVAL || rc == -ELOOP ? "not a regular file"
							      : strerror(-rc));
		return -CDA_EXIT_FAILED;
	}
	line = cda_reqlist_parse(&text, pm, &list);
	if (line != 0) {
		if (!quiet)
			cda_say("'%s' line %d: not the name of a package; nothing is installed",
				path, line);
		return -CDA_EXIT_FAILED;
	}
	canonical(want);
	return list.count;
}

static int open_state(void)
{
	int state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return state < 0 ? -errno : state;
}

bool cda_ospkg_wanted(enum cda_pm pm, const char *path)
{
	struct cda_text want = {.data = names_data, .cap = sizeof(names_data)};
	int state, count = load(pm, path, &want, true);
	bool equal;

	if (count <= 0)
		return count < 0;
	state = open_state();
	if (state < 0)
		return true;
	equal = stamp_equal(state, managers[pm].stamp, &want);
	close(state);
	return !equal;
}

/* Does the policy let this caller install the list now? Returns 0, or a status with a message. */
static int allowed(enum cda_pm pm, const char *path, const struct cda_policy *policy, int state)
{
	char name[CDA_PKG_MAX];
	struct cda_life life;
	struct stat st;

	cda_life_load(&life);
	if (!life.noted || !life.open || life.uid != getuid()) {
		cda_say("'%s' is not installed: a start installs one list, once; restart the "
			"container, or in a Dockerfile use another RUN",
			path);
		return CDA_EXIT_REFUSED;
	}
	if (policy->packages == CDA_FIRST &&
	    fstatat(state, managers[pm].stamp, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		cda_say("'%s' is not installed: '%s' says 'packages first', and a list was before",
			path, CDA_POLICY);
		return CDA_EXIT_REFUSED;
	}
	if (!cda_policy_user(policy, getuid())) {
		cda_say("'%s' is not installed: '%s' does not name uid %lu", path, CDA_POLICY,
			(unsigned long)getuid());
		return CDA_EXIT_REFUSED;
	}
	if (!cda_policy_list(policy, path)) {
		cda_say("'%s' is not installed: '%s' does not name this list", path, CDA_POLICY);
		return CDA_EXIT_REFUSED;
	}
	for (int i = 0; i < list.count; i++) {
		cda_pkg_name(&list.pkgs[i], name);
		if (!cda_policy_name(policy, name)) {
			cda_say("'%s' line %d: '%s' does not allow '%s'; nothing is installed",
				path, list.pkgs[i].line, CDA_POLICY, name);
			return CDA_EXIT_REFUSED;
		}
	}
	life.open = false;
	(void)cda_life_save(&life);
	return 0;
}

int cda_ospkg_install(enum cda_pm pm, const char *path, const struct cda_policy *policy)
{
	static const struct stat like = {.st_mode = 0644};
	struct cda_text want = {.data = names_data, .cap = sizeof(names_data)};
	int rc, state, status, count;

	if (policy->packages == CDA_NEVER) {
		if (cda_ospkg_wanted(pm, path))
			cda_say("OS packages are not installed: '%s' says 'packages never'",
				CDA_POLICY);
		return 0;
	}
	count = load(pm, path, &want, false);
	if (count <= 0)
		return -count;
	state = open_state();
	if (state < 0) {
		cda_say("cannot open '%s': %s", CDA_STATE, strerror(-state));
		return CDA_EXIT_CANNOT;
	}
	while (flock(state, LOCK_EX) != 0 && errno == EINTR)
		;
	status = stamp_equal(state, managers[pm].stamp, &want);
	if (status == 0)
		status = allowed(pm, path, policy, state);
	else
		status = -1;
	if (status != 0) {
		close(state);
		return status < 0 ? 0 : status;
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
