/* netrc.h - credentials for hosts, as ~/.netrc has them, in a narrow grammar: words between blanks,
 * lines with '#' at their start left out. Pure.
 *
 * `machine HOST` then `login` and `password`, in either order; `default` is not for root's programs
 * and is left out with its credentials; `account` and its word are passed over; `macdef` and all
 * else is refused. Words are printable ASCII without quotes and backslashes. */
#ifndef CDA_RUNTIME_NETRC_H
#define CDA_RUNTIME_NETRC_H

#include "file.h"

enum { CDA_NETRC_BYTES = 1 << 15, CDA_NETRC_HOSTS = 64 };

struct cda_netrc_host {
	struct cda_span host, login, password; /* parts of the text that was parsed */
};

struct cda_netrc {
	struct cda_netrc_host hosts[CDA_NETRC_HOSTS];
	int count;
};

/* Add what text says to *ret, which keeps pointing into it. Returns 0, or the number of the line
 * that is refused. */
int cda_netrc_parse(struct cda_span text, struct cda_netrc *ret);

/* A host for netrc: a name or an address, perhaps with a port. */
bool cda_netrc_host_valid(struct cda_span host);
/* A login or password for netrc. */
bool cda_netrc_word_valid(struct cda_span word);

/* Write it as apt reads it (apt_auth.conf(5)): each host for both schemes, since without a scheme
 * it sends no password in the clear. */
void cda_netrc_format(const struct cda_netrc *netrc, struct cda_text *out);

/* The entry for that host and port (which may be empty), or NULL. An entry without a port is for
 * any.
 */
const struct cda_netrc_host *cda_netrc_find(const struct cda_netrc *netrc, struct cda_span host,
					    struct cda_span port);

#endif
