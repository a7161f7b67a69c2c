/* look.h - what is there: installed packages, environments, what the channels have. Read-only. */
#ifndef CDA_CLIENT_LOOK_H
#define CDA_CLIENT_LOOK_H

#include "client/context.h"

/* Installed packages of a prefix, sorted by name; records are borrowed from the look. */
struct cda_installed_look {
	struct cda_arena *arena;
	struct cda_records records;
};

/* pip: Python packages without a conda record come as records of channel "pypi". Errors: those of
 * cda_context_need_prefix, CDA_E_PARSE. */
int cda_look_installed(struct cda_context *ctx, const char *prefix, bool pip,
		       struct cda_installed_look *ret, struct cda_err *err) CDA_CHECK;
void cda_look_installed_done(struct cda_installed_look *look);

struct cda_revision {
	char *date;
	struct cda_strv install, remove, upgrade, downgrade; /* "name-version-build-channel" etc. */
	struct cda_strv lines;                               /* as the text form shows them */
};
CDA_VEC_DEFINE(cda_revisions, struct cda_revision);
int cda_look_revisions(struct cda_context *ctx, struct cda_revisions *ret, struct cda_err *err)
	CDA_CHECK;
void cda_look_revisions_done(struct cda_revisions *revisions);

/* All known environments, sorted. */
void cda_look_envs(const struct cda_context *ctx, struct cda_strv *ret_prefixes);

/* Records of the channels that match the spec, oldest first within a name. Where none does and the
 * spec is a plain name, *ret_close gets those whose name contains it. The caller frees both with
 * cda_records_done and keeps *ret_index as long. */
int cda_look_search(struct cda_context *ctx, const char *spec, struct cda_index **ret_index,
		    struct cda_records *ret_records, struct cda_records *ret_close,
		    struct cda_err *err) CDA_CHECK;
/* What is wrong with the files of a prefix. */
struct cda_problem {
	char *package, *path; /* path: relative to the prefix */
	bool missing;         /* else it has other contents than the package */
};
CDA_VEC_DEFINE(cda_problems, struct cda_problem);
int cda_look_problems(struct cda_context *ctx, struct cda_problems *ret, struct cda_err *err)
	CDA_CHECK;
void cda_look_problems_done(struct cda_problems *problems);

/* Specs that history says were asked for, one per name. */
int cda_look_requested(struct cda_context *ctx, const char *prefix, struct cda_strv *ret_specs,
		       struct cda_err *err) CDA_CHECK;
/* Appends the URLs of the channels (NULL: the settings'), with subdirs; without credentials unless
 * asked. */
int cda_look_channel_urls(const struct cda_context *ctx, const struct cda_strv *channels,
			  bool with_credentials, struct cda_strv *ret_urls, struct cda_err *err)
	CDA_CHECK;

#endif
