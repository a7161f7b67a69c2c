#include "image/oci_write.h"
#include "image/layer.h"
#include "image/tree.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/fs.h>

#define MEDIA "application/vnd.oci.image."
#define LABELS "org.opencontainers.image."

struct cda_oci_writer {
	enum cda_oci_format format;
	char *output, *parent, *work; /* work: the hidden folder */
	int dirfd;                    /* of work */
};

static bool is_layout(const char *path)
{
	CDA_AUTOFREE char *mark = cda_path_join(path, "oci-layout");

	return cda_fs_is_file(AT_FDCWD, mark);
}

int cda_oci_begin(const char *output, enum cda_oci_format format,
		  struct cda_oci_writer **ret_writer, struct cda_err *err)
{
	CDA_CLEANUP(cda_oci_freep) struct cda_oci_writer *writer = cda_new0(struct cda_oci_writer);
	CDA_AUTOFREE char *stem = NULL;
	struct stat st;
	int rc;

	writer->dirfd = -1;
	writer->format = format;
	writer->output = cda_strdup(output);
	for (size_t n = strlen(output); n > 1 && output[n - 1] == '/'; n--)
		writer->output[n - 1] = '\0';
	if (lstat(writer->output, &st) == 0) {
		bool folder = S_ISDIR(st.st_mode);

		if (format == CDA_OCI_DIR ? !folder || !is_layout(writer->output)
					  : !S_ISREG(st.st_mode))
			return cda_err_set(err, CDA_E_VALUE, "'%s' is there, and is no %s", output,
					   format == CDA_OCI_DIR ? "OCI layout" : "file");
	}
	writer->parent = cda_path_dirname(writer->output);
	stem = cda_asprintf(".%s", cda_path_basename(writer->output));
	rc = cda_fs_tempdir(writer->parent, stem, &writer->work, err);
	if (rc)
		return rc;
	writer->dirfd = open(writer->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->dirfd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", writer->work);
	rc = cda_fs_mkdirs(writer->dirfd, "blobs/sha256", 0755, err);
	if (rc)
		return rc;
	*ret_writer = cda_take_ptr(writer);
	return 0;
}

struct cda_oci_writer *cda_oci_free(struct cda_oci_writer *writer)
{
	struct cda_err ignored = {0};

	if (!writer)
		return NULL;
	if (writer->dirfd >= 0)
		close(writer->dirfd);
	if (writer->work)
		(void)!cda_fs_remove(AT_FDCWD, writer->work, &ignored);
	cda_err_done(&ignored);
	free(writer->output);
	free(writer->parent);
	free(writer->work);
	free(writer);
	return NULL;
}

int cda_oci_blob(struct cda_oci_writer *writer, size_t i, int *ret_fd, struct cda_err *err)
{
	CDA_AUTOFREE char *name = cda_asprintf("blobs/layer.%zu", i);

	*ret_fd = openat(writer->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return *ret_fd < 0 ? cda_err_sys(err, errno, "cannot write '%s/%s'", writer->work, name)
			   : 0;
}

int cda_oci_layer(struct cda_oci_writer *writer, size_t i, const struct cda_packed *packed,
		  struct cda_err *err)
{
	CDA_AUTOFREE char *name = cda_asprintf("blobs/layer.%zu", i);
	CDA_AUTOFREE char *blob = cda_asprintf("blobs/sha256/%s", packed->sha256);

	if (renameat(writer->dirfd, name, writer->dirfd, blob) != 0)
		return cda_err_sys(err, errno, "cannot write '%s/%s'", writer->work, blob);
	return 0;
}

static int put_blob(struct cda_oci_writer *writer, const struct cda_buf *text, char ret_hex[65],
		    struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	CDA_AUTOFREE char *path = NULL;

	cda_hash_mem(CDA_SHA256, text->p, text->len, hex);
	memcpy(ret_hex, hex, 65);
	path = cda_asprintf("blobs/sha256/%s", ret_hex);
	return cda_fs_replace(writer->dirfd, path, text->p, text->len, 0644, false, err);
}

static yyjson_mut_val *descriptor(yyjson_mut_doc *doc, const char *media, const char *hex,
				  uint64_t size)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);
	CDA_AUTOFREE char *digest = cda_asprintf("sha256:%s", hex);

	yyjson_mut_obj_add_strcpy(doc, obj, "mediaType", media);
	yyjson_mut_obj_add_strcpy(doc, obj, "digest", digest);
	yyjson_mut_obj_add_uint(doc, obj, "size", size);
	return obj;
}

static int put_config(struct cda_oci_writer *writer, struct cda_oci_image *image, size_t *ret_size,
		      struct cda_err *err)
{
	CDA_AUTOFREE struct cda_config_layer *layers =
		cda_alloc0(image->layers->n + 1, sizeof(*layers));
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	for (size_t i = 0; i < image->layers->n; i++)
		layers[i] = (struct cda_config_layer){image->layers->v[i].packed.raw_sha256,
						      image->layers->v[i].name};
	cda_config_format(image->config, layers, image->layers->n, image->epoch, &text);
	*ret_size = text.len;
	return put_blob(writer, &text, image->config_id, err);
}

/* The labels that OCI names are the manifest's annotations too: tools read them without the
 * configuration. */
static void add_annotations(yyjson_mut_doc *doc, yyjson_mut_val *top,
			    const struct cda_config *config)
{
	yyjson_mut_val *labels = yyjson_mut_obj_get(config->config, "Labels"), *key;
	yyjson_mut_val *notes = yyjson_mut_obj(doc);
	yyjson_mut_obj_iter iter;

	yyjson_mut_obj_iter_init(labels, &iter);
	while (labels && (key = yyjson_mut_obj_iter_next(&iter)))
		if (cda_starts_with(yyjson_mut_get_str(key), LABELS))
			yyjson_mut_obj_add(
				notes, yyjson_mut_val_mut_copy(doc, key),
				yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_iter_get_val(key)));
	if (yyjson_mut_obj_size(notes))
		yyjson_mut_obj_add_val(doc, top, "annotations", notes);
}

static int put_manifest(struct cda_oci_writer *writer, struct cda_oci_image *image,
			size_t config_size, size_t *ret_size, struct cda_err *err)
{
	static const char *const media[] = {[CDA_PACKER_NONE] = MEDIA "layer.v1.tar",
					    [CDA_PACKER_GZIP] = MEDIA "layer.v1.tar+gzip",
					    [CDA_PACKER_ZSTD] = MEDIA "layer.v1.tar+zstd"};
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_mut_val *top = yyjson_mut_obj(doc), *layers = yyjson_mut_arr(doc);

	for (size_t i = 0; i < image->layers->n; i++) {
		const struct cda_oci_layer *layer = &image->layers->v[i];

		yyjson_mut_arr_append(layers, descriptor(doc, media[layer->kind],
							 layer->packed.sha256, layer->packed.size));
	}
	yyjson_mut_obj_add_uint(doc, top, "schemaVersion", 2);
	yyjson_mut_obj_add_str(doc, top, "mediaType", MEDIA "manifest.v1+json");
	yyjson_mut_obj_add_val(
		doc, top, "config",
		descriptor(doc, MEDIA "config.v1+json", image->config_id, config_size));
	yyjson_mut_obj_add_val(doc, top, "layers", layers);
	add_annotations(doc, top, image->config);
	cda_json_format(top, 0, true, &text);
	*ret_size = text.len;
	return put_blob(writer, &text, image->manifest, err);
}

static int put_json(struct cda_oci_writer *writer, const char *name, yyjson_mut_val *val,
		    struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_json_format(val, 0, true, &text);
	return cda_fs_replace(writer->dirfd, name, text.p, text.len, 0644, false, err);
}

/* One line per tag; what has no tag is one line without a name. */
static int put_index(struct cda_oci_writer *writer, const struct cda_oci_image *image,
		     size_t manifest_size, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *top = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
	yyjson_mut_val *layout = yyjson_mut_obj(doc);
	int rc;

	for (size_t i = 0; i == 0 || i < image->tags->n; i++) {
		yyjson_mut_val *line =
			descriptor(doc, MEDIA "manifest.v1+json", image->manifest, manifest_size);
		yyjson_mut_val *platform = yyjson_mut_obj(doc), *notes = yyjson_mut_obj(doc);

		yyjson_mut_obj_add_str(doc, platform, "architecture", image->config->arch);
		yyjson_mut_obj_add_str(doc, platform, "os", image->config->os);
		if (image->config->variant)
			yyjson_mut_obj_add_str(doc, platform, "variant", image->config->variant);
		yyjson_mut_obj_add_val(doc, line, "platform", platform);
		if (i < image->tags->n) {
			yyjson_mut_obj_add_str(doc, notes, LABELS "ref.name", image->tags->v[i]);
			yyjson_mut_obj_add_val(doc, line, "annotations", notes);
		}
		yyjson_mut_arr_append(list, line);
	}
	yyjson_mut_obj_add_uint(doc, top, "schemaVersion", 2);
	yyjson_mut_obj_add_str(doc, top, "mediaType", MEDIA "index.v1+json");
	yyjson_mut_obj_add_val(doc, top, "manifests", list);
	yyjson_mut_obj_add_str(doc, layout, "imageLayoutVersion", "1.0.0");
	rc = put_json(writer, "index.json", top, err);
	return rc ? rc : put_json(writer, "oci-layout", layout, err);
}

/* Docker's own list, for `docker load`. */
static int put_docker(struct cda_oci_writer *writer, const struct cda_oci_image *image,
		      struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *top = yyjson_mut_arr(doc), *item = yyjson_mut_obj(doc);
	yyjson_mut_val *layers = yyjson_mut_arr(doc);
	CDA_AUTOFREE char *config = cda_asprintf("blobs/sha256/%s", image->config_id);

	for (size_t i = 0; i < image->layers->n; i++) {
		CDA_AUTOFREE char *path =
			cda_asprintf("blobs/sha256/%s", image->layers->v[i].packed.sha256);

		yyjson_mut_arr_add_strcpy(doc, layers, path);
	}
	yyjson_mut_obj_add_str(doc, item, "Config", config);
	yyjson_mut_obj_add_val(doc, item, "Layers", layers);
	cda_json_add_strv(doc, item, "RepoTags", image->tags);
	yyjson_mut_arr_append(top, item);
	return put_json(writer, "manifest.json", top, err);
}

/* The folder as a tar archive beside the output, then under its name. */
static int put_tar(struct cda_oci_writer *writer, int64_t epoch, struct cda_err *err)
{
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	const struct cda_layer_options options = {
		.epoch = epoch, .fixed_owner = true, .kind = CDA_PACKER_NONE};
	CDA_AUTOFREE char *temp = cda_asprintf("%s.tar", writer->work);
	CDA_AUTOCLOSE int fd = -1;
	struct cda_packed packed;
	int rc = cda_tree_add_folder(tree, writer->work, err);

	if (rc)
		return rc;
	cda_tree_sort(tree);
	for (size_t i = 0; i < tree->n; i++) {
		struct cda_tree_inode *inode = tree->v[i]->inode;

		inode->mode = inode->type == CDA_TREE_FOLDER ? 0755 : 0644;
		inode->mtime = epoch;
		inode->nxattrs = 0;
	}
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot write '%s'", temp);
	rc = cda_layer_write(tree, NULL, &options, fd, &packed, err);
	if (!rc && fsync(fd) != 0)
		rc = cda_err_sys(err, errno, "cannot write '%s'", temp);
	if (!rc && rename(temp, writer->output) != 0)
		rc = cda_err_sys(err, errno, "cannot write '%s'", writer->output);
	if (rc)
		unlink(temp);
	return rc;
}

/* The folder under its name; a layout that is there changes places with it and goes. */
static int put_folder(struct cda_oci_writer *writer, struct cda_err *err)
{
	if (fchmod(writer->dirfd, 0755) != 0)
		return cda_err_sys(err, errno, "cannot write '%s'", writer->output);
	if (syscall(SYS_renameat2, AT_FDCWD, writer->work, AT_FDCWD, writer->output,
		    RENAME_NOREPLACE) == 0) {
		cda_replace(&writer->work, NULL);
		return 0;
	}
	if (errno == EEXIST && is_layout(writer->output) &&
	    syscall(SYS_renameat2, AT_FDCWD, writer->work, AT_FDCWD, writer->output,
		    RENAME_EXCHANGE) == 0)
		return 0;
	return cda_err_sys(err, errno, "cannot write '%s'", writer->output);
}

int cda_oci_end(struct cda_oci_writer *writer, struct cda_oci_image *image, struct cda_err *err)
{
	size_t config_size, manifest_size;
	int rc = put_config(writer, image, &config_size, err);

	if (!rc)
		rc = put_manifest(writer, image, config_size, &manifest_size, err);
	if (!rc && writer->format != CDA_OCI_DOCKER)
		rc = put_index(writer, image, manifest_size, err);
	if (!rc && writer->format == CDA_OCI_DOCKER) {
		CDA_AUTOFREE char *path = cda_asprintf("blobs/sha256/%s", image->manifest);

		rc = cda_fs_remove(writer->dirfd, path, err);
	}
	if (!rc && writer->format != CDA_OCI_DIR)
		rc = put_docker(writer, image, err);
	if (!rc)
		rc = writer->format == CDA_OCI_DIR ? put_folder(writer, err)
						   : put_tar(writer, image->epoch, err);
	return rc;
}

int cda_oci_check_tag(const char *tag, char **ret_tag, struct cda_err *err)
{
	const char *slash = strrchr(tag, '/');
	const char *colon = strchr(slash ? slash : tag, ':');
	size_t name = colon ? (size_t)(colon - tag) : strlen(tag);
	bool good = name > 0 && strlen(tag) <= 255 && !(colon && !colon[1]);

	for (size_t i = 0; good && tag[i]; i++) {
		bool edge = i == 0 || tag[i - 1] == '/' || i == name + 1;
		bool mark = strchr(i < name ? "._-/:" : "._-", tag[i]) != NULL;
		bool letter = cda_is_digit(tag[i]) ||
			      (i < name ? tag[i] >= 'a' && tag[i] <= 'z' : cda_is_alnum(tag[i]));

		good = i == name || letter || (mark && !edge) || (tag[i] == '_' && i == name + 1);
	}
	if (!good)
		return cda_err_set(err, CDA_E_USAGE, "'%s' is no name of an image, as name:tag",
				   tag);
	*ret_tag = colon ? cda_strdup(tag) : cda_asprintf("%s:latest", tag);
	return 0;
}
