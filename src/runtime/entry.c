/* entry - first process of the container: identity, lists, activation, then the entry script again.
 *
 * usage: entry SCRIPT [COMMAND...]. As root it does none of the first three. */
#include "accounts.h"
#include "outfit.h"
#include "paths.h"
#include "place.h"
#include "reap.h"
#include "remark.h"
#include "reqlist.h"
#include "say.h"
#include "stage.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* What a start does that has failed: CONDENSE_ON_ERROR. */
static bool go_on_anyhow;

/* Returns 0 or the exit status, with a message. */
static int load_mode(void)
{
	const char *mode = getenv("CONDENSE_ON_ERROR");

	go_on_anyhow = mode != NULL && strcmp(mode, "continue") == 0;
	if (mode == NULL || mode[0] == '\0' || go_on_anyhow || strcmp(mode, "stop") == 0)
		return 0;
	cda_say("CONDENSE_ON_ERROR is stop or continue");
	return CDA_EXIT_REFUSED;
}

/* Returns true if the start is over, with *status as the exit status. */
static bool ends(int *status)
{
	if (cda_reap_stopped() != 0) {
		*status = 128 + cda_reap_stopped();
		return true;
	}
	if (*status == 0)
		return false;
	cda_outfit_explain();
	if (go_on_anyhow) {
		cda_say("going on all the same, as CONDENSE_ON_ERROR=continue asks");
		*status = 0;
		return false;
	}
	cda_say("the command is not started; CONDENSE_ON_ERROR=continue would start it, and "
		"condense-doctor explains the container");
	return true;
}

/* What /startup calls the value of CONDENSE_REOWN; it refuses what it does not know. */
static const char *reown_word(void)
{
	static const char *const words[][2] = {{"1", "full"}, {"yes", "full"}, {"true", "full"},
					       {"0", ""},     {"no", ""},      {"false", ""}};
	const char *value = getenv("CONDENSE_REOWN");

	for (size_t i = 0; value != NULL && i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(value, words[i][0]) == 0)
			return words[i][1];
	}
	return value != NULL ? value : "";
}

/* With tail, what it says is kept there and not printed. */
static int run_startup(const char *only, char *tail, size_t tail_cap)
{
	static char uid[32], gid[32], user[512], home[CDA_HOME_MAX * 2], reown[64];
	const char *new_user = getenv("NEW_USER"), *new_home = getenv("NEW_HOME");
	const char *argv[] = {CDA_STARTUP, only, uid, gid, user, home, reown, NULL};
	const struct cda_run run = {.argv = argv,
				    .envp = environ,
				    .quiet_input = true,
				    .tail = tail,
				    .tail_cap = tail_cap,
				    .hold = tail != NULL};

	cda_put(uid, sizeof(uid), "-new_uid=%lu", (unsigned long)getuid());
	cda_put(gid, sizeof(gid), "-new_gid=%lu", (unsigned long)getgid());
	if (cda_put(user, sizeof(user), "-new_user=%s", new_user != NULL ? new_user : "") < 0)
		cda_put(user, sizeof(user), "-new_user=:");
	if (cda_put(home, sizeof(home), "-new_home=%s", new_home != NULL ? new_home : "") < 0)
		cda_put(home, sizeof(home), "-new_home=:");
	if (cda_put(reown, sizeof(reown), "-reown=%s", reown_word()) < 0)
		cda_put(reown, sizeof(reown), "-reown=:");
	return cda_reap_run(&run);
}

/* The account, or what takes its place. What /startup says and what follows from it is one line;
 * none where it is kept from its work and the caller has all that it wants anyhow. With
 * CONDENSE_REOWN it may work for long, and prints itself unless it is kept from that. Returns 0 or
 * the exit status. */
static int identify(void)
{
	char said[2048] = "";
	bool reown = reown_word()[0] != '\0', hindered = cda_place_hindered();
	bool content = !reown && cda_place_content(), held = hindered || !reown;
	int status = run_startup("-only=identity", held ? said : NULL, sizeof(said));
	bool cannot = status == CDA_EXIT_CANNOT || status == 126 || status == 127;

	if (!hindered || !cannot || !content)
		cda_remark_said(said);
	if (!cannot)
		cda_remark_tell();
	cda_place_user(status != 0 && !(cannot && held));
	if (cannot || status == 0)
		cda_place_group();
	cda_remark_tell();
	/* It said what cannot be; the command can run all the same. */
	return cannot ? 0 : status;
}

/* A list that is named relative to the folder of the start keeps its meaning after we left that. */
static void pin_lists(const struct cda_place *place)
{
	static const char *const variables[] = {"APT_REQUIREMENTS", "APK_REQUIREMENTS",
						"CONDA_REQUIREMENTS", "CONDA_ENVIRONMENT",
						"PIP_REQUIREMENTS"};
	char whole[PATH_MAX];

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *path = getenv(variables[i]);

		if (path != NULL && path[0] != '\0' && path[0] != '/' &&
		    cda_put(whole, sizeof(whole), "%s/%s", place->cwd, path) == 0)
			setenv(variables[i], whole, 1);
	}
}

/* /startup takes the list that is for the image's own package manager. */
static int install_os(const char *path)
{
	(void)path;
	return run_startup("-only=packages", NULL, 0);
}

/* In the order in which they are installed. Returns 0 or the exit status. */
static int install_lists(void)
{
	static const struct {
		const char *variable, *fallback;
		int (*install)(const char *path);
	} lists[] = {
		{"APT_REQUIREMENTS", "/tmp/apt_requirements.txt", install_os},
		{"APK_REQUIREMENTS", "/tmp/apk_requirements.txt", install_os},
		{"CONDA_REQUIREMENTS", "/tmp/conda_requirements.txt", cda_stage_conda},
		{"CONDA_ENVIRONMENT", "/tmp/environment.yml", cda_stage_environment},
		{"PIP_REQUIREMENTS", "/tmp/pip_requirements.txt", cda_stage_pip},
	};
	bool asked = false;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const char *path;
		int wanted = cda_stage_wanted(lists[i].variable, lists[i].fallback, &path);
		bool os = lists[i].install == install_os;
		int status = wanted < 0 ? CDA_EXIT_FAILED : 0;

		if (wanted > 0 && !(os && asked))
			status = lists[i].install(path);
		asked = asked || (os && wanted > 0);
		if (ends(&status))
			return status;
	}
	return 0;
}

/* Identity and lists of somebody who is not root. Returns 0 or the exit status. */
static int start_user(const struct cda_place *place)
{
	static char old_home[PATH_MAX];
	const char *home = getenv("HOME");
	int status;

	cda_put(old_home, sizeof(old_home), "%s", home != NULL ? home : "");
	pin_lists(place);
	status = cda_outfit_load();
	if (ends(&status))
		return status;
	status = identify();
	if (ends(&status))
		return status;
	umask(007);
	cda_place_seed();
	status = cda_outfit_wear();
	if (ends(&status))
		return status;
	status = install_lists();
	if (status != 0)
		return status;
	cda_place_return(place, old_home);
	return 0;
}

/* Where entry goes on as a program that has read nothing yet: argv[1] to the words' end are
 * RESUME MASK LEFTOVER SCRIPT [COMMAND...]. */
static const char resume[] = "--resume";
enum { RESUME_WORDS = 3 };

/* Begin again: what the start has read and decided takes more memory than all that comes. Returns
 * if that is not possible, which costs no more than that memory. */
static void begin_again(int argc, char **argv)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	char mask[32];
	char **words;

	if (self == NULL || self[0] != '/')
		return;
	words = calloc((size_t)argc + RESUME_WORDS + 1, sizeof(*words));
	if (words == NULL)
		return;
	cda_put(mask, sizeof(mask), "%lx", cda_reap_mask());
	words[0] = argv[0];
	words[1] = (char *)resume;
	words[2] = mask;
	words[3] = (char *)cda_outfit_leftover();
	memcpy(words + 1 + RESUME_WORDS, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	execve(self, words, environ);
	free(words);
}

/* Run the script again with the command's words behind it; argv is used up. */
static int run_command(char **argv)
{
	const struct cda_run run = {.argv = (const char *const *)argv,
				    .envp = environ,
				    .terminal = true,
				    .guard_start = true};

	return cda_reap_run(&run);
}

/* The second half of a start, after begin_again. */
static int go_on(int argc, char **argv)
{
	const char *leftover;
	int status;

	if (argc < 2 + RESUME_WORDS || cda_reap_resume(strtoul(argv[2], NULL, 16)) != 0)
		return CDA_EXIT_FAILED;
	leftover = argv[3];
	/* SCRIPT --entered COMMAND... in the same place */
	argv[3] = argv[4];
	argv[4] = (char *)"--entered";
	status = run_command(argv + 3);
	if (leftover[0] != '\0')
		unlink(leftover);
	return status;
}

/* All that comes before the command. Returns 0 or the exit status. */
static int start(void)
{
	static struct cda_place place;
	int status = load_mode();

	if (status != 0)
		return status;
	if (getuid() == 0) {
		cda_place_root();
		status = cda_outfit_load();
		if (status == 0)
			status = cda_outfit_wear();
		(void)ends(&status);
	} else {
		cda_place_save(&place);
		status = start_user(&place);
	}
	if (status == 0 && cda_reap_stopped() != 0)
		status = 128 + cda_reap_stopped();
	return status;
}

int main(int argc, char **argv)
{
	char **words;
	int status;

	if (argc < 2) {
		cda_say("usage: entry SCRIPT [COMMAND...]");
		return CDA_EXIT_REFUSED;
	}
	if (strcmp(argv[1], resume) == 0)
		return go_on(argc, argv);
	if (cda_reap_init() != 0) {
		cda_say("cannot take signals: %s", strerror(errno));
		return CDA_EXIT_FAILED;
	}
	status = start();
	words = status == 0 ? calloc((size_t)argc + 2, sizeof(*words)) : NULL;
	if (words != NULL) {
		begin_again(argc, argv);
		words[0] = argv[1];
		words[1] = (char *)"--entered";
		memcpy(words + 2, argv + 2, (size_t)(argc - 2) * sizeof(*words));
		status = run_command(words);
	} else if (status == 0) {
		status = CDA_EXIT_FAILED;
	}
	cda_outfit_drop();
	return status;
}
