#include "image/size_print.h"
#include "util/alloc.h"
#include "util/json.h"
#include "util/str.h"

/* Members in the order they are added; names go through cda_size_text. */
struct writer {
	yyjson_mut_doc *doc;
};

static void text(struct writer *w, yyjson_mut_val *obj, const char *key, const char *s)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!s) {
		yyjson_mut_obj_add_null(w->doc, obj, key);
		return;
	}
	cda_size_text(s, &out);
	yyjson_mut_obj_add_strncpy(w->doc, obj, key, out.p, out.len);
}

static void number(struct writer *w, yyjson_mut_val *obj, const char *key, uint64_t n)
{
	yyjson_mut_obj_add_uint(w->doc, obj, key, n);
}

static yyjson_mut_val *list(struct writer *w, yyjson_mut_val *obj, const char *key)
{
	yyjson_mut_val *arr = yyjson_mut_arr(w->doc);

	yyjson_mut_obj_add_val(w->doc, obj, key, arr);
	return arr;
}

static yyjson_mut_val *item(struct writer *w, yyjson_mut_val *arr)
{
	yyjson_mut_val *obj = yyjson_mut_obj(w->doc);

	yyjson_mut_arr_append(arr, obj);
	return obj;
}

static void add_layers(struct writer *w, yyjson_mut_val *root, const struct cda_size *size)
{
	yyjson_mut_val *arr = list(w, root, "layers");

	cda_vec_each (layer, &size->image.layers) {
		yyjson_mut_val *obj = item(w, arr);

		text(w, obj, "digest", layer->digest);
		text(w, obj, "diff_id", layer->diff_id);
		text(w, obj, "created_by", layer->created_by);
		text(w, obj, "packing", layer->packing);
		yyjson_mut_obj_add_bool(w->doc, obj, "measured", layer->measured);
		number(w, obj, "packed", layer->packed);
		number(w, obj, "stored", layer->stored);
		number(w, obj, "unpacked", layer->unpacked);
		number(w, obj, "files_size", layer->content);
		number(w, obj, "hidden", layer->hidden);
	}
}

static void add_kinds(struct writer *w, yyjson_mut_val *root, const struct cda_size *size)
{
	yyjson_mut_val *arr = list(w, root, "kinds");

	for (unsigned kind = 0; kind < CDA_SIZE_KINDS; kind++) {
		const struct cda_size_sum *sum = &size->kinds[kind];
		yyjson_mut_val *obj;

		if (!sum->files && !sum->packages)
			continue;
		obj = item(w, arr);
		text(w, obj, "kind", cda_size_kind_name(kind));
		number(w, obj, "packages", sum->packages);
		number(w, obj, "files", sum->files);
		number(w, obj, "size", sum->size);
		number(w, obj, "packed", sum->packed);
	}
}

static void add_packages(struct writer *w, yyjson_mut_val *root, const struct cda_size *size)
{
	yyjson_mut_val *arr = list(w, root, "packages");

	cda_vec_each (package, &size->packages) {
		const struct cda_inv_package *p = &size->inv.packages.v[package->index];
		yyjson_mut_val *obj = item(w, arr);

		text(w, obj, "kind", cda_inv_kind_name(p->kind));
		text(w, obj, "name", p->name);
		text(w, obj, "version", p->version);
		text(w, obj, "build", p->build);
		text(w, obj, "arch", p->arch);
		text(w, obj, "license", p->license);
		text(w, obj, "summary", p->summary);
		text(w, obj, "place", p->place);
		text(w, obj, "purl", p->purl);
		number(w, obj, "files", p->files);
		number(w, obj, "size", p->size);
		number(w, obj, "packed", package->packed);
	}
}

static void add_folders(struct writer *w, yyjson_mut_val *root, const char *key,
			const struct cda_size_folders *folders)
{
	yyjson_mut_val *arr = list(w, root, key);

	cda_vec_each (folder, folders) {
		yyjson_mut_val *obj = item(w, arr);

		text(w, obj, "path", folder->path);
		number(w, obj, "files", folder->files);
		number(w, obj, "size", folder->size);
		number(w, obj, "packed", folder->packed);
	}
}

static void add_files(struct writer *w, yyjson_mut_val *root, const struct cda_size *size,
		      size_t top)
{
	yyjson_mut_val *arr = list(w, root, "files");

	for (size_t i = 0; i < size->files.n && i < top; i++) {
		size_t at = size->files.v[i].entry;
		int32_t owner = size->inv.owner[at];
		yyjson_mut_val *obj = item(w, arr);

		text(w, obj, "path", size->image.tree->v[at]->path);
		text(w, obj, "purl", owner < 0 ? NULL : size->inv.packages.v[owner].purl);
		number(w, obj, "size", size->image.tree->v[at]->inode->size);
		number(w, obj, "packed", size->image.packed[at]);
	}
}

static void add_duplicates(struct writer *w, yyjson_mut_val *root, const struct cda_size *size,
			   size_t top)
{
	yyjson_mut_val *arr = list(w, root, "duplicates");

	for (size_t i = 0; i < size->duplicates.n && i < top; i++) {
		const struct cda_size_twins *twins = &size->duplicates.v[i];
		yyjson_mut_val *obj = item(w, arr), *paths;

		text(w, obj, "sha256", twins->sha256);
		number(w, obj, "size", twins->size);
		number(w, obj, "wasted", twins->wasted);
		paths = list(w, obj, "paths");
		for (size_t k = 0; k < twins->count; k++) {
			CDA_AUTOBUF struct cda_buf path = CDA_BUF_INIT;

			cda_size_text(size->image.tree->v[twins->entries[k]]->path, &path);
			yyjson_mut_arr_add_strncpy(w->doc, paths, path.p, path.len);
		}
	}
}

static void add_image(struct writer *w, yyjson_mut_val *root, const struct cda_size *size,
		      size_t top)
{
	const struct cda_oci_image *image = &size->image;
	yyjson_mut_val *notes;

	text(w, root, "path", size->path);
	text(w, root, "name", image->name);
	text(w, root, "digest", image->digest);
	text(w, root, "os", image->os);
	text(w, root, "architecture", image->arch);
	yyjson_mut_obj_add_bool(w->doc, root, "image", image->is_image);
	yyjson_mut_obj_add_bool(w->doc, root, "measured", size->measured);
	text(w, root, "estimate", size->measured ? NULL : size->estimate);
	number(w, root, "packed", size->packed);
	number(w, root, "stored", size->stored);
	number(w, root, "unpacked", size->unpacked);
	number(w, root, "size", size->all.size);
	number(w, root, "files_packed", size->all.packed);
	number(w, root, "file_count", size->all.files);
	number(w, root, "folder_count", size->folders);
	number(w, root, "link_count", size->links);
	number(w, root, "hidden", size->hidden);
	number(w, root, "wasted", size->wasted);
	add_layers(w, root, size);
	add_kinds(w, root, size);
	add_packages(w, root, size);
	add_folders(w, root, "folders", &size->tops);
	add_folders(w, root, "unowned_folders", &size->loose);
	add_files(w, root, size, top);
	add_duplicates(w, root, size, top);
	notes = list(w, root, "notes");
	cda_vec_each (note, &size->inv.notes) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

		cda_size_text(*note, &out);
		yyjson_mut_arr_add_strncpy(w->doc, notes, out.p, out.len);
	}
}

static void add_change(struct writer *w, yyjson_mut_val *root, const struct cda_size *before,
		       const struct cda_size *after)
{
	yyjson_mut_val *arr = list(w, root, "changed_packages");
	struct cda_size_pairs pairs = {0};

	cda_size_compare(before, after, &pairs);
	cda_vec_each (pair, &pairs) {
		const struct cda_inv_package *any = pair->before ? pair->before : pair->after;
		yyjson_mut_val *obj = item(w, arr);

		text(w, obj, "kind", cda_inv_kind_name(any->kind));
		text(w, obj, "name", any->name);
		text(w, obj, "place", any->place);
		text(w, obj, "version_before", pair->before ? pair->before->version : NULL);
		text(w, obj, "version_after", pair->after ? pair->after->version : NULL);
		number(w, obj, "size_before", pair->size[0]);
		number(w, obj, "size_after", pair->size[1]);
		number(w, obj, "packed_before", pair->packed[0]);
		number(w, obj, "packed_after", pair->packed[1]);
	}
	cda_size_pairs_done(&pairs);
}

void cda_size_json(const struct cda_size *before, const struct cda_size *after,
		   const struct cda_size_print *print, struct cda_buf *out)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	struct writer w = {doc};
	yyjson_mut_val *root = yyjson_mut_obj(doc), *side;

	if (after) {
		side = yyjson_mut_obj(doc);
		yyjson_mut_obj_add_val(doc, root, "before", side);
		add_image(&w, side, before, print->top);
		side = yyjson_mut_obj(doc);
		yyjson_mut_obj_add_val(doc, root, "after", side);
		add_image(&w, side, after, print->top);
		add_change(&w, root, before, after);
	} else {
		add_image(&w, root, before, print->top);
	}
	cda_json_format(root, 2, false, out);
	cda_buf_addc(out, '\n');
}
