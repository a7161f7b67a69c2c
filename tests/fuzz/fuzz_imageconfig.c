/* Whatever a configuration holds: it is refused with one line, or what is written of it reads back
 * and writes the same bytes again. */
#include "fuzz.h"
#include "image/config.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct cda_config_layer layer = {"00", "all"};
	CDA_CLEANUP(cda_config_freep) struct cda_config *first = cda_config_new();
	CDA_CLEANUP(cda_config_freep) struct cda_config *second = cda_config_new();
	CDA_AUTOBUF struct cda_buf a = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf b = CDA_BUF_INIT;
	struct cda_err err = {0};

	if (cda_config_parse(first, (const char *)p, len, "fuzz", &err)) {
		HOLDS(err.code == CDA_E_PARSE && err.msg);
		cda_err_done(&err);
		return 0;
	}
	cda_config_label(first, "name", "value");
	HOLDS(cda_config_env(first, "NAME=value", &err) == 0);
	cda_config_format(first, &layer, 1, 0, &a);
	HOLDS(cda_config_parse(second, a.p, a.len, "again", &err) == 0);
	cda_config_format(second, &layer, 1, 0, &b);
	HOLDS(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
	return 0;
}
