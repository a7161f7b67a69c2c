/* Lists of conda's and pip's as the start reads them: words lie in the text, lines count up, an
 * included file is a path of one line. */
#include "fuzz.h"
#include "runtime/blame.h"
#include "runtime/include.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char said[4096];
	const char *text = (const char *)p;
	struct cda_span rest = {text, len}, line, word, version;
	char path[256];

	for (int yaml = 0; yaml < 2; yaml++) {
		struct cda_blame_lines lines;
		int before = 0;

		cda_blame_begin(&lines, rest, yaml != 0);
		while (cda_blame_next(&lines, &word)) {
			HOLDS(lines.number > before);
			before = lines.number;
			HOLDS(word.len > 0 && word.p >= text && word.p + word.len <= text + len);
			if (cda_blame_python(word, &version))
				HOLDS(version.p >= word.p &&
				      version.p + version.len <= word.p + word.len);
		}
		if (len < sizeof(said)) {
			int found;

			memcpy(said, p, len);
			said[len] = '\0';
			found = cda_blame_line(rest, yaml != 0, said, &word);
			HOLDS(found >= 0 && found <= before);
		}
	}
	if (len < sizeof(said)) {
		HOLDS(cda_blame_behind(said, said) != NULL);
		HOLDS(cda_blame_hint(cda_blame_cause(said)) != NULL);
	}
	while (cda_span_line(&rest, &line)) {
		if (cda_include_of(line, path, sizeof(path)))
			HOLDS(path[0] != '\0' && strchr(path, '\n') == NULL);
	}
	return 0;
}
