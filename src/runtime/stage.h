/* stage.h - the caller's own lists: conda's, then pip's. */
#ifndef CDA_RUNTIME_STAGE_H
#define CDA_RUNTIME_STAGE_H

#include <stdbool.h>

/* True if the list that variable names (or fallback) exists and says something; *ret_path is it. */
bool cda_stage_wanted(const char *variable, const char *fallback, const char **ret_path);

/* Install the list unless the same list was installed with the same Python before. Runs as the
 * caller, in the environment as it is. Returns 0 or an exit status, with a message. */
int cda_stage_conda(const char *path);
int cda_stage_pip(const char *path);

#endif
