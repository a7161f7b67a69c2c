/* layer.h - entries of a tree as one layer of an image: sorted, times and owners as told, hard
 * links kept, nothing of the machine that packs it. */
#ifndef CDA_IMAGE_LAYER_H
#define CDA_IMAGE_LAYER_H

#include "image/packer.h"
#include "image/tree.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_layer_options {
	/* nothing is newer: what is gets this time. But for Python's sources whose byte code goes
	 * by their time: it would be stale */
	int64_t epoch;
	/* what would get the epoch's time, and every folder, gets that of the layer's newest file
	 * instead: the layer is the same whatever else was built, and when */
	bool own_time;
	bool fixed_owner;
	uint32_t uid, gid; /* with fixed_owner, of everything */
	enum cda_packer_kind kind;
	int level; /* 0: the kind's default */
	unsigned threads;
	/* told now and then how many bytes of content went in since the last call; may be NULL */
	void (*progress)(void *ctx, uint64_t bytes);
	void *progress_ctx;
};

/* Writes to fd the entries of a sorted tree for which picked[i] is not 0 (NULL: all), and the
 * folders above them. An inode is picked with all its names or with none. Attributes that belong
 * to a machine rather than to a file are left out: of all, `security.capability` and `user.*`
 * stay. */
int cda_layer_write(const struct cda_tree *tree, const unsigned char *picked,
		    const struct cda_layer_options *options, int fd, struct cda_packed *ret_packed,
		    struct cda_err *err) CDA_CHECK;

#endif
