/* Rules of slim.h that know how Python finds modules: tests of packages, compiled files. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#define SOURCE_MAX ((size_t)16 << 20)

static bool is_word(char c)
{
	return cda_is_alnum(c) || c == '_';
}

/* One of the dotted names of the text is `name`, or has it as a part. */
static bool has_part(struct cda_str text, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; len > 0 && i + len <= text.len; i++)
		if (memcmp(text.p + i, name, len) == 0 && (i == 0 || !is_word(text.p[i - 1])) &&
		    (i + len == text.len || !is_word(text.p[i + len])))
			return true;
	return false;
}

bool cda_slim_imports(const char *text, size_t len, const char *name)
{
	struct cda_str rest = {text, len}, line;
	bool inside = false; /* of the parentheses of an import */

	while (cda_str_cut(&rest, "\n", &line)) {
		struct cda_str words = cda_str_trim(line);
		bool is_import =
			(words.len > 5 && memcmp(words.p, "from ", 5) == 0) ||
			(words.len > 7 && memcmp(words.p, "import ", 7) == 0) ||
			(words.len > 0 && memmem(words.p, words.len, "import_module(", 14));

		if ((inside || is_import) && has_part(words, name))
			return true;
		if (is_import && words.len > 0)
			inside = memchr(words.p, '(', words.len) != NULL;
		if (inside && words.len > 0 && memchr(words.p, ')', words.len))
			inside = false;
	}
	return false;
}

/* The folders called test or tests of one package, as one thing. */
struct tests {
	bool are_tests; /* one of the files has the name of a test */
	bool are_used;  /* a module of the package imports them */
};

static const char *const test_names[] = {"tests", "test"};

/* In a path of a prefix: length of ".../site-packages/PACKAGE", 0 where there is none. */
static size_t package_end(const char *path)
{
	static const char site[] = "/site-packages/";
	const char *at = cda_starts_with(path, site + 1) ? path : strstr(path, site);
	size_t start, n;

	if (!at)
		return 0;
	start = (size_t)(at - path) + sizeof(site) - 1 - (at == path && path[0] != '/');
	n = strcspn(path + start, "/");
	return n > 0 && path[start + n] ? start + n : 0;
}

/* Which of test_names is the first part behind the package that is one; -1: none. */
static int tests_part(const char *path, size_t end)
{
	const char *p = path + end;

	while (*p == '/') {
		size_t n = strcspn(++p, "/");

		for (int i = 0; p[n] && i < (int)CDA_LEN(test_names); i++)
			if (strlen(test_names[i]) == n && memcmp(p, test_names[i], n) == 0)
				return i;
		p += n;
	}
	return -1;
}

static bool is_test_name(const char *path)
{
	const char *name = cda_path_basename(path);

	return cda_glob_match("test*", name) || cda_glob_match("*_test.py", name) ||
	       cda_streq(name, "conftest.py");
}

static struct tests *tests_of(struct cda_map *map, const char *path, size_t end, int which,
			      bool make)
{
	CDA_AUTOFREE char *key = cda_asprintf("%.*s|%s", (int)end, path, test_names[which]);
	struct tests *tests = cda_map_get(map, key);

	if (!tests && make) {
		tests = cda_new0(struct tests);
		cda_map_set(map, key, tests);
	}
	return tests;
}

static bool may_be_tests(const struct cda_slim *slim, const struct cda_slim_file *file, size_t *end)
{
	*end = cda_slim_in_prefix(slim, file) && S_ISREG(file->st.st_mode) ? package_end(file->path)
									   : 0;
	return *end > 0;
}

/* Do the package's own modules, outside of its tests, need them? django.test is such a one. */
static int look_for_imports(struct cda_slim *slim, struct cda_map *map, struct cda_err *err)
{
	cda_vec_each (file, &slim->files) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		struct tests *tests[CDA_LEN(test_names)];
		bool wanted = false;
		size_t end;
		int rc;

		if (!may_be_tests(slim, file, &end) || !cda_ends_with(file->path, ".py") ||
		    tests_part(file->path, end) >= 0)
			continue;
		for (int i = 0; i < (int)CDA_LEN(test_names); i++) {
			tests[i] = tests_of(map, file->path, end, i, false);
			wanted = wanted || (tests[i] && !tests[i]->are_used);
		}
		if (!wanted || (uint64_t)file->st.st_size > SOURCE_MAX)
			continue;
		rc = cda_slim_read(slim, file, SOURCE_MAX, &text, err);
		if (rc < 0)
			return rc;
		for (int i = 0; i < (int)CDA_LEN(test_names); i++)
			if (tests[i] && !tests[i]->are_used &&
			    cda_slim_imports(text.p, text.len, test_names[i])) {
				tests[i]->are_used = true;
				cda_strv_pushf(&slim->report->notes, "%.*s: '%s' imports its '%s'",
					       (int)end, file->path, file->path, test_names[i]);
			}
	}
	return 0;
}

int cda_slim_mark_tests(struct cda_slim *slim, struct cda_err *err)
{
	struct cda_map *map;
	const char *key;
	void *value;
	size_t end, at = 0;
	int rc = 0;

	if (!cda_slim_wants(slim, CDA_SLIM_TESTS))
		return 0;
	map = cda_map_new();
	cda_vec_each (file, &slim->files) {
		int which;

		if (!may_be_tests(slim, file, &end) || (which = tests_part(file->path, end)) < 0)
			continue;
		struct tests *tests = tests_of(map, file->path, end, which, true);
		tests->are_tests = tests->are_tests || is_test_name(file->path);
	}
	if (cda_map_count(map) > 0)
		rc = look_for_imports(slim, map, err);
	cda_vec_each (file, &slim->files) {
		const struct tests *tests;
		int which;

		if (rc < 0 || !may_be_tests(slim, file, &end) || file->is_fixed || file->is_cache ||
		    file->act || (which = tests_part(file->path, end)) < 0)
			continue;
		tests = tests_of(map, file->path, end, which, false);
		if (tests && tests->are_tests && !tests->are_used &&
		    !cda_slim_is_licence(file->path))
			cda_slim_mark(file, CDA_SLIM_REMOVE, CDA_SLIM_TESTS);
	}
	while (cda_map_next(map, &at, &key, &value))
		free(value);
	cda_map_free(map);
	return rc;
}

/* Owned: the source of DIR/__pycache__/NAME.TAG.pyc; NULL for other files. */
static char *source_of(const char *path)
{
	static const char folder[] = "__pycache__/";
	const char *name = cda_path_basename(path);
	size_t before = (size_t)(name - path);

	if (!cda_ends_with(name, ".pyc") || before < sizeof(folder) - 1 ||
	    memcmp(name - (sizeof(folder) - 1), folder, sizeof(folder) - 1) != 0)
		return NULL;
	before -= sizeof(folder) - 1;
	if (before > 0 && path[before - 1] != '/')
		return NULL;
	return cda_asprintf("%.*s%.*s.py", (int)before, path, (int)strcspn(name, "."), name);
}

void cda_slim_mark_bytecode(struct cda_slim *slim)
{
	cda_vec_each (file, &slim->files) {
		CDA_AUTOFREE char *source = NULL;
		const struct cda_slim_file *found;

		if (!S_ISREG(file->st.st_mode) || file->is_fixed || file->is_cache || file->act)
			continue;
		source = source_of(file->path);
		if (!source)
			continue;
		found = cda_slim_find(slim, source);
		if (found && found->act != CDA_SLIM_REMOVE) {
			if (cda_slim_wants(slim, CDA_SLIM_BYTECODE))
				cda_slim_mark(file, CDA_SLIM_FORGET, CDA_SLIM_BYTECODE);
		} else if (cda_slim_wants(slim, found ? found->rule : CDA_SLIM_CACHES)) {
			/* Python looks into __pycache__ for sources that are there only. */
			cda_slim_mark(file, CDA_SLIM_REMOVE, found ? found->rule : CDA_SLIM_CACHES);
		}
	}
}
