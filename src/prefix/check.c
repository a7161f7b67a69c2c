/* The checks of stage.h that look at the whole: who owns which path, is there room, may it be. */
#include "prefix/stage.h"

#include "core/matchspec.h"
#include "util/fs.h"
#include "util/map.h"

#include <errno.h>
#include <sys/statvfs.h>

struct targets {
	struct cda_stage *stage;
	struct cda_map *removed; /* paths that go with unlinked packages */
	struct cda_map *steps;   /* target -> index + 1 of the step that has it so far */
	struct cda_map *owners;  /* path -> name of the package that stays; made when needed */
	struct cda_err first;
	size_t conflicts;
};

static void list_owners(struct targets *targets)
{
	const struct cda_stage *stage = targets->stage;
	const struct cda_records *unlink = &stage->txn->plan->unlink;

	targets->owners = cda_map_new();
	for (size_t i = 0; i < cda_meta_count(stage->meta); i++) {
		const struct cda_installed *installed = cda_meta_at(stage->meta, i);
		bool stays = true;

		for (size_t k = 0; k < unlink->n; k++)
			stays = stays && strcmp(unlink->v[k]->name, installed->record.name) != 0;
		for (size_t k = 0; stays && k < installed->files.n; k++)
			cda_map_set(targets->owners, installed->files.v[k],
				    (void *)(uintptr_t)installed->record.name);
	}
}

static void conflict(struct targets *targets, const char *name, const char *path, const char *other,
		     bool is_installed)
{
	const struct cda_txn *txn = targets->stage->txn;
	CDA_AUTOFREE char *text =
		other ? cda_asprintf("the packages '%s' and '%s'%s both have the file '%s'", name,
				     other, is_installed ? ", which is installed," : "", path)
		      : cda_asprintf("the file '%s' of the package '%s' is there already and "
				     "belongs to no package",
				     path, name);

	switch (txn->path_conflict) {
	case CDA_CONFLICT_CLOBBER:
		cda_emit(txn->events, CDA_EVENT_DEBUG, "%s", text);
		break;
	case CDA_CONFLICT_WARN:
		cda_emit(txn->events, CDA_EVENT_WARNING, "%s: it is replaced", text);
		break;
	case CDA_CONFLICT_PREVENT:
		if (targets->conflicts++ == 0)
			cda_err_set(&targets->first, CDA_E_CLOBBER, "%s", text);
		break;
	}
}

/* What is at the path has to go. */
static void remove_path(struct targets *targets, const char *path)
{
	if (cda_map_has(targets->removed, path))
		return;
	cda_map_set(targets->removed, path, targets->removed);
	cda_stage_removals_push(
		&targets->stage->removals,
		(struct cda_stage_removal){.path = cda_arena_strdup(targets->stage->arena, path)});
}

static void list_removals(struct targets *targets)
{
	struct cda_stage *stage = targets->stage;
	const struct cda_records *unlink = &stage->txn->plan->unlink;
	struct stat st;

	for (size_t i = 0; i < unlink->n; i++) {
		const struct cda_installed *installed = cda_stage_installed(stage, unlink->v[i]);
		CDA_AUTOFREE char *record = NULL;

		if (!installed)
			continue;
		for (size_t k = 0; k < installed->files.n; k++) {
			const char *path = installed->files.v[k];

			/* A folder is nobody's: it goes when it is empty. */
			if (fstatat(stage->prefixfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    !S_ISDIR(st.st_mode))
				remove_path(targets, path);
		}
		record = cda_asprintf("conda-meta/%s", installed->file);
		remove_path(targets, record);
	}
}

static void check_step(struct targets *targets, size_t at)
{
	struct cda_stage *stage = targets->stage;
	struct cda_step *step = &stage->steps.v[at];
	const char *name = stage->packages.v[step->package].record.name;
	size_t other = (size_t)(uintptr_t)cda_map_get(targets->steps, step->target);
	struct stat st;

	cda_map_set(targets->steps, step->target, (void *)(uintptr_t)(at + 1));
	if (other > 0) {
		struct cda_step *before = &stage->steps.v[other - 1];

		before->is_overruled = true;
		conflict(targets, stage->packages.v[before->package].record.name, step->target,
			 name, false);
		return;
	}
	if (fstatat(stage->prefixfd, step->target, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    cda_map_has(targets->removed, step->target))
		return;
	if (S_ISDIR(st.st_mode)) {
		cda_strv_push(&stage->folders_in_the_way, step->target);
		return;
	}
	if (step->kind != CDA_STEP_PYC) {
		if (!targets->owners)
			list_owners(targets);
		conflict(targets, name, step->target, cda_map_get(targets->owners, step->target),
			 true);
	}
	remove_path(targets, step->target);
}

static int check_all(struct targets *targets, struct cda_err *err)
{
	struct cda_stage *stage = targets->stage;

	for (size_t i = 0; i < stage->steps.n; i++) {
		const char *target = stage->steps.v[i].target;

		/* Neither out of the prefix nor into what is not the package's to write. */
		if (!cda_fs_path_is_inside(target) || cda_starts_with(target, "conda-meta/"))
			return cda_err_set(err, CDA_E_ARCHIVE,
					   "the package '%s' has a file where none may be: '%s'",
					   stage->packages.v[stage->steps.v[i].package].record.name,
					   target);
		check_step(targets, i);
	}
	for (size_t i = 0; i < stage->packages.n; i++) {
		CDA_AUTOFREE char *name = cda_meta_file_name(&stage->packages.v[i].record);
		CDA_AUTOFREE char *path = cda_asprintf("conda-meta/%s", name);

		if (cda_fs_exists(stage->prefixfd, path))
			remove_path(targets, path);
	}
	if (targets->conflicts == 0)
		return 0;
	cda_err_move(err, &targets->first);
	if (targets->conflicts > 1)
		cda_err_hint(err, "%zu more files collide", targets->conflicts - 1);
	return cda_err_hint(err, "set path_conflict to 'warn' or 'clobber' to go on all the same");
}

int cda_stage_check_targets(struct cda_stage *stage, struct cda_err *err)
{
	struct targets targets = {.stage = stage, .removed = cda_map_new(), .steps = cda_map_new()};
	int rc;

	list_removals(&targets);
	rc = check_all(&targets, err);
	cda_err_done(&targets.first);
	cda_map_free(targets.removed);
	cda_map_free(targets.steps);
	cda_map_free(targets.owners);
	return rc;
}

int cda_stage_check_space(struct cda_stage *stage, struct cda_err *err)
{
	uint64_t need = 0, have;
	struct statvfs vfs;

	/* Only what is surely written: links cost nothing, and copies may be clones. */
	for (size_t i = 0; i < stage->steps.n; i++) {
		const struct cda_step *step = &stage->steps.v[i];

		if (step->kind == CDA_STEP_MOVE && step->info && step->info->size > 0)
			need += (uint64_t)step->info->size;
	}
	if (fstatvfs(stage->prefixfd, &vfs) != 0 || vfs.f_blocks == 0)
		return 0;
	have = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (need <= have)
		return 0;
	return cda_err_set(err, CDA_E_NOSPACE,
			   "not enough room in '%s': %ju bytes are needed, %ju are left",
			   stage->txn->prefix, (uintmax_t)need, (uintmax_t)have);
}

int cda_stage_check_allowed(const struct cda_txn *txn, struct cda_err *err)
{
	const char *const *text = txn->disallowed;

	for (; text && *text; text++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		int rc = cda_matchspec_parse(txn->config, *text, &spec, err);

		if (rc < 0)
			return cda_err_wrap(err, rc, "disallowed_packages");
		for (size_t i = 0; i < txn->plan->link.n; i++) {
			CDA_AUTOBUF struct cda_buf name = CDA_BUF_INIT;

			if (!cda_matchspec_match(spec, txn->plan->link.v[i]))
				continue;
			cda_record_format(txn->plan->link.v[i], &name);
			cda_err_set(err, CDA_E_DISALLOWED,
				    "the package '%s' is disallowed by configuration", name.p);
			return cda_err_hint(err, "see 'conda config --show disallowed_packages'");
		}
	}
	return 0;
}
