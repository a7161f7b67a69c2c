/* run_layout.c - layout vectors: commands of conda on packages made for it, then the tree, the
 * records and the history that they leave. The program is the built conda. */
#include "run.h"
#include "run_tree.h"

#include "prefix/history.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/url.h"

#include <string.h>

/* Scenarios in which this conda means to do otherwise. */
static const struct {
	const char *id, *why;
} left_out[] = {
	{"explicit-bad-md5",
	 "conda takes a package of its cache whose md5 is another than the one asked for; here "
	 "what is asked for is verified"},
	{"disallowed", "conda makes conda-meta before it refuses; here nothing is made"},
};

static const char *why_left_out(const char *id)
{
	for (size_t i = 0; i < CDA_LEN(left_out); i++)
		if (strcmp(left_out[i].id, id) == 0)
			return left_out[i].why;
	return NULL;
}

/* The prefix is as long as the one of the vectors, since the length shows in the files. */
static int layout_open(const struct tally *tally, const char *id, struct layout *layout)
{
	CDA_AUTOFREE char *folder = realpath(tally->folder, NULL), *channel = NULL;
	struct cda_err err = {0};

	*layout = (struct layout){.tally = tally, .id = id};
	layout->top = cda_strdup("/tmp/conformance-XXXXXX");
	if (!mkdtemp(layout->top) ||
	    cda_fs_tempdir("/tmp", "conformance", &layout->side, &err) < 0) {
		printf("no scratch folder: %s\n", err.msg ? err.msg : layout->top);
		cda_err_done(&err);
		return -1;
	}
	channel = cda_path_join(folder ? folder : ".", "layout/channel");
	layout->channel = cda_url_from_path(channel);
	layout->prefix = cda_path_join(layout->top, id);
	layout->pkgs = cda_path_join(layout->side, "pkgs");
	layout->home = cda_path_join(layout->side, "home");
	layout->root = cda_path_join(layout->side, "root");
	return 0;
}

static void layout_close(struct layout *layout)
{
	struct cda_err err = {0};
	char *const folders[] = {layout->top, layout->side};

	for (size_t i = 0; i < CDA_LEN(folders); i++)
		if (folders[i] && cda_fs_remove(AT_FDCWD, folders[i], &err) < 0)
			cda_err_done(&err);
	free(layout->top);
	free(layout->side);
	free(layout->channel);
	free(layout->prefix);
	free(layout->pkgs);
	free(layout->home);
	free(layout->root);
}

static int layout_setup(const struct layout *layout, const char *condarc_extra)
{
	CDA_AUTOFREE char *condarc = cda_path_join(layout->home, ".condarc");
	CDA_AUTOFREE char *history = cda_path_join(layout->root, "conda-meta/history");
	CDA_AUTOFREE char *text = cda_asprintf("channels:\n  - %s\ndefault_channels: []\n%s",
					       layout->channel, condarc_extra ? condarc_extra : "");
	struct cda_err err = {0};

	if (cda_fs_mkparents(AT_FDCWD, condarc, 0777, &err) >= 0 &&
	    cda_fs_mkparents(AT_FDCWD, history, 0777, &err) >= 0 &&
	    cda_fs_replace(AT_FDCWD, condarc, text, strlen(text), 0666, false, &err) >= 0 &&
	    cda_fs_replace(AT_FDCWD, history, "", 0, 0666, false, &err) >= 0)
		return 0;
	printf("%s\n", err.msg);
	cda_err_done(&err);
	return -1;
}

/* Beside the runner, or what CONDA names. */
static char *conda_program(void)
{
	const char *given = getenv("CONDA");
	CDA_AUTOFREE char *self = cda_fs_readlink(AT_FDCWD, "/proc/self/exe");
	CDA_AUTOFREE char *dir = self ? cda_path_dirname(self) : NULL, *path = NULL;

	if (given && *given)
		return cda_strdup(given);
	path = cda_asprintf("%s/../../conda", dir ? dir : ".");
	return realpath(path, NULL);
}

static int run_command(const struct layout *layout, yyjson_val *command, struct cda_buf *out)
{
	CDA_AUTOFREE char *program = conda_program();
	CDA_AUTOSTRV struct cda_strv argv = {0}, env = {0};
	struct cda_proc proc = {.cwd = layout->home, .out = out, .errout = out};
	struct cda_err err = {0};
	yyjson_val *word;
	size_t i, n;
	int status = -1;

	cda_strv_push(&argv, program ? program : "conda");
	yyjson_arr_foreach (command, i, n, word) {
		if (i > 0)
			cda_strv_take(&argv, layout_real(layout, yyjson_get_str(word)));
	}
	cda_strv_push(&env, "PATH=/usr/bin:/bin");
	cda_strv_pushf(&env, "HOME=%s", layout->home);
	cda_strv_pushf(&env, "CONDA_ROOT_PREFIX=%s", layout->root);
	cda_strv_pushf(&env, "CONDA_PKGS_DIRS=%s", layout->pkgs);
	cda_strv_pushf(&env, "CONDA_ENVS_PATH=%s/envs", layout->home);
	/* The vectors were made on that platform. */
	cda_strv_push(&env, "CONDA_SUBDIR=linux-64");
	proc.argv = (const char *const *)cda_strv_argv(&argv);
	proc.env = (const char *const *)cda_strv_argv(&env);
	if (cda_proc_run(&proc, &status, &err) < 0) {
		cda_buf_adds(out, err.msg);
		cda_err_done(&err);
	}
	return status;
}

static void list_sorted(struct cda_buf *out, const char *what, const struct cda_strv *list)
{
	CDA_AUTOSTRV struct cda_strv sorted = {0};

	cda_strv_append(&sorted, list);
	cda_strv_sort(&sorted);
	for (size_t i = 0; i < sorted.n; i++)
		cda_buf_addf(out, "%s %s\n", what, sorted.v[i]);
}

/* What counts of a history: commands without the program, changes, and specs in any order. */
static void describe_history(const char *text, struct cda_buf *out)
{
	CDA_AUTOHISTORY struct cda_history history = {0};

	cda_history_parse(text, strlen(text), &history);
	for (size_t i = 0; i < history.entries.n; i++) {
		const struct cda_history_entry *entry = &history.entries.v[i];
		const char *words = entry->cmd ? strchr(entry->cmd, ' ') : NULL;

		cda_buf_addf(out, "cmd%s\n", words ? words : "");
		cda_buf_adds(out, entry->conda_version ? "" : "no version\n");
		list_sorted(out, "dist", &entry->diff);
		list_sorted(out, "update", &entry->update_specs);
		list_sorted(out, "remove", &entry->remove_specs);
		list_sorted(out, "neutered", &entry->neutered_specs);
	}
}

static void check_history(const struct layout *layout, const char *want, struct cda_buf *diff)
{
	CDA_AUTOFREE char *path = cda_path_join(layout->prefix, "conda-meta/history");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, got = CDA_BUF_INIT, wanted = CDA_BUF_INIT;
	CDA_AUTOFREE char *general = NULL;
	struct cda_err err = {0};

	if (cda_fs_read(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		cda_err_done(&err);
	general = layout_general(layout, text.p);
	describe_history(general, &got);
	describe_history(want, &wanted);
	if (strcmp(got.p, wanted.p) != 0)
		cda_buf_addf(diff, "history:\n%swant:\n%s", got.p, wanted.p);
}

static void run_step(struct layout *layout, size_t at, yyjson_val *step, struct cda_buf *diff)
{
	yyjson_val *tree = yyjson_obj_get(step, "tree");
	const char *history = cda_json_str(step, "history");
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	size_t before = diff->len;
	int want = (int)cda_json_int(step, "rc", 0);
	int status = run_command(layout, yyjson_obj_get(step, "command"), &out);

	if ((status != 0) != (want != 0))
		cda_buf_addf(diff, "status %d, not %d\n", status, want);
	if (yyjson_is_null(tree) && cda_fs_exists(AT_FDCWD, layout->prefix))
		cda_buf_adds(diff, "the prefix is still there\n");
	if (yyjson_is_arr(tree))
		layout_check_tree(layout, tree, diff);
	if (yyjson_obj_get(step, "conda_meta"))
		layout_check_records(layout, yyjson_obj_get(step, "conda_meta"), diff);
	if (history)
		check_history(layout, history, diff);
	if (diff->len > before)
		cda_buf_addf(diff, "(step %zu) it printed:\n%s", at, out.p);
}

int run_layout(yyjson_val *root, struct tally *tally)
{
	yyjson_val *scenario;
	mode_t mask = umask(022);
	size_t i, n;

	yyjson_arr_foreach (yyjson_obj_get(root, "scenarios"), i, n, scenario) {
		yyjson_val *steps = yyjson_obj_get(scenario, "steps"), *step;
		const char *id = cda_json_str(scenario, "id");
		CDA_AUTOBUF struct cda_buf diff = CDA_BUF_INIT;
		struct layout layout = {0};
		size_t k, count;

		if (!id || why_left_out(id)) {
			printf("%s: left out: %s\n", id ? id : "?", id ? why_left_out(id) : "");
			continue;
		}
		if (layout_open(tally, id, &layout) != 0 ||
		    layout_setup(&layout, cda_json_str(scenario, "condarc_extra")) != 0)
			return -1;
		yyjson_arr_foreach (steps, k, count, step)
			run_step(&layout, k, step, &diff);
		tally_check(tally, diff.len == 0, "%s: %s", id, diff.p);
		layout_close(&layout);
	}
	umask(mask);
	return 0;
}
