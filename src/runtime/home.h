/* home.h - the account's home: where it is, which links lead to it, who owns it.
 *
 * Runs with root's rights on folders that the caller may be changing meanwhile. So: every step
 * goes through a descriptor of the parent, never follows a link, never enters another mount, and
 * touches what belongs to the account alone. A mounted file is never moved, changed or deleted; of
 * a mounted folder the owner changes only if it is the home and empty, as the engine made it. */
#ifndef CDA_RUNTIME_HOME_H
#define CDA_RUNTIME_HOME_H

#include "policy.h"

struct cda_home {
	uint32_t uid, gid;  /* the owner from now on */
	uint32_t olds[3];   /* owners until now, 0 is none: root is never one */
	const char *name;   /* /home/NAME leads there afterwards */
	const char *wanted; /* NEW_HOME, or NULL */
	const char *image;  /* image account: /home/IMAGE leads there too */
};

/* Bring the home at record->home to where it is wanted, in the order move, links, owner; update
 * record->home, and write to ret_path what passwd should say. Returns 0 or an exit status of
 * paths.h, with a message. */
int cda_home_settle(const struct cda_home *home, struct cda_record *record,
		    char ret_path[CDA_HOME_MAX]);

/* Give the caller what the account had in the home at path, which has been settled. Nothing of a
 * home that is a mount, with a message and 0. Returns 0 or an exit status of paths.h, with a
 * message. */
int cda_home_reown(const struct cda_home *home, const char *path);

#endif
