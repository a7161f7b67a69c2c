#include "shell/activate.h"

#include "shell/state.h"
#include "util/fs.h"

#include <stdlib.h>

static const char unset_mark[] = "***unset***"; /* in conda-meta/state: no value */

struct switching {
	const struct cda_shell_opts *opts;
	const char *ext;
	struct cda_activation *to;
	const char *old_prefix; /* borrowed from the environment, or NULL */
	int64_t level;          /* CONDA_SHLVL */
};

static const char *env_get(const struct cda_shell_opts *opts, const char *name)
{
	return cda_env_get(opts->env, name);
}

static void assign(struct cda_assigns *list, const char *name, const char *value)
{
	cda_vec_each (it, list)
		if (strcmp(it->name, name) == 0) {
			cda_replace(&it->value, cda_strdup(value));
			return;
		}
	cda_assigns_push(list, (struct cda_assign){cda_strdup(name), cda_strdup(value)});
}

static void export_level(struct switching *s, int64_t level)
{
	CDA_AUTOFREE char *text = cda_asprintf("%lld", (long long)level);

	assign(&s->to->exports, "CONDA_SHLVL", text);
}

static void export_programs(struct switching *s)
{
	CDA_AUTOFREE char *exe = cda_path_join(s->opts->root_prefix, "bin/conda");
	CDA_AUTOFREE char *python = cda_path_join(s->opts->root_prefix, "bin/python");

	assign(&s->to->exports, "CONDA_EXE", s->opts->conda_exe ? s->opts->conda_exe : exe);
	assign(&s->to->exports, "_CE_M", "");
	assign(&s->to->exports, "_CE_CONDA", "");
	assign(&s->to->exports, "CONDA_PYTHON_EXE",
	       s->opts->python_exe ? s->opts->python_exe : python);
}

/* Text of a path without doubled slashes and dots, relative ones stay so; "" is ".". */
static char *normal(const char *path)
{
	CDA_AUTOFREE char *whole = NULL;

	if (*path == '/')
		return cda_path_normal(path, "/", NULL);
	whole = cda_path_normal(path, "/", NULL);
	/* `..` at the start of a relative path is rare and must not be lost */
	if (cda_starts_with(path, ".."))
		return cda_strdup(path);
	return cda_strdup(whole[1] ? whole + 1 : ".");
}

static void path_list(const struct cda_shell_opts *opts, struct cda_strv *ret)
{
	const char *path = env_get(opts, "PATH");
	const char *at = path ? path : "/usr/bin:/bin";

	for (;;) {
		size_t len = strcspn(at, ":");
		CDA_AUTOFREE char *piece = cda_strndup(at, len);

		cda_strv_take(ret, normal(piece));
		if (at[len] == '\0')
			return;
		at += len + 1;
	}
}

/* PATH with the new prefix where the old one was; NULL: none. */
static char *replaced_path(const struct cda_shell_opts *opts, const char *old, const char *new)
{
	CDA_AUTOSTRV struct cda_strv list = {0};
	CDA_AUTOFREE char *old_bin = old ? cda_path_join(old, "bin") : NULL;
	CDA_AUTOFREE char *new_bin = new ? cda_path_join(new, "bin") : NULL;
	size_t at = 0;

	path_list(opts, &list);
	for (size_t i = 0; old_bin && i < list.n; i++)
		if (strcmp(list.v[i], old_bin) == 0) {
			cda_strv_remove(&list, i);
			at = i;
			break;
		}
	if (new_bin)
		cda_strv_insert(&list, at, new_bin);
	return cda_strv_join(&list, ":");
}

static char *added_path(const struct switching *s, const char *prefix)
{
	CDA_AUTOSTRV struct cda_strv list = {0};
	CDA_AUTOFREE char *bin = cda_path_join(prefix, "bin");
	CDA_AUTOFREE char *condabin = cda_path_join(s->opts->root_prefix, "condabin");
	bool has = s->level > 0;

	path_list(s->opts, &list);
	for (size_t i = 0; i < list.n; i++)
		has = has || cda_ends_with(list.v[i], "condabin");
	if (!has)
		cda_strv_insert(&list, 0, condabin);
	cda_strv_insert(&list, 0, bin);
	return cda_strv_join(&list, ":");
}

static char *default_env(const struct cda_shell_opts *opts, const char *prefix)
{
	CDA_AUTOFREE char *dir = NULL;

	if (strcmp(prefix, opts->root_prefix) == 0)
		return cda_strdup("base");
	dir = cda_path_dirname(prefix);
	return cda_strdup(strcmp(cda_path_basename(dir), "envs") == 0 ? cda_path_basename(prefix)
								      : prefix);
}

enum step { STEP_ACTIVATE, STEP_STACK, STEP_DEACTIVATE, STEP_REACTIVATE };

/* "b,a": the environments whose programs are on PATH after the step, the top first. */
static char *stacked_names(const struct switching *s, enum step step, const char *name)
{
	CDA_AUTOSTRV struct cda_strv stack = {0}, all = {0}, turned = {0};
	bool stacked = false;

	for (int64_t i = 1; i <= s->level && i <= 1000; i++) {
		CDA_AUTOFREE char *prefix_var = cda_asprintf("CONDA_PREFIX_%lld", (long long)i);
		CDA_AUTOFREE char *stacked_var = cda_asprintf("CONDA_STACKED_%lld", (long long)i);
		const char *prefix = env_get(s->opts, i == s->level ? "CONDA_PREFIX" : prefix_var);
		const char *flag = env_get(s->opts, stacked_var);

		stacked = flag && *flag;
		if (!stacked && stack.n > 0)
			cda_strv_remove(&stack, stack.n - 1);
		cda_strv_take(&all, default_env(s->opts, prefix ? prefix : ""));
		cda_strv_push(&stack, all.v[all.n - 1]);
	}
	if (step == STEP_DEACTIVATE) {
		if (stack.n > 0)
			cda_strv_remove(&stack, stack.n - 1);
		if (!stacked && all.n > 1)
			cda_strv_push(&stack, all.v[all.n - 2]);
	} else if (step != STEP_REACTIVATE) {
		if (step == STEP_ACTIVATE && stack.n > 0)
			cda_strv_remove(&stack, stack.n - 1);
		cda_strv_push(&stack, name);
	}
	for (size_t i = stack.n; i-- > 0;)
		cda_strv_push(&turned, stack.v[i]);
	return cda_strv_join(&turned, ",");
}

/* env_prompt filled in; names in braces that are not known stay as they are. */
static char *prompt_modifier(const struct switching *s, enum step step, const char *prefix,
			     const char *name)
{
	CDA_AUTOFREE char *stacked = stacked_names(s, step, name);
	const char *at = s->opts->env_prompt ? s->opts->env_prompt : "({default_env}) ";
	const struct {
		const char *key, *value;
	} keys[] = {{"{default_env}", name},
		    {"{stacked_env}", stacked},
		    {"{prefix}", prefix},
		    {"{name}", cda_path_basename(prefix)},
		    {"{{", "{"},
		    {"}}", "}"}};
	struct cda_buf out = CDA_BUF_INIT;

	while (s->opts->changeps1 && *at) {
		size_t k = 0;

		while (k < CDA_LEN(keys) && !cda_starts_with(at, keys[k].key))
			k++;
		if (k < CDA_LEN(keys)) {
			cda_buf_adds(&out, keys[k].value);
			at += strlen(keys[k].key);
		} else {
			cda_buf_addc(&out, *at++);
		}
	}
	return cda_buf_take(&out);
}

/* The prompt of the shell with the old modifier out and the new one in front. */
static void set_prompt(struct switching *s, const char *variable, const char *modifier)
{
	const char *prompt = env_get(s->opts, variable);
	const char *old = env_get(s->opts, "CONDA_PROMPT_MODIFIER");
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (!s->opts->changeps1 || (prompt && strstr(prompt, "POWERLINE_COMMAND")))
		return;
	cda_buf_adds(&out, modifier);
	for (const char *at = prompt ? prompt : ""; *at;) {
		if (old && *old && cda_starts_with(at, old))
			at += strlen(old);
		else
			cda_buf_addc(&out, *at++);
	}
	assign(&s->to->sets, variable, out.p);
}

static void set_prompts(struct switching *s, const char *modifier)
{
	if (strcmp(s->ext, ".csh") == 0)
		set_prompt(s, "prompt", modifier);
	else if (strcmp(s->ext, ".sh") == 0)
		set_prompt(s, "PS1", modifier);
}

static int begin(struct switching *s, struct cda_err *err)
{
	const char *level = env_get(s->opts, "CONDA_SHLVL");
	CDA_AUTOFREE char *text = level ? cda_str_dup(cda_str_trim(cda_str(level))) : NULL;

	s->old_prefix = env_get(s->opts, "CONDA_PREFIX");
	if (s->old_prefix && !*s->old_prefix)
		s->old_prefix = NULL;
	if (text && *text && !cda_parse_int(text, -1, 1000000, &s->level)) {
		cda_err_set(err, CDA_E_VALUE, "the variable CONDA_SHLVL is '%s', not a number",
			    level);
		return cda_err_hint(err, "unset it, or open a new shell");
	}
	return 0;
}

static void add_vars(struct switching *s, const struct cda_assigns *vars)
{
	cda_vec_each (it, vars)
		if (strcmp(it->value, unset_mark) != 0)
			assign(&s->to->exports, it->name, it->value);
}

/* Variables of the environment that the shell has with other values are kept for later. */
static void save_clobbered(struct switching *s, const struct cda_assigns *vars)
{
	cda_vec_each (it, vars) {
		const char *mine = env_get(s->opts, it->name);
		CDA_AUTOFREE char *saved = NULL;

		if (!mine || strcmp(mine, it->value) == 0)
			continue;
		saved = cda_asprintf("__CONDA_SHLVL_%lld_%s", (long long)s->level, it->name);
		assign(&s->to->exports, saved, mine);
		if (strcmp(it->value, unset_mark) == 0)
			cda_strv_push(&s->to->unsets, it->name);
		cda_strv_pushf(&s->to->warnings,
			       "the environment replaces the value of the variable '%s'", it->name);
	}
}

static int reactivate(struct switching *s, struct cda_err *err)
{
	CDA_CLEANUP(cda_state_vars_done) struct cda_assigns vars = {0};
	CDA_AUTOFREE char *name = NULL;
	CDA_AUTOFREE char *modifier = NULL;
	const char *named = env_get(s->opts, "CONDA_DEFAULT_ENV");
	int rc;

	if (!s->old_prefix || s->level < 1)
		return 0;
	rc = cda_state_vars(s->old_prefix, &vars, &s->to->warnings, err);
	if (rc < 0)
		return rc;
	name = named ? cda_strdup(named) : default_env(s->opts, s->old_prefix);
	modifier = prompt_modifier(s, STEP_REACTIVATE, s->old_prefix, name);
	set_prompts(s, modifier);
	s->to->path = replaced_path(s->opts, s->old_prefix, s->old_prefix);
	export_level(s, s->level);
	assign(&s->to->exports, "CONDA_PROMPT_MODIFIER", modifier);
	cda_vec_each (it, &vars)
		if (strcmp(it->value, unset_mark) == 0)
			cda_strv_push(&s->to->unsets, it->name);
	add_vars(s, &vars);
	cda_state_scripts(s->old_prefix, "deactivate.d", s->ext, true, &s->to->deactivate_scripts);
	cda_state_scripts(s->old_prefix, "activate.d", s->ext, false, &s->to->activate_scripts);
	return 0;
}

static int activate(struct switching *s, const char *prefix, bool stack, struct cda_err *err)
{
	CDA_CLEANUP(cda_state_vars_done) struct cda_assigns vars = {0};
	CDA_AUTOFREE char *name = default_env(s->opts, prefix);
	CDA_AUTOFREE char *modifier = NULL;
	CDA_AUTOFREE char *variable = NULL;
	int64_t level = s->level;
	int rc;

	if (level > 0 && s->old_prefix && strcmp(s->old_prefix, prefix) == 0)
		return reactivate(s, err);
	if (level > 0 && !s->old_prefix) {
		cda_err_set(err, CDA_E_VALUE,
			    "the variable CONDA_SHLVL is %lld, but CONDA_PREFIX is not set",
			    (long long)level);
		return cda_err_hint(err, "unset it, or open a new shell");
	}
	rc = cda_state_vars(prefix, &vars, &s->to->warnings, err);
	if (rc < 0)
		return rc;
	modifier = prompt_modifier(s, stack ? STEP_STACK : STEP_ACTIVATE, prefix, name);
	set_prompts(s, modifier);
	s->to->path = level < 1 || stack ? added_path(s, prefix)
					 : replaced_path(s->opts, s->old_prefix, prefix);
	assign(&s->to->exports, "CONDA_PREFIX", prefix);
	export_level(s, level + 1);
	assign(&s->to->exports, "CONDA_DEFAULT_ENV", name);
	assign(&s->to->exports, "CONDA_PROMPT_MODIFIER", modifier);
	add_vars(s, &vars);
	save_clobbered(s, &vars);
	if (level > 0) {
		variable = cda_asprintf("CONDA_PREFIX_%lld", (long long)level);
		assign(&s->to->exports, variable, s->old_prefix);
	}
	if (level > 0 && stack) {
		cda_replace(&variable, cda_asprintf("CONDA_STACKED_%lld", (long long)level + 1));
		assign(&s->to->exports, variable, "true");
	} else if (level > 0) {
		cda_state_scripts(s->old_prefix, "deactivate.d", s->ext, true,
				  &s->to->deactivate_scripts);
	}
	export_programs(s);
	cda_state_scripts(prefix, "activate.d", s->ext, false, &s->to->activate_scripts);
	return 0;
}

/* The environment below, which becomes the active one. */
static int step_down(struct switching *s, char **ret_modifier, struct cda_err *err)
{
	CDA_CLEANUP(cda_state_vars_done) struct cda_assigns vars = {0};
	CDA_AUTOFREE char *below = cda_asprintf("CONDA_PREFIX_%lld", (long long)s->level - 1);
	CDA_AUTOFREE char *flag = cda_asprintf("CONDA_STACKED_%lld", (long long)s->level);
	CDA_AUTOFREE char *name = NULL;
	const char *prefix = env_get(s->opts, below);
	bool stacked = env_get(s->opts, flag) != NULL;
	int rc;

	if (!prefix || !*prefix) {
		cda_err_set(err, CDA_E_VALUE, "the variable CONDA_SHLVL is %lld, but %s is not set",
			    (long long)s->level, below);
		return cda_err_hint(err, "unset it, or open a new shell");
	}
	rc = cda_state_vars(prefix, &vars, &s->to->warnings, err);
	if (rc < 0)
		return rc;
	name = default_env(s->opts, prefix);
	*ret_modifier = prompt_modifier(s, STEP_DEACTIVATE, prefix, name);
	s->to->path = replaced_path(s->opts, s->old_prefix, stacked ? NULL : prefix);
	cda_strv_push(&s->to->unsets, below);
	if (stacked)
		cda_strv_push(&s->to->unsets, flag);
	assign(&s->to->exports, "CONDA_PREFIX", prefix);
	export_level(s, s->level - 1);
	assign(&s->to->exports, "CONDA_DEFAULT_ENV", name);
	assign(&s->to->exports, "CONDA_PROMPT_MODIFIER", *ret_modifier);
	add_vars(s, &vars);
	cda_state_scripts(prefix, "activate.d", s->ext, false, &s->to->activate_scripts);
	return 0;
}

static int deactivate(struct switching *s, struct cda_err *err)
{
	CDA_CLEANUP(cda_state_vars_done) struct cda_assigns vars = {0};
	CDA_AUTOFREE char *modifier = NULL;
	int rc;

	if (!s->old_prefix || s->level < 1)
		return 0;
	rc = cda_state_vars(s->old_prefix, &vars, &s->to->warnings, err);
	if (rc < 0)
		return rc;
	s->to->path_first = true;
	cda_state_scripts(s->old_prefix, "deactivate.d", s->ext, true, &s->to->deactivate_scripts);
	if (s->level == 1) {
		s->to->path = replaced_path(s->opts, s->old_prefix, NULL);
		cda_strv_push(&s->to->unsets, "CONDA_PREFIX");
		cda_strv_push(&s->to->unsets, "CONDA_DEFAULT_ENV");
		cda_strv_push(&s->to->unsets, "CONDA_PROMPT_MODIFIER");
		export_level(s, 0);
	} else {
		rc = step_down(s, &modifier, err);
		if (rc < 0)
			return rc;
	}
	set_prompts(s, modifier ? modifier : "");
	export_programs(s);
	cda_vec_each (it, &vars) {
		CDA_AUTOFREE char *saved =
			cda_asprintf("__CONDA_SHLVL_%lld_%s", (long long)s->level - 1, it->name);
		const char *value = env_get(s->opts, saved);

		cda_strv_push(&s->to->unsets, it->name);
		if (value)
			assign(&s->to->exports, it->name, value);
	}
	return 0;
}

int cda_shell_locate(const struct cda_shell_opts *opts, const char *target, char **ret_prefix,
		     struct cda_err *err)
{
	const char *cwd = opts->cwd ? opts->cwd : "/";

	if (!target || !*target || strcmp(target, "base") == 0 || strcmp(target, "root") == 0) {
		*ret_prefix = cda_strdup(opts->root_prefix);
		return 0;
	}
	if (strchr(target, '/')) {
		CDA_AUTOFREE char *prefix = cda_path_normal(target, cwd, env_get(opts, "HOME"));
		CDA_AUTOFREE char *meta = cda_path_join(prefix, "conda-meta");

		if (!cda_fs_is_dir(AT_FDCWD, meta))
			return cda_err_set(err, CDA_E_NOENV, "Not a conda environment: %s", prefix);
		*ret_prefix = cda_take_ptr(prefix);
		return 0;
	}
	for (size_t i = 0; i <= (opts->envs_dirs ? opts->envs_dirs->n : 0); i++) {
		bool last = !opts->envs_dirs || i == opts->envs_dirs->n;
		CDA_AUTOFREE char *joined =
			cda_path_join(last ? cwd : opts->envs_dirs->v[i], target);
		CDA_AUTOFREE char *prefix = cda_path_normal(joined, cwd, NULL);

		if (cda_fs_is_dir(AT_FDCWD, prefix)) {
			*ret_prefix = cda_take_ptr(prefix);
			return 0;
		}
	}
	cda_err_set(err, CDA_E_NOENVNAME, "Could not find conda environment: %s", target);
	return cda_err_hint(err, "conda env list shows the environments there are");
}

int cda_activate(const struct cda_shell_opts *opts, const char *target, bool stack,
		 const char *script_ext, struct cda_activation *ret, struct cda_err *err)
{
	struct switching s = {.opts = opts, .ext = script_ext, .to = ret};
	CDA_AUTOFREE char *prefix = NULL;
	int rc = cda_shell_locate(opts, target, &prefix, err);

	if (rc == 0)
		rc = begin(&s, err);
	return rc < 0 ? rc : activate(&s, prefix, stack, err);
}

int cda_deactivate(const struct cda_shell_opts *opts, const char *script_ext,
		   struct cda_activation *ret, struct cda_err *err)
{
	struct switching s = {.opts = opts, .ext = script_ext, .to = ret};
	int rc = begin(&s, err);

	return rc < 0 ? rc : deactivate(&s, err);
}

int cda_reactivate(const struct cda_shell_opts *opts, const char *script_ext,
		   struct cda_activation *ret, struct cda_err *err)
{
	struct switching s = {.opts = opts, .ext = script_ext, .to = ret};
	int rc = begin(&s, err);

	return rc < 0 ? rc : reactivate(&s, err);
}

void cda_activation_done(struct cda_activation *activation)
{
	free(activation->path);
	cda_state_vars_done(&activation->exports);
	cda_state_vars_done(&activation->sets);
	cda_strv_done(&activation->unsets);
	cda_strv_done(&activation->deactivate_scripts);
	cda_strv_done(&activation->activate_scripts);
	cda_strv_done(&activation->warnings);
	*activation = (struct cda_activation){0};
}

void cda_activation_apply(const struct cda_activation *activation, struct cda_strv *env)
{
	for (size_t i = 0; i < activation->unsets.n; i++)
		cda_env_set(env, activation->unsets.v[i], NULL);
	if (activation->path)
		cda_env_set(env, "PATH", activation->path);
	cda_vec_each (it, &activation->exports)
		cda_env_set(env, it->name, it->value);
}
