#include "client/change_impl.h"

#include "client/look.h"
#include "core/platform.h"
#include "prefix/envs.h"
#include "prefix/history.h"
#include "prefix/meta.h"
#include "prefix/txn.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"
#include "util/url.h"

#include <errno.h>
#include <time.h>

bool cda_change_is_explicit(const char *spec)
{
	CDA_AUTOFREE char *bare = cda_strndup(spec, strcspn(spec, "#"));

	if (!cda_ends_with(bare, ".conda") && !cda_ends_with(bare, ".tar.bz2"))
		return false;
	/* A path may have blanks in it; a spec that ends so has them behind its name. */
	if (bare[0] == '/' || bare[0] == '.' || bare[0] == '~' || cda_url_has_scheme(bare))
		return !strstr(bare, "::");
	return !strstr(bare, "::") && !strpbrk(bare, "[ ");
}

struct cda_change *cda_change_free(struct cda_change *change)
{
	if (!change)
		return NULL;
	cda_plan_done(&change->plan);
	cda_strv_done(&change->specs);
	cda_strv_done(&change->explicit_dirs);
	change->index = cda_index_free(change->index);
	change->meta = cda_meta_free(change->meta);
	change->arena = cda_arena_free(change->arena);
	free(change->need);
	free(change->clone_of);
	free(change);
	return NULL;
}

/* A new environment goes into a folder that is not there or is no environment; it must be makeable
 * before anything is downloaded. */
static int check_new_prefix(struct cda_change *change, bool dry, struct cda_err *err)
{
	const char *prefix = change->ctx->prefix;
	struct stat st;

	if (cda_streq(prefix, "/")) {
		cda_err_set(err, CDA_E_VALUE, "the root folder cannot be an environment");
		return cda_err_hint(err, "choose a folder of its own with -p PATH");
	}
	if (stat(prefix, &st) == 0 && !S_ISDIR(st.st_mode)) {
		cda_err_set(err, CDA_E_VALUE, "prefix already exists: %s", prefix);
		return cda_err_hint(err, "it is no folder: choose another path");
	}
	change->is_new = !cda_prefix_is_env(prefix);
	if (!dry && !cda_prefix_is_writable(prefix)) {
		if (change->is_new)
			cda_err_set(err, CDA_E_GENERAL, "cannot make the environment's folder '%s'",
				    prefix);
		else
			cda_err_set(err, CDA_E_UNWRITABLE,
				    "the current user cannot write to the environment\n"
				    "  environment location: %s\n  uid: %u\n  gid: %u",
				    prefix, (unsigned)geteuid(), (unsigned)getegid());
		if (!change->is_new)
			cda_context_unwritable_data(change->ctx, err);
		return cda_err_hint(err, "choose a place of your own with -p PATH");
	}
	return 0;
}

static int check_prefix(struct cda_change *change, bool dry, struct cda_err *err)
{
	CDA_AUTOFREE char *why = NULL;
	int rc;

	if (change->command == CDA_SOLVE_CREATE)
		return check_new_prefix(change, dry, err);
	rc = dry ? cda_context_need_prefix(change->ctx, err)
		 : cda_context_need_writable(change->ctx, err);
	if (rc < 0)
		return rc;
	if (!dry && cda_prefix_is_frozen(change->ctx->prefix, &why)) {
		cda_err_set(err, CDA_E_ENVIRONMENT, "the environment '%s' is frozen: %s",
			    change->ctx->prefix, why ? why : "its owner allows no changes");
		return cda_err_hint(err,
				    "make an environment of your own: `conda create -n NAME …`");
	}
	return 0;
}

int cda_change_bad_spec(const char *spec, struct cda_err *err)
{
	if (err->code != CDA_E_SPEC && err->code != CDA_E_VERSION)
		return -(int)err->code;
	err->code = CDA_E_VALUE;
	return cda_err_wrap(err, -CDA_E_VALUE, "invalid package specification '%s'", spec);
}

/* In one order: pins of the settings, then of the prefix. */
static int add_pins(struct cda_change *change, struct cda_strv *pinned, struct cda_err *err)
{
	const struct cda_context *ctx = change->ctx;
	int rc;

	cda_strv_append(pinned, cda_settings_list(ctx->settings, CDA_SET_pinned_packages));
	rc = cda_prefix_pinned(ctx->prefix, pinned, err);
	for (size_t i = 0; rc == 0 && i < pinned->n; i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;

		/* A pin that holds nothing would be found out too late. */
		rc = cda_matchspec_parse(ctx->channels, pinned->v[i], &spec, err);
		if (rc < 0) {
			rc = cda_change_bad_spec(pinned->v[i], err);
			cda_err_hint(err, "it is pinned by pinned_packages of .condarc or by "
					  "conda-meta/pinned; --no-pin leaves pins out");
		}
	}
	return rc;
}

static int parse_specs(struct cda_change *change, const struct cda_strv *texts,
		       struct cda_matchspecs *specs, struct cda_err *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct cda_matchspec *spec;
		int rc;

		/* It would mean every package: what an unset variable of a script must not. */
		if (cda_str_trim(cda_str(texts->v[i])).len == 0)
			return cda_err_set(err, CDA_E_VALUE, "a package specification is empty");
		rc = cda_matchspec_parse(change->ctx->channels, texts->v[i], &spec, err);

		if (rc < 0)
			return cda_change_bad_spec(texts->v[i], err);
		cda_matchspecs_push(specs, spec);
		cda_strv_push(&change->specs, cda_matchspec_text(spec));
	}
	return 0;
}

/* The channel of "CHANNEL::NAME" where that is a URL or a path; owned, else NULL. */
static char *url_of_spec(const char *text)
{
	const char *sep = strstr(text, "::");
	CDA_AUTOFREE char *place = cda_strndup(text, sep ? (size_t)(sep - text) : 0);

	place[strcspn(place, "[")] = '\0';
	return cda_url_has_scheme(place) || place[0] == '/' || place[0] == '.' ? cda_take_ptr(place)
									       : NULL;
}

/* Channels that specs name ("conda-forge::numpy") come behind those of the settings. */
static void add_spec_channels(struct cda_change *change, const struct cda_change_request *request,
			      const struct cda_matchspecs *specs, struct cda_strv *channels)
{
	for (size_t i = 0; i < specs->n; i++) {
		/* Of a URL the spec keeps the last part alone, which by itself would be a channel
		 * of the alias: another one, and maybe another's. */
		CDA_AUTOFREE char *url =
			i < request->specs.n ? url_of_spec(request->specs.v[i]) : NULL;
		const char *channel = url ? url : cda_matchspec_field(specs->v[i], "channel");

		if (channel && (url || !strpbrk(channel, "*^")) && !cda_strv_has(channels, channel))
			cda_strv_push(channels, channel);
	}
}

int cda_change_index(struct cda_change *change, const struct cda_change_request *request,
		     const struct cda_matchspecs *specs, struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	CDA_AUTOSTRV struct cda_strv channels = {0};
	int rc;

	cda_strv_append(&channels, request->channels ? request->channels
						     : cda_settings_channels(ctx->settings));
	if (change->command != CDA_SOLVE_REMOVE)
		add_spec_channels(change, request, specs, &channels);
	rc = cda_context_index(ctx, &channels, NULL, &change->index, err);
	if (rc < 0 && change->command == CDA_SOLVE_REMOVE &&
	    (err->code == CDA_E_HTTP || err->code == CDA_E_OFFLINE || err->code == CDA_E_TLS ||
	     err->code == CDA_E_CHANNEL)) {
		/* To take things away, what is installed is enough. */
		cda_emit(ctx->events, CDA_EVENT_WARNING,
			 "warning: no channel answers, going on with what is installed: %s",
			 err->msg);
		cda_err_done(err);
		change->index = cda_index_new();
		rc = 0;
	}
	if (rc == 0 && cda_settings_bool(ctx->settings, CDA_SET_offline)) {
		struct cda_records cached = {0};
		struct cda_store *store;

		rc = cda_context_store(ctx, &store, err);
		if (rc == 0)
			rc = cda_store_records(store, change->arena, &cached, err);
		cda_vec_each (record, &cached) {
			const struct cda_records *known =
				cda_index_get(change->index, (*record)->name);
			bool has = false;

			for (size_t i = 0; known && i < known->n && !has; i++)
				has = cda_streq(known->v[i]->fn, (*record)->fn);
			if (!has && !(*record)->is_virtual)
				cda_index_add(change->index, *record);
		}
		cda_records_done(&cached);
	}
	return rc;
}

/* Tools that read of a missing package learn where it was looked for. */
static void tell_channels(const struct cda_change *change, const struct cda_change_request *request,
			  struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv urls = {0};
	struct cda_err ignored = {0};

	if (cda_look_channel_urls(change->ctx, request->channels, false, &urls, &ignored) < 0)
		cda_err_done(&ignored);
	cda_err_data_list(err, "channel_urls", &urls);
}

static int solve(struct cda_change *change, const struct cda_change_request *request,
		 struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	const struct cda_settings *s = ctx->settings;
	struct cda_solve_request ask = {.command = request->command, .channels = ctx->channels};
	struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv texts = {0};
	int rc;

	cda_strv_append(&texts, &request->specs);
	if (request->command == CDA_SOLVE_CREATE && !request->no_default_packages)
		cda_strv_append(&texts, cda_settings_list(s, CDA_SET_create_default_packages));
	rc = parse_specs(change, &texts, &ask.specs, err);
	if (rc == 0)
		rc = cda_change_index(change, request, &ask.specs, err);
	if (rc == 0)
		rc = cda_history_load(ctx->prefix, &history, err);
	if (rc == 0 && !request->ignore_pinned)
		rc = add_pins(change, &ask.pinned, err);
	if (rc == 0) {
		cda_history_requested(&history, ctx->channels, NULL, &ask.history);
		ask.installed = *cda_meta_records(change->meta);
		ask.index = change->index->records;
		cda_context_virtual(ctx, change->arena, &ask.virtual_pkgs);
		ask.aggressive_updates = *cda_settings_list(s, CDA_SET_aggressive_update_packages);
		ask.track_features = *cda_settings_list(s, CDA_SET_track_features);
		ask.channel_priority = cda_context_priority(ctx);
		ask.update = request->update;
		ask.deps = request->deps;
		ask.add_pip_as_python_dependency =
			cda_settings_bool(s, CDA_SET_add_pip_as_python_dependency);
		ask.ignore_pinned = request->ignore_pinned;
		ask.force_reinstall = request->force_reinstall;
		ask.force_remove = request->force_remove;
		ask.prune = request->prune;
		cda_emit(ctx->events, CDA_EVENT_PHASE, "Solving environment");
		rc = cda_solve(&ask, &change->plan, err);
		if (rc == -(int)CDA_E_NOTFOUND && change->command != CDA_SOLVE_REMOVE)
			tell_channels(change, request, err);
		cda_emit(ctx->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE,
			 "Solving environment");
	}
	cda_matchspecs_free_all(&ask.specs);
	cda_strv_done(&ask.history);
	cda_strv_done(&ask.pinned);
	cda_records_done(&ask.virtual_pkgs);
	cda_history_done(&history);
	return rc;
}

void cda_change_fetch_options(struct cda_context *ctx, struct cda_fetch_options *options)
{
	const struct cda_settings *s = ctx->settings;

	options->offline = cda_settings_bool(s, CDA_SET_offline);
	options->deep_checks = cda_settings_bool(s, CDA_SET_extra_safety_checks);
	options->events = ctx->events;
}

/* What is new gets the text of the spec that asked for it; of several the last. */
static void note_requested(struct cda_change *change)
{
	const struct cda_strv *specs = &change->plan.update_specs;
	struct cda_records *link = &change->plan.link;
	CDA_CLEANUP(cda_map_freep) struct cda_map *texts = cda_map_new();

	for (size_t k = 0; k < specs->n; k++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err ignored = {0};

		if (cda_matchspec_parse(change->ctx->channels, specs->v[k], &spec, &ignored) == 0)
			cda_map_set(texts, cda_matchspec_name(spec), specs->v[k]);
		cda_err_done(&ignored);
	}
	for (size_t i = 0; i < link->n; i++) {
		struct cda_record *copy = cda_record_copy(change->arena, link->v[i]);

		copy->requested_spec =
			cda_arena_strdup(change->arena, cda_map_get(texts, copy->name));
		link->v[i] = copy;
	}
}

static int count_needed(struct cda_change *change, struct cda_err *err)
{
	struct cda_store *store;
	int rc = cda_context_store(change->ctx, &store, err);

	if (rc < 0)
		return rc;
	change->need = cda_alloc0(change->plan.link.n + 1, sizeof(bool));
	change->need_bytes = cda_fetch_needed(store, &change->plan.link, change->need);
	return 0;
}

static struct cda_change *change_new(struct cda_context *ctx, enum cda_solve_command command)
{
	struct cda_change *change = cda_new0(struct cda_change);

	change->ctx = ctx;
	change->command = command;
	change->arena = cda_arena_new();
	return change;
}

/* Who can write neither the environment nor a package cache hears of the cache, as from conda. */
static int check_cache(struct cda_context *ctx, struct cda_err *err)
{
	struct cda_err cache = {0};
	struct cda_store *store;
	const char *writable;
	int rc = cda_context_store(ctx, &store, &cache);

	if (rc == 0)
		rc = cda_store_writable(store, &writable, &cache);
	if (rc == -(int)CDA_E_NOCACHE) {
		cda_err_done(err);
		cda_err_move(err, &cache);
	}
	cda_err_done(&cache);
	return -(int)err->code;
}

int cda_change_prepare(struct cda_context *ctx, const struct cda_change_request *request, bool dry,
		       struct cda_change **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = change_new(ctx, request->command);
	int rc = check_prefix(change, dry, err);

	if (rc == -(int)CDA_E_UNWRITABLE)
		rc = check_cache(ctx, err);
	/* What a killed run left must not be read as the truth. */
	if (rc == 0 && !dry && !change->is_new)
		rc = cda_txn_recover(ctx->prefix, ctx->events, NULL, err);
	if (rc == 0)
		rc = cda_meta_load(ctx->prefix, ctx->channels, 0, &change->meta, err);
	if (rc < 0)
		return rc;
	if (request->explicit_urls)
		rc = cda_plan_explicit(change, request, err);
	else if (request->clone)
		rc = cda_plan_clone(change, request, err);
	else if (request->dists_of)
		rc = cda_plan_revision(change, request, err);
	else
		rc = solve(change, request, err);
	if (rc == 0) {
		note_requested(change);
		rc = count_needed(change, err);
	}
	if (rc == 0)
		*ret = cda_take_ptr(change);
	return rc;
}

static enum cda_txn_checks checks_of(const char *text)
{
	return cda_streq(text, "disabled")  ? CDA_CHECKS_DISABLED
	       : cda_streq(text, "enabled") ? CDA_CHECKS_ENABLED
					    : CDA_CHECKS_WARN;
}

static enum cda_txn_conflict conflict_of(const char *text)
{
	return cda_streq(text, "warn")      ? CDA_CONFLICT_WARN
	       : cda_streq(text, "prevent") ? CDA_CONFLICT_PREVENT
					    : CDA_CONFLICT_CLOBBER;
}

/* What is made again is to be the same again: SOURCE_DATE_EPOCH, as its specification has it, is
 * the time that goes into files. NULL where it is not set, or is no number. */
static const char *history_date(const struct cda_strv *env, char date[32])
{
	const char *text = cda_env_get(env, "SOURCE_DATE_EPOCH");
	int64_t seconds;
	struct tm utc;

	if (!text || !cda_parse_int(text, 0, INT64_C(253402300799), &seconds))
		return NULL;
	const time_t epoch = (time_t)seconds;
	return gmtime_r(&epoch, &utc) && strftime(date, 32, "%Y-%m-%d %H:%M:%S", &utc) ? date
										       : NULL;
}

static int run_txn(struct cda_change *change, char *const *dirs, const char *cmd,
		   struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	const struct cda_settings *s = ctx->settings;
	size_t n = change->plan.link.n;
	CDA_AUTOFREE struct cda_txn_source *sources = cda_alloc0(n + 1, sizeof(*sources));
	CDA_AUTOFREE char *conda_dir = cda_path_join(ctx->home, ".conda");
	CDA_AUTOSTRV struct cda_strv disallowed = {0};
	char date[32];
	struct cda_txn txn = {.prefix = ctx->prefix,
			      .root_prefix = ctx->root_prefix,
			      .config = ctx->channels,
			      .plan = &change->plan,
			      .sources = sources,
			      .history_cmd = cmd,
			      .history_version = CDA_VERSION,
			      .history_date = history_date(&ctx->env, date),
			      .conda_dir = conda_dir,
			      .env = (const char *const *)cda_strv_argv(&ctx->env),
			      .events = ctx->events};

	for (size_t i = 0; i < n; i++) {
		CDA_AUTOFREE char *pkgs = cda_path_dirname(dirs[i]);

		sources[i].extracted_dir = dirs[i];
		if (change->plan.link.v[i]->fn)
			sources[i].tarball = cda_arena_printf(change->arena, "%s/%s", pkgs,
							      change->plan.link.v[i]->fn);
	}
	cda_strv_append(&disallowed, cda_settings_list(s, CDA_SET_disallowed_packages));
	txn.disallowed = (const char *const *)cda_strv_argv(&disallowed);
	txn.safety_checks = checks_of(cda_settings_str(s, CDA_SET_safety_checks));
	txn.extra_safety_checks = cda_settings_bool(s, CDA_SET_extra_safety_checks);
	txn.path_conflict = conflict_of(cda_settings_str(s, CDA_SET_path_conflict));
	txn.always_copy = cda_settings_bool(s, CDA_SET_always_copy);
	txn.always_softlink = cda_settings_bool(s, CDA_SET_always_softlink);
	txn.allow_softlinks = cda_settings_bool(s, CDA_SET_allow_softlinks);
	return cda_txn_run(&txn, err);
}

static void free_dirs(char **dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(dirs[i]);
	free(dirs);
}

int cda_change_commit(struct cda_change *change, const struct cda_change_commit *how,
		      struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	size_t n = change->plan.link.n;
	char **dirs = cda_alloc0(n + 1, sizeof(char *));
	struct cda_fetch_options options = {.download_only = how->download_only};
	struct cda_store *store;
	int rc = cda_context_store(ctx, &store, err);

	cda_change_fetch_options(ctx, &options);
	if (rc == 0)
		rc = cda_context_net(ctx, &options.net, err);
	if (rc == 0 && n > 0) {
		bool any = change->need_bytes > 0;

		if (any)
			cda_emit(ctx->events, CDA_EVENT_PHASE,
				 "Downloading and extracting packages");
		rc = cda_fetch_packages(store, &change->plan.link, &options, dirs, err);
		err->multi = rc < 0;
		if (any)
			cda_emit(ctx->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE,
				 "Downloading and extracting packages");
	}
	if (rc == 0 && !how->download_only)
		rc = run_txn(change, dirs, how->cmd, err);
	if (rc == 0 && !how->download_only && change->clone_of)
		rc = cda_copy_untracked(change->clone_of, ctx->prefix, err);
	free_dirs(dirs, n);
	return rc;
}

static bool is_same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return cda_streq(a, b) || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
				   x.st_ino == y.st_ino);
}

/* The folder goes with all that is in it: never base, by whatever name, nor what holds base. */
static int check_removable(const struct cda_context *ctx, struct cda_err *err)
{
	CDA_AUTOFREE char *below = cda_path_join(ctx->prefix, "");

	if (is_same_folder(ctx->prefix, ctx->root_prefix)) {
		cda_err_set(err, CDA_E_ENVIRONMENT, "cannot remove the base environment '%s'",
			    ctx->prefix);
		return cda_err_hint(err, "name another one with -n or -p");
	}
	if (cda_starts_with(ctx->root_prefix, below))
		return cda_err_set(err, CDA_E_ENVIRONMENT,
				   "cannot remove '%s': the base environment '%s' is in it",
				   ctx->prefix, ctx->root_prefix);
	if (is_same_folder(ctx->prefix, "/") || is_same_folder(ctx->prefix, ctx->home))
		return cda_err_set(err, CDA_E_ENVIRONMENT,
				   "cannot remove '%s': it is the %s folder", ctx->prefix,
				   is_same_folder(ctx->prefix, "/") ? "root" : "home");
	return 0;
}

int cda_change_remove_all(struct cda_context *ctx, struct cda_change **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_change_freep) struct cda_change *change = change_new(ctx, CDA_SOLVE_REMOVE);
	const struct cda_records *installed;
	struct cda_records order = {0};
	int rc;

	rc = check_removable(ctx, err);
	if (rc == 0)
		rc = cda_context_need_writable(ctx, err);
	if (rc == 0)
		rc = cda_txn_recover(ctx->prefix, ctx->events, NULL, err);
	if (rc == 0)
		rc = cda_meta_load(ctx->prefix, ctx->channels, 0, &change->meta, err);
	if (rc < 0)
		return rc;
	installed = cda_meta_records(change->meta);
	cda_vec_each (record, installed)
		cda_records_push(&order, *record);
	cda_solve_order(ctx->channels, &order);
	for (size_t i = order.n; i-- > 0;)
		cda_records_push(&change->plan.unlink, order.v[i]);
	cda_records_done(&order);
	rc = count_needed(change, err);
	if (rc == 0)
		*ret = cda_take_ptr(change);
	return rc;
}

int cda_change_remove_all_commit(struct cda_change *change, const struct cda_change_commit *how,
				 struct cda_err *err)
{
	struct cda_context *ctx = change->ctx;
	CDA_AUTOFREE char *conda_dir = cda_path_join(ctx->home, ".conda");
	struct cda_err ignored = {0};
	int rc = cda_change_commit(change, how, err);

	if (rc < 0)
		return rc;
	cda_emit(ctx->events, CDA_EVENT_PHASE, "Removing the folder");
	rc = cda_fs_remove(AT_FDCWD, ctx->prefix, err);
	cda_emit(ctx->events, rc < 0 ? CDA_EVENT_FAILED : CDA_EVENT_DONE, "Removing the folder");
	if (cda_envs_unregister(conda_dir, ctx->prefix, &ignored) < 0)
		cda_err_done(&ignored);
	return rc;
}
