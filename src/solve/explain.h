/* explain.h - failures of a solve as text for people. */
#ifndef CDA_SOLVE_EXPLAIN_H
#define CDA_SOLVE_EXPLAIN_H

#include "solve/pool.h"

/* CDA_E_NOTFOUND when one of the jobs can have no package because a record that is needed does not
 * exist: every such spec is named. 0 when all jobs have valid packages. */
int cda_explain_missing(const struct cda_universe *universe, const struct cda_indexes *jobs,
			struct cda_err *err) CDA_CHECK;
/* CDA_E_UNSAT with who wants what. */
int cda_explain_clashes(const struct cda_universe *universe, const struct cda_clashes *clashes,
			struct cda_err *err) CDA_CHECK;

#endif
