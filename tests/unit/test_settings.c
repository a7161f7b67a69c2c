/* test_settings.c - merging of sources, effective values, and what --show prints. */
#include "check.h"
#include "scratch.h"

#include "config/env.h"
#include "config/show.h"

/* A home with a .condarc and some other files of the search path. */
struct world {
	struct scratch scratch;
	struct cda_strv env;
	char *root, *home;
	struct cda_settings_input input;
};

static void world_new(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->scratch = scratch_new();
	world->root = scratch_path(&world->scratch, "root");
	world->home = scratch_path(&world->scratch, "home");
	scratch_write(&world->scratch, "root/conda-meta/history", "");
	scratch_mkdir(&world->scratch, "home");
	cda_strv_pushf(&world->env, "HOME=%s", world->home);
	world->input = (struct cda_settings_input){.env = &world->env,
						   .root_prefix = world->root,
						   .sysroot = world->scratch.dir,
						   .cwd = world->home};
}

static void world_done(struct world *world)
{
	scratch_done(&world->scratch);
	cda_strv_done(&world->env);
	free(world->root);
	free(world->home);
}
#define AUTOWORLD CDA_CLEANUP(world_done)

static struct cda_settings *load(const struct world *world)
{
	struct cda_settings *settings = NULL;
	struct cda_err err = {0};

	if (cda_settings_load(&world->input, &settings, &err) < 0) {
		printf("# %s\n", err.msg);
		cda_err_done(&err);
	}
	return settings;
}

static char *joined(const struct cda_strv *list)
{
	return cda_strv_join(list, " ");
}

TEST(every_default_has_the_type_of_its_row)
{
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++) {
		const struct cda_setting_info *info = &cda_setting_infos[i];
		CDA_AUTOYAML struct cda_yaml *raw = NULL, *value = NULL;
		struct cda_err err = {0};

		CHECK_INT_AT(
			cda_yaml_parse(info->fallback, strlen(info->fallback), "it", &raw, &err), 0,
			"%s", info->name);
		REQUIRE(raw);
		CHECK_INT_AT(cda_setting_typify((enum cda_setting)i, raw, NULL, &value, &err), 0,
			     "%s: %s", info->name, err.msg ? err.msg : "");
		CHECK_INT_AT(cda_setting_find(info->name), i, "%s", info->name);
		CHECK_AT(*info->doc && *info->category, "%s", info->name);
		cda_err_done(&err);
	}
	CHECK_INT(cda_setting_find("envs_path"), CDA_SET_envs_dirs);
	CHECK_INT(cda_setting_find("nosuch"), -1);
	CHECK_INT(cda_setting_find(""), -1);
}

TEST(without_any_source_the_defaults_hold)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	CDA_AUTOFREE char *channels = NULL;
	CDA_AUTOFREE char *envs = NULL;
	CDA_AUTOFREE char *want = NULL;

	world_new(&world);
	settings = load(&world);
	REQUIRE(settings);
	CHECK(!cda_settings_bool(settings, CDA_SET_offline));
	CHECK_INT(cda_settings_tri(settings, CDA_SET_always_yes), -1);
	CHECK_INT(cda_settings_int(settings, CDA_SET_remote_max_retries, 0), 3);
	CHECK_INT(cda_settings_int(settings, CDA_SET_default_threads, 7), 7);
	CHECK(cda_settings_float(settings, CDA_SET_remote_read_timeout_secs) == 60.0);
	CHECK_STR(cda_settings_str(settings, CDA_SET_channel_priority), "flexible");
	CHECK_STR(cda_settings_str(settings, CDA_SET_env_prompt), "({default_env}) ");
	CHECK_STR(cda_settings_str(settings, CDA_SET_ssl_verify), "True");
	CHECK(cda_settings_str(settings, CDA_SET_client_ssl_cert) == NULL);
	CHECK_INT(cda_settings_list(settings, CDA_SET_aggressive_update_packages)->n, 3);
	channels = joined(cda_settings_channels(settings));
	CHECK_STR(channels, "defaults");
	envs = joined(cda_settings_envs_dirs(settings));
	want = cda_asprintf("%s/envs %s/.conda/envs", world.root, world.home);
	CHECK_STR(envs, want);
	CHECK_INT(cda_settings_pkgs_dirs(settings)->n, 2);
	CHECK_INT(cda_settings_list(settings, CDA_SET_subdirs)->n, 2);
	CHECK_STR(cda_settings_list(settings, CDA_SET_subdirs)->v[1], "noarch");
	CHECK_INT(cda_settings_files(settings)->n, 0);
}

static const struct {
	const char *low, *mid, *high; /* root/.condarc, home/.conda/.condarc, home/.condarc */
	const char *variable;         /* CONDA_CHANNELS */
	const char *options;          /* one -c */
	const char *want;
} merges[] = {
	{"channels: [c]", "channels: [b]", "channels: [a]", NULL, NULL, "a b c"},
	{"channels: [c]", "channels: [b]", "channels: [a]", "e,f", NULL, "e f a b c"},
	{"channels: [c]", "", "channels: [a]", "e", "o", "o e a c"},
	{"", "", "", NULL, "o", "o defaults"},
	{"", "", "", NULL, "defaults", "defaults"},
	{"", "", "channels: [o]", NULL, "o", "o defaults"},
	{"channels: [a, b]", "", "channels: [b, c]", NULL, NULL, "b c a"},
	{"channels:  #!final\n  - low", "", "channels: [a]", NULL, "o", "low"},
	{"channels:\n  - x  #!top\n  - y", "", "channels: [a, b]", NULL, NULL, "x a b y"},
	{"channels:\n  - x\n  - y", "", "channels:\n  - a #!bottom\n  - b", NULL, NULL, "b x y a"},
	{"channels: [c]", "channels:", "", NULL, NULL, "c"},
	{"channels: [c]\nuse_local: true", "", "", NULL, NULL, "local c"},
};

TEST(lists_of_all_sources_are_stacked)
{
	for (size_t i = 0; i < CDA_LEN(merges); i++) {
		AUTOWORLD struct world world;
		CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
		CDA_AUTOSTRV struct cda_strv options = {0};
		CDA_AUTOFREE char *got = NULL;

		world_new(&world);
		scratch_write(&world.scratch, "root/.condarc", merges[i].low);
		scratch_write(&world.scratch, "home/.conda/.condarc", merges[i].mid);
		scratch_write(&world.scratch, "home/.condarc", merges[i].high);
		if (merges[i].variable)
			cda_env_set(&world.env, "CONDA_CHANNELS", merges[i].variable);
		if (merges[i].options)
			cda_strv_push(&options, merges[i].options);
		world.input.channels = &options;
		settings = load(&world);
		REQUIRE(settings);
		got = joined(cda_settings_channels(settings));
		CHECK_STR_AT(got, merges[i].want, "row %zu", i);
	}
}

TEST(override_channels_leaves_those_of_the_command_line)
{
	AUTOWORLD struct world world;
	CDA_AUTOSTRV struct cda_strv options = {0};
	struct cda_settings *settings = NULL;
	struct cda_err err = {0};
	CDA_AUTOFREE char *got = NULL;

	world_new(&world);
	scratch_write(&world.scratch, "home/.condarc", "channels: [a]\n");
	world.input.override_channels = true;
	CHECK_INT(cda_settings_load(&world.input, &settings, &err), -CDA_E_USAGE);
	cda_err_done(&err);
	cda_strv_push(&options, "o");
	cda_strv_push(&options, "p");
	cda_strv_push(&options, "o");
	world.input.channels = &options;
	settings = load(&world);
	REQUIRE(settings);
	got = joined(cda_settings_channels(settings));
	CHECK_STR(got, "o p");
	cda_settings_free(settings);
	scratch_write(&world.scratch, "home/.condarc", "override_channels_enabled: false\n");
	CHECK_INT(cda_settings_load(&world.input, &settings, &err), -CDA_E_USAGE);
	cda_err_done(&err);
}

TEST(the_highest_source_has_the_last_word_on_scalars)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	CDA_AUTOYAML struct cda_yaml *options = cda_yaml_new(CDA_YAML_MAP);

	world_new(&world);
	scratch_write(&world.scratch, "root/.condarc",
		      "offline: true\nquiet: true  #!final\nauto_stack: 1\ndebug: yes\n"
		      "remote_read_timeout_secs: 5\n");
	scratch_write(&world.scratch, "home/.condarc",
		      "offline: false\nquiet: false\nauto_stack: 2\nunknown_key: {a: [b]}\n"
		      "channel_priority: true\nverbosity: true\n");
	cda_env_set(&world.env, "CONDA_AUTO_STACK", "3");
	cda_yaml_set(options, "json", cda_yaml_scalar("true"));
	cda_yaml_set(options, "yes", cda_yaml_scalar("true"));
	world.input.cmd_line = options;
	settings = load(&world);
	REQUIRE(settings);
	CHECK(!cda_settings_bool(settings, CDA_SET_offline));
	CHECK(cda_settings_bool(settings, CDA_SET_quiet));
	CHECK(cda_settings_bool(settings, CDA_SET_debug));
	CHECK(cda_settings_bool(settings, CDA_SET_json));
	CHECK_INT(cda_settings_tri(settings, CDA_SET_always_yes), 1);
	CHECK_INT(cda_settings_int(settings, CDA_SET_auto_stack, 0), 3);
	CHECK_INT(cda_settings_int(settings, CDA_SET_verbosity, 0), 1);
	CHECK(cda_settings_float(settings, CDA_SET_remote_read_timeout_secs) == 5.0);
	CHECK_STR(cda_settings_str(settings, CDA_SET_channel_priority), "flexible");
}

TEST(maps_are_joined_and_variables_expanded)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	const struct cda_channel_config *config;
	const struct cda_yaml *multi, *proxies;

	world_new(&world);
	scratch_write(&world.scratch, "root/.condarc",
		      "proxy_servers: {http: low, https: low}\n"
		      "custom_multichannels: {mine: [a]}\n");
	scratch_write(&world.scratch, "home/.condarc",
		      "proxy_servers: {http: 'http://${PROXY_USER}@h:1'}\n"
		      "custom_multichannels: {mine: [b]}\n"
		      "custom_channels: {internal: 'https://host.example/conda'}\n"
		      "default_channels: ['http://127.0.0.1:8000/pkgs/main']\n"
		      "envs_dirs: [~/e, $HOME/f]\n");
	cda_env_set(&world.env, "PROXY_USER", "me");
	settings = load(&world);
	REQUIRE(settings);
	proxies = cda_settings_node(settings, CDA_SET_proxy_servers);
	CHECK_STR(cda_yaml_get(proxies, "http")->text, "http://me@h:1");
	CHECK_STR(cda_yaml_get(proxies, "https")->text, "low");
	CHECK(cda_yaml_get(proxies, "ftp") == NULL);
	multi = cda_yaml_get(cda_settings_node(settings, CDA_SET_custom_multichannels), "mine");
	REQUIRE(multi && multi->items.n == 2);
	CHECK_STR(multi->items.v[0]->text, "b");
	config = cda_settings_channel_config(settings);
	CHECK_STR(config->channel_alias, "https://conda.anaconda.org");
	REQUIRE(config->custom_channels.n == 2);
	CHECK_STR(config->custom_channels.v[0].name, "internal");
	CHECK_STR(config->custom_channels.v[1].name, "pkgs/main");
	CHECK_STR(config->custom_channels.v[1].values.v[0], "http://127.0.0.1:8000");
	CHECK(cda_ends_with(cda_settings_envs_dirs(settings)->v[0], "/home/e"));
	CHECK(cda_ends_with(cda_settings_envs_dirs(settings)->v[1], "/home/f"));
}

static const struct {
	const char *text;
	enum cda_errc code;
	const char *in_message;
} bad[] = {
	{"quiet: true\nchannels: conda-forge\n", CDA_E_TYPE, ", line 2"},
	{"offline: perhaps\n", CDA_E_TYPE, "perhaps"},
	{"remote_max_retries: many\n", CDA_E_TYPE, "an integer"},
	{"remote_read_timeout_secs: [1]\n", CDA_E_TYPE, "a number"},
	{"channels: [[a]]\n", CDA_E_TYPE, "list of texts"},
	{"proxy_servers: x\n", CDA_E_TYPE, "a map"},
	{"proxy_servers: {a: [b]}\n", CDA_E_TYPE, "a text"},
	{"channel_priority: sometimes\n", CDA_E_CHOICE, "sometimes"},
	{"a: [\n", CDA_E_CONFIG, "line "},
};

TEST(a_bad_value_names_its_file_and_line_and_a_tolerant_load_leaves_it_out)
{
	for (size_t i = 0; i < CDA_LEN(bad); i++) {
		AUTOWORLD struct world world;
		struct cda_settings *settings = NULL;
		struct cda_err err = {0};

		world_new(&world);
		scratch_write(&world.scratch, "home/.condarc", bad[i].text);
		CHECK_INT_AT(cda_settings_load(&world.input, &settings, &err), -(int)bad[i].code,
			     "row %zu", i);
		CHECK_AT(err.msg && strstr(err.msg, bad[i].in_message), "row %zu: %s", i,
			 err.msg ? err.msg : "");
		CHECK_AT(err.msg && strstr(err.msg, "/home/.condarc"), "row %zu: %s", i,
			 err.msg ? err.msg : "");
		cda_err_done(&err);
		world.input.tolerant = true;
		settings = load(&world);
		REQUIRE(settings);
		CHECK_INT_AT(cda_settings_problems(settings)->n, 1, "row %zu", i);
		CHECK_STR_AT(cda_settings_channels(settings)->v[0], "defaults", "row %zu", i);
		cda_settings_free(settings);
	}
}

TEST(show_prints_keys_as_conda_does)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	CDA_AUTOSTRV struct cda_strv names = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};

	world_new(&world);
	settings = load(&world);
	REQUIRE(settings);
	cda_strv_split(&names,
		       "channels always_yes env_prompt bld_path track_features proxy_servers "
		       "custom_channels custom_multichannels default_channels "
		       "remote_read_timeout_secs remote_backoff_factor ssl_verify",
		       " ");
	CHECK_INT(cda_config_show(settings, &names, &out, &err), 0);
	CHECK_STR(out.p, "channels:\n  - defaults\n"
			 "always_yes: None\n"
			 "env_prompt: ({default_env}) \n"
			 "bld_path: \n"
			 "track_features: []\n"
			 "proxy_servers: {}\n"
			 "custom_channels:\n"
			 "  pkgs/main: https://repo.anaconda.com\n"
			 "  pkgs/r: https://repo.anaconda.com\n"
			 "  pkgs/pro: https://repo.anaconda.com\n"
			 "custom_multichannels:\n"
			 "  defaults: \n"
			 "    - https://repo.anaconda.com/pkgs/main\n"
			 "    - https://repo.anaconda.com/pkgs/r\n"
			 "  local: \n"
			 "default_channels:\n"
			 "  - https://repo.anaconda.com/pkgs/main\n"
			 "  - https://repo.anaconda.com/pkgs/r\n"
			 "remote_read_timeout_secs: 60.0\n"
			 "remote_backoff_factor: 1\n"
			 "ssl_verify: True\n");
	cda_strv_push(&names, "nosuch");
	CHECK_INT(cda_config_show(settings, &names, &out, &err), -CDA_E_USAGE);
	cda_err_done(&err);
}

TEST(show_as_json_has_types_and_channels_in_their_parts)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	CDA_AUTOSTRV struct cda_strv names = {0};
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	yyjson_mut_val *obj = NULL;
	struct cda_err err = {0};

	world_new(&world);
	settings = load(&world);
	REQUIRE(settings);
	cda_strv_split(&names,
		       "channel_alias always_yes fetch_threads remote_read_timeout_secs "
		       "offline channels",
		       " ");
	REQUIRE(cda_config_show_json(settings, &names, doc, &obj, &err) == 0);
	cda_json_format(obj, 0, false, &out);
	CHECK_STR(out.p,
		  "{\"channel_alias\": {\"auth\": null, \"location\": \"conda.anaconda.org\", "
		  "\"name\": \"\", \"package_filename\": null, \"platform\": null, "
		  "\"scheme\": \"https\", \"token\": null}, \"always_yes\": null, "
		  "\"fetch_threads\": 5, \"remote_read_timeout_secs\": 60.0, \"offline\": false, "
		  "\"channels\": [\"defaults\"]}");
}

TEST(sources_are_shown_lowest_first_in_the_order_of_the_table)
{
	AUTOWORLD struct world world;
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *want = NULL;

	world_new(&world);
	scratch_write(&world.scratch, "root/.condarc", "channels: [c]\n");
	scratch_write(&world.scratch, "home/.condarc",
		      "always_yes: true\nunknown: 1\nchannels: [a]\n"
		      "channel_priority: strict\nproxy_servers: {http: h}\n");
	cda_env_set(&world.env, "CONDA_ENVS_PATH", "/e");
	cda_env_set(&world.env, "CONDA_REMOTE_CONNECT_TIMEOUT_SECS", "2");
	settings = load(&world);
	REQUIRE(settings);
	cda_config_show_sources(settings, &out);
	want = cda_asprintf("==> %s/.condarc <==\nchannels:\n  - c\n\n"
			    "==> %s/.condarc <==\nproxy_servers:\n  http: h\n"
			    "channel_priority: strict\nchannels:\n  - a\nalways_yes: True\n\n"
			    "==> envvars <==\nenvs_path:\n  - /e\n"
			    "remote_connect_timeout_secs: 2.0\n\n",
			    world.root, world.home);
	CHECK_STR(out.p, want);
}

TEST(describe_and_the_default_file_are_comments_that_cover_every_key)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOYAML struct cda_yaml *tree = NULL;
	struct cda_err err = {0};

	cda_config_write_default(&out);
	REQUIRE(cda_yaml_parse(out.p, out.len, "it", &tree, &err) == 0);
	CHECK_INT(tree->kind, CDA_YAML_NULL);
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++) {
		CDA_AUTOFREE char *line = cda_asprintf("\n# %s:", cda_setting_infos[i].name);
		CHECK_AT(strstr(out.p, line), "%s", cda_setting_infos[i].name);
	}
}
