/* run_activation.c - activation vectors: `conda shell.NAME …` under a given environment,
 * in-process, and scripts that source the shell functions and call the built conda. */
#include "run.h"

#include "config/settings.h"
#include "shell/dialect.h"
#include "shell/init.h"
#include "util/fs.h"
#include "util/proc.h"

#include <string.h>

/* Vectors in which this conda means to do otherwise. */
static const struct {
	const char *id, *why;
} left_out[] = {
	{"activate-path-quo-te", "conda lets a single quote of a path end the quotes of its text; "
				 "here it stays in them"},
	{"bash-run", "conda activates base below the environment of 'run' and ends its output "
		     "with one more line; here neither"},
};

struct places {
	struct tally *tally;
	char *top, *root, *home;
};

static const char channel[] = "file:///somewhere/channel";

static char *replaced(const char *text, const char *mark, const char *value)
{
	struct cda_buf out = CDA_BUF_INIT;

	while (*text) {
		if (cda_starts_with(text, mark)) {
			cda_buf_adds(&out, value);
			text += strlen(mark);
		} else {
			cda_buf_addc(&out, *text++);
		}
	}
	return cda_buf_take(&out);
}

/* Owned: the text with our places in it. */
static char *real_text(const struct places *at, const char *text)
{
	CDA_AUTOFREE char *root = replaced(text ? text : "", "<ROOT>", at->root);
	CDA_AUTOFREE char *home = replaced(root, "<HOME>", at->home);

	return replaced(home, "<CHANNEL>", channel);
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, name);
	struct cda_err err = {0};

	if (cda_fs_mkparents(AT_FDCWD, path, 0777, &err) < 0 ||
	    cda_fs_replace(AT_FDCWD, path, text, strlen(text), mode, false, &err) < 0) {
		printf("%s\n", err.msg);
		cda_err_done(&err);
	}
}

/* The files of the package 'act', which two environments have. */
static void put_act(const char *prefix)
{
	put(prefix, "etc/conda/activate.d/act.sh", "export ACT_ON=\"yes:$CONDA_PREFIX\"\n", 0666);
	put(prefix, "etc/conda/activate.d/act.fish", "set -gx ACT_ON \"yes:$CONDA_PREFIX\"\n",
	    0666);
	put(prefix, "etc/conda/deactivate.d/act.sh", "unset ACT_ON\n", 0666);
	put(prefix, "etc/conda/env_vars.d/act.json",
	    "{\"ACT_VAR\": \"from package\", \"ACT_B\": \"2\"}\n", 0666);
}

static void put_upgr(const char *prefix)
{
	CDA_AUTOFREE char *record = cda_asprintf(
		"{\"name\": \"upgr\", \"version\": \"2.0\", \"build\": \"0\", \"build_number\": 0, "
		"\"channel\": \"%s\", \"subdir\": \"noarch\", \"fn\": \"upgr-2.0-0.conda\", "
		"\"url\": \"%s/noarch/upgr-2.0-0.conda\", \"depends\": [], \"files\": "
		"[\"bin/upgr\"]}",
		channel, channel);

	put(prefix, "conda-meta/upgr-2.0-0.json", record, 0666);
	put(prefix, "bin/upgr", "#!/bin/sh\necho 2\n", 0777);
}

static void put_states(const struct places *at, yyjson_val *states)
{
	size_t i, n;
	yyjson_val *name, *state;

	yyjson_obj_foreach (states, i, n, name, state) {
		CDA_AUTOFREE char *file =
			cda_asprintf("envs/%s/conda-meta/state", yyjson_get_str(name));
		char *text = yyjson_val_write(state, 0, NULL);

		put(at->root, file, text, 0666);
		free(text);
	}
}

static int build_places(struct places *at, yyjson_val *states)
{
	static const char *const envs[] = {"one", "two", "both", "vars", "quoted"};
	static const char *const projects[] = {"plain", "with space", "quo'te"};
	struct cda_err err = {0};
	char *made = NULL;

	if (cda_fs_tempdir(NULL, "conformance", &made, &err) < 0) {
		printf("no scratch folder: %s\n", err.msg);
		cda_err_done(&err);
		return -1;
	}
	at->top = realpath(made, NULL);
	free(made);
	at->root = cda_path_join(at->top, "root");
	at->home = cda_path_join(at->top, "home");
	put(at->root, "conda-meta/history", "", 0666);
	for (size_t i = 0; i < CDA_LEN(envs); i++) {
		CDA_AUTOFREE char *history = cda_asprintf("envs/%s/conda-meta/history", envs[i]);
		put(at->root, history, "", 0666);
	}
	for (size_t i = 0; i < CDA_LEN(projects); i++) {
		CDA_AUTOFREE char *history =
			cda_asprintf("projects/%s/conda-meta/history", projects[i]);
		put(at->home, history, "", 0666);
	}
	for (size_t i = 0; i < CDA_LEN(envs); i++) {
		CDA_AUTOFREE char *prefix = cda_asprintf("%s/envs/%s", at->root, envs[i]);

		if (strcmp(envs[i], "one") == 0 || strcmp(envs[i], "both") == 0)
			put_act(prefix);
		if (strcmp(envs[i], "two") == 0)
			put_upgr(prefix);
	}
	put_states(at, states);
	return 0;
}

static void remove_places(struct places *at)
{
	struct cda_err err = {0};

	if (cda_fs_remove(AT_FDCWD, at->top, &err) < 0)
		cda_err_done(&err);
	free(at->top);
	free(at->root);
	free(at->home);
}

static int call(const struct places *at, yyjson_val *vector, struct cda_buf *out,
		struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv env = {0}, args = {0}, warnings = {0};
	CDA_CLEANUP(cda_settings_freep) struct cda_settings *settings = NULL;
	struct cda_settings_input input = {
		.env = &env, .root_prefix = at->root, .cwd = at->home, .sysroot = at->top};
	struct cda_shell_opts opts;
	const char *condarc = cda_json_str(vector, "condarc");
	size_t i, n;
	yyjson_val *key, *val;
	int rc;

	put(at->home, ".condarc", condarc ? condarc : "", 0666);
	yyjson_obj_foreach (yyjson_obj_get(vector, "env"), i, n, key, val) {
		CDA_AUTOFREE char *text = real_text(at, yyjson_get_str(val));
		cda_strv_pushf(&env, "%s=%s", yyjson_get_str(key), text);
	}
	yyjson_arr_foreach (yyjson_obj_get(vector, "args"), i, n, val)
		cda_strv_take(&args, real_text(at, yyjson_get_str(val)));
	rc = cda_settings_load(&input, &settings, err);
	if (rc < 0)
		return rc;
	opts = (struct cda_shell_opts){
		.env = &env,
		.root_prefix = at->root,
		.envs_dirs = cda_settings_envs_dirs(settings),
		.cwd = at->home,
		.env_prompt = cda_settings_str(settings, CDA_SET_env_prompt),
		.changeps1 = cda_settings_bool(settings, CDA_SET_changeps1),
		.auto_activate_base = cda_settings_bool(settings, CDA_SET_auto_activate_base),
		.auto_stack = (int)cda_settings_int(settings, CDA_SET_auto_stack, 0)};
	return cda_shell_command(&opts, cda_json_str(vector, "shell"), &args, out, &warnings, err);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && (at[len] == '\n' || at[len] == '\0'))
			return true;
	return false;
}

/* Of a hook's text only the lines are compared that say something of the state. */
static bool hook_fits(const struct places *at, yyjson_val *vector, const char *got)
{
	size_t i, n;
	yyjson_val *line;
	bool fits = true;
	CDA_AUTOFREE char *last = NULL;

	yyjson_arr_foreach (yyjson_obj_get(vector, "stdout_exports"), i, n, line) {
		CDA_AUTOFREE char *want = real_text(at, yyjson_get_str(line));
		fits = fits && has_line(got, want);
	}
	line = yyjson_arr_get_last(yyjson_obj_get(vector, "stdout_last_lines"));
	last = real_text(at, yyjson_get_str(line));
	return fits && (!line || has_line(got, last));
}

/* A hook that is given as a whole text: its assignments, and what it ends with. */
static bool hook_text_fits(const char *got, const char *want)
{
	struct cda_str rest = cda_str(want), line;
	bool fits = true;

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *text = cda_str_dup(line);

		if (cda_starts_with(text, "$Env:") || cda_starts_with(text, "conda activate"))
			fits = fits && has_line(got, text);
	}
	return fits;
}

static bool json_fits(const char *got, const char *want)
{
	CDA_AUTOJSON yyjson_doc *a = yyjson_read(got, strlen(got), 0);
	CDA_AUTOJSON yyjson_doc *b = yyjson_read(want, strlen(want), 0);

	return a && b && yyjson_equals(yyjson_doc_get_root(a), yyjson_doc_get_root(b));
}

/* The order of variables is that of the state file, which the vectors do not tell: lines of the
 * same kind are compared in any order. */
static char *sorted_runs(const char *text)
{
	CDA_AUTOSTRV struct cda_strv run = {0};
	struct cda_buf out = CDA_BUF_INIT;
	struct cda_str rest = cda_str(text), line;
	bool more = true;

	while (more) {
		size_t word;

		more = cda_str_cut(&rest, "\n", &line);
		word = more ? 0 : 1;
		while (more && word < line.len && line.p[word] != ' ' && line.p[word] != ':')
			word++;
		if (run.n > 0 && (!more || line.len == 0 ||
				  strncmp(run.v[0], line.p, line.p[0] == '$' ? 1 : word) != 0)) {
			cda_strv_sort(&run);
			for (size_t i = 0; i < run.n; i++)
				cda_buf_addf(&out, "%s\n", run.v[i]);
			cda_strv_done(&run);
		}
		if (more)
			cda_strv_take(&run, cda_str_dup(line));
	}
	return cda_buf_take(&out);
}

static bool text_fits(const char *got, const char *want)
{
	CDA_AUTOFREE char *a = sorted_runs(got);
	CDA_AUTOFREE char *b = sorted_runs(want);

	return strcmp(a, b) == 0;
}

static bool is_left_out(const char *id)
{
	for (size_t i = 0; i < CDA_LEN(left_out); i++)
		if (cda_streq(left_out[i].id, id)) {
			printf("%s: left out: %s\n", id, left_out[i].why);
			return true;
		}
	return false;
}

static void run_shell_command(const struct places *at, yyjson_val *vector)
{
	const char *id = cda_json_str(vector, "id"), *shell = cda_json_str(vector, "shell");
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOFREE char *want = NULL;
	struct cda_err err = {0};
	int status, rc;
	bool fits;

	if (is_left_out(id))
		return;
	rc = call(at, vector, &out, &err);
	status = rc < 0 ? cda_err_status(err.code) : 0;
	if (rc < 0)
		cda_buf_clear(&out);
	want = real_text(at, cda_json_str(vector, "stdout"));
	if (yyjson_obj_get(vector, "stdout_exports"))
		fits = hook_fits(at, vector, out.p);
	else if (cda_streq(yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(vector, "args"))),
			   "hook"))
		fits = hook_text_fits(out.p, want);
	else if (strstr(shell, "+json"))
		fits = json_fits(out.p, want);
	else
		fits = text_fits(out.p, want);
	tally_check(at->tally, fits && status == cda_json_int(vector, "rc", -1),
		    "%s: status %d, %s\n--- got\n%s--- expected\n%s---", id, status,
		    err.msg ? err.msg : "", out.p, want);
	cda_err_done(&err);
}

/* What CONDA names, or the one beside this program's folder. */
static char *find_program(void)
{
	const char *given = getenv("CONDA");
	CDA_AUTOFREE char *self = cda_fs_readlink(AT_FDCWD, "/proc/self/exe");
	CDA_AUTOFREE char *dir = cda_path_dirname(self ? self : ".");
	CDA_AUTOFREE char *path = cda_asprintf("%s/../../conda", dir);

	return realpath(given && *given ? given : path, NULL);
}

/* The base environment as it is after an installation. */
static int install_base(const struct places *at)
{
	CDA_AUTOFREE char *program = find_program();
	CDA_AUTOFREE char *exe = cda_path_join(at->root, "bin/conda");
	CDA_AUTOFREE char *condarc =
		cda_asprintf("channels:\n  - %s\ndefault_channels: []\n", channel);
	struct cda_shell_opts opts = {.root_prefix = at->root};
	struct cda_init_changes changes = {0};
	struct cda_err err = {0};
	int rc = cda_init_scripts(&opts, 0, &changes, &err);

	cda_init_changes_free_all(&changes);
	put(at->home, ".condarc", condarc, 0666);
	if (rc == 0)
		rc = cda_fs_place(AT_FDCWD, program ? program : "conda", AT_FDCWD, exe,
				  CDA_FS_HARDLINK, NULL, &err);
	if (rc < 0)
		printf("no base environment: %s\n", err.msg);
	cda_err_done(&err);
	return rc;
}

static void run_script(const struct places *at, yyjson_val *vector)
{
	const char *shell = cda_json_str(vector, "shell");
	const char *id = cda_json_str(vector, "id");
	CDA_AUTOFREE char *script = real_text(at, cda_json_str(vector, "script"));
	CDA_AUTOFREE char *want = real_text(at, cda_json_str(vector, "stdout"));
	CDA_AUTOFREE char *home = cda_asprintf("HOME=%s", at->home);
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, errout = CDA_BUF_INIT;
	const char *const argv[] = {shell, "-c", script, NULL};
	const char *const env[] = {home, "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", NULL};
	struct cda_proc proc = {
		.argv = argv, .env = env, .cwd = at->home, .out = &out, .errout = &errout};
	struct cda_err err = {0};
	int status = -1;

	if (is_left_out(id))
		return;
	/* The prompt that sh has by itself tells root from others. */
	if (geteuid() != 0)
		cda_replace(&want, replaced(want, "# ]", "$ ]"));
	if (cda_proc_run(&proc, &status, &err) < 0) {
		cda_buf_adds(&errout, err.msg);
		cda_err_done(&err);
	}
	tally_check(at->tally, status == cda_json_int(vector, "rc", -1) && strcmp(out.p, want) == 0,
		    "%s: status %d\n--- got\n%s--- expected\n%s--- stderr\n%s---", id, status,
		    out.p, want, errout.p);
}

int run_activation(yyjson_val *root, struct tally *tally)
{
	struct places at = {.tally = tally};
	yyjson_val *scripts = yyjson_obj_get(root, "end_to_end"), *vector;
	size_t i, n;

	if (build_places(&at, yyjson_obj_get(yyjson_obj_get(root, "meta"), "state_files")) < 0)
		return -1;
	yyjson_arr_foreach (yyjson_obj_get(root, "shell_commands"), i, n, vector)
		run_shell_command(&at, vector);
	if (yyjson_arr_size(scripts) > 0 && install_base(&at) < 0)
		tally_check(tally, false, "no scripts were run");
	else
		yyjson_arr_foreach (scripts, i, n, vector)
			run_script(&at, vector);
	remove_places(&at);
	return 0;
}
