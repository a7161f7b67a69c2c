#include "client/pypi.h"

#include "prefix/meta.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/str.h"

void cda_pypi_normalize(char *name)
{
	char *to = name;

	for (const char *p = name; *p; p++) {
		if (*p == '-' || *p == '_' || *p == '.') {
			if (to == name || to[-1] != '-')
				*to++ = '-';
		} else {
			*to++ = cda_lower(*p);
		}
	}
	*to = '\0';
}

/* Value of a header of METADATA or PKG-INFO: the first "Name: value" before the blank line. */
static char *header(const struct cda_buf *text, const char *name)
{
	struct cda_str rest = cda_buf_str(text), line;
	size_t len = strlen(name);

	while (cda_str_cut(&rest, "\n", &line)) {
		if (cda_str_trim(line).len == 0)
			return NULL;
		if (line.len > len + 1 && memcmp(line.p, name, len) == 0 && line.p[len] == ':')
			return cda_str_dup(cda_str_trim(
				(struct cda_str){line.p + len + 1, line.len - len - 1}));
	}
	return NULL;
}

static bool word_is_good(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (!cda_is_alnum(*p) && !strchr("-_.+!", *p))
			return false;
	}
	return text[0] != '\0';
}

static void add_dist(int dirfd, const char *site, const char *folder, struct cda_arena *arena,
		     struct cda_map *names, struct cda_records *records)
{
	const char *file = cda_ends_with(folder, ".dist-info") ? "METADATA" : "PKG-INFO";
	CDA_AUTOFREE char *path = cda_asprintf("%s/%s/%s", site, folder, file);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err ignored = {0};
	struct cda_record *record;
	CDA_AUTOFREE char *name = NULL;
	CDA_AUTOFREE char *version = NULL;

	if (cda_fs_read(dirfd, path, 4 << 20, &text, &ignored) < 0) {
		cda_err_done(&ignored);
		return;
	}
	name = header(&text, "Name");
	version = header(&text, "Version");
	if (!name || !version || !word_is_good(name) || !word_is_good(version))
		return;
	cda_pypi_normalize(name);
	if (cda_map_has(names, name))
		return;
	record = cda_arena_alloc0(arena, 1, sizeof(*record));
	record->name = cda_arena_strdup(arena, name);
	record->version = cda_arena_strdup(arena, version);
	record->build = "pypi_0";
	record->channel = record->channel_name = "pypi";
	record->subdir = "pypi";
	record->fn = cda_arena_printf(arena, "%s-%s-pypi_0", name, version);
	cda_map_set(names, name, record);
	cda_records_push(records, record);
}

/* The folder that holds the packages: lib/pythonX.Y/site-packages of the conda python. */
static char *site_packages(const char *prefix, const struct cda_meta *meta)
{
	const struct cda_installed *python = cda_meta_find(meta, "python");
	const char *version = python ? python->record.version : NULL;
	const char *dot = version ? strchr(version, '.') : NULL;
	size_t minor = dot ? strcspn(dot + 1, ".") : 0;

	if (!dot)
		return NULL;
	if (python->record.python_site_packages_path &&
	    cda_fs_path_is_inside(python->record.python_site_packages_path))
		return cda_path_join(prefix, python->record.python_site_packages_path);
	return cda_asprintf("%s/lib/python%.*s/site-packages", prefix,
			    (int)(dot - version + 1 + (long)minor), version);
}

void cda_pypi_records(const char *prefix, const struct cda_meta *meta, struct cda_arena *arena,
		      struct cda_records *records)
{
	CDA_AUTOFREE char *site = site_packages(prefix, meta);
	CDA_CLEANUP(cda_map_freep) struct cda_map *owned = cda_map_new();
	CDA_CLEANUP(cda_map_freep) struct cda_map *names = cda_map_new();
	CDA_AUTOSTRV struct cda_strv folders = {0};
	struct cda_err ignored = {0};

	if (!site || cda_fs_list(AT_FDCWD, site, &folders, &ignored) < 0) {
		cda_err_done(&ignored);
		return;
	}
	for (size_t i = 0; i < cda_meta_count(meta); i++) {
		const struct cda_installed *installed = cda_meta_at(meta, i);

		for (size_t k = 0; k < installed->files.n; k++) {
			const char *file = installed->files.v[k];
			const char *info = strstr(file, "-info/");
			const char *start = info;

			/* The folder's own name: what stands between two slashes. */
			while (start && start > file && start[-1] != '/')
				start--;
			if (info) {
				CDA_AUTOFREE char *folder =
					cda_strndup(start, (size_t)(info - start) + 5);

				cda_map_set(owned, folder, NULL);
			}
		}
	}
	for (size_t i = 0; i < folders.n; i++) {
		const char *folder = folders.v[i];

		if ((cda_ends_with(folder, ".dist-info") || cda_ends_with(folder, ".egg-info")) &&
		    !cda_map_has(owned, folder))
			add_dist(AT_FDCWD, site, folder, arena, names, records);
	}
}
