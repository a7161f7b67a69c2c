/* Comparison is an order, equal to itself, and the same both ways round; a spec's canonical text is
 * a spec that matches the same. Input: versions by line; the last line is a spec. */
#include "fuzz.h"
#include "core/version.h"
#include "util/alloc.h"

#include <string.h>

enum { MAX_VERSIONS = 6 };

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_order(struct cda_version *const *v, size_t n)
{
	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++) {
			int ab = sign(cda_version_cmp(v[a], v[b]));

			HOLDS(ab == -sign(cda_version_cmp(v[b], v[a])));
			for (size_t c = 0; c < n; c++)
				if (ab <= 0 && cda_version_cmp(v[b], v[c]) <= 0)
					HOLDS(cda_version_cmp(v[a], v[c]) <= 0);
		}
	for (size_t a = 0; a < n; a++) {
		CDA_CLEANUP(cda_version_freep) struct cda_version *again = NULL;
		struct cda_err err = {0};

		HOLDS(cda_version_starts_with(v[a], v[a]));
		HOLDS(cda_version_parse(cda_version_text(v[a]), &again, &err) == 0);
		HOLDS(cda_version_cmp(again, v[a]) == 0);
	}
}

static void check_spec(const char *text, struct cda_version *const *v, size_t n)
{
	CDA_CLEANUP(cda_version_spec_freep) struct cda_version_spec *spec = NULL;
	struct cda_err err = {0};

	if (cda_version_spec_parse(text, &spec, &err) == 0)
		for (size_t i = 0; i < n; i++)
			HOLDS(cda_version_spec_match(spec, cda_version_text(v[i])) ==
			      cda_version_spec_match_parsed(spec, cda_version_text(v[i]), v[i]));
	else
		HOLDS(err.code == CDA_E_VERSION && err.msg);
	cda_err_done(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_AUTOFREE char *text = cda_strndup((const char *)p, len < 8192 ? len : 8192);
	struct cda_version *v[MAX_VERSIONS];
	size_t n = 0;
	char *line = text, *end;

	while (n < MAX_VERSIONS && (end = strchr(line, '\n'))) {
		struct cda_err err = {0};

		*end = '\0';
		if (cda_version_parse(line, &v[n], &err) == 0)
			n++;
		cda_err_done(&err);
		line = end + 1;
	}
	check_order(v, n);
	check_spec(line, v, n);
	while (n > 0)
		cda_version_free(v[--n]);
	return 0;
}
