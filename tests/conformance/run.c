/* run.c - runs vector files of the conformance schemas: run FILE.json… Prints what differs and
 * "FILE: N passed, N failed"; the exit status is 1 when a vector failed, 2 when a file is no vector
 * file. */
#include "run.h"

#include "util/arena.h"
#include "util/fs.h"
#include "util/str.h"

#include <stdarg.h>
#include <string.h>

enum { MAX_FILE = 256 << 20 };

/* A file is of the kind whose keys it all has; the first kind that fits counts. */
static const struct kind {
	const char *name;
	const char *keys[3];
	int (*run)(yyjson_val *root, struct tally *tally);
} kinds[] = {
	{"version_order", {"sorted", "pairs"}, run_version_order},
	{"version_spec", {"match", "odd_accepted"}, run_version_spec},
	{"matchspec", {"records", "parse", "match"}, run_matchspec},
	{"channel", {"parse", "prioritize"}, run_channel},
	{"activation", {"shell_commands", "end_to_end"}, run_activation},
	{"layout", {"scenarios"}, run_layout},
	{"solve", {"problems"}, run_solve},
	{"commands", {"commands"}, run_cli},
};

void tally_check(struct tally *tally, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		tally->passed++;
		return;
	}
	tally->failed++;
	printf("%s: ", tally->file);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static const struct kind *kind_of(yyjson_val *root)
{
	for (size_t i = 0; i < CDA_LEN(kinds); i++) {
		bool fits = true;

		for (size_t k = 0; k < CDA_LEN(kinds[i].keys) && kinds[i].keys[k]; k++)
			fits = fits && yyjson_obj_get(root, kinds[i].keys[k]);
		if (fits)
			return &kinds[i];
	}
	return NULL;
}

static int run_file(const char *path)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOFREE char *folder = cda_path_dirname(path);
	struct tally tally = {.file = path, .folder = folder};
	struct cda_err err = {0};
	const struct kind *kind;
	int rc;

	if (cda_json_read(AT_FDCWD, path, MAX_FILE, &doc, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		cda_err_done(&err);
		return 2;
	}
	kind = kind_of(yyjson_doc_get_root(doc));
	if (!kind) {
		fprintf(stderr, "%s: no vectors of a kind that is known\n", path);
		return 2;
	}
	rc = kind->run(yyjson_doc_get_root(doc), &tally);
	printf("%s: %u passed, %u failed\n", path, tally.passed, tally.failed);
	fflush(stdout);
	if (rc < 0)
		return 2;
	return tally.failed > 0 || tally.passed == 0;
}

static char *replace_all(const char *text, const char *from, const char *to)
{
	struct cda_buf out = CDA_BUF_INIT;
	const char *hit;

	for (; (hit = strstr(text, from)); text = hit + strlen(from)) {
		cda_buf_add(&out, text, (size_t)(hit - text));
		cda_buf_adds(&out, to);
	}
	cda_buf_adds(&out, text);
	return cda_buf_take(&out);
}

char *tally_exchange(const char *text, const struct tally_place *places, size_t n, bool to_real)
{
	char *result = cda_strdup(text);

	for (size_t i = 0; i < n; i++)
		cda_replace(&result, to_real ? replace_all(result, places[i].name, places[i].real)
					     : replace_all(result, places[i].real, places[i].name));
	return result;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE.json...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int rc = run_file(argv[i]);

		if (rc > status)
			status = rc;
	}
	return status;
}
