#include "net/engine.h"
#include "util/str.h"

#include <string.h>

enum { tell_every_ms = 100 };

void cda_job_forget_answer(struct cda_job *job)
{
	cda_replace(&job->etag, NULL);
	cda_replace(&job->last_modified, NULL);
	cda_replace(&job->cache_control, NULL);
	cda_replace(&job->location, NULL);
	job->status = 0;
	job->has_length = job->has_from = false;
	job->retry_after = 0;
}

static bool parse_u64(struct cda_str text, uint64_t *ret_value)
{
	CDA_AUTOFREE char *copy = cda_str_dup(cda_str_trim(text));
	int64_t value;

	if (!cda_parse_int(copy, 0, INT64_MAX, &value))
		return false;
	*ret_value = (uint64_t)value;
	return true;
}

/* "bytes 100-199/1000" */
static void parse_content_range(struct cda_job *job, struct cda_str value)
{
	struct cda_str unit, from;

	if (cda_str_cut(&value, " ", &unit) && cda_str_eq(unit, CDA_STR("bytes")) &&
	    cda_str_cut(&value, "-", &from))
		job->has_from = parse_u64(from, &job->content_from);
}

/* Seconds, or a date. */
static void parse_retry_after(struct cda_job *job, struct cda_str value)
{
	CDA_AUTOFREE char *text = cda_str_dup(value);
	uint64_t seconds = 0;

	if (!parse_u64(value, &seconds)) {
		time_t when = curl_getdate(text, NULL), now = time(NULL);

		seconds = when > now ? (uint64_t)(when - now) : 0;
	}
	job->retry_after = seconds < 3600 ? (unsigned)seconds : 3600;
}

static void status_line(struct cda_job *job, struct cda_str line)
{
	struct cda_str version, code;
	uint64_t status;

	cda_job_forget_answer(job);
	if (cda_str_cut(&line, " ", &version) && cda_str_cut(&line, " ", &code) &&
	    parse_u64(code, &status) && status < 1000)
		job->status = (long)status;
}

size_t cda_job_header(char *p, size_t size, size_t n, void *ctx)
{
	struct cda_job *job = ctx;
	struct cda_str line = cda_str_trim((struct cda_str){p, size * n}), name, value;
	char **slot;

	if (line.len > 5 && memcmp(line.p, "HTTP/", 5) == 0) {
		status_line(job, line);
		return size * n;
	}
	value = line;
	if (!cda_str_cut(&value, ":", &name))
		return size * n;
	CDA_AUTOFREE char *key = cda_str_dup(cda_str_trim(name));
	value = cda_str_trim(value);
	slot = cda_strcaseeq(key, "etag")            ? &job->etag
	       : cda_strcaseeq(key, "last-modified") ? &job->last_modified
	       : cda_strcaseeq(key, "cache-control") ? &job->cache_control
	       : cda_strcaseeq(key, "location")      ? &job->location
						     : NULL;
	if (slot)
		cda_replace(slot, cda_str_dup(value));
	else if (cda_strcaseeq(key, "content-length"))
		job->has_length = parse_u64(value, &job->content_length);
	else if (cda_strcaseeq(key, "content-range"))
		parse_content_range(job, value);
	else if (cda_strcaseeq(key, "retry-after"))
		parse_retry_after(job, value);
	return size * n;
}

void cda_job_tell(struct cda_job *job, bool last)
{
	struct cda_transfer *transfer = job->transfer;
	uint64_t now, done = job->sink ? cda_sink_at(job->sink) : 0, total = transfer->size;

	if (!transfer->item || !job->events)
		return;
	now = cda_net_now();
	if (!last && now - job->told_at < tell_every_ms)
		return;
	job->told_at = now;
	if (last)
		total = done;
	else if (!total && job->has_length && !transfer->compressed)
		total = job->content_length + (job->status == 206 ? job->range_from : 0);
	cda_emit_progress(job->events, transfer->item, done, total);
}

/* Decides once per answer whose bytes come: ours from the start, ours from where we left off, or
 * the text of an error page. */
int cda_job_begin_body(struct cda_job *job, struct cda_err *err)
{
	if (job->body_begun)
		return 0;
	job->body_begun = true;
	job->body_is_ours = job->status == 200 || job->status == 206;
	if (!job->body_is_ours)
		return 0;
	if (job->status == 200)
		return cda_sink_restart(job->sink, err);
	if (job->range_from == 0 || !job->has_from || job->content_from != job->range_from) {
		int rc = cda_sink_restart(job->sink, err);

		return rc < 0 ? rc
			      : cda_err_set(err, CDA_E_HTTP,
					    "the server sent another range than "
					    "it was asked for");
	}
	return 0;
}

size_t cda_job_write(char *p, size_t size, size_t n, void *ctx)
{
	struct cda_job *job = ctx;
	size_t len = size * n;

	if (job->err.code != CDA_OK || cda_job_begin_body(job, &job->err) < 0)
		return 0;
	if (!job->body_is_ours)
		return len;
	if (cda_sink_write(job->sink, p, len, &job->err) < 0)
		return 0;
	cda_job_tell(job, false);
	return len;
}
