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

/* Wants every spec of jobs, in this order of preference. True: *chosen has the packages. False:
 * *clashes has the reasons of the first problem. */
bool cda_pool_solve(const struct cda_universe *universe, const struct cda_indexes *jobs,
		    struct cda_indexes *chosen, struct cda_clashes *clashes);

#endif
