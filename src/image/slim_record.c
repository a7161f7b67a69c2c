/* What conda-meta and RECORD files say, changed with the files. Texts that come from outside:
 * conda-meta is JSON, written back key by key in its own order, so that members of other programs
 * survive; a RECORD is CSV as PEP 376 and PEP 627 have it, lines that stay keep their bytes. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/str.h"

#define RECORD_MAX ((size_t)64 << 20)

/* ---- conda-meta */

/* Items of an array that stay. The array is filled anew: yyjson 0.10's removal by iterator passes
 * over the item behind the one that goes. */
CDA_VEC_DEFINE(items, yyjson_mut_val *);

static void refill(yyjson_mut_val *array, struct items *stay)
{
	yyjson_mut_arr_clear(array);
	for (size_t i = 0; i < stay->n; i++)
		yyjson_mut_arr_append(array, stay->v[i]);
	items_done(stay);
}

static void list_items(yyjson_mut_val *array, struct items *all)
{
	yyjson_mut_val *item;
	size_t i, n;

	yyjson_mut_arr_foreach(array, i, n, item) items_push(all, item);
}

static bool edit_files(yyjson_mut_val *files, cda_slim_ask *ask, void *ctx)
{
	struct items all = {0}, stay = {0};
	bool changed;

	if (!yyjson_mut_is_arr(files))
		return false;
	list_items(files, &all);
	cda_vec_each (item, &all) {
		const char *name = yyjson_mut_get_str(*item);

		if (!name || ask(ctx, name).act != CDA_SLIM_REMOVE)
			items_push(&stay, *item);
	}
	changed = stay.n != all.n;
	items_done(&all);
	refill(files, &stay);
	return changed;
}

/* Replaces or adds; the key keeps its place. */
static void put(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_val *had = yyjson_mut_obj_get(object, key);

	if (had)
		yyjson_mut_obj_replace(object, yyjson_mut_str(doc, key), value);
	else
		yyjson_mut_obj_add(object, yyjson_mut_str(doc, key), value);
}

static bool edit_path(yyjson_mut_doc *doc, yyjson_mut_val *item, struct cda_slim_change change)
{
	const char *sha256 = yyjson_mut_get_str(yyjson_mut_obj_get(item, "sha256_in_prefix"));
	const char *type = yyjson_mut_get_str(yyjson_mut_obj_get(item, "path_type"));

	if (change.act == CDA_SLIM_FORGET) {
		if (cda_streq(type, "pyc_file"))
			return false;
		put(doc, item, "path_type", yyjson_mut_str(doc, "pyc_file"));
		yyjson_mut_obj_remove_key(item, "sha256");
		yyjson_mut_obj_remove_key(item, "sha256_in_prefix");
		yyjson_mut_obj_remove_key(item, "size_in_bytes");
		return true;
	}
	if (change.act != CDA_SLIM_REWRITE ||
	    (sha256 && cda_hash_eq(sha256, change.sha256) &&
	     yyjson_mut_get_sint(yyjson_mut_obj_get(item, "size_in_bytes")) == change.size))
		return false;
	put(doc, item, "sha256_in_prefix", yyjson_mut_strcpy(doc, change.sha256));
	put(doc, item, "size_in_bytes", yyjson_mut_sint(doc, change.size));
	return true;
}

/* Packages of Python without an architecture call their files otherwise than the prefix does: where
 * both lists are as long as each other, an entry of one is the same place in the other. */
static bool edit_paths(yyjson_mut_doc *doc, yyjson_mut_val *paths, yyjson_mut_val *files,
		       cda_slim_ask *ask, void *ctx)
{
	struct items all = {0}, names = {0}, stay = {0};
	bool changed = false, aligned;

	if (!yyjson_mut_is_arr(paths))
		return false;
	list_items(paths, &all);
	if (yyjson_mut_is_arr(files))
		list_items(files, &names);
	aligned = names.n == all.n;
	for (size_t i = 0; i < all.n; i++) {
		const char *name = yyjson_mut_get_str(
			aligned ? names.v[i] : yyjson_mut_obj_get(all.v[i], "_path"));
		struct cda_slim_change change = {0};

		if (name && yyjson_mut_is_obj(all.v[i]))
			change = ask(ctx, name);
		if (change.act == CDA_SLIM_REMOVE) {
			changed = true;
			continue;
		}
		if (change.act != CDA_SLIM_LEAVE)
			changed = edit_path(doc, all.v[i], change) || changed;
		items_push(&stay, all.v[i]);
	}
	items_done(&all);
	items_done(&names);
	refill(paths, &stay);
	return changed;
}

int cda_slim_edit_meta(const char *text, size_t len, const char *what, cda_slim_ask *ask, void *ctx,
		       struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *read = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = NULL;
	yyjson_mut_val *root, *files;
	bool changed;
	int rc = cda_json_parse(text, len, what, &read, err);

	if (rc < 0)
		return rc;
	if (!yyjson_is_obj(yyjson_doc_get_root(read)))
		return cda_err_set(err, CDA_E_PARSE, "'%s' is no record of a package", what);
	doc = yyjson_doc_mut_copy(read, NULL);
	root = yyjson_mut_doc_get_root(doc);
	files = yyjson_mut_obj_get(root, "files");
	changed =
		edit_paths(doc, yyjson_mut_obj_get(yyjson_mut_obj_get(root, "paths_data"), "paths"),
			   files, ask, ctx);
	changed = edit_files(files, ask, ctx) || changed;
	if (!changed)
		return 0;
	cda_json_format(root, 2, false, out);
	if (len > 0 && text[len - 1] == '\n')
		cda_buf_addc(out, '\n');
	return 1;
}

/* ---- RECORD */

/* The hash as RECORD has it: url-safe base64 without padding. */
static void add_base64(const char *hex, struct cda_buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned held = 0, bits = 0;

	for (; *hex; hex++) {
		held = held << 4 | (unsigned)(*hex <= '9' ? *hex - '0' : (*hex | 0x20) - 'a' + 10);
		bits += 4;
		if (bits >= 6) {
			bits -= 6;
			cda_buf_addc(out, digits[held >> bits & 63]);
		}
	}
	if (bits > 0)
		cda_buf_addc(out, digits[held << (6 - bits) & 63]);
}

/* The first field of a line, its quotes undone: owned. *ret_end: where the rest begins. */
static char *first_field(struct cda_str line, size_t *ret_end)
{
	CDA_AUTOBUF struct cda_buf name = CDA_BUF_INIT;
	size_t i = 0;

	if (line.len == 0 || line.p[0] != '"') {
		const char *comma = memchr(line.p, ',', line.len);

		*ret_end = comma ? (size_t)(comma - line.p) : line.len;
		return cda_strndup(line.p, *ret_end);
	}
	for (i = 1; i < line.len; i++) {
		if (line.p[i] == '"' && i + 1 < line.len && line.p[i + 1] == '"')
			i++;
		else if (line.p[i] == '"')
			break;
		cda_buf_addc(&name, line.p[i]);
	}
	*ret_end = i < line.len ? i + 1 : i;
	return cda_buf_take(&name);
}

int cda_slim_edit_record(const char *text, size_t len, cda_slim_ask *ask, void *ctx,
			 struct cda_buf *out)
{
	struct cda_str rest = {text, len}, line;
	bool changed = false;

	while (rest.len > 0) {
		const char *end = memchr(rest.p, '\n', rest.len);
		size_t whole = end ? (size_t)(end - rest.p) + 1 : rest.len, at, eol;
		struct cda_slim_change change;

		line = (struct cda_str){rest.p, whole};
		rest = (struct cda_str){rest.p + whole, rest.len - whole};
		for (eol = whole; eol > 0 && (line.p[eol - 1] == '\n' || line.p[eol - 1] == '\r');)
			eol--;
		CDA_AUTOFREE char *name = first_field((struct cda_str){line.p, eol}, &at);
		/* what is between has no hash: it stays without one */
		bool has_hash = eol >= at + 8 && memcmp(line.p + at, ",sha256=", 8) == 0;

		change = *name ? ask(ctx, name) : (struct cda_slim_change){0};
		if (change.act == CDA_SLIM_REMOVE) {
			changed = true;
			continue;
		}
		if (change.act != CDA_SLIM_REWRITE || !has_hash) {
			cda_buf_add(out, line.p, line.len);
			continue;
		}
		size_t from = out->len;
		cda_buf_add(out, line.p, at);
		cda_buf_adds(out, ",sha256=");
		add_base64(change.sha256, out);
		cda_buf_addf(out, ",%jd", (intmax_t)change.size);
		cda_buf_add(out, line.p + eol, whole - eol);
		changed = changed || out->len - from != whole ||
			  memcmp(out->p + from, line.p, whole) != 0;
	}
	return changed;
}

/* ---- the records of the tree */

struct asking {
	const struct cda_slim *slim;
	const char *folder; /* that names count from */
};

static struct cda_slim_change change_of(const struct cda_slim *slim, const char *path)
{
	const struct cda_slim_file *file = cda_slim_find(slim, path);

	if (!file || file->act == CDA_SLIM_LINK)
		return (struct cda_slim_change){0};
	return (struct cda_slim_change){file->act, file->new_sha256, file->new_size};
}

static struct cda_slim_change ask_meta(void *ctx, const char *name)
{
	const struct asking *asking = ctx;
	CDA_AUTOFREE char *path = cda_path_join(asking->folder, name);

	if (!cda_fs_path_is_inside(name))
		return (struct cda_slim_change){0};
	return change_of(asking->slim, path);
}

static struct cda_slim_change ask_record(void *ctx, const char *name)
{
	const struct asking *asking = ctx;
	CDA_AUTOFREE char *joined = cda_asprintf("/%s/%s", asking->folder, name);
	CDA_AUTOFREE char *path = cda_path_normal(joined, "/", NULL);

	if (name[0] == '/')
		return (struct cda_slim_change){0};
	struct cda_slim_change change = change_of(asking->slim, path + 1);
	/* pip removes what is compiled with its source */
	if (change.act == CDA_SLIM_FORGET)
		change.act = CDA_SLIM_LEAVE;
	return change;
}

static void rewrite(struct cda_slim_file *file, struct cda_buf *text)
{
	file->act = CDA_SLIM_REWRITE;
	file->new_size = (int64_t)text->len;
	cda_hash_mem(CDA_SHA256, text->p, text->len, file->new_sha256);
	free(file->text);
	file->text = cda_buf_take(text);
}

static int plan_record(struct cda_slim *slim, struct cda_slim_file *file, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, out = CDA_BUF_INIT;
	CDA_AUTOFREE char *info = cda_path_dirname(file->path);
	CDA_AUTOFREE char *site = cda_path_dirname(info);
	struct asking asking = {slim, cda_streq(site, ".") ? "" : site};
	int rc = cda_slim_read(slim, file, RECORD_MAX, &text, err);

	if (rc < 0)
		return rc;
	if (cda_slim_edit_record(text.p, text.len, ask_record, &asking, &out))
		rewrite(file, &out);
	return 0;
}

static int plan_meta(struct cda_slim *slim, struct cda_slim_file *file, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, out = CDA_BUF_INIT;
	struct asking asking = {slim, slim->prefixes.v[file->prefix - 1]};
	int rc = cda_slim_read(slim, file, RECORD_MAX, &text, err);

	if (rc >= 0)
		rc = cda_slim_edit_meta(text.p, text.len, file->path, ask_meta, &asking, &out, err);
	if (rc > 0)
		rewrite(file, &out);
	return rc < 0 ? rc : 0;
}

/* RECORD first: conda-meta has their hashes. */
int cda_slim_plan_records(struct cda_slim *slim, struct cda_err *err)
{
	int rc = 0;

	for (int pass = 0; pass < 2; pass++)
		cda_vec_each (file, &slim->files) {
			const char *in_prefix = cda_slim_in_prefix(slim, file);
			bool is_meta = in_prefix && cda_slim_match("conda-meta/*.json", in_prefix);

			if (!S_ISREG(file->st.st_mode) || file->act || rc < 0)
				continue;
			if (pass == 0 && cda_slim_match("**/*.dist-info/RECORD", file->path) &&
			    !cda_slim_is_owned(slim, file->path))
				rc = plan_record(slim, file, err);
			else if (pass == 1 && is_meta)
				rc = plan_meta(slim, file, err);
		}
	return rc;
}
