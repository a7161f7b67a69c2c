#include "check.h"
#include "prefix/envs.h"
#include "scratch.h"

#include <pthread.h>

TEST(a_prefix_is_noted_once_and_forgotten)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *dir = scratch_path(&scratch, "home/.conda"), *text = NULL;
	struct cda_err err = {0};

	CHECK(cda_envs_unregister(dir, "/a", &err) >= 0);
	CHECK(!scratch_has(&scratch, "home"));
	CHECK(cda_envs_register(dir, "/a", &err) >= 0);
	CHECK(cda_envs_register(dir, "/b c", &err) >= 0);
	CHECK(cda_envs_register(dir, "/a", &err) >= 0);
	cda_replace(&text, scratch_read(&scratch, "home/.conda/environments.txt"));
	CHECK_STR(text, "/a\n/b c\n");
	/* a build's folder, more than a line, no path */
	CHECK(cda_envs_register(dir, "/x/_h_env_placehold_placehold_pl/y", &err) >= 0);
	CHECK(cda_envs_register(dir, "/x\n/y", &err) >= 0);
	CHECK(cda_envs_register(dir, "x", &err) >= 0);
	CHECK(cda_envs_unregister(dir, "/a", &err) >= 0);
	cda_replace(&text, scratch_read(&scratch, "home/.conda/environments.txt"));
	CHECK_STR(text, "/b c\n");
}

TEST(what_others_wrote_stays)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *dir = scratch_path(&scratch, ".conda"), *text = NULL;
	struct cda_err err = {0};

	scratch_write(&scratch, ".conda/environments.txt", "/b\r\n\n/a\n/b\n  /c  \njunk");
	CHECK(cda_envs_register(dir, "/d", &err) >= 0);
	cda_replace(&text, scratch_read(&scratch, ".conda/environments.txt"));
	CHECK_STR(text, "/b\n/a\n/c\n/d\n");
}

struct many {
	const char *dir;
	int from;
};

static void *note_many(void *arg)
{
	const struct many *many = arg;

	for (int i = many->from; i < many->from + 10; i++) {
		CDA_AUTOFREE char *prefix = cda_asprintf("/env/%d", i);
		struct cda_err err = {0};

		if (cda_envs_register(many->dir, prefix, &err) < 0)
			return arg;
	}
	return NULL;
}

TEST(several_at_once_lose_nothing)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *dir = scratch_path(&scratch, ".conda"), *text = NULL;
	CDA_AUTOSTRV struct cda_strv lines = {0};
	struct many many[4];
	pthread_t threads[4];
	void *failed;

	for (int i = 0; i < 4; i++) {
		many[i] = (struct many){dir, i * 10};
		REQUIRE(pthread_create(&threads[i], NULL, note_many, &many[i]) == 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		CHECK(!failed);
	}
	text = scratch_read(&scratch, ".conda/environments.txt");
	REQUIRE(text != NULL);
	cda_strv_split(&lines, text, "\n");
	CHECK_INT(lines.n, 40);
}

TEST(the_list_has_what_exists_once)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOFREE char *dir = scratch_path(&scratch, ".conda");
	CDA_AUTOFREE char *envs = scratch_path(&scratch, "envs"),
			  *root = scratch_path(&scratch, "root");
	CDA_AUTOFREE char *gone = scratch_path(&scratch, "gone"),
			  *far = scratch_path(&scratch, "far");
	CDA_AUTOFREE char *two = scratch_path(&scratch, "envs/two"), *got = NULL, *want = NULL;
	CDA_AUTOSTRV struct cda_strv dirs = {0}, found = {0};
	struct cda_err err = {0};

	scratch_write(&scratch, "root/conda-meta/history", "");
	scratch_write(&scratch, "far/conda-meta/history", "");
	scratch_write(&scratch, "envs/two/conda-meta/history", "");
	scratch_write(&scratch, "envs/one/conda-meta/history", "");
	scratch_write(&scratch, "envs/.trash/conda-meta/history", "");
	scratch_write(&scratch, "envs/none/bin/x", "");
	CHECK(cda_envs_register(dir, gone, &err) >= 0);
	CHECK(cda_envs_register(dir, two, &err) >= 0);
	CHECK(cda_envs_register(dir, far, &err) >= 0);
	CHECK(cda_envs_register(dir, root, &err) >= 0);
	cda_strv_push(&dirs, envs);
	cda_strv_push(&dirs, gone);
	cda_envs_list(dir, root, &dirs, &found);
	got = cda_strv_join(&found, "\n");
	want = cda_asprintf("%s\n%s/one\n%s\n%s", root, envs, two, far);
	CHECK_STR(got, want);
}
