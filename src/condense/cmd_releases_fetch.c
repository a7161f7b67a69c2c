#include "condense/releases.h"
#include "condense/say.h"
#include "condense/signals.h"
#include "release/fetch.h"
#include "release/pinned.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"

#include <stdio.h>

#define TRUST_OPTIONS                                                                              \
	OPTION_BOOL("newest", struct cda_releases_opts, newest,                                    \
		    "what the mirrors have newest, pinned or not"),                                \
		OPTION_STR("sha256", struct cda_releases_opts, sha256, "HEX",                      \
			   "what a file must have that is not pinned"),                            \
		OPTION_BOOL("trust-listing", struct cda_releases_opts, trust_listing,              \
			    "believe the mirror's own hash of it")

static const struct cda_option resolve_options[] = {
	RELEASES_FILTERS,
	TRUST_OPTIONS,
	RELEASES_CLIENT,
	OPTION_END(),
};

static int resolve_run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_releases_run run = {0};
	struct cda_release release = {0};
	int rc = cda_releases_open(&run, &cda_releases_resolve, argc, argv, true, err);

	if (rc == 0)
		rc = cda_archive_resolve(run.archive, &run.want, &release, err);
	if (rc == 0) {
		cda_releases_print_one(&run, &release, NULL);
		if (!release.sha256[0] && !run.opts.quiet)
			fprintf(stderr, "note: it is not pinned: fetching it takes --sha256 or "
					"--trust-listing\n");
	}
	cda_releases_done_run(&run);
	return rc;
}

const struct cda_command cda_releases_resolve = {
	"releases resolve",
	"[--python X.Y] [--conda VERSION] [FILTER...] [NAME]",
	"the one release that is meant: the newest pinned one, else what the mirrors list",
	resolve_options,
	0,
	1,
	resolve_run};

static const struct cda_option fetch_options[] = {
	RELEASES_FILTERS,
	TRUST_OPTIONS,
	OPTION_STR("output", struct cda_releases_opts, output, "PATH", "a file, or a folder [.]"),
	RELEASES_CLIENT,
	OPTION_END(),
};

/* Owned: PATH, or the release's own name in the folder PATH, which a last slash makes one. */
static int place(const char *output, const struct cda_release *release, char **ret_path,
		 struct cda_err *err)
{
	char name[CDA_RELEASE_NAME_MAX];
	int rc = 0;

	cda_release_name_format(&release->name, name);
	if (!output || !output[0]) {
		*ret_path = cda_strdup(name);
		return 0;
	}
	if (cda_ends_with(output, "/"))
		rc = cda_fs_mkdirs(AT_FDCWD, output, 0777, err);
	if (rc < 0)
		return rc;
	*ret_path =
		cda_fs_is_dir(AT_FDCWD, output) ? cda_path_join(output, name) : cda_strdup(output);
	return 0;
}

static int refuse(const struct cda_release *release, const struct cda_archive_want *want,
		  struct cda_err *err)
{
	char name[CDA_RELEASE_NAME_MAX];

	cda_release_name_format(&release->name, name);
	if (want->trust_listing) {
		cda_err_set(err, CDA_E_CHECKSUM, "no mirror lists a sha256 for '%s'", name);
		return cda_err_hint(err, "--sha256 HEX gives the one that it must have");
	}
	cda_err_set(err, CDA_E_CHECKSUM, "'%s' is not pinned, so nothing tells its right bytes",
		    name);
	return cda_err_hint(err, "--sha256 HEX gives the hash that it must have; --trust-listing "
				 "believes the mirror's own list");
}

static void tell(const struct cda_releases_run *run, const struct cda_release *release,
		 const struct cda_fetched *fetched)
{
	char name[CDA_RELEASE_NAME_MAX];

	if (run->opts.quiet)
		return;
	if (run->drawn)
		fputs("\r\033[K", stderr);
	cda_release_name_format(&release->name, name);
	fprintf(stderr, "%s: %.1f MB %s%s, sha256 %s\n", name, (double)fetched->bytes / 1e6,
		fetched->from == CDA_FETCHED_PLACE   ? "were there"
		: fetched->from == CDA_FETCHED_CACHE ? "from the cache"
						     : "from ",
		fetched->from == CDA_FETCHED_MIRROR && fetched->url ? fetched->url : "",
		release->pinned            ? "as pinned"
		: run->want.sha256 != NULL ? "as given"
					   : "as the mirror lists it");
}

static int fetch_run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_releases_run run = {0};
	struct cda_release release = {0};
	struct cda_fetched fetched = {0};
	CDA_AUTOFREE char *path = NULL;
	int rc = cda_releases_open(&run, &cda_releases_fetch, argc, argv, true, err);

	cda_condense_catch_signals();
	if (rc == 0)
		rc = cda_archive_resolve(run.archive, &run.want, &release, err);
	if (rc == 0 && !release.sha256[0])
		rc = refuse(&release, &run.want, err);
	if (rc == 0)
		rc = place(run.opts.output, &release, &path, err);
	if (rc == 0)
		rc = cda_archive_fetch(run.archive, &release, path, &fetched, err);
	if (rc == 0) {
		tell(&run, &release, &fetched);
		run.drawn = false;
		release.size = fetched.bytes;
		cda_releases_print_one(&run, &release, path);
	}
	cda_fetched_done(&fetched);
	cda_releases_done_run(&run);
	return rc;
}

const struct cda_command cda_releases_fetch = {
	"releases fetch",
	"--python X.Y --conda VERSION [--output PATH] | NAME [--output PATH]",
	"download a release whose sha256 is known, and print where it lies",
	fetch_options,
	0,
	1,
	fetch_run};

static const struct cda_option verify_options[] = {
	OPTION_STR("sha256", struct cda_releases_opts, sha256, "HEX", "what the file must have"),
	OPTION_BOOL("json", struct cda_releases_opts, json, "the result as JSON"),
	OPTION_BOOL("quiet", struct cda_releases_opts, quiet, "the exit status alone"),
	OPTION_END(),
};

/* The hash decides, then the name: a pinned file under another release's name is wrong. */
static int verify(const struct cda_releases_opts *opts, const char *path, char **ret_text,
		  char got[CDA_HASH_HEX_MAX], struct cda_err *err)
{
	struct cda_release pin, other;
	struct cda_release_name name;
	char text[CDA_RELEASE_NAME_MAX];
	bool named = cda_release_name_parse(cda_str(cda_path_basename(path)), &name) &&
		     cda_pinned_find(&name, &pin);
	const char *want = opts->sha256 ? opts->sha256 : named ? pin.sha256 : NULL;
	int rc;

	if (opts->sha256 && !cda_hash_is_hex(CDA_SHA256, opts->sha256))
		return cda_err_set(err, CDA_E_USAGE, "'%s' is no sha256", opts->sha256);
	rc = cda_hash_file(CDA_SHA256, AT_FDCWD, path, got, err);
	if (rc < 0)
		return rc;
	if (want && !cda_hash_eq(got, want))
		return cda_err_set(err, CDA_E_CHECKSUM,
				   "'%s' is damaged or another file: sha256 is "
				   "%s, expected %s",
				   path, got, want);
	if (!want && !cda_pinned_find_hash(got, &other)) {
		cda_err_set(err, CDA_E_CHECKSUM, "'%s' is no pinned release: sha256 is %s", path,
			    got);
		return cda_err_hint(err, "--sha256 HEX compares with a hash of your own");
	}
	if (!want)
		cda_release_name_format(&other.name, text);
	*ret_text = want ? cda_strdup(opts->sha256 ? "sha256 as given" : "sha256 as pinned")
			 : cda_asprintf("pinned as %s", text);
	return 0;
}

static int verify_run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_releases_opts opts = {0};
	CDA_AUTOSTRV struct cda_strv words = {0};
	CDA_AUTOBUF struct cda_buf json = CDA_BUF_INIT;
	int rc = cda_option_parse(&cda_releases_verify, argc, argv, &opts, &words, err);
	int first = rc;

	for (size_t i = 0; rc != -CDA_E_USAGE && i < words.n; i++) {
		struct cda_err one = {0};
		CDA_AUTOFREE char *text = NULL;
		char got[CDA_HASH_HEX_MAX] = "";

		rc = verify(&opts, words.v[i], &text, got, &one);
		cda_buf_adds(&json, i == 0 ? "[\n  {\"file\": " : ",\n  {\"file\": ");
		cda_json_quote(words.v[i], &json);
		cda_buf_addf(&json, ", \"ok\": %s, \"sha256\": ", rc == 0 ? "true" : "false");
		cda_json_quote(got, &json);
		cda_buf_adds(&json, ", \"text\": ");
		cda_json_quote(rc == 0 ? text : one.msg, &json);
		cda_buf_addc(&json, '}');
		if (rc == 0 && !opts.json && !opts.quiet)
			printf("%s: ok, %s\n", words.v[i], text);
		if (rc < 0 && first < 0)
			cda_say("condense: ", one.msg);
		else if (rc < 0) {
			first = rc;
			cda_err_move(err, &one);
		}
		cda_err_done(&one);
	}
	if (opts.json && first != -CDA_E_USAGE)
		printf("%s\n]\n", json.p);
	return first;
}

const struct cda_command cda_releases_verify = {"releases verify",
						"[--sha256 HEX] FILE...",
						"compare files with the pinned hashes",
						verify_options,
						1,
						10000,
						verify_run};
