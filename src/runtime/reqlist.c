#include "reqlist.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_low(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_low(c) || (c >= 'A' && c <= 'Z');
}

static struct cda_span without_bom(struct cda_span text)
{
	if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		return (struct cda_span){text.p + 3, text.len - 3};
	return text;
}

/* Next word of a line; a '#' at its start ends the line. */
static bool next_word(struct cda_span *rest, struct cda_span *ret)
{
	size_t len = 0;

	while (rest->len > 0 && is_blank(rest->p[0])) {
		rest->p++;
		rest->len--;
	}
	if (rest->len == 0 || rest->p[0] == '#')
		return false;
	while (len < rest->len && !is_blank(rest->p[len]))
		len++;
	*ret = (struct cda_span){rest->p, len};
	rest->p += len;
	rest->len -= len;
	return true;
}

static size_t run_of(struct cda_span word, size_t from, const char *extra)
{
	size_t at = from;

	while (at < word.len &&
	       (is_alnum(word.p[at]) || (word.p[at] != '\0' && strchr(extra, word.p[at]) != NULL)))
		at++;
	return at - from;
}

static bool apt_valid(struct cda_span word)
{
	size_t at = 0, len;

	while (at < word.len &&
	       (is_low(word.p[at]) || (at > 0 && strchr("+.-", word.p[at]) != NULL)))
		at++;
	if (at < 2 || word.p[at - 1] == '-' || word.p[at - 1] == '.')
		return false;
	if (at < word.len && word.p[at] == ':') {
		len = run_of(word, at + 1, "-");
		if (len == 0 || word.p[at + len] == '-')
			return false;
		at += 1 + len;
	}
	if (at < word.len && word.p[at] == '=') {
		len = run_of(word, at + 1, ".+:~-");
		if (len == 0 || word.p[at + len] == '-') /* for apt, that is a removal */
			return false;
		at += 1 + len;
	}
	return at == word.len;
}

static bool apk_valid(struct cda_span word)
{
	size_t at, len;

	if (word.len == 0 || !is_alnum(word.p[0]))
		return false;
	at = run_of(word, 0, "+._-");
	if (at >= 4 && at == word.len && memcmp(word.p + at - 4, ".apk", 4) == 0)
		return false;
	if (word.p[word.len - 1] == '-') /* as for apt, where it means a removal */
		return false;
	if (at < word.len && strchr("=<>~", word.p[at]) != NULL) {
		at++;
		if (at < word.len && word.p[at] == '=')
			at++;
		len = run_of(word, at, "._-");
		if (len == 0)
			return false;
		at += len;
	}
	return at == word.len;
}

bool cda_pkg_valid(struct cda_span word, enum cda_pm pm)
{
	if (word.len == 0 || word.len >= CDA_PKG_MAX || memchr(word.p, '\0', word.len) != NULL)
		return false;
	return pm == CDA_APT ? apt_valid(word) : apk_valid(word);
}

int cda_reqlist_parse(const struct cda_text *text, enum cda_pm pm, struct cda_reqlist *ret)
{
	struct cda_span rest = without_bom((struct cda_span){text->data, text->len}), line, word;

	ret->count = 0;
	for (int number = 1; cda_span_line(&rest, &line); number++) {
		while (next_word(&line, &word)) {
			struct cda_pkg *pkg = &ret->pkgs[ret->count];

			if (!cda_pkg_valid(word, pm) || ret->count == CDA_LIST_NAMES - 1)
				return number;
			(void)cda_span_copy(word, pkg->text, sizeof(pkg->text));
			pkg->line = number;
			ret->count++;
		}
	}
	return 0;
}

void cda_pkg_name(const struct cda_pkg *pkg, char ret_name[CDA_PKG_MAX])
{
	size_t len = strcspn(pkg->text, ":=<>~");

	memcpy(ret_name, pkg->text, len);
	ret_name[len] = '\0';
}

bool cda_list_says_something(struct cda_span text)
{
	struct cda_span rest = without_bom(text), line, word;

	while (cda_span_line(&rest, &line)) {
		if (next_word(&line, &word))
			return true;
	}
	return false;
}

const char *cda_list_unfit(struct cda_span text)
{
	static const char utf16[] = "is UTF-16; save it as UTF-8";
	static const char *const marks[] = {"\xff\xfe", "\xfe\xff"};

	if (text.len >= 4 && memcmp(text.p, "\xff\xfe\0", 4) == 0)
		return "is UTF-32; save it as UTF-8";
	for (int i = 0; i < 2; i++) {
		if (text.len >= 2 && memcmp(text.p, marks[i], 2) == 0)
			return utf16;
	}
	if (text.len == 0 || memchr(text.p, '\0', text.len) == NULL)
		return NULL;
	/* Without a mark: of an ASCII letter one half is NUL. */
	if (text.len >= 2 && text.len % 2 == 0 && (text.p[0] == '\0') != (text.p[1] == '\0'))
		return utf16;
	return "is no text: it has bytes of value 0";
}
