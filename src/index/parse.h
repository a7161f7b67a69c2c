/* parse.h - repodata.json (schema 1 and 2, CEP 15 base_url) to package records. The text comes from
 * outside: an entry that is no package is skipped and counted, text that is no repodata is an
 * error. */
#ifndef CDA_INDEX_PARSE_H
#define CDA_INDEX_PARSE_H

#include "core/record.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the text is from; borrowed for the call. */
struct cda_repodata_source {
	const char *url;          /* of the subdir, with credentials: "https://host/ch/linux-64" */
	const char *base_url;     /* of the channel: without credentials and subdir */
	const char *channel_name; /* canonical */
	const char *subdir;
	int priority;
	bool use_only_tar_bz2;
};

struct cda_repodata_counts {
	size_t records;
	size_t skipped;        /* entries that were refused */
	const char *first_bad; /* file name of the first of them, or NULL; in the arena */
	const char *why;       /* it was refused; static */
};

enum { CDA_REPODATA_PADDING = 4 }; /* bytes of room that parsing needs behind the text */

/* Appends the records: "packages.conda", and of "packages" what has no .conda twin. They live in
 * the arena and point into the text, which is changed, must outlive them, and must have
 * CDA_REPODATA_PADDING bytes of room behind len. Errors: CDA_E_PARSE. */
int cda_repodata_parse(char *text, size_t len, const struct cda_repodata_source *source,
		       struct cda_arena *arena, struct cda_records *records,
		       struct cda_repodata_counts *ret_counts, struct cda_err *err) CDA_CHECK;

#endif
