/* engine.h - what the files of the net layer share: the engine and one running transfer. */
#ifndef CDA_NET_ENGINE_H
#define CDA_NET_ENGINE_H

#include "net/sink.h"
#include "util/vec.h"

#include <curl/curl.h>

struct cda_net {
	struct cda_net_config config; /* its pointers are copies, below, with every default set */
	struct cda_strv texts;        /* owns them */
	struct cda_net_proxy *proxies;
	char *ca; /* bundle or folder; NULL: none found */
	bool ca_is_dir;
	CURLM *multi;
};

enum cda_job_state { CDA_JOB_WAITING, CDA_JOB_ACTIVE, CDA_JOB_FINISHED };

struct cda_job {
	struct cda_net *net;
	struct cda_transfer *transfer;
	const struct cda_events *events;
	enum cda_job_state state;
	const char *url;           /* of this attempt */
	size_t n_urls, turn;       /* url and mirrors; whose turn it is */
	size_t asked;              /* whose headers are below */
	bool *dead;                /* per url: another attempt would say the same */
	int round;                 /* times that the whole list was gone through */
	bool asked_afresh;         /* once: past caches, after wrong bytes */
	uint64_t next_at, told_at; /* monotonic ms: next attempt; last progress event */

	/* one attempt */
	CURL *easy;
	struct curl_slist *headers;
	struct cda_sink *sink; /* lives over attempts */
	uint64_t range_from;   /* what we asked for; 0: all */
	bool body_begun, body_is_ours;
	struct cda_err err; /* set inside a callback */
	char why[CURL_ERROR_SIZE];

	/* the last answer's headers */
	long status;
	char *etag, *last_modified, *cache_control, *location;
	uint64_t content_length, content_from;
	bool has_length, has_from;
	unsigned retry_after; /* seconds */
};

/* handle.c: options of one attempt. */
int cda_job_setup(struct cda_job *job, struct cda_err *err) CDA_CHECK;

/* answer.c: curl's callbacks. */
size_t cda_job_header(char *p, size_t size, size_t n, void *job);
size_t cda_job_write(char *p, size_t size, size_t n, void *job);
int cda_job_begin_body(struct cda_job *job, struct cda_err *err) CDA_CHECK;
void cda_job_forget_answer(struct cda_job *job);
void cda_job_tell(struct cda_job *job, bool last);

/* failure.c: the error of an attempt that curl or the server ended; may_retry: it can pass. */
int cda_job_curl_failed(struct cda_job *job, CURLcode code, bool *ret_may_retry,
			struct cda_err *err);
int cda_job_status_failed(struct cda_job *job, bool *ret_may_retry, struct cda_err *err);

/* local.c: a file:// URL, whole. */
int cda_job_local(struct cda_job *job, struct cda_err *err) CDA_CHECK;

uint64_t cda_net_now(void); /* monotonic ms */

#endif
