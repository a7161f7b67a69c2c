/* pool.h - a universe as a libsolv pool, and one solve over it. The only file with libsolv. */
#ifndef CDA_SOLVE_POOL_H
#define CDA_SOLVE_POOL_H

#include "solve/universe.h"

enum cda_clash_kind {
	CDA_CLASH_JOB,        /* the request's spec: nobody can fulfil it */
	CDA_CLASH_NEEDS,      /* package needs spec */
	CDA_CLASH_CONSTRAINS, /* package allows others of that name only as spec says */
	CDA_CLASH_SAME_NAME   /* package and other cannot both be there */
};

struct cda_clash { /* one reason of a failure */
	enum cda_clash_kind kind;
	int pkg, other; /* -1: none */
	int spec;
};
CDA_VEC_DEFINE(cda_clashes, struct cda_clash);

struct cda_pool; /* opaque */

/* invalid: with the packages that lack something too, so that a failure can be told. The universe
 * must outlive the pool. */
struct cda_pool *cda_pool_new(const struct cda_universe *universe, bool invalid);
struct cda_pool *cda_pool_free(struct cda_pool *pool);
CDA_DEFINE_CLEANUP(struct cda_pool *, cda_pool_free)

/* Wants every spec of jobs, in this order of preference, and before all one of the packages one_of
 * (NULL: nothing). True: *chosen has the packages. False: *clashes (may be NULL) has the reasons of
 * the first problem. */
bool cda_pool_solve(struct cda_pool *pool, const struct cda_indexes *jobs,
		    const struct cda_indexes *one_of, struct cda_indexes *chosen,
		    struct cda_clashes *clashes);

#endif
