/* store.h - the package cache: the pkgs_dirs with their archives, unpacked folders, urls.txt and
 * repodata_record.json, in the layout that conda keeps and reads. The first writable folder takes
 * what is new; the others are used as they are. Processes share it under locks. */
#ifndef CDA_PKG_STORE_H
#define CDA_PKG_STORE_H

#include "core/record.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_store; /* opaque */

/* Folders that are missing are made where possible; without a writable one the store is for
 * reading. Never fails for that reason. */
int cda_store_open(const struct cda_strv *pkgs_dirs, struct cda_store **ret_store,
		   struct cda_err *err) CDA_CHECK;
struct cda_store *cda_store_free(struct cda_store *store); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_store *, cda_store_free)

/* Absolute path of the first writable folder, borrowed. Errors: CDA_E_NOCACHE with a hint. */
int cda_store_writable(const struct cda_store *store, const char **ret_dir, struct cda_err *err)
	CDA_CHECK;
const struct cda_strv *cda_store_dirs(const struct cda_store *store);     /* absolute */
bool cda_store_dir_is_writable(const struct cda_store *store, size_t at); /* of dirs[at] */

struct cda_store_entry {
	char *dir;     /* absolute path of the unpacked folder; NULL: not there, or not sound */
	char *archive; /* absolute path of the archive; NULL: not there */
	bool damaged;  /* there is a folder, but files are missing or have another size */
};
void cda_store_entry_done(struct cda_store_entry *entry);

/* Looks for the record (by url, or by fn and a digest) in every folder. deep: compare each file's
 * sha256 too, as `safety_checks: enabled` asks; else presence and size. False when nothing of it
 * is there. */
bool cda_store_find(const struct cda_store *store, const struct cda_record *record, bool deep,
		    struct cda_store_entry *ret_entry);

/* Is the folder at (dirfd, dir) the unpacked package of this record, and whole? */
bool cda_store_dir_is_sound(int dirfd, const char *dir, const struct cda_record *record, bool deep);

/* Writes DIR/info/repodata_record.json (DIR at dirfd) as conda does. */
int cda_store_write_record(int dirfd, const char *dir, const struct cda_record *record,
			   struct cda_err *err) CDA_CHECK;
/* Adds the URL (without credentials) to urls.txt of the writable folder, once. */
int cda_store_add_url(const struct cda_store *store, const char *url, struct cda_err *err)
	CDA_CHECK;

/* Records of all sound-looking unpacked folders, with extracted_package_dir; into the arena. What
 * cannot be read is left out. For --offline and --use-local choices. */
int cda_store_records(const struct cda_store *store, struct cda_arena *arena,
		      struct cda_records *ret_records, struct cda_err *err) CDA_CHECK;

/* What `clean` removes. */
enum cda_clean_kind {
	CDA_CLEAN_TARBALLS,     /* archives */
	CDA_CLEAN_PACKAGES,     /* unpacked folders of which no file has a second hard link */
	CDA_CLEAN_ALL_PACKAGES, /* all unpacked folders, linked to or not */
	CDA_CLEAN_INDEX,        /* cache/ */
	CDA_CLEAN_TEMPFILES,    /* *.c~ and *.trash in the store; what interrupted runs left */
	CDA_CLEAN_LOGS          /* .logs/ */
};

struct cda_clean_item {
	char *dir;  /* the pkgs_dir, or what was given as extra root; owned */
	char *name; /* relative to dir; owned */
	uint64_t size;
};
CDA_VEC_DEFINE(cda_clean_items, struct cda_clean_item);
void cda_clean_items_free_all(struct cda_clean_items *items);

/* Appends what would be removed, in the writable folders only. */
int cda_store_clean_find(const struct cda_store *store, enum cda_clean_kind kind,
			 struct cda_clean_items *items, struct cda_err *err) CDA_CHECK;
/* *.c~ and *.trash below a prefix (CDA_CLEAN_TEMPFILES of `conda clean --tempfiles PREFIX`). */
int cda_store_clean_find_in(const char *root, struct cda_clean_items *items, struct cda_err *err)
	CDA_CHECK;
/* Removes them all; goes on after a failure and reports the first. */
int cda_store_clean_remove(const struct cda_store *store, const struct cda_clean_items *items,
			   struct cda_err *err) CDA_CHECK;

#endif
