/* The plan of slim.h, carried out. The order makes an interruption harmless: first what conda knows
 * of its files, then what Python knows, then the files. Whatever is still there when that ends in
 * the middle, a second run finds and takes, and every record already says what it will be. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>

static int failed(struct cda_err *err, const char *doing, const char *path)
{
	return cda_err_sys(err, errno, "cannot %s '%s'", doing, path);
}

/* Remembers how a folder was before its first change. */
static void remember(struct cda_slim *slim, const char *path, int fd)
{
	CDA_AUTOFREE char *folder = cda_path_dirname(path);
	struct stat *st;

	if (cda_map_has(slim->folder_ids, folder))
		return;
	st = cda_new0(struct stat);
	if (fstat(fd, st) != 0)
		*st = (struct stat){0};
	cda_map_set(slim->folder_ids, folder, st);
}

/* The file is still the one that the plan saw. */
static bool is_same(int fd, const char *name, const struct cda_slim_file *file)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == file->st.st_ino &&
	       st.st_dev == file->st.st_dev && st.st_size == file->st.st_size &&
	       st.st_mtim.tv_sec == file->st.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == file->st.st_mtim.tv_nsec;
}

static int changed_meanwhile(struct cda_err *err, const char *path)
{
	return cda_err_set(err, CDA_E_VALUE, "'%s' changes while it is worked on", path);
}

/* Beside the file, with its owner, mode and time; then over it. */
static int replace(int fd, const char *name, const struct cda_slim_file *file,
		   const struct cda_buf *text, struct cda_err *err)
{
	const struct timespec times[2] = {file->st.st_atim, file->st.st_mtim};
	CDA_AUTOCLOSE int to = -1;
	int rc = 0;

	unlinkat(fd, CDA_SLIM_TEMPORARY, 0);
	to = openat(fd, CDA_SLIM_TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (to < 0)
		return failed(err, "write beside", file->path);
	if (cda_fs_write_all(to, text->p, text->len) != 0 ||
	    fchown(to, file->st.st_uid, file->st.st_gid) != 0 ||
	    fchmod(to, file->st.st_mode & 07777) != 0 || futimens(to, times) != 0 ||
	    fsync(to) != 0 || close(cda_take_fd(to)) != 0)
		rc = failed(err, "write", file->path);
	else if (renameat(fd, CDA_SLIM_TEMPORARY, fd, name) != 0)
		rc = failed(err, "replace", file->path);
	if (rc < 0)
		unlinkat(fd, CDA_SLIM_TEMPORARY, 0);
	return rc;
}

static int apply_rewrite(struct cda_slim *slim, struct cda_slim_file *file, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, out = CDA_BUF_INIT;
	const char *name;
	CDA_AUTOCLOSE int fd = cda_slim_folder(slim, file->path, &name);
	char hex[CDA_HASH_HEX_MAX];
	int rc;

	if (fd < 0)
		return failed(err, "open the folder of", file->path);
	if (!is_same(fd, name, file))
		return changed_meanwhile(err, file->path);
	remember(slim, file->path, fd);
	if (file->text) {
		/* a RECORD of outside may hold a NUL */
		cda_buf_add(&out, file->text, (size_t)file->new_size);
		return replace(fd, name, file, &out, err);
	}
	rc = cda_slim_read(slim, file, SIZE_MAX / 2, &text, err);
	if (rc < 0)
		return rc;
	if (!cda_slim_strip(text.p, text.len, &out))
		return changed_meanwhile(err, file->path);
	cda_hash_mem(CDA_SHA256, out.p, out.len, hex);
	if (!cda_hash_eq(hex, file->new_sha256))
		return changed_meanwhile(err, file->path);
	return replace(fd, name, file, &out, err);
}

static int link_over(struct cda_slim *slim, const struct cda_slim_file *from,
		     const struct cda_slim_file *file, struct cda_err *err)
{
	const char *name, *from_name;
	CDA_AUTOCLOSE int fd = cda_slim_folder(slim, file->path, &name);
	CDA_AUTOCLOSE int from_fd = cda_slim_folder(slim, from->path, &from_name);

	if (fd < 0 || from_fd < 0)
		return failed(err, "open the folder of", file->path);
	if (!is_same(fd, name, file) || (!from->act && !is_same(from_fd, from_name, from)))
		return changed_meanwhile(err, file->path);
	remember(slim, file->path, fd);
	unlinkat(fd, CDA_SLIM_TEMPORARY, 0);
	if (linkat(from_fd, from_name, fd, CDA_SLIM_TEMPORARY, 0) != 0)
		return failed(err, "link", file->path);
	if (renameat(fd, CDA_SLIM_TEMPORARY, fd, name) != 0) {
		int rc = failed(err, "replace", file->path);

		unlinkat(fd, CDA_SLIM_TEMPORARY, 0);
		return rc;
	}
	return 0;
}

/* Folders that the removal of path left empty, up to the prefix. Those of dpkg stay, and outside
 * of a prefix all of a cache's. */
static void prune(struct cda_slim *slim, const struct cda_slim_file *file)
{
	const char *floor = file->prefix ? slim->prefixes.v[file->prefix - 1] : "";
	CDA_AUTOFREE char *folder = cda_path_dirname(file->path);
	bool is_cache = file->rule == CDA_SLIM_CACHES;

	while (!cda_streq(folder, ".") && !cda_streq(folder, floor)) {
		CDA_AUTOFREE char *pkgs = cda_asprintf("%s%spkgs", floor, *floor ? "/" : "");
		const char *name;
		CDA_AUTOCLOSE int fd = -1;

		if (cda_streq(folder, pkgs) || cda_slim_is_owned(slim, folder) ||
		    (is_cache && !file->prefix && !cda_slim_match("**/.cache/*/**", folder) &&
		     !cda_slim_match("**/_cacache/**", folder) &&
		     !cda_slim_match("**/.conda/pkgs/**", folder)))
			return;
		fd = cda_slim_folder(slim, folder, &name);
		if (fd < 0)
			return;
		remember(slim, folder, fd);
		if (unlinkat(fd, name, AT_REMOVEDIR) != 0)
			return;
		cda_replace(&folder, cda_path_dirname(folder));
	}
}

static int apply_remove(struct cda_slim *slim, const struct cda_slim_file *file,
			struct cda_err *err)
{
	const char *name;
	CDA_AUTOCLOSE int fd = cda_slim_folder(slim, file->path, &name);

	if (fd < 0)
		return failed(err, "open the folder of", file->path);
	remember(slim, file->path, fd);
	if (unlinkat(fd, name, 0) != 0 && errno != ENOENT)
		return failed(err, "remove", file->path);
	prune(slim, file);
	return 0;
}

static int apply_one(struct cda_slim *slim, struct cda_slim_file *file, struct cda_err *err)
{
	struct cda_slim_inode *inode = cda_slim_inode(slim, &file->st);

	switch (file->act) {
	case CDA_SLIM_LEAVE:
		return 0;
	case CDA_SLIM_REMOVE:
	case CDA_SLIM_FORGET:
		return apply_remove(slim, file, err);
	case CDA_SLIM_REWRITE:
		/* the other names of a stripped file stay names of one */
		if (!file->text && inode && &slim->files.v[inode->first] != file &&
		    slim->files.v[inode->first].act == CDA_SLIM_REWRITE)
			return link_over(slim, &slim->files.v[inode->first], file, err);
		return apply_rewrite(slim, file, err);
	case CDA_SLIM_LINK:
		return link_over(slim, &slim->files.v[file->twin], file, err);
	}
	return 0;
}

/* What each pass does, in the order that matters. */
static bool is_of_pass(const struct cda_slim_file *file, int pass)
{
	bool is_meta = file->text && cda_ends_with(file->path, ".json");

	switch (pass) {
	case 0:
		return is_meta;
	case 1:
		return file->text && !is_meta;
	case 2:
		return file->act == CDA_SLIM_REMOVE || file->act == CDA_SLIM_FORGET;
	case 3:
		return file->act == CDA_SLIM_REWRITE && !file->text;
	default:
		return file->act == CDA_SLIM_LINK;
	}
}

/* Names that an interrupted run left. */
static void remove_leftovers(struct cda_slim *slim)
{
	cda_vec_each (file, &slim->files)
		if (S_ISREG(file->st.st_mode) &&
		    cda_streq(cda_path_basename(file->path), CDA_SLIM_TEMPORARY)) {
			const char *name;
			CDA_AUTOCLOSE int fd = cda_slim_folder(slim, file->path, &name);

			if (fd >= 0)
				unlinkat(fd, name, 0);
		}
}

/* The times of folders are those before: the same tree gives the same result. */
static void restore_folders(struct cda_slim *slim)
{
	const char *key;
	void *value;
	size_t at = 0;

	while (cda_map_next(slim->folder_ids, &at, &key, &value)) {
		const struct stat *st = value;
		const struct timespec times[2] = {st->st_atim, st->st_mtim};
		CDA_AUTOCLOSE int fd =
			cda_fs_open_beneath(slim->fd, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd >= 0 && st->st_ino != 0 && futimens(fd, times) != 0)
			continue; /* another's folder: its time is no promise */
	}
}

int cda_slim_apply(struct cda_slim *slim, struct cda_err *err)
{
	int rc = 0;

	remove_leftovers(slim);
	for (int pass = 0; pass <= 4 && rc >= 0; pass++) {
		cda_vec_each (file, &slim->files) {
			if (!is_of_pass(file, pass))
				continue;
			rc = apply_one(slim, file, err);
			/* between the records of one run nothing is whole yet; behind, all is */
			if (rc >= 0 && pass >= 2 && cda_interrupted)
				rc = cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
			if (rc < 0)
				break;
		}
	}
	restore_folders(slim);
	if (rc < 0 && err->code != CDA_E_NOSPACE)
		return cda_err_hint(err, "run it again to finish the work");
	return rc;
}
