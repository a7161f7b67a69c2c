#include "own.h"

#include "sys.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

const struct cda_own_places cda_own_places = {.names = CDA_NAMES_FILE,
					      .passwd = "/etc/passwd",
					      .group = "/etc/group",
					      .homes = {"/tmp/home", "/dev/shm/home"},
					      .owner = 0};

/* Every C library has them; where one does not, there is no answer. */
extern unsigned long getauxval(unsigned long type) __attribute__((weak));
extern char **environ __attribute__((weak));

enum { NOT_ROOTS = 022, STRANGERS = 02 };

static const char *variable(const char *name)
{
	for (char **at = &environ != NULL ? environ : NULL; at != NULL && *at != NULL; at++) {
		size_t i = 0;

		while (name[i] != '\0' && (*at)[i] == name[i])
			i++;
		if (name[i] == '\0' && (*at)[i] == '=')
			return *at + i + 1;
	}
	return NULL;
}

/* Real, effective and saved id, if they are one. */
static bool one_id(long number, uint32_t *ret)
{
	uint32_t id[3];

	if (cda_sys(number, (long)&id[0], (long)&id[1], (long)&id[2], 0) != 0 || id[0] != id[1] ||
	    id[0] != id[2])
		return false;
	*ret = id[0];
	return true;
}

bool cda_own_caller(struct cda_caller *ret)
{
	/* First of all: nothing is read from the environment before. */
	if (getauxval == NULL || getauxval(AT_SECURE) != 0)
		return false;
	if (!one_id(SYS_getresuid, &ret->uid) || ret->uid == 0 || !one_id(SYS_getresgid, &ret->gid))
		return false;
	ret->home = variable("HOME");
	ret->new_user = variable("NEW_USER");
	return true;
}

static long look_at(const char *path, struct stat *ret, int flags)
{
	return cda_sys(SYS_newfstatat, AT_FDCWD, (long)path, (long)ret, flags);
}

/* A regular file, without waiting for anything. */
static int open_file(const char *path, int flags, struct stat *ret)
{
	int fd = (int)cda_sys(SYS_openat, AT_FDCWD, (long)path,
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0);

	if (fd < 0)
		return -1;
	if (cda_sys(SYS_fstat, fd, (long)ret, 0, 0) == 0 && S_ISREG(ret->st_mode))
		return fd;
	cda_sys(SYS_close, fd, 0, 0, 0);
	return -1;
}

static long read_some(int fd, char *data, size_t cap)
{
	long got;

	do {
		got = cda_sys(SYS_read, fd, (long)data, (long)cap, 0);
	} while (got == -EINTR);
	return got;
}

static int load(const struct cda_own_places *places, struct cda_template *ret)
{
	char text[CDA_TEMPLATE_MAX + 1];
	struct stat st;
	size_t len = 0;
	long got = 0;
	int fd = open_file(places->names, O_NOFOLLOW, &st);

	if (fd < 0)
		return -1;
	if (st.st_uid != places->owner || (st.st_mode & NOT_ROOTS) != 0)
		got = -1;
	while (got >= 0 && len < sizeof(text)) {
		got = read_some(fd, text + len, sizeof(text) - len);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	cda_sys(SYS_close, fd, 0, 0, 0);
	if (got < 0 || len > CDA_TEMPLATE_MAX)
		return -1;
	return cda_template_parse(text, len, ret);
}

/* Does a line of the file begin with the name and a ':', or may it? */
static bool is_taken(const char *path, const char *name)
{
	char data[1024];
	struct stat st;
	bool found = false, matching = true;
	size_t at = 0;
	long got;
	int fd = open_file(path, 0, &st);

	if (fd < 0)
		return true;
	while (!found && (got = read_some(fd, data, sizeof(data))) > 0) {
		for (long i = 0; i < got && !found; i++) {
			if (data[i] == '\n') {
				found = matching && at > 0 && name[at] == '\0';
				matching = true;
				at = 0;
			} else if (matching && name[at] == '\0') {
				found = data[i] == ':';
				matching = false;
			} else if (matching) {
				matching = data[i] == name[at];
				at++;
			}
		}
	}
	cda_sys(SYS_close, fd, 0, 0, 0);
	return found || got < 0 || (matching && at > 0 && name[at] == '\0');
}

static size_t length(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}

/* Both fit: the callers know their lengths. */
static char *append(char *to, const char *text)
{
	while (*text != '\0')
		*to++ = *text++;
	*to = '\0';
	return to;
}

static char *append_id(char *to, uint32_t id)
{
	char digits[16];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + id % 10);
		id /= 10;
	} while (id > 0);
	return append(to, digits + at);
}

void cda_own_private(const char *base, uint32_t uid, char ret[CDA_OWN_PATH_MAX])
{
	append_id(append(append(ret, base), "-"), uid);
}

bool cda_own_is_private(const char *path, uint32_t uid)
{
	struct stat st;

	return look_at(path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == uid && (st.st_mode & NOT_ROOTS) == 0;
}

static bool is_home(const struct cda_caller *caller)
{
	struct stat st;

	if (caller->home == NULL || caller->home[0] != '/' ||
	    !cda_own_field_valid(caller->home, CDA_OWN_PATH_MAX) ||
	    look_at(caller->home, &st, 0) != 0 || !S_ISDIR(st.st_mode))
		return false;
	if (st.st_uid == caller->uid)
		return true;
	return (st.st_mode & STRANGERS) == 0 &&
	       cda_sys(SYS_faccessat, AT_FDCWD, (long)caller->home, R_OK | W_OK | X_OK, 0) == 0;
}

int cda_own_record(const struct cda_own_places *places, const struct cda_caller *caller,
		   struct cda_own *ret)
{
	char home[CDA_OWN_PATH_MAX];

	if (load(places, &ret->is) != 0)
		return -1;
	ret->uid = caller->uid;
	ret->gid = caller->gid;
	if (caller->new_user != NULL && cda_own_name_valid(caller->new_user) &&
	    !is_taken(places->passwd, caller->new_user))
		append(ret->is.account, caller->new_user);
	if (is_home(caller)) {
		append(ret->is.home, caller->home);
		return 0;
	}
	for (size_t i = 0; i < sizeof(places->homes) / sizeof(*places->homes); i++) {
		cda_own_private(places->homes[i], caller->uid, home);
		if (cda_own_is_private(home, caller->uid)) {
			append(ret->is.home, home);
			break;
		}
	}
	return 0;
}

/* Text to *at, as a string of its own. */
static char *keep(char **at, const char *text)
{
	char *start = *at;

	*at = append(start, text) + 1;
	return start;
}

int cda_own_passwd(const struct cda_own *own, struct passwd *ret, char *buf, size_t len)
{
	const struct cda_template *is = &own->is;

	if (length(is->account) + length(is->gecos) + length(is->home) + length(is->shell) +
		    sizeof("x") + 4 >
	    len)
		return -1;
	ret->pw_name = keep(&buf, is->account);
	ret->pw_passwd = keep(&buf, "x");
	ret->pw_uid = own->uid;
	ret->pw_gid = own->gid;
	ret->pw_gecos = keep(&buf, is->gecos);
	ret->pw_dir = keep(&buf, is->home);
	ret->pw_shell = keep(&buf, is->shell);
	return 0;
}

static bool is_mine(const struct cda_caller *caller, uint32_t gid)
{
	uint32_t groups[256];
	long count;

	if (gid == 0)
		return false;
	if (gid == caller->gid)
		return true;
	count = cda_sys(SYS_getgroups, sizeof(groups) / sizeof(*groups), (long)groups, 0, 0);
	for (long i = 0; i < count; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The number of gidNUMBER, or 0. */
static uint32_t number_of(const char *name)
{
	static const char lead[] = "gid";
	uint64_t id = 0;

	for (size_t i = 0; i < sizeof(lead) - 1; i++) {
		if (name[i] != lead[i])
			return 0;
	}
	for (name += sizeof(lead) - 1; *name >= '0' && *name <= '9' && id <= UINT32_MAX; name++)
		id = id * 10 + (uint64_t)(*name - '0');
	return *name == '\0' && id <= UINT32_MAX ? (uint32_t)id : 0;
}

int cda_own_group(const struct cda_own_places *places, const struct cda_caller *caller,
		  const char *name, uint32_t gid, struct group *ret, char *buf, size_t len)
{
	struct cda_template template;
	char own[16 + 3];
	size_t pad = (size_t)(-(uintptr_t)buf % sizeof(char *));

	if (name != NULL)
		gid = number_of(name);
	append_id(append(own, "gid"), gid);
	if ((name != NULL && !same(name, own)) || !is_mine(caller, gid) ||
	    load(places, &template) != 0 || is_taken(places->group, own))
		return 0;
	if (pad + sizeof(char *) + length(own) + 1 + sizeof("x") > len)
		return -1;
	ret->gr_mem = (char **)(void *)(buf + pad);
	ret->gr_mem[0] = NULL;
	buf += pad + sizeof(char *);
	ret->gr_name = keep(&buf, own);
	ret->gr_passwd = keep(&buf, "x");
	ret->gr_gid = gid;
	return 1;
}
