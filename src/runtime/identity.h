/* identity.h - the image's one account becomes the caller's. */
#ifndef CDA_RUNTIME_IDENTITY_H
#define CDA_RUNTIME_IDENTITY_H

#include "home.h"

struct cda_identity {
	uint32_t uid, gid;    /* the caller's own, from the kernel */
	const char *new_user; /* NULL: keep the present name */
	const char *new_home; /* NULL: keep the present place */
	bool all;             /* all of the home is given, not its top alone */
};

/* Runs as root. Under the lock of the account files: record, files, home, in an order in which a
 * kill at any moment leaves whole files and a state that the next run completes. After that,
 * without the lock, what id->all asks for. Returns 0 or an exit status of paths.h, with a message.
 */
int cda_identity_apply(const struct cda_policy *policy, const struct cda_identity *id);

#endif
