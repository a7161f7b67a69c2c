#include "check.h"
#include "package.h"
#include "pkg/archive.h"
#include "pkg/store.h"
#include "scratch.h"

static const struct tpkg_file files[] = {
	{"bin/x", .text = "one\n", .mode = 0755}, {"lib/y", .text = "two\n"}, {NULL}};
static const struct tpkg pkg_a = {"a", "1", "h_2", .files = files};
static const struct cda_record rec_a = {.name = "a",
					.version = "1",
					.build = "h_2",
					.build_number = 2,
					.fn = "a-1-h_2.conda",
					.url = "https://u:p@host/t/TOK/ch/linux-64/a-1-h_2.conda",
					.channel = "https://host/ch",
					.subdir = "linux-64"};

static struct cda_store *open_store(const struct scratch *s, const char *one, const char *two)
{
	CDA_AUTOSTRV struct cda_strv dirs = {0};
	struct cda_store *store = NULL;
	struct cda_err err = {0};

	cda_strv_take(&dirs, scratch_path(s, one));
	if (two)
		cda_strv_take(&dirs, scratch_path(s, two));
	tpkg_must(cda_store_open(&dirs, &store, &err), err);
	return store;
}

/* Puts the package into a folder of the store as fetch does. */
static void put(const struct scratch *s, const char *where, const struct cda_record *record)
{
	CDA_AUTOFREE char *dir = scratch_path(s, where);
	CDA_AUTOFREE char *archive = tpkg_write(dir, &pkg_a);
	CDA_AUTOFREE char *dest = cda_path_join(dir, "a-1-h_2");
	struct cda_err err = {0};

	tpkg_must(cda_archive_extract(AT_FDCWD, archive, AT_FDCWD, dest, NULL, &err), err);
	if (record)
		tpkg_must(cda_store_write_record(AT_FDCWD, dest, record, &err), err);
}

TEST(a_store_is_made_and_is_a_cache_for_conda)
{
	CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = open_store(&s, "x/pkgs", "second");
	struct cda_err err = {0};
	const char *dir;

	REQUIRE(cda_store_writable(store, &dir, &err) == 0);
	CHECK(cda_ends_with(dir, "/x/pkgs"));
	CHECK(scratch_has(&s, "x/pkgs/urls.txt"));
	CHECK(!scratch_has(&s, "second"));
	CHECK_INT(cda_store_dirs(store)->n, 2);
	CHECK(cda_store_dir_is_writable(store, 0) && !cda_store_dir_is_writable(store, 1));
}

TEST(a_store_without_a_writable_folder_says_so)
{
	CDA_AUTOSTRV struct cda_strv dirs = {0};
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	struct cda_err err = {0};
	const char *dir;

	cda_strv_push(&dirs, "/dev/null/pkgs");
	cda_strv_push(&dirs, "/dev/null/pkgs");
	REQUIRE(cda_store_open(&dirs, &store, &err) == 0);
	CHECK_INT(cda_store_dirs(store)->n, 1);
	CHECK_INT(cda_store_writable(store, &dir, &err), -CDA_E_NOCACHE);
	CHECK(err.hint != NULL);
	cda_err_done(&err);
}

TEST(a_package_is_found_in_every_folder)
{
	CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	struct cda_store_entry entry;

	put(&s, "second", &rec_a);
	store = open_store(&s, "first", "second");
	CHECK(cda_store_find(store, &rec_a, true, &entry));
	CHECK(entry.dir && cda_ends_with(entry.dir, "/second/a-1-h_2"));
	CHECK(entry.archive && cda_ends_with(entry.archive, "/second/a-1-h_2.conda"));
	CHECK(!entry.damaged);
	cda_store_entry_done(&entry);
	struct cda_record none = rec_a;
	none.name = "b";
	none.fn = "b-1-h_2.conda";
	CHECK(!cda_store_find(store, &none, false, &entry));
	cda_store_entry_done(&entry);
	none.fn = "../second/a-1-h_2.conda";
	CHECK(!cda_store_find(store, &none, false, &entry));
	cda_store_entry_done(&entry);
}

TEST(another_package_of_the_same_name_is_not_taken)
{
	static const struct {
		const char *sha_have, *sha_want, *url;
		bool same;
	} rows[] = {
		{NULL, NULL, NULL, true},
		{"aa", "AA", "https://other/a-1-h_2.conda", true},
		{"aa", "bb", NULL, false},
		{"aa", NULL, NULL, true},
		{NULL, "aa", "https://other/a-1-h_2.conda", false},
		{NULL, NULL, "https://other/a-1-h_2.conda", false},
		{NULL, NULL, "https://host/ch/linux-64/a-1-h_2.conda", true},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
		CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
		struct cda_record have = rec_a, want = rec_a;
		struct cda_store_entry entry;

		have.sha256 = rows[i].sha_have;
		want.sha256 = rows[i].sha_want;
		if (rows[i].url)
			want.url = rows[i].url;
		put(&s, "pkgs", &have);
		store = open_store(&s, "pkgs", NULL);
		cda_store_find(store, &want, false, &entry);
		CHECK_INT_AT(entry.dir != NULL, rows[i].same, "row %zu", i);
		CHECK_INT_AT(entry.damaged, !rows[i].same, "row %zu", i);
		cda_store_entry_done(&entry);
	}
}

TEST(damage_is_seen)
{
	static const struct {
		const char *path, *text; /* NULL: removed */
		bool quick, deep;        /* is it sound? */
	} rows[] = {
		{"share/more", "x", true, true},
		{"bin/x", NULL, false, false},
		{"bin/x", "", false, false},
		{"bin/x", "one\nmore\n", false, false},
		{"bin/x", "oNe\n", true, false},
		{"info/index.json", NULL, false, false},
		{"info/paths.json", "{", false, false},
		{"info/repodata_record.json", NULL, false, false},
		{"info/repodata_record.json", "{}", false, false},
		{"info/repodata_record.json", "", false, false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
		CDA_AUTOFREE char *name = cda_asprintf("pkgs/a-1-h_2/%s", rows[i].path);
		CDA_AUTOFREE char *path = scratch_path(&s, name);
		CDA_AUTOFREE char *dir = scratch_path(&s, "pkgs/a-1-h_2");

		put(&s, "pkgs", &rec_a);
		CHECK(cda_store_dir_is_sound(AT_FDCWD, dir, &rec_a, true));
		if (rows[i].text)
			scratch_write(&s, name, rows[i].text);
		else
			CHECK(unlink(path) == 0);
		CHECK_INT_AT(cda_store_dir_is_sound(AT_FDCWD, dir, &rec_a, false), rows[i].quick,
			     "row %zu: %s", i, rows[i].path);
		CHECK_INT_AT(cda_store_dir_is_sound(AT_FDCWD, dir, &rec_a, true), rows[i].deep,
			     "row %zu: %s", i, rows[i].path);
	}
}

TEST(records_keep_no_secrets_and_come_back)
{
	CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	struct cda_records records = {0};
	struct cda_err err = {0};

	put(&s, "pkgs", &rec_a);
	store = open_store(&s, "pkgs", "none");
	for (int i = 0; i < 2; i++)
		CHECK_INT(cda_store_add_url(store, rec_a.url, &err), 0);
	CHECK_INT(cda_store_add_url(store, "https://host/other.conda", &err), 0);
	CDA_AUTOFREE char *urls = scratch_read(&s, "pkgs/urls.txt");
	CHECK_STR(urls, "https://host/ch/linux-64/a-1-h_2.conda\nhttps://host/other.conda\n");
	CDA_AUTOFREE char *text = scratch_read(&s, "pkgs/a-1-h_2/info/repodata_record.json");
	CHECK(text && !strstr(text, "TOK") && !strstr(text, "u:p"));
	CHECK_INT(cda_store_records(store, arena, &records, &err), 0);
	REQUIRE(records.n == 1);
	CHECK_STR(records.v[0]->name, "a");
	CHECK_STR(records.v[0]->channel, "https://host/ch");
	CHECK(cda_ends_with(records.v[0]->extracted_package_dir, "/pkgs/a-1-h_2"));
	cda_records_done(&records);
}

/* Names found, joined with blanks. */
static char *found(struct cda_store *store, enum cda_clean_kind kind, bool remove)
{
	struct cda_clean_items items = {0};
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	CHECK_INT(cda_store_clean_find(store, kind, &items, &err), 0);
	cda_vec_each (item, &items)
		cda_strv_push(&names, item->name);
	if (remove)
		CHECK_INT_AT(cda_store_clean_remove(store, &items, &err), 0, "%s",
			     err.msg ? err.msg : "");
	cda_clean_items_free_all(&items);
	return cda_strv_join(&names, " ");
}

TEST(clean_finds_and_removes_each_kind)
{
	static const struct {
		enum cda_clean_kind kind;
		const char *names;
	} rows[] = {
		{CDA_CLEAN_TARBALLS, "a-1-h_2.conda b-1-0.tar.bz2"},
		{CDA_CLEAN_PACKAGES, "a-1-h_2"},
		{CDA_CLEAN_INDEX, "cache"},
		{CDA_CLEAN_TEMPFILES, "c-1-0.conda.part d.12.c~ e.trash"},
		{CDA_CLEAN_LOGS, ".logs"},
		{CDA_CLEAN_ALL_PACKAGES, "linked-1-0"},
	};
	CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	CDA_AUTOFREE char *from = scratch_path(&s, "pkgs/linked-1-0/bin/x");
	CDA_AUTOFREE char *to = scratch_path(&s, "env");

	put(&s, "pkgs", &rec_a);
	scratch_write(&s, "pkgs/linked-1-0/info/index.json", "{}");
	scratch_write(&s, "pkgs/linked-1-0/bin/x", "x");
	CHECK(link(from, to) == 0);
	scratch_write(&s, "pkgs/b-1-0.tar.bz2", "x");
	scratch_write(&s, "pkgs/c-1-0.conda.part", "x");
	scratch_write(&s, "pkgs/d.12.c~/info/index.json", "{}");
	scratch_write(&s, "pkgs/e.trash/f", "x");
	scratch_write(&s, "pkgs/cache/1.json", "{}");
	scratch_write(&s, "pkgs/.logs/l", "x");
	scratch_write(&s, "pkgs/other/file", "x");
	store = open_store(&s, "pkgs", NULL);
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *before = found(store, rows[i].kind, true);
		CDA_AUTOFREE char *after = found(store, rows[i].kind, false);

		CHECK_STR_AT(before, rows[i].names, "kind %d", (int)rows[i].kind);
		CHECK_STR_AT(after, "", "kind %d", (int)rows[i].kind);
	}
	CHECK(scratch_has(&s, "pkgs/other/file"));
	CHECK(scratch_has(&s, "pkgs/urls.txt"));
	CHECK(scratch_has(&s, "env"));
}

TEST(clean_tells_sizes_and_leaves_links_alone)
{
	CDA_CLEANUP(scratch_done) struct scratch s = scratch_new();
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	struct cda_clean_items items = {0};
	struct cda_err err = {0};
	CDA_AUTOFREE char *link = scratch_path(&s, "pkgs/p-1-0/out");
	CDA_AUTOFREE char *target = scratch_path(&s, "outside");

	scratch_write(&s, "outside/keep", "12345678");
	scratch_write(&s, "pkgs/p-1-0/info/index.json", "{}");
	CHECK(symlink(target, link) == 0);
	store = open_store(&s, "pkgs", NULL);
	CHECK_INT(cda_store_clean_find(store, CDA_CLEAN_PACKAGES, &items, &err), 0);
	REQUIRE(items.n == 1);
	CHECK_INT(items.v[0].size, 2 + strlen(target));
	CHECK_INT(cda_store_clean_remove(store, &items, &err), 0);
	CHECK(!scratch_has(&s, "pkgs/p-1-0"));
	CHECK(scratch_has(&s, "outside/keep"));
	cda_clean_items_free_all(&items);
	items = (struct cda_clean_items){0};
	scratch_write(&s, "outside/a/b.c~", "x");
	scratch_write(&s, "outside/c.trash", "x");
	CHECK_INT(cda_store_clean_find_in(target, &items, &err), 0);
	CHECK_INT(items.n, 2);
	CHECK_INT(cda_store_clean_remove(store, &items, &err), 0);
	CHECK(scratch_has(&s, "outside/keep") && !scratch_has(&s, "outside/a/b.c~"));
	cda_clean_items_free_all(&items);
}
