/* server.h - a loopback HTTP(S) server that misbehaves on request, in threads of the test itself.
 * tests/functional/serve.c is the same as a program.
 *
 *	struct server server;
 *	server_start(&server, folder, false);        (true: https, CA in server.ca)
 *	server_rule(&server, "/a/b.conda truncate 100 x2");
 *	... server.url is "http://127.0.0.1:PORT" ...
 *	server_log(&server)                           every request, see below; free it
 *	server_stop(&server);
 *
 * It serves the files of the folder, lists folders, answers Range, If-Range, If-None-Match and
 * If-Modified-Since, keeps connections open, and takes requests as a proxy does (http://HOST/PATH).
 * A request's folder parts "/t/TOKEN" are ordinary folders: make them.
 *
 * A rule is `PATTERN KIND [ARGUMENT] [xN]`; the shell pattern meets the path, later rules go
 * first, and xN lets it be used N times only. Kinds:
 *	status CODE       that answer; `retry-after SECONDS` may follow CODE
 *	truncate BYTES    promises all, sends so many, closes
 *	stall BYTES       sends so many, then nothing until the client leaves
 *	drop              closes without an answer
 *	corrupt           the first byte of the body is wrong
 *	redirect URL      302 to there (a path of this server is fine)
 *	plain             no ETag, no Last-Modified, no ranges
 *	weak              the ETag begins with W/
 *	auth USER:PASS    401 without these (407 and the proxy's header with `proxy` in front)
 *	chunked           no Content-Length
 *	slow BYTES        so many bytes at a time, 10 ms between
 * The log has one line per request: `METHOD TARGET STATUS range=… ifrange=… match=… agent=…
 *auth=…`,
 * "-" for a header that was not there. */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct server_rule {
	char pattern[256], kind[16], arg[512];
	long left; /* -1: without end */
};

enum { server_rules_max = 64, server_conns_max = 256 };

struct server {
	char url[64], ca[4096]; /* ca: PEM file, "" without TLS */
	int port;

	char folder[4096];
	int listener;
	SSL_CTX *tls;
	pthread_t acceptor;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t gone;
	struct server_rule rules[server_rules_max];
	int n_rules, conns[server_conns_max], n_conns;
	bool stopping;
	char *log;
	size_t log_len;
};

struct server_conn {
	struct server *server;
	int fd;
	SSL *ssl;
	char in[16384];
	size_t n_in;
};

struct server_request {
	char method[16], target[2048], path[2048]; /* path: decoded, without query */
	char range[128], if_range[256], none_match[256], since[128], agent[256], auth[512];
	char proxy_auth[512];
	bool close;
};

static inline bool server_send(struct server_conn *conn, const void *p, size_t len)
{
	const char *at = (const char *)p;

	while (len > 0) {
		ssize_t n = conn->ssl ? SSL_write(conn->ssl, at, len > 16384 ? 16384 : (int)len)
				      : send(conn->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0 && !conn->ssl && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static inline ssize_t server_recv(struct server_conn *conn, char *p, size_t len)
{
	ssize_t n;

	do
		n = conn->ssl ? SSL_read(conn->ssl, p, (int)len) : recv(conn->fd, p, len, 0);
	while (n < 0 && !conn->ssl && errno == EINTR);
	return n;
}

/* A rule whose kind is one of those asked for, used up by one. */
static inline bool server_take_rule(struct server *server, const char *path, const char *kind,
				    struct server_rule *ret)
{
	bool found = false;

	pthread_mutex_lock(&server->lock);
	for (int i = server->n_rules; i-- > 0 && !found;) {
		struct server_rule *rule = &server->rules[i];

		if (rule->left == 0 || strcmp(rule->kind, kind) != 0 ||
		    fnmatch(rule->pattern, path, 0) != 0)
			continue;
		if (rule->left > 0)
			rule->left--;
		*ret = *rule;
		found = true;
	}
	pthread_mutex_unlock(&server->lock);
	return found;
}

static inline void server_note(struct server *server, const struct server_request *r, int status)
{
	char line[4096];
	int n = snprintf(line, sizeof(line),
			 "%s %s %d range=%s ifrange=%s match=%s agent=%s auth=%s\n", r->method,
			 r->target, status, *r->range ? r->range : "-",
			 *r->if_range ? r->if_range : "-", *r->none_match ? r->none_match : "-",
			 *r->agent ? r->agent : "-", *r->auth ? r->auth : "-");
	size_t len = n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1;

	pthread_mutex_lock(&server->lock);
	server->log = (char *)realloc(server->log, server->log_len + len + 1);
	if (!server->log)
		abort();
	memcpy(server->log + server->log_len, line, len + 1);
	server->log_len += len;
	pthread_mutex_unlock(&server->lock);
}

static inline char *server_log(struct server *server)
{
	char *copy;

	pthread_mutex_lock(&server->lock);
	copy = strdup(server->log ? server->log : "");
	pthread_mutex_unlock(&server->lock);
	return copy;
}

/* Lines of the log that hold the text. */
static inline int server_count(struct server *server, const char *text)
{
	char *log = server_log(server), *rest = NULL;
	int n = 0;

	for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		n += strstr(line, text) != NULL;
	free(log);
	return n;
}

static inline bool server_answer(struct server_conn *conn, const struct server_request *r,
				 int status, const char *headers, const char *body)
{
	char head[4096];
	int n;

	server_note(conn->server, r, status);
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\nConnection: %s\r\n\r\n",
		     status, headers, strlen(body), r->close ? "close" : "keep-alive");
	if (!server_send(conn, head, (size_t)n))
		return false;
	return strcmp(r->method, "HEAD") == 0 || server_send(conn, body, strlen(body));
}

#include "server_request.h"

static inline bool server_list(struct server_conn *conn, const struct server_request *r,
			       const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	char *page = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&page, &len);
	bool ok;

	fprintf(file, "<html><body><table>\n");
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (name[0] != '.')
			fprintf(file, "<tr><td><a href=\"%s%s\">%s</a></td></tr>\n", name,
				names[i]->d_type == DT_DIR ? "/" : "", name);
		free(names[i]);
	}
	free(names);
	fprintf(file, "</table></body></html>\n");
	fclose(file);
	ok = server_answer(conn, r, 200, "Content-Type: text/html\r\n", page);
	free(page);
	return ok;
}

/* Waits for the client to go away. */
static inline bool server_hang(struct server_conn *conn)
{
	char byte;

	while (server_recv(conn, &byte, 1) > 0)
		;
	return false;
}

static inline bool server_send_body(struct server_conn *conn, const char *path, char *body,
				    size_t len, bool chunked)
{
	struct server_rule rule;
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	size_t step = len ? len : 1;
	char head[32];

	if (len > 0 && server_take_rule(conn->server, path, "corrupt", &rule))
		body[0] ^= 1;
	if (server_take_rule(conn->server, path, "truncate", &rule)) {
		size_t part = strtoul(rule.arg, NULL, 10);

		server_send(conn, body, part < len ? part : len);
		return false;
	}
	if (server_take_rule(conn->server, path, "stall", &rule)) {
		size_t part = strtoul(rule.arg, NULL, 10);

		server_send(conn, body, part < len ? part : len);
		return server_hang(conn);
	}
	if (server_take_rule(conn->server, path, "slow", &rule))
		step = strtoul(rule.arg, NULL, 10);
	for (size_t at = 0; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;

		if (at > 0)
			nanosleep(&pause, NULL);
		snprintf(head, sizeof(head), "%zx\r\n", n);
		if (chunked && !server_send(conn, head, strlen(head)))
			return false;
		if (!server_send(conn, body + at, n) || (chunked && !server_send(conn, "\r\n", 2)))
			return false;
	}
	return !chunked || server_send(conn, "0\r\n\r\n", 5);
}

static inline bool server_file(struct server_conn *conn, struct server_request *r, int fd,
			       const struct stat *st)
{
	struct server *server = conn->server;
	size_t size = (size_t)st->st_size, from = 0;
	char etag[96] = "", modified[64], validators[256] = "", range[128] = "", head[1024], *body;
	struct server_rule rule;
	struct tm tm;
	bool plain = server_take_rule(server, r->path, "plain", &rule), ok;
	bool weak = server_take_rule(server, r->path, "weak", &rule);
	bool chunked = server_take_rule(server, r->path, "chunked", &rule);
	int status = 200, n;

	strftime(modified, sizeof(modified), "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&st->st_mtim.tv_sec, &tm));
	if (!plain) {
		snprintf(etag, sizeof(etag), "%s\"%zx-%lx%lx\"", weak ? "W/" : "", size,
			 (long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec);
		snprintf(validators, sizeof(validators),
			 "ETag: %s\r\nLast-Modified: %s\r\nCache-Control: public, max-age=30\r\n",
			 etag, modified);
		if (*r->none_match ? strcmp(r->none_match, etag) == 0
				   : strcmp(r->since, modified) == 0) {
			server_note(server, r, 304);
			n = snprintf(head, sizeof(head), "HTTP/1.1 304 Same\r\n%s\r\n", validators);
			return server_send(conn, head, (size_t)n);
		}
	}
	if (!plain && strncmp(r->range, "bytes=", 6) == 0 &&
	    (!*r->if_range || strcmp(r->if_range, etag) == 0)) {
		from = strtoul(r->range + 6, NULL, 10);
		if (from >= size)
			return server_answer(conn, r, 416, "", "");
		status = 206;
		snprintf(range, sizeof(range), "Content-Range: bytes %zu-%zu/%zu\r\n", from,
			 size - 1, size);
	}
	server_note(server, r, status);
	n = snprintf(head, sizeof(head), "HTTP/1.1 %d Good\r\n%s%s%sConnection: %s\r\n", status,
		     validators, range, plain ? "" : "Accept-Ranges: bytes\r\n",
		     r->close ? "close" : "keep-alive");
	n += chunked ? snprintf(head + n, sizeof(head) - (size_t)n,
				"Transfer-Encoding: chunked\r\n\r\n")
		     : snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n\r\n",
				size - from);
	if (!server_send(conn, head, (size_t)n) || strcmp(r->method, "HEAD") == 0)
		return strcmp(r->method, "HEAD") == 0;
	body = (char *)malloc(size + 1);
	if (!body)
		abort();
	for (size_t at = 0; at < size;) {
		ssize_t got = pread(fd, body + at, size - at, (off_t)at);

		if (got <= 0)
			memset(body + at, 0, size - at);
		at = got <= 0 ? size : at + (size_t)got;
	}
	ok = server_send_body(conn, r->path, body + from, size - from, chunked);
	free(body);
	return ok;
}

static inline bool server_is_allowed(const char *given, const char *want)
{
	unsigned char coded[1024];
	char full[1100];

	EVP_EncodeBlock(coded, (const unsigned char *)want, (int)strlen(want));
	snprintf(full, sizeof(full), "Basic %s", (const char *)coded);
	return strcmp(given, full) == 0;
}

/* True if the connection stays open. */
static inline bool server_handle(struct server_conn *conn, struct server_request *r)
{
	struct server *server = conn->server;
	struct server_rule rule;
	char path[8192], headers[1024] = "";
	struct stat st;
	bool ok;
	int fd;

	if (server_take_rule(server, r->path, "drop", &rule)) {
		server_note(server, r, 0);
		return false;
	}
	if (server_take_rule(server, r->path, "status", &rule)) {
		unsigned code = 500, after = 0;

		if (sscanf(rule.arg, "%u retry-after %u", &code, &after) == 2)
			snprintf(headers, sizeof(headers), "Retry-After: %u\r\n", after);
		return server_answer(conn, r, (int)code, headers, "an error page\n");
	}
	if (server_take_rule(server, r->path, "redirect", &rule)) {
		snprintf(headers, sizeof(headers), "Location: %s\r\n", rule.arg);
		return server_answer(conn, r, 302, headers, "");
	}
	if (server_take_rule(server, r->path, "auth", &rule)) {
		bool proxy = strncmp(rule.arg, "proxy ", 6) == 0;

		if (!server_is_allowed(proxy ? r->proxy_auth : r->auth, rule.arg + (proxy ? 6 : 0)))
			return server_answer(conn, r, proxy ? 407 : 401,
					     proxy ? "Proxy-Authenticate: Basic realm=\"p\"\r\n"
						   : "WWW-Authenticate: Basic realm=\"s\"\r\n",
					     "");
	}
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return server_answer(conn, r, 405, "", "") && false;
	snprintf(path, sizeof(path), "%s%s", server->folder, r->path);
	fd = strstr(r->path, "/../") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		ok = server_answer(conn, r, 404, "", "not here\n");
	else if (S_ISDIR(st.st_mode))
		ok = server_list(conn, r, path);
	else
		ok = server_file(conn, r, fd, &st);
	if (fd >= 0)
		close(fd);
	return ok && !r->close;
}

static inline void *server_conn_main(void *arg)
{
	struct server_conn *conn = (struct server_conn *)arg;
	struct server *server = conn->server;
	struct server_request *request = (struct server_request *)malloc(sizeof(*request));

	if (!request)
		abort();
	if (server->tls) {
		conn->ssl = SSL_new(server->tls);
		SSL_set_fd(conn->ssl, conn->fd);
	}
	if (!conn->ssl || SSL_accept(conn->ssl) == 1)
		while (server_read_request(conn, request) && server_handle(conn, request))
			;
	if (conn->ssl) {
		SSL_shutdown(conn->ssl);
		SSL_free(conn->ssl);
	}
	/* The number of the fd is free for others once it is closed: off the list first. */
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < server->n_conns; i++)
		if (server->conns[i] == conn->fd) {
			server->conns[i] = server->conns[--server->n_conns];
			break;
		}
	close(conn->fd);
	pthread_cond_broadcast(&server->gone);
	pthread_mutex_unlock(&server->lock);
	free(request);
	free(conn);
	return NULL;
}

static inline void *server_main(void *arg)
{
	struct server *server = (struct server *)arg;

	for (;;) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		struct server_conn *conn;
		pthread_attr_t attr;
		pthread_t id;

		pthread_mutex_lock(&server->lock);
		while (server->n_conns == server_conns_max && !server->stopping)
			pthread_cond_wait(&server->gone, &server->lock);
		if (server->stopping) {
			pthread_mutex_unlock(&server->lock);
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		if (fd >= 0)
			server->conns[server->n_conns++] = fd;
		pthread_mutex_unlock(&server->lock);
		if (fd < 0)
			continue;
		conn = (struct server_conn *)calloc(1, sizeof(*conn));
		if (!conn)
			abort();
		conn->server = server;
		conn->fd = fd;
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		if (pthread_create(&id, &attr, server_conn_main, conn) != 0)
			abort();
		pthread_attr_destroy(&attr);
	}
}

#include "server_tls.h"

/* Adds a rule as written above. */
static inline void server_rule(struct server *server, const char *text)
{
	struct server_rule rule = {.left = -1};
	char copy[1024], *last;
	int at = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	last = strrchr(copy, ' ');
	if (last && last[1] == 'x' && last[2] >= '1' && last[2] <= '9') {
		rule.left = strtol(last + 2, NULL, 10);
		*last = '\0';
	}
	if (sscanf(copy, "%255s %15s %n", rule.pattern, rule.kind, &at) < 2)
		abort();
	snprintf(rule.arg, sizeof(rule.arg), "%s", at > 0 ? copy + at : "");
	pthread_mutex_lock(&server->lock);
	if (server->n_rules == server_rules_max)
		abort();
	server->rules[server->n_rules++] = rule;
	pthread_mutex_unlock(&server->lock);
}

static inline void server_clear(struct server *server) /* rules and log */
{
	pthread_mutex_lock(&server->lock);
	server->n_rules = 0;
	free(server->log);
	server->log = NULL;
	server->log_len = 0;
	pthread_mutex_unlock(&server->lock);
}

static inline void server_start(struct server *server, const char *folder, bool tls)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	sigset_t all, before;

	memset(server, 0, sizeof(*server));
	snprintf(server->folder, sizeof(server->folder), "%s", folder);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->gone, NULL);
	if (tls)
		server_make_tls(server);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&at, len) != 0 ||
	    listen(server->listener, 128) != 0 ||
	    getsockname(server->listener, (struct sockaddr *)&at, &len) != 0) {
		perror("server");
		abort();
	}
	server->port = ntohs(at.sin_port);
	snprintf(server->url, sizeof(server->url), "http%s://127.0.0.1:%d", tls ? "s" : "",
		 server->port);
	/* Its threads take no signals, SIGPIPE of a TLS write among them. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&server->acceptor, NULL, server_main, server) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static inline void server_stop(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_cond_broadcast(&server->gone);
	pthread_mutex_unlock(&server->lock);
	shutdown(server->listener, SHUT_RDWR); /* wakes accept */
	pthread_join(server->acceptor, NULL);
	close(server->listener);
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < server->n_conns; i++)
		shutdown(server->conns[i], SHUT_RDWR);
	while (server->n_conns > 0)
		pthread_cond_wait(&server->gone, &server->lock);
	pthread_mutex_unlock(&server->lock);
	SSL_CTX_free(server->tls);
	free(server->log);
	if (server->ca[0])
		unlink(server->ca);
}

#endif
