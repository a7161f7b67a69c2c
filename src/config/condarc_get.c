/* condarc_get.c - `conda config --get`: a file as the options that would write it. */
#include "config/condarc.h"

static void get_list(const char *key, const struct cda_yaml *list, struct cda_buf *out)
{
	/* --add puts first, so the last one has to be added first */
	for (size_t i = list->items.n; i-- > 0;) {
		const struct cda_yaml *item = list->items.v[i];

		if (!cda_yaml_is_scalar(item))
			continue;
		cda_buf_addf(out, "--add %s ", key);
		if (item->kind == CDA_YAML_STR)
			cda_buf_addf(out, strchr(item->text, '\'') ? "\"%s\"" : "'%s'", item->text);
		else
			cda_yaml_python_scalar(item, out);
		if (strcmp(key, "channels") == 0 && i == list->items.n - 1)
			cda_buf_adds(out, "   # lowest priority");
		else if (strcmp(key, "channels") == 0 && i == 0)
			cda_buf_adds(out, "   # highest priority");
		cda_buf_addc(out, '\n');
	}
}

static void get_item(const char *key, const struct cda_yaml *node, struct cda_buf *out)
{
	if (node->kind == CDA_YAML_MAP) {
		cda_vec_each (it, &node->items) {
			CDA_AUTOFREE char *sub = cda_asprintf("%s.%s", key, (*it)->key);
			get_item(sub, *it, out);
		}
	} else if (node->kind == CDA_YAML_LIST) {
		get_list(key, node, out);
	} else if (node->kind != CDA_YAML_NULL) {
		cda_buf_addf(out, "--set %s ", key);
		cda_yaml_python_scalar(node, out);
		cda_buf_addc(out, '\n');
	}
}

static void all_keys(const struct cda_condarc *rc, const struct cda_strv *keys,
		     struct cda_strv *ret)
{
	if (keys && keys->n > 0) {
		cda_strv_append(ret, keys);
		return;
	}
	cda_vec_each (it, &cda_condarc_values(rc)->items)
		cda_strv_push(ret, (*it)->key);
	cda_strv_sort(ret);
}

/* The value of NAME or NAME.SUB; NULL when it is not set. *ret_known: NAME is a setting. */
static const struct cda_yaml *look_up(const struct cda_condarc *rc, const char *key,
				      bool *ret_known)
{
	const char *dot = strchr(key, '.');
	CDA_AUTOFREE char *name = dot ? cda_strndup(key, (size_t)(dot - key)) : cda_strdup(key);
	const struct cda_yaml *node = cda_yaml_get(cda_condarc_values(rc), name);

	*ret_known = cda_setting_find(name) >= 0;
	return dot ? cda_yaml_get(node, dot + 1) : node;
}

void cda_condarc_get(const struct cda_condarc *rc, const struct cda_strv *keys, struct cda_buf *out,
		     struct cda_strv *warnings)
{
	CDA_AUTOSTRV struct cda_strv names = {0};

	all_keys(rc, keys, &names);
	for (size_t i = 0; i < names.n; i++) {
		bool known;
		const struct cda_yaml *node = look_up(rc, names.v[i], &known);

		if (!known)
			cda_strv_pushf(warnings, "unknown key %s", names.v[i]);
		else if (node)
			get_item(names.v[i], node, out);
	}
}

yyjson_mut_val *cda_condarc_get_json(yyjson_mut_doc *doc, const struct cda_condarc *rc,
				     const struct cda_strv *keys)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	all_keys(rc, keys, &names);
	for (size_t i = 0; i < names.n; i++) {
		bool known;
		const struct cda_yaml *node = look_up(rc, names.v[i], &known);

		if (known && node)
			yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, names.v[i]),
					   cda_yaml_json(doc, node));
	}
	return obj;
}
