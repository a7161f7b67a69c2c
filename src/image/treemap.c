#include "image/treemap.h"
#include "util/alloc.h"
#include "util/json.h"
#include "util/map.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

struct builder {
	struct cda_treemap *map;
	struct cda_map *nodes; /* by the path of names, 0x01 between */
	unsigned side;
	uint64_t smallest; /* what is smaller is put together */
};

static const char *const kind_titles[CDA_SIZE_KINDS] = {
	"Debian packages", "Alpine packages", "conda packages", "pip packages", "no package",
};

static const char *shown(struct cda_arena *arena, const char *s)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_size_text(s, &out);
	return cda_arena_strndup(arena, out.p, out.len);
}

static struct cda_treemap_node *new_node(struct cda_treemap *map, const char *name)
{
	struct cda_treemap_node *node =
		cda_arena_alloc0(map->arena, 1, sizeof(struct cda_treemap_node));

	node->name = shown(map->arena, name);
	node->detail = "";
	return node;
}

/* The child of that name; key holds the parent's path and gets the child's. */
static struct cda_treemap_node *child_of(struct builder *b, struct cda_treemap_node *parent,
					 struct cda_buf *key, const char *name, const char *title)
{
	struct cda_treemap_node *node;

	cda_buf_addc(key, '\1');
	cda_buf_adds(key, name);
	node = cda_map_get(b->nodes, key->p);
	if (node)
		return node;
	node = new_node(b->map, title);
	node->parent = parent;
	node->next = parent->child;
	parent->child = node;
	parent->children++;
	cda_map_set(b->nodes, key->p, node);
	return node;
}

static void add_sum(struct builder *b, struct cda_treemap_node *node, unsigned kind, uint64_t size,
		    uint64_t packed)
{
	for (; node; node = node->parent) {
		node->size[b->side] += size;
		node->packed[b->side] += packed;
		node->files[b->side]++;
		node->share[kind] += size;
	}
}

/* The file's nodes below one, folder by folder. */
static struct cda_treemap_node *descend(struct builder *b, struct cda_treemap_node *node,
					struct cda_buf *key, const char *path)
{
	struct cda_str rest = cda_str(path), part;

	while (cda_str_cut(&rest, "/", &part)) {
		CDA_AUTOFREE char *name = cda_str_dup(part);

		node = child_of(b, node, key, name, name);
		node->folder = node->folder || rest.len > 0;
	}
	return node;
}

static const char *detail_of(struct cda_arena *arena, const struct cda_inv_package *p)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_size_text(p->version, &out);
	if (p->license) {
		cda_buf_adds(&out, ", ");
		cda_size_text(p->license, &out);
	}
	if (p->summary) {
		cda_buf_adds(&out, ", ");
		cda_size_text(p->summary, &out);
	}
	return cda_arena_strndup(arena, out.p, out.len);
}

static struct cda_treemap_node *package_node(struct builder *b, struct cda_treemap_node *kind,
					     struct cda_buf *key, const struct cda_inv_package *p)
{
	CDA_AUTOFREE char *id = cda_asprintf("%s\2%s\2%s", p->name, p->place,
					     p->kind == CDA_INV_DPKG && p->arch ? p->arch : "");
	struct cda_treemap_node *node = child_of(b, kind, key, id, p->name);

	if (!node->package)
		node->detail = detail_of(b->map->arena, p);
	else if (b->side && !node->files[1]) {
		CDA_AUTOBUF struct cda_buf version = CDA_BUF_INIT;

		/* another version: both are told */
		cda_size_text(p->version, &version);
		if (!cda_starts_with(node->detail, version.p))
			node->detail = cda_arena_printf(b->map->arena, "%s; now %s", node->detail,
							detail_of(b->map->arena, p));
	}
	node->package = true;
	return node;
}

static void add_image(struct builder *b, const struct cda_size *size)
{
	const struct cda_tree *tree = size->image.tree;

	cda_vec_each (file, &size->files) {
		CDA_AUTOBUF struct cda_buf key = CDA_BUF_INIT;
		const struct cda_tree_entry *entry = tree->v[file->entry];
		unsigned kind = cda_size_kind(size, file->entry);
		struct cda_treemap_node *node;
		uint64_t packed = size->image.packed[file->entry];

		cda_buf_addc(&key, 'f');
		node = descend(b, b->map->folders, &key, entry->path);
		add_sum(b, node, kind, entry->inode->size, packed);
		cda_buf_clear(&key);
		cda_buf_addc(&key, 'p');
		node = child_of(b, b->map->packages, &key, cda_size_kind_name(kind),
				kind_titles[kind]);
		node->folder = true;
		if (kind != CDA_SIZE_NOBODY)
			node = package_node(b, node, &key,
					    &size->inv.packages.v[size->inv.owner[file->entry]]);
		node = descend(b, node, &key, entry->path);
		add_sum(b, node, kind, entry->inode->size, packed);
	}
}

/* --- order, and what is put together --- */

static uint64_t larger(const struct cda_treemap_node *node)
{
	return node->size[0] > node->size[1] ? node->size[0] : node->size[1];
}

static int by_size(const void *a, const void *b)
{
	const struct cda_treemap_node *x = *(struct cda_treemap_node *const *)a;
	const struct cda_treemap_node *y = *(struct cda_treemap_node *const *)b;
	int rc = (larger(x) < larger(y)) - (larger(x) > larger(y));

	if (!rc)
		rc = strcmp(x->name, y->name);
	return rc ? rc : strcmp(x->detail, y->detail);
}

static void put_together(struct builder *b, struct cda_treemap_node *node,
			 struct cda_treemap_node **v, size_t n)
{
	struct cda_treemap_node *rest = new_node(b->map, "");

	rest->name = cda_arena_printf(b->map->arena, "%zu smaller", n);
	rest->rest = true;
	rest->parent = node;
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < CDA_SIZE_KINDS; k++) {
			rest->share[k] += v[i]->share[k];
			if (k > 1)
				continue;
			rest->size[k] += v[i]->size[k];
			rest->packed[k] += v[i]->packed[k];
			rest->files[k] += v[i]->files[k];
		}
	v[0] = rest;
}

/* A package whose files are all below one folder: what is in there comes right below the package.
 */
static void lift(struct builder *b, struct cda_treemap_node *node)
{
	while (node->package && node->children == 1 && node->child->folder) {
		struct cda_treemap_node *folder = node->child;

		node->children = folder->children;
		node->child = folder->child;
		for (struct cda_treemap_node *c = node->child; c; c = c->next) {
			c->parent = node;
			c->name = cda_arena_printf(b->map->arena, "%s/%s", folder->name, c->name);
		}
	}
}

static void settle(struct builder *b, struct cda_treemap_node *node)
{
	CDA_AUTOFREE struct cda_treemap_node **v = NULL;
	size_t n = 0, kept = 0;

	lift(b, node);
	/* a/b/c where a and b hold nothing else */
	while (node->folder && node->children == 1 && node->child->folder && node->parent) {
		node->name =
			cda_arena_printf(b->map->arena, "%s/%s", node->name, node->child->name);
		node->children = node->child->children;
		node->child = node->child->child;
		for (struct cda_treemap_node *c = node->child; c; c = c->next)
			c->parent = node;
	}
	v = cda_alloc0(node->children + 1, sizeof(struct cda_treemap_node *));
	for (struct cda_treemap_node *c = node->child; c; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof(struct cda_treemap_node *), by_size);
	while (kept < n && larger(v[kept]) >= b->smallest)
		kept++;
	if (n - kept > 1) {
		put_together(b, node, v + kept, n - kept);
		n = kept + 1;
	}
	node->child = NULL;
	node->children = n;
	for (size_t i = n; i-- > 0;) {
		v[i]->next = node->child;
		node->child = v[i];
	}
	for (unsigned k = 1; k < CDA_SIZE_KINDS; k++)
		if (node->share[k] > node->share[node->kind])
			node->kind = k;
	for (size_t i = 0; i < n; i++)
		settle(b, v[i]);
}

void cda_treemap_init(struct cda_treemap *map, const struct cda_size *before,
		      const struct cda_size *after, unsigned parts)
{
	struct builder b = {map, cda_map_new(), 0, 0};
	uint64_t all = before->all.size;

	*map = (struct cda_treemap){.arena = cda_arena_new(), .two = after != NULL};
	map->packages = new_node(map, "all packages");
	map->folders = new_node(map, "/");
	map->packages->folder = map->folders->folder = true;
	add_image(&b, before);
	if (after) {
		b.side = 1;
		add_image(&b, after);
		if (after->all.size > all)
			all = after->all.size;
	}
	b.smallest = parts ? all / parts + 1 : 0;
	settle(&b, map->packages);
	settle(&b, map->folders);
	cda_map_free(b.nodes);
}

void cda_treemap_done(struct cda_treemap *map)
{
	cda_arena_free(map->arena);
	*map = (struct cda_treemap){0};
}

/* --- JSON --- */

void cda_treemap_quote(const char *s, struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf quoted = CDA_BUF_INIT;

	cda_json_quote(s, &quoted);
	for (size_t i = 0; i < quoted.len; i++) {
		unsigned char c = (unsigned char)quoted.p[i];

		/* nothing that a page could take for its end, a value's, or a reference */
		if (c == '\\' && quoted.p[i + 1] == '"') {
			cda_buf_adds(out, "\\u0022");
			i++;
		} else if (c == '\\') {
			cda_buf_add(out, quoted.p + i++, 2);
		} else if (c == '<' || c == '>' || c == '&' || c == '\'') {
			cda_buf_addf(out, "\\u%04x", c);
		} else {
			cda_buf_addc(out, (char)c);
		}
	}
}

static void add_numbers(const struct cda_treemap *map, const uint64_t v[2], struct cda_buf *out)
{
	cda_buf_addf(out, ",[%llu", (unsigned long long)v[0]);
	if (map->two)
		cda_buf_addf(out, ",%llu", (unsigned long long)v[1]);
	cda_buf_addc(out, ']');
}

void cda_treemap_json(const struct cda_treemap *map, const struct cda_treemap_node *node,
		      struct cda_buf *out)
{
	cda_buf_addc(out, '[');
	cda_treemap_quote(node->name, out);
	cda_buf_addf(out, ",%u", node->kind);
	add_numbers(map, node->size, out);
	add_numbers(map, node->packed, out);
	add_numbers(map, node->files, out);
	cda_buf_addc(out, ',');
	cda_treemap_quote(node->detail, out);
	cda_buf_addf(out, ",\"%s\",[",
		     node->rest      ? "rest"
		     : node->package ? "package"
		     : node->folder  ? "folder"
				     : "file");
	for (const struct cda_treemap_node *c = node->child; c; c = c->next) {
		if (c != node->child)
			cda_buf_addc(out, ',');
		cda_treemap_json(map, c, out);
	}
	cda_buf_adds(out, "]]");
}
