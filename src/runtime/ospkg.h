/* ospkg.h - install the listed OS packages as root, by checked names alone. */
#ifndef CDA_RUNTIME_OSPKG_H
#define CDA_RUNTIME_OSPKG_H

#include "policy.h"
#include "reqlist.h"

/* True if there is something to do for the list at path (opened as the caller): not all of its
 * packages are there, or the policy adds to them since. A list that cannot be read counts. */
bool cda_ospkg_wanted(enum cda_pm pm, const char *path, const struct cda_policy *policy);

/* Install what the list at path names (opened as the caller), as far as the policy and the life of
 * the container allow it, unless all of it is there. Returns 0, 128+n, or an exit
 * status of paths.h, with a message. */
int cda_ospkg_install(enum cda_pm pm, const char *path, const struct cda_policy *policy,
		      const struct cda_settings *settings);

#endif
