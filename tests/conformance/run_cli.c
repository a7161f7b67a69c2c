/* run_cli.c - command vectors: conda's exit status, its JSON, its listings, the name of its error,
 * the files and the requests that it leaves. What it says in sentences is not compared. */
#include "run_cli.h"

#include "prefix/history.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

static const struct {
	const char *id, *why;
} left_out[] = {
	{"http-cache-files", "it is no command"},
};

/* Members of JSON that are prose, or that tell of Python, of a version, of the machine or (reason)
 * of the server. */
static const char *const ignored_members[] = {
	"message",        "error",          "caused_by",        "hint",
	"reason",         "default_python", "response_details", "elapsed_time",
	"date",           "conda_version",  "python_version",   "requests_version",
	"sys.executable", "sys.prefix",     "sys.version",      "user_agent",
	"virtual_pkgs",   "conda_location", "env_vars",         "conda_env_version",
};

/* Lines of listings that say how it went, or that tell of Python. */
static const char *const chat[] = {"Loading channels", "No match found", "Searching environments",
				   "default_python"};

static bool is_ignored(const char *key)
{
	for (size_t i = 0; i < CDA_LEN(ignored_members); i++)
		if (strcmp(ignored_members[i], key) == 0)
			return true;
	return geteuid() != 0 && (strcmp(key, "UID") == 0 || strcmp(key, "GID") == 0);
}

struct vector { /* one of them, while it is compared */
	struct world *world;
	yyjson_val *val;
	struct cda_strv words, varying;
	struct cda_buf *diff;
};

static bool varies(const struct vector *vector, const char *path)
{
	for (size_t i = 0; i < vector->varying.n; i++)
		if (cda_starts_with(vector->varying.v[i], path))
			return true;
	return false;
}

static void say(const struct vector *vector, const char *path, yyjson_val *got, yyjson_val *want)
{
	char *a = got ? yyjson_val_write(got, 0, NULL) : NULL;
	char *b = want ? yyjson_val_write(want, 0, NULL) : NULL;

	cda_buf_addf(vector->diff, "%s: %s, not %s\n", path, a ? a : "absent", b ? b : "absent");
	free(a);
	free(b);
}

static void compare(const struct vector *vector, const char *path, yyjson_val *got,
		    yyjson_val *want);

/* Never NULL: gcc does not know that each key is a text. */
static const char *name_of(yyjson_val *key)
{
	const char *name = yyjson_get_str(key);

	return name ? name : "";
}

static void compare_objects(const struct vector *vector, const char *path, yyjson_val *got,
			    yyjson_val *want)
{
	yyjson_val *key, *val;
	size_t i, n;

	yyjson_obj_foreach (want, i, n, key, val) {
		const char *name = name_of(key);
		CDA_AUTOFREE char *at = cda_asprintf("%s/%s", path, name);

		if (!is_ignored(name))
			compare(vector, at, yyjson_obj_get(got, name), val);
	}
	yyjson_obj_foreach (got, i, n, key, val) {
		const char *name = name_of(key);
		CDA_AUTOFREE char *at = cda_asprintf("%s/%s", path, name);

		if (!is_ignored(name) && !yyjson_obj_get(want, name))
			say(vector, at, val, NULL);
	}
}

/* The chains of a conflict: conda gives them in the order of its sets. */
static void compare_chains(const struct vector *vector, const char *path, yyjson_val *got,
			   yyjson_val *want)
{
	bool any = varies(vector, path);
	yyjson_val *a, *b;
	size_t i, n, k, m;

	if (!yyjson_is_arr(got) || yyjson_arr_size(got) == 0 ||
	    (!any && yyjson_arr_size(got) != yyjson_arr_size(want))) {
		say(vector, path, got, want);
		return;
	}
	yyjson_arr_foreach (got, i, n, a) {
		bool found = any && yyjson_is_str(yyjson_arr_get_first(a));

		yyjson_arr_foreach (want, k, m, b)
			found = found || yyjson_equals(a, b);
		if (!found)
			say(vector, path, a, want);
	}
}

static void compare(const struct vector *vector, const char *path, yyjson_val *got,
		    yyjson_val *want)
{
	if (cda_ends_with(path, "/unsatisfiable")) {
		compare_chains(vector, path, got, want);
	} else if (yyjson_is_obj(want) && yyjson_is_obj(got)) {
		compare_objects(vector, path, got, want);
	} else if (yyjson_is_arr(want) && yyjson_is_arr(got) &&
		   yyjson_arr_size(want) == yyjson_arr_size(got)) {
		for (size_t i = 0; i < yyjson_arr_size(want); i++) {
			CDA_AUTOFREE char *at = cda_asprintf("%s/%zu", path, i);

			compare(vector, at, yyjson_arr_get(got, i), yyjson_arr_get(want, i));
		}
	} else if (yyjson_is_num(want) && yyjson_is_num(got)) {
		if (yyjson_get_num(want) != yyjson_get_num(got))
			say(vector, path, got, want);
	} else if (!yyjson_equals(got, want)) {
		say(vector, path, got, want);
	}
}

static void check_json(const struct vector *vector, const char *path, const char *text,
		       yyjson_val *want)
{
	char *written = yyjson_val_write(want, 0, NULL);
	CDA_AUTOFREE char *real = world_real(vector->world, written);
	CDA_AUTOJSON yyjson_doc *expected = yyjson_read(real, strlen(real), 0);
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};

	free(written);
	if (cda_json_parse(text, strlen(text), path, &doc, &err) < 0) {
		cda_buf_addf(vector->diff, "%s\n", err.msg);
		cda_err_done(&err);
		return;
	}
	compare(vector, path, yyjson_doc_get_root(doc), yyjson_doc_get_root(expected));
}

/* "NAME" of the first line that begins with "NAME:" (a class name); owned, or NULL. */
static char *error_name(const char *text)
{
	const char *at = text + strspn(text, " \n");
	size_t len;

	if (!*at)
		return NULL;

	if (cda_starts_with(at, "conda: "))
		at += strlen("conda: ");
	for (len = 0; cda_is_alpha(at[len]); len++)
		;
	if (at[len] != ':' || !(at[0] >= 'A' && at[0] <= 'Z') || len < 4)
		return error_name(at + strcspn(at, "\n"));
	return cda_strndup(at, len);
}

static void check_error(const struct vector *vector, const char *errout)
{
	const char *text = cda_json_str(vector->val, "stderr");
	CDA_AUTOFREE char *want = error_name(text ? text : "");
	CDA_AUTOFREE char *got = error_name(errout);

	if (want && !cda_streq(want, got))
		cda_buf_addf(vector->diff, "error %s, not %s\n", got ? got : "without a name",
			     want);
}

/* Lines with single blanks, without the empty ones and the chat, times as <TIME>. */
static char *lines_of(const char *text)
{
	struct cda_buf out = CDA_BUF_INIT;
	struct cda_str rest = cda_str(text), line;

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *one = cda_str_dup(line);
		struct cda_str words = line, word;
		bool skip = false, first = true;

		for (size_t i = 0; i < CDA_LEN(chat); i++)
			skip = skip || cda_starts_with(one, chat[i]);
		while (!skip && cda_str_cut(&words, " \t\r", &word)) {
			if (word.len == 0)
				continue;
			if (first && word.len == 10 && word.p[4] == '-' && word.p[7] == '-' &&
			    cda_is_digit(word.p[0])) {
				cda_str_cut(&words, " ", &word);
				word = CDA_STR("<TIME>");
			}
			if (!first)
				cda_buf_addc(&out, ' ');
			cda_buf_add(&out, word.p, word.len);
			first = false;
		}
		if (!first)
			cda_buf_addc(&out, '\n');
	}
	return cda_buf_take(&out);
}

static bool has_word(const struct vector *vector, const char *word)
{
	for (size_t i = 0; i < vector->words.n; i++)
		if (strcmp(vector->words.v[i], word) == 0)
			return true;
	return false;
}

/* Commands whose standard output is the answer itself. */
static bool is_listing(const struct vector *vector)
{
	static const struct {
		const char *cmd, *with; /* one of these words; NULL: always */
	} rows[] = {
		{"list", NULL},
		{"search", NULL},
		{"export", NULL},
		{"env", "list"},
		{"env", "export"},
		{"info", "--envs"},
		{"info", "--base"},
		{"info", "--unsafe-channels"},
		{"config", "--show"},
		{"config", "--get"},
		{"config", "--show-sources"},
	};

	for (size_t i = 0; vector->words.n > 0 && i < CDA_LEN(rows); i++)
		if (strcmp(vector->words.v[0], rows[i].cmd) == 0 &&
		    (!rows[i].with || has_word(vector, rows[i].with)))
			return true;
	return false;
}

static void check_listing(const struct vector *vector, const char *out)
{
	const char *text = cda_json_str(vector->val, "stdout");
	CDA_AUTOFREE char *real = world_real(vector->world, text ? text : "");
	CDA_AUTOFREE char *want = lines_of(real), *got = lines_of(out);

	if (strcmp(want, got) != 0)
		cda_buf_addf(vector->diff, "it lists\n%snot\n%s", got, want);
}

static void add_sorted(struct cda_buf *out, const char *what, const struct cda_strv *list)
{
	CDA_AUTOSTRV struct cda_strv sorted = {0};

	cda_strv_append(&sorted, list);
	cda_strv_sort(&sorted);
	for (size_t i = 0; i < sorted.n; i++)
		cda_buf_addf(out, "%s %s\n", what, sorted.v[i]);
}

static char *describe_history(const char *text)
{
	CDA_AUTOHISTORY struct cda_history history = {0};
	struct cda_buf out = CDA_BUF_INIT;

	cda_history_parse(text, strlen(text), &history);
	for (size_t i = 0; i < history.entries.n; i++) {
		const struct cda_history_entry *entry = &history.entries.v[i];

		cda_buf_adds(&out, "entry\n");
		add_sorted(&out, "dist", &entry->diff);
		add_sorted(&out, "update", &entry->update_specs);
		add_sorted(&out, "remove", &entry->remove_specs);
	}
	return cda_buf_take(&out);
}

static void check_file(const struct vector *vector, const char *name, const char *want)
{
	CDA_AUTOFREE char *path = cda_path_join(vector->world->home, name);
	CDA_AUTOBUF struct cda_buf got = CDA_BUF_INIT;
	CDA_AUTOFREE char *real = want ? world_real(vector->world, want) : NULL;
	struct cda_err err = {0};

	if (cda_fs_read(AT_FDCWD, path, 1 << 20, &got, &err) < 0) {
		if (want)
			cda_buf_addf(vector->diff, "%s\n", err.msg);
		cda_err_done(&err);
	} else if (!want) {
		cda_buf_addf(vector->diff, "%s: is there\n", name);
	} else if (cda_ends_with(name, "/history")) {
		CDA_AUTOFREE char *a = describe_history(got.p), *b = describe_history(real);

		if (strcmp(a, b) != 0)
			cda_buf_addf(vector->diff, "%s:\n%snot\n%s", name, a, b);
	} else if (cda_ends_with(name, "/state")) {
		CDA_AUTOJSON yyjson_doc *doc = yyjson_read(real, strlen(real), 0);

		check_json(vector, name, got.p, yyjson_doc_get_root(doc));
	} else if (strcmp(got.p, real) != 0) {
		cda_buf_addf(vector->diff, "%s: '%s', not '%s'\n", name, got.p, real);
	}
}

/* Requests for packages: which index files are asked for is a matter of the program. */
static bool is_of_package(const char *path)
{
	return cda_ends_with(path, ".conda") || cda_ends_with(path, ".tar.bz2");
}

static void check_requests(const struct vector *vector, yyjson_val *want)
{
	CDA_AUTOFREE char *log = world_requests(vector->world), *a = NULL, *b = NULL;
	CDA_AUTOSTRV struct cda_strv got = {0}, wanted = {0};
	struct cda_str rest = cda_str(log), line, word;
	yyjson_val *request;
	size_t i, n;

	yyjson_arr_foreach (want, i, n, request) {
		const char *path = yyjson_get_str(yyjson_arr_get_last(request));

		if (path && is_of_package(path))
			cda_strv_push(&wanted, path);
	}
	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *path = NULL;

		cda_str_cut(&line, " ", &word);
		cda_str_cut(&line, " ", &word);
		path = cda_str_dup(word);
		/* Where conda asked for nothing, nothing is to be asked for. */
		if (is_of_package(path) || yyjson_arr_size(want) == 0)
			cda_strv_push(&got, path);
	}
	cda_strv_sort(&got);
	cda_strv_sort(&wanted);
	a = cda_strv_join(&got, " ");
	b = cda_strv_join(&wanted, " ");
	if (strcmp(a, b) != 0)
		cda_buf_addf(vector->diff, "it requested '%s', not '%s'\n", a, b);
}

static void run_vector(struct vector *vector)
{
	yyjson_val *json = yyjson_obj_get(vector->val, "json");
	yyjson_val *files = yyjson_obj_get(vector->val, "files_after"), *key, *val;
	yyjson_val *requests = yyjson_obj_get(vector->val, "http_requests");
	bool crash = cda_json_bool(vector->val, "crash", false);
	int want = (int)cda_json_int(vector->val, "rc", 0);
	struct outcome outcome;
	size_t i, n;

	world_run(vector->world, &vector->words, yyjson_obj_get(vector->val, "extra_env"),
		  (int)cda_json_int(vector->val, "uid", 0), &outcome);
	if (outcome.status != want)
		cda_buf_addf(vector->diff, "status %d, not %d\n", outcome.status, want);
	if (json)
		check_json(vector, "/json", outcome.out.p, json);
	else if (!crash)
		check_error(vector, outcome.errout.p);
	if (!json && want == 0 && is_listing(vector))
		check_listing(vector, outcome.out.p);
	if (files) {
		yyjson_obj_foreach (files, i, n, key, val)
			check_file(vector, yyjson_get_str(key), yyjson_get_str(val));
	}
	if (requests)
		check_requests(vector, requests);
	if (vector->diff->len > 0)
		cda_buf_addf(vector->diff, "it said: %.2000s%.2000s", outcome.out.p,
			     outcome.errout.p);
	outcome_done(&outcome);
}

static const char *why_left_out(const char *id, int uid)
{
	for (size_t i = 0; i < CDA_LEN(left_out); i++)
		if (strcmp(left_out[i].id, id) == 0)
			return left_out[i].why;
	return uid > 0 && geteuid() != 0 ? "only root can become another user" : NULL;
}

int run_cli(yyjson_val *root, struct tally *tally)
{
	struct world world;
	yyjson_val *val;
	mode_t mask = umask(022);
	size_t i, n;

	if (world_open(tally, &world) != 0)
		return -1;
	yyjson_arr_foreach (yyjson_obj_get(root, "commands"), i, n, val) {
		const char *id = cda_json_str(val, "id");
		const char *why = why_left_out(id ? id : "", (int)cda_json_int(val, "uid", 0));
		CDA_AUTOBUF struct cda_buf diff = CDA_BUF_INIT;
		struct vector vector = {.world = &world, .val = val, .diff = &diff};

		if (!id || why) {
			printf("%s: left out: %s\n", id ? id : "?", why ? why : "it has no id");
			continue;
		}
		cda_json_strv(val, "args", &vector.words);
		cda_json_strv(val, "varies_with_hash_seed", &vector.varying);
		world_prepare(&world, id);
		run_vector(&vector);
		tally_check(tally, diff.len == 0, "%s: %s", id, diff.p);
		cda_strv_done(&vector.words);
		cda_strv_done(&vector.varying);
	}
	world_close(&world);
	umask(mask);
	return 0;
}
