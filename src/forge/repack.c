#include "forge/repack.h"
#include "forge/closure.h"
#include "forge/compile.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"
#include "util/workers.h"

#include <errno.h>

/* goes into every build hash: bump it when the same input gives other packages */
#define FORGE_FORMAT "2"

struct run {
	const struct cda_repack *repack;
	struct cda_packages packages;
	struct cda_map *deb_paths; /* name to owned path */
};

void cda_repack_debs(const struct cda_recipes *recipes, struct cda_strv *ret)
{
	for (size_t i = 0; i < recipes->n; i++) {
		cda_strv_append(ret, &recipes->v[i].debs);
		cda_strv_append(ret, &recipes->v[i].with);
	}
	cda_strv_sort(ret);
	cda_strv_uniq(ret);
}

/* NAME_VERSION_ARCH.deb of the folder, by name; of two versions the later by byte order wins. */
static int list_debs(struct run *run, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc = cda_fs_list(AT_FDCWD, run->repack->debs, &names, err);

	for (size_t i = 0; !rc && i < names.n; i++) {
		CDA_AUTOFREE char *name = cda_strndup(names.v[i], strcspn(names.v[i], "_"));

		if (cda_ends_with(names.v[i], ".deb"))
			free(cda_map_set(run->deb_paths, name,
					 cda_path_join(run->repack->debs, names.v[i])));
	}
	return rc;
}

static int open_deb(struct run *run, const char *name, struct cda_deb *ret, struct cda_err *err)
{
	const char *path = cda_map_get(run->deb_paths, name);

	if (!path)
		return cda_err_set(err, CDA_E_NOTFOUND, "the Debian package '%s' is not in '%s'",
				   name, run->repack->debs);
	return cda_deb_open(path, ret, err);
}

static int open_package(struct run *run, const struct cda_recipe *recipe, struct cda_err *err)
{
	struct cda_package package = {.recipe = recipe,
				      .subdir = recipe->noarch ? "noarch" : "linux-64"};
	int rc = cda_stage_open(run->repack->work, recipe, &package.stage, err);

	package.version = cda_strdup_null(recipe->version);
	for (size_t i = 0; !rc && i < recipe->debs.n; i++) {
		struct cda_deb deb;

		rc = open_deb(run, recipe->debs.v[i], &deb, err);
		if (rc)
			break;
		if (cda_streq(deb.name, recipe->version_deb))
			package.version = cda_deb_upstream(deb.version, recipe->version_is_date);
		cda_debs_push(&package.debs, deb);
	}
	cda_packages_push(&run->packages, package);
	return rc ? cda_err_wrap(err, rc, "package '%s'", recipe->name) : 0;
}

/* ">=3.5.7,<4.0a0": the version or newer, with the same first n parts. */
static char *range_of(const char *version, size_t n)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_str rest = cda_str(version), part;

	cda_buf_addf(&out, ">=%s,<", version);
	for (size_t i = 1; cda_str_cut(&rest, ".", &part); i++) {
		CDA_AUTOFREE char *text = cda_strndup(part.p, strspn(part.p, "0123456789"));
		int64_t number = 0;

		if (i < n && rest.len > 0) {
			cda_buf_addf(&out, "%.*s.", (int)part.len, part.p);
			continue;
		}
		if (!cda_parse_int(text, 0, INT32_MAX, &number))
			number = 0;
		cda_buf_addf(&out, "%lld.0a0", (long long)number + 1);
		break;
	}
	return cda_buf_take(&out);
}

static int resolve_list(struct run *run, const struct cda_strv *specs, struct cda_strv *ret,
			struct cda_err *err)
{
	for (size_t i = 0; i < specs->n; i++) {
		const char *at = strstr(specs->v[i], " @");
		CDA_AUTOFREE char *name = cda_strndup(specs->v[i], strcspn(specs->v[i], " "));
		const char *version = NULL;
		CDA_AUTOFREE char *range = NULL;
		int64_t parts;

		if (!at) {
			cda_strv_push(ret, specs->v[i]);
			continue;
		}
		for (size_t k = 0; k < run->packages.n; k++)
			if (cda_streq(run->packages.v[k].recipe->name, name))
				version = run->packages.v[k].version;
		if (!version)
			return cda_err_set(err, CDA_E_VALUE, "no recipe makes '%s'", name);
		if (cda_streq(at, " @="))
			range = cda_asprintf("==%s", version);
		else if (cda_parse_int(at + 2, 1, 9, &parts))
			range = range_of(version, (size_t)parts);
		else
			return cda_err_set(err, CDA_E_VALUE, "wrong version rule '%s'",
					   specs->v[i]);
		cda_strv_pushf(ret, "%s %s", name, range);
	}
	return 0;
}

static int hash_copies(const struct cda_recipe *recipe, struct cda_hash *hash, struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < recipe->steps.n; i++) {
		const struct cda_step *step = &recipe->steps.v[i];
		CDA_AUTOSTRV struct cda_strv files = {0};
		const char *path = step->args.n ? step->args.v[0] : "";

		if (step->kind != CDA_STEP_COPY)
			continue;
		if (!cda_fs_is_dir(AT_FDCWD, path)) {
			rc = cda_hash_file(CDA_SHA256, AT_FDCWD, path, hex, err);
			cda_hash_add(hash, hex, rc ? 0 : 64);
			continue;
		}
		CDA_AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		rc = fd < 0 ? cda_err_sys(err, errno, "cannot open '%s'", path)
			    : cda_stage_files(fd, &files, err);
		for (size_t k = 0; !rc && k < files.n; k++) {
			rc = cda_hash_file(CDA_SHA256, fd, files.v[k], hex, err);
			cda_hash_add(hash, hex, rc ? 0 : 64);
		}
	}
	return rc;
}

static int make_build(struct cda_package *package, struct cda_err *err)
{
	const struct cda_recipe *recipe = package->recipe;
	CDA_CLEANUP(cda_hash_freep) struct cda_hash *hash = cda_hash_new(CDA_SHA256);
	CDA_AUTOFREE char *depends = cda_strv_join(&package->depends, "\n");
	char hex[CDA_HASH_HEX_MAX];
	int rc;

	if (recipe->build) {
		package->build = cda_strdup(recipe->build);
		return 0;
	}
	cda_hash_add(hash, FORGE_FORMAT, strlen(FORGE_FORMAT));
	cda_hash_add(hash, recipe->text, strlen(recipe->text));
	cda_hash_add(hash, depends, strlen(depends));
	cda_hash_add(hash, package->version, strlen(package->version));
	for (size_t i = 0; i < package->debs.n; i++)
		cda_hash_add(hash, package->debs.v[i].sha256, 64);
	rc = hash_copies(recipe, hash, err);
	if (rc)
		return cda_err_wrap(err, rc, "package '%s'", recipe->name);
	cda_hash_hex(hash, hex);
	package->build = cda_asprintf(
		"%s%.7s_%d%s%s", cda_streq(recipe->noarch, "python") ? "pyh" : "h", hex,
		recipe->number, recipe->tag ? "_" : "", recipe->tag ? recipe->tag : "");
	return 0;
}

static int make_stage(void *ctx, size_t i, struct cda_err *err)
{
	struct run *run = ctx;
	struct cda_package *package = &run->packages.v[i];
	int64_t newest = 0;
	int rc = 0;

	for (size_t k = 0; !rc && k < package->debs.n; k++) {
		rc = cda_deb_unpack(&package->debs.v[k], package->stage.deb_fd, err);
		if (package->debs.v[k].newest > newest)
			newest = package->debs.v[k].newest;
	}
	package->stage.epoch = newest ? newest : run->repack->epoch;
	if (!rc)
		rc = cda_stage_run(&package->stage, err);
	/* glibc is no package: what the files ask of it becomes a need of the virtual package, so
	 * that an older system is told before anything is installed. */
	if (!rc && package->stage.glibc)
		cda_strv_pushf(&package->depends, "__glibc >=%s,<3.0.a0", package->stage.glibc);
	if (!rc)
		cda_emit(run->repack->events, CDA_EVENT_DEBUG, "staged %s", package->recipe->name);
	return rc;
}

static int write_package(void *ctx, size_t i, struct cda_err *err)
{
	struct run *run = ctx;
	int rc = cda_package_write(&run->packages.v[i], run->repack->out, run->repack->level, err);

	if (!rc)
		cda_emit(run->repack->events, CDA_EVENT_INFO, "%s/%s", run->packages.v[i].subdir,
			 run->packages.v[i].fn);
	return rc;
}

static int unpack_with(struct run *run, struct cda_package *package, struct cda_err *err)
{
	const struct cda_strv *with = &package->recipe->with;
	CDA_AUTOFREE char *dir = cda_path_join(package->stage.dir, "with");
	CDA_AUTOCLOSE int fd = -1;
	int rc = cda_fs_mkdirs(AT_FDCWD, dir, 0755, err);

	if (rc)
		return rc;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dir);
	for (size_t i = 0; !rc && i < with->n; i++) {
		struct cda_deb deb = {0};

		rc = open_deb(run, with->v[i], &deb, err);
		if (!rc)
			rc = cda_deb_unpack(&deb, fd, err);
		cda_deb_done(&deb);
	}
	return rc;
}

static int compile_all(struct run *run, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv libs = {0};
	int rc = 0;

	for (size_t i = 0; i < run->packages.n; i++)
		cda_strv_pushf(&libs, "%s/pkg/lib", run->packages.v[i].stage.dir);
	for (size_t i = 0; !rc && i < run->packages.n; i++) {
		struct cda_package *package = &run->packages.v[i];

		if (package->stage.compile.n == 0)
			continue;
		rc = unpack_with(run, package, err);
		if (!rc)
			rc = cda_compile_stage(&package->stage, &libs, err);
		if (rc)
			cda_err_wrap(err, rc, "package '%s'", package->recipe->name);
	}
	return rc;
}

static int prepare(struct run *run, struct cda_err *err)
{
	const struct cda_recipes *recipes = run->repack->recipes;
	int rc = list_debs(run, err);

	for (size_t i = 0; !rc && i < recipes->n; i++)
		rc = open_package(run, &recipes->v[i], err);
	for (size_t i = 0; !rc && i < run->packages.n; i++) {
		struct cda_package *package = &run->packages.v[i];

		rc = resolve_list(run, &package->recipe->depends, &package->depends, err);
		if (!rc)
			rc = resolve_list(run, &package->recipe->constrains, &package->constrains,
					  err);
		if (rc)
			return cda_err_wrap(err, rc, "package '%s'", package->recipe->name);
		rc = make_build(package, err);
	}
	return rc;
}

int cda_repack_run(const struct cda_repack *repack, size_t *ret_count, struct cda_err *err)
{
	struct run run = {.repack = repack, .deb_paths = cda_map_new()};
	const char *key;
	void *value;
	size_t at = 0;
	int rc = prepare(&run, err);

	if (!rc)
		rc = cda_workers_run(run.packages.n, repack->jobs, make_stage, &run, err);
	if (!rc)
		rc = cda_closure_check(&run.packages, err);
	if (!rc)
		rc = compile_all(&run, err);
	if (!rc)
		rc = cda_workers_run(run.packages.n, repack->jobs, write_package, &run, err);
	if (!rc && ret_count)
		*ret_count = run.packages.n;
	cda_vec_each (package, &run.packages)
		cda_package_done(package);
	cda_packages_done(&run.packages);
	while (cda_map_next(run.deb_paths, &at, &key, &value))
		free(value);
	cda_map_free(run.deb_paths);
	return rc;
}
