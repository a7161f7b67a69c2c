/* tree_state.h - what tree.c, tree_folder.c and tree_tar.c share, and oci_store.c a part of. */
#ifndef CDA_IMAGE_TREE_STATE_H
#define CDA_IMAGE_TREE_STATE_H

#include "image/tree.h"
#include "util/arena.h"
#include "util/map.h"

#define CDA_TREE_WHITEOUT ".wh."
enum { CDA_TREE_PATH_MAX = 4096, CDA_TREE_NAME_MAX = 255 };

struct cda_tree_state {
	struct cda_arena *arena; /* names, inodes and entries, those removed too */
	struct cda_map *paths;   /* to struct cda_tree_entry */
	struct cda_tree_entry *top;
	struct cda_tree_limits limits;
	uint64_t bytes, entries, names; /* ever added: what the limits count */
	unsigned layer;                 /* the one being read */
	int spool, root;                /* the temporary file; the folder. -1: none */
	int64_t spool_end;
};

/* A new inode with defaults: root's, offset -1. */
struct cda_tree_inode *cda_tree_inode_new(struct cda_tree *tree, enum cda_tree_type type);

/* Puts the inode at a path that is inside; folders that lack are made (0755, root's, the inode's
 * time). Errors: CDA_E_ARCHIVE for a name that is too long, lies below a file, is a whiteout, or
 * is one entry or byte too many. The entry comes back. */
int cda_tree_put(struct cda_tree *tree, const char *path, struct cda_tree_inode *inode,
		 struct cda_tree_entry **ret_entry, struct cda_err *err) CDA_CHECK;

/* Removes what earlier layers brought at and below the entry. */
void cda_tree_hide(struct cda_tree *tree, struct cda_tree_entry *entry);

/* Counts the bytes of a file against the limit. */
int cda_tree_count(struct cda_tree *tree, const char *path, uint64_t size, struct cda_err *err)
	CDA_CHECK;

/* Counts bytes of names, targets and attributes, before they are kept, against the limit. */
int cda_tree_count_names(struct cda_tree *tree, size_t len, struct cda_err *err) CDA_CHECK;

/* Opens a nameless temporary file in TMPDIR, else /tmp; the caller closes it. */
int cda_tree_temporary(int *ret_fd, struct cda_err *err) CDA_CHECK;

/* Opens the tree's temporary file, once. */
int cda_tree_spool(struct cda_tree *tree, struct cda_err *err) CDA_CHECK;

void cda_tree_sort_xattrs(struct cda_tree_inode *inode);

#endif
