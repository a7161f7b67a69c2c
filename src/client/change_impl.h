/* change_impl.h - what the sources of change.h share. */
#ifndef CDA_CLIENT_CHANGE_IMPL_H
#define CDA_CLIENT_CHANGE_IMPL_H

#include "client/change.h"
#include "pkg/fetch.h"

/* exact.c: each fills change->plan without a solve. */
int cda_plan_explicit(struct cda_change *change, const struct cda_change_request *request,
		      struct cda_err *err) CDA_CHECK;
int cda_plan_clone(struct cda_change *change, const struct cda_change_request *request,
		   struct cda_err *err) CDA_CHECK;
int cda_plan_revision(struct cda_change *change, const struct cda_change_request *request,
		      struct cda_err *err) CDA_CHECK;

/* change.c: loads change->index; the channels of the specs are added to those of the request. */
int cda_change_index(struct cda_change *change, const struct cda_change_request *request,
		     const struct cda_matchspecs *specs, struct cda_err *err) CDA_CHECK;
void cda_change_fetch_options(struct cda_context *ctx, struct cda_fetch_options *options);

/* untracked.c: copies what no package brought (pip's packages, variables, pins, files of people)
 * to the other prefix; what is there already stays. Texts that name the one prefix then name the
 * other. */
int cda_copy_untracked(const char *from, const char *to, struct cda_err *err) CDA_CHECK;

#endif
