/* The text of the status line, out of whatever a program writes. */
#include "progress.h"

#include "redact.h"

#include <stdint.h>
#include <string.h>

/* ECMA-48: ESC [ parameters final; ESC ] or P, X, ^, _ a string, ended by BEL or ESC \; ESC, maybe
 * 0x20 to 0x2f, one more. */
enum state { PLAIN, ESCAPE, CONTROL, STRING, STRING_ESCAPE };

static void put(struct cda_status *status, char c)
{
	if (status->part_len < sizeof(status->part))
		status->part[status->part_len++] = c;
	else
		status->cut = true;
}

/* Only now can it be seen what in it is a secret; of a line that was cut, the last word may be a
 * part of one. */
static void complete(struct cda_status *status)
{
	size_t len = status->part_len;

	while (status->cut && len > 0 && status->part[len - 1] != ' ')
		len--;
	if (len > 0)
		status->len = cda_redact(status->part, len, status->text, sizeof(status->text));
	status->part_len = 0;
	status->cut = false;
}

static int after_escape(unsigned char c)
{
	if (c == '[')
		return CONTROL;
	if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
		return STRING;
	return c >= 0x20 && c < 0x30 ? ESCAPE : PLAIN;
}

void cda_status_add(struct cda_status *status, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		/* No sequence goes over the end of a line: one that does was never ended. */
		if (c == '\n')
			status->state = PLAIN;
		if (status->state == ESCAPE) {
			status->state = after_escape(c);
		} else if (status->state == CONTROL) {
			if (c >= 0x40)
				status->state = PLAIN;
		} else if (status->state == STRING) {
			status->state = c == 0x1b ? STRING_ESCAPE : c == '\a' ? PLAIN : STRING;
		} else if (status->state == STRING_ESCAPE) {
			status->state = c == '\\' ? PLAIN : STRING;
		} else if (c == 0x1b) {
			status->state = ESCAPE;
		} else if (c == '\n' || c == '\r') {
			complete(status);
		} else if (c == '\t') {
			put(status, ' ');
		} else if (c >= 0x20 && c != 0x7f) {
			put(status, (char)c);
		}
	}
}

/* The length of the well-formed UTF-8 character at p, and its code point; 0 if it is none. */
static size_t decode(const unsigned char *p, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t code = size == 1 ? p[0] : p[0] & (0xffu >> (size + 1));

	if (size > len || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[size] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	*ret = code;
	return size;
}

size_t cda_status_cut(const struct cda_status *status, size_t width, char *ret, size_t cap)
{
	const unsigned char *p = (const unsigned char *)status->text;
	size_t columns = 0, at = 0, out = 0;

	while (at < status->len) {
		uint32_t code = 0;
		size_t size = decode(p + at, status->len - at, &code);
		/* Rather too wide than a line that wraps; nothing below U+1100 takes two columns.
		 */
		size_t wide = code >= 0x1100 ? 2 : 1;
		/* C1 controls, marks of direction, separators of lines: nothing to print. */
		bool odd = size == 0 || (code >= 0x80 && code < 0xa0) ||
			   (code >= 0x200b && code <= 0x200f) ||
			   (code >= 0x2028 && code <= 0x202e) ||
			   (code >= 0x2066 && code <= 0x2069) || code == 0x061c;

		if (columns + wide > width || out + 5 > cap)
			break;
		if (odd) {
			ret[out++] = '?';
		} else {
			memcpy(ret + out, p + at, size);
			out += size;
		}
		columns += wide;
		at += size > 0 ? size : 1;
	}
	ret[out] = '\0';
	return columns;
}
