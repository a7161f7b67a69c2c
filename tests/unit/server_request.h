/* server_request.h - the part of server.h that reads a request. */
#ifndef TESTS_SERVER_REQUEST_H
#define TESTS_SERVER_REQUEST_H

static inline void server_header(struct server_request *r, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} rows[] = {
		{"range", r->range, sizeof(r->range)},
		{"if-range", r->if_range, sizeof(r->if_range)},
		{"if-none-match", r->none_match, sizeof(r->none_match)},
		{"if-modified-since", r->since, sizeof(r->since)},
		{"user-agent", r->agent, sizeof(r->agent)},
		{"authorization", r->auth, sizeof(r->auth)},
		{"proxy-authorization", r->proxy_auth, sizeof(r->proxy_auth)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcasecmp(name, rows[i].name) == 0)
			snprintf(rows[i].to, rows[i].size, "%s", value);
	if (strcasecmp(name, "connection") == 0 && strcasecmp(value, "close") == 0)
		r->close = true;
}

/* The next request of the connection; false when the client is through or talks nonsense. */
static inline bool server_read_request(struct server_conn *conn, struct server_request *r)
{
	char *end, *line, *rest = NULL;
	size_t used;

	memset(r, 0, sizeof(*r));
	conn->in[conn->n_in] = '\0';
	while (!(end = strstr(conn->in, "\r\n\r\n"))) {
		ssize_t n =
			server_recv(conn, conn->in + conn->n_in, sizeof(conn->in) - 1 - conn->n_in);

		if (n <= 0)
			return false;
		conn->n_in += (size_t)n;
		conn->in[conn->n_in] = '\0';
		/* A TLS greeting, for one: real servers say so too. */
		if (conn->in[0] < 'A' || conn->in[0] > 'Z') {
			server_send(conn, "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n", 39);
			return false;
		}
	}
	*end = '\0';
	used = (size_t)(end - conn->in) + 4;
	line = strtok_r(conn->in, "\r\n", &rest);
	if (!line || sscanf(line, "%15s %2047s", r->method, r->target) != 2)
		return false;
	while ((line = strtok_r(NULL, "\r\n", &rest))) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon++ = '\0';
		server_header(r, line, colon + strspn(colon, " \t"));
	}
	memmove(conn->in, conn->in + used, conn->n_in - used);
	conn->n_in -= used;

	const char *from = r->target;
	size_t at = 0;

	if (strncmp(from, "http://", 7) == 0)
		from = strchr(from + 7, '/') ? strchr(from + 7, '/') : "/";
	for (; *from && *from != '?' && at < sizeof(r->path) - 1; from++) {
		unsigned byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			r->path[at++] = (char)byte;
			from += 2;
		} else {
			r->path[at++] = *from;
		}
	}
	return true;
}

#endif
