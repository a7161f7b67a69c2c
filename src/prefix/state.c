/* What meta.h says of a prefix as a whole: is it one, may we write, is it frozen, its pins. */
#include "prefix/meta.h"

#include "util/fs.h"
#include "util/json.h"

#include <errno.h>

enum { marker_max = 1024 * 1024 };

bool cda_prefix_is_env(const char *prefix)
{
	CDA_AUTOFREE char *history = cda_path_join(prefix, "conda-meta/history");

	return cda_fs_is_file(AT_FDCWD, history);
}

bool cda_prefix_is_writable(const char *prefix)
{
	CDA_AUTOFREE char *dir = cda_path_join(prefix, "conda-meta");
	CDA_AUTOFREE char *history = cda_path_join(dir, "history");

	if (cda_fs_exists(AT_FDCWD, history) && access(history, W_OK) != 0)
		return false;
	while (!cda_fs_is_dir(AT_FDCWD, dir)) {
		if (cda_fs_exists(AT_FDCWD, dir) || strcmp(dir, "/") == 0 || strcmp(dir, ".") == 0)
			return false;
		cda_replace(&dir, cda_path_dirname(dir));
	}
	return cda_fs_dir_is_writable(dir);
}

bool cda_prefix_is_frozen(const char *prefix, char **ret_message)
{
	CDA_AUTOFREE char *path = cda_path_join(prefix, "conda-meta/frozen");
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	const char *message = NULL;

	if (ret_message)
		*ret_message = NULL;
	if (!cda_fs_exists(AT_FDCWD, path))
		return false;
	/* The marker may be empty: its presence counts. */
	if (cda_json_read(AT_FDCWD, path, marker_max, &doc, &err) >= 0)
		message = cda_json_str(yyjson_doc_get_root(doc), "message");
	if (ret_message)
		*ret_message = cda_strdup_null(message);
	cda_err_done(&err);
	return true;
}

int cda_prefix_pinned(const char *prefix, struct cda_strv *specs, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_path_join(prefix, "conda-meta/pinned");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_str rest, line;
	int rc;

	if (!cda_fs_exists(AT_FDCWD, path))
		return 0;
	rc = cda_fs_read(AT_FDCWD, path, marker_max, &text, err);
	if (rc < 0)
		return rc;
	rest = cda_buf_str(&text);
	while (cda_str_cut(&rest, "\r\n", &line)) {
		line = cda_str_trim(line);
		if (line.len > 0 && line.p[0] != '#')
			cda_strv_take(specs, cda_str_dup(line));
	}
	return 0;
}
