/* Debian packages, honest and hostile: each is built here, member by member. */
#include "check.h"
#include "forge/deb.h"
#include "scratch.h"
#include "util/alloc.h"
#include "util/str.h"

#include <archive.h>
#include <archive_entry.h>

struct row {
	char type; /* f file, x program, d folder, l link, h hard link, p pipe */
	const char *path, *text;
};

static la_ssize_t append(struct archive *a, void *ctx, const void *p, size_t len)
{
	cda_buf_add(ctx, p, len);
	return (la_ssize_t)len;
}

static void add(struct archive *a, const struct row *row)
{
	struct archive_entry *entry = archive_entry_new();
	size_t len = row->type == 'f' || row->type == 'x' ? strlen(row->text) : 0;

	archive_entry_set_pathname(entry, row->path);
	archive_entry_set_filetype(entry, row->type == 'd'   ? AE_IFDIR
					  : row->type == 'l' ? AE_IFLNK
					  : row->type == 'p' ? AE_IFIFO
							     : AE_IFREG);
	archive_entry_set_perm(entry, row->type == 'x' ? 04755 : 0600);
	archive_entry_set_mtime(entry, 1700000000, 0);
	archive_entry_set_size(entry, (la_int64_t)len);
	if (row->type == 'l')
		archive_entry_set_symlink(entry, row->text);
	if (row->type == 'h')
		archive_entry_set_hardlink(entry, row->text);
	archive_write_header(a, entry);
	archive_write_data(a, row->text, len);
	archive_entry_free(entry);
}

static void make_tar(const struct row *rows, size_t n, struct cda_buf *out)
{
	struct archive *a = archive_write_new();

	archive_write_set_format_pax_restricted(a);
	archive_write_add_filter_xz(a);
	archive_write_set_bytes_per_block(a, 0);
	archive_write_open(a, out, NULL, append, NULL);
	for (size_t i = 0; i < n; i++)
		add(a, &rows[i]);
	archive_write_free(a);
}

static void add_member(const char *name, const char *p, size_t len, struct cda_buf *out)
{
	cda_buf_addf(out, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644", len);
	cda_buf_add(out, p, len);
	if (len % 2)
		cda_buf_addc(out, '\n');
}

static void make_deb(const char *control, const struct row *rows, size_t n, struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf a = CDA_BUF_INIT, b = CDA_BUF_INIT;
	struct row fields = {'f', "./control", control};

	make_tar(&fields, 1, &a);
	make_tar(rows, n, &b);
	cda_buf_adds(out, "!<arch>\n");
	add_member("debian-binary", "2.0\n", 4, out);
	add_member("control.tar.xz", a.p, a.len, out);
	add_member("data.tar.xz", b.p, b.len, out);
}

#define CONTROL "Package: pkg\nVersion: 1:2.3-4\nArchitecture: amd64\nSource: src (2.3)\n"

/* Unpacks bytes to out/ in the scratch folder; the result of the call that failed, or 0. */
static int unpack(const struct scratch *scratch, const struct cda_buf *bytes, struct cda_err *err)
{
	CDA_AUTOFREE char *path = scratch_path(scratch, "in.deb");
	CDA_AUTOFREE char *out = scratch_path(scratch, "out");
	CDA_AUTOCLOSE int fd = -1;
	struct cda_deb deb = {0};
	int rc;

	scratch_mkdir(scratch, "out");
	fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = cda_fs_replace(AT_FDCWD, path, bytes->p, bytes->len, 0644, false, err);
	if (!rc)
		rc = cda_deb_open(path, &deb, err);
	if (!rc)
		rc = cda_deb_unpack(&deb, fd, err);
	if (!rc)
		CHECK_INT(deb.newest, 1700000000);
	cda_deb_done(&deb);
	return rc;
}

TEST(files_links_and_modes_come_out)
{
	static const struct row rows[] = {
		{'d', "./usr/", ""},
		{'f', "./usr/lib/a.txt", "text"},
		{'x', "./usr/bin/a", "#!/bin/sh\n"},
		{'h', "./usr/lib/b.txt", "./usr/lib/a.txt"},
		{'l', "./usr/lib/c", "../bin"},
		{'f', "./usr/share/man/man1/a.1", "manual"},
		{'f', "./usr/share/doc/pkg/copyright", "licence"},
		{'f', "./usr/share/doc/pkg/changelog", "changes"},
	};
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf deb = CDA_BUF_INIT;
	struct cda_err err = {0};
	struct stat st;

	make_deb(CONTROL, rows, CDA_LEN(rows), &deb);
	REQUIRE(unpack(&scratch, &deb, &err) == 0);
	CDA_AUTOFREE char *text = scratch_read(&scratch, "out/usr/lib/b.txt");
	CDA_AUTOFREE char *program = scratch_path(&scratch, "out/usr/bin/a");
	CDA_AUTOFREE char *link = scratch_path(&scratch, "out/usr/lib/c");
	CDA_AUTOFREE char *target = cda_fs_readlink(AT_FDCWD, link);

	CHECK_STR(text, "text");
	CHECK_STR(target, "../bin");
	REQUIRE(stat(program, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	CHECK(!scratch_has(&scratch, "out/usr/share/man"));
	CHECK(scratch_has(&scratch, "out/usr/share/doc/pkg/copyright"));
	CHECK(!scratch_has(&scratch, "out/usr/share/doc/pkg/changelog"));
}

static const struct {
	const char *name;
	struct row rows[3];
	size_t n;
} hostile[] = {
	{"a path up", {{'f', "../evil", "x"}}, 1},
	{"a path up inside", {{'f', "./usr/../../evil", "x"}}, 1},
	{"an absolute path", {{'f', "/evil", "x"}}, 1},
	{"a hard link outside", {{'h', "./a", "../in.deb"}}, 1},
	{"a hard link to nothing", {{'h', "./a", "./b"}}, 1},
	{"a pipe", {{'p', "./a", ""}}, 1},
	{"a link up", {{'l', "../evil", "x"}}, 1},
};

TEST(hostile_packages_are_refused_and_write_nothing_outside)
{
	for (size_t i = 0; i < CDA_LEN(hostile); i++) {
		CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
		CDA_AUTOBUF struct cda_buf deb = CDA_BUF_INIT;
		struct cda_err err = {0};

		make_deb(CONTROL, hostile[i].rows, hostile[i].n, &deb);
		CHECK_AT(unpack(&scratch, &deb, &err) < 0, "%s", hostile[i].name);
		CHECK_AT(err.msg != NULL, "%s", hostile[i].name);
		CHECK_AT(!scratch_has(&scratch, "evil"), "%s", hostile[i].name);
		cda_err_done(&err);
	}
}

TEST(a_link_is_never_written_through)
{
	static const struct row rows[] = {
		{'l', "./dir", ".."}, {'f', "./dir/evil", "x"}, {'f', "./plain", "y"}};
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf deb = CDA_BUF_INIT;
	struct cda_err err = {0};

	make_deb(CONTROL, rows, CDA_LEN(rows), &deb);
	CHECK(unpack(&scratch, &deb, &err) < 0);
	CHECK(!scratch_has(&scratch, "evil"));
	cda_err_done(&err);
	/* over a tree that has the link already, as when packages are laid over each other */
	make_deb(CONTROL, rows + 1, 1, &deb);
	CDA_AUTOFREE char *link = scratch_path(&scratch, "out/up");

	CHECK_INT(symlink("..", link), 0);
	CDA_AUTOBUF struct cda_buf second = CDA_BUF_INIT;
	const struct row through = {'f', "./up/evil", "x"};

	make_deb(CONTROL, &through, 1, &second);
	CHECK(unpack(&scratch, &second, &err) < 0);
	CHECK(!scratch_has(&scratch, "evil"));
	cda_err_done(&err);
}

TEST(a_package_cut_short_is_refused_at_every_length)
{
	static const struct row rows[] = {{'f', "./usr/lib/a.txt", "some text that is packed"}};
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf deb = CDA_BUF_INIT;

	make_deb(CONTROL, rows, 1, &deb);
	/* the last bytes are padding and the end mark of the tar */
	for (size_t len = 0; len + 16 < deb.len; len += 7) {
		struct cda_buf part = {deb.p, len, 0};
		struct cda_err err = {0};

		CHECK_AT(unpack(&scratch, &part, &err) < 0, "%zu of %zu bytes", len, deb.len);
		cda_err_done(&err);
	}
}

TEST(control_fields_are_read)
{
	CDA_CLEANUP(scratch_done) struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *path = scratch_path(&scratch, "in.deb");
	CDA_AUTOBUF struct cda_buf bytes = CDA_BUF_INIT, none = CDA_BUF_INIT;
	struct cda_err err = {0};
	struct cda_deb deb = {0};

	make_deb(CONTROL, NULL, 0, &bytes);
	REQUIRE(cda_fs_replace(AT_FDCWD, path, bytes.p, bytes.len, 0644, false, &err) == 0);
	REQUIRE(cda_deb_open(path, &deb, &err) == 0);
	CHECK_STR(deb.name, "pkg");
	CHECK_STR(deb.version, "1:2.3-4");
	CHECK_STR(deb.source, "src");
	CHECK_INT(strlen(deb.sha256), 64);
	cda_deb_done(&deb);
	make_deb("Package: x\n", NULL, 0, &none);
	REQUIRE(cda_fs_replace(AT_FDCWD, path, none.p, none.len, 0644, false, &err) == 0);
	CHECK_INT(cda_deb_open(path, &deb, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
}

static const struct {
	const char *debian;
	bool date;
	const char *upstream;
} versions[] = {
	{"3.13.5-2+deb13u5", false, "3.13.5"},
	{"1:1.3.dfsg+really1.3.1-1+b1", false, "1.3.1"},
	{"25.1.1+dfsg-1", false, "25.1.1"},
	{"6.5+20250216-2", false, "6.5"},
	{"2.8.3-1~deb13u1", false, "2.8.3"},
	{"1:2.2.4+ds-1", false, "2.2.4"},
	{"2026c-0+deb13u1", false, "2026c"},
	{"20250419", true, "2025.4.19"},
	{"20251301", true, "20251301"},
	{"123", true, "123"},
	{"1.0", false, "1.0"},
};

TEST(versions_are_as_upstream_counts)
{
	for (size_t i = 0; i < CDA_LEN(versions); i++) {
		CDA_AUTOFREE char *got = cda_deb_upstream(versions[i].debian, versions[i].date);

		CHECK_STR_AT(got, versions[i].upstream, "%s", versions[i].debian);
	}
}
