/* prefixes.h - a prefix in a scratch folder, packages unpacked from tables (package.h) beside it,
 * and transactions on them. Whatever goes wrong in the set-up ends the program.
 *
 *	struct tprefix t;
 *	tprefix_new(&t);
 *	tprefix_link(&t, &pkg);
 *	CHECK(tprefix_run(&t, &err) >= 0);
 *	CHECK_STR(tree = tprefix_tree(&t), "bin/hi 0755 '#!/bin/sh\n'\n");
 */
#ifndef TESTS_UNIT_PREFIXES_H
#define TESTS_UNIT_PREFIXES_H

#include "package.h"
#include "prefix/meta.h"
#include "prefix/txn.h"
#include "scratch.h"

#include <errno.h>

struct tprefix {
	struct scratch scratch;
	char *prefix, *pkgs, *conda_dir;
	struct cda_arena *arena;
	struct cda_plan plan;
	struct cda_txn_source sources[32];
	struct cda_txn txn;
	struct cda_buf events; /* a line for each warning and output */
	struct cda_events listener;
};

static struct cda_channel_config tprefix_config = {
	.channel_alias = "https://example.org", .cwd = "/", .home = "/nowhere"};

static void TPKG_UNUSED tprefix_event(void *ctx, const struct cda_event *event)
{
	struct tprefix *t = ctx;

	if (event->kind == CDA_EVENT_WARNING)
		cda_buf_addf(&t->events, "warning: %s\n", event->text);
	else if (event->kind == CDA_EVENT_OUTPUT)
		cda_buf_addf(&t->events, "output: %s\n", event->text);
	else if (event->kind == CDA_EVENT_FAILED)
		cda_buf_addf(&t->events, "failed: %s\n", event->text);
}

static void TPKG_UNUSED tprefix_settings(struct tprefix *t)
{
	t->txn = (struct cda_txn){
		.prefix = t->prefix,
		.root_prefix = "/opt/conda",
		.config = &tprefix_config,
		.plan = &t->plan,
		.sources = t->sources,
		.threads = 2,
		.history_cmd = "conda test",
		.history_version = "1.2.3",
		.history_date = "2026-01-02 03:04:05",
		.events = &t->listener,
	};
}

static void TPKG_UNUSED tprefix_new(struct tprefix *t)
{
	*t = (struct tprefix){.scratch = scratch_new(), .events = CDA_BUF_INIT};
	t->prefix = scratch_path(&t->scratch, "env");
	t->pkgs = scratch_path(&t->scratch, "pkgs");
	t->conda_dir = scratch_path(&t->scratch, "home/.conda");
	t->arena = cda_arena_new();
	t->listener = (struct cda_events){tprefix_event, t};
	tprefix_settings(t);
}

static void TPKG_UNUSED tprefix_done(struct tprefix *t)
{
	cda_plan_done(&t->plan);
	cda_arena_free(t->arena);
	cda_buf_done(&t->events);
	free(t->prefix);
	free(t->pkgs);
	free(t->conda_dir);
	scratch_done(&t->scratch);
}
#define AUTOTPREFIX CDA_CLEANUP(tprefix_done)

static void TPKG_UNUSED tprefix_put(const char *dir, const struct tpkg_file *file)
{
	CDA_AUTOFREE char *path = cda_path_join(dir, file->path);
	size_t len = file->len ? file->len : file->text ? strlen(file->text) : 0;
	struct cda_err err = {0};

	tpkg_must(cda_fs_mkparents(AT_FDCWD, path, 0755, &err), err);
	if (file->dir ? mkdir(path, 0755) != 0 : file->link && symlink(file->link, path) != 0)
		tpkg_die(path, strerror(errno));
	if (file->dir || file->link)
		return;
	tpkg_write_file(path, file->text ? file->text : "", len);
	if (chmod(path, file->mode ? file->mode : 0644) != 0)
		tpkg_die(path, strerror(errno));
}

/* The unpacked package below pkgs, made once; owned path. */
static TPKG_UNUSED char *tprefix_unpack(struct tprefix *t, const struct tpkg *pkg)
{
	char *dir = cda_asprintf("%s/%s-%s-%s", t->pkgs, pkg->name, pkg->version, pkg->build);
	CDA_AUTOBUF struct cda_buf index = CDA_BUF_INIT, paths = CDA_BUF_INIT, files = CDA_BUF_INIT,
				   prefixes = CDA_BUF_INIT, no_link = CDA_BUF_INIT,
				   link = CDA_BUF_INIT;

	if (cda_fs_exists(AT_FDCWD, dir))
		return dir;
	cda_buf_addc(&index, '{');
	tpkg_index_members(pkg, &index);
	cda_buf_addc(&index, '}');
	tpkg_lists(pkg, &paths, &files, &prefixes, &no_link);
	tprefix_put(dir, &(struct tpkg_file){"info/index.json", .text = index.p});
	tprefix_put(dir, &(struct tpkg_file){"info/files", .text = files.p});
	if (!pkg->old_layout)
		tprefix_put(dir, &(struct tpkg_file){"info/paths.json", .text = paths.p});
	if (prefixes.len)
		tprefix_put(dir, &(struct tpkg_file){"info/has_prefix", .text = prefixes.p});
	if (no_link.len)
		tprefix_put(dir, &(struct tpkg_file){"info/no_link", .text = no_link.p});
	if (pkg->noarch) {
		cda_buf_addf(&link, "{\"noarch\": {\"type\": \"%s\"", pkg->noarch);
		if (pkg->entry_points[0])
			tpkg_json_list(&link, "entry_points", pkg->entry_points,
				       CDA_LEN(pkg->entry_points));
		cda_buf_adds(&link, "}, \"package_metadata_version\": 1}");
		tprefix_put(dir, &(struct tpkg_file){"info/link.json", .text = link.p});
	}
	for (const struct tpkg_file *f = pkg->files; f && f->path; f++)
		tprefix_put(dir, f);
	return dir;
}

/* The record that repodata would have of it. */
static struct cda_record *TPKG_UNUSED tprefix_record(struct tprefix *t, const struct tpkg *pkg)
{
	struct cda_record *record = cda_arena_alloc0(t->arena, 1, sizeof(*record));
	CDA_AUTOFREE char *fn = tpkg_fn(pkg);
	size_t n = 0;

	while (n < CDA_LEN(pkg->depends) && pkg->depends[n])
		n++;
	*record = (struct cda_record){
		.name = pkg->name,
		.version = pkg->version,
		.build = pkg->build,
		.build_number = pkg->build_number,
		.channel = "https://example.org/chan",
		.channel_name = "chan",
		.subdir = tpkg_subdir(pkg),
		.fn = cda_arena_strdup(t->arena, fn),
		.url = cda_arena_printf(t->arena, "https://example.org/chan/%s/%s",
					tpkg_subdir(pkg), fn),
		.md5 = "0123456789abcdef0123456789abcdef",
		.sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.size = 1234,
		.timestamp = 1689260000000,
		.license = "MIT",
		.depends = {pkg->depends, n},
		.noarch_text = pkg->noarch,
		.noarch = !pkg->noarch                         ? CDA_NOARCH_NONE
			  : strcmp(pkg->noarch, "python") == 0 ? CDA_NOARCH_PYTHON
							       : CDA_NOARCH_GENERIC,
	};
	return record;
}

static void TPKG_UNUSED tprefix_link(struct tprefix *t, const struct tpkg *pkg)
{
	struct cda_record *record = tprefix_record(t, pkg);
	CDA_AUTOFREE char *dir = tprefix_unpack(t, pkg);

	if (t->plan.link.n == CDA_LEN(t->sources))
		tpkg_die("tprefix_link", "too many packages");
	t->sources[t->plan.link.n] = (struct cda_txn_source){
		.extracted_dir = cda_arena_strdup(t->arena, dir),
		.tarball = cda_arena_printf(t->arena, "%s/%s", t->pkgs, record->fn),
	};
	cda_records_push(&t->plan.link, record);
}

static void TPKG_UNUSED tprefix_unlink(struct tprefix *t, const struct tpkg *pkg)
{
	cda_records_push(&t->plan.unlink, tprefix_record(t, pkg));
}

/* Runs the plan, and is ready for the next. */
static int TPKG_UNUSED tprefix_run(struct tprefix *t, struct cda_err *err)
{
	int rc = cda_txn_run(&t->txn, err);

	cda_plan_done(&t->plan);
	t->plan = (struct cda_plan){0};
	return rc;
}

struct tprefix_walk {
	struct cda_buf *out;
	int dirfd;
};

static int TPKG_UNUSED tprefix_visit(void *ctx, const char *path, const struct stat *st)
{
	struct tprefix_walk *walk = ctx;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *link = NULL;
	struct cda_err err = {0};

	if (S_ISDIR(st->st_mode)) {
		cda_buf_addf(walk->out, "%s/ %04o\n", path, st->st_mode & 07777);
	} else if (S_ISLNK(st->st_mode)) {
		link = cda_fs_readlink(walk->dirfd, path);
		cda_buf_addf(walk->out, "%s -> %s\n", path, link ? link : "?");
	} else {
		tpkg_must(cda_fs_read(walk->dirfd, path, SIZE_MAX / 2, &text, &err), err);
		cda_buf_addf(walk->out, "%s %04o '%s'\n", path, st->st_mode & 07777, text.p);
	}
	return 0;
}

/* Everything below the folder in one owned text: names, modes, contents. "" when it is not there.
 */
static TPKG_UNUSED char *tprefix_tree_of(const char *dir)
{
	struct cda_buf out = CDA_BUF_INIT;
	struct tprefix_walk walk = {&out, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct cda_err err = {0};

	if (walk.dirfd < 0)
		return cda_buf_take(&out);
	tpkg_must(cda_fs_walk(walk.dirfd, ".", tprefix_visit, &walk, &err), err);
	close(walk.dirfd);
	return cda_buf_take(&out);
}

static TPKG_UNUSED char *tprefix_tree(struct tprefix *t)
{
	return tprefix_tree_of(t->prefix);
}

/* Owned; NULL when it is not there. */
static TPKG_UNUSED char *tprefix_read(struct tprefix *t, const char *path)
{
	CDA_AUTOFREE char *name = cda_path_join("env", path);

	return scratch_read(&t->scratch, name);
}

static bool TPKG_UNUSED tprefix_has(struct tprefix *t, const char *path)
{
	CDA_AUTOFREE char *name = cda_path_join("env", path);

	return scratch_has(&t->scratch, name);
}

#endif
