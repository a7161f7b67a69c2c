#include "shell/dialect.h"

#include "util/json.h"

#include "shell/texts.h"

enum quoting { QUOTE_POSIX, QUOTE_CSH, QUOTE_FISH, QUOTE_XONSH, QUOTE_POWERSHELL };

struct cda_dialect {
	const char *name, *ext;
	enum quoting quoting;
	/* Each wants one or two texts that are quoted already. */
	const char *export_line, *unset_line, *script_line;
	const char *set_line;  /* of the prompt; NULL: the shell makes its prompt itself */
	const char *functions; /* text with @ROOT@, @EXE@ and @PYTHON@ */
	bool json;
};

static const struct cda_dialect posix = {.name = "posix",
					 .ext = ".sh",
					 .quoting = QUOTE_POSIX,
					 .export_line = "export %s=%s\n",
					 .unset_line = "unset %s\n",
					 .script_line = ". %s\n",
					 .set_line = "%s=%s\n",
					 .functions = text_sh};
static const struct cda_dialect csh = {.name = "csh",
				       .ext = ".csh",
				       .quoting = QUOTE_CSH,
				       .export_line = "setenv %s %s;\n",
				       .unset_line = "unsetenv %s;\n",
				       .script_line = "source %s;\n",
				       .set_line = "set %s=%s;\n",
				       .functions = text_csh};
static const struct cda_dialect fish = {.name = "fish",
					.ext = ".fish",
					.quoting = QUOTE_FISH,
					.export_line = "set -gx %s %s;\n",
					.unset_line = "set -e %s;\n",
					.script_line = "source %s;\n",
					.functions = text_fish};
static const struct cda_dialect xonsh = {.name = "xonsh",
					 .ext = ".sh",
					 .quoting = QUOTE_XONSH,
					 .export_line = "$%s = %s\n",
					 .unset_line = "del $%s\n",
					 .script_line = "source-bash --suppress-skip-message %s\n",
					 .functions = text_xsh};
static const struct cda_dialect powershell = {.name = "powershell",
					      .ext = ".ps1",
					      .quoting = QUOTE_POWERSHELL,
					      .export_line = "$Env:%s = %s\n",
					      .unset_line = "$Env:%s = \"\"\n",
					      .script_line = ". %s\n",
					      .functions = text_ps1};

#define JSON_OF(base, key)                                                                         \
	{                                                                                          \
		.name = key, .ext = base, .json = true                                             \
	}
static const struct cda_dialect json_posix = JSON_OF(".sh", "posix+json");
static const struct cda_dialect json_csh = JSON_OF(".csh", "csh+json");
static const struct cda_dialect json_fish = JSON_OF(".fish", "fish+json");
static const struct cda_dialect json_xonsh = JSON_OF(".sh", "xonsh+json");
static const struct cda_dialect json_powershell = JSON_OF(".ps1", "powershell+json");

static const struct {
	const char *name;
	const struct cda_dialect *dialect, *json;
} known[] = {
	{"posix", &posix, &json_posix},
	{"ash", &posix, &json_posix},
	{"bash", &posix, &json_posix},
	{"dash", &posix, &json_posix},
	{"sh", &posix, &json_posix},
	{"zsh", &posix, &json_posix},
	{"csh", &csh, &json_csh},
	{"tcsh", &csh, &json_csh},
	{"fish", &fish, &json_fish},
	{"xonsh", &xonsh, &json_xonsh},
	{"powershell", &powershell, &json_powershell},
	{"json", &json_posix, &json_posix},
};

const char *const cda_dialect_names[] = {"posix",      "ash",  "bash", "dash", "sh",
					 "zsh",        "csh",  "tcsh", "fish", "xonsh",
					 "powershell", "json", NULL};

const struct cda_dialect *cda_dialect_find(const char *name)
{
	const char *plus = strchr(name, '+');
	struct cda_str base = {name, plus ? (size_t)(plus - name) : strlen(name)};

	if (plus && strcmp(plus, "+json") != 0)
		return NULL;
	for (size_t i = 0; i < CDA_LEN(known); i++)
		if (cda_str_eq(base, cda_str(known[i].name)))
			return plus ? known[i].json : known[i].dialect;
	return NULL;
}

static void add_escaped(const char *s, const char *special, const char *before, struct cda_buf *out)
{
	for (; *s; s++) {
		if (strchr(special, *s))
			cda_buf_adds(out, before);
		cda_buf_addc(out, *s);
	}
}

/* Text for between the dialect's quotes, which no value can leave. */
static void add_inner(enum quoting quoting, const char *s, struct cda_buf *out)
{
	switch (quoting) {
	case QUOTE_POSIX:
		for (; *s; s++)
			cda_buf_adds(out, *s == '\'' ? "'\"'\"'" : (char[]){*s, '\0'});
		break;
	case QUOTE_CSH: /* no escape inside "…" for these: out of the quotes and in again */
		for (; *s; s++) {
			if (strchr("\"$`", *s))
				cda_buf_addf(out, "\"'%c'\"", *s);
			else if (*s == '!')
				cda_buf_adds(out, "\\!");
			else
				cda_buf_addc(out, *s);
		}
		break;
	case QUOTE_FISH:
		add_escaped(s, "\"\\$", "\\", out);
		break;
	case QUOTE_XONSH:
		add_escaped(s, "'\\", "\\", out);
		break;
	case QUOTE_POWERSHELL:
		add_escaped(s, "\"`", "`", out);
		break;
	}
}

static char *quoted(enum quoting quoting, const char *s)
{
	const char *mark = quoting == QUOTE_POSIX || quoting == QUOTE_XONSH ? "'" : "\"";
	struct cda_buf out = CDA_BUF_INIT;

	cda_buf_adds(&out, mark);
	add_inner(quoting, s, &out);
	cda_buf_adds(&out, mark);
	return cda_buf_take(&out);
}

/* A script's name in double quotes, as conda writes it, where that is safe. */
static char *quoted_script(enum quoting quoting, const char *path)
{
	if (strpbrk(path, "\"$`\\!'"))
		return quoted(quoting, path);
	return cda_asprintf("\"%s\"", path);
}

/* fmt comes from the table above: one %s for the name, one for the quoted value. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_two(const char *fmt, const char *name, const char *value, struct cda_buf *out)
{
	cda_buf_addf(out, fmt, name, value);
}

static void add_one(const char *fmt, const char *text, struct cda_buf *out)
{
	cda_buf_addf(out, fmt, text);
}
#pragma GCC diagnostic pop

static void add_path(const struct cda_dialect *dialect, const char *path, struct cda_buf *out)
{
	CDA_AUTOFREE char *one = NULL;
	CDA_AUTOSTRV struct cda_strv parts = {0}, list = {0};

	if (dialect->quoting != QUOTE_FISH) {
		one = quoted(dialect->quoting, path);
	} else {
		cda_strv_split(&parts, path, ":");
		for (size_t i = 0; i < parts.n; i++)
			cda_strv_take(&list, quoted(QUOTE_FISH, parts.v[i]));
		one = cda_strv_join(&list, " ");
	}
	add_two(dialect->export_line, "PATH", one, out);
}

static void add_scripts(const struct cda_dialect *dialect, const struct cda_strv *scripts,
			struct cda_buf *out)
{
	for (size_t i = 0; i < scripts->n; i++) {
		CDA_AUTOFREE char *text = quoted_script(dialect->quoting, scripts->v[i]);
		add_one(dialect->script_line, text, out);
	}
}

static void add_set(const struct cda_dialect *dialect, const struct cda_assign *it,
		    struct cda_buf *out)
{
	/* A prompt of csh is in single quotes, so that its own signs stay. */
	CDA_AUTOFREE char *text =
		quoted(dialect->quoting == QUOTE_CSH ? QUOTE_POSIX : dialect->quoting, it->value);

	add_two(dialect->set_line, it->name, text, out);
}

static yyjson_mut_val *strv_json(yyjson_mut_doc *doc, const struct cda_strv *list)
{
	yyjson_mut_val *arr = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->n; i++)
		yyjson_mut_arr_add_strcpy(doc, arr, list->v[i]);
	return arr;
}

static yyjson_mut_val *assigns_json(yyjson_mut_doc *doc, const struct cda_assigns *list)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	cda_vec_each (it, list) {
		int64_t level;
		bool number = strcmp(it->name, "CONDA_SHLVL") == 0 &&
			      cda_parse_int(it->value, 0, 1000001, &level);

		yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, it->name),
				   number ? yyjson_mut_sint(doc, level)
					  : yyjson_mut_strcpy(doc, it->value));
	}
	return obj;
}

static void format_json(const struct cda_activation *activation, struct cda_buf *out)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *path = yyjson_mut_obj(doc);
	yyjson_mut_val *vars = yyjson_mut_obj(doc), *scripts = yyjson_mut_obj(doc);
	CDA_AUTOSTRV struct cda_strv dirs = {0};

	if (activation->path) {
		cda_strv_split(&dirs, activation->path, ":");
		yyjson_mut_obj_add_val(doc, path, "PATH", strv_json(doc, &dirs));
	}
	yyjson_mut_obj_add_val(doc, vars, "export", assigns_json(doc, &activation->exports));
	yyjson_mut_obj_add_val(doc, vars, "unset", strv_json(doc, &activation->unsets));
	yyjson_mut_obj_add_val(doc, vars, "set", assigns_json(doc, &activation->sets));
	yyjson_mut_obj_add_val(doc, scripts, "activate",
			       strv_json(doc, &activation->activate_scripts));
	yyjson_mut_obj_add_val(doc, scripts, "deactivate",
			       strv_json(doc, &activation->deactivate_scripts));
	yyjson_mut_obj_add_val(doc, root, "path", path);
	yyjson_mut_obj_add_val(doc, root, "vars", vars);
	yyjson_mut_obj_add_val(doc, root, "scripts", scripts);
	cda_json_format(root, 2, false, out);
}

void cda_dialect_format(const struct cda_dialect *dialect, const struct cda_activation *activation,
			struct cda_buf *out)
{
	if (dialect->json) {
		format_json(activation, out);
		return;
	}
	if (activation->path && activation->path_first)
		add_path(dialect, activation->path, out);
	add_scripts(dialect, &activation->deactivate_scripts, out);
	for (size_t i = 0; i < activation->unsets.n; i++)
		add_one(dialect->unset_line, activation->unsets.v[i], out);
	if (dialect->set_line)
		cda_vec_each (it, &activation->sets)
			add_set(dialect, it, out);
	if (activation->path && !activation->path_first)
		add_path(dialect, activation->path, out);
	cda_vec_each (it, &activation->exports) {
		CDA_AUTOFREE char *text = quoted(dialect->quoting, it->value);
		add_two(dialect->export_line, it->name, text, out);
	}
	add_scripts(dialect, &activation->activate_scripts, out);
}

void cda_dialect_functions(const struct cda_dialect *dialect, const struct cda_shell_opts *opts,
			   struct cda_buf *out)
{
	CDA_AUTOFREE char *exe = cda_asprintf("%s/bin/conda", opts->root_prefix);
	CDA_AUTOFREE char *python = cda_asprintf("%s/bin/python", opts->root_prefix);
	const struct {
		const char *mark, *value;
	} marks[] = {{"@ROOT@", opts->root_prefix},
		     {"@EXE@", opts->conda_exe ? opts->conda_exe : exe},
		     {"@PYTHON@", opts->python_exe ? opts->python_exe : python}};

	for (const char *at = dialect->functions ? dialect->functions : ""; *at;) {
		size_t i = 0;

		while (i < CDA_LEN(marks) && !cda_starts_with(at, marks[i].mark))
			i++;
		if (i < CDA_LEN(marks)) {
			add_inner(dialect->quoting, marks[i].value, out);
			at += strlen(marks[i].mark);
		} else {
			cda_buf_addc(out, *at++);
		}
	}
}

static bool is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

struct words {
	bool stack, no_stack;
	struct cda_strv rest;
};

static int read_words(const struct cda_strv *args, struct words *ret, struct cda_err *err)
{
	const char *command = args->v[0];

	for (size_t i = 1; i < args->n; i++) {
		const char *word = args->v[i];

		if (is_help(word))
			return cda_err_set(err, CDA_E_VALUE,
					   "usage: conda activate [--[no-]stack] [NAME|PATH], "
					   "conda deactivate, conda reactivate");
		if (strcmp(word, "--stack") == 0 && strcmp(command, "activate") == 0)
			ret->stack = true;
		else if (strcmp(word, "--no-stack") == 0 && strcmp(command, "activate") == 0)
			ret->no_stack = true;
		else if (*word && strcmp(word, command) != 0 && strcmp(word, "--dev") != 0)
			cda_strv_push(&ret->rest, word);
	}
	if (ret->stack && ret->no_stack)
		return cda_err_set(err, CDA_E_USAGE, "--stack and --no-stack exclude each other");
	if (strcmp(command, "activate") != 0 && ret->rest.n > 0)
		return cda_err_set(err, CDA_E_USAGE, "'%s' takes no arguments, not '%s'", command,
				   ret->rest.v[0]);
	if (ret->rest.n > 1)
		return cda_err_set(err, CDA_E_USAGE,
				   "'activate' takes one environment, not '%s' and '%s'",
				   ret->rest.v[0], ret->rest.v[1]);
	return 0;
}

static bool stacks_by_itself(const struct cda_shell_opts *opts)
{
	const char *text = NULL;
	int64_t level = 0;

	for (size_t i = 0; opts->env && i < opts->env->n; i++)
		if (cda_starts_with(opts->env->v[i], "CONDA_SHLVL="))
			text = opts->env->v[i] + strlen("CONDA_SHLVL=");
	if (text && !cda_parse_int(text, 0, 1000000, &level))
		return false;
	return opts->auto_stack > 0 && level <= opts->auto_stack;
}

static const char commands_text[] = "activate\nclean\nconfig\ncreate\ndeactivate\nenv\nexport\n"
				    "info\ninit\ninstall\nlist\nremove\nrename\nrun\nsearch\n"
				    "uninstall\nupdate\nupgrade\n";

static int hook(const struct cda_shell_opts *opts, const struct cda_dialect *dialect,
		struct cda_buf *out, struct cda_err *err)
{
	if (!dialect->functions)
		return cda_err_set(err, CDA_E_VALUE, "'%s' has no hook", dialect->name);
	cda_dialect_functions(dialect, opts, out);
	if (opts->auto_activate_base)
		cda_buf_adds(out, "\nconda activate base\n");
	return 0;
}

int cda_shell_command(const struct cda_shell_opts *opts, const char *shell,
		      const struct cda_strv *args, struct cda_buf *out, struct cda_strv *warnings,
		      struct cda_err *err)
{
	static const char *const commands[] = {"activate", "deactivate", "reactivate",
					       "hook",     "commands",   NULL};
	const struct cda_dialect *dialect = cda_dialect_find(shell);
	CDA_AUTOACTIVATION struct cda_activation activation = {0};
	struct words words = {0};
	size_t which = 0;
	int rc;

	if (!dialect)
		return cda_err_set(err, CDA_E_VALUE, "'%s' is not a supported shell", shell);
	while (args->n > 0 && commands[which] && strcmp(commands[which], args->v[0]) != 0)
		which++;
	if (args->n == 0 || !commands[which])
		return cda_err_set(err, CDA_E_USAGE,
				   "'activate', 'deactivate', 'reactivate', 'hook' or 'commands' "
				   "must be given, not '%s'",
				   args->n > 0 ? args->v[0] : "");
	rc = read_words(args, &words, err);
	if (rc == 0 && which == 0)
		rc = cda_activate(opts, words.rest.n > 0 ? words.rest.v[0] : NULL,
				  words.stack || (!words.no_stack && stacks_by_itself(opts)),
				  dialect->ext, &activation, err);
	else if (rc == 0 && which == 1)
		rc = cda_deactivate(opts, dialect->ext, &activation, err);
	else if (rc == 0 && which == 2)
		rc = cda_reactivate(opts, dialect->ext, &activation, err);
	else if (rc == 0 && which == 3)
		rc = hook(opts, dialect, out, err);
	else if (rc == 0)
		cda_buf_adds(out, commands_text);
	cda_strv_done(&words.rest);
	if (rc < 0)
		return rc;
	if (which < 3)
		cda_dialect_format(dialect, &activation, out);
	cda_strv_append(warnings, &activation.warnings);
	return 0;
}
