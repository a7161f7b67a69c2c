#include "net/engine.h"
#include "util/fs.h"
#include "util/url.h"

#include <errno.h>

static int open_failed(struct cda_job *job, int errnum, const char *safe, struct cda_err *err)
{
	if (errnum != ENOENT && errnum != ENOTDIR)
		return cda_err_sys(err, errnum, "cannot fetch '%s'", safe);
	job->transfer->status = 404;
	cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': there is no such file", safe);
	if (err)
		err->sys = errnum;
	return -CDA_E_HTTP;
}

int cda_job_local(struct cda_job *job, struct cda_err *err)
{
	struct cda_transfer *transfer = job->transfer;
	CDA_AUTOFREE char *path = cda_url_to_path(job->url), *safe = cda_url_safe(job->url);
	CDA_AUTOFREE char *chunk = NULL;
	const size_t size = 256 * 1024;
	struct stat st;
	int rc;

	if (!path)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no file on this machine", safe);
	/* O_NONBLOCK: a fifo of that name must not hold us. */
	CDA_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return open_failed(job, errno, safe, err);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return cda_err_sys(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "cannot fetch '%s'",
				   safe);
	job->etag = cda_asprintf("\"%jx-%jx.%lx\"", (uintmax_t)st.st_size,
				 (uintmax_t)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	if (transfer->etag && strcmp(transfer->etag, job->etag) == 0) {
		transfer->not_modified = true;
		return 0;
	}
	job->has_length = true;
	job->content_length = (uint64_t)st.st_size;
	rc = job->sink ? 0 : cda_sink_open(transfer, &job->sink, err);
	if (rc == 0)
		rc = cda_sink_restart(job->sink, err);
	chunk = cda_alloc(size);
	while (rc == 0) {
		ssize_t n = read(fd, chunk, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = cda_err_sys(err, errno, "cannot read");
		if (n <= 0)
			break;
		rc = cda_sink_write(job->sink, chunk, (size_t)n, err);
		cda_job_tell(job, false);
	}
	if (rc == 0)
		rc = cda_sink_finish(job->sink, err);
	if (rc < 0)
		return cda_err_wrap(err, rc, "cannot fetch '%s'", safe);
	cda_job_tell(job, true);
	return 0;
}
