/* fetch.h - brings packages into the store: download, verify, unpack, as one stream in which one
 * package unpacks while others still come. */
#ifndef CDA_PKG_FETCH_H
#define CDA_PKG_FETCH_H

#include "net/http.h"
#include "pkg/archive.h"
#include "pkg/store.h"
#include "util/event.h"

struct cda_fetch_options {
	struct cda_net *net; /* NULL: offline, but for file:// */
	bool offline;        /* only file:// and what is cached; else CDA_E_OFFLINE */
	bool deep_checks;    /* compare each cached file's sha256 before use */
	bool download_only;  /* leave archives packed */
	unsigned threads;    /* that unpack; 0: one per CPU */
	const struct cda_archive_limits *limits; /* NULL: the usual */
	const struct cda_events *events; /* CDA_EVENT_PROGRESS per package: "name-version" */
};

/* Makes sure that every record's package is unpacked in the store. ret_dirs[records->n] gets the
 * absolute path of each folder (owned; NULL with download_only). Order does not matter. The first
 * failure (in the order of records) is returned; nothing unfinished is left under a final name,
 * and a broken download is continued by the next run.
 * Errors: CDA_E_HTTP, CDA_E_TLS, CDA_E_OFFLINE, CDA_E_CHECKSUM, CDA_E_ARCHIVE, CDA_E_NOCACHE,
 * CDA_E_SYS, CDA_E_NOSPACE, CDA_E_INTERRUPTED. */
int cda_fetch_packages(struct cda_store *store, const struct cda_records *records,
		       const struct cda_fetch_options *options, char **ret_dirs,
		       struct cda_err *err) CDA_CHECK;

/* How many bytes are to come: of the records that are neither unpacked nor there as archive. A
 * record with size 0 counts nothing. need (may be NULL) gets true for each such record. */
uint64_t cda_fetch_needed(const struct cda_store *store, const struct cda_records *records,
			  bool *need);

/* "URL", "URL#md5", "URL#sha256:HEX", "URL#md5:HEX" or a path, of a package archive: a record with
 * url, fn, name, version, build, subdir and the digest, in the arena. Relative paths count from
 * cwd. Errors: CDA_E_SPEC. */
int cda_fetch_explicit_parse(struct cda_arena *arena, const char *text, const char *cwd,
			     struct cda_record *ret_record, struct cda_err *err) CDA_CHECK;
/* Fetches each explicit record and appends the full records (info/index.json with url and digests)
 * in the same order, ready to link; their extracted_package_dir is set. */
int cda_fetch_explicit(struct cda_store *store, const struct cda_records *wanted,
		       const struct cda_fetch_options *options, struct cda_arena *arena,
		       struct cda_records *ret_records, struct cda_err *err) CDA_CHECK;

#endif
