#include "shell/state.h"

#include "util/fs.h"
#include "util/json.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_STATE = 4 << 20 };

/* What a shell takes for a variable: other names could smuggle in commands. */
static bool is_name(const char *s)
{
	if (!cda_is_alpha(*s) && *s != '_')
		return false;
	while (cda_is_alnum(*s) || *s == '_')
		s++;
	return *s == '\0';
}

static char *value_text(yyjson_val *val)
{
	if (yyjson_is_str(val))
		return cda_strdup(yyjson_get_str(val));
	if (yyjson_is_bool(val))
		return cda_strdup(yyjson_get_bool(val) ? "True" : "False");
	if (yyjson_is_int(val))
		return cda_asprintf("%lld", (long long)yyjson_get_sint(val));
	if (yyjson_is_real(val))
		return cda_asprintf("%.17g", yyjson_get_real(val));
	return NULL;
}

static void take_vars(yyjson_val *obj, bool tell_doubles, struct cda_assigns *vars,
		      struct cda_strv *warnings)
{
	size_t i, n;
	yyjson_val *key, *val;

	yyjson_obj_foreach (obj, i, n, key, val) {
		const char *name = yyjson_get_str(key);
		char *value = value_text(val);
		bool known = false;

		if (!value || !is_name(name)) {
			cda_strv_pushf(warnings, "the variable '%s' of the environment is left out",
				       name);
			free(value);
			continue;
		}
		cda_vec_each (it, vars) {
			if (strcmp(it->name, name) != 0)
				continue;
			known = true;
			cda_replace(&it->value, value);
			if (tell_doubles)
				cda_strv_pushf(warnings,
					       "the variable '%s' of a package is replaced by that "
					       "of the environment",
					       name);
		}
		if (!known)
			cda_assigns_push(vars, (struct cda_assign){cda_strdup(name), value});
	}
}

static int read_vars(const char *path, const char *member, struct cda_assigns *vars,
		     struct cda_strv *warnings, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err mine = {0};
	yyjson_val *root;

	if (cda_json_read(AT_FDCWD, path, MAX_STATE, &doc, &mine) < 0) {
		if (mine.sys == ENOENT || mine.sys == ENOTDIR) {
			cda_err_done(&mine);
			return 0;
		}
		cda_err_move(err, &mine);
		return -(int)err->code;
	}
	root = yyjson_doc_get_root(doc);
	take_vars(member ? yyjson_obj_get(root, member) : root, member != NULL, vars, warnings);
	return 0;
}

int cda_state_vars(const char *prefix, struct cda_assigns *ret, struct cda_strv *warnings,
		   struct cda_err *err)
{
	CDA_AUTOFREE char *dir = cda_path_join(prefix, "etc/conda/env_vars.d");
	CDA_AUTOFREE char *state = cda_path_join(prefix, "conda-meta/state");
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err absent = {0};

	if (cda_fs_list(AT_FDCWD, dir, &names, &absent) < 0)
		cda_err_done(&absent);
	for (size_t i = 0; i < names.n; i++) {
		CDA_AUTOFREE char *path = cda_path_join(dir, names.v[i]);
		int rc = 0;

		if (cda_fs_is_file(AT_FDCWD, path))
			rc = read_vars(path, NULL, ret, warnings, err);
		if (rc < 0)
			return rc;
	}
	return read_vars(state, "env_vars", ret, warnings, err);
}

void cda_state_vars_done(struct cda_assigns *vars)
{
	cda_vec_each (it, vars) {
		free(it->name);
		free(it->value);
	}
	cda_assigns_done(vars);
}

void cda_state_scripts(const char *prefix, const char *dir, const char *ext, bool reverse,
		       struct cda_strv *ret)
{
	CDA_AUTOFREE char *path = cda_asprintf("%s/etc/conda/%s", prefix, dir);
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err absent = {0};

	if (cda_fs_list(AT_FDCWD, path, &names, &absent) < 0)
		cda_err_done(&absent);
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.v[reverse ? names.n - 1 - i : i];

		if (cda_ends_with(name, ext))
			cda_strv_take(ret, cda_path_join(path, name));
	}
}
