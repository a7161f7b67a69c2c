/* json.h - JSON by yyjson: reading within limits, small getters, and a writer in conda's layout.
 * The only place that includes yyjson.h; other layers use yyjson's calls through this header. */
#ifndef CDA_UTIL_JSON_H
#define CDA_UTIL_JSON_H

#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdint.h>
#include <yyjson.h>

static inline yyjson_doc *cda_json_free(yyjson_doc *doc)
{
	yyjson_doc_free(doc);
	return NULL;
}
CDA_DEFINE_CLEANUP(yyjson_doc *, cda_json_free)
#define CDA_AUTOJSON CDA_CLEANUP(cda_json_freep)

static inline yyjson_mut_doc *cda_json_mut_free(yyjson_mut_doc *doc)
{
	yyjson_mut_doc_free(doc);
	return NULL;
}
CDA_DEFINE_CLEANUP(yyjson_mut_doc *, cda_json_mut_free)
#define CDA_AUTOJSONMUT CDA_CLEANUP(cda_json_mut_freep)

/* Parses text (need not be NUL-ended); what names the source in the message, with line and column.
 * Errors: CDA_E_PARSE. The caller owns *ret_doc. */
int cda_json_parse(const char *text, size_t len, const char *what, yyjson_doc **ret_doc,
		   struct cda_err *err) CDA_CHECK;
/* Reads and parses the file at (dirfd, path), at most max bytes. Errors: CDA_E_SYS, CDA_E_PARSE. */
int cda_json_read(int dirfd, const char *path, size_t max, yyjson_doc **ret_doc,
		  struct cda_err *err) CDA_CHECK;

/* Member of an object, or the default where absent or of another type. Borrowed from the doc. */
const char *cda_json_str(yyjson_val *obj, const char *key); /* NULL default */
int64_t cda_json_int(yyjson_val *obj, const char *key, int64_t otherwise);
bool cda_json_bool(yyjson_val *obj, const char *key, bool otherwise);
/* Copies the strings of an array member (or one string) to list; other items are left out. */
void cda_json_strv(yyjson_val *obj, const char *key, struct cda_strv *list);

/* Text as Python's json.dumps(indent=N, separators=(",", ": "), ensure_ascii=True) writes it;
 * indent 0 is one line with ", " and ": ". sort: keys by byte. No newline at the end. */
void cda_json_format(const yyjson_mut_val *val, unsigned indent, bool sort, struct cda_buf *out);
/* A quoted JSON string, non-ASCII as \uXXXX (conda's default). */
void cda_json_quote(const char *s, struct cda_buf *out);

/* Adds a copy of each string as an array member key of obj. */
void cda_json_add_strv(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
		       const struct cda_strv *list);

#endif
