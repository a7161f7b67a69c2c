#include "prefix/verify.h"

#include "prefix/meta.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/workers.h"

#include <errno.h>

struct verifying {
	const struct cda_meta *meta;
	int prefixfd;
	bool hash;
	struct cda_verify_findings *found; /* one list per package */
};

static void note(struct cda_verify_findings *found, const struct cda_installed *installed,
		 const char *path, enum cda_verify_kind kind)
{
	cda_verify_findings_push(found,
				 (struct cda_verify_finding){cda_strdup(installed->record.name),
							     cda_strdup(path), kind});
}

static bool is_altered(const struct verifying *verifying, const struct cda_meta_path *path,
		       const struct stat *st)
{
	const char *want = path->sha256_in_prefix;
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	bool same;

	if (path->kind != CDA_META_HARDLINK || !S_ISREG(st->st_mode))
		return false;
	if (!path->placeholder && path->size >= 0 && path->size != st->st_size)
		return true;
	if (!want && !path->placeholder)
		want = path->sha256;
	if (!want)
		return false;
	same = cda_hash_file(CDA_SHA256, verifying->prefixfd, path->target, hex, &err) >= 0 &&
	       cda_hash_eq(hex, want);
	cda_err_done(&err);
	return !same;
}

static int verify_package(void *ctx, size_t at, struct cda_err *err)
{
	struct verifying *verifying = ctx;
	const struct cda_installed *installed = cda_meta_at(verifying->meta, at);
	struct cda_verify_findings *found = &verifying->found[at];
	struct stat st;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	for (size_t i = 0; i < installed->path_count; i++) {
		const struct cda_meta_path *path = &installed->paths[i];

		if (path->kind == CDA_META_PYC)
			continue;
		if (fstatat(verifying->prefixfd, path->target, &st, AT_SYMLINK_NOFOLLOW) != 0)
			note(found, installed, path->target, CDA_VERIFY_MISSING);
		else if (verifying->hash && is_altered(verifying, path, &st))
			note(found, installed, path->target, CDA_VERIFY_ALTERED);
	}
	/* Records of long ago have names alone. */
	for (size_t i = 0; installed->path_count == 0 && i < installed->files.n; i++)
		if (!cda_ends_with(installed->files.v[i], ".pyc") &&
		    !cda_fs_exists(verifying->prefixfd, installed->files.v[i]))
			note(found, installed, installed->files.v[i], CDA_VERIFY_MISSING);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct cda_verify_finding *x = a, *y = b;
	int order = strcmp(x->package, y->package);

	return order ? order : strcmp(x->path, y->path);
}

int cda_verify_prefix(const char *prefix, bool hash, unsigned threads,
		      struct cda_verify_findings *ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	CDA_AUTOCLOSE int prefixfd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_verify_findings all = {0};
	struct verifying verifying = {.prefixfd = prefixfd, .hash = hash};
	size_t n;
	int rc;

	if (prefixfd < 0)
		return cda_err_sys(err, errno, "cannot open the environment '%s'", prefix);
	rc = cda_meta_load(prefix, NULL, CDA_META_FILES, &meta, err);
	if (rc < 0)
		return rc;
	n = cda_meta_count(meta);
	verifying.meta = meta;
	verifying.found = cda_alloc0(n + 1, sizeof(*verifying.found));
	rc = cda_workers_run(n, threads, verify_package, &verifying, err);
	for (size_t i = 0; i < n; i++) {
		cda_vec_each (finding, &verifying.found[i])
			cda_verify_findings_push(&all, *finding);
		cda_verify_findings_done(&verifying.found[i]);
	}
	free(verifying.found);
	if (rc < 0) {
		cda_verify_findings_free_all(&all);
		return rc;
	}
	if (all.n > 0)
		qsort(all.v, all.n, sizeof(*all.v), by_path);
	*ret = all;
	return 0;
}

void cda_verify_findings_free_all(struct cda_verify_findings *findings)
{
	cda_vec_each (finding, findings) {
		free(finding->package);
		free(finding->path);
	}
	cda_verify_findings_done(findings);
}
