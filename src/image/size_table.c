#include "image/size_print.h"
#include "image/treemap.h"
#include "util/alloc.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

enum { columns_max = 8, least_text = 16, files_shown = 3 };

/* Rows of cells; all but the last column are as wide as they need, the last is cut to what the
 * terminal leaves: in the middle, since both ends of a path tell something. */
struct table {
	struct cda_strv cells;
	size_t columns;
	unsigned left; /* bit per column: aligned left */
};

static size_t columns_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void cell(struct table *table, const char *text)
{
	cda_strv_push(&table->cells, text);
}

static void bytes(struct table *table, uint64_t size)
{
	char human[CDA_SIZE_HUMAN_MAX];

	cell(table, cda_size_human(size, human));
}

static void number(struct table *table, uint64_t n)
{
	cda_strv_pushf(&table->cells, "%llu", (unsigned long long)n);
}

static void name(struct table *table, const char *s)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_size_text(s, &out);
	cell(table, out.p);
}

static void changed(struct table *table, uint64_t before, uint64_t after)
{
	char human[CDA_SIZE_HUMAN_MAX];

	cell(table, cda_size_change(before, after, human));
}

/* The first n columns of s, or the last ones. */
static void add_part(struct cda_buf *out, const char *s, size_t n, bool last)
{
	size_t skip = last ? columns_of(s) - n : 0, at = 0;

	for (; *s; s++) {
		at += ((unsigned char)*s & 0xc0) != 0x80;
		if (at > skip && at <= skip + n)
			cda_buf_addc(out, *s);
	}
}

static void add_cell(struct cda_buf *out, const char *text, size_t room, bool left, bool last)
{
	size_t n = columns_of(text);

	if (room && n > room) {
		add_part(out, text, (room - 3) / 2, false);
		cda_buf_adds(out, "...");
		add_part(out, text, room - 3 - (room - 3) / 2, true);
		return;
	}
	for (; !left && n < room; n++)
		cda_buf_addc(out, ' ');
	cda_buf_adds(out, text);
	for (; left && !last && n < room; n++)
		cda_buf_addc(out, ' ');
}

static void print(struct table *table, const char *title, unsigned width, struct cda_buf *out)
{
	size_t widths[columns_max] = {0}, all = 0, columns = table->columns;
	size_t rows = table->cells.n / columns;

	if (rows > 1) {
		cda_buf_addf(out, "\n%s\n", title);
		for (size_t i = 0; i < table->cells.n; i++) {
			size_t n = columns_of(table->cells.v[i]);

			if (n > widths[i % columns])
				widths[i % columns] = n;
		}
		for (size_t i = 0; i + 1 < columns; i++)
			all += widths[i] + 2;
		all += 2;
		widths[columns - 1] = !width                     ? 0
				      : width < all + least_text ? least_text
								 : width - all;
		for (size_t i = 0; i < table->cells.n; i++) {
			bool last = i % columns == columns - 1;

			cda_buf_adds(out, "  ");
			add_cell(out, table->cells.v[i], widths[i % columns],
				 last || table->left & 1u << i % columns, last);
			if (last)
				cda_buf_addc(out, '\n');
		}
	}
	cda_strv_done(&table->cells);
}

static struct table table_of(const char *const *heads, unsigned left)
{
	struct table table = {{0}, 0, left};

	for (; heads[table.columns]; table.columns++)
		cell(&table, heads[table.columns]);
	return table;
}
#define HEADS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* --- one image --- */

static void head(const struct cda_size *size, const char *label, struct cda_buf *out)
{
	const struct cda_oci_image *image = &size->image;
	char a[CDA_SIZE_HUMAN_MAX], b[CDA_SIZE_HUMAN_MAX], c[CDA_SIZE_HUMAN_MAX];

	cda_buf_adds(out, label);
	cda_size_text(image->name ? image->name : size->path, out);
	if (image->os) {
		cda_buf_adds(out, " (");
		cda_size_text(image->os, out);
		cda_buf_addc(out, '/');
		cda_size_text(image->arch ? image->arch : "?", out);
		cda_buf_addc(out, ')');
	}
	cda_buf_addf(out, "\n  packed %s (%s%s), unpacked %s in %llu files",
		     cda_size_human(size->packed, a), size->measured ? "as stored" : "estimate: ",
		     size->measured ? "" : size->estimate, cda_size_human(size->all.size, b),
		     (unsigned long long)size->all.files);
	if (size->stored && !size->measured)
		cda_buf_addf(out, ", stored %s", cda_size_human(size->stored, c));
	cda_buf_addc(out, '\n');
	if (size->hidden)
		cda_buf_addf(out, "  %s of files that later layers replace or remove\n",
			     cda_size_human(size->hidden, a));
	if (size->wasted)
		cda_buf_addf(out, "  %s in further copies of the same file\n",
			     cda_size_human(size->wasted, a));
	cda_vec_each (note, &size->inv.notes) {
		cda_buf_adds(out, "  note: ");
		cda_size_text(*note, out);
		cda_buf_addc(out, '\n');
	}
}

static void layers(const struct cda_size *size, unsigned width, struct cda_buf *out)
{
	struct table t =
		table_of(HEADS("#", "packed", "stored", "unpacked", "hidden", "made by"), 0);

	if (!size->image.is_image)
		return cda_strv_done(&t.cells);
	for (size_t i = 0; i < size->image.layers.n; i++) {
		const struct cda_oci_layer *layer = &size->image.layers.v[i];

		number(&t, i + 1);
		bytes(&t, layer->packed);
		bytes(&t, layer->stored);
		bytes(&t, layer->unpacked);
		bytes(&t, layer->hidden);
		name(&t, layer->created_by ? layer->created_by : "");
	}
	print(&t, "Layers", width, out);
}

static void kinds(const struct cda_size *size, unsigned width, struct cda_buf *out)
{
	struct table t = table_of(HEADS("packed", "unpacked", "files", "packages", "of"), 0);

	for (unsigned kind = 0; kind < CDA_SIZE_KINDS; kind++) {
		const struct cda_size_sum *sum = &size->kinds[kind];

		if (!sum->files && !sum->packages)
			continue;
		bytes(&t, sum->packed);
		bytes(&t, sum->size);
		number(&t, sum->files);
		number(&t, sum->packages);
		cell(&t, cda_size_kind_title(kind));
	}
	print(&t, "Whose", width, out);
}

static void packages(const struct cda_size *size, const struct cda_size_print *p,
		     struct cda_buf *out)
{
	struct table t = table_of(HEADS("packed", "unpacked", "files", "kind", "package"), 1u << 3);

	for (size_t i = 0; i < size->packages.n && i < p->top; i++) {
		const struct cda_inv_package *package =
			&size->inv.packages.v[size->packages.v[i].index];
		CDA_AUTOFREE char *full = cda_asprintf("%s %s", package->name, package->version);

		bytes(&t, size->packages.v[i].packed);
		bytes(&t, package->size);
		number(&t, package->files);
		cell(&t, cda_inv_kind_name(package->kind));
		name(&t, full);
	}
	print(&t, "Largest packages", p->width, out);
}

static void folders(const struct cda_size_folders *list, const char *title,
		    const struct cda_size_print *p, struct cda_buf *out)
{
	struct table t = table_of(HEADS("packed", "unpacked", "files", "folder"), 0);

	for (size_t i = 0; i < list->n && i < p->top; i++) {
		bytes(&t, list->v[i].packed);
		bytes(&t, list->v[i].size);
		number(&t, list->v[i].files);
		name(&t, list->v[i].path);
	}
	print(&t, title, p->width, out);
}

static void files(const struct cda_size *size, const struct cda_size_print *p, struct cda_buf *out)
{
	struct table t = table_of(HEADS("packed", "unpacked", "package", "file"), 1u << 2);

	for (size_t i = 0; i < size->files.n && i < p->top; i++) {
		size_t at = size->files.v[i].entry;
		int32_t owner = size->inv.owner[at];

		bytes(&t, size->image.packed[at]);
		bytes(&t, size->image.tree->v[at]->inode->size);
		name(&t, owner < 0 ? "-" : size->inv.packages.v[owner].name);
		name(&t, size->image.tree->v[at]->path);
	}
	print(&t, "Largest files", p->width, out);
}

static void duplicates(const struct cda_size *size, const struct cda_size_print *p,
		       struct cda_buf *out)
{
	struct table t = table_of(HEADS("wasted", "each", "copies", "files"), 0);

	for (size_t i = 0; i < size->duplicates.n && i < p->top; i++) {
		const struct cda_size_twins *twins = &size->duplicates.v[i];
		CDA_AUTOBUF struct cda_buf list = CDA_BUF_INIT;

		bytes(&t, twins->wasted);
		bytes(&t, twins->size);
		number(&t, twins->count);
		for (size_t k = 0; k < twins->count && k < files_shown; k++) {
			cda_buf_adds(&list, k ? " " : "");
			cda_buf_adds(&list, size->image.tree->v[twins->entries[k]]->path);
		}
		if (twins->count > files_shown)
			cda_buf_adds(&list, " ...");
		name(&t, list.p);
	}
	print(&t, "Copies of the same file", p->width, out);
}

/* --- two images --- */

static void totals(const struct cda_size *before, const struct cda_size *after, unsigned width,
		   struct cda_buf *out)
{
	struct table t = table_of(HEADS("before", "after", "change", "of"), 0);
	const struct {
		const char *of;
		uint64_t before, after;
	} rows[] = {{"packed", before->packed, after->packed},
		    {"unpacked", before->all.size, after->all.size}};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		bytes(&t, rows[i].before);
		bytes(&t, rows[i].after);
		changed(&t, rows[i].before, rows[i].after);
		cell(&t, rows[i].of);
	}
	for (unsigned kind = 0; kind < CDA_SIZE_KINDS; kind++) {
		const struct cda_size_sum *a = &before->kinds[kind], *b = &after->kinds[kind];

		if (!a->files && !b->files)
			continue;
		bytes(&t, a->size);
		bytes(&t, b->size);
		changed(&t, a->size, b->size);
		cell(&t, cda_size_kind_title(kind));
	}
	print(&t, "Change", width, out);
}

static void pairs(const struct cda_size *before, const struct cda_size *after,
		  const struct cda_size_print *p, struct cda_buf *out)
{
	struct table t = table_of(HEADS("before", "after", "change", "kind", "package"), 1u << 3);
	struct cda_size_pairs list = {0};

	cda_size_compare(before, after, &list);
	for (size_t i = 0; i < list.n && i < p->top; i++) {
		const struct cda_size_pair *pair = &list.v[i];
		const struct cda_inv_package *any = pair->before ? pair->before : pair->after;
		bool same = pair->before && pair->after &&
			    cda_streq(pair->before->version, pair->after->version);
		CDA_AUTOFREE char *full =
			cda_asprintf(same ? "%s %s" : "%s %s -> %s", any->name,
				     pair->before ? pair->before->version : "(none)",
				     pair->after ? pair->after->version : "(none)");

		bytes(&t, pair->size[0]);
		bytes(&t, pair->size[1]);
		changed(&t, pair->size[0], pair->size[1]);
		cell(&t, cda_inv_kind_name(any->kind));
		name(&t, full);
	}
	print(&t, "Packages that changed most", p->width, out);
	cda_size_pairs_done(&list);
}

struct change {
	const struct cda_treemap_node *node;
	uint64_t by;
};
CDA_VEC_DEFINE(changes, struct change);

static uint64_t change_of(const struct cda_treemap_node *node)
{
	return node->size[0] > node->size[1] ? node->size[0] - node->size[1]
					     : node->size[1] - node->size[0];
}

/* Folders whose change is no single folder's of theirs. */
static void find_changes(const struct cda_treemap_node *node, struct changes *out)
{
	uint64_t by = change_of(node), largest = 0;

	if (by && (!node->size[0] || !node->size[1])) { /* gone or new, as a whole */
		changes_push(out, (struct change){node, by});
		return;
	}
	for (const struct cda_treemap_node *c = node->child; c; c = c->next) {
		if (!c->folder)
			continue;
		find_changes(c, out);
		if (change_of(c) > largest)
			largest = change_of(c);
	}
	if (by && largest < by / 10 * 8 + 1)
		changes_push(out, (struct change){node, by});
}

static void path_of(const struct cda_treemap_node *node, struct cda_buf *out)
{
	if (!node->parent)
		return;
	path_of(node->parent, out);
	if (out->len)
		cda_buf_addc(out, '/');
	cda_buf_adds(out, node->name);
}

static int by_change(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	CDA_AUTOBUF struct cda_buf p = CDA_BUF_INIT, q = CDA_BUF_INIT;
	int rc = (x->by < y->by) - (x->by > y->by);

	if (rc)
		return rc;
	path_of(x->node, &p);
	path_of(y->node, &q);
	return strcmp(p.p, q.p);
}

static void changed_folders(const struct cda_size *before, const struct cda_size *after,
			    const struct cda_size_print *p, struct cda_buf *out)
{
	struct table t = table_of(HEADS("before", "after", "change", "folder"), 0);
	struct cda_treemap map;
	struct changes list = {0};

	cda_treemap_init(&map, before, after, 0);
	find_changes(map.folders, &list);
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), by_change);
	for (size_t i = 0; i < list.n && i < p->top; i++) {
		const struct cda_treemap_node *node = list.v[i].node;
		CDA_AUTOBUF struct cda_buf path = CDA_BUF_INIT;

		path_of(node, &path);
		bytes(&t, node->size[0]);
		bytes(&t, node->size[1]);
		changed(&t, node->size[0], node->size[1]);
		cell(&t, path.len ? path.p : "/");
	}
	print(&t, "Folders that changed most", p->width, out);
	changes_done(&list);
	cda_treemap_done(&map);
}

void cda_size_table(const struct cda_size *before, const struct cda_size *after,
		    const struct cda_size_print *p, struct cda_buf *out)
{
	head(before, after ? "before: " : "", out);
	if (after) {
		head(after, "after: ", out);
		if (before->measured != after->measured)
			cda_buf_adds(out, "  packed is measured in one and estimated in the other: "
					  "compare unpacked\n");
		totals(before, after, p->width, out);
		pairs(before, after, p, out);
		changed_folders(before, after, p, out);
		return;
	}
	layers(before, p->width, out);
	kinds(before, p->width, out);
	packages(before, p, out);
	folders(&before->tops, "Largest folders", p, out);
	folders(&before->loose, "Largest folders of files of no package", p, out);
	files(before, p, out);
	duplicates(before, p, out);
}
