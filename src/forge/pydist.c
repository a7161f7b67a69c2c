#include "forge/pydist.h"
#include "forge/stage.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/str.h"

#include <errno.h>
#include <sys/stat.h>

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static unsigned nibble(char c)
{
	return cda_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* The hash as RECORD writes it: url-safe base64 without padding. */
static void add_base64(const char *hex, struct cda_buf *out)
{
	unsigned bits = 0, held = 0;

	for (; *hex; hex++) {
		held = (held << 4) | nibble(*hex);
		for (bits += 4; bits >= 6; bits -= 6)
			cda_buf_addc(out, base64url[(held >> (bits - 6)) & 63]);
		held &= (1u << bits) - 1;
	}
	if (bits)
		cda_buf_addc(out, base64url[(held << (6 - bits)) & 63]);
}

static int rename_in(int fd, const char *dir, const char *from, const char *to, struct cda_err *err)
{
	if (renameat(fd, from, fd, to) != 0)
		return cda_err_sys(err, errno, "cannot rename '%s/%s'", dir, from);
	return 0;
}

/* NAME-VERSION.egg-info, a folder with PKG-INFO or that file itself, becomes NAME-VERSION.dist-info
 * with METADATA. */
static int from_egg_info(int fd, const char *dir, const char *egg, char **ret_name,
			 struct cda_err *err)
{
	static const char *const useless[] = {"SOURCES.txt", "dependency_links.txt", "requires.txt",
					      "not-zip-safe", "zip-safe"};
	CDA_AUTOFREE char *stem = cda_strndup(egg, strlen(egg) - strlen(".egg-info"));
	CDA_AUTOFREE char *name = cda_asprintf("%s.dist-info", stem);
	CDA_AUTOFREE char *pkg_info = cda_asprintf("%s/PKG-INFO", name);
	CDA_AUTOFREE char *metadata = cda_asprintf("%s/METADATA", name);
	int rc;

	if (cda_fs_is_dir(fd, egg)) {
		rc = rename_in(fd, dir, egg, name, err);
		for (size_t i = 0; !rc && i < CDA_LEN(useless); i++) {
			CDA_AUTOFREE char *path = cda_path_join(name, useless[i]);

			rc = cda_fs_remove(fd, path, err);
		}
		if (!rc)
			rc = rename_in(fd, dir, pkg_info, metadata, err);
	} else {
		rc = cda_fs_mkdirs(fd, name, 0755, err);
		if (!rc)
			rc = rename_in(fd, dir, egg, metadata, err);
	}
	if (!rc)
		*ret_name = cda_take_ptr(name);
	return rc;
}

/* First part of "NAME-VERSION.dist-info", compared without case and without '-', '_', '.'. */
static bool is_of(const char *dist_info, const char *path)
{
	const char *a = dist_info, *b = path;

	for (;; a++, b++) {
		while (*a == '_' || *a == '.')
			a++;
		while (*b == '_' || *b == '-')
			b++;
		if (*a == '-' || !*a)
			return !*b || *b == '/' || *b == '.';
		if (cda_lower(*a) != cda_lower(*b))
			return false;
	}
}

static size_t owner_of(const struct cda_strv *infos, const char *path)
{
	for (size_t i = 0; i < infos->n; i++)
		if (cda_starts_with(path, infos->v[i]) && path[strlen(infos->v[i])] == '/')
			return i;
	for (size_t i = 0; i < infos->n; i++)
		if (is_of(infos->v[i], path))
			return i;
	return 0;
}

static int add_row(int fd, const char *path, struct cda_buf *out, struct cda_err *err)
{
	char hex[CDA_HASH_HEX_MAX];
	struct stat st;
	bool quoted = strpbrk(path, ",\"") != NULL;
	int rc = cda_hash_file(CDA_SHA256, fd, path, hex, err);

	if (rc)
		return rc;
	if (fstatat(fd, path, &st, 0) != 0)
		return cda_err_sys(err, errno, "cannot look at '%s'", path);
	cda_buf_addf(out, quoted ? "\"%s\",sha256=" : "%s,sha256=", path);
	add_base64(hex, out);
	cda_buf_addf(out, ",%lld\n", (long long)st.st_size);
	return 0;
}

static int write_records(int fd, const struct cda_strv *infos, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv files = {0};
	int rc = cda_stage_files(fd, &files, err);

	for (size_t i = 0; !rc && i < infos->n; i++) {
		CDA_AUTOBUF struct cda_buf record = CDA_BUF_INIT;
		CDA_AUTOFREE char *path = cda_path_join(infos->v[i], "RECORD");

		for (size_t k = 0; !rc && k < files.n; k++)
			if (owner_of(infos, files.v[k]) == i && !cda_streq(files.v[k], path) &&
			    cda_fs_is_file(fd, files.v[k]))
				rc = add_row(fd, files.v[k], &record, err);
		cda_buf_addf(&record, "%s,,\n", path);
		if (!rc)
			rc = cda_fs_replace(fd, path, record.p, record.len, 0644, false, err);
	}
	return rc;
}

int cda_pydist_fix(int dirfd, const char *dir, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CDA_AUTOSTRV struct cda_strv names = {0}, infos = {0};
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", dir);
	rc = cda_fs_list(fd, ".", &names, err);
	for (size_t i = 0; !rc && i < names.n; i++) {
		char *name = NULL;

		if (cda_ends_with(names.v[i], ".egg-info"))
			rc = from_egg_info(fd, dir, names.v[i], &name, err);
		else if (cda_ends_with(names.v[i], ".dist-info"))
			name = cda_strdup(names.v[i]);
		if (name)
			cda_strv_take(&infos, name);
	}
	for (size_t i = 0; !rc && i < infos.n; i++) {
		CDA_AUTOFREE char *installer = cda_path_join(infos.v[i], "INSTALLER");

		rc = cda_fs_replace(fd, installer, "conda\n", 6, 0644, false, err);
	}
	if (!rc && infos.n == 0)
		rc = cda_err_set(err, CDA_E_VALUE, "'%s' has no distribution", dir);
	return rc ? rc : write_records(fd, &infos, err);
}
