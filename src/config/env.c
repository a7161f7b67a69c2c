#include "config/env.h"

#include "config/settings.h"
#include "util/buf.h"

#include <unistd.h>

void cda_env_load(struct cda_strv *ret_env)
{
	for (char **it = environ; it && *it; it++)
		if (strchr(*it, '='))
			cda_strv_push(ret_env, *it);
}

static bool is_name_char(char c)
{
	return cda_is_alnum(c) || c == '_';
}

char *cda_env_expand(const struct cda_strv *env, const char *text)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	while (*text) {
		const char *name = text + 1, *end, *value;
		CDA_AUTOFREE char *key = NULL;
		size_t whole = 0;

		if (*text == '$' && *name == '{' && (end = strchr(name, '}'))) {
			key = cda_strndup(name + 1, (size_t)(end - name - 1));
			whole = (size_t)(end + 1 - text);
		} else if (*text == '$') {
			for (end = name; is_name_char(*end); end++)
				;
			key = cda_strndup(name, (size_t)(end - name));
			whole = (size_t)(end - text);
		}
		value = key ? cda_env_get(env, key) : NULL;
		if (value) {
			cda_buf_adds(&out, value);
			text += whole;
		} else {
			cda_buf_addc(&out, *text++);
		}
	}
	return cda_buf_take(&out);
}

static char *variable_of(const char *setting, size_t len)
{
	char *name = cda_asprintf("CONDA_%.*s", (int)len, setting);

	for (char *p = name; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return name;
}

static struct cda_yaml *list_of(const char *value, unsigned flags)
{
	struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);
	const char *sep = flags & CDA_SETTING_COLON ? ":" : flags & CDA_SETTING_AMPER ? "&" : ",";
	struct cda_str rest = cda_str(value), piece;

	while (cda_str_cut(&rest, sep, &piece)) {
		piece = cda_str_trim(piece);
		if (piece.len > 0) {
			CDA_AUTOFREE char *text = cda_str_dup(piece);
			cda_yaml_push(list, cda_yaml_str(text));
		}
	}
	return list;
}

struct cda_yaml *cda_env_settings(const struct cda_strv *env)
{
	struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP);

	for (int i = 0; i < CDA_SETTINGS_COUNT; i++) {
		const struct cda_setting_info *info = &cda_setting_infos[i];
		CDA_AUTOFREE char *names = cda_asprintf("%s %s", info->name, info->aliases);
		struct cda_str rest = cda_str(names), name;

		while (cda_str_cut(&rest, " ", &name)) {
			CDA_AUTOFREE char *variable = variable_of(name.p, name.len);
			CDA_AUTOFREE char *key = cda_str_dup(name);
			const char *value = name.len > 0 ? cda_env_get(env, variable) : NULL;

			if (!value || info->type == CDA_TYPE_MAPS || info->type == CDA_TYPE_MAP ||
			    info->type == CDA_TYPE_MAPLIST || info->type == CDA_TYPE_ANYMAP)
				continue;
			cda_yaml_set(map, key,
				     info->type == CDA_TYPE_LIST ? list_of(value, info->flags)
								 : cda_yaml_str(value));
			break;
		}
	}
	return map;
}
