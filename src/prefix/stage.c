#include "prefix/stage.h"

#include "core/matchspec.h"
#include "prefix/link.h"
#include "prefix/rewrite.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/workers.h"

#include <errno.h>

/* A file with a placeholder is rewritten in memory. */
static const size_t rewrite_max = (size_t)4 << 30;
enum { record_max = 16 * 1024 * 1024 };

const struct cda_installed *cda_stage_installed(const struct cda_stage *stage,
						const struct cda_record *record)
{
	return cda_meta_find(stage->meta, record->name);
}

static bool is_unlinked(const struct cda_stage *stage, const char *name)
{
	const struct cda_records *unlink = &stage->txn->plan->unlink;

	for (size_t i = 0; i < unlink->n; i++)
		if (strcmp(unlink->v[i]->name, name) == 0)
			return true;
	return false;
}

/* The python that will be there: one that comes, else one that stays. */
static void find_python(struct cda_stage *stage)
{
	const struct cda_installed *installed = cda_meta_find(stage->meta, "python");

	for (size_t i = 0; i < stage->packages.n; i++) {
		const struct cda_record *record = &stage->packages.v[i].record;

		if (strcmp(record->name, "python") == 0) {
			cda_python_of(record, &stage->python);
			return;
		}
	}
	if (installed && !is_unlinked(stage, "python"))
		cda_python_of(&installed->record, &stage->python);
}

#define FILL(field)                                                                                \
	do {                                                                                       \
		if (!record->field)                                                                \
			record->field = from->field;                                               \
	} while (0)

/* What a bare URL does not tell, the package does. */
static void fill(struct cda_record *record, const struct cda_record *from)
{
	/* Repodata may well have taken a dependency away: then other fields are there. */
	bool is_bare = !record->license && record->timestamp == 0 && record->depends.n == 0 &&
		       record->constrains.n == 0;

	if (is_bare) {
		record->depends = from->depends;
		record->constrains = from->constrains;
		record->track_features = from->track_features;
	}
	FILL(md5);
	FILL(sha256);
	FILL(size);
	FILL(timestamp);
	FILL(license);
	FILL(license_family);
	FILL(features);
	FILL(subdir);
	FILL(python_site_packages_path);
	if (record->noarch == CDA_NOARCH_NONE && from->noarch != CDA_NOARCH_NONE) {
		record->noarch = from->noarch;
		record->noarch_text = from->noarch_text;
	}
}
#undef FILL

static void fill_from_cache(struct cda_stage *stage, struct cda_stage_package *package)
{
	CDA_AUTOFREE char *path =
		cda_path_join(package->source->extracted_dir, "info/repodata_record.json");
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_record cached = {0};
	struct cda_err err = {0};

	if (package->record.md5 && package->record.sha256 && package->record.size > 0)
		return;
	if (cda_json_read(AT_FDCWD, path, record_max, &doc, &err) >= 0 &&
	    cda_pkg_record_parse(yyjson_doc_get_root(doc), stage->arena, &cached, &err) >= 0)
		fill(&package->record, &cached);
	cda_err_done(&err);
}

/* requested_spec as conda fills it: the first update spec of that name. */
static void find_requested(struct cda_stage *stage)
{
	const struct cda_strv *specs = &stage->txn->plan->update_specs;

	for (size_t k = specs->n; k-- > 0;) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err err = {0};
		const char *name;

		if (cda_matchspec_parse(stage->txn->config, specs->v[k], &spec, &err) < 0) {
			cda_err_done(&err);
			continue;
		}
		name = cda_matchspec_name(spec);
		for (size_t i = 0; i < stage->packages.n; i++)
			if (cda_streq(stage->packages.v[i].record.name, name))
				stage->packages.v[i].record.requested_spec = specs->v[k];
	}
}

static void add_step(struct cda_stage *stage, size_t package, enum cda_step_kind kind,
		     const struct cda_pkg_path *info, const struct cda_entry_point *entry,
		     char *target)
{
	cda_steps_push(&stage->steps, (struct cda_step){.package = package,
							.kind = kind,
							.info = info,
							.entry = entry,
							.target = target});
}

static int add_file_steps(struct cda_stage *stage, size_t at, bool python, struct cda_err *err)
{
	const struct cda_stage_package *package = &stage->packages.v[at];

	for (size_t i = 0; i < package->info->paths.n; i++) {
		const struct cda_pkg_path *info = &package->info->paths.v[i];

		/* conda refuses these too; packages that need an empty folder put a file in. */
		if (info->type == CDA_PATH_DIRECTORY)
			return cda_err_set(err, CDA_E_ARCHIVE,
					   "the package '%s' lists the folder '%s': folders by "
					   "themselves cannot be installed",
					   package->record.name, info->path);
		add_step(stage, at,
			 info->prefix_placeholder && info->type == CDA_PATH_HARDLINK
				 ? CDA_STEP_MOVE
				 : CDA_STEP_PLACE,
			 info, NULL,
			 python ? cda_noarch_target(&stage->python, info->path)
				: cda_strdup(info->path));
	}
	return 0;
}

static int add_steps(struct cda_stage *stage, size_t at, struct cda_err *err)
{
	struct cda_stage_package *package = &stage->packages.v[at];
	bool python = package->record.noarch == CDA_NOARCH_PYTHON;
	size_t end;
	int rc;

	if (python && !stage->python.version)
		return cda_err_set(err, CDA_E_LINK,
				   "the package '%s' needs python, and the environment has none",
				   package->record.name);
	package->first_step = stage->steps.n;
	rc = add_file_steps(stage, at, python, err);
	end = stage->steps.n;
	for (size_t i = package->first_step; rc >= 0 && python && i < end; i++) {
		const char *path = stage->steps.v[i].info->path;

		if (cda_noarch_is_source(path))
			add_step(stage, at, CDA_STEP_PYC, NULL, NULL,
				 cda_noarch_pyc(&stage->python, stage->steps.v[i].target));
	}
	for (size_t i = 0; rc >= 0 && python && i < package->info->n_entry_points; i++)
		add_step(stage, at, CDA_STEP_MOVE, NULL, &package->info->entry_points[i],
			 cda_asprintf("bin/%s", package->info->entry_points[i].command));
	stage->packages.v[at].end_step = stage->steps.n;
	return rc;
}

static int read_package(void *ctx, size_t i, struct cda_err *err)
{
	struct cda_stage *stage = ctx;
	struct cda_stage_package *package = &stage->packages.v[i];
	int rc = cda_pkg_info_read(AT_FDCWD, package->source->extracted_dir, &package->info, err);

	return rc < 0 ? cda_err_wrap(err, rc, "the unpacked package '%s' cannot be used",
				     package->source->extracted_dir)
		      : rc;
}

int cda_stage_prepare(struct cda_stage *stage, struct cda_err *err)
{
	const struct cda_txn *txn = stage->txn;
	int rc;

	stage->arena = cda_arena_new();
	for (size_t i = 0; i < txn->plan->link.n; i++) {
		struct cda_stage_package *package =
			cda_stage_packages_push(&stage->packages, (struct cda_stage_package){0});

		package->record = *txn->plan->link.v[i];
		package->record.requested_spec = NULL;
		package->source = &txn->sources[i];
		package->record.extracted_package_dir = package->source->extracted_dir;
	}
	rc = cda_workers_run(stage->packages.n, txn->threads, read_package, stage, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < stage->packages.n; i++) {
		struct cda_stage_package *package = &stage->packages.v[i];

		fill_from_cache(stage, package);
		fill(&package->record, &package->info->record);
		if (package->info->noarch == CDA_NOARCH_PYTHON &&
		    package->record.noarch != CDA_NOARCH_PYTHON) {
			package->record.noarch = CDA_NOARCH_PYTHON;
			package->record.noarch_text = "python";
		}
	}
	find_requested(stage);
	find_python(stage);
	for (size_t i = 0; rc >= 0 && i < stage->packages.n; i++)
		rc = add_steps(stage, i, err);
	return rc;
}

/* A source file that is not what the package says: an error or a warning, as configured. */
static int unsafe(const struct cda_stage *stage, const struct cda_step *step, const char *what,
		  struct cda_err *err)
{
	const struct cda_stage_package *package = &stage->packages.v[step->package];

	if (stage->txn->safety_checks == CDA_CHECKS_WARN) {
		cda_emit(stage->txn->events, CDA_EVENT_WARNING,
			 "the package '%s' in '%s' is damaged: '%s' %s", package->record.name,
			 package->source->extracted_dir, step->info->path, what);
		return 0;
	}
	cda_err_set(err, CDA_E_SAFETY, "the package '%s' in '%s' is damaged: '%s' %s",
		    package->record.name, package->source->extracted_dir, step->info->path, what);
	return cda_err_hint(err, "remove '%s' and run the command again to unpack it anew",
			    package->source->extracted_dir);
}

static int lacks_file(const struct cda_stage_package *package, const char *source,
		      struct cda_err *err)
{
	cda_err_set(err, CDA_E_ARCHIVE, "the package '%s' lacks its file '%s'",
		    package->record.name, source);
	return cda_err_hint(err, "remove '%s' and run the command again to unpack it anew",
			    package->source->extracted_dir);
}

/* Whether a folder of the path is a link; those of `before`, the path of another step, are looked
 * at with that one. */
static bool is_behind_link(const char *dir, const char *path, const char *before)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);
		CDA_AUTOFREE char *part = NULL;
		struct stat st;

		if (before && strncmp(before, path, len + 1) == 0)
			continue;
		part = cda_asprintf("%s/%.*s", dir, (int)len, path);
		if (lstat(part, &st) != 0 || S_ISLNK(st.st_mode))
			return true;
	}
	return false;
}

static int check_source(const struct cda_stage *stage, const struct cda_step *step,
			const char *source, struct stat *ret_st, struct cda_err *err)
{
	const struct cda_stage_package *package = &stage->packages.v[step->package];
	const struct cda_pkg_path *info = step->info;
	const char *before = NULL;
	char hex[CDA_HASH_HEX_MAX];
	int rc = 0;

	if (fstatat(AT_FDCWD, source, ret_st, AT_SYMLINK_NOFOLLOW) != 0)
		return lacks_file(package, source, err);
	/* A folder of the package that is a link would bring files of others. */
	if (step > stage->steps.v + package->first_step && step[-1].info)
		before = step[-1].info->path;
	if (is_behind_link(package->source->extracted_dir, info->path, before))
		return cda_err_set(err, CDA_E_ARCHIVE,
				   "the package '%s' lists '%s', which is behind a link",
				   package->record.name, info->path);
	if (!S_ISREG(ret_st->st_mode) && !S_ISLNK(ret_st->st_mode))
		return cda_err_set(err, CDA_E_ARCHIVE, "'%s' is no file", source);
	if (stage->txn->safety_checks == CDA_CHECKS_DISABLED || !S_ISREG(ret_st->st_mode) ||
	    info->type != CDA_PATH_HARDLINK)
		return 0;
	if (info->size >= 0 && info->size != ret_st->st_size)
		rc = unsafe(stage, step, "has another size than listed", err);
	if (rc >= 0 && stage->txn->extra_safety_checks && info->sha256) {
		rc = cda_hash_file(CDA_SHA256, AT_FDCWD, source, hex, err);
		if (rc >= 0 && !cda_hash_eq(hex, info->sha256))
			rc = unsafe(stage, step, "has another sha256 than listed", err);
	}
	return rc;
}

static int write_staged(struct cda_stage *stage, struct cda_step *step, const struct cda_buf *text,
			mode_t mode, const struct stat *st, struct cda_err *err)
{
	step->staged = cda_journal_new_name(stage->journal);
	CDA_AUTOCLOSE int fd = cda_journal_check(step->staged) != 0
				       ? -1
				       : openat(stage->prefixfd, step->staged,
						O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || cda_fs_write_all(fd, text->p, text->len) != 0 ||
	    (st && fchmod(fd, (st->st_mode & 07777) | S_IWUSR) != 0) || close(cda_take_fd(fd)) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", step->target);
	cda_hash_mem(CDA_SHA256, text->p, text->len, step->sha256_in_prefix);
	return 0;
}

static int stage_rewritten(struct cda_stage *stage, struct cda_step *step, const char *source,
			   const struct stat *st, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, fresh = CDA_BUF_INIT;
	const char *placeholder = step->info->prefix_placeholder;
	int rc = cda_fs_read(AT_FDCWD, source, rewrite_max, &text, err);

	if (rc >= 0 && step->info->file_mode == CDA_FILE_BINARY)
		rc = cda_rewrite_binary(text.p, text.len, placeholder, stage->txn->prefix, &fresh,
					err);
	else if (rc >= 0)
		cda_rewrite_text(text.p, text.len, placeholder, stage->txn->prefix, &fresh);
	if (rc < 0)
		return cda_err_wrap(err, rc, "cannot install '%s' of the package '%s'",
				    step->target, stage->packages.v[step->package].record.name);
	return write_staged(stage, step, &fresh, 0600, st, err);
}

static int stage_entry(struct cda_stage *stage, struct cda_step *step, struct cda_err *err)
{
	CDA_AUTOFREE char *interpreter = cda_path_join(stage->txn->prefix, stage->python.program);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_entry_point_format(step->entry, interpreter, &text);
	return write_staged(stage, step, &text, 0777, NULL, err);
}

static int verify_step(struct cda_stage *stage, struct cda_step *step, struct cda_err *err)
{
	const struct cda_stage_package *package = &stage->packages.v[step->package];
	CDA_AUTOFREE char *source = NULL;
	struct stat st;
	int rc;

	if (step->entry)
		return stage_entry(stage, step, err);
	if (!step->info)
		return 0;
	source = cda_path_join(package->source->extracted_dir, step->info->path);
	rc = check_source(stage, step, source, &st, err);
	if (rc < 0 || step->kind != CDA_STEP_MOVE)
		return rc;
	/* A link is no text to rewrite, whatever the list says. */
	if (S_ISLNK(st.st_mode)) {
		step->kind = CDA_STEP_PLACE;
		return 0;
	}
	return stage_rewritten(stage, step, source, &st, err);
}

/* So many files are one job: small packages are many, large ones are some. */
enum { steps_per_job = 64 };

static int verify_some(void *ctx, size_t job, struct cda_err *err)
{
	struct cda_stage *stage = ctx;
	size_t end = (job + 1) * steps_per_job;
	int rc = 0;

	for (size_t i = job * steps_per_job; rc >= 0 && i < end && i < stage->steps.n; i++) {
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		rc = verify_step(stage, &stage->steps.v[i], err);
	}
	return rc;
}

static void choose_link_types(struct cda_stage *stage)
{
	const struct cda_txn *txn = stage->txn;

	for (size_t i = 0; i < stage->packages.n; i++) {
		struct cda_stage_package *package = &stage->packages.v[i];
		CDA_AUTOFREE char *probe = NULL;

		if (txn->always_copy) {
			package->link_type = CDA_LINK_COPY;
		} else if (txn->always_softlink) {
			package->link_type = CDA_LINK_SOFT;
		} else {
			probe = cda_journal_new_name(stage->journal);
			package->link_type = cda_link_choose(stage->prefixfd, probe,
							     package->source->extracted_dir,
							     txn->allow_softlinks);
		}
	}
}

int cda_stage_verify(struct cda_stage *stage, struct cda_err *err)
{
	size_t jobs = (stage->steps.n + steps_per_job - 1) / steps_per_job;
	int rc = cda_journal_new(stage->prefixfd, &stage->journal, err);

	if (rc < 0)
		return rc;
	choose_link_types(stage);
	rc = cda_stage_check_space(stage, err);
	if (rc >= 0)
		rc = cda_workers_run(jobs, stage->txn->threads, verify_some, stage, err);
	return rc < 0 ? rc : cda_stage_check_targets(stage, err);
}

void cda_stage_done(struct cda_stage *stage)
{
	cda_vec_each (package, &stage->packages)
		cda_pkg_info_free(package->info);
	cda_vec_each (step, &stage->steps) {
		free(step->target);
		free(step->staged);
	}
	cda_stage_packages_done(&stage->packages);
	cda_steps_done(&stage->steps);
	cda_stage_removals_done(&stage->removals);
	cda_strv_done(&stage->folders_in_the_way);
	cda_python_done(&stage->python);
	cda_journal_free(stage->journal);
	cda_meta_free(stage->meta);
	if (stage->arena)
		cda_arena_free(stage->arena);
	*stage = (struct cda_stage){.prefixfd = -1};
}
