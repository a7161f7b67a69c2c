/* request.h - what the caller asks /startup for: its arguments and two variables. */
#ifndef CDA_RUNTIME_REQUEST_H
#define CDA_RUNTIME_REQUEST_H

#include <limits.h>
#include <stdbool.h>

struct cda_request {
	const char *user, *new_uid, *new_gid, *new_user, *new_home, *only,
		*reown; /* NULL: not given */
};

/* -name=value or --name=value, borrowed from argv; an empty value counts as not given. Returns 0,
 * or -1 with a message. argv may be empty. */
int cda_request_parse(int argc, char *const *argv, struct cda_request *ret);

/* Whether a part ("identity", "packages") is asked for: both are unless only names one. */
bool cda_request_wants(const struct cda_request *request, const char *part);

/* The path of a list: value, seen from the folder cwd, copied to buf; fallback if value is NULL,
 * empty or does not fit. */
const char *cda_request_list(const char *value, const char *fallback, const char *cwd,
			     char buf[PATH_MAX]);

#endif
