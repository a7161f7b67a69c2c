/* test_init.c - the block in rc files comes and goes without a trace. */
#include "check.h"
#include "scratch.h"

#include "shell/init.h"

#define OPEN "# >>> conda initialize >>>\n"
#define CLOSE "# <<< conda initialize <<<\n"

static const struct {
	const char *before, *block, *after;
} edits[] = {
	{"", "x\n", OPEN "x\n" CLOSE},
	{"a\n", "x\n", "a\n\n" OPEN "x\n" CLOSE},
	{"a", "x", "a\n\n" OPEN "x\n" CLOSE},
	{"a\n" OPEN "old\n" CLOSE "b\n", "x\n", "a\n" OPEN "x\n" CLOSE "b\n"},
	{"a\n\n" OPEN "x\n" CLOSE, NULL, "a\n"},
	{OPEN "x\n" CLOSE "b\n", NULL, "b\n"},
	{"a\n", NULL, "a\n"},
	{"echo '" OPEN "'\n", NULL, "echo '" OPEN "'\n"},
	{OPEN "never closed\n", NULL, OPEN "never closed\n"},
};

TEST(the_block_is_put_replaced_and_taken_out)
{
	for (size_t i = 0; i < CDA_LEN(edits); i++) {
		CDA_AUTOFREE char *got = cda_init_edit(edits[i].before, edits[i].block);
		CHECK_STR_AT(got, edits[i].after, "row %zu", i);
	}
}

struct world {
	struct scratch scratch;
	char *root, *home, *etc;
	struct cda_shell_opts opts;
	struct cda_strv shells;
};

static void world_new(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->scratch = scratch_new();
	world->root = scratch_path(&world->scratch, "it's root");
	world->home = scratch_path(&world->scratch, "home");
	world->etc = scratch_path(&world->scratch, "etc");
	scratch_write(&world->scratch, "home/.bashrc", "alias l=ls\n");
	scratch_mkdir(&world->scratch, "it's root");
	world->opts.root_prefix = world->root;
}

static void world_done(struct world *world)
{
	scratch_done(&world->scratch);
	free(world->root);
	free(world->home);
	free(world->etc);
	cda_strv_done(&world->shells);
}
#define AUTOWORLD CDA_CLEANUP(world_done)

/* Number of changes with the result, after `conda init` with the flags. */
static int run(const struct world *world, unsigned flags, enum cda_init_result result)
{
	struct cda_init_changes changes = {0};
	struct cda_err err = {0};
	int n = 0;

	CHECK_INT(cda_init(&world->opts, world->home, world->etc, &world->shells, flags, &changes,
			   &err),
		  0);
	cda_err_done(&err);
	cda_vec_each (it, &changes)
		n += it->result == result;
	cda_init_changes_free_all(&changes);
	return n;
}

TEST(a_second_time_changes_nothing_and_reverse_undoes)
{
	AUTOWORLD struct world world;
	CDA_AUTOFREE char *with = NULL;
	CDA_AUTOFREE char *without = NULL;

	world_new(&world);
	CHECK_INT(run(&world, CDA_INIT_DRY_RUN, CDA_INIT_MODIFIED), 8);
	CHECK(!scratch_has(&world.scratch, "it's root/etc"));
	CHECK_INT(run(&world, 0, CDA_INIT_MODIFIED), 8);
	CHECK_INT(run(&world, 0, CDA_INIT_MODIFIED), 0);
	with = scratch_read(&world.scratch, "home/.bashrc");
	CHECK(cda_starts_with(with, "alias l=ls\n\n" OPEN));
	CHECK_INT(run(&world, CDA_INIT_REVERSE, CDA_INIT_MODIFIED), 1);
	without = scratch_read(&world.scratch, "home/.bashrc");
	CHECK_STR(without, "alias l=ls\n");
	CHECK(scratch_has(&world.scratch, "it's root/condabin/conda"));
}

TEST(every_shell_has_its_file_for_the_user_and_the_system)
{
	static const char *const want[] = {"home/.bashrc",
					   "home/.config/fish/config.fish",
					   "home/.tcshrc",
					   "home/.xonshrc",
					   "home/.zshrc",
					   "etc/profile.d/conda.sh",
					   "etc/fish/conf.d/conda.fish",
					   "etc/profile.d/conda.csh",
					   "etc/xonshrc",
					   "etc/zsh/zshrc"};
	AUTOWORLD struct world world;

	world_new(&world);
	for (size_t i = 0; cda_init_shells[i]; i++)
		cda_strv_push(&world.shells, cda_init_shells[i]);
	CHECK_INT(run(&world, CDA_INIT_USER | CDA_INIT_SYSTEM | CDA_INIT_NO_SCRIPTS,
		      CDA_INIT_MODIFIED),
		  CDA_LEN(want));
	for (size_t i = 0; i < CDA_LEN(want); i++) {
		CDA_AUTOFREE char *text = scratch_read(&world.scratch, want[i]);
		CHECK_AT(text && strstr(text, OPEN) && strstr(text, CLOSE), "%s", want[i]);
	}
	CHECK(!scratch_has(&world.scratch, "it's root/etc"));
}

TEST(an_unknown_shell_is_a_usage_error)
{
	AUTOWORLD struct world world;
	struct cda_init_changes changes = {0};
	struct cda_err err = {0};

	world_new(&world);
	cda_strv_push(&world.shells, "nosuch");
	CHECK_INT(cda_init(&world.opts, world.home, world.etc, &world.shells, CDA_INIT_NO_SCRIPTS,
			   &changes, &err),
		  -CDA_E_USAGE);
	cda_err_done(&err);
	cda_init_changes_free_all(&changes);
}
