#include "include.h"

#include "say.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 64, FILE_MAX = 1 << 20 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct cda_span *line)
{
	while (line->len > 0 && is_blank(line->p[0])) {
		line->p++;
		line->len--;
	}
}

static bool take(struct cda_span *line, const char *word)
{
	size_t len = strlen(word);

	if (line->len < len || memcmp(line->p, word, len) != 0)
		return false;
	line->p += len;
	line->len -= len;
	return true;
}

bool cda_include_of(struct cda_span line, char *ret, size_t cap)
{
	static const char *const longs[] = {"--requirement", "--constraint"};
	bool found = false;

	skip_blanks(&line);
	if (take(&line, "- "))
		skip_blanks(&line);
	if (line.len > 1 && (line.p[0] == '"' || line.p[0] == '\'') &&
	    line.p[1] == '-') { /* the item is quoted as a whole */
		line.p++;
		line.len--;
	}
	for (int i = 0; i < 2 && !found; i++) {
		if (take(&line, longs[i])) {
			if (line.len == 0 || (line.p[0] != '=' && !is_blank(line.p[0])))
				return false;
			line.p++;
			line.len--;
			found = true;
		}
	}
	if (!found && !take(&line, "-r") && !take(&line, "-c"))
		return false;
	skip_blanks(&line);
	for (size_t i = 1; i < line.len; i++) {
		if (line.p[i] == '#' && is_blank(line.p[i - 1]))
			line.len = i;
	}
	while (line.len > 0 && (is_blank(line.p[line.len - 1]) || line.p[line.len - 1] == '"' ||
				line.p[line.len - 1] == '\''))
		line.len--;
	if (line.len > 0 && (line.p[0] == '"' || line.p[0] == '\'')) {
		line.p++;
		line.len--;
	}
	return line.len > 0 && memmem(line.p, line.len, "://", 3) == NULL &&
	       cda_span_copy(line, ret, cap) == 0;
}

struct queue {
	char paths[FILES][PATH_MAX];
	int count;
};

/* name as the file at from has it: relative to that file's folder. */
static void push(struct queue *queue, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	char *path = queue->paths[queue->count < FILES ? queue->count : 0];
	int folder = name[0] == '/' || slash == NULL ? 0 : (int)(slash - from) + 1;

	if (queue->count == FILES || cda_put(path, PATH_MAX, "%.*s%s", folder, from, name) != 0)
		return;
	for (int i = 0; i < queue->count; i++) {
		if (strcmp(queue->paths[i], path) == 0)
			return;
	}
	queue->count++;
}

static void look(struct queue *queue, const char *path, const struct cda_text *text)
{
	struct cda_span rest = {text->data, text->len}, line;
	char name[PATH_MAX];

	while (cda_span_line(&rest, &line)) {
		if (cda_include_of(line, name, sizeof(name)))
			push(queue, path, name);
	}
}

static int read_file(const char *path, struct cda_text *text)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? cda_file_read(fd, text) : -EINVAL;
	close(fd);
	return rc;
}

void cda_include_sum(struct cda_sha256 *sum, const char *path, const struct cda_text *text)
{
	static struct queue queue;
	static char data[FILE_MAX];

	cda_sha256_add(sum, text->data, text->len);
	queue.count = 0;
	look(&queue, path, text);
	for (int i = 0; i < queue.count; i++) {
		struct cda_text one = {.data = data, .cap = sizeof(data)};
		int rc = read_file(queue.paths[i], &one);

		/* Where one text ends is part of the sum. */
		cda_sha256_add(sum, &rc, sizeof(rc));
		cda_sha256_add(sum, &one.len, sizeof(one.len));
		cda_sha256_add(sum, one.data, one.len);
		if (rc == 0)
			look(&queue, queue.paths[i], &one);
	}
}
