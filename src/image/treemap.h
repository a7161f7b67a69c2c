/* treemap.h - the bytes of an image, or of two, as trees to draw: one of packages, one of folders.
 * Nodes are merged by name, so that each has its sizes before and after. Small ones are put
 * together, folders that hold one folder alone are one node with it. */
#ifndef CDA_IMAGE_TREEMAP_H
#define CDA_IMAGE_TREEMAP_H

#include "image/size.h"

struct cda_treemap_node {
	const char *name, *detail;  /* safe to show (cda_size_text); detail: "" or a line on it */
	unsigned kind;              /* whose most of its bytes are: enum cda_inv_kind, or nobody */
	bool folder, package, rest; /* rest: several small ones */
	uint64_t size[2], packed[2], files[2]; /* before, after */
	uint64_t share[CDA_SIZE_KINDS];        /* bytes by kind, of both */
	struct cda_treemap_node *child, *next; /* largest first */
	struct cda_treemap_node *parent;
	size_t children;
};

struct cda_treemap {
	struct cda_arena *arena;
	bool two; /* there is an after */
	struct cda_treemap_node *packages, *folders;
};

/* after may be NULL. Nodes smaller than their image divided by parts are put together; 0: none. */
void cda_treemap_init(struct cda_treemap *map, const struct cda_size *before,
		      const struct cda_size *after, unsigned parts);
void cda_treemap_done(struct cda_treemap *map);

/* Appends a node as JSON, ASCII alone, without '<' and '&':
 * [name, kind, [size...], [packed...], [files...], detail, what, children]
 * what: "folder", "package", "rest" or "file"; each list has one number for each image. */
void cda_treemap_json(const struct cda_treemap *map, const struct cda_treemap_node *node,
		      struct cda_buf *out);

/* A quoted JSON string of text that is UTF-8, as above. */
void cda_treemap_quote(const char *s, struct cda_buf *out);

#endif
