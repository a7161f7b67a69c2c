/* parse.h - repodata.json (schema 1 and 2, CEP 15 base_url) to package records. The text comes from
 * outside: an entry that is no package is skipped and counted, text that is no repodata is an
 * error. */
#ifndef CDA_INDEX_PARSE_H
#define CDA_INDEX_PARSE_H

#include "core/record.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the text is from; borrowed for the call, but for `base_url`, `channel_name`, `subdir` and
 * what is made of them, which are copied to the arena. */
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
	size_t skipped;      /* entries that were refused */
	char first_bad[160]; /* why the first of them was, printable; "" for none */
};

/* Appends records that live in the arena: "packages.conda", and of "packages" what has no .conda
 * twin. `text` is changed and must have YYJSON_PADDING_SIZE (4) bytes of room behind len, as a
 * struct cda_buf after cda_buf_reserve(buf, 4) has. Errors: CDA_E_PARSE. */
int cda_repodata_parse(char *text, size_t len, const struct cda_repodata_source *source,
		       struct cda_arena *arena, struct cda_records *records,
		       struct cda_repodata_counts *ret_counts, struct cda_err *err) CDA_CHECK;

/* A name, version or build that may stand in a file name: printable ASCII without slash, blank or
 * quote, not "." or "..", at most 255 bytes. */
bool cda_repodata_word_is_good(const char *word);
/* "NAME-VERSION-BUILD.conda" or ".tar.bz2" in the same alphabet. */
bool cda_repodata_fn_is_good(const char *fn);

#endif
