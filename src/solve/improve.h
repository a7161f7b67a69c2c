/* improve.h - libsolv decides one package after the other; this looks whether the whole can be
 * better, as conda weighs it. */
#ifndef CDA_SOLVE_IMPROVE_H
#define CDA_SOLVE_IMPROVE_H

#include "solve/pool.h"
#include "solve/request.h"

/* Replaces *chosen by an answer that is better as a whole, when one of few tries finds one. The
 * number of tries depends on the size of the problem alone, so answers are repeatable. */
void cda_improve(const struct cda_universe *universe, struct cda_pool *pool,
		 const struct cda_jobs *jobs, struct cda_indexes *chosen);

#endif
