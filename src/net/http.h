/* http.h - fetches http://, https:// and file:// URLs, many at a time, each to a verified file or
 * into memory. Proxies, TLS and time limits are plain values that the caller read somewhere. */
#ifndef CDA_NET_HTTP_H
#define CDA_NET_HTTP_H

#include "util/buf.h"
#include "util/err.h"
#include "util/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of condarc's proxy_servers. match: "http", "https", "all", "https://host" or
 * "all://host"; the most exact one wins. url may hold user:password. */
struct cda_net_proxy {
	const char *match, *url;
};

/* Copied by cda_net_new. NULL and 0 ask for the value in brackets, but for the bools. */
struct cda_net_config {
	const struct cda_net_proxy *proxies; /* [http_proxy, https_proxy, all_proxy, no_proxy of
					      * the environment, as curl reads them] */
	size_t n_proxies;
	bool no_ssl_verify;      /* ssl_verify: false */
	const char *ca_file;     /* CA bundle, or folder of hashed CAs [REQUESTS_CA_BUNDLE,
				  * CURL_CA_BUNDLE or SSL_CERT_FILE, else the system's] */
	const char *ca_fallback; /* bundle for systems that have none */
	const char *client_cert, *client_key;
	bool offline;             /* only file:// */
	bool no_netrc;            /* ~/.netrc (or $NETRC) gives no credentials */
	unsigned connect_timeout; /* seconds [10] */
	unsigned read_timeout;    /* seconds without a byte [60] */
	unsigned max_parallel;    /* transfers at a time [5] */
	int retries;              /* after the first try [3]; -1: none */
	unsigned backoff_ms;      /* before the first retry, doubled for each next one [1000] */
	const char *user_agent;   /* ["condense/VERSION"] */
};

struct cda_net; /* opaque: connections stay open for the next run. One thread at a time. */

/* Errors: CDA_E_TLS for CA or client files that are not there, CDA_E_VALUE for a proxy that is no
 * URL. */
int cda_net_new(const struct cda_net_config *config, struct cda_net **ret_net, struct cda_err *err)
	CDA_CHECK;
struct cda_net *cda_net_free(struct cda_net *net); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_net *, cda_net_free)

/* One thing to fetch. Zero it, fill the first part, run, look at the second part, then call
 * cda_transfer_done. What `in` pointers point to must live until then.
 *
 * To a file: the bytes go to path + ".part"; only a file whose size and digests are right gets the
 * name path, in place of what had it. With resume, what a former run left in the .part file is
 * used again if the sha256 or md5 is given; without resume nothing is left behind on failure. */
struct cda_transfer {
	const char *url;
	const char *const *mirrors; /* NULL-ended; tried in order when url fails; may be NULL */
	int dirfd;                  /* with path; AT_FDCWD is fine */
	const char *path;           /* NULL: into body */
	bool resume;
	bool compressed;           /* allow a Content-Encoding; sizes and digests are of the
				    * unpacked bytes. No resume then. */
	uint64_t size;             /* exact size; 0: not known */
	const char *sha256, *md5;  /* hex; NULL: not known */
	const char *etag;          /* with either, the answer may be "not modified" */
	const char *last_modified; /* as the server wrote it */
	uint64_t max_bytes;        /* more is CDA_E_VALUE; 0: 16 GiB to a file, 1 GiB to body */
	const char *item;          /* name for CDA_EVENT_PROGRESS; NULL: none */
	/* Called in the caller's thread as soon as this one is through (rc and all else are set),
	 * while others still run. May be NULL. */
	void (*done)(void *ctx, struct cda_transfer *transfer);
	/* Called for each attempt that failed, the last one too: url is url or one of mirrors, more
	 * tells whether another attempt follows. May be NULL. */
	void (*failed)(void *ctx, const char *url, const struct cda_err *err, bool more);
	void *ctx;

	int rc;             /* 0, or -code with err. The codes are listed below. */
	struct cda_err err; /* owned until cda_transfer_done */
	long status;        /* HTTP status of the last answer, 0 for none or file:// (there 404) */
	bool not_modified;  /* rc 0 and nothing was written */
	struct cda_buf body;
	uint64_t bytes; /* of the whole file or body */
	char *got_url;  /* where it came from, after redirects; without credentials */
	char *got_etag; /* headers of the last answer, or NULL; a file:// URL gets an etag made of
			 * size and time */
	char *got_last_modified;
	char *got_cache_control;
};

/* CDA_E_HTTP: no answer, or not a good one (status says which; 404 and 410 mean absent).
 * CDA_E_TLS: certificate or handshake. CDA_E_OFFLINE. CDA_E_CHECKSUM: wrong size or digest.
 * CDA_E_VALUE: bad URL, longer than max_bytes. CDA_E_SYS and CDA_E_NOSPACE: our side of the disk.
 * CDA_E_INTERRUPTED. Messages never show passwords or tokens.
 *
 * Fetches all n in parallel. One failure does not stop the others: look at each rc. Returns 0, or
 * the first failed transfer's code (in the order of the array) with a copy of its error; err may
 * be NULL. */
int cda_net_run(struct cda_net *net, struct cda_transfer *transfers, size_t n,
		const struct cda_events *events, struct cda_err *err);
void cda_transfer_done(struct cda_transfer *transfer); /* frees the second part */

/* "NOT FOUND" for 404; "UNKNOWN" where it has no name here. */
const char *cda_http_reason(long status);

#endif
