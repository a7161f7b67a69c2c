/* slim_impl.h - what the files of slim share. */
#ifndef CDA_IMAGE_SLIM_IMPL_H
#define CDA_IMAGE_SLIM_IMPL_H

#include "image/slim.h"
#include "util/buf.h"
#include "util/hash.h"
#include "util/map.h"

#include <sys/stat.h>

/* A name that only an interrupted run leaves behind. */
#define CDA_SLIM_TEMPORARY ".condense-slim.new"

enum cda_slim_act {
	CDA_SLIM_LEAVE,
	CDA_SLIM_REMOVE,
	CDA_SLIM_FORGET,  /* remove a compiled file; its record stays, as one that may be missing */
	CDA_SLIM_REWRITE, /* the content changes: stripped, or a record */
	CDA_SLIM_LINK
};

struct cda_slim_file {
	char *path; /* owned; relative to the root */
	struct stat st;
	size_t prefix; /* index + 1 of the innermost prefix it is in; 0: none */
	bool is_fixed; /* kept, of the distribution, outside of the subtree, on another device */
	bool is_cache; /* below pkgs of a prefix: it goes as a whole, or is as its packages say */
	enum cda_slim_act act;
	enum cda_slim_rule rule;
	/* with REWRITE */
	int64_t new_size;
	char new_sha256[CDA_HASH_HEX_MAX];
	char *text;  /* owned: the new content of a record; NULL: strip again */
	size_t twin; /* with LINK: index of the file whose name it gets */
};
CDA_VEC_DEFINE(cda_slim_files, struct cda_slim_file);

struct cda_slim_inode {
	size_t first; /* index of the first file that has it */
	size_t seen, gone;
	bool stays; /* a name of it stays as it is: a changed copy would be more, not less */
};

struct cda_slim {
	const struct cda_slim_options *options;
	struct cda_slim_report *report;
	int fd;
	dev_t dev;
	struct cda_slim_files files;
	struct cda_map *by_path;    /* path -> index + 1 */
	struct cda_map *inodes;     /* "dev:ino" -> owned struct cda_slim_inode */
	struct cda_strv prefixes;   /* paths, "" where the root is one */
	struct cda_map *owned;      /* paths that dpkg or apk know, folders too; NULL: none */
	struct cda_map *folder_ids; /* folder -> owned struct stat: mode and times before */
};

struct cda_slim_file *cda_slim_find(const struct cda_slim *slim, const char *path);
/* The path within the innermost prefix, or NULL. */
const char *cda_slim_in_prefix(const struct cda_slim *slim, const struct cda_slim_file *file);
bool cda_slim_wants(const struct cda_slim *slim, enum cda_slim_rule rule);
struct cda_slim_inode *cda_slim_inode(const struct cda_slim *slim, const struct stat *st);
void cda_slim_mark(struct cda_slim_file *file, enum cda_slim_act act, enum cda_slim_rule rule);
/* Opens a regular file for reading, nothing else; -1 with errno. */
int cda_slim_open(const struct cda_slim *slim, const struct cda_slim_file *file);
int cda_slim_read(const struct cda_slim *slim, const struct cda_slim_file *file, size_t max,
		  struct cda_buf *out, struct cda_err *err) CDA_CHECK;
/* The folder of the path, and its last part in *ret_name; -1 with errno. */
int cda_slim_folder(const struct cda_slim *slim, const char *path, const char **ret_name);

/* slim_rules.c: by name and place alone */
struct cda_slim_row {
	enum cda_slim_rule rule;
	enum { IN_PREFIX, IN_ROOT, ANYWHERE } scope;
	const char *pattern;
	const char *magic; /* the file begins with it; NULL: any */
	const char *has;   /* its first 256 bytes have it */
};
/* The row that means the file, or NULL. in_prefix: NULL outside of one. */
const struct cda_slim_row *cda_slim_row(const char *path, const char *in_prefix, unsigned rules);
bool cda_slim_match(const char *pattern, const char *path); /* the whole path */
bool cda_slim_is_licence(const char *path);
int cda_slim_apply_rules(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;

/* slim_python.c */
/* A source text imports a module that has `name` among its parts. */
bool cda_slim_imports(const char *text, size_t len, const char *name);
int cda_slim_mark_tests(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;
void cda_slim_mark_bytecode(struct cda_slim *slim);

/* slim_record.c */
struct cda_slim_change {
	enum cda_slim_act act; /* LEAVE: none */
	const char *sha256;    /* hex, with REWRITE */
	int64_t size;
};
/* What happens to the file that a record calls by this name. */
typedef struct cda_slim_change cda_slim_ask(void *ctx, const char *name);
/* The text of a conda-meta record as it is afterwards. Returns 1 when it changes, and *out has it;
 * 0: it does not. Errors: CDA_E_PARSE. */
int cda_slim_edit_meta(const char *text, size_t len, const char *what, cda_slim_ask *ask, void *ctx,
		       struct cda_buf *out, struct cda_err *err) CDA_CHECK;
/* The same for a RECORD of Python's: lines of path,hash,size. Never fails. */
int cda_slim_edit_record(const char *text, size_t len, cda_slim_ask *ask, void *ctx,
			 struct cda_buf *out);
int cda_slim_plan_records(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;

/* slim_owned.c: adds the paths that dpkg and apk know. */
void cda_slim_owned_dpkg(const char *text, size_t len, struct cda_map *owned);
void cda_slim_owned_apk(const char *text, size_t len, struct cda_map *owned);
int cda_slim_owned_load(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;
bool cda_slim_is_owned(const struct cda_slim *slim, const char *path);

/* slim_same.c: strip and duplicates, planned */
int cda_slim_plan_strip(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;
int cda_slim_plan_links(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;

/* slim_apply.c */
int cda_slim_apply(struct cda_slim *slim, struct cda_err *err) CDA_CHECK;

#endif
