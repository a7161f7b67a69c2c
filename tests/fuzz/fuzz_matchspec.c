/* What is read has a name and a text; both halves of a match are the match. */
#include "fuzz.h"
#include "core/matchspec.h"
#include "util/alloc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct cda_channel_config config = {.cwd = "/here", .home = "/home"};
	static const struct cda_record record = {.name = "numpy",
						 .version = "1.8.1",
						 .build = "py27_1",
						 .channel = "https://conda.anaconda.org/free",
						 .subdir = "linux-64"};
	CDA_AUTOFREE char *text = cda_strndup((const char *)p, len < 16384 ? len : 16384);
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL, *copy = NULL;
	struct cda_err err = {0};

	if (cda_matchspec_parse(&config, text, &spec, &err) < 0) {
		HOLDS(err.msg && *err.msg);
		cda_err_done(&err);
		return 0;
	}
	HOLDS(*cda_matchspec_text(spec) && strcmp(cda_matchspec_original(spec), text) == 0);
	HOLDS(cda_matchspec_match(spec, &record) ==
	      (cda_matchspec_match_version(spec, record.version, NULL) &&
	       cda_matchspec_match_rest(spec, &record)));
	copy = cda_matchspec_with(spec, NULL);
	HOLDS(!copy || strcmp(cda_matchspec_name(copy), cda_matchspec_name(spec)) == 0);
	return 0;
}
