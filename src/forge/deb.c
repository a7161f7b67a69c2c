/* Invariants: a name from an archive reaches the disk through cda_fs_open_beneath or as the last
 * part below a folder opened so; symbolic links are made last, when nothing is written any more.
 */
#include "forge/deb.h"
#include "util/alloc.h"
#include "util/buf.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define CONTROL_MAX (1u << 20)
#define DATA_MAX ((uint64_t)2 << 30)
#define ENTRIES_MAX 200000

static struct archive *reader_free(struct archive *a)
{
	if (a)
		archive_read_free(a);
	return NULL;
}
CDA_DEFINE_CLEANUP(struct archive *, reader_free)
#define AUTOREADER CDA_CLEANUP(reader_freep)

struct link {
	char *path, *target;
};
CDA_VEC_DEFINE(links, struct link);

struct unpack {
	const char *what;
	int dirfd;
	bool is_deb;
	uint64_t bytes, entries;
	int64_t newest;
	struct links links;
	struct cda_err *err;
};

static int damaged(struct cda_err *err, const char *path, struct archive *a)
{
	const char *why = archive_error_string(a);

	return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is damaged: %s", path,
			   why ? why : "cut short");
}

static int open_outer(const char *path, struct archive **ret, struct cda_err *err)
{
	AUTOREADER struct archive *a = archive_read_new();

	archive_read_support_format_ar(a);
	if (archive_read_open_filename(a, path, 1 << 16) != ARCHIVE_OK) {
		if (archive_errno(a) == ENOENT || archive_errno(a) == EACCES)
			return cda_err_sys(err, archive_errno(a), "cannot open '%s'", path);
		return damaged(err, path, a);
	}
	*ret = cda_take_ptr(a);
	return 0;
}

static la_ssize_t read_member(struct archive *a, void *ctx, const void **block)
{
	struct archive *outer = ctx;
	size_t size;
	la_int64_t offset;
	int rc = archive_read_data_block(outer, block, &size, &offset);

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) {
		archive_set_error(a, EINVAL, "%s", archive_error_string(outer));
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)size;
}

/* The tar in the member control.tar* or data.tar* of a .deb; outer must live as long. */
static int open_member(struct archive *outer, const char *path, const char *stem,
		       struct archive **ret, struct cda_err *err)
{
	struct archive_entry *entry;
	bool first = true;

	for (;;) {
		int rc = archive_read_next_header(outer, &entry);
		const char *name = rc == ARCHIVE_OK ? archive_entry_pathname(entry) : NULL;

		if (rc == ARCHIVE_EOF)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has no member '%s'", path,
					   stem);
		if (rc != ARCHIVE_OK || !name)
			return damaged(err, path, outer);
		if (first && !cda_starts_with(name, "debian-binary"))
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is no Debian package", path);
		first = false;
		if (cda_starts_with(name, stem))
			break;
	}
	AUTOREADER struct archive *a = archive_read_new();

	archive_read_support_format_tar(a);
	archive_read_support_format_empty(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_gzip(a);
	if (archive_read_open(a, outer, NULL, read_member, NULL) != ARCHIVE_OK)
		return damaged(err, path, a);
	*ret = cda_take_ptr(a);
	return 0;
}

static int read_text(struct archive *a, const char *path, struct cda_buf *out, struct cda_err *err)
{
	char chunk[8192];

	for (;;) {
		la_ssize_t n = archive_read_data(a, chunk, sizeof(chunk));

		if (n == 0)
			return 0;
		if (n < 0 || out->len + (size_t)n > CONTROL_MAX)
			return damaged(err, path, a);
		cda_buf_add(out, chunk, (size_t)n);
	}
}

static int read_control(const char *path, struct cda_buf *out, struct cda_err *err)
{
	AUTOREADER struct archive *outer = NULL;
	AUTOREADER struct archive *inner = NULL;
	struct archive_entry *entry;
	int rc = open_outer(path, &outer, err);

	if (!rc)
		rc = open_member(outer, path, "control.tar", &inner, err);
	if (rc)
		return rc;
	for (;;) {
		const char *name;

		rc = archive_read_next_header(inner, &entry);
		if (rc == ARCHIVE_EOF)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has no control file", path);
		if (rc != ARCHIVE_OK)
			return damaged(err, path, inner);
		name = archive_entry_pathname(entry);
		if (cda_streq(name, "./control") || cda_streq(name, "control"))
			return read_text(inner, path, out, err);
	}
}

char *cda_deb_field(const char *control, const char *name)
{
	struct cda_str rest = cda_str(control), line;
	size_t n = strlen(name);

	while (cda_str_cut(&rest, "\n", &line))
		if (line.len > n && line.p[n] == ':' && memcmp(line.p, name, n) == 0) {
			struct cda_str value = {line.p + n + 1, line.len - n - 1};

			return cda_str_dup(cda_str_trim(value));
		}
	return NULL;
}

int cda_deb_open(const char *path, struct cda_deb *ret_deb, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf control = CDA_BUF_INIT;
	struct cda_deb deb = {0};
	char hex[CDA_HASH_HEX_MAX];
	int rc = read_control(path, &control, err);

	if (!rc)
		rc = cda_hash_file(CDA_SHA256, AT_FDCWD, path, hex, err);
	if (rc)
		return rc;
	memcpy(deb.sha256, hex, sizeof(deb.sha256));
	deb.path = cda_strdup(path);
	deb.name = cda_deb_field(control.p, "Package");
	deb.version = cda_deb_field(control.p, "Version");
	deb.arch = cda_deb_field(control.p, "Architecture");
	deb.source = cda_deb_field(control.p, "Source");
	if (!deb.name || !deb.version || !deb.arch) {
		cda_deb_done(&deb);
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' has no name, version or architecture",
				   path);
	}
	if (!deb.source)
		deb.source = cda_strdup(deb.name);
	deb.source[strcspn(deb.source, " ")] = '\0';
	*ret_deb = deb;
	return 0;
}

void cda_deb_done(struct cda_deb *deb)
{
	free(deb->path);
	free(deb->name);
	free(deb->version);
	free(deb->arch);
	free(deb->source);
	*deb = (struct cda_deb){0};
}

static bool is_unwanted(const char *path)
{
	static const char *const folders[] = {
		"usr/share/man/",  "usr/share/locale/", "usr/share/lintian/",
		"usr/share/info/", "usr/share/bug/",    "usr/share/doc-base/",
	};

	for (size_t i = 0; i < CDA_LEN(folders); i++)
		if (cda_starts_with(path, folders[i]))
			return true;
	return cda_starts_with(path, "usr/share/doc/") && !cda_ends_with(path, "/copyright");
}

/* Owned: the entry's path without "./" and last slash; NULL for the root itself. */
static int clean_path(const struct unpack *u, const char *name, char **ret)
{
	size_t n;

	*ret = NULL;
	if (!name)
		return cda_err_set(u->err, CDA_E_ARCHIVE, "'%s' has an entry without a name",
				   u->what);
	while (name[0] == '.' && name[1] == '/')
		for (name += 2; *name == '/';)
			name++;
	n = strlen(name);
	while (n > 0 && name[n - 1] == '/')
		n--;
	if (n == 0 || (n == 1 && name[0] == '.'))
		return 0;
	*ret = cda_strndup(name, n);
	if (cda_fs_path_is_inside(*ret))
		return 0;
	free(*ret);
	*ret = NULL;
	return cda_err_set(u->err, CDA_E_ARCHIVE, "'%s' has a path that leads outside: '%s'",
			   u->what, name);
}

/* The folder of path, made where it is missing, without following a link; -1 with errno. */
static int open_parent(int dirfd, const char *path, const char **ret_name)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(path);
	CDA_AUTOCLOSE int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_str rest = cda_str(dir), part;

	*ret_name = cda_path_basename(path);
	while (fd >= 0 && !cda_streq(dir, ".") && cda_str_cut(&rest, "/", &part)) {
		CDA_AUTOFREE char *name = cda_str_dup(part);
		int next;

		if (mkdirat(fd, name, 0755) != 0 && errno != EEXIST)
			return -1;
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		close(fd);
		fd = next;
	}
	return cda_take_fd(fd);
}

static int write_data(struct unpack *u, struct archive *a, const char *path, int fd)
{
	const void *block;
	size_t size;
	la_int64_t offset, at = 0;

	for (;;) {
		int rc = archive_read_data_block(a, &block, &size, &offset);

		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK || offset != at)
			return damaged(u->err, u->what, a);
		at += (la_int64_t)size;
		u->bytes += size;
		if (u->bytes > DATA_MAX)
			return cda_err_set(u->err, CDA_E_ARCHIVE, "'%s' is too large", u->what);
		if (cda_fs_write_all(fd, block, size) != 0)
			return cda_err_sys(u->err, errno, "cannot write '%s'", path);
	}
}

static int put_file(struct unpack *u, struct archive *a, struct archive_entry *entry,
		    const char *path)
{
	const char *name;
	CDA_AUTOCLOSE int dir = open_parent(u->dirfd, path, &name);
	CDA_AUTOCLOSE int fd = -1;
	mode_t mode = archive_entry_perm(entry) & 0111 ? 0755 : 0644;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = archive_entry_mtime(entry)}};
	int rc;

	if (dir < 0)
		return cda_err_sys(u->err, errno, "'%s': cannot make the folder of '%s'", u->what,
				   path);
	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return cda_err_sys(u->err, errno, "'%s': cannot make '%s'", u->what, path);
	rc = write_data(u, a, path, fd);
	if (rc)
		return rc;
	if (fchmod(fd, mode) != 0 || futimens(fd, times) != 0)
		return cda_err_sys(u->err, errno, "cannot set the times of '%s'", path);
	if (times[1].tv_sec > u->newest)
		u->newest = times[1].tv_sec;
	return 0;
}

static int put_hardlink(struct unpack *u, const char *path, const char *to)
{
	CDA_AUTOFREE char *target = NULL;
	const char *name, *from_name;
	CDA_AUTOCLOSE int dir = -1, from = -1;
	int rc = clean_path(u, to, &target);

	if (rc || !target)
		return rc;
	dir = open_parent(u->dirfd, path, &name);
	from = open_parent(u->dirfd, target, &from_name);
	if (dir >= 0)
		unlinkat(dir, name, 0);
	if (dir < 0 || from < 0 || linkat(from, from_name, dir, name, 0) != 0)
		return cda_err_sys(u->err, errno, "'%s': cannot link '%s'", u->what, path);
	return 0;
}

static int put_entry(struct unpack *u, struct archive *a, struct archive_entry *entry)
{
	CDA_AUTOFREE char *path = NULL;
	int rc = clean_path(u, archive_entry_pathname(entry), &path);

	if (rc || !path || (u->is_deb && is_unwanted(path)))
		return rc;
	if (archive_entry_hardlink(entry))
		return put_hardlink(u, path, archive_entry_hardlink(entry));
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return put_file(u, a, entry, path);
	case AE_IFDIR:
		return 0; /* folders come with what is in them: a conda package has no empty ones */
	case AE_IFLNK:
		links_push(&u->links,
			   (struct link){cda_take_ptr(path),
					 cda_strdup(archive_entry_symlink(entry) ?: "")});
		return 0;
	default:
		return cda_err_set(u->err, CDA_E_ARCHIVE, "'%s' has a device or a pipe: '%s'",
				   u->what, path);
	}
}

static int put_links(struct unpack *u)
{
	cda_vec_each (link, &u->links) {
		const char *name;
		CDA_AUTOCLOSE int dir = open_parent(u->dirfd, link->path, &name);

		if (dir >= 0)
			unlinkat(dir, name, 0);
		if (dir < 0 || symlinkat(link->target, dir, name) != 0)
			return cda_err_sys(u->err, errno, "'%s': cannot make the link '%s'",
					   u->what, link->path);
	}
	return 0;
}

static int unpack_all(struct unpack *u, struct archive *a)
{
	struct archive_entry *entry;
	int rc = 0;

	while (!rc) {
		int got = archive_read_next_header(a, &entry);

		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK)
			rc = damaged(u->err, u->what, a);
		else if (++u->entries > ENTRIES_MAX)
			rc = cda_err_set(u->err, CDA_E_ARCHIVE, "'%s' has too many files", u->what);
		else
			rc = put_entry(u, a, entry);
	}
	if (!rc)
		rc = put_links(u);
	cda_vec_each (link, &u->links) {
		free(link->path);
		free(link->target);
	}
	links_done(&u->links);
	return rc;
}

int cda_deb_unpack(struct cda_deb *deb, int dirfd, struct cda_err *err)
{
	AUTOREADER struct archive *outer = NULL;
	AUTOREADER struct archive *inner = NULL;
	struct unpack u = {.what = deb->path, .dirfd = dirfd, .is_deb = true, .err = err};
	int rc = open_outer(deb->path, &outer, err);

	if (!rc)
		rc = open_member(outer, deb->path, "data.tar", &inner, err);
	if (!rc)
		rc = unpack_all(&u, inner);
	if (!rc)
		deb->newest = u.newest;
	return rc;
}

int cda_deb_unzip(const char *path, int dirfd, struct cda_err *err)
{
	AUTOREADER struct archive *a = archive_read_new();
	struct unpack u = {.what = path, .dirfd = dirfd, .err = err};

	archive_read_support_format_zip(a);
	if (archive_read_open_filename(a, path, 1 << 16) != ARCHIVE_OK)
		return damaged(err, path, a);
	return unpack_all(&u, a);
}

static char *date_version(const char *text)
{
	int64_t year, month, day;
	CDA_AUTOFREE char *y = cda_strndup(text, 4);
	CDA_AUTOFREE char *m = strlen(text) >= 8 ? cda_strndup(text + 4, 2) : NULL;
	CDA_AUTOFREE char *d = m ? cda_strndup(text + 6, 2) : NULL;

	if (!d || !cda_parse_int(y, 1990, 9999, &year) || !cda_parse_int(m, 1, 12, &month) ||
	    !cda_parse_int(d, 1, 31, &day))
		return cda_strdup(text);
	return cda_asprintf("%d.%d.%d", (int)year, (int)month, (int)day);
}

char *cda_deb_upstream(const char *version, bool is_date)
{
	const char *colon = strchr(version, ':');
	CDA_AUTOFREE char *text = cda_strdup(colon ? colon + 1 : version);
	char *dash = strrchr(text, '-'), *really = strstr(text, "+really");

	if (dash)
		*dash = '\0';
	if (really)
		memmove(text, really + 7, strlen(really + 7) + 1);
	/* what Debian adds: "+dfsg", "+ds", "~deb13u1", "+deb13u1", ".dfsg", snapshot dates */
	text[strcspn(text, "+~")] = '\0';
	for (char *c = strstr(text, ".dfsg"); c; c = NULL)
		*c = '\0';
	return is_date ? date_version(text) : cda_take_ptr(text);
}
