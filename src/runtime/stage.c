#include "stage.h"

#include "blame.h"
#include "installed.h"
#include "outfit.h"
#include "paths.h"
#include "prefix.h"
#include "progress.h"
#include "reap.h"
#include "reqlist.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MAX = 1 << 20, TAIL = 8192, MAX_WORDS = 16, LAST_SIGNAL = 64 };

extern char **environ;

static char list_data[LIST_MAX], tail[TAIL];

/* A pipe can be read once, by who installs it: then *ret is empty. */
static int read_list(const char *path, struct cda_text *ret)
{
	struct stat st;
	int fd, rc = 0;

	*ret = (struct cda_text){.data = list_data, .cap = sizeof(list_data)};
	/* The caller's own rights: links and pipes are the caller's business. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	rc = cda_file_read(fd, ret);
	close(fd);
	return rc;
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A list that is not there is none, which only the image's own place of it says by itself. */
static int unreachable(const char *variable, const char *path, bool expected, int error)
{
	if (error != ENOENT) {
		cda_say("cannot read '%s': %s", path, strerror(error));
		return -1;
	}
	if (!expected)
		cda_say("'%s' is passed over: there is no '%s'", variable, path);
	return 0;
}

int cda_stage_wanted(const char *variable, const char *fallback, const char **ret_path)
{
	const char *path = getenv(variable);
	struct cda_text text;
	struct stat st;

	if (path == NULL || path[0] == '\0')
		path = fallback;
	*ret_path = path;
	if (stat(path, &st) != 0)
		return unreachable(variable, path, strcmp(path, fallback) == 0, errno);
	if (S_ISDIR(st.st_mode)) {
		cda_say("'%s' is a folder and no list: an engine makes one where the file of a "
			"mount is missing (-v ./typo.txt:%s)",
			path, path);
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return 1;
	/* What cannot be read is for the stage to complain about. */
	return read_list(path, &text) < 0 ||
	       cda_list_says_something((struct cda_span){text.data, text.len});
}

/* ---- runs */

static bool is_set_by(const char *entry, const char *word)
{
	size_t len = strcspn(word, "=") + 1;

	return strncmp(entry, word, len) == 0;
}

/* The environment of every run of conda and pip: the one place where it is made. The caller's own,
 * with the words of extra in the place of variables of the same names. Owned; NULL: no memory. */
static char **environment(const char *const *extra)
{
	char *const *given = cda_outfit_stage();
	size_t count = 0, at = 0;
	char **words;

	while (given[count] != NULL)
		count++;
	for (size_t i = 0; extra[i] != NULL; i++)
		count++;
	words = calloc(count + 1, sizeof(*words));
	if (words == NULL)
		return NULL;
	for (size_t i = 0; given[i] != NULL; i++) {
		bool replaced = false;

		for (size_t k = 0; extra[k] != NULL && !replaced; k++)
			replaced = is_set_by(given[i], extra[k]);
		if (!replaced)
			words[at++] = given[i];
	}
	for (size_t i = 0; extra[i] != NULL; i++)
		words[at++] = (char *)(uintptr_t)extra[i];
	return words;
}

static int run(const char *const *argv, const char *const *extra, bool silent)
{
	char **words = environment(extra);
	const struct cda_run spec = {.argv = argv,
				     .envp = words != NULL ? words : environ,
				     .cwd = access(CDA_WORK, X_OK) == 0 ? CDA_WORK : NULL,
				     .quiet_input = true,
				     .no_output = silent,
				     .progress = true,
				     .tail = tail,
				     .tail_cap = sizeof(tail)};
	int status = cda_reap_insist(&spec, cda_blame_transient);

	free(words);
	return status;
}

static const char *const nothing[] = {NULL};

static void clean_conda(void)
{
	static const char *const argv[] = {CDA_PREFIX "/bin/conda", "clean", "-yaf", NULL};

	(void)run(argv, nothing, true);
}

/* Words that make conda and pip say less. */
static const char quiet_word[] = "-q", quiet_pip[] = "PIP_QUIET=1";

/* A status line has room for the last of all that they say. */
static void choose(const char *const *words, const char *ret[MAX_WORDS])
{
	int count = 0;

	for (int i = 0; words[i] != NULL; i++) {
		if (!cda_progress_is_live() ||
		    (strcmp(words[i], quiet_word) != 0 && strcmp(words[i], quiet_pip) != 0))
			ret[count++] = words[i];
	}
	ret[count] = NULL;
}

static int show_run(const struct cda_kind *kind, const char *path, const char *const *argv,
		    const char *const *extra)
{
	const char *words[MAX_WORDS], *variables[MAX_WORDS];
	int status;

	cda_progress_begin(kind->what, "installing '%s' with %s", path, kind->what);
	choose(argv, words);
	choose(extra, variables);
	/* Its plan is long, and -q does not keep it back: what went wrong is on stderr. */
	status = run(words, variables, kind->conda);
	if (status == 0 && kind->conda)
		clean_conda();
	if (status == 0)
		cda_progress_end("installed '%s'", path);
	else
		cda_progress_end(NULL);
	return status;
}

static int failed(const struct cda_kind *kind, const char *path, const struct cda_text *list,
		  int status)
{
	struct cda_span word;
	const char *cause, *hint;
	int line;

	if (cda_reap_stopped() != 0)
		return status;
	line = cda_blame_line((struct cda_span){list->data, list->len}, kind->yaml, tail, &word);
	cause = cda_blame_cause(tail);
	hint = cda_blame_hint(cause);
	if (line > 0)
		cda_say("'%s' line %d: %s does not install '%.*s': %s%s", path, line, kind->what,
			(int)word.len, word.p, cause, hint);
	else
		cda_say("'%s': %s ended with %d: %s%s", path, kind->what, status, cause, hint);
	/* conda and pip have numbers of their own; ours is that of any list that failed. */
	return status > 128 && status <= 128 + LAST_SIGNAL ? status : 1;
}

/* A file of another Python is no spec, and no solver holds it back. */
static int check_python(const struct cda_kind *kind, const char *path, const struct cda_text *list,
			const char *python)
{
	struct cda_blame_lines lines;
	struct cda_span word, version;

	cda_blame_begin(&lines, (struct cda_span){list->data, list->len}, kind->yaml);
	while (kind->conda && python[0] != '\0' && cda_blame_next(&lines, &word)) {
		if (!cda_blame_python(word, &version) || cda_span_is(version, python))
			continue;
		cda_say("'%s' line %d: it would replace Python %s by %.*s; nothing is installed",
			path, lines.number, python, (int)version.len, version.p);
		return 1;
	}
	return 0;
}

static int install(const struct cda_kind *kind, const char *path, const char *python,
		   const struct cda_text *list, const char *const *argv, const char *const *extra)
{
	char hash[CDA_SHA256_HEX], after[CDA_VERSION_MAX];
	int status;

	if (is_regular(path)) {
		cda_installed_hash(kind, path, list, python, hash);
		if (cda_installed_is(kind, python, hash))
			return 0;
	}
	if (check_python(kind, path, list, python) != 0 ||
	    (kind == &cda_kind_pip && cda_outfit_check_urls(path, list) != 0))
		return 1;
	status = show_run(kind, path, argv, extra);
	if (status != 0)
		return failed(kind, path, list, status);
	if (cda_prefix_python(after) == 0 && python[0] != '\0' && strcmp(after, python) != 0) {
		cda_say("'%s': %s replaced Python %s by %s", path, kind->what, python, after);
		return 1;
	}
	if (is_regular(path))
		cda_installed_note(kind, python, hash);
	return 0;
}

/* Read the list. Returns 1 if it says something; else 0, or -1 with a message. */
static int load(const char *path, struct cda_text *ret, char python[CDA_VERSION_MAX])
{
	const char *unfit;
	int rc = read_list(path, ret);

	if (rc < 0) {
		cda_say("cannot read '%s': %s", path, strerror(-rc));
		return -1;
	}
	unfit = cda_list_unfit((struct cda_span){ret->data, ret->len});
	if (unfit != NULL) {
		cda_say("'%s' %s; nothing is installed", path, unfit);
		return -1;
	}
	if (cda_prefix_python(python) != 0)
		python[0] = '\0';
	return !is_regular(path) || cda_list_says_something((struct cda_span){ret->data, ret->len});
}

/* Package files alone, with or without "@EXPLICIT": conda takes no spec beside them. */
static bool is_explicit(const struct cda_text *list)
{
	struct cda_blame_lines lines;
	struct cda_span word;
	bool files = false;

	cda_blame_begin(&lines, (struct cda_span){list->data, list->len}, false);
	while (cda_blame_next(&lines, &word)) {
		if (cda_span_is(word, "@EXPLICIT"))
			return true;
		if (!cda_blame_is_file(word))
			return false;
		files = true;
	}
	return files;
}

int cda_stage_conda(const char *path)
{
	const char *argv[MAX_WORDS] = {
		CDA_PREFIX "/bin/conda", "install", "-y", quiet_word, "--file", path, NULL};
	char python[CDA_VERSION_MAX], pin[CDA_VERSION_MAX + 16];
	struct cda_text list;
	int rc = load(path, &list, python);

	if (rc <= 0)
		return -rc;
	/* The list may ask for anything but another Python. */
	if (python[0] != '\0' && !is_explicit(&list)) {
		cda_put(pin, sizeof(pin), "python==%s", python);
		argv[6] = pin;
	}
	return install(&cda_kind_conda, path, python, &list, argv, nothing);
}

int cda_stage_environment(const char *path)
{
	static char pins[4096];
	const char *argv[MAX_WORDS] = {CDA_PREFIX "/bin/conda",
				       "env",
				       "update",
				       quiet_word,
				       "-p",
				       CDA_PREFIX,
				       "--file",
				       path,
				       NULL};
	/* No command line has a word for a pin, or for how pip is run. */
	const char *extra[] = {quiet_pip,
			       "PIP_NO_CACHE_DIR=1",
			       "PIP_NO_INPUT=1",
			       "PIP_DISABLE_PIP_VERSION_CHECK=1",
			       pins,
			       NULL};
	const char *own = getenv("CONDA_PINNED_PACKAGES");
	char python[CDA_VERSION_MAX];
	struct cda_text list;
	int rc = load(path, &list, python);

	if (rc <= 0)
		return -rc;
	if (python[0] == '\0') {
		extra[4] = NULL;
	} else if (cda_put(pins, sizeof(pins), "CONDA_PINNED_PACKAGES=%s%spython==%s",
			   own != NULL ? own : "", own != NULL && own[0] != '\0' ? "&" : "",
			   python) != 0) {
		cda_say("'%s' is not installed: CONDA_PINNED_PACKAGES is too long", path);
		return 1;
	}
	return install(&cda_kind_environment, path, python, &list, argv, extra);
}

int cda_stage_pip(const char *path)
{
	const char *argv[MAX_WORDS] = {CDA_PREFIX "/bin/python",
				       "-m",
				       "pip",
				       "install",
				       quiet_word,
				       "--no-cache-dir",
				       "--no-input",
				       "--disable-pip-version-check",
				       "--upgrade",
				       "-r",
				       path,
				       NULL};
	char python[CDA_VERSION_MAX];
	struct cda_text list;
	int rc = load(path, &list, python);

	return rc <= 0 ? -rc : install(&cda_kind_pip, path, python, &list, argv, nothing);
}
