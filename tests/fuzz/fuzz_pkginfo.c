/* Whatever a package says about itself: every path stays inside the prefix, and nothing but names
 * gets into the scripts that entry points become. The input is up to seven texts with a byte 0
 * between: index.json, paths.json, link.json, about.json, files, has_prefix, no_link. */
#include "core/record_json.h"
#include "fuzz.h"
#include "pkg/info.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"

#include <string.h>

static void check_path(const struct cda_pkg_path *path)
{
	HOLDS(cda_fs_path_is_inside(path->path));
	for (const char *c = path->path; *c; c++)
		HOLDS((unsigned char)*c >= ' ' && *c != 0x7f);
	HOLDS(path->size >= -1);
	HOLDS(!path->sha256 || cda_hash_is_hex(CDA_SHA256, path->sha256));
	HOLDS((path->file_mode != CDA_FILE_PLAIN) == (path->prefix_placeholder != NULL));
	HOLDS(!path->prefix_placeholder || *path->prefix_placeholder);
}

static void check_name(const char *name)
{
	HOLDS(*name && strlen(name) == strcspn(name, " \t\r\n\"'`;()[]{}=,:/\\"));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_CLEANUP(cda_pkg_info_freep) struct cda_pkg_info *info = NULL;
	CDA_AUTOFREE char *copy = cda_alloc(len + 1);
	struct cda_pkg_info_texts texts = {0};
	const char **fields[] = {&texts.index_json, &texts.paths_json, &texts.link_json,
				 &texts.about_json, &texts.files,      &texts.has_prefix,
				 &texts.no_link};
	struct cda_err err = {0};
	size_t at = 0;

	memcpy(copy, p, len);
	copy[len] = '\0';
	for (size_t i = 0; i < CDA_LEN(fields) && at <= len; i++) {
		size_t here = strlen(copy + at);

		if (here > 0)
			*fields[i] = copy + at;
		at += here + 1;
	}
	if (cda_pkg_info_parse(&texts, &info, &err) < 0) {
		HOLDS(err.code == CDA_E_ARCHIVE && err.msg && !info);
		cda_err_done(&err);
		return 0;
	}
	HOLDS(cda_record_word_is_good(info->record.name, strlen(info->record.name)));
	cda_vec_each (path, &info->paths)
		check_path(path);
	for (size_t i = 0; i < info->n_entry_points; i++) {
		const struct cda_entry_point *point = &info->entry_points[i];

		HOLDS(cda_record_word_is_good(point->command, strlen(point->command)));
		check_name(point->module);
		check_name(point->func);
	}
	return 0;
}
