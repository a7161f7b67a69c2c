/* The paths of fs.h as text: nothing here looks at a disk. */
#include "util/fs.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

char *cda_path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	while (*name == '/')
		name++;
	if (len == 0)
		return cda_strdup(name);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	return cda_asprintf("%.*s%s%s", (int)len, dir, dir[len - 1] == '/' ? "" : "/", name);
}

char *cda_path_dirname(const char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len == 0)
		return cda_strdup(".");
	while (len > 1 && path[len - 1] == '/')
		len--;
	return cda_strndup(path, len);
}

const char *cda_path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool cda_fs_path_is_inside(const char *path)
{
	const char *p = path;

	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

static void add_parts(struct cda_buf *out, const char *path)
{
	struct cda_str rest = cda_str(path), part;

	while (cda_str_cut(&rest, "/", &part)) {
		if (part.len == 0 || cda_str_eq(part, CDA_STR(".")))
			continue;
		if (cda_str_eq(part, CDA_STR(".."))) {
			size_t len = out->len;

			while (len > 0 && out->p[len - 1] != '/')
				len--;
			cda_buf_cut(out, len > 0 ? len - 1 : 0);
			continue;
		}
		cda_buf_addc(out, '/');
		cda_buf_add(out, part.p, part.len);
	}
}

char *cda_path_normal(const char *path, const char *cwd, const char *home)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	if (home && path[0] == '~' && (path[1] == '/' || !path[1])) {
		add_parts(&out, home);
		path++;
	} else if (path[0] != '/') {
		add_parts(&out, cwd ? cwd : "");
	}
	add_parts(&out, path);
	if (out.len == 0)
		cda_buf_addc(&out, '/');
	return cda_buf_take(&out);
}
