/* matchspec_parse.h - raw fields of a match spec; between the matchspec files of this layer. */
#ifndef CDA_CORE_MATCHSPEC_PARSE_H
#define CDA_CORE_MATCHSPEC_PARSE_H

#include "core/channel.h"
#include "util/err.h"

#include <stdbool.h>

/* In the order in which canonical text has them. */
#define CDA_SPEC_FIELDS(X)                                                                         \
	X(CHANNEL, "channel")                                                                      \
	X(SUBDIR, "subdir")                                                                        \
	X(NAME, "name")                                                                            \
	X(VERSION, "version")                                                                      \
	X(BUILD, "build")                                                                          \
	X(BUILD_NUMBER, "build_number")                                                            \
	X(TRACK_FEATURES, "track_features")                                                        \
	X(FEATURES, "features")                                                                    \
	X(URL, "url")                                                                              \
	X(MD5, "md5")                                                                              \
	X(LICENSE, "license")                                                                      \
	X(LICENSE_FAMILY, "license_family")                                                        \
	X(FN, "fn")

#define CDA_SPEC_ENUM(id, name) CDA_SPEC_##id,
enum cda_spec_field { CDA_SPEC_FIELDS(CDA_SPEC_ENUM) CDA_SPEC_COUNT };
#undef CDA_SPEC_ENUM

extern const char *const cda_spec_field_names[CDA_SPEC_COUNT];

struct cda_spec_raw { /* owned texts, NULL when absent */
	char *v[CDA_SPEC_COUNT];
	char *target;
	bool optional;
};

void cda_spec_raw_done(struct cda_spec_raw *raw);
/* Index of the field of this name, or -1. */
int cda_spec_field_find(const char *name, size_t len);
/* Splits text into raw fields; *raw is zeroed before and the caller's in any case. */
int cda_spec_split(const struct cda_channel_config *config, const char *text,
		   struct cda_spec_raw *raw, struct cda_err *err) CDA_CHECK;

#endif
