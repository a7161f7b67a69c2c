/* move.h - carry a folder tree to another place with root's rights, safely. */
#ifndef CDA_RUNTIME_MOVE_H
#define CDA_RUNTIME_MOVE_H

#include <stdint.h>

struct cda_move {
	uint32_t uids[3]; /* what belongs to somebody else is left where it is */
};

/* Carry folder from in fromfd to folder to in tofd, made if missing. Nothing there is replaced; no
 * link is followed and no other file system entered. Works across layers and file systems, where
 * rename does not. Returns 0; -ENOTEMPTY if something stayed; else a negative errno. */
int cda_move_tree(const struct cda_move *move, int fromfd, const char *from, int tofd,
		  const char *to);

#endif
