/* oci_write.h - an image in a file: OCI image layout (image-spec, image-layout.md) as a folder or
 * a tar archive, or what `docker load` takes. The work is done in a hidden folder beside the
 * output, which gets its name when all is there. */
#ifndef CDA_IMAGE_OCI_WRITE_H
#define CDA_IMAGE_OCI_WRITE_H

#include "image/config.h"
#include "image/packer.h"
#include "util/vec.h"

enum cda_oci_format {
	CDA_OCI_TAR, /* a layout that has Docker's manifest.json too: everybody can load it */
	CDA_OCI_DIR,
	CDA_OCI_DOCKER /* manifest.json and what it names */
};

struct cda_oci_layer {
	char *name;
	enum cda_packer_kind kind;
	struct cda_packed packed;
};
CDA_VEC_DEFINE(cda_oci_layers, struct cda_oci_layer);

struct cda_oci_writer; /* opaque */

/* Begins to write the output; an existing file, or a folder that is a layout, is replaced at the
 * end. Errors: CDA_E_SYS; CDA_E_VALUE where output is something else. */
int cda_oci_begin(const char *output, enum cda_oci_format format,
		  struct cda_oci_writer **ret_writer, struct cda_err *err) CDA_CHECK;
/* Removes what is not finished. */
struct cda_oci_writer *cda_oci_free(struct cda_oci_writer *writer);
CDA_DEFINE_CLEANUP(struct cda_oci_writer *, cda_oci_free)

/* A new file for layer number i (its order in the image), to be filled and closed by the caller;
 * then cda_oci_layer says what it is. Threads may do this for different i. */
int cda_oci_blob(struct cda_oci_writer *writer, size_t i, int *ret_fd, struct cda_err *err)
	CDA_CHECK;
int cda_oci_layer(struct cda_oci_writer *writer, size_t i, const struct cda_packed *packed,
		  struct cda_err *err) CDA_CHECK;

struct cda_oci_image {
	const struct cda_config *config;
	const struct cda_oci_layers *layers;
	const struct cda_strv *tags; /* NAME:TAG, checked by cda_oci_check_tag */
	int64_t epoch;
	/* out: hex */
	char manifest[65], config_id[65];
};

/* Writes configuration, manifest and index, and gives the output its name. */
int cda_oci_end(struct cda_oci_writer *writer, struct cda_oci_image *image, struct cda_err *err)
	CDA_CHECK;

/* NAME or NAME:TAG as an engine takes it; the owned result has a tag. Errors: CDA_E_USAGE. */
int cda_oci_check_tag(const char *tag, char **ret_tag, struct cda_err *err) CDA_CHECK;

#endif
