#include "place.h"

#include "accounts.h"
#include "names/own.h"
#include "paths.h"
#include "remark.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char passwd_data[1 << 20];

void cda_place_save(struct cda_place *ret)
{
	const char *pwd = getenv("PWD");
	struct stat here, there;

	ret->pwd[0] = '\0';
	if (getcwd(ret->cwd, sizeof(ret->cwd)) == NULL || ret->cwd[0] != '/')
		ret->cwd[0] = '\0';
	else if (pwd == NULL || pwd[0] != '/' || stat(pwd, &there) != 0 || stat(".", &here) != 0 ||
		 here.st_dev != there.st_dev || here.st_ino != there.st_ino ||
		 cda_put(ret->pwd, sizeof(ret->pwd), "%s", pwd) < 0)
		cda_put(ret->pwd, sizeof(ret->pwd), "%s", ret->cwd);
	if (chdir("/") != 0)
		cda_say("cannot leave '%s': %s", ret->cwd, strerror(errno));
}

static int own_account(struct cda_account *ret)
{
	struct cda_text passwd = {.data = passwd_data, .cap = sizeof(passwd_data)};
	struct stat st;
	int fd = cda_file_open(AT_FDCWD, "/etc/passwd", &st);
	int rc;

	if (fd < 0)
		return -1;
	rc = cda_file_read(fd, &passwd);
	close(fd);
	return rc < 0 ? -1 : cda_passwd_uid(&passwd, getuid(), ret);
}

static bool usable(const char *home)
{
	struct stat st;

	return home[0] == '/' && stat(home, &st) == 0 && S_ISDIR(st.st_mode) &&
	       access(home, R_OK | W_OK | X_OK) == 0;
}

/* Where the account has no home for us: the folder of the wanted name, else what HOME says. A
 * volume may be there even where no account can be had. */
static bool find_home(char ret[CDA_HOME_MAX])
{
	const char *name = getenv("NEW_USER"), *home = getenv("HOME");

	if (name != NULL && cda_name_valid(name) &&
	    cda_put(ret, CDA_HOME_MAX, "/home/%s", name) == 0 && usable(ret))
		return true;
	return home != NULL && cda_put(ret, CDA_HOME_MAX, "%s", home) == 0 && usable(ret);
}

/* A home of last resort: ours alone. /dev/shm can be written on a read-only root too. */
static int make_home(char ret[CDA_HOME_MAX])
{
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof(cda_own_places.homes) / sizeof(char *); i++) {
		cda_own_private(cda_own_places.homes[i], getuid(), ret);
		if (mkdir(ret, 0700) == 0 ||
		    (cda_own_is_private(ret, getuid()) && access(ret, R_OK | W_OK | X_OK) == 0))
			return 0;
		cda_put(ret, CDA_HOME_MAX, "%s-%lu-XXXXXX", cda_own_places.homes[i],
			(unsigned long)getuid());
		if (mkdtemp(ret) != NULL)
			return 0;
		if (i == 0)
			rc = -errno;
	}
	return rc;
}

/* Put value in front of PATH, and out of the rest of it. */
static void path_first(char *path, size_t cap, const char *value)
{
	static char rest[1 << 17];
	const char *at = path;
	size_t len = 0, size = strlen(value);

	while (*at != '\0') {
		size_t part = strcspn(at, ":");

		if (part > 0 && (part != size || strncmp(at, value, part) != 0) &&
		    len + part + 2 < sizeof(rest)) {
			rest[len++] = ':';
			memcpy(rest + len, at, part);
			len += part;
		}
		at += part + (at[part] == ':');
	}
	rest[len] = '\0';
	cda_put(path, cap, "%s%s", value, rest);
}

static bool path_has(const char *path, const char *value)
{
	size_t size = strlen(value);

	while (*path != '\0') {
		size_t part = strcspn(path, ":");

		if (part == size && strncmp(path, value, size) == 0)
			return true;
		path += part + (path[part] == ':');
	}
	return false;
}

static void set(const char *name, const char *value)
{
	if (setenv(name, value, 1) != 0)
		cda_say("cannot set '%s': %s", name, strerror(errno));
}

/* An image derived from ours may have another environment active: that stays. */
static void set_active(void)
{
	static const char *const defaults[][2] = {{"CONDA_DEFAULT_ENV", "base"},
						  {"CONDA_PREFIX", CDA_PREFIX},
						  {"CONDA_SHLVL", "1"},
						  {"CONDA_PROMPT_MODIFIER", "(base) "},
						  {"CONDA_EXE", CDA_PREFIX "/bin/conda"},
						  {"CONDA_PYTHON_EXE", CDA_PREFIX "/bin/python"}};
	const char *active = getenv("CONDA_PREFIX");

	if (active != NULL && active[0] != '\0')
		return;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		set(defaults[i][0], defaults[i][1]);
}

bool cda_place_hindered(void)
{
	enum { CAP_CHOWN = 0 };
	struct statvfs fs;
	struct stat st;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	       prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 0 || stat(CDA_STARTUP, &st) != 0 ||
	       st.st_uid != 0 || (st.st_mode & S_ISUID) == 0 || statvfs(CDA_STARTUP, &fs) != 0 ||
	       (fs.f_flag & ST_NOSUID) != 0 || statvfs("/etc", &fs) != 0 ||
	       (fs.f_flag & ST_RDONLY) != 0;
}

bool cda_place_content(void)
{
	const char *name = getenv("NEW_USER"), *home = getenv("NEW_HOME");
	struct cda_account account;
	struct stat st, wanted;

	if (own_account(&account) != 0 || !usable(account.home))
		return false;
	if (name != NULL && name[0] != '\0' && strcmp(name, account.name) != 0)
		return false;
	return home == NULL || home[0] == '\0' ||
	       (stat(home, &wanted) == 0 && stat(account.home, &st) == 0 &&
		wanted.st_dev == st.st_dev && wanted.st_ino == st.st_ino);
}

void cda_place_group(void)
{
	gid_t groups[256];
	struct stat st;
	int count;

	if (stat(CDA_PREFIX, &st) != 0 || st.st_uid == getuid() || st.st_gid == getgid() ||
	    access(CDA_PREFIX, W_OK) == 0)
		return;
	count = getgroups(sizeof(groups) / sizeof(*groups), groups);
	for (int i = 0; i < count; i++) {
		if (groups[i] == st.st_gid)
			return;
	}
	cda_remark_add("gid %lu is not '%s', so '%s' and '%s' are read-only; start with -u %lu:%s "
		       "or --group-add %s",
		       (unsigned long)getgid(), CDA_IMAGE_ACCOUNT, CDA_PREFIX, CDA_WORK,
		       (unsigned long)getuid(), CDA_IMAGE_ACCOUNT, CDA_IMAGE_ACCOUNT);
}

/* Programs of musl ask for names where LD_PRELOAD says. What is there already stays first. */
static void preload(void)
{
	static char list[1 << 12];
	const char *now = getenv("LD_PRELOAD");

	if (access(CDA_PRELOAD, R_OK) != 0 || (now != NULL && strstr(now, CDA_PRELOAD) != NULL))
		return;
	if (now == NULL || now[0] == '\0')
		set("LD_PRELOAD", CDA_PRELOAD);
	else if (cda_put(list, sizeof(list), "%s:%s", now, CDA_PRELOAD) == 0)
		set("LD_PRELOAD", list);
}

/* The name of a uid that has no account, which is what its own programs are told. */
static void give_name(struct cda_account *account, bool silent)
{
	const char *wanted = getenv("NEW_USER");
	struct cda_caller caller;
	struct cda_own own;

	/* Asked here too: a weak reference alone brings nothing into a static program. */
	if (getauxval(AT_SECURE) != 0 || !cda_own_caller(&caller) ||
	    cda_own_record(&cda_own_places, &caller, &own) != 0) {
		if (!silent)
			cda_remark_add("it has no name");
		return;
	}
	cda_put(account->name, sizeof(account->name), "%s", own.is.account);
	preload();
	if (silent)
		return;
	if (wanted != NULL && wanted[0] != '\0' && strcmp(wanted, account->name) != 0)
		cda_remark_add("NEW_USER is not a name that is free, so its name is '%s'",
			       account->name);
	else
		cda_remark_add("its programs see the name '%s'", account->name);
}

void cda_place_user(bool silent)
{
	static char path[1 << 17];
	struct cda_account account = {.name = CDA_IMAGE_ACCOUNT, .home = ""};
	const char *now = getenv("PATH"), *before = getenv("HOME");
	char real[PATH_MAX], local[PATH_MAX + 16];
	bool known = own_account(&account) == 0;

	if (!known || !usable(account.home)) {
		char home[CDA_HOME_MAX];
		int rc = find_home(home) ? 0 : make_home(home);

		if (rc < 0)
			cda_remark_add("there is no home that uid %lu can write: %s",
				       (unsigned long)getuid(), strerror(-rc));
		else if (!silent && (before == NULL || strcmp(home, before) != 0))
			cda_remark_add("HOME is '%s'", home);
		cda_put(account.home, sizeof(account.home), "%s", rc < 0 ? "/tmp" : home);
	}
	set("HOME", account.home);
	if (!known)
		give_name(&account, silent);
	set("USER", account.name);
	set("LOGNAME", account.name);
	set_active();
	cda_put(path, sizeof(path), "%s", now != NULL && now[0] != '\0' ? now : CDA_SYSTEM_PATH);
	if (!path_has(path, CDA_PREFIX "/bin"))
		path_first(path, sizeof(path), CDA_PREFIX "/bin");
	if (realpath(account.home, real) != NULL &&
	    cda_put(local, sizeof(local), "%s/.local/bin", real) == 0)
		path_first(path, sizeof(path), local);
	set("PATH", path);
}

void cda_place_root(void)
{
	const char *home = getenv("HOME");

	if (home == NULL || strcmp(home, "/root") != 0)
		set("HOME", "/root");
	set("USER", "root");
	set("LOGNAME", "root");
	set_active();
	set("PATH", CDA_SYSTEM_PATH ":" CDA_PREFIX "/bin");
}

/* What of path comes after folder, "" if they are the same; NULL if it is not inside or there is
 * no folder. */
static const char *inside(const char *path, const char *folder)
{
	size_t len = folder != NULL ? strlen(folder) : 0;

	if (len < 2 || strncmp(path, folder, len) != 0 || (path[len] != '\0' && path[len] != '/'))
		return NULL;
	return path + len;
}

void cda_place_return(const struct cda_place *place, const char *old_home)
{
	const char *home = getenv("HOME"), *rest = NULL;
	char real[PATH_MAX];
	const char *const olds[] = {old_home, home != NULL ? realpath(home, real) : NULL,
				    "/home/" CDA_IMAGE_ACCOUNT, "/home/." CDA_IMAGE_ACCOUNT};
	static char to[PATH_MAX];

	cda_put(to, sizeof(to), "%s", place->pwd);
	for (size_t i = 0; rest == NULL && home != NULL && i < sizeof(olds) / sizeof(*olds); i++) {
		rest = inside(place->pwd, olds[i]);
		if (rest == NULL)
			rest = inside(place->cwd, olds[i]);
		if (rest != NULL && cda_put(to, sizeof(to), "%s%s", home, rest) < 0)
			to[0] = '\0';
	}
	if (to[0] != '\0' && chdir(to) == 0) {
		set("PWD", to);
		return;
	}
	if (rest != NULL && chdir(home) == 0) {
		set("PWD", home);
		return;
	}
	cda_say("cannot go back to '%s': %s; the command starts in '/'",
		place->cwd[0] != '\0' ? place->cwd : "the working folder", strerror(errno));
	set("PWD", "/");
}

static void seed_one(int skel, int home, const char *name)
{
	char data[8192];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	struct stat st;
	int out, in = cda_file_open(skel, name, &st);

	if (in < 0)
		return;
	if (cda_file_read(in, &text) == 0) {
		out = openat(home, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			     0660);
		if (out >= 0) {
			if (cda_file_write(out, text.data, text.len) < 0)
				unlinkat(home, name, 0);
			close(out);
		}
	}
	close(in);
}

void cda_place_seed(void)
{
	const char *home = getenv("HOME");
	int skel = open(CDA_SKEL, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = home != NULL ? open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct cda_dir dir;
	const char *name;

	if (skel >= 0 && to >= 0) {
		cda_dir_init(&dir, skel);
		while ((name = cda_dir_next(&dir)) != NULL)
			seed_one(skel, to, name);
	}
	if (skel >= 0)
		close(skel);
	if (to >= 0)
		close(to);
}
