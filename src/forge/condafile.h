/* condafile.h - writes a .conda file: a zip of two tar.zst, the same bytes for the same input. */
#ifndef CDA_FORGE_CONDAFILE_H
#define CDA_FORGE_CONDAFILE_H

#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdint.h>

struct cda_tar; /* a tar in memory, being written */

struct cda_tar *cda_tar_new(void);
struct cda_tar *cda_tar_free(struct cda_tar *tar);
CDA_DEFINE_CLEANUP(struct cda_tar *, cda_tar_free)

/* A file or link of the folder dirfd, under its own path, mode and time. */
int cda_tar_add_path(struct cda_tar *tar, int dirfd, const char *path, struct cda_err *err)
	CDA_CHECK;
int cda_tar_add_text(struct cda_tar *tar, const char *path, const void *p, size_t len,
		     int64_t mtime, struct cda_err *err) CDA_CHECK;

/* The same, packed by gzip. */
int cda_tar_add_gzip(struct cda_tar *tar, const char *path, const struct cda_buf *data,
		     int64_t mtime, struct cda_err *err) CDA_CHECK;
/* Ends the tar and appends its bytes to out. */
int cda_tar_take(struct cda_tar *tar, struct cda_buf *out, struct cda_err *err) CDA_CHECK;

/* Appends a zip file (a wheel) of the files of the folder dirfd to out. */
int cda_zip_write(int dirfd, const struct cda_strv *paths, int64_t mtime, struct cda_buf *out,
		  struct cda_err *err) CDA_CHECK;

/* Ends both tars, packs them at the zstd level and writes DIR/STEM.conda. */
int cda_condafile_write(struct cda_tar *pkg, struct cda_tar *info, const char *dir,
			const char *stem, int64_t mtime, int level, struct cda_err *err) CDA_CHECK;

#endif
