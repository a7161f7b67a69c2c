/* sink.h - where the bytes of one transfer go: counted and hashed while they come, seen under
 * their name only when they are right. Inside the net layer. */
#ifndef CDA_NET_SINK_H
#define CDA_NET_SINK_H

#include "net/http.h"

struct cda_sink; /* opaque */

/* Opens the .part file (or the body) of the transfer, which outlives the sink. With resume, bytes
 * of a former run are hashed and kept. Errors: CDA_E_SYS, CDA_E_NOSPACE. */
int cda_sink_open(struct cda_transfer *transfer, struct cda_sink **ret_sink, struct cda_err *err)
	CDA_CHECK;
/* Closes. A .part file stays only where a later run can use it. */
struct cda_sink *cda_sink_free(struct cda_sink *sink);
CDA_DEFINE_CLEANUP(struct cda_sink *, cda_sink_free)

uint64_t cda_sink_at(const struct cda_sink *sink);       /* bytes so far */
bool cda_sink_is_inherited(const struct cda_sink *sink); /* some came from a former run */
int cda_sink_restart(struct cda_sink *sink, struct cda_err *err) CDA_CHECK; /* back to nothing */
/* Errors: CDA_E_VALUE beyond max_bytes, CDA_E_CHECKSUM beyond the known size, CDA_E_SYS,
 * CDA_E_NOSPACE. */
int cda_sink_write(struct cda_sink *sink, const void *p, size_t len, struct cda_err *err) CDA_CHECK;
/* Checks size and digests, then gives the file its name. CDA_E_CHECKSUM empties the sink. */
int cda_sink_finish(struct cda_sink *sink, struct cda_err *err) CDA_CHECK;

#endif
