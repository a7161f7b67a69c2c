#include "net/engine.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

/* As conda reads proxy_servers: the exact host before the scheme before all. */
static const char *proxy_for(const struct cda_net *net, const struct cda_url *url)
{
	CDA_AUTOFREE char *own = cda_asprintf("%s://%s", url->scheme, url->host ? url->host : "");
	CDA_AUTOFREE char *all = cda_asprintf("all://%s", url->host ? url->host : "");
	const char *const order[] = {own, url->scheme, all, "all"};

	for (size_t i = 0; i < CDA_LEN(order); i++)
		for (size_t k = 0; k < net->config.n_proxies; k++)
			if (cda_strcaseeq(net->proxies[k].match, order[i]))
				return net->proxies[k].url;
	return NULL;
}

static void set_tls(const struct cda_net *net, CURL *easy)
{
	const struct cda_net_config *config = &net->config;
	long verify = config->no_ssl_verify ? 0 : 1;

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, verify);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, verify ? 2L : 0L);
	/* What was compiled in is the path of another machine: never left as it is. */
	curl_easy_setopt(easy, CURLOPT_CAINFO, net->ca && !net->ca_is_dir ? net->ca : NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, net->ca && net->ca_is_dir ? net->ca : NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, net->ca && !net->ca_is_dir ? net->ca : NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, net->ca && net->ca_is_dir ? net->ca : NULL);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (config->client_cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, config->client_cert);
	if (config->client_key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, config->client_key);
}

static void set_limits(const struct cda_net *net, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)net->config.connect_timeout);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)net->config.read_timeout);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L * 1024);
}

/* A secure start stays secure. Old and new name of the option: the new one came with 7.85. */
static void set_protocols(CURL *easy, bool https)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
			 (long)(https ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void add_header(struct cda_job *job, const char *name, const char *value)
{
	CDA_AUTOFREE char *line = NULL;

	if (!value || strpbrk(value, "\r\n"))
		return;
	line = cda_asprintf("%s: %s", name, value);
	job->headers = curl_slist_append(job->headers, line);
}

/* Where bytes are there already, asks for the rest: of the same file if its strong ETag is known,
 * of whatever is there if a digest will tell. */
static void ask_for_rest(struct cda_job *job, const char *strong_etag)
{
	CDA_AUTOFREE char *range = NULL;

	job->range_from = cda_sink_at(job->sink);
	if (job->range_from == 0)
		return;
	range = cda_asprintf("bytes=%ju-", (uintmax_t)job->range_from);
	add_header(job, "Range", range);
	if (strong_etag)
		add_header(job, "If-Range", strong_etag);
}

static int set_request(struct cda_job *job, struct cda_err *err)
{
	const struct cda_transfer *transfer = job->transfer;
	bool proven = transfer->sha256 || transfer->md5;
	CDA_AUTOFREE char *etag = NULL;

	/* The ETag of the attempt before, before it is forgotten: of the same URL, a mirror has its
	 * own; and W/ does not speak of bytes. */
	if (job->etag && job->etag[0] == '"' && job->asked == job->turn &&
	    !cda_sink_is_inherited(job->sink))
		etag = cda_take_ptr(job->etag);
	job->asked = job->turn;
	cda_job_forget_answer(job);
	if (transfer->compressed || (!etag && !proven) || job->asked_afresh ||
	    (transfer->size && cda_sink_at(job->sink) >= transfer->size)) {
		int rc = cda_sink_restart(job->sink, err);

		if (rc < 0)
			return rc;
	}
	ask_for_rest(job, etag);
	if (job->range_from == 0) {
		add_header(job, "If-None-Match", transfer->etag);
		if (!transfer->etag)
			add_header(job, "If-Modified-Since", transfer->last_modified);
	}
	if (job->asked_afresh)
		add_header(job, "Cache-Control", "no-cache");
	if (transfer->compressed)
		curl_easy_setopt(job->easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
	return 0;
}

int cda_job_setup(struct cda_job *job, struct cda_err *err)
{
	CDA_AUTOURL struct cda_url url = {0};
	const struct cda_net *net = job->net;
	const char *proxy;
	CURL *easy = job->easy;
	bool https;

	cda_url_parse(job->url, &url);
	https = strcmp(url.scheme, "https") == 0;
	job->why[0] = '\0';
	job->body_begun = job->body_is_ours = false;
	curl_slist_free_all(cda_take_ptr(job->headers));
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, job->url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)job);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->why);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, net->config.user_agent);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, cda_job_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)job);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, cda_job_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)job);
	/* A proxy's own answer to CONNECT is not the server's. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_NETRC,
			 (long)(net->config.no_netrc ? CURL_NETRC_IGNORED : CURL_NETRC_OPTIONAL));
	if (getenv("NETRC"))
		curl_easy_setopt(easy, CURLOPT_NETRC_FILE, getenv("NETRC"));
	/* Rather one connection with many streams than many connections. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, https ? 1L : 0L);
	set_protocols(easy, https);
	set_limits(net, easy);
	set_tls(net, easy);
	proxy = proxy_for(net, &url);
	if (proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
	return set_request(job, err);
}
