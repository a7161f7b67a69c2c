/* listing.h - what a mirror has: its file list, read from `.files.json`, from an HTML page or from
 * a folder. All of it is a stranger's text: only file names that follow the rule of name.h are
 * taken, everything else is counted and left out. */
#ifndef CDA_RELEASE_LISTING_H
#define CDA_RELEASE_LISTING_H

#include "release/name.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdint.h>

enum { CDA_SHA256_HEX = 65, CDA_LISTING_MAX = 64 << 20 /* bytes of a listing */ };

struct cda_release {
	struct cda_release_name name;
	char sha256[CDA_SHA256_HEX]; /* lower case; "": not told, or told in two ways */
	uint64_t size;               /* bytes, rounded where the source rounds; 0: not told */
	int64_t mtime;               /* seconds; 0: not told */
	bool pinned;                 /* sha256 is the one of our own table */
};
CDA_VEC_DEFINE(cda_releases, struct cda_release);

/* Each appends to list; *ret_skipped (may be NULL): entries that are no releases.
 *
 * {NAME: {"size": N, "mtime": SECONDS, "sha256": HEX, …}, …}; members of other kinds are fine.
 * Errors: CDA_E_PARSE. */
int cda_listing_parse_json(const char *text, size_t len, const char *what,
			   struct cda_releases *list, size_t *ret_skipped, struct cda_err *err)
	CDA_CHECK;
/* A row of a table or a link: name, then in any order size, time and hash (64 hex digits; others
 * are no sha256 and left out). Never fails: without a row of ours it gives nothing. */
void cda_listing_parse_html(const char *text, size_t len, struct cda_releases *list,
			    size_t *ret_skipped);
/* The files of a folder, with the hashes of `.files.json` or of NAME.sha256 (hex first) where they
 * are. Errors: CDA_E_SYS, CDA_E_PARSE. */
int cda_listing_read_folder(const char *path, struct cda_releases *list, size_t *ret_skipped,
			    struct cda_err *err) CDA_CHECK;
/* Writes `.files.json` with all releases of the folder, hashed; without times, so that the same
 * files give the same list. *ret_count: how many (may be
 * NULL). Errors: CDA_E_SYS. */
int cda_listing_write_folder(const char *path, size_t *ret_count, struct cda_err *err) CDA_CHECK;

/* The text of a `.files.json`. */
void cda_listing_format(const struct cda_releases *list, struct cda_buf *out);
/* In order, each name once. A name with two hashes has none after. */
void cda_listing_sort(struct cda_releases *list);
const struct cda_release *cda_listing_find(const struct cda_releases *sorted,
					   const struct cda_release_name *name);

/* Shared by the parsers: "25.6 MiB", "73M", "12345" to bytes, 0 for what is none; "2023-07-13
 * 16:00:05" and "2023-07-13" to seconds, 0 for what is none. */
uint64_t cda_listing_size(struct cda_str text);
int64_t cda_listing_time(struct cda_str text);

#endif
