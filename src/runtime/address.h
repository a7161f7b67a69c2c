/* address.h - a URL in the narrow grammar that settings allow, and its parts.
 *
 * SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH], or file:///PATH. ASCII without blanks, quotes,
 * backslashes, '?' and '#': such a text can stand in a configuration file, a list of words or a
 * variable as it is. Pure. */
#ifndef CDA_RUNTIME_ADDRESS_H
#define CDA_RUNTIME_ADDRESS_H

#include "file.h"

enum { CDA_ADDRESS_MAX = 1024 }; /* with its NUL */

enum cda_scheme { CDA_HTTP = 1, CDA_HTTPS = 2, CDA_FILE = 4 };

struct cda_address {
	enum cda_scheme scheme;
	/* Parts of the text; empty where it has none. An IPv6 host keeps its brackets. */
	struct cda_span user, password, host, port, path;
};

/* Returns NULL, or what is wrong with it, for a message. schemes: those that are allowed. Paths
 * have no '.' or '..' folder. */
const char *cda_address_parse(struct cda_span text, unsigned schemes, struct cda_address *ret);

/* The bytes that a user or a password stands for, without its '%' escapes. Returns 0, or -1 if it
 * does not fit. */
int cda_address_decode(struct cda_span part, char *buf, size_t cap);

/* The URL for messages: without user and password. text must have parsed. */
void cda_address_show(const char *text, char *buf, size_t cap);

#endif
