#include "check.h"
#include "util/fs.h"
#include "core/version.h"
#include "solve/virtpkg.h"
#include "util/alloc.h"

static const struct cda_record *named(const struct cda_records *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i]->name, name) == 0)
			return list->v[i];
	return NULL;
}

TEST(overrides_count_and_empty_ones_take_away)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(cda_records_done) struct cda_records list = {0};
	const struct cda_virtpkg_config config = {.subdir = "linux-64",
						  .glibc = "2.17",
						  .linux_ = "",
						  .cuda = "12.1",
						  .archspec = "x86_64_v3"};

	cda_virtpkg_detect(&config, arena, &list);
	CHECK(named(&list, "__unix"));
	CHECK(!named(&list, "__linux"));
	REQUIRE(named(&list, "__glibc") && named(&list, "__cuda") && named(&list, "__archspec"));
	CHECK_STR(named(&list, "__glibc")->version, "2.17");
	CHECK_STR(named(&list, "__cuda")->version, "12.1");
	CHECK_STR(named(&list, "__archspec")->build, "x86_64_v3");
	CHECK(named(&list, "__glibc")->is_virtual);
}

TEST(the_machine_is_probed)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(cda_records_done) struct cda_records list = {0};
	const struct cda_virtpkg_config config = {.subdir = "linux-64"};

	cda_virtpkg_detect(&config, arena, &list);
	REQUIRE(named(&list, "__linux"));
	CHECK(cda_version_cmp_text(named(&list, "__linux")->version, "2") > 0);
	REQUIRE(named(&list, "__archspec"));
	CHECK_STR(named(&list, "__archspec")->build, "x86_64");
	CHECK(!named(&list, "__win") && !named(&list, "__osx") && !named(&list, "__cuda"));
}

TEST(glibc_tells_its_version_in_its_file)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(cda_records_done) struct cda_records list = {0}, none = {0};
	static const char libc[] =
		"\x7f"
		"ELF\0\0GNU C Library (Some 2.99-1) stable release version 2.31.\n";
	struct cda_virtpkg_config config = {.subdir = "linux-64"};
	struct cda_err err = {0};
	CDA_AUTOFREE char *root = NULL;
	CDA_AUTOFREE char *path = NULL;

	REQUIRE(cda_fs_tempdir(NULL, "virtpkg", &root, &err) == 0);
	config.root = root;
	cda_virtpkg_detect(&config, arena, &none);
	CHECK(!named(&none, "__glibc"));
	path = cda_path_join(root, "lib64/libc.so.6");
	REQUIRE(cda_fs_mkparents(AT_FDCWD, path, 0755, &err) == 0);
	REQUIRE(cda_fs_replace(AT_FDCWD, path, libc, sizeof(libc) - 1, 0644, false, &err) == 0);
	cda_virtpkg_detect(&config, arena, &list);
	REQUIRE(named(&list, "__glibc"));
	CHECK_STR(named(&list, "__glibc")->version, "2.31");
	CHECK(cda_fs_remove(AT_FDCWD, root, &err) == 0);
}

TEST(another_platform_has_other_packages)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(cda_records_done) struct cda_records list = {0};
	const struct cda_virtpkg_config config = {.subdir = "win-64"};

	cda_virtpkg_detect(&config, arena, &list);
	CHECK(named(&list, "__win") && !named(&list, "__unix") && !named(&list, "__glibc"));
}
