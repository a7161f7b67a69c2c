#include "check.h"
#include "package.h"
#include "pkg/fetch.h"
#include "scratch.h"
#include "server.h"
#include "util/url.h"
#include "util/workers.h"

static const struct tpkg_file files[] = {
	{"bin/x", .text = "#!" TPKG_PLACEHOLDER "/bin/sh\n", .mode = 0755, .prefix = "text"},
	{"lib/l", .link = "l.1"},
	{NULL}};
static const struct tpkg pkgs[] = {
	{"a", "1.0", "0", .subdir = "linux-64", .files = files, .depends = {"b"}},
	{"b", "1.0", "0", .subdir = "linux-64", .files = files},
	{"c", "1.0", "0", .subdir = "linux-64", .files = files, .bz2 = true},
};
enum { N = CDA_LEN(pkgs) };

/* A channel behind a server, an empty store, and a record with digests of each package. */
struct world {
	struct scratch scratch;
	struct server server;
	struct cda_net *net;
	struct cda_store *store;
	struct cda_arena *arena;
	struct cda_record records[N];
	struct cda_records list;
	struct cda_fetch_options options;
	char *dirs[2 * N];
};

static struct cda_store *open_store(const struct scratch *s, const char *name)
{
	CDA_AUTOSTRV struct cda_strv dirs = {0};
	struct cda_store *store = NULL;
	struct cda_err err = {0};

	cda_strv_take(&dirs, scratch_path(s, name));
	tpkg_must(cda_store_open(&dirs, &store, &err), err);
	return store;
}

static void world_begin(struct world *w)
{
	const struct cda_net_config config = {
		.retries = -1, .no_netrc = true, .connect_timeout = 60};
	struct cda_err err = {0};

	*w = (struct world){.scratch = scratch_new(), .arena = cda_arena_new()};
	CDA_AUTOFREE char *www = scratch_path(&w->scratch, "www");
	CDA_AUTOFREE char *subdir = cda_path_join(www, "linux-64");
	server_start(&w->server, www, false);
	tpkg_must(cda_net_new(&config, &w->net, &err), err);
	w->store = open_store(&w->scratch, "pkgs");
	for (size_t i = 0; i < N; i++) {
		CDA_AUTOFREE char *path = tpkg_write(subdir, &pkgs[i]);
		const char *fn = cda_path_basename(path);
		char hex[CDA_HASH_HEX_MAX];
		struct stat st;

		tpkg_must(cda_hash_file(CDA_SHA256, AT_FDCWD, path, hex, &err), err);
		stat(path, &st);
		w->records[i] = (struct cda_record){
			.name = pkgs[i].name,
			.version = pkgs[i].version,
			.build = pkgs[i].build,
			.subdir = "linux-64",
			.channel = w->server.url,
			.fn = cda_arena_strdup(w->arena, fn),
			.url = cda_arena_printf(w->arena, "%s/linux-64/%s", w->server.url, fn),
			.sha256 = cda_arena_strdup(w->arena, hex),
			.size = st.st_size,
		};
		cda_records_push(&w->list, &w->records[i]);
	}
	w->options = (struct cda_fetch_options){.net = w->net};
}

static void dirs_done(struct world *w)
{
	for (size_t i = 0; i < CDA_LEN(w->dirs); i++)
		cda_replace(&w->dirs[i], NULL);
}

static void world_end(struct world *w)
{
	dirs_done(w);
	cda_net_free(w->net);
	cda_store_free(w->store);
	server_stop(&w->server);
	cda_records_done(&w->list);
	cda_arena_free(w->arena);
	scratch_done(&w->scratch);
}
#define WORLD CDA_CLEANUP(world_end) struct world

static int fetch(struct world *w, struct cda_err *err)
{
	dirs_done(w);
	return cda_fetch_packages(w->store, &w->list, &w->options, w->dirs, err);
}

#define FETCH_IS(w, want)                                                                          \
	do {                                                                                       \
		struct cda_err fetch_err = {0};                                                    \
		CHECK_INT_AT(fetch(w, &fetch_err), want, "%s",                                     \
			     fetch_err.msg ? fetch_err.msg : "");                                  \
		cda_err_done(&fetch_err);                                                          \
	} while (0)

TEST(packages_come_whole_and_once)
{
	WORLD w;

	world_begin(&w);
	CHECK(cda_fetch_needed(w.store, &w.list, NULL) > 0);
	FETCH_IS(&w, 0);
	for (size_t i = 0; i < N; i++) {
		if (!CHECK(w.dirs[i] != NULL))
			continue;
		CHECK(cda_store_dir_is_sound(AT_FDCWD, w.dirs[i], &w.records[i], true));
		CDA_AUTOFREE char *archive = cda_asprintf("pkgs/%s", w.records[i].fn);
		CHECK(scratch_has(&w.scratch, archive));
	}
	CHECK_INT(server_count(&w.server, "GET"), N);
	CHECK_INT(cda_fetch_needed(w.store, &w.list, NULL), 0);
	CDA_AUTOFREE char *urls = scratch_read(&w.scratch, "pkgs/urls.txt");
	for (size_t i = 0; i < N; i++)
		CHECK(urls && strstr(urls, w.records[i].url));
	server_clear(&w.server);
	FETCH_IS(&w, 0);
	w.options.net = NULL;
	w.options.offline = true;
	FETCH_IS(&w, 0);
	CHECK_INT(server_count(&w.server, "GET"), 0);
}

TEST(a_wrong_file_is_never_kept)
{
	static const struct {
		const char *rule;
		int rc;
		const char *sha256; /* NULL: the true one */
		int64_t size;       /* 0: the true one */
	} rows[] = {
		{"*/b-* corrupt", -CDA_E_CHECKSUM, NULL, 0},
		{"*/b-* truncate 100", -CDA_E_HTTP, NULL, 0},
		{"*/b-* status 404", -CDA_E_HTTP, NULL, 0},
		{"*/b-* status 500", -CDA_E_HTTP, NULL, 0},
		{"*/b-* drop", -CDA_E_HTTP, NULL, 0},
		{"/none status 404", -CDA_E_CHECKSUM, "00", 0},
		{"/none status 404", -CDA_E_CHECKSUM, NULL, 7},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		WORLD w;
		const char *sha256;
		int64_t size;

		world_begin(&w);
		sha256 = w.records[1].sha256;
		size = w.records[1].size;
		server_rule(&w.server, rows[i].rule);
		if (rows[i].sha256)
			w.records[1].sha256 = rows[i].sha256;
		if (rows[i].size)
			w.records[1].size = rows[i].size;
		struct cda_err err = {0};
		CHECK_INT_AT(fetch(&w, &err), rows[i].rc, "row %zu: %s", i, err.msg ? err.msg : "");
		cda_err_done(&err);
		CHECK_AT(!scratch_has(&w.scratch, "pkgs/b-1.0-0.conda"), "row %zu", i);
		CHECK_AT(!scratch_has(&w.scratch, "pkgs/b-1.0-0"), "row %zu", i);
		CHECK_AT(scratch_has(&w.scratch, "pkgs/a-1.0-0"), "row %zu: the others are through",
			 i);
		/* and the next run, without the trouble, brings it */
		server_clear(&w.server);
		w.records[1].sha256 = sha256;
		w.records[1].size = size;
		FETCH_IS(&w, 0);
		CHECK_INT_AT(server_count(&w.server, "GET"), 1, "row %zu", i);
	}
}

TEST(damage_is_repaired)
{
	static const struct {
		const char *path, *text; /* NULL: removed */
		int requests;
	} rows[] = {
		{"pkgs/a-1.0-0/bin/x", "", 0},
		{"pkgs/a-1.0-0/bin/x", NULL, 0},
		{"pkgs/a-1.0-0/info/repodata_record.json", NULL, 0},
		{"pkgs/a-1.0-0/info/index.json", "{", 0},
		{"pkgs/a-1.0-0", NULL, 0},
		{"pkgs/a-1.0-0.conda", "garbage", 0},
		{"pkgs/a-1.0-0.conda", NULL, 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		for (int both = 0; both < 2; both++) {
			WORLD w;
			struct cda_err err = {0};

			world_begin(&w);
			FETCH_IS(&w, 0);
			server_clear(&w.server);
			CDA_AUTOFREE char *path = scratch_path(&w.scratch, rows[i].path);
			CDA_AUTOFREE char *x = scratch_path(&w.scratch, "pkgs/a-1.0-0/bin/x");
			if (rows[i].text)
				scratch_write(&w.scratch, rows[i].path, rows[i].text);
			else
				tpkg_must(cda_fs_remove(AT_FDCWD, path, &err), err);
			if (both) /* the folder is damaged too: now the archive counts */
				tpkg_must(cda_fs_remove(AT_FDCWD, x, &err), err);
			FETCH_IS(&w, 0);
			CHECK_AT(w.dirs[0] && cda_store_dir_is_sound(AT_FDCWD, w.dirs[0],
								     &w.records[0], true),
				 "row %zu", i);
			CHECK_INT_AT(server_count(&w.server, "GET"),
				     both && cda_ends_with(rows[i].path, ".conda"), "row %zu", i);
		}
	}
}

TEST(deep_checks_find_a_changed_byte)
{
	WORLD w;

	world_begin(&w);
	FETCH_IS(&w, 0);
	CDA_AUTOFREE char *text = scratch_read(&w.scratch, "pkgs/a-1.0-0/bin/x");
	text[5] = (char)(text[5] ^ 1);
	scratch_write(&w.scratch, "pkgs/a-1.0-0/bin/x", text);
	FETCH_IS(&w, 0);
	CDA_AUTOFREE char *same = scratch_read(&w.scratch, "pkgs/a-1.0-0/bin/x");
	CHECK_STR(same, text);
	w.options.deep_checks = true;
	FETCH_IS(&w, 0);
	CDA_AUTOFREE char *repaired = scratch_read(&w.scratch, "pkgs/a-1.0-0/bin/x");
	CHECK_STR(repaired, files[0].text);
}

TEST(an_archive_that_does_not_unpack_is_not_kept)
{
	WORLD w;
	struct cda_err err = {0};
	char hex[CDA_HASH_HEX_MAX];

	world_begin(&w);
	scratch_write(&w.scratch, "www/linux-64/a-1.0-0.conda", "PK\3\4 and no more");
	cda_hash_mem(CDA_SHA256, "PK\3\4 and no more", 16, hex);
	w.records[0].sha256 = hex;
	w.records[0].size = 16;
	CHECK_INT(fetch(&w, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
	CHECK(!scratch_has(&w.scratch, "pkgs/a-1.0-0.conda"));
	CHECK(!scratch_has(&w.scratch, "pkgs/a-1.0-0"));
	CHECK(scratch_has(&w.scratch, "pkgs/b-1.0-0"));
}

TEST(offline_says_what_is_missing)
{
	WORLD w;
	struct cda_err err = {0};

	world_begin(&w);
	w.options.offline = true;
	CHECK_INT(fetch(&w, &err), -CDA_E_OFFLINE);
	CHECK(err.msg && strstr(err.msg, "a-1.0-0.conda") && err.hint);
	cda_err_done(&err);
	CHECK_INT(server_count(&w.server, "GET"), 0);
	/* a channel on our own disk is not the network */
	for (size_t i = 0; i < N; i++) {
		CDA_AUTOFREE char *name = cda_asprintf("www/linux-64/%s", w.records[i].fn);
		CDA_AUTOFREE char *path = scratch_path(&w.scratch, name);
		CDA_AUTOFREE char *url = cda_url_from_path(path);

		w.records[i].url = cda_arena_strdup(w.arena, url);
	}
	w.options.net = NULL;
	FETCH_IS(&w, 0);
	CHECK(scratch_has(&w.scratch, "pkgs/a-1.0-0.conda"));
}

TEST(download_only_leaves_archives_packed)
{
	WORLD w;

	world_begin(&w);
	w.options.download_only = true;
	FETCH_IS(&w, 0);
	FETCH_IS(&w, 0);
	CHECK_INT(server_count(&w.server, "GET"), N);
	CHECK(scratch_has(&w.scratch, "pkgs/a-1.0-0.conda"));
	CHECK(!scratch_has(&w.scratch, "pkgs/a-1.0-0"));
	w.options.download_only = false;
	FETCH_IS(&w, 0);
	CHECK_INT(server_count(&w.server, "GET"), N);
	CHECK(scratch_has(&w.scratch, "pkgs/a-1.0-0"));
}

TEST(a_package_listed_twice_comes_once)
{
	WORLD w;

	world_begin(&w);
	for (size_t i = 0; i < N; i++)
		cda_records_push(&w.list, &w.records[i]);
	FETCH_IS(&w, 0);
	CHECK_INT(server_count(&w.server, "GET"), N);
	for (size_t i = 0; i < N; i++)
		CHECK_STR(w.dirs[N + i], w.dirs[i]);
}

TEST(names_that_leave_the_store_are_refused)
{
	static const char *const names[] = {"../a-1.0-0.conda", "/a.conda", "a", "", "..",
					    "a b.conda"};

	for (size_t i = 0; i < CDA_LEN(names); i++) {
		WORLD w;
		struct cda_err err = {0};

		world_begin(&w);
		w.records[0].fn = names[i];
		if (!*names[i])
			w.records[0].url = "https://host/..%2fa-1.0-0.conda";
		CHECK_INT_AT(fetch(&w, &err), -CDA_E_VALUE, "'%s'", names[i]);
		cda_err_done(&err);
		CHECK_INT(server_count(&w.server, "GET"), 0);
	}
}

static int one_of_many(void *ctx, size_t i, struct cda_err *err)
{
	struct world *w = ctx;
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = open_store(&w->scratch, "pkgs");
	const struct cda_net_config config = {
		.retries = -1, .no_netrc = true, .connect_timeout = 60};
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = NULL;
	struct cda_fetch_options options = {0};
	char *dirs[N] = {0};
	int rc = cda_net_new(&config, &net, err);

	(void)i;
	options.net = net;
	if (rc == 0)
		rc = cda_fetch_packages(store, &w->list, &options, dirs, err);
	for (size_t k = 0; k < N; k++) {
		if (rc == 0 && !cda_store_dir_is_sound(AT_FDCWD, dirs[k], &w->records[k], true))
			rc = cda_err_set(err, CDA_E_VALUE, "'%s' is not sound", dirs[k]);
		free(dirs[k]);
	}
	return rc;
}

TEST(many_at_a_time_share_a_store)
{
	WORLD w;
	struct cda_err err = {0};

	world_begin(&w);
	CHECK_INT_AT(cda_workers_run(6, 6, one_of_many, &w, &err), 0, "%s", err.msg ? err.msg : "");
	CHECK_INT(server_count(&w.server, "GET"), N);
	cda_err_done(&err);
}

#define MD5 "0123456789abcdef0123456789ABCDEF"
#define SHA MD5 MD5

TEST(explicit_texts_are_read)
{
	static const struct {
		const char *text, *url; /* NULL: refused */
		const char *channel, *subdir;
		bool md5, sha256;
	} rows[] = {
		{"https://h/ch/linux-64/a-1-0.conda", "https://h/ch/linux-64/a-1-0.conda",
		 "https://h/ch", "linux-64", false, false},
		{"https://h/ch/noarch/a-1-0.tar.bz2#" MD5, "https://h/ch/noarch/a-1-0.tar.bz2",
		 "https://h/ch", "noarch", true, false},
		{"https://h/ch/noarch/a-1-0.conda#sha256:" SHA, "https://h/ch/noarch/a-1-0.conda",
		 "https://h/ch", "noarch", false, true},
		{"https://h/ch/noarch/a-1-0.conda#" SHA, "https://h/ch/noarch/a-1-0.conda",
		 "https://h/ch", "noarch", false, true},
		{"https://u:p@h/t/TOK/ch/noarch/a-1-0.conda",
		 "https://u:p@h/t/TOK/ch/noarch/a-1-0.conda", "https://h/ch", "noarch", false,
		 false},
		{"/x/y z/a-1-0.conda", "file:///x/y%20z/a-1-0.conda", "file:///x/y%20z", NULL,
		 false, false},
		{"./noarch/a-1-0.conda#md5:" MD5, "file:///cwd/noarch/a-1-0.conda", "file:///cwd",
		 "noarch", true, false},
		{"a-1-0.conda", "file:///cwd/a-1-0.conda", "file:///cwd", NULL, false, false},
		{"https://h/ch/noarch/a-1-0.conda#x", NULL, NULL, NULL, false, false},
		{"https://h/ch/noarch/a-1-0.conda#sha256:" MD5, NULL, NULL, NULL, false, false},
		{"https://h/ch/noarch/a-1-0.zip", NULL, NULL, NULL, false, false},
		{"https://h/ch/noarch/a.conda", NULL, NULL, NULL, false, false},
		{"https://h/ch/noarch/..%2fa-1-0.conda", NULL, NULL, NULL, false, false},
		{"ftp://h/ch/noarch/a-1-0.conda", NULL, NULL, NULL, false, false},
		{"python", NULL, NULL, NULL, false, false},
		{"", NULL, NULL, NULL, false, false},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
		struct cda_record record = {0};
		struct cda_err err = {0};
		int rc = cda_fetch_explicit_parse(arena, rows[i].text, "/cwd", &record, &err);

		CHECK_INT_AT(rc, rows[i].url ? 0 : -CDA_E_SPEC, "%s", rows[i].text);
		cda_err_done(&err);
		if (rc < 0)
			continue;
		CHECK_STR_AT(record.url, rows[i].url, "%s", rows[i].text);
		CHECK_STR_AT(record.channel, rows[i].channel, "%s", rows[i].text);
		CHECK_STR_AT(record.subdir, rows[i].subdir, "%s", rows[i].text);
		CHECK_INT_AT(record.md5 != NULL, rows[i].md5, "%s", rows[i].text);
		CHECK_INT_AT(record.sha256 != NULL, rows[i].sha256, "%s", rows[i].text);
		CHECK_STR(record.name, "a");
	}
}

TEST(explicit_packages_tell_the_rest_themselves)
{
	WORLD w;
	struct cda_err err = {0};
	struct cda_record wanted = {0};
	struct cda_records list = {0}, got = {0};

	world_begin(&w);
	REQUIRE(cda_fetch_explicit_parse(w.arena, w.records[0].url, "/", &wanted, &err) == 0);
	cda_records_push(&list, &wanted);
	for (int round = 0; round < 2; round++) { /* the second from the cache */
		got = (struct cda_records){0};
		CHECK_INT_AT(cda_fetch_explicit(w.store, &list, &w.options, w.arena, &got, &err), 0,
			     "%s", err.msg ? err.msg : "");
		REQUIRE(got.n == 1);
		const struct cda_record *r = got.v[0];
		CHECK_STR(r->name, "a");
		CHECK_STR(r->sha256, w.records[0].sha256);
		CHECK(r->md5 != NULL);
		CHECK_INT(r->size, w.records[0].size);
		CHECK_INT(r->depends.n, 1);
		CHECK_STR(r->url, w.records[0].url);
		CHECK_STR(r->channel, w.server.url);
		CHECK_STR(r->subdir, "linux-64");
		CHECK(cda_fs_is_dir(AT_FDCWD, r->extracted_package_dir));
		cda_records_done(&got);
	}
	CHECK_INT(server_count(&w.server, "GET"), 1);
	CDA_AUTOFREE char *bad = cda_asprintf("%s#" MD5, w.records[1].url);
	REQUIRE(cda_fetch_explicit_parse(w.arena, bad, "/", &wanted, &err) == 0);
	CHECK_INT(cda_fetch_explicit(w.store, &list, &w.options, w.arena, &got, &err),
		  -CDA_E_CHECKSUM);
	cda_err_done(&err);
	cda_records_done(&list);
	cda_records_done(&got);
}
