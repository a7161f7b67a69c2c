/* oci_layer.h - within image: one layer of an image into the tree, measured and verified. */
#ifndef CDA_IMAGE_OCI_LAYER_H
#define CDA_IMAGE_OCI_LAYER_H

#include "image/oci_read.h"
#include "image/oci_store.h"
#include "util/hash.h"

/* Reads the layer from the blob, verifies the digests that layer has (digest, diff_id; NULL: made
 * up here, from sha256) and fills in the rest of it but for created_by and hidden. what names it in
 * messages. */
int cda_oci_layer_read(struct cda_tree *tree, struct cda_blob *blob, const char *what,
		       const struct cda_oci_options *options, struct cda_oci_layer *layer,
		       struct cda_err *err) CDA_CHECK;

/* A tree of a folder as if it were a layer: sets the inodes' places in it, and measures it. The
 * tree is sorted. */
int cda_oci_layer_of_folder(struct cda_tree *tree, const struct cda_oci_options *options,
			    struct cda_oci_layer *layer, struct cda_err *err) CDA_CHECK;

/* "sha256:HEX" or "sha512:HEX": the kind and the digits; false for anything else. */
bool cda_oci_digest(const char *digest, enum cda_hash_kind *ret_kind, const char **ret_hex);

#endif
