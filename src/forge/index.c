#include "forge/index.h"
#include "core/platform.h"
#include "core/version.h"
#include "pkg/archive.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/map.h"
#include "util/str.h"
#include "util/workers.h"
#include "util/zst.h"

#include <errno.h>
#include <sys/stat.h>

#define INDEX_JSON_MAX ((size_t)16 << 20)
#define ZSTD_LEVEL 19

struct item {
	const char *subdir; /* borrowed */
	char *fn;
	yyjson_doc *index, *about;
	char sha256[CDA_HASH_HEX_MAX], md5[CDA_HASH_HEX_MAX];
	int64_t size;
};
CDA_VEC_DEFINE(items, struct item);

struct run {
	const char *channel;
	struct cda_strv subdirs;
	struct items items;
};

static int read_json(const char *path, const char *member, bool needed, yyjson_doc **ret,
		     struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err why = {0};
	int rc = cda_archive_read(AT_FDCWD, path, member, INDEX_JSON_MAX, &text, &why);

	if (!rc)
		return cda_json_parse(text.p, text.len, member, ret, err);
	if (!needed && why.code == CDA_E_NOTFOUND) {
		cda_err_done(&why);
		return 0;
	}
	cda_err_move(err, &why);
	return rc;
}

static int check_name(const struct item *item, struct cda_err *err)
{
	yyjson_val *root = yyjson_doc_get_root(item->index);
	const char *name = cda_json_str(root, "name"), *version = cda_json_str(root, "version");
	const char *build = cda_json_str(root, "build"), *subdir = cda_json_str(root, "subdir");
	CDA_AUTOFREE char *stem = NULL;
	size_t n = strlen(item->fn) - strlen(cda_archive_ending(item->fn));

	if (!name || !version || !build)
		return cda_err_set(err, CDA_E_ARCHIVE,
				   "its index.json has no name, version or build");
	stem = cda_asprintf("%s-%s-%s", name, version, build);
	if (strlen(stem) != n || strncmp(stem, item->fn, n) != 0)
		return cda_err_set(err, CDA_E_ARCHIVE, "its index.json says '%s'", stem);
	if (subdir && !cda_streq(subdir, item->subdir))
		return cda_err_set(err, CDA_E_ARCHIVE, "it belongs to the subdir '%s'", subdir);
	return 0;
}

static int read_item(void *ctx, size_t i, struct cda_err *err)
{
	struct run *run = ctx;
	struct item *item = &run->items.v[i];
	CDA_AUTOFREE char *path = cda_asprintf("%s/%s/%s", run->channel, item->subdir, item->fn);
	struct stat st;
	int rc;

	if (stat(path, &st) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", path);
	item->size = st.st_size;
	rc = cda_hash_file(CDA_SHA256, AT_FDCWD, path, item->sha256, err);
	if (!rc)
		rc = cda_hash_file(CDA_MD5, AT_FDCWD, path, item->md5, err);
	if (!rc)
		rc = read_json(path, "info/index.json", true, &item->index, err);
	if (!rc)
		rc = check_name(item, err);
	if (!rc)
		rc = read_json(path, "info/about.json", false, &item->about, err);
	return rc ? cda_err_wrap(err, rc, "'%s/%s'", item->subdir, item->fn) : 0;
}

static int list_subdir(struct run *run, const char *subdir, struct cda_err *err)
{
	CDA_AUTOFREE char *dir = cda_path_join(run->channel, subdir);
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc = cda_fs_list(AT_FDCWD, dir, &names, err);

	for (size_t i = 0; !rc && i < names.n; i++)
		if (cda_archive_ending(names.v[i]))
			items_push(&run->items,
				   (struct item){.subdir = subdir, .fn = cda_strdup(names.v[i])});
	return rc;
}

static int list_all(struct run *run, struct cda_err *err)
{
	int rc = 0;

	for (const char *const *name = cda_platform_subdirs; !rc && *name; name++) {
		CDA_AUTOFREE char *dir = cda_path_join(run->channel, *name);
		bool always = cda_streq(*name, "noarch") || cda_streq(*name, "linux-64");

		if (!cda_fs_is_dir(AT_FDCWD, dir)) {
			if (!always)
				continue;
			rc = cda_fs_mkdirs(AT_FDCWD, dir, 0755, err);
		}
		if (!rc) {
			cda_strv_push(&run->subdirs, *name);
			rc = list_subdir(run, *name, err);
		}
	}
	return rc;
}

static void add_record(yyjson_mut_doc *doc, yyjson_mut_val *packages, const struct item *item)
{
	yyjson_mut_val *record = yyjson_val_mut_copy(doc, yyjson_doc_get_root(item->index));

	yyjson_mut_obj_remove_key(record, "md5");
	yyjson_mut_obj_remove_key(record, "sha256");
	yyjson_mut_obj_remove_key(record, "size");
	yyjson_mut_obj_add_strcpy(doc, record, "md5", item->md5);
	yyjson_mut_obj_add_strcpy(doc, record, "sha256", item->sha256);
	yyjson_mut_obj_add_int(doc, record, "size", item->size);
	yyjson_mut_obj_add(packages, yyjson_mut_strcpy(doc, item->fn), record);
}

static int write_json(const char *path, const yyjson_mut_val *val, bool packed, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, small = CDA_BUF_INIT;
	CDA_AUTOFREE char *zst = cda_asprintf("%s.zst", path);
	int rc;

	cda_json_format(val, 2, true, &text);
	cda_buf_addc(&text, '\n');
	rc = cda_fs_replace(AT_FDCWD, path, text.p, text.len, 0644, false, err);
	if (rc || !packed)
		return rc;
	rc = cda_zst_compress(text.p, text.len, ZSTD_LEVEL, &small, err);
	return rc ? rc : cda_fs_replace(AT_FDCWD, zst, small.p, small.len, 0644, false, err);
}

static int write_repodata(const struct run *run, const char *subdir, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOFREE char *path = cda_asprintf("%s/%s/repodata.json", run->channel, subdir);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *info = yyjson_mut_obj(doc);
	yyjson_mut_val *old = yyjson_mut_obj(doc), *conda = yyjson_mut_obj(doc);

	for (size_t i = 0; i < run->items.n; i++) {
		const struct item *item = &run->items.v[i];

		if (cda_streq(item->subdir, subdir))
			add_record(doc, cda_ends_with(item->fn, ".conda") ? conda : old, item);
	}
	yyjson_mut_obj_add_strcpy(doc, info, "subdir", subdir);
	yyjson_mut_obj_add_val(doc, root, "info", info);
	yyjson_mut_obj_add_val(doc, root, "packages", old);
	yyjson_mut_obj_add_val(doc, root, "packages.conda", conda);
	yyjson_mut_obj_add_arr(doc, root, "removed");
	yyjson_mut_obj_add_int(doc, root, "repodata_version", 1);
	return write_json(path, root, true, err);
}

/* name: summary, license, home and version of the newest, and the subdirs it is in. */
static void add_channel_package(yyjson_mut_doc *doc, yyjson_mut_val *packages,
				const struct item *item)
{
	static const char *const keys[] = {"summary", "license", "home"};
	yyjson_val *root = yyjson_doc_get_root(item->index);
	yyjson_val *about = item->about ? yyjson_doc_get_root(item->about) : NULL;
	const char *name = cda_json_str(root, "name"), *version = cda_json_str(root, "version");
	yyjson_mut_val *o = yyjson_mut_obj_get(packages, name);
	const char *former;

	if (!o) {
		o = yyjson_mut_obj(doc);
		yyjson_mut_obj_add_arr(doc, o, "subdirs");
		yyjson_mut_obj_add(packages, yyjson_mut_strcpy(doc, name), o);
	}
	yyjson_mut_val *subdirs = yyjson_mut_obj_get(o, "subdirs");
	const char *last = yyjson_mut_get_str(yyjson_mut_arr_get_last(subdirs));

	if (!cda_streq(last, item->subdir))
		yyjson_mut_arr_add_strcpy(doc, subdirs, item->subdir);
	former = yyjson_mut_get_str(yyjson_mut_obj_get(o, "version"));
	if (former && cda_version_cmp_text(former, version) >= 0)
		return;
	yyjson_mut_obj_remove_key(o, "version");
	yyjson_mut_obj_add_strcpy(doc, o, "version", version);
	for (size_t i = 0; about && i < CDA_LEN(keys); i++) {
		const char *value = cda_json_str(about, keys[i]);

		yyjson_mut_obj_remove_key(o, keys[i]);
		if (value)
			yyjson_mut_obj_add_strcpy(doc, o, keys[i], value);
	}
}

static int write_channeldata(const struct run *run, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOFREE char *path = cda_path_join(run->channel, "channeldata.json");
	yyjson_mut_val *root = yyjson_mut_obj(doc), *packages = yyjson_mut_obj(doc);

	for (size_t i = 0; i < run->items.n; i++)
		add_channel_package(doc, packages, &run->items.v[i]);
	yyjson_mut_obj_add_int(doc, root, "channeldata_version", 1);
	yyjson_mut_obj_add_val(doc, root, "packages", packages);
	cda_json_add_strv(doc, root, "subdirs", &run->subdirs);
	return write_json(path, root, false, err);
}

int cda_channel_index(const char *channel, size_t *ret_count, struct cda_err *err)
{
	struct run run = {.channel = channel};
	int rc;

	if (!cda_fs_is_dir(AT_FDCWD, channel))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no folder", channel);
	rc = list_all(&run, err);
	if (!rc)
		rc = cda_workers_run(run.items.n, 0, read_item, &run, err);
	for (size_t i = 0; !rc && i < run.subdirs.n; i++)
		rc = write_repodata(&run, run.subdirs.v[i], err);
	if (!rc)
		rc = write_channeldata(&run, err);
	if (!rc && ret_count)
		*ret_count = run.items.n;
	cda_vec_each (item, &run.items) {
		free(item->fn);
		cda_json_free(item->index);
		cda_json_free(item->about);
	}
	items_done(&run.items);
	cda_strv_done(&run.subdirs);
	return rc;
}
