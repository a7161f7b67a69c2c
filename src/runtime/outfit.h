/* outfit.h - what the settings of a start mean for conda, pip and the command: variables.
 *
 * Runs with the caller's rights. A variable that the caller set stays as it is. */
#ifndef CDA_RUNTIME_OUTFIT_H
#define CDA_RUNTIME_OUTFIT_H

#include "file.h"

/* Read the settings and the certificates; nothing is changed yet. Returns 0, or an exit status of
 * paths.h with a message. */
int cda_outfit_load(void);

/* Set the variables, and make the file of certificates that they name. Returns 0, or an exit status
 * with a message. */
int cda_outfit_wear(void);

/* The environment for conda and pip when they install a list: with what is in CDA_SECRETS, which
 * the command does not get. Valid until the next call. */
char *const *cda_outfit_stage(void);

/* pip fetches what a list names by its URL, offline or not. Returns 0, or -1 with a message if the
 * start is offline and the list at path does that. */
int cda_outfit_check_urls(const char *path, const struct cda_text *list);

/* After a list was not installed: say so if that may be because the start is offline. */
void cda_outfit_explain(void);

/* At the end: remove what was made, which is the file at that path; "" for none. */
void cda_outfit_drop(void);
const char *cda_outfit_leftover(void);

#endif
