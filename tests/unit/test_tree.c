/* Root file systems: from folders, from archives, layer over layer. */
#include "check.h"
#include "scratch.h"
#include "image/tree.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/xattr.h>

/* One row of an archive: a text, a folder, `-> x` a symbolic and `=> x` a hard link. */
struct row {
	const char *path, *text;
	mode_t type;
	int64_t uid, size; /* 0: as the text is */
};

static int append(struct cda_tree *tree, const struct row *rows, size_t n, unsigned flags,
		  const char *filter, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct archive *a = archive_write_new();

	archive_write_set_format_pax_restricted(a);
	if (filter)
		archive_write_add_filter_by_name(a, filter);
	archive_write_open_fd(a, fd);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *entry = archive_entry_new();
		const char *text = rows[i].text;

		archive_entry_set_pathname(entry, rows[i].path);
		archive_entry_set_filetype(entry, rows[i].type ? rows[i].type : AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_uid(entry, rows[i].uid);
		archive_entry_set_mtime(entry, 1000 + (int64_t)i, 0);
		if (text && cda_starts_with(text, "-> ")) {
			archive_entry_set_filetype(entry, AE_IFLNK);
			archive_entry_set_symlink(entry, text + 3);
			text = NULL;
		} else if (text && cda_starts_with(text, "=> ")) {
			archive_entry_set_hardlink(entry, text + 3);
			text = NULL;
		}
		archive_entry_set_size(entry, text ? (int64_t)strlen(text) : 0);
		if (text && *text == 'x')
			archive_entry_xattr_add_entry(entry, "user.note", "yes", 3);
		archive_write_header(a, entry);
		if (text)
			archive_write_data(a, text, strlen(text));
		archive_entry_free(entry);
	}
	archive_write_close(a);
	archive_write_free(a);
	lseek(fd, 0, SEEK_SET);
	return cda_tree_add_tar(tree, fd, "test.tar", flags, err);
}

/* "path=text" of files, "path/" of folders, "path->target" and "path=>first", one per line. */
static char *describe(struct cda_tree *tree)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};

	cda_tree_sort(tree);
	for (size_t i = 0; i < tree->n; i++) {
		const struct cda_tree_entry *entry = tree->v[i];

		cda_buf_adds(&out, entry->path);
		if (entry->first)
			cda_buf_addf(&out, "=>%s", entry->first->path);
		else if (entry->inode->type == CDA_TREE_FOLDER)
			cda_buf_addc(&out, '/');
		else if (entry->inode->type == CDA_TREE_LINK)
			cda_buf_addf(&out, "->%s", entry->inode->target);
		else if (entry->inode->type == CDA_TREE_FILE) {
			cda_buf_addc(&out, '=');
			CHECK_INT(cda_tree_read(tree, entry, 1 << 20, &out, &err), 0);
		}
		cda_buf_addc(&out, '\n');
	}
	return cda_buf_take(&out);
}

TEST(a_folder_is_read_with_links_times_and_attributes)
{
	CDA_AUTOFREE char *dir = NULL, *text = NULL;
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	struct cda_err err = {0};
	const struct timespec times[2] = {{7, 0}, {1234, 5}};
	int fd;

	REQUIRE(cda_fs_tempdir(NULL, "tree", &dir, &err) == 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(cda_fs_mkdirs(fd, "b/c", 0755, &err), 0);
	CHECK_INT(cda_fs_replace(fd, "b/c/file", "text", 4, 0640, false, &err), 0);
	CHECK(linkat(fd, "b/c/file", fd, "a", 0) == 0);
	CHECK(symlinkat("/etc", fd, "out") == 0 && mkfifoat(fd, "b-pipe", 0600) == 0);
	CHECK(utimensat(fd, "a", times, 0) == 0);
	int noted = -1;
	{
		CDA_AUTOCLOSE int file = openat(fd, "a", O_RDONLY | O_CLOEXEC);

		noted = fsetxattr(file, "user.note", "v\0w", 3, 0);
	}
	REQUIRE(cda_tree_add_folder(tree, dir, &err) == 0);
	text = describe(tree);
	CHECK_STR(text, "a=text\nb/\nb-pipe\nb/c/\nb/c/file=>a\nout->/etc\n");
	REQUIRE(tree->n == 6);
	CHECK_INT(tree->v[0]->inode->mtime, 1234);
	CHECK_INT(tree->v[0]->inode->uid, getuid());
	CHECK_STR(tree->v[3]->parent->path, "b");
	CHECK(cda_tree_find(tree, "b/c/file")->inode == tree->v[0]->inode);
	CHECK(cda_tree_find(tree, "etc/passwd") == NULL);
	if (noted == 0) {
		CHECK_INT(tree->v[0]->inode->nxattrs, 1);
		CHECK_MEM(tree->v[0]->inode->xattrs[0].value, tree->v[0]->inode->xattrs[0].len,
			  "v\0w", 3);
	}
	/* What grew or went meanwhile is told, not packed. */
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CHECK_INT(cda_fs_append(fd, "a", "x", 1, 0644, &err), 0);
	CHECK_INT(cda_tree_read(tree, tree->v[0], 100, &out, &err), -CDA_E_VALUE);
	CHECK_STR(err.msg, "'a' changed while it was read");
	cda_err_done(&err);
	CHECK(unlinkat(fd, "b/c/file", 0) == 0 && symlinkat("../../../../etc", fd, "d") == 0);
	CHECK(unlinkat(fd, "a", 0) == 0 && symlinkat("/etc/passwd", fd, "a") == 0);
	CHECK(cda_tree_read(tree, tree->v[0], 100000, &out, &err) < 0 && out.len == 0);
	cda_err_done(&err);
	close(fd);
	CHECK_INT(cda_fs_remove(AT_FDCWD, dir, &err), 0);
}

TEST(an_archive_is_read_packed_or_not)
{
	static const char *const filters[] = {NULL, "gzip", "zstd", "bzip2", "xz"};
	static const struct row rows[] = {{"./", NULL, AE_IFDIR},  {"./z/deep", "xattr"},
					  {"./a", "=> z/deep"},    {"./l", "-> ../../x"},
					  {"n\xc3\xa4me", "eins"}, {"./pipe", NULL, AE_IFIFO}};

	for (size_t i = 0; i < CDA_LEN(filters); i++) {
		CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
		CDA_AUTOFREE char *text = NULL;
		struct cda_err err = {0};

		CHECK_INT(append(tree, rows, CDA_LEN(rows), 0, filters[i], &err), 0);
		CHECK_STR(err.msg, NULL);
		text = describe(tree);
		CHECK_STR(text, "a=xattr\nl->../../x\nn\xc3\xa4me=eins\npipe\nz/\nz/deep=>a\n");
		REQUIRE(tree->n == 6 && tree->v[0]->inode->nxattrs == 1);
		CHECK_STR(tree->v[0]->inode->xattrs[0].name, "user.note");
		CHECK_INT(tree->v[0]->inode->mtime, 1001);
	}
}

TEST(layers_lie_over_each_other)
{
	static const struct row first[] = {{"d/one", "1"},    {"d/two", "2"}, {"e/x", "x"},
					   {"f", "=> d/one"}, {"g/h/i", "i"}, {"k", "k"}};
	static const struct row second[] = {{"d/.wh.one", ""},      {"e/new", "n"},
					    {"e/.wh..wh..opq", ""}, {"g", "file"},
					    {"k/folder", "f"},      {".wh.none", ""}};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	CDA_AUTOFREE char *text = NULL;
	struct cda_err err = {0};

	CHECK_INT(append(tree, first, CDA_LEN(first), CDA_TREE_LAYER, NULL, &err), 0);
	/* a name below what is a file: the engine replaces it only when the folder is named */
	CHECK_INT(append(tree, second, CDA_LEN(second), CDA_TREE_LAYER, NULL, &err),
		  -CDA_E_ARCHIVE);
	CHECK_STR(err.msg, "'test.tar': 'k/folder': 'k' is no folder");
	cda_err_done(&err);
	text = describe(tree);
	CHECK_STR(text, "d/\nd/two=2\ne/\ne/new=n\nf=1\ng=file\nk=k\n");
}

TEST(hostile_archives_are_refused)
{
	static const struct {
		struct row rows[2];
		const char *why;
	} cases[] = {
		{{{"a", "1"}, {"../b", "2"}}, "'../b' leads out of the archive"},
		{{{"a/../../b", "1"}}, "'a/../../b' leads out of the archive"},
		{{{"/etc/passwd", "1"}}, "'/etc/passwd' leads out of the archive"},
		{{{"l", "-> /etc"}, {"l/passwd", "2"}}, "'l/passwd': 'l' is no folder"},
		{{{"h", "=> nothing"}}, "'h' is a hard link to 'nothing', which is no file"},
		{{{"h", "=> ../nothing"}}, "'h' is a hard link to '../nothing', which is no file"},
		{{{"d", NULL, AE_IFDIR}, {"h", "=> d"}},
		 "'h' is a hard link to 'd', which is no file"},
		{{{"long/long/long/long/long/name", ""}},
		 "'long/long/long/long/long/name': its names and attributes are too many"},
		{{{"link", "-> long/long/long/long/long/target"}},
		 "its names and attributes are too many"},
		{{{".wh.a", ""}}, "'.wh.a': in an image such a name removes a file"},
		{{{"a", "1", 0, 4294967295}}, "'a' has an owner that cannot be"},
		{{{"a", "0123456789"}, {"b", "0123456789"}}, "'b' is too large, or all of it"},
	};

	for (size_t i = 0; i < CDA_LEN(cases); i++) {
		const struct cda_tree_limits limits = {.max_bytes = 15, .max_names = 30};
		CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(&limits);
		CDA_AUTOFREE char *want = cda_asprintf("'test.tar': %s", cases[i].why);
		struct cda_err err = {0};

		CHECK_INT_AT(
			append(tree, cases[i].rows, cases[i].rows[1].path ? 2 : 1, 0, NULL, &err),
			-CDA_E_ARCHIVE, "%s", cases[i].why);
		CHECK_STR(err.msg, want);
		cda_err_done(&err);
	}
}

TEST(what_comes_twice_is_what_comes_last)
{
	static const struct row rows[] = {{"a", "first"}, {"a", "last"}, {"d/x", "x"},
					  {"d", "file"},  {"e/x", "1"},  {"e", NULL, AE_IFDIR, 7}};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	CDA_AUTOFREE char *text = NULL;
	struct cda_err err = {0};

	CHECK_INT(append(tree, rows, CDA_LEN(rows), 0, NULL, &err), 0);
	CHECK_INT(cda_tree_add_text(tree, "a", "own", 3, 0600, 5, &err), 0);
	CHECK_INT(cda_tree_add_text(tree, "../a", "own", 3, 0600, 5, &err), -CDA_E_VALUE);
	cda_err_done(&err);
	text = describe(tree);
	CHECK_STR(text, "a=own\nd=file\ne/\ne/x=1\n");
	CHECK_INT(cda_tree_find(tree, "e")->inode->uid, 7);
}
