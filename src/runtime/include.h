/* include.h - the files that a list for pip includes with -r and -c, as parts of it. */
#ifndef CDA_RUNTIME_INCLUDE_H
#define CDA_RUNTIME_INCLUDE_H

#include "file.h"
#include "sha256.h"

/* Is the line "-r FILE", "--requirement=FILE", "-c FILE" or the like, maybe as an item of a YAML
 * list? Writes FILE as it stands there, without quotes and comment. URLs are none. */
bool cda_include_of(struct cda_span line, char *ret, size_t cap);

/* Add the text of the list at path, and of the files that it includes, and these in turn; each
 * once, a bounded number. One that cannot be read counts as such. */
void cda_include_sum(struct cda_sha256 *sum, const char *path, const struct cda_text *text);

#endif
