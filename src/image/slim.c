#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>

const struct cda_slim_rule_info cda_slim_rules[CDA_SLIM_COUNT] = {
#define CDA_SLIM_INFO(id, name, on, help) {name, help, on},
	CDA_SLIM_RULES(CDA_SLIM_INFO)
#undef CDA_SLIM_INFO
};

struct cda_slim_file *cda_slim_find(const struct cda_slim *slim, const char *path)
{
	size_t at = (size_t)(uintptr_t)cda_map_get(slim->by_path, path);

	return at > 0 ? &slim->files.v[at - 1] : NULL;
}

const char *cda_slim_in_prefix(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	size_t len;

	if (file->prefix == 0)
		return NULL;
	len = strlen(slim->prefixes.v[file->prefix - 1]);
	return file->path + len + (len > 0);
}

bool cda_slim_wants(const struct cda_slim *slim, enum cda_slim_rule rule)
{
	return slim->options->rules & 1u << rule;
}

static char *inode_key(const struct stat *st)
{
	return cda_asprintf("%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
}

struct cda_slim_inode *cda_slim_inode(const struct cda_slim *slim, const struct stat *st)
{
	CDA_AUTOFREE char *key = NULL;

	if (st->st_nlink < 2)
		return NULL;
	key = inode_key(st);
	return cda_map_get(slim->inodes, key);
}

void cda_slim_mark(struct cda_slim_file *file, enum cda_slim_act act, enum cda_slim_rule rule)
{
	file->act = act;
	file->rule = rule;
}

int cda_slim_folder(const struct cda_slim *slim, const char *path, const char **ret_name)
{
	CDA_AUTOFREE char *folder = cda_path_dirname(path);

	*ret_name = cda_path_basename(path);
	return cda_fs_open_beneath(slim->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

int cda_slim_open(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	/* what is no regular file by now neither blocks nor is read */
	int fd = cda_fs_open_beneath(slim->fd, file->path,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int cda_slim_read(const struct cda_slim *slim, const struct cda_slim_file *file, size_t max,
		  struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = cda_slim_open(slim, file);

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot read '%s'", file->path);
	if ((uint64_t)file->st.st_size > max)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is too large", file->path);
	cda_buf_reserve(out, (size_t)file->st.st_size + 1);
	for (;;) {
		ssize_t n;

		cda_buf_reserve(out, 65536);
		n = read(fd, out->p + out->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cda_err_sys(err, errno, "cannot read '%s'", file->path);
		if (n == 0)
			break;
		if (out->len + (size_t)n > max)
			return cda_err_set(err, CDA_E_VALUE, "'%s' is too large", file->path);
		out->len += (size_t)n;
	}
	out->p[out->len] = 0;
	return 0;
}

/* ---- what is there */

static int on_entry(void *ctx, const char *path, const struct stat *st)
{
	struct cda_slim *slim = ctx;
	struct cda_slim_file file = {.st = *st, .is_fixed = st->st_dev != slim->dev};

	if (S_ISDIR(st->st_mode)) {
		if (cda_streq(cda_path_basename(path), "conda-meta")) {
			CDA_AUTOFREE char *prefix = cda_path_dirname(path);

			cda_strv_push(&slim->prefixes, cda_streq(prefix, ".") ? "" : prefix);
		}
		return 0;
	}
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return 0;
	file.path = cda_strdup(path);
	cda_slim_files_push(&slim->files, file);
	cda_map_set(slim->by_path, path, (void *)(uintptr_t)slim->files.n);
	return 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return n == 0 || (strncmp(path, folder, n) == 0 && (path[n] == '/' || !path[n]));
}

/* Lists of kept files are long: those that are paths without a wildcard are looked up. */
static struct cda_map *plain_patterns(const struct cda_strv *keep, struct cda_strv *wild)
{
	struct cda_map *plain = cda_map_new();

	for (size_t i = 0; keep && i < keep->n; i++) {
		const char *pattern = keep->v[i];
		size_t len = strlen(pattern);

		if (strpbrk(pattern, "*?[") || pattern[0] == '/' || !strchr(pattern, '/') ||
		    pattern[len - 1] == '/')
			cda_strv_push(wild, pattern);
		else
			cda_map_set(plain, pattern, plain);
	}
	return plain;
}

/* The path, or a folder on its way. */
static bool has_path(const struct cda_map *plain, const char *path)
{
	for (const char *p = path; cda_map_count(plain) > 0; p++)
		if (*p == '/' || !*p) {
			if (cda_map_getn(plain, path, (size_t)(p - path)))
				return true;
			if (!*p)
				break;
		}
	return false;
}

static bool is_kept(const struct cda_slim *slim, const struct cda_slim_file *file,
		    const struct cda_map *plain, const struct cda_strv *wild)
{
	const char *in_prefix = cda_slim_in_prefix(slim, file);

	if (has_path(plain, file->path) || (in_prefix && has_path(plain, in_prefix)))
		return true;
	for (size_t i = 0; i < wild->n; i++)
		if (cda_slim_pattern(wild->v[i], file->path) ||
		    (in_prefix && cda_slim_pattern(wild->v[i], in_prefix)))
			return true;
	return false;
}

static void describe(struct cda_slim *slim)
{
	const char *subtree = slim->options->subtree;
	CDA_AUTOSTRV struct cda_strv wild = {0};
	CDA_CLEANUP(cda_map_freep)
	struct cda_map *plain = plain_patterns(slim->options->keep, &wild);

	for (size_t at = 0; at < slim->files.n; at++) {
		struct cda_slim_file *file = &slim->files.v[at];
		size_t longest = 0;

		for (size_t i = 0; i < slim->prefixes.n; i++)
			if (is_below(file->path, slim->prefixes.v[i]) &&
			    (file->prefix == 0 || strlen(slim->prefixes.v[i]) >= longest)) {
				longest = strlen(slim->prefixes.v[i]);
				file->prefix = i + 1;
			}
		file->is_fixed = file->is_fixed || (subtree && !is_below(file->path, subtree)) ||
				 cda_slim_is_owned(slim, file->path) ||
				 is_kept(slim, file, plain, &wild);
		file->is_cache =
			file->prefix && cda_starts_with(cda_slim_in_prefix(slim, file), "pkgs/");
		if (!S_ISREG(file->st.st_mode))
			continue;
		slim->report->files++;
		if (file->st.st_nlink > 1) {
			CDA_AUTOFREE char *key = inode_key(&file->st);
			struct cda_slim_inode *inode = cda_map_get(slim->inodes, key);

			if (!inode) {
				inode = cda_new0(struct cda_slim_inode);
				inode->first = at;
				cda_map_set(slim->inodes, key, inode);
			}
			if (inode->seen++ > 0)
				continue;
		}
		slim->report->bytes += (uint64_t)file->st.st_size;
	}
}

/* ---- what it comes to */

/* Bytes that the file's going, or changing, sets free: an inode's last name alone has any. */
static uint64_t bytes_of(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	struct cda_slim_inode *inode = cda_slim_inode(slim, &file->st);
	uint64_t size = (uint64_t)file->st.st_size;

	if (!S_ISREG(file->st.st_mode))
		return 0;
	if (inode && ++inode->gone < file->st.st_nlink)
		return 0;
	return file->act == CDA_SLIM_REWRITE ? size - (uint64_t)file->new_size : size;
}

static void add_up(struct cda_slim *slim)
{
	cda_vec_each (file, &slim->files) {
		struct cda_slim_item item;

		if (file->act == CDA_SLIM_LEAVE || file->text)
			continue;
		item = (struct cda_slim_item){file->rule, cda_strdup(file->path),
					      bytes_of(slim, file)};
		cda_slim_items_push(&slim->report->items, item);
		slim->report->rules[item.rule].files++;
		slim->report->rules[item.rule].bytes += item.bytes;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct cda_slim_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void cda_slim_report_done(struct cda_slim_report *report)
{
	cda_vec_each (item, &report->items)
		free(item->path);
	cda_slim_items_done(&report->items);
	cda_strv_done(&report->notes);
	*report = (struct cda_slim_report){0};
}

/* ---- the run */

static bool same_folder(int fd, const char *name, const char *running)
{
	struct stat a, b;

	return fstatat(fd, name, &a, AT_SYMLINK_NOFOLLOW) == 0 && stat(running, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A root has accounts or says what it is; a prefix has records. Not what we run on: packages of a
 * running system are for its own tools to remove. */
static int check_root(const struct cda_slim *slim, struct cda_err *err)
{
	static const char *const marks[] = {"conda-meta", "etc/os-release", "usr/lib/os-release",
					    "etc/passwd"};
	const char *root = slim->options->root;

	if (same_folder(slim->fd, ".", "/") || same_folder(slim->fd, "usr", "/usr") ||
	    same_folder(slim->fd, "etc", "/etc"))
		return cda_err_set(err, CDA_E_USAGE, "'%s' is the running system", root);
	for (size_t i = 0; i < CDA_LEN(marks); i++) {
		CDA_AUTOFREE char *folder = cda_path_dirname(marks[i]);
		CDA_AUTOCLOSE int fd =
			cda_fs_open_beneath(slim->fd, folder, O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0 && cda_fs_exists(fd, cda_path_basename(marks[i])))
			return 0;
	}
	cda_err_set(err, CDA_E_USAGE, "'%s' is no root file system and no environment", root);
	return cda_err_hint(err, "a root has etc/passwd or etc/os-release, an environment has "
				 "conda-meta");
}

static int plan(struct cda_slim *slim, struct cda_err *err)
{
	const struct cda_slim_options *options = slim->options;
	int rc;

	cda_emit(options->events, CDA_EVENT_PHASE, "looking at the files");
	rc = cda_fs_walk(slim->fd, ".", on_entry, slim, err);
	if (rc >= 0)
		rc = cda_slim_owned_load(slim, err);
	if (rc < 0)
		return rc;
	describe(slim);
	rc = cda_slim_apply_rules(slim, err);
	if (rc >= 0) {
		cda_emit(options->events, CDA_EVENT_PHASE, "looking into programs and libraries");
		rc = cda_slim_plan_strip(slim, err);
	}
	if (rc >= 0)
		rc = cda_slim_plan_records(slim, err);
	if (rc >= 0) {
		cda_emit(options->events, CDA_EVENT_PHASE, "comparing files");
		rc = cda_slim_plan_links(slim, err);
	}
	return rc;
}

static void free_values(struct cda_map *map)
{
	const char *key;
	void *value;
	size_t at = 0;

	while (cda_map_next(map, &at, &key, &value))
		free(value);
	cda_map_free(map);
}

int cda_slim_run(const struct cda_slim_options *options, struct cda_slim_report *ret,
		 struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_slim_report report = {0};
	struct cda_slim slim = {.options = options, .report = &report, .fd = fd};
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0)
		return cda_err_sys(err, errno, "cannot open '%s'", options->root);
	slim.dev = st.st_dev;
	slim.by_path = cda_map_new();
	slim.inodes = cda_map_new();
	slim.folder_ids = cda_map_new();
	rc = check_root(&slim, err);
	if (rc >= 0 && options->subtree && !cda_fs_is_dir(fd, options->subtree))
		rc = cda_err_set(err, CDA_E_USAGE, "there is no folder '%s' in '%s'",
				 options->subtree, options->root);
	if (rc >= 0)
		rc = plan(&slim, err);
	if (rc >= 0 && !options->dry_run) {
		cda_emit(options->events, CDA_EVENT_PHASE, "writing");
		rc = cda_slim_apply(&slim, err);
	}
	if (rc >= 0) {
		add_up(&slim);
		if (report.items.n > 0)
			qsort(report.items.v, report.items.n, sizeof(*report.items.v), by_name);
		cda_strv_uniq(&report.notes);
		*ret = report;
	} else {
		cda_slim_report_done(&report);
	}
	cda_vec_each (file, &slim.files) {
		free(file->path);
		free(file->text);
	}
	cda_slim_files_done(&slim.files);
	cda_strv_done(&slim.prefixes);
	cda_map_free(slim.by_path);
	cda_map_free(slim.owned);
	free_values(slim.inodes);
	free_values(slim.folder_ids);
	return rc < 0 ? rc : 0;
}
