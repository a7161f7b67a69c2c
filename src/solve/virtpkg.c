/* virtpkg.c - what the machine offers as virtual packages. The programs are static, so the
 * machine's C library is asked by looking at its file, not by calling it. */
#include "solve/virtpkg.h"

#include "core/platform.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>
#include <sys/utsname.h>

enum { MAX_LIBC = 64 << 20 };

struct cda_record *cda_virtpkg_record(struct cda_arena *arena, const char *name,
				      const char *version, const char *build)
{
	struct cda_record *record = cda_arena_alloc0(arena, 1, sizeof(*record));

	record->name = cda_arena_strdup(arena, name);
	record->version = cda_arena_strdup(arena, version);
	record->build = cda_arena_strdup(arena, build);
	record->channel = record->channel_name = "@";
	record->subdir = cda_platform_native();
	record->fn = record->name;
	record->is_virtual = true;
	return record;
}

static void add(struct cda_records *out, struct cda_arena *arena, const char *name,
		const char *version, const char *build)
{
	cda_records_push(out, cda_virtpkg_record(arena, name, version, build));
}

/* The number behind the last `mark` at the start of which text looks like "2.36"; into the arena.
 */
static const char *number_at(struct cda_arena *arena, const char *p)
{
	size_t len = strspn(p, "0123456789.");

	while (len > 0 && p[len - 1] == '.')
		len--;
	return len > 0 && cda_is_digit(p[0]) ? cda_arena_strndup(arena, p, len) : NULL;
}

/* glibc names itself in its library: "GNU C Library (…) stable release version 2.36." */
static const char *version_in_libc(struct cda_arena *arena, const char *root, const char *path)
{
	static const char mark[] = " release version ";
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *full = cda_path_join(root, path);
	struct cda_err ignored = {0};
	const char *name, *at = NULL;

	if (cda_fs_read(AT_FDCWD, full, MAX_LIBC, &text, &ignored) == 0) {
		name = memmem(text.p, text.len, "GNU C Library", strlen("GNU C Library"));
		if (name) {
			size_t rest = text.len - (size_t)(name - text.p);

			at = memmem(name, rest < 256 ? rest : 256, mark, strlen(mark));
		}
	}
	cda_err_done(&ignored);
	return at ? number_at(arena, at + strlen(mark)) : NULL;
}

static const char *probe_glibc(struct cda_arena *arena, const char *root)
{
	static const char *const paths[] = {"lib/x86_64-linux-gnu/libc.so.6",
					    "lib/aarch64-linux-gnu/libc.so.6",
					    "lib64/libc.so.6",
					    "usr/lib64/libc.so.6",
					    "usr/lib/libc.so.6",
					    "lib/libc.so.6",
					    "usr/glibc-compat/lib/libc.so.6"};

	for (size_t i = 0; i < CDA_LEN(paths); i++) {
		const char *version = version_in_libc(arena, root, paths[i]);

		if (version)
			return version;
	}
	return NULL;
}

static const char *probe_linux(struct cda_arena *arena)
{
	struct utsname names;

	return uname(&names) == 0 ? number_at(arena, names.release) : NULL;
}

static const char *archspec_of(const char *subdir)
{
	static const char *const table[][2] = {{"-64", "x86_64"},       {"-32", "x86"},
					       {"-aarch64", "aarch64"}, {"-arm64", "arm64"},
					       {"-ppc64le", "ppc64le"}, {"-ppc64", "ppc64"},
					       {"-s390x", "s390x"},     {"-armv7l", "armv7l"},
					       {"-armv6l", "armv6l"},   {"-riscv64", "riscv64"}};

	for (size_t i = 0; i < CDA_LEN(table); i++)
		if (cda_ends_with(subdir, table[i][0]))
			return table[i][1];
	return NULL;
}

/* The override where there is one, else what was probed; NULL: absent. */
static const char *choose(const char *override, const char *probed)
{
	if (!override)
		return probed;
	return *override ? override : NULL;
}

void cda_virtpkg_detect(const struct cda_virtpkg_config *config, struct cda_arena *arena,
			struct cda_records *out)
{
	const char *subdir = config->subdir ? config->subdir : cda_platform_native();
	const char *root = config->root ? config->root : "/";
	bool is_linux = cda_starts_with(subdir, "linux-"), osx = cda_starts_with(subdir, "osx-");
	bool win = cda_starts_with(subdir, "win-");
	const char *version;

	if (is_linux || osx)
		add(out, arena, "__unix", "0", "0");
	version = is_linux ? choose(config->linux_, probe_linux(arena)) : NULL;
	if (version)
		add(out, arena, "__linux", version, "0");
	version = is_linux ? choose(config->glibc, config->glibc ? NULL : probe_glibc(arena, root))
			   : NULL;
	if (version)
		add(out, arena, "__glibc", version, "0");
	version = osx ? choose(config->osx, NULL) : NULL;
	if (version)
		add(out, arena, "__osx", version, "0");
	version = win ? choose(config->win, "0") : NULL;
	if (version)
		add(out, arena, "__win", version, "0");
	version = choose(config->cuda, NULL);
	if (version)
		add(out, arena, "__cuda", version, "0");
	version = choose(config->archspec, archspec_of(subdir));
	if (version)
		add(out, arena, "__archspec", "1", version);
}
