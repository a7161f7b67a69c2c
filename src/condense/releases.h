/* releases.h - what the subcommands of `condense releases` share. */
#ifndef CDA_CONDENSE_RELEASES_H
#define CDA_CONDENSE_RELEASES_H

#include "condense/cmds.h"
#include "release/archive.h"
#include "release/mirrors.h"

struct cda_releases_opts {
	const char *product, *python, *conda, *release, *arch;
	const char *sha256, *output, *cache;
	struct cda_strv mirrors;
	int64_t timeout, retries;
	bool newest, all, check, offline, trust_listing, json, quiet;
};

#define RELEASES_FILTERS                                                                           \
	OPTION_STR("product", struct cda_releases_opts, product, "NAME",                           \
		   "Miniconda3, Miniforge3 or Condense3"),                                         \
		OPTION_STR("python", struct cda_releases_opts, python, "X.Y", "its Python"),       \
		OPTION_STR("conda", struct cda_releases_opts, conda, "VERSION",                    \
			   "its conda, as 26.5.3, or a release"),                                  \
		OPTION_STR("release", struct cda_releases_opts, release, "RELEASE",                \
			   "the whole release, as 26.5.3-1"),                                      \
		OPTION_STR("arch", struct cda_releases_opts, arch, "ARCH",                         \
			   "machine, as x86_64 or linux/arm64")

#define RELEASES_CLIENT                                                                            \
	OPTION_LIST("mirror", struct cda_releases_opts, mirrors, "URL",                            \
		    "ask here, may be repeated [CONDA_MIRRORS]"),                                  \
		OPTION_STR("cache", struct cda_releases_opts, cache, "DIR",                        \
			   "keep lists and files there [CONDENSE_CACHE]"),                         \
		OPTION_BOOL("offline", struct cda_releases_opts, offline,                          \
			    "use only the cache and file:// mirrors"),                             \
		OPTION_INT("timeout", struct cda_releases_opts, timeout, "SECONDS",                \
			   "without a byte, then the next mirror [60]"),                           \
		OPTION_INT("retries", struct cda_releases_opts, retries, "N",                      \
			   "times to go through the mirrors again [3]"),                           \
		OPTION_BOOL("json", struct cda_releases_opts, json, "the result as JSON"),         \
		OPTION_BOOL("quiet", struct cda_releases_opts, quiet, "no progress, no chat")

/* Options, words and the client of one run. Zero it; done in every case. */
struct cda_releases_run {
	struct cda_releases_opts opts;
	struct cda_strv words;
	struct cda_mirrors mirrors;
	char *cache;
	struct cda_archive *archive;
	struct cda_archive_want want;
	bool drawn; /* a progress line stands there */
};

/* Parses and opens the client. arch: without --arch only this machine's. */
int cda_releases_open(struct cda_releases_run *run, const struct cda_command *command, int argc,
		      char *const *argv, bool arch, struct cda_err *err) CDA_CHECK;
void cda_releases_done_run(struct cda_releases_run *run);

/* On stdout: a table on a terminal, else a line per release (name, sha256, size, date and
 * "pinned", "listed" or "unknown", with tabs between), or a JSON list. */
void cda_releases_print(const struct cda_releases_run *run, const struct cda_releases *list);
/* The same of one release; file (may be NULL): where it lies. JSON is an object. */
void cda_releases_print_one(const struct cda_releases_run *run, const struct cda_release *release,
			    const char *file);
/* The members of a release in a JSON object, without the braces. */
void cda_releases_json(const struct cda_release *release, struct cda_buf *out);

extern const struct cda_command cda_releases_list, cda_releases_resolve, cda_releases_fetch,
	cda_releases_verify, cda_releases_mirrors;

#endif
