/* A file name is either refused or written back as the same bytes; it is ordered like itself. */
#include "fuzz.h"
#include "release/name.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_str text = {(const char *)p, len};
	struct cda_release_name name;
	char back[CDA_RELEASE_NAME_MAX], part[CDA_RELEASE_NAME_MAX];

	if (!cda_release_name_parse(text, &name))
		return 0;
	cda_release_name_format(&name, back);
	HOLDS(cda_str_eq(cda_str(back), text));
	HOLDS(cda_release_name_cmp(&name, &name) == 0);
	HOLDS(!cda_release_name_is_latest(back));
	HOLDS(cda_release_arch_find(name.arch) != NULL && cda_product_name(name.product) != NULL);
	cda_release_format(&name, part);
	HOLDS(strstr(back, part) != NULL);
	return 0;
}
