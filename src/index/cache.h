/* cache.h - the on-disk copy of one subdir's repodata with its state file, as conda keeps them in
 * PKGS_DIR/cache: HASH.json and HASH.info.json. The state counts only while it tells the copy's
 * size and time, so that a copy without its state is merely fetched again. */
#ifndef CDA_INDEX_CACHE_H
#define CDA_INDEX_CACHE_H

#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_cache_state {
	char *url;              /* without credentials */
	char *etag, *mod;       /* validators as the server wrote them; "" when none */
	char *cache_control;    /* "" when none */
	int64_t mtime_ns, size; /* of the copy */
	int64_t refresh_ns;     /* when the server last said so */
	bool zst_known, zst;    /* has the server repodata.json.zst? */
	int64_t zst_checked;    /* seconds since the epoch */
};

/* "1a2b3c4d.json": the name for a subdir URL (without credentials) and repodata file name; the
 * state has ".info.json" for ".json". Owned. */
char *cda_cache_name(const char *url, const char *repodata_fn);

/* Reads the state of `name` in the folder; false (and *ret zeroed but for what is known of zst)
 * when the copy is missing or the state is not of this copy. */
bool cda_cache_state_read(int dirfd, const char *name, struct cda_cache_state *ret);
/* Writes the state for the copy as it is now; mtime_ns and size are taken from it. */
int cda_cache_state_write(int dirfd, const char *name, struct cda_cache_state *state,
			  struct cda_err *err) CDA_CHECK;
void cda_cache_state_done(struct cda_cache_state *state);

/* Seconds of max-age in a Cache-Control header; 0 when there is none. */
int64_t cda_cache_max_age(const char *cache_control);
/* Is the copy fresh at now_ns? ttl as conda's local_repodata_ttl: 0 never, 1 as Cache-Control says,
 * more: that many seconds. */
bool cda_cache_is_fresh(const struct cda_cache_state *state, int64_t ttl, int64_t now_ns);

#endif
