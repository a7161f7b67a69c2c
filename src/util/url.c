#include "util/url.h"
#include "util/alloc.h"
#include "util/buf.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

/* Length of the scheme in front of "://", or 0. */
static size_t scheme_len(const char *text)
{
	size_t n = 0;

	if (!cda_is_alpha(text[0]))
		return 0;
	while (cda_is_alnum(text[n]) || text[n] == '+' || text[n] == '-' || text[n] == '.')
		n++;
	return strncmp(text + n, "://", 3) == 0 ? n : 0;
}

bool cda_url_has_scheme(const char *text)
{
	return scheme_len(text) > 0;
}

/* host[:port] with [v6] hosts. False for a port that is no number. */
static bool split_host(struct cda_str text, struct cda_url *url)
{
	const char *colon = NULL, *end = text.p + text.len;

	for (const char *p = end; p > text.p && p[-1] != ']'; p--)
		if (p[-1] == ':')
			colon = p - 1;
	if (colon) {
		struct cda_str port = {colon + 1, (size_t)(end - colon - 1)};

		for (size_t i = 0; i < port.len; i++)
			if (!cda_is_digit(port.p[i]))
				return false;
		if (port.len > 5)
			return false;
		url->port = port.len > 0 ? cda_str_dup(port) : NULL;
		text.len = (size_t)(colon - text.p);
	}
	if (text.len > 0) {
		url->host = cda_str_dup(text);
		cda_lower_inplace(url->host);
	}
	return true;
}

bool cda_url_parse(const char *text, struct cda_url *ret)
{
	size_t n = text ? scheme_len(text) : 0, rest;
	const char *p, *at = NULL, *query;
	struct cda_url url = {0};

	*ret = url;
	if (n == 0)
		return false;
	url.scheme = cda_strndup(text, n);
	cda_lower_inplace(url.scheme);
	p = text + n + 3;
	rest = strcspn(p, "/?");
	for (size_t i = 0; i < rest; i++)
		if (p[i] == '@')
			at = p + i; /* the last: a password may hold one */
	if (at)
		url.auth = cda_strndup(p, (size_t)(at - p));
	struct cda_str host = {at ? at + 1 : p, (size_t)(p + rest - (at ? at + 1 : p))};
	if (!split_host(host, &url)) {
		cda_url_done(&url);
		return false;
	}
	/* file://localhost/x is this machine like file:///x. */
	if (strcmp(url.scheme, "file") == 0 && cda_streq(url.host, "localhost"))
		cda_replace(&url.host, NULL);
	p += rest;
	query = strchr(p, '?');
	url.path = query ? cda_strndup(p, (size_t)(query - p)) : cda_strdup(p);
	url.query = query ? cda_strdup(query + 1) : NULL;
	*ret = url;
	return true;
}

void cda_url_done(struct cda_url *url)
{
	free(url->scheme);
	free(url->auth);
	free(url->host);
	free(url->port);
	free(url->path);
	free(url->query);
	*url = (struct cda_url){0};
}

char *cda_url_format(const struct cda_url *url, bool with_auth)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (url->scheme)
		cda_buf_addf(&text, "%s://", url->scheme);
	if (with_auth && url->auth)
		cda_buf_addf(&text, "%s@", url->auth);
	cda_buf_adds(&text, url->host ? url->host : "");
	if (url->port)
		cda_buf_addf(&text, ":%s", url->port);
	cda_buf_adds(&text, url->path ? url->path : "");
	if (url->query)
		cda_buf_addf(&text, "?%s", url->query);
	return cda_buf_take(&text);
}

char *cda_url_encode(const char *text, const char *keep)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	for (const char *p = text; *p; p++) {
		if (cda_is_alnum(*p) || strchr("-._~", *p) || (keep && strchr(keep, *p)))
			cda_buf_addc(&out, *p);
		else
			cda_buf_addf(&out, "%%%02X", (unsigned)(unsigned char)*p);
	}
	return cda_buf_take(&out);
}

static int hex_value(char c)
{
	c = cda_lower(c);
	return cda_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *cda_url_decode(const char *text)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_value(p[1]) : -1;
		int low = high >= 0 ? hex_value(p[2]) : -1;

		/* %00 stays: it would end the text. */
		if (low >= 0 && high + low > 0) {
			cda_buf_addc(&out, (char)(high << 4 | low));
			p += 2;
		} else {
			cda_buf_addc(&out, *p);
		}
	}
	return cda_buf_take(&out);
}

char *cda_url_from_path(const char *absolute_path)
{
	CDA_AUTOFREE char *path = cda_url_encode(absolute_path, "/!'()*:");

	return cda_asprintf("file://%s", path);
}

char *cda_url_to_path(const char *file_url)
{
	CDA_AUTOURL struct cda_url url = {0};

	if (!cda_url_parse(file_url, &url) || strcmp(url.scheme, "file") != 0 || url.host ||
	    url.path[0] != '/')
		return NULL;
	/* In a path '?' is a byte like others. */
	if (url.query)
		cda_replace(&url.path, cda_asprintf("%s?%s", url.path, url.query));
	return cda_url_decode(url.path);
}

/* Start of the "/t/TOKEN" part in the path at p, and the end of it; or NULL. */
static const char *token_part(const char *p, const char **ret_token, const char **ret_end)
{
	const char *hit = strstr(p, "/t/");

	if (!hit)
		return NULL;
	*ret_token = hit + 3;
	*ret_end = hit + 3 + strcspn(hit + 3, "/?# \t\n'\"");
	return hit;
}

char *cda_url_safe(const char *url)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	size_t n = scheme_len(url);
	const char *p = url, *token, *end, *part;

	if (n > 0) {
		size_t rest;

		cda_buf_add(&out, url, n + 3);
		p += n + 3;
		rest = strcspn(p, "/?");
		for (size_t i = rest; i > 0; i--)
			if (p[i - 1] == '@') {
				p += i;
				break;
			}
	}
	/* A path on this machine has no tokens, whatever its folders are named. */
	if (*url == '/' || *url == '.' || *url == '~' || cda_starts_with(url, "file://")) {
		cda_buf_adds(&out, p);
		return cda_buf_take(&out);
	}
	while ((part = token_part(p, &token, &end))) {
		cda_buf_add(&out, p, (size_t)(token - p));
		cda_buf_adds(&out, "<TOKEN>");
		p = end;
	}
	cda_buf_adds(&out, p);
	return cda_buf_take(&out);
}

char *cda_url_split_token(const char *url, char **ret_token)
{
	size_t n = scheme_len(url);
	/* Behind "://": a host named t is no token. */
	const char *token, *end, *part = token_part(url + (n ? n + 3 : 0), &token, &end);

	if (ret_token)
		*ret_token = NULL;
	if (!part || cda_starts_with(url, "file://"))
		return cda_strdup(url);
	if (ret_token)
		*ret_token = cda_strndup(token, (size_t)(end - token));
	return cda_asprintf("%.*s%s", (int)(part - url), url, end);
}
