#include "util/str.h"
#include "util/alloc.h"

#include <stdlib.h>
#include <string.h>

bool cda_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool cda_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

bool cda_strcaseeq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && cda_lower(*a) == cda_lower(*b))
		a++, b++;
	return cda_lower(*a) == cda_lower(*b);
}

char *cda_str_dup(struct cda_str s)
{
	char *copy = cda_alloc(s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

struct cda_str cda_str_trim(struct cda_str s)
{
	while (s.len > 0 && cda_is_space(s.p[0]))
		s.p++, s.len--;
	while (s.len > 0 && cda_is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

int cda_str_cmp(struct cda_str a, struct cda_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int diff = n ? memcmp(a.p, b.p, n) : 0;

	if (diff != 0)
		return diff < 0 ? -1 : 1;
	return (a.len > b.len) - (a.len < b.len);
}

bool cda_str_cut(struct cda_str *rest, const char *seps, struct cda_str *ret_piece)
{
	size_t n = 0;

	if (rest->len == 0)
		return false;
	while (n < rest->len && !(rest->p[n] && strchr(seps, rest->p[n])))
		n++;
	*ret_piece = (struct cda_str){rest->p, n};
	rest->p += n;
	rest->len -= n;
	if (rest->len > 0) {
		rest->p++;
		rest->len--;
	}
	return true;
}

bool cda_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool cda_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool cda_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool cda_is_alnum(char c)
{
	return cda_is_alpha(c) || cda_is_digit(c);
}

char cda_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void cda_lower_inplace(char *s)
{
	for (; *s; s++)
		*s = cda_lower(*s);
}

bool cda_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret_value)
{
	bool negative = false;
	int64_t value = 0;

	if (!s)
		return false;
	if (*s == '-' && min < 0) {
		negative = true;
		s++;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!cda_is_digit(*s) || __builtin_mul_overflow(value, 10, &value))
			return false;
		/* Collected on the side of the sign, so that the smallest number fits too. */
		int64_t digit = *s - '0';
		if (negative ? __builtin_sub_overflow(value, digit, &value)
			     : __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

/* One [..] at p (behind the bracket). Returns what follows it, or NULL where it has no end: then
 * the bracket is an ordinary byte. */
static const char *match_set(const char *p, char c, bool *ret_hit)
{
	bool negate = *p == '!' || *p == '^', hit = false, first = true;

	if (negate)
		p++;
	for (; *p && (first || *p != ']'); first = false) {
		unsigned char low = (unsigned char)*p++, high = low;

		if (p[0] == '-' && p[1] && p[1] != ']') {
			high = (unsigned char)p[1];
			p += 2;
		}
		if ((unsigned char)c >= low && (unsigned char)c <= high)
			hit = true;
	}
	if (*p != ']')
		return NULL;
	*ret_hit = hit != negate;
	return p + 1;
}

bool cda_glob_match(const char *pattern, const char *s)
{
	const char *p = pattern, *star = NULL, *retry = NULL;

	/* Only the last star needs a way back: what an earlier one took can stay as short. */
	while (*s) {
		const char *after = NULL;
		bool hit = false;

		if (*p == '*') {
			star = ++p;
			retry = s;
			continue;
		}
		if (*p == '[')
			after = match_set(p + 1, *s, &hit);
		if (!after && *p) {
			hit = *p == '?' || *p == *s;
			after = p + 1;
		}
		if (hit) {
			p = after;
			s++;
		} else if (star) {
			p = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

/* Edit distance with swapped neighbours as one step; more than `limit` is limit + 1. */
static size_t distance(const char *a, const char *b, size_t limit)
{
	enum { longest = 64 };
	size_t rows[3][longest + 1], la = strlen(a), lb = strlen(b);
	size_t *before = rows[0], *prev = rows[1], *now = rows[2];

	if (la > longest || lb > longest || (la > lb ? la - lb : lb - la) > limit)
		return limit + 1;
	for (size_t j = 0; j <= lb; j++)
		prev[j] = j;
	for (size_t i = 1; i <= la; i++) {
		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = prev[j - 1] + (cda_lower(a[i - 1]) != cda_lower(b[j - 1]));

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		size_t *spare = before;
		before = prev;
		prev = now;
		now = spare;
	}
	return prev[lb];
}

bool cda_str_is_utf8(const char *s)
{
	static const struct {
		unsigned char from, to, low, high; /* first bytes; range of the second one */
		unsigned more;
	} rows[] = {
		{0x01, 0x7f, 0x00, 0x00, 0}, {0xc2, 0xdf, 0x80, 0xbf, 1},
		{0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
		{0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
		{0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3},
		{0xf4, 0xf4, 0x80, 0x8f, 3},
	};

	while (*s) {
		unsigned char first = (unsigned char)*s++;
		size_t row = 0;

		while (row < CDA_LEN(rows) && (first < rows[row].from || first > rows[row].to))
			row++;
		if (row == CDA_LEN(rows))
			return false;
		for (unsigned i = 0; i < rows[row].more; i++, s++) {
			unsigned char c = (unsigned char)*s;

			if (c < (i == 0 ? rows[row].low : 0x80) ||
			    c > (i == 0 ? rows[row].high : 0xbf))
				return false;
		}
	}
	return true;
}

const char *cda_nearest(const char *name, const char *const *names)
{
	size_t best = strlen(name) < 4 ? 2 : strlen(name) < 8 ? 3 : 4;
	const char *found = NULL;

	/* One edit for short names, up to three for long ones; a strict `<` keeps the first. */
	for (; *names; names++) {
		size_t d = distance(name, *names, best - 1);

		if (d < best) {
			best = d;
			found = *names;
			if (d == 0)
				break;
		}
	}
	return found;
}
