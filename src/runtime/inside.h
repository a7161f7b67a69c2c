/* inside.h - what lies directly in a folder, on the mount that the folder is on.
 *
 * A mount may be of the same file system (a folder of a volume in another, a bind mount): the
 * device number does not tell, the number of the mount does. */
#ifndef CDA_RUNTIME_INSIDE_H
#define CDA_RUNTIME_INSIDE_H

#include <stdint.h>

/* Open name (no '/') in dirfd with these flags, without following a link. Returns the descriptor or
 * a negative errno; -EXDEV if something is mounted there, or if the kernel cannot tell. */
int cda_inside_open(int dirfd, const char *name, int flags);

/* The number of the mount that fd is on. Returns 0 or a negative errno. */
int cda_inside_mount(int fd, uint64_t *ret);

#endif
