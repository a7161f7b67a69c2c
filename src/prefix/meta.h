/* meta.h - conda-meta: the records of what is installed in a prefix, read as conda 4 to 26 wrote
 * them and written as conda 23.5 does; and what a prefix is. */
#ifndef CDA_PREFIX_META_H
#define CDA_PREFIX_META_H

#include "core/channel.h"
#include "core/record.h"
#include "util/err.h"

enum cda_meta_kind {                    /* path_type */
		     CDA_META_HARDLINK, /* a file, however it got here */
		     CDA_META_SOFTLINK,
		     CDA_META_DIRECTORY,
		     CDA_META_PYC,        /* made by compiling; may be missing */
		     CDA_META_ENTRY_POINT /* written by the installer */
};

/* As LinkType numbers them in "link". */
enum cda_link_type { CDA_LINK_HARD = 1, CDA_LINK_SOFT = 2, CDA_LINK_COPY = 3 };

/* One entry of paths_data. Absent texts are NULL, an unknown size is -1. */
struct cda_meta_path {
	const char *path;   /* `_path`: as the package names it */
	const char *target; /* where it is, relative to the prefix: the item of `files` */
	enum cda_meta_kind kind;
	bool no_link;
	const char *placeholder; /* prefix_placeholder */
	const char *file_mode;   /* "text" or "binary", with placeholder */
	const char *sha256, *sha256_in_prefix;
	int64_t size;
};

/* One conda-meta/NAME-VERSION-BUILD.json. All borrowed from whoever made it. */
struct cda_installed {
	struct cda_record record; /* requested_spec: NULL where the file has "None" or nothing */
	const char *file;         /* its name in conda-meta */
	const char *package_tarball_full_path;
	const char *link_source; /* NULL: none known */
	enum cda_link_type link_type;
	/* With CDA_META_FILES alone; every file relative to the prefix, as the record has them: an
	 * unsafe one ("../x", "/x") is left out. */
	struct cda_texts files;
	const struct cda_meta_path *paths;
	size_t path_count;
};

struct cda_meta; /* opaque: all records of one prefix */

enum cda_meta_flags { CDA_META_FILES = 1u << 0 /* files and paths too */ };

/* A folder without conda-meta gives no records. A record that cannot be read is CDA_E_PARSE or
 * CDA_E_SYS naming its file. config says what channel texts mean (NULL: channel_name is what the
 * record's channel says, without subdir). The caller owns *ret. */
int cda_meta_load(const char *prefix, const struct cda_channel_config *config, unsigned flags,
		  struct cda_meta **ret, struct cda_err *err) CDA_CHECK;
struct cda_meta *cda_meta_free(struct cda_meta *meta);
CDA_DEFINE_CLEANUP(struct cda_meta *, cda_meta_free)

/* Borrowed from meta; sorted by name. Every record of `records` is the member of a cda_installed.
 */
const struct cda_records *cda_meta_records(const struct cda_meta *meta);
size_t cda_meta_count(const struct cda_meta *meta);
const struct cda_installed *cda_meta_at(const struct cda_meta *meta, size_t i);
const struct cda_installed *cda_meta_find(const struct cda_meta *meta, const char *name);

/* One record's text: into *ret, all memory from the arena. what names it in messages; file is its
 * name in conda-meta. Errors: CDA_E_PARSE. */
int cda_meta_parse(const char *text, size_t len, const char *file,
		   const struct cda_channel_config *config, unsigned flags, struct cda_arena *arena,
		   struct cda_installed *ret, struct cda_err *err) CDA_CHECK;
/* Appends the text of conda-meta/FILE, byte for byte as conda 23.5.2 writes it. */
void cda_meta_format(const struct cda_installed *installed, struct cda_buf *out);
/* "NAME-VERSION-BUILD.json", owned. */
char *cda_meta_file_name(const struct cda_record *record);

/* True for a folder that conda takes for an environment (conda-meta/history is there). */
bool cda_prefix_is_env(const char *prefix);
/* True when conda-meta is there but packages cannot be put into it by us. A prefix that does not
 * exist is writable when its nearest existing parent is. */
bool cda_prefix_is_writable(const char *prefix);
/* CEP 22: conda-meta/frozen. *ret_message (may be NULL): owned text of its "message", or NULL. */
bool cda_prefix_is_frozen(const char *prefix, char **ret_message);
/* Specs of conda-meta/pinned, comments and blank lines left out; absent: none. */
int cda_prefix_pinned(const char *prefix, struct cda_strv *specs, struct cda_err *err) CDA_CHECK;

#endif
