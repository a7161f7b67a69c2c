/* index.h - the index of a channel folder: repodata per subdir, and channeldata. */
#ifndef CDA_FORGE_INDEX_H
#define CDA_FORGE_INDEX_H

#include "util/err.h"

#include <stddef.h>

/* Reads every .conda and .tar.bz2 below CHANNEL/SUBDIR and writes SUBDIR/repodata.json and
 * repodata.json.zst (noarch and linux-64 always, others where there is such a folder) and
 * channeldata.json: size, md5 and sha256 of each file, the rest as its info/index.json says. The
 * same files give the same bytes. A package whose file name is not NAME-VERSION-BUILD of its
 * index.json, or whose subdir is another, is CDA_E_ARCHIVE. *ret_count: packages (may be NULL). */
int cda_channel_index(const char *channel, size_t *ret_count, struct cda_err *err) CDA_CHECK;

#endif
