#include "manager.h"

#include "blame.h"
#include "priv.h"
#include "reap.h"
#include "say.h"
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TAIL = 8192, MAX_ARGS = CDA_LIST_NAMES + 32 };

static char tail[TAIL];
static const char *args[MAX_ARGS];

/* What an install under root may see of the environment: nothing of the caller's. */
static const char *const base_environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					       "HOME=/root",
					       "LC_ALL=C",
					       "DEBIAN_FRONTEND=noninteractive",
					       "DEBCONF_NONINTERACTIVE_SEEN=true",
					       "TMPDIR=/tmp",
					       NULL};

/* The environment of every run as root: the one place where it is made. */
static char *const *environment(void)
{
	static const char *all[sizeof(base_environment) / sizeof(*base_environment) + 8];
	const char *const *more = cda_transport_environment();
	int n = 0;

	for (; base_environment[n] != NULL; n++)
		all[n] = base_environment[n];
	while (*more != NULL)
		all[n++] = *more++;
	all[n] = NULL;
	return (char *const *)all;
}

/* The program, the options of the transport, then the rest: what is said last counts. */
static const char *const *with_options(const char *const *argv)
{
	static const char *all[MAX_ARGS + 8];
	const char *const *more = cda_transport_options();
	int n = 0;

	all[n++] = *argv++;
	while (*more != NULL)
		all[n++] = *more++;
	while (*argv != NULL)
		all[n++] = *argv++;
	all[n] = NULL;
	return all;
}

/* Whatever a file says: apt takes nothing that a known key does not sign. apk does so unless an
 * option says otherwise. */
#define SIGNED                                                                                     \
	"-o", "Acquire::AllowInsecureRepositories=0", "-o", "Acquire::AllowWeakRepositories=0",    \
		"-o", "Acquire::AllowDowngradeToInsecureRepositories=0", "-o",                     \
		"APT::Get::AllowUnauthenticated=0"

#define RECOMMENDS "APT::Install-Recommends="

/* update: fetch the lists; names: print the name of each package, one a line; plan: print what
 * install would do, if the program removes packages unasked; install: do it. marks: what the
 * program puts before a cause; none: its last line is the cause. */
struct manager {
	const char *program;
	const char *update[20], *names[6], *plan[10], *install[28], *marks[2];
};

static const struct manager managers[] = {
	[CDA_APT] = {"/usr/bin/apt-get",
		     {"/usr/bin/apt-get", "-q", "-o", "Acquire::Retries=2", SIGNED, "-o",
		      "APT::Update::Error-Mode=any", "update", NULL},
		     {"/usr/bin/apt-cache", "pkgnames", NULL},
		     {NULL},
		     {"/usr/bin/apt-get", "-q", "-y", "-o", "Acquire::Retries=2", SIGNED, "-o",
		      "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", "-o",
		      RECOMMENDS "0", "--no-remove", "install", "--", NULL},
		     {NULL}},
	[CDA_APK] = {"/sbin/apk",
		     {"/sbin/apk", "--no-progress", "--wait", "60", "update", NULL},
		     {"/sbin/apk", "-q", "search", "--from", "system", NULL},
		     {"/sbin/apk", "--no-progress", "--no-interactive", "add", "--simulate", "--",
		      NULL},
		     {"/sbin/apk", "--no-progress", "--no-interactive", "--wait", "60", "add", "--",
		      NULL},
		     {"ERROR: ", "WARNING: "}},
};

int cda_manager_find(enum cda_pm *ret)
{
	for (enum cda_pm pm = CDA_APT; pm <= CDA_APK; pm++) {
		if (access(managers[pm].program, X_OK) == 0) {
			*ret = pm;
			return 0;
		}
	}
	return -1;
}

/* argv is whole. */
static int run_plain(const char *const *argv)
{
	const struct cda_run spec = {.argv = argv,
				     .envp = environment(),
				     .cwd = "/",
				     .quiet_input = true,
				     .no_output = true,
				     .progress = true,
				     .prepare = cda_priv_all_root,
				     .tail = tail,
				     .tail_cap = sizeof(tail)};

	return cda_reap_insist(&spec, cda_blame_transient);
}

static int run(const char *const *argv)
{
	return run_plain(with_options(argv));
}

/* Cuts what a program prints into lines; one that is too long is left out. */
struct lines {
	void (*each)(const char *line);
	char line[256];
	size_t len;
};

static void take_lines(void *ctx, const char *data, size_t len)
{
	struct lines *lines = ctx;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (lines->len < sizeof(lines->line) - 1)
				lines->line[lines->len] = data[i];
			lines->len++;
			continue;
		}
		if (lines->len > 0 && lines->len < sizeof(lines->line)) {
			lines->line[lines->len] = '\0';
			lines->each(lines->line);
		}
		lines->len = 0;
	}
}

static int ask(const char *const *argv, void (*each)(const char *line))
{
	struct lines lines = {.each = each};
	const struct cda_run spec = {.argv = with_options(argv),
				     .envp = environment(),
				     .cwd = "/",
				     .quiet_input = true,
				     .progress = true,
				     .prepare = cda_priv_all_root,
				     .tail = tail,
				     .tail_cap = sizeof(tail),
				     .output = take_lines,
				     .ctx = &lines};

	return cda_reap_run(&spec);
}

static const char *const *with_names(const char *const *words, const struct cda_reqlist *list)
{
	int n = 0;

	while (words[n] != NULL) {
		args[n] = words[n];
		n++;
	}
	for (int i = 0; i < list->count; i++)
		args[n++] = list->pkgs[i].text;
	args[n] = NULL;
	return args;
}

/* Files named by digits: the changes that dpkg has not yet put into its database. */
static bool was_interrupted(void)
{
	struct cda_dir dir;
	const char *name;
	bool found = false;
	int fd = open("/var/lib/dpkg/updates", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	cda_dir_init(&dir, fd);
	while (!found && (name = cda_dir_next(&dir)) != NULL)
		found = name[strspn(name, "0123456789")] == '\0';
	close(fd);
	return found;
}

int cda_manager_complete(enum cda_pm pm)
{
	static const char *const words[] = {"/usr/bin/dpkg", "--force-confold", "--configure", "-a",
					    NULL};

	return pm == CDA_APT && was_interrupted() ? run_plain(words) : 0;
}

int cda_manager_update(enum cda_pm pm)
{
	return run(managers[pm].update);
}

int cda_manager_names(enum cda_pm pm, void (*each)(const char *line))
{
	return ask(managers[pm].names, each);
}

int cda_manager_plan(enum cda_pm pm, const struct cda_reqlist *list, void (*each)(const char *line))
{
	int status;

	if (managers[pm].plan[0] == NULL)
		return 0;
	status = ask(with_names(managers[pm].plan, list), each);
	return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : status;
}

int cda_manager_install(enum cda_pm pm, const struct cda_reqlist *list, bool recommends)
{
	with_names(managers[pm].install, list);
	for (int i = 0; recommends && args[i] != NULL; i++) {
		if (strcmp(args[i], RECOMMENDS "0") == 0)
			args[i] = RECOMMENDS "1";
	}
	return run(args);
}

const char *cda_manager_said(void)
{
	return tail;
}

/* What apk says of an error goes on in indented lines: as one line. */
static const char *cause_of_apk(const char *mark)
{
	char *start = strstr(tail, mark), *to = start;

	if (start == NULL)
		return NULL;
	start += strlen(mark);
	to = start;
	for (const char *from = start; *from != '\0'; from++) {
		if (*from == '\n' && from[1] != ' ')
			break;
		if (*from != '\n' && (*from != ' ' || to == start || to[-1] != ' '))
			*to++ = *from;
	}
	*to = '\0';
	return start;
}

/* What follows the first mark, else the last line of the tail that says something, or the one that
 * it follows from. */
const char *cda_manager_cause(enum cda_pm pm)
{
	const struct manager *manager = &managers[pm];
	size_t len = strlen(tail);
	char *last;

	for (int i = 0; i < 2 && manager->marks[i] != NULL; i++) {
		const char *text = cause_of_apk(manager->marks[i]);

		if (text != NULL)
			return text;
	}
	do {
		while (len > 0 && (tail[len - 1] == '\n' || tail[len - 1] == ' '))
			tail[--len] = '\0';
		last = strrchr(tail, '\n');
		last = last != NULL ? last + 1 : tail;
		len = (size_t)(last - tail);
		/* apt's, behind the line that tells which and why. */
	} while (len > 0 && strncmp(last, "E: Some index files failed", 26) == 0);
	return *last != '\0' ? cda_blame_behind(tail, last) : "no word from the package manager";
}

static void remove_files(const char *path, int depth)
{
	struct cda_dir dir;
	const char *name;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	cda_dir_init(&dir, fd);
	while ((name = cda_dir_next(&dir)) != NULL) {
		char below[512];

		if (unlinkat(fd, name, 0) == 0 || depth == 0)
			continue;
		if (cda_put(below, sizeof(below), "%s/%s", path, name) == 0)
			remove_files(below, depth - 1);
	}
	close(fd);
}

void cda_manager_clean(enum cda_pm pm)
{
	if (pm == CDA_APK) {
		remove_files("/var/cache/apk", 0);
		return;
	}
	remove_files("/var/lib/apt/lists", 1);
	remove_files("/var/cache/apt/archives", 1);
	unlink("/var/cache/apt/pkgcache.bin");
	unlink("/var/cache/apt/srcpkgcache.bin");
}
