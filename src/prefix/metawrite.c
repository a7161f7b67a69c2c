/* cda_meta_format of meta.h: the record's text in conda's layout. Keys stand in the order of their
 * bytes, as json.dumps(sort_keys=True, indent=2) puts them. */
#include "prefix/meta.h"

#include "util/json.h"
#include "util/url.h"

static void key(struct cda_buf *out, unsigned depth, bool *first, const char *name)
{
	cda_buf_addf(out, "%s\n%*s", *first ? "" : ",", (int)depth * 2, "");
	*first = false;
	cda_json_quote(name, out);
	cda_buf_adds(out, ": ");
}

static void text(struct cda_buf *out, unsigned depth, bool *first, const char *name,
		 const char *value)
{
	if (!value)
		return;
	key(out, depth, first, name);
	cda_json_quote(value, out);
}

static void number(struct cda_buf *out, unsigned depth, bool *first, const char *name,
		   int64_t value)
{
	key(out, depth, first, name);
	cda_buf_addf(out, "%jd", (intmax_t)value);
}

static void texts(struct cda_buf *out, bool *first, const char *name, const struct cda_texts *list)
{
	key(out, 1, first, name);
	for (size_t i = 0; i < list->n; i++) {
		cda_buf_adds(out, i == 0 ? "[\n    " : ",\n    ");
		cda_json_quote(list->v[i], out);
	}
	cda_buf_adds(out, list->n == 0 ? "[]" : "\n  ]");
}

static const char *kind_text(enum cda_meta_kind kind)
{
	switch (kind) {
	case CDA_META_HARDLINK:
		break;
	case CDA_META_SOFTLINK:
		return "softlink";
	case CDA_META_DIRECTORY:
		return "directory";
	case CDA_META_PYC:
		return "pyc_file";
	case CDA_META_ENTRY_POINT:
		return "unix_python_entry_point";
	}
	return "hardlink";
}

static void path(struct cda_buf *out, const struct cda_meta_path *item)
{
	bool first = true;

	cda_buf_adds(out, "{");
	text(out, 4, &first, "_path", item->path);
	if (item->placeholder)
		text(out, 4, &first, "file_mode", item->file_mode);
	if (item->no_link) {
		key(out, 4, &first, "no_link");
		cda_buf_adds(out, "true");
	}
	text(out, 4, &first, "path_type", kind_text(item->kind));
	text(out, 4, &first, "prefix_placeholder", item->placeholder);
	text(out, 4, &first, "sha256", item->sha256);
	text(out, 4, &first, "sha256_in_prefix", item->sha256_in_prefix);
	if (item->size >= 0)
		number(out, 4, &first, "size_in_bytes", item->size);
	cda_buf_adds(out, "\n      }");
}

static void paths_data(struct cda_buf *out, bool *first, const struct cda_installed *installed)
{
	bool inner = true;

	key(out, 1, first, "paths_data");
	cda_buf_adds(out, "{");
	key(out, 2, &inner, "paths");
	for (size_t i = 0; i < installed->path_count; i++) {
		cda_buf_adds(out, i == 0 ? "[\n      " : ",\n      ");
		path(out, &installed->paths[i]);
	}
	cda_buf_adds(out, installed->path_count == 0 ? "[]" : "\n    ]");
	number(out, 2, &inner, "paths_version", 1);
	cda_buf_adds(out, "\n  }");
}

static void link_data(struct cda_buf *out, bool *first, const struct cda_installed *installed)
{
	bool inner = true;

	if (!installed->link_source)
		return;
	key(out, 1, first, "link");
	cda_buf_adds(out, "{");
	text(out, 2, &inner, "source", installed->link_source);
	number(out, 2, &inner, "type", installed->link_type);
	cda_buf_adds(out, "\n  }");
}

/* An URL goes with its subdir; credentials stay out of what others may read. */
static char *channel_text(const struct cda_record *record)
{
	CDA_AUTOFREE char *tail = NULL;

	if (!record->channel || !*record->channel)
		return NULL;
	tail = cda_asprintf("/%s", record->subdir ? record->subdir : "");
	if (!record->subdir || cda_ends_with(record->channel, tail))
		return cda_strdup(record->channel);
	return cda_asprintf("%s%s", record->channel, tail);
}

static char *url_text(const struct cda_record *record)
{
	CDA_AUTOFREE char *bare = NULL;
	CDA_AUTOURL struct cda_url url = {0};

	if (!record->url)
		return NULL;
	bare = cda_url_split_token(record->url, NULL);
	if (!cda_url_parse(bare, &url) || !url.auth)
		return cda_take_ptr(bare);
	return cda_url_format(&url, false);
}

static char *features_text(const struct cda_record *record)
{
	CDA_AUTOSTRV struct cda_strv list = {0};

	for (size_t i = 0; i < record->track_features.n; i++)
		cda_strv_push(&list, record->track_features.v[i]);
	return list.n == 0 ? NULL : cda_strv_join(&list, " ");
}

void cda_meta_format(const struct cda_installed *installed, struct cda_buf *out)
{
	const struct cda_record *record = &installed->record;
	CDA_AUTOFREE char *channel = channel_text(record), *url = url_text(record);
	CDA_AUTOFREE char *features = features_text(record);
	bool first = true;

	cda_buf_adds(out, "{");
	text(out, 1, &first, "arch", record->arch);
	text(out, 1, &first, "build", record->build);
	number(out, 1, &first, "build_number", record->build_number);
	text(out, 1, &first, "channel", channel);
	texts(out, &first, "constrains", &record->constrains);
	texts(out, &first, "depends", &record->depends);
	text(out, 1, &first, "extracted_package_dir", record->extracted_package_dir);
	text(out, 1, &first, "features", record->features);
	texts(out, &first, "files", &installed->files);
	text(out, 1, &first, "fn", record->fn);
	text(out, 1, &first, "license", record->license);
	text(out, 1, &first, "license_family", record->license_family);
	link_data(out, &first, installed);
	text(out, 1, &first, "md5", record->md5);
	text(out, 1, &first, "name", record->name);
	text(out, 1, &first, "noarch", record->noarch_text);
	text(out, 1, &first, "package_tarball_full_path", installed->package_tarball_full_path);
	if (record->noarch == CDA_NOARCH_PYTHON)
		text(out, 1, &first, "package_type", "noarch_python");
	else if (record->noarch == CDA_NOARCH_GENERIC)
		text(out, 1, &first, "package_type", "noarch_generic");
	paths_data(out, &first, installed);
	text(out, 1, &first, "platform", record->platform);
	text(out, 1, &first, "python_site_packages_path", record->python_site_packages_path);
	text(out, 1, &first, "requested_spec",
	     record->requested_spec ? record->requested_spec : "None");
	text(out, 1, &first, "sha256", record->sha256);
	if (record->size > 0)
		number(out, 1, &first, "size", record->size);
	text(out, 1, &first, "subdir", record->subdir);
	if (record->timestamp > 0)
		number(out, 1, &first, "timestamp", record->timestamp);
	text(out, 1, &first, "track_features", features);
	text(out, 1, &first, "url", url);
	text(out, 1, &first, "version", record->version);
	cda_buf_adds(out, "\n}");
}

char *cda_meta_file_name(const struct cda_record *record)
{
	return cda_asprintf("%s-%s-%s.json", record->name, record->version, record->build);
}
