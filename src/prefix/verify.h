/* verify.h - compare what is in a prefix with what its records say. */
#ifndef CDA_PREFIX_VERIFY_H
#define CDA_PREFIX_VERIFY_H

#include "util/err.h"
#include "util/vec.h"

enum cda_verify_kind { CDA_VERIFY_MISSING, CDA_VERIFY_ALTERED };

struct cda_verify_finding {
	char *package; /* name; owned */
	char *path;    /* relative to the prefix; owned */
	enum cda_verify_kind kind;
};
CDA_VEC_DEFINE(cda_verify_findings, struct cda_verify_finding);

/* Findings by package, then path. hash: compare contents too, else only what is missing. Compiled
 * Python files may be missing. threads 0: one per CPU. */
int cda_verify_prefix(const char *prefix, bool hash, unsigned threads,
		      struct cda_verify_findings *ret, struct cda_err *err) CDA_CHECK;
void cda_verify_findings_free_all(struct cda_verify_findings *findings);

#endif
