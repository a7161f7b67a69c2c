#include "image/groups.h"
#include "util/alloc.h"
#include "util/str.h"

/* FNV-1a, 32 bit: stays the same for ever, as a layer's share of packages must. */
static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

static bool is_conda(const char *name)
{
	static const char *const names[] = {"conda",   "libmamba", "libmambapy",
					    "libsolv", "mamba",    "menuinst"};

	for (size_t i = 0; i < CDA_LEN(names); i++)
		if (cda_streq(name, names[i]))
			return true;
	return cda_starts_with(name, "conda-");
}

void cda_groups_divide(const struct cda_tree *tree, const struct cda_inventory *inventory,
		       size_t max, struct cda_strv *ret_names, unsigned char **ret_of)
{
	/* os, python, the libraries, then these: */
	const size_t libs = max - 5, conda = 2 + libs, pip = conda + 1, rest = pip + 1;
	unsigned char *of = cda_alloc0(tree->n + 1, 1);

	cda_strv_push(ret_names, "os");
	cda_strv_push(ret_names, "python");
	for (size_t i = 0; i < libs; i++)
		cda_strv_pushf(ret_names, "lib-%zu", i + 1);
	cda_strv_push(ret_names, "conda");
	cda_strv_push(ret_names, "pip");
	cda_strv_push(ret_names, "rest");
	for (size_t i = 0; i < tree->n; i++) {
		int32_t owner = i < inventory->entries ? inventory->owner[i] : CDA_INV_NOBODY;
		const struct cda_inv_package *package =
			owner == CDA_INV_NOBODY ? NULL : &inventory->packages.v[owner];
		size_t group = rest;

		if (package && package->kind == CDA_INV_PIP)
			group = pip;
		else if (package && package->kind == CDA_INV_CONDA)
			group = is_conda(package->name) ? conda
				: cda_streq(package->name, "python")
					? 1
					: 2 + hash(package->name) % libs;
		else if (package)
			group = 0;
		of[i] = (unsigned char)group;
	}
	*ret_of = of;
}
