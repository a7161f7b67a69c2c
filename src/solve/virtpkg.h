/* virtpkg.h - the virtual packages of this machine: __unix, __linux, __glibc, __archspec, __cuda.
 */
#ifndef CDA_SOLVE_VIRTPKG_H
#define CDA_SOLVE_VIRTPKG_H

#include "core/record.h"
#include "util/arena.h"

/* Overrides as the caller found them (CONDA_OVERRIDE_*): NULL probes the machine, "" means that
 * the package is absent, other text is its version. */
struct cda_virtpkg_config {
	const char *subdir; /* platform to solve for; NULL: native */
	const char *glibc, *linux_, *osx, *win, *cuda, *archspec;
	const char *root; /* where to look for libraries; NULL: "/" */
};

/* Appends a record (in the arena) for each virtual package. */
void cda_virtpkg_detect(const struct cda_virtpkg_config *config, struct cda_arena *arena,
			struct cda_records *out);
/* One record of this name, version and build, as a virtual package. */
struct cda_record *cda_virtpkg_record(struct cda_arena *arena, const char *name,
				      const char *version, const char *build);

#endif
