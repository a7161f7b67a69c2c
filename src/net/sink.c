#include "net/sink.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/random.h>

struct cda_sink {
	struct cda_transfer *transfer;
	int fd;     /* of the .part file; -1 with a body */
	char *part; /* its name */
	bool keep;  /* a later run finds it under this name */
	bool inherited;
	uint64_t at, max;
	struct cda_hash *sha256, *md5;
};

static void start_hashes(struct cda_sink *sink)
{
	sink->sha256 = cda_hash_free(sink->sha256);
	sink->md5 = cda_hash_free(sink->md5);
	if (sink->transfer->sha256)
		sink->sha256 = cda_hash_new(CDA_SHA256);
	if (sink->transfer->md5)
		sink->md5 = cda_hash_new(CDA_MD5);
}

static void add_to_hashes(struct cda_sink *sink, const void *p, size_t len)
{
	if (sink->sha256)
		cda_hash_add(sink->sha256, p, len);
	if (sink->md5)
		cda_hash_add(sink->md5, p, len);
}

/* The lock says that nobody else writes to the file now; who comes second takes another name. */
static bool open_shared_part(struct cda_sink *sink)
{
	const struct cda_transfer *transfer = sink->transfer;
	CDA_AUTOFREE char *part = cda_asprintf("%s.part", transfer->path);

	for (int tries = 0; tries < 10; tries++) {
		CDA_AUTOCLOSE int fd = openat(transfer->dirfd, part,
					      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		struct stat ours, named;

		if (fd < 0 || (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK))
			return false;
		/* Another process may have finished and renamed it between the two calls. */
		if (fstat(fd, &ours) != 0 || !S_ISREG(ours.st_mode) || ours.st_nlink != 1 ||
		    fstatat(transfer->dirfd, part, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
		    ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
			continue;
		sink->fd = cda_take_fd(fd);
		sink->part = cda_take_ptr(part);
		sink->keep = transfer->resume && !transfer->compressed;
		return true;
	}
	return false;
}

static bool open_own_part(struct cda_sink *sink)
{
	const struct cda_transfer *transfer = sink->transfer;

	for (int tries = 0; tries < 100; tries++) {
		uint32_t noise = (uint32_t)getpid() + (uint32_t)tries;

		if (getrandom(&noise, sizeof(noise), 0) < 0)
			noise += (uint32_t)tries;
		cda_replace(&sink->part, cda_asprintf("%s.%08x.part", transfer->path, noise));
		sink->fd = openat(transfer->dirfd, sink->part,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (sink->fd >= 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	return false;
}

/* Bytes that no digest can prove are not trusted. */
static int inherit(struct cda_sink *sink, struct cda_err *err)
{
	const struct cda_transfer *transfer = sink->transfer;
	CDA_AUTOFREE char *chunk = NULL;
	const size_t size = 256 * 1024;
	struct stat st;

	if (!sink->keep || !(transfer->sha256 || transfer->md5) || fstat(sink->fd, &st) != 0 ||
	    (transfer->size && (uint64_t)st.st_size > transfer->size) ||
	    (uint64_t)st.st_size > sink->max)
		return cda_sink_restart(sink, err);
	chunk = cda_alloc(size);
	for (;;) {
		ssize_t n = read(sink->fd, chunk, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cda_sink_restart(sink, err);
		if (n == 0)
			break;
		add_to_hashes(sink, chunk, (size_t)n);
		sink->at += (size_t)n;
	}
	sink->inherited = sink->at > 0;
	return 0;
}

int cda_sink_open(struct cda_transfer *transfer, struct cda_sink **ret_sink, struct cda_err *err)
{
	CDA_CLEANUP(cda_sink_freep) struct cda_sink *sink = cda_new0(struct cda_sink);
	int rc = 0;

	sink->transfer = transfer;
	sink->fd = -1;
	sink->max = transfer->max_bytes ? transfer->max_bytes
		    : transfer->path    ? UINT64_C(16) << 30
					: UINT64_C(1) << 30;
	start_hashes(sink);
	if (!transfer->path)
		cda_buf_clear(&transfer->body);
	else if (!open_shared_part(sink) && !open_own_part(sink))
		return cda_err_sys(err, errno, "cannot write '%s'", transfer->path);
	else
		rc = inherit(sink, err);
	if (rc < 0)
		return rc;
	*ret_sink = cda_take_ptr(sink);
	return 0;
}

struct cda_sink *cda_sink_free(struct cda_sink *sink)
{
	if (!sink)
		return NULL;
	if (sink->part && (!sink->keep || sink->at == 0))
		unlinkat(sink->transfer->dirfd, sink->part, 0);
	cda_closep(&sink->fd);
	cda_hash_free(sink->sha256);
	cda_hash_free(sink->md5);
	free(sink->part);
	free(sink);
	return NULL;
}

uint64_t cda_sink_at(const struct cda_sink *sink)
{
	return sink->at;
}

bool cda_sink_is_inherited(const struct cda_sink *sink)
{
	return sink->inherited;
}

int cda_sink_restart(struct cda_sink *sink, struct cda_err *err)
{
	start_hashes(sink);
	sink->at = 0;
	sink->inherited = false;
	cda_buf_clear(&sink->transfer->body);
	if (sink->fd >= 0 && (ftruncate(sink->fd, 0) != 0 || lseek(sink->fd, 0, SEEK_SET) != 0))
		return cda_err_sys(err, errno, "cannot write '%s'", sink->part);
	return 0;
}

/* got: of the bytes that came, if more are to come. */
static int wrong_size(const struct cda_sink *sink, uint64_t got, struct cda_err *err)
{
	uint64_t want = sink->transfer->size;

	if (got > want)
		cda_err_set(err, CDA_E_CHECKSUM, "more than the expected %ju bytes",
			    (uintmax_t)want);
	else
		cda_err_set(err, CDA_E_CHECKSUM, "size is %ju bytes, expected %ju", (uintmax_t)got,
			    (uintmax_t)want);
	cda_err_data_text(err, "checksum_type", "size");
	cda_err_data_int(err, "actual_checksum", (int64_t)got);
	cda_err_data_int(err, "expected_checksum", (int64_t)want);
	return -(int)CDA_E_CHECKSUM;
}

int cda_sink_write(struct cda_sink *sink, const void *p, size_t len, struct cda_err *err)
{
	struct cda_transfer *transfer = sink->transfer;

	if (len > sink->max - sink->at)
		return cda_err_set(err, CDA_E_VALUE, "more than the %ju bytes that are allowed",
				   (uintmax_t)sink->max);
	if (transfer->size && len > transfer->size - sink->at)
		return wrong_size(sink, sink->at + len, err);
	add_to_hashes(sink, p, len);
	if (sink->fd < 0)
		cda_buf_add(&transfer->body, p, len);
	else if (cda_fs_write_all(sink->fd, p, len) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", sink->part);
	sink->at += len;
	return 0;
}

static int check_digest(struct cda_hash *hash, const char *name, const char *want,
			struct cda_err *err)
{
	char got[CDA_HASH_HEX_MAX];

	if (!hash)
		return 0;
	cda_hash_hex(hash, got);
	if (cda_hash_eq(got, want))
		return 0;
	cda_err_set(err, CDA_E_CHECKSUM, "%s is %s, expected %s", name, got, want);
	cda_err_data_text(err, "checksum_type", name);
	cda_err_data_text(err, "actual_checksum", got);
	cda_err_data_text(err, "expected_checksum", want);
	return -(int)CDA_E_CHECKSUM;
}

static int verify(struct cda_sink *sink, struct cda_err *err)
{
	const struct cda_transfer *transfer = sink->transfer;
	int rc;

	if (transfer->size && sink->at != transfer->size)
		return wrong_size(sink, sink->at, err);
	rc = check_digest(sink->sha256, "sha256", transfer->sha256, err);
	return rc < 0 ? rc : check_digest(sink->md5, "md5", transfer->md5, err);
}

int cda_sink_finish(struct cda_sink *sink, struct cda_err *err)
{
	struct cda_transfer *transfer = sink->transfer;
	int rc = verify(sink, err);

	if (rc < 0) {
		int again = cda_sink_restart(sink, NULL);

		(void)again; /* the .part file goes anyway: it is empty or has no right to stay */
		sink->at = 0;
		return rc;
	}
	transfer->bytes = sink->at;
	if (sink->fd < 0)
		return 0;
	/* close reports what a network file system held back. */
	if (close(cda_take_fd(sink->fd)) != 0 ||
	    renameat(transfer->dirfd, sink->part, transfer->dirfd, transfer->path) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", transfer->path);
	cda_replace(&sink->part, NULL);
	return 0;
}
