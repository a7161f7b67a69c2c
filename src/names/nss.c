/* nss.c - libnss_condense.so.2, a service of glibc's name service switch, asked after `files`: the
 * functions that nsswitch.conf's `condense` stands for. Nothing is listed (no getpwent), so that
 * `getent passwd` tells what the files hold. */
#include "own.h"

#include <errno.h>
#include <nss.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT enum nss_status _nss_condense_getpwuid_r(uid_t uid, struct passwd *ret, char *buf,
						size_t len, int *errnop);
EXPORT enum nss_status _nss_condense_getpwnam_r(const char *name, struct passwd *ret, char *buf,
						size_t len, int *errnop);
EXPORT enum nss_status _nss_condense_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t len,
						int *errnop);
EXPORT enum nss_status _nss_condense_getgrnam_r(const char *name, struct group *ret, char *buf,
						size_t len, int *errnop);

static enum nss_status none(int *errnop)
{
	*errnop = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

static enum nss_status too_short(int *errnop)
{
	*errnop = ERANGE;
	return NSS_STATUS_TRYAGAIN;
}

enum nss_status _nss_condense_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t len,
					 int *errnop)
{
	struct cda_caller caller;
	struct cda_own own;

	if (!cda_own_caller(&caller) || uid != caller.uid ||
	    cda_own_record(&cda_own_places, &caller, &own) != 0)
		return none(errnop);
	return cda_own_passwd(&own, ret, buf, len) == 0 ? NSS_STATUS_SUCCESS : too_short(errnop);
}

enum nss_status _nss_condense_getpwnam_r(const char *name, struct passwd *ret, char *buf,
					 size_t len, int *errnop)
{
	struct cda_caller caller;
	struct cda_own own;

	if (!cda_own_caller(&caller) || cda_own_record(&cda_own_places, &caller, &own) != 0)
		return none(errnop);
	for (size_t i = 0; name[i] == own.is.account[i]; i++) {
		if (name[i] == '\0')
			return cda_own_passwd(&own, ret, buf, len) == 0 ? NSS_STATUS_SUCCESS
									: too_short(errnop);
	}
	return none(errnop);
}

static enum nss_status group(const char *name, gid_t gid, struct group *ret, char *buf, size_t len,
			     int *errnop)
{
	struct cda_caller caller;
	int got;

	if (!cda_own_caller(&caller))
		return none(errnop);
	got = cda_own_group(&cda_own_places, &caller, name, gid, ret, buf, len);
	return got > 0 ? NSS_STATUS_SUCCESS : got < 0 ? too_short(errnop) : none(errnop);
}

enum nss_status _nss_condense_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t len,
					 int *errnop)
{
	return group(NULL, gid, ret, buf, len, errnop);
}

enum nss_status _nss_condense_getgrnam_r(const char *name, struct group *ret, char *buf, size_t len,
					 int *errnop)
{
	return group(name, 0, ret, buf, len, errnop);
}
