#include "forge/closure.h"
#include "forge/elf.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"

#include <sys/stat.h>

#define FILE_MAX ((size_t)1 << 30)

static const struct cda_package *find(const struct cda_packages *packages, const char *name)
{
	for (size_t i = 0; i < packages->n; i++)
		if (cda_streq(packages->v[i].recipe->name, name))
			return &packages->v[i];
	return NULL;
}

static int visit(const struct cda_packages *packages, const char *name, struct cda_strv *seen,
		 struct cda_strv *ret, struct cda_err *err)
{
	const struct cda_package *package = find(packages, name);
	int rc = 0;

	if (cda_strv_has(seen, name))
		return 0;
	if (!package)
		return cda_err_set(err, CDA_E_VALUE, "no recipe makes the package '%s'", name);
	cda_strv_push(seen, name);
	for (size_t i = 0; !rc && i < package->depends.n; i++) {
		const char *spec = package->depends.v[i];
		CDA_AUTOFREE char *other = cda_strndup(spec, strcspn(spec, " "));

		if (cda_starts_with(other, "__"))
			continue;
		rc = visit(packages, other, seen, ret, err);
	}
	cda_strv_push(ret, name);
	return rc ? cda_err_wrap(err, rc, "package '%s'", name) : 0;
}

int cda_closure_order(const struct cda_packages *packages, const struct cda_strv *names,
		      struct cda_strv *ret, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv seen = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < names->n; i++)
		rc = visit(packages, names->v[i], &seen, ret, err);
	return rc;
}

struct have { /* what one package brings: paths, and the libraries of lib/ */
	struct cda_strv paths;
	struct cda_map *libs;
};
CDA_VEC_DEFINE(haves, struct have);

static int check_file(const struct cda_packages *packages, const struct haves *haves, size_t at,
		      const struct cda_strv *closure, const char *path, struct cda_err *err)
{
	const struct cda_package *package = &packages->v[at];
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_elf_info info;
	int rc = cda_fs_read(package->stage.pkg_fd, path, FILE_MAX, &file, err);

	if (rc || !cda_elf_is(file.p, file.len))
		return rc;
	rc = cda_elf_info(&file, &info, err);
	if (rc)
		return cda_err_wrap(err, rc, "'%s'", path);
	for (size_t i = 0; !rc && i < info.needed.n; i++) {
		const char *lib = info.needed.v[i];
		bool found =
			cda_stage_is_glibc(lib) || cda_strv_has(&package->recipe->outside, lib);

		for (size_t k = 0; !found && k < packages->n; k++)
			found = cda_strv_has(closure, packages->v[k].recipe->name) &&
				cda_map_has(haves->v[k].libs, lib);
		if (!found)
			rc = cda_err_set(err, CDA_E_VALUE,
					 "'%s' needs '%s', which no dependency has", path, lib);
	}
	cda_elf_info_done(&info);
	return rc;
}

/* A link must lead to a file of its own package. */
static int check_link(const struct cda_package *package, const char *path, struct cda_err *err)
{
	CDA_AUTOFREE char *target = cda_fs_readlink(package->stage.pkg_fd, path);
	CDA_AUTOFREE char *dir = cda_path_dirname(path);
	struct cda_str rest = cda_str(target ? target : "/"), part;
	int depth = 0;

	for (const char *c = cda_streq(dir, ".") ? "" : dir; *c; c++)
		depth += *c == '/' || c == dir;
	if (rest.p[0] == '/')
		depth = -1;
	while (depth >= 0 && cda_str_cut(&rest, "/", &part))
		depth += cda_str_eq(part, CDA_STR("..")) ? -1 : 1;
	if (depth < 0)
		return cda_err_set(err, CDA_E_VALUE, "the link '%s' leads outside, to '%s'", path,
				   target ? target : "");
	if (faccessat(package->stage.pkg_fd, path, F_OK, 0) != 0)
		return cda_err_set(err, CDA_E_VALUE, "the link '%s' leads nowhere: '%s'", path,
				   target);
	return 0;
}

static int check_package(const struct cda_packages *packages, const struct haves *haves, size_t at,
			 struct cda_err *err)
{
	const struct cda_package *package = &packages->v[at];
	CDA_AUTOSTRV struct cda_strv name = {0}, closure = {0};
	int rc;

	cda_strv_push(&name, package->recipe->name);
	rc = cda_closure_order(packages, &name, &closure, err);
	for (size_t i = 0; !rc && i < haves->v[at].paths.n; i++) {
		const char *path = haves->v[at].paths.v[i];
		struct stat st;

		if (fstatat(package->stage.pkg_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			rc = check_link(package, path, err);
		else
			rc = check_file(packages, haves, at, &closure, path, err);
	}
	return rc ? cda_err_wrap(err, rc, "package '%s'", package->recipe->name) : 0;
}

static int gather(const struct cda_packages *packages, struct haves *haves, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *owners = cda_map_new();
	int rc = 0;

	for (size_t i = 0; !rc && i < packages->n; i++) {
		struct have have = {.libs = cda_map_new()};

		rc = cda_stage_files(packages->v[i].stage.pkg_fd, &have.paths, err);
		for (size_t k = 0; !rc && k < have.paths.n; k++) {
			const char *path = have.paths.v[k];
			const char *owner = cda_map_get(owners, path);

			if (cda_starts_with(path, "lib/") && !strchr(path + 4, '/'))
				cda_map_set(have.libs, path + 4, NULL);
			if (owner)
				rc = cda_err_set(err, CDA_E_VALUE,
						 "the packages '%s' and '%s' both have '%s'", owner,
						 packages->v[i].recipe->name, path);
			cda_map_set(owners, path, packages->v[i].recipe->name);
		}
		haves_push(haves, have);
	}
	return rc;
}

int cda_closure_check(const struct cda_packages *packages, struct cda_err *err)
{
	struct haves haves = {0};
	int rc = gather(packages, &haves, err);

	for (size_t i = 0; !rc && i < packages->n; i++)
		rc = check_package(packages, &haves, i, err);
	cda_vec_each (have, &haves) {
		cda_strv_done(&have->paths);
		cda_map_free(have->libs);
	}
	haves_done(&haves);
	return rc;
}
