/* pack.h - a root file system becomes an image: its layers, beside each other on threads, then
 * what describes them. The same tree and options give the same bytes. */
#ifndef CDA_IMAGE_PACK_H
#define CDA_IMAGE_PACK_H

#include "image/oci_write.h"
#include "image/tree.h"
#include "util/event.h"

struct cda_pack {
	const struct cda_tree *tree; /* sorted */
	const struct cda_config *config;
	const struct cda_strv *tags;
	const char *output;
	enum cda_oci_format format;
	enum cda_packer_kind kind;
	int level;
	unsigned threads;
	int64_t epoch;
	bool fixed_owner;
	uint32_t uid, gid;
	/* the layers: names, and per entry of the tree the number of its layer; NULL: one layer */
	const struct cda_strv *groups;
	const unsigned char *group_of;
	const struct cda_events *events;
};

struct cda_pack_result {
	char manifest[65], config_id[65];
	struct cda_oci_layers layers;
	uint64_t size, raw_size; /* of all layers */
};

/* Empty groups make no layer. Nothing is left under the output's name on failure. */
int cda_pack_write(const struct cda_pack *pack, struct cda_pack_result *ret_result,
		   struct cda_err *err) CDA_CHECK;
void cda_pack_result_done(struct cda_pack_result *result);

/* The newest time in the tree: where nobody says what the epoch is. */
int64_t cda_pack_newest(const struct cda_tree *tree);

#endif
