/* settings_impl.h - the merged view from inside, for settings.c, merge.c and derive.c alone. */
#ifndef CDA_CONFIG_SETTINGS_IMPL_H
#define CDA_CONFIG_SETTINGS_IMPL_H

#include "config/settings.h"

struct cda_settings_source {
	char *name;              /* path, "envvars" or "cmd_line" */
	struct cda_yaml *values; /* typed; keys as they were used, in the order of the table */
};
CDA_VEC_DEFINE(cda_settings_sources, struct cda_settings_source);

struct cda_settings {
	struct cda_settings_sources sources; /* lowest priority first */
	struct cda_strv files, problems, env;
	struct cda_strv cmd_channels;
	char *home, *cwd, *root_prefix;
	bool override_channels, root_writable;
	struct cda_yaml *values[CDA_SETTINGS_COUNT];
	bool is_set[CDA_SETTINGS_COUNT]; /* by any source */
	struct cda_strv lists[CDA_SETTINGS_COUNT];
	struct cda_channel_config channel_config;
};

/* merge.c: what the sources say together, or the default; owned. */
struct cda_yaml *cda_settings_merge(const struct cda_settings *settings, enum cda_setting which,
				    bool *ret_is_set);
/* derive.c: effective values in place of the merged ones. */
int cda_settings_derive(struct cda_settings *settings, struct cda_err *err) CDA_CHECK;

#endif
