/* cda_journal_recover of journal.h. What must hold: each step can be repeated, since a run that
 * undoes can be killed too; the log goes only when nothing of it is needed any more. */
#include "prefix/undo.h"

#include "prefix/journal.h"
#include "util/fs.h"
#include "util/map.h"

#include <errno.h>

enum { log_max = 1024 * 1024 * 1024 };

struct line {
	char what;
	unsigned id, mode;
	char *path;
};
CDA_VEC_DEFINE(lines, struct line);

static void lines_free(struct lines *lines)
{
	cda_vec_each (line, lines)
		free(line->path);
	lines_done(lines);
}

static int open_folder_of(int prefixfd, const char *path)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);

	return cda_fs_open_beneath(prefixfd, dir, O_PATH | O_DIRECTORY, 0);
}

int cda_undo_rename(int prefixfd, const char *from, const char *to)
{
	CDA_AUTOCLOSE int fromfd = open_folder_of(prefixfd, from);
	CDA_AUTOCLOSE int tofd = open_folder_of(prefixfd, to);
	const char *source = cda_path_basename(from), *target = cda_path_basename(to);
	struct cda_err err = {0};
	int rc, why;

	if (fromfd < 0 || tofd < 0 || cda_journal_check(from) != 0)
		return -1;
	if (renameat(fromfd, source, tofd, target) == 0)
		return 0;
	if (errno != EXDEV)
		return -1;
	/* Another file system is mounted within the prefix. A copy that was cut off goes first. */
	unlinkat(tofd, target, 0);
	rc = cda_fs_place(fromfd, source, tofd, target, CDA_FS_REFLINK, NULL, &err);
	why = err.sys ? err.sys : EIO;
	cda_err_done(&err);
	if (rc < 0) {
		errno = why;
		return -1;
	}
	return unlinkat(fromfd, source, 0);
}

static char *read_path(struct cda_str text)
{
	CDA_AUTOBUF struct cda_buf path = CDA_BUF_INIT;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\\' && i + 1 < text.len)
			cda_buf_addc(&path, text.p[++i] == 'n' ? '\n' : text.p[i]);
		else
			cda_buf_addc(&path, text.p[i]);
	}
	return cda_buf_take(&path);
}

static bool read_number(struct cda_str *rest, unsigned base, unsigned *ret)
{
	size_t i = 0;
	unsigned value = 0;

	for (; i < rest->len && i < 9 && cda_is_digit(rest->p[i]); i++)
		value = value * base + (unsigned)(rest->p[i] - '0');
	if (i == 0 || i == rest->len || rest->p[i] != ' ')
		return false;
	*ret = value;
	*rest = (struct cda_str){rest->p + i + 1, rest->len - i - 1};
	return true;
}

static bool read_line(struct cda_str text, struct line *ret)
{
	struct line line = {.mode = 0777};
	struct cda_str rest;

	if (text.len == 1 && text.p[0] == 'C') {
		*ret = (struct line){.what = 'C'};
		return true;
	}
	if (text.len < 3 || text.p[1] != ' ' || !memchr("MKADR", text.p[0], 5))
		return false;
	line.what = text.p[0];
	rest = (struct cda_str){text.p + 2, text.len - 2};
	if ((line.what == 'M' || line.what == 'K') && !read_number(&rest, 10, &line.id))
		return false;
	if ((line.what == 'M' || line.what == 'R') && !read_number(&rest, 8, &line.mode))
		return false;
	line.path = read_path(rest);
	if (!cda_fs_path_is_inside(line.path)) {
		free(line.path);
		return false;
	}
	*ret = line;
	return true;
}

/* False when there is no log. A last line without its end was never acted on. */
static int read_log(int prefixfd, struct lines *lines, bool *ret_there, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	const char *p, *eol;
	struct line line;
	int rc;

	*ret_there = cda_fs_exists(prefixfd, CDA_JOURNAL_DIR "/log");
	if (!*ret_there)
		return 0;
	rc = cda_fs_read(prefixfd, CDA_JOURNAL_DIR "/log", log_max, &text, err);
	if (rc < 0)
		return rc;
	for (p = text.p; (eol = memchr(p, '\n', text.len - (size_t)(p - text.p))); p = eol + 1)
		if (read_line((struct cda_str){p, (size_t)(eol - p)}, &line))
			lines_push(lines, line);
	return 0;
}

/* The first failure counts; the other lines are still undone. */
static void failed(int *rc, struct cda_err *err, int why, const char *path)
{
	if (*rc >= 0)
		*rc = cda_err_sys(err, why, "cannot restore '%s'", path);
}

static int remove_added(int prefixfd, const char *path)
{
	CDA_AUTOCLOSE int dirfd = open_folder_of(prefixfd, path);

	if (dirfd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (cda_journal_check(path) != 0)
		return -1;
	if (unlinkat(dirfd, cda_path_basename(path), 0) == 0 || errno == ENOENT ||
	    errno == EISDIR || errno == ENOTDIR)
		return 0;
	return -1;
}

static int remove_made(int prefixfd, const char *path)
{
	if (cda_journal_check(path) != 0)
		return -1;
	/* A script may have put something there; then it is not ours any more. */
	unlinkat(prefixfd, path, AT_REMOVEDIR);
	return 0;
}

static int make_removed(int prefixfd, const char *path, unsigned mode)
{
	if (cda_journal_check(path) != 0)
		return -1;
	if (mkdirat(prefixfd, path, 0777) != 0)
		return errno == EEXIST ? 0 : -1;
	return fchmodat(prefixfd, path, mode, 0);
}

static int restore_moved(int prefixfd, const struct line *line)
{
	CDA_AUTOFREE char *old = cda_asprintf(CDA_JOURNAL_DIR "/old/%u", line->id);
	CDA_AUTOFREE char *dir = cda_path_dirname(line->path);
	struct cda_err err = {0};

	if (!cda_fs_exists(prefixfd, old))
		return 0;
	if (line->what == 'M' && !cda_fs_is_dir(prefixfd, dir)) {
		if (cda_fs_mkdirs(prefixfd, dir, 0777, &err) < 0) {
			errno = err.sys ? err.sys : EIO;
			cda_err_done(&err);
			return -1;
		}
		if (fchmodat(prefixfd, dir, line->mode, 0) != 0)
			return -1;
	}
	return cda_undo_rename(prefixfd, old, line->path);
}

/* What is at the path of an A line is the old file again, or still, when that was to be moved and
 * is not aside: then an earlier try to undo came this far, or the move never came. */
static bool is_old_file(int prefixfd, const struct cda_map *moves, const char *path)
{
	const struct line *line = cda_map_get(moves, path);
	CDA_AUTOFREE char *old = NULL;

	if (!line)
		return false;
	old = cda_asprintf(CDA_JOURNAL_DIR "/old/%u", line->id);
	return !cda_fs_exists(prefixfd, old);
}

static int undo(int prefixfd, const struct lines *lines, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *moves = cda_map_new();
	int rc = 0;

	for (size_t i = 0; i < lines->n; i++)
		if (lines->v[i].what == 'M')
			cda_map_set(moves, lines->v[i].path, &lines->v[i]);

	for (size_t i = lines->n; i-- > 0;) {
		const struct line *line = &lines->v[i];
		int done = 0;

		switch (line->what) {
		case 'A':
			if (!is_old_file(prefixfd, moves, line->path))
				done = remove_added(prefixfd, line->path);
			break;
		case 'D':
			done = remove_made(prefixfd, line->path);
			break;
		case 'R':
			done = make_removed(prefixfd, line->path, line->mode);
			break;
		case 'M':
		case 'K':
			done = restore_moved(prefixfd, line);
			break;
		default:
			break;
		}
		if (done != 0)
			failed(&rc, err, errno, line->path);
	}
	return rc;
}

/* DIR/__pycache__/STEM.*.pyc of DIR/STEM.py, which is gone. */
static void remove_compiled(int prefixfd, const char *path)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);
	CDA_AUTOFREE char *cache = cda_path_join(dir, "__pycache__");
	CDA_AUTOFREE char *stem = cda_strdup(cda_path_basename(path)), *probe = NULL;
	CDA_AUTOCLOSE int dirfd = -1;
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	stem[strlen(stem) - 2] = '\0'; /* "x." of "x.py" */
	dirfd = cda_fs_open_beneath(prefixfd, cache, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (dirfd < 0)
		return;
	if (cda_fs_list(dirfd, ".", &names, &err) < 0)
		cda_err_done(&err);
	for (size_t i = 0; i < names.n; i++)
		if (cda_starts_with(names.v[i], stem) && cda_ends_with(names.v[i], ".pyc") &&
		    cda_journal_check(names.v[i]) == 0)
			unlinkat(dirfd, names.v[i], 0);
	probe = cda_path_join(cache, "x");
	cda_fs_prune_parents(prefixfd, probe);
}

static void finish(int prefixfd, const struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct line *line = &lines->v[i];

		if (line->what != 'M' || cda_starts_with(line->path, "conda-meta/") ||
		    cda_fs_exists(prefixfd, line->path))
			continue;
		if (cda_ends_with(line->path, ".py"))
			remove_compiled(prefixfd, line->path);
		if (cda_journal_check(line->path) == 0)
			cda_fs_prune_parents(prefixfd, line->path);
	}
}

int cda_journal_recover(int prefixfd, bool *ret_found, struct cda_err *err)
{
	CDA_CLEANUP(lines_free) struct lines lines = {0};
	bool there = false, committed = false;
	int rc;

	*ret_found = false;
	if (!cda_fs_exists(prefixfd, CDA_JOURNAL_DIR))
		return 0;
	rc = read_log(prefixfd, &lines, &there, err);
	if (rc < 0)
		return rc;
	cda_vec_each (line, &lines)
		committed = committed || line->what == 'C';
	if (committed)
		finish(prefixfd, &lines);
	else
		rc = undo(prefixfd, &lines, err);
	if (rc < 0)
		return cda_err_hint(err, "run the command again once the cause is gone: it goes on "
					 "with restoring");
	*ret_found = there;
	if (cda_journal_check(CDA_JOURNAL_DIR "/log") != 0 ||
	    (unlinkat(prefixfd, CDA_JOURNAL_DIR "/log", 0) != 0 && errno != ENOENT))
		return cda_err_sys(err, errno, "cannot remove '%s'", CDA_JOURNAL_DIR "/log");
	if (cda_journal_check(CDA_JOURNAL_DIR) != 0)
		return cda_err_sys(err, errno, "cannot remove '%s'", CDA_JOURNAL_DIR);
	return cda_fs_remove(prefixfd, CDA_JOURNAL_DIR, err);
}
