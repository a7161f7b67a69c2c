#include "ospkg.h"

#include "blame.h"
#include "life.h"
#include "lock.h"
#include "manager.h"
#include "osdb.h"
#include "paths.h"
#include "priv.h"
#include "progress.h"
#include "reap.h"
#include "say.h"
#include "transport.h"
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char list_data[CDA_LIST_BYTES];
static struct cda_reqlist list;
static uint8_t held[CDA_LIST_NAMES]; /* of each package, an enum cda_held */
static const char *const stamps[] = {[CDA_APT] = "apt.list", [CDA_APK] = "apk.list"};

static int read_list(const char *path, struct cda_text *text)
{
	struct stat st;
	int fd, rc;

	/* Read as the caller too: some files of /proc ask who reads. */
	cda_priv_as_caller();
	fd = cda_file_open(AT_FDCWD, path, &st);
	rc = fd < 0 ? fd : cda_file_read(fd, text);
	if (fd >= 0)
		close(fd);
	cda_priv_as_root();
	return rc;
}

/* The stamp of the list: the hash of its names, and what the policy added to them. */
enum { STAMP_CAP = 256 };
static const char with_recommends[] = "recommends yes";

static void make_stamp(struct cda_text *out, const struct cda_policy *policy)
{
	struct cda_sha256 sum;
	char hash[CDA_SHA256_HEX];

	cda_sha256_init(&sum);
	for (int i = 0; i < list.count; i++)
		cda_sha256_add(&sum, list.pkgs[i].text, strlen(list.pkgs[i].text) + 1);
	cda_sha256_hex(&sum, hash);
	cda_stamp_begin(out, hash);
	cda_stamp_add(out, policy->recommends ? with_recommends : "recommends no");
}

static int load_stamp(int state, const char *name, struct cda_text *ret)
{
	struct stat st;
	int rc, fd = cda_file_open(state, name, &st);

	if (fd < 0)
		return fd;
	rc = st.st_uid == 0 ? cda_file_read(fd, ret) : -EPERM;
	close(fd);
	return rc;
}

static bool same(const struct cda_text *a, const struct cda_text *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Is there nothing to do for the list? The manager's own database says which packages are there; a
 * stamp counts where that does not decide: without a database, for a range of versions, and for
 * what the policy has let in since. */
static bool is_done(enum cda_pm pm, int state, const struct cda_policy *policy)
{
	char old_data[STAMP_CAP], now_data[STAMP_CAP];
	struct cda_text old = {.data = old_data, .cap = sizeof(old_data)};
	struct cda_text now = {.data = now_data, .cap = sizeof(now_data)};
	bool unsure = cda_osdb_read(pm, &list, held) != 0, stamped;

	for (int i = 0; !unsure && i < list.count; i++) {
		if (held[i] < CDA_RANGE)
			return false;
	}
	unsure = unsure || memchr(held, CDA_RANGE, (size_t)list.count) != NULL;
	stamped = load_stamp(state, stamps[pm], &old) == 0;
	make_stamp(&now, policy);
	if (unsure)
		return stamped && same(&old, &now);
	return !stamped || !policy->recommends ||
	       memmem(old.data, old.len, with_recommends, sizeof(with_recommends) - 1) != NULL;
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
static int check_names(enum cda_pm pm, const char *path)
{
	const char *tail;
	int bad = 0;

	if (cda_manager_names(pm, mark_name) != 0) {
		cda_say("'%s': the package manager cannot list its packages", path);
		return -1;
	}
	for (int i = 0; i < list.count; i++) {
		if (found[i])
			continue;
		cda_say("'%s' line %d: there is no package '%s'", path, list.pkgs[i].line,
			list.pkgs[i].text);
		bad = -1;
	}
	tail = cda_manager_said();
	/* Lists that are missing or not signed by a known key are but warnings of apk. */
	if (bad != 0 && strncmp(tail, "WARNING: ", 9) == 0)
		cda_say("%.*s", (int)strcspn(tail, "\n"), tail);
	return bad;
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

/* The line of the list whose package the error text is about, else its first. apk puts in brackets
 * what it cannot fulfil; apt does not say which version would be older than the installed one. */
static const struct cda_pkg *blamed(void)
{
	const char *tail = cda_manager_said();
	char name[CDA_PKG_MAX + 2];

	for (int i = 0; i < list.count; i++) {
		cda_put(name, sizeof(name), "[%s]", list.pkgs[i].text);
		if (strstr(tail, name) != NULL)
			return &list.pkgs[i];
	}
	for (int i = 0; i < list.count; i++) {
		cda_pkg_name(&list.pkgs[i], name);
		if (cda_blame_names(tail, name))
			return &list.pkgs[i];
	}
	for (int i = 0; i < list.count && strstr(tail, "downgraded") != NULL; i++) {
		if (held[i] == CDA_OTHER)
			return &list.pkgs[i];
	}
	return &list.pkgs[0];
}

static int failed(enum cda_pm pm, const char *path, int status)
{
	const struct cda_pkg *pkg = blamed();
	const char *cause;

	if (status > 128 && cda_reap_stopped() != 0)
		return status;
	cause = cda_manager_cause(pm);
	cda_say("'%s' line %d: '%s' is not installed: %s%s", path, pkg->line, pkg->text, cause,
		cda_blame_hint(cause));
	return CDA_EXIT_FAILED;
}

/* Status of a plan that removes nothing: 0. */
static int check_plan(enum cda_pm pm, const char *path)
{
	int status = cda_manager_plan(pm, &list, mark_removal);

	if (status != 0)
		return failed(pm, path, status);
	if (removal[0] == '\0')
		return 0;
	for (int i = 0; i < list.count; i++) {
		char name[CDA_PKG_MAX];

		cda_pkg_name(&list.pkgs[i], name);
		if (!cda_blame_names(removal, name))
			continue;
		cda_say("'%s' line %d: '%s' is not installed, as it would replace what is there: "
			"%s",
			path, list.pkgs[i].line, list.pkgs[i].text, removal);
		return CDA_EXIT_FAILED;
	}
	cda_say("'%s' is not installed, as it would remove what is there: %s", path, removal);
	return CDA_EXIT_FAILED;
}

static int install(enum cda_pm pm, const char *path, bool recommends)
{
	int status;

	(void)cda_manager_complete(pm);
	/* What still fails is apt's to say: it may have what it takes to go on. */
	if (cda_reap_stopped() != 0)
		return 128 + cda_reap_stopped();
	status = cda_manager_update(pm);
	if (status != 0)
		return failed(pm, path, status);
	if (check_names(pm, path) != 0)
		return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : CDA_EXIT_FAILED;
	status = check_plan(pm, path);
	if (status != 0)
		return status;
	status = cda_manager_install(pm, &list, recommends);
	return status == 0 ? 0 : failed(pm, path, status);
}

static int show_install(enum cda_pm pm, const char *path, bool recommends)
{
	static const char *const programs[] = {[CDA_APT] = "apt", [CDA_APK] = "apk"};
	const char *plural = list.count == 1 ? "" : "s";
	const char *limited = cda_priv_tight();
	int status;

	if (limited != NULL) {
		cda_say("'%s' is not installed: %s is limited", path, limited);
		return CDA_EXIT_FAILED;
	}
	cda_progress_begin(programs[pm], "installing %d OS package%s from '%s'", list.count, plural,
			   path);
	status = install(pm, path, recommends);
	if (status == 0)
		cda_progress_end("installed %d OS package%s", list.count, plural);
	else
		cda_progress_end(NULL);
	return status;
}

/* Read the list at path. Returns the number of its names, or an exit status as its negative, with a
 * message unless quiet. */
static int load(enum cda_pm pm, const char *path, bool quiet)
{
	struct cda_text text = {.data = list_data, .cap = sizeof(list_data)};
	int line, rc = read_list(path, &text);
	const char *unfit;

	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		if (!quiet)
			cda_say("cannot read '%s': %s", path,
				rc == -EINVAL || rc == -ELOOP ? "not a regular file"
							      : strerror(-rc));
		return -CDA_EXIT_FAILED;
	}
	unfit = cda_list_unfit((struct cda_span){text.data, text.len});
	if (unfit != NULL) {
		if (!quiet)
			cda_say("'%s' %s; nothing is installed", path, unfit);
		return -CDA_EXIT_FAILED;
	}
	line = cda_reqlist_parse(&text, pm, &list);
	if (line != 0) {
		if (!quiet)
			cda_say("'%s' line %d: not the name of a package; nothing is installed",
				path, line);
		return -CDA_EXIT_FAILED;
	}
	return list.count;
}

static int open_state(void)
{
	int state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return state < 0 ? -errno : state;
}

bool cda_ospkg_wanted(enum cda_pm pm, const char *path, const struct cda_policy *policy)
{
	int state, count = load(pm, path, true);
	bool done;

	if (count <= 0)
		return count < 0;
	state = open_state();
	if (state < 0)
		return true;
	done = is_done(pm, state, policy);
	close(state);
	return !done;
}

/* Is this the start that may install? */
static bool may_install(void)
{
	struct cda_life life;

	cda_life_load(&life);
	return life.noted && life.open && life.uid == getuid();
}

/* Does the policy let this caller install the list now? Returns 0, or a status with a message. */
static int allowed(enum cda_pm pm, const char *path, const struct cda_policy *policy, int state)
{
	char name[CDA_PKG_MAX];
	struct cda_life life;
	struct stat st;

	if (!may_install()) {
		cda_say("'%s' is not installed: a start installs one list, once; restart the "
			"container, or in a Dockerfile use another RUN",
			path);
		return CDA_EXIT_REFUSED;
	}
	if (policy->packages == CDA_FIRST &&
	    fstatat(state, stamps[pm], &st, AT_SYMLINK_NOFOLLOW) == 0) {
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
	cda_life_load(&life);
	life.open = false;
	(void)cda_life_save(&life);
	return 0;
}

static void write_stamp(enum cda_pm pm, int state, const struct cda_policy *policy)
{
	static const struct stat like = {.st_mode = 0644};
	char data[STAMP_CAP];
	struct cda_text stamp = {.data = data, .cap = sizeof(data)};
	int rc;

	make_stamp(&stamp, policy);
	rc = cda_file_replace(state, stamps[pm], &stamp, &like);
	if (rc < 0)
		cda_say("cannot write '%s/%s': %s", CDA_STATE, stamps[pm], strerror(-rc));
}

/* With the lock held. */
static int install_allowed(enum cda_pm pm, const char *path, const struct cda_policy *policy,
			   const struct cda_settings *settings, int state)
{
	int status;

	/* Only the programs become root in all ids: this one stays the caller's to stop. */
	umask(022);
	status = cda_transport_open(pm, settings);
	if (status == 0)
		status = show_install(pm, path, policy->recommends);
	cda_transport_close();
	cda_manager_clean(pm);
	if (status == 0)
		write_stamp(pm, state, policy);
	return status;
}

static int lock_failed(int rc)
{
	if (cda_reap_stopped() != 0)
		return 128 + cda_reap_stopped();
	cda_say("cannot lock '%s/lock': %s", CDA_STATE,
		rc == -EPERM ? "it is not a file of root's own" : strerror(-rc));
	return CDA_EXIT_CANNOT;
}

int cda_ospkg_install(enum cda_pm pm, const char *path, const struct cda_policy *policy,
		      const struct cda_settings *settings)
{
	int state, lock, count, status = 0;

	if (policy->packages == CDA_NEVER) {
		if (cda_ospkg_wanted(pm, path, policy))
			cda_say("OS packages are not installed: '%s' says 'packages never'",
				CDA_POLICY);
		return 0;
	}
	count = load(pm, path, false);
	if (count <= 0)
		return -count;
	state = open_state();
	if (state < 0) {
		cda_say("cannot open '%s': %s", CDA_STATE, strerror(-state));
		return CDA_EXIT_CANNOT;
	}
	/* Who may not install may stop this process, too: so it does not hold the lock then. */
	lock = cda_lock_wait(state, may_install());
	if (lock < 0) {
		status = lock_failed(lock);
	} else if (!is_done(pm, state, policy)) {
		status = allowed(pm, path, policy, state);
		if (status == 0)
			status = install_allowed(pm, path, policy, settings, state);
	}
	if (lock > 0)
		close(lock);
	close(state);
	return status;
}
