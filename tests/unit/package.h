/* package.h - makes conda packages and channels out of tables, for tests. Whatever goes wrong ends
 * the program: a test without its data has nothing to say.
 *
 *	static const struct tpkg_file files[] = {
 *		{ "bin/hi", .text = "#!" TPKG_PLACEHOLDER "/bin/sh\n", .mode = 0755, .prefix =
 *"text"
 *}, { "lib/l.so", .link = "l.so.1" }, { "var/empty", .dir = true }, { NULL } }; static const struct
 *tpkg table[] = { { "hi", "1.0", "0", .files = files, .depends = { "sh >=1" } }, { "np", "2",
 *"py_0", .noarch = "python", .entry_points = { "np = np:main" } } }; tpkg_channel(dir, table, 2);
 */
#ifndef TESTS_UNIT_PACKAGE_H
#define TESTS_UNIT_PACKAGE_H

#include "core/platform.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/zst.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>

#define TPKG_UNUSED __attribute__((unused))
#define TPKG_P50 "_placehold_placehold_placehold_placehold_placehold"
#define TPKG_PLACEHOLDER "/opt/build" TPKG_P50 TPKG_P50 TPKG_P50 TPKG_P50
#define TPKG_TIME 1689260000L

struct tpkg_file {
	const char *path;   /* NULL ends the table */
	const char *text;   /* content; NULL is empty */
	size_t len;         /* of text; 0: up to its NUL */
	const char *link;   /* symbolic link to this */
	unsigned mode;      /* 0: 0644 */
	bool dir;           /* an empty folder */
	const char *prefix; /* "text" or "binary": has TPKG_PLACEHOLDER to replace */
	bool no_link;
	const char *sha256; /* a wrong digest for paths.json */
	bool unlisted;      /* in the archive, not in paths.json and files */
};

struct tpkg {
	const char *name, *version, *build;
	int build_number; /* 0: what stands behind the last "_" of build, or the build itself */
	const char *depends[12], *constrains[8], *entry_points[8];
	const char *noarch; /* "python", "generic" */
	const char *subdir; /* NULL: noarch or this platform's */
	const char *license, *track_features;
	int64_t timestamp; /* ms; 0: TPKG_TIME */
	const struct tpkg_file *files;
	bool bz2;          /* .tar.bz2, not .conda */
	bool old_layout;   /* no paths.json: files, has_prefix, no_link */
	const char *extra; /* more members of the repodata entry, ", \"sha256\": \"00\"": in place
			    * of the true size, sha256 or md5 where it names them */
};

static void TPKG_UNUSED tpkg_die(const char *what, const char *why)
{
	fprintf(stderr, "Bail out! package.h: %s: %s\n", what, why ? why : "failed");
	exit(99);
}

#define tpkg_must(call, err) ((call) < 0 ? tpkg_die(#call, (err).msg) : (void)0)

/* One entry of a raw archive, sound or not. */
struct tpkg_entry {
	const char *path; /* NULL ends a table */
	const char *text;
	size_t len; /* 0: up to the NUL */
	const char *link, *hardlink;
	unsigned mode; /* 0: 0644, 0755 for folders */
	unsigned type; /* AE_IFREG (also 0), AE_IFDIR, AE_IFLNK, AE_IFCHR, AE_IFIFO, … */
};

static void TPKG_UNUSED tpkg_put(struct archive *a, const struct tpkg_entry *entry)
{
	struct archive_entry *e = archive_entry_new();
	size_t len = entry->len ? entry->len : entry->text ? strlen(entry->text) : 0;
	unsigned type = entry->type ? entry->type : entry->link ? AE_IFLNK : AE_IFREG;

	archive_entry_set_pathname(e, entry->path);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, entry->mode ? entry->mode : type == AE_IFDIR ? 0755 : 0644);
	archive_entry_set_mtime(e, TPKG_TIME, 0);
	archive_entry_set_size(e, type == AE_IFREG && !entry->hardlink ? (int64_t)len : 0);
	if (type == AE_IFCHR || type == AE_IFBLK)
		archive_entry_set_rdev(e, 0x103);
	if (entry->link)
		archive_entry_set_symlink(e, entry->link);
	if (entry->hardlink)
		archive_entry_set_hardlink(e, entry->hardlink);
	if (archive_write_header(a, e) < ARCHIVE_WARN)
		tpkg_die(entry->path, archive_error_string(a));
	if (type == AE_IFREG && !entry->hardlink && len > 0 &&
	    archive_write_data(a, entry->text, len) != (ssize_t)len)
		tpkg_die(entry->path, archive_error_string(a));
	archive_entry_free(e);
}

static ssize_t TPKG_UNUSED tpkg_append(struct archive *a, void *out, const void *p, size_t len)
{
	cda_buf_add(out, p, len);
	return (ssize_t)len;
}

/* A tar of the entries, appended to out. filter: "zstd", "bzip2" or "". */
static void TPKG_UNUSED tpkg_tar(const struct tpkg_entry *entries, size_t n, const char *filter,
				 struct cda_buf *out)
{
	struct archive *a = archive_write_new();
	int rc = archive_write_set_format_pax_restricted(a);

	if (rc == ARCHIVE_OK && strcmp(filter, "zstd") == 0)
		rc = archive_write_add_filter_zstd(a);
	if (rc == ARCHIVE_OK && strcmp(filter, "bzip2") == 0)
		rc = archive_write_add_filter_bzip2(a);
	archive_write_set_bytes_in_last_block(a, 1);
	if (rc != ARCHIVE_OK || archive_write_open(a, out, NULL, tpkg_append, NULL) != ARCHIVE_OK)
		tpkg_die(filter, archive_error_string(a));
	for (size_t i = 0; i < n; i++)
		tpkg_put(a, &entries[i]);
	if (archive_write_close(a) != ARCHIVE_OK)
		tpkg_die("tar", archive_error_string(a));
	archive_write_free(a);
}

/* A zip with stored members, appended to out. */
static void TPKG_UNUSED tpkg_zip(const struct tpkg_entry *entries, size_t n, struct cda_buf *out)
{
	struct archive *a = archive_write_new();

	archive_write_set_format_zip(a);
	archive_write_zip_set_compression_store(a);
	archive_write_set_bytes_in_last_block(a, 1);
	if (archive_write_open(a, out, NULL, tpkg_append, NULL) != ARCHIVE_OK)
		tpkg_die("zip", archive_error_string(a));
	for (size_t i = 0; i < n; i++)
		tpkg_put(a, &entries[i]);
	if (archive_write_close(a) != ARCHIVE_OK)
		tpkg_die("zip", archive_error_string(a));
	archive_write_free(a);
}

static void TPKG_UNUSED tpkg_write_file(const char *path, const void *p, size_t len)
{
	struct cda_err err = {0};

	tpkg_must(cda_fs_mkparents(AT_FDCWD, path, 0755, &err), err);
	tpkg_must(cda_fs_replace(AT_FDCWD, path, p, len, 0644, false, &err), err);
}

/* A .conda of raw entries: those below info/ in one part, the rest in the other. stem: the file
 * name without its ending. */
static void TPKG_UNUSED tpkg_conda(const struct tpkg_entry *entries, size_t n, const char *stem,
				   struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf info = CDA_BUF_INIT, pkg = CDA_BUF_INIT;
	CDA_AUTOFREE char *info_name = cda_asprintf("info-%s.tar.zst", stem);
	CDA_AUTOFREE char *pkg_name = cda_asprintf("pkg-%s.tar.zst", stem);
	struct tpkg_entry *part = cda_alloc0(n + 1, sizeof(*part));
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (strncmp(entries[i].path, "info/", 5) == 0)
			part[used++] = entries[i];
	tpkg_tar(part, used, "zstd", &info);
	used = 0;
	for (size_t i = 0; i < n; i++)
		if (strncmp(entries[i].path, "info/", 5) != 0)
			part[used++] = entries[i];
	tpkg_tar(part, used, "zstd", &pkg);
	free(part);
	const struct tpkg_entry members[] = {
		{"metadata.json", .text = "{\"conda_pkg_format_version\": 2}"},
		{pkg_name, .text = pkg.p, .len = pkg.len},
		{info_name, .text = info.p, .len = info.len},
	};
	tpkg_zip(members, CDA_LEN(members), out);
}

static void TPKG_UNUSED tpkg_json_list(struct cda_buf *out, const char *key,
				       const char *const *list, size_t max)
{
	cda_buf_addf(out, ", \"%s\": [", key);
	for (size_t i = 0; i < max && list[i]; i++) {
		cda_buf_adds(out, i ? ", " : "");
		cda_json_quote(list[i], out);
	}
	cda_buf_addc(out, ']');
}

static const char *TPKG_UNUSED tpkg_subdir(const struct tpkg *pkg)
{
	return pkg->subdir ? pkg->subdir : pkg->noarch ? "noarch" : cda_platform_native();
}

static char *TPKG_UNUSED tpkg_fn(const struct tpkg *pkg)
{
	return cda_asprintf("%s-%s-%s%s", pkg->name, pkg->version, pkg->build,
			    pkg->bz2 ? ".tar.bz2" : ".conda");
}

/* The members of index.json, without braces. */
static void TPKG_UNUSED tpkg_index_members(const struct tpkg *pkg, struct cda_buf *out)
{
	const char *number = strrchr(pkg->build, '_');
	long build_number = pkg->build_number;

	number = number ? number + 1 : pkg->build;
	if (build_number == 0)
		build_number = strtol(number, NULL, 10);
	cda_buf_addf(out, "\"name\": \"%s\", \"version\": \"%s\", \"build\": \"%s\"", pkg->name,
		     pkg->version, pkg->build);
	cda_buf_addf(out, ", \"build_number\": %ld, \"subdir\": \"%s\"", build_number,
		     tpkg_subdir(pkg));
	tpkg_json_list(out, "depends", pkg->depends, CDA_LEN(pkg->depends));
	if (pkg->constrains[0])
		tpkg_json_list(out, "constrains", pkg->constrains, CDA_LEN(pkg->constrains));
	if (pkg->noarch)
		cda_buf_addf(out, ", \"noarch\": \"%s\"", pkg->noarch);
	if (pkg->track_features)
		cda_buf_addf(out, ", \"track_features\": \"%s\"", pkg->track_features);
	cda_buf_addf(out, ", \"license\": \"%s\"", pkg->license ? pkg->license : "MIT");
	cda_buf_addf(out, ", \"timestamp\": %jd",
		     (intmax_t)(pkg->timestamp ? pkg->timestamp : TPKG_TIME * 1000));
}

/* paths.json, files, has_prefix and no_link of the package. */
static void TPKG_UNUSED tpkg_lists(const struct tpkg *pkg, struct cda_buf *paths,
				   struct cda_buf *files, struct cda_buf *prefixes,
				   struct cda_buf *no_link)
{
	char hex[CDA_HASH_HEX_MAX];
	bool first = true;

	cda_buf_adds(paths, "{\"paths\": [");
	for (const struct tpkg_file *f = pkg->files; f && f->path; f++) {
		size_t len = f->len ? f->len : f->text ? strlen(f->text) : 0;

		if (f->unlisted)
			continue;
		cda_hash_mem(CDA_SHA256, f->text ? f->text : "", len, hex);
		cda_buf_addf(paths, "%s{\"_path\": ", first ? "" : ", ");
		first = false;
		cda_json_quote(f->path, paths);
		cda_buf_addf(paths, ", \"path_type\": \"%s\"",
			     f->dir    ? "directory"
			     : f->link ? "softlink"
				       : "hardlink");
		if (f->no_link)
			cda_buf_adds(paths, ", \"no_link\": true");
		if (!f->dir && !f->link)
			cda_buf_addf(paths, ", \"sha256\": \"%s\", \"size_in_bytes\": %zu",
				     f->sha256 ? f->sha256 : hex, len);
		if (f->prefix)
			cda_buf_addf(paths,
				     ", \"file_mode\": \"%s\", \"prefix_placeholder\": \"%s\"",
				     f->prefix, TPKG_PLACEHOLDER);
		cda_buf_addc(paths, '}');
		if (!f->dir)
			cda_buf_addf(files, "%s\n", f->path);
		if (f->prefix)
			cda_buf_addf(prefixes, "%s %s \"%s\"\n", TPKG_PLACEHOLDER, f->prefix,
				     f->path);
		if (f->no_link)
			cda_buf_addf(no_link, "%s\n", f->path);
	}
	cda_buf_adds(paths, "], \"paths_version\": 1}");
}

/* Writes the archive into the folder (made when missing); returns its owned path. */
static char *TPKG_UNUSED tpkg_write(const char *dir, const struct tpkg *pkg)
{
	CDA_AUTOBUF struct cda_buf index = CDA_BUF_INIT, paths = CDA_BUF_INIT, files = CDA_BUF_INIT,
				   prefixes = CDA_BUF_INIT, no_link = CDA_BUF_INIT,
				   link = CDA_BUF_INIT, out = CDA_BUF_INIT;
	CDA_AUTOFREE char *fn = tpkg_fn(pkg);
	CDA_AUTOFREE char *stem = cda_asprintf("%s-%s-%s", pkg->name, pkg->version, pkg->build);
	char *path = cda_path_join(dir, fn);
	struct tpkg_entry *entries;
	size_t n = 0;

	for (const struct tpkg_file *f = pkg->files; f && f->path; f++)
		n++;
	entries = cda_alloc0(n + 8, sizeof(*entries));
	cda_buf_addc(&index, '{');
	tpkg_index_members(pkg, &index);
	cda_buf_addc(&index, '}');
	tpkg_lists(pkg, &paths, &files, &prefixes, &no_link);
	n = 0;
	entries[n++] = (struct tpkg_entry){"info/index.json", .text = index.p};
	entries[n++] = (struct tpkg_entry){"info/about.json",
					   .text = "{\"license\": \"MIT\", \"summary\": \"test\"}"};
	entries[n++] = (struct tpkg_entry){"info/files", .text = files.p};
	if (!pkg->old_layout)
		entries[n++] = (struct tpkg_entry){"info/paths.json", .text = paths.p};
	if (prefixes.len)
		entries[n++] = (struct tpkg_entry){"info/has_prefix", .text = prefixes.p};
	if (no_link.len)
		entries[n++] = (struct tpkg_entry){"info/no_link", .text = no_link.p};
	if (pkg->noarch) {
		cda_buf_addf(&link, "{\"noarch\": {\"type\": \"%s\"", pkg->noarch);
		if (pkg->entry_points[0])
			tpkg_json_list(&link, "entry_points", pkg->entry_points,
				       CDA_LEN(pkg->entry_points));
		cda_buf_adds(&link, "}, \"package_metadata_version\": 1}");
		entries[n++] = (struct tpkg_entry){"info/link.json", .text = link.p};
	}
	for (const struct tpkg_file *f = pkg->files; f && f->path; f++)
		entries[n++] = (struct tpkg_entry){f->path,         .text = f->text,
						   .len = f->len,   .link = f->link,
						   .mode = f->mode, .type = f->dir ? AE_IFDIR : 0};
	if (pkg->bz2)
		tpkg_tar(entries, n, "bzip2", &out);
	else
		tpkg_conda(entries, n, stem, &out);
	free(entries);
	tpkg_write_file(path, out.p, out.len);
	return path;
}

/* Appends `"FN": {…}` for repodata.json of a package file that tpkg_write wrote. */
static void TPKG_UNUSED tpkg_repodata_entry(const char *path, const struct tpkg *pkg,
					    struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *fn = tpkg_fn(pkg);
	const char *extra = pkg->extra ? pkg->extra : "";
	char sha256[CDA_HASH_HEX_MAX], md5[CDA_HASH_HEX_MAX];
	struct cda_err err = {0};

	tpkg_must(cda_fs_read(AT_FDCWD, path, SIZE_MAX / 2, &text, &err), err);
	cda_hash_mem(CDA_SHA256, text.p, text.len, sha256);
	cda_hash_mem(CDA_MD5, text.p, text.len, md5);
	cda_buf_addf(out, "\"%s\": {", fn);
	tpkg_index_members(pkg, out);
	if (!strstr(extra, "\"size\""))
		cda_buf_addf(out, ", \"size\": %zu", text.len);
	if (!strstr(extra, "\"sha256\""))
		cda_buf_addf(out, ", \"sha256\": \"%s\"", sha256);
	if (!strstr(extra, "\"md5\""))
		cda_buf_addf(out, ", \"md5\": \"%s\"", md5);
	cda_buf_addf(out, "%s}", extra);
}

/* Writes repodata.json and repodata.json.zst of one subdir from the entries. */
static void TPKG_UNUSED tpkg_repodata(const char *dir, const char *subdir,
				      const struct cda_buf *packages, const struct cda_buf *conda)
{
	CDA_AUTOFREE char *json = cda_asprintf("%s/%s/repodata.json", dir, subdir);
	CDA_AUTOFREE char *zst = cda_asprintf("%s.zst", json);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, packed = CDA_BUF_INIT;
	struct cda_err err = {0};

	cda_buf_addf(&text,
		     "{\"info\": {\"subdir\": \"%s\"}, \"packages\": {%s}, \"packages.conda\": "
		     "{%s}, \"removed\": [], \"repodata_version\": 1}\n",
		     subdir, packages->p, conda->p);
	tpkg_must(cda_zst_compress(text.p, text.len, 3, &packed, &err), err);
	tpkg_write_file(json, text.p, text.len);
	tpkg_write_file(zst, packed.p, packed.len);
}

/* Writes a channel: the packages in their subdirs, and repodata of each of those, of this platform
 * and of noarch. */
static void TPKG_UNUSED tpkg_channel(const char *dir, const struct tpkg *pkgs, size_t n)
{
	CDA_AUTOSTRV struct cda_strv subdirs = {0};

	cda_strv_push(&subdirs, cda_platform_native());
	cda_strv_push(&subdirs, "noarch");
	for (size_t i = 0; i < n; i++)
		cda_strv_push(&subdirs, tpkg_subdir(&pkgs[i]));
	cda_strv_uniq(&subdirs);
	for (size_t s = 0; s < subdirs.n; s++) {
		CDA_AUTOBUF struct cda_buf old = CDA_BUF_INIT, conda = CDA_BUF_INIT;
		CDA_AUTOFREE char *subdir = cda_path_join(dir, subdirs.v[s]);

		for (size_t i = 0; i < n; i++) {
			struct cda_buf *list = pkgs[i].bz2 ? &old : &conda;

			if (strcmp(tpkg_subdir(&pkgs[i]), subdirs.v[s]) != 0)
				continue;
			CDA_AUTOFREE char *path = tpkg_write(subdir, &pkgs[i]);
			cda_buf_adds(list, list->len ? ", " : "");
			tpkg_repodata_entry(path, &pkgs[i], list);
		}
		tpkg_repodata(dir, subdirs.v[s], &old, &conda);
	}
}

#endif
