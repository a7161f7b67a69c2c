/* startup - setuid root helper: gives the caller the image's account and installs listed OS
 * packages.
 *
 * Invariants: who asks is getuid() and getgid(), whatever the arguments say. Nothing of the
 * caller's environment reaches a program that runs as root. One account only can change, the
 * policy's. Lists are opened with the caller's rights. No heap. */
#include "identity.h"
#include "life.h"
#include "manager.h"
#include "ospkg.h"
#include "paths.h"
#include "priv.h"
#include "reap.h"
#include "request.h"
#include "say.h"
#include "transport.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int own_id(const char *text, uint32_t own, const char *what)
{
	uint32_t id;

	if (text == NULL || (cda_id_parse((struct cda_span){text, strlen(text)}, &id) && id == own))
		return 0;
	cda_say("%s '%s' is refused: the caller's is %lu", what, text, (unsigned long)own);
	return -1;
}

/* All of a home is given by a start alone, before any process of the user's runs, and as far as the
 * policy goes. Returns 0 or an exit status, with a message. */
static int check_reown(const struct cda_request *request, const struct cda_policy *policy,
		       bool *ret)
{
	struct cda_life life;

	*ret = false;
	if (request->reown == NULL)
		return 0;
	if (strcmp(request->reown, "full") != 0) {
		cda_say("CONDENSE_REOWN is 1 or 0: 1 gives the files of the home to who starts the "
			"container");
		return CDA_EXIT_REFUSED;
	}
	cda_life_load(&life);
	if (life.noted) {
		cda_say("CONDENSE_REOWN is for the start of a container, and this one is started: "
			"give it to 'docker run'");
		return 0; /* its processes have inherited it; nothing is wrong with them */
	}
	if (!policy->reown) {
		cda_say("CONDENSE_REOWN is not allowed by '%s': leave it out, or change its line "
			"'reown'",
			CDA_POLICY);
		return CDA_EXIT_REFUSED;
	}
	*ret = true;
	return 0;
}

static int check(const struct cda_request *request, const struct cda_policy *policy)
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

/* The first call of a life is its start's, whatever becomes of it: with a list, that may install
 * until it did. */
static void note_life(bool first, bool list)
{
	struct cda_life life;

	cda_life_load(&life);
	if (!first || (life.noted && (life.uid != getuid() || life.open == list)))
		return;
	life.uid = getuid();
	life.open = list;
	(void)cda_life_save(&life); /* a read-only root takes no packages either */
}

/* The start has done with its list, also where that could not even be read: what a later process
 * writes there is not installed. */
static void close_life(void)
{
	struct cda_life life;

	cda_life_load(&life);
	if (!life.noted || !life.open || life.uid != getuid())
		return;
	life.open = false;
	(void)cda_life_save(&life);
}

/* Policy, settings and the account. Returns 0 or an exit status, with a message. */
static int settle(const struct cda_request *request, const struct cda_setting_texts *given,
		  struct cda_policy *policy, struct cda_settings *settings)
{
	struct cda_identity id = {.uid = getuid(),
				  .gid = getgid(),
				  .new_user = request->new_user,
				  .new_home = request->new_home};
	int status;

	if (cda_policy_load(policy) != 0 || (cda_request_wants(request, "packages") &&
					     cda_settings_load(policy, given, settings) != 0))
		return CDA_EXIT_REFUSED;
	status = check(request, policy);
	if (status == 0)
		status = check_reown(request, policy, &id.all);
	if (status != 0 || !cda_request_wants(request, "identity"))
		return status;
	return cda_identity_apply(policy, &id);
}

int main(int argc, char **argv)
{
	static char apt[PATH_MAX], apk[PATH_MAX];
	static struct cda_setting_texts given;
	static struct cda_settings settings;
	struct cda_request request = {.user = NULL};
	static struct cda_policy policy;
	const char *lists[2];
	char cwd[PATH_MAX];
	enum cda_pm pm = CDA_APT;
	struct cda_life life;
	bool managed, packages, settable = true;
	int status;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cda_put(cwd, sizeof(cwd), "/");
	cda_priv_clean();
	lists[CDA_APT] =
		cda_request_list(getenv("APT_REQUIREMENTS"), "/tmp/apt_requirements.txt", cwd, apt);
	lists[CDA_APK] =
		cda_request_list(getenv("APK_REQUIREMENTS"), "/tmp/apk_requirements.txt", cwd, apk);
	status = cda_request_parse(argc, argv, &request);
	packages = status == 0 && cda_request_wants(&request, "packages");
	/* An account needs no settings, and is not kept by one that is none. */
	if (packages)
		settable = cda_settings_environment(&given) == 0;
	clearenv();
	if (status != 0)
		return CDA_EXIT_REFUSED;
	if (getuid() == 0)
		return 0; /* root needs no account, and installs with its own tools */
	if (geteuid() != 0) {
		cda_say(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
				? "no new privileges are allowed here: uid %lu gets no account, "
				  "new name, new home, files or OS packages"
				: "'%2$s' is not setuid root here: uid %1$lu gets no account, "
				  "new name, new home, files or OS packages",
			(unsigned long)getuid(), CDA_STARTUP);
		return CDA_EXIT_CANNOT;
	}
	if (cda_priv_shed() != 0)
		return CDA_EXIT_CANNOT;
	cda_life_load(&life);
	status = settable ? settle(&request, &given, &policy, &settings) : CDA_EXIT_REFUSED;
	if (status == CDA_EXIT_REFUSED) {
		note_life(!life.noted, false);
		if (packages)
			close_life();
		return status;
	}
	cda_transport_sweep();
	managed = cda_manager_find(&pm) == 0;
	note_life(!life.noted, managed && cda_ospkg_wanted(pm, lists[pm], &policy));
	if (managed && packages) {
		int rc;

		if (cda_reap_init() != 0)
			return CDA_EXIT_CANNOT;
		rc = cda_ospkg_install(pm, lists[pm], &policy, &settings);
		close_life();
		if (rc != 0)
			return rc;
	}
	return status;
}
