/* merge.c - one value out of those of several sources (conda/common/configuration.py): scalars by
 * the highest source, lists stacked, maps joined; `#!final` shuts higher sources out, `#!top` and
 * `#!bottom` move single items. */
#include "config/settings_impl.h"

CDA_VEC_DEFINE(matches, const struct cda_yaml *);

static bool has_flag(const struct cda_yaml *node, const char *name)
{
	const char *flag = node->flag;

	if (!flag)
		return false;
	flag += strspn(flag, "#! ");
	return cda_starts_with(flag, name) &&
	       flag[strlen(name) + strspn(flag + strlen(name), "!# ")] == '\0';
}

static const struct cda_yaml *find_in(const struct cda_yaml *values, enum cda_setting which)
{
	const struct cda_setting_info *info = &cda_setting_infos[which];
	struct cda_str rest = cda_str(info->aliases), alias;
	const struct cda_yaml *node = cda_yaml_get(values, info->name);

	while (!node && cda_str_cut(&rest, " ", &alias)) {
		CDA_AUTOFREE char *name = cda_str_dup(alias);
		node = cda_yaml_get(values, name);
	}
	return node;
}

static void push_new(struct cda_yaml *list, const struct cda_yaml *item)
{
	if (cda_yaml_is_scalar(item))
		cda_vec_each (it, &list->items)
			if (cda_streq((*it)->text, item->text))
				return;
	cda_yaml_push(list, cda_yaml_copy(item));
}

static void push_flagged(struct cda_yaml *list, const struct matches *found, const char *flag,
			 bool reverse)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct cda_yaml *node = found->v[reverse ? found->n - 1 - i : i];

		cda_vec_each (it, &node->items)
			if (!flag || has_flag(*it, flag))
				push_new(list, *it);
	}
}

static struct cda_yaml *merge_lists(const struct matches *found)
{
	CDA_AUTOYAML struct cda_yaml *stack = cda_yaml_new(CDA_YAML_LIST);
	CDA_AUTOYAML struct cda_yaml *bottom = cda_yaml_new(CDA_YAML_LIST);
	struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);

	push_flagged(stack, found, "top", false);
	push_flagged(stack, found, NULL, true);
	push_flagged(bottom, found, "bottom", true);
	cda_vec_each (it, &stack->items) {
		bool last = false;

		cda_vec_each (low, &bottom->items)
			last = last || cda_streq((*low)->text, (*it)->text);
		if (!last)
			cda_yaml_push(list, cda_yaml_copy(*it));
	}
	cda_vec_each (low, &bottom->items)
		cda_yaml_push(list, cda_yaml_copy(*low));
	cda_vec_each (it, &list->items)
		cda_replace(&(*it)->flag, NULL);
	return list;
}

static struct cda_yaml *merge_maps(const struct matches *found, enum cda_setting_type type)
{
	struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP);

	for (size_t i = 0; i < found->n; i++)
		cda_vec_each (it, &found->v[i]->items) {
			CDA_CLEANUP(matches_done) struct matches same = {0};
			struct cda_yaml *value;
			const struct cda_yaml *one = NULL;

			if (cda_yaml_get(map, (*it)->key))
				continue;
			for (size_t k = 0; k < found->n; k++) {
				const struct cda_yaml *other =
					cda_yaml_get(found->v[k], (*it)->key);
				if (!other)
					continue;
				matches_push(&same, other);
				one = other;
				if (has_flag(other, "final"))
					break;
			}
			value = type == CDA_TYPE_MAPLIST ? merge_lists(&same) : cda_yaml_copy(one);
			cda_replace(&value->flag, NULL);
			cda_yaml_set(map, (*it)->key, value);
		}
	return map;
}

static struct cda_yaml *fallback_of(enum cda_setting which)
{
	const char *text = cda_setting_infos[which].fallback;
	struct cda_err err = {0};
	struct cda_yaml *raw = NULL, *value = NULL;

	if (cda_yaml_parse(text, strlen(text), "default", &raw, &err) < 0 ||
	    cda_setting_typify(which, raw, NULL, &value, &err) < 0) {
		cda_err_done(&err);
		value = cda_yaml_scalar("");
	}
	cda_yaml_free(raw);
	return value;
}

struct cda_yaml *cda_settings_merge(const struct cda_settings *settings, enum cda_setting which,
				    bool *ret_is_set)
{
	CDA_CLEANUP(matches_done) struct matches found = {0};
	enum cda_setting_type type = cda_setting_infos[which].type;
	struct cda_yaml *value;

	cda_vec_each (source, &settings->sources) {
		const struct cda_yaml *node = find_in(source->values, which);

		if (!node)
			continue;
		matches_push(&found, node);
		if (has_flag(node, "final"))
			break;
	}
	*ret_is_set = found.n > 0;
	if (found.n == 0)
		return fallback_of(which);
	if (type == CDA_TYPE_LIST || type == CDA_TYPE_MAPS)
		return merge_lists(&found);
	if (type == CDA_TYPE_MAP || type == CDA_TYPE_MAPLIST || type == CDA_TYPE_ANYMAP)
		return merge_maps(&found, type);
	value = cda_yaml_copy(found.v[found.n - 1]);
	cda_replace(&value->flag, NULL);
	return value;
}
