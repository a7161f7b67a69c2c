/* matchspec.c - raw fields to matchers and canonical text (conda/models/match_spec.py). */
#include "core/matchspec.h"

#include "core/matchspec_parse.h"
#include "core/regex.h"
#include "core/version.h"
#include "util/alloc.h"
#include "util/buf.h"
#include "util/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct cda_matchspec {
	const struct cda_channel_config *config;
	char *text, *original;
	struct cda_spec_raw raw;
	struct cda_regex *globs[CDA_SPEC_COUNT]; /* name, build, channel: patterns */
	struct cda_version_spec *version, *build_number_spec;
	int64_t build_number;
	bool has_build_number;
	bool plain;                               /* nothing but name and version */
	struct cda_strv features, track_features; /* sorted */
	/* what the last channel text was, and whether it matched */
	char *seen_channel;
	bool seen_matches;
};

/* "^…$" is an expression, "a*b" one where each '*' is any text; other text is compared. */
static int compile_glob(const char *value, struct cda_regex **ret, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf rx = CDA_BUF_INIT;
	const char *why = NULL;

	if (value[0] == '^' && cda_ends_with(value, "$")) {
		cda_buf_adds(&rx, value);
	} else if (strchr(value, '*')) {
		cda_buf_adds(&rx, "^(?:");
		for (const char *p = value; *p; p++) {
			if (*p == '*')
				cda_buf_addc(&rx, '.');
			cda_buf_addc(&rx, *p);
		}
		cda_buf_adds(&rx, ")$");
	} else {
		return 0;
	}
	*ret = cda_regex_new(rx.p, &why);
	return *ret ? 0 : cda_err_set(err, CDA_E_SPEC, "invalid pattern '%.200s': %s", value, why);
}

static void split_features(const char *text, struct cda_strv *out)
{
	cda_strv_split(out, text, " ,\t\n");
	cda_strv_sort(out);
	cda_strv_uniq(out);
}

static int build_build_number(struct cda_matchspec *spec, struct cda_err *err)
{
	char **text = &spec->raw.v[CDA_SPEC_BUILD_NUMBER];
	CDA_AUTOFREE char *trimmed = cda_str_dup(cda_str_trim(cda_str(*text)));
	bool regex = trimmed[0] == '^' || cda_ends_with(trimmed, "$");

	if (cda_parse_int(trimmed + (*trimmed == '+'), INT64_MIN, INT64_MAX, &spec->build_number)) {
		spec->has_build_number = true;
		cda_replace(text, cda_asprintf("%" PRId64, spec->build_number));
		return 0;
	}
	cda_replace(text, cda_strdup(trimmed));
	if (strcmp(trimmed, "*") != 0 && !regex && !(*trimmed && strchr("=<>!", *trimmed)))
		return 0; /* text that no number equals */
	if (!regex && strpbrk(trimmed, "()|,^$"))
		return cda_err_set(err, CDA_E_VERSION, "invalid version '%.200s': %s", trimmed,
				   "invalid character(s)");
	return cda_version_spec_parse(trimmed, &spec->build_number_spec, err);
}

/* The channel's name as conda keeps it: what Channel(text).name is, or the pattern. */
static int build_channel(struct cda_matchspec *spec, struct cda_err *err)
{
	CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};
	char **text = &spec->raw.v[CDA_SPEC_CHANNEL];

	if (compile_glob(*text, &spec->globs[CDA_SPEC_CHANNEL], err) < 0)
		return -(int)err->code;
	if (spec->globs[CDA_SPEC_CHANNEL])
		return 0;
	if (cda_channel_parse(spec->config, *text, &channel, err) < 0)
		return -(int)err->code;
	cda_replace(text, cda_strdup(channel.name));
	return 0;
}

static void add_field(struct cda_buf *brackets, const char *name, const char *value, bool quote)
{
	cda_buf_addf(brackets, "%s%s=%s%s%s", brackets->len ? "," : "", name, quote ? "'" : "",
		     value, quote ? "'" : "");
}

static bool has_special(const char *s)
{
	return strpbrk(s, "><$^|,") != NULL;
}

/* True when the version stands in the text as "==version". */
static bool write_version(const char *version, bool build, struct cda_buf *out,
			  struct cda_buf *brackets)
{
	size_t len = strlen(version);

	if (has_special(version)) {
		add_field(brackets, "version", version, true);
	} else if (cda_starts_with(version, "!=") || cda_starts_with(version, "~=")) {
		if (build)
			add_field(brackets, "version", version, true);
		else
			cda_buf_adds(out, version);
	} else if (cda_ends_with(version, ".*")) {
		cda_buf_addf(out, "=%.*s", (int)len - 2, version);
	} else if (cda_ends_with(version, "*")) {
		cda_buf_addf(out, "=%.*s", (int)len - 1, version);
	} else {
		cda_buf_addf(out, "%s%s", cda_starts_with(version, "==") ? "" : "==", version);
		return true;
	}
	return false;
}

static char *canonical_text(const struct cda_matchspec *spec)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, brackets = CDA_BUF_INIT;
	char *const *v = spec->raw.v;
	const char *channel = v[CDA_SPEC_CHANNEL], *build = v[CDA_SPEC_BUILD];
	bool exact_channel = channel && !spec->globs[CDA_SPEC_CHANNEL], exact = false;

	if (exact_channel)
		cda_buf_adds(&out, channel);
	else if (channel && strcmp(channel, "*") != 0)
		add_field(&brackets, "channel", channel, false);
	if (v[CDA_SPEC_SUBDIR] && exact_channel)
		cda_buf_addf(&out, "/%s", v[CDA_SPEC_SUBDIR]);
	else if (v[CDA_SPEC_SUBDIR])
		add_field(&brackets, "subdir", v[CDA_SPEC_SUBDIR], false);
	cda_buf_addf(&out, "%s%s", exact_channel ? "::" : "",
		     v[CDA_SPEC_NAME] ? v[CDA_SPEC_NAME] : "*");
	if (v[CDA_SPEC_VERSION])
		exact = write_version(v[CDA_SPEC_VERSION], build != NULL, &out, &brackets);
	if (build) {
		if (has_special(build))
			add_field(&brackets, "build", build, true);
		else if (exact && !strchr(build, '*'))
			cda_buf_addf(&out, "=%s", build);
		else
			add_field(&brackets, "build", build, false);
	}
	for (int i = CDA_SPEC_BUILD_NUMBER; i < CDA_SPEC_COUNT; i++) {
		if (!v[i] || (i == CDA_SPEC_FN && v[CDA_SPEC_URL]) ||
		    (i == CDA_SPEC_URL && channel))
			continue;
		add_field(&brackets, cda_spec_field_names[i], v[i], strpbrk(v[i], ", =") != NULL);
	}
	if (brackets.len > 0)
		cda_buf_addf(&out, "[%s]", brackets.p);
	return cda_buf_take(&out);
}

/* Makes matchers of spec->raw. */
static int build_spec(struct cda_matchspec *spec, struct cda_err *err)
{
	char **v = spec->raw.v;
	static const enum cda_spec_field lower[] = {CDA_SPEC_NAME, CDA_SPEC_LICENSE,
						    CDA_SPEC_LICENSE_FAMILY};

	for (size_t i = 0; i < CDA_LEN(lower); i++)
		if (v[lower[i]])
			cda_lower_inplace(v[lower[i]]);
	if (v[CDA_SPEC_NAME] &&
	    compile_glob(v[CDA_SPEC_NAME], &spec->globs[CDA_SPEC_NAME], err) < 0)
		return -(int)err->code;
	if (v[CDA_SPEC_BUILD] &&
	    compile_glob(v[CDA_SPEC_BUILD], &spec->globs[CDA_SPEC_BUILD], err) < 0)
		return -(int)err->code;
	if (v[CDA_SPEC_CHANNEL] && build_channel(spec, err) < 0)
		return -(int)err->code;
	if (v[CDA_SPEC_VERSION]) {
		if (cda_version_spec_parse(v[CDA_SPEC_VERSION], &spec->version, err) < 0)
			return cda_err_wrap(err, -(int)err->code, "invalid spec '%.200s'",
					    spec->original);
		cda_replace(&v[CDA_SPEC_VERSION], cda_strdup(cda_version_spec_text(spec->version)));
	}
	if (v[CDA_SPEC_BUILD_NUMBER] && build_build_number(spec, err) < 0)
		return cda_err_wrap(err, -(int)err->code, "invalid spec '%.200s'", spec->original);
	if (v[CDA_SPEC_FEATURES]) {
		split_features(v[CDA_SPEC_FEATURES], &spec->features);
		cda_replace(&v[CDA_SPEC_FEATURES], cda_strv_join(&spec->features, " "));
	}
	if (v[CDA_SPEC_TRACK_FEATURES]) {
		split_features(v[CDA_SPEC_TRACK_FEATURES], &spec->track_features);
		cda_replace(&v[CDA_SPEC_TRACK_FEATURES], cda_strv_join(&spec->track_features, " "));
	}
	spec->plain = true;
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		if (v[i] && i != CDA_SPEC_NAME && i != CDA_SPEC_VERSION)
			spec->plain = false;
	spec->text = canonical_text(spec);
	return 0;
}

int cda_matchspec_parse(const struct cda_channel_config *config, const char *text,
			struct cda_matchspec **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_matchspec_freep)
	struct cda_matchspec *spec = cda_new0(struct cda_matchspec);

	spec->config = config;
	spec->original = cda_strdup(text);
	/* empty text asks for nothing, so anything matches */
	if (*text && cda_spec_split(config, text, &spec->raw, err) < 0)
		return -(int)err->code;
	if (build_spec(spec, err) < 0)
		return -(int)err->code;
	*ret = cda_take_ptr(spec);
	return 0;
}

struct cda_matchspec *cda_matchspec_free(struct cda_matchspec *spec)
{
	if (!spec)
		return NULL;
	free(spec->text);
	free(spec->original);
	cda_spec_raw_done(&spec->raw);
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		cda_regex_free(spec->globs[i]);
	cda_version_spec_free(spec->version);
	cda_version_spec_free(spec->build_number_spec);
	cda_strv_done(&spec->features);
	cda_strv_done(&spec->track_features);
	free(spec->seen_channel);
	free(spec);
	return NULL;
}

static bool match_text(const struct cda_matchspec *spec, enum cda_spec_field field,
		       const char *value)
{
	if (!spec->raw.v[field])
		return true;
	if (!value)
		return false;
	if (spec->globs[field])
		return cda_regex_match(spec->globs[field], value);
	return strcmp(spec->raw.v[field], value) == 0;
}

static bool match_license(const char *asked, const char *value)
{
	/* what is absent is Python's None, which conda compares by its text */
	return !asked || cda_strcaseeq(asked, value ? value : "none");
}

static bool match_build_number(const struct cda_matchspec *spec, const struct cda_record *record)
{
	char text[32];

	if (!spec->raw.v[CDA_SPEC_BUILD_NUMBER])
		return true;
	if (spec->has_build_number)
		return record->build_number == spec->build_number;
	if (!spec->build_number_spec)
		return false;
	snprintf(text, sizeof(text), "%" PRId64, record->build_number);
	return cda_version_spec_match(spec->build_number_spec, text);
}

static bool match_channel(const struct cda_matchspec *spec, const struct cda_record *record)
{
	struct cda_matchspec *cache = (struct cda_matchspec *)spec;
	const char *text = record->channel        ? record->channel
			   : record->channel_name ? record->channel_name
			   : record->url          ? record->url
						  : "<unknown>";
	CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};
	struct cda_err ignored = {0};
	const char *asked = spec->raw.v[CDA_SPEC_CHANNEL];

	if (!asked || strcmp(asked, "*") == 0)
		return true;
	if (cda_streq(spec->seen_channel, text))
		return spec->seen_matches;
	cda_replace(&cache->seen_channel, cda_strdup(text));
	if (cda_channel_parse(spec->config, text, &channel, &ignored) < 0)
		cache->seen_matches = false;
	else if (spec->globs[CDA_SPEC_CHANNEL])
		cache->seen_matches =
			cda_regex_match(spec->globs[CDA_SPEC_CHANNEL], channel.canonical_name);
	else
		cache->seen_matches = strcmp(asked, channel.name) == 0 ||
				      strcmp(asked, channel.canonical_name) == 0;
	cda_err_done(&ignored);
	return spec->seen_matches;
}

static bool match_features(const struct cda_strv *asked, const struct cda_strv *have)
{
	if (asked->n != have->n)
		return false;
	for (size_t i = 0; i < asked->n; i++)
		if (strcmp(asked->v[i], have->v[i]) != 0)
			return false;
	return true;
}

static bool match_all_features(const struct cda_matchspec *spec, const struct cda_record *record)
{
	if (spec->raw.v[CDA_SPEC_FEATURES]) {
		CDA_AUTOSTRV struct cda_strv have = {0};

		split_features(record->features ? record->features : "", &have);
		if (!match_features(&spec->features, &have))
			return false;
	}
	if (spec->raw.v[CDA_SPEC_TRACK_FEATURES]) {
		CDA_AUTOSTRV struct cda_strv have = {0};

		for (size_t i = 0; i < record->track_features.n; i++)
			cda_strv_push(&have, record->track_features.v[i]);
		cda_strv_sort(&have);
		cda_strv_uniq(&have);
		return match_features(&spec->track_features, &have);
	}
	return true;
}

bool cda_matchspec_match(const struct cda_matchspec *spec, const struct cda_record *record)
{
	return match_text(spec, CDA_SPEC_NAME, record->name) &&
	       cda_matchspec_match_version(spec, record->version, NULL) &&
	       cda_matchspec_match_rest(spec, record);
}

bool cda_matchspec_match_version(const struct cda_matchspec *spec, const char *text,
				 const struct cda_version *parsed)
{
	if (!spec->version)
		return true;
	return text && cda_version_spec_match_parsed(spec->version, text, parsed);
}

bool cda_matchspec_match_rest(const struct cda_matchspec *spec, const struct cda_record *record)
{
	char *const *v = spec->raw.v;

	if (spec->plain)
		return match_text(spec, CDA_SPEC_NAME, record->name);
	return match_text(spec, CDA_SPEC_NAME, record->name) &&
	       match_text(spec, CDA_SPEC_BUILD, record->build) &&
	       match_build_number(spec, record) &&
	       match_text(spec, CDA_SPEC_SUBDIR, record->subdir) && match_channel(spec, record) &&
	       match_text(spec, CDA_SPEC_URL, record->url) &&
	       match_text(spec, CDA_SPEC_FN, record->fn) &&
	       match_text(spec, CDA_SPEC_MD5, record->md5) &&
	       match_license(v[CDA_SPEC_LICENSE], record->license) &&
	       match_license(v[CDA_SPEC_LICENSE_FAMILY], record->license_family) &&
	       match_all_features(spec, record);
}

const char *cda_matchspec_text(const struct cda_matchspec *spec)
{
	return spec->text;
}

const char *cda_matchspec_original(const struct cda_matchspec *spec)
{
	return spec->original;
}

const char *cda_matchspec_name(const struct cda_matchspec *spec)
{
	return spec->raw.v[CDA_SPEC_NAME] ? spec->raw.v[CDA_SPEC_NAME] : "*";
}

bool cda_matchspec_name_is_exact(const struct cda_matchspec *spec)
{
	return spec->raw.v[CDA_SPEC_NAME] && !spec->globs[CDA_SPEC_NAME];
}

const char *cda_matchspec_field(const struct cda_matchspec *spec, const char *field)
{
	int i = cda_spec_field_find(field, strlen(field));

	return i < 0 ? NULL : spec->raw.v[i];
}

bool cda_matchspec_is_name_only(const struct cda_matchspec *spec)
{
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		if (i != CDA_SPEC_NAME && spec->raw.v[i])
			return false;
	return strcmp(cda_matchspec_name(spec), "*") != 0;
}

bool cda_matchspec_optional(const struct cda_matchspec *spec)
{
	return spec->raw.optional;
}

const char *cda_matchspec_target(const struct cda_matchspec *spec)
{
	return spec->raw.target;
}

struct cda_matchspec *cda_matchspec_with(const struct cda_matchspec *spec, ...)
{
	CDA_CLEANUP(cda_matchspec_freep)
	struct cda_matchspec *copy = cda_new0(struct cda_matchspec);
	struct cda_err ignored = {0};
	const char *field;
	bool ok = true;
	va_list ap;

	copy->config = spec->config;
	for (int i = 0; i < CDA_SPEC_COUNT; i++)
		copy->raw.v[i] = cda_strdup_null(spec->raw.v[i]);
	copy->raw.optional = spec->raw.optional;
	copy->raw.target = cda_strdup_null(spec->raw.target);
	va_start(ap, spec);
	while ((field = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		int i = cda_spec_field_find(field, strlen(field));

		if (i >= 0)
			cda_replace(&copy->raw.v[i], cda_strdup_null(value));
		else if (strcmp(field, "target") == 0)
			cda_replace(&copy->raw.target, cda_strdup_null(value));
		else if (strcmp(field, "optional") == 0)
			copy->raw.optional = value != NULL;
		else
			ok = false;
	}
	va_end(ap);
	copy->original = cda_strdup(spec->original);
	if (ok && build_spec(copy, &ignored) < 0)
		ok = false;
	cda_err_done(&ignored);
	if (!ok)
		return NULL;
	cda_replace(&copy->original, cda_strdup(copy->text));
	return cda_take_ptr(copy);
}

void cda_matchspecs_free_all(struct cda_matchspecs *specs)
{
	cda_vec_each (spec, specs)
		cda_matchspec_free(*spec);
	cda_matchspecs_done(specs);
}
