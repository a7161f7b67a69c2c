#include "index/cache.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { state_max = 64 * 1024 };

/* conda/gateways/repodata: the hash of the URL with a slash behind it, and of the file name when it
 * is not the usual one. */
char *cda_cache_name(const char *url, const char *repodata_fn)
{
	const char *slash = cda_ends_with(url, "/") ? "" : "/";
	const char *more = cda_streq(repodata_fn, "repodata.json") ? "" : repodata_fn;
	CDA_AUTOFREE char *text = cda_asprintf("%s%s%s", url, slash, more);
	char hex[CDA_HASH_HEX_MAX];

	cda_hash_mem(CDA_MD5, text, strlen(text), hex);
	return cda_asprintf("%.8s.json", hex);
}

/* "1a2b3c4d.json" has its state in "1a2b3c4d.info.json". */
static char *state_name(const char *name)
{
	return cda_asprintf("%.*s.info.json", (int)(strlen(name) - strlen(".json")), name);
}

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static char *text_or_empty(yyjson_val *obj, const char *key)
{
	const char *text = cda_json_str(obj, key);

	return cda_strdup(text ? text : "");
}

static void read_zst(yyjson_val *zst, struct cda_cache_state *state)
{
	const char *when = cda_json_str(zst, "last_checked");
	struct tm tm = {0};

	if (!when || !strptime(when, "%Y-%m-%dT%H:%M:%S", &tm) ||
	    !yyjson_is_bool(yyjson_obj_get(zst, "value")))
		return;
	state->zst_known = true;
	state->zst = cda_json_bool(zst, "value", false);
	state->zst_checked = timegm(&tm);
}

bool cda_cache_state_read(int dirfd, const char *name, struct cda_cache_state *ret)
{
	CDA_AUTOFREE char *state_fn = state_name(name);
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	struct stat st;
	yyjson_val *root;

	*ret = (struct cda_cache_state){0};
	if (cda_json_read(dirfd, state_fn, state_max, &doc, &err) < 0) {
		cda_err_done(&err);
		return false;
	}
	root = yyjson_doc_get_root(doc);
	read_zst(yyjson_obj_get(root, "has_zst"), ret);
	ret->mtime_ns = cda_json_int(root, "mtime_ns", -1);
	ret->size = cda_json_int(root, "size", -1);
	if (fstatat(dirfd, name, &st, 0) != 0 || !S_ISREG(st.st_mode) || st.st_size != ret->size ||
	    mtime_ns(&st) != ret->mtime_ns)
		return false;
	ret->url = text_or_empty(root, "url");
	ret->etag = text_or_empty(root, "etag");
	ret->mod = text_or_empty(root, "mod");
	ret->cache_control = text_or_empty(root, "cache_control");
	ret->refresh_ns = cda_json_int(root, "refresh_ns", 0);
	return true;
}

static void add_text(yyjson_mut_doc *doc, const char *key, const char *text)
{
	yyjson_mut_obj_add_strcpy(doc, yyjson_mut_doc_get_root(doc), key, text ? text : "");
}

int cda_cache_state_write(int dirfd, const char *name, struct cda_cache_state *state,
			  struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOFREE char *state_fn = state_name(name);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", name);
	state->mtime_ns = mtime_ns(&st);
	state->size = st.st_size;
	yyjson_mut_doc_set_root(doc, root);
	add_text(doc, "cache_control", state->cache_control);
	add_text(doc, "etag", state->etag);
	if (state->zst_known) {
		yyjson_mut_val *zst = yyjson_mut_obj_add_obj(doc, root, "has_zst");
		time_t when = (time_t)state->zst_checked;
		char iso[32];
		struct tm tm;

		gmtime_r(&when, &tm);
		strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm);
		yyjson_mut_obj_add_strcpy(doc, zst, "last_checked", iso);
		yyjson_mut_obj_add_bool(doc, zst, "value", state->zst);
	}
	add_text(doc, "mod", state->mod);
	yyjson_mut_obj_add_sint(doc, root, "mtime_ns", state->mtime_ns);
	yyjson_mut_obj_add_sint(doc, root, "refresh_ns", state->refresh_ns);
	yyjson_mut_obj_add_sint(doc, root, "size", state->size);
	add_text(doc, "url", state->url);
	cda_json_format(root, 2, true, &text);
	return cda_fs_replace(dirfd, state_fn, text.p, text.len, 0664, false, err);
}

void cda_cache_state_done(struct cda_cache_state *state)
{
	free(state->url);
	free(state->etag);
	free(state->mod);
	free(state->cache_control);
	*state = (struct cda_cache_state){0};
}

int64_t cda_cache_max_age(const char *cache_control)
{
	struct cda_str rest = cda_str(cache_control), part;

	while (cache_control && cda_str_cut(&rest, ",", &part)) {
		CDA_AUTOFREE char *word = cda_str_dup(cda_str_trim(part));
		int64_t seconds;

		cda_lower_inplace(word);
		if (cda_starts_with(word, "max-age=") &&
		    cda_parse_int(word + strlen("max-age="), 0, INT32_MAX, &seconds))
			return seconds;
	}
	return 0;
}

bool cda_cache_is_fresh(const struct cda_cache_state *state, int64_t ttl, int64_t now_ns)
{
	int64_t age, seconds = ttl == 1 ? cda_cache_max_age(state->cache_control) : ttl;

	if (seconds <= 0 || state->refresh_ns <= 0 || state->refresh_ns > now_ns)
		return false;
	age = now_ns - state->refresh_ns;
	return age / 1000000000 < seconds;
}
