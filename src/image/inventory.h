/* inventory.h - which package owns which path of a root file system: dpkg, apk, conda, pip.
 * Read from the databases that lie in the tree itself, all of them hostile input:
 *   dpkg   var/lib/dpkg/status and info/NAME[:ARCH].list; var/lib/dpkg/status.d/NAME[.md5sums]
 *   apk    lib/apk/db/installed, usr/lib/apk/db/installed
 *   conda  PREFIX/conda-meta/NAME.json of every PREFIX there is
 *   pip    FOLDER/NAME.dist-info/{METADATA,RECORD}, FOLDER/NAME.egg-info (folder or file)
 * A path listed through a folder that is a link (merged /usr) counts where the link leads. A
 * distribution whose metadata belongs to a conda, Debian or Alpine package is part of that one, no
 * package of its own. The first package in the order of the list owns a path that several claim. */
#ifndef CDA_IMAGE_INVENTORY_H
#define CDA_IMAGE_INVENTORY_H

#include "image/tree.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdint.h>

enum cda_inv_kind { CDA_INV_DPKG, CDA_INV_APK, CDA_INV_CONDA, CDA_INV_PIP };
enum { CDA_INV_KINDS = CDA_INV_PIP + 1, CDA_INV_NOBODY = -1 };

/* Texts are borrowed from the inventory; they are what the files say, bytes above 0x7f included,
 * without control bytes. NULL where nothing is told, but for name, version, place and purl. */
struct cda_inv_package {
	enum cda_inv_kind kind;
	const char *name, *version;
	const char *build, *arch; /* build: conda's; arch: "amd64", "x86_64", subdir "linux-64" */
	const char *license;      /* as written: "MIT", "GPL-2+ and BSD-3-clause" */
	const char *summary;      /* one line */
	const char *source;       /* dpkg: source package; apk: origin; conda: channel */
	const char
		*place;   /* conda: the prefix; pip: the site-packages folder; else "" (relative) */
	const char *purl; /* "pkg:deb/debian/zlib1g@1.3?arch=amd64&distro=debian-13" */
	uint64_t size;    /* bytes of its regular files, a file with several names once */
	uint64_t files;   /* regular files and links, each name */
};
CDA_VEC_DEFINE(cda_inv_packages, struct cda_inv_package);

struct cda_inventory {
	struct cda_arena *arena;
	/* by kind, then place, name, version, arch, in byte order */
	struct cda_inv_packages packages;
	int32_t *owner;          /* of each entry of the tree, by its index; CDA_INV_NOBODY */
	size_t entries;          /* of the tree */
	struct cda_strv notes;   /* what could not be understood, a line each; sorted */
	const char *os, *os_ver; /* ID and VERSION_ID of etc/os-release, or NULL */
};

/* Folders are owned only when every path below belongs to the same package. Files that a package
 * does not list but that are plainly its own are given to it: byte code of its .py files, its
 * files in the database. Damaged databases give a note, not an error. Errors: CDA_E_SYS. The
 * caller owns *ret; its owner array fits the tree as long as no entry is added or removed. */
int cda_inventory_read(const struct cda_tree *tree, struct cda_inventory *ret, struct cda_err *err)
	CDA_CHECK;
void cda_inventory_done(struct cda_inventory *inv);

const char *cda_inv_kind_name(enum cda_inv_kind kind); /* "dpkg", "apk", "conda", "pip" */

#endif
