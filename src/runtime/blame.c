#include "blame.h"

#include <string.h>
#include <strings.h>

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '-' || c == '_';
}

bool cda_blame_names(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; len > 0 && (at = strstr(at, word)) != NULL; at++) {
		if (at > text && (is_of_name(at[-1]) || at[-1] == '.'))
			continue;
		/* A '.' may end the sentence. */
		if (!is_of_name(at[len]) && (at[len] != '.' || !is_of_name(at[len + 1])))
			return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void skip(struct cda_span *span, size_t len)
{
	span->p += len;
	span->len -= len;
}

static void skip_blanks(struct cda_span *span)
{
	while (span->len > 0 && is_blank(span->p[0]))
		skip(span, 1);
}

/* "- SPEC" below "dependencies:"; other keys of the file begin at the line's start. */
static bool take_dash(struct cda_blame_lines *lines, struct cda_span *line)
{
	static const char key[] = "dependencies:";
	size_t len = sizeof(key) - 1;

	if (line->len > 0 && !is_blank(line->p[0]) && line->p[0] != '-' && line->p[0] != '#')
		lines->inside = line->len >= len && memcmp(line->p, key, len) == 0;
	skip_blanks(line);
	if (!lines->inside || line->len < 2 || line->p[0] != '-' || !is_blank(line->p[1]))
		return false;
	skip(line, 1);
	skip_blanks(line);
	return true;
}

static size_t span_of(struct cda_span text, const char *ends)
{
	size_t len = 0;

	while (len < text.len && (text.p[len] == '\0' || strchr(ends, text.p[len]) == NULL))
		len++;
	return len;
}

static struct cda_span word_of(struct cda_span line)
{
	const char *url;
	char quote[2] = "";
	size_t len;

	if (line.len > 1 && (line.p[0] == '"' || line.p[0] == '\'')) {
		quote[0] = line.p[0];
		skip(&line, 1);
		line.len = span_of(line, quote);
	}
	len = span_of(line, " \t\r\f\v");
	url = memmem(line.p, len, "://", 3);
	if (url != NULL && memmem(line.p, len, "::", 2) == NULL)
		return (struct cda_span){line.p, span_of((struct cda_span){line.p, len}, "#")};
	if (len > 0 && line.p[0] == '@')
		return (struct cda_span){line.p, len};
	if (len > 0 && (line.p[0] == '/' || line.p[0] == '.'))
		return (struct cda_span){line.p, span_of((struct cda_span){line.p, len}, "#")};
	for (size_t i = len; i > 1; i--) {
		if (line.p[i - 1] == ':' && line.p[i - 2] == ':') {
			skip(&line, i);
			len -= i;
			break;
		}
	}
	return (struct cda_span){line.p, span_of((struct cda_span){line.p, len}, "#;[<>=!~@,\"':")};
}

void cda_blame_begin(struct cda_blame_lines *lines, struct cda_span text, bool yaml)
{
	*lines = (struct cda_blame_lines){.rest = text, .yaml = yaml};
	if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		skip(&lines->rest, 3);
}

bool cda_blame_next(struct cda_blame_lines *lines, struct cda_span *ret_word)
{
	struct cda_span line;

	while (cda_span_line(&lines->rest, &line)) {
		lines->number++;
		if (lines->yaml && !take_dash(lines, &line))
			continue;
		skip_blanks(&line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		*ret_word = word_of(line);
		if (ret_word->len > 0)
			return true;
	}
	return false;
}

/* Installers speak of these without a list that names them. */
static bool is_common(const char *name)
{
	return strcmp(name, "pip") == 0 || strcmp(name, "python") == 0 ||
	       strcmp(name, "conda") == 0;
}

int cda_blame_line(struct cda_span list, bool yaml, const char *said, struct cda_span *ret_word)
{
	struct cda_blame_lines lines;
	struct cda_span word;
	char name[256];

	for (int common = 0; common < 2; common++) {
		cda_blame_begin(&lines, list, yaml);
		while (cda_blame_next(&lines, &word)) {
			if (cda_span_copy(word, name, sizeof(name)) != 0 ||
			    is_common(name) != (common != 0) || !cda_blame_names(said, name))
				continue;
			*ret_word = word;
			return lines.number;
		}
	}
	return 0;
}

static bool has_one(const char *text, const char *const *words)
{
	while (*words != NULL && strstr(text, *words) == NULL)
		words++;
	return *words != NULL;
}

/* What a server or a proxy answered; a certificate that no authority of ours signed. */
static const char *const refusals[] = {"  401  ",
				       "  403  ",
				       "  404  ",
				       "  407  ",
				       " 407 Proxy",
				       "answered 40",
				       "HTTP 40",
				       "HTTP error 40",
				       "401 Error",
				       "401 Client Error",
				       "403 Client Error",
				       "404 Client Error",
				       "CERTIFICATE_VERIFY_FAILED",
				       "ertificate verif",
				       "certificate not trusted",
				       NULL};

static const char *const moments[] = {"Temporary failure",
				      "temporary failure",
				      "temporary error",
				      "Could not resolve",
				      "DNS lookup error",
				      "timed out",
				      "Connection re",
				      "Connection failed",
				      "CONNECTION FAILED",
				      "NewConnectionError",
				      "Could not connect",
				      "could not connect",
				      "Unable to connect",
				      "Failed to connect",
				      "onnection aborted",
				      "network error",
				      "ProtocolError",
				      "HTTP error 5",
				      "HTTP 5",
				      "server returned error",
				      "Failed to fetch",
				      "Download error",
				      "IncompleteRead",
				      "BAD archive",
				      "Could not get lock",
				      NULL};

bool cda_blame_transient(const char *said)
{
	return !has_one(said, refusals) && has_one(said, moments);
}

/* "WARNING: Retrying (Retry(total=4, ...": the last of them alone tells that pip gave up. */
static bool is_transport(const char *line)
{
	static const char *const more[] = {"ProxyError",           "SSLError",
					   "ConnectTimeoutError",  "NameResolutionError",
					   "Max retries exceeded", NULL};
	const char *left = strstr(line, "Retry(total=");

	return (left == NULL || strncmp(left + 12, "0,", 2) == 0) &&
	       (has_one(line, refusals) || has_one(line, moments) || has_one(line, more));
}

/* An error that may follow from another one. */
static bool follows(const char *line)
{
	static const char *const words[] = {"No matching distribution",
					    "Could not find a version",
					    "is not signed",
					    "does not have a Release file",
					    "Some index files failed",
					    "Unable to locate",
					    "no installation candidate",
					    NULL};

	return has_one(line, words);
}

/* The front of pip's line is for those who know its library. */
static const char *without_retry(const char *line)
{
	const char *from = strstr(line, "connection broken by ");

	return strstr(line, "Retry(total=") != NULL && from != NULL ? from : line;
}

const char *cda_blame_behind(char *said, const char *cause)
{
	const char *found = NULL;

	if (!follows(cause))
		return cause;
	for (char *line = said, *next; *line != '\0'; line = next) {
		size_t len = strcspn(line, "\r\n");
		char end = line[len];

		next = line + len + (end != '\0');
		line[len] = '\0';
		if (is_transport(line))
			found = line;
		else if (line != cause)
			line[len] = end;
	}
	return found != NULL ? found : cause;
}

const char *cda_blame_hint(const char *cause)
{
	static const char *const certificates[] = {"CERTIFICATE_VERIFY_FAILED", "ertificate verif",
						   "certificate not trusted", NULL};

	if (cda_blame_names(cause, "407") && has_one(cause, refusals))
		return "; the proxy wants a name and a password: NAME:PASSWORD@ before the host in "
		       "CONDENSE_PROXY";
	if (cda_blame_names(cause, "401") && has_one(cause, refusals))
		return "; the server wants a name and a password: give them in "
		       "/run/secrets/netrc";
	if (has_one(cause, certificates))
		return "; if the authority is your own: CONDENSE_CA=/PATH/OF/ITS/CERTIFICATES";
	if (strstr(cause, "updating and opening http") != NULL &&
	    strstr(cause, ": Permission denied") != NULL) /* apk's for 401, 403, 407 */
		return "; the server or the proxy refused it: a name and a password are given in "
		       "/run/secrets/netrc, those for the proxy in CONDENSE_PROXY";
	return "";
}

/* "error: ..." of pip and of our conda; "SomeError: ..." of the conda that is written in Python,
 * which names its exceptions so, or otherwise: "UnavailableInvalidChannel: ...". Not one of them is
 * "CondaEnvException: Pip failed": pip has said what failed. */
static bool is_error(const char *line)
{
	static const char *const ends[] = {
		"Error:", "Channel:", "Spec:", "Found:", "Valid:", "Empty:"};
	size_t word = strcspn(line, " \r\n");

	if (strncasecmp(line, "error", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t len = strlen(ends[i]);

		/* Longer than that: a heading such as "Channel:" is none. */
		if (word > len && memcmp(line + word - len, ends[i], len) == 0)
			return true;
	}
	return false;
}

/* The length of the line, with the indented ones behind it where it ends with a ':': they become
 * parts of it. An empty line may be between. */
static size_t join(char *line)
{
	size_t len = strcspn(line, "\r\n");

	if (len == 0 || line[len - 1] != ':')
		return len;
	if (line[len] == '\n' && line[len + 1] == '\n' && line[len + 2] == ' ')
		memmove(line + len, line + len + 1, strlen(line + len + 1) + 1);
	while (line[len] == '\n' && line[len + 1] == ' ') {
		char *next = line + len + 1;
		size_t blanks = strspn(next, " ");

		line[len] = ' ';
		memmove(next, next + blanks, strlen(next + blanks) + 1);
		len += strcspn(line + len, "\r\n");
	}
	return len;
}

const char *cda_blame_cause(char *said)
{
	/* An index that was read has versions. */
	bool reached = strstr(said, "(from versions: ") != NULL &&
		       strstr(said, "(from versions: none)") == NULL;
	const char *found = NULL, *last = NULL, *transport = NULL;
	char *line = said;

	while (*line != '\0') {
		size_t len = is_error(line) ? join(line) : strcspn(line, "\r\n");
		char *next = line + len + (line[len] != '\0');

		line[len] = '\0';
		line += strspn(line, " ");
		if (is_error(line))
			found = line;
		if (is_transport(line))
			transport = without_retry(line);
		if (*line != '\0')
			last = line;
		line = next;
	}
	if (found != NULL && follows(found) && transport != NULL && !reached)
		return transport;
	return found != NULL ? found : last != NULL ? last : "no word from it";
}

bool cda_blame_is_file(struct cda_span word)
{
	static const char *const ends[] = {".conda", ".tar.bz2"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(ends[i]);

		if (word.len > len && memcmp(word.p + word.len - len, ends[i], len) == 0)
			return true;
	}
	return false;
}

bool cda_blame_python(struct cda_span word, struct cda_span *ret_version)
{
	static const char lead[] = "python-";
	size_t from = word.len, dashes = 0;
	bool is_file = cda_blame_is_file(word);

	while (from > 0 && word.p[from - 1] != '/')
		from--;
	skip(&word, from);
	if (!is_file || word.len < sizeof(lead) || memcmp(word.p, lead, sizeof(lead) - 1) != 0)
		return false;
	skip(&word, sizeof(lead) - 1);
	for (size_t i = 0; i < word.len; i++)
		dashes += word.p[i] == '-';
	if (dashes != 1) /* python-dateutil-2.9-0 */
		return false;
	*ret_version = (struct cda_span){word.p, span_of(word, "-")};
	return true;
}
