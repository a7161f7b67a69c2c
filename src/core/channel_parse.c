/* channel_parse.c - cutting URLs and names as conda/common/url.py does. */
#include "core/channel_parse.h"

#include "core/platform.h"
#include "util/buf.h"
#include "util/str.h"

#include <stdarg.h>
#include <string.h>

bool cda_has_scheme(const char *text)
{
	size_t len = 0;

	if (!(text[0] >= 'a' && text[0] <= 'z'))
		return false;
	while (len < 12 && ((text[len] >= 'a' && text[len] <= 'z') || cda_is_digit(text[len])))
		len++;
	return strncmp(text + len, "://", 3) == 0;
}

bool cda_is_path(const char *text)
{
	if (strstr(text, "://"))
		return false;
	return text[0] == '/' || text[0] == '~' || cda_starts_with(text, "./") ||
	       cda_starts_with(text, "..") || cda_starts_with(text, "\\\\") ||
	       (cda_is_alpha(text[0]) && text[1] == ':' && (text[2] == '/' || text[2] == '\\'));
}

char *cda_strip_slashes(const char *text)
{
	size_t len;

	while (*text == '/')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	return cda_strndup(text, len);
}

static void strip_right(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
}

char *cda_join_slashes(const char *first, ...)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	const char *part = first ? first : "";
	bool any = false;
	va_list ap;

	if (!*part || *part == '/')
		cda_buf_addc(&out, '/');
	va_start(ap, first);
	for (; part; part = va_arg(ap, const char *)) {
		CDA_AUTOFREE char *stripped = cda_strip_slashes(part);

		if (!*stripped)
			continue;
		if (any)
			cda_buf_addc(&out, '/');
		cda_buf_adds(&out, stripped);
		any = true;
	}
	va_end(ap);
	return cda_buf_take(&out);
}

/* The text without `len` bytes at `at`. */
static char *without(const char *text, size_t at, size_t len)
{
	return cda_asprintf("%.*s%s", (int)at, text, text + at + len);
}

static size_t platform_at(const char *p)
{
	for (size_t i = 0; cda_platform_subdirs[i]; i++) {
		size_t len = strlen(cda_platform_subdirs[i]), k = 0;

		while (k < len && cda_lower(p[k]) == cda_platform_subdirs[i][k])
			k++;
		if (k == len && (p[len] == '/' || p[len] == '\0'))
			return len;
	}
	return 0;
}

char *cda_split_platform(const char *text, char **ret_platform)
{
	const char *slash = strchr(text, '/'), *first;
	CDA_AUTOFREE char *part = NULL;
	size_t len = 0;
	char *cleaned;

	while (slash && (len = platform_at(slash + 1)) == 0)
		slash = strchr(slash + 1, '/');
	*ret_platform = NULL;
	if (!slash) {
		cleaned = cda_strdup(text);
	} else {
		*ret_platform = cda_strndup(slash + 1, len);
		/* conda takes the text away where it is first, even as the start of a longer part
		 */
		part = cda_asprintf("/%s", *ret_platform);
		first = strstr(text, part);
		cleaned = without(text, (size_t)(first - text), len + 1);
	}
	strip_right(cleaned);
	return cleaned;
}

char *cda_split_token(const char *text, char **ret_token)
{
	const char *at = strstr(text, "/t/");
	size_t len = 0;
	char *cleaned;

	*ret_token = NULL;
	if (!at) {
		cleaned = cda_strdup(text);
	} else {
		while (cda_is_alnum(at[3 + len]) || at[3 + len] == '-')
			len++;
		*ret_token = cda_strndup(at + 3, len);
		cleaned = without(text, (size_t)(at - text), len + 3);
	}
	strip_right(cleaned);
	return cleaned;
}

/* "[::1]:8000" and "Host:80" as conda writes them: lower case, no brackets. */
static void add_host(struct cda_buf *out, const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (host[i] != '[' && host[i] != ']')
			cda_buf_addc(out, cda_lower(host[i]));
}

void cda_uri_split(const char *url, struct cda_uri *ret)
{
	CDA_AUTOFREE char *cleaned = cda_split_token(url, &ret->token);
	CDA_AUTOBUF struct cda_buf place = CDA_BUF_INIT;
	const char *rest = cleaned, *scheme_end = strstr(cleaned, "://"), *at;
	size_t host_len, path_len, host_at;

	if (scheme_end && cda_has_scheme(cleaned)) {
		ret->scheme = cda_strndup(cleaned, (size_t)(scheme_end - cleaned));
		rest = scheme_end + 3;
	}
	host_len = strcspn(rest, "/?#");
	at = memrchr(rest, '@', host_len);
	if (at) {
		ret->auth = cda_strndup(rest, (size_t)(at - rest));
		host_len -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	add_host(&place, rest, host_len);
	host_at = place.len;
	rest += host_len;
	path_len = strcspn(rest, "?#");
	while (path_len > 0 && rest[path_len - 1] == '/')
		path_len--;
	cda_buf_add(&place, rest, path_len);
	ret->place = cda_buf_take(&place);
	ret->path = ret->place + host_at;
}

void cda_uri_done(struct cda_uri *uri)
{
	free(uri->scheme);
	free(uri->auth);
	free(uri->token);
	free(uri->place);
	*uri = (struct cda_uri){0};
}
