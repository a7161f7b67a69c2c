#include "image/tree.h"
#include "image/tree_state.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <string.h>

enum { chunk_size = 256 * 1024 };
#define MAX_BYTES ((uint64_t)256 << 30)
#define MAX_ENTRIES ((uint64_t)4000000)
#define MAX_NAMES ((uint64_t)512 << 20)

struct cda_tree *cda_tree_new(const struct cda_tree_limits *limits)
{
	struct cda_tree *tree = cda_new0(struct cda_tree);
	struct cda_tree_state *state = cda_new0(struct cda_tree_state);

	tree->state = state;
	state->arena = cda_arena_new();
	state->paths = cda_map_new();
	state->spool = state->root = -1;
	if (limits)
		state->limits = *limits;
	if (!state->limits.max_bytes)
		state->limits.max_bytes = MAX_BYTES;
	if (!state->limits.max_entries)
		state->limits.max_entries = MAX_ENTRIES;
	if (!state->limits.max_names)
		state->limits.max_names = MAX_NAMES;
	return tree;
}

struct cda_tree *cda_tree_free(struct cda_tree *tree)
{
	if (!tree)
		return NULL;
	cda_map_free(tree->state->paths);
	cda_arena_free(tree->state->arena);
	if (tree->state->spool >= 0)
		close(tree->state->spool);
	if (tree->state->root >= 0)
		close(tree->state->root);
	free(tree->state);
	free(tree->v);
	free(tree);
	return NULL;
}

struct cda_tree_inode *cda_tree_inode_new(struct cda_tree *tree, enum cda_tree_type type)
{
	struct cda_tree_inode *inode =
		cda_arena_alloc0(tree->state->arena, 1, sizeof(struct cda_tree_inode));

	inode->type = type;
	inode->offset = -1;
	return inode;
}

static struct cda_tree_entry **siblings(struct cda_tree *tree, const struct cda_tree_entry *parent)
{
	return parent ? &((struct cda_tree_entry *)parent)->child : &tree->state->top;
}

static void unlink_entry(struct cda_tree *tree, struct cda_tree_entry *entry)
{
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		*siblings(tree, entry->parent) = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
	entry->next = entry->prev = NULL;
	cda_map_remove(tree->state->paths, entry->path);
}

void cda_tree_remove(struct cda_tree *tree, struct cda_tree_entry *entry)
{
	while (entry->child)
		cda_tree_remove(tree, entry->child);
	unlink_entry(tree, entry);
}

void cda_tree_hide(struct cda_tree *tree, struct cda_tree_entry *entry)
{
	struct cda_tree_entry *next;

	for (struct cda_tree_entry *child = entry->child; child; child = next) {
		next = child->next;
		cda_tree_hide(tree, child);
	}
	if (!entry->child && entry->layer < tree->state->layer)
		unlink_entry(tree, entry);
}

int cda_tree_count(struct cda_tree *tree, const char *path, uint64_t size, struct cda_err *err)
{
	struct cda_tree_state *state = tree->state;

	if (size > state->limits.max_bytes - state->bytes)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is too large, or all of it", path);
	state->bytes += size;
	return 0;
}

int cda_tree_count_names(struct cda_tree *tree, size_t len, struct cda_err *err)
{
	struct cda_tree_state *state = tree->state;

	if (len > state->limits.max_names - state->names)
		return cda_err_set(err, CDA_E_ARCHIVE, "its names and attributes are too many");
	state->names += len;
	return 0;
}

static int check_path(const char *path, struct cda_err *err)
{
	struct cda_str rest = cda_str(path), part;

	if (rest.len >= CDA_TREE_PATH_MAX)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%.60s...': the path is too long", path);
	while (cda_str_cut(&rest, "/", &part)) {
		if (part.len > CDA_TREE_NAME_MAX)
			return cda_err_set(err, CDA_E_ARCHIVE, "'%.60s...': the name is too long",
					   path);
		if (part.len >= strlen(CDA_TREE_WHITEOUT) &&
		    memcmp(part.p, CDA_TREE_WHITEOUT, strlen(CDA_TREE_WHITEOUT)) == 0)
			return cda_err_set(err, CDA_E_ARCHIVE,
					   "'%s': in an image such a name removes a file", path);
	}
	return 0;
}

static int new_entry(struct cda_tree *tree, const char *path, struct cda_tree_entry *parent,
		     struct cda_tree_entry **ret_entry, struct cda_err *err)
{
	struct cda_tree_state *state = tree->state;
	struct cda_tree_entry *entry, **head = siblings(tree, parent);
	int rc = cda_tree_count_names(tree, strlen(path), err);

	if (rc)
		return rc;
	if (state->entries >= state->limits.max_entries)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is one entry too many", path);
	state->entries++;
	entry = cda_arena_alloc0(state->arena, 1, sizeof(*entry));
	entry->path = cda_arena_strdup(state->arena, path);
	entry->name = cda_path_basename(entry->path);
	entry->parent = parent;
	entry->next = *head;
	if (*head)
		(*head)->prev = entry;
	*head = entry;
	cda_map_set(state->paths, path, entry);
	*ret_entry = entry;
	return 0;
}

/* The folder at path, made where it lacks; NULL for the top. */
static int folder_at(struct cda_tree *tree, const char *path, int64_t mtime,
		     struct cda_tree_entry **ret_entry, struct cda_err *err)
{
	struct cda_tree_entry *entry = NULL, *parent = NULL;

	for (const char *end = path; *end; end += *end == '/') {
		end += strcspn(end, "/");
		entry = cda_map_getn(tree->state->paths, path, (size_t)(end - path));
		if (!entry) {
			CDA_AUTOFREE char *part = cda_strndup(path, (size_t)(end - path));
			int rc = new_entry(tree, part, parent, &entry, err);

			if (rc)
				return rc;
			entry->inode = cda_tree_inode_new(tree, CDA_TREE_FOLDER);
			entry->inode->mode = 0755;
			entry->inode->mtime = mtime;
			entry->layer = tree->state->layer;
		} else if (entry->inode->type != CDA_TREE_FOLDER) {
			return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is no folder", entry->path);
		}
		parent = entry;
	}
	*ret_entry = entry;
	return 0;
}

int cda_tree_put(struct cda_tree *tree, const char *path, struct cda_tree_inode *inode,
		 struct cda_tree_entry **ret_entry, struct cda_err *err)
{
	struct cda_tree_entry *parent = NULL, *entry;
	const char *slash = strrchr(path, '/');
	int rc = check_path(path, err);

	if (!rc && slash) {
		CDA_AUTOFREE char *above = cda_strndup(path, (size_t)(slash - path));

		rc = folder_at(tree, above, inode->mtime, &parent, err);
		if (rc)
			return cda_err_wrap(err, rc, "'%s'", path);
	}
	if (rc)
		return rc;
	entry = cda_map_get(tree->state->paths, path);
	if (entry && (inode->type != CDA_TREE_FOLDER || entry->inode->type != CDA_TREE_FOLDER)) {
		cda_tree_remove(tree, entry);
		entry = NULL;
	}
	if (!entry) {
		rc = new_entry(tree, path, parent, &entry, err);
		if (rc)
			return rc;
	}
	entry->inode = inode;
	entry->layer = tree->state->layer;
	if (ret_entry)
		*ret_entry = entry;
	return 0;
}

int cda_tree_temporary(int *ret_fd, struct cda_err *err)
{
	const char *dir = getenv("TMPDIR");
	CDA_AUTOFREE char *path = cda_path_join(dir && *dir ? dir : "/tmp", "condense-XXXXXX");

	*ret_fd = mkostemp(path, O_CLOEXEC);
	if (*ret_fd < 0)
		return cda_err_sys(err, errno, "cannot make the temporary file '%s'", path);
	unlink(path);
	return 0;
}

int cda_tree_spool(struct cda_tree *tree, struct cda_err *err)
{
	return tree->state->spool >= 0 ? 0 : cda_tree_temporary(&tree->state->spool, err);
}

int cda_tree_add_text(struct cda_tree *tree, const char *path, const void *p, size_t len,
		      unsigned mode, int64_t mtime, struct cda_err *err)
{
	struct cda_tree_state *state = tree->state;
	struct cda_tree_inode *inode = cda_tree_inode_new(tree, CDA_TREE_FILE);
	int rc;

	if (!cda_fs_path_is_inside(path))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no path within an image", path);
	rc = cda_tree_spool(tree, err);
	if (rc)
		return rc;
	inode->mode = mode;
	inode->mtime = mtime;
	inode->size = len;
	inode->offset = state->spool_end;
	for (size_t at = 0; at < len;) {
		ssize_t n = pwrite(state->spool, (const char *)p + at, len - at,
				   state->spool_end + (int64_t)at);

		if (n < 0 && errno != EINTR)
			return cda_err_sys(err, errno, "cannot write a temporary file");
		at += n > 0 ? (size_t)n : 0;
	}
	state->spool_end += (int64_t)len;
	return cda_tree_put(tree, path, inode, NULL, err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct cda_tree_entry *const *)a)->path,
		      (*(struct cda_tree_entry *const *)b)->path);
}

/* By inode, and within it by path. */
static int by_inode(const void *a, const void *b)
{
	const struct cda_tree_entry *x = *(struct cda_tree_entry *const *)a;
	const struct cda_tree_entry *y = *(struct cda_tree_entry *const *)b;

	if (x->inode != y->inode)
		return (uintptr_t)x->inode < (uintptr_t)y->inode ? -1 : 1;
	return strcmp(x->path, y->path);
}

void cda_tree_sort(struct cda_tree *tree)
{
	struct cda_tree_entry *first = NULL;
	size_t at = 0;
	void *value;

	tree->n = 0;
	tree->v = cda_realloc(tree->v, cda_map_count(tree->state->paths) + 1, sizeof(*tree->v));
	while (cda_map_next(tree->state->paths, &at, NULL, &value))
		tree->v[tree->n++] = value;
	qsort(tree->v, tree->n, sizeof(*tree->v), by_inode);
	for (size_t i = 0; i < tree->n; i++) {
		bool same = first && first->inode == tree->v[i]->inode;

		tree->v[i]->first = same ? first : NULL;
		if (!same)
			first = tree->v[i];
	}
	qsort(tree->v, tree->n, sizeof(*tree->v), by_path);
	for (size_t i = 0; i < tree->n; i++)
		tree->v[i]->index = i;
}

struct cda_tree_entry *cda_tree_find(const struct cda_tree *tree, const char *path)
{
	return cda_map_get(tree->state->paths, path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cda_tree_xattr *)a)->name,
		      ((const struct cda_tree_xattr *)b)->name);
}

void cda_tree_sort_xattrs(struct cda_tree_inode *inode)
{
	if (inode->nxattrs)
		qsort(inode->xattrs, inode->nxattrs, sizeof(*inode->xattrs), by_name);
}

/* ------------------------------------------------------------------------------ content */

/* The file that has the content: the temporary one, or (*opened too, for the caller to close) that
 * of the folder. -1 with err set. */
static int open_content(const struct cda_tree *tree, const struct cda_tree_entry *entry,
			int *opened, struct cda_err *err)
{
	if (entry->inode->type != CDA_TREE_FILE) {
		cda_err_set(err, CDA_E_VALUE, "'%s' is no file", entry->path);
		return -1;
	}
	if (entry->inode->offset >= 0)
		return tree->state->spool;
	*opened = cda_fs_open_beneath(tree->state->root, entry->inode->from,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (*opened < 0)
		cda_err_sys(err, errno, "cannot open '%s'", entry->path);
	return *opened;
}

static ssize_t read_at(int fd, void *p, size_t len, int64_t at)
{
	ssize_t n;

	do
		n = pread(fd, p, len, at);
	while (n < 0 && errno == EINTR && !cda_interrupted);
	return n;
}

int cda_tree_content(const struct cda_tree *tree, const struct cda_tree_entry *entry,
		     cda_tree_sink *sink, void *ctx, struct cda_err *err)
{
	CDA_AUTOCLOSE int opened = -1;
	CDA_AUTOFREE char *chunk = NULL;
	int64_t at = entry->inode->offset >= 0 ? entry->inode->offset : 0;
	uint64_t left = entry->inode->size;
	int fd = open_content(tree, entry, &opened, err);

	if (fd < 0)
		return -(int)err->code;
	chunk = cda_alloc(chunk_size);
	while (left) {
		ssize_t n = read_at(fd, chunk, left < chunk_size ? (size_t)left : chunk_size, at);
		int rc;

		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (n < 0)
			return cda_err_sys(err, errno, "cannot read '%s'", entry->path);
		if (n == 0)
			break;
		rc = sink(ctx, chunk, (size_t)n, err);
		if (rc < 0)
			return rc;
		left -= (uint64_t)n;
		at += n;
	}
	if (left || (opened >= 0 && read_at(fd, chunk, 1, at) != 0))
		return cda_err_set(err, CDA_E_VALUE, "'%s' changed while it was read", entry->path);
	return 0;
}

int cda_tree_head(const struct cda_tree *tree, const struct cda_tree_entry *entry, size_t len,
		  struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOCLOSE int opened = -1;
	int64_t at = entry->inode->offset >= 0 ? entry->inode->offset : 0;
	int fd = open_content(tree, entry, &opened, err);
	ssize_t n;

	if (fd < 0)
		return -(int)err->code;
	if (len > entry->inode->size)
		len = (size_t)entry->inode->size;
	cda_buf_reserve(out, len);
	n = read_at(fd, out->p + out->len, len, at);
	if (n < 0)
		return cda_err_sys(err, errno, "cannot read '%s'", entry->path);
	out->len += (size_t)n;
	out->p[out->len] = '\0';
	return 0;
}

static int add_to_buf(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	cda_buf_add(ctx, p, len);
	return 0;
}

int cda_tree_read(const struct cda_tree *tree, const struct cda_tree_entry *entry, size_t max,
		  struct cda_buf *out, struct cda_err *err)
{
	size_t before = out->len;
	int rc;

	if (entry->inode->size > max)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is larger than %zu bytes", entry->path,
				   max);
	rc = cda_tree_content(tree, entry, add_to_buf, out, err);
	if (rc < 0)
		cda_buf_cut(out, before);
	return rc;
}
