#include "condense/releases.h"
#include "condense/say.h"
#include "release/pinned.h"
#include "util/json.h"
#include "util/url.h"

#include <stdio.h>

static const struct cda_option list_options[] = {
	RELEASES_FILTERS,
	OPTION_BOOL("newest", struct cda_releases_opts, newest,
		    "only the newest of each product, Python and machine"),
	OPTION_BOOL("all", struct cda_releases_opts, all, "what all mirrors list, not the first"),
	RELEASES_CLIENT,
	OPTION_END(),
};

static void chat(const struct cda_releases_run *run, size_t n, const char *url, const char *how)
{
	CDA_AUTOFREE char *safe = cda_url_safe(url);

	if (isatty(STDOUT_FILENO) == 1 && !run->opts.quiet)
		fprintf(stderr, "%zu listed by %s (%s)\n", n, safe, how);
}

/* The mirrors in order up to the first that has one of what is wanted. Offline our own table is
 * one more list. */
static int gather(struct cda_releases_run *run, struct cda_releases *list, struct cda_err *err)
{
	const struct cda_strv *urls = &run->mirrors.urls;
	size_t failed = 0;
	bool found = false;

	for (size_t i = 0; i < urls->n && (!found || run->opts.all || run->opts.offline); i++) {
		CDA_AUTOFREE char *how = NULL;
		struct cda_err one = {0};
		size_t before = list->n;

		if (cda_archive_list(run->archive, i, list, &how, &one) < 0) {
			failed++;
			if (!run->opts.offline)
				cda_say("warning: ", one.msg);
			cda_err_done(err);
			cda_err_move(err, &one);
			continue;
		}
		chat(run, list->n - before, urls->v[i], how);
		for (size_t k = 0; k < list->n && !found; k++)
			found = cda_request_takes(&run->want.request, &list->v[k].name);
	}
	if (run->opts.offline)
		cda_pinned_add(list);
	if (failed == urls->n && list->n == 0) {
		cda_err_hint(err, "--offline lists the pinned releases and what was seen last");
		return cda_err_wrap(err, -(int)err->code, "no mirror can be asked");
	}
	cda_err_done(err);
	cda_listing_sort(list);
	cda_request_filter(&run->want.request, run->opts.newest, list);
	if (list->n == 0) {
		CDA_AUTOFREE char *text = cda_request_format(&run->want.request);

		return cda_err_set(err, CDA_E_NOTFOUND, "no release for '%s'", text);
	}
	return 0;
}

static int list_run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_releases_run run = {0};
	struct cda_releases list = {0};
	int rc = cda_releases_open(&run, &cda_releases_list, argc, argv, false, err);

	if (rc == 0)
		rc = gather(&run, &list, err);
	if (rc == 0)
		cda_releases_print(&run, &list);
	cda_releases_done(&list);
	cda_releases_done_run(&run);
	return rc;
}

const struct cda_command cda_releases_list = {
	"releases list",
	"[FILTER...] [--newest] [--json]",
	"the releases of the first mirror that answers, oldest "
	"first",
	list_options,
	0,
	0,
	list_run};

static const struct cda_option mirrors_options[] = {
	OPTION_BOOL("check", struct cda_releases_opts, check, "ask each for its list"),
	RELEASES_CLIENT,
	OPTION_END(),
};

static const char *const origins[] = {"--mirror", "CONDA_MIRRORS", "default"};

struct check {
	bool asked, good;
	size_t n;
	char *how, *newest, *why; /* owned */
};

static void check_done(struct check *check)
{
	free(check->how);
	free(check->newest);
	free(check->why);
}

static void check_mirror(struct cda_releases_run *run, size_t i, struct check *check)
{
	char name[CDA_RELEASE_NAME_MAX];
	struct cda_releases list = {0};
	struct cda_err err = {0};

	check->asked = true;
	if (cda_archive_list(run->archive, i, &list, &check->how, &err) < 0) {
		check->why = cda_strdup(err.msg);
	} else {
		check->good = true;
		check->n = list.n;
		if (list.n > 0) {
			cda_release_name_format(&list.v[list.n - 1].name, name);
			check->newest = cda_strdup(name);
		}
	}
	cda_err_done(&err);
	cda_releases_done(&list);
}

static void add_member(struct cda_buf *out, const char *key, const char *value)
{
	cda_buf_addf(out, ", \"%s\": ", key);
	if (value)
		cda_json_quote(value, out);
	else
		cda_buf_adds(out, "null");
}

static void print_mirror(const struct cda_releases_run *run, const char *url,
			 const struct check *check, bool first)
{
	CDA_AUTOFREE char *safe = cda_url_safe(url);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (run->opts.json) {
		cda_buf_adds(&text, first ? "[\n  {\"url\": " : ",\n  {\"url\": ");
		cda_json_quote(safe, &text);
		add_member(&text, "from", origins[run->mirrors.origin]);
		if (check->asked) {
			cda_buf_addf(&text, ", \"answers\": %s, \"releases\": %zu",
				     check->good ? "true" : "false", check->n);
			add_member(&text, "list", check->how);
			add_member(&text, "newest", check->newest);
			add_member(&text, "error", check->why);
		}
		cda_buf_addc(&text, '}');
		fputs(text.p, stdout);
		return;
	}
	if (!check->asked)
		printf("%s\t%s\n", safe, origins[run->mirrors.origin]);
	else if (check->good)
		printf("%s\t%zu releases (%s)%s%s\n", safe, check->n, check->how,
		       check->newest ? ", the newest is " : "", check->newest ? check->newest : "");
	else
		printf("%s\t%s\n", safe, check->why);
}

static int mirrors_run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_releases_run run = {0};
	size_t good = 0;
	int rc = cda_releases_open(&run, &cda_releases_mirrors, argc, argv, false, err);

	for (size_t i = 0; rc == 0 && i < run.mirrors.urls.n; i++) {
		struct check check = {0};

		if (run.opts.check)
			check_mirror(&run, i, &check);
		good += check.good;
		print_mirror(&run, run.mirrors.urls.v[i], &check, i == 0);
		check_done(&check);
	}
	if (rc == 0 && run.opts.json)
		puts("\n]");
	if (rc == 0 && run.opts.check && good == 0)
		rc = cda_err_set(err, CDA_E_HTTP, "no mirror answers");
	cda_releases_done_run(&run);
	return rc;
}

const struct cda_command cda_releases_mirrors = {
	"releases mirrors",
	"[--check] [--mirror URL]... [--json]",
	"the mirrors, in the order in which they are asked",
	mirrors_options,
	0,
	0,
	mirrors_run};
