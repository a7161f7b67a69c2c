#include "forge/package.h"
#include "forge/condafile.h"
#include "forge/elf.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"

#include <errno.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)1 << 30)

struct writer {
	struct cda_package *package;
	struct cda_strv paths;
	struct cda_tar *pkg, *info;
	struct cda_buf has_prefix;
	struct cda_err *err;
};

void cda_package_done(struct cda_package *package)
{
	cda_vec_each (deb, &package->debs)
		cda_deb_done(deb);
	cda_debs_done(&package->debs);
	cda_strv_done(&package->depends);
	cda_strv_done(&package->constrains);
	cda_stage_done(&package->stage);
	free(package->version);
	free(package->build);
	free(package->fn);
}

static int add_json(struct writer *w, const char *path, const yyjson_mut_val *val)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_json_format(val, 2, true, &text);
	cda_buf_addc(&text, '\n');
	return cda_tar_add_text(w->info, path, text.p, text.len, w->package->stage.epoch, w->err);
}

static void add_str(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key, const char *value)
{
	if (value)
		yyjson_mut_obj_add_strcpy(doc, obj, key, value);
}

static int add_index(struct writer *w)
{
	const struct cda_package *p = w->package;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc);

	if (!p->recipe->noarch) {
		add_str(doc, o, "arch", "x86_64");
		add_str(doc, o, "platform", "linux");
	} else {
		yyjson_mut_obj_add_null(doc, o, "arch");
		yyjson_mut_obj_add_null(doc, o, "platform");
		add_str(doc, o, "noarch", p->recipe->noarch);
	}
	add_str(doc, o, "name", p->recipe->name);
	add_str(doc, o, "version", p->version);
	add_str(doc, o, "build", p->build);
	yyjson_mut_obj_add_int(doc, o, "build_number", p->recipe->number);
	add_str(doc, o, "subdir", p->subdir);
	add_str(doc, o, "license", p->recipe->license);
	add_str(doc, o, "license_family", p->recipe->family);
	yyjson_mut_obj_add_int(doc, o, "timestamp", p->stage.epoch * 1000);
	cda_json_add_strv(doc, o, "depends", &p->depends);
	if (p->constrains.n)
		cda_json_add_strv(doc, o, "constrains", &p->constrains);
	return add_json(w, "info/index.json", o);
}

static int add_about(struct writer *w)
{
	const struct cda_package *p = w->package;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc), *extra = yyjson_mut_obj(doc);
	yyjson_mut_val *debs = yyjson_mut_arr(doc);

	add_str(doc, o, "home", p->recipe->home);
	add_str(doc, o, "license", p->recipe->license);
	add_str(doc, o, "license_family", p->recipe->family);
	add_str(doc, o, "summary", p->recipe->summary);
	for (size_t i = 0; i < p->debs.n; i++) {
		const struct cda_deb *deb = &p->debs.v[i];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, debs);

		add_str(doc, item, "package", deb->name);
		add_str(doc, item, "version", deb->version);
		add_str(doc, item, "source", deb->source);
		add_str(doc, item, "sha256", deb->sha256);
	}
	yyjson_mut_obj_add_val(doc, extra, "debian", debs);
	yyjson_mut_obj_add_val(doc, o, "extra", extra);
	return add_json(w, "info/about.json", o);
}

static int add_link(struct writer *w)
{
	const struct cda_recipe *recipe = w->package->recipe;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc), *noarch = yyjson_mut_obj(doc);

	if (!recipe->noarch)
		return 0;
	add_str(doc, noarch, "type", recipe->noarch);
	if (recipe->entries.n)
		cda_json_add_strv(doc, noarch, "entry_points", &recipe->entries);
	yyjson_mut_obj_add_val(doc, o, "noarch", noarch);
	yyjson_mut_obj_add_int(doc, o, "package_metadata_version", 1);
	return add_json(w, "info/link.json", o);
}

/* One path of paths.json; a link is described by the file that it leads to. */
static int add_path(struct writer *w, yyjson_mut_doc *doc, yyjson_mut_val *list, const char *path)
{
	int fd = w->package->stage.pkg_fd;
	yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list);
	CDA_AUTOBUF struct cda_buf data = CDA_BUF_INIT;
	char hex[CDA_HASH_HEX_MAX];
	struct stat st;
	bool is_link;
	int rc;

	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cda_err_sys(w->err, errno, "cannot look at '%s'", path);
	is_link = S_ISLNK(st.st_mode);
	if (!is_link || cda_fs_is_file(fd, path)) {
		rc = cda_fs_read(fd, path, FILE_MAX, &data, w->err);
		if (rc)
			return rc;
	}
	cda_hash_mem(CDA_SHA256, data.p, data.len, hex);
	add_str(doc, o, "_path", path);
	add_str(doc, o, "path_type", is_link ? "softlink" : "hardlink");
	add_str(doc, o, "sha256", hex);
	yyjson_mut_obj_add_uint(doc, o, "size_in_bytes", data.len);
	if (!is_link && memmem(data.p, data.len, cda_forge_placeholder, 255)) {
		const char *mode = memchr(data.p, 0, data.len) ? "binary" : "text";

		add_str(doc, o, "prefix_placeholder", cda_forge_placeholder);
		add_str(doc, o, "file_mode", mode);
		cda_buf_addf(&w->has_prefix, "\"%s\" %s \"%s\"\n", cda_forge_placeholder, mode,
			     path);
	}
	return 0;
}

static int add_paths(struct writer *w)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
	CDA_AUTOFREE char *files = NULL;
	CDA_AUTOFREE char *lines = NULL;
	int64_t epoch = w->package->stage.epoch;
	int rc = 0;

	for (size_t i = 0; !rc && i < w->paths.n; i++)
		rc = add_path(w, doc, list, w->paths.v[i]);
	yyjson_mut_obj_add_val(doc, o, "paths", list);
	yyjson_mut_obj_add_int(doc, o, "paths_version", 1);
	if (!rc)
		rc = add_json(w, "info/paths.json", o);
	files = cda_strv_join(&w->paths, "\n");
	lines = cda_asprintf("%s%s", files, *files ? "\n" : "");
	if (!rc)
		rc = cda_tar_add_text(w->info, "info/files", lines, strlen(lines), epoch, w->err);
	if (!rc && w->has_prefix.len)
		rc = cda_tar_add_text(w->info, "info/has_prefix", w->has_prefix.p,
				      w->has_prefix.len, epoch, w->err);
	return rc;
}

static int add_licenses(struct writer *w)
{
	const struct cda_package *p = w->package;
	CDA_AUTOSTRV struct cda_strv done = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < p->debs.n; i++) {
		const char *name = p->debs.v[i].name;
		CDA_AUTOFREE char *from = cda_asprintf("usr/share/doc/%s/copyright", name);
		CDA_AUTOFREE char *to = cda_asprintf("info/licenses/%s.txt", name);
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

		if (!cda_fs_is_file(p->stage.deb_fd, from) || cda_strv_has(&done, name))
			continue;
		cda_strv_push(&done, name);
		rc = cda_fs_read(p->stage.deb_fd, from, FILE_MAX, &text, w->err);
		if (!rc)
			rc = cda_tar_add_text(w->info, to, text.p, text.len, p->stage.epoch,
					      w->err);
	}
	return rc;
}

static int add_info(struct writer *w)
{
	const struct cda_recipe *recipe = w->package->recipe;
	CDA_AUTOFREE char *name = cda_asprintf("info/recipe/%s.recipe", recipe->name);
	int rc = add_index(w);

	if (!rc)
		rc = add_about(w);
	if (!rc)
		rc = add_link(w);
	if (!rc)
		rc = add_paths(w);
	if (!rc)
		rc = cda_tar_add_text(w->info, name, recipe->text, strlen(recipe->text),
				      w->package->stage.epoch, w->err);
	return rc ? rc : add_licenses(w);
}

int cda_package_write(struct cda_package *package, const char *out, int level, struct cda_err *err)
{
	CDA_CLEANUP(cda_tar_freep) struct cda_tar *pkg = cda_tar_new();
	CDA_CLEANUP(cda_tar_freep) struct cda_tar *info = cda_tar_new();
	struct writer w = {.package = package,
			   .pkg = pkg,
			   .info = info,
			   .has_prefix = CDA_BUF_INIT,
			   .err = err};
	CDA_AUTOFREE char *dir = cda_path_join(out, package->subdir);
	CDA_AUTOFREE char *stem =
		cda_asprintf("%s-%s-%s", package->recipe->name, package->version, package->build);
	int rc = cda_stage_files(package->stage.pkg_fd, &w.paths, err);

	for (size_t i = 0; !rc && i < w.paths.n; i++)
		rc = cda_tar_add_path(pkg, package->stage.pkg_fd, w.paths.v[i], err);
	if (!rc)
		rc = add_info(&w);
	if (!rc)
		rc = cda_fs_mkdirs(AT_FDCWD, dir, 0755, err);
	if (!rc)
		rc = cda_condafile_write(pkg, info, dir, stem, package->stage.epoch, level, err);
	cda_strv_done(&w.paths);
	cda_buf_done(&w.has_prefix);
	if (rc)
		return cda_err_wrap(err, rc, "package '%s'", package->recipe->name);
	package->fn = cda_asprintf("%s.conda", stem);
	return 0;
}
