#include "config/settings.h"

#include "config/condarc.h"
#include "config/env.h"
#include "config/settings_impl.h"
#include "util/fs.h"

#include <assert.h>
#include <stdlib.h>

static void expand_all(const struct cda_strv *env, struct cda_yaml *node)
{
	if (node->kind == CDA_YAML_STR && strchr(node->text, '$'))
		cda_replace(&node->text, cda_env_expand(env, node->text));
	cda_vec_each (it, &node->items)
		expand_all(env, *it);
}

/* A failure of one file or value: the end of a strict load, a problem of a tolerant one. */
static int note(struct cda_settings *settings, bool tolerant, struct cda_err *mine,
		struct cda_err *err)
{
	int rc = -(int)mine->code;

	if (tolerant) {
		cda_strv_push(&settings->problems, mine->msg);
		cda_err_done(mine);
		return 0;
	}
	cda_err_move(err, mine);
	return rc;
}

/* Known members of raw, typed, in the order of the table. */
static int add_source(struct cda_settings *settings, const char *name, const struct cda_yaml *raw,
		      bool tolerant, struct cda_err *err)
{
	CDA_AUTOYAML struct cda_yaml *values = cda_yaml_new(CDA_YAML_MAP);
	bool file = strchr(name, '/') != NULL;
	CDA_AUTOFREE char *where =
		cda_asprintf(file ? "in '%s'"
				  : (strcmp(name, "envvars") == 0 ? "of the environment"
								  : "of the command line"),
			     name);

	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		cda_vec_each (it, &raw->items) {
			struct cda_err mine = {0};
			struct cda_yaml *value = NULL;
			int rc;

			if (cda_setting_find((*it)->key) != i)
				continue;
			rc = cda_setting_typify((enum cda_setting)i, *it, where, &value, &mine);
			if (rc < 0) {
				rc = note(settings, tolerant, &mine, err);
				if (rc < 0)
					return rc;
				continue;
			}
			if (cda_setting_infos[i].flags & CDA_SETTING_EXPAND)
				expand_all(&settings->env, value);
			cda_replace(&value->flag, cda_strdup_null((*it)->flag));
			cda_yaml_set(values, (*it)->key, value);
		}
	cda_settings_sources_push(
		&settings->sources,
		(struct cda_settings_source){cda_strdup(name), cda_take_ptr(values)});
	return 0;
}

static int add_file(struct cda_settings *settings, const char *path, bool tolerant,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *rc_file = NULL;
	struct cda_err mine = {0};

	if (cda_condarc_read(path, &rc_file, &mine) < 0)
		return note(settings, tolerant, &mine, err);
	cda_strv_push(&settings->files, path);
	return add_source(settings, path, cda_condarc_values(rc_file), tolerant, err);
}

static int add_files(struct cda_settings *settings, const struct cda_settings_input *input,
		     struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv paths = {0};

	if (input->no_files)
		return 0;
	if (input->file)
		cda_strv_push(&paths, input->file);
	else
		cda_condarc_search(input, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		int rc = add_file(settings, paths.v[i], input->tolerant, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_variables(struct cda_settings *settings, const struct cda_settings_input *input,
			 struct cda_err *err)
{
	CDA_AUTOYAML struct cda_yaml *raw = cda_env_settings(&settings->env);

	return add_source(settings, "envvars", raw, input->tolerant, err);
}

static int add_options(struct cda_settings *settings, const struct cda_settings_input *input,
		       struct cda_err *err)
{
	CDA_AUTOYAML struct cda_yaml *raw =
		input->cmd_line ? cda_yaml_copy(input->cmd_line) : cda_yaml_new(CDA_YAML_MAP);

	if (input->channels && input->channels->n > 0) {
		struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);

		for (size_t i = 0; i < input->channels->n; i++)
			cda_yaml_push(list, cda_yaml_str(input->channels->v[i]));
		cda_yaml_set(raw, "channels", list);
		cda_strv_append(&settings->cmd_channels, input->channels);
	}
	return add_source(settings, "cmd_line", raw, input->tolerant, err);
}

int cda_settings_load(const struct cda_settings_input *input, struct cda_settings **ret,
		      struct cda_err *err)
{
	CDA_CLEANUP(cda_settings_freep)
	struct cda_settings *settings = cda_new0(struct cda_settings);
	const char *home = input->home ? input->home : cda_env_get(input->env, "HOME");
	int rc;

	if (input->env)
		cda_strv_append(&settings->env, input->env);
	settings->home = cda_strdup(home ? home : "/");
	settings->cwd = cda_strdup(input->cwd ? input->cwd : "/");
	settings->root_prefix = cda_strdup(input->root_prefix ? input->root_prefix : "/");
	settings->override_channels = input->override_channels;
	if (!cda_env_get(&settings->env, "CONDA_ROOT"))
		cda_env_set(&settings->env, "CONDA_ROOT", settings->root_prefix);
	rc = add_files(settings, input, err);
	if (rc == 0)
		rc = add_variables(settings, input, err);
	if (rc == 0)
		rc = add_options(settings, input, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		settings->values[i] =
			cda_settings_merge(settings, (enum cda_setting)i, &settings->is_set[i]);
	rc = cda_settings_derive(settings, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		if (cda_setting_infos[i].type == CDA_TYPE_LIST)
			cda_yaml_strv(settings->values[i], &settings->lists[i]);
	*ret = cda_take_ptr(settings);
	return 0;
}

static void done_named(struct cda_named_urlsv *list)
{
	cda_vec_each (it, list) {
		free((char *)(uintptr_t)it->name);
		cda_strv_done(&it->values);
	}
	cda_named_urlsv_done(list);
}

static void done_channel_config(struct cda_channel_config *config)
{
	free((char *)(uintptr_t)config->channel_alias);
	cda_strv_done(&config->default_channels);
	cda_strv_done(&config->migrated_channel_aliases);
	cda_strv_done(&config->allowlist_channels);
	cda_strv_done(&config->denylist_channels);
	cda_strv_done(&config->subdirs);
	done_named(&config->custom_channels);
	done_named(&config->custom_multichannels);
}

struct cda_settings *cda_settings_free(struct cda_settings *settings)
{
	if (!settings)
		return NULL;
	cda_vec_each (it, &settings->sources) {
		free(it->name);
		cda_yaml_free(it->values);
	}
	cda_settings_sources_done(&settings->sources);
	cda_strv_done(&settings->files);
	cda_strv_done(&settings->problems);
	cda_strv_done(&settings->env);
	cda_strv_done(&settings->cmd_channels);
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++) {
		cda_yaml_free(settings->values[i]);
		cda_strv_done(&settings->lists[i]);
	}
	done_channel_config(&settings->channel_config);
	free(settings->home);
	free(settings->cwd);
	free(settings->root_prefix);
	free(settings);
	return NULL;
}

static const struct cda_yaml *typed(const struct cda_settings *settings, enum cda_setting which,
				    enum cda_setting_type a, enum cda_setting_type b)
{
	assert(cda_setting_infos[which].type == a || cda_setting_infos[which].type == b);
	return settings->values[which];
}

bool cda_settings_bool(const struct cda_settings *settings, enum cda_setting which)
{
	return typed(settings, which, CDA_TYPE_BOOL, CDA_TYPE_TRI)->truth;
}

int cda_settings_tri(const struct cda_settings *settings, enum cda_setting which)
{
	const struct cda_yaml *node = typed(settings, which, CDA_TYPE_TRI, CDA_TYPE_BOOL);

	return node->kind == CDA_YAML_BOOL ? node->truth : -1;
}

int64_t cda_settings_int(const struct cda_settings *settings, enum cda_setting which, int64_t none)
{
	const struct cda_yaml *node = typed(settings, which, CDA_TYPE_INT, CDA_TYPE_INT_NONE);
	int64_t value;

	if (node->kind == CDA_YAML_NULL)
		return none;
	return cda_parse_int(node->text + (*node->text == '+'), INT64_MIN, INT64_MAX, &value)
		       ? value
		       : none;
}

double cda_settings_float(const struct cda_settings *settings, enum cda_setting which)
{
	return strtod(typed(settings, which, CDA_TYPE_FLOAT, CDA_TYPE_FLOAT)->text, NULL);
}

const char *cda_settings_str(const struct cda_settings *settings, enum cda_setting which)
{
	const struct cda_yaml *node = settings->values[which];

	assert(cda_yaml_is_scalar(node));
	if (node->kind == CDA_YAML_BOOL)
		return node->truth ? "True" : "False";
	return node->kind == CDA_YAML_NULL ? NULL : node->text;
}

const struct cda_strv *cda_settings_list(const struct cda_settings *settings,
					 enum cda_setting which)
{
	(void)typed(settings, which, CDA_TYPE_LIST, CDA_TYPE_LIST);
	return &settings->lists[which];
}

const struct cda_yaml *cda_settings_node(const struct cda_settings *settings,
					 enum cda_setting which)
{
	return settings->values[which];
}

const struct cda_strv *cda_settings_channels(const struct cda_settings *settings)
{
	return &settings->lists[CDA_SET_channels];
}

const struct cda_strv *cda_settings_envs_dirs(const struct cda_settings *settings)
{
	return &settings->lists[CDA_SET_envs_dirs];
}

const struct cda_strv *cda_settings_pkgs_dirs(const struct cda_settings *settings)
{
	return &settings->lists[CDA_SET_pkgs_dirs];
}

const struct cda_channel_config *cda_settings_channel_config(const struct cda_settings *settings)
{
	return &settings->channel_config;
}

const struct cda_strv *cda_settings_files(const struct cda_settings *settings)
{
	return &settings->files;
}

const struct cda_strv *cda_settings_problems(const struct cda_settings *settings)
{
	return &settings->problems;
}

bool cda_settings_source(const struct cda_settings *settings, size_t *at, const char **ret_name,
			 const struct cda_yaml **ret_values)
{
	if (*at >= settings->sources.n)
		return false;
	*ret_name = settings->sources.v[*at].name;
	*ret_values = settings->sources.v[*at].values;
	++*at;
	return true;
}
