#include "address.h"

#include "say.h"

#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Letters, digits, extra and escapes. decoded: what the escapes stand for is one word of printable
 * ASCII, which netrc and the programs' files can hold. */
static bool holds(struct cda_span part, const char *extra, bool decoded)
{
	for (size_t i = 0; i < part.len; i++) {
		char c = part.p[i];
		int byte;

		if (is_alnum(c) || (c != '\0' && strchr(extra, c) != NULL))
			continue;
		if (c != '%' || part.len - i < 3 || hex(part.p[i + 1]) < 0 ||
		    hex(part.p[i + 2]) < 0)
			return false;
		byte = hex(part.p[i + 1]) * 16 + hex(part.p[i + 2]);
		if (byte < 0x20 || byte == 0x7f || (decoded && (byte == ' ' || byte > 0x7f)))
			return false;
		i += 2;
	}
	return true;
}

static bool host_valid(struct cda_span host)
{
	bool label = false;

	if (host.len == 0 || host.len > 253)
		return false;
	if (host.p[0] == '[') {
		if (host.len < 4 || host.p[host.len - 1] != ']')
			return false;
		for (size_t i = 1; i < host.len - 1; i++) {
			if (hex(host.p[i]) < 0 && host.p[i] != ':' && host.p[i] != '.')
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < host.len; i++) {
		char c = host.p[i];

		if (!is_alnum(c) && (!label || strchr("-._", c) == NULL || c == '\0'))
			return false;
		label = c != '.';
	}
	return host.p[host.len - 1] != '-';
}

static bool port_valid(struct cda_span port)
{
	unsigned value = 0;

	if (port.len == 0 || port.len > 5 || port.p[0] == '0')
		return false;
	for (size_t i = 0; i < port.len; i++) {
		if (port.p[i] < '0' || port.p[i] > '9')
			return false;
		value = value * 10 + (unsigned)(port.p[i] - '0');
	}
	return value <= 65535;
}

static bool path_valid(struct cda_span path)
{
	/* '%' stays out of the way of '%2e' and of files whose names are escaped otherwise. */
	if (!holds(path, "/-._~+=@:,!", true))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		size_t len = 0;

		if (path.p[i] != '/')
			continue;
		while (i + 1 + len < path.len && path.p[i + 1 + len] != '/')
			len++;
		if ((len == 1 || len == 2) && path.p[i + 1] == '.' && path.p[i + len] == '.')
			return false;
		if (memchr(path.p + i + 1, '%', len) != NULL)
			return false;
	}
	return true;
}

static const char *parse_host(struct cda_span rest, struct cda_address *ret)
{
	size_t colon;

	ret->host = rest;
	if (rest.len > 0 && rest.p[0] == '[') {
		const char *end = memchr(rest.p, ']', rest.len);

		colon = end != NULL ? (size_t)(end - rest.p) + 1 : rest.len;
	} else {
		const char *at = memchr(rest.p, ':', rest.len);

		colon = at != NULL ? (size_t)(at - rest.p) : rest.len;
	}
	if (colon < rest.len) {
		if (rest.p[colon] != ':')
			return "its host is not valid";
		ret->host.len = colon;
		ret->port = (struct cda_span){rest.p + colon + 1, rest.len - colon - 1};
		if (!port_valid(ret->port))
			return "its port is not valid";
	}
	return host_valid(ret->host) ? NULL : "its host is not valid";
}

const char *cda_address_parse(struct cda_span text, unsigned schemes, struct cda_address *ret)
{
	static const struct {
		const char *lead;
		enum cda_scheme scheme;
	} leads[] = {{"http://", CDA_HTTP}, {"https://", CDA_HTTPS}, {"file://", CDA_FILE}};
	struct cda_address url = {.scheme = 0};
	struct cda_span rest = text, access;
	const char *at, *wrong;
	size_t len = 0;

	if (text.len >= CDA_ADDRESS_MAX)
		return "it is too long";
	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++) {
		size_t n = strlen(leads[i].lead);

		if ((schemes & leads[i].scheme) == 0 || text.len < n ||
		    memcmp(text.p, leads[i].lead, n) != 0)
			continue;
		url.scheme = leads[i].scheme;
		rest = (struct cda_span){text.p + n, text.len - n};
	}
	if (url.scheme == 0)
		return (schemes & CDA_FILE) != 0
			       ? "expected a URL that begins with http://, https:// or file:///"
			       : "expected a URL that begins with http:// or https://";
	while (len < rest.len && rest.p[len] != '/')
		len++;
	url.path = (struct cda_span){rest.p + len, rest.len - len};
	if (!path_valid(url.path))
		return "its path is not valid";
	access = (struct cda_span){rest.p, len};
	if (url.scheme == CDA_FILE) {
		if (access.len != 0 || url.path.len == 0)
			return "expected file:///PATH";
		*ret = url;
		return NULL;
	}
	at = memchr(access.p, '@', access.len);
	if (at != NULL) {
		struct cda_span user = {access.p, (size_t)(at - access.p)};
		const char *colon = memchr(user.p, ':', user.len);

		access.len -= user.len + 1;
		access.p = at + 1;
		url.user = user;
		if (colon != NULL) {
			url.user.len = (size_t)(colon - user.p);
			url.password = (struct cda_span){colon + 1, user.len - url.user.len - 1};
		}
		/* The message must not repeat what may be a password. */
		if (url.user.len == 0 || !holds(url.user, "-._~!+=", true) ||
		    !holds(url.password, "-._~!+=", true))
			return "its user or password is not valid: escape odd characters as %XX";
	}
	wrong = parse_host(access, &url);
	if (wrong == NULL)
		*ret = url;
	return wrong;
}

int cda_address_decode(struct cda_span part, char *buf, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < part.len; i++) {
		if (len + 1 >= cap)
			return -1;
		if (part.p[i] == '%' && part.len - i >= 3) {
			buf[len++] = (char)(hex(part.p[i + 1]) * 16 + hex(part.p[i + 2]));
			i += 2;
		} else {
			buf[len++] = part.p[i];
		}
	}
	if (cap == 0)
		return -1;
	buf[len] = '\0';
	return 0;
}

void cda_address_show(const char *text, char *buf, size_t cap)
{
	const char *host = strstr(text, "://"), *at = strrchr(text, '@'), *path;

	host = host != NULL ? host + 3 : text;
	path = host + strcspn(host, "/");
	/* An '@' may also be in the path. */
	while (at != NULL && at >= path)
		at = memrchr(host, '@', (size_t)(path - host));
	if (cda_put(buf, cap, "%.*s%s", (int)(host - text), text,
		    at != NULL && at >= host ? at + 1 : host) < 0 &&
	    cap > 0)
		buf[0] = '\0';
}
