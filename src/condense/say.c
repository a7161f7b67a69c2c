#include "condense/say.h"
#include "image/size.h"
#include "util/str.h"

#include <stdio.h>

void cda_say(const char *mark, const char *text)
{
	CDA_AUTOBUF struct cda_buf safe = CDA_BUF_INIT;

	cda_size_text(text, &safe);
	fprintf(stderr, "%s%s\n", mark, safe.p);
}

void cda_say_lines(const char *mark, const char *text)
{
	struct cda_str rest = cda_str(text), line;

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *one = cda_str_dup(line);

		cda_say(mark, one);
		mark = "";
	}
}
