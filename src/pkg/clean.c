/* The calls of store.h that find and remove what `conda clean` is for. */
#include "pkg/archive.h"
#include "pkg/store.h"
#include "pkg/store_internal.h"
#include "util/fs.h"
#include "util/lock.h"
#include "util/str.h"

#include <errno.h>
#include <string.h>

void cda_clean_items_free_all(struct cda_clean_items *items)
{
	cda_vec_each (item, items) {
		free(item->dir);
		free(item->name);
	}
	cda_clean_items_done(items);
}

struct weight {
	uint64_t size;
	bool linked; /* some file is in an environment too */
};

static int weigh_one(void *ctx, const char *path, const struct stat *st)
{
	struct weight *weight = ctx;

	(void)path;
	if (S_ISDIR(st->st_mode))
		return 0;
	weight->size += (uint64_t)st->st_size;
	weight->linked |= S_ISREG(st->st_mode) && st->st_nlink > 1;
	return 0;
}

/* What cannot be read counts nothing: removing it will say why. */
static struct weight weigh(int dirfd, const char *name)
{
	struct weight weight = {0};
	struct cda_err err = {0};
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return weight;
	if (!S_ISDIR(st.st_mode))
		(void)weigh_one(&weight, name, &st);
	else if (cda_fs_walk(dirfd, name, weigh_one, &weight, &err) < 0)
		cda_err_done(&err);
	return weight;
}

static void add_item(struct cda_clean_items *items, const char *dir, const char *name,
		     uint64_t size)
{
	cda_clean_items_push(items,
			     (struct cda_clean_item){cda_strdup(dir), cda_strdup(name), size});
}

static bool is_leftover(const char *name)
{
	return cda_ends_with(name, ".c~") || cda_ends_with(name, ".trash") ||
	       cda_ends_with(name, ".conda.part") || cda_ends_with(name, ".tar.bz2.part") ||
	       cda_starts_with(name, ".new.");
}

static bool is_wanted(int fd, const char *name, enum cda_clean_kind kind)
{
	CDA_AUTOFREE char *index = cda_asprintf("%s/info/index.json", name);
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	switch (kind) {
	case CDA_CLEAN_TARBALLS:
		return S_ISREG(st.st_mode) && cda_archive_ending(name);
	case CDA_CLEAN_PACKAGES:
	case CDA_CLEAN_ALL_PACKAGES:
		return S_ISDIR(st.st_mode) && !is_leftover(name) && cda_fs_exists(fd, index);
	case CDA_CLEAN_INDEX:
		return S_ISDIR(st.st_mode) && strcmp(name, "cache") == 0;
	case CDA_CLEAN_TEMPFILES:
		return is_leftover(name);
	case CDA_CLEAN_LOGS:
		return S_ISDIR(st.st_mode) && strcmp(name, ".logs") == 0;
	}
	return false;
}

static int find_in(const char *dir, enum cda_clean_kind kind, struct cda_clean_items *items,
		   struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dir);
	rc = cda_fs_list(fd, ".", &names, err);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		struct weight weight;

		if (!is_wanted(fd, names.v[i], kind))
			continue;
		weight = weigh(fd, names.v[i]);
		if (kind != CDA_CLEAN_PACKAGES || !weight.linked)
			add_item(items, dir, names.v[i], weight.size);
	}
	return rc;
}

int cda_store_clean_find(const struct cda_store *store, enum cda_clean_kind kind,
			 struct cda_clean_items *items, struct cda_err *err)
{
	const struct cda_strv *dirs = cda_store_dirs(store);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < dirs->n; i++)
		if (cda_store_dir_is_writable(store, i))
			rc = find_in(dirs->v[i], kind, items, err);
	return rc;
}

struct below {
	const char *root;
	struct cda_clean_items *items;
};

static int find_below(void *ctx, const char *path, const struct stat *st)
{
	struct below *below = ctx;

	if (!S_ISDIR(st->st_mode) && (cda_ends_with(path, ".c~") || cda_ends_with(path, ".trash")))
		add_item(below->items, below->root, path, (uint64_t)st->st_size);
	return 0;
}

int cda_store_clean_find_in(const char *root, struct cda_clean_items *items, struct cda_err *err)
{
	struct below below = {root, items};

	return cda_fs_walk(AT_FDCWD, root, find_below, &below, err);
}

static bool is_store_dir(const struct cda_store *store, const char *dir)
{
	return cda_strv_has(cda_store_dirs(store), dir);
}

static int remove_item(const struct cda_store *store, const struct cda_clean_item *item,
		       struct cda_err *err)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	CDA_AUTOCLOSE int fd = open(item->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", item->dir);
	if (is_store_dir(store, item->dir))
		rc = cda_lock_acquire(fd, CDA_STORE_LOCK, false, true, &lock, err);
	return rc == 0 ? cda_fs_remove(fd, item->name, err) : rc;
}

int cda_store_clean_remove(const struct cda_store *store, const struct cda_clean_items *items,
			   struct cda_err *err)
{
	int rc = 0;

	cda_vec_each (item, items) {
		struct cda_err one = {0};
		int failed = remove_item(store, item, &one);

		if (failed < 0 && rc == 0) {
			rc = failed;
			cda_err_move(err, &one);
		}
		cda_err_done(&one);
	}
	return rc;
}
