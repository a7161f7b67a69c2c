/* derive.c - settings whose effective value is more than what the sources say
 * (conda/base/context.py): folders, platform, channels and what their names mean. */
#include "config/settings_impl.h"
#include "core/platform.h"
#include "util/fs.h"
#include "util/url.h"

#include <unistd.h>

static struct cda_yaml *value_of(const struct cda_settings *settings, enum cda_setting which)
{
	return settings->values[which];
}

static void put(struct cda_settings *settings, enum cda_setting which, struct cda_yaml *value)
{
	cda_yaml_free(settings->values[which]);
	settings->values[which] = value;
}

static char *absolute(const struct cda_settings *settings, const char *path)
{
	return cda_path_normal(path, settings->cwd, settings->home);
}

static void push_path(const struct cda_settings *settings, struct cda_yaml *list, const char *path)
{
	CDA_AUTOFREE char *whole = absolute(settings, path);

	cda_vec_each (it, &list->items)
		if (strcmp((*it)->text, whole) == 0)
			return;
	cda_yaml_push(list, cda_yaml_str(whole));
}

static void push_joined(const struct cda_settings *settings, struct cda_yaml *list, const char *dir,
			const char *name)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, name);

	push_path(settings, list, path);
}

static void derive_root(struct cda_settings *settings)
{
	CDA_AUTOFREE char *history = NULL;
	const char *text = value_of(settings, CDA_SET_root_prefix)->text;

	if (*text)
		cda_replace(&settings->root_prefix, absolute(settings, text));
	history = cda_path_join(settings->root_prefix, "conda-meta/history");
	settings->root_writable = faccessat(AT_FDCWD, history, W_OK, AT_EACCESS) == 0;
	put(settings, CDA_SET_root_prefix, cda_yaml_str(settings->root_prefix));
}

static void derive_dirs(struct cda_settings *settings)
{
	struct cda_yaml *envs = cda_yaml_new(CDA_YAML_LIST), *pkgs = cda_yaml_new(CDA_YAML_LIST);
	CDA_AUTOFREE char *root_envs = cda_path_join(settings->root_prefix, "envs");
	CDA_AUTOFREE char *user = cda_path_join(settings->home, ".conda");
	CDA_AUTOFREE char *user_envs = cda_path_join(user, "envs");
	CDA_AUTOFREE char *croot = NULL;

	cda_vec_each (it, &value_of(settings, CDA_SET_envs_dirs)->items)
		push_path(settings, envs, (*it)->text);
	push_path(settings, envs, settings->root_writable ? root_envs : user_envs);
	push_path(settings, envs, settings->root_writable ? user_envs : root_envs);
	put(settings, CDA_SET_envs_dirs, envs);

	cda_vec_each (it, &value_of(settings, CDA_SET_pkgs_dirs)->items)
		push_path(settings, pkgs, (*it)->text);
	if (pkgs->items.n == 0) {
		push_joined(settings, pkgs, settings->root_prefix, "pkgs");
		push_joined(settings, pkgs, user, "pkgs");
	}
	put(settings, CDA_SET_pkgs_dirs, pkgs);

	if (*value_of(settings, CDA_SET_croot)->text)
		croot = absolute(settings, value_of(settings, CDA_SET_croot)->text);
	else if (*value_of(settings, CDA_SET_bld_path)->text)
		croot = absolute(settings, value_of(settings, CDA_SET_bld_path)->text);
	else
		croot = cda_path_join(settings->root_writable ? settings->root_prefix
							      : settings->home,
				      "conda-bld");
	put(settings, CDA_SET_croot, cda_yaml_str(croot));
}

static void derive_platform(struct cda_settings *settings)
{
	struct cda_yaml *subdirs = value_of(settings, CDA_SET_subdirs);

	if (!*value_of(settings, CDA_SET_subdir)->text)
		put(settings, CDA_SET_subdir, cda_yaml_str(cda_platform_native()));
	if (subdirs->items.n == 0) {
		cda_yaml_push(subdirs, cda_yaml_copy(value_of(settings, CDA_SET_subdir)));
		cda_yaml_push(subdirs, cda_yaml_str("noarch"));
	}
}

static void derive_threads(struct cda_settings *settings)
{
	static const enum cda_setting kinds[] = {CDA_SET_repodata_threads, CDA_SET_fetch_threads,
						 CDA_SET_verify_threads, CDA_SET_execute_threads};
	const struct cda_yaml *common = value_of(settings, CDA_SET_default_threads);

	if (common->kind != CDA_YAML_NULL)
		for (size_t i = 0; i < CDA_LEN(kinds); i++)
			if (!settings->is_set[kinds[i]])
				put(settings, kinds[i], cda_yaml_copy(common));
}

static bool list_has(const struct cda_yaml *list, const char *text)
{
	cda_vec_each (it, &list->items)
		if (strcmp((*it)->text, text) == 0)
			return true;
	return false;
}

static int derive_channels(struct cda_settings *settings, struct cda_err *err)
{
	struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);
	const struct cda_yaml *merged = value_of(settings, CDA_SET_channels);
	bool same = merged->items.n == settings->cmd_channels.n;

	if (value_of(settings, CDA_SET_use_local)->truth)
		cda_yaml_push(list, cda_yaml_str("local"));
	if (settings->override_channels) {
		cda_yaml_free(list);
		if (!value_of(settings, CDA_SET_override_channels_enabled)->truth)
			return cda_err_set(err, CDA_E_USAGE,
					   "'override_channels_enabled' is false, so "
					   "--override-channels is not allowed");
		if (settings->cmd_channels.n == 0)
			return cda_err_set(err, CDA_E_USAGE,
					   "--override-channels wants at least one -c CHANNEL");
		list = cda_yaml_new(CDA_YAML_LIST);
		if (value_of(settings, CDA_SET_use_local)->truth)
			cda_yaml_push(list, cda_yaml_str("local"));
		for (size_t i = 0; i < settings->cmd_channels.n; i++)
			if (!list_has(list, settings->cmd_channels.v[i]))
				cda_yaml_push(list, cda_yaml_str(settings->cmd_channels.v[i]));
		put(settings, CDA_SET_channels, list);
		return 0;
	}
	for (size_t i = 0; i < merged->items.n; i++) {
		same = same && strcmp(merged->items.v[i]->text, settings->cmd_channels.v[i]) == 0;
		if (!list_has(list, merged->items.v[i]->text))
			cda_yaml_push(list, cda_yaml_copy(merged->items.v[i]));
	}
	/* Channels of -c alone come before the defaults, not instead of them. */
	if (same && merged->items.n > 0 && !list_has(list, "defaults"))
		cda_yaml_push(list, cda_yaml_str("defaults"));
	put(settings, CDA_SET_channels, list);
	return 0;
}

static struct cda_named_urls *push_named(struct cda_named_urlsv *list, const char *name)
{
	return cda_named_urlsv_push(list, (struct cda_named_urls){.name = cda_strdup(name)});
}

static bool has_name(const struct cda_named_urlsv *list, const char *name)
{
	cda_vec_each (it, list)
		if (strcmp(it->name, name) == 0)
			return true;
	return false;
}

/* A default channel by URL is a custom channel too: its path is the name. */
static void push_default(struct cda_named_urlsv *list, const char *text)
{
	CDA_AUTOURL struct cda_url url = {0};
	struct cda_str name;
	CDA_AUTOFREE char *path = NULL;

	if (!cda_url_parse(text, &url))
		return;
	name = cda_str(url.path);
	while (name.len > 0 && name.p[0] == '/')
		name.p++, name.len--;
	while (name.len > 0 && name.p[name.len - 1] == '/')
		name.len--;
	path = cda_str_dup(name);
	if (name.len == 0 || has_name(list, path))
		return;
	cda_replace(&url.path, cda_strdup(""));
	cda_strv_take(&push_named(list, path)->values, cda_url_format(&url, true));
}

/* Where conda-build leaves packages: the folders that are there, as URLs. */
static void push_local(const struct cda_settings *settings, struct cda_strv *urls)
{
	CDA_AUTOYAML struct cda_yaml *dirs = cda_yaml_new(CDA_YAML_LIST);

	push_path(settings, dirs, value_of(settings, CDA_SET_croot)->text);
	push_joined(settings, dirs, settings->root_prefix, "conda-bld");
	push_joined(settings, dirs, settings->home, "conda-bld");
	cda_vec_each (it, &dirs->items)
		if (cda_fs_is_dir(AT_FDCWD, (*it)->text))
			cda_strv_take(urls, cda_url_from_path((*it)->text));
}

static void derive_channel_config(struct cda_settings *settings)
{
	struct cda_channel_config *config = &settings->channel_config;
	struct cda_named_urls *local;

	config->channel_alias = cda_strdup(value_of(settings, CDA_SET_channel_alias)->text);
	cda_yaml_strv(value_of(settings, CDA_SET_default_channels), &config->default_channels);
	if (value_of(settings, CDA_SET_restore_free_channel)->truth)
		cda_strv_insert(&config->default_channels, config->default_channels.n > 0,
				"https://repo.anaconda.com/pkgs/free");
	cda_yaml_strv(value_of(settings, CDA_SET_migrated_channel_aliases),
		      &config->migrated_channel_aliases);
	cda_yaml_strv(value_of(settings, CDA_SET_allowlist_channels), &config->allowlist_channels);
	cda_yaml_strv(value_of(settings, CDA_SET_denylist_channels), &config->denylist_channels);
	cda_yaml_strv(value_of(settings, CDA_SET_subdirs), &config->subdirs);
	cda_vec_each (it, &value_of(settings, CDA_SET_custom_channels)->items)
		cda_strv_push(&push_named(&config->custom_channels, (*it)->key)->values,
			      (*it)->text);
	for (size_t i = 0; i < config->default_channels.n; i++)
		push_default(&config->custom_channels, config->default_channels.v[i]);
	cda_vec_each (it, &value_of(settings, CDA_SET_custom_multichannels)->items)
		if (strcmp((*it)->key, "defaults") != 0 && strcmp((*it)->key, "local") != 0)
			cda_yaml_strv(
				*it,
				&push_named(&config->custom_multichannels, (*it)->key)->values);
	cda_strv_append(&push_named(&config->custom_multichannels, "defaults")->values,
			&config->default_channels);
	local = push_named(&config->custom_multichannels, "local");
	push_local(settings, &local->values);
	config->cwd = settings->cwd;
	config->home = settings->home;
}

int cda_settings_derive(struct cda_settings *settings, struct cda_err *err)
{
	int rc;

	derive_root(settings);
	derive_dirs(settings);
	derive_platform(settings);
	derive_threads(settings);
	rc = derive_channels(settings, err);
	if (rc < 0)
		return rc;
	derive_channel_config(settings);
	return 0;
}
