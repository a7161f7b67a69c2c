/* matchspec.h - match specs: "channel/subdir::name version build[key=value,…]", file and URL specs
 * (conda/models/match_spec.py). Judge: the matchspec vectors. */
#ifndef CDA_CORE_MATCHSPEC_H
#define CDA_CORE_MATCHSPEC_H

#include "core/channel.h"
#include "core/record.h"
#include "util/err.h"

struct cda_matchspec; /* opaque, immutable */

/* The caller owns *ret. config tells what channel names mean and must outlive the spec. Errors:
 * CDA_E_SPEC, CDA_E_VERSION, CDA_E_CHANNEL. One spec is not for two threads at a time: matching a
 * channel remembers the last answer in it. */
int cda_matchspec_parse(const struct cda_channel_config *config, const char *text,
			struct cda_matchspec **ret, struct cda_err *err) CDA_CHECK;
struct cda_matchspec *cda_matchspec_free(struct cda_matchspec *spec);
CDA_DEFINE_CLEANUP(struct cda_matchspec *, cda_matchspec_free)

bool cda_matchspec_match(const struct cda_matchspec *spec, const struct cda_record *record);
/* The two halves of match, for who asks about many records of few versions: the version alone
 * (parsed may be NULL), and everything but the version. */
struct cda_version;
bool cda_matchspec_match_version(const struct cda_matchspec *spec, const char *text,
				 const struct cda_version *parsed);
bool cda_matchspec_match_rest(const struct cda_matchspec *spec, const struct cda_record *record);

/* Borrowed; NULL when the field is not asked for. name is "*" when any name goes. */
const char *cda_matchspec_text(const struct cda_matchspec *spec);     /* canonical */
const char *cda_matchspec_original(const struct cda_matchspec *spec); /* as given */
const char *cda_matchspec_name(const struct cda_matchspec *spec);
bool cda_matchspec_name_is_exact(const struct cda_matchspec *spec);
/* Raw field: version build build_number channel subdir url fn md5 sha256 license license_family
 * features track_features track_feature. */
const char *cda_matchspec_field(const struct cda_matchspec *spec, const char *field);
bool cda_matchspec_is_name_only(const struct cda_matchspec *spec);
bool cda_matchspec_optional(const struct cda_matchspec *spec);
const char *cda_matchspec_target(const struct cda_matchspec *spec);

/* A new spec: this one with other fields set (pairs field, value; NULL value removes; NULL ends).
 * NULL when a value is no valid one for its field. */
struct cda_matchspec *cda_matchspec_with(const struct cda_matchspec *spec, ...)
	__attribute__((sentinel));

CDA_VEC_DEFINE(cda_matchspecs, struct cda_matchspec *); /* owned specs */
void cda_matchspecs_free_all(struct cda_matchspecs *specs);

#endif
