/* env.h - the environment as a plain value: "NAME=value" lines, and what CONDA_X means. */
#ifndef CDA_CONFIG_ENV_H
#define CDA_CONFIG_ENV_H

#include "config/yaml.h"
#include "util/vec.h"

/* Copies the process's environment. The one place that looks at it. */
void cda_env_load(struct cda_strv *ret_env);
/* Owned: text with $NAME and ${NAME} replaced; unknown ones stay as they are. */
char *cda_env_expand(const struct cda_strv *env, const char *text);
/* The settings that CONDA_X variables give: a map of setting name (the alias that was used) to its
 * raw value, in the order of the table. Owned. */
struct cda_yaml *cda_env_settings(const struct cda_strv *env);

#endif
