/* move.h - carry a folder tree to another place with root's rights, safely. */
#ifndef CDA_RUNTIME_MOVE_H
#define CDA_RUNTIME_MOVE_H

#include <stdint.h>

struct cda_move {
	uint32_t uids[4]; /* what belongs to somebody else is left where it is; 0 is none */
};

/* What may be carried by copying: entries, and bytes in them. A start must not wait for more. */
enum { CDA_MOVE_ENTRIES = 1000, CDA_MOVE_BYTES = 32 << 20 };

/* Carry folder from in fromfd to folder to in tofd, made if missing. Nothing there is replaced; no
 * link is followed and no other mount entered, but for to itself. Works across layers and file
 * systems, where rename does not. A run that was killed left every file whole at one of the two
 * places, or at both, and the next one completes it. Returns 0; -ENOTEMPTY if something stayed;
 * with nothing done, where it can only be copied, -E2BIG if it is more than the above and -ENOTSUP
 * if it holds what a copy would not be the same as: another's, of several names, setuid, no file;
 * else a negative errno. */
int cda_move_tree(const struct cda_move *move, int fromfd, const char *from, int tofd,
		  const char *to);

#endif
