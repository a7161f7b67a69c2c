#include "forge/stage.h"
#include "core/version.h"
#include "forge/condafile.h"
#include "forge/deb.h"
#include "forge/edit.h"
#include "forge/elf.h"
#include "forge/pydist.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <sys/stat.h>

#define PLACE16 "_placehold_place"
#define PLACE64 PLACE16 PLACE16 PLACE16 PLACE16
#define FILE_MAX ((size_t)512 << 20)

const char cda_forge_placeholder[] =
	"/opt/condense" PLACE64 PLACE64 PLACE64 PLACE16 PLACE16 "_placehold_placeho";
_Static_assert(sizeof(cda_forge_placeholder) == 256, "a placeholder of 255 bytes");

bool cda_stage_is_glibc(const char *soname)
{
	static const char *const names[] = {
		"libc.so.6",  "libm.so.6",      "libdl.so.2",   "libpthread.so.0",
		"librt.so.1", "libresolv.so.2", "libutil.so.1", "ld-linux-x86-64.so.2",
		"libnsl.so.1"};

	for (size_t i = 0; i < CDA_LEN(names); i++)
		if (cda_streq(names[i], soname))
			return true;
	return false;
}

static int open_sub(const char *dir, const char *name, int *ret_fd, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, name);
	int rc = cda_fs_mkdirs(AT_FDCWD, path, 0755, err);
	int fd;

	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", path);
	*ret_fd = fd;
	return 0;
}

int cda_stage_open(const char *work, const struct cda_recipe *recipe, struct cda_stage *ret,
		   struct cda_err *err)
{
	struct cda_stage stage = {.recipe = recipe, .deb_fd = -1, .pkg_fd = -1};
	int rc;

	stage.dir = cda_path_join(work, recipe->name);
	rc = open_sub(stage.dir, "deb", &stage.deb_fd, err);
	if (!rc)
		rc = open_sub(stage.dir, "pkg", &stage.pkg_fd, err);
	if (rc)
		cda_stage_done(&stage);
	else
		*ret = stage;
	return rc;
}

void cda_stage_done(struct cda_stage *stage)
{
	if (stage->deb_fd >= 0)
		close(stage->deb_fd);
	if (stage->pkg_fd >= 0)
		close(stage->pkg_fd);
	free(stage->dir);
	cda_strv_done(&stage->compile);
	free(stage->glibc);
	*stage = (struct cda_stage){.deb_fd = -1, .pkg_fd = -1};
}

static int collect(void *ctx, const char *path, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		cda_strv_push(ctx, path);
	return 0;
}

int cda_stage_files(int dirfd, struct cda_strv *ret_paths, struct cda_err *err)
{
	int rc = cda_fs_walk(dirfd, ".", collect, ret_paths, err);

	if (!rc)
		cda_strv_sort(ret_paths);
	return rc;
}

/* Files and links below dirfd that match; none is an error. */
static int find(int dirfd, const char *glob, struct cda_strv *ret, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv all = {0};
	int rc = cda_stage_files(dirfd, &all, err);

	for (size_t i = 0; !rc && i < all.n; i++)
		if (cda_glob_match(glob, all.v[i]))
			cda_strv_push(ret, all.v[i]);
	if (!rc && ret->n == 0)
		return cda_err_set(err, CDA_E_VALUE, "no file matches '%s'", glob);
	return rc;
}

static int move_file(struct cda_stage *stage, const char *src, const char *dst, struct cda_err *err)
{
	int rc = 0;

	if (!cda_fs_path_is_inside(dst))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is not inside the prefix", dst);
	rc = cda_fs_mkparents(stage->pkg_fd, dst, 0755, err);
	if (!rc && renameat(stage->deb_fd, src, stage->pkg_fd, dst) != 0)
		rc = cda_err_sys(err, errno, "cannot move '%s' to '%s'", src, dst);
	return rc;
}

static int do_tree(struct cda_stage *stage, const char *src, const char *dst, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	struct stat st;
	int rc;

	if (fstatat(stage->deb_fd, src, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(err, errno, "'%s' is not in the Debian packages", src);
	if (!S_ISDIR(st.st_mode))
		return move_file(stage, src, dst, err);
	rc = cda_fs_walk(stage->deb_fd, src, collect, &paths, err);
	for (size_t i = 0; !rc && i < paths.n; i++) {
		CDA_AUTOFREE char *from = cda_path_join(src, paths.v[i]);
		CDA_AUTOFREE char *to = cda_streq(dst, ".") ? cda_strdup(paths.v[i])
							    : cda_path_join(dst, paths.v[i]);

		rc = move_file(stage, from, to, err);
	}
	return rc;
}

static int do_take(struct cda_stage *stage, const char *glob, const char *dir, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	int rc = find(stage->deb_fd, glob, &paths, err);

	for (size_t i = 0; !rc && i < paths.n; i++) {
		CDA_AUTOFREE char *to = cda_path_join(dir, cda_path_basename(paths.v[i]));

		rc = move_file(stage, paths.v[i], to, err);
	}
	return rc;
}

static int copy_one(struct cda_stage *stage, const char *src, const char *dst, struct cda_err *err)
{
	int rc = cda_fs_mkparents(stage->pkg_fd, dst, 0755, err);

	return rc ? rc : cda_fs_place(AT_FDCWD, src, stage->pkg_fd, dst, CDA_FS_COPY, NULL, err);
}

static int do_copy(struct cda_stage *stage, const struct cda_strv *args, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	int64_t mode = 0;
	int rc;

	if (!cda_fs_is_dir(AT_FDCWD, args->v[0])) {
		rc = copy_one(stage, args->v[0], args->v[1], err);
		if (rc || args->n < 3)
			return rc;
		mode = cda_streq(args->v[2], "755") ? 0755 : 0644;
		if (fchmodat(stage->pkg_fd, args->v[1], (mode_t)mode, 0) != 0)
			return cda_err_sys(err, errno, "cannot set the mode of '%s'", args->v[1]);
		return 0;
	}
	rc = cda_fs_walk(AT_FDCWD, args->v[0], collect, &paths, err);
	for (size_t i = 0; !rc && i < paths.n; i++) {
		CDA_AUTOFREE char *from = cda_path_join(args->v[0], paths.v[i]);
		CDA_AUTOFREE char *to = cda_path_join(args->v[1], paths.v[i]);

		rc = copy_one(stage, from, to, err);
	}
	return rc;
}

static int do_unzip(struct cda_stage *stage, const char *glob, const char *dst, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	CDA_AUTOCLOSE int fd = -1;
	int rc = find(stage->deb_fd, glob, &paths, err);

	if (!rc)
		rc = cda_fs_mkdirs(stage->pkg_fd, dst, 0755, err);
	if (rc)
		return rc;
	fd = openat(stage->pkg_fd, dst, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dst);
	for (size_t i = 0; !rc && i < paths.n; i++) {
		CDA_AUTOFREE char *path = cda_asprintf("%s/deb/%s", stage->dir, paths.v[i]);

		rc = cda_deb_unzip(path, fd, err);
	}
	return rc;
}

static int do_zip(struct cda_stage *stage, const char *dir, const char *glob, const char *folder,
		  struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(stage->pkg_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CDA_AUTOSTRV struct cda_strv paths = {0}, named = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *dst = NULL;
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dir);
	rc = find(stage->deb_fd, glob, &named, err);
	if (rc)
		return rc;
	dst = cda_path_join(folder, cda_path_basename(named.v[0]));
	rc = cda_stage_files(fd, &paths, err);
	if (!rc)
		rc = cda_zip_write(fd, &paths, stage->epoch, &out, err);
	if (!rc)
		rc = cda_fs_remove(stage->pkg_fd, dir, err);
	if (!rc)
		rc = cda_fs_mkparents(stage->pkg_fd, dst, 0755, err);
	return rc ? rc : cda_fs_replace(stage->pkg_fd, dst, out.p, out.len, 0644, false, err);
}

static int do_concat(struct cda_stage *stage, const char *glob, const char *dst,
		     struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	CDA_AUTOBUF struct cda_buf all = CDA_BUF_INIT;
	int rc = find(stage->deb_fd, glob, &paths, err);

	for (size_t i = 0; !rc && i < paths.n; i++) {
		rc = cda_fs_read(stage->deb_fd, paths.v[i], FILE_MAX, &all, err);
		if (all.len > 0 && all.p[all.len - 1] != '\n')
			cda_buf_addc(&all, '\n');
	}
	if (!rc)
		rc = cda_fs_mkparents(stage->pkg_fd, dst, 0755, err);
	return rc ? rc : cda_fs_replace(stage->pkg_fd, dst, all.p, all.len, 0644, false, err);
}

static int do_drop(struct cda_stage *stage, const struct cda_strv *globs, struct cda_err *err)
{
	for (size_t k = 0; k < globs->n; k++) {
		CDA_AUTOSTRV struct cda_strv paths = {0};
		CDA_AUTOFREE char *below = cda_asprintf("%s/*", globs->v[k]);
		size_t dropped = 0;
		int rc = cda_stage_files(stage->pkg_fd, &paths, err);

		if (rc)
			return rc;
		for (size_t i = 0; i < paths.n; i++) {
			if (!cda_glob_match(globs->v[k], paths.v[i]) &&
			    !cda_glob_match(below, paths.v[i]))
				continue;
			if (unlinkat(stage->pkg_fd, paths.v[i], 0) != 0)
				return cda_err_sys(err, errno, "cannot remove '%s'", paths.v[i]);
			cda_fs_prune_parents(stage->pkg_fd, paths.v[i]);
			dropped++;
		}
		if (!dropped)
			return cda_err_set(err, CDA_E_VALUE, "no file matches '%s'", globs->v[k]);
	}
	return 0;
}

static int do_link(struct cda_stage *stage, const char *target, const char *path,
		   struct cda_err *err)
{
	int rc = cda_fs_mkparents(stage->pkg_fd, path, 0755, err);

	if (!rc && symlinkat(target, stage->pkg_fd, path) != 0)
		rc = cda_err_sys(err, errno, "cannot make the link '%s'", path);
	return rc;
}

static int do_write(struct cda_stage *stage, const struct cda_step *step, struct cda_err *err)
{
	const char *path = step->args.v[0];
	bool program = step->args.n > 1 && cda_streq(step->args.v[1], "755");
	int rc = cda_fs_mkparents(stage->pkg_fd, path, 0755, err);

	if (!rc)
		rc = cda_fs_replace(stage->pkg_fd, path, step->text, strlen(step->text),
				    program ? 0755 : 0644, false, err);
	if (!rc && fchmodat(stage->pkg_fd, path, program ? 0755 : 0644, 0) != 0)
		rc = cda_err_sys(err, errno, "cannot set the mode of '%s'", path);
	return rc;
}

/* sub, cut, hide, answer: read each file that matches, change it, write it back. */
static int do_change(struct cda_stage *stage, const struct cda_step *step, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	char *const *a = step->args.v;
	size_t changed = 0;
	int rc = find(stage->pkg_fd, a[0], &paths, err);

	for (size_t i = 0; !rc && i < paths.n; i++) {
		CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
		size_t n = 1;

		rc = cda_fs_read(stage->pkg_fd, paths.v[i], FILE_MAX, &file, err);
		if (rc)
			break;
		if (step->kind == CDA_STEP_SUB)
			n = cda_edit_sub(&file, a[1], a[2]);
		else if (step->kind == CDA_STEP_CUT)
			n = cda_edit_cut(&file, a[1], a[2]) ? 1 : 0;
		else if (step->kind == CDA_STEP_HIDE)
			rc = cda_elf_hide_frozen(&file, a[1], err);
		else
			rc = cda_elf_set_answer(&file, a[1], a[2], err);
		changed += n;
		if (!rc && n)
			rc = cda_fs_replace(stage->pkg_fd, paths.v[i], file.p, file.len, 0644,
					    false, err);
		if (rc)
			cda_err_wrap(err, rc, "'%s'", paths.v[i]);
	}
	if (!rc && !changed)
		rc = cda_err_set(err, CDA_E_VALUE, "'%s' has no '%s'", a[0], a[1]);
	return rc;
}

static int do_step(struct cda_stage *stage, const struct cda_step *step, struct cda_err *err)
{
	char *const *a = step->args.v;

	switch (step->kind) {
	case CDA_STEP_TREE:
		return do_tree(stage, a[0], a[1], err);
	case CDA_STEP_TAKE:
		return do_take(stage, a[0], a[1], err);
	case CDA_STEP_COPY:
		return do_copy(stage, &step->args, err);
	case CDA_STEP_UNZIP:
		return do_unzip(stage, a[0], a[1], err);
	case CDA_STEP_ZIP:
		return do_zip(stage, a[0], a[1], a[2], err);
	case CDA_STEP_CONCAT:
		return do_concat(stage, a[0], a[1], err);
	case CDA_STEP_DROP:
		return do_drop(stage, &step->args, err);
	case CDA_STEP_LINK:
		return do_link(stage, a[0], a[1], err);
	case CDA_STEP_WRITE:
		return do_write(stage, step, err);
	case CDA_STEP_SUB:
	case CDA_STEP_CUT:
	case CDA_STEP_HIDE:
	case CDA_STEP_ANSWER:
		return do_change(stage, step, err);
	case CDA_STEP_DISTINFO:
		return cda_pydist_fix(stage->pkg_fd, a[0], err);
	case CDA_STEP_COMPILE:
		cda_strv_push(&stage->compile, a[0]);
		return 0;
	}
	return 0;
}

/* "$ORIGIN/../.." for a file two folders below lib, "$ORIGIN/../lib" for one in bin. */
static char *rpath_of(const char *path)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	bool in_lib = cda_starts_with(path, "lib/");
	int depth = in_lib ? -1 : 0;

	for (const char *c = path; *c; c++)
		depth += *c == '/';
	cda_buf_adds(&out, "$ORIGIN");
	for (; depth > 0; depth--)
		cda_buf_adds(&out, "/..");
	if (!in_lib)
		cda_buf_adds(&out, "/lib");
	return cda_buf_take(&out);
}

static int fix_elf(struct cda_stage *stage, struct cda_buf *file, const char *path,
		   bool *ret_changed, struct cda_err *err)
{
	struct cda_elf_info info;
	CDA_AUTOFREE char *rpath = rpath_of(path);
	int rc = cda_elf_info(file, &info, err);
	bool wanted = false;

	if (rc)
		return rc;
	for (size_t i = 0; i < info.needed.n; i++)
		wanted = wanted || !cda_stage_is_glibc(info.needed.v[i]);
	if (info.glibc && (!stage->glibc || cda_version_cmp_text(info.glibc, stage->glibc) > 0))
		cda_replace(&stage->glibc, cda_strdup(info.glibc));
	if ((wanted || info.rpath) && !cda_streq(info.rpath, rpath)) {
		rc = cda_elf_set_rpath(file, rpath, err);
		*ret_changed = !rc;
	}
	cda_elf_info_done(&info);
	return rc;
}

/* "#!/usr/bin/python3 -s" becomes the prefix's own; true when it was such a head. */
static bool fix_head(struct cda_buf *file)
{
	static const char *const heads[] = {"#!/usr/bin/python", "#! /usr/bin/python",
					    "#!/usr/bin/env python", "#! /usr/bin/env python"};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	for (size_t i = 0; i < CDA_LEN(heads); i++) {
		size_t at = strlen(heads[i]);

		if (!cda_starts_with(file->p, heads[i]))
			continue;
		at += strspn(file->p + at, "0123456789.");
		cda_buf_addf(&out, "#!%s/bin/python", cda_forge_placeholder);
		cda_buf_add(&out, file->p + at, file->len - at);
		cda_buf_clear(file);
		cda_buf_add(file, out.p, out.len);
		return true;
	}
	return false;
}

static int fix_file(struct cda_stage *stage, const char *path, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct stat st;
	bool changed = false;
	int rc;

	if (fstatat(stage->pkg_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	rc = cda_fs_read(stage->pkg_fd, path, FILE_MAX, &file, err);
	if (rc)
		return rc;
	if (cda_elf_is(file.p, file.len))
		rc = fix_elf(stage, &file, path, &changed, err);
	else if (cda_starts_with(path, "bin/"))
		changed = fix_head(&file);
	if (!rc && changed)
		rc = cda_fs_replace(stage->pkg_fd, path, file.p, file.len, 0644, false, err);
	return cda_err_wrap(err, rc, "'%s'", path);
}

int cda_stage_settle(struct cda_stage *stage, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};
	int rc = cda_stage_files(stage->pkg_fd, &paths, err);

	for (size_t i = 0; !rc && i < paths.n; i++) {
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
		struct stat st;

		if (fstatat(stage->pkg_fd, paths.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			return cda_err_sys(err, errno, "cannot look at '%s'", paths.v[i]);
		times[1].tv_sec = st.st_mtime < stage->epoch ? st.st_mtime : stage->epoch;
		if (S_ISREG(st.st_mode) &&
		    fchmodat(stage->pkg_fd, paths.v[i], st.st_mode & 0111 ? 0775 : 0664, 0) != 0)
			return cda_err_sys(err, errno, "cannot set the mode of '%s'", paths.v[i]);
		if (utimensat(stage->pkg_fd, paths.v[i], times, AT_SYMLINK_NOFOLLOW) != 0)
			return cda_err_sys(err, errno, "cannot set the time of '%s'", paths.v[i]);
	}
	return rc;
}

int cda_stage_run(struct cda_stage *stage, struct cda_err *err)
{
	const struct cda_recipe *recipe = stage->recipe;
	CDA_AUTOSTRV struct cda_strv paths = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < recipe->steps.n; i++) {
		rc = do_step(stage, &recipe->steps.v[i], err);
		if (rc)
			return cda_err_wrap(err, rc, "%s:%d", recipe->source,
					    recipe->steps.v[i].line);
	}
	if (!rc)
		rc = cda_stage_files(stage->pkg_fd, &paths, err);
	for (size_t i = 0; !rc && i < paths.n; i++)
		rc = fix_file(stage, paths.v[i], err);
	if (!rc)
		rc = cda_stage_settle(stage, err);
	return rc ? cda_err_wrap(err, rc, "package '%s'", recipe->name) : 0;
}
