/* Whatever an ELF file holds: nothing outside it is read or written, its length stays, and a
 * library path that was set is the one that is read. */
#include "fuzz.h"
#include "forge/elf.h"
#include "util/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_elf_info info;
	struct cda_err err = {0};

	cda_buf_add(&file, p, len);
	if (cda_elf_hide_frozen(&file, "site", &err))
		cda_err_done(&err);
	if (cda_elf_set_answer(&file, "answer", "/text", &err))
		cda_err_done(&err);
	HOLDS(file.len == len);
	if (cda_elf_info(&file, &info, &err)) {
		cda_err_done(&err);
		return 0;
	}
	cda_elf_info_done(&info);
	if (cda_elf_set_rpath(&file, "$ORIGIN", &err)) {
		HOLDS(err.code == CDA_E_VALUE && err.msg);
		cda_err_done(&err);
	}
	HOLDS(file.len == len);
	return 0;
}
