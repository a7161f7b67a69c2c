/* closure.h - does every package have what its programs and libraries load? */
#ifndef CDA_FORGE_CLOSURE_H
#define CDA_FORGE_CLOSURE_H

#include "forge/package.h"

CDA_VEC_DEFINE(cda_packages, struct cda_package);

/* Every library that an ELF file of a package needs is in the package, in one that it depends on
 * (over any number of steps), in glibc, or named by `outside`; every link leads to a file of its
 * package; no two packages have the same path. Errors: CDA_E_VALUE, naming package, file and
 * library. */
int cda_closure_check(const struct cda_packages *packages, struct cda_err *err) CDA_CHECK;

/* Appends the names of the packages that `names` need, themselves included, in an order in which
 * every package comes after those that it needs. Errors: CDA_E_VALUE for one that is missing. */
int cda_closure_order(const struct cda_packages *packages, const struct cda_strv *names,
		      struct cda_strv *ret, struct cda_err *err) CDA_CHECK;

#endif
