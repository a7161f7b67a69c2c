#include "redact.h"

#include <stdbool.h>
#include <string.h>

struct out {
	char *p;
	size_t len, cap;
};

static void add(struct out *out, const char *data, size_t len)
{
	if (len > out->cap - out->len)
		len = out->cap - out->len;
	memcpy(out->p + out->len, data, len);
	out->len += len;
}

/* Where a URL ends in running text. */
static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' ||
	       c == '`' || c == 0x7f;
}

static size_t word_len(const char *p, size_t len)
{
	size_t at = 0;

	while (at < len && !ends_word(p[at]))
		at++;
	return at;
}

/* The length of "USER:PASSWORD@" or "USER@" at p, else 0. A password may hold '@', and, against
 * the rules, '/': then what stands behind the ':' is no port. */
static size_t userinfo_len(const char *p, size_t len)
{
	size_t host = 0, at, colon;

	while (host < len && memchr("/?#", p[host], 3) == NULL)
		host++;
	for (at = host; at > 0 && p[at - 1] != '@'; at--)
		;
	if (at > 0)
		return at;
	for (colon = 0; colon < host && p[colon] != ':'; colon++)
		;
	if (p[0] == '[' || colon + 1 >= host || (p[colon + 1] >= '0' && p[colon + 1] <= '9'))
		return 0;
	for (at = len; at > 0 && p[at - 1] != '@'; at--)
		;
	return at;
}

static void add_path(struct out *out, const char *p, size_t len)
{
	while (len > 0) {
		const char *token = len > 3 ? memmem(p, len, "/t/", 3) : NULL;
		size_t lead = token != NULL ? (size_t)(token - p) + 3 : len;

		add(out, p, lead);
		p += lead;
		len -= lead;
		if (token == NULL)
			continue;
		add(out, "***", 3);
		while (len > 0 && p[0] != '/') {
			p++;
			len--;
		}
	}
}

size_t cda_redact(const char *text, size_t len, char *ret, size_t cap)
{
	struct out out = {.p = ret, .cap = cap};

	while (len > 0) {
		const char *url = memmem(text, len, "://", 3);
		size_t lead = url != NULL ? (size_t)(url - text) + 3 : len, word, user;

		add(&out, text, lead);
		text += lead;
		len -= lead;
		word = word_len(text, len);
		user = userinfo_len(text, word);
		if (user > 0) {
			const char *colon = memchr(text, ':', user);

			if (colon != NULL)
				add(&out, text, (size_t)(colon - text) + 1);
			add(&out, "***@", 4);
		}
		add_path(&out, text + user, word - user);
		text += word;
		len -= word;
	}
	return out.len;
}
