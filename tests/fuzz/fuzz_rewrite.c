/* The input is PLACEHOLDER, PREFIX and content with a NUL between. A binary keeps its length and
 * what lies outside its strings; a placeholder as prefix changes nothing; a text has no placeholder
 * left unless the prefix brings it. */
#include "fuzz.h"
#include "prefix/rewrite.h"
#include "util/alloc.h"

#include <string.h>

static void check_binary(const char *p, size_t len, const char *placeholder, const char *prefix)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};
	int rc = cda_rewrite_binary(p, len, placeholder, prefix, &out, &err);
	const char *last;

	if (rc < 0) {
		HOLDS(err.code == CDA_E_PADDING && strlen(prefix) > strlen(placeholder));
		HOLDS(out.len == 0);
		cda_err_done(&err);
		return;
	}
	HOLDS(out.len == len);
	/* Each string still ends where it ended. */
	for (size_t i = 0; i < len; i++)
		if (p[i] == '\0')
			HOLDS(out.p[i] == '\0');
	last = memrchr(p, '\0', len);
	last = last ? last : p;
	HOLDS(memcmp(last, out.p + (last - p), len - (size_t)(last - p)) == 0);
}

static void check_text(const char *p, size_t len, const char *placeholder, const char *prefix)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_rewrite_text(p, len, placeholder, prefix, &out);
	if (!memmem(p, len, placeholder, strlen(placeholder)) && (len < 2 || memcmp(p, "#!", 2)))
		HOLDS(out.len == len && memcmp(out.p, p, len) == 0);
	/* One byte in place of the placeholder, one that is not in it, leaves none. */
	cda_buf_clear(&out);
	if (!strchr(placeholder, '\1')) {
		cda_rewrite_text(p, len, placeholder, "\1", &out);
		HOLDS(!memmem(out.p, out.len, placeholder, strlen(placeholder)) ||
		      memcmp(out.p, "#!/usr/bin/env", out.len < 14 ? out.len : 14) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const char *text = (const char *)p;
	const char *first = memchr(text, '\0', len), *second;
	CDA_AUTOFREE char *placeholder = NULL, *prefix = NULL;
	CDA_AUTOBUF struct cda_buf same = CDA_BUF_INIT;
	struct cda_err err = {0};

	second = first ? memchr(first + 1, '\0', len - (size_t)(first + 1 - text)) : NULL;
	if (!second || first == text)
		return 0;
	placeholder = cda_strdup(text);
	prefix = cda_strdup(first + 1);
	len -= (size_t)(second + 1 - text);
	check_binary(second + 1, len, placeholder, prefix);
	check_text(second + 1, len, placeholder, prefix);
	HOLDS(cda_rewrite_binary(second + 1, len, placeholder, placeholder, &same, &err) >= 0);
	HOLDS(same.len == len && memcmp(same.p, second + 1, len) == 0);
	return 0;
}
