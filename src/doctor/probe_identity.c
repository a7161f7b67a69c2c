#include "names/own.h"
#include "runtime/paths.h"
#include "probe.h"
#include "runtime/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const enum cda_part IDENTITY = CDA_PART_IDENTITY;

/* What the record of an earlier start says of the account; image_uid 0: there is none. */
struct earlier {
	char name[CDA_NAME_MAX];
	uint32_t image_uid;
};

static struct earlier earlier_starts(const struct cda_world *world)
{
	struct earlier earlier = {.image_uid = 0};
	struct cda_text text;
	struct cda_span rest, line;

	if (cda_world_read(world, CDA_STATE "/account", &text) < 0)
		return earlier;
	rest = (struct cda_span){text.data, text.len};
	while (cda_span_line(&rest, &line)) {
		if (line.len > 5 && memcmp(line.p, "name ", 5) == 0)
			(void)cda_span_copy((struct cda_span){line.p + 5, line.len - 5},
					    earlier.name, sizeof(earlier.name));
		if (line.len > 10 && memcmp(line.p, "image_uid ", 10) == 0)
			(void)cda_id_parse((struct cda_span){line.p + 10, line.len - 10},
					   &earlier.image_uid);
	}
	cda_world_free(&text);
	return earlier;
}

/* Is the text one that a file holds? */
static bool file_has(const struct cda_world *world, const char *path, const char *word)
{
	struct cda_text text;
	bool found;

	if (cda_world_read(world, path, &text) < 0)
		return false;
	found = strstr(text.data, word) != NULL;
	cda_world_free(&text);
	return found;
}

/* The name that the caller's own programs are told where no account file has it. */
static bool own_name(const struct cda_case *c, char ret[CDA_NAME_MAX])
{
	struct cda_caller caller;
	struct cda_own own;

	if (!file_has(c->world, "/etc/nsswitch.conf", "condense"))
		return false;
	if (c->world->root[0] != '\0')
		return cda_put(ret, CDA_NAME_MAX, "%s", c->policy.account) == 0;
	/* Asked here too: a weak reference alone brings nothing into a static program. */
	return getauxval(AT_SECURE) == 0 && cda_own_caller(&caller) &&
	       cda_own_record(&cda_own_places, &caller, &own) == 0 &&
	       cda_put(ret, CDA_NAME_MAX, "%s", own.is.account) == 0;
}

/* Without an account: what the caller is called all the same. */
static void nameless(struct cda_case *c)
{
	const struct cda_world *world = c->world;
	const char *preload = cda_world_env(world, "LD_PRELOAD");

	if (!own_name(c, c->own_name)) {
		cda_report_add(c->report, IDENTITY, "user", CDA_PROBLEM,
			       "uid %lu has no name: no account was given to it at the start",
			       (unsigned long)world->uid);
		cda_report_todo(c->report, "see 'setuid' below, or leave -u away: the image's own "
					   "account needs nothing");
		c->wants_account = true;
		return;
	}
	cda_report_fact(c->report, "user", "%s", c->own_name);
	cda_report_add(
		c->report, IDENTITY, "user", CDA_NOTE,
		"uid %lu has no account; its own programs see the name '%s', setuid ones and "
		"other users do not",
		(unsigned long)world->uid, c->own_name);
	if (!cda_probe_is_debian(world) &&
	    (preload == NULL || strstr(preload, CDA_PRELOAD) == NULL)) {
		cda_report_add(
			c->report, IDENTITY, "preload", CDA_NOTE,
			"programs of musl see that name only with LD_PRELOAD=%s, which is not set "
			"here",
			CDA_PRELOAD);
		cda_report_todo(c->report,
				"run them through the entry point: /entrypoint.sh COMMAND, "
				"or in a shell");
	}
}

static void root_user(struct cda_case *c)
{
	const struct cda_world *world = c->world;

	if (cda_world_env(world, "NEW_USER") != NULL || cda_world_env(world, "NEW_HOME") != NULL)
		cda_report_add(
			c->report, IDENTITY, "user", CDA_NOTE,
			"uid 0: you are root; NEW_USER and NEW_HOME have no effect for root, "
			"and root's start installs no list");
	else
		cda_report_add(c->report, IDENTITY, "user", CDA_NOTE,
			       "uid 0: you are root; what follows is true for root, and a start as "
			       "root installs no list");
	cda_report_todo(c->report, "to look at it as the user of the container: docker exec "
				   "CONTAINER condense-doctor");
}

static void user(struct cda_case *c)
{
	const struct cda_world *world = c->world;
	const struct earlier earlier = earlier_starts(world);
	uint32_t from = earlier.image_uid;
	int rc = cda_world_account(world, &c->account);

	c->known = rc == 0;
	if (c->known)
		cda_report_fact(c->report, "user", "%s", c->account.name);
	if (world->uid == 0) {
		root_user(c);
	} else if (c->known && strcmp(c->account.name, c->policy.account) != 0 &&
		   strcmp(c->account.name, earlier.name) != 0) {
		cda_report_add(c->report, IDENTITY, "user", CDA_NOTE,
			       "uid %lu is the account '%s' of the image itself, which keeps it; "
			       "'%s' is not given to it",
			       (unsigned long)world->uid, c->account.name, c->policy.account);
	} else if (c->known && from != 0 && from != world->uid) {
		cda_report_add(c->report, IDENTITY, "user", CDA_OK,
			       "uid %lu is '%s': the start gave it the image's account, which had "
			       "uid %lu",
			       (unsigned long)world->uid, c->account.name, (unsigned long)from);
	} else if (c->known) {
		cda_report_add(c->report, IDENTITY, "user", CDA_OK, "uid %lu is '%s'",
			       (unsigned long)world->uid, c->account.name);
	} else if (rc != -ENOENT) {
		cda_report_add(c->report, IDENTITY, "user", CDA_PROBLEM,
			       "uid %lu: '/etc/passwd' cannot be read: %s",
			       (unsigned long)world->uid, strerror(-rc));
		cda_report_todo(c->report, "as root: chmod 644 /etc/passwd");
	} else {
		nameless(c);
	}
}

static void groups(struct cda_case *c)
{
	const struct cda_world *world = c->world;
	char own[CDA_NAME_MAX], name[CDA_NAME_MAX];
	struct stat st;

	cda_world_group(world, world->gid, own);
	if (own[0] == '\0')
		cda_put(own, sizeof(own), "no name");
	if (cda_world_stat(world, CDA_PREFIX, &st) < 0)
		return;
	cda_world_group(world, st.st_gid, name);
	if (name[0] == '\0')
		cda_put(name, sizeof(name), "%lu", (unsigned long)st.st_gid);
	if (world->uid == 0 || st.st_uid == world->uid || cda_world_member(world, st.st_gid)) {
		cda_report_add(c->report, IDENTITY, "group", CDA_OK, "gid %lu (%s)%s%s%s",
			       (unsigned long)world->gid, own,
			       world->gid != st.st_gid && world->uid != 0 ? ", and in group '" : "",
			       world->gid != st.st_gid && world->uid != 0 ? name : "",
			       world->gid != st.st_gid && world->uid != 0 ? "'" : "");
		return;
	}
	if (cda_world_access(world, CDA_PREFIX, W_OK) == 0) {
		cda_report_add(c->report, IDENTITY, "group", CDA_OK,
			       "gid %lu (%s); '%s' is writable all the same",
			       (unsigned long)world->gid, own, CDA_PREFIX);
		return;
	}
	cda_report_add(
		c->report, IDENTITY, "group", CDA_PROBLEM,
		"gid %lu (%s) is not '%s', so '%s' and '%s' are read-only: no conda and no pip "
		"package can be installed",
		(unsigned long)world->gid, own, name, CDA_PREFIX, CDA_WORK);
	cda_report_todo(c->report, "start with -u %lu:%s, or with --group-add %lu",
			(unsigned long)world->uid, name, (unsigned long)st.st_gid);
}

/* Are two paths the same folder? */
static bool is_same(const struct cda_world *world, const char *a, const char *b)
{
	struct stat one, two;

	return cda_world_stat(world, a, &one) == 0 && cda_world_stat(world, b, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* The private home that a start made for the caller. */
static bool private_home(const struct cda_world *world, char ret[CDA_OWN_PATH_MAX])
{
	for (size_t i = 0; i < sizeof(cda_own_places.homes) / sizeof(char *); i++) {
		cda_own_private(cda_own_places.homes[i], world->uid, ret);
		if (cda_world_access(world, ret, R_OK | W_OK | X_OK) == 0)
			return true;
	}
	return false;
}

static void home(struct cda_case *c)
{
	const struct cda_world *world = c->world;
	const char *path = cda_world_env(world, "HOME");
	bool mapped = c->known && c->account.home[0] == '/';
	char usual[CDA_HOME_MAX + 32], own[CDA_OWN_PATH_MAX];
	struct stat st;
	int rc;

	if (mapped)
		cda_put(usual, sizeof(usual), "-e HOME=%s", c->account.home);
	else
		cda_put(usual, sizeof(usual), "-v NAME:/home/%s", c->policy.account);
	if (path == NULL || path[0] != '/') {
		cda_report_add(c->report, IDENTITY, "home", CDA_PROBLEM,
			       "HOME is '%s', which is no path from '/'", path != NULL ? path : "");
		cda_report_todo(c->report,
				"run it through the entry point: /entrypoint.sh COMMAND");
		return;
	}
	rc = cda_world_stat(world, path, &st);
	if (rc == 0 && !S_ISDIR(st.st_mode))
		rc = -ENOTDIR;
	if (rc == 0)
		rc = cda_world_access(world, path, R_OK | W_OK | X_OK);
	if (rc < 0 && private_home(world, own)) {
		cda_report_add(
			c->report, IDENTITY, "home", CDA_NOTE,
			"HOME is '%s', which uid %lu cannot use, as docker exec knows nothing of "
			"'%s', the home of the command",
			path, (unsigned long)world->uid, own);
		cda_report_todo(c->report,
				"docker exec CONTAINER /entrypoint.sh COMMAND, or -e HOME=%s", own);
	} else if (rc < 0) {
		cda_report_add(c->report, IDENTITY, "home", CDA_PROBLEM,
			       "HOME is '%s', which uid %lu cannot use: %s", path,
			       (unsigned long)world->uid, strerror(-rc));
		if (rc == -EROFS)
			cda_report_todo(c->report, "start with --tmpfs %s, or with a volume there",
					path);
		else
			cda_report_todo(c->report,
					"run it through the entry point, which finds a home: "
					"/entrypoint.sh COMMAND");
	} else if (strncmp(path, "/tmp/home-", 10) == 0 ||
		   strncmp(path, "/dev/shm/home-", 14) == 0) {
		cda_report_add(
			c->report, IDENTITY, "home", CDA_NOTE,
			"HOME is '%s', made for uid %lu as no other home is writable: what is "
			"in it goes with the container",
			path, (unsigned long)world->uid);
		cda_report_todo(c->report,
				"to keep it, mount a folder of uid %lu and name it: -v "
				"FOLDER:/keep -e HOME=/keep",
				(unsigned long)world->uid);
	} else if (mapped && world->uid != 0 && !is_same(world, path, c->account.home)) {
		cda_report_add(c->report, IDENTITY, "home", CDA_NOTE,
			       "HOME is '%s', while '/etc/passwd' says '%s'", path,
			       c->account.home);
		cda_report_todo(c->report, "%s", usual);
	} else {
		cda_report_add(c->report, IDENTITY, "home", CDA_OK, "HOME is '%s', writable", path);
	}
	cda_report_about(c->report, path);
}

struct strangers {
	const struct cda_world *world;
	const char *home;
	int count;
	uint32_t uid; /* of the first */
	char first[256];
};

static void take_file(void *ctx, const char *name)
{
	struct strangers *strangers = ctx;
	char path[PATH_MAX], whole[PATH_MAX];
	struct stat st;

	if (cda_put(path, sizeof(path), "%s/%s", strangers->home, name) != 0 ||
	    lstat(cda_world_path(strangers->world, path, whole), &st) != 0 || st.st_uid == 0 ||
	    st.st_uid == strangers->world->uid)
		return;
	if (strangers->count++ > 0)
		return;
	strangers->uid = st.st_uid;
	(void)cda_put(strangers->first, sizeof(strangers->first), "%s", name);
}

/* Files of another uid at the top of the home: an image's, or an earlier start's. */
static void home_owners(struct cda_case *c)
{
	struct strangers strangers = {.world = c->world, .home = cda_world_env(c->world, "HOME")};

	if (c->world->uid == 0 || strangers.home == NULL || strangers.home[0] != '/' ||
	    cda_world_names(c->world, strangers.home, take_file, &strangers) < 0 ||
	    strangers.count == 0)
		return;
	cda_report_add(c->report, IDENTITY, "home-owner", CDA_NOTE,
		       "%d of the files in HOME belong%s to another uid, such as '%s' to uid %lu",
		       strangers.count, strangers.count == 1 ? "s" : "", strangers.first,
		       (unsigned long)strangers.uid);
	cda_report_todo(c->report,
			"if the account had that uid before: start once with CONDENSE_REOWN=1; "
			"where the home is a volume, as root: docker run --rm -u 0 -v VOLUME:/v "
			"IMAGE chown -R %lu /v",
			(unsigned long)c->world->uid);
}

static void wishes(struct cda_case *c)
{
	const struct cda_world *world = c->world;
	const char *name = cda_world_env(world, "NEW_USER");
	const char *folder = cda_world_env(world, "NEW_HOME");
	const char *path = cda_world_env(world, "HOME");

	if (world->uid == 0)
		return;
	if (name != NULL && !cda_name_valid(name)) {
		cda_report_add(c->report, IDENTITY, "new-user", CDA_PROBLEM,
			       "NEW_USER is '%s', which is no name for an account", name);
		cda_report_todo(c->report, "a-z, 0-9, '_' and '-', at most 32, a letter first");
	} else if (name != NULL && strcmp(name, c->known ? c->account.name : c->own_name) == 0) {
		cda_report_add(c->report, IDENTITY, "new-user", CDA_OK,
			       "the name is '%s', as NEW_USER asks", name);
	} else if (name != NULL) {
		c->wants_account = true;
		cda_report_add(c->report, IDENTITY, "new-user", CDA_PROBLEM,
			       "NEW_USER asks for '%s', but the account is %s%s%s", name,
			       c->known ? "'" : "", c->known ? c->account.name : "not given",
			       c->known ? "'" : "");
		cda_report_todo(c->report,
				"NEW_USER counts at a start: docker logs has what it said "
				"then; see 'setuid' below");
	}
	if (folder == NULL)
		return;
	if (path != NULL && is_same(world, folder, path)) {
		cda_report_add(c->report, IDENTITY, "new-home", CDA_OK,
			       "the home is '%s', as NEW_HOME asks", folder);
		return;
	}
	c->wants_account = true;
	cda_report_add(c->report, IDENTITY, "new-home", CDA_PROBLEM,
		       "NEW_HOME asks for '%s', but HOME is '%s'", folder,
		       path != NULL ? path : "");
	cda_report_todo(c->report,
			"NEW_HOME is a name in /home or a folder of your own, and counts at "
			"a start: docker logs has what it said then");
	cda_report_about(c->report, folder);
}

/* "INSIDE OUTSIDE COUNT" lines: is it the map of a container whose ids are the host's? */
static void user_namespace(struct cda_case *c)
{
	struct cda_text text;
	struct cda_span rest, line;
	unsigned long inside, outside, count, host = 0;
	bool whole = false, mapped = false;

	if (cda_world_read(c->world, "/proc/self/uid_map", &text) < 0)
		return;
	rest = (struct cda_span){text.data, text.len};
	while (cda_span_line(&rest, &line)) {
		char copy[128];

		if (cda_span_copy(line, copy, sizeof(copy)) != 0 ||
		    sscanf(copy, "%lu %lu %lu", &inside, &outside, &count) != 3)
			continue;
		whole = whole || (inside == 0 && outside == 0 && count >= 4294967295);
		if (c->world->uid >= inside && c->world->uid - inside < count) {
			mapped = true;
			host = outside + (c->world->uid - inside);
		}
	}
	cda_world_free(&text);
	if (whole || !mapped)
		return;
	cda_report_add(c->report, IDENTITY, "user-namespace", CDA_NOTE,
		       "ids are mapped (user namespace): uid %lu here is uid %lu outside, and owns "
		       "there what it makes in a mount",
		       (unsigned long)c->world->uid, host);
	cda_report_todo(c->report,
			"a folder of the host that is to be yours here must belong to uid "
			"%lu there",
			host);
}

void cda_probe_identity(struct cda_case *c)
{
	cda_report_fact(c->report, "uid", "%lu", (unsigned long)c->world->uid);
	cda_report_fact(c->report, "gid", "%lu", (unsigned long)c->world->gid);
	user(c);
	groups(c);
	home(c);
	home_owners(c);
	wishes(c);
	user_namespace(c);
}
