#include "image/inventory.h"
#include "image/inventory_parse.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

/* Largest file of a database that is read, and how many links a path may lead through. */
enum { text_max = 64 << 20, copyright_max = 1 << 20, links_max = 40 };
enum { packages_max = 1 << 20, names_max = 64, path_max = 4096 };

struct reader {
	const struct cda_tree *tree;
	struct cda_inventory *inv;
	struct cda_map *folders; /* text to its resolved text, in the arena; NULL value: nowhere */
	size_t current;          /* the package whose paths come */
	const char *base;        /* what they are relative to */
};

static const char *const kind_names[CDA_INV_KINDS] = {"dpkg", "apk", "conda", "pip"};

const char *cda_inv_kind_name(enum cda_inv_kind kind)
{
	return kind_names[kind];
}

static int compare(const struct cda_inv_package *a, const struct cda_inv_package *b)
{
	int rc = (a->kind > b->kind) - (a->kind < b->kind);

	if (!rc)
		rc = strcmp(a->place, b->place);
	if (!rc)
		rc = strcmp(a->name, b->name);
	if (!rc)
		rc = strcmp(a->version, b->version);
	return rc ? rc : strcmp(a->arch ? a->arch : "", b->arch ? b->arch : "");
}

/* --- paths --- */

/* Index of the first entry that is not before path. */
static size_t bound_of(const struct cda_tree *tree, const char *path)
{
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree->v[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Index of the entry at path, or -1. */
static int64_t index_of(const struct cda_tree *tree, const char *path)
{
	size_t at = bound_of(tree, path);

	return at < tree->n && cda_streq(tree->v[at]->path, path) ? (int64_t)at : -1;
}

/* Follows the links among the folders of an absolute normal path; "" is the root. */
static const char *resolve_folder(struct reader *r, const char *path)
{
	CDA_AUTOFREE char *todo = cda_strdup(path);
	CDA_AUTOBUF struct cda_buf done = CDA_BUF_INIT;
	const char *result;
	unsigned links = 0;

	if (cda_map_has(r->folders, path))
		return cda_map_get(r->folders, path);
	for (size_t at = 0; todo[at];) {
		size_t n = strspn(todo + at, "/"), len = strcspn(todo + at + n, "/"), before;
		const struct cda_tree_entry *entry;

		if (!len)
			break;
		before = done.len;
		if (done.len)
			cda_buf_addc(&done, '/');
		cda_buf_add(&done, todo + at + n, len);
		at += n + len;
		entry = cda_tree_find(r->tree, done.p);
		if (!entry || entry->inode->type != CDA_TREE_LINK)
			continue;
		if (++links > links_max) {
			cda_map_set(r->folders, path, NULL);
			return NULL;
		}
		cda_buf_cut(&done, before);
		const char *target = entry->inode->target;
		CDA_AUTOFREE char *joined =
			target[0] == '/' ? cda_asprintf("%s%s", target, todo + at)
					 : cda_asprintf("/%s/%s%s", done.p, target, todo + at);

		free(todo);
		todo = cda_path_normal(joined, "/", NULL);
		cda_buf_clear(&done);
		at = 0;
	}
	result = cda_arena_strdup(r->inv->arena, done.p);
	cda_map_set(r->folders, path, (void *)(uintptr_t)result);
	return result;
}

/* Index of the entry that base/path names, through links to folders; -1. */
static int64_t locate(struct reader *r, const char *base, struct cda_str path)
{
	CDA_AUTOFREE char *joined =
		path.p[0] == '/' ? cda_asprintf(CDA_STR_FMT, CDA_STR_ARG(path))
				 : cda_asprintf("/%s/" CDA_STR_FMT, base, CDA_STR_ARG(path));
	CDA_AUTOFREE char *normal = cda_path_normal(joined, "/", NULL);
	char *slash = strrchr(normal, '/');
	const char *folder;
	int64_t found = index_of(r->tree, normal + 1);

	if (found >= 0 || slash == normal)
		return found;
	*slash = '\0';
	folder = resolve_folder(r, normal);
	if (!folder)
		return -1;
	CDA_AUTOFREE char *real =
		*folder ? cda_asprintf("%s/%s", folder, slash + 1) : cda_strdup(slash + 1);

	return index_of(r->tree, real);
}

static void claim(struct reader *r, int64_t index, size_t package)
{
	int32_t *owner;
	const struct cda_inv_package *v = r->inv->packages.v;

	if (index < 0 || r->tree->v[index]->inode->type == CDA_TREE_FOLDER)
		return;
	owner = &r->inv->owner[index];
	if (*owner < 0 || compare(&v[package], &v[*owner]) < 0)
		*owner = (int32_t)package;
}

static bool goes_up(struct cda_str path)
{
	struct cda_str part;

	while (cda_str_cut(&path, "/", &part))
		if (cda_str_eq(part, CDA_STR("..")))
			return true;
	return false;
}

static void claim_path(void *ctx, struct cda_str path)
{
	struct reader *r = ctx;

	/* pip alone lists what lies outside its folder: programs */
	if (path.len < path_max &&
	    (r->inv->packages.v[r->current].kind == CDA_INV_PIP || !goes_up(path)))
		claim(r, locate(r, r->base, path), r->current);
}

static void begin_package(void *ctx, size_t index)
{
	struct reader *r = ctx;

	r->current = index;
}

/* --- files --- */

/* Appends the file; false where there is none. A file that cannot be read is a note. */
static bool read_entry(struct reader *r, int64_t index, size_t max, struct cda_buf *out)
{
	struct cda_err err = {0};
	const struct cda_tree_entry *entry = index < 0 ? NULL : r->tree->v[index];

	if (!entry || entry->inode->type != CDA_TREE_FILE)
		return false;
	if (cda_tree_read(r->tree, entry, max, out, &err)) {
		cda_strv_pushf(&r->inv->notes, "cannot read '%s': %s", entry->path, err.msg);
		cda_err_done(&err);
		return false;
	}
	return true;
}

static bool read_path(struct reader *r, const char *path, size_t max, struct cda_buf *out)
{
	return read_entry(r, locate(r, "", cda_str(path)), max, out);
}

static bool has_room(struct reader *r, const char *path)
{
	if (r->inv->packages.n < packages_max)
		return true;
	cda_strv_pushf(&r->inv->notes, "'%s' is left out: too many packages", path);
	return false;
}

/* --- dpkg --- */

static void add_names(struct reader *r, struct cda_map *by_name, size_t first)
{
	for (size_t i = first; i < r->inv->packages.n; i++) {
		const struct cda_inv_package *p = &r->inv->packages.v[i];
		CDA_AUTOFREE char *full = cda_asprintf("%s:%s", p->name, p->arch ? p->arch : "all");

		cda_map_set(by_name, full, (void *)(uintptr_t)(i + 1));
		if (!cda_map_has(by_name, p->name))
			cda_map_set(by_name, p->name, (void *)(uintptr_t)(i + 1));
	}
}

/* Whose file of the database this is: "NAME.list", "NAME:ARCH.md5sums"; 0 for nobody's. */
static size_t whose(const struct cda_map *by_name, const char *name, const char **ret_ending)
{
	const char *dot = strrchr(name, '.');

	*ret_ending = dot ? dot : "";
	return dot ? (size_t)(uintptr_t)cda_map_getn(by_name, name, (size_t)(dot - name)) : 0;
}

static void read_dpkg_folder(struct reader *r, const char *folder, const struct cda_map *by_name)
{
	for (size_t i = 0; i < r->tree->n; i++) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		const struct cda_tree_entry *entry = r->tree->v[i];
		const char *ending;
		size_t package;

		if (!entry->parent || !cda_streq(entry->parent->path, folder))
			continue;
		package = whose(by_name, entry->name, &ending);
		if (!package && cda_ends_with(folder, "/status.d"))
			package = (size_t)(uintptr_t)cda_map_get(by_name, entry->name);
		if (!package)
			continue;
		r->current = package - 1;
		r->base = "";
		claim(r, (int64_t)i, package - 1);
		if (cda_streq(ending, ".list") && read_entry(r, (int64_t)i, text_max, &text))
			cda_inv_parse_list(cda_buf_str(&text), claim_path, r);
		else if (cda_streq(ending, ".md5sums") && cda_ends_with(folder, "/status.d") &&
			 read_entry(r, (int64_t)i, text_max, &text))
			cda_inv_parse_md5sums(cda_buf_str(&text), claim_path, r);
	}
}

static void read_dpkg(struct reader *r)
{
	static const char status_d[] = "var/lib/dpkg/status.d";
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_CLEANUP(cda_map_freep) struct cda_map *by_name = cda_map_new();
	struct cda_inventory *inv = r->inv;
	size_t first = inv->packages.n;

	if (read_path(r, "var/lib/dpkg/status", text_max, &text))
		cda_inv_parse_dpkg(cda_buf_str(&text), inv->arena, &inv->packages);
	for (size_t i = 0; i < r->tree->n; i++) {
		const struct cda_tree_entry *entry = r->tree->v[i];

		cda_buf_clear(&text);
		if (entry->parent && cda_streq(entry->parent->path, status_d) &&
		    !cda_ends_with(entry->name, ".md5sums") && has_room(r, entry->path) &&
		    read_entry(r, (int64_t)i, text_max, &text))
			cda_inv_parse_dpkg(cda_buf_str(&text), inv->arena, &inv->packages);
	}
	add_names(r, by_name, first);
	if (inv->packages.n == first)
		return;
	read_dpkg_folder(r, "var/lib/dpkg/info", by_name);
	read_dpkg_folder(r, status_d, by_name);
	for (size_t i = first; i < inv->packages.n; i++) {
		CDA_AUTOFREE char *path =
			cda_asprintf("usr/share/doc/%s/copyright", inv->packages.v[i].name);

		cda_buf_clear(&text);
		if (read_path(r, path, copyright_max, &text))
			inv->packages.v[i].license =
				cda_inv_parse_copyright(cda_buf_str(&text), inv->arena);
	}
}

/* --- apk, conda, pip --- */

static void read_apk(struct reader *r)
{
	static const char *const paths[] = {"lib/apk/db/installed", "usr/lib/apk/db/installed"};
	int64_t before = -1;

	for (size_t i = 0; i < CDA_LEN(paths); i++) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		int64_t index = locate(r, "", cda_str(paths[i]));

		/* with a merged /usr both are one file */
		if (index == before || !read_entry(r, index, text_max, &text))
			continue;
		before = index;
		r->base = "";
		cda_inv_parse_apk(cda_buf_str(&text), r->inv->arena, &r->inv->packages,
				  begin_package, claim_path, r);
	}
}

static void read_conda(struct reader *r, size_t index)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	const struct cda_tree_entry *entry = r->tree->v[index], *meta = entry->parent;

	if (!meta || !cda_streq(meta->name, "conda-meta") || !cda_ends_with(entry->name, ".json") ||
	    !has_room(r, entry->path) || !read_entry(r, (int64_t)index, text_max, &text))
		return;
	r->base = meta->parent ? meta->parent->path : "";
	if (cda_inv_parse_conda(cda_buf_str(&text), r->base, r->inv->arena, &r->inv->packages,
				begin_package, claim_path, r))
		claim(r, (int64_t)index, r->current);
	else
		cda_strv_pushf(&r->inv->notes, "'%s' is no record of a package", entry->path);
}

/* A distribution without a list of its files owns what its top_level.txt names. */
static void claim_top_level(struct reader *r, const char *names)
{
	struct cda_str rest = cda_str(names), name;

	for (size_t left = names_max; left && cda_str_cut(&rest, "\r\n", &name); left--) {
		CDA_AUTOFREE char *folder = NULL;
		CDA_AUTOFREE char *module = NULL;

		if (!name.len || name.len > 255 || name.p[0] == '.')
			continue;
		folder = cda_asprintf("%s%s" CDA_STR_FMT "/", r->base, *r->base ? "/" : "",
				      CDA_STR_ARG(name));
		module = cda_asprintf("%.*s.py", (int)(strlen(folder) - 1), folder);
		claim(r, index_of(r->tree, module), r->current);
		for (size_t i = bound_of(r->tree, folder);
		     i < r->tree->n && cda_starts_with(r->tree->v[i]->path, folder); i++) {
			/* another's already: it will not be walked over and over */
			if (r->inv->owner[i] >= 0)
				break;
			claim(r, (int64_t)i, r->current);
		}
	}
}

/* metadata: the entry of METADATA, PKG-INFO, or of a file NAME.egg-info. */
static void read_pip(struct reader *r, size_t metadata)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	const struct cda_tree_entry *entry = r->tree->v[metadata];
	bool alone = cda_ends_with(entry->name, ".egg-info");
	const struct cda_tree_entry *info = alone ? entry : entry->parent;
	const struct cda_tree_entry *site = info->parent;
	struct cda_inv_package package;
	size_t n = strlen(info->path);
	bool listed = false;

	if (r->inv->owner[metadata] >= 0 || !has_room(r, entry->path) ||
	    !read_entry(r, (int64_t)metadata, text_max, &text))
		return;
	if (!cda_inv_parse_metadata(cda_buf_str(&text), r->inv->arena, &package)) {
		cda_strv_pushf(&r->inv->notes, "'%s' has no name and version", entry->path);
		return;
	}
	package.place = r->base = site ? site->path : "";
	r->current = r->inv->packages.n;
	cda_inv_packages_push(&r->inv->packages, package);
	claim(r, (int64_t)metadata, r->current);
	for (size_t i = bound_of(r->tree, info->path); i < r->tree->n; i++) {
		const struct cda_tree_entry *near = r->tree->v[i];

		if (strncmp(near->path, info->path, n) != 0)
			break;
		if (near->parent != info)
			continue;
		claim(r, (int64_t)i, r->current);
		cda_buf_clear(&text);
		if (cda_streq(near->name, "RECORD")) {
			if (!read_entry(r, (int64_t)i, text_max, &text))
				continue;
			cda_inv_parse_record(cda_buf_str(&text), claim_path, r);
			listed = true;
		} else if (cda_streq(near->name, "installed-files.txt")) {
			if (!read_entry(r, (int64_t)i, text_max, &text))
				continue;
			r->base = info->path;
			cda_inv_parse_list(cda_buf_str(&text), claim_path, r);
			r->base = package.place;
			listed = true;
		} else if (cda_streq(near->name, "top_level.txt") && !listed &&
			   cda_ends_with(info->name, ".egg-info") &&
			   read_entry(r, (int64_t)i, copyright_max, &text)) {
			claim_top_level(r, text.p);
		}
	}
}

static bool is_pip_metadata(const struct cda_tree_entry *entry)
{
	const struct cda_tree_entry *info = entry->parent;

	if (entry->inode->type != CDA_TREE_FILE)
		return false;
	if (cda_ends_with(entry->name, ".egg-info"))
		return true;
	if (!info)
		return false;
	return (cda_streq(entry->name, "METADATA") && cda_ends_with(info->name, ".dist-info")) ||
	       (cda_streq(entry->name, "PKG-INFO") && cda_ends_with(info->name, ".egg-info"));
}

/* --- what follows from the claims --- */

/* Byte code belongs to whom its source does: D/__pycache__/STEM.*.pyc to the owner of D/STEM.py. */
static void own_byte_code(struct reader *r)
{
	for (size_t i = 0; i < r->tree->n; i++) {
		const struct cda_tree_entry *entry = r->tree->v[i], *cache = entry->parent;
		const char *dot = strchr(entry->name, '.');
		int64_t source;

		if (r->inv->owner[i] >= 0 || !cache || !dot ||
		    !cda_streq(cache->name, "__pycache__") || !cda_ends_with(entry->name, ".pyc"))
			continue;
		CDA_AUTOFREE char *path = cda_asprintf(
			"%s%s%.*s.py", cache->parent ? cache->parent->path : "",
			cache->parent ? "/" : "", (int)(dot - entry->name), entry->name);

		source = index_of(r->tree, path);
		if (source >= 0 && r->inv->owner[source] >= 0)
			claim(r, (int64_t)i, (size_t)r->inv->owner[source]);
	}
}

/* The names of a hard-linked file have one owner, so that its bytes have. */
static void own_links(struct reader *r)
{
	int32_t *owner = r->inv->owner;

	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < r->tree->n; i++) {
			const struct cda_tree_entry *first = r->tree->v[i]->first;
			int64_t at = first ? index_of(r->tree, first->path) : -1;

			if (at >= 0 && pass == 0 && owner[i] >= 0)
				claim(r, at, (size_t)owner[i]);
			else if (at >= 0 && pass == 1 && owner[i] < 0)
				owner[i] = owner[at];
		}
}

static void own_folders(struct reader *r)
{
	enum { unknown = -2 };
	int32_t *owner = r->inv->owner;

	for (size_t i = 0; i < r->tree->n; i++)
		if (r->tree->v[i]->inode->type == CDA_TREE_FOLDER)
			owner[i] = unknown;
	/* what is below comes behind */
	for (size_t i = r->tree->n; i-- > 0;) {
		const struct cda_tree_entry *parent = r->tree->v[i]->parent;
		int64_t at = parent ? index_of(r->tree, parent->path) : -1;

		if (owner[i] == unknown)
			owner[i] = CDA_INV_NOBODY;
		if (at < 0)
			continue;
		if (owner[at] == unknown)
			owner[at] = owner[i];
		else if (owner[at] != owner[i])
			owner[at] = CDA_INV_NOBODY;
	}
}

struct ranked {
	struct cda_inv_package package;
	size_t before;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int rc = compare(&x->package, &y->package);

	return rc ? rc : (x->before > y->before) - (x->before < y->before);
}

static void sort_packages(struct cda_inventory *inv)
{
	size_t n = inv->packages.n;
	CDA_AUTOFREE struct ranked *ranked = cda_alloc0(n + 1, sizeof(*ranked));
	CDA_AUTOFREE int32_t *now = cda_alloc0(n + 1, sizeof(*now));

	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){inv->packages.v[i], i};
	qsort(ranked, n, sizeof(*ranked), by_rank);
	for (size_t i = 0; i < n; i++) {
		inv->packages.v[i] = ranked[i].package;
		now[ranked[i].before] = (int32_t)i;
	}
	for (size_t i = 0; i < inv->entries; i++)
		if (inv->owner[i] >= 0)
			inv->owner[i] = now[inv->owner[i]];
}

static void count(struct reader *r)
{
	for (size_t i = 0; i < r->tree->n; i++) {
		const struct cda_tree_entry *entry = r->tree->v[i];
		struct cda_inv_package *package;

		if (r->inv->owner[i] < 0 || entry->inode->type == CDA_TREE_FOLDER)
			continue;
		package = &r->inv->packages.v[r->inv->owner[i]];
		package->files++;
		if (!entry->first)
			package->size += entry->inode->size;
	}
}

static void read_os(struct reader *r)
{
	static const char *const paths[] = {"etc/os-release", "usr/lib/os-release"};

	for (size_t i = 0; i < CDA_LEN(paths) && !r->inv->os; i++) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

		if (!read_path(r, paths[i], copyright_max, &text))
			continue;
		r->inv->os = cda_inv_parse_os(cda_buf_str(&text), "ID", r->inv->arena);
		r->inv->os_ver = cda_inv_parse_os(cda_buf_str(&text), "VERSION_ID", r->inv->arena);
	}
}

int cda_inventory_read(const struct cda_tree *tree, struct cda_inventory *ret, struct cda_err *err)
{
	struct cda_inventory inv = {.arena = cda_arena_new(), .entries = tree->n};
	struct reader r = {tree, &inv, cda_map_new(), 0, ""};

	inv.owner = cda_alloc(sizeof(*inv.owner) * (tree->n + 1));
	for (size_t i = 0; i < tree->n; i++)
		inv.owner[i] = CDA_INV_NOBODY;
	read_os(&r);
	read_dpkg(&r);
	read_apk(&r);
	for (size_t i = 0; i < tree->n; i++)
		read_conda(&r, i);
	for (size_t i = 0; i < tree->n; i++)
		if (is_pip_metadata(tree->v[i]))
			read_pip(&r, i);
	own_byte_code(&r);
	own_links(&r);
	sort_packages(&inv);
	own_folders(&r);
	count(&r);
	for (size_t i = 0; i < inv.packages.n; i++)
		inv.packages.v[i].purl =
			cda_inv_purl(&inv.packages.v[i], inv.os, inv.os_ver, inv.arena);
	cda_strv_sort(&inv.notes);
	cda_map_free(r.folders);
	*ret = inv;
	return 0;
}

void cda_inventory_done(struct cda_inventory *inv)
{
	cda_arena_free(inv->arena);
	cda_inv_packages_done(&inv->packages);
	free(inv->owner);
	cda_strv_done(&inv->notes);
	*inv = (struct cda_inventory){0};
}
