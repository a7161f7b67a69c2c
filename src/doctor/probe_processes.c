#include "probe.h"
#include "runtime/say.h"

#include <stdlib.h>
#include <string.h>

static const enum cda_part IMAGE = CDA_PART_IMAGE;

static const char entry[] = "/usr/lib/condense/entry";

struct processes {
	const struct cda_world *world;
	bool entry_runs;
	int zombies;
	unsigned long parent; /* of the first zombie */
};

/* The first word of a process's command line, its name if that is empty; "" if it is gone. */
static void command_of(const struct cda_world *world, const char *pid, char ret[256])
{
	char path[64];
	struct cda_text text;

	ret[0] = '\0';
	if (cda_put(path, sizeof(path), "/proc/%s/cmdline", pid) != 0 ||
	    cda_world_read(world, path, &text) < 0)
		return;
	(void)cda_put(ret, 256, "%s", text.data); /* up to the NUL behind the word */
	cda_world_free(&text);
}

/* "PID (NAME) STATE PARENT ...": NAME may hold anything and ends at the last ')'. */
static void take_process(void *ctx, const char *pid)
{
	struct processes *processes = ctx;
	char path[64], command[256];
	struct cda_text text;
	const char *end;

	if (pid[0] < '0' || pid[0] > '9' ||
	    cda_put(path, sizeof(path), "/proc/%s/stat", pid) != 0 ||
	    cda_world_read(processes->world, path, &text) < 0)
		return;
	end = strrchr(text.data, ')');
	if (end != NULL && end[1] == ' ' && end[2] == 'Z') {
		if (processes->zombies++ == 0)
			processes->parent = strtoul(end + 3, NULL, 10);
	}
	cda_world_free(&text);
	command_of(processes->world, pid, command);
	processes->entry_runs = processes->entry_runs || strcmp(command, entry) == 0;
}

void cda_probe_processes(struct cda_case *c)
{
	struct processes processes = {.world = c->world};
	char first[256];
	int rc = cda_world_names(c->world, "/proc", take_process, &processes);

	command_of(c->world, "1", first);
	if (rc <= 0 || first[0] == '\0') {
		cda_report_add(c->report, IMAGE, "process-1", CDA_NOTE,
			       "'/proc' does not show process 1");
		return;
	}
	if (strcmp(first, entry) == 0) {
		cda_report_add(c->report, IMAGE, "process-1", CDA_OK,
			       "process 1 is our entry: signals are forwarded, orphans reaped");
	} else if (processes.entry_runs) {
		cda_report_add(c->report, IMAGE, "process-1", CDA_OK,
			       "process 1 is '%s', and our entry runs below it", first);
	} else {
		cda_report_add(c->report, IMAGE, "process-1", CDA_NOTE,
			       "process 1 is '%s', not our entry: no account was given and no list "
			       "installed, and docker stop may wait 10 s and then kill it",
			       first);
		cda_report_todo(c->report, "start without --entrypoint, or let that program run "
					   "/entrypoint.sh COMMAND; with --init somebody at least "
					   "forwards signals");
	}
	if (processes.zombies > 0) {
		cda_report_add(
			c->report, IMAGE, "zombies", CDA_NOTE,
			"%d ended process%s not waited for, the first a child of process %lu",
			processes.zombies, processes.zombies == 1 ? " is" : "es are",
			processes.parent);
		if (processes.parent == 1)
			cda_report_todo(c->report,
					"if they stay: start without --entrypoint, or with "
					"--init");
		else
			cda_report_todo(c->report,
					"if they stay: that program does not wait for its "
					"children");
	}
}
