/* repodata.h - gets the repodata text of subdir URLs: from a file:// channel, from the cache while
 * it is fresh, or from the server (repodata.json.zst, else repodata.json) with validators. */
#ifndef CDA_INDEX_REPODATA_H
#define CDA_INDEX_REPODATA_H

#include "core/channel.h"
#include "net/http.h"
#include "util/event.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_index_options {
	struct cda_net *net;   /* NULL: file:// and the cache only, as offline */
	const char *cache_dir; /* PKGS_DIR/cache; made when missing. NULL: nothing is kept */
	const char *const *more_cache_dirs; /* NULL-ended, read only: of the other pkgs_dirs */
	const char *repodata_fn;            /* NULL: "repodata.json" */
	int64_t local_repodata_ttl;         /* see cache.h */
	bool offline;         /* any age of the cache is good; nothing cached: empty */
	bool use_index_cache; /* any age of the cache is good (-C) */
	bool no_zst;          /* do not ask for repodata.json.zst */
	bool use_only_tar_bz2;
	bool allow_non_channel_urls; /* a missing noarch is a warning */
	unsigned threads;            /* for parsing; 0: one per CPU */
	const struct cda_events *events;
};

struct cda_repodata {
	struct cda_buf text; /* "" where the subdir is not there (not an error) */
	bool missing;        /* the server has no such subdir */
	bool from_cache;
};

/* Fills ret[urls->n] (zeroed by the caller), downloading in parallel. The caller ends each with
 * cda_repodata_done, on failure too. As conda: a 403/404 of a noarch subdir is CDA_E_CHANNEL, of
 * another subdir no error; a server that fails (5xx, no answer) is CDA_E_HTTP; when a fresh answer
 * cannot be stored, the text is used all the same. Concurrent processes share the cache safely. */
int cda_repodata_get(const struct cda_channel_urls *urls, const struct cda_index_options *options,
		     struct cda_repodata *ret, struct cda_err *err) CDA_CHECK;
/* Drops what the cache has of the URL: its text turned out to be none. */
void cda_repodata_forget(const struct cda_channel_url *url,
			 const struct cda_index_options *options);
void cda_repodata_done(struct cda_repodata *repodata);

#endif
