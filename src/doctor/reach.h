/* reach.h - can hosts be reached? Names are resolved and ports connected to, all at once. */
#ifndef CDA_RUNTIME_REACH_H
#define CDA_RUNTIME_REACH_H

#include "sources.h"

enum cda_reached {
	CDA_REACH_LATE, /* not known at the limit */
	CDA_REACH_OK,
	CDA_REACH_NO_NAME, /* code: of getaddrinfo */
	CDA_REACH_REFUSED, /* code: errno of connect */
	CDA_REACH_PROXY,   /* code: the status that the proxy answers with; 0: none of HTTP */
	CDA_REACH_UNTRIED  /* no thread could be started */
};

struct cda_target {
	struct cda_place_of to;
	bool proxied; /* by way of the next, which is the one connected to */
	struct cda_place_of proxy;
	char login[512]; /* "name:password" for it, or "" */
	enum cda_reached result;
	bool named; /* the name was resolved: what was late, or failed, came after it */
	int code;
};

/* Fill in result and code of each; returns after limit milliseconds at the latest. What is still
 * under way then is given up with the process. */
void cda_reach(struct cda_target *targets, size_t count, int limit);

#endif
