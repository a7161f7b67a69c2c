/* Text that may hold URLs: what comes out fits, holds no more secrets on a second look, and none of
 * one put in. */
#include "fuzz.h"
#include "runtime/redact.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char lead[] = "\nhttps://user:hunter2@host/t/hunter3/", small[] = "hunter";
	static char text[1 << 14], out[1 << 16], again[1 << 16];
	size_t size, more;

	if (len > sizeof(text) - sizeof(lead))
		return 0;
	memcpy(text, p, len);
	memcpy(text + len, lead, sizeof(lead) - 1);
	size = cda_redact(text, len + sizeof(lead) - 1, out, sizeof(out));
	HOLDS(size <= sizeof(out));
	if (memmem(p, len, small, sizeof(small) - 1) == NULL)
		HOLDS(memmem(out, size, small, sizeof(small) - 1) == NULL);
	more = cda_redact(out, size, again, sizeof(again));
	HOLDS(more == size && memcmp(out, again, size) == 0);
	HOLDS(cda_redact(text, len, again, 16) <= 16);
	return 0;
}
