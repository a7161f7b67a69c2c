#include "runtime/paths.h"
#include "probe.h"
#include "runtime/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum cda_part IMAGE = CDA_PART_IMAGE;

enum { VERSION_BYTES = 64 };

struct prefix {
	char python[VERSION_BYTES], conda[VERSION_BYTES];
	const struct cda_world *world;
	int foreign; /* records that the group cannot change */
};

/* "NAME-VERSION-BUILD.json": the version, if it is that name's. */
static void version_of(const char *file, const char *name, char ret[VERSION_BYTES])
{
	size_t len = strlen(name);

	if (strncmp(file, name, len) == 0 && file[len] == '-' && file[len + 1] >= '0' &&
	    file[len + 1] <= '9')
		(void)cda_span_copy((struct cda_span){file + len + 1, strcspn(file + len + 1, "-")},
				    ret, VERSION_BYTES);
}

static void take_record(void *ctx, const char *name)
{
	struct prefix *prefix = ctx;
	char path[PATH_MAX];
	struct stat st;

	version_of(name, "python", prefix->python);
	version_of(name, "conda", prefix->conda);
	if (cda_put(path, sizeof(path), "%s/conda-meta/%s", CDA_PREFIX, name) == 0 &&
	    cda_world_stat(prefix->world, path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IWGRP) == 0)
		prefix->foreign++;
}

/* Is conda itself a package of Python's? */
static bool is_miniconda(const struct prefix *prefix)
{
	const char *minor = strchr(prefix->python, '.');
	size_t len = minor != NULL ? (size_t)(minor - prefix->python) + 1 + strcspn(minor + 1, ".")
				   : strlen(prefix->python);
	char path[PATH_MAX];
	struct stat st;

	return cda_put(path, sizeof(path), "%s/lib/python%.*s/site-packages/conda", CDA_PREFIX,
		       (int)len, prefix->python) == 0 &&
	       cda_world_stat(prefix->world, path, &st) == 0;
}

static void tell_prefix(struct cda_case *c)
{
	struct prefix prefix = {.world = c->world};
	const char *distro = cda_probe_is_debian(c->world) ? "debian" : "alpine";
	struct stat st;
	bool miniconda;
	int rc = cda_world_names(c->world, CDA_PREFIX "/conda-meta", take_record, &prefix);

	cda_report_fact(c->report, "distro", "%s", distro);
	if (rc == -EACCES) {
		cda_report_add(
			c->report, IMAGE, "prefix", CDA_NOTE,
			"'%s' can be used, but what is installed there cannot be seen: you are "
			"not in its group",
			CDA_PREFIX);
		return;
	}
	if (rc < 0) {
		cda_report_add(c->report, IMAGE, "prefix", CDA_PROBLEM,
			       "'%s' is no environment of conda: %s", CDA_PREFIX, strerror(-rc));
		cda_report_todo(c->report, "is a volume mounted over it? Start without");
		return;
	}
	miniconda = is_miniconda(&prefix);
	cda_report_fact(c->report, "family", "%s", miniconda ? "miniconda" : "condense");
	cda_report_fact(c->report, "python", "%s", prefix.python);
	cda_report_fact(c->report, "conda", "%s", prefix.conda);
	cda_report_add(c->report, IMAGE, "versions", CDA_OK,
		       "condense %s on %s, release %s: conda %s, Python %s", CDA_VERSION, distro,
		       miniconda ? "Miniconda" : "embedded",
		       prefix.conda[0] != '\0' ? prefix.conda : "missing",
		       prefix.python[0] != '\0' ? prefix.python : "missing");
	if (prefix.python[0] == '\0') {
		cda_report_add(c->report, IMAGE, "python", CDA_PROBLEM,
			       "'%s' has no Python any more", CDA_PREFIX);
		cda_report_todo(c->report, "conda install python, or a new container");
	}
	if (prefix.foreign > 0) {
		cda_report_add(
			c->report, IMAGE, "records", CDA_PROBLEM,
			"%d record%s in '%s/conda-meta' cannot be changed by the group: root "
			"installed there",
			prefix.foreign, prefix.foreign == 1 ? "" : "s", CDA_PREFIX);
		cda_report_todo(c->report, "as root: chmod -R g+rwX %s", CDA_PREFIX);
	}
	if (cda_world_access(c->world, CDA_PREFIX, W_OK) == 0 &&
	    cda_world_access(c->world, CDA_PREFIX "/conda-meta", W_OK) == 0) {
		cda_report_add(c->report, IMAGE, "writable", CDA_OK,
			       "'%s' is writable: conda and pip can install there", CDA_PREFIX);
	} else if (cda_world_stat(c->world, CDA_PREFIX, &st) == 0 &&
		   cda_world_member(c->world, st.st_gid)) {
		cda_report_add(c->report, IMAGE, "writable",
			       c->wants_conda || c->wants_pip ? CDA_PROBLEM : CDA_NOTE,
			       "'%s' is not writable, so nothing can be installed there: %s",
			       CDA_PREFIX, strerror(-cda_world_access(c->world, CDA_PREFIX, W_OK)));
		cda_report_todo(c->report,
				"start without --read-only, or install in an image of your "
				"own");
	}
}

/* The first program of that name in PATH; false if there is none. */
static bool in_path(const struct cda_world *world, const char *list, const char *name,
		    char ret[PATH_MAX])
{
	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		struct stat st;

		if (len > 0 && list[0] == '/' &&
		    cda_put(ret, PATH_MAX, "%.*s/%s", (int)len, list, name) == 0 &&
		    cda_world_stat(world, ret, &st) == 0 && S_ISREG(st.st_mode) &&
		    cda_world_access(world, ret, X_OK) == 0)
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

/* Parts of PATH that let somebody else, or the folder that one is in, say what a name means. */
static void odd_parts(struct cda_case *c, const char *list)
{
	char part[PATH_MAX];
	struct stat st;

	for (;;) {
		size_t len = strcspn(list, ":");

		if (len == 0 || list[0] != '/') {
			cda_report_add(c->report, IMAGE, "path", CDA_PROBLEM,
				       "PATH has a part that depends on the present folder: '%.*s'",
				       (int)len, list);
			cda_report_todo(c->report, "take it out of PATH: paths from '/' only");
		} else if (cda_put(part, sizeof(part), "%.*s", (int)len, list) == 0 &&
			   cda_world_stat(c->world, part, &st) == 0 &&
			   (st.st_mode & S_IWOTH) != 0) {
			cda_report_add(c->report, IMAGE, "path", CDA_PROBLEM,
				       "PATH has a folder that everybody can write: '%s'", part);
			cda_report_todo(c->report, "take it out of PATH, or chmod o-w it");
		}
		if (list[len] == '\0')
			return;
		list += len + 1;
	}
}

static void tell_path(struct cda_case *c)
{
	static const char *const names[] = {"conda", "python", "pip"};
	const char *list = cda_world_env(c->world, "PATH");
	const char *prefix = cda_world_env(c->world, "CONDA_PREFIX");
	char found[PATH_MAX], want[PATH_MAX];
	bool fine = true;

	if (list == NULL) {
		cda_report_add(c->report, IMAGE, "path", CDA_PROBLEM, "PATH is not set");
		cda_report_todo(c->report,
				"run it through the entry point: /entrypoint.sh COMMAND");
		return;
	}
	odd_parts(c, list);
	if (prefix == NULL || prefix[0] != '/')
		prefix = CDA_PREFIX;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (c->world->uid == 0)
			continue; /* root's PATH begins with the system's folders, rightly */
		cda_put(want, sizeof(want), "%s/bin/%s", prefix, names[i]);
		if (cda_world_access(c->world, want, X_OK) != 0)
			continue;
		if (in_path(c->world, list, names[i], found) && strcmp(found, want) == 0)
			continue;
		fine = false;
		if (in_path(c->world, list, names[i], found))
			cda_report_add(c->report, IMAGE, "path", CDA_NOTE,
				       "'%s' is '%s', which comes before '%s' in PATH", names[i],
				       found, want);
		else
			cda_report_add(c->report, IMAGE, "path", CDA_PROBLEM,
				       "'%s' is not in PATH, though '%s' is there", names[i], want);
		cda_report_todo(c->report,
				"put '%s/bin' first in PATH, or run it through the entry "
				"point: /entrypoint.sh COMMAND",
				prefix);
	}
	if (fine && c->world->uid != 0)
		cda_report_add(c->report, IMAGE, "path", CDA_OK,
			       "conda, python and pip are those of '%s'", prefix);
}

static void tell_environment(struct cda_case *c)
{
	static const char *const harmful[] = {"PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH"};
	const struct cda_world *world = c->world;
	const char *prefix = cda_world_env(world, "CONDA_PREFIX");
	const char *name = cda_world_env(world, "CONDA_DEFAULT_ENV");
	const char *locale = cda_world_env(world, "LC_ALL");
	struct stat st;

	if (prefix == NULL || cda_world_stat(world, prefix, &st) < 0) {
		cda_report_add(c->report, IMAGE, "activation", CDA_NOTE,
			       prefix == NULL
				       ? "no environment is active: CONDA_PREFIX is not set"
				       : "the active environment, CONDA_PREFIX, is not there");
		cda_report_todo(c->report,
				"run it through the entry point: /entrypoint.sh COMMAND");
	} else {
		cda_report_add(c->report, IMAGE, "activation", CDA_OK,
			       "environment '%s' is active: '%s'", name != NULL ? name : "",
			       prefix);
	}
	for (size_t i = 0; i < sizeof(harmful) / sizeof(*harmful); i++) {
		const char *value = cda_world_env(world, harmful[i]);

		if (value == NULL)
			continue;
		cda_report_add(c->report, IMAGE, "variable", CDA_NOTE,
			       "%s is '%s': programs take modules or libraries from there first",
			       harmful[i], value);
		cda_report_todo(c->report, "unset it if Python or a program fails to start");
		cda_report_about(c->report, harmful[i]);
	}
	if (locale == NULL)
		locale = cda_world_env(world, "LC_CTYPE");
	if (locale == NULL)
		locale = cda_world_env(world, "LANG");
	if (locale == NULL || (strstr(locale, "UTF-8") == NULL && strstr(locale, "utf8") == NULL)) {
		cda_report_add(c->report, IMAGE, "locale", CDA_NOTE,
			       "the locale is '%s', which is not one of UTF-8",
			       locale != NULL ? locale : "C");
		cda_report_todo(c->report, "LANG=C.UTF-8 or LANG=en_US.UTF-8");
	} else {
		cda_report_add(c->report, IMAGE, "locale", CDA_OK, "locale '%s'", locale);
	}
	if ((world->umask & 0700) != 0) {
		cda_report_add(c->report, IMAGE, "umask", CDA_PROBLEM,
			       "umask is %03o: you cannot use the files that you make",
			       (unsigned)world->umask);
		cda_report_todo(c->report, "umask 007, as the entry point sets it");
	} else if ((world->umask & 0070) != 0 && world->uid != 0) {
		cda_report_add(c->report, IMAGE, "umask", CDA_OK,
			       "umask %03o: what you make is not for the group to change (the "
			       "entry point sets 007; docker exec passes it by)",
			       (unsigned)world->umask);
	} else {
		cda_report_add(c->report, IMAGE, "umask", CDA_OK, "umask %03o",
			       (unsigned)world->umask);
	}
}

void cda_probe_image(struct cda_case *c)
{
	cda_report_fact(c->report, "version", "%s", CDA_VERSION);
	tell_prefix(c);
	tell_path(c);
	tell_environment(c);
}
