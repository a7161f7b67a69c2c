#include "condense/cmds.h"
#include "forge/index.h"

#include <stdio.h>

struct opts {
	bool quiet;
};

static const struct cda_option options[] = {
	OPTION_BOOL("quiet", struct opts, quiet, "print nothing"),
	OPTION_END(),
};

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct opts opts = {0};
	CDA_AUTOSTRV struct cda_strv rest = {0};
	size_t count = 0;
	int rc = cda_option_parse(&cda_condense_index, argc, argv, &opts, &rest, err);

	if (!rc)
		rc = cda_channel_index(rest.v[0], &count, err);
	if (!rc && !opts.quiet)
		printf("%s: %zu packages\n", rest.v[0], count);
	return rc;
}

const struct cda_command cda_condense_index = {
	"index", "[--quiet] CHANNEL", "write the index of a channel folder", options, 1, 1, run};
