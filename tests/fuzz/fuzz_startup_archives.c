/* Lists of sources: a copy without a mirror is the text itself, and the mirror is all that a copy
 * with one adds. The first byte tells the form. */
#include "fuzz.h"
#include "runtime/archives.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct cda_settings none, mirror;
	static char data[1 << 20];
	struct cda_archives archives = {.settings = &none};
	struct cda_text out = {.data = data, .cap = sizeof(data)};
	enum cda_archives_form form;
	struct cda_span text;

	if (len < 1 || len > 1 << 14)
		return 0;
	form = p[0] % 3;
	text = (struct cda_span){(const char *)p + 1, len - 1};
	cda_archives_copy(&archives, form, text, &out);
	HOLDS(!archives.moved);
	/* But for a newline at the end. */
	HOLDS(out.len >= text.len && out.len <= text.len + 1);
	HOLDS(memcmp(data, text.p, text.len) == 0);
	HOLDS(cda_setting_parse(CDA_MIRROR, "http://u:p@m", CDA_FROM_POLICY, &mirror) == NULL);
	out.len = 0;
	archives = (struct cda_archives){.settings = &mirror, .bare = true};
	cda_archives_copy(&archives, form, text, &out);
	HOLDS(!out.full);
	HOLDS(!archives.moved || memmem(data, out.len, "http://m/", 9) != NULL);
	return 0;
}
