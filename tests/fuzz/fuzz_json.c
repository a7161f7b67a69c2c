/* What is written of a parsed text parses again, and is written the same. */
#include "fuzz.h"
#include "util/json.h"

#include <string.h>

static yyjson_mut_doc *copy_of(const char *text, size_t len)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};

	if (cda_json_parse(text, len, "input", &doc, &err) < 0) {
		HOLDS(err.code == CDA_E_PARSE && err.msg && !doc);
		cda_err_done(&err);
		return NULL;
	}
	HOLDS(err.code == CDA_OK && doc);
	return yyjson_doc_mut_copy(doc, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = copy_of((const char *)p, len);

	if (!doc)
		return 0;
	for (unsigned indent = 0; indent <= 2; indent += 2) {
		CDA_AUTOBUF struct cda_buf first = CDA_BUF_INIT, second = CDA_BUF_INIT;
		CDA_AUTOJSONMUT yyjson_mut_doc *again = NULL;

		cda_json_format(yyjson_mut_doc_get_root(doc), indent, indent > 0, &first);
		for (size_t i = 0; i < first.len; i++)
			HOLDS((first.p[i] >= ' ' && first.p[i] < 0x7f) || first.p[i] == '\n');
		again = copy_of(first.p, first.len);
		HOLDS(again);
		cda_json_format(yyjson_mut_doc_get_root(again), indent, indent > 0, &second);
		HOLDS(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
	}
	return 0;
}
