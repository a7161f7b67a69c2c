/* netrc: what is accepted comes out again as it went in, a line for each host and scheme. */
#include "fuzz.h"
#include "runtime/netrc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char data[4 * CDA_NETRC_BYTES];
	struct cda_text out = {.data = data, .cap = sizeof(data)};
	static struct cda_netrc netrc;
	struct cda_span rest, line;
	int lines = 0;

	netrc.count = 0;
	if (len > CDA_NETRC_BYTES ||
	    cda_netrc_parse((struct cda_span){(const char *)p, len}, &netrc) != 0)
		return 0;
	HOLDS(netrc.count >= 0 && netrc.count <= CDA_NETRC_HOSTS);
	cda_netrc_format(&netrc, &out);
	HOLDS(!out.full);
	rest = (struct cda_span){data, out.len};
	while (cda_span_line(&rest, &line)) {
		int blanks = 0;

		for (size_t i = 0; i < line.len; i++) {
			HOLDS(line.p[i] >= ' ' && line.p[i] < 0x7f);
			blanks += line.p[i] == ' ';
		}
		HOLDS(blanks == 5 && strncmp(line.p, "machine http", 12) == 0);
		lines++;
	}
	HOLDS(lines == 2 * netrc.count);
	return 0;
}
