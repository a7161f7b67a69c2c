#include "runtime/paths.h"
#include "probe.h"
#include "runtime/say.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const enum cda_part SETUID = CDA_PART_SETUID;

/* What /startup keeps of root's rights (priv.c), by their numbers in <linux/capability.h>. */
static const struct {
	int number;
	const char *name;
} needed[] = {{0, "CHOWN"}, {1, "DAC_OVERRIDE"}, {3, "FOWNER"}, {6, "SETGID"}, {7, "SETUID"}};

/* Adds why /startup cannot act as root, with what to do. Returns true if there is a reason. */
static bool obstacle(const struct cda_case *c, enum cda_verdict verdict)
{
	const struct cda_world *world = c->world;
	char path[PATH_MAX], missing[128] = "", options[160] = "";
	struct statvfs vfs;
	struct stat st;
	bool found = false;
	int rc = cda_world_stat(world, CDA_STARTUP, &st);

	if (rc < 0) {
		cda_report_add(c->report, SETUID, "startup", verdict, "'%s' is not there: %s",
			       CDA_STARTUP, strerror(-rc));
		cda_report_todo(c->report, "take it from the image this one is built on: COPY "
					   "--from=IMAGE /startup /startup");
		return true;
	}
	if (world->no_new_privs) {
		cda_report_add(c->report, SETUID, "no-new-privileges", verdict,
			       "no new privileges are allowed here, so '%s' has no effect",
			       CDA_STARTUP);
		cda_report_todo(
			c->report,
			"start without --security-opt no-new-privileges (in Kubernetes: "
			"allowPrivilegeEscalation: true), or install OS packages and name the "
			"user in an image of your own");
		found = true;
	}
	if ((st.st_uid != 0 && world->root[0] == '\0') || (st.st_mode & S_ISUID) == 0 ||
	    (st.st_mode & S_IXOTH) == 0) {
		cda_report_add(c->report, SETUID, "startup", verdict,
			       "'%s' is not setuid root: uid %lu, mode %04o", CDA_STARTUP,
			       (unsigned long)st.st_uid, (unsigned)st.st_mode & 07777);
		cda_report_todo(c->report,
				"if that is not wanted, in a Dockerfile as root: chown 0:0 "
				"/startup && chmod 4755 /startup");
		found = true;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		size_t len = strlen(missing), at = strlen(options);

		if ((world->bounding >> needed[i].number & 1) != 0)
			continue;
		cda_put(missing + len, sizeof(missing) - len, "%s%s", len > 0 ? ", " : "",
			needed[i].name);
		cda_put(options + at, sizeof(options) - at, " --cap-add %s", needed[i].name);
	}
	if (missing[0] != '\0') {
		cda_report_add(c->report, SETUID, "capabilities", verdict,
			       "capabilities that '%s' needs are dropped: %s", CDA_STARTUP,
			       missing);
		cda_report_todo(c->report, "start with%s", options);
		found = true;
	}
	cda_world_path(world, CDA_STARTUP, path);
	if (statvfs(path, &vfs) == 0 && (vfs.f_flag & ST_NOSUID) != 0) {
		cda_report_add(c->report, SETUID, "nosuid", verdict,
			       "'%s' is on a file system that is mounted nosuid", CDA_STARTUP);
		cda_report_todo(c->report,
				"the engine's data root needs a file system without nosuid");
		found = true;
	}
	return found;
}

static bool is_read_only(const struct cda_world *world, const char *folder)
{
	char path[PATH_MAX];
	struct statvfs vfs;

	return statvfs(cda_world_path(world, folder, path), &vfs) == 0 &&
	       (vfs.f_flag & ST_RDONLY) != 0;
}

void cda_probe_setuid(struct cda_case *c)
{
	bool wants = c->world->uid != 0 && (c->wants_account || c->wants_packages);
	enum cda_verdict verdict = wants ? CDA_PROBLEM : CDA_NOTE;
	bool found = obstacle(c, verdict);

	if (is_read_only(c->world, "/etc")) {
		cda_report_add(c->report, SETUID, "read-only", verdict,
			       "the root file system is read-only: no account can be given, no OS "
			       "package installed");
		cda_report_todo(c->report, "start without --read-only, or install in an image of "
					   "your own and start as its account, without -u");
		found = true;
	}
	if (!found)
		cda_report_add(c->report, SETUID, "startup", CDA_OK,
			       "'%s' can act as root: it gives the account at a start%s",
			       CDA_STARTUP,
			       c->policy.packages == CDA_NEVER ? "" : " and installs OS packages");
}

static void tell_policy(const struct cda_case *c)
{
	static const char *const times[] = {[CDA_NEVER] = "never",
					    [CDA_FIRST] = "once, at the first start with a list",
					    [CDA_START] = "at each start with a new list"};
	const struct cda_policy *policy = &c->policy;

	if (policy->packages == CDA_NEVER) {
		cda_report_add(c->report, SETUID, "policy", CDA_OK,
			       "'%s': account '%s'; OS packages never", CDA_POLICY,
			       policy->account);
		return;
	}
	cda_report_add(c->report, SETUID, "policy", CDA_OK,
		       "'%s': account '%s'; OS packages %s%s, for %s%s, from %s%s, %s%s",
		       CDA_POLICY, policy->account, times[policy->packages],
		       policy->recommends ? " with what they recommend" : "",
		       policy->users[0] != '\0' ? "uids " : "any uid", policy->users,
		       policy->lists[0] != '\0' ? "" : "any list", policy->lists,
		       policy->names[0] != '\0' ? "" : "any name", policy->names);
}

void cda_probe_policy(struct cda_case *c)
{
	char message[512];
	struct cda_text text = {.data = NULL};
	struct cda_policy policy;
	struct stat st = {.st_mode = 0};
	int rc = cda_world_stat(c->world, CDA_POLICY, &st);

	if (rc == 0)
		rc = cda_world_read(c->world, CDA_POLICY, &text);
	if (rc == -ENOENT) {
		cda_report_add(c->report, SETUID, "policy", CDA_OK,
			       "there is no '%s': its defaults hold", CDA_POLICY);
		return;
	}
	if (rc == -EACCES) {
		cda_report_add(
			c->report, SETUID, "policy", CDA_NOTE,
			"'%s' is for /startup alone to read: its settings reach apt and apk, not "
			"conda and pip",
			CDA_POLICY);
		return;
	}
	if (rc < 0) {
		cda_report_add(c->report, SETUID, "policy", CDA_PROBLEM, "'%s' cannot be read: %s",
			       CDA_POLICY, strerror(-rc));
		cda_report_todo(c->report, "in a Dockerfile as root: chmod 644 %s", CDA_POLICY);
		return;
	}
	cda_say_to(message, sizeof(message));
	rc = cda_policy_parse(&text, &policy);
	cda_say_to(NULL, 0);
	cda_world_free(&text);
	if (c->world->root[0] == '\0' && (st.st_uid != 0 || (st.st_mode & 022) != 0)) {
		cda_report_add(
			c->report, SETUID, "policy", CDA_PROBLEM,
			"'%s' must belong to root and be writable by root alone, or every start "
			"is refused: uid %lu, mode %04o",
			CDA_POLICY, (unsigned long)st.st_uid, (unsigned)st.st_mode & 07777);
		cda_report_todo(c->report, "in a Dockerfile as root: chown 0:0 %s && chmod 644 %s",
				CDA_POLICY, CDA_POLICY);
		return;
	}
	if (rc != 0) {
		cda_report_add(c->report, SETUID, "policy", CDA_PROBLEM, "%s", message);
		cda_report_todo(c->report, "correct the line: every start is refused until then");
		return;
	}
	c->policy = policy;
	tell_policy(c);
}
