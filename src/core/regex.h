/* regex.h - the regular expressions that specs may hold ("^1\.2.*$"): Python's syntax without look
 * around and back references, matched in time linear in the text (no backtracking). Bytes. */
#ifndef CDA_CORE_REGEX_H
#define CDA_CORE_REGEX_H

#include "util/cleanup.h"

#include <stdbool.h>

struct cda_regex; /* opaque, immutable */

/* The caller owns the result. NULL for what is no expression: *ret_why then says why (static). */
struct cda_regex *cda_regex_new(const char *pattern, const char **ret_why);
struct cda_regex *cda_regex_free(struct cda_regex *regex);
CDA_DEFINE_CLEANUP(struct cda_regex *, cda_regex_free)

/* The expression matches at the start of text (Python's re.match). */
bool cda_regex_match(const struct cda_regex *regex, const char *text);

#endif
