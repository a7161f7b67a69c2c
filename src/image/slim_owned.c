/* Which files of a root are the distribution's: dpkg's lists and apk's database. The format of
 * /lib/apk/db/installed: paragraphs of "X:text" lines, F names a folder, R a file in it. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>

#define LIST_MAX ((size_t)64 << 20)

/* /bin, /lib and the like are links into /usr in newer roots: one name for both. */
static const char *plain(const char *path)
{
	static const char *const merged[] = {"bin/", "sbin/", "lib/", "lib64/", "lib32/"};

	if (!cda_starts_with(path, "usr/"))
		return path;
	for (size_t i = 0; i < CDA_LEN(merged); i++)
		if (cda_starts_with(path + 4, merged[i]))
			return path + 4;
	return path;
}

static void add(struct cda_map *owned, const char *path)
{
	if (*path)
		cda_map_set(owned, plain(path), owned);
}

void cda_slim_owned_dpkg(const char *text, size_t len, struct cda_map *owned)
{
	struct cda_str rest = {text, len}, line;

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *path = cda_str_dup(line);

		if (path[0] == '/')
			add(owned, path + 1);
	}
}

void cda_slim_owned_apk(const char *text, size_t len, struct cda_map *owned)
{
	struct cda_str rest = {text, len}, line;
	CDA_AUTOFREE char *folder = cda_strdup("");

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *value = NULL;
		CDA_AUTOFREE char *path = NULL;

		if (line.len < 2 || line.p[1] != ':')
			continue;
		value = cda_strndup(line.p + 2, line.len - 2);
		if (line.p[0] == 'F') {
			add(owned, value);
			cda_replace(&folder, cda_take_ptr(value));
		} else if (line.p[0] == 'R') {
			path = cda_asprintf("%s%s%s", folder, *folder ? "/" : "", value);
			add(owned, path);
		}
	}
}

bool cda_slim_is_owned(const struct cda_slim *slim, const char *path)
{
	return slim->owned && cda_map_has(slim->owned, plain(path));
}

int cda_slim_owned_load(struct cda_slim *slim, struct cda_err *err)
{
	cda_vec_each (file, &slim->files) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		bool is_dpkg = cda_slim_match("var/lib/dpkg/info/*.list", file->path) ||
			       cda_slim_match("var/lib/dpkg/info/*.conffiles", file->path);
		bool is_apk = cda_streq(file->path, "lib/apk/db/installed") ||
			      cda_streq(file->path, "usr/lib/apk/db/installed");
		int rc;

		if (!S_ISREG(file->st.st_mode) || (!is_dpkg && !is_apk))
			continue;
		rc = cda_slim_read(slim, file, LIST_MAX, &text, err);
		if (rc < 0)
			return rc;
		if (!slim->owned)
			slim->owned = cda_map_new();
		if (is_dpkg)
			cda_slim_owned_dpkg(text.p, text.len, slim->owned);
		else
			cda_slim_owned_apk(text.p, text.len, slim->owned);
	}
	return 0;
}
