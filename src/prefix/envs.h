/* envs.h - which environments there are: ~/.conda/environments.txt and the envs_dirs. */
#ifndef CDA_PREFIX_ENVS_H
#define CDA_PREFIX_ENVS_H

#include "util/err.h"
#include "util/vec.h"

/* conda_dir is ~/.conda (made when missing). Under a lock; a prefix stands there once. Errors:
 * CDA_E_SYS: the caller may well go on (a read-only home is no reason to fail). */
int cda_envs_register(const char *conda_dir, const char *prefix, struct cda_err *err) CDA_CHECK;
int cda_envs_unregister(const char *conda_dir, const char *prefix, struct cda_err *err) CDA_CHECK;

/* Known environments, sorted, each once: root_prefix first (may be NULL), those of environments.txt
 * that still are environments, and the environments directly below each of the envs_dirs. What
 * cannot be read is left out. */
void cda_envs_list(const char *conda_dir, const char *root_prefix, const struct cda_strv *envs_dirs,
		   struct cda_strv *ret_prefixes);

#endif
