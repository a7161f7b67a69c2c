/* specfile.h - lists of specs in files: --file FILE as conda reads it (one spec a line, comments;
 * @EXPLICIT: package URLs). Environment files are envfile.h's. */
#ifndef CDA_CLIENT_SPECFILE_H
#define CDA_CLIENT_SPECFILE_H

#include "core/channel.h"
#include "core/record.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>

enum { CDA_SPECFILE_MAX = 16 << 20 };

/* Appends the specs of the file. *ret_explicit becomes true for an @EXPLICIT file. Errors:
 * CDA_E_FILE when it cannot be read, CDA_E_VALUE (too large, not text) with the line. */
int cda_specfile_read(const char *path, struct cda_strv *specs, bool *ret_explicit,
		      struct cda_err *err) CDA_CHECK;
/* The same of a text; path names it in messages. */
int cda_specfile_parse(const char *text, size_t len, const char *path, struct cda_strv *specs,
		       bool *ret_explicit, struct cda_err *err) CDA_CHECK;
/* What history says of a package that was asked for by its URL:
 * "channel/subdir::name==version=build". Owned. */
char *cda_specfile_explicit(const struct cda_channel_config *config,
			    const struct cda_record *record);

#endif
