/* Whatever the databases of a root say: packages are in order and have what they must, every owner
 * is one of them, and their sizes add up to no more than there is.
 * The input is the files of the root: a line "=path" begins each. */
#include "fuzz.h"
#include "image/inventory.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

static void add(struct cda_tree *tree, struct cda_str name, struct cda_str text)
{
	CDA_AUTOFREE char *path = cda_str_dup(name);
	struct cda_err err = {0};

	if (cda_tree_add_text(tree, path, text.p, text.len, 0644, 0, &err))
		cda_err_done(&err);
}

static void fill(struct cda_tree *tree, struct cda_str rest)
{
	struct cda_str line, name = {0}, text = {0};
	bool open = false;

	while (cda_str_cut(&rest, "\n", &line)) {
		if (line.len < 2 || line.p[0] != '=') {
			text.len = (size_t)(line.p + line.len - text.p);
			if (rest.len)
				text.len++;
			continue;
		}
		if (open)
			add(tree, name, text);
		name = (struct cda_str){line.p + 1, line.len - 1};
		text = (struct cda_str){line.p + line.len + (rest.len > 0), 0};
		open = true;
	}
	if (open)
		add(tree, name, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_tree_limits limits = {1 << 20, 1000};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(&limits);
	struct cda_inventory inv;
	struct cda_err err = {0};
	uint64_t all = 0, owned = 0;

	if (len > 65536)
		return 0;
	fill(tree, (struct cda_str){(const char *)p, len});
	cda_tree_sort(tree);
	HOLDS(cda_inventory_read(tree, &inv, &err) == 0);
	HOLDS(inv.entries == tree->n);
	for (size_t i = 0; i < tree->n; i++) {
		HOLDS(inv.owner[i] >= CDA_INV_NOBODY);
		HOLDS(inv.owner[i] < (int32_t)inv.packages.n);
		all += tree->v[i]->inode->size;
	}
	for (size_t i = 0; i < inv.packages.n; i++) {
		const struct cda_inv_package *package = &inv.packages.v[i];

		HOLDS(package->name && *package->name && package->version && *package->version);
		HOLDS(package->place && cda_starts_with(package->purl, "pkg:"));
		HOLDS(i == 0 || package[-1].kind <= package->kind);
		for (const char *c = package->name; *c; c++)
			HOLDS((unsigned char)*c >= ' ' && *c != 0x7f);
		owned += package->size;
	}
	HOLDS(owned <= all);
	cda_inventory_done(&inv);
	return 0;
}
