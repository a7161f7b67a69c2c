#include "util/zst.h"
#include "util/cleanup.h"

#include <stdlib.h>
#include <zstd.h>

/* The window that a frame may ask for: what `zstd --long` needs without further options. */
enum { window_log_max = 27 };

static ZSTD_DCtx *dctx_free(ZSTD_DCtx *ctx)
{
	ZSTD_freeDCtx(ctx);
	return NULL;
}
CDA_DEFINE_CLEANUP(ZSTD_DCtx *, dctx_free)

static ZSTD_DCtx *dctx_new(void)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();

	if (!ctx)
		abort();
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, window_log_max);
	return ctx;
}

static int too_long(struct cda_err *err, uint64_t max)
{
	return cda_err_set(err, CDA_E_VALUE, "zstd data is longer than %ju bytes when unpacked",
			   (uintmax_t)max);
}

static int not_whole(struct cda_err *err)
{
	return cda_err_set(err, CDA_E_ARCHIVE, "zstd data ends too early");
}

int cda_zst_decompress(const void *p, size_t len, size_t max, struct cda_buf *out,
		       struct cda_err *err)
{
	CDA_CLEANUP(dctx_freep) ZSTD_DCtx *ctx = dctx_new();
	ZSTD_inBuffer in = {p, len, 0};
	size_t start = out->len, left = 1;

	for (;;) {
		size_t before = in.pos;

		cda_buf_reserve(out, 64 * 1024);
		ZSTD_outBuffer to = {out->p + out->len, out->cap - 1 - out->len, 0};
		left = ZSTD_decompressStream(ctx, &to, &in);
		if (ZSTD_isError(left)) {
			cda_buf_cut(out, start);
			return cda_err_set(err, CDA_E_ARCHIVE, "bad zstd data: %s",
					   ZSTD_getErrorName(left));
		}
		out->len += to.pos;
		out->p[out->len] = '\0';
		if (out->len - start > max) {
			cda_buf_cut(out, start);
			return too_long(err, max);
		}
		if (in.pos == in.size && (left == 0 || to.pos < to.size))
			break;
		if (in.pos == before && to.pos == 0)
			break;
	}
	if (left == 0)
		return 0;
	cda_buf_cut(out, start);
	return not_whole(err);
}

int cda_zst_compress(const void *p, size_t len, int level, struct cda_buf *out, struct cda_err *err)
{
	size_t bound = ZSTD_compressBound(len), n;

	if (ZSTD_isError(bound))
		return cda_err_set(err, CDA_E_VALUE, "too much data for one zstd frame");
	cda_buf_reserve(out, bound);
	n = ZSTD_compress(out->p + out->len, bound, p, len, level);
	if (ZSTD_isError(n)) {
		out->p[out->len] = '\0';
		return cda_err_set(err, CDA_E_VALUE, "cannot compress: %s", ZSTD_getErrorName(n));
	}
	out->len += n;
	out->p[out->len] = '\0';
	return 0;
}
