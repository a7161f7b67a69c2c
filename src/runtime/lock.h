/* lock.h - one start at a time installs OS packages: a lock file of root's own in CDA_STATE.
 *
 * Whoever can open a file can hold a lock on it, and everybody can open a folder: so the lock is a
 * record lock (fcntl) on a file that root alone opens. The kernel drops it with the process, or
 * when that closes any descriptor of the file. */
#ifndef CDA_RUNTIME_LOCK_H
#define CDA_RUNTIME_LOCK_H

#include <stdbool.h>

/* state is CDA_STATE, open. Take the lock if it is free. Returns a descriptor, which holds it until
 * it is closed, or a negative errno: -EAGAIN if another process has it. */
int cda_lock_try(int state);

/* The same, but wait for the other one, and say so if that takes a while; a signal that asks for
 * the end gives -EINTR, as after cda_reap_init. Without hold only wait until nobody has the lock,
 * and return 0: then who calls cannot keep others waiting. */
int cda_lock_wait(int state, bool hold);

#endif
