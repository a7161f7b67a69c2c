/* request.c - conda's business rules: history holds, python keeps its minor version, pins narrow,
 * what is not asked for stays if it can. */
#include "solve/request.h"

#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

/* Always kept when they are there, whatever history says. */
static const char *const always_held[] = {"anaconda",         "conda",
					  "conda-build",      "python.app",
					  "console_shortcut", "powershell_shortcut"};

static const struct cda_record *installed_of(const struct cda_solve_request *request,
					     const char *name)
{
	cda_vec_each (record, &request->installed)
		if (strcmp((*record)->name, name) == 0)
			return *record;
	return NULL;
}

static void add_spec(const struct cda_solve_request *request, struct cda_matchspecs *list,
		     const char *text)
{
	struct cda_matchspec *spec = NULL;
	struct cda_err ignored = {0};

	if (cda_matchspec_parse(request->channels, text, &spec, &ignored) == 0)
		cda_matchspecs_push(list, spec);
	cda_err_done(&ignored);
}

static bool has_name(const struct cda_matchspecs *specs, const char *name)
{
	cda_vec_each (spec, specs)
		if (strcmp(cda_matchspec_name(*spec), name) == 0)
			return true;
	return false;
}

/* "3.11.*" of "3.11.4" */
static char *minor_of(const char *version)
{
	const char *dot = strchr(version, '.');
	size_t len = dot ? (size_t)(dot - version) + 1 + strcspn(dot + 1, ".") : strlen(version);

	return cda_asprintf("%.*s.*", (int)len, version);
}

/* python stays within its minor version unless it is asked for. */
static void hold_python(struct cda_wish *wish)
{
	const struct cda_record *python = installed_of(wish->request, "python");
	CDA_AUTOFREE char *minor = NULL, *text = NULL;

	if (!python || has_name(&wish->asked, "python"))
		return;
	minor = minor_of(python->version);
	text = cda_asprintf("python %s", minor);
	cda_vec_each (spec, &wish->held)
		if (strcmp(cda_matchspec_name(*spec), "python") == 0 &&
		    cda_matchspec_field(*spec, "version"))
			return;
	add_spec(wish->request, &wish->held, text);
}

/* What update --all lets move: history's names, or all that is installed. */
static void ask_all(struct cda_wish *wish)
{
	const struct cda_solve_request *request = wish->request;

	for (size_t i = 0; i < request->history.n; i++)
		add_spec(request, &wish->held, request->history.v[i]);
	cda_vec_each (spec, &wish->held) {
		const char *name = cda_matchspec_name(*spec);

		if (strcmp(name, "python") != 0 && installed_of(request, name))
			add_spec(request, &wish->asked, name);
	}
	if (request->history.n == 0)
		cda_vec_each (record, &request->installed)
			if (strcmp((*record)->name, "python") != 0)
				add_spec(request, &wish->asked, (*record)->name);
	cda_matchspecs_free_all(&wish->held);
	if (installed_of(request, "python") && !has_name(&wish->asked, "python"))
		hold_python(wish);
	cda_vec_each (record, &request->installed)
		cda_map_set(wish->free_names, (*record)->name, wish);
}

static void hold_installed(struct cda_wish *wish)
{
	const struct cda_solve_request *request = wish->request;

	for (size_t i = 0; i < request->history.n; i++) {
		struct cda_matchspecs one = {0};

		add_spec(request, &one, request->history.v[i]);
		if (one.n > 0 && !has_name(&wish->asked, cda_matchspec_name(one.v[0])) &&
		    strcmp(cda_matchspec_name(one.v[0]), "*") != 0)
			cda_matchspecs_push(&wish->held, cda_take_ptr(one.v[0]));
		cda_matchspecs_free_all(&one);
	}
	cda_vec_each (record, &request->installed) {
		const char *name = (*record)->name;
		bool aggressive = cda_strv_has(&request->aggressive_updates, name);
		bool held = request->history.n == 0 || aggressive;

		for (size_t i = 0; i < CDA_LEN(always_held); i++)
			held = held || strcmp(name, always_held[i]) == 0;
		if (held && !has_name(&wish->asked, name) && !has_name(&wish->held, name))
			add_spec(request, &wish->held, name);
		if (aggressive)
			cda_map_set(wish->free_names, name, wish);
	}
	hold_python(wish);
}

/* A pin on what is asked for counts as long as something is left of it. */
static bool pin_applies(const struct cda_solve_request *request, const struct cda_matchspec *pin)
{
	const char *name = cda_matchspec_name(pin);
	bool asked = false;

	cda_vec_each (spec, &request->specs) {
		if (strcmp(cda_matchspec_name(*spec), name) != 0)
			continue;
		asked = true;
		cda_vec_each (record, &request->index)
			if (strcmp((*record)->name, name) == 0 &&
			    cda_matchspec_match(pin, *record) &&
			    cda_matchspec_match(*spec, *record))
				return true;
	}
	return !asked;
}

int cda_wish_init(struct cda_wish *wish, const struct cda_solve_request *request,
		  struct cda_err *err)
{
	*wish = (struct cda_wish){.request = request};
	wish->asked_names = cda_map_new();
	wish->free_names = cda_map_new();
	cda_vec_each (spec, &request->specs) {
		struct cda_matchspec *copy = cda_matchspec_with(*spec, NULL);

		if (!copy)
			return cda_err_set(err, CDA_E_SPEC, "invalid spec '%s'",
					   cda_matchspec_text(*spec));
		cda_matchspecs_push(&wish->asked, copy);
	}
	if (request->command == CDA_SOLVE_UPDATE_ALL)
		ask_all(wish);
	else if (request->command != CDA_SOLVE_CREATE)
		hold_installed(wish);
	cda_vec_each (spec, &wish->asked)
		cda_map_set(wish->asked_names, cda_matchspec_name(*spec), wish);
	if (!request->ignore_pinned) {
		struct cda_matchspecs pins = {0};

		for (size_t i = 0; i < request->pinned.n; i++)
			add_spec(request, &pins, request->pinned.v[i]);
		cda_vec_each (pin, &pins)
			if (pin_applies(request, *pin))
				cda_matchspecs_push(&wish->pins, cda_take_ptr(*pin));
		cda_matchspecs_free_all(&pins);
	}
	wish->may_freeze = request->command == CDA_SOLVE_INSTALL && request->installed.n > 0 &&
			   request->update != CDA_UPDATE_DEPS;
	return 0;
}

void cda_wish_done(struct cda_wish *wish)
{
	cda_matchspecs_free_all(&wish->asked);
	cda_matchspecs_free_all(&wish->held);
	cda_matchspecs_free_all(&wish->pins);
	wish->asked_names = cda_map_free(wish->asked_names);
	wish->free_names = cda_map_free(wish->free_names);
}

void cda_jobs_done(struct cda_jobs *jobs)
{
	cda_indexes_done(&jobs->specs);
	jobs->asked = cda_map_free(jobs->asked);
	jobs->keep = cda_map_free(jobs->keep);
}

static void limit_all(struct cda_universe *uni, const struct cda_matchspecs *specs)
{
	cda_vec_each (spec, specs)
		cda_universe_limit(uni, *spec);
}

void cda_wish_jobs(const struct cda_wish *wish, struct cda_universe *uni, bool freeze,
		   struct cda_jobs *jobs)
{
	const struct cda_solve_request *request = wish->request;

	jobs->asked = cda_map_new();
	jobs->keep = cda_map_new();
	limit_all(uni, &wish->pins);
	if (!wish->unlimited) {
		limit_all(uni, &wish->asked);
		limit_all(uni, &wish->held);
	}
	cda_vec_each (spec, &wish->asked) {
		cda_map_set(jobs->asked, cda_matchspec_name(*spec), jobs);
		cda_indexes_push(&jobs->specs, cda_universe_spec_of(uni, *spec));
	}
	cda_vec_each (spec, &wish->held)
		cda_indexes_push(&jobs->specs, cda_universe_spec_of(uni, *spec));
	if (request->command == CDA_SOLVE_CREATE)
		return;
	cda_vec_each (record, &request->installed) {
		const char *name = (*record)->name;
		struct cda_bucket *bucket = cda_universe_bucket(uni, name);

		if (cda_map_has(wish->asked_names, name) || cda_map_has(wish->free_names, name))
			continue;
		cda_map_set(jobs->keep, name, jobs);
		if (!freeze)
			continue;
		bucket->frozen = true;
		cda_indexes_push(&jobs->specs, cda_universe_spec(uni, name, true));
	}
}

void cda_wish_collect(const struct cda_universe *uni, const struct cda_indexes *jobs,
		      const struct cda_indexes *chosen, struct cda_records *final)
{
	CDA_AUTOFREE signed char *state = cda_alloc0(uni->pkgs.n + 1, 1); /* 1 chosen, 2 reached */
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes todo = {0};

	cda_vec_each (pkg, chosen)
		state[*pkg] = 1;
	cda_vec_each (job, jobs)
		cda_indexes_push(&todo, *job);
	while (todo.n > 0) {
		unsigned spec = todo.v[--todo.n];

		cda_vec_each (match, &uni->specs.v[spec].matches) {
			const struct cda_pkg *pkg = &uni->pkgs.v[*match];

			if (state[*match] != 1)
				continue;
			state[*match] = 2;
			if (!pkg->record->is_virtual)
				cda_records_push(final,
						 pkg->installed ? pkg->installed : pkg->record);
			cda_vec_each (dep, &pkg->depends)
				cda_indexes_push(&todo, *dep);
		}
	}
}

static const struct cda_record *final_of(const struct cda_records *final, const char *name)
{
	cda_vec_each (record, final)
		if (strcmp((*record)->name, name) == 0)
			return *record;
	return NULL;
}

void cda_wish_ask_deps(struct cda_wish *wish, const struct cda_records *final)
{
	struct cda_matchspecs before = wish->asked;
	CDA_AUTOSTRV struct cda_strv names = {0};

	cda_vec_each (spec, &before)
		cda_strv_push(&names, cda_matchspec_name(*spec));
	for (size_t i = 0; i < names.n; i++) {
		const struct cda_record *record = final_of(final, names.v[i]);

		for (size_t k = 0; record && k < record->depends.n; k++) {
			struct cda_matchspecs dep = {0};
			const char *name;

			add_spec(wish->request, &dep, record->depends.v[k]);
			name = dep.n > 0 ? cda_matchspec_name(dep.v[0]) : "";
			if (final_of(final, name) && !cda_strv_has(&names, name))
				cda_strv_push(&names, name);
			cda_matchspecs_free_all(&dep);
		}
	}
	wish->asked = (struct cda_matchspecs){0};
	for (size_t i = before.n; i < names.n; i++) {
		/* python and what is pinned keep their own rules */
		if (strcmp(names.v[i], "python") == 0 || has_name(&wish->pins, names.v[i]))
			continue;
		add_spec(wish->request, &wish->asked, names.v[i]);
		cda_map_set(wish->asked_names, names.v[i], wish);
	}
	cda_vec_each (spec, &before)
		cda_matchspecs_push(&wish->asked, *spec);
	cda_matchspecs_done(&before);
	wish->may_freeze = false;
}
