/* elf.h - changes to 64-bit little-endian ELF files in memory, in place: the file keeps its size.
 * New text goes into the unused bytes between the end of a read-only segment and the next page.
 * Every offset of the file is checked; a file that is not as expected is CDA_E_VALUE. */
#ifndef CDA_FORGE_ELF_H
#define CDA_FORGE_ELF_H

#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>

/* By the first bytes: a 64-bit little-endian program or shared library. */
bool cda_elf_is(const void *p, size_t len);

/* What the dynamic section says; all empty for a file without one. */
struct cda_elf_info {
	struct cda_strv needed;
	char *soname, *rpath; /* owned, or NULL; rpath: DT_RPATH or DT_RUNPATH */
	char *glibc; /* the newest GLIBC_ version that a symbol asks for: "2.38"; owned, or NULL */
	bool dynamic;
};
int cda_elf_info(const struct cda_buf *file, struct cda_elf_info *ret, struct cda_err *err)
	CDA_CHECK;
void cda_elf_info_done(struct cda_elf_info *info);

/* Makes rpath the DT_RPATH, instead of any former RPATH or RUNPATH. A static file is left alone. */
int cda_elf_set_rpath(struct cda_buf *file, const char *rpath, struct cda_err *err) CDA_CHECK;

/* Makes the exported function `symbol`, which does nothing but return the address of a constant
 * text, return `text` instead. x86-64 alone. */
int cda_elf_set_answer(struct cda_buf *file, const char *symbol, const char *text,
		       struct cda_err *err) CDA_CHECK;

/* Hides `module` from the frozen modules of Python, so that it is imported from its file: its
 * entry in _PyImport_FrozenStdlib gets another name. */
int cda_elf_hide_frozen(struct cda_buf *file, const char *module, struct cda_err *err) CDA_CHECK;

#endif
