#include "util/err.h"
#include "util/alloc.h"
#include "util/json.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

int cda_err_vset(struct cda_err *err, enum cda_errc code, const char *fmt, va_list ap)
{
	if (!err)
		return -(int)code;
	assert(err->code == CDA_OK && !err->msg && code != CDA_OK);
	err->code = code;
	err->sys = 0;
	err->msg = cda_vasprintf(fmt, ap);
	return -(int)code;
}

int cda_err_set(struct cda_err *err, enum cda_errc code, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = cda_err_vset(err, code, fmt, ap);
	va_end(ap);
	return rc;
}

int cda_err_sys(struct cda_err *err, int errnum, const char *fmt, ...)
{
	bool full = errnum == ENOSPC || errnum == EDQUOT;
	enum cda_errc code = full ? CDA_E_NOSPACE : CDA_E_SYS;
	CDA_AUTOFREE char *msg = NULL;
	char reason[128];
	va_list ap;

	if (!err)
		return -(int)code;
	va_start(ap, fmt);
	msg = cda_vasprintf(fmt, ap);
	va_end(ap);
	cda_err_set(err, code, "%s: %s", msg, strerror_r(errnum, reason, sizeof(reason)));
	err->sys = errnum;
	if (full)
		cda_err_hint(err, "free some space there, or choose another folder");
	return -(int)code;
}

int cda_err_wrap(struct cda_err *err, int rc, const char *fmt, ...)
{
	CDA_AUTOFREE char *outer = NULL;
	va_list ap;

	if (!err || !err->msg)
		return rc;
	va_start(ap, fmt);
	outer = cda_vasprintf(fmt, ap);
	va_end(ap);
	cda_replace(&err->msg, cda_asprintf("%s: %s", outer, err->msg));
	return rc;
}

int cda_err_hint(struct cda_err *err, const char *fmt, ...)
{
	CDA_AUTOFREE char *hint = NULL;
	va_list ap;

	if (!err)
		return 0;
	va_start(ap, fmt);
	hint = cda_vasprintf(fmt, ap);
	va_end(ap);
	if (err->hint)
		cda_replace(&err->hint, cda_asprintf("%s\n%s", err->hint, hint));
	else
		err->hint = cda_take_ptr(hint);
	return -(int)err->code;
}

/* Starts the member key; false when there is no error to add to. */
static bool data_begin(struct cda_err *err, const char *key, struct cda_buf *text)
{
	if (!err || err->code == CDA_OK)
		return false;
	if (err->data)
		cda_buf_addf(text, "%s, ", err->data);
	cda_json_quote(key, text);
	cda_buf_adds(text, ": ");
	return true;
}

void cda_err_data_text(struct cda_err *err, const char *key, const char *text)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!data_begin(err, key, &out))
		return;
	if (text)
		cda_json_quote(text, &out);
	else
		cda_buf_adds(&out, "null");
	cda_replace(&err->data, cda_buf_take(&out));
}

void cda_err_data_json(struct cda_err *err, const char *key, const char *json)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!data_begin(err, key, &out))
		return;
	cda_buf_adds(&out, json);
	cda_replace(&err->data, cda_buf_take(&out));
}

void cda_err_data_int(struct cda_err *err, const char *key, int64_t number)
{
	CDA_AUTOFREE char *text = cda_asprintf("%lld", (long long)number);

	cda_err_data_json(err, key, text);
}

void cda_err_data_list(struct cda_err *err, const char *key, const struct cda_strv *list)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!data_begin(err, key, &out))
		return;
	cda_buf_addc(&out, '[');
	for (size_t i = 0; i < list->n; i++) {
		cda_buf_adds(&out, i > 0 ? ", " : "");
		cda_json_quote(list->v[i], &out);
	}
	cda_buf_addc(&out, ']');
	cda_replace(&err->data, cda_buf_take(&out));
}

void cda_err_done(struct cda_err *err)
{
	free(err->msg);
	free(err->hint);
	free(err->data);
	*err = (struct cda_err){0};
}

void cda_err_move(struct cda_err *dst, struct cda_err *src)
{
	if (!dst) {
		cda_err_done(src);
		return;
	}
	assert(dst->code == CDA_OK && !dst->msg);
	*dst = *src;
	*src = (struct cda_err){0};
}

#define ROW(code, status, id) [code] = {status, id},
static const struct {
	int status;
	const char *id;
} rows[] = {CDA_ERRORS(ROW)};
#undef ROW

int cda_err_status(enum cda_errc code)
{
	return (size_t)code < CDA_LEN(rows) ? rows[code].status : 1;
}

const char *cda_err_id(enum cda_errc code)
{
	return (size_t)code < CDA_LEN(rows) ? rows[code].id : "CondaError";
}
