#include "image/packer.h"
#include "util/alloc.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/workers.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* gzip: blocks that are deflated beside each other, each with the 32 KiB before it as its
 * dictionary, and joined; a batch of them is the unit of work. */
enum { block_size = 512 * 1024, window = 32 * 1024, batch_max = 8 };

struct block {
	unsigned char *out;
	size_t len, cap;
};

struct cda_packer {
	enum cda_packer_kind kind;
	int level, fd;
	unsigned threads;
	struct cda_hash *raw_hash, *hash;
	uint64_t raw_size, size;
	/* gzip: the window, then the blocks that wait */
	unsigned char *in;
	size_t before, filled; /* bytes of the window; of the blocks */
	uint32_t crc;
	bool last;
	struct block blocks[batch_max];
	/* zstd */
	ZSTD_CCtx *zstd;
	char *out;
	size_t out_size;
};

struct cda_packer *cda_packer_new(enum cda_packer_kind kind, int level, unsigned threads, int fd)
{
	struct cda_packer *packer = cda_new0(struct cda_packer);

	packer->kind = kind;
	packer->fd = fd;
	packer->threads = threads ? threads : 1;
	packer->raw_hash = cda_hash_new(CDA_SHA256);
	packer->hash = cda_hash_new(CDA_SHA256);
	packer->level = level ? level : kind == CDA_PACKER_ZSTD ? 19 : 9;
	if (kind == CDA_PACKER_GZIP)
		packer->in = cda_alloc(window + (size_t)batch_max * block_size);
	if (kind == CDA_PACKER_ZSTD) {
		packer->zstd = ZSTD_createCCtx();
		packer->out_size = ZSTD_CStreamOutSize();
		packer->out = cda_alloc(packer->out_size);
		ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, packer->level);
		ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
		/* One worker or more: the same bytes. A library without threads refuses this. */
		ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_nbWorkers, (int)packer->threads);
	}
	return packer;
}

struct cda_packer *cda_packer_free(struct cda_packer *packer)
{
	if (!packer)
		return NULL;
	cda_hash_free(packer->raw_hash);
	cda_hash_free(packer->hash);
	for (size_t i = 0; i < batch_max; i++)
		free(packer->blocks[i].out);
	ZSTD_freeCCtx(packer->zstd);
	free(packer->out);
	free(packer->in);
	free(packer);
	return NULL;
}

static int put(struct cda_packer *packer, const void *p, size_t len, struct cda_err *err)
{
	if (cda_fs_write_all(packer->fd, p, len) != 0)
		return cda_err_sys(err, errno, "cannot write a layer");
	cda_hash_add(packer->hash, p, len);
	packer->size += len;
	return 0;
}

static size_t block_len(const struct cda_packer *packer, size_t i)
{
	size_t left = packer->filled - i * block_size;

	return left < block_size ? left : block_size;
}

static int deflate_block(void *ctx, size_t i, struct cda_err *err)
{
	struct cda_packer *packer = ctx;
	struct block *block = &packer->blocks[i];
	unsigned char *from = packer->in + window + i * block_size;
	size_t len = block_len(packer, i), before = i ? window : packer->before;
	bool last = packer->last && (i + 1) * block_size >= packer->filled;
	z_stream z = {0};
	int rc = deflateInit2(&z, packer->level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);

	if (rc == Z_OK && before)
		rc = deflateSetDictionary(&z, from - before, (uInt)before);
	if (!block->out) {
		block->cap = deflateBound(&z, block_size) + 64;
		block->out = cda_alloc(block->cap);
	}
	z.next_in = from;
	z.avail_in = (uInt)len;
	z.next_out = block->out;
	z.avail_out = (uInt)block->cap;
	if (rc == Z_OK)
		rc = deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
	block->len = block->cap - z.avail_out;
	deflateEnd(&z);
	if (rc != (last ? Z_STREAM_END : Z_OK) || z.avail_in || (!last && !z.avail_out))
		return cda_err_set(err, CDA_E_GENERAL, "cannot deflate a layer");
	return 0;
}

/* Deflates what waits; keeps its end as the next window. */
static int flush_batch(struct cda_packer *packer, struct cda_err *err)
{
	size_t count = (packer->filled + block_size - 1) / block_size,
	       end = window + packer->filled;
	int rc;

	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	if (!count && packer->last)
		count = 1; /* the empty block that ends it */
	rc = cda_workers_run(count, packer->threads, deflate_block, packer, err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = put(packer, packer->blocks[i].out, packer->blocks[i].len, err);
	packer->crc = (uint32_t)crc32_z(packer->crc, packer->in + window, packer->filled);
	packer->before =
		packer->filled + packer->before < window ? packer->filled + packer->before : window;
	memmove(packer->in + window - packer->before, packer->in + end - packer->before,
		packer->before);
	packer->filled = 0;
	return rc;
}

static int add_gzip(struct cda_packer *packer, const char *p, size_t len, struct cda_err *err)
{
	/* RFC 1952: deflate, no flags, no time, slowest, no system */
	static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255};
	const size_t room = (size_t)batch_max * block_size;
	int rc = packer->size == 0 ? put(packer, head, sizeof(head), err) : 0;

	while (!rc && len) {
		size_t n = len < room - packer->filled ? len : room - packer->filled;

		memcpy(packer->in + window + packer->filled, p, n);
		packer->filled += n;
		p += n;
		len -= n;
		if (packer->filled == room)
			rc = flush_batch(packer, err);
	}
	return rc;
}

static int end_gzip(struct cda_packer *packer, struct cda_err *err)
{
	unsigned char tail[8];
	int rc = add_gzip(packer, "", 0, err);

	packer->last = true;
	if (!rc)
		rc = flush_batch(packer, err);
	for (unsigned i = 0; i < 4; i++) {
		tail[i] = (unsigned char)(packer->crc >> 8 * i);
		tail[i + 4] = (unsigned char)(packer->raw_size >> 8 * i);
	}
	return rc ? rc : put(packer, tail, sizeof(tail), err);
}

static int add_zstd(struct cda_packer *packer, const void *p, size_t len, ZSTD_EndDirective how,
		    struct cda_err *err)
{
	ZSTD_inBuffer in = {p, len, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {packer->out, packer->out_size, 0};
		int rc;

		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		left = ZSTD_compressStream2(packer->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return cda_err_set(err, CDA_E_GENERAL, "cannot pack a layer: %s",
					   ZSTD_getErrorName(left));
		rc = put(packer, packer->out, out.pos, err);
		if (rc)
			return rc;
	} while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

int cda_packer_add(struct cda_packer *packer, const void *p, size_t len, struct cda_err *err)
{
	cda_hash_add(packer->raw_hash, p, len);
	packer->raw_size += len;
	switch (packer->kind) {
	case CDA_PACKER_GZIP:
		return add_gzip(packer, p, len, err);
	case CDA_PACKER_ZSTD:
		return add_zstd(packer, p, len, ZSTD_e_continue, err);
	case CDA_PACKER_NONE:
		break;
	}
	return put(packer, p, len, err);
}

int cda_packer_end(struct cda_packer *packer, struct cda_packed *ret_packed, struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	int rc = 0;

	if (packer->kind == CDA_PACKER_GZIP)
		rc = end_gzip(packer, err);
	else if (packer->kind == CDA_PACKER_ZSTD)
		rc = add_zstd(packer, "", 0, ZSTD_e_end, err);
	if (rc)
		return rc;
	*ret_packed = (struct cda_packed){.raw_size = packer->raw_size, .size = packer->size};
	cda_hash_hex(packer->raw_hash, hex);
	memcpy(ret_packed->raw_sha256, hex, sizeof(ret_packed->raw_sha256));
	cda_hash_hex(packer->hash, hex);
	memcpy(ret_packed->sha256, hex, sizeof(ret_packed->sha256));
	return 0;
}
