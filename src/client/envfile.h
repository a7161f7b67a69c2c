/* envfile.h - environment.yml: name, channels, dependencies (with a pip list), variables, prefix;
 * as conda env reads and writes it. And conda-meta/state, where an environment keeps its variables.
 */
#ifndef CDA_CLIENT_ENVFILE_H
#define CDA_CLIENT_ENVFILE_H

#include "client/context.h"

struct cda_envfile {
	char *name, *prefix; /* owned, or NULL */
	struct cda_strv channels, dependencies, pip;
	struct cda_strv variables; /* "NAME=value" */
	struct cda_strv unknown;   /* keys that mean nothing here */
	bool has_pip;
};

/* path: a file; its text may be at most CDA_YAML_MAX_BYTES. Errors: CDA_E_ENVFILE when it is not
 * there, CDA_E_SPECFILE when it is empty, CDA_E_VALUE and CDA_E_PARSE with file and line. */
int cda_envfile_read(const char *path, struct cda_envfile *ret, struct cda_err *err) CDA_CHECK;
int cda_envfile_parse(const char *text, size_t len, const char *path, struct cda_envfile *ret,
		      struct cda_err *err) CDA_CHECK;
void cda_envfile_done(struct cda_envfile *file);

/* What an environment is, as a file: installed packages, or what history says was asked for. */
struct cda_export {
	bool from_history, no_builds, ignore_channels, override_channels;
	const struct cda_strv *channels; /* of -c */
};
int cda_envfile_of(struct cda_context *ctx, const struct cda_export *how, struct cda_envfile *ret,
		   struct cda_err *err) CDA_CHECK;
void cda_envfile_format(const struct cda_envfile *file, struct cda_buf *out);
yyjson_mut_val *cda_envfile_json(yyjson_mut_doc *doc, const struct cda_envfile *file);

/* Variables of an environment: "NAME=value"; those that were unset have CDA_VAR_UNSET. */
#define CDA_VAR_UNSET "***unset***"
int cda_envvars_read(const char *prefix, struct cda_strv *ret_vars, struct cda_err *err) CDA_CHECK;
/* Sets ("NAME=value") or, with a bare NAME, unsets. Errors: CDA_E_VALUE for a name that no shell
 * takes. */
int cda_envvars_change(const char *prefix, const struct cda_strv *changes, struct cda_err *err)
	CDA_CHECK;

/* Runs the environment's own pip for the list; relative paths count from the file's folder. */
int cda_envfile_pip(struct cda_context *ctx, const struct cda_envfile *file, const char *path,
		    struct cda_err *err) CDA_CHECK;

#endif
