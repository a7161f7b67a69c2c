#include "prefix/journal.h"

#include "prefix/undo.h"
#include "util/fs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct cda_journal {
	int prefixfd;
	int logfd; /* -1: nothing to undo */
	bool done; /* the folder may go */
	unsigned next_id;
	atomic_uint next_new;
	struct cda_buf plan;
};

int (*cda_journal_fault)(const char *path);

int cda_journal_check(const char *path)
{
	int why = cda_journal_fault ? cda_journal_fault(path) : 0;

	if (why == 0)
		return 0;
	errno = why;
	return -1;
}

int cda_journal_new(int prefixfd, struct cda_journal **ret, struct cda_err *err)
{
	struct cda_journal *journal;

	if (cda_journal_check(CDA_JOURNAL_DIR) != 0)
		return cda_err_sys(err, errno, "cannot make the folder '%s'", CDA_JOURNAL_DIR);
	if (mkdirat(prefixfd, CDA_JOURNAL_DIR, 0777) != 0 ||
	    mkdirat(prefixfd, CDA_JOURNAL_DIR "/old", 0777) != 0 ||
	    mkdirat(prefixfd, CDA_JOURNAL_DIR "/new", 0777) != 0)
		return cda_err_sys(err, errno, "cannot make the folder '%s'", CDA_JOURNAL_DIR);
	journal = cda_new0(struct cda_journal);
	journal->prefixfd = prefixfd;
	journal->logfd = -1;
	journal->done = true;
	journal->plan = CDA_BUF_INIT;
	*ret = journal;
	return 0;
}

struct cda_journal *cda_journal_free(struct cda_journal *journal)
{
	struct cda_err err = {0};

	if (!journal)
		return NULL;
	if (journal->logfd >= 0)
		close(journal->logfd);
	if (journal->done && cda_fs_remove(journal->prefixfd, CDA_JOURNAL_DIR, &err) < 0)
		cda_err_done(&err);
	cda_buf_done(&journal->plan);
	free(journal);
	return NULL;
}

char *cda_journal_new_name(struct cda_journal *journal)
{
	return cda_asprintf(CDA_JOURNAL_DIR "/new/%u", atomic_fetch_add(&journal->next_new, 1));
}

static void add_path(struct cda_buf *out, const char *path)
{
	for (; *path; path++) {
		if (*path == '\n')
			cda_buf_adds(out, "\\n");
		else if (*path == '\\')
			cda_buf_adds(out, "\\\\");
		else
			cda_buf_addc(out, *path);
	}
	cda_buf_addc(out, '\n');
}

void cda_journal_plan_move(struct cda_journal *journal, const char *path, unsigned *ret_id)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);
	struct stat st;

	/* The mode of the folder: undoing may have to make it again. */
	if (fstatat(journal->prefixfd, dir, &st, 0) != 0)
		st.st_mode = 0777;
	*ret_id = journal->next_id++;
	cda_buf_addf(&journal->plan, "M %u %o ", *ret_id, (unsigned)st.st_mode & 07777);
	add_path(&journal->plan, path);
}

void cda_journal_plan_add(struct cda_journal *journal, const char *path)
{
	cda_buf_adds(&journal->plan, "A ");
	add_path(&journal->plan, path);
}

static int write_log(struct cda_journal *journal, const struct cda_buf *lines, bool sync,
		     struct cda_err *err)
{
	static const char log[] = CDA_JOURNAL_DIR "/log";

	if (cda_journal_check(log) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", log);
	if (journal->logfd < 0) {
		journal->logfd = openat(journal->prefixfd, log,
					O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
		if (journal->logfd < 0)
			return cda_err_sys(err, errno, "cannot write '%s'", log);
		journal->done = false;
	}
	if (cda_fs_write_all(journal->logfd, lines->p, lines->len) != 0 ||
	    (sync && fdatasync(journal->logfd) != 0 && errno != EINVAL && errno != ENOTSUP))
		return cda_err_sys(err, errno, "cannot write '%s'", log);
	return 0;
}

int cda_journal_flush(struct cda_journal *journal, struct cda_err *err)
{
	int rc = write_log(journal, &journal->plan, true, err);

	cda_buf_clear(&journal->plan);
	return rc;
}

int cda_journal_move(struct cda_journal *journal, unsigned id, const char *path,
		     struct cda_err *err)
{
	CDA_AUTOFREE char *old = cda_asprintf(CDA_JOURNAL_DIR "/old/%u", id);

	if (cda_undo_rename(journal->prefixfd, path, old) != 0 && errno != ENOENT)
		return cda_err_sys(err, errno, "cannot move '%s' away", path);
	return 0;
}

static int log_line(struct cda_journal *journal, const char *head, const char *path,
		    struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT;

	cda_buf_adds(&line, head);
	add_path(&line, path);
	return write_log(journal, &line, false, err);
}

int cda_journal_mkdirs(struct cda_journal *journal, const char *path, struct cda_err *err)
{
	CDA_AUTOFREE char *parent = cda_path_dirname(path);
	CDA_AUTOCLOSE int dirfd = -1;
	int rc;

	if (strcmp(path, ".") == 0)
		return 0;
	dirfd = cda_fs_open_beneath(journal->prefixfd, path, O_PATH | O_DIRECTORY, 0);
	if (dirfd >= 0)
		return 0;
	if (errno == EXDEV || errno == ELOOP)
		return cda_err_set(err, CDA_E_CLOBBER, "'%s' leads out of the environment", path);
	if (errno != ENOENT && errno != ENOTDIR)
		return cda_err_sys(err, errno, "cannot open the folder '%s'", path);
	if (cda_fs_exists(journal->prefixfd, path))
		return cda_err_set(err, CDA_E_CLOBBER, "'%s' should be a folder and is none", path);
	rc = cda_journal_mkdirs(journal, parent, err);
	if (rc >= 0)
		rc = log_line(journal, "D ", path, err);
	if (rc < 0)
		return rc;
	dirfd = cda_fs_open_beneath(journal->prefixfd, parent, O_PATH | O_DIRECTORY, 0);
	if (dirfd < 0 || cda_journal_check(path) != 0 ||
	    mkdirat(dirfd, cda_path_basename(path), 0777) != 0)
		return cda_err_sys(err, errno, "cannot make the folder '%s'", path);
	return 0;
}

struct removal {
	struct cda_strv dirs; /* parents first */
};

static int see_folder(void *ctx, const char *path, const struct stat *st)
{
	struct removal *removal = ctx;

	if (!S_ISDIR(st->st_mode))
		return 1;
	cda_strv_push(&removal->dirs, path);
	return 0;
}

int cda_journal_rmdirs(struct cda_journal *journal, const char *path, struct cda_err *err)
{
	struct removal removal = {0};
	int rc = cda_fs_walk(journal->prefixfd, path, see_folder, &removal, err);
	struct stat st;

	if (rc > 0)
		rc = cda_err_set(err, CDA_E_CLOBBER, "the folder '%s' has files of its own", path);
	cda_strv_insert(&removal.dirs, 0, "");
	for (size_t i = removal.dirs.n; rc >= 0 && i-- > 0;) {
		const char *below = removal.dirs.v[i];
		CDA_AUTOFREE char *dir = *below ? cda_path_join(path, below) : cda_strdup(path);
		CDA_AUTOFREE char *head = NULL;

		if (fstatat(journal->prefixfd, dir, &st, AT_SYMLINK_NOFOLLOW) != 0)
			st.st_mode = 0777;
		head = cda_asprintf("R %o ", (unsigned)st.st_mode & 07777);
		rc = log_line(journal, head, dir, err);
		if (rc >= 0 && (cda_journal_check(dir) != 0 ||
				unlinkat(journal->prefixfd, dir, AT_REMOVEDIR) != 0))
			rc = cda_err_sys(err, errno, "cannot remove the folder '%s'", dir);
	}
	cda_strv_done(&removal.dirs);
	return rc < 0 ? rc : 0;
}

/* A second name for the file at path: a hard link, or a copy where there are none. */
static int keep(struct cda_journal *journal, const char *path, const char *old, struct cda_err *err)
{
	if (cda_journal_check(old) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", old);
	return cda_fs_place(journal->prefixfd, path, journal->prefixfd, old, CDA_FS_HARDLINK, NULL,
			    err);
}

int cda_journal_replace(struct cda_journal *journal, const char *path, const void *p, size_t len,
			mode_t mode, struct cda_err *err)
{
	CDA_AUTOFREE char *fresh = cda_journal_new_name(journal), *old = NULL, *head = NULL;
	struct stat st;
	bool there = fstatat(journal->prefixfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int rc = 0;

	if (there) {
		old = cda_asprintf(CDA_JOURNAL_DIR "/old/%u", journal->next_id);
		head = cda_asprintf("K %u ", journal->next_id++);
		rc = keep(journal, path, old, err);
	}
	if (rc >= 0)
		rc = log_line(journal, there ? head : "A ", path, err);
	if (rc < 0)
		return rc;
	CDA_AUTOCLOSE int fd = cda_journal_check(fresh) != 0
				       ? -1
				       : openat(journal->prefixfd, fresh,
						O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || cda_fs_write_all(fd, p, len) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	/* A file that was there keeps its mode, and its owner where we may give it. */
	if (there && S_ISREG(st.st_mode) &&
	    ((geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0) ||
	     fchmod(fd, st.st_mode & 07777) != 0))
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	if (fsync(fd) != 0 || cda_journal_check(path) != 0 ||
	    renameat(journal->prefixfd, fresh, journal->prefixfd, path) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

int cda_journal_commit(struct cda_journal *journal, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT;
	struct cda_err inner = {0};
	bool found;
	int rc;

	cda_buf_adds(&line, "C\n");
	rc = write_log(journal, &line, true, err);
	if (rc < 0)
		return rc;
	/* It is done now; what is left of the clean-up is the next run's. */
	if (cda_journal_recover(journal->prefixfd, &found, &inner) < 0)
		cda_err_done(&inner);
	return 0;
}

int cda_journal_rollback(struct cda_journal *journal, struct cda_err *err)
{
	bool found;

	if (journal->logfd < 0)
		return 0;
	return cda_journal_recover(journal->prefixfd, &found, err);
}
