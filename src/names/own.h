/* own.h - who the caller is where no account file says so: a name, a home and a shell for its own
 * uid, and no other.
 *
 * Loaded into any program of a container, so: no C library, no heap, no lock, nothing kept between
 * calls. What is answered gives nobody any right: a process could tell itself the same. It is never
 * answered where it could matter, which is in programs that have more rights than their caller
 * (setuid, setgid, file capabilities) and in root's. */
#ifndef CDA_NAMES_OWN_H
#define CDA_NAMES_OWN_H

#include "template.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>

#define CDA_NAMES_FILE "/etc/condense/names"

/* Where it is looked for; the product's is cda_own_places. */
struct cda_own_places {
	const char *names, *passwd, *group;
	const char *homes[2]; /* private homes are HOMES-UID, the first that the caller owns */
	uint32_t owner;       /* whose file names must be */
};
extern const struct cda_own_places cda_own_places;

struct cda_caller {
	uint32_t uid, gid;
	const char *home, *new_user; /* HOME and NEW_USER, or NULL */
};

struct cda_own {
	struct cda_template is; /* its account is the name */
	uint32_t uid, gid;
};

/* The caller, from the kernel and the environment. Returns false where nothing is to be answered:
 * root, an id that is not the same in all places, AT_SECURE. */
bool cda_own_caller(struct cda_caller *ret);

/* The caller's record: NEW_USER if it is a valid name that no line of passwd begins with, else the
 * template's account; HOME if it is a folder that the caller owns, or may write and strangers may
 * not; else the private home, else the template's. Returns 0, or -1 without a template that is
 * owner's and writable by nobody else. */
int cda_own_record(const struct cda_own_places *places, const struct cda_caller *caller,
		   struct cda_own *ret);

/* The path of a private home: "BASE-UID". */
void cda_own_private(const char *base, uint32_t uid, char ret[CDA_OWN_PATH_MAX]);
/* Is path, which is no link, a folder of uid's that nobody else may write? */
bool cda_own_is_private(const char *path, uint32_t uid);

/* Fill *ret with texts in buf. Returns 0, or -1 if buf is too short. */
int cda_own_passwd(const struct cda_own *own, struct passwd *ret, char *buf, size_t len);

/* A name for one of the caller's own groups that has none: gidGID. With name, gid is what that
 * says. Returns 1, 0 if there is no answer, -1 if buf is too short. */
int cda_own_group(const struct cda_own_places *places, const struct cda_caller *caller,
		  const char *name, uint32_t gid, struct group *ret, char *buf, size_t len);

#endif
