#include "prefix/meta.h"

#include "util/fs.h"
#include "util/json.h"
#include "util/map.h"

#include <errno.h>

/* A record lists every file of its package; the largest known ones have some tens of MB. */
enum { record_max = 512 * 1024 * 1024 };

CDA_VEC_DEFINE(installed_list, struct cda_installed *);

struct cda_meta {
	struct cda_arena *arena;
	struct installed_list list;
	struct cda_records records;
};

static const char *text_of(struct cda_arena *arena, yyjson_val *obj, const char *key)
{
	return cda_arena_strdup(arena, cda_json_str(obj, key));
}

/* A list of texts, or one text: track_features of those have commas and blanks between. */
static struct cda_texts texts_of(struct cda_arena *arena, yyjson_val *obj, const char *key)
{
	yyjson_val *val = yyjson_obj_get(obj, key), *item;
	CDA_AUTOSTRV struct cda_strv pieces = {0};
	struct cda_texts texts = {0};
	const char **v;
	size_t i, n, count = 0;

	if (yyjson_is_str(val)) {
		cda_strv_split(&pieces, yyjson_get_str(val),
			       strcmp(key, "track_features") == 0 ? ", \t" : "\n");
		v = cda_arena_alloc(arena, (pieces.n + 1) * sizeof(*v));
		for (i = 0; i < pieces.n; i++)
			v[i] = cda_arena_strdup(arena, pieces.v[i]);
		texts = (struct cda_texts){v, pieces.n};
	} else if (yyjson_is_arr(val)) {
		v = cda_arena_alloc(arena, (yyjson_arr_size(val) + 1) * sizeof(*v));
		yyjson_arr_foreach (val, i, n, item) {
			if (yyjson_is_str(item))
				v[count++] = cda_arena_strdup(arena, yyjson_get_str(item));
		}
		texts = (struct cda_texts){v, count};
	}
	return texts;
}

static int64_t number_of(yyjson_val *obj, const char *key, int64_t otherwise)
{
	const char *text = cda_json_str(obj, key);
	int64_t value;

	if (text)
		return cda_parse_int(text, 0, INT64_MAX, &value) ? value : otherwise;
	return cda_json_int(obj, key, otherwise);
}

/* Seconds, once, and milliseconds since. */
static int64_t timestamp_of(yyjson_val *obj)
{
	const int64_t year_9999 = 253402300799;
	int64_t value = number_of(obj, "timestamp", 0);

	if (value <= 0 || value > INT64_MAX / 1000)
		return 0;
	return value <= year_9999 ? value * 1000 : value;
}

static void read_noarch(struct cda_arena *arena, yyjson_val *obj, struct cda_record *record)
{
	const char *text = text_of(arena, obj, "noarch");

	if (!text && cda_json_bool(obj, "noarch", false))
		text = "generic";
	record->noarch_text = text;
	record->noarch = cda_streq(text, "python") ? CDA_NOARCH_PYTHON
			 : text                    ? CDA_NOARCH_GENERIC
						   : CDA_NOARCH_NONE;
}

/* The last folder of an URL: ".../linux-64/x-1-0.conda" says linux-64. */
static const char *subdir_of_url(struct cda_arena *arena, const char *url)
{
	const char *end = url ? strrchr(url, '/') : NULL, *p = end;

	while (p && p > url && p[-1] != '/')
		p--;
	return p && p > url && end > p ? cda_arena_strndup(arena, p, (size_t)(end - p)) : NULL;
}

/* The channel without "/subdir" and a last slash. */
static void read_channel(struct cda_arena *arena, yyjson_val *obj, struct cda_record *record)
{
	const char *text = cda_json_str(obj, "channel");
	size_t len, tail;

	if (!text)
		text = cda_json_str(obj, "schannel");
	if (!text)
		text = "";
	len = strlen(text);
	while (len > 1 && text[len - 1] == '/')
		len--;
	tail = record->subdir ? strlen(record->subdir) : 0;
	if (tail > 0 && len > tail + 1 && text[len - tail - 1] == '/' &&
	    memcmp(text + len - tail, record->subdir, tail) == 0)
		len -= tail + 1;
	record->channel = cda_arena_strndup(arena, text, len);
	record->channel_name = record->channel;
}

static void read_requested(struct cda_arena *arena, yyjson_val *obj, struct cda_record *record)
{
	const char *spec = text_of(arena, obj, "requested_spec");
	struct cda_texts specs = texts_of(arena, obj, "requested_specs");

	if ((!spec || !*spec) && specs.n > 0)
		spec = specs.v[0];
	/* str(None), which conda writes for what came as a dependency. */
	record->requested_spec = spec && *spec && strcmp(spec, "None") != 0 ? spec : NULL;
}

static enum cda_meta_kind kind_of(const char *text)
{
	if (!text || strcmp(text, "hardlink") == 0)
		return CDA_META_HARDLINK;
	if (strcmp(text, "softlink") == 0)
		return CDA_META_SOFTLINK;
	if (strcmp(text, "directory") == 0)
		return CDA_META_DIRECTORY;
	if (strcmp(text, "pyc_file") == 0)
		return CDA_META_PYC;
	return strstr(text, "entry_point") ? CDA_META_ENTRY_POINT : CDA_META_HARDLINK;
}

static void read_paths(struct cda_arena *arena, yyjson_val *obj, struct cda_installed *ret)
{
	yyjson_val *list = yyjson_obj_get(yyjson_obj_get(obj, "paths_data"), "paths"), *item;
	yyjson_val *files = yyjson_obj_get(obj, "files");
	bool paired = yyjson_is_arr(list) && yyjson_arr_size(list) == yyjson_arr_size(files);
	struct cda_meta_path *paths;
	size_t i, n, count = 0;
	yyjson_arr_iter targets;

	if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
		return;
	paths = cda_arena_alloc0(arena, yyjson_arr_size(list), sizeof(*paths));
	yyjson_arr_iter_init(files, &targets);
	yyjson_arr_foreach (list, i, n, item) {
		const char *path = cda_json_str(item, "_path"), *target = path;

		/* The n-th path is the n-th file; a noarch one has another name there. */
		if (paired)
			target = yyjson_get_str(yyjson_arr_iter_next(&targets));
		if (!path || !target || !cda_fs_path_is_inside(target))
			continue;
		paths[count++] = (struct cda_meta_path){
			.path = cda_arena_strdup(arena, path),
			.target = cda_arena_strdup(arena, target),
			.kind = kind_of(cda_json_str(item, "path_type")),
			.no_link = cda_json_bool(item, "no_link", false),
			.placeholder = text_of(arena, item, "prefix_placeholder"),
			.file_mode = text_of(arena, item, "file_mode"),
			.sha256 = text_of(arena, item, "sha256"),
			.sha256_in_prefix = text_of(arena, item, "sha256_in_prefix"),
			.size = cda_json_int(item, "size_in_bytes", -1),
		};
	}
	ret->paths = paths;
	ret->path_count = count;
}

static void read_files(struct cda_arena *arena, yyjson_val *obj, struct cda_installed *ret)
{
	struct cda_texts files = texts_of(arena, obj, "files");
	const char **v = cda_arena_alloc(arena, (files.n + 1) * sizeof(*v));
	size_t count = 0;

	for (size_t i = 0; i < files.n; i++)
		if (cda_fs_path_is_inside(files.v[i]))
			v[count++] = files.v[i];
	ret->files = (struct cda_texts){v, count};
	read_paths(arena, obj, ret);
}

static int read_object(yyjson_val *obj, const char *file, unsigned flags, struct cda_arena *arena,
		       struct cda_installed *ret, struct cda_err *err)
{
	yyjson_val *link = yyjson_obj_get(obj, "link");
	struct cda_record *record = &ret->record;
	int64_t type = cda_json_int(link, "type", CDA_LINK_HARD);

	*ret = (struct cda_installed){.file = cda_arena_strdup(arena, file)};
	record->name = text_of(arena, obj, "name");
	record->version = text_of(arena, obj, "version");
	record->build = text_of(arena, obj, "build");
	if (!record->build)
		record->build = text_of(arena, obj, "build_string");
	if (!record->name || !*record->name || !record->version || !record->build)
		return cda_err_set(err, CDA_E_PARSE,
				   "'%s' is no package record: name, version or build is missing",
				   file);
	record->build_number = number_of(obj, "build_number", 0);
	record->fn = text_of(arena, obj, "fn");
	record->url = text_of(arena, obj, "url");
	record->subdir = text_of(arena, obj, "subdir");
	if (!record->subdir)
		record->subdir = subdir_of_url(arena, record->url);
	read_channel(arena, obj, record);
	read_noarch(arena, obj, record);
	read_requested(arena, obj, record);
	record->md5 = text_of(arena, obj, "md5");
	record->sha256 = text_of(arena, obj, "sha256");
	record->size = number_of(obj, "size", 0);
	record->timestamp = timestamp_of(obj);
	record->depends = texts_of(arena, obj, "depends");
	record->constrains = texts_of(arena, obj, "constrains");
	record->track_features = texts_of(arena, obj, "track_features");
	record->features = text_of(arena, obj, "features");
	record->license = text_of(arena, obj, "license");
	record->license_family = text_of(arena, obj, "license_family");
	record->arch = text_of(arena, obj, "arch");
	record->platform = text_of(arena, obj, "platform");
	record->python_site_packages_path = text_of(arena, obj, "python_site_packages_path");
	record->extracted_package_dir = text_of(arena, obj, "extracted_package_dir");
	ret->package_tarball_full_path = text_of(arena, obj, "package_tarball_full_path");
	ret->link_source = text_of(arena, link, "source");
	ret->link_type = type == CDA_LINK_SOFT || type == CDA_LINK_COPY ? (enum cda_link_type)type
									: CDA_LINK_HARD;
	if (flags & CDA_META_FILES)
		read_files(arena, obj, ret);
	return 0;
}

static void name_channel(const struct cda_channel_config *config, struct cda_map *known,
			 struct cda_arena *arena, struct cda_record *record)
{
	struct cda_channel channel = {0};
	struct cda_err err = {0};
	char *name = cda_map_get(known, record->channel);

	if (!config || !*record->channel)
		return;
	if (!name) {
		name = (char *)(uintptr_t)record->channel;
		if (cda_channel_parse(config, record->channel, &channel, &err) >= 0) {
			if (channel.canonical_name)
				name = cda_arena_strdup(arena, channel.canonical_name);
			cda_channel_done(&channel);
		}
		cda_err_done(&err);
		cda_map_set(known, record->channel, name);
	}
	record->channel_name = name;
}

static int parse_record(const char *text, size_t len, const char *file, unsigned flags,
			struct cda_arena *arena, struct cda_installed *ret, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	int rc = cda_json_parse(text, len, file, &doc, err);

	if (rc < 0)
		return rc;
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		return cda_err_set(err, CDA_E_PARSE, "'%s' is no package record", file);
	return read_object(yyjson_doc_get_root(doc), file, flags, arena, ret, err);
}

int cda_meta_parse(const char *text, size_t len, const char *file,
		   const struct cda_channel_config *config, unsigned flags, struct cda_arena *arena,
		   struct cda_installed *ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	int rc = parse_record(text, len, file, flags, arena, ret, err);

	if (rc >= 0)
		name_channel(config, known, arena, &ret->record);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct cda_installed *x = *(struct cda_installed *const *)a;
	const struct cda_installed *y = *(struct cda_installed *const *)b;
	int order = strcmp(x->record.name, y->record.name);

	return order ? order : strcmp(x->file, y->file);
}

static int load_all(int dirfd, const struct cda_channel_config *config, unsigned flags,
		    struct cda_meta *meta, struct cda_err *err)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc = cda_fs_list(dirfd, ".", &names, err);

	for (size_t i = 0; rc >= 0 && i < names.n; i++) {
		struct cda_installed *item;

		if (!cda_ends_with(names.v[i], ".json") || names.v[i][0] == '.')
			continue;
		cda_buf_clear(&text);
		item = cda_arena_alloc0(meta->arena, 1, sizeof(*item));
		rc = cda_fs_read(dirfd, names.v[i], record_max, &text, err);
		if (rc >= 0)
			rc = parse_record(text.p, text.len, names.v[i], flags, meta->arena, item,
					  err);
		if (rc == -(int)CDA_E_PARSE)
			cda_err_hint(err,
				     "remove '%s' from its conda-meta, then install that package "
				     "again",
				     names.v[i]);
		if (rc < 0)
			break;
		name_channel(config, known, meta->arena, &item->record);
		installed_list_push(&meta->list, item);
	}
	return rc;
}

int cda_meta_load(const char *prefix, const struct cda_channel_config *config, unsigned flags,
		  struct cda_meta **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = cda_new0(struct cda_meta);
	CDA_AUTOFREE char *dir = cda_path_join(prefix, "conda-meta");
	CDA_AUTOCLOSE int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	meta->arena = cda_arena_new();
	if (dirfd < 0 && errno != ENOENT && errno != ENOTDIR)
		return cda_err_sys(err, errno, "cannot read the folder '%s'", dir);
	if (dirfd >= 0) {
		rc = load_all(dirfd, config, flags, meta, err);
		if (rc < 0)
			return cda_err_wrap(err, rc, "the environment '%s' is damaged", prefix);
	}
	if (meta->list.n > 0)
		qsort(meta->list.v, meta->list.n, sizeof(*meta->list.v), by_name);
	for (size_t i = 0; i < meta->list.n; i++)
		cda_records_push(&meta->records, &meta->list.v[i]->record);
	*ret = cda_take_ptr(meta);
	return 0;
}

struct cda_meta *cda_meta_free(struct cda_meta *meta)
{
	if (!meta)
		return NULL;
	installed_list_done(&meta->list);
	cda_records_done(&meta->records);
	cda_arena_free(meta->arena);
	free(meta);
	return NULL;
}

const struct cda_records *cda_meta_records(const struct cda_meta *meta)
{
	return &meta->records;
}

size_t cda_meta_count(const struct cda_meta *meta)
{
	return meta->list.n;
}

const struct cda_installed *cda_meta_at(const struct cda_meta *meta, size_t i)
{
	return meta->list.v[i];
}

const struct cda_installed *cda_meta_find(const struct cda_meta *meta, const char *name)
{
	size_t low = 0, high = meta->list.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(meta->list.v[mid]->record.name, name);

		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < meta->list.n && strcmp(meta->list.v[low]->record.name, name) == 0)
		return meta->list.v[low];
	return NULL;
}
