/* version.c - conda's version order (conda/models/version.py). A version is a list of components,
 * "1.0rc1" is 0 (the epoch), 1, 0 rc 1; a component is a list of atoms that starts with a number.
 * Missing components and atoms count as 0. Its docstring says 0.4 < 0.4.0, its code says equal. */
#include "core/version.h"

#include "util/alloc.h"
#include "util/str.h"

#include <stdint.h>
#include <string.h>

enum { MAX_VERSION = 4096 };

enum atom_kind { ATOM_TEXT, ATOM_NUM, ATOM_POST }; /* in their order */

struct atom {
	enum atom_kind kind;
	uint32_t len;  /* of the text, or of the digits without leading zeros */
	const char *p; /* into norm, or static */
	bool first;    /* the first of its component */
};

struct parts { /* components, flat */
	struct atom *v;
	size_t n;     /* atoms */
	size_t count; /* components */
};

struct cda_version {
	char *norm; /* trimmed, lower case, dashes as underscores */
	struct parts main, local;
};

static const struct atom zero = {ATOM_NUM, 0, "", false};

static int invalid(struct cda_err *err, const char *text, const char *why)
{
	return cda_err_set(err, CDA_E_VERSION, "invalid version '%.200s': %s", text, why);
}

static bool charset_ok(const char *s)
{
	for (; *s; s++)
		if (!cda_is_digit(*s) && !(*s >= 'a' && *s <= 'z') && !strchr("*.+!_", *s))
			return false;
	return true;
}

/* Cuts s[0, len) at '.' and '_' into components of atoms; false: an empty component. keep: the
 * length that a last '_' which is text, not a separator, adds to the last component. */
static bool cut(const char *s, size_t len, size_t keep, struct parts *out)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		size_t end = i, at = start;

		if (i < len && s[i] != '.' && s[i] != '_')
			continue;
		if (i == len)
			end += keep;
		if (end == start)
			return false;
		out->count++;
		if (!cda_is_digit(s[at])) {
			out->v[out->n] = zero;
			out->v[out->n++].first = true;
		}
		while (at < end) {
			struct atom *atom = &out->v[out->n++];
			size_t from = at;
			bool digit = cda_is_digit(s[at]), star = s[at] == '*';

			while (at < end && cda_is_digit(s[at]) == digit && (s[at] == '*') == star)
				at++;
			*atom = (struct atom){ATOM_TEXT, (uint32_t)(at - from), s + from,
					      from == start && digit};
			if (digit) {
				atom->kind = ATOM_NUM;
				while (atom->len > 0 && *atom->p == '0') {
					atom->p++;
					atom->len--;
				}
			} else if (atom->len == 4 && memcmp(atom->p, "post", 4) == 0) {
				atom->kind = ATOM_POST;
			} else if (atom->len == 3 && memcmp(atom->p, "dev", 3) == 0) {
				atom->p = "DEV"; /* upper case sorts below '_' and letters */
			}
		}
		start = i + 1;
	}
	return true;
}

static const char *parse(struct cda_version *ver, const char *text)
{
	struct cda_str trimmed = cda_str_trim(cda_str(text));
	char *s, *bang, *plus;
	size_t len, keep = 0;

	if (trimmed.len == 0)
		return "empty version string";
	if (trimmed.len > MAX_VERSION)
		return "version is too long";
	s = ver->norm = cda_str_dup(trimmed);
	cda_lower_inplace(s);
	if (!charset_ok(s)) {
		if (strchr(s, '_') || !strchr(s, '-'))
			return "invalid character(s)";
		for (char *p = s; *p; p++)
			if (*p == '-')
				*p = '_';
		if (!charset_ok(s))
			return "invalid character(s)";
	}

	len = strlen(s);
	/* every byte is at most one atom, and every component may get a 0 in front */
	ver->main.v = cda_alloc0(2 * len + 4, sizeof(struct atom));
	bang = strchr(s, '!');
	if (bang) {
		if (strchr(bang + 1, '!'))
			return "duplicated epoch separator '!'";
		for (char *p = s; p < bang; p++)
			if (!cda_is_digit(*p))
				return "epoch must be an integer";
		if (bang == s)
			return "epoch must be an integer";
		cut(s, (size_t)(bang - s), 0, &ver->main);
		s = bang + 1;
	} else {
		cut("0", 1, 0, &ver->main);
	}
	plus = strchr(s, '+');
	if (plus && strchr(plus + 1, '+'))
		return "duplicated local version separator '+'";
	len = plus ? (size_t)(plus - s) : strlen(s);
	if (len == 0)
		return "missing version before local version separator '+'";
	if (s[len - 1] == '_') { /* as in 1.0.2_: the mark belongs to the last component */
		len--;
		keep = 1;
	}
	if (!cut(s, len, keep, &ver->main))
		return "empty version component";
	if (plus) {
		len = strlen(plus + 1);
		ver->local.v = cda_alloc0(2 * len + 2, sizeof(struct atom));
		if (!cut(plus + 1, len, 0, &ver->local))
			return "empty version component";
	}
	return NULL;
}

int cda_version_parse(const char *text, struct cda_version **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_version_freep) struct cda_version *ver = cda_new0(struct cda_version);
	const char *why = parse(ver, text);

	if (why)
		return invalid(err, text, why);
	*ret = cda_take_ptr(ver);
	return 0;
}

struct cda_version *cda_version_free(struct cda_version *ver)
{
	if (ver) {
		free(ver->norm);
		free(ver->main.v);
		free(ver->local.v);
		free(ver);
	}
	return NULL;
}

static int atom_cmp(const struct atom *a, const struct atom *b)
{
	size_t min;
	int c;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == ATOM_POST)
		return 0;
	if (a->kind == ATOM_NUM) {
		if (a->len != b->len)
			return a->len < b->len ? -1 : 1;
		return memcmp(a->p, b->p, a->len);
	}
	min = a->len < b->len ? a->len : b->len;
	c = memcmp(a->p, b->p, min);
	if (c)
		return c;
	return (a->len > b->len) - (a->len < b->len);
}

/* Where the component that starts at i ends. */
static size_t component_end(const struct parts *parts, size_t i)
{
	for (i++; i < parts->n && !parts->v[i].first; i++)
		;
	return i < parts->n ? i : parts->n;
}

static int component_cmp(const struct atom *a, size_t na, const struct atom *b, size_t nb)
{
	for (size_t i = 0; i < na || i < nb; i++) {
		int c = atom_cmp(i < na ? &a[i] : &zero, i < nb ? &b[i] : &zero);

		if (c)
			return c;
	}
	return 0;
}

/* Compares the first max components (all: SIZE_MAX); where both stopped is told for more. */
static int parts_cmp(const struct parts *a, const struct parts *b, size_t max, size_t *ret_a,
		     size_t *ret_b)
{
	size_t ia = 0, ib = 0;

	for (size_t k = 0; k < max && (ia < a->n || ib < b->n); k++) {
		size_t ea = ia < a->n ? component_end(a, ia) : ia;
		size_t eb = ib < b->n ? component_end(b, ib) : ib;
		int c = component_cmp(a->v + ia, ea - ia, b->v + ib, eb - ib);

		if (c)
			return c;
		ia = ea;
		ib = eb;
	}
	if (ret_a)
		*ret_a = ia;
	if (ret_b)
		*ret_b = ib;
	return 0;
}

int cda_version_cmp(const struct cda_version *a, const struct cda_version *b)
{
	int c = parts_cmp(&a->main, &b->main, SIZE_MAX, NULL, NULL);

	return c ? c : parts_cmp(&a->local, &b->local, SIZE_MAX, NULL, NULL);
}

bool cda_version_starts_with(const struct cda_version *a, const struct cda_version *b)
{
	const struct parts *pa = &a->main, *pb = &b->main;
	const struct atom *last, *other;
	size_t ia, ib, na, nb;

	if (b->local.n > 0) {
		if (parts_cmp(pa, pb, SIZE_MAX, NULL, NULL) != 0)
			return false;
		pa = &a->local;
		pb = &b->local;
	}
	if (parts_cmp(pa, pb, pb->count - 1, &ia, &ib) != 0)
		return false;
	na = ia < pa->n ? component_end(pa, ia) - ia : 0;
	nb = pb->n - ib; /* the last component of b, never empty */
	if (component_cmp(pa->v + ia, na < nb - 1 ? na : nb - 1, pb->v + ib, nb - 1) != 0)
		return false;
	last = &pb->v[ib + nb - 1];
	other = na < nb ? &zero : &pa->v[ia + nb - 1];
	if (last->kind == ATOM_TEXT)
		return other->kind == ATOM_TEXT && other->len >= last->len &&
		       memcmp(other->p, last->p, last->len) == 0;
	return atom_cmp(last, other) == 0;
}

const char *cda_version_text(const struct cda_version *ver)
{
	return ver->norm;
}

int cda_version_cmp_text(const char *a, const char *b)
{
	struct cda_version va = {0}, vb = {0};
	const char *bad_a = parse(&va, a), *bad_b = parse(&vb, b);
	int c;

	if (bad_a && bad_b)
		c = strcmp(a, b);
	else if (bad_a || bad_b)
		c = bad_a ? -1 : 1;
	else
		c = cda_version_cmp(&va, &vb);
	free(va.norm);
	free(va.main.v);
	free(va.local.v);
	free(vb.norm);
	free(vb.main.v);
	free(vb.local.v);
	return c;
}
