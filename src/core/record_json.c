#include "core/record_json.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

enum { word_max = 255, text_max = 64 * 1024, list_max = 10000 };

struct reader {
	struct cda_arena *arena;
	bool copy;
	const char *why;
};

bool cda_record_word_is_good(const char *word, size_t len)
{
	if (len == 0 || len > word_max || (len == 1 && word[0] == '.') ||
	    (len == 2 && word[0] == '.' && word[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)word[i];

		if (c <= ' ' || c > '~' || c == '/' || c == '\\' || c == '"' || c == '\'')
			return false;
	}
	return true;
}

bool cda_record_fn_is_good(const char *fn, size_t len)
{
	return cda_record_word_is_good(fn, len) &&
	       ((len > 6 && memcmp(fn + len - 6, ".conda", 6) == 0) ||
		(len > 8 && memcmp(fn + len - 8, ".tar.bz2", 8) == 0));
}

static bool is_plain(const char *s, size_t len)
{
	if (len > text_max)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return true;
}

/* Text of a string without control characters. */
static const char *text_of(struct reader *r, yyjson_val *val)
{
	const char *s = yyjson_get_str(val);
	size_t len = yyjson_get_len(val);

	if (!is_plain(s, len)) {
		r->why = "a control character, or too long a text";
		return NULL;
	}
	return r->copy ? cda_arena_strndup(r->arena, s, len) : s;
}

/* Licences and the like come with line ends: what cannot be shown is merely not kept. */
static const char *soft_text(struct reader *r, yyjson_val *val)
{
	if (!yyjson_is_str(val) || yyjson_get_len(val) == 0 ||
	    !is_plain(yyjson_get_str(val), yyjson_get_len(val)))
		return NULL;
	return text_of(r, val);
}

static const char *word_of(struct reader *r, yyjson_val *val, const char *why)
{
	if (!yyjson_is_str(val) ||
	    !cda_record_word_is_good(yyjson_get_str(val), yyjson_get_len(val))) {
		r->why = why;
		return NULL;
	}
	return text_of(r, val);
}

/* A list of texts; null is an empty one. */
static struct cda_texts list_of(struct reader *r, yyjson_val *val, const char *why)
{
	struct cda_texts list = {0};
	size_t n = yyjson_arr_size(val), i, max;
	yyjson_val *item;
	const char **v;

	if (yyjson_is_null(val))
		return list;
	if (!yyjson_is_arr(val) || n > list_max) {
		r->why = why;
		return list;
	}
	if (n == 0)
		return list;
	v = cda_arena_alloc(r->arena, n * sizeof(*v));
	yyjson_arr_foreach (val, i, max, item) {
		if (!yyjson_is_str(item)) {
			r->why = why;
			return list;
		}
		v[i] = text_of(r, item);
		if (!v[i])
			return list;
	}
	list.v = v;
	list.n = n;
	return list;
}

/* Features are a list, or one text with blanks or commas between. */
static struct cda_texts features_of(struct reader *r, yyjson_val *val)
{
	struct cda_texts list = {0};
	CDA_AUTOSTRV struct cda_strv parts = {0};
	const char **v;

	if (yyjson_is_arr(val))
		return list_of(r, val, "'track_features' is no list of texts");
	if (!yyjson_is_str(val) || yyjson_get_len(val) == 0)
		return list;
	const char *text = text_of(r, val);
	if (!text)
		return list;
	cda_strv_split(&parts, text, " ,");
	if (parts.n == 0)
		return list;
	v = cda_arena_alloc(r->arena, parts.n * sizeof(*v));
	for (size_t i = 0; i < parts.n; i++)
		v[i] = cda_arena_strdup(r->arena, parts.v[i]);
	list.v = v;
	list.n = parts.n;
	return list;
}

static const char *joined_features(struct reader *r, yyjson_val *val)
{
	CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;
	struct cda_texts list = features_of(r, val);

	for (size_t i = 0; i < list.n; i++)
		cda_buf_addf(&buf, "%s%s", i ? " " : "", list.v[i]);
	return list.n ? cda_arena_strdup(r->arena, buf.p) : NULL;
}

/* Milliseconds; old records have seconds. What is no time is unknown. */
static int64_t timestamp_of(yyjson_val *val)
{
	const int64_t last_second = 253402300799; /* of the year 9999 */
	double real = yyjson_is_real(val) ? yyjson_get_real(val) : 0;
	int64_t t = yyjson_is_int(val) ? yyjson_get_sint(val) : 0;

	if (yyjson_is_uint(val) && yyjson_get_uint(val) > INT64_MAX)
		return 0;
	if (real > 0 && real <= (double)last_second)
		return (int64_t)(real * 1000);
	if (real > 0 && real < (double)last_second * 1000)
		return (int64_t)real;
	if (t <= 0 || t > last_second * 1000)
		return 0;
	return t <= last_second ? t * 1000 : t;
}

static void noarch_of(struct reader *r, yyjson_val *val, struct cda_record *record)
{
	const char *text = yyjson_is_true(val) ? "generic" : yyjson_get_str(val);

	record->noarch = CDA_NOARCH_NONE;
	record->noarch_text = NULL;
	if (!text || !*text)
		return;
	if (cda_strcaseeq(text, "python"))
		record->noarch = CDA_NOARCH_PYTHON;
	else if (cda_strcaseeq(text, "generic"))
		record->noarch = CDA_NOARCH_GENERIC;
	else
		r->why = "'noarch' is neither 'python' nor 'generic'";
	record->noarch_text = record->noarch == CDA_NOARCH_PYTHON ? "python" : "generic";
}

static bool set_number(yyjson_val *val, int64_t max, int64_t *ret)
{
	/* Some build numbers of old indexes are reals: 0.0 is the number that was meant. */
	if (yyjson_is_real(val) && yyjson_get_real(val) >= 0 && yyjson_get_real(val) < 1e15 &&
	    yyjson_get_real(val) == (double)(int64_t)yyjson_get_real(val)) {
		*ret = (int64_t)yyjson_get_real(val);
		return *ret <= max;
	}
	if (yyjson_is_sint(val) ? yyjson_get_sint(val) < 0
				: !yyjson_is_uint(val) || yyjson_get_uint(val) > (uint64_t)max)
		return false;
	*ret = (int64_t)yyjson_get_uint(val);
	return true;
}

static void number_of(struct reader *r, yyjson_val *val, int64_t *ret, const char *why)
{
	if (!yyjson_is_null(val) && !set_number(val, INT64_MAX, ret))
		r->why = why;
}

enum key {
	K_NONE,
	K_NAME,
	K_VERSION,
	K_BUILD,
	K_BUILD_NUMBER,
	K_CHANNEL,
	K_SUBDIR,
	K_FN,
	K_URL,
	K_MD5,
	K_SHA256,
	K_SIZE,
	K_TIMESTAMP,
	K_DEPENDS,
	K_CONSTRAINS,
	K_TRACK_FEATURES,
	K_FEATURES,
	K_LICENSE,
	K_LICENSE_FAMILY,
	K_ARCH,
	K_PLATFORM,
	K_NOARCH,
	K_SITE_PACKAGES,
	K_REQUESTED,
	K_EXTRACTED
};

static const struct {
	const char *name;
	enum key key;
} keys[] = {
	/* in the order of how a sorted record has them: the search begins behind the last hit */
	{"arch", K_ARCH},
	{"build", K_BUILD},
	{"build_number", K_BUILD_NUMBER},
	{"channel", K_CHANNEL},
	{"constrains", K_CONSTRAINS},
	{"depends", K_DEPENDS},
	{"extracted_package_dir", K_EXTRACTED},
	{"features", K_FEATURES},
	{"fn", K_FN},
	{"license", K_LICENSE},
	{"license_family", K_LICENSE_FAMILY},
	{"md5", K_MD5},
	{"name", K_NAME},
	{"noarch", K_NOARCH},
	{"platform", K_PLATFORM},
	{"python_site_packages_path", K_SITE_PACKAGES},
	{"requested_spec", K_REQUESTED},
	{"sha256", K_SHA256},
	{"size", K_SIZE},
	{"subdir", K_SUBDIR},
	{"timestamp", K_TIMESTAMP},
	{"track_features", K_TRACK_FEATURES},
	{"url", K_URL},
	{"version", K_VERSION},
};

static enum key key_of(yyjson_val *key, size_t *last)
{
	const char *name = yyjson_get_str(key);
	size_t len = yyjson_get_len(key);

	for (size_t i = 0, at = *last; i < CDA_LEN(keys); i++, at++) {
		if (at == CDA_LEN(keys))
			at = 0;
		if (keys[at].name[0] == name[0] && strlen(keys[at].name) == len &&
		    memcmp(keys[at].name, name, len) == 0) {
			*last = at + 1;
			return keys[at].key;
		}
	}
	return K_NONE;
}

static void read_member(struct reader *r, enum key key, yyjson_val *val, struct cda_record *rec)
{
	switch (key) {
	case K_NONE:
		break;
	case K_NAME:
		rec->name = word_of(r, val, "its name is no word");
		break;
	case K_VERSION:
		rec->version = word_of(r, val, "its version is no word");
		break;
	case K_BUILD:
		rec->build = word_of(r, val, "its build is no word");
		break;
	case K_BUILD_NUMBER:
		number_of(r, val, &rec->build_number, "'build_number' is no number");
		break;
	case K_CHANNEL:
		rec->channel = soft_text(r, val);
		break;
	case K_SUBDIR:
		if (!yyjson_is_null(val))
			rec->subdir = word_of(r, val, "its subdir is no word");
		break;
	case K_FN:
		if (!yyjson_is_null(val))
			rec->fn = word_of(r, val, "its file name is no word");
		break;
	case K_URL:
		rec->url = soft_text(r, val);
		break;
	case K_MD5:
		rec->md5 = soft_text(r, val);
		break;
	case K_SHA256:
		rec->sha256 = soft_text(r, val);
		break;
	case K_SIZE:
		number_of(r, val, &rec->size, "'size' is no number");
		break;
	case K_TIMESTAMP:
		rec->timestamp = timestamp_of(val);
		break;
	case K_DEPENDS:
		rec->depends = list_of(r, val, "'depends' is no list of texts");
		break;
	case K_CONSTRAINS:
		rec->constrains = list_of(r, val, "'constrains' is no list of texts");
		break;
	case K_TRACK_FEATURES:
		rec->track_features = features_of(r, val);
		break;
	case K_FEATURES:
		rec->features = joined_features(r, val);
		break;
	case K_LICENSE:
		rec->license = soft_text(r, val);
		break;
	case K_LICENSE_FAMILY:
		rec->license_family = soft_text(r, val);
		break;
	case K_ARCH:
		rec->arch = soft_text(r, val);
		break;
	case K_PLATFORM:
		rec->platform = soft_text(r, val);
		break;
	case K_NOARCH:
		noarch_of(r, val, rec);
		break;
	case K_SITE_PACKAGES:
		rec->python_site_packages_path = soft_text(r, val);
		break;
	case K_REQUESTED:
		rec->requested_spec = soft_text(r, val);
		break;
	case K_EXTRACTED:
		rec->extracted_package_dir = soft_text(r, val);
		break;
	}
}

/* "BASE/SUBDIR" without its subdir. */
static const char *base_of_channel(struct cda_arena *arena, const struct cda_record *rec)
{
	size_t len = strlen(rec->channel), sub = rec->subdir ? strlen(rec->subdir) : 0;

	while (len > 0 && rec->channel[len - 1] == '/')
		len--;
	if (sub == 0 || len <= sub + 1 || rec->channel[len - sub - 1] != '/' ||
	    memcmp(rec->channel + len - sub, rec->subdir, sub) != 0)
		return rec->channel;
	return cda_arena_strndup(arena, rec->channel, len - sub - 1);
}

bool cda_record_from_json(yyjson_val *object, struct cda_arena *arena, bool copy,
			  struct cda_record *ret_record, const char **ret_why)
{
	struct reader r = {arena, copy, NULL};
	struct cda_record rec = {0};
	size_t i, max, last = 0;
	yyjson_val *key, *val;

	if (!yyjson_is_obj(object)) {
		*ret_why = "it is no object";
		return false;
	}
	yyjson_obj_foreach (object, i, max, key, val) {
		read_member(&r, key_of(key, &last), val, &rec);
		if (r.why)
			break;
	}
	if (!r.why && !rec.name)
		r.why = "it has no name";
	if (!r.why && !rec.version)
		r.why = "it has no version";
	if (!r.why && !rec.build)
		r.why = "it has no build";
	if (r.why) {
		*ret_why = r.why;
		return false;
	}
	if (rec.channel)
		rec.channel = base_of_channel(arena, &rec);
	*ret_record = rec;
	return true;
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key, const char *text)
{
	if (text)
		yyjson_mut_obj_add_strcpy(doc, obj, key, text);
}

static void add_list(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
		     const struct cda_texts *list)
{
	yyjson_mut_val *arr = yyjson_mut_obj_add_arr(doc, obj, key);

	for (size_t i = 0; i < list->n; i++)
		yyjson_mut_arr_add_strcpy(doc, arr, list->v[i]);
}

static void add_channel(const struct cda_record *record, yyjson_mut_doc *doc, yyjson_mut_val *obj)
{
	CDA_AUTOFREE char *with_subdir = NULL;
	const char *slash;

	if (!record->channel)
		return;
	slash = strrchr(record->channel, '/');
	if (record->subdir && cda_url_has_scheme(record->channel) &&
	    !cda_streq(slash + 1, record->subdir))
		with_subdir = cda_asprintf("%s/%s", record->channel, record->subdir);
	add_text(doc, obj, "channel", with_subdir ? with_subdir : record->channel);
}

/* Records on disk keep neither a password nor a token. */
static char *url_without_credentials(const char *text)
{
	CDA_AUTOFREE char *bare = cda_url_split_token(text, NULL);
	CDA_AUTOURL struct cda_url url = {0};

	return cda_url_parse(bare, &url) ? cda_url_format(&url, false) : cda_take_ptr(bare);
}

void cda_record_to_json(const struct cda_record *record, yyjson_mut_doc *doc,
			yyjson_mut_val *object)
{
	CDA_AUTOFREE char *url = record->url ? url_without_credentials(record->url) : NULL;

	add_text(doc, object, "arch", record->arch);
	add_text(doc, object, "build", record->build);
	yyjson_mut_obj_add_int(doc, object, "build_number", record->build_number);
	add_channel(record, doc, object);
	add_list(doc, object, "constrains", &record->constrains);
	add_list(doc, object, "depends", &record->depends);
	add_text(doc, object, "features", record->features);
	add_text(doc, object, "fn", record->fn);
	add_text(doc, object, "license", record->license);
	add_text(doc, object, "license_family", record->license_family);
	add_text(doc, object, "md5", record->md5);
	add_text(doc, object, "name", record->name);
	add_text(doc, object, "noarch", record->noarch_text);
	add_text(doc, object, "platform", record->platform);
	add_text(doc, object, "python_site_packages_path", record->python_site_packages_path);
	add_text(doc, object, "sha256", record->sha256);
	if (record->size > 0)
		yyjson_mut_obj_add_int(doc, object, "size", record->size);
	add_text(doc, object, "subdir", record->subdir);
	if (record->timestamp > 0)
		yyjson_mut_obj_add_int(doc, object, "timestamp", record->timestamp);
	if (record->track_features.n) {
		CDA_AUTOBUF struct cda_buf features = CDA_BUF_INIT;

		for (size_t i = 0; i < record->track_features.n; i++)
			cda_buf_addf(&features, "%s%s", i ? " " : "", record->track_features.v[i]);
		add_text(doc, object, "track_features", features.p);
	}
	add_text(doc, object, "url", url);
	add_text(doc, object, "version", record->version);
}
