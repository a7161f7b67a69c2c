#include "forge/installer.h"
#include "forge/condafile.h"
#include "forge/edit.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/str.h"

#include <errno.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)1 << 30)

struct run {
	const struct cda_installer *in;
	yyjson_doc *repodata[2];
	struct cda_strv names; /* of packages, done */
	struct cda_tar *tar;
	struct cda_err *err;
};

static const char *const subdirs[] = {"linux-64", "noarch"};

char *cda_installer_name(const char *name, const char *py, const char *version)
{
	CDA_AUTOBUF struct cda_buf digits = CDA_BUF_INIT;

	for (; *py; py++)
		if (*py != '.')
			cda_buf_addc(&digits, *py);
	return cda_asprintf("%s-py%s_%s-Linux-x86_64.sh", name, digits.p, version);
}

/* The record of the one package with that name. */
static yyjson_val *find(const struct run *run, const char *name, const char **ret_fn,
			const char **ret_subdir)
{
	for (size_t s = 0; s < CDA_LEN(subdirs); s++) {
		yyjson_val *root = yyjson_doc_get_root(run->repodata[s]);
		yyjson_val *packages = yyjson_obj_get(root, "packages.conda"), *key, *value;
		size_t i, max;

		yyjson_obj_foreach (packages, i, max, key, value) {
			if (!cda_streq(cda_json_str(value, "name"), name))
				continue;
			*ret_fn = yyjson_get_str(key);
			*ret_subdir = subdirs[s];
			return value;
		}
	}
	return NULL;
}

static int add_file(struct run *run, const char *dir, const char *path)
{
	CDA_AUTOFREE char *full = cda_path_join(dir, path);
	CDA_AUTOFREE char *member = cda_path_join("channel", path);
	CDA_AUTOBUF struct cda_buf data = CDA_BUF_INIT;
	int rc = cda_fs_read(AT_FDCWD, full, FILE_MAX, &data, run->err);

	return rc ? rc
		  : cda_tar_add_text(run->tar, member, data.p, data.len, run->in->epoch, run->err);
}

/* The package and all it needs. */
static int add_package(struct run *run, const char *name)
{
	const char *fn = NULL, *subdir = NULL;
	yyjson_val *record = find(run, name, &fn, &subdir);
	CDA_AUTOSTRV struct cda_strv depends = {0};
	CDA_AUTOFREE char *path = NULL;
	int rc;

	if (name[0] == '_' && name[1] == '_')
		return 0;
	if (cda_strv_has(&run->names, name))
		return 0;
	if (!record)
		return cda_err_set(run->err, CDA_E_NOTFOUND, "the channel has no package '%s'",
				   name);
	cda_strv_push(&run->names, name);
	path = cda_asprintf("%s/%s", subdir, fn);
	rc = add_file(run, run->in->channel, path);
	cda_json_strv(record, "depends", &depends);
	for (size_t i = 0; !rc && i < depends.n; i++) {
		CDA_AUTOFREE char *other = cda_strndup(depends.v[i], strcspn(depends.v[i], " "));

		rc = add_package(run, other);
	}
	return rc;
}

/* repodata.json with the packages of the release alone. */
static int add_repodata(struct run *run, size_t s)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = cda_asprintf("channel/%s/repodata.json", subdirs[s]);
	yyjson_val *root = yyjson_doc_get_root(run->repodata[s]);
	yyjson_val *packages = yyjson_obj_get(root, "packages.conda"), *key, *value;
	yyjson_mut_val *copy = yyjson_val_mut_copy(doc, root), *kept = yyjson_mut_obj(doc);
	size_t i, max;

	yyjson_obj_foreach (packages, i, max, key, value) {
		if (cda_strv_has(&run->names, cda_json_str(value, "name")))
			yyjson_mut_obj_add(kept, yyjson_val_mut_copy(doc, key),
					   yyjson_val_mut_copy(doc, value));
	}
	yyjson_mut_obj_remove_key(copy, "packages.conda");
	yyjson_mut_obj_add_val(doc, copy, "packages.conda", kept);
	cda_json_format(copy, 0, true, &text);
	return cda_tar_add_text(run->tar, path, text.p, text.len, run->in->epoch, run->err);
}

static int fill(struct run *run)
{
	CDA_AUTOBUF struct cda_buf conda = CDA_BUF_INIT;
	int rc = 0;

	for (size_t s = 0; !rc && s < CDA_LEN(subdirs); s++) {
		CDA_AUTOFREE char *path =
			cda_asprintf("%s/%s/repodata.json", run->in->channel, subdirs[s]);

		rc = cda_json_read(AT_FDCWD, path, FILE_MAX, &run->repodata[s], run->err);
	}
	if (!rc)
		rc = cda_fs_read(AT_FDCWD, run->in->conda, FILE_MAX, &conda, run->err);
	if (!rc)
		rc = cda_tar_add_gzip(run->tar, "conda.gz", &conda, run->in->epoch, run->err);
	for (size_t i = 0; !rc && i < run->in->specs.n; i++)
		rc = add_package(run, run->in->specs.v[i]);
	for (size_t s = 0; !rc && s < CDA_LEN(subdirs); s++)
		rc = add_repodata(run, s);
	return rc;
}

/* @NAME@, @VERSION@, @PY@, @SPECS@ and what tells the payload's place and hash. */
static void fill_head(const struct run *run, const struct cda_buf *payload, struct cda_buf *head)
{
	CDA_AUTOFREE char *specs = cda_strv_join(&run->in->specs, " ");
	CDA_AUTOFREE char *size = cda_asprintf("%zu", payload->len);
	CDA_AUTOFREE char *start = NULL;
	char hex[CDA_HASH_HEX_MAX];

	cda_hash_mem(CDA_SHA256, payload->p, payload->len, hex);
	cda_edit_sub(head, "@NAME@", run->in->name);
	cda_edit_sub(head, "@VERSION@", run->in->version);
	cda_edit_sub(head, "@PY@", run->in->py);
	cda_edit_sub(head, "@SPECS@", specs);
	cda_edit_sub(head, "@SIZE@", size);
	cda_edit_sub(head, "@SHA256@", hex);
	/* seven digits whatever the value, so that the head's own length is known */
	start = cda_asprintf("%07zu", head->len - strlen("@START@") + 7 + 1);
	cda_edit_sub(head, "@START@", start);
}

int cda_installer_write(const struct cda_installer *installer, int64_t *ret_size, size_t *ret_count,
			struct cda_err *err)
{
	CDA_CLEANUP(cda_tar_freep) struct cda_tar *tar = cda_tar_new();
	CDA_AUTOBUF struct cda_buf head = CDA_BUF_INIT, payload = CDA_BUF_INIT;
	struct run run = {.in = installer, .tar = tar, .err = err};
	int rc = cda_fs_read(AT_FDCWD, installer->head, FILE_MAX, &head, err);

	if (!rc)
		rc = fill(&run);
	if (!rc)
		rc = cda_tar_take(tar, &payload, err);
	if (!rc) {
		fill_head(&run, &payload, &head);
		cda_buf_add(&head, payload.p, payload.len);
		rc = cda_fs_replace(AT_FDCWD, installer->out, head.p, head.len, 0755, false, err);
	}
	if (!rc && chmod(installer->out, 0755) != 0)
		rc = cda_err_sys(err, errno, "cannot set the mode of '%s'", installer->out);
	if (!rc) {
		*ret_size = (int64_t)head.len;
		*ret_count = run.names.n;
	}
	cda_strv_done(&run.names);
	cda_json_free(run.repodata[0]);
	cda_json_free(run.repodata[1]);
	return rc;
}
