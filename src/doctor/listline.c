#include "listline.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct cda_span trim(struct cda_span line)
{
	while (line.len > 0 && is_blank(line.p[0])) {
		line.p++;
		line.len--;
	}
	while (line.len > 0 && is_blank(line.p[line.len - 1]))
		line.len--;
	return line;
}

static struct cda_span skip(struct cda_span line, size_t count)
{
	return (struct cda_span){line.p + count, line.len - count};
}

static bool has(struct cda_span line, const char *word)
{
	return memmem(line.p, line.len, word, strlen(word)) != NULL;
}

/* Letters, digits and extra from the start on. */
static size_t name_length(struct cda_span line, const char *extra)
{
	size_t len = 0;

	while (len < line.len && (is_alnum(line.p[len]) ||
				  (line.p[len] != '\0' && strchr(extra, line.p[len]) != NULL)))
		len++;
	return len;
}

/* [channel::]name, then a version, a bracket or nothing. */
static bool conda_refuses(struct cda_span line)
{
	const char *channel;
	size_t len;

	if (line.p[0] == '@' || has(line, "://") || line.p[0] == '/' || line.p[0] == '.')
		return false;
	channel = memmem(line.p, line.len, "::", 2);
	if (channel != NULL)
		line = skip(line, (size_t)(channel - line.p) + 2);
	len = name_length(line, "._-*+");
	if (len == 0 || line.p[0] == '-' || line.p[0] == '+')
		return true;
	return len < line.len && strchr(" \t=<>!~[", line.p[len]) == NULL;
}

/* name[extras] version; marker (PEP 508), or an option, a URL, a path. */
static bool pip_refuses(struct cda_span line)
{
	size_t len;

	if (line.p[0] == '-')
		return line.len > 1 && is_blank(line.p[1]); /* an item of YAML */
	if (has(line, "://") || memchr(line.p, '/', line.len) != NULL || line.p[0] == '.' ||
	    line.p[0] == '$')
		return false;
	len = name_length(line, "._-");
	if (len == 0)
		return true;
	line = trim(skip(line, len));
	if (line.len == 0)
		return false;
	if (line.p[0] == '=')
		return line.len < 2 || line.p[1] != '=';
	return strchr("[(<>!~;@#-,\\", line.p[0]) == NULL;
}

int cda_list_refused(enum cda_list_kind kind, struct cda_span text)
{
	struct cda_span rest = text, line;
	bool goes_on = false;

	if (rest.len >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0)
		rest = skip(rest, 3);
	if (kind == CDA_LIST_YAML && trim(rest).len > 0 && !has(rest, "dependencies"))
		return 1;
	for (int number = 1; cda_span_line(&rest, &line); number++) {
		struct cda_span words = trim(line);
		bool before = goes_on;

		if (words.len == 0 || words.p[0] == '#') {
			goes_on = false;
			continue;
		}
		goes_on = words.p[words.len - 1] == '\\';
		if (kind == CDA_LIST_YAML    ? line.p[0] == '\t'
		    : kind == CDA_LIST_CONDA ? conda_refuses(words)
					     : !before && pip_refuses(words))
			return number;
	}
	return 0;
}
