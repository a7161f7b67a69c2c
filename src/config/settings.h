/* settings.h - the merged view of all configuration: defaults, .condarc files, CONDA_X variables,
 * command line, in rising order, with where each value came from. Plain values out. */
#ifndef CDA_CONFIG_SETTINGS_H
#define CDA_CONFIG_SETTINGS_H

#include "config/yaml.h"
#include "core/channel.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* CDA_SET_channels, CDA_SET_always_yes, …: the names are conda's own, see settings.def. */
#define S(name, ...) CDA_SET_##name,
enum cda_setting {
#include "config/settings.def"
	CDA_SETTINGS_COUNT
};
#undef S

enum cda_setting_type {
	CDA_TYPE_BOOL,
	CDA_TYPE_TRI, /* a boolean or none */
	CDA_TYPE_INT,
	CDA_TYPE_INT_NONE, /* an integer or none */
	CDA_TYPE_FLOAT,
	CDA_TYPE_STR,
	CDA_TYPE_STR_NONE, /* text or none */
	CDA_TYPE_BOOL_STR, /* ssl_verify: a boolean or text */
	CDA_TYPE_ENUM,
	CDA_TYPE_LIST,    /* of texts */
	CDA_TYPE_MAP,     /* text to text */
	CDA_TYPE_MAPLIST, /* text to list of texts */
	CDA_TYPE_MAPS,    /* list of maps */
	CDA_TYPE_ANYMAP   /* not looked into */
};

enum cda_setting_flags {
	CDA_SETTING_EXPAND = 1u << 0, /* $NAME, ${NAME} and ~ are replaced */
	CDA_SETTING_HIDDEN = 1u << 1, /* not listed by --show */
	CDA_SETTING_COLON = 1u << 2,  /* its variable separates items by ':', not ',' */
	CDA_SETTING_AMPER = 1u << 3   /* … by '&' */
};

struct cda_setting_info {
	const char *name, *aliases; /* aliases: separated by blanks, "" when none */
	enum cda_setting_type type;
	const char *fallback; /* default as YAML text */
	const char *category; /* heading of --describe */
	unsigned flags;
	const char *choices; /* of ENUM: separated by blanks */
	const char *doc;
};

extern const struct cda_setting_info cda_setting_infos[CDA_SETTINGS_COUNT];
/* By name or alias; -1 when unknown. */
int cda_setting_find(const char *name);
/* The value as the setting's type wants it (owned), from a raw one; where (may be NULL) ends the
 * message: "in 'FILE'". Errors: CDA_E_TYPE, CDA_E_CHOICE. */
int cda_setting_typify(enum cda_setting which, const struct cda_yaml *raw, const char *where,
		       struct cda_yaml **ret, struct cda_err *err) CDA_CHECK;

struct cda_settings; /* opaque */

/* What is not written in files. All borrowed for the call; texts may be NULL. */
struct cda_settings_input {
	const struct cda_strv *env;      /* "NAME=value"; see cda_env_load */
	const char *root_prefix;         /* of the base environment */
	const char *home, *cwd;          /* NULL: HOME of env; "/" */
	const char *sysroot;             /* in front of /etc/conda and /var/lib/conda; or NULL */
	const struct cda_yaml *cmd_line; /* map: setting name to value, of options; or NULL */
	const struct cda_strv *channels; /* of -c, in order; or NULL */
	const char *file;       /* this .condarc alone instead of the search path; or NULL */
	bool override_channels; /* --override-channels: those of -c alone */
	bool no_files;          /* defaults, variables and options alone */
	bool tolerant;          /* bad files and values are left out, see _problems */
};

/* Reads and merges. Errors, with file and line in the message: CDA_E_CONFIG (no YAML), CDA_E_TYPE
 * (a value of the wrong type), CDA_E_CHOICE (not one of the choices); CDA_E_USAGE
 * (--override-channels without -c). Unknown keys are left alone. The caller owns *ret. */
int cda_settings_load(const struct cda_settings_input *input, struct cda_settings **ret,
		      struct cda_err *err) CDA_CHECK;
struct cda_settings *cda_settings_free(struct cda_settings *settings);
CDA_DEFINE_CLEANUP(struct cda_settings *, cda_settings_free)

/* Values; the type must fit (asserted). Borrowed from the settings. */
bool cda_settings_bool(const struct cda_settings *settings, enum cda_setting which);
int cda_settings_tri(const struct cda_settings *settings, enum cda_setting which); /* -1: none */
int64_t cda_settings_int(const struct cda_settings *settings, enum cda_setting which, int64_t none);
double cda_settings_float(const struct cda_settings *settings, enum cda_setting which);
/* STR, STR_NONE, ENUM, BOOL_STR ("True"/"False" there); NULL for none. */
const char *cda_settings_str(const struct cda_settings *settings, enum cda_setting which);
const struct cda_strv *cda_settings_list(const struct cda_settings *settings,
					 enum cda_setting which);
/* Any type, as it is merged. */
const struct cda_yaml *cda_settings_node(const struct cda_settings *settings,
					 enum cda_setting which);

/* Effective values as conda derives them; lists are complete, paths absolute. */
const struct cda_strv *cda_settings_channels(const struct cda_settings *settings);
const struct cda_strv *cda_settings_envs_dirs(const struct cda_settings *settings);
const struct cda_strv *cda_settings_pkgs_dirs(const struct cda_settings *settings);
/* What channel names mean; owned by the settings. */
const struct cda_channel_config *cda_settings_channel_config(const struct cda_settings *settings);

/* What a tolerant load left out, one message each. */
const struct cda_strv *cda_settings_problems(const struct cda_settings *settings);
/* .condarc files that were read, lowest priority first (populated config files). */
const struct cda_strv *cda_settings_files(const struct cda_settings *settings);
/* Each source with its values (a map), lowest priority first: files by path, then "envvars",
 * "cmd_line". False at the end; *at starts at 0. */
bool cda_settings_source(const struct cda_settings *settings, size_t *at, const char **ret_name,
			 const struct cda_yaml **ret_values);

#endif
