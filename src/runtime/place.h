/* place.h - what the command finds: its name, its home, its folder, its PATH. */
#ifndef CDA_RUNTIME_PLACE_H
#define CDA_RUNTIME_PLACE_H

#include <limits.h>
#include <stdbool.h>

struct cda_place {
	char cwd[PATH_MAX]; /* where we were started, by its real path; "" if it is gone */
	char pwd[PATH_MAX]; /* the same, as the caller calls it */
};

/* Remember the present folder and leave it: it may be moved. */
void cda_place_save(struct cda_place *ret);

/* Set HOME, USER, LOGNAME and PATH for the caller; silent: a fallback is not worth a line, since
 * one was printed already. */
void cda_place_user(bool silent);
/* The same for root: nothing that a user can write comes first. */
void cda_place_root(void);

/* Go back, to the new path of it if it was inside the home as it was called before. */
void cda_place_return(const struct cda_place *place, const char *old_home);

/* Copy the files of the skeleton that the home does not have. */
void cda_place_seed(void);

#endif
