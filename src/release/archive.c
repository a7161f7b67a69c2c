#include "release/archive_impl.h"
#include "release/mirrors.h"
#include "release/pinned.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/url.h"

#include <time.h>

int cda_archive_new(const struct cda_archive_config *config, struct cda_archive **ret_archive,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_archive_freep) struct cda_archive *archive = cda_new0(struct cda_archive);
	const struct cda_net_config net = {.offline = config->offline,
					   .connect_timeout = config->connect_timeout,
					   .read_timeout = config->read_timeout,
					   .backoff_ms = config->backoff_ms,
					   .retries = config->retries};
	int rc;

	archive->config = *config;
	rc = cda_net_new(&net, &archive->net, err);
	if (rc < 0) {
		cda_archive_hint(err);
		return rc;
	}
	*ret_archive = cda_take_ptr(archive);
	return 0;
}

struct cda_archive *cda_archive_free(struct cda_archive *archive)
{
	if (archive)
		cda_net_free(archive->net);
	free(archive);
	return NULL;
}

void cda_archive_hint(struct cda_err *err)
{
	char now[32];
	time_t clock = time(NULL);
	struct tm tm;

	/* .condarc, which the lower layer speaks of, is not read here */
	cda_replace(&err->hint, NULL);
	if (strstr(err->msg, "certificate is not yet valid") ||
	    strstr(err->msg, "certificate has expired")) {
		gmtime_r(&clock, &tm);
		strftime(now, sizeof(now), "%Y-%m-%d %H:%M", &tm);
		cda_err_hint(err,
			     "the clock of this machine says %s UTC: set it if that is wrong, "
			     "since certificates are good for a span of time",
			     now);
	} else if (err->code == CDA_E_TLS) {
		cda_err_hint(err, "a CA of your own is named by the first one set of "
				  "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE; behind a "
				  "proxy look at https_proxy");
	} else if (err->code == CDA_E_OFFLINE) {
		cda_err_hint(err, "leave out --offline, or give a file:// mirror");
	}
}

/* cache/listings/0123456789abcdef.json, by the mirror's URL */
static char *remembered(const struct cda_archive *archive, const char *url)
{
	char hex[CDA_HASH_HEX_MAX];

	if (!archive->config.cache)
		return NULL;
	cda_hash_mem(CDA_SHA256, url, strlen(url), hex);
	return cda_asprintf("%s/listings/%.16s.json", archive->config.cache, hex);
}

/* A cache that cannot be written is no reason to stop. */
static void remember(const struct cda_archive *archive, const char *url,
		     const struct cda_releases *list)
{
	CDA_AUTOFREE char *path = remembered(archive, url);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};

	if (!path)
		return;
	cda_listing_format(list, &text);
	if (cda_fs_mkparents(AT_FDCWD, path, 0777, &err) < 0 ||
	    cda_fs_replace(AT_FDCWD, path, text.p, text.len, 0666, false, &err) < 0)
		cda_emit(&archive->config.events, CDA_EVENT_DEBUG, "%s", err.msg);
	cda_err_done(&err);
}

static int recall(const struct cda_archive *archive, const char *url, struct cda_releases *list,
		  char **ret_how, struct cda_err *err)
{
	CDA_AUTOFREE char *path = remembered(archive, url), *safe = cda_url_safe(url);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	char when[32] = "";
	struct stat st;
	struct tm tm;
	int rc;

	/* in a shared cache others may have put a pipe there, to hold us */
	if (!path || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return cda_err_set(
			err, CDA_E_OFFLINE,
			"cannot ask '%s' while offline, and no list of it is in the cache", safe);
	rc = cda_fs_read(AT_FDCWD, path, CDA_LISTING_MAX, &text, err);
	if (rc == 0)
		rc = cda_listing_parse_json(text.p, text.len, path, list, NULL, err);
	if (rc == 0 && ret_how) {
		if (!gmtime_r(&st.st_mtim.tv_sec, &tm) ||
		    strftime(when, sizeof(when), "%Y-%m-%d", &tm) == 0)
			memcpy(when, "?", 2);
		*ret_how = cda_asprintf("its list of %s", when);
	}
	return rc;
}

/* Sees that an answer without a release of ours is none. */
static int get(struct cda_archive *archive, const char *mirror, const char *name, bool html,
	       struct cda_releases *list, bool *ret_answered, struct cda_err *err)
{
	CDA_AUTOFREE char *url = cda_mirror_url(mirror, name), *safe = cda_url_safe(url);
	struct cda_transfer transfer = {
		.url = url, .compressed = true, .max_bytes = CDA_LISTING_MAX};
	size_t before = list->n;
	int rc = cda_net_run(archive->net, &transfer, 1, NULL, err);

	*ret_answered = transfer.status > 0;
	if (rc == 0 && html)
		cda_listing_parse_html(transfer.body.p, transfer.body.len, list, NULL);
	else if (rc == 0)
		rc = cda_listing_parse_json(transfer.body.p, transfer.body.len, safe, list, NULL,
					    err);
	if (rc == 0 && list->n == before)
		rc = cda_err_set(err, CDA_E_HTTP, "'%s' lists no release", safe);
	cda_transfer_done(&transfer);
	return rc;
}

static int ask(struct cda_archive *archive, const char *mirror, struct cda_releases *list,
	       char **ret_how, struct cda_err *err)
{
	struct cda_err second = {0};
	bool answered;
	int rc = get(archive, mirror, ".files.json", false, list, &answered, err);

	if (rc == 0) {
		if (ret_how)
			*ret_how = cda_strdup(".files.json");
		return 0;
	}
	if (!answered || rc == -CDA_E_INTERRUPTED)
		return rc;
	rc = get(archive, mirror, "", true, list, &answered, &second);
	if (rc < 0) {
		/* both answers are worth telling */
		rc = cda_err_wrap(err, rc, "%s", second.msg);
		cda_err_done(&second);
		return rc;
	}
	cda_err_done(err);
	if (ret_how)
		*ret_how = cda_strdup("its page");
	return 0;
}

static void mark(const struct cda_archive *archive, const char *url, struct cda_releases *list)
{
	CDA_AUTOFREE char *safe = cda_url_safe(url);

	cda_vec_each (release, list) {
		struct cda_release pin;

		if (!cda_pinned_find(&release->name, &pin))
			continue;
		if (release->sha256[0] && strcmp(release->sha256, pin.sha256) != 0) {
			char name[CDA_RELEASE_NAME_MAX];

			cda_release_name_format(&release->name, name);
			cda_emit(&archive->config.events, CDA_EVENT_WARNING,
				 "'%s' lists another sha256 for '%s' than the pinned one, which "
				 "decides",
				 safe, name);
		}
		memcpy(release->sha256, pin.sha256, sizeof(pin.sha256));
		release->pinned = true;
	}
}

int cda_archive_list(struct cda_archive *archive, size_t mirror, struct cda_releases *list,
		     char **ret_how, struct cda_err *err)
{
	const char *url = archive->config.mirrors->v[mirror];
	struct cda_releases found = {0};
	int rc;

	if (cda_starts_with(url, "file:")) {
		CDA_AUTOFREE char *path = cda_url_to_path(url);

		rc = path ? cda_listing_read_folder(path, &found, NULL, err)
			  : cda_err_set(err, CDA_E_VALUE, "'%s' is no folder of this machine", url);
		if (rc == 0 && ret_how)
			*ret_how = cda_strdup("its folder");
	} else if (archive->config.offline) {
		rc = recall(archive, url, &found, ret_how, err);
	} else {
		rc = ask(archive, url, &found, ret_how, err);
		cda_listing_sort(&found);
		if (rc == 0)
			remember(archive, url, &found);
	}
	if (rc == 0) {
		cda_listing_sort(&found);
		mark(archive, url, &found);
		cda_vec_each (release, &found)
			cda_releases_push(list, *release);
		cda_listing_sort(list);
	} else {
		cda_archive_hint(err);
	}
	cda_releases_done(&found);
	return rc;
}
