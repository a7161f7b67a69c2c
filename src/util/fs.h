/* fs.h - files by (dirfd, path): read whole, replace atomically, walk, remove, link or copy.
 * Everything opens with O_CLOEXEC. Errors: CDA_E_SYS (CDA_E_NOSPACE) unless said otherwise. */
#ifndef CDA_UTIL_FS_H
#define CDA_UTIL_FS_H

#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Appends the whole file to *out; more than max bytes is CDA_E_VALUE. */
int cda_fs_read(int dirfd, const char *path, size_t max, struct cda_buf *out, struct cda_err *err)
	CDA_CHECK;
/* Writes to a temporary beside path, then renames: path has the old or the new content. A file
 * that exists keeps its mode, a new one gets mode less the umask. sync: fsync file and folder. */
int cda_fs_replace(int dirfd, const char *path, const void *p, size_t len, mode_t mode, bool sync,
		   struct cda_err *err) CDA_CHECK;
/* cda_fs_replace for a path that a user gave: where a device, a pipe or a socket is there (through
 * links: /dev/null, /dev/stdout), it is written to and stays. */
int cda_fs_output(const char *path, const void *p, size_t len, mode_t mode, struct cda_err *err)
	CDA_CHECK;
int cda_fs_append(int dirfd, const char *path, const void *p, size_t len, mode_t mode,
		  struct cda_err *err) CDA_CHECK;
int cda_fs_write_all(int fd, const void *p, size_t len); /* 0, or -1 with errno */

/* Opens path beneath dirfd: no `..`, no absolute link, no way out (openat2 RESOLVE_BENEATH, with a
 * walk by O_NOFOLLOW where the kernel or a filter refuses openat2). Returns fd or -1 with errno. */
int cda_fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode);
void cda_fs_openat2_disable(void); /* for tests: always take the fallback */

/* A relative path that stays inside: not empty, not absolute, no `.`, `..` or empty parts. */
bool cda_fs_path_is_inside(const char *path);

int cda_fs_mkdirs(int dirfd, const char *path, mode_t mode, struct cda_err *err) CDA_CHECK;
/* mkdirs of the folder part of path. */
int cda_fs_mkparents(int dirfd, const char *path, mode_t mode, struct cda_err *err) CDA_CHECK;
/* Removes a file or a whole tree, never through a link; absent is fine. */
int cda_fs_remove(int dirfd, const char *path, struct cda_err *err) CDA_CHECK;
/* rmdir the folder part of path and its parents while they are empty, up to and without dirfd. */
void cda_fs_prune_parents(int dirfd, const char *path);

bool cda_fs_exists(int dirfd, const char *path);  /* without following a last link */
bool cda_fs_is_dir(int dirfd, const char *path);  /* follows */
bool cda_fs_is_file(int dirfd, const char *path); /* follows */
/* True if a file can be made in the folder, tried for real. */
bool cda_fs_dir_is_writable(const char *dir);

enum cda_fs_how { CDA_FS_HARDLINK, CDA_FS_REFLINK, CDA_FS_COPY };
/* Puts the regular file or link (sfd, src) at (dfd, dst), which must not exist: hard link where
 * `how` is HARDLINK and the file systems allow (else falls to the next), reflink, copy with mode
 * and mtime kept. *ret_how tells what was done (may be NULL). */
int cda_fs_place(int sfd, const char *src, int dfd, const char *dst, enum cda_fs_how how,
		 enum cda_fs_how *ret_how, struct cda_err *err) CDA_CHECK;

/* Names of a folder without . and .., sorted by byte. */
int cda_fs_list(int dirfd, const char *path, struct cda_strv *ret_names, struct cda_err *err)
	CDA_CHECK;
/* Calls visit for everything below (dirfd, path) with its path relative to there, parents first,
 * names sorted, links not followed. A visit that returns non-zero ends the walk with that value. */
typedef int cda_fs_visit(void *ctx, const char *path, const struct stat *st);
int cda_fs_walk(int dirfd, const char *path, cda_fs_visit *visit, void *ctx, struct cda_err *err)
	CDA_CHECK;

char *cda_path_join(const char *dir, const char *name); /* owned; one slash between */
char *cda_path_dirname(const char *path);               /* owned; "." where there is none */
const char *cda_path_basename(const char *path);        /* borrowed: behind the last slash */
/* Owned: absolute, without `.`, `..`, double or last slashes; by text, links not resolved.
 * ~ and ~/x take home (may be NULL: then left alone); a relative path counts from cwd. */
char *cda_path_normal(const char *path, const char *cwd, const char *home);
char *cda_fs_readlink(int dirfd, const char *path); /* owned, or NULL with errno */

/* A new private folder under dir (or TMPDIR, or /tmp, where NULL); owned path. */
int cda_fs_tempdir(const char *dir, const char *stem, char **ret_path, struct cda_err *err)
	CDA_CHECK;

#endif
