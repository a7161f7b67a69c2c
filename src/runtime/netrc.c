#include "netrc.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cda_netrc_host_valid(struct cda_span host)
{
	if (host.len == 0 || host.len > 255)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c != '\0' && strchr(".-_:[]", c) != NULL)))
			return false;
	}
	return true;
}

bool cda_netrc_word_valid(struct cda_span word)
{
	if (word.len == 0 || word.len > 511 || word.p[0] == '#')
		return false;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == '\\')
			return false;
	}
	return true;
}

/* Words of a text with the numbers of their lines. */
struct words {
	struct cda_span rest;
	int line;
	bool begun; /* something was on this line */
};

static bool next_word(struct words *words, struct cda_span *ret)
{
	size_t len = 0;

	while (words->rest.len > 0) {
		char c = words->rest.p[0];
		bool comment = c == '#' && !words->begun;

		if (!comment && !is_blank(c))
			break;
		do {
			c = words->rest.p[0];
			words->rest.p++;
			words->rest.len--;
		} while (comment && c != '\n' && words->rest.len > 0);
		if (c == '\n') {
			words->line++;
			words->begun = false;
		}
	}
	while (len < words->rest.len && !is_blank(words->rest.p[len]))
		len++;
	*ret = (struct cda_span){words->rest.p, len};
	words->rest.p += len;
	words->rest.len -= len;
	words->begun = true;
	return len > 0;
}

static bool complete(const struct cda_netrc *netrc, bool inside)
{
	const struct cda_netrc_host *last;

	if (!inside)
		return true;
	last = &netrc->hosts[netrc->count - 1];
	return last->login.len > 0 && last->password.len > 0;
}

int cda_netrc_parse(struct cda_span text, struct cda_netrc *ret)
{
	struct words words = {.rest = text, .line = 1};
	struct cda_netrc_host left_out, *now = NULL;
	struct cda_span word, value;
	bool inside = false;

	if (memchr(text.p, '\0', text.len) != NULL)
		return 1;
	while (next_word(&words, &word)) {
		bool machine = cda_span_is(word, "machine");

		if (machine || cda_span_is(word, "default")) {
			if (!complete(ret, inside))
				return words.line;
			inside = machine;
			left_out = (struct cda_netrc_host){.login = {NULL, 0}};
			now = &left_out;
			if (!machine)
				continue;
			if (ret->count == CDA_NETRC_HOSTS || !next_word(&words, &value) ||
			    !cda_netrc_host_valid(value))
				return words.line;
			now = &ret->hosts[ret->count++];
			*now = (struct cda_netrc_host){.host = value};
			continue;
		}
		if (now == NULL || !next_word(&words, &value) || !cda_netrc_word_valid(value))
			return words.line;
		if (cda_span_is(word, "login") && now->login.len == 0)
			now->login = value;
		else if (cda_span_is(word, "password") && now->password.len == 0)
			now->password = value;
		else if (!cda_span_is(word, "account"))
			return words.line;
	}
	return complete(ret, inside) ? 0 : words.line;
}

static void add_host(const struct cda_netrc_host *host, const char *scheme, struct cda_text *out)
{
	cda_text_add_str(out, "machine ");
	cda_text_add_str(out, scheme);
	cda_text_add(out, host->host.p, host->host.len);
	cda_text_add_str(out, " login ");
	cda_text_add(out, host->login.p, host->login.len);
	cda_text_add_str(out, " password ");
	cda_text_add(out, host->password.p, host->password.len);
	cda_text_add_str(out, "\n");
}

void cda_netrc_format(const struct cda_netrc *netrc, struct cda_text *out)
{
	for (int i = 0; i < netrc->count; i++) {
		add_host(&netrc->hosts[i], "https://", out);
		add_host(&netrc->hosts[i], "http://", out);
	}
}

const struct cda_netrc_host *cda_netrc_find(const struct cda_netrc *netrc, struct cda_span host,
					    struct cda_span port)
{
	for (int i = 0; i < netrc->count; i++) {
		struct cda_span have = netrc->hosts[i].host;
		size_t rest;

		if (have.len < host.len || strncasecmp(have.p, host.p, host.len) != 0)
			continue;
		rest = have.len - host.len;
		if (rest == 0 || (rest == port.len + 1 && have.p[host.len] == ':' &&
				  memcmp(have.p + host.len + 1, port.p, port.len) == 0))
			return &netrc->hosts[i];
	}
	return NULL;
}
