/* channel_parse.h - the pieces of channel texts; between the channel files of this layer. */
#ifndef CDA_CORE_CHANNEL_PARSE_H
#define CDA_CORE_CHANNEL_PARSE_H

#include "core/channel.h"
#include "util/url.h"

#define CDA_CHANNEL_UNKNOWN "<unknown>"
#define CDA_CHANNEL_TEXT_MAX 8192

/* A URL taken apart: place is host[:port]path, without scheme, credentials, token and query; path
 * is the end of place, without slashes at the end. Text without a scheme is all place. */
struct cda_uri {
	char *scheme, *auth, *token; /* NULL when absent */
	char *place;
	const char *path; /* into place */
};

void cda_uri_split(const char *url, struct cda_uri *ret);
void cda_uri_done(struct cda_uri *uri);

bool cda_has_scheme(const char *text); /* "x://", as conda recognises it */
bool cda_is_path(const char *text);    /* "./", "..", "~", "/", "C:\" at the start */
char *cda_strip_slashes(const char *text);
/* conda's join_url: parts without their slashes, NULL and empty ones left out; NULL ends. */
char *cda_join_slashes(const char *first, ...) __attribute__((sentinel));
/* Text without "/PLATFORM" and slashes at the end; *ret_platform is owned, NULL when none. */
char *cda_split_platform(const char *text, char **ret_platform);
/* Text without "/t/TOKEN" and slashes at the end; *ret_token is owned, NULL when none. */
char *cda_split_token(const char *text, char **ret_token);

/* A member of a multichannel: a URL or a name under the alias, nothing else. */
int cda_channel_member(const struct cda_channel_config *config, const char *text,
		       struct cda_channel *ret, struct cda_err *err) CDA_CHECK;

#endif
