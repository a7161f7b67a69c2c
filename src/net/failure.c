#include "net/engine.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

/* curl's own words, begun in lower case and without a full stop. */
static char *reason_of(const struct cda_job *job, CURLcode code)
{
	char *text = cda_strdup(job->why[0] ? job->why : curl_easy_strerror(code));
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '.'))
		text[--len] = '\0';
	if (len > 1 && !(text[1] >= 'A' && text[1] <= 'Z'))
		text[0] = cda_lower(text[0]);
	return text;
}

static void hint_connection(const struct cda_job *job, struct cda_err *err)
{
	CDA_AUTOURL struct cda_url url = {0};

	if (!cda_url_parse(job->url, &url))
		return;
	cda_err_hint(err,
		     "check the network; behind a proxy set proxy_servers in .condarc, or %s_proxy",
		     url.scheme);
}

static void hint_tls(const struct cda_job *job, CURLcode code, struct cda_err *err)
{
	const struct cda_net *net = job->net;

	if (code == CURLE_SSL_CERTPROBLEM) {
		cda_err_hint(err, "check client_ssl_cert and client_ssl_cert_key in .condarc");
		return;
	}
	if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE) {
		cda_err_hint(err, "a proxy or firewall in between may cause this: look at "
				  "proxy_servers in .condarc and at https_proxy");
		return;
	}
	if (net->ca)
		cda_err_hint(err,
			     "certificates are checked against '%s'; a company's own CA is "
			     "set by ssl_verify in .condarc (path of its file)",
			     net->ca);
	else
		cda_err_hint(err, "no CA certificates were found on this system: install "
				  "ca-certificates, or set ssl_verify in .condarc to a CA file");
}

static int proxy_failed(struct cda_job *job, long answer, const char *safe, struct cda_err *err)
{
	cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': the proxy answered %ld", safe, answer);
	cda_err_hint(err, answer == 407
				  ? "the proxy wants a name and a password: "
				    "http://USER:PASSWORD@HOST:PORT in proxy_servers of .condarc"
				  : "look at proxy_servers in .condarc and at https_proxy");
	return -CDA_E_HTTP;
}

int cda_job_curl_failed(struct cda_job *job, CURLcode code, bool *ret_may_retry,
			struct cda_err *err)
{
	CDA_AUTOFREE char *safe = cda_url_safe(job->url), *reason = reason_of(job, code);
	long proxy_answer = 0;

	*ret_may_retry = false;
	if (job->err.code != CDA_OK) {
		int rc = -(int)job->err.code;

		/* Our side refused the bytes; only another answer of the server helps. */
		*ret_may_retry = job->err.code == CDA_E_HTTP || job->err.code == CDA_E_CHECKSUM;
		cda_err_move(err, &job->err);
		return cda_err_wrap(err, rc, "cannot fetch '%s'", safe);
	}
	curl_easy_getinfo(job->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_answer);
	if (proxy_answer >= 300) {
		*ret_may_retry = proxy_answer >= 500;
		return proxy_failed(job, proxy_answer, safe, err);
	}
	switch ((int)code) {
	case CURLE_URL_MALFORMAT:
		return cda_err_set(err, CDA_E_VALUE, "'%s' is no valid URL", safe);
	case CURLE_TOO_MANY_REDIRECTS:
		return cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': too many redirects", safe);
	case CURLE_UNSUPPORTED_PROTOCOL:
		cda_err_set(err, CDA_E_HTTP,
			    "cannot fetch '%s': it redirects to a URL that is not %s", safe,
			    cda_starts_with(job->url, "https:") ? "https" : "http or https");
		return -CDA_E_HTTP;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		*ret_may_retry = code == CURLE_SSL_CONNECT_ERROR;
		cda_err_set(err, CDA_E_TLS, "cannot fetch '%s': %s", safe, reason);
		hint_tls(job, code, err);
		return -CDA_E_TLS;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		*ret_may_retry = true;
		cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': %s", safe, reason);
		return cda_err_hint(err, "look at proxy_servers in .condarc and at http_proxy, "
					 "https_proxy and all_proxy");
	case CURLE_OPERATION_TIMEDOUT:
		*ret_may_retry = true;
		cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': no bytes came in time (%s)", safe,
			    reason);
		hint_connection(job, err);
		return -CDA_E_HTTP;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		*ret_may_retry = true;
		cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': %s", safe, reason);
		hint_connection(job, err);
		return -CDA_E_HTTP;
	case CURLE_OUT_OF_MEMORY:
		return cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': %s", safe, reason);
	default: /* cut short, reset, a broken stream: may be better next time */
		*ret_may_retry = true;
		return cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': %s", safe, reason);
	}
}

static const struct {
	long status;
	const char *text, *hint, *name; /* name: what tools are told */
} rows[] = {
	{400, "bad request", NULL, "BAD REQUEST"},
	{401, "unauthorized",
	 "give credentials: a token (/t/TOKEN/ in the channel's URL), user:password@ in it, or "
	 "~/.netrc",
	 "UNAUTHORIZED"},
	{403, "forbidden",
	 "the server or a proxy refuses this URL: check the channel's name, the token or password, "
	 "and proxy_servers in .condarc",
	 "FORBIDDEN"},
	{404, "not found", NULL, "NOT FOUND"},
	{407, "proxy authentication required",
	 "the proxy wants a name and a password: http://USER:PASSWORD@HOST:PORT in proxy_servers "
	 "of "
	 ".condarc",
	 "PROXY AUTHENTICATION REQUIRED"},
	{408, "request timeout", NULL, "REQUEST TIMEOUT"},
	{410, "gone", NULL, "GONE"},
	{416, "range not satisfiable", NULL, "RANGE NOT SATISFIABLE"},
	{429, "too many requests", "the server asks for fewer requests: try again later",
	 "TOO MANY REQUESTS"},
	{451, "unavailable for legal reasons", NULL, "UNAVAILABLE FOR LEGAL REASONS"},
	{500, "internal server error", "the server failed: try again later",
	 "INTERNAL SERVER ERROR"},
	{502, "bad gateway", "the server failed: try again later", "BAD GATEWAY"},
	{503, "service unavailable", "the server failed: try again later", "SERVICE UNAVAILABLE"},
	{504, "gateway timeout", "the server failed: try again later", "GATEWAY TIMEOUT"},
};

const char *cda_http_reason(long status)
{
	for (size_t i = 0; i < CDA_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].name;
	return "UNKNOWN";
}

int cda_job_status_failed(struct cda_job *job, bool *ret_may_retry, struct cda_err *err)
{
	CDA_AUTOFREE char *safe = cda_url_safe(job->url);
	const char *text = NULL, *hint = NULL;

	for (size_t i = 0; i < CDA_LEN(rows); i++)
		if (rows[i].status == job->status) {
			text = rows[i].text;
			hint = rows[i].hint;
		}
	*ret_may_retry = job->status == 408 || job->status == 429 ||
			 (job->status >= 500 && job->status != 501 && job->status != 505);
	cda_err_set(err, CDA_E_HTTP, "cannot fetch '%s': HTTP %ld%s%s%s", safe, job->status,
		    text ? " (" : "", text ? text : "", text ? ")" : "");
	if (hint)
		cda_err_hint(err, "%s", hint);
	return -CDA_E_HTTP;
}
