/* Certificates: what is accepted is accepted again after it was copied, as the same. */
#include "fuzz.h"
#include "runtime/pem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char first[1 << 16], second[1 << 16];
	struct cda_text once = {.data = first, .cap = sizeof(first)};
	struct cda_text twice = {.data = second, .cap = sizeof(second)};
	int count;

	if (len > sizeof(first) / 2)
		return 0;
	count = cda_pem_copy((struct cda_span){(const char *)p, len}, &once);
	if (count <= 0)
		return 0;
	HOLDS(once.len > 0 && first[0] == '-' && first[once.len - 1] == '\n');
	HOLDS(cda_pem_copy((struct cda_span){first, once.len}, &twice) == count);
	HOLDS(twice.len == once.len && memcmp(first, second, once.len) == 0);
	return 0;
}
