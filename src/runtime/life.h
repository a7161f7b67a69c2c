/* life.h - the one run of the container that is on: from the start of process 1 to its end.
 *
 * The account has one owner a life, and OS packages are installed by its start alone. A note in
 * CDA_STATE says which life it is about; it needs no sync, since no life outlasts a crash. */
#ifndef CDA_RUNTIME_LIFE_H
#define CDA_RUNTIME_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct cda_life {
	uint64_t started,
		space;  /* process 1: its start in clock ticks, the inode of its namespace */
	bool noted;     /* there is a note about this life; only then the next two count */
	uint32_t uid;   /* for whom it was started: the first caller */
	bool open;      /* its start may still install OS packages */
	uint32_t owner; /* who got the account later, where the first could not; 0: nobody */
};

/* What is known of the present life. A container without /proc has the life 0 0 for ever. */
void cda_life_load(struct cda_life *ret);
/* Add to life, whose start and namespace are known, what the text of a note says, if that is about
 * the same life. */
void cda_life_parse(const char *text, struct cda_life *life);
/* The account becomes uid's: note that, before anything is given. The caller holds the lock of the
 * account files. A root that cannot be written has no account to give either. */
void cda_life_claim(uint32_t uid);
/* Returns 0 or a negative errno. */
int cda_life_save(const struct cda_life *life);

#endif
