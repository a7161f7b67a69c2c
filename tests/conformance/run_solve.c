/* run_solve.c - solve problems over channels/NAME/SUBDIR/repodata.json (or .json.zst) beside the
 * vector file. Of problems that are not strict any consistent answer is good. */
#include "run.h"

#include "core/record_json.h"
#include "solve/solve.h"
#include "solve/virtpkg.h"
#include "util/arena.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"
#include "util/zst.h"

#include <string.h>

enum { MAX_REPODATA = 1 << 30 };

struct world { /* what all problems of a file share */
	struct cda_arena *arena;
	struct cda_map *subdirs; /* "NAME/SUBDIR" -> struct cda_records */
	struct cda_channel_config config;
	const char *folder;
};

static yyjson_doc *read_repodata(const struct world *world, const char *name)
{
	CDA_AUTOFREE char *plain =
		cda_asprintf("%s/channels/%s/repodata.json", world->folder, name);
	CDA_AUTOFREE char *packed = cda_asprintf("%s.zst", plain);
	CDA_AUTOBUF struct cda_buf raw = CDA_BUF_INIT, text = CDA_BUF_INIT;
	yyjson_doc *doc = NULL;
	struct cda_err err = {0};

	if (cda_fs_exists(AT_FDCWD, packed)) {
		if (cda_fs_read(AT_FDCWD, packed, MAX_REPODATA, &raw, &err) == 0 &&
		    cda_zst_decompress(raw.p, raw.len, MAX_REPODATA, &text, &err) == 0 &&
		    cda_json_parse(text.p, text.len, packed, &doc, &err) < 0)
			doc = NULL;
	} else if (cda_json_read(AT_FDCWD, plain, MAX_REPODATA, &doc, &err) < 0) {
		doc = NULL;
	}
	if (err.code != CDA_OK)
		printf("%s: %s\n", plain, err.msg);
	cda_err_done(&err);
	return doc;
}

static void add_section(struct world *world, yyjson_val *section, struct cda_map *stems,
			const char *name, const char *subdir, struct cda_records *records)
{
	yyjson_val *key, *val;
	size_t i, max;
	const char *why;

	yyjson_obj_foreach (section, i, max, key, val) {
		struct cda_record *record = cda_arena_alloc0(world->arena, 1, sizeof(*record));
		const char *fn = yyjson_get_str(key);
		struct cda_str stem = cda_record_stem(fn);
		CDA_AUTOFREE char *twin = cda_str_dup(stem);

		/* .conda packages come first, and their .tar.bz2 twins do not count */
		if (cda_map_has(stems, twin))
			continue;
		cda_map_set(stems, twin, world);
		if (!cda_record_from_json(val, world->arena, true, record, &why))
			continue;
		record->fn = cda_arena_strdup(world->arena, fn);
		record->channel_name = cda_arena_strdup(world->arena, name);
		record->channel =
			cda_arena_printf(world->arena, "https://conda.anaconda.org/%s", name);
		record->subdir = cda_arena_strdup(world->arena, subdir);
		record->url =
			cda_arena_printf(world->arena, "%s/%s/%s", record->channel, subdir, fn);
		cda_records_push(records, record);
	}
}

/* The records of one subdir of a channel; read once. */
static struct cda_records *subdir_records(struct world *world, const char *name, const char *subdir)
{
	CDA_AUTOFREE char *key = cda_asprintf("%s/%s", name, subdir);
	struct cda_records *records = cda_map_get(world->subdirs, key);
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_CLEANUP(cda_map_freep) struct cda_map *stems = NULL;
	yyjson_val *root, *conda;

	if (records)
		return records;
	records = cda_new0(struct cda_records);
	cda_map_set(world->subdirs, key, records);
	doc = read_repodata(world, key);
	root = doc ? yyjson_doc_get_root(doc) : NULL;
	conda = yyjson_obj_get(root, "packages.conda");
	stems = cda_map_new();
	add_section(world, conda, stems, name, subdir, records);
	add_section(world, yyjson_obj_get(root, "packages"), stems, name, subdir, records);
	return records;
}

static void add_index(struct world *world, yyjson_val *problem, struct cda_arena *arena,
		      struct cda_records *index)
{
	const char *native = cda_json_str(problem, "subdir");
	const char *const subdirs[] = {native ? native : "linux-64", "noarch"};
	yyjson_val *channel;
	size_t i, max;

	yyjson_arr_foreach (yyjson_obj_get(problem, "channels"), i, max, channel)
		for (size_t k = 0; k < CDA_LEN(subdirs); k++) {
			const struct cda_records *records =
				subdir_records(world, yyjson_get_str(channel), subdirs[k]);

			for (size_t r = 0; r < records->n; r++) {
				struct cda_record *copy = cda_arena_alloc(arena, sizeof(*copy));

				*copy = *records->v[r];
				copy->priority = (int)i;
				cda_records_push(index, copy);
			}
		}
}

static char *dist_of(const struct cda_record *record)
{
	struct cda_buf out = CDA_BUF_INIT;

	cda_record_format(record, &out);
	return cda_buf_take(&out);
}

/* The record of "chan/subdir::name-version-build". */
static const struct cda_record *find_dist(struct world *world, const char *dist)
{
	const char *slash = strchr(dist, '/'), *colons = strstr(dist, "::");
	CDA_AUTOFREE char *name = cda_strndup(dist, (size_t)(slash - dist));
	CDA_AUTOFREE char *subdir = cda_strndup(slash + 1, (size_t)(colons - slash - 1));
	struct cda_records *records = subdir_records(world, name, subdir);

	for (size_t i = 0; i < records->n; i++) {
		CDA_AUTOFREE char *text = dist_of(records->v[i]);

		if (strcmp(text, dist) == 0)
			return records->v[i];
	}
	return NULL;
}

static void add_virtual(yyjson_val *virtual, struct cda_arena *arena, struct cda_records *out)
{
	yyjson_val *key, *val;
	size_t i, max;

	cda_records_push(out, cda_virtpkg_record(arena, "__unix", "0", "0"));
	yyjson_obj_foreach (virtual, i, max, key, val) {
		const char *name = yyjson_get_str(key), *version = yyjson_get_str(val);

		if (!*version || strcmp(name, "__win") == 0)
			continue; /* on this platform an override of another's does nothing */
		if (strcmp(name, "__archspec") == 0)
			cda_records_push(out, cda_virtpkg_record(arena, name, "1", version));
		else
			cda_records_push(out, cda_virtpkg_record(arena, name, version, "0"));
	}
}

static bool flag(yyjson_val *problem, const char *name)
{
	yyjson_val *val;
	size_t i, max;

	yyjson_arr_foreach (yyjson_obj_get(problem, "flags"), i, max, val)
		if (cda_streq(yyjson_get_str(val), name))
			return true;
	return false;
}

static void set_options(yyjson_val *problem, struct cda_solve_request *request)
{
	const char *command = cda_json_str(problem, "command");
	const char *priority = cda_json_str(problem, "channel_priority");
	yyjson_val *config = yyjson_obj_get(problem, "config");

	if (cda_streq(command, "install"))
		request->command = CDA_SOLVE_INSTALL;
	else if (cda_streq(command, "remove"))
		request->command = CDA_SOLVE_REMOVE;
	else if (cda_streq(command, "update"))
		request->command = flag(problem, "--all") ? CDA_SOLVE_UPDATE_ALL : CDA_SOLVE_UPDATE;
	if (cda_streq(priority, "strict"))
		request->channel_priority = CDA_PRIORITY_STRICT;
	else if (cda_streq(priority, "disabled"))
		request->channel_priority = CDA_PRIORITY_DISABLED;
	if (flag(problem, "--freeze-installed"))
		request->update = CDA_FREEZE_INSTALLED;
	if (flag(problem, "--update-deps"))
		request->update = CDA_UPDATE_DEPS;
	if (flag(problem, "-S") || flag(problem, "--satisfied-skip-solve"))
		request->update = CDA_SPECS_SATISFIED_SKIP;
	if (flag(problem, "--no-deps"))
		request->deps = CDA_DEPS_NONE;
	if (flag(problem, "--only-deps"))
		request->deps = CDA_DEPS_ONLY;
	request->ignore_pinned = flag(problem, "--no-pin");
	request->force_reinstall = flag(problem, "--force-reinstall");
	request->force_remove = flag(problem, "--force");
	request->prune = flag(problem, "--prune");
	request->add_pip_as_python_dependency =
		cda_json_bool(config, "add_pip_as_python_dependency", true);
	cda_json_strv(config, "aggressive_update_packages", &request->aggressive_updates);
	cda_json_strv(problem, "history_specs", &request->history);
	cda_json_strv(problem, "pinned", &request->pinned);
}

static void request_done(struct cda_solve_request *request)
{
	cda_matchspecs_free_all(&request->specs);
	cda_records_done(&request->installed);
	cda_records_done(&request->index);
	cda_records_done(&request->virtual_pkgs);
	cda_strv_done(&request->history);
	cda_strv_done(&request->pinned);
	cda_strv_done(&request->aggressive_updates);
	cda_strv_done(&request->track_features);
}

static void dists(const struct cda_records *records, struct cda_strv *out)
{
	for (size_t i = 0; i < records->n; i++)
		cda_strv_take(out, dist_of(records->v[i]));
}

/* What is there after the plan. */
static void apply(const struct cda_solve_request *request, const struct cda_plan *plan,
		  struct cda_records *final)
{
	for (size_t i = 0; i < request->installed.n; i++) {
		bool gone = false;

		for (size_t k = 0; k < plan->unlink.n; k++)
			gone = gone || cda_record_same(plan->unlink.v[k], request->installed.v[i]);
		if (!gone)
			cda_records_push(final, request->installed.v[i]);
	}
	for (size_t i = 0; i < plan->link.n; i++)
		cda_records_push(final, plan->link.v[i]);
}

static bool same_list(yyjson_val *want, const struct cda_strv *got)
{
	yyjson_val *val;
	size_t i, max;

	if (yyjson_arr_size(want) != got->n)
		return false;
	yyjson_arr_foreach (want, i, max, val)
		if (strcmp(yyjson_get_str(val), got->v[i]) != 0)
			return false;
	return true;
}

static void print_diff(const char *what, yyjson_val *expect, const char *key,
		       const struct cda_strv *got)
{
	CDA_AUTOSTRV struct cda_strv want = {0};

	cda_json_strv(expect, key, &want);
	for (size_t i = 0; i < got->n; i++)
		if (!cda_strv_has(&want, got->v[i]))
			printf("\t%s: got  %s\n", what, got->v[i]);
	for (size_t i = 0; i < want.n; i++)
		if (!cda_strv_has(got, want.v[i]))
			printf("\t%s: want %s\n", what, want.v[i]);
}

static bool has_match(const struct cda_matchspec *spec, const struct cda_records *records)
{
	for (size_t i = 0; i < records->n; i++)
		if (cda_matchspec_match(spec, records->v[i]))
			return true;
	return false;
}

/* Every dependency is met, no constraint is broken, what was asked for is there. */
static bool consistent(const struct cda_solve_request *request, const struct cda_records *final)
{
	for (size_t i = 0; i < final->n; i++) {
		const struct cda_record *record = final->v[i];

		for (size_t k = 0; k < record->depends.n; k++) {
			CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
			struct cda_err err = {0};

			if (cda_matchspec_parse(request->channels, record->depends.v[k], &spec,
						&err) < 0 ||
			    (!has_match(spec, final) && !has_match(spec, &request->virtual_pkgs))) {
				printf("\t%s needs %s\n", record->name, record->depends.v[k]);
				cda_err_done(&err);
				return false;
			}
		}
		for (size_t k = 0; k < i; k++)
			if (strcmp(final->v[k]->name, record->name) == 0)
				return false;
	}
	if (request->command == CDA_SOLVE_REMOVE || request->deps == CDA_DEPS_ONLY)
		return true;
	for (size_t i = 0; i < request->specs.n; i++)
		if (!has_match(request->specs.v[i], final))
			return false;
	return true;
}

static void check_plan(const struct cda_solve_request *request, yyjson_val *problem,
		       const struct cda_plan *plan, struct tally *tally)
{
	const char *id = cda_json_str(problem, "id");
	yyjson_val *expect = yyjson_obj_get(problem, "expect");
	bool strict = cda_json_bool(problem, "strict", true), ok;
	CDA_CLEANUP(cda_records_done) struct cda_records final = {0};
	CDA_AUTOSTRV struct cda_strv texts = {0}, link = {0}, unlink = {0};

	apply(request, plan, &final);
	dists(&final, &texts);
	cda_strv_sort(&texts);
	dists(&plan->link, &link);
	dists(&plan->unlink, &unlink);
	cda_strv_sort(&unlink);
	if (!strict) {
		tally_check(tally,
			    same_list(yyjson_obj_get(expect, "final"), &texts) ||
				    consistent(request, &final),
			    "%s: the answer is not consistent", id);
		return;
	}
	if (!cda_json_bool(expect, "ok", true)) {
		tally_check(tally, false, "%s: solved, want %s", id,
			    cda_json_str(expect, "exception_name"));
		return;
	}
	ok = same_list(yyjson_obj_get(expect, "final"), &texts) &&
	     same_list(yyjson_obj_get(expect, "link_order"), &link) &&
	     same_list(yyjson_obj_get(expect, "unlink"), &unlink);
	tally_check(tally, ok, "%s: the answer differs", id);
	if (ok)
		return;
	print_diff("final", expect, "final", &texts);
	print_diff("unlink", expect, "unlink", &unlink);
	if (same_list(yyjson_obj_get(expect, "final"), &texts))
		for (size_t i = 0; i < link.n; i++)
			printf("\tlinked: %s\n", link.v[i]);
}

static void check_error(yyjson_val *problem, const struct cda_err *err, struct tally *tally)
{
	const char *id = cda_json_str(problem, "id");
	yyjson_val *expect = yyjson_obj_get(problem, "expect");
	const char *want = cda_json_str(expect, "exception_name");
	bool strict = cda_json_bool(problem, "strict", true);

	if (cda_json_bool(expect, "ok", true))
		tally_check(tally, false, "%s: %s: %s", id, cda_err_id(err->code), err->msg);
	else
		tally_check(tally, !strict || cda_streq(want, cda_err_id(err->code)),
			    "%s: %s (%s), want %s", id, cda_err_id(err->code), err->msg, want);
}

static void fill_request(struct world *world, yyjson_val *problem, struct cda_arena *arena,
			 struct cda_solve_request *request, struct cda_err *err)
{
	yyjson_val *val;
	size_t i, max;

	request->channels = &world->config;
	set_options(problem, request);
	add_index(world, problem, arena, &request->index);
	add_virtual(yyjson_obj_get(problem, "virtual"), arena, &request->virtual_pkgs);
	yyjson_arr_foreach (yyjson_obj_get(problem, "installed"), i, max, val) {
		const struct cda_record *record = find_dist(world, yyjson_get_str(val));

		if (record)
			cda_records_push(&request->installed, record);
	}
	yyjson_arr_foreach (yyjson_obj_get(problem, "specs"), i, max, val) {
		struct cda_matchspec *spec = NULL;

		if (err->code == CDA_OK &&
		    cda_matchspec_parse(request->channels, yyjson_get_str(val), &spec, err) == 0)
			cda_matchspecs_push(&request->specs, spec);
	}
}

static void run_problem(struct world *world, yyjson_val *problem, struct tally *tally)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(request_done) struct cda_solve_request request = {0};
	CDA_CLEANUP(cda_plan_done) struct cda_plan plan = {0};
	struct cda_err err = {0};

	fill_request(world, problem, arena, &request, &err);
	if (err.code != CDA_OK || cda_solve(&request, &plan, &err) < 0)
		check_error(problem, &err, tally);
	else
		check_plan(&request, problem, &plan, tally);
	cda_err_done(&err);
}

int run_solve(yyjson_val *root, struct tally *tally)
{
	struct world world = {
		.arena = cda_arena_new(), .subdirs = cda_map_new(), .folder = tally->folder};
	yyjson_val *problem;
	size_t i, max, at = 0;
	const char *key;
	void *value;

	tally_channel_config("", world.arena, &world.config);
	yyjson_arr_foreach (yyjson_obj_get(root, "problems"), i, max, problem)
		run_problem(&world, problem, tally);
	while (cda_map_next(world.subdirs, &at, &key, &value)) {
		cda_records_done(value);
		free(value);
	}
	cda_map_free(world.subdirs);
	cda_arena_free(world.arena);
	tally_channel_config_done(&world.config);
	return 0;
}
