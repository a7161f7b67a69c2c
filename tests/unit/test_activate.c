/* test_activate.c - activation as values, and as text that no value can break. The vectors of
 * tests/conformance/activation.json have the ordinary cases. */
#include "check.h"
#include "scratch.h"

#include "shell/dialect.h"
#include "util/proc.h"

struct world {
	struct scratch scratch;
	struct cda_strv env, envs_dirs;
	char *root;
	struct cda_shell_opts opts;
};

static void world_new(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->scratch = scratch_new();
	world->root = scratch_path(&world->scratch, "root");
	cda_strv_push(&world->env, "PATH=/usr/bin:/bin");
	cda_strv_push(&world->env, "PS1=$ ");
	cda_strv_pushf(&world->envs_dirs, "%s/envs", world->root);
	scratch_write(&world->scratch, "root/conda-meta/history", "");
	scratch_write(&world->scratch, "root/envs/one/conda-meta/history", "");
	scratch_write(&world->scratch, "root/envs/two/conda-meta/history", "");
	world->opts = (struct cda_shell_opts){.env = &world->env,
					      .root_prefix = world->root,
					      .envs_dirs = &world->envs_dirs,
					      .cwd = world->scratch.dir,
					      .changeps1 = true};
}

static void world_done(struct world *world)
{
	scratch_done(&world->scratch);
	cda_strv_done(&world->env);
	cda_strv_done(&world->envs_dirs);
	free(world->root);
}
#define AUTOWORLD CDA_CLEANUP(world_done)

static const char *value_of(const struct cda_assigns *list, const char *name)
{
	cda_vec_each (it, list)
		if (strcmp(it->name, name) == 0)
			return it->value;
	return NULL;
}

TEST(an_unknown_name_and_a_folder_that_is_none_are_told_apart)
{
	static const struct {
		const char *target;
		enum cda_errc code;
	} rows[] = {{"nope", CDA_E_NOENVNAME}, {"./nope", CDA_E_NOENV}, {"/", CDA_E_NOENV}};
	AUTOWORLD struct world world;

	world_new(&world);
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_err err = {0};
		char *prefix = NULL;

		CHECK_INT_AT(cda_shell_locate(&world.opts, rows[i].target, &prefix, &err),
			     -(int)rows[i].code, "'%s'", rows[i].target);
		cda_err_done(&err);
	}
}

TEST(scripts_run_by_name_and_backwards_when_leaving)
{
	AUTOWORLD struct world world;
	CDA_AUTOACTIVATION struct cda_activation in = {0}, out = {0};
	struct cda_err err = {0};

	world_new(&world);
	scratch_write(&world.scratch, "root/envs/one/etc/conda/activate.d/b.sh", "");
	scratch_write(&world.scratch, "root/envs/one/etc/conda/activate.d/a.sh", "");
	scratch_write(&world.scratch, "root/envs/one/etc/conda/activate.d/a.fish", "");
	scratch_write(&world.scratch, "root/envs/one/etc/conda/deactivate.d/b.sh", "");
	scratch_write(&world.scratch, "root/envs/one/etc/conda/deactivate.d/a.sh", "");
	REQUIRE(cda_activate(&world.opts, "one", false, ".sh", &in, &err) == 0);
	REQUIRE(in.activate_scripts.n == 2);
	CHECK(cda_ends_with(in.activate_scripts.v[0], "/activate.d/a.sh"));
	CHECK(cda_ends_with(in.activate_scripts.v[1], "/activate.d/b.sh"));
	cda_activation_apply(&in, &world.env);
	REQUIRE(cda_deactivate(&world.opts, ".sh", &out, &err) == 0);
	REQUIRE(out.deactivate_scripts.n == 2);
	CHECK(cda_ends_with(out.deactivate_scripts.v[0], "/deactivate.d/b.sh"));
	CHECK(cda_ends_with(out.deactivate_scripts.v[1], "/deactivate.d/a.sh"));
}

/* In and out again leaves what was there, whatever the environments set. */
TEST(as_many_steps_out_as_in_restore_the_environment)
{
	static const char *const way[] = {"base", "one", "two", "one", "base"};
	AUTOWORLD struct world world;
	CDA_AUTOFREE char *path = NULL;
	struct cda_err err = {0};

	world_new(&world);
	scratch_write(&world.scratch, "root/envs/one/conda-meta/state",
		      "{\"env_vars\": {\"MINE\": \"of one\", \"PLAIN\": \"1\"}}");
	cda_strv_push(&world.env, "MINE=before");
	path = cda_asprintf("PATH=%s/condabin:/usr/bin:/bin", world.root);
	for (size_t stack = 0; stack < 2; stack++) {
		for (size_t i = 0; i < CDA_LEN(way); i++) {
			CDA_AUTOACTIVATION struct cda_activation step = {0};

			REQUIRE(cda_activate(&world.opts, way[i], stack, ".sh", &step, &err) == 0);
			cda_activation_apply(&step, &world.env);
		}
		for (size_t i = 0; i < CDA_LEN(way); i++) {
			CDA_AUTOACTIVATION struct cda_activation step = {0};

			REQUIRE(cda_deactivate(&world.opts, ".sh", &step, &err) == 0);
			cda_activation_apply(&step, &world.env);
		}
		CHECK_AT(cda_strv_has(&world.env, path), "PATH, stack %zu", stack);
		CHECK_AT(cda_strv_has(&world.env, "MINE=before"), "MINE, stack %zu", stack);
		CHECK_AT(cda_strv_has(&world.env, "CONDA_SHLVL=0"), "level, stack %zu", stack);
		for (size_t i = 0; i < world.env.n; i++)
			CHECK_AT(!cda_starts_with(world.env.v[i], "CONDA_PREFIX") &&
					 !cda_starts_with(world.env.v[i], "PLAIN="),
				 "'%s' is left, stack %zu", world.env.v[i], stack);
	}
}

TEST(state_that_is_no_json_is_an_error_and_a_bad_name_is_left_out)
{
	AUTOWORLD struct world world;
	CDA_AUTOACTIVATION struct cda_activation bad = {0}, good = {0};
	struct cda_err err = {0};

	world_new(&world);
	scratch_write(&world.scratch, "root/envs/one/conda-meta/state", "{");
	CHECK(cda_activate(&world.opts, "one", false, ".sh", &bad, &err) < 0);
	cda_err_done(&err);
	scratch_write(&world.scratch, "root/envs/one/conda-meta/state",
		      "{\"env_vars\": {\"A;touch x\": \"1\", \"$(id)\": \"1\", \"\": \"1\", "
		      "\"9\": \"1\", \"OK_1\": 5, \"L\": []}}");
	REQUIRE(cda_activate(&world.opts, "one", false, ".sh", &good, &err) == 0);
	CHECK_INT(good.warnings.n, 5);
	CHECK_STR(value_of(&good.exports, "OK_1"), "5");
	CHECK(!value_of(&good.exports, "9"));
}

TEST(a_level_without_its_prefix_is_an_error_with_a_next_step)
{
	static const char *const lines[] = {"CONDA_SHLVL=x", "CONDA_SHLVL=1",
					    "CONDA_SHLVL=99999999999999999999"};

	for (size_t i = 0; i < CDA_LEN(lines); i++) {
		AUTOWORLD struct world world;
		CDA_AUTOACTIVATION struct cda_activation step = {0};
		struct cda_err err = {0};

		world_new(&world);
		cda_strv_push(&world.env, lines[i]);
		CHECK_INT_AT(cda_activate(&world.opts, "one", false, ".sh", &step, &err),
			     -CDA_E_VALUE, "%s", lines[i]);
		CHECK_AT(err.hint, "%s", lines[i]);
		cda_err_done(&err);
	}
}

static const struct {
	const char *prompt, *want;
} prompts[] = {
	{"({default_env}) ", "(two) "},
	{"[{stacked_env}] ", "[two,one] "},
	{"{name}|{unknown}{", "two|{unknown}{"},
	{"{{x}} ", "{x} "},
	{"", ""},
};

TEST(env_prompt_is_filled_in)
{
	for (size_t i = 0; i < CDA_LEN(prompts); i++) {
		AUTOWORLD struct world world;
		CDA_AUTOACTIVATION struct cda_activation one = {0}, two = {0};
		struct cda_err err = {0};

		world_new(&world);
		world.opts.env_prompt = prompts[i].prompt;
		REQUIRE(cda_activate(&world.opts, "one", false, ".sh", &one, &err) == 0);
		cda_activation_apply(&one, &world.env);
		REQUIRE(cda_activate(&world.opts, "two", true, ".sh", &two, &err) == 0);
		CHECK_STR_AT(value_of(&two.exports, "CONDA_PROMPT_MODIFIER"), prompts[i].want,
			     "'%s'", prompts[i].prompt);
	}
}

/* Values that would be commands if they could leave their quotes. */
static const char *const hostile[] = {
	"it's",           "a\"b",       "$(echo bad)", "`echo bad`", "a\\",   "\\'",
	"'; echo bad; '", "two\nlines", "*",           "~",          "$HOME", "a'\"'\"'b",
	" lead",          "\t",         "#x",          "-n",
};

TEST(sh_reads_back_every_value_as_it_was)
{
	for (size_t i = 0; i < CDA_LEN(hostile); i++) {
		struct cda_activation step = {0};
		CDA_AUTOBUF struct cda_buf script = CDA_BUF_INIT, out = CDA_BUF_INIT;
		const char *const argv[] = {"sh", "-c", NULL, NULL};
		const char *words[CDA_LEN(argv)];
		struct cda_proc proc = {.argv = words, .out = &out};
		struct cda_err err = {0};
		int status = -1;

		cda_assigns_push(&step.exports,
				 (struct cda_assign){cda_strdup("V"), cda_strdup(hostile[i])});
		cda_assigns_push(&step.sets,
				 (struct cda_assign){cda_strdup("W"), cda_strdup(hostile[i])});
		cda_dialect_format(cda_dialect_find("posix"), &step, &script);
		cda_buf_adds(&script, "printf '%s|%s' \"$V\" \"$W\"\n");
		memcpy(words, argv, sizeof(argv));
		words[2] = script.p;
		CHECK_INT_AT(cda_proc_run(&proc, &status, &err), 0, "%s", hostile[i]);
		CHECK_INT_AT(status, 0, "%s", hostile[i]);
		CDA_AUTOFREE char *want = cda_asprintf("%s|%s", hostile[i], hostile[i]);
		CHECK_STR_AT(out.p, want, "row %zu", i);
		cda_err_done(&err);
		cda_activation_done(&step);
	}
}

static const struct {
	const char *shell, *value, *want;
} lines[] = {
	{"fish", "a\"b$c\\d'", "set -gx V \"a\\\"b\\$c\\\\d'\";\n"},
	{"csh", "a'b\"c$d!`", "setenv V \"a'b\"'\"'\"c\"'$'\"d\\!\"'`'\"\";\n"},
	{"xonsh", "a'b\\", "$V = 'a\\'b\\\\'\n"},
	{"powershell", "a\"b`", "$Env:V = \"a`\"b``\"\n"},
};

TEST(other_shells_get_their_own_escapes)
{
	for (size_t i = 0; i < CDA_LEN(lines); i++) {
		struct cda_activation step = {0};
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_assigns_push(&step.exports,
				 (struct cda_assign){cda_strdup("V"), cda_strdup(lines[i].value)});
		cda_dialect_format(cda_dialect_find(lines[i].shell), &step, &out);
		CHECK_STR_AT(out.p, lines[i].want, "%s", lines[i].shell);
		cda_activation_done(&step);
	}
}

TEST(the_functions_name_the_base_environment_and_leave_no_mark)
{
	static const char *const shells[] = {"posix", "csh", "fish", "xonsh", "powershell"};
	const struct cda_shell_opts opts = {.root_prefix = "/opt/it's"};

	for (size_t i = 0; i < CDA_LEN(shells); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_dialect_functions(cda_dialect_find(shells[i]), &opts, &out);
		CHECK_AT(strstr(out.p, "/bin/conda"), "%s", shells[i]);
		CHECK_AT(!strchr(out.p, '@') || !strstr(out.p, "@ROOT@"), "%s", shells[i]);
		CHECK_AT(!strstr(out.p, "@EXE@") && !strstr(out.p, "@PYTHON@"), "%s", shells[i]);
	}
	CHECK(cda_dialect_find("nosuch") == NULL);
	CHECK(cda_dialect_find("posix+xml") == NULL);
}
