#include "mountinfo.h"

#include <string.h>

/* Next field of a line; fields have one blank between them. */
static bool field(struct cda_span *rest, struct cda_span *ret)
{
	const char *end = rest->len > 0 ? memchr(rest->p, ' ', rest->len) : NULL;

	if (rest->len == 0)
		return false;
	*ret = (struct cda_span){rest->p, end != NULL ? (size_t)(end - rest->p) : rest->len};
	rest->p += ret->len + (end != NULL);
	rest->len -= ret->len + (end != NULL);
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* \040 and the like. Returns 0, or -1 if it does not fit or holds a NUL. */
static int unescape(struct cda_span from, char *to, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < from.len; i++) {
		char c = from.p[i];

		if (c == '\\' && i + 3 < from.len && from.p[i + 1] <= '3' &&
		    is_octal(from.p[i + 1]) && is_octal(from.p[i + 2]) && is_octal(from.p[i + 3])) {
			c = (char)((from.p[i + 1] - '0') * 64 + (from.p[i + 2] - '0') * 8 +
				   (from.p[i + 3] - '0'));
			i += 3;
		}
		if (c == '\0' || len + 1 >= cap)
			return -1;
		to[len++] = c;
	}
	to[len] = '\0';
	return 0;
}

static bool has_option(struct cda_span options, const char *option)
{
	while (options.len > 0) {
		const char *comma = memchr(options.p, ',', options.len);
		size_t len = comma != NULL ? (size_t)(comma - options.p) : options.len;

		if (cda_span_is((struct cda_span){options.p, len}, option))
			return true;
		options.p += len + (comma != NULL);
		options.len -= len + (comma != NULL);
	}
	return false;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPEROPTIONS" */
static bool parse(struct cda_span line, struct cda_mount *ret)
{
	struct cda_span word, point = {NULL, 0}, options = {NULL, 0}, super = {NULL, 0};

	for (int i = 0; i < 6; i++) {
		if (!field(&line, &word))
			return false;
		if (i == 4)
			point = word;
		options = word;
	}
	do {
		if (!field(&line, &word))
			return false;
	} while (!cda_span_is(word, "-"));
	if (!field(&line, &word) || cda_span_copy(word, ret->type, sizeof(ret->type)) != 0)
		return false;
	if (point.len == 0 || point.p[0] != '/' ||
	    unescape(point, ret->point, sizeof(ret->point)) != 0)
		return false;
	if (field(&line, &word))
		(void)field(&line, &super);
	ret->read_only = has_option(options, "ro") || has_option(super, "ro");
	ret->nosuid = has_option(options, "nosuid");
	ret->idmapped = has_option(options, "idmapped");
	return true;
}

bool cda_mountinfo_next(struct cda_span *rest, struct cda_mount *ret)
{
	struct cda_span line;

	while (cda_span_line(rest, &line)) {
		if (parse(line, ret))
			return true;
	}
	return false;
}
