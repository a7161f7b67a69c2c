#include "pkg/store.h"
#include "core/record_json.h"
#include "pkg/archive.h"
#include "pkg/info.h"
#include "pkg/store_internal.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/lock.h"
#include "util/str.h"
#include "util/url.h"

#include <errno.h>
#include <string.h>

enum { record_max = 16 << 20, urls_max = 64 << 20 };

struct cda_store {
	struct cda_strv dirs; /* absolute */
	bool *writable;
	size_t first; /* writable one; dirs.n when there is none */
};

/* The first folder that can be made and written to takes what is new; the ones behind it are
 * looked at only. */
static void look_at_dir(struct cda_store *store, size_t at)
{
	const char *dir = store->dirs.v[at];
	CDA_AUTOFREE char *urls = cda_path_join(dir, "urls.txt");
	struct cda_err err = {0};

	if (store->first == store->dirs.n && cda_fs_mkdirs(AT_FDCWD, dir, 0775, &err) < 0)
		cda_err_done(&err);
	if (!cda_fs_is_dir(AT_FDCWD, dir) || !cda_fs_dir_is_writable(dir))
		return;
	store->writable[at] = true;
	if (store->first < store->dirs.n)
		return;
	store->first = at;
	/* What conda takes a package cache by. */
	if (!cda_fs_exists(AT_FDCWD, urls) && cda_fs_append(AT_FDCWD, urls, "", 0, 0664, &err) < 0)
		cda_err_done(&err);
}

int cda_store_open(const struct cda_strv *pkgs_dirs, struct cda_store **ret_store,
		   struct cda_err *err)
{
	struct cda_store *store = cda_new0(struct cda_store);
	CDA_AUTOFREE char *cwd = getcwd(NULL, 0);

	(void)err; /* a folder that is of no use is left alone */
	for (size_t i = 0; i < pkgs_dirs->n; i++) {
		char *dir = cda_path_normal(pkgs_dirs->v[i], cwd ? cwd : "/", NULL);

		if (cda_strv_has(&store->dirs, dir))
			free(dir);
		else
			cda_strv_take(&store->dirs, dir);
	}
	store->writable = cda_alloc0(store->dirs.n + 1, sizeof(*store->writable));
	store->first = store->dirs.n;
	for (size_t i = 0; i < store->dirs.n; i++)
		look_at_dir(store, i);
	*ret_store = store;
	return 0;
}

struct cda_store *cda_store_free(struct cda_store *store)
{
	if (!store)
		return NULL;
	cda_strv_done(&store->dirs);
	free(store->writable);
	free(store);
	return NULL;
}

int cda_store_writable(const struct cda_store *store, const char **ret_dir, struct cda_err *err)
{
	CDA_AUTOFREE char *dirs = NULL;

	if (store->first < store->dirs.n) {
		*ret_dir = store->dirs.v[store->first];
		return 0;
	}
	dirs = cda_strv_join(&store->dirs, "', '");
	cda_err_set(err, CDA_E_NOCACHE, "no package cache can be written: '%s'", dirs);
	cda_err_data_list(err, "pkgs_dirs", &store->dirs);
	return cda_err_hint(err, "name a folder of yours: CONDA_PKGS_DIRS=FOLDER, or 'pkgs_dirs' "
				 "in .condarc");
}

const struct cda_strv *cda_store_dirs(const struct cda_store *store)
{
	return &store->dirs;
}

bool cda_store_dir_is_writable(const struct cda_store *store, size_t at)
{
	return at < store->dirs.n && store->writable[at];
}

void cda_store_entry_done(struct cda_store_entry *entry)
{
	free(entry->dir);
	free(entry->archive);
	*entry = (struct cda_store_entry){0};
}

char *cda_store_fn(const struct cda_record *record)
{
	const char *slash = record->url ? strrchr(record->url, '/') : NULL;

	if (record->fn && *record->fn)
		return cda_strdup(record->fn);
	if (slash)
		return cda_url_decode(slash + 1);
	return cda_asprintf("%s-%s-%s.conda", record->name, record->version, record->build);
}

char *cda_store_stem(const struct cda_record *record)
{
	CDA_AUTOFREE char *fn = cda_store_fn(record);

	return cda_str_dup(cda_record_stem(fn));
}

char *cda_store_bare_url(const char *text)
{
	CDA_AUTOFREE char *bare = cda_url_split_token(text, NULL);
	CDA_AUTOURL struct cda_url url = {0};

	return cda_url_parse(bare, &url) ? cda_url_format(&url, false) : cda_take_ptr(bare);
}

static bool same_url(const char *a, const char *b)
{
	CDA_AUTOFREE char *x = a ? cda_store_bare_url(a) : NULL;
	CDA_AUTOFREE char *y = b ? cda_store_bare_url(b) : NULL;

	return x && cda_streq(x, y);
}

/* Is what the folder was made of the package that the record means? A digest decides where both
 * have one; else the place that it came from. */
static bool is_same_package(const struct cda_record *have, const struct cda_record *want)
{
	if (!cda_streq(have->name, want->name) || !cda_streq(have->version, want->version) ||
	    !cda_streq(have->build, want->build))
		return false;
	if (have->sha256 && want->sha256)
		return cda_hash_eq(have->sha256, want->sha256);
	if (have->md5 && want->md5)
		return cda_hash_eq(have->md5, want->md5);
	return same_url(have->url, want->url);
}

bool cda_store_read_record(int dirfd, const char *dir, struct cda_arena *arena,
			   struct cda_record *ret)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, "info/repodata_record.json");
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	bool ok = cda_json_read(dirfd, path, record_max, &doc, &err) == 0 &&
		  cda_pkg_record_parse(yyjson_doc_get_root(doc), arena, ret, &err) == 0;

	cda_err_done(&err);
	return ok;
}

static bool file_is_sound(int fd, const struct cda_pkg_path *path, bool deep)
{
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	struct stat st;
	bool ok;

	if (fstatat(fd, path->path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return path->type == CDA_PATH_DIRECTORY; /* prefix makes what is empty */
	if (path->type != CDA_PATH_HARDLINK || !S_ISREG(st.st_mode))
		return path->type != CDA_PATH_HARDLINK || S_ISLNK(st.st_mode);
	if (path->size >= 0 && st.st_size != path->size)
		return false;
	if (!deep || !path->sha256)
		return true;
	ok = cda_hash_file(CDA_SHA256, fd, path->path, hex, &err) == 0 &&
	     cda_hash_eq(hex, path->sha256);
	cda_err_done(&err);
	return ok;
}

static bool files_are_sound(int dirfd, const char *dir, bool deep)
{
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	CDA_AUTOCLOSE int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_err err = {0};

	if (fd < 0 || cda_pkg_info_read(fd, ".", &info, &err) < 0) {
		cda_err_done(&err);
		return false;
	}
	cda_vec_each (path, &info->paths)
		if (!file_is_sound(fd, path, deep))
			return false;
	return true;
}

bool cda_store_dir_is_sound(int dirfd, const char *dir, const struct cda_record *record, bool deep)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_record have = {0};

	return cda_store_read_record(dirfd, dir, arena, &have) && is_same_package(&have, record) &&
	       files_are_sound(dirfd, dir, deep);
}

static bool archive_may_be(const char *path, const struct cda_record *record)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (record->size <= 0 || st.st_size == record->size);
}

bool cda_store_find(const struct cda_store *store, const struct cda_record *record, bool deep,
		    struct cda_store_entry *ret_entry)
{
	CDA_AUTOFREE char *fn = cda_store_fn(record);
	CDA_AUTOFREE char *stem = cda_store_stem(record);

	*ret_entry = (struct cda_store_entry){0};
	if (!cda_record_word_is_good(stem, strlen(stem)))
		return false;
	for (size_t i = 0; i < store->dirs.n && !ret_entry->dir; i++) {
		CDA_AUTOFREE char *dir = cda_path_join(store->dirs.v[i], stem);
		CDA_AUTOFREE char *archive = cda_path_join(store->dirs.v[i], fn);

		if (cda_fs_is_dir(AT_FDCWD, dir)) {
			if (cda_store_dir_is_sound(AT_FDCWD, dir, record, deep))
				ret_entry->dir = cda_take_ptr(dir);
			else
				ret_entry->damaged = true;
		}
		if (!ret_entry->archive && archive_may_be(archive, record))
			ret_entry->archive = cda_take_ptr(archive);
	}
	if (ret_entry->dir)
		ret_entry->damaged = false;
	return ret_entry->dir || ret_entry->archive;
}

int cda_store_write_record(int dirfd, const char *dir, const struct cda_record *record,
			   struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOFREE char *path = cda_path_join(dir, "info/repodata_record.json");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	yyjson_mut_doc_set_root(doc, root);
	cda_record_to_json(record, doc, root);
	cda_json_format(root, 2, true, &text);
	return cda_fs_replace(dirfd, path, text.p, text.len, 0664, false, err);
}

int cda_store_add_url(const struct cda_store *store, const char *url, struct cda_err *err)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	CDA_AUTOFREE char *bare = cda_store_bare_url(url), *line = cda_asprintf("%s\n", bare);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOCLOSE int fd = -1;
	struct cda_str rest, have;
	const char *dir;
	int rc = cda_store_writable(store, &dir, err);

	if (rc < 0)
		return rc;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dir);
	rc = cda_lock_acquire(fd, ".urls.lock", false, true, &lock, err);
	if (rc == 0 && cda_fs_exists(fd, "urls.txt"))
		rc = cda_fs_read(fd, "urls.txt", urls_max, &text, err);
	if (rc < 0)
		return rc;
	rest = cda_buf_str(&text);
	while (cda_str_cut(&rest, "\n", &have))
		if (cda_str_eq(have, cda_str(bare)))
			return 0;
	return cda_fs_append(fd, "urls.txt", line, strlen(line), 0664, err);
}

int cda_store_records(const struct cda_store *store, struct cda_arena *arena,
		      struct cda_records *ret_records, struct cda_err *err)
{
	for (size_t i = 0; i < store->dirs.n; i++) {
		CDA_AUTOSTRV struct cda_strv names = {0};
		const char *dir = store->dirs.v[i];
		int rc;

		if (!cda_fs_is_dir(AT_FDCWD, dir))
			continue;
		rc = cda_fs_list(AT_FDCWD, dir, &names, err);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < names.n; k++) {
			CDA_AUTOFREE char *path = cda_path_join(dir, names.v[k]);
			struct cda_record record;

			if (cda_ends_with(names.v[k], ".c~") ||
			    cda_ends_with(names.v[k], ".trash") ||
			    !cda_store_read_record(AT_FDCWD, path, arena, &record))
				continue;
			struct cda_record *kept = cda_arena_alloc(arena, sizeof(*kept));
			*kept = record;
			kept->extracted_package_dir = cda_arena_strdup(arena, path);
			cda_records_push(ret_records, kept);
		}
	}
	return 0;
}
