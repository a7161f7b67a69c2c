/* The texts that slim reads: a changed conda-meta record is a record that a second pass leaves
 * alone, a changed RECORD too; dpkg's and apk's lists give paths, whatever they hold. */
#include "fuzz.h"
#include "image/slim_impl.h"

#include <string.h>

/* By the name alone, so that all answers come. */
static struct cda_slim_change ask(void *ctx, const char *name)
{
	static const char hex[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	(void)ctx;
	switch (strlen(name) % 4) {
	case 0:
		return (struct cda_slim_change){.act = CDA_SLIM_REMOVE};
	case 1:
		return (struct cda_slim_change){CDA_SLIM_REWRITE, hex, 42};
	case 2:
		return (struct cda_slim_change){.act = CDA_SLIM_FORGET};
	default:
		return (struct cda_slim_change){0};
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOBUF struct cda_buf meta = CDA_BUF_INIT, record = CDA_BUF_INIT, again = CDA_BUF_INIT;
	CDA_CLEANUP(cda_map_freep) struct cda_map *owned = cda_map_new();
	const char *text = (const char *)p;
	struct cda_err err = {0};
	int rc = cda_slim_edit_meta(text, len, "x.json", ask, NULL, &meta, &err);

	if (rc < 0) {
		HOLDS(err.code == CDA_E_PARSE && err.msg);
		cda_err_done(&err);
	} else if (rc > 0) {
		HOLDS(cda_slim_edit_meta(meta.p, meta.len, "x.json", ask, NULL, &again, &err) >= 0);
	}
	cda_buf_clear(&again);
	if (cda_slim_edit_record(text, len, ask, NULL, &record))
		HOLDS(cda_slim_edit_record(record.p, record.len, ask, NULL, &again) == 0);
	else
		HOLDS(record.len == len);
	cda_slim_owned_dpkg(text, len, owned);
	cda_slim_owned_apk(text, len, owned);
	cda_slim_imports(text, len, "tests");
	return 0;
}
