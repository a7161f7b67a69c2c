/* matchspec_parse.c - spec text to raw fields, in the steps and with the oddities of
 * conda/models/match_spec.py, _parse_spec_str. Each step is linear in the text. */
#include "core/matchspec_parse.h"

#include "core/channel_parse.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

#include <stdint.h>
#include <string.h>

enum { MAX_TEXT = 65536 };

#define FIELD_NAME(id, name) name,
const char *const cda_spec_field_names[CDA_SPEC_COUNT] = {CDA_SPEC_FIELDS(FIELD_NAME)};
#undef FIELD_NAME

void cda_spec_raw_done(struct cda_spec_raw *raw)
{
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		free(raw->v[i]);
	free(raw->target);
	*raw = (struct cda_spec_raw){0};
}

int cda_spec_field_find(const char *name, size_t len)
{
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		if (strlen(cda_spec_field_names[i]) == len &&
		    memcmp(cda_spec_field_names[i], name, len) == 0)
			return i;
	return -1;
}

static int invalid(struct cda_err *err, const char *text, const char *why)
{
	return cda_err_set(err, CDA_E_SPEC, "invalid spec '%.200s': %s", text, why);
}

/* Cuts the part from the last `open` that has a `close` behind it to the last `close`, everywhere
 * it occurs in text. Owned text of that part without the two bytes, or NULL when there is none. */
static char *cut_section(char *text, char open, char close)
{
	char *last = strrchr(text, close), *first, *inner, *from, *to;
	CDA_AUTOFREE char *part = NULL;
	size_t len;

	if (!last)
		return NULL;
	first = memrchr(text, open, (size_t)(last - text));
	if (!first)
		return NULL;
	len = (size_t)(last + 1 - first);
	part = cda_strndup(first, len);
	inner = cda_strndup(first + 1, len - 2);
	for (from = to = text; *from;) {
		char *next = strstr(from, part);
		size_t keep = next ? (size_t)(next - from) : strlen(from);

		memmove(to, from, keep);
		to += keep;
		from += keep + (next ? len : 0);
	}
	*to = '\0';
	return inner;
}

static bool key_char(char c)
{
	return cda_is_alnum(c) || c == '_' || c == '-';
}

/* Keeps one key=value; false: no such field. */
static bool set_bracket(struct cda_spec_raw *raw, struct cda_str key, struct cda_str value)
{
	int field = cda_spec_field_find(key.p, key.len);

	if (field >= 0)
		cda_replace(&raw->v[field], cda_str_dup(value));
	else if (cda_str_eq(key, CDA_STR("optional")))
		raw->optional = true;
	else if (cda_str_eq(key, CDA_STR("target")))
		cda_replace(&raw->target, cda_str_dup(value));
	else
		return false;
	return true;
}

/* key=value pairs, value bare or in quotes, each up to a comma, a blank or the end; what is none is
 * passed over. */
static int parse_brackets(const char *s, const char *original, struct cda_spec_raw *raw,
			  struct cda_err *err)
{
	const char *p = s, *next_quote = s, *next_sep = s;
	CDA_AUTOFREE char *unknown = NULL;

	for (;;) {
		const char *eq = strchr(p, '='), *key = eq, *value, *end;

		if (!eq)
			break;
		while (key > p && key_char(key[-1]))
			key--;
		value = eq + 1;
		p = value;
		if (key == eq)
			continue;
		if (*value == '"' || *value == '\'') {
			char quote = *value++;

			end = value + strcspn(value, "\"'");
			if (*end != quote || (end[1] && end[1] != ',' && end[1] != ' '))
				continue;
			p = end + 1 + (end[1] != '\0');
		} else {
			/* both only ever move forward: linear over the whole text */
			if (next_quote < value)
				next_quote = value + strcspn(value, "\"'");
			if (next_sep < value)
				next_sep = value + strcspn(value, ", ");
			if (next_quote < next_sep)
				continue;
			end = next_sep;
			p = end + (*end != '\0');
		}
		if (end == value)
			return invalid(err, original, "key-value mismatch in brackets");
		if (!set_bracket(raw, (struct cda_str){key, (size_t)(eq - key)},
				 (struct cda_str){value, (size_t)(end - value)}) &&
		    !unknown)
			unknown = cda_strndup(key, (size_t)(eq - key));
	}
	if (unknown)
		return cda_err_set(err, CDA_E_SPEC,
				   "invalid spec '%.200s': cannot match on field '%.60s'", original,
				   unknown);
	return 0;
}

/* Channel text to the name and the subdir in it; both owned, NULL when absent. */
static int split_channel(const struct cda_channel_config *config, const char *text, char **ret_name,
			 char **ret_subdir, struct cda_err *err)
{
	CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};

	if (!text || !*text)
		return 0;
	if (cda_channel_parse(config, text, &channel, err) < 0)
		return -(int)err->code;
	cda_replace(ret_name,
		    *channel.name ? cda_strdup(channel.name) : cda_channel_base_url(&channel));
	if (channel.platform)
		cda_replace(ret_subdir, cda_strdup(channel.platform));
	return 0;
}

/* A spec that is a package file or its URL. */
static int parse_package(const struct cda_channel_config *config, const char *text,
			 struct cda_spec_raw *raw, struct cda_err *err)
{
	CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};
	CDA_AUTOFREE char *url = NULL, *stem = NULL;
	char *dash;

	if (cda_url_has_scheme(text)) {
		url = cda_strdup(text);
	} else {
		CDA_AUTOFREE char *path =
			cda_path_normal(text, config->cwd ? config->cwd : "/", config->home);

		url = cda_asprintf("file://%s", path);
	}
	if (cda_channel_parse(config, url, &channel, err) < 0)
		return -(int)err->code;
	raw->v[CDA_SPEC_URL] = cda_strdup(url);
	if (!channel.platform || !channel.package_filename) {
		const char *slash = strrchr(url, '/');
		bool file = cda_starts_with(url, "file:");

		raw->v[CDA_SPEC_NAME] = cda_strdup("*");
		raw->v[CDA_SPEC_FN] = file ? cda_url_decode(slash + 1) : cda_strdup(slash + 1);
		return 0;
	}
	stem = cda_strdup(channel.package_filename);
	stem[strlen(stem) - (cda_ends_with(stem, ".conda") ? 6 : 8)] = '\0';
	for (int field = CDA_SPEC_BUILD; field >= CDA_SPEC_VERSION; field--) {
		dash = strrchr(stem, '-');
		if (!dash)
			return invalid(err, text, "file name is not name-version-build");
		raw->v[field] = cda_strdup(dash + 1);
		*dash = '\0';
	}
	raw->v[CDA_SPEC_NAME] = cda_strdup(stem);
	raw->v[CDA_SPEC_CHANNEL] = cda_strdup(channel.canonical_name);
	raw->v[CDA_SPEC_SUBDIR] = cda_strdup(channel.platform);
	raw->v[CDA_SPEC_FN] = cda_strdup(channel.package_filename);
	return 0;
}

/* Where "version build" or "version=build" is cut: version is s[0, *ret_at), build what follows the
 * byte there; *ret_at == len when there is no build. The order of tries is that of conda's regular
 * expression, which prefers one byte more of the version where that byte is no operator. */
static size_t find_build(const char *s, size_t len)
{
	size_t tail = len; /* s[tail, len) is fit to be a build */

	while (tail > 0 && !strchr("-=,|<>~", s[tail - 1]))
		tail--;
	for (size_t k = 1; k <= len; k++) {
		size_t tries[2] = {k, k};
		int n = 0;

		if (k < len && !strchr("><!,|", s[k]))
			tries[n++] = k + 1;
		tries[n++] = k;
		for (int i = 0; i < n; i++) {
			size_t at = tries[i];

			if (at == len)
				return len;
			if ((s[at] == ' ' || s[at] == '=') && !strchr("=!|,<>~", s[at - 1]) &&
			    at + 1 < len && at + 1 >= tail)
				return at;
		}
	}
	return len;
}

static char *without_blanks(const char *s, size_t len)
{
	char *copy = cda_strndup(s, len), *to = copy;

	for (const char *from = copy; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	return copy;
}

/* "=1.8" means "1.8*", "==1.8" without a build means "1.8", "=1.8=build" means "1.8". */
static int translate_version(char **version, bool has_build, const char *original,
			     struct cda_err *err)
{
	const char *rest = *version + 1;
	size_t len = strlen(rest);

	if ((*version)[0] != '=')
		return 0;
	if (rest[0] == '=' && !has_build) {
		if (!rest[1])
			return invalid(err, original, "missing version behind '=='");
		cda_replace(version, cda_strdup(rest + 1));
	} else if (!strpbrk(rest, "=,|")) {
		if (len == 0)
			return invalid(err, original, "missing version behind '='");
		cda_replace(version, !has_build && rest[len - 1] != '*' ? cda_asprintf("%s*", rest)
									: cda_strdup(rest));
	}
	return 0;
}

/* "name", and behind it version and build. */
static int parse_rest(const char *s, const char *original, struct cda_spec_raw *raw,
		      struct cda_err *err)
{
	size_t name_len = strcspn(s, " =<>!~"), cut;
	struct cda_str rest, build;

	if (name_len == 0)
		return invalid(err, original, "no package name found");
	raw->v[CDA_SPEC_NAME] = cda_strndup(s, name_len);
	rest = cda_str(s + name_len);
	if (rest.len < 2)
		return 0;
	rest = cda_str_trim(rest);
	if (rest.len == 0)
		return 0;
	if (memchr(rest.p, '[', rest.len))
		return invalid(err, original, "multiple brackets sections not allowed");
	CDA_AUTOFREE char *text = cda_str_dup(rest);

	cut = find_build(text, rest.len);
	raw->v[CDA_SPEC_VERSION] = without_blanks(text, cut);
	if (cut < rest.len) {
		build = cda_str_trim(cda_str(text + cut + 1));
		raw->v[CDA_SPEC_BUILD] = cda_str_dup(build);
	}
	return translate_version(&raw->v[CDA_SPEC_VERSION], cut < rest.len, original, err);
}

/* Values of brackets win over the rest of the text, but for the name. */
static void merge_brackets(struct cda_spec_raw *raw, struct cda_spec_raw *brackets)
{
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		if (i != CDA_SPEC_NAME && brackets->v[i])
			cda_replace(&raw->v[i], cda_take_ptr(brackets->v[i]));
	raw->optional = brackets->optional;
	raw->target = cda_take_ptr(brackets->target);
}

/* channel:namespace:spec at the last two colons; *ret_channel borrowed or NULL. */
static char *cut_channel(char *text, char **ret_channel)
{
	char *second = strrchr(text, ':'), *first;

	*ret_channel = NULL;
	if (!second)
		return text;
	*second = '\0';
	first = strrchr(text, ':');
	if (first) {
		*first = '\0';
		*ret_channel = text;
	}
	return second + 1;
}

int cda_spec_split(const struct cda_channel_config *config, const char *text,
		   struct cda_spec_raw *raw, struct cda_err *err)
{
	CDA_CLEANUP(cda_spec_raw_done) struct cda_spec_raw brackets = {0};
	CDA_AUTOFREE char *work = NULL, *inner = NULL, *parens = NULL;
	size_t len = strlen(text);
	char *channel, *rest, *mark;

	if (len > MAX_TEXT)
		return invalid(err, text, "spec is too long");
	if (len > 0 && text[len - 1] == '@') {
		raw->v[CDA_SPEC_NAME] = cda_strdup("*");
		raw->v[CDA_SPEC_TRACK_FEATURES] = cda_strndup(text, len - 1);
		return 0;
	}
	work = cda_strdup(text);
	work[strcspn(work, "#")] = '\0';
	mark = strstr(work, " if ");
	if (mark)
		*mark = '\0';
	if (cda_ends_with(work, ".conda") || cda_ends_with(work, ".tar.bz2"))
		return parse_package(config, work, raw, err);

	inner = cut_section(work, '[', ']');
	if (inner && parse_brackets(inner, text, &brackets, err) < 0)
		return -(int)err->code;
	parens = cut_section(work, '(', ')');
	rest = cut_channel(work, &channel);
	if (split_channel(config, channel, &raw->v[CDA_SPEC_CHANNEL], &raw->v[CDA_SPEC_SUBDIR],
			  err) < 0)
		return -(int)err->code;
	if (brackets.v[CDA_SPEC_CHANNEL]) {
		CDA_AUTOFREE char *named = cda_take_ptr(brackets.v[CDA_SPEC_CHANNEL]);

		if (split_channel(config, named, &raw->v[CDA_SPEC_CHANNEL],
				  &raw->v[CDA_SPEC_SUBDIR], err) < 0)
			return -(int)err->code;
	}
	if (parse_rest(rest, text, raw, err) < 0)
		return -(int)err->code;
	merge_brackets(raw, &brackets);
	return 0;
}
