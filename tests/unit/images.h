/* images.h - images for tests, made in memory: tar archives of rows, an OCI layout or a docker
 * archive around them, as a folder or as one tar. */
#ifndef IMAGES_H
#define IMAGES_H

#include "scratch.h"

#include "util/buf.h"
#include "util/hash.h"
#include "util/str.h"
#include "util/vec.h"

#include <archive.h>
#include <archive_entry.h>

/* A member: a file with that text; "-> X" a link, "=> X" a hard link, a name that ends with '/' a
 * folder. */
struct row {
	const char *name, *text;
};

static la_ssize_t rows_write(struct archive *archive, void *ctx, const void *p, size_t len)
{
	cda_buf_add(ctx, p, len);
	return (la_ssize_t)len;
}

static void rows_add(struct archive *tar, const char *name, const char *text, size_t len)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_mtime(entry, 1, 0);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_filetype(entry, AE_IFREG);
	if (cda_ends_with(name, "/")) {
		archive_entry_set_filetype(entry, AE_IFDIR);
		archive_entry_set_perm(entry, 0755);
		len = 0;
	} else if (cda_starts_with(text, "-> ")) {
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, text + 3);
		len = 0;
	} else if (cda_starts_with(text, "=> ")) {
		archive_entry_set_hardlink(entry, text + 3);
		len = 0;
	}
	archive_entry_set_size(entry, (la_int64_t)len);
	if (archive_write_header(tar, entry) != ARCHIVE_OK ||
	    (len && archive_write_data(tar, text, len) != (la_ssize_t)len))
		scratch_die("write", name, NULL);
	archive_entry_free(entry);
}

static struct archive *rows_begin(const char *filter, struct cda_buf *out)
{
	struct archive *tar = archive_write_new();

	archive_write_set_format_gnutar(tar);
	archive_write_set_bytes_in_last_block(tar, 1);
	if (filter && archive_write_add_filter_by_name(tar, filter) != ARCHIVE_OK)
		scratch_die("pack by", filter, NULL);
	archive_write_open2(tar, out, NULL, rows_write, NULL, NULL);
	return tar;
}

static void rows_end(struct archive *tar)
{
	archive_write_close(tar);
	archive_write_free(tar);
}

__attribute__((unused)) static void rows_tar(const struct row *rows, const char *filter,
					     struct cda_buf *out)
{
	struct archive *tar = rows_begin(filter, out);

	for (; rows && rows->name; rows++)
		rows_add(tar, rows->name, rows->text, strlen(rows->text));
	rows_end(tar);
}

/* The files of an image, by name. */
struct blobs {
	struct {
		char *name;
		struct cda_buf text;
	} v[64];
	size_t n;
};

static void blobs_add(struct blobs *blobs, const char *name, const struct cda_buf *text)
{
	blobs->v[blobs->n].name = cda_strdup(name);
	blobs->v[blobs->n].text = CDA_BUF_INIT;
	cda_buf_add(&blobs->v[blobs->n++].text, text->p, text->len);
}

__attribute__((unused)) static void blobs_done(struct blobs *blobs)
{
	for (size_t i = 0; i < blobs->n; i++) {
		free(blobs->v[i].name);
		cda_buf_done(&blobs->v[i].text);
	}
	blobs->n = 0;
}
#define AUTOBLOBS CDA_CLEANUP(blobs_done) struct blobs

/* The text of the file whose name begins so. */
__attribute__((unused)) static struct cda_buf *blobs_find(struct blobs *blobs, const char *name)
{
	for (size_t i = 0; i < blobs->n; i++)
		if (cda_starts_with(blobs->v[i].name, name))
			return &blobs->v[i].text;
	return NULL;
}

__attribute__((unused)) static void blobs_folder(const struct blobs *blobs,
						 const struct scratch *scratch, const char *name)
{
	for (size_t i = 0; i < blobs->n; i++) {
		CDA_AUTOFREE char *path =
			cda_asprintf("%s/%s/%s", scratch->dir, name, blobs->v[i].name);
		struct cda_err err = {0};

		if (cda_fs_mkparents(AT_FDCWD, path, 0755, &err) ||
		    cda_fs_replace(AT_FDCWD, path, blobs->v[i].text.p, blobs->v[i].text.len, 0644,
				   false, &err))
			scratch_die("write", path, &err);
	}
}

__attribute__((unused)) static void blobs_tar(const struct blobs *blobs, const char *filter,
					      const struct scratch *scratch, const char *name)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *path = scratch_path(scratch, name);
	struct archive *tar = rows_begin(filter, &out);
	struct cda_err err = {0};

	for (size_t i = 0; i < blobs->n; i++)
		rows_add(tar, blobs->v[i].name, blobs->v[i].text.p, blobs->v[i].text.len);
	rows_end(tar);
	if (cda_fs_replace(AT_FDCWD, path, out.p, out.len, 0644, false, &err))
		scratch_die("write", path, &err);
}

static void digest_of(const struct cda_buf *text, char out[CDA_HASH_HEX_MAX])
{
	cda_hash_mem(CDA_SHA256, text->p, text->len, out);
}

/* Adds the blob and appends its descriptor. */
static void describe(struct blobs *blobs, const struct cda_buf *text, const char *more,
		     struct cda_buf *out)
{
	char hex[CDA_HASH_HEX_MAX];

	digest_of(text, hex);
	CDA_AUTOFREE char *name = cda_asprintf("blobs/sha256/%s", hex);

	blobs_add(blobs, name, text);
	cda_buf_addf(out, "{\"digest\":\"sha256:%s\",\"size\":%zu%s}", hex, text->len, more);
}

struct layer_rows {
	const struct row *rows;
	const char *filter; /* NULL: not packed */
};

/* Configuration and manifest of the layers: appends the manifest's descriptor to index. */
__attribute__((unused)) static void image_add(struct blobs *blobs, const struct layer_rows *layers,
					      const char *arch, const char *more,
					      struct cda_buf *index)
{
	CDA_AUTOBUF struct cda_buf config = CDA_BUF_INIT, manifest = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf list = CDA_BUF_INIT, ids = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf history = CDA_BUF_INIT;
	char hex[CDA_HASH_HEX_MAX];

	for (size_t i = 0; layers[i].rows; i++) {
		CDA_AUTOBUF struct cda_buf plain = CDA_BUF_INIT, packed = CDA_BUF_INIT;

		rows_tar(layers[i].rows, NULL, &plain);
		rows_tar(layers[i].rows, layers[i].filter, &packed);
		digest_of(&plain, hex);
		cda_buf_addf(&ids, "%s\"sha256:%s\"", i ? "," : "", hex);
		cda_buf_addf(&history,
			     "{\"created_by\":\"ENV x\",\"empty_layer\":true},"
			     "{\"created_by\":\"step %zu\"}%s",
			     i + 1, layers[i + 1].rows ? "," : "");
		cda_buf_adds(&list, i ? "," : "");
		describe(blobs, &packed, "", &list);
	}
	cda_buf_addf(&config,
		     "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","
		     "\"diff_ids\":[%s]},\"history\":[%s]}",
		     arch, ids.p, history.p);
	cda_buf_adds(&manifest, "{\"schemaVersion\":2,\"config\":");
	describe(blobs, &config, "", &manifest);
	cda_buf_addf(&manifest, ",\"layers\":[%s]}", list.p);
	describe(blobs, &manifest, more, index);
}

__attribute__((unused)) static void image_layout(struct blobs *blobs,
						 const struct layer_rows *layers)
{
	CDA_AUTOBUF struct cda_buf index = CDA_BUF_INIT, mark = CDA_BUF_INIT;

	cda_buf_adds(&mark, "{\"imageLayoutVersion\":\"1.0.0\"}");
	blobs_add(blobs, "oci-layout", &mark);
	cda_buf_adds(&index, "{\"schemaVersion\":2,\"manifests\":[");
	image_add(blobs, layers, "amd64",
		  ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"app:1\"}", &index);
	cda_buf_adds(&index, "]}");
	blobs_add(blobs, "index.json", &index);
}

/* As `docker save` wrote it for long: a folder per layer, not packed; a layer that comes twice is
 * a link. */
__attribute__((unused)) static void image_docker(struct blobs *blobs,
						 const struct layer_rows *layers)
{
	CDA_AUTOBUF struct cda_buf config = CDA_BUF_INIT, manifest = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf list = CDA_BUF_INIT, ids = CDA_BUF_INIT;
	char hex[CDA_HASH_HEX_MAX];

	for (size_t i = 0; layers[i].rows; i++) {
		CDA_AUTOBUF struct cda_buf plain = CDA_BUF_INIT;
		CDA_AUTOFREE char *name = cda_asprintf("%zu/layer.tar", i);

		rows_tar(layers[i].rows, NULL, &plain);
		digest_of(&plain, hex);
		cda_buf_addf(&ids, "%s\"sha256:%s\"", i ? "," : "", hex);
		cda_buf_addf(&list, "%s\"%s\"", i ? "," : "", name);
		blobs_add(blobs, name, &plain);
	}
	cda_buf_addf(&config,
		     "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[%s]}}",
		     ids.p);
	digest_of(&config, hex);
	CDA_AUTOFREE char *name = cda_asprintf("%s.json", hex);

	blobs_add(blobs, name, &config);
	cda_buf_addf(&manifest, "[{\"Config\":\"%s\",\"RepoTags\":[\"app:1\"],\"Layers\":[%s]}]",
		     name, list.p);
	blobs_add(blobs, "manifest.json", &manifest);
}

#endif
