/* request.h - what a request amounts to: the specs that have to hold; between the files of this
 * layer. */
#ifndef CDA_SOLVE_REQUEST_H
#define CDA_SOLVE_REQUEST_H

#include "solve/universe.h"

struct cda_wish { /* a request in the form in which it is solved */
	const struct cda_solve_request *request;
	struct cda_matchspecs asked; /* owned; by preference */
	struct cda_matchspecs held;  /* owned: history, python's minor version, … */
	struct cda_matchspecs pins;  /* owned: limits of who may be a candidate */
	struct cda_map *asked_names; /* names that may move to the best */
	struct cda_map *free_names; /* installed ones that need not be kept, though not asked for */
	bool may_freeze;            /* try first with everything else as it is installed */
	bool unlimited;             /* for explanations: do not narrow candidates beforehand */
};

struct cda_jobs {
	struct cda_indexes specs;
	struct cda_map *asked, *keep; /* names, for the ranks */
};

int cda_wish_init(struct cda_wish *wish, const struct cda_solve_request *request,
		  struct cda_err *err) CDA_CHECK;
void cda_wish_done(struct cda_wish *wish);
/* The specs of the wish as specs of the universe, in order; candidates narrowed. Before the load.
 */
void cda_wish_jobs(const struct cda_wish *wish, struct cda_universe *universe, bool freeze,
		   struct cda_jobs *jobs);
void cda_jobs_done(struct cda_jobs *jobs);
/* The records of the chosen packages that the jobs reach, without virtual ones. */
void cda_wish_collect(const struct cda_universe *universe, const struct cda_indexes *jobs,
		      const struct cda_indexes *chosen, struct cda_records *final);
/* What the asked for packages of final need is asked for, too. */
void cda_wish_ask_deps(struct cda_wish *wish, const struct cda_records *final);
/* --no-deps and --only-deps: turns final into what is to be there. */
void cda_wish_only(const struct cda_solve_request *request, struct cda_records *final);
/* The difference between what is installed and final, in order. */
void cda_wish_plan(const struct cda_solve_request *request, struct cda_records *final,
		   struct cda_plan *plan);
/* The plan of a removal. */
int cda_wish_remove(const struct cda_solve_request *request, struct cda_plan *plan,
		    struct cda_err *err) CDA_CHECK;

#endif
