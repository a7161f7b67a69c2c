/* compile.h - byte-code of a staged Python, made by that Python itself. */
#ifndef CDA_FORGE_COMPILE_H
#define CDA_FORGE_COMPILE_H

#include "forge/stage.h"

/* Compiles the folders that the stage's compile steps named with pkg/bin/python, which runs under
 * the loader of with/ (the target's own glibc, as the host's may be older) where there is one, with
 * the libraries of the folders libs. One process, fixed hash seed, time stamps: the same sources
 * give the same bytes. Errors: CDA_E_VALUE with what Python said. */
int cda_compile_stage(struct cda_stage *stage, const struct cda_strv *libs, struct cda_err *err)
	CDA_CHECK;

#endif
