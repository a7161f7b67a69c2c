/* archive.h - the client of a release archive: what its mirrors list, and which release is meant.
 * The file itself is fetched by fetch.h. */
#ifndef CDA_RELEASE_ARCHIVE_H
#define CDA_RELEASE_ARCHIVE_H

#include "release/resolve.h"
#include "util/event.h"

/* Borrowed until cda_archive_free. 0 asks for the defaults of net/http.h. Proxies and CA come from
 * the environment, as there. */
struct cda_archive_config {
	const struct cda_strv *mirrors; /* URLs, the first is asked first */
	const char *cache;              /* folder, made when needed; NULL: keep nothing */
	bool cache_is_default;          /* nobody named it: a fetch goes on without where it must */
	bool offline;                   /* only file:// mirrors, the cache and our own table */
	unsigned connect_timeout, read_timeout, backoff_ms;
	int retries;
	struct cda_events events; /* progress, warnings (what each mirror answered), info */
};

struct cda_archive; /* opaque */

int cda_archive_new(const struct cda_archive_config *config, struct cda_archive **ret_archive,
		    struct cda_err *err) CDA_CHECK;
struct cda_archive *cda_archive_free(struct cda_archive *archive); /* NULL is fine */
CDA_DEFINE_CLEANUP(struct cda_archive *, cda_archive_free)

/* Appends what the mirror of that number lists, sorted, each release that our table knows with its
 * hash and `pinned`. Asked are `.files.json`, then the page; a file:// folder is read. What a
 * mirror answered is remembered in the cache, and is its answer when offline. *ret_how (may be
 * NULL): owned, where the list came from. Errors: CDA_E_HTTP, CDA_E_TLS, CDA_E_OFFLINE (nothing
 * remembered), CDA_E_PARSE, CDA_E_SYS. */
int cda_archive_list(struct cda_archive *archive, size_t mirror, struct cda_releases *list,
		     char **ret_how, struct cda_err *err) CDA_CHECK;

/* What is wanted: a file name, or a request. */
struct cda_archive_want {
	const char *fn; /* NULL: the request */
	struct cda_release_request request;
	const char *sha256; /* the caller's own word for the hash, or NULL */
	bool trust_listing; /* a hash that only the mirror itself tells is good enough */
	bool newest;        /* what the mirrors list counts, pinned or not */
};

/* Chooses. A release of our table goes first, and then no mirror is asked: the same request gives
 * the same release tomorrow. Else, and with newest, the mirrors are asked in order.
 * ret_release->sha256 is the pin, or want->sha256, or with trust_listing the listed one; else ""
 * and the release cannot be fetched.
 * Errors: CDA_E_VALUE for a name that is none or changes, CDA_E_NOTFOUND, CDA_E_CHECKSUM where
 * want->sha256 is not the pin; those of cda_archive_list where no mirror answered. */
int cda_archive_resolve(struct cda_archive *archive, const struct cda_archive_want *want,
			struct cda_release *ret_release, struct cda_err *err) CDA_CHECK;

/* What a user can do about a failed transfer, as a hint of err: CA, clock, offline. */
void cda_archive_hint(struct cda_err *err);

#endif
