#include "image/oci_layer.h"
#include "image/tree_state.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/hash.h"
#include "util/str.h"
#include "util/workers.h"
#include "util/zst.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <zlib.h>

enum {
	chunk_size = 256 * 1024,
	piece_size = 1 << 20,
	pieces_max = 8,
	zstd_level = 3,
	gzip_level = 6,
	header_size = 512
};
#define UNPACKED_MAX ((uint64_t)512 << 30)

/* A layer on its way: the blob, its hash, the unpacker, the hash of what comes out. */
struct feed {
	struct cda_blob *blob;
	const char *what;
	const struct cda_oci_options *options;
	struct cda_oci_layer *layer;
	char *chunk;
	struct cda_hash *stored, *plain;
	struct archive *raw;
	int failed; /* the blob's */
	struct cda_err *err;
	uint64_t taken;       /* packed bytes that the unpacker took */
	uint64_t told;        /* bytes, for progress */
	struct cda_buf piece; /* to estimate: what was not packed yet */
};

static void feed_done(struct feed *feed)
{
	if (feed->raw)
		archive_read_free(feed->raw);
	cda_hash_free(feed->stored);
	cda_hash_free(feed->plain);
	cda_buf_done(&feed->piece);
	free(feed->chunk);
}

bool cda_oci_digest(const char *digest, enum cda_hash_kind *ret_kind, const char **ret_hex)
{
	static const struct {
		const char *name;
		enum cda_hash_kind kind;
	} kinds[] = {{"sha256:", CDA_SHA256}, {"sha512:", CDA_SHA512}};

	for (size_t i = 0; digest && i < CDA_LEN(kinds); i++) {
		const char *hex = digest + strlen(kinds[i].name);

		if (!cda_starts_with(digest, kinds[i].name) || !cda_hash_is_hex(kinds[i].kind, hex))
			continue;
		*ret_kind = kinds[i].kind;
		*ret_hex = hex;
		return true;
	}
	return false;
}

static void add_point(struct cda_oci_layer *layer, uint64_t unpacked, uint64_t packed)
{
	cda_oci_points_push(&layer->points, (struct cda_oci_point){unpacked, packed});
}

/* --- the estimate --- */

/* Several pieces, packed at the same time to see what each takes. */
struct pieces {
	const struct cda_buf *text;
	bool zstd;
	uint64_t sizes[pieces_max];
};

static size_t piece_len(const struct cda_buf *text, size_t i)
{
	size_t left = text->len - i * piece_size;

	return left < piece_size ? left : piece_size;
}

static int pack_piece(void *ctx, size_t i, struct cda_err *err)
{
	struct pieces *pieces = ctx;
	const char *p = pieces->text->p + i * piece_size;
	size_t len = piece_len(pieces->text, i);
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	uLongf size = compressBound(len);

	if (pieces->zstd) {
		int rc = cda_zst_compress(p, len, zstd_level, &out, err);

		pieces->sizes[i] = out.len;
		return rc;
	}
	cda_buf_reserve(&out, size);
	if (compress2((Bytef *)out.p, &size, (const Bytef *)p, len, gzip_level) != Z_OK)
		return cda_err_set(err, CDA_E_GENERAL, "cannot estimate what it takes packed");
	pieces->sizes[i] = size;
	return 0;
}

static int end_pieces(struct cda_buf *text, bool zstd, struct cda_oci_layer *layer,
		      struct cda_err *err)
{
	struct pieces pieces = {text, zstd, {0}};
	size_t count = (text->len + piece_size - 1) / piece_size;
	struct cda_oci_point last = {0, 0};
	int rc = count ? cda_workers_run(count, 0, pack_piece, &pieces, err) : 0;

	if (rc || !count)
		return rc;
	if (layer->points.n)
		last = layer->points.v[layer->points.n - 1];
	else
		add_point(layer, 0, 0);
	for (size_t i = 0; i < count; i++) {
		last.unpacked += piece_len(text, i);
		last.packed += pieces.sizes[i];
		add_point(layer, last.unpacked, last.packed);
	}
	layer->packed = last.packed;
	cda_buf_clear(text);
	return 0;
}

static int estimate(struct cda_buf *piece, bool zstd, struct cda_oci_layer *layer, const char *p,
		    size_t len, struct cda_err *err)
{
	while (len) {
		size_t n = pieces_max * piece_size - piece->len;
		int rc;

		if (n > len)
			n = len;
		cda_buf_add(piece, p, n);
		p += n;
		len -= n;
		if (piece->len < pieces_max * piece_size)
			break;
		rc = end_pieces(piece, zstd, layer, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- unpacking --- */

static la_ssize_t read_blob(struct archive *raw, void *ctx, const void **ret_block)
{
	struct feed *feed = ctx;
	int64_t n = cda_blob_read(feed->blob, feed->chunk, chunk_size, feed->err);

	if (n < 0) {
		feed->failed = (int)n;
		archive_set_error(raw, -1, "cannot read it");
		return ARCHIVE_FATAL;
	}
	cda_hash_add(feed->stored, feed->chunk, (size_t)n);
	*ret_block = feed->chunk;
	return (la_ssize_t)n;
}

static int failed(struct feed *feed, struct cda_err *err)
{
	const char *why = archive_error_string(feed->raw);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (feed->failed)
		return feed->failed;
	for (; why && *why; why++)
		cda_buf_addc(&text, (unsigned char)*why < ' ' ? '?' : *why);
	return cda_err_set(err, CDA_E_ARCHIVE, "cannot unpack it: %s",
			   text.len ? text.p : "it is damaged");
}

/* The next unpacked bytes, hashed and measured: what cda_tree_add_stream asks for. */
static int64_t next_block(void *ctx, const void **ret_block, struct cda_err *err)
{
	struct feed *feed = ctx;
	struct cda_oci_layer *layer = feed->layer;
	uint64_t before = feed->taken;
	la_int64_t offset;
	size_t len = 0;
	int rc;

	do
		rc = archive_read_data_block(feed->raw, ret_block, &len, &offset);
	while (rc == ARCHIVE_OK && !len);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK)
		return failed(feed, err);
	if (len > UNPACKED_MAX - layer->unpacked)
		return cda_err_set(err, CDA_E_ARCHIVE, "it is too large unpacked");
	cda_hash_add(feed->plain, *ret_block, len);
	feed->taken = (uint64_t)archive_filter_bytes(feed->raw, -1);
	if (!layer->measured) {
		rc = estimate(&feed->piece, feed->options->estimate_zstd, layer, *ret_block, len,
			      err);
		if (rc)
			return rc;
	} else if (feed->taken != before) {
		add_point(layer, layer->unpacked, before);
	}
	layer->unpacked += len;
	if (layer->unpacked - feed->told >= (uint64_t)8 << 20) {
		cda_emit_progress(feed->options->events, feed->what,
				  feed->blob->size - feed->blob->left, feed->blob->size);
		feed->told = layer->unpacked;
	}
	return (int64_t)len;
}

static int open_raw(struct feed *feed, struct cda_err *err)
{
	struct archive_entry *entry;
	int rc;

	archive_read_support_filter_gzip(feed->raw);
	archive_read_support_filter_zstd(feed->raw);
	archive_read_support_filter_bzip2(feed->raw);
	archive_read_support_filter_xz(feed->raw);
	archive_read_support_format_raw(feed->raw);
	archive_read_support_format_empty(feed->raw);
	if (archive_read_open(feed->raw, feed, NULL, read_blob, NULL) != ARCHIVE_OK)
		return failed(feed, err);
	rc = archive_read_next_header(feed->raw, &entry);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return failed(feed, err);
	feed->layer->packing =
		archive_filter_count(feed->raw) > 1 ? archive_filter_name(feed->raw, 0) : "none";
	feed->layer->measured = !cda_streq(feed->layer->packing, "none");
	return 0;
}

/* --- digests --- */

static int verify(struct cda_hash *hash, enum cda_hash_kind kind, char **digest, const char *side,
		  struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	enum cda_hash_kind wanted_kind;
	const char *wanted;

	cda_hash_hex(hash, hex);
	if (!*digest) {
		*digest = cda_asprintf("%s:%s", kind == CDA_SHA512 ? "sha512" : "sha256", hex);
		return 0;
	}
	if (cda_oci_digest(*digest, &wanted_kind, &wanted) && cda_hash_eq(hex, wanted))
		return 0;
	return cda_err_set(err, CDA_E_CHECKSUM, "its %s bytes have the digest %s, not %s", side,
			   hex, *digest);
}

static int kind_of(const char *digest, enum cda_hash_kind *ret_kind, struct cda_err *err)
{
	const char *hex;

	*ret_kind = CDA_SHA256;
	if (digest && !cda_oci_digest(digest, ret_kind, &hex))
		return cda_err_set(err, CDA_E_ARCHIVE, "'%.100s' is no digest that can be verified",
				   digest);
	return 0;
}

/* What the archive's end left over counts for the digests too. */
static int drain(struct feed *feed, struct cda_err *err)
{
	const void *block;
	int64_t n;

	do
		n = next_block(feed, &block, err);
	while (n > 0);
	while (n == 0 && (n = cda_blob_read(feed->blob, feed->chunk, chunk_size, err)) > 0) {
		cda_hash_add(feed->stored, feed->chunk, (size_t)n);
		n = 0;
	}
	return (int)n;
}

static int read_layer(struct cda_tree *tree, struct feed *feed, struct cda_err *err)
{
	struct cda_oci_layer *layer = feed->layer;
	enum cda_hash_kind stored = CDA_SHA256, plain = CDA_SHA256;
	int rc = kind_of(layer->digest, &stored, err);

	if (!rc)
		rc = kind_of(layer->diff_id, &plain, err);
	if (rc)
		return rc;
	feed->stored = cda_hash_new(stored);
	feed->plain = cda_hash_new(plain);
	rc = open_raw(feed, err);
	if (!rc)
		rc = cda_tree_add_stream(tree, next_block, feed, feed->what, CDA_TREE_LAYER, err);
	if (rc)
		return rc;
	rc = drain(feed, err);
	if (!rc && !layer->measured)
		rc = end_pieces(&feed->piece, feed->options->estimate_zstd, layer, err);
	if (!rc)
		rc = verify(feed->stored, stored, &layer->digest, "stored", err);
	if (!rc)
		rc = verify(feed->plain, plain, &layer->diff_id, "unpacked", err);
	if (!rc && layer->measured) {
		add_point(layer, layer->unpacked, layer->stored);
		layer->packed = layer->stored;
	}
	return rc ? cda_err_wrap(err, rc, "'%s'", feed->what) : 0;
}

int cda_oci_layer_read(struct cda_tree *tree, struct cda_blob *blob, const char *what,
		       const struct cda_oci_options *options, struct cda_oci_layer *layer,
		       struct cda_err *err)
{
	CDA_CLEANUP(feed_done)
	struct feed feed = {.blob = blob,
			    .what = what,
			    .options = options,
			    .layer = layer,
			    .chunk = cda_alloc(chunk_size),
			    .raw = archive_read_new(),
			    .err = err,
			    .piece = CDA_BUF_INIT};
	uint64_t before = tree->state->bytes;
	int rc;

	layer->stored = blob->size;
	rc = read_layer(tree, &feed, err);
	layer->content = tree->state->bytes - before;
	return rc;
}

/* --- a folder --- */

struct folder {
	struct cda_oci_layer *layer;
	bool zstd;
	struct cda_buf piece;
};

static int take_content(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	struct folder *folder = ctx;

	return estimate(&folder->piece, folder->zstd, folder->layer, p, len, err);
}

static int pad(struct folder *folder, uint64_t size, struct cda_err *err)
{
	static const char zeros[header_size];

	return estimate(&folder->piece, folder->zstd, folder->layer, zeros, (size_t)size, err);
}

static int add_file(struct cda_tree *tree, const struct cda_tree_entry *entry,
		    struct folder *folder, struct cda_err *err)
{
	struct cda_tree_inode *inode = entry->inode;
	uint64_t padding = (header_size - inode->size % header_size) % header_size;
	int rc;

	inode->layer = 1;
	inode->at = (int64_t)folder->layer->unpacked;
	rc = pad(folder, header_size, err);
	if (!rc)
		rc = cda_tree_content(tree, entry, take_content, folder, err);
	if (!rc)
		rc = pad(folder, padding, err);
	folder->layer->unpacked += header_size + inode->size + padding;
	folder->layer->content += inode->size;
	return rc;
}

int cda_oci_layer_of_folder(struct cda_tree *tree, const struct cda_oci_options *options,
			    struct cda_oci_layer *layer, struct cda_err *err)
{
	struct folder folder = {layer, options->estimate_zstd, CDA_BUF_INIT};
	uint64_t all = 0, told = 0;
	int rc = 0;

	layer->packing = "none";
	layer->diff_id = cda_strdup("");
	for (size_t i = 0; i < tree->n; i++)
		all += tree->v[i]->first ? 0 : tree->v[i]->inode->size;
	for (size_t i = 0; i < tree->n && !rc; i++) {
		if (tree->v[i]->inode->type == CDA_TREE_FILE && !tree->v[i]->first)
			rc = add_file(tree, tree->v[i], &folder, err);
		if (layer->content - told >= (uint64_t)8 << 20) {
			cda_emit_progress(options->events, "files", layer->content, all);
			told = layer->content;
		}
	}
	if (!rc)
		rc = end_pieces(&folder.piece, folder.zstd, layer, err);
	cda_buf_done(&folder.piece);
	return rc;
}

/* --- costs --- */

static double packed_at(const struct cda_oci_points *points, uint64_t unpacked)
{
	size_t low = 0, high = points->n;
	const struct cda_oci_point *a, *b;

	if (!points->n)
		return 0;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (points->v[middle].unpacked <= unpacked)
			low = middle;
		else
			high = middle;
	}
	a = &points->v[low];
	if (low + 1 == points->n)
		return (double)a->packed;
	b = a + 1;
	if (unpacked <= a->unpacked || b->unpacked <= a->unpacked)
		return (double)a->packed;
	return (double)a->packed + (double)(b->packed - a->packed) *
					   (double)(unpacked - a->unpacked) /
					   (double)(b->unpacked - a->unpacked);
}

uint64_t cda_oci_cost(const struct cda_oci_layer *layer, uint64_t from, uint64_t to)
{
	double cost;

	if (to <= from)
		return 0;
	cost = packed_at(&layer->points, to) - packed_at(&layer->points, from);
	return cost > 0 ? (uint64_t)(cost + 0.5) : 0;
}
