#include "reach.h"

#include "runtime/say.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What a thread works on: its own copy, given back under the lock while somebody waits for it. */
struct job {
	struct cda_target target;
	struct cda_target *back; /* NULL: given up */
	int64_t deadline;
	struct job *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t done; /* by the clock that nobody sets */
static struct job *jobs;    /* under way */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until fd is ready, or the deadline. Returns 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - now_ms();
		int ready = left > 0 ? poll(&pollfd, 1, (int)left) : 0;

		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* Returns a connected socket or a negative errno. */
static int connect_to(const struct addrinfo *address, int64_t deadline)
{
	socklen_t size = sizeof(int);
	int error = 0,
	    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
		error = errno;
		if (error == EINPROGRESS) {
			error = -wait_for(fd, POLLOUT, deadline);
			if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
				error = errno;
		}
	}
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

static void base64(const char *text, char *ret, size_t cap)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text), at = 0;

	for (size_t i = 0; i < len && at + 5 < cap; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			bits |= p[i + 2];
		ret[at++] = digits[bits >> 18];
		ret[at++] = digits[(bits >> 12) & 63];
		ret[at++] = i + 1 < len ? digits[(bits >> 6) & 63] : '=';
		ret[at++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	ret[at] = '\0';
}

/* Ask the proxy at fd for the target, as a program would. Returns the status that it answers with,
 * 0 if that is none of HTTP, or a negative errno. */
static int ask_proxy(int fd, const struct cda_target *target, int64_t deadline)
{
	bool tunnel = strcmp(target->to.scheme, "https") == 0;
	bool bracket = strchr(target->to.host, ':') != NULL;
	char request[2048], login[700] = "", host[300], answer[64];
	size_t len = 0, sent = 0;

	base64(target->login, login, sizeof(login));
	cda_put(host, sizeof(host), "%s%s%s:%d", bracket ? "[" : "", target->to.host,
		bracket ? "]" : "", target->to.port);
	if (cda_put(request, sizeof(request), "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
		    tunnel ? "CONNECT" : "HEAD", tunnel ? "" : "http://", host, tunnel ? "" : "/",
		    host, login[0] != '\0' ? "Proxy-Authorization: Basic " : "", login,
		    login[0] != '\0' ? "\r\n" : "") < 0)
		return -EFBIG;
	while (sent < strlen(request)) {
		ssize_t put;

		if (wait_for(fd, POLLOUT, deadline) < 0)
			return -ETIMEDOUT;
		put = send(fd, request + sent, strlen(request) - sent, MSG_NOSIGNAL);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		sent += put > 0 ? (size_t)put : 0;
	}
	while (len < 12) { /* "HTTP/1.1 200" */
		ssize_t got;

		if (wait_for(fd, POLLIN, deadline) < 0)
			return -ETIMEDOUT;
		got = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		len += (size_t)got;
	}
	answer[len] = '\0';
	if (strncmp(answer, "HTTP/1.", 7) != 0 || answer[8] != ' ')
		return 0;
	return (int)strtol(answer + 9, NULL, 10);
}

/* Any answer of the host itself will do; these are the proxy's own. */
static bool is_answer(int status)
{
	return status >= 200 && status != 403 && status != 407 && !(status >= 502 && status <= 504);
}

static void ask(struct job *job, int fd)
{
	struct cda_target *target = &job->target;
	int status;

	target->result = CDA_REACH_OK;
	if (!target->proxied || strcmp(target->proxy.scheme, "http") != 0)
		return; /* a proxy that speaks TLS or SOCKS: that it listens is all we ask */
	status = ask_proxy(fd, target, job->deadline);
	if (status == -ETIMEDOUT)
		target->result = CDA_REACH_LATE;
	else if (status < 0)
		target->result = CDA_REACH_REFUSED;
	else if (!is_answer(status))
		target->result = CDA_REACH_PROXY;
	target->code = status < 0 ? -status : status;
}

static void look(struct job *job)
{
	struct cda_target *target = &job->target;
	const struct cda_place_of *first = target->proxied ? &target->proxy : &target->to;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char port[16];
	int fd = -EADDRNOTAVAIL;

	cda_put(port, sizeof(port), "%d", first->port);
	target->code = getaddrinfo(first->host, port, &hints, &found);
	if (target->code != 0) {
		target->result = CDA_REACH_NO_NAME;
		return;
	}
	pthread_mutex_lock(&lock);
	if (job->back != NULL)
		job->back->named = true;
	target->named = true;
	pthread_mutex_unlock(&lock);
	for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
		fd = connect_to(at, job->deadline);
	freeaddrinfo(found);
	if (fd < 0) {
		target->result = fd == -ETIMEDOUT ? CDA_REACH_LATE : CDA_REACH_REFUSED;
		target->code = -fd;
		return;
	}
	ask(job, fd);
	close(fd);
}

static void forget(struct job *job)
{
	struct job **at = &jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
}

static void *work(void *arg)
{
	struct job *job = arg;

	look(job);
	pthread_mutex_lock(&lock);
	if (job->back != NULL)
		*job->back = job->target;
	forget(job);
	pthread_cond_signal(&done);
	pthread_mutex_unlock(&lock);
	free(job);
	return NULL;
}

/* Returns 0, or -1 if there is no thread to be had. */
static int start(struct cda_target *target, int64_t deadline)
{
	struct job *job = malloc(sizeof(*job));
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (job == NULL)
		return -1;
	*job = (struct job){.target = *target, .back = target, .deadline = deadline};
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&lock);
	job->next = jobs;
	jobs = job;
	rc = pthread_create(&thread, &attr, work, job);
	if (rc != 0)
		forget(job);
	pthread_mutex_unlock(&lock);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		free(job);
	return rc == 0 ? 0 : -1;
}

static void init_done(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&done, &attr);
	pthread_condattr_destroy(&attr);
}

/* Is somebody still waiting for one of them? */
static bool is_awaited(void)
{
	for (const struct job *job = jobs; job != NULL; job = job->next) {
		if (job->back != NULL)
			return true;
	}
	return false;
}

void cda_reach(struct cda_target *targets, size_t count, int limit)
{
	int64_t deadline = now_ms() + limit;
	struct timespec until;

	pthread_once(&once, init_done);
	for (size_t i = 0; i < count; i++) {
		targets[i].result = CDA_REACH_LATE;
		targets[i].named = false;
		targets[i].code = 0;
		/* A connection that waits for longer is the host's fault, not the limit's. */
		if (start(&targets[i], deadline - limit / 10) != 0)
			targets[i].result = CDA_REACH_UNTRIED;
	}
	until.tv_sec = deadline / 1000;
	until.tv_nsec = (long)(deadline % 1000) * 1000000;
	pthread_mutex_lock(&lock);
	while (is_awaited() && pthread_cond_timedwait(&done, &lock, &until) == 0)
		;
	for (struct job *job = jobs; job != NULL; job = job->next)
		job->back = NULL;
	pthread_mutex_unlock(&lock);
}
