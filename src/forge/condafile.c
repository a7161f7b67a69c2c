#include "forge/condafile.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/zst.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MEMBER_MAX ((size_t)1 << 30)

struct cda_tar {
	struct archive *archive;
	struct cda_buf out;
};

static la_ssize_t append(struct archive *a, void *ctx, const void *p, size_t len)
{
	cda_buf_add(ctx, p, len);
	return (la_ssize_t)len;
}

static void open_memory(struct archive *a, struct cda_buf *out)
{
	archive_write_set_bytes_per_block(a, 0);
	archive_write_open(a, out, NULL, append, NULL);
}

struct cda_tar *cda_tar_new(void)
{
	struct cda_tar *tar = cda_new0(struct cda_tar);

	tar->out = CDA_BUF_INIT;
	tar->archive = archive_write_new();
	archive_write_set_format_pax_restricted(tar->archive);
	open_memory(tar->archive, &tar->out);
	return tar;
}

struct cda_tar *cda_tar_free(struct cda_tar *tar)
{
	if (tar) {
		archive_write_free(tar->archive);
		cda_buf_done(&tar->out);
		free(tar);
	}
	return NULL;
}

static struct archive_entry *entry_free(struct archive_entry *entry)
{
	archive_entry_free(entry);
	return NULL;
}
CDA_DEFINE_CLEANUP(struct archive_entry *, entry_free)

static int put(struct archive *a, struct archive_entry *entry, const void *p, size_t len,
	       struct cda_err *err)
{
	if (archive_write_header(a, entry) != ARCHIVE_OK ||
	    (len && archive_write_data(a, p, len) != (la_ssize_t)len))
		return cda_err_set(err, CDA_E_ARCHIVE, "cannot pack '%s': %s",
				   archive_entry_pathname(entry), archive_error_string(a));
	return 0;
}

static struct archive_entry *new_entry(const char *path, mode_t type, mode_t mode, int64_t mtime,
				       size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_mtime(entry, mtime, 0);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	return entry;
}

int cda_tar_add_path(struct cda_tar *tar, int dirfd, const char *path, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf data = CDA_BUF_INIT;
	CDA_CLEANUP(entry_freep) struct archive_entry *entry = NULL;
	struct stat st;
	int rc;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", path);
	if (S_ISLNK(st.st_mode)) {
		CDA_AUTOFREE char *target = cda_fs_readlink(dirfd, path);

		if (!target)
			return cda_err_sys(err, errno, "cannot read the link '%s'", path);
		entry = new_entry(path, AE_IFLNK, 0777, st.st_mtime, 0);
		archive_entry_set_symlink(entry, target);
		return put(tar->archive, entry, NULL, 0, err);
	}
	rc = cda_fs_read(dirfd, path, MEMBER_MAX, &data, err);
	if (rc)
		return rc;
	entry = new_entry(path, AE_IFREG, st.st_mode & 0777, st.st_mtime, data.len);
	return put(tar->archive, entry, data.p, data.len, err);
}

int cda_tar_add_text(struct cda_tar *tar, const char *path, const void *p, size_t len,
		     int64_t mtime, struct cda_err *err)
{
	CDA_CLEANUP(entry_freep)
	struct archive_entry *entry = new_entry(path, AE_IFREG, 0664, mtime, len);

	return put(tar->archive, entry, p, len, err);
}

int cda_tar_add_gzip(struct cda_tar *tar, const char *path, const struct cda_buf *data,
		     int64_t mtime, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf packed = CDA_BUF_INIT;
	CDA_CLEANUP(entry_freep)
	struct archive_entry *entry = new_entry(path, AE_IFREG, 0664, 0, data->len);
	struct archive *gz = archive_write_new();
	int rc = 0;

	archive_write_set_format_raw(gz);
	archive_write_add_filter_gzip(gz);
	archive_write_set_filter_option(gz, "gzip", "compression-level", "9");
	archive_write_set_filter_option(gz, "gzip", "timestamp", NULL);
	open_memory(gz, &packed);
	rc = put(gz, entry, data->p, data->len, err);
	if (!rc && archive_write_close(gz) != ARCHIVE_OK)
		rc = cda_err_set(err, CDA_E_ARCHIVE, "cannot pack '%s': %s", path,
				 archive_error_string(gz));
	archive_write_free(gz);
	return rc ? rc : cda_tar_add_text(tar, path, packed.p, packed.len, mtime, err);
}

static int end_tar(struct cda_tar *tar, struct cda_err *err)
{
	if (archive_write_close(tar->archive) != ARCHIVE_OK)
		return cda_err_set(err, CDA_E_ARCHIVE, "cannot end the archive: %s",
				   archive_error_string(tar->archive));
	return 0;
}

int cda_tar_take(struct cda_tar *tar, struct cda_buf *out, struct cda_err *err)
{
	int rc = end_tar(tar, err);

	if (!rc)
		cda_buf_add(out, tar->out.p, tar->out.len);
	return rc;
}

static int pack_tar(struct cda_tar *tar, int level, struct cda_buf *packed, struct cda_err *err)
{
	int rc = end_tar(tar, err);

	return rc ? rc : cda_zst_compress(tar->out.p, tar->out.len, level, packed, err);
}

static int add_member(struct archive *zip, const char *name, const struct cda_buf *data,
		      int64_t mtime, struct cda_err *err)
{
	CDA_CLEANUP(entry_freep)
	struct archive_entry *entry = new_entry(name, AE_IFREG, 0664, mtime, data->len);

	return put(zip, entry, data->p, data->len, err);
}

int cda_condafile_write(struct cda_tar *pkg, struct cda_tar *info, const char *dir,
			const char *stem, int64_t mtime, int level, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf meta = CDA_BUF_INIT, a = CDA_BUF_INIT, b = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = cda_asprintf("%s/%s.conda", dir, stem);
	CDA_AUTOFREE char *pkg_name = cda_asprintf("pkg-%s.tar.zst", stem);
	CDA_AUTOFREE char *info_name = cda_asprintf("info-%s.tar.zst", stem);
	struct archive *zip = archive_write_new();
	int rc;

	archive_write_set_format_zip(zip);
	archive_write_zip_set_compression_store(zip);
	open_memory(zip, &out);
	cda_buf_adds(&meta, "{\"conda_pkg_format_version\": 2}");
	rc = add_member(zip, "metadata.json", &meta, mtime, err);
	if (!rc)
		rc = pack_tar(pkg, level, &a, err);
	if (!rc)
		rc = add_member(zip, pkg_name, &a, mtime, err);
	if (!rc)
		rc = pack_tar(info, level, &b, err);
	if (!rc)
		rc = add_member(zip, info_name, &b, mtime, err);
	if (!rc && archive_write_close(zip) != ARCHIVE_OK)
		rc = cda_err_set(err, CDA_E_ARCHIVE, "cannot end '%s': %s", path,
				 archive_error_string(zip));
	archive_write_free(zip);
	return rc ? rc : cda_fs_replace(AT_FDCWD, path, out.p, out.len, 0644, false, err);
}

int cda_zip_write(int dirfd, const struct cda_strv *paths, int64_t mtime, struct cda_buf *out,
		  struct cda_err *err)
{
	struct archive *zip = archive_write_new();
	int rc = 0;

	archive_write_set_format_zip(zip);
	open_memory(zip, out);
	for (size_t i = 0; !rc && i < paths->n; i++) {
		CDA_AUTOBUF struct cda_buf data = CDA_BUF_INIT;

		rc = cda_fs_read(dirfd, paths->v[i], MEMBER_MAX, &data, err);
		if (!rc)
			rc = add_member(zip, paths->v[i], &data, mtime, err);
	}
	if (!rc && archive_write_close(zip) != ARCHIVE_OK)
		rc = cda_err_set(err, CDA_E_ARCHIVE, "cannot end a zip file: %s",
				 archive_error_string(zip));
	archive_write_free(zip);
	return rc;
}
