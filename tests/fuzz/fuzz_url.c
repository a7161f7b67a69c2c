/* A formatted URL parses to the same parts; no password or token is left in the safe text; what is
 * encoded decodes to what it was. */
#include "fuzz.h"
#include "util/alloc.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

static void check_parts(const char *text)
{
	CDA_AUTOURL struct cda_url url = {0}, again = {0}, shown = {0};
	CDA_AUTOFREE char *formatted = NULL, *safe = NULL;

	if (!cda_url_parse(text, &url)) {
		HOLDS(!url.scheme && !url.host && !url.path);
		return;
	}
	formatted = cda_url_format(&url, true);
	HOLDS(cda_url_parse(formatted, &again));
	HOLDS(cda_streq(url.scheme, again.scheme) && cda_streq(url.auth, again.auth));
	HOLDS(cda_streq(url.host, again.host) && cda_streq(url.port, again.port));
	HOLDS(cda_streq(url.path, again.path) && cda_streq(url.query, again.query));
	safe = cda_url_safe(text);
	if (cda_url_parse(safe, &shown))
		HOLDS(!shown.auth);
}

static void check_token(const char *text)
{
	char *token = NULL;
	CDA_AUTOFREE char *rest = cda_url_split_token(text, &token);
	CDA_AUTOFREE char *safe = cda_url_safe(text);

	HOLDS(strlen(rest) + (token ? strlen(token) + 3 : 0) == strlen(text));
	if (token && strlen(token) > 8 && cda_url_has_scheme(text) && !strstr(rest, token))
		HOLDS(!strstr(safe, token));
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOFREE char *text = cda_strndup((const char *)p, len);
	CDA_AUTOFREE char *coded = cda_url_encode(text, "/"), *decoded = cda_url_decode(coded);
	CDA_AUTOFREE char *url = cda_url_from_path(text), *path = NULL;

	check_parts(text);
	check_token(text);
	HOLDS(strcmp(decoded, text) == 0);
	if (text[0] == '/') {
		path = cda_url_to_path(url);
		HOLDS(path && strcmp(path, text) == 0);
	}
	return 0;
}
