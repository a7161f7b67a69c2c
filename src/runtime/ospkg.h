/* ospkg.h - install the listed OS packages as root, by checked names alone. */
#ifndef CDA_RUNTIME_OSPKG_H
#define CDA_RUNTIME_OSPKG_H

#include "policy.h"
#include "reqlist.h"

/* True if the list at path (opened as the caller) is not the one that was installed last; one that
 * cannot be read counts. */
bool cda_ospkg_wanted(enum cda_pm pm, const char *path);

/* Install what the list at path names (opened as the caller), as far as the policy and the life of
 * the container allow it, unless the same list was installed before. Returns 0, 128+n, or an exit
 * status of paths.h, with a message. */
int cda_ospkg_install(enum cda_pm pm, const char *path, const struct cda_policy *policy);

#endif
