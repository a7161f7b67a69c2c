#include "image/oci_read.h"
#include "image/oci_choose.h"
#include "image/oci_layer.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/str.h"

#include <string.h>

enum {
	json_max = 16 << 20,
	depth_max = 4,
	layers_max = 512,
	images_max = 1000,
	items_max = 10000,
	text_max = 1000
};

#define OCI_REF "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

struct reader {
	struct cda_store *store;
	const struct cda_oci_options *options;
	struct cda_oci_image *image;
	struct cda_candidates found;
	size_t items; /* that indexes name, each time they do */
};

/* --- small things --- */

static char *text_of(yyjson_val *obj, const char *key) /* owned, one line; NULL */
{
	const char *s = cda_json_str(obj, key);
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!s)
		return NULL;
	for (; *s && out.len < text_max; s++)
		cda_buf_addc(&out, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
	return cda_buf_take(&out);
}

static struct cda_platform platform_of(yyjson_val *obj)
{
	return (struct cda_platform){text_of(obj, "os"), text_of(obj, "architecture"),
				     text_of(obj, "variant")};
}

static void layer_done(struct cda_oci_layer *layer)
{
	free(layer->digest);
	free(layer->diff_id);
	free(layer->created_by);
	cda_oci_points_done(&layer->points);
}

void cda_oci_done(struct cda_oci_image *image)
{
	cda_tree_free(image->tree);
	free(image->name);
	free(image->digest);
	free(image->os);
	free(image->arch);
	free(image->variant);
	cda_vec_each (layer, &image->layers)
		layer_done(layer);
	cda_oci_layers_done(&image->layers);
	free(image->packed);
	*image = (struct cda_oci_image){0};
}

static int read_json(struct reader *r, const char *name, yyjson_doc **ret_doc, struct cda_buf *text,
		     struct cda_err *err)
{
	int rc = cda_store_read(r->store, name, json_max, text, err);

	if (!rc)
		rc = cda_json_parse(text->p, text->len, name, ret_doc, err);
	if (rc && (err->code == CDA_E_PARSE || err->code == CDA_E_VALUE)) {
		err->code = CDA_E_ARCHIVE;
		rc = -(int)CDA_E_ARCHIVE;
	}
	return rc;
}

/* Owned: "blobs/sha256/HEX"; NULL for what is no digest. */
static char *blob_path(const char *digest)
{
	enum cda_hash_kind kind;
	const char *hex;

	return cda_oci_digest(digest, &kind, &hex) ? cda_asprintf("blobs/%.6s/%s", digest, hex)
						   : NULL;
}

static int check_bytes(const struct cda_buf *text, const char *digest, struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	enum cda_hash_kind kind;
	const char *wanted;

	if (!cda_oci_digest(digest, &kind, &wanted))
		return cda_err_set(err, CDA_E_ARCHIVE, "'%.100s' is no digest that can be verified",
				   digest);
	cda_hash_mem(kind, text->p, text->len, hex);
	if (cda_hash_eq(hex, wanted))
		return 0;
	return cda_err_set(err, CDA_E_CHECKSUM, "'%s' has the digest %s", digest, hex);
}

/* A JSON document that a descriptor names, verified. */
static int read_described(struct reader *r, const char *digest, yyjson_doc **ret_doc,
			  struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOFREE char *path = blob_path(digest);
	int rc;

	if (!path)
		return cda_err_set(err, CDA_E_ARCHIVE, "'%.100s' is no digest that can be verified",
				   digest ? digest : "");
	rc = read_json(r, path, &doc, &text, err);
	if (!rc)
		rc = check_bytes(&text, digest, err);
	if (!rc)
		*ret_doc = cda_take_ptr(doc);
	return rc;
}

/* --- OCI --- */

static char *dup_or(const char *s, const char *otherwise)
{
	return cda_strdup_null(s ? s : otherwise);
}

static int gather(struct reader *r, yyjson_val *index, const struct cda_candidate *above,
		  unsigned depth, struct cda_err *err);

static int gather_one(struct reader *r, yyjson_val *item, const struct cda_candidate *above,
		      unsigned depth, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_val *notes = yyjson_obj_get(item, "annotations");
	CDA_AUTOFREE char *digest = text_of(item, "digest");
	CDA_AUTOFREE char *path = digest ? blob_path(digest) : NULL;
	CDA_AUTOFREE char *ref = text_of(notes, OCI_REF);
	CDA_AUTOFREE char *name = text_of(notes, CONTAINERD_NAME);
	struct cda_candidate c = {NULL, dup_or(ref, above ? above->ref : NULL),
				  dup_or(name, above ? above->name : NULL),
				  platform_of(yyjson_obj_get(item, "platform")), 0};
	int rc = 0;

	/* what describes an image rather than being one */
	bool aside = cda_streq(c.platform.os, "unknown") ||
		     cda_json_str(notes, "vnd.docker.reference.type");

	if (!digest || !path)
		rc = cda_err_set(err, CDA_E_ARCHIVE, "an index names an image without a digest");
	else if (r->found.n >= images_max || ++r->items > items_max)
		rc = cda_err_set(err, CDA_E_ARCHIVE, "it holds too many images");
	/* an index for many platforms may come with some of them alone */
	if (rc || aside || !cda_store_has(r->store, path))
		goto out;
	rc = read_described(r, digest, &doc, err);
	if (rc)
		goto out;
	if (yyjson_is_arr(yyjson_obj_get(yyjson_doc_get_root(doc), "manifests"))) {
		rc = gather(r, yyjson_doc_get_root(doc), &c, depth + 1, err);
		goto out;
	}
	c.digest = cda_take_ptr(digest);
	cda_candidates_push(&r->found, c);
	return 0;
out:
	free(c.ref);
	free(c.name);
	cda_platform_done(&c.platform);
	return rc;
}

static int gather(struct reader *r, yyjson_val *index, const struct cda_candidate *above,
		  unsigned depth, struct cda_err *err)
{
	yyjson_val *item;
	size_t i, n;
	int rc = 0;

	if (depth > depth_max)
		return cda_err_set(err, CDA_E_ARCHIVE, "indexes in it nest too deep");
	yyjson_arr_foreach (yyjson_obj_get(index, "manifests"), i, n, item) {
		rc = gather_one(r, item, above, depth, err);
		if (rc)
			break;
	}
	return rc;
}

/* --- layers --- */

static int read_config(struct reader *r, yyjson_val *config, size_t layers, struct cda_err *err)
{
	yyjson_val *ids = yyjson_obj_get(yyjson_obj_get(config, "rootfs"), "diff_ids"), *item;
	struct cda_oci_layers *v = &r->image->layers;
	struct cda_platform platform = platform_of(config);
	size_t i, n, at = 0;

	free(r->image->os);
	free(r->image->arch);
	free(r->image->variant);
	r->image->os = platform.os;
	r->image->arch = platform.arch;
	r->image->variant = platform.variant;
	if (r->options->platform && !cda_platform_fits(&platform, r->options->platform))
		return cda_err_set(err, CDA_E_NOTFOUND, "the image is for %s/%s, not for %s",
				   r->image->os ? r->image->os : "?",
				   r->image->arch ? r->image->arch : "?", r->options->platform);
	if (yyjson_arr_size(ids) != layers)
		return cda_err_set(err, CDA_E_ARCHIVE,
				   "its configuration tells of %zu layers, not %zu",
				   yyjson_arr_size(ids), layers);
	yyjson_arr_foreach (ids, i, n, item) {
		const char *id = yyjson_get_str(item);

		if (!id)
			return cda_err_set(err, CDA_E_ARCHIVE, "a layer has no digest");
		v->v[i].diff_id = cda_strdup(id);
	}
	yyjson_arr_foreach (yyjson_obj_get(config, "history"), i, n, item) {
		if (cda_json_bool(item, "empty_layer", false))
			continue;
		if (at < v->n) {
			free(v->v[at].created_by);
			v->v[at].created_by = text_of(item, "created_by");
		}
		at++;
	}
	return 0;
}

static int read_layers(struct reader *r, const struct cda_strv *names, struct cda_err *err)
{
	struct cda_oci_image *image = r->image;

	for (size_t i = 0; i < names->n; i++) {
		CDA_CLEANUP(cda_blob_done) struct cda_blob blob = CDA_BLOB_INIT;
		CDA_AUTOFREE char *what = cda_asprintf("layer %zu of %zu", i + 1, names->n);
		int rc = cda_store_blob(r->store, names->v[i], &blob, err);

		if (!rc)
			rc = cda_oci_layer_read(image->tree, &blob, what, r->options,
						&image->layers.v[i], err);
		if (rc)
			return rc;
	}
	return 0;
}

static int count_layers(struct reader *r, yyjson_val *layers, struct cda_err *err)
{
	size_t n = yyjson_arr_size(layers);

	if (!yyjson_is_arr(layers) || n > layers_max)
		return cda_err_set(err, CDA_E_ARCHIVE,
				   n > layers_max ? "it has too many layers"
						  : "it names no layers");
	for (size_t i = 0; i < n; i++)
		cda_oci_layers_push(&r->image->layers, (struct cda_oci_layer){0});
	return 0;
}

static int read_oci(struct reader *r, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *index = NULL, *manifest = NULL, *config = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv names = {0};
	const struct cda_candidate *chosen = NULL;
	yyjson_val *root, *item;
	size_t i, n;
	int rc = read_json(r, "index.json", &index, &text, err);

	if (!rc)
		rc = gather(r, yyjson_doc_get_root(index), NULL, 0, err);
	if (!rc)
		rc = cda_candidates_choose(&r->found, r->options->ref, r->options->platform,
					   &chosen, err);
	if (!rc)
		rc = read_described(r, chosen->digest, &manifest, err);
	if (rc)
		return rc;
	r->image->digest = cda_strdup(chosen->digest);
	r->image->name = dup_or(chosen->name, chosen->ref);
	root = yyjson_doc_get_root(manifest);
	rc = count_layers(r, yyjson_obj_get(root, "layers"), err);
	if (!rc)
		rc = read_described(r, cda_json_str(yyjson_obj_get(root, "config"), "digest"),
				    &config, err);
	if (!rc)
		rc = read_config(r, yyjson_doc_get_root(config), r->image->layers.n, err);
	if (rc)
		return rc;
	yyjson_arr_foreach (yyjson_obj_get(root, "layers"), i, n, item) {
		const char *digest = cda_json_str(item, "digest");
		CDA_AUTOFREE char *path = blob_path(digest);

		if (!path)
			return cda_err_set(err, CDA_E_ARCHIVE,
					   "layer %zu has no digest that can be verified", i + 1);
		r->image->layers.v[i].digest = cda_strdup(digest);
		cda_strv_push(&names, path);
	}
	return read_layers(r, &names, err);
}

/* --- docker save --- */

static int gather_docker(struct reader *r, yyjson_val *list, struct cda_err *err)
{
	yyjson_val *item;
	size_t i, n;

	yyjson_arr_foreach (list, i, n, item) {
		CDA_AUTOSTRV struct cda_strv tags = {0};

		if (r->found.n >= images_max)
			return cda_err_set(err, CDA_E_ARCHIVE, "it holds too many images");
		cda_json_strv(item, "RepoTags", &tags);
		for (size_t k = 0; k < tags.n || k == 0; k++) {
			struct cda_candidate c = {text_of(item, "Config"),
						  NULL,
						  cda_strdup_null(k < tags.n ? tags.v[k] : NULL),
						  {0},
						  i};

			cda_candidates_push(&r->found, c);
		}
	}
	return 0;
}

/* The configuration's name is its digest: "HEX.json", "blobs/sha256/HEX". */
static int check_config(struct reader *r, const char *name, const struct cda_buf *text,
			struct cda_err *err)
{
	const char *base = cda_path_basename(name);
	size_t n = strlen(base);
	char hex[CDA_HASH_HEX_MAX];

	if (cda_ends_with(base, ".json"))
		n -= 5;
	cda_hash_mem(CDA_SHA256, text->p, text->len, hex);
	r->image->digest = cda_asprintf("sha256:%s", hex);
	CDA_AUTOFREE char *wanted = cda_strndup(base, n);

	if (cda_hash_is_hex(CDA_SHA256, wanted) && !cda_hash_eq(wanted, hex))
		return cda_err_set(err, CDA_E_CHECKSUM, "'%s' has the digest %s", name, hex);
	return 0;
}

static int read_docker(struct reader *r, yyjson_val *list, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *config = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv names = {0};
	const struct cda_candidate *chosen = NULL;
	const char *config_name;
	yyjson_val *item;
	int rc = gather_docker(r, list, err);

	if (!rc)
		rc = cda_candidates_choose(&r->found, r->options->ref, r->options->platform,
					   &chosen, err);
	if (rc)
		return rc;
	item = yyjson_arr_get(list, chosen->at);
	config_name = cda_json_str(item, "Config");
	if (!config_name)
		return cda_err_set(err, CDA_E_ARCHIVE, "its manifest names no configuration");
	r->image->name = cda_strdup_null(chosen->name);
	rc = count_layers(r, yyjson_obj_get(item, "Layers"), err);
	if (!rc)
		rc = read_json(r, config_name, &config, &text, err);
	if (!rc)
		rc = check_config(r, config_name, &text, err);
	if (!rc)
		rc = read_config(r, yyjson_doc_get_root(config), r->image->layers.n, err);
	if (rc)
		return rc;
	cda_json_strv(item, "Layers", &names);
	if (names.n != r->image->layers.n)
		return cda_err_set(err, CDA_E_ARCHIVE, "its manifest names no layers");
	return read_layers(r, &names, err);
}

/* --- a root --- */

static int read_root(struct reader *r, const char *path, struct cda_err *err)
{
	CDA_CLEANUP(cda_blob_done) struct cda_blob blob = CDA_BLOB_INIT;
	struct cda_oci_layer *layer =
		cda_oci_layers_push(&r->image->layers, (struct cda_oci_layer){0});
	int rc;

	r->image->is_image = false;
	if (cda_store_is_folder(r->store)) {
		rc = cda_tree_add_folder(r->image->tree, path, err);
		if (rc)
			return rc;
		cda_tree_sort(r->image->tree);
		return cda_oci_layer_of_folder(r->image->tree, r->options, layer, err);
	}
	rc = cda_store_blob(r->store, NULL, &blob, err);
	return rc ? rc
		  : cda_oci_layer_read(r->image->tree, &blob, "the archive", r->options, layer,
				       err);
}

/* --- all of it --- */

static void measure(struct cda_oci_image *image)
{
	struct cda_tree *tree = image->tree;

	image->packed = cda_alloc0(tree->n + 1, sizeof(*image->packed));
	for (size_t i = 0; i < tree->n; i++) {
		const struct cda_tree_entry *entry = tree->v[i];
		const struct cda_tree_inode *inode = entry->inode;
		uint64_t from = (uint64_t)inode->at;

		if (inode->type != CDA_TREE_FILE || entry->first || !inode->layer ||
		    inode->layer > image->layers.n)
			continue;
		image->packed[i] = cda_oci_cost(&image->layers.v[inode->layer - 1], from,
						from + 512 + (inode->size + 511) / 512 * 512);
		image->layers.v[inode->layer - 1].hidden += inode->size;
	}
	/* until here hidden counted what is seen */
	cda_vec_each (layer, &image->layers)
		layer->hidden = layer->content > layer->hidden ? layer->content - layer->hidden : 0;
}

/* index.json and manifest.json are names that a root file system could have too. */
static int read_any(struct reader *r, const char *path, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *manifest = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_val *root;
	int rc;

	if (cda_store_has(r->store, "oci-layout") && cda_store_has(r->store, "index.json"))
		return read_oci(r, err);
	if (!cda_store_has(r->store, "manifest.json"))
		return read_root(r, path, err);
	rc = read_json(r, "manifest.json", &manifest, &text, err);
	if (rc)
		return rc;
	root = yyjson_doc_get_root(manifest);
	if (!yyjson_is_arr(yyjson_obj_get(yyjson_arr_get_first(root), "Layers")))
		return read_root(r, path, err);
	return read_docker(r, root, err);
}

int cda_oci_read(const char *path, const struct cda_oci_options *options,
		 struct cda_oci_image *ret_image, struct cda_err *err)
{
	static const struct cda_oci_options defaults;
	CDA_CLEANUP(cda_store_freep) struct cda_store *store = NULL;
	struct cda_oci_image image = {.is_image = true};
	struct reader r = {NULL, options ? options : &defaults, &image, {0}, 0};
	int rc = cda_store_open(path, &store, err);

	if (rc)
		return rc;
	r.store = store;
	image.tree = cda_tree_new(&r.options->limits);
	rc = read_any(&r, path, err);
	cda_candidates_free_all(&r.found);
	if (rc) {
		cda_oci_done(&image);
		return cda_err_wrap(err, rc, "'%s'", path);
	}
	cda_tree_sort(image.tree);
	measure(&image);
	*ret_image = image;
	return 0;
}
