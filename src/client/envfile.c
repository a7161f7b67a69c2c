#include "client/envfile.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

static const char *const known[] = {"name",      "channels", "dependencies",
				    "variables", "prefix",   "platforms"};

static int wrong(const struct cda_yaml *node, const char *path, const char *key, const char *want,
		 struct cda_err *err)
{
	return cda_err_set(err, CDA_E_VALUE, "%s, line %u: '%s' must be %s, not %s", path,
			   node->line, key, want, cda_yaml_kind_name(node->kind));
}

static int add_list(const struct cda_yaml *node, const char *path, const char *key,
		    struct cda_strv *list, struct cda_err *err)
{
	if (!node || node->kind == CDA_YAML_NULL)
		return 0;
	if (node->kind != CDA_YAML_LIST)
		return wrong(node, path, key, "a list", err);
	cda_vec_each (item, &node->items) {
		if (!cda_yaml_is_scalar(*item) || !(*item)->text)
			return wrong(*item, path, key, "a list of texts", err);
		cda_strv_push(list, (*item)->text);
	}
	return 0;
}

static int add_dependencies(const struct cda_yaml *node, const char *path, struct cda_envfile *ret,
			    struct cda_err *err)
{
	if (!node || node->kind == CDA_YAML_NULL)
		return 0;
	if (node->kind != CDA_YAML_LIST)
		return wrong(node, path, "dependencies", "a list", err);
	cda_vec_each (item, &node->items) {
		const struct cda_yaml *pip;
		int rc;

		if (cda_yaml_is_scalar(*item) && (*item)->text) {
			cda_strv_push(&ret->dependencies, (*item)->text);
			continue;
		}
		pip = (*item)->kind == CDA_YAML_MAP ? cda_yaml_get(*item, "pip") : NULL;
		if (!pip || (*item)->items.n != 1)
			return wrong(*item, path, "dependencies",
				     "a list of specs, with at most a 'pip:' list in it", err);
		ret->has_pip = true;
		rc = add_list(pip, path, "pip", &ret->pip, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool var_name_is_good(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] != '_' && !cda_is_alpha(name[i]) && (i == 0 || !cda_is_digit(name[i])))
			return false;
	}
	return len > 0;
}

static int add_variables(const struct cda_yaml *node, const char *path, struct cda_envfile *ret,
			 struct cda_err *err)
{
	if (!node || node->kind == CDA_YAML_NULL)
		return 0;
	if (node->kind != CDA_YAML_MAP)
		return wrong(node, path, "variables", "a map", err);
	cda_vec_each (item, &node->items) {
		if (!cda_yaml_is_scalar(*item))
			return wrong(*item, path, (*item)->key, "text", err);
		if (!var_name_is_good((*item)->key, strlen((*item)->key)))
			return cda_err_set(err, CDA_E_VALUE,
					   "%s, line %u: '%s' is no variable name", path,
					   (*item)->line, (*item)->key);
		cda_strv_pushf(&ret->variables, "%s=%s", (*item)->key,
			       (*item)->text ? (*item)->text : "");
	}
	return 0;
}

static int add_text(const struct cda_yaml *root, const char *path, const char *key, char **ret,
		    struct cda_err *err)
{
	const struct cda_yaml *node = cda_yaml_get(root, key);

	if (!node || node->kind == CDA_YAML_NULL)
		return 0;
	if (!cda_yaml_is_scalar(node))
		return wrong(node, path, key, "text", err);
	cda_replace(ret, cda_strdup(node->text));
	return 0;
}

int cda_envfile_parse(const char *text, size_t len, const char *path, struct cda_envfile *ret,
		      struct cda_err *err)
{
	CDA_AUTOYAML struct cda_yaml *root = NULL;
	struct cda_envfile file = {0};
	int rc = cda_yaml_parse(text, len, path, &root, err);

	if (rc < 0)
		return rc;
	if (root->kind == CDA_YAML_NULL) {
		cda_err_set(err, CDA_E_SPECFILE, "'%s' is empty", path);
		return cda_err_hint(err, "it needs at least `dependencies:` and a list");
	}
	if (root->kind != CDA_YAML_MAP)
		return wrong(root, path, "the file", "a map", err);
	rc = add_text(root, path, "name", &file.name, err);
	if (rc == 0)
		rc = add_text(root, path, "prefix", &file.prefix, err);
	if (rc == 0)
		rc = add_list(cda_yaml_get(root, "channels"), path, "channels", &file.channels,
			      err);
	if (rc == 0)
		rc = add_dependencies(cda_yaml_get(root, "dependencies"), path, &file, err);
	if (rc == 0)
		rc = add_variables(cda_yaml_get(root, "variables"), path, &file, err);
	cda_vec_each (item, &root->items) {
		bool is_known = false;

		for (size_t i = 0; i < CDA_LEN(known); i++)
			is_known = is_known || cda_streq((*item)->key, known[i]);
		if (!is_known)
			cda_strv_push(&file.unknown, (*item)->key);
	}
	if (rc < 0)
		cda_envfile_done(&file);
	else
		*ret = file;
	return rc;
}

int cda_envfile_read(const char *path, struct cda_envfile *ret, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc;

	if (!cda_fs_is_file(AT_FDCWD, path)) {
		cda_err_set(err, CDA_E_ENVFILE, "'%s' file not found", path);
		cda_err_data_text(err, "filename", path);
		return -CDA_E_ENVFILE;
	}
	rc = cda_fs_read(AT_FDCWD, path, CDA_YAML_MAX_BYTES, &text, err);
	return rc < 0 ? rc : cda_envfile_parse(text.p, text.len, path, ret, err);
}

void cda_envfile_done(struct cda_envfile *file)
{
	free(file->name);
	free(file->prefix);
	cda_strv_done(&file->channels);
	cda_strv_done(&file->dependencies);
	cda_strv_done(&file->pip);
	cda_strv_done(&file->variables);
	cda_strv_done(&file->unknown);
	*file = (struct cda_envfile){0};
}

static struct cda_yaml *list_node(const struct cda_strv *list)
{
	struct cda_yaml *node = cda_yaml_new(CDA_YAML_LIST);

	for (size_t i = 0; i < list->n; i++)
		cda_yaml_push(node, cda_yaml_str(list->v[i]));
	return node;
}

static struct cda_yaml *tree_of(const struct cda_envfile *file)
{
	struct cda_yaml *root = cda_yaml_new(CDA_YAML_MAP);
	struct cda_yaml *dependencies = list_node(&file->dependencies);

	if (file->name)
		cda_yaml_set(root, "name", cda_yaml_str(file->name));
	cda_yaml_set(root, "channels", list_node(&file->channels));
	if (file->pip.n > 0) {
		struct cda_yaml *pip = cda_yaml_new(CDA_YAML_MAP);

		cda_yaml_set(pip, "pip", list_node(&file->pip));
		cda_yaml_push(dependencies, pip);
	}
	if (dependencies->items.n > 0)
		cda_yaml_set(root, "dependencies", dependencies);
	else
		cda_yaml_free(dependencies);
	if (file->variables.n > 0) {
		struct cda_yaml *vars = cda_yaml_new(CDA_YAML_MAP);

		for (size_t i = 0; i < file->variables.n; i++) {
			const char *line = file->variables.v[i], *eq = strchr(line, '=');
			CDA_AUTOFREE char *name = cda_strndup(line, (size_t)(eq - line));

			cda_yaml_set(vars, name, cda_yaml_str(eq + 1));
		}
		cda_yaml_set(root, "variables", vars);
	}
	if (file->prefix)
		cda_yaml_set(root, "prefix", cda_yaml_str(file->prefix));
	return root;
}

void cda_envfile_format(const struct cda_envfile *file, struct cda_buf *out)
{
	CDA_AUTOYAML struct cda_yaml *root = tree_of(file);

	cda_yaml_format(root, 0, out);
}

yyjson_mut_val *cda_envfile_json(yyjson_mut_doc *doc, const struct cda_envfile *file)
{
	CDA_AUTOYAML struct cda_yaml *root = tree_of(file);

	return cda_yaml_json(doc, root);
}

/* The object of conda-meta/state; an absent or empty file is an empty one. */
static int read_state(const char *prefix, yyjson_doc **ret, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_path_join(prefix, "conda-meta/state");
	int rc;

	*ret = NULL;
	if (!cda_fs_exists(AT_FDCWD, path))
		return 0;
	rc = cda_json_read(AT_FDCWD, path, 1 << 20, ret, err);
	if (rc == 0 && !yyjson_is_obj(yyjson_doc_get_root(*ret))) {
		yyjson_doc_free(*ret);
		*ret = NULL;
		rc = cda_err_set(err, CDA_E_PARSE, "'%s' is no JSON object", path);
	}
	return rc;
}

int cda_envvars_read(const char *prefix, struct cda_strv *ret_vars, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *state = NULL;
	yyjson_val *vars, *key;
	yyjson_obj_iter iter;
	int rc = read_state(prefix, &state, err);

	if (rc < 0 || !state)
		return rc;
	vars = yyjson_obj_get(yyjson_doc_get_root(state), "env_vars");
	if (!yyjson_is_obj(vars))
		return 0;
	yyjson_obj_iter_init(vars, &iter);
	while ((key = yyjson_obj_iter_next(&iter))) {
		yyjson_val *value = yyjson_obj_iter_get_val(key);

		if (yyjson_is_str(value))
			cda_strv_pushf(ret_vars, "%s=%s", yyjson_get_str(key),
				       yyjson_get_str(value));
	}
	return 0;
}

int cda_envvars_change(const char *prefix, const struct cda_strv *changes, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *state = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOFREE char *path = cda_path_join(prefix, "conda-meta/state");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_mut_val *root, *vars;
	int rc = read_state(prefix, &state, err);

	if (rc < 0)
		return rc;
	root = state ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(state)) : yyjson_mut_obj(doc);
	vars = yyjson_mut_obj_get(root, "env_vars");
	if (!yyjson_mut_is_obj(vars)) {
		yyjson_mut_obj_remove_key(root, "env_vars");
		vars = yyjson_mut_obj_add_obj(doc, root, "env_vars");
	}
	for (size_t i = 0; i < changes->n; i++) {
		const char *line = changes->v[i], *eq = strchr(line, '=');
		size_t len = eq ? (size_t)(eq - line) : strlen(line);
		yyjson_mut_val *key = yyjson_mut_strncpy(doc, line, len);

		if (!var_name_is_good(line, len)) {
			cda_err_set(err, CDA_E_VALUE, "'%.*s' is no variable name", (int)len, line);
			return cda_err_hint(err, "letters, digits and '_', such as NAME=value");
		}
		yyjson_mut_obj_put(vars, key, yyjson_mut_strcpy(doc, eq ? eq + 1 : CDA_VAR_UNSET));
	}
	cda_json_format(root, 0, false, &text);
	return cda_fs_replace(AT_FDCWD, path, text.p, text.len, 0666, false, err);
}
