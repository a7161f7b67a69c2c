/* resolve.h - which release a request means. No files, no network. */
#ifndef CDA_RELEASE_RESOLVE_H
#define CDA_RELEASE_RESOLVE_H

#include "release/listing.h"

/* What may be left open is 0 or NULL. */
struct cda_release_request {
	enum cda_product product;
	int py_major, py_minor; /* py_minor -1: any of the major */
	const char *conda;      /* conda's version "26.5.3", the begin of one "26.5", or a release
				 * "26.5.3-1" */
	const char *release;    /* the whole release: "26.5.3-1", "py313_26.5.3-1" */
	const char *arch;       /* as names have it */
};

/* Checks the words of a command line; the texts are borrowed. arch: any word for a machine; NULL
 * stays NULL. Errors: CDA_E_USAGE. */
int cda_request_init(const char *product, const char *python, const char *conda,
		     const char *release, const char *arch, struct cda_release_request *ret,
		     struct cda_err *err) CDA_CHECK;
bool cda_request_takes(const struct cda_release_request *request,
		       const struct cda_release_name *name);
/* The newest that is meant, pinned ones only with `pinned`; a conda version that is whole there
 * goes before one that only begins like it ("4.7.12" before "4.7.12.1"). Borrowed, or NULL. */
const struct cda_release *cda_request_pick(const struct cda_release_request *request,
					   const struct cda_releases *list, bool pinned);
/* Keeps what is meant; newest: of each product, Python and machine the newest alone. The list must
 * be sorted and stays so. */
void cda_request_filter(const struct cda_release_request *request, bool newest,
			struct cda_releases *list);
/* Owned text for messages: "Python 3.13, conda 26.5.3, x86_64". */
char *cda_request_format(const struct cda_release_request *request);

#endif
