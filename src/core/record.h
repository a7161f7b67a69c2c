/* record.h - one package record: of repodata, of the package cache, or of conda-meta.
 * Plain borrowed text: whoever makes records (an index, a prefix, a test) owns the memory, mostly
 * an arena. Absent text is NULL, absent lists have n = 0. */
#ifndef CDA_CORE_RECORD_H
#define CDA_CORE_RECORD_H

#include "util/arena.h"
#include "util/buf.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum cda_noarch { CDA_NOARCH_NONE, CDA_NOARCH_GENERIC, CDA_NOARCH_PYTHON };

struct cda_texts { /* borrowed texts */
	const char *const *v;
	size_t n;
};

struct cda_record {
	const char *name, *version, *build;
	int64_t build_number;
	const char
		*channel; /* base URL of the channel without subdir and credentials, or as given */
	const char *channel_name; /* canonical name: "conda-forge", "pkgs/main", or an URL */
	const char *subdir, *fn;
	const char *url; /* where the archive is (may have credentials: cda_url_safe for people) */
	const char *md5, *sha256;
	int64_t size, timestamp; /* bytes; milliseconds; 0 when unknown */
	struct cda_texts depends, constrains, track_features;
	const char *features, *license, *license_family;
	const char *arch, *platform; /* as old records have them, or NULL */
	enum cda_noarch noarch;
	const char *noarch_text;               /* "python", "generic", or NULL */
	const char *python_site_packages_path; /* CEP 17; or NULL */
	bool is_virtual;                       /* __glibc and so on */
	/* Of installed records alone: */
	const char *requested_spec; /* or NULL */
	const char *extracted_package_dir;
	/* Of the index alone: place among the channels (0 = highest) and subdir order. */
	int priority;
};

/* Deep copy into the arena. */
struct cda_record *cda_record_copy(struct cda_arena *arena, const struct cda_record *record);
/* "channel/subdir::name-version-build" and "name-version-build"; appended. */
void cda_record_format(const struct cda_record *record, struct cda_buf *out);
void cda_record_dist(const struct cda_record *record, struct cda_buf *out);
/* The same package: name, version, build, build number, subdir, and channel name. */
bool cda_record_same(const struct cda_record *a, const struct cda_record *b);
/* The archive's file name without its ending; borrowed by length. */
struct cda_str cda_record_stem(const char *fn);
/* name-version-build of a file name or URL's last part: pieces into the arena; false when it is
 * none. */
bool cda_record_from_fn(struct cda_arena *arena, const char *fn, struct cda_record *ret);

CDA_VEC_DEFINE(cda_records, const struct cda_record *); /* borrowed records */

#endif
