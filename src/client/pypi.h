/* pypi.h - Python packages in a prefix that no conda package brought: what pip installed. */
#ifndef CDA_CLIENT_PYPI_H
#define CDA_CLIENT_PYPI_H

#include "core/record.h"

struct cda_meta;

/* Appends a record (channel "pypi", build "pypi_0") for each *.dist-info or *.egg-info folder of
 * the prefix's site-packages that has a METADATA and is no file of a conda package. meta must have
 * been loaded with CDA_META_FILES. What cannot be read is left out. */
void cda_pypi_records(const char *prefix, const struct cda_meta *meta, struct cda_arena *arena,
		      struct cda_records *records);

/* "Foo.Bar_baz" as PEP 503 writes names: "foo-bar-baz". In place. */
void cda_pypi_normalize(char *name);

#endif
