/* A record that is read is written, read and written again as the same text; its files lie inside
 * the prefix. */
#include "fuzz.h"
#include "prefix/meta.h"
#include "util/fs.h"

#include <string.h>

static bool record_of(const char *text, size_t len, struct cda_arena *arena,
		      struct cda_installed *ret)
{
	struct cda_err err = {0};
	int rc = cda_meta_parse(text, len, "input.json", NULL, CDA_META_FILES, arena, ret, &err);

	HOLDS(rc >= 0 ? err.code == CDA_OK : err.code == CDA_E_PARSE && err.msg);
	cda_err_done(&err);
	return rc >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_AUTOBUF struct cda_buf first = CDA_BUF_INIT, second = CDA_BUF_INIT;
	struct cda_installed installed, again;

	if (!record_of((const char *)p, len, arena, &installed))
		return 0;
	HOLDS(*installed.record.name && installed.record.version && installed.record.build);
	for (size_t i = 0; i < installed.files.n; i++)
		HOLDS(cda_fs_path_is_inside(installed.files.v[i]));
	for (size_t i = 0; i < installed.path_count; i++)
		HOLDS(cda_fs_path_is_inside(installed.paths[i].target));
	cda_meta_format(&installed, &first);
	HOLDS(record_of(first.p, first.len, arena, &again));
	cda_meta_format(&again, &second);
	HOLDS(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
	return 0;
}
