/* change.h - change an environment in two steps: prepare says what would happen, commit does it.
 * Create, install, update and remove differ in the request alone. */
#ifndef CDA_CLIENT_CHANGE_H
#define CDA_CLIENT_CHANGE_H

#include "client/context.h"
#include "core/plan.h"

struct cda_meta;

struct cda_change_request {
	enum cda_solve_command command;
	struct cda_strv specs; /* match specs as text */
	enum cda_update_modifier update;
	enum cda_deps_modifier deps;
	bool ignore_pinned, force_reinstall, force_remove, prune;
	bool no_default_packages;        /* of CREATE: without create_default_packages */
	bool explicit_urls;              /* specs are URLs or paths of packages: no solve */
	const char *clone;               /* CREATE as a copy of this prefix */
	const struct cda_strv *channels; /* instead of the settings' channels; or NULL */
	const char
		*dists_of; /* go back to the state of this revision (a number as text); or NULL */
};

struct cda_change {
	struct cda_context *ctx; /* borrowed */
	enum cda_solve_command command;
	struct cda_arena *arena;
	struct cda_meta *meta;   /* what is installed */
	struct cda_index *index; /* NULL without a solve */
	struct cda_plan plan;
	struct cda_strv specs; /* canonical texts of what was asked for */
	bool *need;            /* for each plan.link: must be downloaded */
	uint64_t need_bytes;
	struct cda_strv explicit_dirs; /* where packages of explicit URLs are unpacked */
	char *clone_of;                /* whose other files are to come too; or NULL */
	bool is_new;                   /* the prefix is not there yet */
};

/* Errors: those of the index and of the solver; CDA_E_NOENV, CDA_E_NOTAPREFIX, CDA_E_UNWRITABLE
 * (unless dry), CDA_E_VALUE. The caller owns *ret. */
int cda_change_prepare(struct cda_context *ctx, const struct cda_change_request *request, bool dry,
		       struct cda_change **ret, struct cda_err *err) CDA_CHECK;
struct cda_change *cda_change_free(struct cda_change *change); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_change *, cda_change_free)

struct cda_change_commit {
	const char *cmd; /* the command line, for history */
	bool download_only;
};
/* Fetches and executes the plan. Errors: those of fetch.h and txn.h. */
int cda_change_commit(struct cda_change *change, const struct cda_change_commit *how,
		      struct cda_err *err) CDA_CHECK;

/* Removes the environment as a whole: its packages (with their scripts), then its folder where
 * nothing else is left or `everything`. CDA_E_ENVIRONMENT for base and the active one. */
int cda_change_remove_all(struct cda_context *ctx, struct cda_change **ret, struct cda_err *err)
	CDA_CHECK;
int cda_change_remove_all_commit(struct cda_change *change, const struct cda_change_commit *how,
				 struct cda_err *err) CDA_CHECK;

/* After a spec of the user could not be parsed: CDA_E_VALUE that names it; returns -err->code. */
int cda_change_bad_spec(const char *spec, struct cda_err *err);

/* A package URL or path: it stands for itself, no channel is searched. */
bool cda_change_is_explicit(const char *spec);

#endif
