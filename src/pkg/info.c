#include "pkg/info.h"
#include "core/record_json.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/map.h"
#include "util/str.h"

#include <errno.h>
#include <string.h>

enum { path_max = 4000, placeholder_max = 4096, small_max = 16 << 20, entries_max = 4000000 };
static const size_t lists_max = (size_t)1 << 30;

const char cda_pkg_old_placeholder[] = "/opt/anaconda1anaconda2anaconda3";

static int bad(struct cda_err *err, const char *file, const char *why)
{
	return cda_err_set(err, CDA_E_ARCHIVE, "'info/%s' of the package: %s", file, why);
}

static bool path_is_good(const char *path, size_t len)
{
	if (len == 0 || len > path_max || strlen(path) != len || !cda_fs_path_is_inside(path))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return false;
	return true;
}

static const char *keep(struct cda_pkg_info *info, const char *text)
{
	return cda_arena_strdup(info->arena, text);
}

/* Parses an info file; its root must be an object. */
static int parse_file(const char *text, const char *file, yyjson_doc **ret_doc, struct cda_err *err)
{
	CDA_AUTOFREE char *what = cda_asprintf("info/%s", file);
	int rc = cda_json_parse(text, strlen(text), what, ret_doc, err);

	if (rc < 0) {
		err->code = CDA_E_ARCHIVE;
		return cda_err_wrap(err, -(int)CDA_E_ARCHIVE, "the package is damaged");
	}
	return yyjson_is_obj(yyjson_doc_get_root(*ret_doc)) ? 0 : bad(err, file, "no object");
}

static int read_index(struct cda_pkg_info *info, const char *text, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	const char *why = NULL;
	int rc;

	if (!text)
		return bad(err, "index.json", "missing");
	rc = parse_file(text, "index.json", &doc, err);
	if (rc < 0)
		return rc;
	if (!cda_record_from_json(yyjson_doc_get_root(doc), info->arena, true, &info->record, &why))
		return bad(err, "index.json", why);
	info->record.url = info->record.fn = info->record.md5 = info->record.sha256 = NULL;
	info->record.channel = info->record.requested_spec = NULL;
	info->record.extracted_package_dir = NULL;
	info->noarch = info->record.noarch;
	return 0;
}

/* 0, or what is wrong with this entry of paths.json. */
static const char *read_path(struct cda_pkg_info *info, yyjson_val *val, struct cda_pkg_path *ret)
{
	const char *path = cda_json_str(val, "_path"), *type = cda_json_str(val, "path_type");
	const char *sha256 = cda_json_str(val, "sha256");
	const char *placeholder = cda_json_str(val, "prefix_placeholder");
	const char *mode = cda_json_str(val, "file_mode");
	yyjson_val *size = yyjson_obj_get(val, "size_in_bytes");

	if (!path || !path_is_good(path, yyjson_get_len(yyjson_obj_get(val, "_path"))))
		return "a path that leaves the prefix, or none";
	*ret = (struct cda_pkg_path){.path = keep(info, path), .size = -1};
	if (!type || cda_streq(type, "hardlink"))
		ret->type = CDA_PATH_HARDLINK;
	else if (cda_streq(type, "softlink"))
		ret->type = CDA_PATH_SOFTLINK;
	else if (cda_streq(type, "directory"))
		ret->type = CDA_PATH_DIRECTORY;
	else
		return "a path type that is not known";
	if (sha256 && *sha256) {
		if (!cda_hash_is_hex(CDA_SHA256, sha256))
			return "a sha256 that is none";
		char *lower = cda_arena_strdup(info->arena, sha256);
		cda_lower_inplace(lower);
		ret->sha256 = lower;
	}
	if (size && !yyjson_is_null(size)) {
		if (!yyjson_is_uint(size) || yyjson_get_uint(size) > INT64_MAX)
			return "a size that is none";
		ret->size = (int64_t)yyjson_get_uint(size);
	}
	ret->no_link = cda_json_bool(val, "no_link", false);
	if (!placeholder || !*placeholder)
		return NULL;
	if (strlen(placeholder) != yyjson_get_len(yyjson_obj_get(val, "prefix_placeholder")) ||
	    strlen(placeholder) > placeholder_max)
		return "a prefix placeholder that is none";
	ret->prefix_placeholder = keep(info, placeholder);
	if (!mode || cda_streq(mode, "text"))
		ret->file_mode = CDA_FILE_TEXT;
	else if (cda_streq(mode, "binary"))
		ret->file_mode = CDA_FILE_BINARY;
	else
		return "a file mode that is not known";
	return NULL;
}

static int check_path_count(struct cda_pkg_info *info, const char *file, size_t n,
			    struct cda_err *err)
{
	if (n > entries_max)
		return bad(err, file, "too many paths");
	cda_pkg_paths_reserve(&info->paths, n);
	return 0;
}

static int read_paths_json(struct cda_pkg_info *info, const char *text, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_val *root, *paths, *item;
	size_t i, max;
	int rc = parse_file(text, "paths.json", &doc, err);

	if (rc < 0)
		return rc;
	root = yyjson_doc_get_root(doc);
	paths = yyjson_obj_get(root, "paths");
	if (cda_json_int(root, "paths_version", 1) != 1)
		return bad(err, "paths.json", "a version that is not known");
	if (!yyjson_is_arr(paths))
		return bad(err, "paths.json", "no list of paths");
	rc = check_path_count(info, "paths.json", yyjson_arr_size(paths), err);
	if (rc < 0)
		return rc;
	yyjson_arr_foreach (paths, i, max, item) {
		struct cda_pkg_path path;
		const char *why = read_path(info, item, &path);

		if (why)
			return bad(err, "paths.json", why);
		cda_pkg_paths_push(&info->paths, path);
	}
	info->has_paths_json = true;
	return 0;
}

static struct cda_str next_line(struct cda_str *rest)
{
	struct cda_str line = {0};

	while (cda_str_cut(rest, "\n", &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			return line;
	}
	return (struct cda_str){0};
}

/* Where the path stands in `files`; old packages are small enough for a map. */
struct old {
	struct cda_pkg_info *info;
	struct cda_map *places; /* path -> index + 1 */
};

static struct cda_pkg_path *old_path(struct old *old, struct cda_str path)
{
	size_t at = (size_t)(uintptr_t)cda_map_getn(old->places, path.p, path.len);

	return at ? &old->info->paths.v[at - 1] : NULL;
}

static int read_files(struct old *old, const struct cda_pkg_info_texts *texts, struct cda_err *err)
{
	struct cda_str rest = cda_str(texts->files), line;

	if (!texts->files)
		return bad(err, "files", "missing, and there is no 'info/paths.json'");
	while ((line = next_line(&rest)).len > 0) {
		struct cda_pkg_path path = {
			.path = cda_arena_strndup(old->info->arena, line.p, line.len), .size = -1};

		if (!path_is_good(path.path, line.len))
			return bad(err, "files", "a path that leaves the prefix");
		if (old->info->paths.n >= entries_max)
			return bad(err, "files", "too many paths");
		if (cda_map_has(old->places, path.path))
			continue;
		if (texts->is_symlink && texts->is_symlink(texts->ctx, path.path))
			path.type = CDA_PATH_SOFTLINK;
		cda_pkg_paths_push(&old->info->paths, path);
		cda_map_set(old->places, path.path, (void *)(uintptr_t)old->info->paths.n);
	}
	return 0;
}

/* The next word of a line: up to a blank, or in quotes as a shell has them. */
static struct cda_str next_word(struct cda_str *rest)
{
	struct cda_str word;
	char quote;

	while (rest->len > 0 && (*rest->p == ' ' || *rest->p == '\t')) {
		rest->p++;
		rest->len--;
	}
	if (rest->len == 0)
		return *rest;
	quote = *rest->p == '"' || *rest->p == '\'' ? *rest->p : '\0';
	word.p = rest->p + (quote != '\0');
	word.len = 0;
	while (word.p + word.len < rest->p + rest->len &&
	       (quote ? word.p[word.len] != quote
		      : word.p[word.len] != ' ' && word.p[word.len] != '\t'))
		word.len++;
	size_t used = (size_t)(word.p + word.len - rest->p);
	if (quote && used < rest->len)
		used++;
	rest->p += used;
	rest->len -= used;
	return word;
}

/* "PLACEHOLDER MODE PATH", or a path alone with the placeholder of old. */
static int read_has_prefix(struct old *old, const char *text, struct cda_err *err)
{
	struct cda_str rest = cda_str(text), line;

	while (text && (line = next_line(&rest)).len > 0) {
		struct cda_str whole = cda_str_trim(line), words[3], last;
		struct cda_pkg_path *path;
		struct cda_str after;

		for (size_t i = 0; i < CDA_LEN(words); i++)
			words[i] = next_word(&line);
		after = next_word(&line);
		bool full = words[2].len > 0 && after.len == 0 &&
			    (cda_str_eq(words[1], CDA_STR("text")) ||
			     cda_str_eq(words[1], CDA_STR("binary")));
		last = full ? words[2] : words[1].len == 0 ? words[0] : whole;
		path = old_path(old, last);
		if (!path)
			continue; /* conda too passes over what is no file of the package */
		if (full && (words[0].len == 0 || words[0].len > placeholder_max))
			return bad(err, "has_prefix", "a prefix placeholder that is none");
		path->prefix_placeholder =
			full ? cda_arena_strndup(old->info->arena, words[0].p, words[0].len)
			     : cda_pkg_old_placeholder;
		path->file_mode = full && cda_str_eq(words[1], CDA_STR("binary")) ? CDA_FILE_BINARY
										  : CDA_FILE_TEXT;
	}
	return 0;
}

static void read_no_link(struct old *old, const char *text)
{
	struct cda_str rest = cda_str(text), line;

	while (text && (line = next_line(&rest)).len > 0) {
		struct cda_pkg_path *path = old_path(old, line);

		if (path)
			path->no_link = true;
	}
}

static int read_old_lists(struct cda_pkg_info *info, const struct cda_pkg_info_texts *texts,
			  struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *places = cda_map_new();
	struct old old = {info, places};
	int rc = read_files(&old, texts, err);

	if (rc == 0)
		rc = read_has_prefix(&old, texts->has_prefix, err);
	if (rc == 0)
		read_no_link(&old, texts->no_link);
	return rc;
}

static bool is_identifier_path(const char *s)
{
	for (; *s; s++)
		if (!cda_is_alnum(*s) && *s != '_' && *s != '.' && (unsigned char)*s < 0x80)
			return false;
	return true;
}

/* "command = module:func [extra]". The parts end up in a script, so that nothing but names may be
 * in them. */
static bool read_entry_point(struct cda_pkg_info *info, const char *text,
			     struct cda_entry_point *ret)
{
	struct cda_str rest = cda_str(text), command, module, func;

	if (!cda_str_cut(&rest, "=", &command) || !cda_str_cut(&rest, ":", &module) ||
	    !cda_str_cut(&rest, "[", &func))
		return false;
	command = cda_str_trim(command);
	module = cda_str_trim(module);
	func = cda_str_trim(func);
	ret->command = cda_arena_strndup(info->arena, command.p, command.len);
	ret->module = cda_arena_strndup(info->arena, module.p, module.len);
	ret->func = cda_arena_strndup(info->arena, func.p, func.len);
	return cda_record_word_is_good(command.p, command.len) && module.len > 0 && func.len > 0 &&
	       is_identifier_path(ret->module) && is_identifier_path(ret->func);
}

static int read_link(struct cda_pkg_info *info, const char *text, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOSTRV struct cda_strv points = {0};
	yyjson_val *noarch;
	const char *type;
	int rc;

	if (!text)
		return 0;
	rc = parse_file(text, "link.json", &doc, err);
	if (rc < 0)
		return rc;
	noarch = yyjson_obj_get(yyjson_doc_get_root(doc), "noarch");
	if (!noarch || yyjson_is_null(noarch))
		return 0;
	type = yyjson_is_obj(noarch) ? cda_json_str(noarch, "type") : yyjson_get_str(noarch);
	if (cda_streq(type, "python"))
		info->noarch = CDA_NOARCH_PYTHON;
	else if (cda_streq(type, "generic"))
		info->noarch = CDA_NOARCH_GENERIC;
	else
		return bad(err, "link.json", "a noarch type that is not known");
	cda_json_strv(noarch, "entry_points", &points);
	info->entry_points =
		cda_arena_alloc0(info->arena, points.n + 1, sizeof(*info->entry_points));
	for (size_t i = 0; i < points.n; i++) {
		if (!read_entry_point(info, points.v[i], &info->entry_points[i]))
			return bad(err, "link.json", "an entry point that is none");
		info->n_entry_points++;
	}
	return 0;
}

/* Words for people; a package without them, or with broken ones, works all the same. */
static void read_about(struct cda_pkg_info *info, const char *text)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};

	if (!text)
		return;
	if (parse_file(text, "about.json", &doc, &err) == 0) {
		yyjson_val *root = yyjson_doc_get_root(doc);

		info->summary = keep(info, cda_json_str(root, "summary"));
		info->home = keep(info, cda_json_str(root, "home"));
		info->license = keep(info, cda_json_str(root, "license"));
	}
	cda_err_done(&err);
}

int cda_pkg_info_parse(const struct cda_pkg_info_texts *texts, struct cda_pkg_info **ret_info,
		       struct cda_err *err)
{
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = cda_new0(struct cda_pkg_info);
	int rc;

	info->arena = cda_arena_new();
	rc = read_index(info, texts->index_json, err);
	if (rc == 0)
		rc = texts->paths_json ? read_paths_json(info, texts->paths_json, err)
				       : read_old_lists(info, texts, err);
	if (rc == 0)
		rc = read_link(info, texts->link_json, err);
	if (rc < 0)
		return rc;
	read_about(info, texts->about_json);
	*ret_info = cda_take_ptr(info);
	return 0;
}

struct cda_pkg_info *cda_pkg_info_free(struct cda_pkg_info *info)
{
	if (!info)
		return NULL;
	cda_pkg_paths_done(&info->paths);
	cda_arena_free(info->arena);
	free(info);
	return NULL;
}

int cda_pkg_record_parse(struct yyjson_val *object, struct cda_arena *arena,
			 struct cda_record *ret_record, struct cda_err *err)
{
	const char *why = NULL;

	if (!cda_record_from_json(object, arena, true, ret_record, &why))
		return cda_err_set(err, CDA_E_PARSE, "no package record: %s", why);
	return 0;
}

/* NULL text where the file is missing. */
static int read_info_file(int dirfd, const char *name, size_t max, struct cda_buf *buf,
			  const char **ret_text, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_asprintf("info/%s", name);
	int rc;

	if (!cda_fs_exists(dirfd, path))
		return 0;
	rc = cda_fs_read(dirfd, path, max, buf, err);
	if (rc < 0)
		return rc;
	/* What has a NUL in it would be read in part only. */
	if (strlen(buf->p) != buf->len)
		return bad(err, name, "no text");
	*ret_text = buf->p;
	return 0;
}

static bool is_symlink(void *ctx, const char *path)
{
	struct stat st;

	return fstatat(*(int *)ctx, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

int cda_pkg_info_read(int dirfd, const char *dir, struct cda_pkg_info **ret_info,
		      struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cda_pkg_info_texts texts = {.is_symlink = is_symlink, .ctx = &fd};
	const struct {
		const char *name;
		size_t max;
		const char **text;
	} files[] = {
		{"index.json", small_max, &texts.index_json},
		{"paths.json", lists_max, &texts.paths_json},
		{"link.json", small_max, &texts.link_json},
		{"about.json", small_max, &texts.about_json},
		{"files", lists_max, &texts.files},
		{"has_prefix", lists_max, &texts.has_prefix},
		{"no_link", lists_max, &texts.no_link},
	};
	struct cda_buf bufs[CDA_LEN(files)];
	int rc = 0;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open the package folder '%s'", dir);
	for (size_t i = 0; i < CDA_LEN(files); i++)
		bufs[i] = CDA_BUF_INIT;
	for (size_t i = 0; rc == 0 && i < CDA_LEN(files); i++)
		if (i < 4 || !texts.paths_json)
			rc = read_info_file(fd, files[i].name, files[i].max, &bufs[i],
					    files[i].text, err);
	if (rc == 0)
		rc = cda_pkg_info_parse(&texts, ret_info, err);
	for (size_t i = 0; i < CDA_LEN(files); i++)
		cda_buf_done(&bufs[i]);
	return rc < 0 ? cda_err_wrap(err, rc, "'%s'", cda_path_basename(dir)) : 0;
}
