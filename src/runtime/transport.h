/* transport.h - how root's apt or apk reach their archives: settings and secrets as root's files.
 *
 * What mirror, proxy and certificate say comes from the caller, unless the policy says otherwise,
 * and so does CDA_SECRETS/netrc, which is opened with the caller's rights. It is parsed and written
 * anew, to files of root's in CDA_STATE/transport that exist while the manager runs; no credentials
 * are in an argument. Transport is not trusted: with the caller's, archives must be signed, and
 * credentials that are root's own are not sent. */
#ifndef CDA_RUNTIME_TRANSPORT_H
#define CDA_RUNTIME_TRANSPORT_H

#include "reqlist.h"
#include "settings.h"

/* Write the files; with the lock of CDA_STATE held. Returns 0, or an exit status of paths.h with a
 * message. */
int cda_transport_open(enum cda_pm pm, const struct cda_settings *settings);

/* Options for the manager's command line, and NAME=VALUE for its environment: NULL-ended, empty
 * while nothing is open. */
const char *const *cda_transport_options(void);
const char *const *cda_transport_environment(void);

/* Remove the files, those of a run that was killed too; with the lock of CDA_STATE held. */
void cda_transport_close(void);
/* The same if nobody holds the lock. */
void cda_transport_sweep(void);

#endif
