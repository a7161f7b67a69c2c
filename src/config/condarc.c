#include "config/condarc.h"

#include "config/env.h"
#include "util/fs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct cda_condarc {
	char *path;
	struct cda_buf text;
	struct cda_yaml *values; /* a map */
};

static const char *home_of(const struct cda_settings_input *input)
{
	const char *home = input->home ? input->home : cda_env_get(input->env, "HOME");

	return home && *home ? home : NULL;
}

static void push_file(struct cda_strv *paths, const char *path)
{
	if (cda_fs_is_file(AT_FDCWD, path) && !cda_strv_has(paths, path))
		cda_strv_push(paths, path);
}

/* DIR/.condarc, DIR/condarc, DIR/condarc.d/ */
static void push_dir(struct cda_strv *paths, const char *dir)
{
	static const char *const names[] = {".condarc", "condarc"};
	CDA_AUTOFREE char *drop = cda_path_join(dir, "condarc.d");
	CDA_AUTOSTRV struct cda_strv files = {0};
	struct cda_err err = {0};

	for (size_t i = 0; i < CDA_LEN(names); i++) {
		CDA_AUTOFREE char *path = cda_path_join(dir, names[i]);
		push_file(paths, path);
	}
	if (!cda_fs_is_dir(AT_FDCWD, drop))
		return;
	if (cda_fs_list(AT_FDCWD, drop, &files, &err) < 0)
		cda_err_done(&err);
	for (size_t i = 0; i < files.n; i++)
		if (cda_ends_with(files.v[i], ".yml") || cda_ends_with(files.v[i], ".yaml")) {
			CDA_AUTOFREE char *path = cda_path_join(drop, files.v[i]);
			push_file(paths, path);
		}
}

static void push_sub(struct cda_strv *paths, const char *dir, const char *sub)
{
	CDA_AUTOFREE char *path = NULL;

	if (!dir || !*dir)
		return;
	path = cda_path_join(dir, sub);
	push_dir(paths, path);
}

void cda_condarc_search(const struct cda_settings_input *input, struct cda_strv *ret_paths)
{
	const char *home = home_of(input), *prefix = cda_env_get(input->env, "CONDA_PREFIX");
	const char *named = cda_env_get(input->env, "CONDARC");
	const char *root = input->sysroot ? input->sysroot : "/";

	push_sub(ret_paths, root, "etc/conda");
	push_sub(ret_paths, root, "var/lib/conda");
	if (input->root_prefix)
		push_dir(ret_paths, input->root_prefix);
	push_sub(ret_paths, cda_env_get(input->env, "XDG_CONFIG_HOME"), "conda");
	push_sub(ret_paths, home, ".config/conda");
	push_sub(ret_paths, home, ".conda");
	if (home) {
		CDA_AUTOFREE char *path = cda_path_join(home, ".condarc");
		push_file(ret_paths, path);
	}
	if (prefix && *prefix)
		push_dir(ret_paths, prefix);
	if (named && *named) {
		CDA_AUTOFREE char *path =
			cda_path_normal(named, input->cwd ? input->cwd : "/", home);
		push_file(ret_paths, path);
	}
}

char *cda_condarc_system_path(const struct cda_settings_input *input)
{
	return cda_path_join(input->root_prefix ? input->root_prefix : "/", ".condarc");
}

char *cda_condarc_user_path(const struct cda_settings_input *input)
{
	const char *named = cda_env_get(input->env, "CONDARC"), *home = home_of(input);

	if (named && *named)
		return cda_path_normal(named, input->cwd ? input->cwd : "/", home);
	return cda_path_join(home ? home : "/", ".condarc");
}

char *cda_condarc_env_path(const struct cda_settings_input *input)
{
	const char *prefix = cda_env_get(input->env, "CONDA_PREFIX");

	return prefix && *prefix ? cda_path_join(prefix, ".condarc") : cda_condarc_user_path(input);
}

int cda_condarc_parse(const char *text, size_t len, const char *path, struct cda_condarc **ret,
		      struct cda_err *err)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *rc = cda_new0(struct cda_condarc);
	CDA_AUTOFREE char *what = cda_asprintf("'%s'", path);
	struct cda_err mine = {0};

	rc->path = cda_strdup(path);
	rc->text = CDA_BUF_INIT;
	cda_buf_add(&rc->text, text, len);
	if (cda_yaml_parse(text, len, what, &rc->values, &mine) < 0) {
		cda_err_set(err, CDA_E_CONFIG, "cannot read the configuration file %s", mine.msg);
		cda_err_done(&mine);
		return -CDA_E_CONFIG;
	}
	if (rc->values->kind == CDA_YAML_NULL) {
		cda_yaml_free(rc->values);
		rc->values = cda_yaml_new(CDA_YAML_MAP);
	} else if (rc->values->kind != CDA_YAML_MAP) {
		return cda_err_set(err, CDA_E_CONFIG,
				   "cannot read the configuration file '%s', line %u: "
				   "it must be a map of keys to values",
				   path, rc->values->line);
	}
	*ret = cda_take_ptr(rc);
	return 0;
}

int cda_condarc_read(const char *path, struct cda_condarc **ret, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err mine = {0};

	if (cda_fs_read(AT_FDCWD, path, CDA_YAML_MAX_BYTES, &text, &mine) < 0) {
		if (mine.sys != ENOENT) {
			cda_err_move(err, &mine);
			return cda_err_wrap(err, -(int)err->code,
					    "cannot read the configuration file");
		}
		cda_err_done(&mine);
	}
	return cda_condarc_parse(text.p, text.len, path, ret, err);
}

struct cda_condarc *cda_condarc_free(struct cda_condarc *rc)
{
	if (!rc)
		return NULL;
	free(rc->path);
	cda_buf_done(&rc->text);
	cda_yaml_free(rc->values);
	free(rc);
	return NULL;
}

const struct cda_yaml *cda_condarc_values(const struct cda_condarc *rc)
{
	return rc->values;
}

const char *cda_condarc_text(const struct cda_condarc *rc)
{
	return rc->text.p;
}

/* Byte offset of the 1-based line; the end where there are fewer. */
static size_t offset_of(const struct cda_buf *text, unsigned line)
{
	size_t at = 0;

	for (; line > 1 && at < text->len; line--) {
		const char *newline = memchr(text->p + at, '\n', text->len - at);
		at = newline ? (size_t)(newline + 1 - text->p) : text->len;
	}
	return at;
}

static bool same_tree(const struct cda_yaml *a, const struct cda_yaml *b)
{
	if (a->kind != b->kind || a->items.n != b->items.n || !cda_streq(a->key, b->key))
		return false;
	if (a->kind == CDA_YAML_BOOL && a->truth != b->truth)
		return false;
	if (cda_yaml_is_scalar(a) && a->kind != CDA_YAML_NULL && a->kind != CDA_YAML_BOOL &&
	    !cda_streq(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->items.n; i++)
		if (!same_tree(a->items.v[i], b->items.v[i]))
			return false;
	return true;
}

/* Takes text as the file's new one when it says the same as the tree; the tree then gets the lines
 * of the new text. */
static bool adopt(struct cda_condarc *rc, struct cda_buf *text)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *again = NULL;
	struct cda_err err = {0};

	if (cda_condarc_parse(text->p, text->len, rc->path, &again, &err) < 0) {
		cda_err_done(&err);
		return false;
	}
	if (!same_tree(rc->values, again->values))
		return false;
	cda_yaml_free(rc->values);
	rc->values = cda_take_ptr(again->values);
	cda_buf_clear(&rc->text);
	cda_buf_add(&rc->text, text->p, text->len);
	return true;
}

static void format_member(const struct cda_yaml *node, struct cda_buf *out)
{
	struct cda_yaml map = {.kind = CDA_YAML_MAP};

	cda_yamlv_push(&map.items, (struct cda_yaml *)(uintptr_t)node);
	cda_yaml_format(&map, 0, out);
	cda_yamlv_done(&map.items);
}

/* Writes the lines of one key anew and leaves the others alone; line 0: it is a new key. Where the
 * text is in a form that this does not suit (flow style, indented), all of it is written anew. */
static void rewrite(struct cda_condarc *rc, const char *key, unsigned line, unsigned end_line)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, block = CDA_BUF_INIT;
	const struct cda_yaml *node = cda_yaml_get(rc->values, key);
	size_t from = line > 0 ? offset_of(&rc->text, line) : rc->text.len;
	size_t to = line > 0 ? offset_of(&rc->text, end_line + 1) : rc->text.len;

	if (node)
		format_member(node, &block);
	cda_buf_add(&text, rc->text.p, from);
	if (block.len > 0 && text.len > 0 && text.p[text.len - 1] != '\n')
		cda_buf_addc(&text, '\n');
	cda_buf_add(&text, block.p, block.len);
	cda_buf_add(&text, rc->text.p + to, rc->text.len - to);
	if (adopt(rc, &text))
		return;
	cda_buf_clear(&text);
	cda_yaml_format(rc->values, 0, &text);
	if (!adopt(rc, &text)) { /* never seen: the writer's text reads back as written */
		cda_buf_clear(&rc->text);
		cda_buf_add(&rc->text, text.p, text.len);
	}
}

/* name or name.sub: owned parts. */
static void split_key(const char *key, char **ret_name, char **ret_sub)
{
	const char *dot = strchr(key, '.');

	*ret_name = dot ? cda_strndup(key, (size_t)(dot - key)) : cda_strdup(key);
	*ret_sub = dot ? cda_strdup(dot + 1) : NULL;
}

static bool is_map_type(enum cda_setting_type type)
{
	return type == CDA_TYPE_MAP || type == CDA_TYPE_MAPLIST || type == CDA_TYPE_ANYMAP;
}

static struct cda_yaml *need(struct cda_condarc *rc, const char *key, enum cda_yaml_kind kind)
{
	struct cda_yaml *node = cda_yaml_get(rc->values, key);

	if (!node || node->kind == CDA_YAML_NULL) {
		struct cda_yaml *fresh = cda_yaml_new(kind);

		if (node) { /* the key stays where it is */
			fresh->line = node->line;
			fresh->end_line = node->end_line;
		}
		cda_yaml_set(rc->values, key, fresh);
		node = fresh;
	}
	return node;
}

static void cut_item(struct cda_yaml *list, const char *text, bool *ret_found)
{
	*ret_found = false;
	for (size_t i = list->items.n; i-- > 0;)
		if (cda_streq(list->items.v[i]->text, text)) {
			cda_yaml_cut(list, i);
			*ret_found = true;
		}
}

static int edit_list(struct cda_condarc *rc, bool first, const char *key, const char *value,
		     struct cda_strv *warnings, struct cda_err *err)
{
	int which = cda_setting_find(key);
	struct cda_yaml *list, *item;
	unsigned line, end_line;
	bool found;

	if (which < 0 || cda_setting_infos[which].type != CDA_TYPE_LIST)
		return cda_err_set(err, CDA_E_VALUE, "Key '%s' is not a known sequence parameter",
				   key);
	list = cda_yaml_get(rc->values, key);
	if (!list && strcmp(key, "channels") == 0) {
		list = need(rc, key, CDA_YAML_LIST);
		cda_yaml_push(list, cda_yaml_str("defaults"));
	}
	list = need(rc, key, CDA_YAML_LIST);
	if (list->kind != CDA_YAML_LIST)
		return cda_err_set(err, CDA_E_TYPE,
				   "'%s' in '%s', line %u is of type %s; it must be a list", key,
				   rc->path, list->line, cda_yaml_kind_name(list->kind));
	line = list->line;
	end_line = list->end_line;
	cut_item(list, value, &found);
	if (found && warnings)
		cda_strv_pushf(warnings, "'%s' already in '%s' list, moving to the %s", value, key,
			       first ? "top" : "bottom");
	item = cda_yaml_str(value);
	cda_yaml_push(list, item);
	if (first) {
		memmove(list->items.v + 1, list->items.v,
			(list->items.n - 1) * sizeof(*list->items.v));
		list->items.v[0] = item;
	}
	rewrite(rc, key, line, end_line);
	return 0;
}

static int edit_set(struct cda_condarc *rc, const char *key, const char *value, struct cda_err *err)
{
	CDA_AUTOFREE char *name = NULL;
	CDA_AUTOFREE char *sub = NULL;
	CDA_AUTOYAML struct cda_yaml *raw = cda_yaml_str(value), *typed = NULL;
	struct cda_yaml *old;
	unsigned line, end_line;
	int which, rc_type;

	split_key(key, &name, &sub);
	which = cda_setting_find(name);
	old = cda_yaml_get(rc->values, name);
	line = old ? old->line : 0;
	end_line = old ? old->end_line : 0;
	if (which >= 0 && is_map_type(cda_setting_infos[which].type) && sub) {
		struct cda_yaml *map = need(rc, name, CDA_YAML_MAP);

		if (map->kind != CDA_YAML_MAP)
			return cda_err_set(err, CDA_E_TYPE,
					   "'%s' in '%s', line %u is of type %s; it must be a map",
					   name, rc->path, line, cda_yaml_kind_name(map->kind));
		cda_yaml_set(map, sub, cda_take_ptr(raw));
		rewrite(rc, name, line, end_line);
		return 0;
	}
	if (which < 0 || sub || is_map_type(cda_setting_infos[which].type) ||
	    cda_setting_infos[which].type == CDA_TYPE_LIST ||
	    cda_setting_infos[which].type == CDA_TYPE_MAPS)
		return cda_err_set(err, CDA_E_VALUE, "Key '%s' is not a known primitive parameter",
				   key);
	rc_type = cda_setting_typify((enum cda_setting)which, raw, "of --set", &typed, err);
	if (rc_type < 0)
		return rc_type;
	typed->flag = old && old->flag ? cda_strdup(old->flag) : NULL;
	cda_yaml_set(rc->values, name, cda_take_ptr(typed));
	rewrite(rc, name, line, end_line);
	return 0;
}

static int edit_remove(struct cda_condarc *rc, const char *key, const char *value,
		       struct cda_err *err)
{
	struct cda_yaml *list = cda_yaml_get(rc->values, key);
	unsigned line = list ? list->line : 0, end_line = list ? list->end_line : 0;
	bool found = false;

	if (!list && strcmp(key, "channels") == 0) {
		list = need(rc, key, CDA_YAML_LIST);
		cda_yaml_push(list, cda_yaml_str("defaults"));
	}
	if (!list)
		return cda_err_set(err, CDA_E_KEY, "'%s' is not in the config file '%s'", key,
				   rc->path);
	if (list->kind == CDA_YAML_LIST)
		cut_item(list, value, &found);
	if (!found)
		return cda_err_set(err, CDA_E_KEY,
				   "'%s' is not in the '%s' key of the config file '%s'", value,
				   key, rc->path);
	rewrite(rc, key, line, end_line);
	return 0;
}

static int edit_remove_key(struct cda_condarc *rc, const char *key, struct cda_err *err)
{
	CDA_AUTOFREE char *name = NULL;
	CDA_AUTOFREE char *sub = NULL;
	struct cda_yaml *node;
	unsigned line, end_line;

	split_key(key, &name, &sub);
	node = cda_yaml_get(rc->values, name);
	if (!node || (sub && (node->kind != CDA_YAML_MAP || !cda_yaml_get(node, sub))))
		return cda_err_set(err, CDA_E_KEY, "'%s' is not in the config file '%s'", key,
				   rc->path);
	line = node->line;
	end_line = node->end_line;
	if (sub)
		cda_yaml_remove(node, sub);
	else
		cda_yaml_remove(rc->values, name);
	rewrite(rc, name, line, end_line);
	return 0;
}

int cda_condarc_edit(struct cda_condarc *rc, enum cda_condarc_op op, const char *key,
		     const char *value, struct cda_strv *warnings, struct cda_err *err)
{
	/* YAML has no other bytes: the file could not be read again. */
	if (value && !cda_str_is_utf8(value))
		return cda_err_set(err, CDA_E_VALUE, "the value of '%s' is not UTF-8", key);
	switch (op) {
	case CDA_RC_PREPEND:
	case CDA_RC_APPEND:
		return edit_list(rc, op == CDA_RC_PREPEND, key, value, warnings, err);
	case CDA_RC_SET:
		return edit_set(rc, key, value, err);
	case CDA_RC_REMOVE:
		return edit_remove(rc, key, value, err);
	case CDA_RC_REMOVE_KEY:
		break;
	}
	return edit_remove_key(rc, key, err);
}

int cda_condarc_merge(struct cda_condarc *rc, const char *text, size_t len, struct cda_err *err)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *given = NULL;
	int status = cda_condarc_parse(text, len, "standard input", &given, err);

	if (status < 0)
		return status;
	cda_vec_each (it, &given->values->items) {
		const struct cda_yaml *old = cda_yaml_get(rc->values, (*it)->key);
		unsigned line = old ? old->line : 0, end_line = old ? old->end_line : 0;

		cda_yaml_set(rc->values, (*it)->key, cda_yaml_copy(*it));
		rewrite(rc, (*it)->key, line, end_line);
	}
	return 0;
}

/* For a file that cannot be replaced, because its folder is not ours or it is a mount. */
static int write_in_place(const char *path, const struct cda_buf *text)
{
	CDA_AUTOCLOSE int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : cda_fs_write_all(fd, text->p, text->len);
}

int cda_condarc_write(struct cda_condarc *rc, struct cda_err *err)
{
	CDA_AUTOFREE char *real = realpath(rc->path, NULL);
	const char *path = real ? real : rc->path;
	struct cda_err mine = {0};

	if (cda_fs_replace(AT_FDCWD, path, rc->text.p, rc->text.len, 0666, false, &mine) == 0)
		return 0;
	if (mine.code == CDA_E_SYS && real && write_in_place(path, &rc->text) == 0) {
		cda_err_done(&mine);
		return 0;
	}
	cda_err_move(err, &mine);
	return cda_err_wrap(err, -(int)err->code, "cannot write to the configuration file '%s'",
			    rc->path);
}
