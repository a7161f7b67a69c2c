#include "net/http.h"
#include "net/engine.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { wait_max_ms = 60 * 1000, poll_ms = 100 };

uint64_t cda_net_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_ALL);
}

static const char *keep(struct cda_net *net, const char *text)
{
	if (!text)
		return NULL;
	cda_strv_push(&net->texts, text);
	return net->texts.v[net->texts.n - 1];
}

static const char *const ca_places[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
	NULL,
};

static const char *const ca_variables[] = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};

static int find_ca(struct cda_net *net, struct cda_err *err)
{
	const char *ca = net->config.ca_file;

	for (size_t i = 0; !ca && i < CDA_LEN(ca_variables); i++)
		if (getenv(ca_variables[i]) && *getenv(ca_variables[i]))
			ca = getenv(ca_variables[i]);
	if (ca && !cda_fs_exists(AT_FDCWD, ca)) {
		cda_err_set(err, CDA_E_TLS, "there is no CA file '%s'", ca);
		return cda_err_hint(err, "ssl_verify in .condarc, or one of REQUESTS_CA_BUNDLE, "
					 "CURL_CA_BUNDLE and SSL_CERT_FILE, names it");
	}
	for (const char *const *p = ca_places; !ca && *p; p++)
		if (cda_fs_is_file(AT_FDCWD, *p))
			ca = *p;
	if (!ca && net->config.ca_fallback && cda_fs_is_file(AT_FDCWD, net->config.ca_fallback))
		ca = net->config.ca_fallback;
	net->ca = cda_strdup_null(ca);
	net->ca_is_dir = ca && cda_fs_is_dir(AT_FDCWD, ca);
	return 0;
}

static int check_files(const struct cda_net *net, struct cda_err *err)
{
	const char *const files[] = {net->config.client_cert, net->config.client_key};

	for (size_t i = 0; i < CDA_LEN(files); i++)
		if (files[i] && !cda_fs_is_file(AT_FDCWD, files[i])) {
			cda_err_set(err, CDA_E_TLS, "there is no client certificate file '%s'",
				    files[i]);
			return cda_err_hint(err, "client_ssl_cert and client_ssl_cert_key in "
						 ".condarc name it");
		}
	return 0;
}

static int copy_proxies(struct cda_net *net, const struct cda_net_config *config,
			struct cda_err *err)
{
	net->proxies = cda_alloc0(config->n_proxies, sizeof(*net->proxies));
	for (size_t i = 0; i < config->n_proxies; i++) {
		const char *url = config->proxies[i].url;

		/* "host:port" is fine with curl; what cannot be is caught at once. */
		if (strpbrk(url, " \t\r\n"))
			return cda_err_set(err, CDA_E_VALUE, "the proxy for '%s' is no valid URL",
					   config->proxies[i].match);
		net->proxies[i].match = cda_strdup(config->proxies[i].match);
		net->proxies[i].url = cda_strdup(url);
	}
	return 0;
}

int cda_net_new(const struct cda_net_config *config, struct cda_net **ret_net, struct cda_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CDA_CLEANUP(cda_net_freep) struct cda_net *net = cda_new0(struct cda_net);
	struct cda_net_config *c = &net->config;
	int rc;

	pthread_once(&once, init_curl);
	*c = *config;
	rc = copy_proxies(net, config, err);
	if (rc < 0)
		return rc;
	c->proxies = net->proxies;
	c->ca_file = keep(net, c->ca_file);
	c->ca_fallback = keep(net, c->ca_fallback);
	c->client_cert = keep(net, c->client_cert);
	c->client_key = keep(net, c->client_key);
	c->user_agent = keep(net, c->user_agent ? c->user_agent : "condense/" CDA_VERSION);
	c->connect_timeout = c->connect_timeout ? c->connect_timeout : 10;
	c->read_timeout = c->read_timeout ? c->read_timeout : 60;
	c->max_parallel = c->max_parallel ? c->max_parallel : 5;
	c->retries = c->retries == 0 ? 3 : c->retries < 0 ? 0 : c->retries;
	c->backoff_ms = c->backoff_ms ? c->backoff_ms : 1000;
	rc = find_ca(net, err);
	if (rc == 0)
		rc = check_files(net, err);
	if (rc < 0)
		return rc;
	net->multi = curl_multi_init();
	if (!net->multi)
		return cda_err_set(err, CDA_E_HTTP, "cannot start the transfer engine");
	curl_multi_setopt(net->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(net->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->max_parallel);
	*ret_net = cda_take_ptr(net);
	return 0;
}

struct cda_net *cda_net_free(struct cda_net *net)
{
	if (!net)
		return NULL;
	if (net->multi)
		curl_multi_cleanup(net->multi);
	for (size_t i = 0; net->proxies && i < net->config.n_proxies; i++) {
		free((char *)(uintptr_t)net->proxies[i].match);
		free((char *)(uintptr_t)net->proxies[i].url);
	}
	free(net->proxies);
	free(net->ca);
	cda_strv_done(&net->texts);
	free(net);
	return NULL;
}

static const char *url_at(const struct cda_job *job, size_t i)
{
	return i == 0 ? job->transfer->url : job->transfer->mirrors[i - 1];
}

static void job_init(struct cda_job *job, struct cda_net *net, struct cda_transfer *transfer,
		     const struct cda_events *events)
{
	*job = (struct cda_job){.net = net, .transfer = transfer, .events = events, .n_urls = 1};
	while (transfer->mirrors && transfer->mirrors[job->n_urls - 1])
		job->n_urls++;
	job->dead = cda_alloc0(job->n_urls, sizeof(*job->dead));
	transfer->rc = 0;
	transfer->status = 0;
	transfer->not_modified = false;
	transfer->bytes = 0;
	if (!transfer->body.p)
		transfer->body = CDA_BUF_INIT;
}

static void job_done(struct cda_job *job)
{
	if (job->easy) {
		curl_multi_remove_handle(job->net->multi, job->easy);
		curl_easy_cleanup(job->easy);
	}
	curl_slist_free_all(job->headers);
	cda_sink_free(job->sink);
	cda_job_forget_answer(job);
	cda_err_done(&job->err);
	free(job->dead);
	*job = (struct cda_job){.state = CDA_JOB_FINISHED};
}

/* The end of a transfer: the results go over, and everything of the job but its state ends. */
static void finish(struct cda_job *job, int rc, struct cda_err *err)
{
	struct cda_transfer *transfer = job->transfer;

	transfer->rc = rc;
	if (rc < 0) {
		CDA_AUTOFREE char *safe = cda_url_safe(job->url ? job->url : transfer->url);

		cda_err_data_text(err, "url", safe);
		if (err->code == CDA_E_CHECKSUM && transfer->path)
			cda_err_data_text(err, "target_full_path", transfer->path);
		if (err->code == CDA_E_HTTP && transfer->status > 0) {
			cda_err_data_int(err, "status_code", transfer->status);
			cda_err_data_text(err, "reason", cda_http_reason(transfer->status));
			cda_err_data_json(err, "json", "{}");
		}
		cda_err_move(&transfer->err, err);
	}
	cda_replace(&transfer->got_etag, cda_take_ptr(job->etag));
	cda_replace(&transfer->got_last_modified, cda_take_ptr(job->last_modified));
	cda_replace(&transfer->got_cache_control, cda_take_ptr(job->cache_control));
	if (!transfer->got_url && job->url)
		transfer->got_url = cda_url_safe(job->url);
	job_done(job);
	if (transfer->done)
		transfer->done(transfer->ctx, transfer);
}

/* Goes on to the next URL that is alive; after the last one the list begins again, later. */
static bool try_again(struct cda_job *job, bool may_retry)
{
	const struct cda_net_config *config = &job->net->config;
	size_t i = job->turn;
	uint64_t wait = 0;

	job->dead[i] = job->dead[i] || !may_retry;
	do {
		if (++i == job->n_urls) {
			i = 0;
			if (job->round++ >= config->retries)
				return false;
			wait = (uint64_t)config->backoff_ms
			       << (job->round < 12 ? job->round - 1 : 11);
		}
	} while (job->dead[i] && i != job->turn);
	if (job->dead[i])
		return false;
	if (wait > 0 && (uint64_t)job->retry_after * 1000 > wait)
		wait = (uint64_t)job->retry_after * 1000;
	job->turn = i;
	job->next_at = cda_net_now() + (wait < wait_max_ms ? wait : wait_max_ms);
	job->state = CDA_JOB_WAITING;
	return true;
}

static void attempt_failed(struct cda_job *job, int rc, bool may_retry, struct cda_err *err)
{
	bool more;

	/* Wrong bytes from a good server may be a cache's in between: once more, past it. */
	if (rc == -CDA_E_CHECKSUM) {
		may_retry = !job->asked_afresh && !cda_starts_with(job->url, "file:");
		job->asked_afresh = true;
	}
	/* A file that cannot be read is its mirror's failure, not one of our side. */
	more = (rc != -CDA_E_SYS || cda_starts_with(job->url, "file:")) && rc != -CDA_E_NOSPACE &&
	       rc != -CDA_E_INTERRUPTED && try_again(job, may_retry);
	if (job->transfer->failed)
		job->transfer->failed(job->transfer->ctx, job->url, err, more);
	if (!more) {
		finish(job, rc, err);
		return;
	}
	if (job->events)
		cda_emit(job->events, CDA_EVENT_DEBUG, "%s; trying again", err->msg);
	cda_err_done(err);
}

static int check_url(struct cda_job *job, struct cda_err *err)
{
	CDA_AUTOURL struct cda_url url = {0};
	CDA_AUTOFREE char *safe = cda_url_safe(job->url);

	if (!cda_url_parse(job->url, &url))
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no valid URL", safe);
	if (strcmp(url.scheme, "file") == 0)
		return 0;
	if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0) {
		cda_err_set(err, CDA_E_VALUE, "cannot fetch '%s': unknown scheme '%s'", safe,
			    url.scheme);
		return cda_err_hint(err, "use file://, http:// or https://");
	}
	if (!url.host)
		return cda_err_set(err, CDA_E_VALUE, "'%s' has no host", safe);
	if (job->net->config.offline) {
		cda_err_set(err, CDA_E_OFFLINE, "cannot fetch '%s' while offline", safe);
		return cda_err_hint(err, "leave out --offline, or unset offline in .condarc");
	}
	return 0;
}

static void start(struct cda_job *job)
{
	CDA_CLEANUP(cda_err_done) struct cda_err err = {0};
	int rc;

	job->url = url_at(job, job->turn);
	rc = check_url(job, &err);
	if (rc == 0 && cda_starts_with(job->url, "file:")) {
		cda_job_forget_answer(job);
		rc = cda_job_local(job, &err);
		if (rc == 0) {
			finish(job, 0, &err);
			return;
		}
	} else if (rc == 0) {
		if (!job->sink)
			rc = cda_sink_open(job->transfer, &job->sink, &err);
		if (rc == 0 && !job->easy)
			job->easy = curl_easy_init();
		if (rc == 0)
			rc = cda_job_setup(job, &err);
		if (rc == 0) {
			curl_multi_add_handle(job->net->multi, job->easy);
			job->state = CDA_JOB_ACTIVE;
			return;
		}
	}
	attempt_failed(job, rc, false, &err);
}

/* Nothing that curl calls an error: the status decides, then size and digests. */
static int judge(struct cda_job *job, bool *ret_may_retry, struct cda_err *err)
{
	CDA_AUTOFREE char *safe = cda_url_safe(job->url);
	struct cda_transfer *transfer = job->transfer;
	int rc;

	*ret_may_retry = false;
	if (job->status == 304 && job->range_from == 0) {
		transfer->not_modified = true;
		return 0;
	}
	/* What is there is no part of what the server has: from the start, then. */
	if (job->status == 416 && job->range_from > 0) {
		rc = cda_sink_restart(job->sink, err);
		*ret_may_retry = rc == 0;
		return rc < 0 ? rc : cda_job_status_failed(job, &(bool){false}, err);
	}
	if (job->status != 200 && job->status != 206)
		return cda_job_status_failed(job, ret_may_retry, err);
	rc = cda_job_begin_body(job, err); /* an empty one has not begun yet */
	if (rc == 0)
		rc = cda_sink_finish(job->sink, err);
	if (rc < 0)
		return cda_err_wrap(err, rc, "cannot fetch '%s'", safe);
	cda_job_tell(job, true);
	return 0;
}

static void attempt_ended(struct cda_job *job, CURLcode code)
{
	CDA_CLEANUP(cda_err_done) struct cda_err err = {0};
	const char *effective = NULL;
	bool may_retry = false;
	int rc;

	if (job->status)
		job->transfer->status = job->status;
	if (code == CURLE_OK && job->err.code == CDA_OK)
		rc = judge(job, &may_retry, &err);
	else
		rc = cda_job_curl_failed(job, code, &may_retry, &err);
	curl_easy_getinfo(job->easy, CURLINFO_EFFECTIVE_URL, &effective);
	if (effective)
		cda_replace(&job->transfer->got_url, cda_url_safe(effective));
	curl_multi_remove_handle(job->net->multi, job->easy);
	cda_err_done(&job->err);
	if (rc == 0)
		finish(job, 0, &err);
	else
		attempt_failed(job, rc, may_retry, &err);
}

static void collect(struct cda_net *net)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(net->multi, &left))) {
		CURLcode code = message->data.result;
		char *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		attempt_ended((struct cda_job *)(void *)job, code);
	}
}

static void cancel(struct cda_job *job)
{
	CDA_CLEANUP(cda_err_done) struct cda_err err = {0};

	finish(job, cda_err_set(&err, CDA_E_INTERRUPTED, "interrupted"), &err);
}

/* One look at all jobs. Returns how many are not finished, and how long nothing can happen. */
static size_t look(struct cda_net *net, struct cda_job *jobs, size_t n, int *ret_wait)
{
	size_t active = 0, left = 0;
	uint64_t now = cda_net_now();

	*ret_wait = poll_ms;
	for (size_t i = 0; i < n; i++)
		active += jobs[i].state == CDA_JOB_ACTIVE;
	for (size_t i = 0; i < n; i++) {
		struct cda_job *job = &jobs[i];

		if (job->state == CDA_JOB_FINISHED)
			continue;
		if (cda_interrupted) {
			cancel(job);
			continue;
		}
		if (job->state == CDA_JOB_WAITING && active < net->config.max_parallel &&
		    job->next_at <= now) {
			start(job);
			active += job->state == CDA_JOB_ACTIVE;
		}
		if (job->state == CDA_JOB_WAITING && active < net->config.max_parallel &&
		    job->next_at < now + (uint64_t)*ret_wait)
			*ret_wait = job->next_at > now ? (int)(job->next_at - now) : 0;
		left += job->state != CDA_JOB_FINISHED;
	}
	return left;
}

/* A connection that the server closed must not end the process while curl writes to it. */
static void hold_sigpipe(sigset_t *before, bool *was_pending)
{
	sigset_t set, pending;

	sigpending(&pending);
	*was_pending = sigismember(&pending, SIGPIPE) == 1;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, before);
}

static void let_sigpipe(const sigset_t *before, bool was_pending)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (!was_pending && sigtimedwait(&set, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

int cda_net_run(struct cda_net *net, struct cda_transfer *transfers, size_t n,
		const struct cda_events *events, struct cda_err *err)
{
	CDA_AUTOFREE struct cda_job *jobs = cda_alloc0(n, sizeof(*jobs));
	bool was_pending;
	sigset_t before;
	int wait, running;

	for (size_t i = 0; i < n; i++)
		job_init(&jobs[i], net, &transfers[i], events);
	hold_sigpipe(&before, &was_pending);
	while (look(net, jobs, n, &wait) > 0) {
		curl_multi_perform(net->multi, &running);
		collect(net);
		curl_multi_poll(net->multi, NULL, 0, wait, NULL);
		curl_multi_perform(net->multi, &running);
		collect(net);
	}
	let_sigpipe(&before, was_pending);
	for (size_t i = 0; i < n; i++) {
		const struct cda_transfer *failed = &transfers[i];

		if (failed->rc == 0)
			continue;
		if (err) {
			cda_err_set(err, failed->err.code, "%s", failed->err.msg);
			err->sys = failed->err.sys;
			err->hint = cda_strdup_null(failed->err.hint);
			err->data = cda_strdup_null(failed->err.data);
		}
		return failed->rc;
	}
	return 0;
}

void cda_transfer_done(struct cda_transfer *transfer)
{
	cda_err_done(&transfer->err);
	cda_buf_done(&transfer->body);
	cda_replace(&transfer->got_url, NULL);
	cda_replace(&transfer->got_etag, NULL);
	cda_replace(&transfer->got_last_modified, NULL);
	cda_replace(&transfer->got_cache_control, NULL);
	transfer->rc = 0;
	transfer->status = 0;
	transfer->not_modified = false;
	transfer->bytes = 0;
}
