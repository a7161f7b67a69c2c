#include "config/show.h"

#include "util/url.h"

#include <stdlib.h>

static void add_inline(const struct cda_yaml *node, struct cda_buf *out)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = NULL;

	if (cda_yaml_is_scalar(node)) {
		cda_yaml_python_scalar(node, out);
		return;
	}
	doc = yyjson_mut_doc_new(NULL);
	cda_json_format(cda_yaml_json(doc, node), 0, false, out);
}

static void add_items(const struct cda_yaml *list, unsigned indent, struct cda_buf *out)
{
	cda_vec_each (it, &list->items) {
		cda_buf_addf(out, "%*s- ", (int)indent, "");
		add_inline(*it, out);
		cda_buf_addc(out, '\n');
	}
}

/* One key as conda prints it: near YAML, without quotes. */
static void add_key(const char *key, const struct cda_yaml *node, struct cda_buf *out)
{
	cda_buf_addf(out, "%s:", key);
	if (cda_yaml_is_scalar(node)) {
		cda_buf_addc(out, ' ');
		cda_yaml_python_scalar(node, out);
		cda_buf_addc(out, '\n');
	} else if (node->items.n == 0) {
		cda_buf_adds(out, node->kind == CDA_YAML_LIST ? " []\n" : " {}\n");
	} else if (node->kind == CDA_YAML_LIST) {
		cda_buf_addc(out, '\n');
		add_items(node, 2, out);
	} else {
		cda_buf_addc(out, '\n');
		cda_vec_each (it, &node->items) {
			cda_buf_addf(out, "  %s: ", (*it)->key);
			if ((*it)->kind == CDA_YAML_LIST) {
				cda_buf_addc(out, '\n');
				add_items(*it, 4, out);
			} else {
				add_inline(*it, out);
				cda_buf_addc(out, '\n');
			}
		}
	}
}

/* Text of a channel as it is shown: the URL it stands for, or its name. */
static char *channel_text(const struct cda_channel_config *config, const char *text)
{
	struct cda_channel channel = {0};
	struct cda_err err = {0};
	char *shown = NULL;

	if (cda_channel_parse(config, text, &channel, &err) < 0) {
		cda_err_done(&err);
		return cda_strdup(text);
	}
	shown = cda_channel_base_url(&channel);
	cda_channel_done(&channel);
	return shown ? shown : cda_strdup(text);
}

static struct cda_yaml *channel_list(const struct cda_channel_config *config,
				     const struct cda_strv *texts)
{
	struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);

	for (size_t i = 0; i < texts->n; i++) {
		CDA_AUTOFREE char *shown = channel_text(config, texts->v[i]);
		cda_yaml_push(list, cda_yaml_str(shown));
	}
	return list;
}

/* What is shown of a setting: as merged, but channels with what they stand for. Owned. */
static struct cda_yaml *shown_value(const struct cda_settings *settings, enum cda_setting which)
{
	const struct cda_channel_config *config = cda_settings_channel_config(settings);
	struct cda_yaml *map;

	if (which == CDA_SET_default_channels)
		return channel_list(config, &config->default_channels);
	if (which == CDA_SET_custom_channels) {
		size_t n = config->custom_channels.n;
		/* those of the defaults are last there, and conda shows them first */
		size_t own = cda_settings_node(settings, which)->items.n;

		map = cda_yaml_new(CDA_YAML_MAP);
		for (size_t i = 0; i < n; i++) {
			const struct cda_named_urls *it = &config->custom_channels.v[(i + own) % n];
			cda_yaml_set(map, it->name,
				     cda_yaml_str(it->values.n ? it->values.v[0] : ""));
		}
		return map;
	}
	if (which == CDA_SET_custom_multichannels) {
		map = cda_yaml_new(CDA_YAML_MAP);
		cda_vec_each (it, &config->custom_multichannels)
			cda_yaml_set(map, it->name, channel_list(config, &it->values));
		return map;
	}
	return cda_yaml_copy(cda_settings_node(settings, which));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(cda_setting_infos[*(const int *)a].name,
		      cda_setting_infos[*(const int *)b].name);
}

struct choice {
	int v[CDA_SETTINGS_COUNT];
	size_t n;
};

static int choose(const struct cda_strv *names, struct choice *ret, struct cda_err *err)
{
	ret->n = 0;
	if (!names || names->n == 0) {
		for (int i = 0; i < CDA_SETTINGS_COUNT; i++)
			if (!(cda_setting_infos[i].flags & CDA_SETTING_HIDDEN))
				ret->v[ret->n++] = i;
		qsort(ret->v, ret->n, sizeof(ret->v[0]), by_name);
		return 0;
	}
	for (size_t i = 0; i < names->n && ret->n < CDA_SETTINGS_COUNT; i++) {
		int which = cda_setting_find(names->v[i]);

		/* An alias is no name of a value. */
		if (which < 0 || strcmp(cda_setting_infos[which].name, names->v[i]) != 0)
			return cda_err_set(err, CDA_E_USAGE,
					   "Invalid configuration parameters: '%s'", names->v[i]);
		ret->v[ret->n++] = which;
	}
	return 0;
}

int cda_config_show(const struct cda_settings *settings, const struct cda_strv *names,
		    struct cda_buf *out, struct cda_err *err)
{
	struct choice chosen;
	int rc = choose(names, &chosen, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < chosen.n; i++) {
		CDA_AUTOYAML struct cda_yaml *value =
			shown_value(settings, (enum cda_setting)chosen.v[i]);
		add_key(cda_setting_infos[chosen.v[i]].name, value, out);
	}
	return 0;
}

void cda_config_show_sources(const struct cda_settings *settings, struct cda_buf *out)
{
	const struct cda_yaml *values;
	const char *name;
	size_t at = 0;

	while (cda_settings_source(settings, &at, &name, &values)) {
		if (values->items.n == 0)
			continue;
		cda_buf_addf(out, "==> %s <==\n", name);
		cda_vec_each (it, &values->items)
			add_key((*it)->key, *it, out);
		cda_buf_addc(out, '\n');
	}
}

yyjson_mut_val *cda_config_show_sources_json(const struct cda_settings *settings,
					     yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);
	const struct cda_yaml *values;
	const char *name;
	size_t at = 0;

	while (cda_settings_source(settings, &at, &name, &values))
		if (values->items.n > 0)
			yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, name),
					   cda_yaml_json(doc, values));
	return obj;
}

static void add_member(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key, const char *text)
{
	yyjson_mut_obj_add(obj, yyjson_mut_str(doc, key),
			   text ? yyjson_mut_strcpy(doc, text) : yyjson_mut_null(doc));
}

/* A channel URL in its parts; name NULL: all of the location is in front of an empty name. */
static yyjson_mut_val *channel_json(yyjson_mut_doc *doc, const char *text, const char *name)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);
	CDA_AUTOFREE char *token = NULL;
	CDA_AUTOFREE char *bare = cda_url_split_token(text, &token);
	CDA_AUTOFREE char *location = NULL;
	CDA_AUTOURL struct cda_url url = {0};

	if (cda_url_parse(bare, &url)) {
		location = cda_asprintf("%s%s%s%s", url.host ? url.host : "", url.port ? ":" : "",
					url.port ? url.port : "", url.path);
		for (size_t len = strlen(location); len > 1 && location[len - 1] == '/';)
			location[--len] = '\0';
	}
	add_member(doc, obj, "auth", url.auth);
	add_member(doc, obj, "location", location ? location : bare);
	add_member(doc, obj, "name", name);
	add_member(doc, obj, "package_filename", NULL);
	add_member(doc, obj, "platform", NULL);
	add_member(doc, obj, "scheme", url.scheme);
	add_member(doc, obj, "token", token);
	return obj;
}

static yyjson_mut_val *parsed_json(yyjson_mut_doc *doc, const struct cda_channel_config *config,
				   const char *text)
{
	struct cda_channel channel = {0};
	struct cda_err err = {0};
	yyjson_mut_val *obj;

	if (cda_channel_parse(config, text, &channel, &err) < 0) {
		cda_err_done(&err);
		return yyjson_mut_strcpy(doc, text);
	}
	obj = yyjson_mut_obj(doc);
	add_member(doc, obj, "auth", channel.auth);
	add_member(doc, obj, "location", channel.location);
	add_member(doc, obj, "name", channel.name);
	add_member(doc, obj, "package_filename", channel.package_filename);
	add_member(doc, obj, "platform", channel.platform);
	add_member(doc, obj, "scheme", channel.scheme);
	add_member(doc, obj, "token", channel.token);
	cda_channel_done(&channel);
	return obj;
}

static yyjson_mut_val *parsed_list(yyjson_mut_doc *doc, const struct cda_channel_config *config,
				   const struct cda_strv *texts)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);

	for (size_t i = 0; i < texts->n; i++)
		yyjson_mut_arr_append(list, parsed_json(doc, config, texts->v[i]));
	return list;
}

static yyjson_mut_val *shown_json(const struct cda_settings *settings, enum cda_setting which,
				  yyjson_mut_doc *doc)
{
	const struct cda_channel_config *config = cda_settings_channel_config(settings);
	CDA_AUTOYAML struct cda_yaml *value = shown_value(settings, which);
	yyjson_mut_val *obj;

	if (which == CDA_SET_channel_alias)
		return channel_json(doc, value->text, "");
	if (which == CDA_SET_default_channels)
		return parsed_list(doc, config, &config->default_channels);
	if (which == CDA_SET_custom_channels) {
		obj = yyjson_mut_obj(doc);
		cda_vec_each (it, &value->items)
			yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, (*it)->key),
					   channel_json(doc, (*it)->text, (*it)->key));
		return obj;
	}
	if (which == CDA_SET_custom_multichannels) {
		obj = yyjson_mut_obj(doc);
		cda_vec_each (it, &config->custom_multichannels)
			yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, it->name),
					   parsed_list(doc, config, &it->values));
		return obj;
	}
	return cda_yaml_json(doc, value);
}

int cda_config_show_json(const struct cda_settings *settings, const struct cda_strv *names,
			 yyjson_mut_doc *doc, yyjson_mut_val **ret, struct cda_err *err)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);
	struct choice chosen;
	int rc = choose(names, &chosen, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < chosen.n; i++)
		yyjson_mut_obj_add(obj, yyjson_mut_str(doc, cda_setting_infos[chosen.v[i]].name),
				   shown_json(settings, (enum cda_setting)chosen.v[i], doc));
	*ret = obj;
	return 0;
}
