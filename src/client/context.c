#include "client/context.h"

#include "config/env.h"
#include "core/platform.h"
#include "solve/virtpkg.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <sys/utsname.h>

/* BASE of BASE/bin/conda or BASE/condabin/conda, if that is an environment; owned or NULL. */
static char *base_of_exe(const char *exe)
{
	CDA_AUTOFREE char *bin = cda_path_dirname(exe);
	CDA_AUTOFREE char *base = cda_path_dirname(bin);
	const char *folder = cda_path_basename(bin);
	CDA_AUTOFREE char *meta = cda_path_join(base, "conda-meta");

	if ((!cda_streq(folder, "bin") && !cda_streq(folder, "condabin")) ||
	    !cda_fs_is_dir(AT_FDCWD, meta))
		return NULL;
	return cda_take_ptr(base);
}

static char *find_root_prefix(const struct cda_context *ctx)
{
	const char *given = cda_env_get(&ctx->env, "CONDA_ROOT_PREFIX");
	const char *active = cda_env_get(&ctx->env, "CONDA_EXE");
	CDA_AUTOFREE char *exe = cda_fs_readlink(AT_FDCWD, "/proc/self/exe");
	char *base = NULL;

	if (given && given[0])
		return cda_path_normal(given, ctx->cwd, ctx->home);
	if (exe)
		base = base_of_exe(exe);
	if (!base && active && active[0] == '/')
		base = base_of_exe(active);
	/* The program alone, outside of any environment. */
	return base ? base : cda_path_join(ctx->home, "conda");
}

static void find_places(struct cda_context *ctx)
{
	const char *home = cda_env_get(&ctx->env, "HOME");
	char cwd[PATH_MAX];

	ctx->home = cda_strdup(home && home[0] == '/' ? home : "/");
	ctx->cwd = cda_strdup(getcwd(cwd, sizeof(cwd)) ? cwd : "/");
	ctx->root_prefix = find_root_prefix(ctx);
}

/* Names become folders: no slash, and none of the characters that specs and shells read. */
static int check_name(const char *name, struct cda_err *err)
{
	const char *bad = strpbrk(name, "/ :#");

	if (name[0] == '\0' || bad || cda_streq(name, ".") || cda_streq(name, "..")) {
		cda_err_set(err, CDA_E_VALUE, "invalid environment name: '%s'", name);
		return cda_err_hint(
			err, "a name has none of '/', ' ', ':', '#'; for a path use --prefix");
	}
	return 0;
}

static bool is_base_name(const char *name)
{
	return cda_streq(name, "base") || cda_streq(name, "root");
}

int cda_context_locate_new(const struct cda_context *ctx, const char *name, char **ret_prefix,
			   struct cda_err *err)
{
	const struct cda_strv *dirs = cda_settings_envs_dirs(ctx->settings);
	const char *writable = NULL;
	int rc;

	if (is_base_name(name)) {
		*ret_prefix = cda_strdup(ctx->root_prefix);
		return 0;
	}
	rc = check_name(name, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < dirs->n; i++) {
		CDA_AUTOFREE char *prefix = cda_path_join(dirs->v[i], name);
		CDA_AUTOFREE char *meta = cda_path_join(prefix, "conda-meta");

		if (cda_fs_is_dir(AT_FDCWD, meta)) {
			*ret_prefix = cda_take_ptr(prefix);
			return 0;
		}
		if (!writable && cda_fs_dir_is_writable(dirs->v[i]))
			writable = dirs->v[i];
	}
	/* A folder that is not there yet can be made below a writable one. */
	for (size_t i = 0; !writable && i < dirs->n; i++) {
		CDA_AUTOFREE char *above = cda_strdup(dirs->v[i]);

		while (!cda_fs_is_dir(AT_FDCWD, above) && above[1])
			cda_replace(&above, cda_path_dirname(above));
		if (cda_fs_dir_is_writable(above) && !cda_fs_is_dir(AT_FDCWD, dirs->v[i]))
			writable = dirs->v[i];
	}
	if (!writable && dirs->n > 0)
		writable = dirs->v[0];
	*ret_prefix = cda_path_join(writable ? writable : ctx->cwd, name);
	return 0;
}

static int find_prefix(struct cda_context *ctx, const struct cda_client_options *options,
		       struct cda_err *err)
{
	const char *active = cda_env_get(&ctx->env, "CONDA_PREFIX");
	char cwd[PATH_MAX];

	ctx->prefix_is_named = options->prefix || options->name;
	if (options->prefix && options->name)
		return cda_err_set(err, CDA_E_USAGE,
				   "argument -p/--prefix: not allowed with argument -n/--name");
	/* An unset variable of a script must not stand for the folder that happens to be the
	 * current one. */
	if (options->prefix && !options->prefix[0])
		return cda_err_set(err, CDA_E_VALUE, "the path of -p/--prefix is empty");
	if (options->prefix && options->prefix[0] != '/' && options->prefix[0] != '~' &&
	    !getcwd(cwd, sizeof(cwd))) {
		cda_err_set(err, CDA_E_VALUE, "no '%s': the current folder is not there any more",
			    options->prefix);
		return cda_err_hint(err, "cd to another folder, or name the whole path");
	}
	if (options->prefix) {
		ctx->prefix = cda_path_normal(options->prefix, ctx->cwd, ctx->home);
		return 0;
	}
	if (options->name)
		return cda_context_locate_new(ctx, options->name, &ctx->prefix, err);
	if (active && active[0] == '/')
		ctx->prefix = cda_path_normal(active, ctx->cwd, ctx->home);
	else
		ctx->prefix = cda_strdup(ctx->root_prefix);
	return 0;
}

int cda_context_new(const struct cda_client_options *options, struct cda_context **ret,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_context_freep) struct cda_context *ctx = cda_new0(struct cda_context);
	struct cda_settings_input input;
	int rc;

	cda_env_load(&ctx->env);
	find_places(ctx);
	ctx->events = options->events;
	ctx->use_index_cache = options->use_index_cache;
	input = (struct cda_settings_input){.env = &ctx->env,
					    .root_prefix = ctx->root_prefix,
					    .home = ctx->home,
					    .cwd = ctx->cwd,
					    .cmd_line = options->values,
					    .channels = options->channels,
					    .no_files = options->no_files,
					    .override_channels = options->override_channels};
	rc = cda_settings_load(&input, &ctx->settings, err);
	if (rc < 0)
		return rc;
	ctx->channels = cda_settings_channel_config(ctx->settings);
	cda_strv_append(&ctx->pkgs_dirs, cda_settings_pkgs_dirs(ctx->settings));
	rc = find_prefix(ctx, options, err);
	if (rc < 0)
		return rc;
	*ret = cda_take_ptr(ctx);
	return 0;
}

struct cda_context *cda_context_free(struct cda_context *ctx)
{
	if (!ctx)
		return NULL;
	ctx->net = cda_net_free(ctx->net);
	ctx->store = cda_store_free(ctx->store);
	ctx->settings = cda_settings_free(ctx->settings);
	cda_strv_done(&ctx->env);
	cda_strv_done(&ctx->pkgs_dirs);
	free(ctx->home);
	free(ctx->cwd);
	free(ctx->root_prefix);
	free(ctx->prefix);
	free(ctx->user_agent);
	free(ctx);
	return NULL;
}

int cda_context_store(struct cda_context *ctx, struct cda_store **ret, struct cda_err *err)
{
	int rc = ctx->store ? 0 : cda_store_open(&ctx->pkgs_dirs, &ctx->store, err);

	if (rc == 0)
		*ret = ctx->store;
	return rc;
}

/* proxy_servers is a map of "http", "https", "all://host", … to URLs. */
static void add_proxies(const struct cda_context *ctx, struct cda_net_proxy **ret, size_t *ret_n)
{
	const struct cda_yaml *map = cda_settings_node(ctx->settings, CDA_SET_proxy_servers);
	size_t n = 0;

	*ret = cda_alloc0(map->items.n + 1, sizeof(**ret));
	for (size_t i = 0; i < map->items.n; i++) {
		const struct cda_yaml *item = map->items.v[i];

		if (item->key && item->text && item->kind != CDA_YAML_NULL)
			(*ret)[n++] = (struct cda_net_proxy){item->key, item->text};
	}
	*ret_n = n;
}

static unsigned seconds(double value)
{
	return value < 1 ? 1 : value > 86400 ? 86400 : (unsigned)value;
}

const char *cda_context_user_agent(struct cda_context *ctx)
{
	struct utsname uts;

	if (!ctx->user_agent && uname(&uts) == 0)
		ctx->user_agent = cda_asprintf("conda/" CDA_VERSION " condense %s/%s %s",
					       uts.sysname, uts.release, uts.machine);
	return ctx->user_agent ? ctx->user_agent : "conda/" CDA_VERSION;
}

int cda_context_net(struct cda_context *ctx, struct cda_net **ret, struct cda_err *err)
{
	const struct cda_settings *s = ctx->settings;
	const char *verify = cda_settings_str(s, CDA_SET_ssl_verify);
	CDA_AUTOFREE char *fallback = cda_path_join(ctx->root_prefix, "ssl/cacert.pem");
	CDA_AUTOFREE struct cda_net_proxy *proxies = NULL;
	struct cda_net_config config = {0};
	int rc;

	if (ctx->net) {
		*ret = ctx->net;
		return 0;
	}
	add_proxies(ctx, &proxies, &config.n_proxies);
	config.proxies = proxies;
	config.no_ssl_verify = cda_streq(verify, "False");
	if (verify && verify[0] == '/')
		config.ca_file = verify;
	if (!config.ca_file)
		config.ca_file = cda_env_get(&ctx->env, "REQUESTS_CA_BUNDLE");
	if (!config.ca_file)
		config.ca_file = cda_env_get(&ctx->env, "CURL_CA_BUNDLE");
	if (config.ca_file && !config.ca_file[0])
		config.ca_file = NULL;
	if (cda_fs_is_file(AT_FDCWD, fallback))
		config.ca_fallback = fallback;
	config.client_cert = cda_settings_str(s, CDA_SET_client_ssl_cert);
	config.client_key = cda_settings_str(s, CDA_SET_client_ssl_cert_key);
	config.offline = cda_settings_bool(s, CDA_SET_offline);
	config.connect_timeout =
		seconds(cda_settings_float(s, CDA_SET_remote_connect_timeout_secs));
	config.read_timeout = seconds(cda_settings_float(s, CDA_SET_remote_read_timeout_secs));
	config.max_parallel = (unsigned)cda_settings_int(s, CDA_SET_fetch_threads, 5);
	config.retries = (int)cda_settings_int(s, CDA_SET_remote_max_retries, 3);
	if (config.retries == 0)
		config.retries = -1;
	config.backoff_ms =
		(unsigned)(1000 * cda_settings_int(s, CDA_SET_remote_backoff_factor, 1));
	config.user_agent = cda_context_user_agent(ctx);
	rc = cda_net_new(&config, &ctx->net, err);
	if (rc == 0)
		*ret = ctx->net;
	return rc;
}

char *cda_context_prefix_name(const struct cda_context *ctx, const char *prefix)
{
	const struct cda_strv *dirs = cda_settings_envs_dirs(ctx->settings);
	CDA_AUTOFREE char *dir = cda_path_dirname(prefix);

	if (cda_streq(prefix, ctx->root_prefix))
		return cda_strdup("base");
	for (size_t i = 0; i < dirs->n; i++) {
		if (cda_streq(dir, dirs->v[i]))
			return cda_strdup(cda_path_basename(prefix));
	}
	return cda_strdup(prefix);
}

const char *cda_context_active(const struct cda_context *ctx)
{
	const char *active = cda_env_get(&ctx->env, "CONDA_PREFIX");

	return active && active[0] ? active : NULL;
}

int cda_context_need_prefix(const struct cda_context *ctx, struct cda_err *err)
{
	CDA_AUTOFREE char *meta = cda_path_join(ctx->prefix, "conda-meta");
	CDA_AUTOFREE char *history = cda_path_join(meta, "history");

	if (cda_fs_is_dir(AT_FDCWD, meta) &&
	    (cda_fs_exists(AT_FDCWD, history) || cda_streq(ctx->prefix, ctx->root_prefix)))
		return 0;
	if (cda_fs_exists(AT_FDCWD, ctx->prefix) && !cda_fs_is_dir(AT_FDCWD, meta)) {
		cda_err_set(err, CDA_E_NOTAPREFIX, "the target is not a conda environment: %s",
			    ctx->prefix);
		cda_err_data_text(err, "target_directory", ctx->prefix);
		return cda_err_hint(err, "`conda create -p PATH` makes one in an empty folder");
	}
	if (cda_fs_is_dir(AT_FDCWD, meta))
		return 0;
	cda_err_set(err, CDA_E_NOENV, "Not a conda environment: %s", ctx->prefix);
	cda_err_data_text(err, "location", ctx->prefix);
	return cda_err_hint(err,
			    "`conda env list` shows the environments, `conda create` makes one");
}

void cda_context_unwritable_data(const struct cda_context *ctx, struct cda_err *err)
{
	err->multi = true;
	cda_err_data_text(err, "environment_location", ctx->prefix);
	cda_err_data_int(err, "uid", geteuid());
	cda_err_data_int(err, "gid", getegid());
}

int cda_context_need_writable(const struct cda_context *ctx, struct cda_err *err)
{
	CDA_AUTOFREE char *meta = cda_path_join(ctx->prefix, "conda-meta");
	int rc = cda_context_need_prefix(ctx, err);

	if (rc < 0)
		return rc;
	if (cda_fs_dir_is_writable(meta))
		return 0;
	cda_err_set(err, CDA_E_UNWRITABLE,
		    "the current user cannot write to the environment\n"
		    "  environment location: %s\n  uid: %u\n  gid: %u",
		    ctx->prefix, (unsigned)geteuid(), (unsigned)getegid());
	cda_context_unwritable_data(ctx, err);
	return cda_err_hint(err, "make an environment of your own: `conda create -n NAME …`");
}

int cda_context_index(struct cda_context *ctx, const struct cda_strv *channels,
		      const struct cda_strv *subdirs, struct cda_index **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_index_freep) struct cda_index *index = cda_index_new();
	struct cda_channel_config config = *ctx->channels;
	const struct cda_settings *s = ctx->settings;
	struct cda_channel_urls urls = {0};
	CDA_AUTOSTRV struct cda_strv more = {0};
	CDA_AUTOFREE char *cache_dir = NULL;
	struct cda_index_options options = {0};
	struct cda_store *store;
	struct cda_err ignored = {0};
	const char *writable;
	int rc;

	if (subdirs)
		config.subdirs = *subdirs;
	rc = cda_channels_prioritize(&config, channels ? channels : cda_settings_channels(s), &urls,
				     err);
	if (rc == 0)
		rc = cda_context_net(ctx, &options.net, err);
	if (rc == 0)
		rc = cda_context_store(ctx, &store, err);
	if (rc < 0) {
		cda_channel_urls_free_all(&urls);
		return rc;
	}
	if (cda_store_writable(store, &writable, &ignored) == 0)
		cache_dir = cda_path_join(writable, "cache");
	cda_err_done(&ignored);
	for (size_t i = 0; i < ctx->pkgs_dirs.n; i++)
		cda_strv_take(&more, cda_path_join(ctx->pkgs_dirs.v[i], "cache"));
	options.cache_dir = cache_dir;
	options.more_cache_dirs = (const char *const *)cda_strv_argv(&more);
	options.local_repodata_ttl = cda_settings_int(s, CDA_SET_local_repodata_ttl, 1);
	options.offline = cda_settings_bool(s, CDA_SET_offline);
	options.use_index_cache = ctx->use_index_cache;
	options.use_only_tar_bz2 = cda_settings_tri(s, CDA_SET_use_only_tar_bz2) == 1;
	options.allow_non_channel_urls = cda_settings_bool(s, CDA_SET_allow_non_channel_urls);
	options.events = ctx->events;
	cda_emit(ctx->events, CDA_EVENT_PHASE, "Collecting package metadata");
	rc = cda_index_load(index, &urls, &options, err);
	cda_emit(ctx->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE,
		 "Collecting package metadata");
	cda_channel_urls_free_all(&urls);
	if (rc == 0)
		*ret = cda_take_ptr(index);
	return rc;
}

void cda_context_virtual(const struct cda_context *ctx, struct cda_arena *arena,
			 struct cda_records *out)
{
	const struct cda_strv *env = &ctx->env;
	struct cda_virtpkg_config config = {
		.subdir = cda_settings_str(ctx->settings, CDA_SET_subdir),
		.glibc = cda_env_get(env, "CONDA_OVERRIDE_GLIBC"),
		.linux_ = cda_env_get(env, "CONDA_OVERRIDE_LINUX"),
		.osx = cda_env_get(env, "CONDA_OVERRIDE_OSX"),
		.win = cda_env_get(env, "CONDA_OVERRIDE_WIN"),
		.cuda = cda_env_get(env, "CONDA_OVERRIDE_CUDA"),
		.archspec = cda_env_get(env, "CONDA_OVERRIDE_ARCHSPEC"),
	};

	cda_virtpkg_detect(&config, arena, out);
}

struct cda_shell_opts cda_context_shell(const struct cda_context *ctx)
{
	const struct cda_settings *s = ctx->settings;

	return (struct cda_shell_opts){
		.env = &ctx->env,
		.root_prefix = ctx->root_prefix,
		.envs_dirs = cda_settings_envs_dirs(s),
		.cwd = ctx->cwd,
		.env_prompt = cda_settings_str(s, CDA_SET_env_prompt),
		.changeps1 = cda_settings_bool(s, CDA_SET_changeps1),
		.auto_activate_base = cda_settings_bool(s, CDA_SET_auto_activate_base),
		.auto_stack = (int)cda_settings_int(s, CDA_SET_auto_stack, 0),
	};
}

enum cda_channel_priority cda_context_priority(const struct cda_context *ctx)
{
	const char *text = cda_settings_str(ctx->settings, CDA_SET_channel_priority);

	return cda_streq(text, "strict")     ? CDA_PRIORITY_STRICT
	       : cda_streq(text, "disabled") ? CDA_PRIORITY_DISABLED
					     : CDA_PRIORITY_FLEXIBLE;
}
