/* cda_stage_apply of stage.h: the files of the prefix change. Each change is in the journal before
 * it is made. */
#include "prefix/stage.h"

#include "prefix/history.h"
#include "prefix/link.h"
#include "prefix/script.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/workers.h"

#include <errno.h>
#include <stdatomic.h>

static int interrupted(struct cda_err *err)
{
	return cda_interrupted ? cda_err_set(err, CDA_E_INTERRUPTED, "interrupted") : 0;
}

static int run_script(struct cda_stage *stage, enum cda_script action, const char *dir,
		      const struct cda_record *record, struct cda_err *err)
{
	const struct cda_txn *txn = stage->txn;
	int rc = interrupted(err);

	if (rc < 0 || txn->skip_scripts)
		return rc;
	rc = cda_script_run(action, dir, txn->prefix, txn->root_prefix, record, txn->env,
			    txn->events, err);
	/* A script that the same Ctrl-C ended did not fail by itself. */
	if (rc < 0 && cda_interrupted) {
		cda_err_done(err);
		return interrupted(err);
	}
	return rc;
}

static int unlink_all(struct cda_stage *stage, struct cda_err *err)
{
	const struct cda_records *unlink = &stage->txn->plan->unlink;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < unlink->n; i++) {
		const struct cda_installed *installed = cda_stage_installed(stage, unlink->v[i]);

		if (installed)
			rc = run_script(stage, CDA_SCRIPT_PRE_UNLINK, stage->txn->prefix,
					&installed->record, err);
	}
	for (size_t i = 0; i < stage->removals.n; i++)
		cda_journal_plan_move(stage->journal, stage->removals.v[i].path,
				      &stage->removals.v[i].id);
	if (rc >= 0)
		rc = cda_journal_flush(stage->journal, err);
	for (size_t i = 0; rc >= 0 && i < stage->removals.n; i++) {
		rc = interrupted(err);
		if (rc >= 0)
			rc = cda_journal_move(stage->journal, stage->removals.v[i].id,
					      stage->removals.v[i].path, err);
	}
	for (size_t i = 0; rc >= 0 && i < stage->folders_in_the_way.n; i++)
		if (cda_fs_is_dir(stage->prefixfd, stage->folders_in_the_way.v[i]))
			rc = cda_journal_rmdirs(stage->journal, stage->folders_in_the_way.v[i],
						err);
	return rc;
}

static bool is_placed(const struct cda_step *step)
{
	return !step->is_overruled && step->kind != CDA_STEP_PYC;
}

static int make_folders(struct cda_stage *stage, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < stage->steps.n; i++) {
		const struct cda_step *step = &stage->steps.v[i];
		CDA_AUTOFREE char *dir = cda_path_dirname(step->target);

		/* The compiler makes its own folders; they are noted with what it makes. */
		if (step->is_overruled || cda_map_has(known, dir) ||
		    (step->kind == CDA_STEP_PYC && stage->txn->no_compile))
			continue;
		cda_map_set(known, dir, known);
		rc = cda_journal_mkdirs(stage->journal, dir, err);
		if (rc < 0)
			cda_err_wrap(err, rc, "cannot install the package '%s'",
				     stage->packages.v[step->package].record.name);
	}
	return rc;
}

struct placing {
	struct cda_stage *stage;
	atomic_size_t done;
};

enum { steps_per_job = 64 };

static int place_some(void *ctx, size_t job, struct cda_err *err)
{
	struct placing *placing = ctx;
	struct cda_stage *stage = placing->stage;
	CDA_AUTOFOLDER struct cda_link_folder folder = {stage->prefixfd, -1, NULL};
	size_t end = (job + 1) * steps_per_job, done;
	int rc = 0;

	if (end > stage->steps.n)
		end = stage->steps.n;
	for (size_t i = job * steps_per_job; rc >= 0 && i < end; i++) {
		const struct cda_step *step = &stage->steps.v[i];
		const struct cda_stage_package *package = &stage->packages.v[step->package];

		rc = interrupted(err);
		if (rc < 0 || !is_placed(step))
			continue;
		if (step->kind == CDA_STEP_MOVE) {
			rc = cda_link_move(&folder, step->staged, step->target, err);
		} else {
			CDA_AUTOFREE char *source =
				cda_path_join(package->source->extracted_dir, step->info->path);

			rc = cda_link_place(
				&folder, source, step->target,
				step->info->no_link ? CDA_LINK_COPY : package->link_type, err);
		}
	}
	done = atomic_fetch_add(&placing->done, end - job * steps_per_job);
	cda_emit_progress(stage->txn->events, "Executing transaction",
			  done + end - job * steps_per_job, stage->steps.n);
	return rc < 0 ? cda_err_wrap(err, rc, "environment '%s'", stage->txn->prefix) : rc;
}

static int link_all(struct cda_stage *stage, struct cda_err *err)
{
	struct placing placing = {.stage = stage};
	size_t jobs = (stage->steps.n + steps_per_job - 1) / steps_per_job;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < stage->packages.n; i++)
		rc = run_script(stage, CDA_SCRIPT_PRE_LINK,
				stage->packages.v[i].source->extracted_dir,
				&stage->packages.v[i].record, err);
	if (rc >= 0)
		rc = make_folders(stage, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < stage->steps.n; i++)
		if (!stage->steps.v[i].is_overruled)
			cda_journal_plan_add(stage->journal, stage->steps.v[i].target);
	for (size_t i = 0; i < stage->packages.n; i++) {
		CDA_AUTOFREE char *name = cda_meta_file_name(&stage->packages.v[i].record);
		CDA_AUTOFREE char *path = cda_asprintf("conda-meta/%s", name);

		cda_journal_plan_add(stage->journal, path);
	}
	rc = cda_journal_flush(stage->journal, err);
	if (rc < 0)
		return rc;
	return cda_workers_run(jobs, stage->txn->threads, place_some, &placing, err);
}

static int compile(struct cda_stage *stage, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv sources = {0};
	bool done = true;
	int rc = interrupted(err);

	if (rc < 0 || stage->txn->no_compile)
		return rc;
	for (size_t i = 0; i < stage->steps.n; i++) {
		const struct cda_step *step = &stage->steps.v[i];

		if (!step->is_overruled && step->info && cda_noarch_is_source(step->info->path) &&
		    stage->packages.v[step->package].record.noarch == CDA_NOARCH_PYTHON)
			cda_strv_push(&sources, step->target);
	}
	rc = cda_noarch_compile(stage->txn->prefix, &stage->python, &sources, stage->txn->env,
				&done, err);
	if (rc < 0) {
		/* The files are compiled when they are first used. */
		cda_emit(stage->txn->events, CDA_EVENT_DEBUG, "no python to compile: %s", err->msg);
		cda_err_done(err);
	} else if (!done) {
		cda_emit(stage->txn->events, CDA_EVENT_DEBUG, "some Python files do not compile");
	}
	return interrupted(err);
}

static enum cda_meta_kind kind_in_prefix(const struct cda_step *step, enum cda_link_type link_type)
{
	if (step->entry)
		return CDA_META_ENTRY_POINT;
	if (step->kind == CDA_STEP_PYC)
		return CDA_META_PYC;
	if (step->info->type == CDA_PATH_SOFTLINK ||
	    (link_type == CDA_LINK_SOFT && step->kind == CDA_STEP_PLACE && !step->info->no_link))
		return CDA_META_SOFTLINK;
	return CDA_META_HARDLINK;
}

static void describe(const struct cda_step *step, enum cda_link_type link_type,
		     struct cda_meta_path *path)
{
	const struct cda_pkg_path *info = step->info;

	*path = (struct cda_meta_path){
		.path = info ? info->path : step->target,
		.target = step->target,
		.kind = kind_in_prefix(step, link_type),
		.size = -1,
	};
	if (!info)
		return;
	path->no_link = info->no_link;
	path->sha256 = info->sha256;
	path->size = info->size;
	path->placeholder = info->prefix_placeholder;
	if (info->prefix_placeholder)
		path->file_mode = info->file_mode == CDA_FILE_BINARY ? "binary" : "text";
	if (step->kind == CDA_STEP_MOVE)
		path->sha256_in_prefix = step->sha256_in_prefix;
	else if (path->kind == CDA_META_HARDLINK)
		path->sha256_in_prefix = info->sha256;
}

static int write_record(struct cda_stage *stage, const struct cda_stage_package *package,
			struct cda_err *err)
{
	size_t n = package->end_step - package->first_step;
	CDA_AUTOFREE struct cda_meta_path *paths = cda_alloc0(n + 1, sizeof(*paths));
	CDA_AUTOFREE const char **files = cda_alloc0(n + 1, sizeof(*files));
	CDA_AUTOFREE char *name = cda_meta_file_name(&package->record);
	CDA_AUTOFREE char *path = cda_asprintf("conda-meta/%s", name);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_installed installed = {
		.record = package->record,
		.file = name,
		.package_tarball_full_path = package->source->tarball,
		.link_source = package->source->extracted_dir,
		.link_type = package->link_type,
		.files = {files, n},
		.paths = paths,
		.path_count = n,
	};

	for (size_t i = 0; i < n; i++) {
		const struct cda_step *step = &stage->steps.v[package->first_step + i];

		describe(step, package->link_type, &paths[i]);
		files[i] = step->target;
	}
	cda_meta_format(&installed, &text);
	CDA_AUTOCLOSE int fd = cda_journal_check(path) != 0
				       ? -1
				       : openat(stage->prefixfd, path,
						O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || cda_fs_write_all(fd, text.p, text.len) != 0 || close(cda_take_fd(fd)) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

static char *dist_of(const struct cda_record *record)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_record_format(record, &text);
	return cda_buf_take(&text);
}

static const char *name_of(const char *dist)
{
	const char *name = strstr(dist, "::");

	return name ? name + 2 : dist;
}

/* What stays is what the history calls it, whatever its channel is called now. */
static char *kept_dist(const struct cda_record *record, const struct cda_map *known)
{
	CDA_AUTOFREE char *dist = dist_of(record);
	const char *before = cda_map_get(known, name_of(dist));

	return cda_strdup(before ? before : dist);
}

static void list_dists(struct cda_stage *stage, const struct cda_strv *before,
		       struct cda_strv *after)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	CDA_CLEANUP(cda_map_freep) struct cda_map *gone = cda_map_new();
	const struct cda_records *unlink = &stage->txn->plan->unlink;

	for (size_t i = 0; i < before->n; i++)
		cda_map_set(known, name_of(before->v[i]), before->v[i]);
	for (size_t i = 0; i < unlink->n; i++)
		cda_map_set(gone, unlink->v[i]->name, gone);
	for (size_t i = 0; i < cda_meta_count(stage->meta); i++) {
		const struct cda_record *record = &cda_meta_at(stage->meta, i)->record;

		if (!cda_map_has(gone, record->name))
			cda_strv_take(after, kept_dist(record, known));
	}
	for (size_t i = 0; i < stage->packages.n; i++)
		cda_strv_take(after, dist_of(&stage->packages.v[i].record));
}

static int write_history(struct cda_stage *stage, struct cda_buf *ret_new, struct cda_err *err)
{
	static const char path[] = "conda-meta/history";
	const struct cda_txn *txn = stage->txn;
	const size_t max = 256 << 20;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv before = {0}, after = {0};
	struct cda_history_change change = {
		.date = txn->history_date,
		.cmd = txn->history_cmd,
		.conda_version = txn->history_version,
		.remove_specs = &txn->plan->remove_specs,
		.update_specs = &txn->plan->update_specs,
		.neutered_specs = &txn->plan->neutered_specs,
	};
	bool there = cda_fs_exists(stage->prefixfd, path);
	int rc = there ? cda_fs_read(stage->prefixfd, path, max, &text, err) : 0;

	if (rc < 0)
		return rc;
	cda_history_parse(text.p, text.len, &history);
	if (history.entries.n > 0)
		cda_history_state(&history, history.entries.n - 1, &before);
	list_dists(stage, &before, &after);
	if (text.len > 0 && text.p[text.len - 1] != '\n')
		cda_buf_addc(&text, '\n');
	if (txn->history_cmd && txn->history_version)
		cda_history_format(&change, &before, &after, &text);
	else if (there)
		return 0;
	if (!there)
		cda_buf_add(ret_new, text.p, text.len);
	return cda_journal_replace(stage->journal, path, text.p, text.len, 0666, err);
}

int cda_stage_apply(struct cda_stage *stage, struct cda_buf *ret_new_history, struct cda_err *err)
{
	int rc = unlink_all(stage, err);

	if (rc >= 0)
		rc = link_all(stage, err);
	if (rc >= 0)
		rc = compile(stage, err);
	for (size_t i = 0; rc >= 0 && i < stage->packages.n; i++)
		rc = write_record(stage, &stage->packages.v[i], err);
	if (rc >= 0)
		rc = write_history(stage, ret_new_history, err);
	for (size_t i = 0; rc >= 0 && i < stage->packages.n; i++)
		rc = run_script(stage, CDA_SCRIPT_POST_LINK, stage->txn->prefix,
				&stage->packages.v[i].record, err);
	return rc >= 0 ? interrupted(err) : rc;
}
