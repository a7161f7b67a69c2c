/* info.h - what an unpacked package says about itself: info/index.json, paths.json (or the files,
 * has_prefix and no_link of old packages), link.json, about.json. Every value is checked: a path
 * that leaves the prefix, a wrong type or a number out of range is CDA_E_ARCHIVE. */
#ifndef CDA_PKG_INFO_H
#define CDA_PKG_INFO_H

#include "core/record.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct yyjson_val;

enum cda_path_type { CDA_PATH_HARDLINK, CDA_PATH_SOFTLINK, CDA_PATH_DIRECTORY };
enum cda_file_mode { CDA_FILE_PLAIN, CDA_FILE_TEXT, CDA_FILE_BINARY };

struct cda_pkg_path {
	const char *path; /* relative, inside; "/" between parts */
	enum cda_path_type type;
	const char *sha256;             /* lower-case hex; NULL when not known (old packages) */
	int64_t size;                   /* -1 when not known */
	const char *prefix_placeholder; /* NULL: nothing to replace */
	enum cda_file_mode file_mode;   /* PLAIN where there is no placeholder */
	bool no_link;                   /* copy, never link */
};
CDA_VEC_DEFINE(cda_pkg_paths, struct cda_pkg_path);

struct cda_entry_point { /* "command = module:func" */
	const char *command, *module, *func;
};

struct cda_pkg_info {
	struct cda_arena *arena;
	struct cda_record record;   /* of info/index.json; url, fn, md5, sha256 are NULL */
	struct cda_pkg_paths paths; /* in the package's order */
	bool has_paths_json;
	enum cda_noarch noarch; /* link.json's word, else index.json's */
	struct cda_entry_point *entry_points;
	size_t n_entry_points;
	const char *summary, *home, *license; /* about.json; NULL when not told */
};

/* Of the unpacked package at (dirfd, dir). The caller owns *ret_info. Errors: CDA_E_ARCHIVE,
 * CDA_E_SYS. */
int cda_pkg_info_read(int dirfd, const char *dir, struct cda_pkg_info **ret_info,
		      struct cda_err *err) CDA_CHECK;
struct cda_pkg_info *cda_pkg_info_free(struct cda_pkg_info *info); /* NULL is fine */
CDA_DEFINE_CLEANUP(struct cda_pkg_info *, cda_pkg_info_free)

/* The same from texts (NULL where the file is missing): for tests, fuzzing and archives.
 * is_symlink (may be NULL: no) tells whether a path of an old package is a symbolic link. */
struct cda_pkg_info_texts {
	const char *index_json, *paths_json, *link_json, *about_json;
	const char *files, *has_prefix, *no_link;
	bool (*is_symlink)(void *ctx, const char *path);
	void *ctx;
};
int cda_pkg_info_parse(const struct cda_pkg_info_texts *texts, struct cda_pkg_info **ret_info,
		       struct cda_err *err) CDA_CHECK;

/* One record from a JSON object (repodata_record.json, conda-meta), copied to the arena: see
 * core/record_json.h. Errors: CDA_E_PARSE. */
int cda_pkg_record_parse(struct yyjson_val *object, struct cda_arena *arena,
			 struct cda_record *ret_record, struct cda_err *err) CDA_CHECK;

/* The placeholder of packages that name none: "/opt/anaconda1anaconda2anaconda3". */
extern const char cda_pkg_old_placeholder[];

#endif
