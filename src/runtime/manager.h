/* manager.h - apt and apk as programs: how root calls them, and what they say of a failure. */
#ifndef CDA_RUNTIME_MANAGER_H
#define CDA_RUNTIME_MANAGER_H

#include "reqlist.h"

/* Which package manager the image has. Returns 0, or -1 if none. */
int cda_manager_find(enum cda_pm *ret);

/* Each runs the manager as root in all ids, in an environment that holds nothing of the caller's,
 * and returns 0 or the exit status of it, 128+n if signal n asked for the end. What may pass by
 * itself (a network that fails for a moment) is tried again.
 *
 * complete: what a run that was killed left half done, which apt would not go on from. update:
 * fetch the indexes of the archives. names: each gets every known package's name. plan: each gets
 * what install would do, a line at a time; a manager that removes nothing unasked has no plan (0,
 * no line). install: install the list, with what its packages recommend if so asked. */
int cda_manager_complete(enum cda_pm pm);
int cda_manager_update(enum cda_pm pm);
int cda_manager_names(enum cda_pm pm, void (*each)(const char *line));
int cda_manager_plan(enum cda_pm pm, const struct cda_reqlist *list,
		     void (*each)(const char *line));
int cda_manager_install(enum cda_pm pm, const struct cda_reqlist *list, bool recommends);

/* The end of what the last run wrote to stderr, with a NUL. */
const char *cda_manager_said(void);
/* The part of it that is the cause of a failure, as one line; cuts it up. */
const char *cda_manager_cause(enum cda_pm pm);

/* Remove indexes and archives that were fetched. */
void cda_manager_clean(enum cda_pm pm);

#endif
