#include "runtime/installed.h"
#include "listline.h"
#include "runtime/osdb.h"
#include "runtime/paths.h"
#include "runtime/prefix.h"
#include "probe.h"
#include "runtime/reqlist.h"
#include "runtime/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum cda_part LISTS = CDA_PART_LISTS;

struct list {
	const char *variable, *path, *what;
	enum cda_list_kind kind;
	const struct cda_kind *by; /* NULL: OS packages */
};

static const struct list lists[] = {
	{"APT_REQUIREMENTS", "/tmp/apt_requirements.txt", "OS packages", CDA_LIST_PIP, NULL},
	{"APK_REQUIREMENTS", "/tmp/apk_requirements.txt", "OS packages", CDA_LIST_PIP, NULL},
	{"CONDA_REQUIREMENTS", "/tmp/conda_requirements.txt", "conda packages", CDA_LIST_CONDA,
	 &cda_kind_conda},
	{"CONDA_ENVIRONMENT", "/tmp/environment.yml", "environment", CDA_LIST_YAML,
	 &cda_kind_environment},
	{"PIP_REQUIREMENTS", "/tmp/pip_requirements.txt", "Python packages", CDA_LIST_PIP,
	 &cda_kind_pip},
};

static struct cda_reqlist os_list;

bool cda_probe_is_debian(const struct cda_world *world)
{
	return cda_world_access(world, "/usr/bin/apt-get", X_OK) == 0 ||
	       cda_world_access(world, "/sbin/apk", X_OK) != 0;
}

static void add(struct cda_case *c, const struct list *list, enum cda_verdict verdict,
		const char *path, const char *text)
{
	cda_report_add(c->report, LISTS, "list", verdict, "%s: '%s' %s", list->what, path, text);
	cda_report_about(c->report, path);
}

/* Returns true if the text is one that can be installed. */
static bool check(struct cda_case *c, const struct list *list, const char *path,
		  const struct cda_text *text)
{
	enum cda_pm pm = cda_probe_is_debian(c->world) ? CDA_APT : CDA_APK;
	const char *who = pm == CDA_APT ? "apt" : "apk", *like = "'curl' or 'curl=VERSION'";
	const char *unfit;
	char where[64];
	int line;

	if (list->by == NULL && text->len > CDA_LIST_BYTES) {
		add(c, list, CDA_PROBLEM, path, "is too large to be a list");
		cda_report_todo(c->report, "at most 64 KiB");
		return false;
	}
	unfit = cda_list_unfit((struct cda_span){text->data, text->len});
	if (unfit != NULL) {
		add(c, list, CDA_PROBLEM, path, unfit);
		cda_report_todo(c->report, "save it as text in UTF-8");
		return false;
	}
	line = list->by == NULL
		       ? cda_reqlist_parse(text, pm, &os_list)
		       : cda_list_refused(list->kind, (struct cda_span){text->data, text->len});
	if (line == 0)
		return true;
	if (list->kind == CDA_LIST_YAML) {
		cda_put(where, sizeof(where), "line %d: YAML has no tabs", line);
		add(c, list, CDA_PROBLEM, path,
		    line > 1 ? where : "is no environment: it has no 'dependencies:'");
		cda_report_todo(c->report,
				"correct it: 'dependencies:', then '  - numpy' and the like");
		return false;
	}
	if (list->by != NULL) {
		who = list->by->what;
		like = list->by->conda ? "'numpy' or 'numpy=2.1'" : "'requests' or 'requests>=2'";
	}
	cda_put(where, sizeof(where), "line %d: not what %s takes for a package", line, who);
	add(c, list, CDA_PROBLEM, path, where);
	cda_report_todo(c->report, "correct that line: packages as in %s", like);
	return false;
}

/* Which packages of os_list are missing: their number, and some of their names. */
static int missing_packages(const struct cda_case *c, char names[160])
{
	static uint8_t held[CDA_LIST_NAMES];
	enum cda_pm pm = cda_probe_is_debian(c->world) ? CDA_APT : CDA_APK;
	int count = 0;

	memset(held, CDA_ABSENT, sizeof(held));
	if (c->world->root[0] == '\0') {
		(void)cda_osdb_read(pm, &os_list, held);
	} else {
		struct cda_text text;
		struct cda_osdb db;

		cda_osdb_init(&db, pm, &os_list, held);
		if (cda_world_read(c->world,
				   pm == CDA_APT ? "/var/lib/dpkg/status" : "/lib/apk/db/installed",
				   &text) == 0) {
			cda_osdb_add(&db, text.data, text.len);
			cda_world_free(&text);
		}
		cda_osdb_end(&db);
	}
	names[0] = '\0';
	for (int i = 0; i < os_list.count; i++) {
		size_t len = strlen(names);

		/* Whether a version is in a range is apt's to say, or apk's. */
		if (held[i] == CDA_THERE || held[i] == CDA_RANGE)
			continue;
		if (count++ < 3)
			(void)cda_put(names + len, 160 - len, "%s'%.40s'", len > 0 ? ", " : "",
				      os_list.pkgs[i].text);
	}
	return count;
}

/* What the policy has against it; NULL: nothing. */
static const char *forbidden(const struct cda_case *c, const char *path)
{
	char name[CDA_PKG_MAX];

	if (c->policy.packages == CDA_NEVER)
		return "says 'packages never'";
	if (!cda_policy_user(&c->policy, c->world->uid))
		return "does not name your uid";
	if (!cda_policy_list(&c->policy, path))
		return "does not name this list";
	for (int i = 0; i < os_list.count; i++) {
		cda_pkg_name(&os_list.pkgs[i], name);
		if (!cda_policy_name(&c->policy, name))
			return "does not allow each of its packages";
	}
	return NULL;
}

static void os_state(struct cda_case *c, const struct list *list, const char *path)
{
	char names[160], text[256];
	int count = missing_packages(c, names);
	const char *against = forbidden(c, path);

	if (count == 0) {
		add(c, list, CDA_OK, path, "is installed");
		return;
	}
	cda_put(text, sizeof(text), "is not installed: %s%s %s missing", names,
		count > 3 ? " and others" : "", count == 1 ? "is" : "are");
	if (c->world->uid == 0) {
		add(c, list, CDA_NOTE, path, text);
		cda_report_todo(c->report,
				"a start as root installs no list: use apt-get or apk, or "
				"start as a user");
		return;
	}
	add(c, list, CDA_PROBLEM, path, text);
	if (against != NULL) {
		cda_report_todo(c->report, "'%s' %s: install them in an image of your own",
				CDA_POLICY, against);
		return;
	}
	c->wants_packages = c->wants_os = true;
	cda_report_todo(c->report,
			"docker restart installs it (see 'setuid' for what may be in the "
			"way); docker logs has what the last start said");
}

/* Returns 1 if it is installed, 0 if not, -1 if that cannot be known. */
static int is_installed(const struct cda_case *c, const struct list *list, const char *path,
			const struct cda_text *text)
{
	char hash[CDA_SHA256_HEX], python[CDA_VERSION_MAX];

	if (cda_world_access(c->world, CDA_STAMPS, X_OK) == -EACCES)
		return -1;
	if (c->world->root[0] != '\0')
		return 0; /* stamps are in one place alone */
	if (cda_prefix_python(python) != 0)
		python[0] = '\0';
	cda_installed_hash(list->by, path, text, python, hash);
	return cda_installed_is(list->by, python, hash);
}

static void state(struct cda_case *c, const struct list *list, const char *path,
		  const struct cda_text *text)
{
	int installed;

	if (list->by == NULL) {
		os_state(c, list, path);
		return;
	}
	installed = is_installed(c, list, path, text);
	if (installed == 1) {
		add(c, list, CDA_OK, path, "is installed");
	} else if (installed < 0) {
		add(c, list, CDA_NOTE, path,
		    "is there; who is not in the prefix's group cannot see whether it is "
		    "installed");
	} else if (c->world->uid == 0) {
		add(c, list, CDA_NOTE, path, "is not installed, or changed since");
		cda_report_todo(c->report,
				"a start as root installs no list: start as a user of the image");
	} else {
		add(c, list, CDA_PROBLEM, path, "is not installed, or something changed since");
		cda_report_todo(c->report,
				"docker restart installs it, or now: /entrypoint.sh true");
		c->wants_conda = c->wants_conda || list->by->conda;
		c->wants_pip = c->wants_pip || list->by->pip;
	}
}

static void look(struct cda_case *c, const struct list *list, int *missing)
{
	const char *path = cda_world_env(c->world, list->variable);
	struct cda_text text;
	char whole[PATH_MAX];
	struct stat st;
	char why[128];
	int rc;

	if (path == NULL)
		path = list->path;
	if (path[0] != '/' && cda_put(whole, sizeof(whole), "%s/%s", c->world->cwd, path) == 0)
		path = whole;
	if (list->by != NULL && cda_world_stat(c->world, path, &st) == 0 && S_ISFIFO(st.st_mode)) {
		add(c, list, CDA_OK, path, "is a pipe, which is for the start alone to read");
		return;
	}
	rc = cda_world_read(c->world, path, &text);
	if (rc == -ENOENT && strcmp(path, list->path) == 0) {
		(*missing)++;
		return;
	}
	if (rc == -ENOENT) {
		add(c, list, CDA_NOTE, path, "is not there");
		cda_report_todo(c->report, "%s names it: mount it there, or unset the variable",
				list->variable);
		return;
	}
	if (rc < 0) {
		cda_put(why, sizeof(why), "%s%s",
			rc == -EINVAL ? "is not a regular file" : "cannot be read: ",
			rc == -EINVAL ? "" : strerror(-rc));
		add(c, list, CDA_PROBLEM, path, why);
		cda_report_todo(c->report,
				rc == -EINVAL
					? "mount a file there: an engine makes a folder where the "
					  "file of the host is missing"
					: "chmod a+r, on the host if it is mounted");
		return;
	}
	if (!cda_list_says_something((struct cda_span){text.data, text.len}))
		add(c, list, CDA_OK, path, "is empty");
	else if (check(c, list, path, &text))
		state(c, list, path, &text);
	cda_world_free(&text);
}

void cda_probe_lists(struct cda_case *c)
{
	bool debian = cda_probe_is_debian(c->world);
	int missing = 0, count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (lists[i].by == NULL && (i == 0) != debian)
			continue;
		count++;
		look(c, &lists[i], &missing);
	}
	if (missing == count)
		cda_report_add(c->report, LISTS, "none", CDA_OK,
			       "no list is at its place (in /tmp): nothing to install");
}
