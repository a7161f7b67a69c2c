/* describe.c - the table of settings for people: --describe and --write-default. */
#include "config/show.h"

struct heading {
	const char *category, *title;
};

static const struct heading headings[] = {
	{"CHANNEL", "Channels"},
	{"BASIC", "Basics"},
	{"NETWORK", "Network"},
	{"SOLVER", "Solving"},
	{"LINKING", "Packages, linking and safety"},
	{"OUTPUT", "Output and questions"},
	{"SHELL", "Shells and activation"},
	{"BUILD", "conda-build"},
	{"HIDDEN", "Others"},
};

static const char *type_name(enum cda_setting_type type)
{
	switch (type) {
	case CDA_TYPE_BOOL:
		return "bool";
	case CDA_TYPE_TRI:
		return "bool or none";
	case CDA_TYPE_INT:
		return "int";
	case CDA_TYPE_INT_NONE:
		return "int or none";
	case CDA_TYPE_FLOAT:
		return "float";
	case CDA_TYPE_STR:
		return "str";
	case CDA_TYPE_STR_NONE:
		return "str or none";
	case CDA_TYPE_BOOL_STR:
		return "bool or str";
	case CDA_TYPE_ENUM:
		return "choice";
	case CDA_TYPE_LIST:
		return "list of str";
	case CDA_TYPE_MAP:
		return "map of str to str";
	case CDA_TYPE_MAPLIST:
		return "map of str to list of str";
	case CDA_TYPE_MAPS:
		return "list of maps";
	case CDA_TYPE_ANYMAP:
		break;
	}
	return "map";
}

static void add_lines(const char *text, struct cda_buf *out)
{
	struct cda_str rest = cda_str(text), line;

	while (cda_str_cut(&rest, "\n", &line))
		if (line.len > 0)
			cda_buf_addf(out, "# " CDA_STR_FMT "\n", CDA_STR_ARG(line));
}

static void describe_one(const struct cda_setting_info *info, struct cda_buf *out)
{
	CDA_AUTOYAML struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_yaml *value = NULL;
	struct cda_err err = {0};

	cda_buf_addf(out, "# # %s (%s)\n", info->name, type_name(info->type));
	if (*info->aliases)
		cda_buf_addf(out, "# #   also: %s\n", info->aliases);
	if (*info->choices)
		cda_buf_addf(out, "# #   choices: %s\n", info->choices);
	cda_buf_addf(out, "# #   %s\n# #\n", info->doc);
	if (cda_yaml_parse(info->fallback, strlen(info->fallback), info->name, &value, &err) < 0) {
		cda_err_done(&err);
		value = cda_yaml_str("");
	}
	cda_yaml_set(map, info->name, value);
	cda_yaml_format(map, 0, &text);
	add_lines(text.p, out);
	cda_buf_adds(out, "#\n");
}

static void describe_all(struct cda_buf *out)
{
	for (size_t h = 0; h < CDA_LEN(headings); h++) {
		cda_buf_addf(out, "# ## %s\n#\n", headings[h].title);
		for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
			if (strcmp(cda_setting_infos[i].category, headings[h].category) == 0)
				describe_one(&cda_setting_infos[i], out);
		cda_buf_addc(out, '\n');
	}
}

static int check(const struct cda_strv *names, struct cda_err *err)
{
	for (size_t i = 0; names && i < names->n; i++)
		if (cda_setting_find(names->v[i]) < 0)
			return cda_err_set(err, CDA_E_USAGE,
					   "Invalid configuration parameters: '%s'", names->v[i]);
	return 0;
}

int cda_config_describe(const struct cda_strv *names, struct cda_buf *out, struct cda_err *err)
{
	int rc = check(names, err);

	if (rc < 0)
		return rc;
	if (!names || names->n == 0)
		describe_all(out);
	for (size_t i = 0; names && i < names->n; i++)
		describe_one(&cda_setting_infos[cda_setting_find(names->v[i])], out);
	return 0;
}

void cda_config_write_default(struct cda_buf *out)
{
	describe_all(out);
}

static yyjson_mut_val *describe_json(const struct cda_setting_info *info, yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc), *aliases = yyjson_mut_arr(doc);
	struct cda_str rest = cda_str(info->aliases), alias;
	struct cda_yaml *value = NULL;
	struct cda_err err = {0};
	bool list = info->type == CDA_TYPE_LIST || info->type == CDA_TYPE_MAPS;
	bool map = info->type == CDA_TYPE_MAP || info->type == CDA_TYPE_MAPLIST ||
		   info->type == CDA_TYPE_ANYMAP;

	while (cda_str_cut(&rest, " ", &alias))
		yyjson_mut_arr_append(aliases, yyjson_mut_strncpy(doc, alias.p, alias.len));
	yyjson_mut_obj_add_str(doc, obj, "name", info->name);
	yyjson_mut_obj_add_val(doc, obj, "aliases", aliases);
	if (cda_yaml_parse(info->fallback, strlen(info->fallback), info->name, &value, &err) < 0)
		cda_err_done(&err);
	yyjson_mut_obj_add_val(doc, obj, "default_value",
			       value ? cda_yaml_json(doc, value) : yyjson_mut_null(doc));
	cda_yaml_free(value);
	yyjson_mut_obj_add_str(doc, obj, "description", info->doc);
	yyjson_mut_obj_add_str(doc, obj, "element_type", type_name(info->type));
	yyjson_mut_obj_add_str(doc, obj, "parameter_type",
			       list ? "sequence" : (map ? "map" : "primitive"));
	if (list)
		yyjson_mut_obj_add_str(doc, obj, "string_delimiter",
				       info->flags & CDA_SETTING_COLON   ? ":"
				       : info->flags & CDA_SETTING_AMPER ? "&"
									 : ",");
	return obj;
}

int cda_config_describe_json(const struct cda_strv *names, yyjson_mut_doc *doc,
			     yyjson_mut_val **ret, struct cda_err *err)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	int rc = check(names, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
		if (!names || names->n == 0)
			yyjson_mut_arr_append(list, describe_json(&cda_setting_infos[i], doc));
	for (size_t i = 0; names && i < names->n; i++)
		yyjson_mut_arr_append(
			list,
			describe_json(&cda_setting_infos[cda_setting_find(names->v[i])], doc));
	*ret = list;
	return 0;
}
