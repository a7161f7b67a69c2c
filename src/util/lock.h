/* lock.h - exclusive or shared lock on a folder (flock on a file in it). */
#ifndef CDA_UTIL_LOCK_H
#define CDA_UTIL_LOCK_H

#include "util/err.h"

#include <stdbool.h>

struct cda_lock; /* opaque */

/* Locks the file name in the folder dirfd (made when missing). A read-only folder gives success
 * with *ret_lock = NULL when shared. wait: until it is free; else CDA_E_BUSY at once.
 * Errors: CDA_E_BUSY, CDA_E_SYS. */
int cda_lock_acquire(int dirfd, const char *name, bool shared, bool wait,
		     struct cda_lock **ret_lock, struct cda_err *err) CDA_CHECK;
struct cda_lock *cda_lock_free(struct cda_lock *lock); /* unlocks; NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_lock *, cda_lock_free)

#endif
