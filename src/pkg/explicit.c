/* The call of fetch.h that reads an explicit URL or path. */
#include "core/platform.h"
#include "core/record_json.h"
#include "pkg/archive.h"
#include "pkg/fetch.h"
#include "pkg/store_internal.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

static int bad(struct cda_err *err, const char *text, const char *why)
{
	CDA_AUTOFREE char *safe = cda_url_safe(text);

	return cda_err_set(err, CDA_E_SPEC, "'%s': %s", safe, why);
}

/* "#md5", "#sha256:HEX", "#md5:HEX", or the bare digest of either length. */
static bool read_digest(struct cda_arena *arena, const char *text, struct cda_record *record)
{
	enum cda_hash_kind kind = CDA_MD5;
	char *hex;

	if (cda_starts_with(text, "sha256:")) {
		kind = CDA_SHA256;
		text += strlen("sha256:");
	} else if (cda_starts_with(text, "md5:")) {
		text += strlen("md5:");
	} else if (strlen(text) == 64) {
		kind = CDA_SHA256;
	}
	if (!cda_hash_is_hex(kind, text))
		return false;
	hex = cda_arena_strdup(arena, text);
	cda_lower_inplace(hex);
	if (kind == CDA_SHA256)
		record->sha256 = hex;
	else
		record->md5 = hex;
	return true;
}

/* "BASE/SUBDIR/FN": the channel is BASE where SUBDIR is the name of one. */
static void read_places(struct cda_arena *arena, const char *url, struct cda_record *record)
{
	CDA_AUTOFREE char *bare = cda_store_bare_url(url);
	char *slash = strrchr(bare, '/'), *before;

	*slash = '\0';
	before = strrchr(bare, '/');
	if (before && cda_platform_is_subdir(before + 1, strlen(before + 1))) {
		record->subdir = cda_arena_strdup(arena, before + 1);
		*before = '\0';
	}
	record->channel = cda_arena_strdup(arena, bare);
}

int cda_fetch_explicit_parse(struct cda_arena *arena, const char *text, const char *cwd,
			     struct cda_record *ret_record, struct cda_err *err)
{
	const char *hash = strrchr(text, '#');
	CDA_AUTOFREE char *place = cda_strndup(text, hash ? (size_t)(hash - text) : strlen(text));
	CDA_AUTOFREE char *path = NULL, *url = NULL, *fn = NULL;
	struct cda_record record = {0};

	if (cda_url_has_scheme(place)) {
		url = cda_strdup(place);
	} else {
		path = cda_path_normal(place, cwd, NULL);
		url = cda_url_from_path(path);
	}
	fn = cda_url_decode(strrchr(url, '/') + 1);
	if (!cda_record_fn_is_good(fn, strlen(fn)) || !cda_record_from_fn(arena, fn, &record))
		return bad(err, text, "no package file: NAME-VERSION-BUILD.conda or .tar.bz2");
	if (!cda_starts_with(url, "http://") && !cda_starts_with(url, "https://") &&
	    !cda_starts_with(url, "file://"))
		return bad(err, text, "packages come over http, https and file alone");
	if (hash && !read_digest(arena, hash + 1, &record))
		return bad(err, text, "what is behind '#' is neither an md5 nor a sha256");
	record.url = cda_arena_strdup(arena, url);
	read_places(arena, url, &record);
	*ret_record = record;
	return 0;
}
