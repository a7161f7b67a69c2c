#include "image/config.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum kind { TEXT, TEXTS, SET, MAP, OBJECT, TRUTH };

/* What an image's configuration has (image-spec, config.md; the last five are Docker's own). */
static const struct {
	const char *key;
	enum kind kind;
} members[] = {
	{"Cmd", TEXTS},         {"Entrypoint", TEXTS},   {"Env", TEXTS},
	{"ExposedPorts", SET},  {"Labels", MAP},         {"StopSignal", TEXT},
	{"User", TEXT},         {"Volumes", SET},        {"WorkingDir", TEXT},
	{"ArgsEscaped", TRUTH}, {"Healthcheck", OBJECT}, {"OnBuild", TEXTS},
	{"Shell", TEXTS},
};

/* uname's word for a processor, and the images'. */
static const char *const archs[][2] = {
	{"x86_64", "amd64"},    {"aarch64", "arm64"}, {"i686", "386"},        {"armv7l", "arm"},
	{"ppc64le", "ppc64le"}, {"s390x", "s390x"},   {"riscv64", "riscv64"},
};

struct cda_config *cda_config_new(void)
{
	struct cda_config *config = cda_new0(struct cda_config);
	struct utsname host;

	config->doc = yyjson_mut_doc_new(NULL);
	config->config = yyjson_mut_obj(config->doc);
	config->os = cda_strdup("linux");
	for (size_t i = 0; uname(&host) == 0 && i < CDA_LEN(archs); i++)
		if (cda_streq(host.machine, archs[i][0]))
			cda_replace(&config->arch, cda_strdup(archs[i][1]));
	if (!config->arch)
		config->arch = cda_strdup("amd64");
	return config;
}

struct cda_config *cda_config_free(struct cda_config *config)
{
	if (config) {
		cda_json_mut_free(config->doc);
		free(config->arch);
		free(config->os);
		free(config->variant);
		free(config);
	}
	return NULL;
}

static bool has_kind(yyjson_val *value, enum kind kind)
{
	yyjson_val *key, *item;
	yyjson_obj_iter members_of;
	yyjson_arr_iter items;

	switch (kind) {
	case TEXT:
		return yyjson_is_str(value);
	case TRUTH:
		return yyjson_is_bool(value);
	case OBJECT:
		return yyjson_is_obj(value);
	case TEXTS:
		yyjson_arr_iter_init(value, &items);
		while ((item = yyjson_arr_iter_next(&items)))
			if (!yyjson_is_str(item))
				return false;
		return yyjson_is_arr(value);
	case SET:
	case MAP:
		yyjson_obj_iter_init(value, &members_of);
		while ((key = yyjson_obj_iter_next(&members_of))) {
			item = yyjson_obj_iter_get_val(key);
			if (kind == SET ? !yyjson_is_obj(item) : !yyjson_is_str(item))
				return false;
		}
		return yyjson_is_obj(value);
	}
	return false;
}

static void put(struct cda_config *config, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_obj_remove_key(config->config, key);
	if (value)
		yyjson_mut_obj_add(config->config, yyjson_mut_strcpy(config->doc, key), value);
}

/* A member of the top, written either way. */
static const char *either(yyjson_val *top, const char *docker, const char *oci)
{
	const char *text = cda_json_str(top, docker);

	return text ? text : cda_json_str(top, oci);
}

int cda_config_parse(struct cda_config *config, const char *text, size_t len, const char *what,
		     struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_val *top, *from;
	const char *word;
	int rc = cda_json_parse(text, len, what, &doc, err);

	if (rc)
		return rc;
	top = yyjson_doc_get_root(doc);
	if (yyjson_is_arr(top) && yyjson_arr_size(top) == 1) /* docker image inspect */
		top = yyjson_arr_get_first(top);
	from = yyjson_obj_get(top, "Config");
	if (!from)
		from = yyjson_obj_get(top, "config");
	if (!yyjson_is_obj(from))
		return cda_err_set(err, CDA_E_PARSE,
				   "%s: no configuration of an image: it has no object 'config'",
				   what);
	for (size_t i = 0; i < CDA_LEN(members); i++) {
		yyjson_val *value = yyjson_obj_get(from, members[i].key);

		if (!value || yyjson_is_null(value))
			continue;
		if (!has_kind(value, members[i].kind))
			return cda_err_set(err, CDA_E_PARSE, "%s: '%s' is not of the right kind",
					   what, members[i].key);
	}
	for (size_t i = 0; i < CDA_LEN(members); i++) {
		yyjson_val *value = yyjson_obj_get(from, members[i].key);

		if (value && !yyjson_is_null(value))
			put(config, members[i].key, yyjson_val_mut_copy(config->doc, value));
	}
	if ((word = either(top, "Architecture", "architecture")) && *word)
		cda_replace(&config->arch, cda_strdup(word));
	if ((word = either(top, "Os", "os")) && *word)
		cda_replace(&config->os, cda_strdup(word));
	if ((word = either(top, "Variant", "variant")) && *word)
		cda_replace(&config->variant, cda_strdup(word));
	return 0;
}

int cda_config_words(struct cda_config *config, const char *key, const char *value,
		     struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_mut_val *words;

	if (value[0] == '[') {
		if (cda_json_parse(value, strlen(value), key, &doc, err) ||
		    !has_kind(yyjson_doc_get_root(doc), TEXTS)) {
			cda_err_done(err);
			return cda_err_set(err, CDA_E_USAGE,
					   "'%s' is no JSON array of texts, as [\"bash\", \"-l\"]",
					   value);
		}
		put(config, key, yyjson_val_mut_copy(config->doc, yyjson_doc_get_root(doc)));
		return 0;
	}
	words = yyjson_mut_arr(config->doc);
	yyjson_mut_arr_add_strcpy(config->doc, words, value);
	put(config, key, *value ? words : NULL);
	return 0;
}

void cda_config_text(struct cda_config *config, const char *key, const char *value)
{
	put(config, key, yyjson_mut_strcpy(config->doc, value));
}

/* The member, made where it lacks. */
static yyjson_mut_val *member(struct cda_config *config, const char *key, bool array)
{
	yyjson_mut_val *value = yyjson_mut_obj_get(config->config, key);

	if (!value) {
		value = array ? yyjson_mut_arr(config->doc) : yyjson_mut_obj(config->doc);
		put(config, key, value);
	}
	return value;
}

int cda_config_env(struct cda_config *config, const char *line, struct cda_err *err)
{
	const char *equals = strchr(line, '=');
	yyjson_mut_val *env = member(config, "Env", true), *item;
	size_t n = equals ? (size_t)(equals - line) + 1 : 0;

	if (n < 2)
		return cda_err_set(err, CDA_E_USAGE, "'%s' is no NAME=VALUE", line);
	for (size_t i = 0; (item = yyjson_mut_arr_get(env, i)); i++)
		if (strncmp(yyjson_mut_get_str(item), line, n) == 0) {
			yyjson_mut_arr_replace(env, i, yyjson_mut_strcpy(config->doc, line));
			return 0;
		}
	yyjson_mut_arr_add_strcpy(config->doc, env, line);
	return 0;
}

void cda_config_label(struct cda_config *config, const char *name, const char *value)
{
	yyjson_mut_val *labels = member(config, "Labels", false);

	yyjson_mut_obj_remove_key(labels, name);
	yyjson_mut_obj_add(labels, yyjson_mut_strcpy(config->doc, name),
			   yyjson_mut_strcpy(config->doc, value));
}

const char *cda_config_get_label(const struct cda_config *config, const char *name)
{
	return yyjson_mut_get_str(
		yyjson_mut_obj_get(yyjson_mut_obj_get(config->config, "Labels"), name));
}

void cda_config_volume(struct cda_config *config, const char *path)
{
	yyjson_mut_val *volumes = member(config, "Volumes", false);

	yyjson_mut_obj_remove_key(volumes, path);
	yyjson_mut_obj_add(volumes, yyjson_mut_strcpy(config->doc, path),
			   yyjson_mut_obj(config->doc));
}

void cda_config_time(int64_t epoch, char ret_text[32])
{
	const time_t time = (time_t)epoch;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strncpy(ret_text, "1970-01-01T00:00:00Z", 32);
}

void cda_config_format(const struct cda_config *config, const struct cda_config_layer *layers,
		       size_t n, int64_t epoch, struct cda_buf *out)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *top = yyjson_mut_obj(doc), *rootfs = yyjson_mut_obj(doc);
	yyjson_mut_val *ids = yyjson_mut_arr(doc), *history = yyjson_mut_arr(doc);
	char created[32];

	cda_config_time(epoch, created);
	for (size_t i = 0; i < n; i++) {
		CDA_AUTOFREE char *id = cda_asprintf("sha256:%s", layers[i].diff_id);
		CDA_AUTOFREE char *by = cda_asprintf("condense pack: %s", layers[i].name);
		yyjson_mut_val *step = yyjson_mut_obj(doc);

		yyjson_mut_arr_add_strcpy(doc, ids, id);
		yyjson_mut_obj_add_strcpy(doc, step, "created", created);
		yyjson_mut_obj_add_strcpy(doc, step, "created_by", by);
		yyjson_mut_arr_append(history, step);
	}
	yyjson_mut_obj_add_str(doc, rootfs, "type", "layers");
	yyjson_mut_obj_add_val(doc, rootfs, "diff_ids", ids);
	yyjson_mut_obj_add_str(doc, top, "architecture", config->arch);
	yyjson_mut_obj_add_val(doc, top, "config", yyjson_mut_val_mut_copy(doc, config->config));
	yyjson_mut_obj_add_str(doc, top, "created", created);
	yyjson_mut_obj_add_val(doc, top, "history", history);
	yyjson_mut_obj_add_str(doc, top, "os", config->os);
	yyjson_mut_obj_add_val(doc, top, "rootfs", rootfs);
	if (config->variant)
		yyjson_mut_obj_add_str(doc, top, "variant", config->variant);
	cda_json_format(top, 0, true, out);
}
