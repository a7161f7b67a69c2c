#include "index/parse.h"
#include "core/record_json.h"
#include "util/json.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

/* Stems of the .conda files, so that their .tar.bz2 twins are left out: open addressing over
 * borrowed texts. */
struct stems {
	struct cda_str *slots;
	size_t mask;
};

struct parser {
	const struct cda_repodata_source *source;
	struct cda_arena *arena;
	struct cda_records *records;
	struct cda_repodata_counts counts;
	struct stems stems;
	const char *url_base; /* with its last slash */
	size_t url_base_len;
	/* Copies in the arena that all records share. */
	const char *channel, *channel_name, *subdir;
	const char *arch, *platform;
};

static size_t hash_of(const struct stems *stems, struct cda_str s)
{
	/* Where the table lies is not for an outsider to know: no chosen set of names piles up. */
	uint64_t h = 1469598103934665603u ^ (uintptr_t)stems->slots;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return (size_t)(h ^ (h >> 29));
}

static struct cda_str *stems_slot(const struct stems *stems, struct cda_str stem)
{
	size_t at = hash_of(stems, stem) & stems->mask;

	while (stems->slots[at].p && !cda_str_eq(stems->slots[at], stem))
		at = (at + 1) & stems->mask;
	return &stems->slots[at];
}

static struct cda_str stem_of(const char *fn, size_t len, size_t ending)
{
	return (struct cda_str){fn, len > ending ? len - ending : 0};
}

static void stems_fill(struct stems *stems, yyjson_val *conda)
{
	size_t size = 16, i, max;
	yyjson_val *key, *val;

	while (size < yyjson_obj_size(conda) * 2)
		size *= 2;
	stems->slots = cda_alloc0(size, sizeof(*stems->slots));
	stems->mask = size - 1;
	yyjson_obj_foreach (conda, i, max, key, val) {
		struct cda_str stem = stem_of(yyjson_get_str(key), yyjson_get_len(key), 6);

		if (stem.len > 0)
			*stems_slot(stems, stem) = stem;
	}
}

static void skip(struct parser *p, yyjson_val *fn, const char *why)
{
	CDA_AUTOBUF struct cda_buf quoted = CDA_BUF_INIT;

	if (p->counts.skipped++ > 0)
		return;
	/* It is shown to people: quoted, so that it can do nothing on a terminal. */
	cda_json_quote(yyjson_get_str(fn), &quoted);
	cda_buf_cut(&quoted, quoted.len < 200 ? quoted.len : 200);
	p->counts.first_bad = cda_arena_strdup(p->arena, quoted.p);
	p->counts.why = why;
}

static const char *url_of(struct parser *p, const char *fn, size_t len)
{
	char *url = cda_arena_alloc(p->arena, p->url_base_len + len + 1);

	memcpy(url, p->url_base, p->url_base_len);
	memcpy(url + p->url_base_len, fn, len + 1);
	return url;
}

static void add_record(struct parser *p, yyjson_val *fn, yyjson_val *val, struct cda_record *room)
{
	yyjson_val *schema = yyjson_obj_get(val, "record_version");
	const char *why = NULL;

	if (!cda_record_fn_is_good(yyjson_get_str(fn), yyjson_get_len(fn))) {
		skip(p, fn, "its file name is none of a package");
		return;
	}
	if (schema && yyjson_get_uint(schema) > 1)
		return; /* for clients to come, as the schema says */
	if (!cda_record_from_json(val, p->arena, false, room, &why)) {
		skip(p, fn, why);
		return;
	}
	room->fn = yyjson_get_str(fn);
	room->url = url_of(p, yyjson_get_str(fn), yyjson_get_len(fn));
	room->channel = p->channel;
	room->channel_name = p->channel_name;
	if (!room->subdir)
		room->subdir = p->subdir;
	if (p->arch)
		room->arch = p->arch;
	if (p->platform)
		room->platform = p->platform;
	room->requested_spec = NULL;
	room->extracted_package_dir = NULL;
	room->priority = p->source->priority;
	cda_records_push(p->records, room);
	p->counts.records++;
}

static void add_all(struct parser *p, yyjson_val *packages)
{
	size_t n = yyjson_obj_size(packages), i, max;
	yyjson_val *key, *val;
	struct cda_record *room;

	if (n == 0)
		return;
	room = cda_arena_alloc0(p->arena, n, sizeof(*room));
	cda_records_reserve(p->records, n);
	yyjson_obj_foreach (packages, i, max, key, val) {
		if (p->stems.slots) {
			struct cda_str stem = stem_of(yyjson_get_str(key), yyjson_get_len(key), 8);

			if (stem.len > 0 && stems_slot(&p->stems, stem)->p)
				continue;
		}
		add_record(p, key, val, &room[i]);
	}
}

/* The credentials of the channel's URL go to the base_url of its repodata on the same host alone.
 */
static char *with_credentials(const char *base_url, const char *channel_url)
{
	CDA_AUTOURL struct cda_url base = {0}, channel = {0};
	CDA_AUTOFREE char *token = NULL, *bare = cda_url_split_token(channel_url, &token);

	if (!cda_url_parse(base_url, &base) || !cda_url_parse(channel_url, &channel) ||
	    !cda_streq(base.scheme, channel.scheme) || !cda_streq(base.host, channel.host) ||
	    !cda_streq(base.port, channel.port))
		return cda_strdup(base_url);
	if (!base.auth && channel.auth)
		base.auth = cda_strdup(channel.auth);
	if (token && !cda_starts_with(base.path, "/t/"))
		cda_replace(&base.path, cda_asprintf("/t/%s%s", token, base.path));
	return cda_url_format(&base, true);
}

/* CEP 15: where the packages are, absolute or relative to the subdir. Owned, no slash at its end;
 * NULL with *ret_why when it may not be used. */
static char *resolve_base_url(const char *base, const char *url, const char **ret_why)
{
	CDA_AUTOURL struct cda_url from = {0};
	char *out;
	size_t len;

	for (const char *c = base; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f) {
			*ret_why = "its 'base_url' has a blank or control character";
			return NULL;
		}
	}
	if (cda_starts_with(base, "http://") || cda_starts_with(base, "https://")) {
		out = with_credentials(base, url);
	} else if (cda_url_has_scheme(base)) {
		/* A server must not make us read our own files. */
		if (!cda_starts_with(base, "file://") || !cda_starts_with(url, "file://")) {
			*ret_why = "its 'base_url' is of a kind that it may not name";
			return NULL;
		}
		out = cda_strdup(base);
	} else if (base[0] == '/' && cda_url_parse(url, &from)) {
		cda_replace(&from.path, cda_strdup(base));
		out = cda_url_format(&from, true);
	} else {
		out = cda_asprintf("%s/%s", url, base); /* the subdir itself where there is none */
	}
	for (len = strlen(out); len > 0 && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return out;
}

static int set_places(struct parser *p, yyjson_val *info, struct cda_err *err)
{
	const struct cda_repodata_source *source = p->source;
	const char *base = cda_json_str(info, "base_url"), *why = NULL;
	CDA_AUTOFREE char *resolved = NULL;

	resolved = resolve_base_url(base ? base : "", source->url, &why);
	if (!resolved)
		return cda_err_set(err, CDA_E_PARSE, "%s", why);
	p->url_base = cda_arena_printf(p->arena, "%s/", resolved);
	p->url_base_len = strlen(p->url_base);
	p->channel = cda_arena_strdup(p->arena, source->base_url);
	p->channel_name = cda_arena_strdup(p->arena, source->channel_name);
	p->subdir = cda_arena_strdup(p->arena, source->subdir);
	p->arch = cda_arena_strdup(p->arena, cda_json_str(info, "arch"));
	p->platform = cda_arena_strdup(p->arena, cda_json_str(info, "platform"));
	return 0;
}

static int parse_failed(const char *text, size_t len, const yyjson_read_err *why,
			struct cda_err *err)
{
	if (len == 0)
		return cda_err_set(err, CDA_E_PARSE, "it is empty");
	/* The text was changed while it was read, but not its line ends outside strings. */
	size_t line = 1;
	for (size_t i = 0; i < why->pos && i < len; i++)
		line += text[i] == '\n';
	return cda_err_set(err, CDA_E_PARSE, "line %zu, byte %zu: %s", line, why->pos, why->msg);
}

int cda_repodata_parse(char *text, size_t len, const struct cda_repodata_source *source,
		       struct cda_arena *arena, struct cda_records *records,
		       struct cda_repodata_counts *ret_counts, struct cda_err *err)
{
	struct parser p = {.source = source, .arena = arena, .records = records};
	yyjson_read_err why = {0};
	yyjson_val *root, *packages, *conda;
	int rc;

	memset(text + len, 0, CDA_REPODATA_PADDING);
	CDA_AUTOJSON yyjson_doc *doc = yyjson_read_opts(text, len, YYJSON_READ_INSITU, NULL, &why);
	if (!doc)
		return parse_failed(text, len, &why, err);
	root = yyjson_doc_get_root(doc);
	packages = yyjson_obj_get(root, "packages");
	conda = yyjson_obj_get(root, "packages.conda");
	if (!yyjson_is_obj(root) || (packages && !yyjson_is_obj(packages)) ||
	    (conda && !yyjson_is_obj(conda)))
		return cda_err_set(err, CDA_E_PARSE, "it has no lists of packages");
	rc = set_places(&p, yyjson_obj_get(root, "info"), err);
	if (rc < 0)
		return rc;
	if (source->use_only_tar_bz2)
		conda = NULL;
	add_all(&p, conda);
	if (yyjson_obj_size(conda) > 0 && yyjson_obj_size(packages) > 0)
		stems_fill(&p.stems, conda);
	add_all(&p, packages);
	free(p.stems.slots);
	*ret_counts = p.counts;
	return 0;
}
