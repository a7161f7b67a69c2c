/* tree.h - a root file system as a list of entries: from a folder, or from tar archives, one over
 * the other as the layers of an image are.
 *
 * Nothing is unpacked: a folder is read where it is, never through a link and never onto another
 * file system (what is mounted below it is an empty folder here); the files of an archive are kept
 * in one nameless temporary file. So a tree of any size takes memory for its names alone.
 *
 * Archives are hostile until shown otherwise. Refused with CDA_E_ARCHIVE: absolute names, `..`,
 * names below something that is no folder, hard links to nothing or to a folder, owners and sizes
 * out of range, more entries or bytes than the limits. A name that comes twice takes what comes
 * last, as engines have it: a folder over a folder changes its owner and mode, anything else
 * replaces what was there and below.
 */
#ifndef CDA_IMAGE_TREE_H
#define CDA_IMAGE_TREE_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

enum cda_tree_type {
	CDA_TREE_FILE,
	CDA_TREE_FOLDER,
	CDA_TREE_LINK, /* symbolic */
	CDA_TREE_CHAR,
	CDA_TREE_BLOCK,
	CDA_TREE_FIFO
};

struct cda_tree_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* One file; the entries that are hard links of each other share it. */
struct cda_tree_inode {
	enum cda_tree_type type;
	unsigned mode; /* 07777 at most */
	uint32_t uid, gid;
	int64_t mtime; /* whole seconds */
	uint64_t size; /* of a file; 0 of all else */
	const char *target;
	unsigned major, minor;         /* of a device */
	struct cda_tree_xattr *xattrs; /* sorted by name */
	size_t nxattrs;
	/* where the content is: within the temporary file, or (-1) at from, below the folder */
	int64_t offset;
	const char *from;
	/* of an archive: which one, from 1, and where in it, unpacked, its first header begins */
	unsigned layer;
	int64_t at;
};

struct cda_tree_entry {
	const char *path; /* "usr/bin/env": no slash in front */
	const char *name; /* its last part */
	struct cda_tree_inode *inode;
	struct cda_tree_entry *parent; /* NULL at the top */
	struct cda_tree_entry *child;  /* any of a folder's; the others by next */
	struct cda_tree_entry *next, *prev;
	/* the first entry, by path, of the same inode; NULL when this is it. Set by cda_tree_sort
	 */
	struct cda_tree_entry *first;
	size_t index;   /* in v; set by cda_tree_sort */
	unsigned layer; /* the archive that it came with, counted from 1; a folder's last change */
};

struct cda_tree {
	struct cda_tree_entry **v; /* by path, byte order; valid after cda_tree_sort */
	size_t n;
	size_t nskipped; /* sockets: nothing an image could hold */
	struct cda_tree_state *state;
};

struct cda_tree_limits {      /* 0: the value in brackets */
	uint64_t max_bytes;   /* of all files together, as long as they say they are [256 GiB] */
	uint64_t max_entries; /* [4 million] */
	uint64_t max_names;   /* bytes of all paths, link targets and attributes: what a tree
			       * takes of memory [512 MiB] */
};

struct cda_tree *cda_tree_new(const struct cda_tree_limits *limits); /* limits may be NULL */
struct cda_tree *cda_tree_free(struct cda_tree *tree);
CDA_DEFINE_CLEANUP(struct cda_tree *, cda_tree_free)

/* Adds what is below the folder path, not the folder itself. The tree must be empty; the folder
 * must stay as it is while the tree is in use. */
int cda_tree_add_folder(struct cda_tree *tree, const char *path, struct cda_err *err) CDA_CHECK;

enum cda_tree_flags {
	/* the archive is a layer: `.wh.NAME` removes NAME of earlier ones, `.wh..wh..opq` empties
	 * its folder of them. Without: such names are refused, since an engine would obey them. */
	CDA_TREE_LAYER = 1 << 0,
};

/* Hands out the next bytes of an archive, borrowed until the next call; 0 at the end, negative on
 * failure with err set. */
typedef int64_t cda_tree_source(void *ctx, const void **ret_block, struct cda_err *err);

/* Adds a tar archive, plain or packed by gzip, zstd, bzip2 or xz: read from where fd stands, to
 * its end (a pipe will do). what names it in messages. The second takes the bytes from a call. */
int cda_tree_add_tar(struct cda_tree *tree, int fd, const char *what, unsigned flags,
		     struct cda_err *err) CDA_CHECK;
int cda_tree_add_stream(struct cda_tree *tree, cda_tree_source *source, void *ctx, const char *what,
			unsigned flags, struct cda_err *err) CDA_CHECK;

/* Adds or replaces one file of the given text (copied); its folders are made where they lack.
 * The path must be one that cda_fs_path_is_inside accepts. Errors: CDA_E_VALUE. */
int cda_tree_add_text(struct cda_tree *tree, const char *path, const void *p, size_t len,
		      unsigned mode, int64_t mtime, struct cda_err *err) CDA_CHECK;

/* Fills v and n, sets first and index; needed again after every change. */
void cda_tree_sort(struct cda_tree *tree);

struct cda_tree_entry *cda_tree_find(const struct cda_tree *tree, const char *path); /* or NULL */
void cda_tree_remove(struct cda_tree *tree, struct cda_tree_entry *entry); /* and all below */

/* Calls sink with the content of a file, piece by piece; a negative answer of sink (err set) ends
 * it and is returned. A file of a folder that is not as long as it was is CDA_E_VALUE. Threads may
 * do this at the same time. */
typedef int cda_tree_sink(void *ctx, const void *p, size_t len, struct cda_err *err);
int cda_tree_content(const struct cda_tree *tree, const struct cda_tree_entry *entry,
		     cda_tree_sink *sink, void *ctx, struct cda_err *err) CDA_CHECK;
/* Appends the content to out; more than max bytes is CDA_E_VALUE. */
int cda_tree_read(const struct cda_tree *tree, const struct cda_tree_entry *entry, size_t max,
		  struct cda_buf *out, struct cda_err *err) CDA_CHECK;
/* Appends its first bytes, len at most: all of a shorter file. */
int cda_tree_head(const struct cda_tree *tree, const struct cda_tree_entry *entry, size_t len,
		  struct cda_buf *out, struct cda_err *err) CDA_CHECK;

#endif
