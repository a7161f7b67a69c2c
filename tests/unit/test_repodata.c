#include "check.h"
#include "index/cache.h"
#include "index/index.h"
#include "package.h"
#include "scratch.h"
#include "server.h"
#include "util/url.h"
#include "util/workers.h"

static const struct tpkg pkgs[] = {
	{"a", "1.0", "0"},
	{"a", "2.0", "0", .depends = {"b"}},
	{"b", "1.0", "py_0", .noarch = "generic"},
};

/* A channel "ch" behind a server (or in its folder), a cache folder, and the URLs of both. */
struct world {
	struct scratch scratch;
	struct server server;
	struct cda_net *net;
	struct cda_channel_urls urls;
	struct cda_index_options options;
	char *channel, *cache;
	char warning[1000];
};

static void keep_warning(void *ctx, const struct cda_event *event)
{
	struct world *w = ctx;

	if (event->kind == CDA_EVENT_WARNING)
		snprintf(w->warning, sizeof(w->warning), "%s", event->text);
}

static void add_urls(struct world *w, const char *base)
{
	const char *const subdirs[] = {cda_platform_native(), "noarch"};

	for (size_t i = 0; i < CDA_LEN(subdirs); i++)
		cda_channel_urls_push(&w->urls,
				      (struct cda_channel_url){
					      .url = cda_asprintf("%s/%s", base, subdirs[i]),
					      .base_url = cda_strdup(base),
					      .name = cda_strdup("ch"),
					      .subdir = cda_strdup(subdirs[i]),
				      });
}

static struct cda_events events;

static void world_begin(struct world *w)
{
	const struct cda_net_config config = {
		.retries = -1, .no_netrc = true, .connect_timeout = 60};
	struct cda_err err = {0};

	*w = (struct world){.scratch = scratch_new()};
	w->channel = scratch_path(&w->scratch, "www/ch");
	w->cache = scratch_path(&w->scratch, "cache");
	tpkg_channel(w->channel, pkgs, CDA_LEN(pkgs));
	CDA_AUTOFREE char *www = scratch_path(&w->scratch, "www");
	server_start(&w->server, www, false);
	tpkg_must(cda_net_new(&config, &w->net, &err), err);
	CDA_AUTOFREE char *base = cda_asprintf("%s/ch", w->server.url);
	add_urls(w, base);
	events = (struct cda_events){keep_warning, w};
	w->options =
		(struct cda_index_options){.net = w->net, .cache_dir = w->cache, .events = &events};
}

static void world_end(struct world *w)
{
	cda_net_free(w->net);
	server_stop(&w->server);
	cda_channel_urls_free_all(&w->urls);
	free(w->channel);
	free(w->cache);
	scratch_done(&w->scratch);
}
#define WORLD CDA_CLEANUP(world_end) struct world

/* How many records a load gives, or its error. */
static int load(struct world *w, struct cda_err *err)
{
	CDA_CLEANUP(cda_index_freep) struct cda_index *index = cda_index_new();
	int rc = cda_index_load(index, &w->urls, &w->options, err);

	return rc < 0 ? rc : (int)index->records.n;
}

#define LOAD_IS(w, want)                                                                           \
	do {                                                                                       \
		struct cda_err load_err = {0};                                                     \
		CHECK_INT_AT(load(w, &load_err), want, "%s", load_err.msg ? load_err.msg : "");    \
		cda_err_done(&load_err);                                                           \
	} while (0)

TEST(an_index_answers_by_name_and_by_spec)
{
	WORLD w;
	CDA_CLEANUP(cda_index_freep) struct cda_index *index = cda_index_new();
	const struct cda_channel_config config = {
		.channel_alias = "https://conda.anaconda.org", .cwd = "/", .home = "/"};
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL, *any = NULL;
	struct cda_records found = {0};
	struct cda_err err = {0};

	world_begin(&w);
	REQUIRE(cda_index_load(index, &w.urls, &w.options, &err) == 0);
	CHECK_INT(index->records.n, 3);
	const struct cda_records *a = cda_index_get(index, "a");
	REQUIRE(a && a->n == 2);
	CHECK_STR(a->v[1]->version, "2.0");
	CHECK(cda_index_get(index, "none") == NULL);
	CHECK_INT(cda_map_count(index->names), 2);
	CHECK(cda_index_get(index, "b") != NULL);
	REQUIRE(cda_matchspec_parse(&config, "a >=1.5", &spec, &err) == 0);
	cda_index_find(index, spec, &found);
	CHECK_INT(found.n, 1);
	REQUIRE(cda_matchspec_parse(&config, "*[version=1.0]", &any, &err) == 0);
	cda_index_find(index, any, &found);
	CHECK_INT(found.n, 3);
	cda_records_done(&found);
	const struct cda_record virtual = {.name = "__v", .version = "1", .build = "0"};
	const struct cda_record *added = cda_index_add(index, &virtual);
	CHECK(cda_index_get(index, "__v")->v[0] == added);
}

TEST(zst_is_asked_for_first_and_the_answer_remembered)
{
	WORLD w;

	world_begin(&w);
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "repodata.json.zst 200"), 2);
	CHECK_INT(server_count(&w.server, "repodata.json 200"), 0);
	server_clear(&w.server);
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "repodata.json.zst 304"), 2);
	CHECK_INT(server_count(&w.server, "GET"), 2);
}

TEST(without_zst_the_plain_file_is_taken)
{
	WORLD w;

	world_begin(&w);
	server_rule(&w.server, "*.zst status 404");
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "repodata.json 200"), 2);
	server_clear(&w.server);
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "repodata.json.zst"), 0);
	CHECK_INT(server_count(&w.server, "repodata.json 304"), 2);
	server_clear(&w.server);
	w.options.no_zst = true;
	w.options.cache_dir = NULL;
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, ".zst"), 0);
}

TEST(a_changed_channel_is_seen)
{
	WORLD w;
	static const struct tpkg one[] = {{"c", "1.0", "0"}};

	world_begin(&w);
	LOAD_IS(&w, 3);
	tpkg_channel(w.channel, one, 1);
	LOAD_IS(&w, 1);
	LOAD_IS(&w, 1);
}

TEST(a_fresh_copy_is_not_asked_about)
{
	WORLD w;

	world_begin(&w);
	LOAD_IS(&w, 3);
	server_clear(&w.server);
	w.options.local_repodata_ttl = 100000;
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "GET"), 0);
	w.options.local_repodata_ttl = 0;
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "304"), 2);
}

TEST(offline_takes_what_is_cached)
{
	WORLD w;

	world_begin(&w);
	w.options.offline = true;
	LOAD_IS(&w, 0);
	w.options.offline = false;
	LOAD_IS(&w, 3);
	server_clear(&w.server);
	w.options.offline = true;
	LOAD_IS(&w, 3);
	w.options.offline = false;
	w.options.use_index_cache = true;
	LOAD_IS(&w, 3);
	w.options.use_index_cache = false;
	w.options.net = NULL;
	LOAD_IS(&w, 3);
	/* a cache of another folder, for reading only */
	const char *const more[] = {w.cache, NULL};
	CDA_AUTOFREE char *empty = scratch_path(&w.scratch, "empty");
	w.options.cache_dir = empty;
	LOAD_IS(&w, 0);
	w.options.more_cache_dirs = more;
	LOAD_IS(&w, 3);
	CHECK_INT(server_count(&w.server, "GET"), 0);
}

TEST(garbled_copies_are_fetched_again)
{
	static const char *const texts[] = {"", "{", "[]", "{\"packages\": 1}", "x{}"};

	for (size_t i = 0; i < CDA_LEN(texts); i++) {
		WORLD w;
		CDA_AUTOSTRV struct cda_strv names = {0};
		struct cda_err err = {0};

		world_begin(&w);
		LOAD_IS(&w, 3);
		tpkg_must(cda_fs_list(AT_FDCWD, w.cache, &names, &err), err);
		for (size_t k = 0; k < names.n; k++) {
			CDA_AUTOFREE char *path = cda_path_join(w.cache, names.v[k]);

			if (names.v[k][0] != '.' && !strstr(names.v[k], ".info."))
				tpkg_write_file(path, texts[i], strlen(texts[i]));
		}
		w.options.use_index_cache = true;
		LOAD_IS(&w, 3);
		w.options.use_index_cache = false;
		LOAD_IS(&w, 3);
	}
}

TEST(a_server_that_sends_no_repodata_is_not_trusted_again)
{
	WORLD w;
	struct cda_err err = {0};

	world_begin(&w);
	server_rule(&w.server, "*.zst status 404");
	CDA_AUTOFREE char *path = cda_asprintf("%s/noarch/repodata.json", w.channel);
	tpkg_write_file(path, "<html>please log in</html>", 26);
	CHECK_INT(load(&w, &err), -CDA_E_PARSE);
	CHECK(err.msg && strstr(err.msg, "/ch/noarch'"));
	cda_err_done(&err);
	tpkg_channel(w.channel, pkgs, CDA_LEN(pkgs));
	LOAD_IS(&w, 3);
	w.options.offline = true;
	LOAD_IS(&w, 3);
}

TEST(missing_subdirs)
{
	static const struct {
		const char *rule;
		bool allow;
		int rc;
	} rows[] = {
		{"/ch/linux-*/* status 404", false, 1},
		{"/ch/linux-*/* status 403", false, 1},
		{"/ch/noarch/* status 404", false, -CDA_E_CHANNEL},
		{"/ch/noarch/* status 403", false, -CDA_E_CHANNEL},
		{"/ch/* status 404", false, -CDA_E_CHANNEL},
		{"/ch/noarch/* status 404", true, 2},
		{"/ch/noarch/* status 401", false, -CDA_E_HTTP},
		{"/ch/noarch/* status 500", false, -CDA_E_HTTP},
		{"/ch/linux-*/* status 500", false, -CDA_E_HTTP},
		{"/ch/noarch/* drop", false, -CDA_E_HTTP},
	};

	if (strncmp(cda_platform_native(), "linux-", 6) != 0)
		SKIP("rows are for Linux");
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		WORLD w;
		struct cda_err err = {0};

		world_begin(&w);
		server_rule(&w.server, rows[i].rule);
		w.options.allow_non_channel_urls = rows[i].allow;
		CHECK_INT_AT(load(&w, &err), rows[i].rc, "%s: %s", rows[i].rule,
			     err.msg ? err.msg : "");
		CHECK_INT_AT(w.warning[0] != '\0', rows[i].allow, "%s", rows[i].rule);
		CHECK(rows[i].rc != -CDA_E_CHANNEL || (err.hint && err.data));
		cda_err_done(&err);
		/* an error is no reason to use an old copy in secret */
		server_clear(&w.server);
		LOAD_IS(&w, 3);
		server_rule(&w.server, rows[i].rule);
		CHECK_INT_AT(load(&w, &err), rows[i].rc, "%s, cached", rows[i].rule);
		cda_err_done(&err);
	}
}

TEST(a_channel_on_disk_is_read_in_place)
{
	WORLD w;
	struct cda_err err = {0};

	world_begin(&w);
	cda_channel_urls_free_all(&w.urls);
	w.urls = (struct cda_channel_urls){0};
	CDA_AUTOFREE char *url = cda_url_from_path(w.channel);
	add_urls(&w, url);
	w.options.net = NULL;
	w.options.offline = true;
	LOAD_IS(&w, 3);
	CDA_AUTOFREE char *native =
		cda_asprintf("%s/%s/repodata.json", w.channel, cda_platform_native());
	CDA_AUTOFREE char *noarch = cda_asprintf("%s/noarch/repodata.json", w.channel);
	CHECK(unlink(native) == 0);
	LOAD_IS(&w, 3); /* the .zst */
	CDA_AUTOFREE char *zst = cda_asprintf("%s.zst", native);
	CHECK(unlink(zst) == 0);
	LOAD_IS(&w, 1);
	CDA_AUTOFREE char *noarch_zst = cda_asprintf("%s.zst", noarch);
	CHECK(unlink(noarch) == 0 && unlink(noarch_zst) == 0);
	CHECK_INT(load(&w, &err), -CDA_E_CHANNEL);
	CHECK(err.hint && strstr(err.hint, "noarch"));
	cda_err_done(&err);
	/* nothing of it went to the cache */
	CDA_AUTOSTRV struct cda_strv names = {0};
	tpkg_must(cda_fs_list(AT_FDCWD, w.cache, &names, &err), err);
	CHECK_INT(names.n, 0);
}

TEST(a_damaged_zst_is_an_error)
{
	WORLD w;
	struct cda_err err = {0};

	world_begin(&w);
	server_rule(&w.server, "*noarch*.zst corrupt");
	CHECK_INT(load(&w, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
	server_clear(&w.server);
	LOAD_IS(&w, 3);
}

TEST(a_cache_that_cannot_be_written_does_no_harm)
{
	WORLD w;

	world_begin(&w);
	w.options.cache_dir = "/dev/null/cache";
	LOAD_IS(&w, 3);
	w.options.cache_dir = NULL;
	LOAD_IS(&w, 3);
}

struct race {
	struct world *w;
	struct cda_net *nets[8];
};

static int race_job(void *ctx, size_t i, struct cda_err *err)
{
	struct race *race = ctx;
	struct cda_index_options options = race->w->options;
	CDA_CLEANUP(cda_index_freep) struct cda_index *index = cda_index_new();
	int rc;

	options.net = race->nets[i];
	options.events = NULL;
	rc = cda_index_load(index, &race->w->urls, &options, err);
	if (rc == 0 && index->records.n != 3)
		rc = cda_err_set(err, CDA_E_VALUE, "%zu records", index->records.n);
	return rc;
}

TEST(many_at_a_time_share_a_cache)
{
	const struct cda_net_config config = {
		.retries = -1, .no_netrc = true, .connect_timeout = 60};
	struct race race = {0};
	struct cda_err err = {0};
	WORLD w;

	world_begin(&w);
	race.w = &w;
	for (size_t i = 0; i < CDA_LEN(race.nets); i++)
		tpkg_must(cda_net_new(&config, &race.nets[i], &err), err);
	for (int round = 0; round < 3; round++) {
		int rc = cda_workers_run(CDA_LEN(race.nets), CDA_LEN(race.nets), race_job, &race,
					 &err);

		CHECK_INT_AT(rc, 0, "%s", err.msg ? err.msg : "");
		cda_err_done(&err);
	}
	for (size_t i = 0; i < CDA_LEN(race.nets); i++)
		cda_net_free(race.nets[i]);
	LOAD_IS(&w, 3);
}

/* conda/gateways/repodata: names and freshness, so that conda and we read the same files. */
TEST(cache_names_and_ages)
{
	static const struct {
		const char *url, *fn, *name;
	} names[] = {
		{"https://repo.anaconda.com/pkgs/main/linux-64", "repodata.json", "47929eba.json"},
		{"https://repo.anaconda.com/pkgs/main/linux-64/", "repodata.json", "47929eba.json"},
		{"https://repo.anaconda.com/pkgs/main/linux-64", "current_repodata.json",
		 "9e0f62c3.json"},
	};
	static const struct {
		const char *header;
		int64_t age;
	} ages[] = {{NULL, 0},
		    {"", 0},
		    {"max-age=1200", 1200},
		    {"public, Max-Age=30", 30},
		    {"no-cache", 0},
		    {"max-age=x", 0},
		    {"max-age=-5", 0},
		    {"max-age=99999999999999999999", 0}};
	const int64_t second = 1000000000;
	struct cda_cache_state state = {.refresh_ns = 1000 * second,
					.cache_control = (char[]){"max-age=10"}};

	for (size_t i = 0; i < CDA_LEN(names); i++) {
		CDA_AUTOFREE char *name = cda_cache_name(names[i].url, names[i].fn);

		CHECK_STR(name, names[i].name);
	}
	for (size_t i = 0; i < CDA_LEN(ages); i++)
		CHECK_INT_AT(cda_cache_max_age(ages[i].header), ages[i].age, "%s", ages[i].header);
	CHECK(!cda_cache_is_fresh(&state, 0, 1001 * second));
	CHECK(cda_cache_is_fresh(&state, 1, 1009 * second));
	CHECK(!cda_cache_is_fresh(&state, 1, 1010 * second));
	CHECK(cda_cache_is_fresh(&state, 60, 1059 * second));
	CHECK(!cda_cache_is_fresh(&state, 60, 1060 * second));
	CHECK(!cda_cache_is_fresh(&state, 60, 999 * second)); /* a clock that went back */
}
