/* sbom.h - the packages of an image as SPDX 2.3 JSON: name, version, purl, licence and checksums
 * where known. The same packages give the same document, its namespace included. */
#ifndef CDA_IMAGE_SBOM_H
#define CDA_IMAGE_SBOM_H

#include "image/inventory.h"
#include "image/tree.h"
#include "util/buf.h"

/* Where an image carries its own document. */
#define CDA_SBOM_PATH "usr/share/condense/sbom.spdx.json"

/* Appends the document. name: of the image; epoch: its time. */
int cda_sbom_write(const struct cda_tree *tree, const struct cda_inventory *inventory,
		   const char *name, int64_t epoch, struct cda_buf *out, struct cda_err *err)
	CDA_CHECK;

#endif
