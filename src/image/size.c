#include "image/size.h"
#include "util/alloc.h"
#include "util/hash.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

/* A folder is not listed below this share of all bytes, nor when one of its own has that share. */
enum { folder_share = 50, one_child_percent = 80 };

const char *cda_size_kind_name(unsigned kind)
{
	return kind < CDA_INV_KINDS ? cda_inv_kind_name((enum cda_inv_kind)kind) : "none";
}

unsigned cda_size_kind(const struct cda_size *size, size_t entry)
{
	int32_t owner = size->inv.owner[entry];

	return owner < 0 ? CDA_SIZE_NOBODY : (unsigned)size->inv.packages.v[owner].kind;
}

/* Is what follows a mark that turns the direction of text, or a line end of Unicode? */
static bool is_trick(const unsigned char *p)
{
	if (p[0] == 0xe2 && p[1] == 0x80)
		return (p[2] >= 0xa8 && p[2] <= 0xae) || p[2] == 0x8e || p[2] == 0x8f;
	return p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* Length of the UTF-8 sequence at p, 0 for none. */
static size_t sequence(const char *p)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	char one[5] = {0};

	for (size_t i = 0; i < n; i++) {
		if (!p[i])
			return 0;
		one[i] = p[i];
	}
	return cda_str_is_utf8(one) ? n : 0;
}

void cda_size_text(const char *s, struct cda_buf *out)
{
	while (*s) {
		unsigned char c = (unsigned char)*s;
		size_t n = sequence(s);

		/* C1 controls are two bytes long */
		if (!n || c < ' ' || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0) ||
		    (n == 3 && is_trick((const unsigned char *)s))) {
			cda_buf_addf(out, "\\x%02x", c);
			s++;
			for (size_t i = 1; i < n; i++, s++)
				cda_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)*s);
			continue;
		}
		cda_buf_add(out, s, n);
		s += n;
	}
}

/* --- sums --- */

static void count_entries(struct cda_size *size, uint64_t *package_packed)
{
	const struct cda_tree *tree = size->image.tree;

	for (size_t i = 0; i < tree->n; i++) {
		const struct cda_tree_entry *entry = tree->v[i];
		struct cda_size_sum *sums[] = {&size->all, &size->kinds[cda_size_kind(size, i)]};

		if (entry->inode->type == CDA_TREE_FOLDER) {
			size->folders++;
			continue;
		}
		if (entry->inode->type != CDA_TREE_FILE || entry->first) {
			size->links += entry->first || entry->inode->type == CDA_TREE_LINK;
			size->others += !entry->first && entry->inode->type != CDA_TREE_LINK;
			continue;
		}
		for (size_t k = 0; k < CDA_LEN(sums); k++) {
			sums[k]->files++;
			sums[k]->size += entry->inode->size;
			sums[k]->packed += size->image.packed[i];
		}
		if (size->inv.owner[i] >= 0)
			package_packed[size->inv.owner[i]] += size->image.packed[i];
		cda_size_files_push(&size->files, (struct cda_size_file){i});
	}
	size->measured = true;
	cda_vec_each (layer, &size->image.layers) {
		size->stored += layer->stored;
		size->unpacked += layer->unpacked;
		size->packed += layer->packed;
		size->hidden += layer->hidden;
		size->measured = size->measured && layer->measured;
	}
}

/* qsort has no context: what it compares carries its keys. */
struct keyed {
	uint64_t size;
	const char *name, *more;
	size_t index;
};

static int by_size(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int rc = (x->size < y->size) - (x->size > y->size);

	if (!rc)
		rc = strcmp(x->name, y->name);
	if (!rc)
		rc = strcmp(x->more, y->more);
	return rc ? rc : (x->index > y->index) - (x->index < y->index);
}

static void sort_packages(struct cda_size *size, const uint64_t *packed)
{
	size_t n = size->inv.packages.n;
	CDA_AUTOFREE struct keyed *keys = cda_alloc0(n + 1, sizeof(*keys));

	for (size_t i = 0; i < n; i++) {
		const struct cda_inv_package *p = &size->inv.packages.v[i];

		keys[i] = (struct keyed){p->size, p->name, p->purl, i};
		size->kinds[p->kind].packages++;
		size->all.packages++;
	}
	qsort(keys, n, sizeof(*keys), by_size);
	for (size_t i = 0; i < n; i++)
		cda_size_packages_push(
			&size->packages,
			(struct cda_size_package){keys[i].index, packed[keys[i].index]});
}

static void sort_files(struct cda_size *size)
{
	CDA_AUTOFREE struct keyed *keys = cda_alloc0(size->files.n + 1, sizeof(*keys));

	for (size_t i = 0; i < size->files.n; i++) {
		const struct cda_tree_entry *entry = size->image.tree->v[size->files.v[i].entry];

		keys[i] =
			(struct keyed){entry->inode->size, entry->path, "", size->files.v[i].entry};
	}
	qsort(keys, size->files.n, sizeof(*keys), by_size);
	for (size_t i = 0; i < size->files.n; i++)
		size->files.v[i].entry = keys[i].index;
}

/* --- folders --- */

static size_t index_of(const struct cda_tree *tree, const struct cda_tree_entry *entry)
{
	size_t low = 0, high = tree->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree->v[middle]->path, entry->path) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Sums of every folder with all below; largest[i]: of the folders right in it. */
static void sum_folders(const struct cda_size *size, bool loose, struct cda_size_folder *sums,
			uint64_t *largest)
{
	const struct cda_tree *tree = size->image.tree;

	for (size_t i = tree->n; i-- > 0;) {
		const struct cda_tree_entry *entry = tree->v[i];
		bool folder = entry->inode->type == CDA_TREE_FOLDER;
		size_t at;

		sums[i].path = entry->path;
		if (!folder && entry->inode->type == CDA_TREE_FILE && !entry->first &&
		    (!loose || size->inv.owner[i] < 0)) {
			sums[i].size = entry->inode->size;
			sums[i].packed = size->image.packed[i];
			sums[i].files = 1;
		}
		if (!entry->parent)
			continue;
		at = index_of(tree, entry->parent);
		sums[at].size += sums[i].size;
		sums[at].packed += sums[i].packed;
		sums[at].files += sums[i].files;
		if (folder && sums[i].size > largest[at])
			largest[at] = sums[i].size;
	}
}

static void find_folders(const struct cda_size *size, bool loose, struct cda_size_folders *out)
{
	const struct cda_tree *tree = size->image.tree;
	CDA_AUTOFREE struct cda_size_folder *sums = cda_alloc0(tree->n + 1, sizeof(*sums));
	CDA_AUTOFREE uint64_t *largest = cda_alloc0(tree->n + 1, sizeof(*largest));
	CDA_AUTOFREE struct keyed *keys = NULL;
	uint64_t all = loose ? size->kinds[CDA_SIZE_NOBODY].size : size->all.size;
	size_t n = 0;

	sum_folders(size, loose, sums, largest);
	keys = cda_alloc0(tree->n + 1, sizeof(*keys));
	for (size_t i = 0; i < tree->n; i++)
		if (tree->v[i]->inode->type == CDA_TREE_FOLDER && sums[i].size > 0 &&
		    sums[i].size >= all / folder_share &&
		    largest[i] < sums[i].size / 100 * one_child_percent + 1)
			keys[n++] = (struct keyed){sums[i].size, sums[i].path, "", i};
	qsort(keys, n, sizeof(*keys), by_size);
	for (size_t i = 0; i < n; i++)
		cda_size_folders_push(out, sums[keys[i].index]);
}

/* --- duplicates --- */

struct hashed {
	char sha256[65];
	size_t entry;
};

static int add_hash(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	cda_hash_add(ctx, p, len);
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;
	int rc = strcmp(x->sha256, y->sha256);

	return rc ? rc : (x->entry > y->entry) - (x->entry < y->entry);
}

static void add_twins(struct cda_size *size, const struct hashed *v, size_t count)
{
	struct cda_size_twins twins = {.count = count,
				       .size = size->image.tree->v[v->entry]->inode->size};

	memcpy(twins.sha256, v->sha256, sizeof(twins.sha256));
	twins.wasted = twins.size * (count - 1);
	twins.entries = cda_alloc(sizeof(*twins.entries) * count);
	for (size_t i = 0; i < count; i++)
		twins.entries[i] = v[i].entry;
	size->wasted += twins.wasted;
	cda_size_duplicates_push(&size->duplicates, twins);
}

/* Those of the files from..to, which have one size, that have one content. */
static int compare_files(struct cda_size *size, size_t from, size_t to, struct cda_err *err)
{
	CDA_AUTOFREE struct hashed *v = cda_alloc0(to - from, sizeof(*v));
	size_t n = to - from;

	for (size_t i = 0; i < n; i++) {
		CDA_CLEANUP(cda_hash_freep) struct cda_hash *hash = cda_hash_new(CDA_SHA256);
		char hex[CDA_HASH_HEX_MAX];
		int rc;

		v[i].entry = size->files.v[from + i].entry;
		rc = cda_tree_content(size->image.tree, size->image.tree->v[v[i].entry], add_hash,
				      hash, err);
		if (rc)
			return rc;
		cda_hash_hex(hash, hex);
		memcpy(v[i].sha256, hex, 64);
	}
	qsort(v, n, sizeof(*v), by_hash);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && cda_streq(v[i].sha256, v[k].sha256);)
			k++;
		if (k - i > 1)
			add_twins(size, v + i, k - i);
	}
	return 0;
}

static int find_duplicates(struct cda_size *size, struct cda_err *err)
{
	const struct cda_tree *tree = size->image.tree;
	size_t n = size->files.n;
	CDA_AUTOFREE struct keyed *keys = NULL;
	CDA_AUTOFREE struct cda_size_twins *sorted = NULL;

	for (size_t i = 0, k; i < n; i = k) {
		uint64_t bytes = tree->v[size->files.v[i].entry]->inode->size;
		int rc;

		for (k = i + 1; k < n && tree->v[size->files.v[k].entry]->inode->size == bytes;)
			k++;
		if (!bytes || k - i < 2)
			continue;
		rc = compare_files(size, i, k, err);
		if (rc)
			return rc;
	}
	n = size->duplicates.n;
	keys = cda_alloc0(n + 1, sizeof(*keys));
	sorted = cda_alloc0(n + 1, sizeof(*sorted));
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct keyed){size->duplicates.v[i].wasted,
					 tree->v[size->duplicates.v[i].entries[0]]->path, "", i};
	qsort(keys, n, sizeof(*keys), by_size);
	for (size_t i = 0; i < n; i++)
		sorted[i] = size->duplicates.v[keys[i].index];
	if (n)
		memcpy(size->duplicates.v, sorted, n * sizeof(*sorted));
	return 0;
}

int cda_size_read(const char *path, const struct cda_oci_options *options, struct cda_size *ret,
		  struct cda_err *err)
{
	struct cda_size size = {0};
	CDA_AUTOFREE uint64_t *packed = NULL;
	int rc = cda_oci_read(path, options, &size.image, err);

	if (rc)
		return rc;
	rc = cda_inventory_read(size.image.tree, &size.inv, err);
	if (rc) {
		cda_oci_done(&size.image);
		return rc;
	}
	size.path = cda_strdup(path);
	size.estimate = options && options->estimate_zstd ? "zstd level 3" : "gzip level 6";
	packed = cda_alloc0(size.inv.packages.n + 1, sizeof(*packed));
	count_entries(&size, packed);
	sort_packages(&size, packed);
	sort_files(&size);
	find_folders(&size, false, &size.tops);
	find_folders(&size, true, &size.loose);
	rc = find_duplicates(&size, err);
	if (rc) {
		cda_size_done(&size);
		return rc;
	}
	*ret = size;
	return 0;
}

void cda_size_done(struct cda_size *size)
{
	if (size->inv.arena)
		cda_inventory_done(&size->inv);
	cda_oci_done(&size->image);
	free(size->path);
	cda_size_packages_done(&size->packages);
	cda_size_folders_done(&size->tops);
	cda_size_folders_done(&size->loose);
	cda_size_files_done(&size->files);
	cda_vec_each (twins, &size->duplicates)
		free(twins->entries);
	cda_size_duplicates_done(&size->duplicates);
	*size = (struct cda_size){0};
}
