/* url.h - the parts of a URL as channels use them; percent coding; credentials kept out of text. */
#ifndef CDA_UTIL_URL_H
#define CDA_UTIL_URL_H

#include "util/cleanup.h"

#include <stdbool.h>

struct cda_url {
	char *scheme; /* lower case; NULL when the text has none */
	char *auth;   /* user:password, still percent-coded; or NULL */
	char *host;   /* lower case; NULL for file: */
	char *port;   /* digits or NULL */
	char *path;   /* from the first '/', percent-coded as given; "" when none */
	char *query;  /* behind '?', or NULL */
};

/* False (and *ret zeroed) for text that is no URL with a scheme. */
bool cda_url_parse(const char *text, struct cda_url *ret);
void cda_url_done(struct cda_url *url);
#define CDA_AUTOURL CDA_CLEANUP(cda_url_done)
char *cda_url_format(const struct cda_url *url, bool with_auth); /* owned */

bool cda_url_has_scheme(const char *text);                /* "x://…" */
char *cda_url_from_path(const char *absolute_path);       /* owned file:// URL, percent-coded */
char *cda_url_to_path(const char *file_url);              /* owned; NULL when it is no file: URL */
char *cda_url_decode(const char *text);                   /* owned */
char *cda_url_encode(const char *text, const char *keep); /* owned; unreserved and `keep` stay */
/* Owned: without user:password and without the token of /t/TOKEN/ (as conda hides: /t/<TOKEN>/). */
char *cda_url_safe(const char *url);
/* Owned: url without its /t/TOKEN part; *ret_token (may be NULL) owned or NULL. */
char *cda_url_split_token(const char *url, char **ret_token);

#endif
