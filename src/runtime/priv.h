/* priv.h - a setuid program's first and last steps. */
#ifndef CDA_RUNTIME_PRIV_H
#define CDA_RUNTIME_PRIV_H

#include <sys/types.h>

/* Before anything is read: descriptors 0 to 2 valid, the others closed, limits, umask, working
 * directory, signals, timers and the machine that uname names set. The environment is the caller's
 * to clear, after it took copies of the values that it looks at. */
void cda_priv_clean(void);

/* Which limit of the caller's, which only a capability could lift, may end a program halfway?
 * Returns what is limited, for a message, or NULL. */
const char *cda_priv_tight(void);

/* Give up for good every capability that giving an account away does not need. A program that is
 * started as root gets its own again. Returns 0, or -1 with a message. */
int cda_priv_shed(void);

/* Act on files as the caller, and as root again. Both end the program if the kernel disagrees. */
void cda_priv_as_caller(void);
void cda_priv_as_root(void);

/* Become root in all three ids, without other groups. Returns 0 or a negative errno. */
int cda_priv_all_root(void);

#endif
