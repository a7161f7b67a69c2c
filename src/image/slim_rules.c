/* The rules of slim.h that look at names and places, and what no rule may take. */
#include "image/slim_impl.h"

#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>

#define ROW(rule, scope, pattern)                                                                  \
	{                                                                                          \
		CDA_SLIM_##rule, scope, pattern, NULL, NULL                                        \
	}

/* Names with other uses (.pdb is a protein's, too) are told by the first bytes. Of logs, those
 * that programs want to find with their modes stay. */
static const struct cda_slim_row rows[] = {
	{CDA_SLIM_STATIC, ANYWHERE, "**/*.a", "!<arch>\n", NULL},
	{CDA_SLIM_STATIC, ANYWHERE, "**/*.a", "!<thin>\n", NULL},
	{CDA_SLIM_STATIC, ANYWHERE, "**/*.la", "# ", "libtool"},
	{CDA_SLIM_MAPS, ANYWHERE, "**/*.pdb", "Microsoft C/C++ MSF", NULL},
	ROW(MAPS, ANYWHERE, "**/*.js.map"),
	ROW(MAPS, ANYWHERE, "**/*.mjs.map"),
	ROW(MAPS, ANYWHERE, "**/*.cjs.map"),
	ROW(MAPS, ANYWHERE, "**/*.css.map"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/test/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/idlelib/idle_test/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/lib2to3/tests/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/ctypes/test/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/distutils/tests/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/sqlite3/test/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/tkinter/test/**"),
	ROW(TESTS, IN_PREFIX, "lib/python[23]*/unittest/test/**"),
	ROW(DOCS, IN_PREFIX, "share/doc/**"),
	ROW(DOCS, IN_PREFIX, "share/gtk-doc/**"),
	ROW(DOCS, IN_PREFIX, "share/info/**"),
	ROW(DOCS, IN_PREFIX, "share/man/**"),
	ROW(DOCS, IN_PREFIX, "man/**"),
	ROW(DOCS, IN_ROOT, "usr/share/doc/**"),
	ROW(DOCS, IN_ROOT, "usr/share/gtk-doc/**"),
	ROW(DOCS, IN_ROOT, "usr/share/info/**"),
	ROW(DOCS, IN_ROOT, "usr/share/man/**"),
	ROW(DOCS, IN_ROOT, "usr/local/share/doc/**"),
	ROW(DOCS, IN_ROOT, "usr/local/share/info/**"),
	ROW(DOCS, IN_ROOT, "usr/local/share/man/**"),
	ROW(DOCS, IN_ROOT, "usr/local/man/**"),
	ROW(CACHES, IN_PREFIX, "pkgs/**"),
	ROW(CACHES, IN_ROOT, "var/lib/apt/lists/**"),
	ROW(CACHES, IN_ROOT, "var/cache/apt/**"),
	ROW(CACHES, IN_ROOT, "var/cache/apk/**"),
	ROW(CACHES, IN_ROOT, "var/cache/ldconfig/**"),
	ROW(CACHES, IN_ROOT, "var/cache/man/**"),
	ROW(CACHES, IN_ROOT, "var/cache/debconf/*-old"),
	ROW(CACHES, IN_ROOT, "var/lib/dpkg/*-old"),
	ROW(CACHES, IN_ROOT, "var/log/**"),
	ROW(CACHES, IN_ROOT, "root/.cache/pip/**"),
	ROW(CACHES, IN_ROOT, "root/.cache/uv/**"),
	ROW(CACHES, IN_ROOT, "root/.npm/_cacache/**"),
	ROW(CACHES, IN_ROOT, "root/.conda/pkgs/**"),
	ROW(CACHES, IN_ROOT, "home/*/.cache/pip/**"),
	ROW(CACHES, IN_ROOT, "home/*/.cache/uv/**"),
	ROW(CACHES, IN_ROOT, "home/*/.npm/_cacache/**"),
	ROW(CACHES, IN_ROOT, "home/*/.conda/pkgs/**"),
};

/* No link of a compiler works without its own archives; the accounting files are not remade. */
static const char *const spared[] = {
	"**/lib/gcc/**",    "**/sysroot/**",          "**/*_nonshared.a",
	"**/conda-meta/**", "var/lib/apt/lists/lock", "var/cache/apt/archives/lock",
	"var/log/wtmp",     "var/log/btmp",           "var/log/lastlog",
};

static const char *const licences[] = {"licen[cs]e*", "copying*", "copyright*", "notice*",
				       "unlicense*",  "patents*", "authors*",   "eula*"};

static bool match_parts(const char *pattern, const char *path)
{
	for (;;) {
		size_t n = strcspn(pattern, "/"), m = strcspn(path, "/");

		if (n == 2 && pattern[0] == '*' && pattern[1] == '*') {
			if (!pattern[2])
				return *path;
			/* any number of parts: none, or one more */
			for (pattern += 3;; path += m + 1) {
				if (match_parts(pattern, path))
					return true;
				m = strcspn(path, "/");
				if (!path[m])
					return false;
			}
		}
		CDA_AUTOFREE char *want = cda_strndup(pattern, n);
		CDA_AUTOFREE char *have = cda_strndup(path, m);

		if (!cda_glob_match(want, have))
			return false;
		if (!pattern[n] || !path[m])
			return !pattern[n] && !path[m];
		pattern += n + 1;
		path += m + 1;
	}
}

bool cda_slim_match(const char *pattern, const char *path)
{
	return match_parts(pattern, path);
}

bool cda_slim_pattern(const char *pattern, const char *path)
{
	CDA_AUTOFREE char *text = NULL;
	CDA_AUTOFREE char *below = NULL;
	size_t len;

	while (pattern[0] == '/')
		pattern++;
	len = strlen(pattern);
	while (len > 0 && pattern[len - 1] == '/')
		len--;
	text = cda_strndup(pattern, len);
	if (!*text)
		return false;
	if (!strchr(text, '/')) {
		struct cda_str rest = cda_str(path), part;

		while (cda_str_cut(&rest, "/", &part)) {
			CDA_AUTOFREE char *name = cda_str_dup(part);

			if (cda_glob_match(text, name))
				return true;
		}
		return false;
	}
	below = cda_asprintf("%s/**", text);
	return match_parts(text, path) || match_parts(below, path);
}

bool cda_slim_is_licence(const char *path)
{
	CDA_AUTOFREE char *name = cda_strdup(cda_path_basename(path));

	cda_lower_inplace(name);
	for (size_t i = 0; i < CDA_LEN(licences); i++)
		if (cda_glob_match(licences[i], name))
			return true;
	return false;
}

static bool is_spared(const char *path)
{
	for (size_t i = 0; i < CDA_LEN(spared); i++)
		if (match_parts(spared[i], path))
			return true;
	return false;
}

const struct cda_slim_row *cda_slim_row(const char *path, const char *in_prefix, unsigned rules)
{
	if (is_spared(path))
		return NULL;
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		const struct cda_slim_row *row = &rows[i];
		const char *where = path;

		if (!(rules & 1u << row->rule) || (row->scope == IN_ROOT && in_prefix) ||
		    (row->scope == IN_PREFIX && !in_prefix))
			continue;
		if (row->scope == IN_PREFIX)
			where = in_prefix;
		if (match_parts(row->pattern, where) &&
		    !(row->rule == CDA_SLIM_DOCS && cda_slim_is_licence(where)))
			return row;
	}
	return NULL;
}

/* Does the file begin as the row wants it to? A file that cannot be read does not. */
static bool has_magic(const struct cda_slim *slim, const struct cda_slim_file *file,
		      const struct cda_slim_row *row)
{
	char head[256];
	ssize_t n = 0;

	if (!row->magic)
		return true;
	CDA_AUTOCLOSE int fd = cda_slim_open(slim, file);
	if (fd >= 0)
		n = read(fd, head, sizeof(head));
	return n >= (ssize_t)strlen(row->magic) &&
	       memcmp(head, row->magic, strlen(row->magic)) == 0 &&
	       (!row->has || memmem(head, (size_t)n, row->has, strlen(row->has)));
}

/* The rows with another magic for the same name are asked too. */
static bool row_takes(const struct cda_slim *slim, const struct cda_slim_file *file,
		      const struct cda_slim_row *row)
{
	for (const struct cda_slim_row *r = row; r < rows + CDA_LEN(rows); r++)
		if (cda_streq(r->pattern, row->pattern) && has_magic(slim, file, r))
			return true;
	return false;
}

/* Files of an environment may be links into the package cache: then the cache is no cache. */
static bool cache_is_used(const struct cda_slim *slim, const struct cda_slim_file *file)
{
	const char *prefix = slim->prefixes.v[file->prefix - 1];
	CDA_AUTOFREE char *pkgs = cda_asprintf("%s%spkgs/", prefix, *prefix ? "/" : "");

	cda_vec_each (link, &slim->files) {
		CDA_AUTOFREE char *target = NULL;
		const char *at;

		if (!S_ISLNK(link->st.st_mode) || cda_starts_with(link->path, pkgs))
			continue;
		target = cda_fs_readlink(slim->fd, link->path);
		at = target ? strstr(target, "/pkgs/") : NULL;
		if (at || (target && cda_starts_with(target, "pkgs/")))
			return true;
	}
	return false;
}

/* Index of the file that a link names, by text; NULL where there is none below the root. */
static struct cda_slim_file *target_of(const struct cda_slim *slim,
				       const struct cda_slim_file *link)
{
	CDA_AUTOFREE char *target = cda_fs_readlink(slim->fd, link->path);
	CDA_AUTOFREE char *folder = cda_path_dirname(link->path);
	CDA_AUTOFREE char *joined = NULL;
	CDA_AUTOFREE char *normal = NULL;

	if (!target)
		return NULL;
	joined = target[0] == '/' ? cda_strdup(target) : cda_asprintf("/%s/%s", folder, target);
	normal = cda_path_normal(joined, "/", NULL);
	return cda_slim_find(slim, normal + 1);
}

/* A cache of packages goes as a whole or not at all: conda compares what is in it with the lists of
 * the packages. */
static bool takes_cache(const struct cda_slim_file *file, const struct cda_slim_row *row,
			const bool *used)
{
	return !file->is_cache || (row->rule == CDA_SLIM_CACHES && !used[file->prefix - 1]);
}

/* A link goes with what it names; what a link of another kind names stays. */
static void settle_links(struct cda_slim *slim, const bool *used)
{
	for (bool again = true; again;) {
		again = false;
		cda_vec_each (link, &slim->files) {
			const struct cda_slim_row *row;
			struct cda_slim_file *target;

			if (!S_ISLNK(link->st.st_mode) || link->is_fixed || link->act)
				continue;
			row = cda_slim_row(link->path, cda_slim_in_prefix(slim, link),
					   slim->options->rules);
			if (!row || !takes_cache(link, row, used))
				continue;
			target = target_of(slim, link);
			if (!row->magic || (target && target->act == CDA_SLIM_REMOVE)) {
				cda_slim_mark(link, CDA_SLIM_REMOVE, row->rule);
				again = true;
			}
		}
	}
	for (bool again = true; again;) {
		again = false;
		cda_vec_each (link, &slim->files) {
			struct cda_slim_file *target;

			if (!S_ISLNK(link->st.st_mode) || link->act == CDA_SLIM_REMOVE)
				continue;
			target = target_of(slim, link);
			if (!target || target->act != CDA_SLIM_REMOVE)
				continue;
			cda_strv_pushf(&slim->report->notes, "%s: '%s' leads to it", target->path,
				       link->path);
			target->act = CDA_SLIM_LEAVE;
			again = true;
		}
	}
}

int cda_slim_apply_rules(struct cda_slim *slim, struct cda_err *err)
{
	bool *used = cda_alloc0(slim->prefixes.n + 1, sizeof(*used));
	int rc;

	for (size_t i = 0; cda_slim_wants(slim, CDA_SLIM_CACHES) && i < slim->prefixes.n; i++) {
		struct cda_slim_file any = {.prefix = i + 1};

		used[i] = cache_is_used(slim, &any);
		if (used[i])
			cda_strv_pushf(&slim->report->notes,
				       "%s%spkgs: files of environments are links into it",
				       slim->prefixes.v[i], *slim->prefixes.v[i] ? "/" : "");
	}
	cda_vec_each (file, &slim->files) {
		const char *in_prefix = cda_slim_in_prefix(slim, file);
		const struct cda_slim_row *row;

		if (!S_ISREG(file->st.st_mode) || file->is_fixed)
			continue;
		row = cda_slim_row(file->path, in_prefix, slim->options->rules);
		if (!row || !takes_cache(file, row, used) || !row_takes(slim, file, row))
			continue;
		cda_slim_mark(file, CDA_SLIM_REMOVE, row->rule);
	}
	rc = cda_slim_mark_tests(slim, err);
	if (rc >= 0) {
		settle_links(slim, used);
		cda_slim_mark_bytecode(slim);
	}
	free(used);
	return rc < 0 ? rc : 0;
}
