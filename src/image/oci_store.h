/* oci_store.h - the named files of an image as it lies on disk: a folder, or a tar archive (plain
 * or packed by gzip, zstd, bzip2 or xz), read without unpacking it. Both are hostile: no name leads
 * out of the folder, no member out of the archive; only regular files have content. */
#ifndef CDA_IMAGE_OCI_STORE_H
#define CDA_IMAGE_OCI_STORE_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_store; /* opaque */

/* Opens the folder or archive at path. Errors: CDA_E_SYS; CDA_E_ARCHIVE for a file that is no tar
 * archive. */
int cda_store_open(const char *path, struct cda_store **ret_store, struct cda_err *err) CDA_CHECK;
struct cda_store *cda_store_free(struct cda_store *store); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_store *, cda_store_free)

bool cda_store_is_folder(const struct cda_store *store);
bool cda_store_has(const struct cda_store *store, const char *name);
/* Appends the whole file; more than max bytes is CDA_E_VALUE, none is CDA_E_NOTFOUND. */
int cda_store_read(const struct cda_store *store, const char *name, size_t max, struct cda_buf *out,
		   struct cda_err *err) CDA_CHECK;

/* One file as a stream. A zeroed blob with fd -1 is closed. */
struct cda_blob {
	int fd;
	bool owned; /* fd is closed with the blob */
	int64_t at; /* where the next byte is */
	uint64_t size, left;
};
#define CDA_BLOB_INIT ((struct cda_blob){-1, false, 0, 0, 0})

/* name NULL: the archive itself, as it lies on disk. The store must outlive the blob. */
int cda_store_blob(const struct cda_store *store, const char *name, struct cda_blob *ret_blob,
		   struct cda_err *err) CDA_CHECK;
/* Reads up to len bytes; 0 at the end, negative on failure. A file that ends before its size is
 * CDA_E_ARCHIVE. */
int64_t cda_blob_read(struct cda_blob *blob, void *p, size_t len, struct cda_err *err);
void cda_blob_done(struct cda_blob *blob);

#endif
