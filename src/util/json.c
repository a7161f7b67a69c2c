#include "util/json.h"
#include "util/fs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deeper text is refused, so that whoever recurses over a document has stack enough. */
enum { depth_max = 200 };

static bool is_too_deep(yyjson_doc *doc)
{
	yyjson_val *val = yyjson_doc_get_root(doc), *end[depth_max];
	size_t depth = 0, n = yyjson_doc_get_val_count(doc);

	/* Values lie in one array in the order of the text. */
	for (size_t i = 0; i < n; i++, val++) {
		while (depth > 0 && val >= end[depth - 1])
			depth--;
		if (!yyjson_is_ctn(val))
			continue;
		if (depth == depth_max)
			return true;
		end[depth++] = unsafe_yyjson_get_next(val);
	}
	return false;
}

static int parse_failed(struct cda_err *err, const char *what, const char *text, size_t len,
			const yyjson_read_err *why)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < why->pos && i < len; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return cda_err_set(err, CDA_E_PARSE, "'%s' is not valid JSON: line %zu, column %zu: %s",
			   what, line, column, why->msg);
}

int cda_json_parse(const char *text, size_t len, const char *what, yyjson_doc **ret_doc,
		   struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_read_err why = {0};

	if (len == 0)
		return cda_err_set(err, CDA_E_PARSE, "'%s' is not valid JSON: it is empty", what);
	/* Numbers beyond 64 bits keep their text; yyjson does not write to it without INSITU. */
	doc = yyjson_read_opts((char *)(uintptr_t)text, len, YYJSON_READ_BIGNUM_AS_RAW, NULL, &why);
	if (!doc)
		return parse_failed(err, what, text, len, &why);
	if (is_too_deep(doc))
		return cda_err_set(err, CDA_E_PARSE, "'%s' nests deeper than %d levels", what,
				   depth_max);
	*ret_doc = cda_take_ptr(doc);
	return 0;
}

int cda_json_read(int dirfd, const char *path, size_t max, yyjson_doc **ret_doc,
		  struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc = cda_fs_read(dirfd, path, max, &text, err);

	return rc < 0 ? rc : cda_json_parse(text.p, text.len, path, ret_doc, err);
}

const char *cda_json_str(yyjson_val *obj, const char *key)
{
	return yyjson_get_str(yyjson_obj_get(obj, key));
}

int64_t cda_json_int(yyjson_val *obj, const char *key, int64_t otherwise)
{
	yyjson_val *val = yyjson_obj_get(obj, key);

	if (yyjson_is_uint(val)) {
		uint64_t number = yyjson_get_uint(val);

		return number <= INT64_MAX ? (int64_t)number : otherwise;
	}
	if (yyjson_is_sint(val))
		return yyjson_get_sint(val);
	if (yyjson_is_real(val)) {
		double real = yyjson_get_real(val);

		if (real >= -9e15 && real <= 9e15 && (double)(int64_t)real == real)
			return (int64_t)real;
	}
	return otherwise;
}

bool cda_json_bool(yyjson_val *obj, const char *key, bool otherwise)
{
	yyjson_val *val = yyjson_obj_get(obj, key);

	return yyjson_is_bool(val) ? yyjson_get_bool(val) : otherwise;
}

void cda_json_strv(yyjson_val *obj, const char *key, struct cda_strv *list)
{
	yyjson_val *val = yyjson_obj_get(obj, key), *item;
	size_t i, n;

	if (yyjson_is_str(val))
		cda_strv_push(list, yyjson_get_str(val));
	yyjson_arr_foreach (val, i, n, item) {
		if (yyjson_is_str(item))
			cda_strv_push(list, yyjson_get_str(item));
	}
}

void cda_json_add_strv(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
		       const struct cda_strv *list)
{
	yyjson_mut_val *array = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->n; i++)
		yyjson_mut_arr_add_strcpy(doc, array, list->v[i]);
	yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, key), array);
}

/* The code point at p, *ret_len bytes long; a byte that starts none stands for itself as the low
 * surrogate that Python's surrogateescape makes of it. */
static uint32_t code_point(const unsigned char *p, size_t left, size_t *ret_len)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	uint32_t code = len ? p[0] & (0x7fu >> len) : 0;

	*ret_len = 1;
	if (p[0] < 0x80)
		return p[0];
	if (len == 0 || p[0] > 0xf4 || len > left)
		return 0xdc00 + p[0];
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xdc00 + p[0];
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0xdc00 + p[0];
	*ret_len = len;
	return code;
}

static void quote(const char *s, size_t len, struct cda_buf *out)
{
	static const char plain[] = "\b\f\n\r\t\"\\", named[] = "bfnrt\"\\";
	const unsigned char *p = (const unsigned char *)s;

	cda_buf_addc(out, '"');
	for (size_t at = 0, step; at < len; at += step) {
		size_t run = 0;

		while (at + run < len && p[at + run] >= 0x20 && p[at + run] < 0x7f &&
		       p[at + run] != '"' && p[at + run] != '\\')
			run++;
		if (run > 0) {
			cda_buf_add(out, s + at, run);
			step = run;
			continue;
		}
		uint32_t code = code_point(p + at, len - at, &step);
		const char *hit = code != 0 && code < 0x80 ? strchr(plain, (int)code) : NULL;

		if (hit)
			cda_buf_addf(out, "\\%c", named[hit - plain]);
		else if (code < 0x10000)
			cda_buf_addf(out, "\\u%04x", code);
		else
			cda_buf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
				     0xdc00 + ((code - 0x10000) & 0x3ff));
	}
	cda_buf_addc(out, '"');
}

void cda_json_quote(const char *s, struct cda_buf *out)
{
	quote(s, strlen(s), out);
}

/* As Python's repr: the fewest digits that read back the same; an exponent below 1e-4 and from
 * 1e16 on; and always a sign that it is no integer. */
static void add_real(double real, struct cda_buf *out)
{
	char text[40], digits[24];
	int exponent, n = 0;
	const char *p = text;

	if (isnan(real)) {
		cda_buf_adds(out, "NaN");
		return;
	}
	if (isinf(real)) {
		cda_buf_adds(out, real < 0 ? "-Infinity" : "Infinity");
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, real);
		if (strtod(text, NULL) == real)
			break;
	}
	if (*p == '-')
		cda_buf_addc(out, *p++);
	for (; *p && *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (exponent < -4 || exponent >= 16) {
		cda_buf_addc(out, digits[0]);
		if (n > 1)
			cda_buf_addc(out, '.');
		cda_buf_add(out, digits + 1, (size_t)n - 1);
		cda_buf_addf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
		return;
	}
	if (exponent < 0) {
		cda_buf_adds(out, "0.");
		for (int i = exponent + 1; i < 0; i++)
			cda_buf_addc(out, '0');
		cda_buf_add(out, digits, (size_t)n);
		return;
	}
	for (int i = 0; i <= exponent; i++)
		cda_buf_addc(out, i < n ? digits[i] : '0');
	cda_buf_addc(out, '.');
	if (n > exponent + 1)
		cda_buf_add(out, digits + exponent + 1, (size_t)(n - exponent - 1));
	else
		cda_buf_addc(out, '0');
}

struct style {
	unsigned indent;
	bool sort;
};

static void new_line(const struct style *style, unsigned depth, struct cda_buf *out)
{
	if (style->indent > 0)
		cda_buf_addf(out, "\n%*s", (int)(style->indent * depth), "");
}

static void separate(const struct style *style, bool first, unsigned depth, struct cda_buf *out)
{
	if (!first)
		cda_buf_adds(out, style->indent > 0 ? "," : ", ");
	new_line(style, depth, out);
}

static int by_key(const void *a, const void *b)
{
	const yyjson_mut_val *x = *(yyjson_mut_val *const *)a, *y = *(yyjson_mut_val *const *)b;
	struct cda_str left = {yyjson_mut_get_str((yyjson_mut_val *)(uintptr_t)x),
			       yyjson_mut_get_len((yyjson_mut_val *)(uintptr_t)x)};
	struct cda_str right = {yyjson_mut_get_str((yyjson_mut_val *)(uintptr_t)y),
				yyjson_mut_get_len((yyjson_mut_val *)(uintptr_t)y)};

	return cda_str_cmp(left, right);
}

static void format(yyjson_mut_val *val, const struct style *style, unsigned depth,
		   struct cda_buf *out);

static void format_object(yyjson_mut_val *val, const struct style *style, unsigned depth,
			  struct cda_buf *out)
{
	CDA_AUTOFREE yyjson_mut_val **keys = NULL;
	size_t n = yyjson_mut_obj_size(val), i = 0;
	yyjson_mut_obj_iter iter;
	yyjson_mut_val *key;

	if (n == 0) {
		cda_buf_adds(out, "{}");
		return;
	}
	keys = cda_alloc0(n, sizeof(yyjson_mut_val *));
	yyjson_mut_obj_iter_init(val, &iter);
	while (i < n && (key = yyjson_mut_obj_iter_next(&iter)))
		keys[i++] = key;
	if (style->sort)
		qsort(keys, n, sizeof(yyjson_mut_val *), by_key);
	cda_buf_addc(out, '{');
	for (i = 0; i < n; i++) {
		separate(style, i == 0, depth + 1, out);
		quote(yyjson_mut_get_str(keys[i]), yyjson_mut_get_len(keys[i]), out);
		cda_buf_adds(out, ": ");
		format(yyjson_mut_obj_iter_get_val(keys[i]), style, depth + 1, out);
	}
	new_line(style, depth, out);
	cda_buf_addc(out, '}');
}

static void format_array(yyjson_mut_val *val, const struct style *style, unsigned depth,
			 struct cda_buf *out)
{
	yyjson_mut_arr_iter iter;
	yyjson_mut_val *item;
	bool first = true;

	if (yyjson_mut_arr_size(val) == 0) {
		cda_buf_adds(out, "[]");
		return;
	}
	cda_buf_addc(out, '[');
	yyjson_mut_arr_iter_init(val, &iter);
	for (; (item = yyjson_mut_arr_iter_next(&iter)); first = false) {
		separate(style, first, depth + 1, out);
		format(item, style, depth + 1, out);
	}
	new_line(style, depth, out);
	cda_buf_addc(out, ']');
}

static void format(yyjson_mut_val *val, const struct style *style, unsigned depth,
		   struct cda_buf *out)
{
	switch (yyjson_mut_get_type(val)) {
	case YYJSON_TYPE_OBJ:
		format_object(val, style, depth, out);
		return;
	case YYJSON_TYPE_ARR:
		format_array(val, style, depth, out);
		return;
	case YYJSON_TYPE_STR:
		quote(yyjson_mut_get_str(val), yyjson_mut_get_len(val), out);
		return;
	case YYJSON_TYPE_BOOL:
		cda_buf_adds(out, yyjson_mut_get_bool(val) ? "true" : "false");
		return;
	case YYJSON_TYPE_NUM:
		if (yyjson_mut_is_real(val))
			add_real(yyjson_mut_get_real(val), out);
		else if (yyjson_mut_is_sint(val))
			cda_buf_addf(out, "%jd", (intmax_t)yyjson_mut_get_sint(val));
		else
			cda_buf_addf(out, "%ju", (uintmax_t)yyjson_mut_get_uint(val));
		return;
	case YYJSON_TYPE_RAW:
		cda_buf_add(out, yyjson_mut_get_raw(val), yyjson_mut_get_len(val));
		return;
	default:
		cda_buf_adds(out, "null");
	}
}

void cda_json_format(const yyjson_mut_val *val, unsigned indent, bool sort, struct cda_buf *out)
{
	const struct style style = {indent, sort};

	format((yyjson_mut_val *)(uintptr_t)val, &style, 0, out);
}
