/* str.h - a borrowed view of text by value, and small questions about text.
 * Everything is ASCII and independent of the locale. */
#ifndef CDA_UTIL_STR_H
#define CDA_UTIL_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cda_str {
	const char *p; /* not NUL-ended */
	size_t len;
};

#define CDA_STR(literal) ((struct cda_str){("" literal), sizeof(literal) - 1})
#define CDA_STR_FMT "%.*s"
#define CDA_STR_ARG(s) (int)(s).len, (s).p

static inline struct cda_str cda_str(const char *s)
{
	return (struct cda_str){s, s ? strlen(s) : 0};
}

static inline bool cda_streq(const char *a, const char *b) /* NULL equals NULL only */
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool cda_str_eq(struct cda_str a, struct cda_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool cda_starts_with(const char *s, const char *prefix);
bool cda_ends_with(const char *s, const char *suffix);
bool cda_str_is_utf8(const char *s);              /* well-formed, as RFC 3629 has it */
bool cda_strcaseeq(const char *a, const char *b); /* ASCII letters only */

char *cda_str_dup(struct cda_str s);           /* owned */
struct cda_str cda_str_trim(struct cda_str s); /* white space of both ends */
int cda_str_cmp(struct cda_str a, struct cda_str b);

/* Cuts the next piece up to any of the bytes in seps from *rest, which moves past the separator.
 * False when nothing is left. "a,,b" gives "a", "", "b"; "" gives nothing. */
bool cda_str_cut(struct cda_str *rest, const char *seps, struct cda_str *ret_piece);

bool cda_is_space(char c);
bool cda_is_digit(char c);
bool cda_is_alpha(char c);
bool cda_is_alnum(char c);
char cda_lower(char c);
void cda_lower_inplace(char *s);

/* A whole decimal number within [min, max]; false otherwise (signs, blanks and rests are refused,
 * but for a leading '-' where min is negative). */
bool cda_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret_value);

/* Shell pattern with * ? [..], over the whole text, '/' is no special byte. */
bool cda_glob_match(const char *pattern, const char *s);

/* Nearest of the names (NULL-ended) by edit distance, or NULL where none is near: for hints. */
const char *cda_nearest(const char *name, const char *const *names);

#endif
