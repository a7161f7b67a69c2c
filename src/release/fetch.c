#include "release/fetch.h"
#include "release/archive_impl.h"
#include "release/mirrors.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/lock.h"
#include "util/map.h"
#include "util/url.h"

#include <errno.h>

static const uint64_t release_max = UINT64_C(4) << 30;

struct attempts {
	struct cda_archive *archive;
	struct cda_map *answers; /* URL to the last answer, owned */
};

static void note(void *ctx, const char *url, const struct cda_err *failure, bool more)
{
	struct attempts *attempts = ctx;
	char *before = cda_map_set(attempts->answers, url, cda_strdup(failure->msg));

	/* what ends the transfer is told by the error; the same is not said again */
	if (more && !cda_streq(before, failure->msg))
		cda_emit(&attempts->archive->config.events, CDA_EVENT_WARNING, "%s", failure->msg);
	free(before);
}

static void attempts_done(struct attempts *attempts)
{
	const char *url;
	void *answer;

	for (size_t at = 0; cda_map_next(attempts->answers, &at, &url, &answer);)
		free(answer);
	cda_map_free(attempts->answers);
}

static int all_failed(const struct attempts *attempts, const char *name, struct cda_err *last,
		      struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	const char *url;
	void *answer;

	if (last->code == CDA_E_INTERRUPTED || last->code == CDA_E_NOSPACE ||
	    cda_map_count(attempts->answers) == 0) {
		cda_err_move(err, last);
		return -(int)err->code;
	}
	for (size_t at = 0; cda_map_next(attempts->answers, &at, &url, &answer);)
		cda_buf_addf(&text, "%s%s", text.len ? "; " : "", (const char *)answer);
	cda_err_set(err, last->code, "no mirror gives '%s': %s", name, text.p);
	err->sys = last->sys;
	cda_err_done(last);
	cda_archive_hint(err);
	cda_err_hint(err, "name other mirrors by --mirror or CONDA_MIRRORS; without any archive, "
			  "'make up RELEASE=condense' builds the embedded release");
	return -(int)err->code;
}

/* From the mirrors to (dirfd, path). */
static int download(struct cda_archive *archive, const struct cda_release *release, int dirfd,
		    const char *path, bool resume, struct cda_fetched *ret_fetched,
		    struct cda_err *err)
{
	const struct cda_strv *mirrors = archive->config.mirrors;
	struct attempts attempts = {.archive = archive, .answers = cda_map_new()};
	CDA_AUTOSTRV struct cda_strv urls = {0};
	char name[CDA_RELEASE_NAME_MAX];
	struct cda_err last = {0};
	int rc;

	cda_release_name_format(&release->name, name);
	for (size_t i = 0; i < mirrors->n; i++)
		cda_strv_take(&urls, cda_mirror_url(mirrors->v[i], name));
	struct cda_transfer transfer = {
		.url = urls.v[0],
		.mirrors = (const char *const *)cda_strv_argv(&urls) + 1,
		.dirfd = dirfd,
		.path = path,
		.resume = resume,
		.sha256 = release->sha256,
		.max_bytes = release_max,
		.item = name,
		.failed = note,
		.ctx = &attempts,
	};
	rc = cda_net_run(archive->net, &transfer, 1, &archive->config.events, &last);
	if (rc == 0) {
		ret_fetched->from = CDA_FETCHED_MIRROR;
		ret_fetched->bytes = transfer.bytes;
		ret_fetched->url = cda_take_ptr(transfer.got_url);
	} else {
		rc = all_failed(&attempts, name, &last, err);
	}
	cda_transfer_done(&transfer);
	attempts_done(&attempts);
	return rc;
}

/* A local copy is a transfer too: checked while it is read, named when it is right. */
static int place(struct cda_archive *archive, const char *from, const struct cda_release *release,
		 const char *path, struct cda_fetched *ret_fetched, struct cda_err *err)
{
	CDA_AUTOFREE char *url = cda_url_from_path(from);
	struct cda_transfer transfer = {.url = url,
					.dirfd = AT_FDCWD,
					.path = path,
					.sha256 = release->sha256,
					.max_bytes = release_max};
	int rc = cda_net_run(archive->net, &transfer, 1, NULL, err);

	ret_fetched->bytes = transfer.bytes;
	cda_transfer_done(&transfer);
	return rc;
}

static int lock_entry(struct cda_archive *archive, int cachefd, const char *entry,
		      struct cda_lock **ret_lock, struct cda_err *err)
{
	CDA_AUTOFREE char *name = cda_asprintf("%s.lock", entry);
	int rc = cda_lock_acquire(cachefd, name, false, false, ret_lock, err);

	if (rc != -CDA_E_BUSY)
		return rc;
	cda_err_done(err);
	cda_emit(&archive->config.events, CDA_EVENT_INFO,
		 "waiting for another process that fetches '%s'", strchr(entry, '-') + 1);
	return cda_lock_acquire(cachefd, name, false, true, ret_lock, err);
}

/* Says where the file of a former run is taken up. */
static void tell_resume(struct cda_archive *archive, int cachefd, const char *entry)
{
	CDA_AUTOFREE char *part = cda_asprintf("%s.part", entry);
	struct stat st;

	if (fstatat(cachefd, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
		cda_emit(&archive->config.events, CDA_EVENT_INFO,
			 "%.1f MB are there from a run before", (double)st.st_size / 1e6);
}

/* The cache's folder of files, made when needed, and the lock of the entry. */
static int open_cache(struct cda_archive *archive, const char *folder, const char *entry,
		      int *ret_fd, struct cda_lock **ret_lock, struct cda_err *err)
{
	int rc = cda_fs_mkdirs(AT_FDCWD, folder, 0777, err);
	CDA_AUTOCLOSE int fd = rc < 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rc == 0 && fd < 0)
		rc = cda_err_sys(err, errno, "cannot open '%s'", folder);
	if (rc == 0)
		rc = lock_entry(archive, fd, entry, ret_lock, err);
	if (rc == 0) {
		*ret_fd = cda_take_fd(fd);
	} else if (rc != -CDA_E_INTERRUPTED) {
		cda_err_wrap(err, rc, "cannot use the cache '%s'", folder);
		cda_err_hint(err, "--cache DIR or CONDENSE_CACHE names a folder that can be "
				  "written");
	}
	return rc;
}

static int through_cache(struct cda_archive *archive, const struct cda_release *release,
			 const char *path, struct cda_fetched *fetched, struct cda_err *err)
{
	CDA_AUTOFREE char *folder = cda_path_join(archive->config.cache, "files");
	CDA_CLEANUP(cda_lock_freep) struct cda_lock *lock = NULL;
	CDA_AUTOFREE char *cwd = getcwd(NULL, 0);
	CDA_AUTOCLOSE int cachefd = -1;
	char name[CDA_RELEASE_NAME_MAX];
	int rc;

	cda_release_name_format(&release->name, name);
	CDA_AUTOFREE char *entry = cda_asprintf("%.16s-%s", release->sha256, name);
	CDA_AUTOFREE char *joined = cda_path_join(folder, entry);
	CDA_AUTOFREE char *from = cda_path_normal(joined, cwd ? cwd : "/", NULL);
	rc = open_cache(archive, folder, entry, &cachefd, &lock, err);
	if (rc == -CDA_E_SYS && archive->config.cache_is_default) {
		cda_emit(&archive->config.events, CDA_EVENT_INFO, "nothing is kept: %s", err->msg);
		cda_err_done(err);
		return download(archive, release, AT_FDCWD, path, false, fetched, err);
	}
	if (rc < 0)
		return rc;
	if (cda_fs_is_file(cachefd, entry)) {
		rc = place(archive, from, release, path, fetched, err);
		fetched->from = CDA_FETCHED_CACHE;
		if (rc != -CDA_E_CHECKSUM && rc != -CDA_E_HTTP)
			return rc;
		cda_emit(&archive->config.events, CDA_EVENT_WARNING,
			 "the file in the cache is damaged and fetched again: %s", err->msg);
		cda_err_done(err);
		if (unlinkat(cachefd, entry, 0) != 0 && errno != ENOENT)
			return cda_err_sys(err, errno, "cannot remove '%s'", from);
	}
	tell_resume(archive, cachefd, entry);
	rc = download(archive, release, cachefd, entry, true, fetched, err);
	return rc < 0 ? rc : place(archive, from, release, path, fetched, err);
}

/* The right bytes at the place need no other ones. */
static bool is_there(const struct cda_release *release, const char *path)
{
	char hex[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	if (cda_hash_file(CDA_SHA256, AT_FDCWD, path, hex, &err) < 0) {
		cda_err_done(&err);
		return false;
	}
	return cda_hash_eq(hex, release->sha256);
}

/* Before anything is fetched: a device or a pipe would be replaced by the file, and a folder that
 * cannot be written is no fault of the mirrors. */
static int check_place(const char *path, struct cda_err *err)
{
	CDA_AUTOFREE char *folder = cda_path_dirname(path);
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return cda_err_set(err, CDA_E_VALUE, "cannot write '%s': it is no file", path);
	if (access(folder, W_OK | X_OK) != 0)
		return cda_err_sys(err, errno, "cannot write to the folder '%s'", folder);
	return 0;
}

int cda_archive_fetch(struct cda_archive *archive, const struct cda_release *release,
		      const char *path, struct cda_fetched *ret_fetched, struct cda_err *err)
{
	struct cda_fetched fetched = {0};
	struct stat st;
	int rc;

	if (is_there(release, path)) {
		fetched.bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
		*ret_fetched = fetched;
		return 0;
	}
	rc = check_place(path, err);
	if (rc < 0)
		return rc;
	rc = archive->config.cache
		     ? through_cache(archive, release, path, &fetched, err)
		     : download(archive, release, AT_FDCWD, path, false, &fetched, err);
	if (rc < 0)
		cda_fetched_done(&fetched);
	else
		*ret_fetched = fetched;
	return rc;
}

void cda_fetched_done(struct cda_fetched *fetched)
{
	cda_replace(&fetched->url, NULL);
}
