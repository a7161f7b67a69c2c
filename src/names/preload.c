/* preload.c - names.so, for programs of musl, whose library asks nobody but /etc/passwd: put before
 * it by LD_PRELOAD, it adds what libnss_condense.so.2 adds for glibc, and nothing else. Has no
 * needed library, so that both loaders take it; struct passwd is the same in both. */
#include "own.h"

#include <dlfcn.h>
#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT struct passwd *getpwuid(uid_t uid);
EXPORT struct passwd *getpwnam(const char *name);
EXPORT int getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t len, struct passwd **result);
EXPORT int getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t len,
		      struct passwd **result);

extern __typeof__(dlsym) dlsym __attribute__((weak));

/* The library's own function of that name. */
static void *next(const char *name)
{
	return dlsym != NULL ? dlsym(RTLD_NEXT, name) : NULL;
}

/* The caller's record, if it is the one that is asked for: by name, or where that is NULL by uid.
 */
static bool is_own(const char *name, uid_t uid, struct cda_own *ret)
{
	struct cda_caller caller;
	size_t i = 0;

	if (!cda_own_caller(&caller) || (name == NULL && uid != caller.uid) ||
	    cda_own_record(&cda_own_places, &caller, ret) != 0)
		return false;
	if (name == NULL)
		return true;
	while (name[i] != '\0' && name[i] == ret->is.account[i])
		i++;
	return name[i] == ret->is.account[i];
}

/* As everywhere, the answer lasts until the next call. */
static struct passwd *lasting(const char *name, uid_t uid)
{
	static char buf[sizeof(struct cda_template) + 8];
	static struct passwd ret;
	struct cda_own own;

	return is_own(name, uid, &own) && cda_own_passwd(&own, &ret, buf, sizeof(buf)) == 0 ? &ret
											    : NULL;
}

static int reentrant(const char *name, uid_t uid, struct passwd *ret, char *buf, size_t len,
		     struct passwd **result)
{
	struct cda_own own;

	*result = NULL;
	if (!is_own(name, uid, &own))
		return 0;
	if (cda_own_passwd(&own, ret, buf, len) != 0)
		return ERANGE;
	*result = ret;
	return 0;
}

struct passwd *getpwuid(uid_t uid)
{
	struct passwd *(*real)(uid_t) = next("getpwuid");
	struct passwd *found = real != NULL ? real(uid) : NULL;

	return found != NULL ? found : lasting(NULL, uid);
}

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*real)(const char *) = next("getpwnam");
	struct passwd *found = real != NULL ? real(name) : NULL;

	return found != NULL ? found : lasting(name, 0);
}

/* An answer and a failure are the library's; what it does not know may be the caller. */
int getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t len, struct passwd **result)
{
	int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **) = next("getpwuid_r");
	int rc = real != NULL ? real(uid, ret, buf, len, result) : 0;

	if (real != NULL && (*result != NULL || (rc != 0 && rc != ENOENT)))
		return rc;
	return reentrant(NULL, uid, ret, buf, len, result);
}

int getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t len, struct passwd **result)
{
	int (*real)(const char *, struct passwd *, char *, size_t, struct passwd **) =
		next("getpwnam_r");
	int rc = real != NULL ? real(name, ret, buf, len, result) : 0;

	if (real != NULL && (*result != NULL || (rc != 0 && rc != ENOENT)))
		return rc;
	return reentrant(name, 0, ret, buf, len, result);
}
