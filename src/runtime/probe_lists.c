#include "listline.h"
#include "paths.h"
#include "probe.h"
#include "reqlist.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum cda_part LISTS = CDA_PART_LISTS;

struct list {
	const char *variable, *path, *what;
	enum cda_list_kind kind;
	bool is_os;
};

static const struct list lists[] = {
	{"APT_REQUIREMENTS", "/tmp/apt_requirements.txt", "OS packages", CDA_LIST_PIP, true},
	{"APK_REQUIREMENTS", "/tmp/apk_requirements.txt", "OS packages", CDA_LIST_PIP, true},
	{"CONDA_REQUIREMENTS", "/tmp/conda_requirements.txt", "conda packages", CDA_LIST_CONDA,
	 false},
	{"CONDA_ENVIRONMENT", "/tmp/environment.yml", "environment", CDA_LIST_YAML, false},
	{"PIP_REQUIREMENTS", "/tmp/pip_requirements.txt", "Python packages", CDA_LIST_PIP, false},
};

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
	static struct cda_reqlist parsed;
	enum cda_pm pm = cda_probe_is_debian(c->world) ? CDA_APT : CDA_APK;
	int line = list->is_os
			   ? cda_reqlist_parse(text, pm, &parsed)
			   : cda_list_refused(list->kind, (struct cda_span){text->data, text->len});
	char where[64];

	if (line == 0)
		return true;
	if (list->kind == CDA_LIST_YAML && line == 1) {
		add(c, list, CDA_PROBLEM, path, "is no environment: it has no 'dependencies:'");
		cda_report_todo(c->report, "see docs/start.md for what it holds");
		return false;
	}
	cda_put(where, sizeof(where), "line %d: not what %s takes for a package", line,
		list->is_os                  ? (pm == CDA_APT ? "apt" : "apk")
		: list->kind == CDA_LIST_PIP ? "pip"
					     : "conda");
	add(c, list, CDA_PROBLEM, path, where);
	cda_report_todo(c->report, "correct that line: one package a line, as in %s",
			list->is_os                  ? "'curl' or 'curl=VERSION'"
			: list->kind == CDA_LIST_PIP ? "'requests' or 'requests>=2'"
						     : "'numpy' or 'numpy=2.1'");
	return false;
}

static void look(struct cda_case *c, const struct list *list, int *missing)
{
	const char *path = cda_world_env(c->world, list->variable);
	struct cda_text text;
	char whole[PATH_MAX];
	int rc;

	if (path == NULL)
		path = list->path;
	if (path[0] != '/' && cda_put(whole, sizeof(whole), "%s/%s", c->world->cwd, path) == 0)
		path = whole;
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
		add(c, list, CDA_PROBLEM, path,
		    rc == -EINVAL ? "is not a regular file" : strerror(-rc));
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
		add(c, list, CDA_OK, path, "is there");
	cda_world_free(&text);
}

void cda_probe_lists(struct cda_case *c)
{
	bool debian = cda_probe_is_debian(c->world);
	int missing = 0, count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (lists[i].is_os && (i == 0) != debian)
			continue;
		count++;
		look(c, &lists[i], &missing);
	}
	if (missing == count)
		cda_report_add(c->report, LISTS, "none", CDA_OK,
			       "no list is at its place (in /tmp): nothing to install");
}
