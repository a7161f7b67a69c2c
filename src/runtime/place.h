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

/* Is it known before /startup runs that it cannot do its work here? Without setuid or capabilities,
 * or on a read-only root. */
bool cda_place_hindered(void);
/* Has the caller an account already, with a home that it can use, and as NEW_USER and NEW_HOME say?
 */
bool cda_place_content(void);

/* Set HOME, USER, LOGNAME and PATH for the caller, and where its uid has no account what gives it a
 * name all the same. What had to take the place of something else is a remark, unless silent: then
 * a line was printed already. */
void cda_place_user(bool silent);
/* Remark that the caller's groups can use the image, but not install. */
void cda_place_group(void);
/* The same for root: nothing that a user can write comes first. */
void cda_place_root(void);

/* Go back, to the new path of it if it was inside the home as it was called before. */
void cda_place_return(const struct cda_place *place, const char *old_home);

/* Copy the files of the skeleton that the home does not have. */
void cda_place_seed(void);

#endif
