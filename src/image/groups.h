/* groups.h - a tree in parts that change apart from each other: one layer per group of packages,
 * so that derived and updated images share the others' bytes. */
#ifndef CDA_IMAGE_GROUPS_H
#define CDA_IMAGE_GROUPS_H

#include "image/inventory.h"
#include "image/tree.h"
#include "util/vec.h"

enum { CDA_GROUPS_MIN = 6, CDA_GROUPS_MAX = 64 };

/* The groups, in the order of the layers: `os` (dpkg's and apk's packages), `python`, `lib-1` to
 * `lib-N` (every other conda package, by a hash of its name: an update stays in its group, and
 * moves no other), `conda`, `pip`, `rest` (what no package owns, the databases of packages among
 * it). At most max groups. Allocated: *ret_of has a group per entry, by index. */
void cda_groups_divide(const struct cda_tree *tree, const struct cda_inventory *inventory,
		       size_t max, struct cda_strv *ret_names, unsigned char **ret_of);

#endif
