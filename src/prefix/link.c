#include "prefix/link.h"

#include "prefix/journal.h"
#include "util/fs.h"

#include <errno.h>

void cda_link_folder_done(struct cda_link_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	free(folder->path);
	folder->fd = -1;
	folder->path = NULL;
}

static int enter(struct cda_link_folder *folder, const char *target, struct cda_err *err)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(target);

	if (folder->fd >= 0 && strcmp(folder->path, dir) == 0)
		return 0;
	cda_link_folder_done(folder);
	folder->fd = cda_fs_open_beneath(folder->prefixfd, dir, O_PATH | O_DIRECTORY, 0);
	if (folder->fd < 0 && (errno == EXDEV || errno == ELOOP))
		return cda_err_set(err, CDA_E_CLOBBER, "'%s' leads out of the environment", dir);
	if (folder->fd < 0)
		return cda_err_sys(err, errno, "cannot open the folder '%s'", dir);
	folder->path = cda_take_ptr(dir);
	return 0;
}

enum cda_link_type cda_link_choose(int prefixfd, const char *probe, const char *extracted_dir,
				   bool allow_softlinks)
{
	CDA_AUTOFREE char *index = cda_path_join(extracted_dir, "info/index.json");

	if (linkat(AT_FDCWD, index, prefixfd, probe, 0) == 0) {
		unlinkat(prefixfd, probe, 0);
		return CDA_LINK_HARD;
	}
	return allow_softlinks ? CDA_LINK_SOFT : CDA_LINK_COPY;
}

/* The source of a copy: a link that says where by itself is followed, once it leads to a file. */
static char *follow_absolute(const char *source, const struct stat *st)
{
	CDA_AUTOFREE char *link = S_ISLNK(st->st_mode) ? cda_fs_readlink(AT_FDCWD, source) : NULL;

	if (link && link[0] == '/' && cda_fs_is_file(AT_FDCWD, link))
		return realpath(link, NULL);
	return NULL;
}

static int place(struct cda_link_folder *folder, const char *source, const char *name,
		 enum cda_link_type type, const struct stat *st, struct cda_err *err)
{
	CDA_AUTOFREE char *followed = follow_absolute(source, st);
	bool is_file = S_ISREG(st->st_mode);
	enum cda_fs_how how = CDA_FS_REFLINK;

	if (followed)
		source = followed;
	if (type == CDA_LINK_SOFT && is_file && access(source, X_OK) != 0) {
		if (symlinkat(source, folder->fd, name) != 0)
			return cda_err_sys(err, errno, "cannot make the link '%s'", name);
		return 0;
	}
	if (type == CDA_LINK_HARD && is_file)
		how = CDA_FS_HARDLINK;
	return cda_fs_place(AT_FDCWD, source, folder->fd, name, how, NULL, err);
}

int cda_link_place(struct cda_link_folder *folder, const char *source, const char *target,
		   enum cda_link_type type, struct cda_err *err)
{
	const char *name = cda_path_basename(target);
	struct stat st;
	int rc = enter(folder, target, err);

	if (rc < 0)
		return rc;
	if (cda_journal_check(target) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", target);
	if (fstatat(AT_FDCWD, source, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", source);
	rc = place(folder, source, name, type, &st, err);
	return rc < 0 ? cda_err_wrap(err, rc, "cannot install '%s'", target) : rc;
}

int cda_link_move(struct cda_link_folder *folder, const char *staged, const char *target,
		  struct cda_err *err)
{
	int rc = enter(folder, target, err);

	if (rc < 0)
		return rc;
	if (cda_journal_check(target) != 0 ||
	    renameat(folder->prefixfd, staged, folder->fd, cda_path_basename(target)) != 0) {
		if (errno != EXDEV)
			return cda_err_sys(err, errno, "cannot install '%s'", target);
		/* A file system that is mounted within the prefix. */
		rc = cda_fs_place(folder->prefixfd, staged, folder->fd, cda_path_basename(target),
				  CDA_FS_COPY, NULL, err);
	}
	return rc;
}
