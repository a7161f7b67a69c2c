#include "check.h"
#include "prefix/link.h"
#include "scratch.h"

#include <errno.h>

struct links {
	struct scratch scratch;
	char *source;
	int fd; /* of the prefix */
};

static struct links links_new(void)
{
	struct links links = {.scratch = scratch_new()};
	CDA_AUTOFREE char *outside = scratch_path(&links.scratch, "outside");
	CDA_AUTOFREE char *prefix = scratch_path(&links.scratch, "env");
	struct {
		const char *name, *target;
	} symlinks[] = {{"pkg/rel", "file"},
			{"pkg/dangling", "nowhere"},
			{"pkg/abs", outside},
			{"pkg/absdir", "/"},
			{"pkg/absgone", "/no/such/file"},
			{"env/out", "/"},
			{"env/up", ".."},
			{"env/in", "share"}};

	links.source = scratch_path(&links.scratch, "pkg");
	scratch_write(&links.scratch, "pkg/info/index.json", "{}");
	scratch_write_mode(&links.scratch, "pkg/file", "text", 0640);
	scratch_write_mode(&links.scratch, "pkg/prog", "prog", 0755);
	scratch_write_mode(&links.scratch, "outside", "far", 0604);
	scratch_write(&links.scratch, "env/share/there", "");
	for (size_t i = 0; i < CDA_LEN(symlinks); i++) {
		CDA_AUTOFREE char *path = scratch_path(&links.scratch, symlinks[i].name);

		if (symlink(symlinks[i].target, path) != 0)
			scratch_die("link", path, NULL);
	}
	links.fd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return links;
}

static void links_done(struct links *links)
{
	close(links->fd);
	free(links->source);
	scratch_done(&links->scratch);
}

struct row {
	const char *source, *target;
	enum cda_link_type type;
	const char *link; /* symbolic link to; "@" stands for the package's folder */
	const char *text; /* or a file with this text */
	mode_t mode;
	nlink_t nlink;
	enum cda_errc code;
};

static const struct row rows[] = {
	{"file", "share/a", CDA_LINK_HARD, NULL, "text", 0640, 2, CDA_OK},
	{"file", "share/b", CDA_LINK_COPY, NULL, "text", 0640, 1, CDA_OK},
	{"file", "share/c", CDA_LINK_SOFT, "@/file", NULL, 0, 1, CDA_OK},
	{"prog", "share/d", CDA_LINK_SOFT, NULL, "prog", 0755, 1, CDA_OK},
	{"rel", "share/e", CDA_LINK_HARD, "file", NULL, 0, 1, CDA_OK},
	{"rel", "share/f", CDA_LINK_SOFT, "file", NULL, 0, 1, CDA_OK},
	{"dangling", "share/g", CDA_LINK_COPY, "nowhere", NULL, 0, 1, CDA_OK},
	{"abs", "share/h", CDA_LINK_HARD, NULL, "far", 0604, 1, CDA_OK},
	{"absdir", "share/i", CDA_LINK_HARD, "/", NULL, 0, 1, CDA_OK},
	{"absgone", "share/j", CDA_LINK_HARD, "/no/such/file", NULL, 0, 1, CDA_OK},
	{"file", "in/k", CDA_LINK_HARD, NULL, "text", 0640, 2, CDA_OK},
	{"file", "top", CDA_LINK_HARD, NULL, "text", 0640, 2, CDA_OK},
	{"file", "share/there", CDA_LINK_HARD, NULL, NULL, 0, 0, CDA_E_SYS},
	{"file", "nofolder/x", CDA_LINK_HARD, NULL, NULL, 0, 0, CDA_E_SYS},
	{"gone", "share/x", CDA_LINK_HARD, NULL, NULL, 0, 0, CDA_E_SYS},
	{"file", "out/tmp/x", CDA_LINK_HARD, NULL, NULL, 0, 0, CDA_E_CLOBBER},
	{"file", "up/x", CDA_LINK_HARD, NULL, NULL, 0, 0, CDA_E_CLOBBER},
};

static void check_row(struct links *links, const struct row *row, size_t at)
{
	CDA_AUTOFOLDER struct cda_link_folder folder = {links->fd, -1, NULL};
	CDA_AUTOFREE char *source = cda_path_join(links->source, row->source);
	CDA_AUTOFREE char *link = NULL, *want = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};
	struct stat st;
	int rc = cda_link_place(&folder, source, row->target, row->type, &err);

	CHECK_INT_AT(rc < 0 ? -rc : 0, row->code, "row %zu: %s", at, err.msg ? err.msg : "");
	cda_err_done(&err);
	if (rc < 0 || row->code != CDA_OK ||
	    !CHECK_AT(fstatat(links->fd, row->target, &st, AT_SYMLINK_NOFOLLOW) == 0, "row %zu",
		      at))
		return;
	if (row->link) {
		link = cda_fs_readlink(links->fd, row->target);
		want = row->link[0] == '@' ? cda_asprintf("%s%s", links->source, row->link + 1)
					   : cda_strdup(row->link);
		CHECK_STR_AT(link, want, "row %zu", at);
		return;
	}
	CHECK_AT(S_ISREG(st.st_mode), "row %zu", at);
	CHECK_INT_AT(st.st_mode & 07777, row->mode, "row %zu", at);
	/* Other rows link the same file too. */
	CHECK_AT(row->nlink == 1 ? st.st_nlink == 1 : st.st_nlink >= 2, "row %zu", at);
	CHECK(cda_fs_read(links->fd, row->target, 100, &text, &err) >= 0);
	CHECK_STR_AT(text.p, row->text, "row %zu", at);
}

TEST(files_come_as_asked_and_stay_inside)
{
	struct links links = links_new();

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		check_row(&links, &rows[i], i);
	links_done(&links);
}

TEST(the_way_of_linking_is_tried)
{
	struct links links = links_new();

	CHECK_INT(cda_link_choose(links.fd, "probe", links.source, false), CDA_LINK_HARD);
	CHECK(!scratch_has(&links.scratch, "env/probe"));
	CHECK_INT(cda_link_choose(links.fd, "none/probe", links.source, false), CDA_LINK_COPY);
	CHECK_INT(cda_link_choose(links.fd, "none/probe", links.source, true), CDA_LINK_SOFT);
	links_done(&links);
}

TEST(a_staged_file_takes_its_place)
{
	struct links links = links_new();
	CDA_AUTOFOLDER struct cda_link_folder folder = {links.fd, -1, NULL};
	CDA_AUTOFREE char *text = NULL;
	struct cda_err err = {0};

	scratch_write(&links.scratch, "env/staged", "new");
	CHECK(cda_link_move(&folder, "staged", "share/new", &err) >= 0);
	text = scratch_read(&links.scratch, "env/share/new");
	CHECK_STR(text, "new");
	CHECK(!scratch_has(&links.scratch, "env/staged"));
	scratch_write(&links.scratch, "env/staged", "new");
	CHECK_INT(cda_link_move(&folder, "staged", "out/tmp/x", &err), -CDA_E_CLOBBER);
	cda_err_done(&err);
	links_done(&links);
}
