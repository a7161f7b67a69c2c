/* universe.h - the part of all records that a request can reach: packages, the specs they and the
 * request have, and who matches whom. Made anew for each try; between the files of this layer. */
#ifndef CDA_SOLVE_UNIVERSE_H
#define CDA_SOLVE_UNIVERSE_H

#include "core/matchspec.h"
#include "core/record.h"
#include "core/version.h"
#include "solve/solve.h"
#include "util/arena.h"
#include "util/map.h"

CDA_VEC_DEFINE(cda_indexes, unsigned);

struct cda_bucket { /* all records of one name */
	const char *name;
	struct cda_records records;
	unsigned *pkg; /* of each record: index of its package + 1, 0 when not loaded */
	/* Distinct versions, and which of them each record has; made when first asked. */
	struct cda_version **versions;
	const char **version_texts;
	unsigned *version_of;
	unsigned n_versions;
	struct cda_matchspecs must; /* borrowed: candidates match all of these */
	const struct cda_record *installed;
	bool frozen; /* the installed record is the only candidate */
};

struct cda_pkg {
	const struct cda_record *record;
	const struct cda_record *installed; /* the record of the prefix, when it is this package */
	struct cda_bucket *bucket;
	unsigned version;              /* of the bucket's */
	struct cda_indexes depends;    /* specs */
	struct cda_indexes constrains; /* specs */
	struct cda_indexes matched_by; /* specs that it matches */
	bool valid;                    /* every dependency has somebody valid */
	unsigned group;                /* 0 = best channel and version of its name */
	uint64_t deficit;              /* how far its dependencies stay behind the best */
	unsigned rank;                 /* within its name: greater is better */
};
CDA_VEC_DEFINE(cda_pkgs, struct cda_pkg);

struct cda_spec_info {
	struct cda_matchspec *spec; /* owned */
	struct cda_indexes matches; /* packages */
	bool wanted;                /* a dependency or request (else a constraint alone) */
	bool missing;               /* no record matches at all */
	unsigned valid_matches;
	unsigned best_group;
};
CDA_VEC_DEFINE(cda_spec_infos, struct cda_spec_info);

struct cda_universe {
	const struct cda_solve_request *request;
	struct cda_map *buckets; /* name -> struct cda_bucket */
	struct cda_pkgs pkgs;
	struct cda_spec_infos specs;
	struct cda_map *spec_by_text; /* text -> index + 1 */
	struct cda_indexes queue;     /* specs whose records are to be loaded */
};

/* Sorts all records of the request into names. Channel records that strict priority hides are left
 * out when strict is set. */
struct cda_universe *cda_universe_new(const struct cda_solve_request *request, bool strict);
struct cda_universe *cda_universe_free(struct cda_universe *universe);
CDA_DEFINE_CLEANUP(struct cda_universe *, cda_universe_free)

struct cda_bucket *cda_universe_bucket(const struct cda_universe *universe, const char *name);
/* Candidates of the spec's name must match it too. Before any load. */
void cda_universe_limit(struct cda_universe *universe, const struct cda_matchspec *spec);
/* Index of the spec; text that is no spec gives one that matches nothing. wanted: its records and
 * theirs are loaded by the next load. */
unsigned cda_universe_spec(struct cda_universe *universe, const char *text, bool wanted);
unsigned cda_universe_spec_of(struct cda_universe *universe, const struct cda_matchspec *spec);
/* Loads what wanted specs reach, and finds out who is valid. */
void cda_universe_load(struct cda_universe *universe);
/* Packages in the order in which they are preferred: fills group, deficit and rank. asked: names of
 * the request (their versions count before their features); keep: installed ones that win. */
void cda_universe_rank(struct cda_universe *universe, const struct cda_map *asked,
		       const struct cda_map *keep);

#endif
