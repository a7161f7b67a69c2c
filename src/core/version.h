/* version.h - conda's version order and version ranges (conda/models/version.py; PEP 440 is near,
 * not equal). Judge: the version_order and version_spec vectors. */
#ifndef CDA_CORE_VERSION_H
#define CDA_CORE_VERSION_H

#include "util/err.h"

#include <stdbool.h>

struct cda_version; /* a parsed version; opaque */

/* The caller owns *ret. Errors: CDA_E_VERSION. */
int cda_version_parse(const char *text, struct cda_version **ret, struct cda_err *err) CDA_CHECK;
struct cda_version *cda_version_free(struct cda_version *version);
CDA_DEFINE_CLEANUP(struct cda_version *, cda_version_free)

int cda_version_cmp(const struct cda_version *a, const struct cda_version *b); /* <0, 0, >0 */
/* b's components are the first of a's: what `1.2.*` asks. */
bool cda_version_starts_with(const struct cda_version *a, const struct cda_version *b);
const char *cda_version_text(const struct cda_version *version); /* normalised; borrowed */

/* Both parse; texts that are no versions order by byte below all versions. For sorting records. */
int cda_version_cmp_text(const char *a, const char *b);

struct cda_version_spec; /* ">=1.2,<2|3.*", "=1.2", "1.2.*", "^regex$", … ; opaque */

int cda_version_spec_parse(const char *text, struct cda_version_spec **ret, struct cda_err *err)
	CDA_CHECK;
struct cda_version_spec *cda_version_spec_free(struct cda_version_spec *spec);
CDA_DEFINE_CLEANUP(struct cda_version_spec *, cda_version_spec_free)
bool cda_version_spec_match(const struct cda_version_spec *spec, const char *version);
/* The same for a version that is parsed already (NULL where the text is no version). */
bool cda_version_spec_match_parsed(const struct cda_version_spec *spec, const char *text,
				   const struct cda_version *version);
const char *cda_version_spec_text(const struct cda_version_spec *spec); /* canonical; borrowed */
bool cda_version_spec_is_exact(const struct cda_version_spec *spec);

#endif
