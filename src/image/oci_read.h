/* oci_read.h - an image as a tree, whatever it comes in:
 *   an OCI layout (folder or tar), a docker archive (`docker save`, old and new; tar or unpacked),
 *   a tar archive of a root file system, a folder that is one.
 * Archives may be packed by gzip, zstd, bzip2 or xz, and so may layers. Every digest that the image
 * gives is verified. Formats: image-spec 1.1 (image-layout, index, manifest, config, layer), and
 * the manifest.json of `docker save`. All of it is hostile until shown otherwise: errors are
 * CDA_E_ARCHIVE (damaged, hostile, none of these), CDA_E_CHECKSUM, CDA_E_NOTFOUND (no such image or
 * platform in there), CDA_E_SYS. */
#ifndef CDA_IMAGE_OCI_READ_H
#define CDA_IMAGE_OCI_READ_H

#include "image/tree.h"
#include "util/err.h"
#include "util/event.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* Up to here, this many bytes unpacked took that many packed; straight lines between. */
struct cda_oci_point {
	uint64_t unpacked, packed;
};
CDA_VEC_DEFINE(cda_oci_points, struct cda_oci_point);

struct cda_oci_layer {
	char *digest;        /* of the blob as stored, "sha256:..."; NULL for a docker archive's */
	char *diff_id;       /* of the layer unpacked; "" for a folder */
	char *created_by;    /* what the history says made it, one line; or NULL */
	const char *packing; /* "none", "gzip", "zstd", "bzip2", "xz" */
	uint64_t stored;     /* bytes as they lie there; 0 for a folder */
	uint64_t unpacked;   /* bytes of the tar archive */
	/* Measured: packed is what is stored. Else it is an estimate, see the options */
	bool measured;
	uint64_t packed;
	uint64_t content; /* bytes of the files it brings */
	uint64_t hidden;  /* of these, what later layers (or itself) replace or remove */
	struct cda_oci_points points;
};
CDA_VEC_DEFINE(cda_oci_layers, struct cda_oci_layer);

struct cda_oci_image {
	struct cda_tree *tree; /* sorted */
	bool is_image;         /* false: a root file system, with one layer that is all of it */
	char *name;            /* as the image calls itself, or NULL */
	char *digest; /* of its manifest (OCI) or configuration (docker); NULL for a root */
	char *os, *arch, *variant; /* of an image, or NULL */
	struct cda_oci_layers layers;
	/* Of each entry of the tree by its index: what its content takes packed; with several names
	 * of one file, the first has it. */
	uint64_t *packed;
};

struct cda_oci_options {
	const char *platform; /* "linux/arm64/v8"; NULL: linux on this machine, or the only one */
	const char *ref;      /* which of several images: its name or tag; NULL: the only one */
	/* What is not stored packed is packed to see what it would take, in pieces of 1 MiB: by
	 * gzip level 6, as engines do it, or by zstd level 3, ten times as fast. */
	bool estimate_zstd;
	struct cda_tree_limits limits;
	const struct cda_events *events; /* may be NULL */
};

/* The caller owns *ret_image; options may be NULL. */
int cda_oci_read(const char *path, const struct cda_oci_options *options,
		 struct cda_oci_image *ret_image, struct cda_err *err) CDA_CHECK;
void cda_oci_done(struct cda_oci_image *image);

/* What the span of a layer from..to (unpacked) takes packed. */
uint64_t cda_oci_cost(const struct cda_oci_layer *layer, uint64_t from, uint64_t to);

#endif
