/* Whatever an ELF file holds: what is stripped of it is smaller, what its segments cover keeps its
 * bytes, and there is nothing left to strip. */
#include "fuzz.h"
#include "image/slim.h"

#include <elf.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, twice = CDA_BUF_INIT;
	Elf64_Ehdr head;

	if (!cda_slim_strip(p, len, &out)) {
		HOLDS(out.len == 0);
		return 0;
	}
	HOLDS(out.len < len);
	memcpy(&head, p, sizeof(head));
	for (size_t i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr ph;
		size_t from;

		memcpy(&ph, p + head.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NULL || ph.p_filesz == 0)
			continue;
		HOLDS(ph.p_offset + ph.p_filesz <= out.len);
		from = ph.p_offset < sizeof(head) ? sizeof(head) : ph.p_offset;
		if (from < ph.p_offset + ph.p_filesz)
			HOLDS(memcmp(out.p + from, p + from, ph.p_offset + ph.p_filesz - from) ==
			      0);
	}
	HOLDS(!cda_slim_strip(out.p, out.len, &twice));
	return 0;
}
