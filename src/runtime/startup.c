/* startup - setuid root helper: gives the caller the image's account and installs listed OS
 * packages.
 *
 * Invariants: who asks is getuid() and getgid(), whatever the arguments say. Nothing of the
 * caller's environment reaches a program that runs as root. One account only can change, the
 * policy's. Lists are opened with the caller's rights. No heap. */
#include "identity.h"
#include "ospkg.h"
#include "paths.h"
#include "priv.h"
#include "reap.h"
#include "say.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct request {
	const char *user, *new_uid, *new_gid, *new_user, *new_home, *only;
};

struct option {
	const char *name;
	size_t at;
};

#define FIELD(name) offsetof(struct request, name)

static const struct option options[] = {
	{"user", FIELD(user)},         {"new_uid", FIELD(new_uid)},   {"new_gid", FIELD(new_gid)},
	{"new_user", FIELD(new_user)}, {"new_home", FIELD(new_home)}, {"only", FIELD(only)},
};

/* -name=value or --name=value. An empty value counts as not given. */
static int parse(int argc, char **argv, struct request *ret)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *value = strchr(arg, '=');
		size_t n = 0;

		arg += arg[0] == '-';
		arg += arg[0] == '-';
		while (value != NULL && n < sizeof(options) / sizeof(*options) &&
		       (strlen(options[n].name) != (size_t)(value - arg) ||
			strncmp(options[n].name, arg, (size_t)(value - arg)) != 0))
			n++;
		if (argv[i][0] != '-' || value == NULL || n == sizeof(options) / sizeof(*options)) {
			cda_say("usage: startup [-user=NAME] [-new_uid=UID] [-new_gid=GID] "
				"[-new_user=NAME] [-new_home=PATH] [-only=identity|packages]");
			return -1;
		}
		if (value[1] != '\0')
			*(const char **)(void *)((char *)ret + options[n].at) = value + 1;
	}
	return 0;
}

static int own_id(const char *text, uint32_t own, const char *what)
{
	uint32_t id;

	if (text == NULL || (cda_id_parse((struct cda_span){text, strlen(text)}, &id) && id == own))
		return 0;
	cda_say("%s '%s' is refused: the caller's is %lu", what, text, (unsigned long)own);
	return -1;
}

static int check(const struct request *request, const struct cda_policy *policy)
{
	struct cda_record record;

	if (own_id(request->new_uid, getuid(), "uid") != 0 ||
	    own_id(request->new_gid, getgid(), "gid") != 0)
		return CDA_EXIT_REFUSED;
	if (request->only != NULL && strcmp(request->only, "identity") != 0 &&
	    strcmp(request->only, "packages") != 0) {
		cda_say("-only is identity or packages");
		return CDA_EXIT_REFUSED;
	}
	if (request->user == NULL || strcmp(request->user, policy->account) == 0)
		return 0;
	if (cda_record_load(policy, &record) == 1 && strcmp(request->user, record.name) == 0)
		return 0;
	cda_say("user '%s' is refused: the account to give away is '%s'", request->user,
		policy->account);
	return CDA_EXIT_REFUSED;
}

static bool wants(const struct request *request, const char *part)
{
	return request->only == NULL || strcmp(request->only, part) == 0;
}

/* A copy of the caller's value, seen from the folder cwd; none or an overlong one counts as the
 * default. */
static const char *list_path(const char *variable, const char *fallback, const char *cwd,
			     char buf[PATH_MAX])
{
	const char *value = getenv(variable);

	if (value == NULL || value[0] == '\0' ||
	    cda_put(buf, PATH_MAX, "%s%s%s", value[0] == '/' ? "" : cwd, value[0] == '/' ? "" : "/",
		    value) < 0)
		return fallback;
	return buf;
}

int main(int argc, char **argv)
{
	static char apt[PATH_MAX], apk[PATH_MAX];
	struct request request = {.user = NULL};
	struct cda_policy policy;
	const char *lists[2];
	char cwd[PATH_MAX];
	enum cda_pm pm;
	int status = 0;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cda_put(cwd, sizeof(cwd), "/");
	cda_priv_clean();
	lists[CDA_APT] = list_path("APT_REQUIREMENTS", "/tmp/apt_requirements.txt", cwd, apt);
	lists[CDA_APK] = list_path("APK_REQUIREMENTS", "/tmp/apk_requirements.txt", cwd, apk);
	clearenv();
	if (parse(argc, argv, &request) != 0)
		return CDA_EXIT_REFUSED;
	if (getuid() == 0)
		return 0; /* root needs no account, and installs with its own tools */
	if (geteuid() != 0) {
		cda_say(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
				? "no new privileges are allowed here: uid %lu gets no account "
				  "name "
				  "and no OS packages"
				: "'%2$s' is not setuid root here: uid %1$lu gets no account name "
				  "and "
				  "no OS packages",
			(unsigned long)getuid(), CDA_STARTUP);
		return CDA_EXIT_CANNOT;
	}
	if (cda_policy_load(&policy) != 0)
		return CDA_EXIT_REFUSED;
	status = check(&request, &policy);
	if (status != 0)
		return status;
	if (wants(&request, "identity")) {
		const struct cda_identity id = {.uid = getuid(),
						.gid = getgid(),
						.new_user = request.new_user,
						.new_home = request.new_home};

		status = cda_identity_apply(&policy, &id);
		if (status == CDA_EXIT_REFUSED)
			return status;
	}
	if (wants(&request, "packages") && !policy.packages) {
		if (request.only != NULL)
			cda_say("OS packages are not installed: '%s' says 'packages deny'",
				CDA_POLICY);
	} else if (wants(&request, "packages") && cda_ospkg_manager(&pm) == 0) {
		int rc;

		if (cda_reap_init() != 0)
			return CDA_EXIT_CANNOT;
		rc = cda_ospkg_install(pm, lists[pm]);
		if (rc != 0)
			return rc;
	}
	return status;
}
