#include "sources.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct cda_span trim(struct cda_span text)
{
	while (text.len > 0 && is_blank(text.p[0])) {
		text.p++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.p[text.len - 1]))
		text.len--;
	return text;
}

static bool next_word(struct cda_span *rest, struct cda_span *ret)
{
	size_t len = 0;

	*rest = trim(*rest);
	while (len < rest->len && !is_blank(rest->p[len]))
		len++;
	*ret = (struct cda_span){rest->p, len};
	rest->p += len;
	rest->len -= len;
	return len > 0;
}

static bool is_word(struct cda_span word, const char *str)
{
	return word.len == strlen(str) && strncasecmp(word.p, str, word.len) == 0;
}

static void add_words(const char *key, struct cda_span words, cda_source_fn add, void *ctx)
{
	struct cda_span word;

	while (next_word(&words, &word))
		add(ctx, key, word);
}

void cda_sources_list(struct cda_span text, cda_source_fn add, void *ctx)
{
	struct cda_span line, word;

	while (cda_span_line(&text, &line)) {
		if (!next_word(&line, &word) ||
		    (!is_word(word, "deb") && !is_word(word, "deb-src")))
			continue;
		if (!next_word(&line, &word))
			continue;
		if (word.p[0] == '[') {
			const char *end = memchr(word.p, ']', (size_t)(line.p + line.len - word.p));

			if (end == NULL)
				continue;
			line.len -= (size_t)(end + 1 - line.p);
			line.p = end + 1;
			if (!next_word(&line, &word))
				continue;
		}
		if (word.p[0] != '#')
			add(ctx, "url", word);
	}
}

/* "Name: value"; false for any other line. */
static bool name_value(struct cda_span line, char mark, struct cda_span *ret_name,
		       struct cda_span *ret_value)
{
	const char *at = line.len > 0 ? memchr(line.p, mark, line.len) : NULL;

	if (at == NULL)
		return false;
	*ret_name = trim((struct cda_span){line.p, (size_t)(at - line.p)});
	*ret_value = trim((struct cda_span){at + 1, line.len - (size_t)(at - line.p) - 1});
	return ret_name->len > 0;
}

/* One stanza; add NULL: only tell whether it is enabled. */
static bool stanza(struct cda_span text, cda_source_fn add, void *ctx)
{
	struct cda_span line, name, value;
	bool uris = false, enabled = true;

	while (cda_span_line(&text, &line)) {
		if (line.len > 0 && line.p[0] == '#')
			continue;
		if (line.len > 0 && is_blank(line.p[0])) {
			if (uris && add != NULL)
				add_words("url", line, add, ctx);
			continue;
		}
		if (!name_value(line, ':', &name, &value))
			continue;
		uris = is_word(name, "URIs");
		if (is_word(name, "Enabled") && (is_word(value, "no") || is_word(value, "false")))
			enabled = false;
		if (uris && add != NULL)
			add_words("url", value, add, ctx);
	}
	return enabled;
}

void cda_sources_deb822(struct cda_span text, cda_source_fn add, void *ctx)
{
	while (text.len > 0) {
		struct cda_span rest = text, line, part;

		while (cda_span_line(&rest, &line) && trim(line).len > 0)
			;
		part = (struct cda_span){text.p, text.len - rest.len};
		if (stanza(part, NULL, NULL))
			(void)stanza(part, add, ctx);
		text = rest;
	}
}

void cda_sources_apk(struct cda_span text, cda_source_fn add, void *ctx)
{
	struct cda_span line, word;

	while (cda_span_line(&text, &line)) {
		if (!next_word(&line, &word) || word.p[0] == '#')
			continue;
		if (word.p[0] == '@' && !next_word(&line, &word))
			continue;
		add(ctx, "url", word);
	}
}

/* A scalar without its quotes and without a comment behind it. */
static struct cda_span scalar(struct cda_span value)
{
	value = trim(value);
	if (value.len > 1 && (value.p[0] == '"' || value.p[0] == '\'')) {
		const char *end = memchr(value.p + 1, value.p[0], value.len - 1);

		if (end != NULL)
			return (struct cda_span){value.p + 1, (size_t)(end - value.p) - 1};
	}
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '#' && (i == 0 || is_blank(value.p[i - 1])))
			value.len = i;
	}
	return trim(value);
}

static void add_flow(const char *key, struct cda_span value, cda_source_fn add, void *ctx)
{
	const char *end = memchr(value.p, ']', value.len);

	value.len = end != NULL ? (size_t)(end - value.p) : value.len;
	while (value.len > 0) {
		const char *comma = memchr(value.p, ',', value.len);
		size_t len = comma != NULL ? (size_t)(comma - value.p) : value.len;
		struct cda_span item = scalar((struct cda_span){value.p, len});

		if (item.len > 0)
			add(ctx, key, item);
		value.p += len + (comma != NULL);
		value.len -= len + (comma != NULL);
	}
}

void cda_sources_condarc(struct cda_span text, cda_source_fn add, void *ctx)
{
	static const char *const keys[] = {"channels", "default_channels", "channel_alias"};
	struct cda_span line, name, value;
	const char *key = NULL;

	while (cda_span_line(&text, &line)) {
		struct cda_span item = trim(line);

		if (item.len == 0 || item.p[0] == '#')
			continue;
		if (item.p[0] == '-' && (item.len == 1 || is_blank(item.p[1]))) {
			item = scalar((struct cda_span){item.p + 1, item.len - 1});
			if (key != NULL && item.len > 0)
				add(ctx, key, item);
			continue;
		}
		if (is_blank(line.p[0]))
			continue; /* of a map that is no key of ours */
		key = NULL;
		if (!name_value(line, ':', &name, &value))
			continue;
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
			if (cda_span_is(name, keys[i]))
				key = keys[i];
		}
		if (key == NULL || value.len == 0)
			continue;
		if (value.p[0] == '[')
			add_flow(key, (struct cda_span){value.p + 1, value.len - 1}, add, ctx);
		else if (scalar(value).len > 0)
			add(ctx, key, scalar(value));
	}
}

/* pip takes '_' for '-' in names. */
static bool is_option(struct cda_span name, const char *option)
{
	if (name.len != strlen(option))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if ((name.p[i] == '_' ? '-' : name.p[i]) != option[i])
			return false;
	}
	return true;
}

void cda_sources_pip(struct cda_span text, cda_source_fn add, void *ctx)
{
	static const char *const options[] = {"index-url", "extra-index-url", "no-index",
					      "find-links"};
	struct cda_span line, name, value;
	const char *key = NULL;
	bool section = false;

	while (cda_span_line(&text, &line)) {
		struct cda_span whole = trim(line);

		if (whole.len == 0 || whole.p[0] == '#' || whole.p[0] == ';')
			continue;
		if (is_blank(line.p[0]) && key != NULL) {
			add_words(key, whole, add, ctx);
			continue;
		}
		key = NULL;
		if (whole.p[0] == '[') {
			section = cda_span_is(whole, "[global]") || cda_span_is(whole, "[install]");
			continue;
		}
		if (!section || (!name_value(line, '=', &name, &value) &&
				 !name_value(line, ':', &name, &value)))
			continue;
		for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
			if (is_option(name, options[i]))
				key = options[i];
		}
		if (key != NULL)
			add_words(key, value, add, ctx);
	}
}

static int port_number(struct cda_span digits)
{
	int port = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return -1;
		port = port * 10 + (digits.p[i] - '0');
		if (port > 65535)
			return -1;
	}
	return port > 0 ? port : -1;
}

static bool is_host(const char *host)
{
	for (; *host != '\0'; host++) {
		char c = *host;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || (c & 0x80) != 0;

		if (!plain && strchr(".-_:%", c) == NULL)
			return false;
	}
	return true;
}

int cda_url_place(struct cda_span url, struct cda_place_of *ret)
{
	static const struct {
		const char *scheme;
		int port;
	} schemes[] = {{"https", 443}, {"http", 80}, {"socks5", 1080}, {"socks5h", 1080}};
	struct cda_place_of place = {.port = 0};
	struct cda_span host;
	const char *colon;
	size_t len = 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t size = strlen(schemes[i].scheme);

		if (url.len > size + 3 && strncasecmp(url.p, schemes[i].scheme, size) == 0 &&
		    memcmp(url.p + size, "://", 3) == 0) {
			memcpy(place.scheme, schemes[i].scheme, size + 1);
			place.port = schemes[i].port;
			url.p += size + 3;
			url.len -= size + 3;
			break;
		}
	}
	if (place.port == 0)
		return -1;
	while (len < url.len && strchr("/?#", url.p[len]) == NULL)
		len++;
	host = (struct cda_span){url.p, len};
	for (size_t i = host.len; i > 0; i--) { /* "name:password@" */
		if (host.p[i - 1] == '@') {
			host.p += i;
			host.len -= i;
			break;
		}
	}
	if (host.len > 0 && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.len);

		if (end == NULL)
			return -1;
		len = (size_t)(end - host.p);
		colon = len + 1 < host.len && end[1] == ':' ? end + 1 : NULL;
		if (colon == NULL && len + 1 < host.len)
			return -1;
		if (cda_span_copy((struct cda_span){host.p + 1, len - 1}, place.host,
				  sizeof(place.host)) != 0)
			return -1;
	} else {
		colon = host.len > 0 ? memchr(host.p, ':', host.len) : NULL;
		len = colon != NULL ? (size_t)(colon - host.p) : host.len;
		if (cda_span_copy((struct cda_span){host.p, len}, place.host, sizeof(place.host)) !=
		    0)
			return -1;
	}
	if (colon != NULL && colon + 1 < host.p + host.len) {
		place.port = port_number(
			(struct cda_span){colon + 1, (size_t)(host.p + host.len - colon) - 1});
		if (place.port < 0)
			return -1;
	}
	if (place.host[0] == '\0' || !is_host(place.host))
		return -1;
	*ret = place;
	return 0;
}

bool cda_no_proxy(const char *list, const char *host)
{
	size_t size = strlen(host);

	while (*list != '\0') {
		size_t len = strcspn(list, ", ");
		const char *name = list;
		size_t skip;

		list += len + (list[len] != '\0');
		if (len == 1 && name[0] == '*')
			return true;
		skip = len > 1 && name[0] == '*' && name[1] == '.' ? 2 : len > 0 && name[0] == '.';
		name += skip;
		len -= skip;
		if (len == 0 || len > size || strncasecmp(host + size - len, name, len) != 0)
			continue;
		if (len == size || host[size - len - 1] == '.')
			return true;
	}
	return false;
}
