#include "prefix/envs.h"

#include "prefix/meta.h"
#include "util/fs.h"
#include "util/lock.h"

#include <errno.h>

enum { list_max = 16 * 1024 * 1024 };

static void read_lines(int dirfd, struct cda_strv *lines)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};
	struct cda_str rest, line;

	if (cda_fs_read(dirfd, "environments.txt", list_max, &text, &err) < 0) {
		cda_err_done(&err);
		return;
	}
	rest = cda_buf_str(&text);
	while (cda_str_cut(&rest, "\r\n", &line)) {
		line = cda_str_trim(line);
		if (line.len > 0 && line.p[0] == '/' && !memchr(line.p, '\0', line.len))
			cda_strv_take(lines, cda_str_dup(line));
	}
	cda_strv_uniq(lines);
}

static int change(int dirfd, const char *prefix, bool add, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv lines = {0};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	read_lines(dirfd, &lines);
	if (cda_strv_has(&lines, prefix) == add)
		return 0;
	if (add)
		cda_strv_push(&lines, prefix);
	for (size_t i = 0; i < lines.n; i++)
		if (add || strcmp(lines.v[i], prefix) != 0)
			cda_buf_addf(&text, "%s\n", lines.v[i]);
	return cda_fs_replace(dirfd, "environments.txt", text.p, text.len, 0666, false, err);
}

static int change_locked(const char *conda_dir, const char *prefix, bool add, struct cda_err *err)
{
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	CDA_AUTOCLOSE int dirfd = -1;
	int rc;

	/* One line is one prefix; environments of a package build are nobody's. */
	if (prefix[0] != '/' || strpbrk(prefix, "\r\n") || strstr(prefix, "placehold_pl"))
		return 0;
	if (!add && !cda_fs_exists(AT_FDCWD, conda_dir))
		return 0;
	rc = cda_fs_mkdirs(AT_FDCWD, conda_dir, 0777, err);
	if (rc < 0)
		return rc;
	dirfd = open(conda_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return cda_err_sys(err, errno, "cannot open the folder '%s'", conda_dir);
	rc = cda_lock_acquire(dirfd, ".environments.lock", false, true, &lock, err);
	if (rc >= 0)
		rc = change(dirfd, prefix, add, err);
	return cda_err_wrap(err, rc, "cannot note the environment in '%s'", conda_dir);
}

int cda_envs_register(const char *conda_dir, const char *prefix, struct cda_err *err)
{
	return change_locked(conda_dir, prefix, true, err);
}

int cda_envs_unregister(const char *conda_dir, const char *prefix, struct cda_err *err)
{
	return change_locked(conda_dir, prefix, false, err);
}

static void add_below(const char *dir, struct cda_strv *found)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	if (cda_fs_list(AT_FDCWD, dir, &names, &err) < 0) {
		cda_err_done(&err);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		CDA_AUTOFREE char *prefix = cda_path_join(dir, names.v[i]);

		if (names.v[i][0] != '.' && cda_prefix_is_env(prefix))
			cda_strv_push(found, prefix);
	}
}

void cda_envs_list(const char *conda_dir, const char *root_prefix, const struct cda_strv *envs_dirs,
		   struct cda_strv *ret_prefixes)
{
	CDA_AUTOCLOSE int dirfd =
		conda_dir ? open(conda_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	CDA_AUTOSTRV struct cda_strv lines = {0}, found = {0};

	if (dirfd >= 0)
		read_lines(dirfd, &lines);
	for (size_t i = 0; i < lines.n; i++)
		if (cda_prefix_is_env(lines.v[i]))
			cda_strv_push(&found, lines.v[i]);
	for (size_t i = 0; envs_dirs && i < envs_dirs->n; i++)
		add_below(envs_dirs->v[i], &found);
	cda_strv_sort(&found);
	if (root_prefix)
		cda_strv_insert(&found, 0, root_prefix);
	cda_strv_uniq(&found);
	cda_strv_append(ret_prefixes, &found);
}
