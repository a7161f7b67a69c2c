#include "run_tree.h"

#include "util/fs.h"
#include "util/hash.h"
#include "util/map.h"

#include <string.h>

/* This file of a package is an absolute link to a file of the machine. */
static const char of_the_machine[] = "share/sl/absolute";

static char *exchange(const struct layout *layout, const char *text, bool to_real)
{
	const struct tally_place places[] = {{"<CHANNEL>", layout->channel},
					     {"<PREFIX>", layout->prefix},
					     {"<PKGS>", layout->pkgs},
					     {"<HOME>", layout->home},
					     {"<CONDA_ROOT>", layout->root}};

	return tally_exchange(text, places, CDA_LEN(places), to_real);
}

char *layout_real(const struct layout *layout, const char *text)
{
	return exchange(layout, text, true);
}

char *layout_general(const struct layout *layout, const char *text)
{
	return exchange(layout, text, false);
}

static int value64(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *hit = c ? strchr(digits, c) : NULL;

	return hit ? (int)(hit - digits) : -1;
}

static void decode64(const char *text, struct cda_buf *out)
{
	unsigned bits = 0, have = 0;

	for (; value64(*text) >= 0; text++) {
		bits = bits << 6 | (unsigned)value64(*text);
		have += 6;
		if (have >= 8) {
			have -= 8;
			cda_buf_addc(out, (char)(bits >> have & 0xff));
		}
	}
}

/* The vectors' own prefix in binary contents is as long as ours. */
static void own_prefix(const struct layout *layout, struct cda_buf *content)
{
	CDA_AUTOFREE char *theirs = cda_asprintf("/tmp/conformance-prefix/%s", layout->id);
	size_t len = strlen(theirs);
	char *p = content->p, *end = content->p + content->len;

	if (len != strlen(layout->prefix))
		return;
	for (; (p = memmem(p, (size_t)(end - p), theirs, len)); p += len)
		memcpy(p, layout->prefix, len);
}

static void check_content(const struct layout *layout, int dirfd, const char *path,
			  yyjson_val *entry, struct cda_buf *diff)
{
	const char *content = cda_json_str(entry, "content");
	const char *encoded = cda_json_str(entry, "content_b64");
	const char *sha256 = cda_json_str(entry, "sha256");
	CDA_AUTOBUF struct cda_buf got = CDA_BUF_INIT, want = CDA_BUF_INIT;
	CDA_AUTOFREE char *real = NULL;
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};

	if (cda_fs_read(dirfd, path, 64 << 20, &got, &err) < 0) {
		cda_buf_addf(diff, "%s: %s\n", path, err.msg);
		cda_err_done(&err);
		return;
	}
	if (content) {
		real = layout_real(layout, content);
		cda_buf_adds(&want, real);
	} else if (encoded) {
		decode64(encoded, &want);
		own_prefix(layout, &want);
	}
	if ((content || encoded) && (got.len != want.len || memcmp(got.p, want.p, want.len) != 0)) {
		cda_buf_addf(diff, "%s: is '%s', not '%s'\n", path, got.p, want.p);
	} else if (!content && !encoded && sha256) {
		cda_hash_mem(CDA_SHA256, got.p, got.len, hex);
		if (!cda_hash_eq(hex, sha256))
			cda_buf_addf(diff, "%s: sha256 %s, not %s\n", path, hex, sha256);
	}
}

static void check_entry(const struct layout *layout, int dirfd, yyjson_val *entry,
			struct cda_buf *diff)
{
	const char *path = cda_json_str(entry, "path"), *type = cda_json_str(entry, "type");
	const char *mode = cda_json_str(entry, "mode");
	CDA_AUTOFREE char *target = NULL, *general = NULL;
	int64_t nlink = cda_json_int(entry, "nlink", 0);
	char modes[8];
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (!cda_json_bool(entry, "optional_without_python", false) ||
		    access("/usr/bin/python3.11", X_OK) == 0)
			cda_buf_addf(diff, "%s: is not there\n", path);
		return;
	}
	if (strcmp(path, of_the_machine) == 0)
		return;
	if (strcmp(type, "symlink") == 0) {
		target = cda_fs_readlink(dirfd, path);
		general = layout_general(layout, target ? target : "(no link)");
		if (strcmp(general, cda_json_str(entry, "target")) != 0)
			cda_buf_addf(diff, "%s: -> %s, not %s\n", path, general,
				     cda_json_str(entry, "target"));
		return;
	}
	/* conda unpacks the setuid and setgid bits that a package brings; here they are dropped. */
	snprintf(modes, sizeof(modes), "%03o", (unsigned)st.st_mode & 07777);
	if (mode && strcmp(mode + (strlen(mode) > 3), modes) != 0)
		cda_buf_addf(diff, "%s: mode %s, not %s\n", path, modes, mode);
	if (strcmp(type, "emptydir") == 0) {
		if (!S_ISDIR(st.st_mode))
			cda_buf_addf(diff, "%s: is no folder\n", path);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		cda_buf_addf(diff, "%s: is no file\n", path);
		return;
	}
	if (nlink > 0 && nlink != (int64_t)st.st_nlink)
		cda_buf_addf(diff, "%s: %jd links, not %jd\n", path, (intmax_t)st.st_nlink,
			     (intmax_t)nlink);
	if (!yyjson_obj_get(entry, "note"))
		check_content(layout, dirfd, path, entry, diff);
}

struct walk {
	const struct cda_map *known;
	struct cda_buf *diff;
	int dirfd;
};

static int see(void *ctx, const char *path, const struct stat *st)
{
	struct walk *walk = ctx;
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	if (cda_map_has(walk->known, path))
		return 0;
	if (S_ISDIR(st->st_mode)) {
		if (cda_fs_list(walk->dirfd, path, &names, &err) < 0)
			cda_err_done(&err);
		if (names.n == 0)
			cda_buf_addf(walk->diff, "%s: an empty folder too many\n", path);
		return 0;
	}
	cda_buf_addf(walk->diff, "%s: a file too many\n", path);
	return 0;
}

void layout_check_tree(const struct layout *layout, yyjson_val *tree, struct cda_buf *diff)
{
	CDA_AUTOCLOSE int dirfd = open(layout->prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	struct walk walk = {known, diff, dirfd};
	struct cda_err err = {0};
	yyjson_val *entry;
	size_t i, n;

	if (dirfd < 0) {
		if (yyjson_arr_size(tree) > 0)
			cda_buf_adds(diff, "there is no prefix\n");
		return;
	}
	yyjson_arr_foreach (tree, i, n, entry) {
		cda_map_set(known, cda_json_str(entry, "path"), entry);
		check_entry(layout, dirfd, entry, diff);
	}
	if (cda_fs_walk(dirfd, ".", see, &walk, &err) < 0) {
		cda_buf_addf(diff, "%s\n", err.msg);
		cda_err_done(&err);
	}
}

/* The sha256 of a rewritten file is that of the file with our prefix in it. */
static void own_hashes(const struct layout *layout, yyjson_mut_doc *doc)
{
	yyjson_mut_val *data = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "paths_data");
	yyjson_mut_val *paths = yyjson_mut_obj_get(data, "paths"), *item;
	size_t i, n;

	yyjson_mut_arr_foreach(paths, i, n, item)
	{
		const char *path = yyjson_mut_get_str(yyjson_mut_obj_get(item, "_path"));
		CDA_AUTOFREE char *full = NULL;
		char hex[CDA_HASH_HEX_MAX];
		struct cda_err err = {0};

		if (!path || !yyjson_mut_obj_get(item, "prefix_placeholder") ||
		    !yyjson_mut_obj_get(item, "sha256_in_prefix"))
			continue;
		full = cda_path_join(layout->prefix, path);
		if (cda_hash_file(CDA_SHA256, AT_FDCWD, full, hex, &err) < 0) {
			cda_err_done(&err);
			continue;
		}
		yyjson_mut_obj_remove_key(item, "sha256_in_prefix");
		yyjson_mut_obj_add_strcpy(doc, item, "sha256_in_prefix", hex);
	}
}

static void check_record(const struct layout *layout, const char *file, yyjson_val *want,
			 struct cda_buf *diff)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOFREE char *path = cda_asprintf("%s/conda-meta/%s", layout->prefix, file);
	CDA_AUTOFREE char *general = NULL;
	CDA_AUTOBUF struct cda_buf got = CDA_BUF_INIT, wanted = CDA_BUF_INIT;
	struct cda_err err = {0};

	yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, want));
	own_hashes(layout, doc);
	cda_json_format(yyjson_mut_doc_get_root(doc), 2, true, &wanted);
	if (cda_fs_read(AT_FDCWD, path, 1 << 24, &got, &err) < 0) {
		cda_buf_addf(diff, "%s\n", err.msg);
		cda_err_done(&err);
		return;
	}
	general = layout_general(layout, got.p);
	if (strcmp(general, wanted.p) == 0)
		return;
	/* The first line that differs says most. */
	for (const char *a = general, *b = wanted.p; *a || *b;) {
		size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");

		if (m != n || memcmp(a, b, m) != 0) {
			cda_buf_addf(diff, "conda-meta/%s: '%.*s', not '%.*s'\n", file, (int)m, a,
				     (int)n, b);
			return;
		}
		a += m + (a[m] == '\n');
		b += n + (b[n] == '\n');
	}
}

void layout_check_records(const struct layout *layout, yyjson_val *records, struct cda_buf *diff)
{
	yyjson_val *key, *val;
	size_t i, n;

	yyjson_obj_foreach (records, i, n, key, val)
		check_record(layout, yyjson_get_str(key), val, diff);
}
