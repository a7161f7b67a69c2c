/* typify.c - the table of settings, and raw values to the types that the table wants. */
#include "config/settings.h"

#include <stdlib.h>

#define S(key, other, kind, text, bits, words, heading, about)                                     \
	{.name = #key,                                                                             \
	 .aliases = other,                                                                         \
	 .type = CDA_TYPE_##kind,                                                                  \
	 .fallback = text,                                                                         \
	 .category = #heading,                                                                     \
	 .flags = bits,                                                                            \
	 .choices = words,                                                                         \
	 .doc = about},
const struct cda_setting_info cda_setting_infos[CDA_SETTINGS_COUNT] = {
#include "config/settings.def"
};
#undef S

static bool has_word(const char *words, const char *word)
{
	struct cda_str rest = cda_str(words), piece;

	while (cda_str_cut(&rest, " ", &piece))
		if (cda_str_eq(piece, cda_str(word)))
			return true;
	return false;
}

int cda_setting_find(const char *name)
{
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		if (strcmp(cda_setting_infos[i].name, name) == 0)
			return i;
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		if (*name && has_word(cda_setting_infos[i].aliases, name))
			return i;
	return -1;
}

struct typing {
	enum cda_setting which;
	const struct cda_setting_info *info;
	const char *where;
	struct cda_err *err;
};

static void add_place(const struct typing *t, const struct cda_yaml *raw, struct cda_buf *out)
{
	if (t->where)
		cda_buf_addf(out, " %s", t->where);
	if (t->where && raw->line > 0)
		cda_buf_addf(out, ", line %u", raw->line);
}

static int wrong_type(const struct typing *t, const struct cda_yaml *raw, const char *wanted)
{
	CDA_AUTOBUF struct cda_buf place = CDA_BUF_INIT;

	add_place(t, raw, &place);
	if (cda_yaml_is_scalar(raw))
		return cda_err_set(t->err, CDA_E_TYPE, "'%s'%s is '%s', of type %s; it must be %s",
				   t->info->name, place.p, raw->text ? raw->text : "",
				   cda_yaml_kind_name(raw->kind), wanted);
	return cda_err_set(t->err, CDA_E_TYPE, "'%s'%s is a %s; it must be %s", t->info->name,
			   place.p, cda_yaml_kind_name(raw->kind), wanted);
}

static struct cda_yaml *new_bool(bool truth)
{
	struct cda_yaml *node = cda_yaml_scalar(truth ? "true" : "false");

	return node;
}

static bool is_word(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (cda_strcaseeq(s, *words))
			return true;
	return false;
}

/* What conda takes for a boolean: 1, 0, or the text of a number or word. -1: it is none. */
static int truth_of(const struct cda_yaml *raw)
{
	static const char *const yes[] = {"true", "yes", "on", "y", NULL};
	static const char *const no[] = {"false", "no", "off", "n", "non", "none", "", NULL};
	char *end;
	double number;

	if (raw->kind == CDA_YAML_BOOL)
		return raw->truth;
	if (raw->kind == CDA_YAML_NULL)
		return 0;
	if (!cda_yaml_is_scalar(raw))
		return -1;
	if (is_word(raw->text, yes))
		return 1;
	if (is_word(raw->text, no))
		return 0;
	number = strtod(raw->text, &end);
	return end != raw->text && *end == '\0' ? number != 0 : -1;
}

static bool is_none(const struct cda_yaml *raw)
{
	static const char *const words[] = {"none", "null", "~", NULL};

	return raw->kind == CDA_YAML_NULL ||
	       (raw->kind == CDA_YAML_STR && is_word(raw->text, words));
}

static int typify_bool(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	int truth = truth_of(raw);

	if (t->info->type == CDA_TYPE_TRI && is_none(raw)) {
		*ret = cda_yaml_scalar("");
		return 0;
	}
	if (truth < 0)
		return wrong_type(t, raw, "a boolean");
	*ret = new_bool(truth > 0);
	return 0;
}

static int typify_number(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	bool fraction = t->info->type == CDA_TYPE_FLOAT;
	CDA_AUTOYAML struct cda_yaml *node = NULL;

	if (t->info->type == CDA_TYPE_INT_NONE && is_none(raw)) {
		*ret = cda_yaml_scalar("");
		return 0;
	}
	if (!cda_yaml_is_scalar(raw))
		return wrong_type(t, raw, "a number");
	if (raw->kind == CDA_YAML_BOOL)
		node = cda_yaml_scalar(raw->truth ? "1" : "0");
	else
		node = cda_yaml_scalar(raw->text);
	if (node->kind != CDA_YAML_INT && !(fraction && node->kind == CDA_YAML_FLOAT))
		return wrong_type(t, raw, fraction ? "a number" : "an integer");
	if (fraction && node->kind == CDA_YAML_INT) {
		cda_replace(&node->text, cda_asprintf("%s.0", node->text));
		node->kind = CDA_YAML_FLOAT;
	}
	*ret = cda_take_ptr(node);
	return 0;
}

static int typify_text(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	if (!cda_yaml_is_scalar(raw))
		return wrong_type(t, raw, "a text");
	if (t->info->type == CDA_TYPE_STR_NONE && is_none(raw))
		*ret = cda_yaml_scalar("");
	else
		*ret = cda_yaml_str(raw->kind == CDA_YAML_NULL ? "" : raw->text);
	return 0;
}

static int typify_choice(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	CDA_AUTOFREE char *choices = NULL;
	CDA_AUTOBUF struct cda_buf place = CDA_BUF_INIT;
	const char *text = cda_yaml_is_scalar(raw) ? raw->text : NULL;
	int truth = cda_yaml_is_scalar(raw) ? truth_of(raw) : -1;

	if (text && !has_word(t->info->choices, text) && truth >= 0) {
		if (t->which == CDA_SET_channel_priority)
			text = truth ? "flexible" : "disabled";
		else if (t->which == CDA_SET_safety_checks)
			text = truth ? "enabled" : "disabled";
	}
	if (!text)
		return wrong_type(t, raw, "a text");
	if (has_word(t->info->choices, text)) {
		*ret = cda_yaml_str(text);
		return 0;
	}
	add_place(t, raw, &place);
	choices = cda_strdup(t->info->choices);
	for (char *p = choices; *p; p++)
		*p = *p == ' ' ? '|' : *p;
	cda_err_set(t->err, CDA_E_CHOICE, "'%s'%s is '%s', which it cannot be", t->info->name,
		    place.p, text);
	return cda_err_hint(t->err, "choices: %s", choices);
}

static int typify_list(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	CDA_AUTOYAML struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);

	if (raw->kind != CDA_YAML_LIST && raw->kind != CDA_YAML_NULL)
		return wrong_type(t, raw, "a list");
	cda_vec_each (it, &raw->items) {
		struct cda_yaml *item;

		if (t->info->type == CDA_TYPE_MAPS) {
			cda_yaml_push(list, cda_yaml_copy(*it));
			continue;
		}
		if (!cda_yaml_is_scalar(*it))
			return wrong_type(t, *it, "a list of texts");
		item = cda_yaml_str((*it)->text ? (*it)->text : "");
		item->flag = cda_strdup_null((*it)->flag);
		cda_yaml_push(list, item);
	}
	*ret = cda_take_ptr(list);
	return 0;
}

static int typify_map(const struct typing *t, const struct cda_yaml *raw, struct cda_yaml **ret)
{
	CDA_AUTOYAML struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP);

	if (raw->kind != CDA_YAML_MAP && raw->kind != CDA_YAML_NULL)
		return wrong_type(t, raw, "a map");
	cda_vec_each (it, &raw->items) {
		struct cda_yaml *value = NULL;
		int rc;

		if (t->info->type == CDA_TYPE_ANYMAP) {
			value = cda_yaml_copy(*it);
		} else if (t->info->type == CDA_TYPE_MAPLIST) {
			rc = typify_list(t, *it, &value);
			if (rc < 0)
				return rc;
		} else {
			rc = typify_text(t, *it, &value);
			if (rc < 0)
				return rc;
		}
		cda_replace(&value->flag, cda_strdup_null((*it)->flag));
		cda_yaml_set(map, (*it)->key, value);
	}
	*ret = cda_take_ptr(map);
	return 0;
}

int cda_setting_typify(enum cda_setting which, const struct cda_yaml *raw, const char *where,
		       struct cda_yaml **ret, struct cda_err *err)
{
	const struct typing t = {which, &cda_setting_infos[which], where, err};

	switch (t.info->type) {
	case CDA_TYPE_BOOL:
	case CDA_TYPE_TRI:
		return typify_bool(&t, raw, ret);
	case CDA_TYPE_INT:
	case CDA_TYPE_INT_NONE:
	case CDA_TYPE_FLOAT:
		return typify_number(&t, raw, ret);
	case CDA_TYPE_BOOL_STR:
		if (cda_yaml_is_scalar(raw) && truth_of(raw) >= 0)
			return typify_bool(&t, raw, ret);
		return typify_text(&t, raw, ret);
	case CDA_TYPE_STR:
	case CDA_TYPE_STR_NONE:
		return typify_text(&t, raw, ret);
	case CDA_TYPE_ENUM:
		return typify_choice(&t, raw, ret);
	case CDA_TYPE_LIST:
	case CDA_TYPE_MAPS:
		return typify_list(&t, raw, ret);
	case CDA_TYPE_MAP:
	case CDA_TYPE_MAPLIST:
	case CDA_TYPE_ANYMAP:
		break;
	}
	return typify_map(&t, raw, ret);
}
