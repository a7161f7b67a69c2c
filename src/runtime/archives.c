#include "archives.h"

#include "say.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool starts(struct cda_span span, const char *lead)
{
	return span.len >= strlen(lead) && memcmp(span.p, lead, strlen(lead)) == 0;
}

static bool contains(struct cda_span span, const char *word)
{
	return memmem(span.p, span.len, word, strlen(word)) != NULL;
}

static bool is_word(struct cda_span span, const char *word)
{
	return span.len == strlen(word) && strncasecmp(span.p, word, span.len) == 0;
}

static bool is_local(struct cda_span uri)
{
	return starts(uri, "/") || starts(uri, "file:") || starts(uri, "copy:") ||
	       starts(uri, "cdrom:");
}

/* The rest of a URI from the '/' after its host on, without '/' at its end. */
static struct cda_span path_of(struct cda_span uri)
{
	const char *host = memmem(uri.p, uri.len, "://", 3), *end = uri.p + uri.len;

	host = host != NULL ? host + 3 : uri.p;
	while (host < end && *host != '/')
		host++;
	while (end > host && end[-1] == '/')
		end--;
	return (struct cda_span){host, (size_t)(end - host)};
}

/* Which mirror has what is at uri: of Debian, what its own keys sign, by the archive's usual name;
 * without such a key, by the usual path alone. Returns CDA_MIRRORS for what is somebody else's. */
static enum cda_mirror kind_of_debian(struct cda_span uri, bool own_key)
{
	struct cda_span path = path_of(uri), last = path;

	for (size_t i = path.len; i > 0 && own_key; i--) {
		if (path.p[i - 1] == '/') {
			last = (struct cda_span){path.p + i - 1, path.len - i + 1};
			break;
		}
	}
	return cda_span_is(last, "/debian")            ? CDA_DEBIAN
	       : cda_span_is(last, "/debian-security") ? CDA_DEBIAN_SECURITY
						       : CDA_MIRRORS;
}

/* /v3.20/main, /edge/main or /latest-stable/main behind .../alpine. */
static struct cda_span branch_of_alpine(struct cda_span uri)
{
	static const char lead[] = "/alpine/";
	const char *at = memmem(uri.p, uri.len, lead, sizeof(lead) - 1);
	struct cda_span none = {uri.p, 0}, rest;

	if (at == NULL)
		return none;
	at += sizeof(lead) - 2;
	rest = (struct cda_span){at, (size_t)(uri.p + uri.len - at)};
	if (starts(rest, "/edge/") || starts(rest, "/latest-stable/") ||
	    (starts(rest, "/v") && rest.len > 2 && rest.p[2] >= '0' && rest.p[2] <= '9'))
		return rest;
	return none;
}

/* As a URL has it, in escapes that apk undoes. */
static void add_escaped(struct cda_span word, struct cda_text *out)
{
	char byte[4];

	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c) != NULL) {
			cda_text_add(out, &c, 1);
			continue;
		}
		cda_put(byte, sizeof(byte), "%%%02X", (unsigned)(unsigned char)c);
		cda_text_add_str(out, byte);
	}
}

/* SCHEME://USER:PASSWORD@REST, if there are credentials for the host of SCHEME://REST. */
static void add_url(struct cda_archives *archives, struct cda_span url, struct cda_text *out)
{
	const struct cda_netrc_host *found = NULL;
	struct cda_address address;
	size_t lead;

	if (archives->netrc != NULL &&
	    cda_address_parse(url, CDA_HTTP | CDA_HTTPS, &address) == NULL && address.user.len == 0)
		found = cda_netrc_find(archives->netrc, address.host, address.port);
	if (found == NULL) {
		cda_text_add(out, url.p, url.len);
		return;
	}
	lead = (size_t)(address.host.p - url.p);
	cda_text_add(out, url.p, lead);
	add_escaped(found->login, out);
	cda_text_add_str(out, ":");
	add_escaped(found->password, out);
	cda_text_add_str(out, "@");
	cda_text_add(out, url.p + lead, url.len - lead);
}

/* The mirror's URL as the program wants it. apt copies what it finds on this machine before it
 * checks it, or another could change it afterwards. */
static void add_mirror(struct cda_archives *archives, const char *url, bool apt,
		       struct cda_text *out)
{
	char shown[CDA_ADDRESS_MAX];

	cda_address_show(url, shown, sizeof(shown));
	if (strncmp(shown, "file://", 7) != 0) {
		archives->network = true;
		add_url(archives, (struct cda_span){shown, strlen(shown)}, out);
	} else {
		cda_text_add_str(out, apt ? "copy:" : "");
		cda_text_add_str(out, shown + 7);
	}
}

static void add_uri(struct cda_archives *archives, struct cda_span uri, bool own_key, bool apt,
		    struct cda_text *out)
{
	static char bare[CDA_ADDRESS_MAX];
	struct cda_span rest = {uri.p, 0}, path = path_of(uri);
	enum cda_mirror kind = CDA_MIRRORS;
	const char *mirror = "";

	if (apt) {
		kind = kind_of_debian(uri, own_key);
	} else {
		rest = branch_of_alpine(uri);
		if (rest.len > 0)
			kind = CDA_ALPINE;
	}
	if (kind < CDA_MIRRORS)
		mirror = archives->settings->mirror[kind];
	if (mirror[0] != '\0') {
		archives->moved = true;
		add_mirror(archives, mirror, apt, out);
		cda_text_add(out, rest.p, rest.len);
		return;
	}
	if (!is_local(uri))
		archives->network = true;
	if (archives->bare && memchr(uri.p, '@', (size_t)(path.p - uri.p)) != NULL &&
	    cda_span_copy(uri, bare, sizeof(bare)) == 0) {
		char shown[CDA_ADDRESS_MAX];

		cda_address_show(bare, shown, sizeof(shown));
		cda_put(bare, sizeof(bare), "%s", shown);
		uri = (struct cda_span){bare, strlen(bare)};
	}
	add_url(archives, uri, out);
}

/* Copy blanks, then take the next word off the line. */
static bool next_word(struct cda_span *line, struct cda_span *ret, struct cda_text *out)
{
	size_t len = 0;

	while (line->len > 0 && is_blank(line->p[0])) {
		if (out != NULL)
			cda_text_add(out, line->p, 1);
		line->p++;
		line->len--;
	}
	while (len < line->len && !is_blank(line->p[len]))
		len++;
	*ret = (struct cda_span){line->p, len};
	line->p += len;
	line->len -= len;
	return len > 0;
}

/* Options by which apt takes what no key signs. */
static bool trusts(struct cda_span key, struct cda_span value)
{
	static const char *const keys[] = {"trusted", "allow-insecure", "allow-weak",
					   "allow-downgrade-to-insecure"};

	if (is_word(value, "no") || is_word(value, "false") || is_word(value, "0"))
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (is_word(key, keys[i]))
			return true;
	}
	return false;
}

/* [KEY=VALUE KEY=VALUE], with blanks inside or not. */
static void look_at_options(struct cda_archives *archives, struct cda_span options)
{
	struct cda_span word;

	while (next_word(&options, &word, NULL)) {
		size_t len = 0;
		struct cda_span value;

		while (word.len > 0 && word.p[0] == '[') {
			word.p++;
			word.len--;
		}
		while (len < word.len && strchr("=+]", word.p[len]) == NULL)
			len++;
		if (len > 0 && len < word.len && word.p[len - 1] == '-')
			len--;
		value = (struct cda_span){word.p + len, word.len - len};
		while (value.len > 0 && strchr("=+-", value.p[0]) != NULL) {
			value.p++;
			value.len--;
		}
		while (value.len > 0 && value.p[value.len - 1] == ']')
			value.len--;
		if (trusts((struct cda_span){word.p, len}, value))
			archives->trusting = true;
	}
}

/* deb [OPTIONS] URI SUITE COMPONENT... */
static void copy_one_line(struct cda_archives *archives, struct cda_span line, struct cda_text *out)
{
	struct cda_span rest = line, word, options = {line.p, 0};
	const char *end;

	if (!next_word(&rest, &word, NULL) ||
	    (!cda_span_is(word, "deb") && !cda_span_is(word, "deb-src"))) {
		cda_text_add(out, line.p, line.len);
		return;
	}
	while (rest.len > 0 && is_blank(rest.p[0])) {
		rest.p++;
		rest.len--;
	}
	if (rest.len > 0 && rest.p[0] == '[') {
		end = memchr(rest.p, ']', rest.len);
		end = end != NULL ? end + 1 : rest.p + rest.len;
		options = (struct cda_span){rest.p, (size_t)(end - rest.p)};
		look_at_options(archives, options);
		rest.len -= options.len;
		rest.p = end;
	}
	cda_text_add(out, line.p, (size_t)(rest.p - line.p));
	if (next_word(&rest, &word, out))
		add_uri(archives, word, contains(options, "debian-archive-"), true, out);
	cda_text_add(out, rest.p, rest.len);
}

static bool ends_stanza(struct cda_span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (!is_blank(line.p[i]))
			return false;
	}
	return true;
}

/* KEY: VALUE, where lines that begin with a blank go on. */
static bool key_of(struct cda_span line, struct cda_span *ret_key, struct cda_span *ret_value)
{
	const char *colon = memchr(line.p, ':', line.len);

	if (colon == NULL || line.len == 0 || is_blank(line.p[0]) || line.p[0] == '#')
		return false;
	*ret_key = (struct cda_span){line.p, (size_t)(colon - line.p)};
	while (ret_key->len > 0 && is_blank(ret_key->p[ret_key->len - 1]))
		ret_key->len--;
	*ret_value = (struct cda_span){colon + 1, line.len - ret_key->len - 1};
	ret_value->len = (size_t)(line.p + line.len - ret_value->p);
	return true;
}

static bool stanza_has_own_key(struct cda_span rest)
{
	struct cda_span line, key = {rest.p, 0}, value;

	while (cda_span_line(&rest, &line) && !ends_stanza(line)) {
		if (key_of(line, &key, &value))
			line = value;
		if (is_word(key, "Signed-By") && contains(line, "debian-archive-"))
			return true;
	}
	return false;
}

static void copy_deb822(struct cda_archives *archives, struct cda_span text, struct cda_text *out)
{
	struct cda_span rest = text, before = text, line, key = {text.p, 0}, value, word;
	bool inside = false, own_key = false;

	for (; cda_span_line(&rest, &line); before = rest) {
		bool first = key_of(line, &key, &value);

		if (ends_stanza(line)) {
			inside = false;
			key.len = 0;
		} else if (!inside) {
			inside = true;
			own_key = stanza_has_own_key(before);
		}
		if (!first)
			value = line;
		if (line.len > 0 && line.p[0] == '#') {
			cda_text_add(out, line.p, line.len);
		} else if (is_word(key, "URIs")) {
			cda_text_add(out, line.p, (size_t)(value.p - line.p));
			while (next_word(&value, &word, out))
				add_uri(archives, word, own_key, true, out);
		} else {
			struct cda_span whole = value;

			if (next_word(&whole, &word, NULL) && trusts(key, word))
				archives->trusting = true;
			cda_text_add(out, line.p, line.len);
		}
		cda_text_add_str(out, "\n");
	}
}

/* URL, or @TAG URL; what a folder of this machine is called counts as one. */
static void copy_repository(struct cda_archives *archives, struct cda_span line,
			    struct cda_text *out)
{
	struct cda_span rest = line, word;

	if (!next_word(&rest, &word, out))
		return;
	if (word.p[0] == '@') {
		cda_text_add(out, word.p, word.len);
		if (!next_word(&rest, &word, out))
			return;
	}
	if (word.p[0] == '#')
		cda_text_add(out, word.p, word.len);
	else
		add_uri(archives, word, false, false, out);
	cda_text_add(out, rest.p, rest.len);
}

void cda_archives_copy(struct cda_archives *archives, enum cda_archives_form form,
		       struct cda_span text, struct cda_text *out)
{
	struct cda_span rest = text, line;

	if (form == CDA_DEB822) {
		copy_deb822(archives, text, out);
		return;
	}
	while (cda_span_line(&rest, &line)) {
		if (form == CDA_ONE_LINE)
			copy_one_line(archives, line, out);
		else
			copy_repository(archives, line, out);
		cda_text_add_str(out, "\n");
	}
}
