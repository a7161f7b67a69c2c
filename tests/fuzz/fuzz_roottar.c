/* Whatever a root file system's archive holds: it is refused with one line, or every path of the
 * tree stays inside, lies in a folder, is there once and has its whole content; and the layer that
 * is written of it reads back as the same tree. The first byte says whether it is a layer. */
#include "fuzz.h"
#include "image/layer.h"
#include "image/tree.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

enum { bytes_max = 1 << 20, entries_max = 200 };

static int64_t give(void *ctx, const void **ret_block, struct cda_err *err)
{
	struct cda_str *rest = ctx;
	size_t len = rest->len;

	*ret_block = rest->p;
	rest->len = 0;
	return (int64_t)len;
}

static void check_tree(const struct cda_tree *tree)
{
	uint64_t bytes = 0;

	HOLDS(tree->n <= entries_max);
	for (size_t i = 0; i < tree->n; i++) {
		const struct cda_tree_entry *entry = tree->v[i];
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		struct cda_err err = {0};

		HOLDS(cda_fs_path_is_inside(entry->path) && entry->index == i);
		HOLDS(i == 0 || strcmp(tree->v[i - 1]->path, entry->path) < 0);
		HOLDS(!strstr(entry->path, ".wh.") || !cda_starts_with(entry->name, ".wh."));
		HOLDS(!entry->parent == !strchr(entry->path, '/'));
		HOLDS(!entry->parent || entry->parent->inode->type == CDA_TREE_FOLDER);
		HOLDS(!entry->child || entry->inode->type == CDA_TREE_FOLDER);
		HOLDS(!entry->first || (entry->first->inode == entry->inode &&
					entry->first->index < i && !entry->first->first));
		HOLDS((entry->inode->type == CDA_TREE_LINK) == (entry->inode->target != NULL));
		if (entry->first || entry->inode->type != CDA_TREE_FILE)
			continue;
		HOLDS(cda_tree_read(tree, entry, bytes_max, &text, &err) == 0);
		HOLDS(text.len == entry->inode->size);
		bytes += text.len;
	}
	HOLDS(bytes <= bytes_max);
}

static void check_round(const struct cda_tree *tree)
{
	const struct cda_layer_options options = {.epoch = INT64_C(1) << 40};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *again = cda_tree_new(NULL);
	CDA_AUTOCLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct cda_packed packed;
	struct cda_err err = {0};

	HOLDS(fd >= 0 && cda_layer_write(tree, NULL, &options, fd, &packed, &err) == 0);
	HOLDS(lseek(fd, 0, SEEK_SET) == 0);
	if (cda_tree_add_tar(again, fd, "again", 0, &err) != 0) {
		/* names that are not UTF-8 do not come back through a record */
		HOLDS(err.code == CDA_E_ARCHIVE);
		cda_err_done(&err);
		return;
	}
	cda_tree_sort(again);
	HOLDS(again->n == tree->n);
	for (size_t i = 0; i < tree->n; i++) {
		const struct cda_tree_entry *a = tree->v[i], *b = again->v[i];

		HOLDS(cda_streq(a->path, b->path) && !a->first == !b->first);
		HOLDS(a->inode->type == b->inode->type && a->inode->mode == b->inode->mode);
		HOLDS(a->inode->uid == b->inode->uid && a->inode->size == b->inode->size);
		HOLDS(cda_streq(a->inode->target, b->inode->target));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct cda_tree_limits limits = {.max_bytes = bytes_max, .max_entries = entries_max};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(&limits);
	unsigned flags = len && p[0] & 1 ? CDA_TREE_LAYER : 0;
	struct cda_str rest = {(const char *)p + (len > 0), len ? len - 1 : 0};
	struct cda_err err = {0};
	int rc = cda_tree_add_stream(tree, give, &rest, "fuzz", flags, &err);

	if (rc) {
		HOLDS(err.code == CDA_E_ARCHIVE && err.msg);
		cda_err_done(&err);
	}
	cda_tree_sort(tree);
	check_tree(tree);
	if (!rc)
		check_round(tree);
	return 0;
}
