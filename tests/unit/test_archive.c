#include "check.h"
#include "package.h"
#include "pkg/archive.h"

/* A scratch folder with an open descriptor; gone at the end of the test. */
struct scratch {
	char *path;
	int fd;
};

static struct scratch scratch_new(void)
{
	struct scratch s = {NULL, -1};
	struct cda_err err = {0};

	tpkg_must(cda_fs_tempdir(NULL, "test_archive", &s.path, &err), err);
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

static void scratch_done(struct scratch *s)
{
	struct cda_err err = {0};

	close(s->fd);
	tpkg_must(cda_fs_remove(AT_FDCWD, s->path, &err), err);
	free(s->path);
}
#define SCRATCH CDA_CLEANUP(scratch_done) struct scratch

static char *content(int fd, const char *path)
{
	struct cda_buf buf = CDA_BUF_INIT;
	struct cda_err err = {0};

	if (cda_fs_read(fd, path, 1 << 20, &buf, &err) < 0) {
		cda_err_done(&err);
		return NULL;
	}
	return cda_buf_take(&buf);
}

static unsigned mode_of(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & 07777 : 0;
}

static size_t count_names(int fd)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	tpkg_must(cda_fs_list(fd, ".", &names, &err), err);
	return names.n;
}

#define INDEX                                                                                      \
	{                                                                                          \
		"info/index.json",                                                                 \
			.text = "{\"name\": \"a\", \"version\": \"1\", \"build\": \"0\"}"          \
	}

enum kind { CONDA, BZ2 };
static const char *const kinds[] = {"a-1-0.conda", "a-1-0.tar.bz2"};

static void write_package(struct scratch *s, enum kind kind, const struct tpkg_entry *entries)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = cda_path_join(s->path, kinds[kind]);
	size_t n = 0;

	while (entries[n].path)
		n++;
	if (kind == CONDA)
		tpkg_conda(entries, n, "a-1-0", &out);
	else
		tpkg_tar(entries, n, "bzip2", &out);
	tpkg_write_file(path, out.p, out.len);
}

static int extract(struct scratch *s, enum kind kind, const struct cda_archive_limits *limits,
		   struct cda_err *err)
{
	return cda_archive_extract(s->fd, kinds[kind], s->fd, "a-1-0", limits, err);
}

TEST(both_kinds_unpack_whole)
{
	static const struct tpkg_entry entries[] = {
		INDEX,
		{"bin/x", .text = "#!/bin/sh\n", .mode = 0755},
		{"bin/y", .hardlink = "bin/x"},
		{"lib/l.so", .link = "l.so.1"},
		{"share/\xc3\xa9t\xc3\xa9 \xe6\x97\xa5", .text = "letters"},
		{"share/suid", .text = "s", .mode = 06755},
		{"share/group", .text = "g", .mode = 0666},
		{"share/closed", .text = "c", .mode = 0044},
		{"var/empty", .type = AE_IFDIR},
		{"./dot/./x", .text = "refused below"},
		{NULL}};
	static const struct tpkg_entry *const sound = entries;
	struct tpkg_entry part[CDA_LEN(entries)];

	memcpy(part, sound, sizeof(part));
	part[9] = (struct tpkg_entry){"./dot/x", .text = "dotted"};
	for (enum kind kind = CONDA; kind <= BZ2; kind++) {
		SCRATCH s = scratch_new();
		struct cda_err err = {0};
		struct stat x, y;

		write_package(&s, kind, part);
		CHECK_INT_AT(extract(&s, kind, NULL, &err), 0, "%s: %s", kinds[kind], err.msg);
		CDA_AUTOFREE char *letters =
			content(s.fd, "a-1-0/share/\xc3\xa9t\xc3\xa9 \xe6\x97\xa5");
		CDA_AUTOFREE char *dotted = content(s.fd, "a-1-0/dot/x");
		CDA_AUTOFREE char *link = cda_fs_readlink(s.fd, "a-1-0/lib/l.so");
		CHECK_STR(letters, "letters");
		CHECK_STR(dotted, "dotted");
		CHECK_STR(link, "l.so.1");
		CHECK_INT(mode_of(s.fd, "a-1-0/bin/x"), 0755);
		CHECK_INT(mode_of(s.fd, "a-1-0/share/suid"), 0755);
		CHECK_INT(mode_of(s.fd, "a-1-0/share/group"), 0666);
		CHECK_INT(mode_of(s.fd, "a-1-0/share/closed"), 0444);
		CHECK(cda_fs_is_dir(s.fd, "a-1-0/var/empty"));
		CHECK(fstatat(s.fd, "a-1-0/bin/x", &x, 0) == 0 &&
		      fstatat(s.fd, "a-1-0/bin/y", &y, 0) == 0 && x.st_ino == y.st_ino);
		CHECK_INT(x.st_mtime, TPKG_TIME);
		CHECK_INT(count_names(s.fd), 2); /* the package and its folder */
		cda_err_done(&err);
	}
}

/* Each is refused, in both kinds; nothing is left, nothing outside is touched. */
TEST(hostile_entries_are_refused)
{
	static const struct {
		const char *what;
		struct tpkg_entry entries[4];
	} rows[] = {
		{"parent", {{"../evil", .text = "x"}}},
		{"inner parent", {{"lib/../../evil", .text = "x"}}},
		{"dots at the end", {{"lib/..", .text = "x"}}},
		{"absolute", {{"/tmp/condense-test-evil", .text = "x"}}},
		{"double slash", {{"lib//evil", .text = "x"}}},
		{"inner dot", {{"lib/./evil", .text = "x"}}},
		{"control character", {{"lib/ev\033[2Jil", .text = "x"}}},
		{"line end", {{"lib/ev\nil", .text = "x"}}},
		{"through a link",
		 {{"lib", .link = "/tmp"}, {"lib/condense-test-evil", .text = "x"}}},
		{"through a link inside",
		 {{"real/x", .text = "x"}, {"lib", .link = "real"}, {"lib/evil", .text = "x"}}},
		{"through a link deeper", {{"a/b", .link = "../.."}, {"a/b/evil/x", .text = "x"}}},
		{"over a link", {{"evil", .link = "/etc/passwd"}, {"evil", .text = "x"}}},
		{"a folder over a link", {{"d", .link = "/tmp"}, {"d", .type = AE_IFDIR}}},
		{"twice", {{"lib/x", .text = "1"}, {"lib/x", .text = "2"}}},
		{"twice as link", {{"lib/x", .text = "1"}, {"lib/x", .link = "y"}}},
		{"file as folder", {{"lib", .text = "1"}, {"lib/x", .text = "2"}}},
		{"folder as file", {{"lib/x", .text = "1"}, {"lib", .text = "2"}}},
		{"hard link out", {{"evil", .hardlink = "/etc/passwd"}}},
		{"hard link to parent", {{"evil", .hardlink = "../../etc/passwd"}}},
		{"hard link to nothing", {{"evil", .hardlink = "lib/none"}}},
		{"hard link to a link", {{"l", .link = "/etc/passwd"}, {"evil", .hardlink = "l"}}},
		{"hard link through a link",
		 {{"l", .link = "/etc"}, {"evil", .hardlink = "l/passwd"}}},
		{"hard link to a folder", {{"d", .type = AE_IFDIR}, {"evil", .hardlink = "d"}}},
		{"device", {{"dev/null", .type = AE_IFCHR}}},
		{"block device", {{"dev/sda", .type = AE_IFBLK}}},
		{"pipe", {{"evil", .type = AE_IFIFO}}},
		{"link among the records", {{"info/about.json", .link = "/etc/passwd"}}},
		{"index through a link", {{"info/x/y", .text = "1"}, {"info/x/../i", .text = "2"}}},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		for (enum kind kind = CONDA; kind <= BZ2; kind++) {
			SCRATCH s = scratch_new();
			struct tpkg_entry entries[6] = {INDEX};
			struct cda_err err = {0};

			for (size_t k = 0; k < CDA_LEN(rows[i].entries); k++)
				entries[1 + k] = rows[i].entries[k];
			write_package(&s, kind, entries);
			CHECK_INT_AT(extract(&s, kind, NULL, &err), -CDA_E_ARCHIVE, "%s in %s: %s",
				     rows[i].what, kinds[kind], err.msg ? err.msg : "accepted");
			CHECK_INT_AT(count_names(s.fd), 1, "%s in %s", rows[i].what, kinds[kind]);
			for (const char *c = err.msg; c && *c; c++)
				CHECK_AT((unsigned char)*c >= ' ', "%s", rows[i].what);
			CHECK(access("/tmp/condense-test-evil", F_OK) != 0);
			cda_err_done(&err);
		}
	}
}

/* Of each length a piece of a sound package: never accepted, never anything left. */
TEST(truncated_packages_are_refused)
{
	static const struct tpkg_file files[] = {
		{"bin/x", .text = TPKG_PLACEHOLDER}, {"lib/y", .text = TPKG_P50}, {NULL}};

	for (enum kind kind = CONDA; kind <= BZ2; kind++) {
		SCRATCH s = scratch_new();
		const struct tpkg pkg = {"a", "1", "0", .files = files, .bz2 = kind == BZ2};
		CDA_AUTOFREE char *path = tpkg_write(s.path, &pkg);
		CDA_AUTOBUF struct cda_buf whole = CDA_BUF_INIT;
		struct cda_err err = {0};

		tpkg_must(cda_fs_read(AT_FDCWD, path, 1 << 20, &whole, &err), err);
		CHECK_INT(extract(&s, kind, NULL, &err), 0);
		tpkg_must(cda_fs_remove(s.fd, "a-1-0", &err), err);
		for (size_t len = 0; len < whole.len; len += len < 8 ? 1 : 13) {
			tpkg_write_file(path, whole.p, len);
			int rc = extract(&s, kind, NULL, &err);

			CHECK_AT(rc == -CDA_E_ARCHIVE, "%s cut to %zu of %zu: %d %s", kinds[kind],
				 len, whole.len, rc, err.msg ? err.msg : "");
			CHECK_INT(count_names(s.fd), 1);
			cda_err_done(&err);
		}
	}
}

TEST(changed_bytes_never_harm)
{
	static const struct tpkg_file files[] = {{"bin/x", .text = "one two three"}, {NULL}};

	for (enum kind kind = CONDA; kind <= BZ2; kind++) {
		SCRATCH s = scratch_new();
		const struct tpkg pkg = {"a", "1", "0", .files = files, .bz2 = kind == BZ2};
		CDA_AUTOFREE char *path = tpkg_write(s.path, &pkg);
		CDA_AUTOBUF struct cda_buf whole = CDA_BUF_INIT;
		struct cda_err err = {0};
		size_t refused = 0;

		tpkg_must(cda_fs_read(AT_FDCWD, path, 1 << 20, &whole, &err), err);
		for (size_t at = 0; at < whole.len; at += 7) {
			whole.p[at] = (char)(whole.p[at] ^ 0x41);
			tpkg_write_file(path, whole.p, whole.len);
			int rc = extract(&s, kind, NULL, &err);

			refused += rc < 0;
			CHECK_INT_AT(count_names(s.fd), 1 + (rc == 0), "%s byte %zu", kinds[kind],
				     at);
			if (rc == 0)
				tpkg_must(cda_fs_remove(s.fd, "a-1-0", &err), err);
			cda_err_done(&err);
			whole.p[at] = (char)(whole.p[at] ^ 0x41);
		}
		CHECK(refused > whole.len / 7 / 2);
	}
}

TEST(limits_hold)
{
	static const struct {
		const char *what;
		struct cda_archive_limits limits;
		bool ok;
	} rows[] = {
		{"none", {0}, true},
		{"room enough", {.max_bytes = 4096, .max_entries = 4}, true},
		{"bytes", {.max_bytes = 2000}, false},
		{"entries", {.max_entries = 2}, false},
	};
	static char zeros[2000];
	const struct tpkg_entry entries[] = {
		INDEX, {"x", .text = zeros, .len = sizeof(zeros)}, {"y", .text = "y"}, {NULL}};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		for (enum kind kind = CONDA; kind <= BZ2; kind++) {
			SCRATCH s = scratch_new();
			struct cda_err err = {0};

			write_package(&s, kind, entries);
			CHECK_INT_AT(extract(&s, kind, &rows[i].limits, &err),
				     rows[i].ok ? 0 : -CDA_E_ARCHIVE, "%s: %s", rows[i].what,
				     err.msg ? err.msg : "");
			cda_err_done(&err);
		}
	}
}

TEST(a_bomb_stops_at_the_ratio)
{
	SCRATCH s = scratch_new();
	size_t size = (size_t)80 << 20;
	CDA_AUTOFREE char *zeros = cda_alloc0(1, size);
	const struct tpkg_entry entries[] = {INDEX, {"bomb", .text = zeros, .len = size}, {NULL}};
	const struct cda_archive_limits limits = {.max_ratio = 100};
	struct cda_err err = {0};

	write_package(&s, CONDA, entries);
	CHECK_INT(extract(&s, CONDA, &limits, &err), -CDA_E_ARCHIVE);
	CHECK(err.msg && strstr(err.msg, "times its size"));
	CHECK_INT(count_names(s.fd), 1);
	cda_err_done(&err);
}

TEST(what_is_no_package_is_refused)
{
	static const char *const texts[] = {"",
					    "x",
					    "PK",
					    "PK\3\4",
					    "BZh9",
					    "not a package at all",
					    "\x1f\x8b\x08 gzip",
					    "PK\5\6empty zip"};
	SCRATCH s = scratch_new();
	CDA_AUTOFREE char *path = cda_path_join(s.path, kinds[CONDA]);

	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		struct cda_err err = {0};

		tpkg_write_file(path, texts[i], strlen(texts[i]));
		CHECK_INT_AT(extract(&s, CONDA, NULL, &err), -CDA_E_ARCHIVE, "%s", texts[i]);
		cda_err_done(&err);
	}
	struct cda_err err = {0};
	CHECK_INT(cda_archive_extract(s.fd, "absent.conda", s.fd, "absent", NULL, &err),
		  -CDA_E_SYS);
	cda_err_done(&err);
}

/* Zips whose members are not the two parts of a package. */
TEST(parts_must_be_there_once)
{
	static const struct tpkg_entry index[] = {INDEX};
	CDA_AUTOBUF struct cda_buf part = CDA_BUF_INIT, empty = CDA_BUF_INIT;

	tpkg_tar(index, 1, "zstd", &part);
	tpkg_tar(NULL, 0, "zstd", &empty);
	const struct tpkg_entry info = {"info-a.tar.zst", .text = part.p, .len = part.len};
	const struct tpkg_entry pkg = {"pkg-a.tar.zst", .text = empty.p, .len = empty.len};
	const struct tpkg_entry second = {"info-b.tar.zst", .text = part.p, .len = part.len};
	const struct tpkg_entry other = {"README", .text = "other"};
	const struct tpkg_entry old = {"metadata.json",
				       .text = "{\"conda_pkg_format_version\": 2}"};
	const struct tpkg_entry future = {"metadata.json",
					  .text = "{\"conda_pkg_format_version\": 3}"};
	const struct tpkg_entry broken = {"metadata.json", .text = "{"};
	const struct {
		const char *what;
		struct tpkg_entry members[4];
		size_t n;
		int rc;
	} rows[] = {
		{"sound", {old, pkg, info}, 3, 0},
		{"info first", {info, pkg, old, other}, 4, 0},
		{"no info", {old, pkg}, 2, -CDA_E_ARCHIVE},
		{"no pkg", {old, info}, 2, -CDA_E_ARCHIVE},
		{"nothing", {other}, 1, -CDA_E_ARCHIVE},
		{"two infos", {old, pkg, info, second}, 4, -CDA_E_ARCHIVE},
		{"a later format", {future, pkg, info}, 3, -CDA_E_ARCHIVE},
		{"broken metadata", {broken, pkg, info}, 3, -CDA_E_ARCHIVE},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		SCRATCH s = scratch_new();
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		CDA_AUTOFREE char *path = cda_path_join(s.path, kinds[CONDA]);
		struct cda_err err = {0};

		tpkg_zip(rows[i].members, rows[i].n, &out);
		tpkg_write_file(path, out.p, out.len);
		CHECK_INT_AT(extract(&s, CONDA, NULL, &err), rows[i].rc, "%s: %s", rows[i].what,
			     err.msg ? err.msg : "");
		cda_err_done(&err);
	}
}

TEST(a_package_without_index_is_refused)
{
	static const struct tpkg_entry entries[] = {{"info/files", .text = ""}, {NULL}};

	for (enum kind kind = CONDA; kind <= BZ2; kind++) {
		SCRATCH s = scratch_new();
		struct cda_err err = {0};

		write_package(&s, kind, entries);
		CHECK_INT(extract(&s, kind, NULL, &err), -CDA_E_ARCHIVE);
		cda_err_done(&err);
	}
}

TEST(an_old_folder_is_replaced)
{
	static const struct tpkg_entry entries[] = {INDEX, {"new", .text = "n"}, {NULL}};
	SCRATCH s = scratch_new();
	CDA_AUTOFREE char *old = cda_path_join(s.path, "a-1-0/old/file");
	struct cda_err err = {0};

	tpkg_write_file(old, "o", 1);
	write_package(&s, CONDA, entries);
	CHECK_INT(extract(&s, CONDA, NULL, &err), 0);
	CHECK(!cda_fs_exists(s.fd, "a-1-0/old"));
	CHECK(cda_fs_exists(s.fd, "a-1-0/new"));
	CHECK_INT(count_names(s.fd), 2);
	cda_err_done(&err);
}

TEST(one_member_is_read_without_unpacking)
{
	static const struct tpkg_entry entries[] = {INDEX, {"lib/x", .text = "here"}, {NULL}};

	for (enum kind kind = CONDA; kind <= BZ2; kind++) {
		SCRATCH s = scratch_new();
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_err err = {0};

		write_package(&s, kind, entries);
		CHECK_INT(cda_archive_read(s.fd, kinds[kind], "lib/x", 100, &out, &err), 0);
		CHECK_STR(out.p, "here");
		CHECK_INT(cda_archive_read(s.fd, kinds[kind], "info/index.json", 100, &out, &err),
			  0);
		CHECK(cda_starts_with(out.p, "here{"));
		CHECK_INT(cda_archive_read(s.fd, kinds[kind], "none", 100, &out, &err),
			  -CDA_E_NOTFOUND);
		cda_err_done(&err);
		CHECK_INT(cda_archive_read(s.fd, kinds[kind], "lib/x", 3, &out, &err),
			  -CDA_E_ARCHIVE);
		cda_err_done(&err);
		CHECK_INT(count_names(s.fd), 1);
	}
}

TEST(endings_of_package_files)
{
	CHECK_STR(cda_archive_ending("a-1-0.conda"), ".conda");
	CHECK_STR(cda_archive_ending("a-1-0.tar.bz2"), ".tar.bz2");
	CHECK_STR(cda_archive_ending("a-1-0.zip"), NULL);
	CHECK_STR(cda_archive_ending(".conda"), NULL);
}
