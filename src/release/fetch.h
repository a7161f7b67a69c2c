/* fetch.h - brings the file of a release: from the cache, else from the first mirror that gives
 * the right bytes. Only these get a final name, in the cache as well as at the caller's place. */
#ifndef CDA_RELEASE_FETCH_H
#define CDA_RELEASE_FETCH_H

#include "release/archive.h"

enum cda_fetched_from { CDA_FETCHED_PLACE, CDA_FETCHED_CACHE, CDA_FETCHED_MIRROR };

struct cda_fetched {
	enum cda_fetched_from from; /* PLACE: the file was there already */
	char *url;                  /* owned: of MIRROR, without credentials; else NULL */
	uint64_t bytes;
};

/* Writes the release, whose sha256 must be set, to path. The cache is shared with other processes:
 * of many that want a file one downloads, the others wait; what a killed one left is gone on with.
 * Each failed attempt is a warning of the archive's events. Errors: CDA_E_HTTP, CDA_E_TLS,
 * CDA_E_OFFLINE, CDA_E_CHECKSUM with what every mirror answered; CDA_E_SYS, CDA_E_NOSPACE,
 * CDA_E_INTERRUPTED. */
int cda_archive_fetch(struct cda_archive *archive, const struct cda_release *release,
		      const char *path, struct cda_fetched *ret_fetched, struct cda_err *err)
	CDA_CHECK;
void cda_fetched_done(struct cda_fetched *fetched);

#endif
