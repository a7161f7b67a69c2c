/* The rules of slim.h that read contents: what can be stripped, and what is the same. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <sys/xattr.h>

#define ELF_MAX ((size_t)2 << 30)
/* Below this a hard link saves next to nothing: its own header in an archive is half of it. */
#define LINK_MIN 1024
/* Well below what file systems allow. */
#define LINKS_MAX 1000

/* Files with capabilities, lists of access or other marks keep what they have. */
static bool is_plain(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	CDA_AUTOCLOSE int fd = -1;
	char names[512];
	ssize_t n;

	if (file->st.st_mode & (S_ISUID | S_ISGID | S_ISVTX))
		return false;
	if (geteuid() != 0 && file->st.st_uid != geteuid())
		return false;
	fd = cda_slim_open(slim, file);
	if (fd < 0)
		return false;
	n = flistxattr(fd, names, sizeof(names));
	if (n < 0)
		return errno == ENOTSUP;
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1)
		if (!cda_streq(names + i, "security.selinux"))
			return false;
	return true;
}

static bool begins_as_elf(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	CDA_AUTOCLOSE int fd = cda_slim_open(slim, file);
	char head[4];

	return fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	       memcmp(head, "\177ELF", sizeof(head)) == 0;
}

static int plan_strip(struct cda_slim *slim, struct cda_slim_file *file, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, out = CDA_BUF_INIT;
	struct cda_slim_inode *inode = cda_slim_inode(slim, &file->st);
	struct cda_slim_file *first = inode ? &slim->files.v[inode->first] : file;
	int rc;

	if (inode && inode->stays)
		return 0;
	/* another name of one that was looked at */
	if (first != file && first->act == CDA_SLIM_REWRITE && !first->text) {
		cda_slim_mark(file, CDA_SLIM_REWRITE, CDA_SLIM_STRIP);
		file->new_size = first->new_size;
		memcpy(file->new_sha256, first->new_sha256, sizeof(file->new_sha256));
		return 0;
	}
	if ((uint64_t)file->st.st_size > ELF_MAX || !begins_as_elf(slim, file) ||
	    !is_plain(slim, file))
		return 0;
	rc = cda_slim_read(slim, file, ELF_MAX, &text, err);
	if (rc < 0 || !cda_slim_strip(text.p, text.len, &out))
		return rc;
	cda_slim_mark(file, CDA_SLIM_REWRITE, CDA_SLIM_STRIP);
	file->new_size = (int64_t)out.len;
	cda_hash_mem(CDA_SHA256, out.p, out.len, file->new_sha256);
	return 0;
}

int cda_slim_plan_strip(struct cda_slim *slim, struct cda_err *err)
{
	if (!cda_slim_wants(slim, CDA_SLIM_STRIP))
		return 0;
	cda_vec_each (file, &slim->files) {
		struct cda_slim_inode *inode = cda_slim_inode(slim, &file->st);

		if (inode && !file->act && (file->is_fixed || file->is_cache))
			inode->stays = true;
	}
	cda_vec_each (file, &slim->files) {
		int rc;

		if (!S_ISREG(file->st.st_mode) || file->is_fixed || file->is_cache || file->act ||
		    file->st.st_size < 256 || cda_slim_match("**/sysroot/**", file->path))
			continue;
		rc = plan_strip(slim, file, err);
		if (rc < 0)
			return rc;
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	}
	return 0;
}

/* ---- duplicates */

CDA_VEC_DEFINE(indices, size_t);

static bool may_link(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	if (!S_ISREG(file->st.st_mode) || file->is_fixed || file->text ||
	    (file->act && file->act != CDA_SLIM_REWRITE) || file->st.st_size < LINK_MIN)
		return false;
	/* what a package manager keeps is its own */
	if (cda_slim_match("var/lib/**", file->path) ||
	    cda_slim_match("**/lib/apk/db/**", file->path))
		return false;
	/* settings are edited in place, one without the other */
	return !cda_slim_pattern("etc", file->path) &&
	       !cda_slim_pattern("conda-meta", file->path) &&
	       !cda_slim_match("**/*.dist-info/*", file->path) && !file->is_cache;
}

/* What must be equal before contents are looked at. Python compares a source's time with the one
 * in the compiled file, so sources with other times stay apart. */
static char *kin(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	CDA_AUTOFREE char *top = file->prefix ? cda_strdup(slim->prefixes.v[file->prefix - 1])
					      : cda_strndup(file->path, strcspn(file->path, "/"));
	int64_t size = file->act == CDA_SLIM_REWRITE ? file->new_size : file->st.st_size;
	int64_t time = cda_ends_with(file->path, ".py") ? (int64_t)file->st.st_mtim.tv_sec : 0;

	return cda_asprintf("%zu|%s|%ju|%o|%u|%u|%jd|%jd", file->prefix, top,
			    (uintmax_t)file->st.st_dev, file->st.st_mode, file->st.st_uid,
			    file->st.st_gid, (intmax_t)size, (intmax_t)time);
}

static void sort_in(struct cda_map *map, const char *key, size_t at)
{
	struct indices *list = cda_map_get(map, key);

	if (!list) {
		list = cda_new0(struct indices);
		cda_map_set(map, key, list);
	}
	indices_push(list, at);
}

static void free_lists(struct cda_map *map)
{
	const char *key;
	void *value;
	size_t at = 0;

	while (cda_map_next(map, &at, &key, &value)) {
		indices_done(value);
		free(value);
	}
	cda_map_free(map);
}

static bool same_inode(const struct cda_slim_file *a, const struct cda_slim_file *b)
{
	return a->st.st_ino == b->st.st_ino && a->st.st_dev == b->st.st_dev;
}

/* Equal content: all get the inode of the first by path. */
static void link_all(struct cda_slim *slim, const struct indices *list)
{
	size_t first = list->v[0], links = slim->files.v[first].st.st_nlink;

	for (size_t i = 1; i < list->n; i++) {
		struct cda_slim_file *file = &slim->files.v[list->v[i]];

		if (same_inode(file, &slim->files.v[first]))
			continue;
		if (links >= LINKS_MAX) {
			first = list->v[i];
			links = file->st.st_nlink;
			continue;
		}
		links++;
		file->act = CDA_SLIM_LINK;
		file->rule = CDA_SLIM_DUPLICATES;
		file->twin = first;
	}
}

static int compare(struct cda_slim *slim, const struct indices *list, struct cda_err *err)
{
	struct cda_map *by_content = cda_map_new();
	const char *key;
	void *value;
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < list->n && rc >= 0; i++) {
		struct cda_slim_file *file = &slim->files.v[list->v[i]];
		char hex[CDA_HASH_HEX_MAX];

		if (file->act == CDA_SLIM_REWRITE) {
			sort_in(by_content, file->new_sha256, list->v[i]);
			continue;
		}
		if (!is_plain(slim, file))
			continue;
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		rc = cda_slim_read(slim, file, SIZE_MAX / 2, &text, err);
		if (rc < 0)
			break;
		cda_hash_mem(CDA_SHA256, text.p, text.len, hex);
		sort_in(by_content, hex, list->v[i]);
	}
	while (rc >= 0 && cda_map_next(by_content, &at, &key, &value))
		if (((struct indices *)value)->n > 1)
			link_all(slim, value);
	free_lists(by_content);
	return rc;
}

int cda_slim_plan_links(struct cda_slim *slim, struct cda_err *err)
{
	struct cda_map *map;
	const char *key;
	void *value;
	size_t at = 0;
	int rc = 0;

	if (!cda_slim_wants(slim, CDA_SLIM_DUPLICATES))
		return 0;
	map = cda_map_new();
	for (size_t i = 0; i < slim->files.n; i++) {
		CDA_AUTOFREE char *group = NULL;

		if (!may_link(slim, &slim->files.v[i]))
			continue;
		group = kin(slim, &slim->files.v[i]);
		sort_in(map, group, i);
	}
	while (rc >= 0 && cda_map_next(map, &at, &key, &value)) {
		const struct indices *list = value;
		bool differ = false;

		for (size_t i = 1; i < list->n; i++)
			differ = differ || !same_inode(&slim->files.v[list->v[0]],
						       &slim->files.v[list->v[i]]);
		if (differ)
			rc = compare(slim, list, err);
		if (cda_interrupted && rc >= 0)
			rc = cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	}
	free_lists(map);
	return rc;
}
