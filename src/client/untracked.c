#include "client/change_impl.h"

#include "prefix/meta.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"

#include <errno.h>

enum { MAX_TEXT = 1 << 20 };

struct copy {
	const char *from, *to;
	int from_fd, to_fd;
	struct cda_map *tracked;
	struct cda_err *err;
};

/* Records and history are the transaction's. */
static bool is_ours(const char *path)
{
	return cda_starts_with(path, "conda-meta/") && !cda_streq(path, "conda-meta/state") &&
	       !cda_streq(path, "conda-meta/pinned");
}

/* A script or a list that names the one prefix: with the other. False: it is no such text. */
static bool copy_text(struct copy *copy, const char *path, const struct stat *st, int *ret_rc)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, out = CDA_BUF_INIT;
	const char *at, *hit;
	struct cda_err ignored = {0};

	if (!S_ISREG(st->st_mode) || st->st_size > MAX_TEXT)
		return false;
	if (cda_fs_read(copy->from_fd, path, MAX_TEXT, &text, &ignored) < 0) {
		cda_err_done(&ignored);
		return false;
	}
	if (memchr(text.p, '\0', text.len) || !strstr(text.p, copy->from))
		return false;
	for (at = text.p; (hit = strstr(at, copy->from)); at = hit + strlen(copy->from)) {
		cda_buf_add(&out, at, (size_t)(hit - at));
		cda_buf_adds(&out, copy->to);
	}
	cda_buf_adds(&out, at);
	*ret_rc = cda_fs_replace(copy->to_fd, path, out.p, out.len, st->st_mode & 0777, false,
				 copy->err);
	return true;
}

static int visit(void *ctx, const char *path, const struct stat *st)
{
	struct copy *copy = ctx;
	int rc = 0;

	if ((!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode)) || is_ours(path) ||
	    cda_map_has(copy->tracked, path) || cda_fs_exists(copy->to_fd, path))
		return 0;
	rc = cda_fs_mkparents(copy->to_fd, path, 0777, copy->err);
	if (rc == 0 && !copy_text(copy, path, st, &rc))
		rc = cda_fs_place(copy->from_fd, path, copy->to_fd, path, CDA_FS_REFLINK, NULL,
				  copy->err);
	return rc;
}

int cda_copy_untracked(const char *from, const char *to, struct cda_err *err)
{
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	CDA_CLEANUP(cda_map_freep) struct cda_map *tracked = cda_map_new();
	CDA_AUTOCLOSE int from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CDA_AUTOCLOSE int to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy copy = {from, to, from_fd, to_fd, tracked, err};
	int rc;

	if (from_fd < 0 || to_fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", from_fd < 0 ? from : to);
	rc = cda_meta_load(from, NULL, CDA_META_FILES, &meta, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < cda_meta_count(meta); i++) {
		const struct cda_installed *installed = cda_meta_at(meta, i);

		for (size_t k = 0; k < installed->files.n; k++)
			cda_map_set(tracked, installed->files.v[k], NULL);
	}
	return cda_fs_walk(from_fd, ".", visit, &copy, err);
}
