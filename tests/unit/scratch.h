/* scratch.h - a private folder for one test: made by mkdtemp, files written and read by a path
 * relative to it, removed at the end. Failures end the program: a test cannot go on without. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "util/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scratch {
	char *dir; /* absolute, links resolved */
};

__attribute__((unused, noreturn)) static void scratch_die(const char *what, const char *path,
							  struct cda_err *err)
{
	printf("Bail out! cannot %s '%s': %s\n", what, path, err && err->msg ? err->msg : "");
	exit(99);
}

__attribute__((unused)) static struct scratch scratch_new(void)
{
	struct scratch scratch = {NULL};
	struct cda_err err = {0};
	char *made = NULL;

	if (cda_fs_tempdir(NULL, "condense-test", &made, &err) < 0)
		scratch_die("make", "a scratch folder", &err);
	scratch.dir = realpath(made, NULL);
	free(made);
	return scratch;
}

__attribute__((unused)) static void scratch_done(struct scratch *scratch)
{
	struct cda_err err = {0};

	if (scratch->dir && cda_fs_remove(AT_FDCWD, scratch->dir, &err) < 0)
		scratch_die("remove", scratch->dir, &err);
	free(scratch->dir);
	scratch->dir = NULL;
}
#define AUTOSCRATCH CDA_CLEANUP(scratch_done)

/* Owned: the absolute path of name. */
__attribute__((unused)) static char *scratch_path(const struct scratch *scratch, const char *name)
{
	return *name ? cda_path_join(scratch->dir, name) : cda_strdup(scratch->dir);
}

__attribute__((unused)) static void scratch_mkdir(const struct scratch *scratch, const char *name)
{
	char *path = scratch_path(scratch, name);
	struct cda_err err = {0};

	if (cda_fs_mkdirs(AT_FDCWD, path, 0777, &err) < 0)
		scratch_die("make", path, &err);
	free(path);
}

/* Folders on the way are made. */
__attribute__((unused)) static void scratch_write_mode(const struct scratch *scratch,
						       const char *name, const char *text,
						       mode_t mode)
{
	char *path = scratch_path(scratch, name);
	struct cda_err err = {0};

	if (cda_fs_mkparents(AT_FDCWD, path, 0777, &err) < 0 ||
	    cda_fs_replace(AT_FDCWD, path, text, strlen(text), mode, false, &err) < 0)
		scratch_die("write", path, &err);
	free(path);
}

__attribute__((unused)) static void scratch_write(const struct scratch *scratch, const char *name,
						  const char *text)
{
	scratch_write_mode(scratch, name, text, 0666);
}

/* Owned; NULL when the file is not there. */
__attribute__((unused)) static char *scratch_read(const struct scratch *scratch, const char *name)
{
	char *path = scratch_path(scratch, name);
	struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};
	int rc = cda_fs_read(AT_FDCWD, path, (size_t)64 << 20, &text, &err);

	free(path);
	if (rc < 0) {
		cda_err_done(&err);
		cda_buf_done(&text);
		return NULL;
	}
	return cda_buf_take(&text);
}

__attribute__((unused)) static bool scratch_has(const struct scratch *scratch, const char *name)
{
	char *path = scratch_path(scratch, name);
	bool has = cda_fs_exists(AT_FDCWD, path);

	free(path);
	return has;
}

#endif
