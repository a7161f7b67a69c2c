/* inventory_parse.h - within image: the texts of package databases, one parser each.
 * Whatever the text, a parser ends after one pass, copies what it keeps into the arena (cut to
 * limits, control bytes left out) and never fails: what makes no sense is left out. */
#ifndef CDA_IMAGE_INVENTORY_PARSE_H
#define CDA_IMAGE_INVENTORY_PARSE_H

#include "image/inventory.h"
#include "util/str.h"

/* Called for each path that a package lists, relative to the folder the caller knows; may hold
 * "..", "//" or anything else but NUL and line ends. */
typedef void cda_inv_path_fn(void *ctx, struct cda_str path);

/* Paragraphs of var/lib/dpkg/status or of a file of status.d; those that are not installed are
 * left out. */
void cda_inv_parse_dpkg(struct cda_str text, struct cda_arena *arena, struct cda_inv_packages *out);
/* info/NAME.list: absolute paths, one a line, without folders that hold another one of the list.
 * NAME.md5sums: "hash  path". */
void cda_inv_parse_list(struct cda_str text, cda_inv_path_fn *fn, void *ctx);
void cda_inv_parse_md5sums(struct cda_str text, cda_inv_path_fn *fn, void *ctx);
/* The short licence names of usr/share/doc/NAME/copyright in the machine-readable form, joined
 * with " and "; NULL for other texts. */
const char *cda_inv_parse_copyright(struct cda_str text, struct cda_arena *arena);

/* lib/apk/db/installed. begin is called with the index (in out) of each package before its paths;
 * those of fn are relative to the root. */
typedef void cda_inv_begin_fn(void *ctx, size_t index);
void cda_inv_parse_apk(struct cda_str text, struct cda_arena *arena, struct cda_inv_packages *out,
		       cda_inv_begin_fn *begin, cda_inv_path_fn *fn, void *ctx);

/* A record of conda-meta; place is the prefix, borrowed, and paths are relative to it. As with apk,
 * begin is called before the paths. False when it is none; nothing is added then. */
bool cda_inv_parse_conda(struct cda_str text, const char *place, struct cda_arena *arena,
			 struct cda_inv_packages *out, cda_inv_begin_fn *begin, cda_inv_path_fn *fn,
			 void *ctx);

/* METADATA or PKG-INFO (core metadata). False without a name and a version. */
bool cda_inv_parse_metadata(struct cda_str text, struct cda_arena *arena,
			    struct cda_inv_package *ret);
/* RECORD: CSV whose first column is a path relative to site-packages. */
void cda_inv_parse_record(struct cda_str text, cda_inv_path_fn *fn, void *ctx);

/* The value of NAME= in os-release, quotes taken off; NULL when absent. */
const char *cda_inv_parse_os(struct cda_str text, const char *name, struct cda_arena *arena);

/* A package URL; os and os_ver as in struct cda_inventory. */
const char *cda_inv_purl(const struct cda_inv_package *package, const char *os, const char *os_ver,
			 struct cda_arena *arena);

#endif
