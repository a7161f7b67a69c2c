/* solve.h - from what is asked for, installed and available to a plan (conda/core/solve.py; the
 * engine is libsolv). Pure: reads no file, no environment, no clock. Judge: the solve vectors. */
#ifndef CDA_SOLVE_SOLVE_H
#define CDA_SOLVE_SOLVE_H

#include "core/channel.h"
#include "core/matchspec.h"
#include "core/plan.h"
#include "core/record.h"
#include "util/err.h"

#include <stdbool.h>

enum cda_solve_command {
	CDA_SOLVE_CREATE,
	CDA_SOLVE_INSTALL,
	CDA_SOLVE_UPDATE,
	CDA_SOLVE_UPDATE_ALL,
	CDA_SOLVE_REMOVE
};

enum cda_channel_priority { CDA_PRIORITY_FLEXIBLE, CDA_PRIORITY_STRICT, CDA_PRIORITY_DISABLED };

enum cda_update_modifier {
	CDA_UPDATE_SPECS,     /* what is asked for moves, the rest as little as it can (default) */
	CDA_UPDATE_DEPS,      /* dependencies of what is asked for move too */
	CDA_FREEZE_INSTALLED, /* nothing installed moves; where that cannot be, the default */
	CDA_SPECS_SATISFIED_SKIP /* nothing happens where what is installed satisfies the specs */
};

enum cda_deps_modifier { CDA_DEPS_ALL, CDA_DEPS_NONE, CDA_DEPS_ONLY };

/* Everything is borrowed for the call; zeroed fields are the defaults. */
struct cda_solve_request {
	enum cda_solve_command command;
	const struct cda_channel_config
		*channels;               /* what channel names in specs mean; never NULL */
	struct cda_matchspecs specs;     /* asked for; of REMOVE: what goes */
	struct cda_records installed;    /* of the prefix */
	struct cda_records index;        /* candidates of all channels; record->priority counts */
	struct cda_records virtual_pkgs; /* from cda_virtpkg_detect */
	struct cda_strv history;         /* specs that history holds, one text for each name */
	struct cda_strv pinned;          /* pinned_specs and conda-meta/pinned */
	struct cda_strv aggressive_updates; /* aggressive_update_packages */
	struct cda_strv track_features;
	enum cda_channel_priority channel_priority;
	enum cda_update_modifier update;
	enum cda_deps_modifier deps;
	bool add_pip_as_python_dependency;
	bool ignore_pinned;   /* --no-pin */
	bool force_reinstall; /* what is asked for is installed anew even if it is there */
	bool force_remove;    /* REMOVE: without what depends on it */
	bool prune;           /* take away what nothing asked for needs */
};

/* Fills *ret_plan (the caller's: cda_plan_done); its records are the request's. An empty plan is
 * success: nothing to do. Errors, each told with what to do next as hint where there is one:
 * CDA_E_NOTFOUND (no candidate for a spec; all of them are named), CDA_E_UNSAT (no set satisfies
 * the request), CDA_E_PINNED (specs against pins), CDA_E_MISSING (UPDATE of what is not installed;
 * of REMOVE that is CDA_E_NOTFOUND), CDA_E_SPEC. */
int cda_solve(const struct cda_solve_request *request, struct cda_plan *ret_plan,
	      struct cda_err *err) CDA_CHECK;

/* The records in the order in which they are installed: dependencies first, otherwise by name. */
void cda_solve_order(const struct cda_channel_config *channels, struct cda_records *records);

#endif
