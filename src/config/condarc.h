/* condarc.h - .condarc files: where they are, reading one, editing one and writing it back. */
#ifndef CDA_CONFIG_CONDARC_H
#define CDA_CONFIG_CONDARC_H

#include "config/settings.h"
#include "config/yaml.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

/* Files that exist on the search path, lowest priority first; in a condarc.d folder every *.yml
 * and *.yaml by name. */
void cda_condarc_search(const struct cda_settings_input *input, struct cda_strv *ret_paths);
/* Where --system, --env and a plain call write; owned. */
char *cda_condarc_system_path(const struct cda_settings_input *input);
char *cda_condarc_env_path(
	const struct cda_settings_input *input); /* of CONDA_PREFIX, else the user's */
char *cda_condarc_user_path(const struct cda_settings_input *input); /* CONDARC, else ~/.condarc */

struct cda_condarc; /* one file in memory; opaque */

/* An absent file is an empty one. Errors: CDA_E_CONFIG, CDA_E_SYS. The caller owns *ret. */
int cda_condarc_read(const char *path, struct cda_condarc **ret, struct cda_err *err) CDA_CHECK;
int cda_condarc_parse(const char *text, size_t len, const char *path, struct cda_condarc **ret,
		      struct cda_err *err) CDA_CHECK;
struct cda_condarc *cda_condarc_free(struct cda_condarc *rc);
CDA_DEFINE_CLEANUP(struct cda_condarc *, cda_condarc_free)

const struct cda_yaml *cda_condarc_values(const struct cda_condarc *rc); /* a map; borrowed */
const char *cda_condarc_text(const struct cda_condarc *rc); /* as it would be written */

enum cda_condarc_op {
	CDA_RC_PREPEND, /* --add, --prepend KEY VALUE: first of the list, moved there if present */
	CDA_RC_APPEND,
	CDA_RC_SET, /* KEY or KEY.SUBKEY */
	CDA_RC_REMOVE,
	CDA_RC_REMOVE_KEY
};

/* One edit; keys and comments that it does not name stay as they are. A warning for people is
 * appended to warnings. Errors: CDA_E_VALUE (unknown key, wrong kind of key), CDA_E_TYPE and
 * CDA_E_CHOICE (bad value), CDA_E_KEY (what is to be removed is not there). */
int cda_condarc_edit(struct cda_condarc *rc, enum cda_condarc_op op, const char *key,
		     const char *value, struct cda_strv *warnings, struct cda_err *err) CDA_CHECK;
/* --stdin: the keys of a YAML text replace those of the file. */
int cda_condarc_merge(struct cda_condarc *rc, const char *text, size_t len, struct cda_err *err)
	CDA_CHECK;
/* Errors: CDA_E_SYS, with the path. */
int cda_condarc_write(struct cda_condarc *rc, struct cda_err *err) CDA_CHECK;

/* --get: lines as `--set KEY VALUE`, `--add KEY 'VALUE'`; keys NULL or empty: all. Unknown keys
 * become warnings. */
void cda_condarc_get(const struct cda_condarc *rc, const struct cda_strv *keys, struct cda_buf *out,
		     struct cda_strv *warnings);
/* --get --json: {"channels": […], …} of the keys that are set. */
yyjson_mut_val *cda_condarc_get_json(yyjson_mut_doc *doc, const struct cda_condarc *rc,
				     const struct cda_strv *keys);

#endif
