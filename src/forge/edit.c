#include "forge/edit.h"
#include "util/str.h"

size_t cda_edit_sub(struct cda_buf *file, const char *old, const char *new_text)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	size_t n = strlen(old), count = 0, at = 0;
	const char *hit;

	while (n > 0 && (hit = memmem(file->p + at, file->len - at, old, n))) {
		cda_buf_add(&out, file->p + at, (size_t)(hit - file->p) - at);
		cda_buf_adds(&out, new_text);
		at = (size_t)(hit - file->p) + n;
		count++;
	}
	if (count == 0)
		return 0;
	cda_buf_add(&out, file->p + at, file->len - at);
	cda_buf_clear(file);
	cda_buf_add(file, out.p, out.len);
	return count;
}

/* Start of the first line from `at` on that has text; SIZE_MAX when there is none. */
static size_t find_line(const struct cda_buf *file, size_t at, const char *text)
{
	const char *hit = memmem(file->p + at, file->len - at, text, strlen(text));
	size_t start;

	if (!hit)
		return SIZE_MAX;
	start = (size_t)(hit - file->p);
	while (start > at && file->p[start - 1] != '\n')
		start--;
	return start;
}

bool cda_edit_cut(struct cda_buf *file, const char *from, const char *to)
{
	CDA_AUTOBUF struct cda_buf rest = CDA_BUF_INIT;
	size_t start = find_line(file, 0, from), end, next;
	const char *newline;

	if (start == SIZE_MAX)
		return false;
	newline = memchr(file->p + start, '\n', file->len - start);
	if (!newline)
		return false;
	next = (size_t)(newline - file->p) + 1;
	end = find_line(file, next, to);
	if (end == SIZE_MAX)
		return false;
	cda_buf_add(&rest, file->p + end, file->len - end);
	cda_buf_cut(file, start);
	cda_buf_add(file, rest.p, rest.len);
	return true;
}
