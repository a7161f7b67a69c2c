#include "condense/cmds.h"
#include "forge/repack.h"
#include "forge/stage.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_LEVEL 19

struct opts {
	const char *recipes, *debs, *out, *work;
	struct cda_strv set;
	int64_t epoch, level, jobs;
	bool list, quiet, keep;
};

static const struct cda_option options[] = {
	OPTION_NEEDED("recipes", struct opts, recipes, "DIR", "folder with the *.recipe files"),
	OPTION_STR("debs", struct opts, debs, "DIR", "folder with the .deb files"),
	OPTION_STR("out", struct opts, out, "DIR", "the channel to write to"),
	OPTION_STR("work", struct opts, work, "DIR", "folder for scratch files [/tmp]"),
	OPTION_LIST("set", struct opts, set, "NAME=VALUE", "a variable of the recipes; repeat it"),
	OPTION_INT("epoch", struct opts, epoch, "SECONDS",
		   "time of packages that are made of no Debian package [0]"),
	OPTION_INT("level", struct opts, level, "N", "zstd level, 1 to 22 [19]"),
	OPTION_INT("jobs", struct opts, jobs, "N", "packages at a time [one per CPU]"),
	OPTION_BOOL("list", struct opts, list,
		    "print the Debian packages that are wanted, and stop"),
	OPTION_BOOL("keep", struct opts, keep, "keep the scratch folder and print its name"),
	OPTION_BOOL("quiet", struct opts, quiet, "do not name the packages"),
	OPTION_END(),
};

static void on_event(void *ctx, const struct cda_event *event)
{
	const struct opts *opts = ctx;

	if (event->kind == CDA_EVENT_INFO && !opts->quiet)
		puts(event->text);
}

static int set_vars(const struct opts *opts, struct cda_map *vars, struct cda_err *err)
{
	for (size_t i = 0; i < opts->set.n; i++) {
		const char *equals = strchr(opts->set.v[i], '=');

		if (!equals || equals == opts->set.v[i])
			return cda_err_set(err, CDA_E_USAGE, "--set wants NAME=VALUE, not '%s'",
					   opts->set.v[i]);
		CDA_AUTOFREE char *name =
			cda_strndup(opts->set.v[i], (size_t)(equals - opts->set.v[i]));

		free(cda_map_set(vars, name, cda_strdup(equals + 1)));
	}
	free(cda_map_set(vars, "PREFIX", cda_strdup(cda_forge_placeholder)));
	return 0;
}

static int repack(const struct opts *opts, const struct cda_recipes *recipes, struct cda_err *err)
{
	struct cda_events events = {on_event, (void *)opts};
	CDA_AUTOFREE char *scratch = NULL;
	CDA_AUTOFREE char *work = NULL;
	struct cda_repack repack = {.recipes = recipes,
				    .debs = opts->debs,
				    .out = opts->out,
				    .epoch = opts->epoch,
				    .level = (int)opts->level,
				    .jobs = (unsigned)opts->jobs,
				    .events = &events};
	struct cda_err later = {0};
	size_t count = 0;
	int rc;

	if (!opts->debs || !opts->out)
		return cda_err_set(err, CDA_E_USAGE, "'repack' wants --debs and --out");
	rc = cda_fs_tempdir(opts->work, "condense-repack", &scratch, err);
	if (rc)
		return rc;
	/* absolute: programs run in there with another working folder */
	work = realpath(scratch, NULL);
	if (!work)
		return cda_err_sys(err, errno, "cannot resolve '%s'", scratch);
	repack.work = work;
	rc = cda_repack_run(&repack, &count, err);
	if (opts->keep)
		fprintf(stderr, "condense: kept '%s'\n", work);
	else if (cda_fs_remove(AT_FDCWD, work, &later))
		cda_err_done(&later);
	if (!rc && !opts->quiet)
		printf("%s: %zu packages\n", opts->out, count);
	return rc;
}

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct opts opts = {.level = DEFAULT_LEVEL};
	CDA_AUTOSTRV struct cda_strv rest = {0}, debs = {0};
	struct cda_map *vars = cda_map_new();
	struct cda_recipes recipes = {0};
	const char *key;
	void *value;
	size_t at = 0;
	int rc = cda_option_parse(&cda_condense_repack, argc, argv, &opts, &rest, err);

	if (!rc && (opts.level < 1 || opts.level > 22))
		rc = cda_err_set(err, CDA_E_USAGE, "--level goes from 1 to 22");
	if (!rc)
		rc = set_vars(&opts, vars, err);
	if (!rc)
		rc = cda_recipe_read_dir(opts.recipes, vars, &recipes, err);
	if (!rc && opts.list) {
		cda_repack_debs(&recipes, &debs);
		for (size_t i = 0; i < debs.n; i++)
			puts(debs.v[i]);
	} else if (!rc) {
		rc = repack(&opts, &recipes, err);
	}
	while (cda_map_next(vars, &at, &key, &value))
		free(value);
	cda_map_free(vars);
	cda_recipes_free(&recipes);
	cda_strv_done(&opts.set);
	return rc;
}

const struct cda_command cda_condense_repack = {
	"repack",
	"--recipes DIR (--list | --debs DIR --out CHANNEL) [OPTION...]",
	"make conda packages of Debian packages",
	options,
	0,
	0,
	run};
