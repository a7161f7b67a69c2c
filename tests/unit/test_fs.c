#include "check.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A scratch folder, open. */
struct scratch {
	char *path;
	int fd;
};

static struct scratch scratch_new(void)
{
	struct scratch s = {NULL, -1};

	if (cda_fs_tempdir(NULL, "test-fs", &s.path, NULL) < 0)
		abort();
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

static void scratch_done(struct scratch *s)
{
	close(s->fd);
	CHECK_INT(cda_fs_remove(AT_FDCWD, s->path, NULL), 0);
	CHECK(!cda_fs_exists(AT_FDCWD, s->path));
	free(s->path);
}
#define SCRATCH CDA_CLEANUP(scratch_done) struct scratch s = scratch_new()

static void put(int dirfd, const char *path, const char *text)
{
	CHECK_INT_AT(cda_fs_mkparents(dirfd, path, 0755, NULL), 0, "%s", path);
	CHECK_INT_AT(cda_fs_replace(dirfd, path, text, strlen(text), 0644, false, NULL), 0, "%s",
		     path);
}

static char *get(int dirfd, const char *path)
{
	struct cda_buf text = CDA_BUF_INIT;

	if (cda_fs_read(dirfd, path, 1 << 20, &text, NULL) < 0)
		return NULL;
	return cda_buf_take(&text);
}

#define CHECK_FILE(fd, path, want)                                                                 \
	do {                                                                                       \
		char *got_ = get(fd, path);                                                        \
		CHECK_STR_AT(got_, want, "%s", path);                                              \
		free(got_);                                                                        \
	} while (0)

static size_t entries(int dirfd)
{
	CDA_AUTOSTRV struct cda_strv names = {0};

	CHECK_INT(cda_fs_list(dirfd, ".", &names, NULL), 0);
	return names.n;
}

TEST(replacing_keeps_the_mode_and_leaves_nothing_else)
{
	SCRATCH;
	struct stat st;
	struct cda_err err = {0};

	put(s.fd, "a", "one");
	CHECK_INT(fchmodat(s.fd, "a", 0600, 0), 0);
	CHECK_INT(cda_fs_replace(s.fd, "a", "two", 3, 0644, true, NULL), 0);
	CHECK_FILE(s.fd, "a", "two");
	CHECK_INT(fstatat(s.fd, "a", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK_INT(cda_fs_append(s.fd, "a", "+", 1, 0644, NULL), 0);
	CHECK_INT(cda_fs_append(s.fd, "b", "new", 3, 0644, NULL), 0);
	CHECK_FILE(s.fd, "a", "two+");
	CHECK_FILE(s.fd, "b", "new");
	CHECK_INT(entries(s.fd), 2);
	CHECK_INT(mkdirat(s.fd, "d", 0755), 0);
	CHECK_INT(cda_fs_replace(s.fd, "d", "x", 1, 0644, false, &err), -CDA_E_SYS);
	CHECK_INT_AT(err.sys, EISDIR, "%s", err.msg);
	cda_err_done(&err);
	CHECK_INT(cda_fs_replace(s.fd, "no/x", "x", 1, 0644, false, &err), -CDA_E_SYS);
	CHECK_STR(err.msg, "cannot write 'no/x': No such file or directory");
	cda_err_done(&err);
	CHECK_INT(entries(s.fd), 3);
}

TEST(reading_has_a_limit)
{
	SCRATCH;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};

	put(s.fd, "a", "12345");
	cda_buf_adds(&text, "0");
	CHECK_INT(cda_fs_read(s.fd, "a", 5, &text, NULL), 0);
	CHECK_STR(text.p, "012345");
	CHECK_INT(cda_fs_read(s.fd, "a", 4, &text, &err), -CDA_E_VALUE);
	CHECK_STR(err.msg, "'a' is larger than 4 bytes");
	CHECK_STR(text.p, "012345");
	cda_err_done(&err);
	CHECK_INT(cda_fs_read(s.fd, "none", 4, &text, &err), -CDA_E_SYS);
	CHECK_INT(err.sys, ENOENT);
	cda_err_done(&err);
	put(s.fd, "empty", "");
	CHECK_FILE(s.fd, "empty", "");
}

TEST(folders_come_and_go)
{
	SCRATCH;
	struct cda_err err = {0};

	CHECK_INT(cda_fs_mkdirs(s.fd, "a/b//c/", 0755, NULL), 0);
	CHECK_INT(cda_fs_mkdirs(s.fd, "a/b/c", 0755, NULL), 0);
	CHECK(cda_fs_is_dir(s.fd, "a/b/c"));
	put(s.fd, "f", "");
	CHECK_INT(cda_fs_mkdirs(s.fd, "f/x", 0755, &err), -CDA_E_SYS);
	CHECK_INT_AT(err.sys, ENOTDIR, "%s", err.msg);
	cda_err_done(&err);
	CHECK_INT(symlinkat("a", s.fd, "l"), 0);
	CHECK_INT(cda_fs_mkdirs(s.fd, "l/z", 0755, NULL), 0);
	CHECK(cda_fs_is_dir(s.fd, "a/z"));
	CHECK_INT(cda_fs_remove(s.fd, "a/z", NULL), 0);
	put(s.fd, "a/b/keep", "");
	cda_fs_prune_parents(s.fd, "a/b/c/gone");
	CHECK(!cda_fs_exists(s.fd, "a/b/c") && cda_fs_exists(s.fd, "a/b"));
	CHECK_INT(cda_fs_remove(s.fd, "a/b/keep", NULL), 0);
	cda_fs_prune_parents(s.fd, "a/b/keep");
	CHECK(!cda_fs_exists(s.fd, "a"));
}

TEST(removal_does_not_follow_links)
{
	SCRATCH;

	put(s.fd, "out/x", "stay");
	CHECK_INT(cda_fs_mkdirs(s.fd, "tree/sub/deep", 0755, NULL), 0);
	CHECK_INT(symlinkat("../out", s.fd, "tree/link"), 0);
	CHECK_INT(symlinkat("nowhere", s.fd, "tree/dangling"), 0);
	put(s.fd, "tree/sub/file", "");
	CHECK_INT(fchmodat(s.fd, "tree/sub", 0, 0), 0);
	CHECK_INT(cda_fs_remove(s.fd, "tree", NULL), 0);
	CHECK(!cda_fs_exists(s.fd, "tree"));
	CHECK_FILE(s.fd, "out/x", "stay");
	CHECK_INT(cda_fs_remove(s.fd, "tree", NULL), 0);
	CHECK_INT(cda_fs_remove(s.fd, "out/x/y", NULL), 0);
}

TEST(opening_beneath_never_leads_out)
{
	static const struct {
		const char *path;
		int flags, error; /* 0: opens */
	} rows[] = {
		{"f", O_RDONLY, 0},
		{"d/f", O_RDONLY, 0},
		{"d//f", O_RDONLY, 0},
		{"./d/./f", O_RDONLY, 0},
		{"d", O_RDONLY | O_DIRECTORY, 0},
		{".", O_RDONLY | O_DIRECTORY, 0},
		{"inner/f", O_RDONLY, 0}, /* inner -> d */
		{"d/up/f", O_RDONLY, 0},  /* d/up -> ../ */
		{"flink", O_RDONLY, 0},   /* flink -> d/f */
		{"flink", O_RDONLY | O_NOFOLLOW, ELOOP},
		{"new", O_WRONLY | O_CREAT | O_EXCL, 0},
		{"new", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
		{"flink", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
		{"../outside", O_RDONLY, EXDEV},
		{"d/../f", O_RDONLY, EXDEV},
		{"/etc/passwd", O_RDONLY, EXDEV},
		{"abs", O_RDONLY, EXDEV},            /* abs -> /etc/passwd */
		{"out", O_RDONLY, EXDEV},            /* out -> ../outside */
		{"outdir/outside", O_RDONLY, EXDEV}, /* outdir -> d/../.. */
		{"loop", O_RDONLY, ELOOP},
		{"none", O_RDONLY, ENOENT},
		{"none/f", O_RDONLY, ENOENT},
		{"f/x", O_RDONLY, ENOTDIR},
		{"f/", O_RDONLY, ENOTDIR},
		{"", O_RDONLY, ENOENT},
	};
	SCRATCH;

	put(s.fd, "outside", "out");
	for (int fallback = 0; fallback < 2; fallback++) {
		CDA_AUTOCLOSE int in = -1;

		put(s.fd, "in/f", "x");
		put(s.fd, "in/d/f", "x");
		in = openat(s.fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK_INT(symlinkat("d", in, "inner") | symlinkat("../", in, "d/up") |
				  symlinkat("d/f", in, "flink") |
				  symlinkat("/etc/passwd", in, "abs") |
				  symlinkat("../outside", in, "out") |
				  symlinkat("d/../..", in, "outdir") |
				  symlinkat("loop", in, "loop"),
			  0);
		if (fallback)
			cda_fs_openat2_disable();
		for (size_t i = 0; i < CDA_LEN(rows); i++) {
			int fd = cda_fs_open_beneath(in, rows[i].path, rows[i].flags, 0644);

			CHECK_INT_AT(fd < 0 ? errno : 0, rows[i].error, "'%s' fallback=%d",
				     rows[i].path, fallback);
			if (fd >= 0)
				close(fd);
		}
		CHECK_INT(cda_fs_remove(s.fd, "in", NULL), 0);
	}
	CHECK_FILE(s.fd, "outside", "out");
}

TEST(paths_that_stay_inside)
{
	static const struct {
		const char *path;
		bool inside;
	} rows[] = {
		{"a", true},    {"a/b.c/d", true}, {"..a/b..", true}, {"", false},
		{"/a", false},  {"a/", false},     {"a//b", false},   {".", false},
		{"..", false},  {"a/../b", false}, {"a/./b", false},  {"a/..", false},
		{"./a", false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_INT_AT(cda_fs_path_is_inside(rows[i].path), rows[i].inside, "'%s'",
			     rows[i].path);
}

TEST(placing_links_or_copies)
{
	static const enum cda_fs_how hows[] = {CDA_FS_HARDLINK, CDA_FS_REFLINK, CDA_FS_COPY};
	SCRATCH;
	struct timespec times[2] = {{1000000000, 0}, {1234567890, 5000}};
	struct cda_err err = {0};
	struct stat from, to;

	put(s.fd, "src", "some text");
	CHECK_INT(fchmodat(s.fd, "src", 0751, 0), 0);
	CHECK_INT(utimensat(s.fd, "src", times, 0), 0);
	CHECK_INT(fstatat(s.fd, "src", &from, 0), 0);
	for (size_t i = 0; i < CDA_LEN(hows); i++) {
		enum cda_fs_how how = CDA_FS_COPY;

		CHECK_INT(cda_fs_place(s.fd, "src", s.fd, "dst", hows[i], &how, NULL), 0);
		CHECK_FILE(s.fd, "dst", "some text");
		CHECK_INT(fstatat(s.fd, "dst", &to, 0), 0);
		CHECK_INT(how == CDA_FS_HARDLINK, to.st_ino == from.st_ino);
		CHECK_INT(how == CDA_FS_HARDLINK, hows[i] == CDA_FS_HARDLINK);
		CHECK_INT(to.st_mode & 07777, 0751);
		CHECK_INT(to.st_mtim.tv_sec, 1234567890);
		CHECK_INT(cda_fs_place(s.fd, "src", s.fd, "dst", hows[i], NULL, &err), -CDA_E_SYS);
		CHECK_INT_AT(err.sys, EEXIST, "%s", err.msg);
		cda_err_done(&err);
		CHECK_INT(unlinkat(s.fd, "dst", 0), 0);
	}
	CHECK_INT(symlinkat("nowhere/x", s.fd, "link"), 0);
	CHECK_INT(cda_fs_place(s.fd, "link", s.fd, "dst", CDA_FS_HARDLINK, NULL, NULL), 0);
	CDA_AUTOFREE char *target = cda_fs_readlink(s.fd, "dst");
	CHECK_STR(target, "nowhere/x");
	CHECK_INT(cda_fs_place(s.fd, ".", s.fd, "dst2", CDA_FS_COPY, NULL, &err), -CDA_E_VALUE);
	cda_err_done(&err);
	CHECK(cda_fs_readlink(s.fd, "src") == NULL);
}

static int collect(void *ctx, const char *path, const struct stat *st)
{
	struct cda_buf *text = ctx;

	cda_buf_addf(text, "%s%s ", path,
		     S_ISDIR(st->st_mode)   ? "/"
		     : S_ISLNK(st->st_mode) ? "@"
					    : "");
	return strcmp(path, "stop") == 0 ? 42 : 0;
}

TEST(walking_goes_parents_first_in_order)
{
	SCRATCH;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	put(s.fd, "b/2", "");
	put(s.fd, "b/1/x", "");
	put(s.fd, "a", "");
	put(s.fd, "b.c", "");
	CHECK_INT(symlinkat("b", s.fd, "link"), 0);
	CHECK_INT(cda_fs_walk(s.fd, ".", collect, &text, NULL), 0);
	CHECK_STR(text.p, "a b/ b/1/ b/1/x b/2 b.c link@ ");
	put(s.fd, "stop", "");
	put(s.fd, "zzz", "");
	cda_buf_clear(&text);
	CHECK_INT(cda_fs_walk(s.fd, ".", collect, &text, NULL), 42);
	CHECK_STR(text.p, "a b/ b/1/ b/1/x b/2 b.c link@ stop ");
	CHECK_INT(cda_fs_walk(s.fd, "none", collect, &text, &err), -CDA_E_SYS);
	cda_err_done(&err);
	CHECK_INT(cda_fs_list(s.fd, "b", &names, NULL), 0);
	CHECK_INT(names.n, 2);
	CHECK_STR(names.v[0], "1");
}

TEST(path_text)
{
	static const struct {
		const char *dir, *name, *joined;
	} joins[] = {{"/a", "b", "/a/b"},
		     {"/a/", "b", "/a/b"},
		     {"/", "b", "/b"},
		     {"", "b", "b"},
		     {"a//", "/b", "a/b"}};
	static const struct {
		const char *path, *dir, *base;
	} splits[] = {{"/a/b", "/a", "b"},
		      {"/a", "/", "a"},
		      {"a", ".", "a"},
		      {"a//b", "a", "b"},
		      {"/", "/", ""}};
	static const struct {
		const char *path, *cwd, *home, *normal;
	} normals[] = {
		{"/a/../b/./c//", "/x", NULL, "/b/c"},
		{"a", "/x/y", NULL, "/x/y/a"},
		{"../a", "/x/y", NULL, "/x/a"},
		{"~", "/x", "/home/me", "/home/me"},
		{"~/a", "/x", "/home/me/", "/home/me/a"},
		{"~a", "/x", "/h", "/x/~a"},
		{"~/a", "/x", NULL, "/x/~/a"},
		{"/../..", "/x", NULL, "/"},
		{".", "/", NULL, "/"},
	};

	for (size_t i = 0; i < CDA_LEN(joins); i++) {
		CDA_AUTOFREE char *text = cda_path_join(joins[i].dir, joins[i].name);

		CHECK_STR(text, joins[i].joined);
	}
	for (size_t i = 0; i < CDA_LEN(splits); i++) {
		CDA_AUTOFREE char *dir = cda_path_dirname(splits[i].path);

		CHECK_STR(dir, splits[i].dir);
		CHECK_STR(cda_path_basename(splits[i].path), splits[i].base);
	}
	for (size_t i = 0; i < CDA_LEN(normals); i++) {
		CDA_AUTOFREE char *text =
			cda_path_normal(normals[i].path, normals[i].cwd, normals[i].home);

		CHECK_STR_AT(text, normals[i].normal, "'%s'", normals[i].path);
	}
}

TEST(writable_folders_are_tried)
{
	SCRATCH;
	CDA_AUTOFREE char *none = cda_path_join(s.path, "none");

	CHECK(cda_fs_dir_is_writable(s.path));
	CHECK(!cda_fs_dir_is_writable(none));
	CHECK_INT(entries(s.fd), 0);
}
