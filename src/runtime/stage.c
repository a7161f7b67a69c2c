#include "stage.h"

#include "paths.h"
#include "reap.h"
#include "reqlist.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LIST_MAX = 1 << 20, TAIL = 8192, TRIES = 3, VERSION_MAX = 32 };

extern char **environ;

static char list_data[LIST_MAX], stamp_data[LIST_MAX + 64], want_data[LIST_MAX + 64], tail[TAIL];

static int read_list(const char *path, struct cda_text *ret)
{
	int fd, rc;

	*ret = (struct cda_text){.data = list_data, .cap = sizeof(list_data)};
	/* The caller's own rights: links and pipes are the caller's business. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	rc = cda_file_read(fd, ret);
	close(fd);
	return rc;
}

bool cda_stage_wanted(const char *variable, const char *fallback, const char **ret_path)
{
	const char *path = getenv(variable);
	struct cda_text text;
	struct stat st;
	int rc;

	if (path == NULL || path[0] == '\0')
		path = fallback;
	*ret_path = path;
	if (stat(path, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode))
		return !S_ISDIR(st.st_mode);
	rc = read_list(path, &text);
	/* What cannot be read is for the stage to complain about. */
	return rc < 0 || cda_list_says_something((struct cda_span){text.data, text.len});
}

/* The version of the prefix's Python, from the name of its record. */
static int python_version(char ret[VERSION_MAX])
{
	static const char lead[] = "python-";
	struct cda_dir dir;
	const char *name;
	int found = -1, fd = open(CDA_PREFIX "/conda-meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	cda_dir_init(&dir, fd);
	while (found != 0 && (name = cda_dir_next(&dir)) != NULL) {
		const char *version = name + sizeof(lead) - 1;
		size_t len;

		if (strncmp(name, lead, sizeof(lead) - 1) != 0 || *version < '0' || *version > '9')
			continue;
		len = strcspn(version, "-");
		found = cda_span_copy((struct cda_span){version, len}, ret, VERSION_MAX);
	}
	close(fd);
	return found;
}

static bool stamp_equal(const char *stamp, const struct cda_text *want)
{
	struct cda_text have = {.data = stamp_data, .cap = sizeof(stamp_data)};
	int fd = open(stamp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool equal;

	if (fd < 0)
		return false;
	equal = cda_file_read(fd, &have) == 0 && have.len == want->len &&
		memcmp(have.data, want->data, want->len) == 0;
	close(fd);
	return equal;
}

static void stamp_write(const char *name, const struct cda_text *want)
{
	const struct stat like = {.st_mode = 0660, .st_uid = getuid(), .st_gid = getgid()};
	int rc, fd;

	mkdir(CDA_STAMPS, 0770);
	fd = open(CDA_STAMPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? -errno : cda_file_replace(fd, name, want, &like);
	if (rc < 0)
		cda_say("cannot note in '%s' that the list is installed: %s", CDA_STAMPS,
			strerror(-rc));
	if (fd >= 0)
		close(fd);
}

static bool is_transient(const char *text)
{
	static const char *const words[] = {"Temporary failure",
					    "Could not resolve",
					    "timed out",
					    "Connection re",
					    "NewConnectionError",
					    "could not connect",
					    "Failed to connect",
					    "Connection aborted",
					    "ProtocolError",
					    "HTTP error 5",
					    "HTTP 5",
					    "temporary failure",
					    "IncompleteRead",
					    "CONNECTION FAILED",
					    "Download error"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(text, words[i]) != NULL)
			return true;
	}
	return false;
}

/* The environment of every run of conda and pip: the one place where it is made. */
static char *const *environment(void)
{
	return environ;
}

static int run(const char *const *argv, bool silent)
{
	const struct cda_run spec = {.argv = argv,
				     .envp = environment(),
				     .cwd = access(CDA_WORK, X_OK) == 0 ? CDA_WORK : NULL,
				     .quiet_input = true,
				     .no_output = silent,
				     .tail = tail,
				     .tail_cap = sizeof(tail)};
	int status = 0;

	for (int try = 1; try <= TRIES && cda_reap_stopped() == 0; try++) {
		status = cda_reap_run(&spec);
		if (status == 0 || cda_reap_stopped() != 0 || try == TRIES || !is_transient(tail))
			break;
		cda_say("trying again in %d s", 1 << try);
		cda_reap_pause(1000 << try);
	}
	return cda_reap_stopped() != 0 ? 128 + cda_reap_stopped() : status;
}

/* The number of the first line whose package the tail names, else 0. */
static int blamed(const struct cda_text *list, struct cda_span *ret)
{
	struct cda_span rest = {list->data, list->len}, line;

	for (int number = 1; cda_span_line(&rest, &line); number++) {
		char name[CDA_PKG_MAX];
		size_t len = 0;

		while (line.len > 0 && strchr(" \t", line.p[0]) != NULL) {
			line.p++;
			line.len--;
		}
		while (len < line.len && strchr(" \t\r#;[<>=!~@", line.p[len]) == NULL)
			len++;
		if (len == 0 ||
		    cda_span_copy((struct cda_span){line.p, len}, name, sizeof(name)) != 0)
			continue;
		if (strstr(tail, name) == NULL)
			continue;
		*ret = (struct cda_span){line.p, len};
		return number;
	}
	return 0;
}

/* "error: ..." of pip and of our conda, "SomeError: ..." of the conda that is written in Python. */
static bool is_error(const char *line)
{
	static const char name[] = "Error:";
	size_t word = strcspn(line, " "), len = sizeof(name) - 1;

	return strncasecmp(line, "error", 5) == 0 ||
	       (word >= len && memcmp(line + word - len, name, len) == 0);
}

/* The last line of the tail that calls itself an error, else the last one. Cuts up the tail. */
static const char *cause(void)
{
	const char *found = NULL, *last = NULL;
	char *line = tail;

	while (*line != '\0') {
		size_t len = strcspn(line, "\r\n");
		char *next = line + len + (line[len] != '\0');

		line[len] = '\0';
		line += strspn(line, " ");
		if (is_error(line))
			found = line;
		if (*line != '\0')
			last = line;
		line = next;
	}
	return found != NULL ? found : last != NULL ? last : "no word from it";
}

static int install(const char *what, const char *stamp, const char *path, const char *const *argv,
		   const char *const *clean, const char *version)
{
	struct cda_text list, want = {.data = want_data, .cap = sizeof(want_data)};
	char stamp_path[64];
	struct cda_span name;
	int status, line;
	int rc = read_list(path, &list);

	if (rc < 0) {
		cda_say("cannot read '%s': %s", path, strerror(-rc));
		return 1;
	}
	if (!cda_list_says_something((struct cda_span){list.data, list.len}))
		return 0;
	cda_text_add_str(&want, version);
	cda_text_add_str(&want, "\n");
	cda_text_add(&want, list.data, list.len);
	cda_put(stamp_path, sizeof(stamp_path), "%s/%s", CDA_STAMPS, stamp);
	if (stamp_equal(stamp_path, &want))
		return 0;
	cda_say("installing '%s' with %s", path, what);
	status = run(argv, false);
	if (status == 0) {
		if (clean != NULL)
			(void)run(clean, true);
		stamp_write(stamp, &want);
		return 0;
	}
	if (cda_reap_stopped() != 0)
		return status;
	line = blamed(&list, &name);
	if (line > 0)
		cda_say("'%s' line %d: %s does not install '%.*s': %s", path, line, what,
			(int)name.len, name.p, cause());
	else
		cda_say("'%s': %s ended with %d: %s", path, what, status, cause());
	return status;
}

int cda_stage_conda(const char *path)
{
	char version[VERSION_MAX], pin[VERSION_MAX + 16];
	const char *argv[] = {
		CDA_PREFIX "/bin/conda", "install", "-y", "-q", "--file", path, pin, NULL};
	static const char *const clean[] = {CDA_PREFIX "/bin/conda", "clean", "-yaf", NULL};

	/* The list may ask for anything but another Python. */
	if (python_version(version) != 0) {
		version[0] = '\0';
		argv[6] = NULL;
	} else {
		cda_put(pin, sizeof(pin), "python==%s", version);
	}
	return install("conda", "conda.list", path, argv, clean, version);
}

int cda_stage_pip(const char *path)
{
	char version[VERSION_MAX];
	const char *argv[] = {CDA_PREFIX "/bin/python",
			      "-m",
			      "pip",
			      "install",
			      "-q",
			      "--no-cache-dir",
			      "--no-input",
			      "--disable-pip-version-check",
			      "--upgrade",
			      "-r",
			      path,
			      NULL};

	if (python_version(version) != 0)
		version[0] = '\0';
	return install("pip", "pip.list", path, argv, NULL, version);
}
