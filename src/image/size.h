/* size.h - where the bytes of an image are: by layer, kind, package, folder and file.
 * Sizes in bytes. "packed" is what the content takes compressed: measured where the layer is stored
 * compressed (to the blocks of its compression), else an estimate (see oci_read.h). Lists are
 * sorted by size, largest first, then by name: the same image gives the same report. */
#ifndef CDA_IMAGE_SIZE_H
#define CDA_IMAGE_SIZE_H

#include "image/inventory.h"
#include "image/oci_read.h"

/* The kinds of packages, and one more for files of nobody. */
enum { CDA_SIZE_NOBODY = CDA_INV_KINDS, CDA_SIZE_KINDS };
const char *cda_size_kind_name(unsigned kind); /* "dpkg" ..., "none" */

struct cda_size_sum {
	uint64_t size, packed, files, packages;
};

struct cda_size_package {
	size_t index; /* into the inventory */
	uint64_t packed;
};
CDA_VEC_DEFINE(cda_size_packages, struct cda_size_package);

/* A folder with all below, without those that say little: whose bytes are nearly all in one folder
 * of theirs. */
struct cda_size_folder {
	const char *path;
	uint64_t size, packed, files;
};
CDA_VEC_DEFINE(cda_size_folders, struct cda_size_folder);

struct cda_size_file {
	size_t entry; /* into the tree */
};
CDA_VEC_DEFINE(cda_size_files, struct cda_size_file);

/* Files of the same content that are not one file. */
struct cda_size_twins {
	char sha256[65];
	uint64_t size, wasted;  /* wasted: size times (count - 1) */
	size_t *entries, count; /* by path */
};
CDA_VEC_DEFINE(cda_size_duplicates, struct cda_size_twins);

struct cda_size {
	char *path; /* as asked for */
	struct cda_oci_image image;
	struct cda_inventory inv;
	struct cda_size_sum all, kinds[CDA_SIZE_KINDS];
	uint64_t folders, links, others; /* entries that are no files; further names of files */
	uint64_t stored, unpacked, packed, hidden; /* of all layers together */
	bool measured;                             /* every layer is */
	const char *estimate;                      /* how the others are: "gzip level 6" */
	struct cda_size_packages packages;
	struct cda_size_folders tops, loose; /* of all files; of files of nobody */
	struct cda_size_files files;         /* all of them */
	struct cda_size_duplicates duplicates;
	uint64_t wasted; /* by duplicates */
};

/* Reads the image at path (see oci_read.h) and counts. options may be NULL. Errors: those of
 * cda_oci_read. */
int cda_size_read(const char *path, const struct cda_oci_options *options, struct cda_size *ret,
		  struct cda_err *err) CDA_CHECK;
void cda_size_done(struct cda_size *size);

/* The kind of the owner of an entry, CDA_SIZE_NOBODY where there is none. */
unsigned cda_size_kind(const struct cda_size *size, size_t entry);

/* Appends s as text that is safe to show: UTF-8, with control bytes, direction marks and what is no
 * UTF-8 as \xNN. */
void cda_size_text(const char *s, struct cda_buf *out);

#endif
