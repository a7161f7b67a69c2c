/* rcfile.c - the marked block in the text of an rc file. */
#include "shell/init.h"

#include "util/alloc.h"
#include "util/buf.h"

static const char open_mark[] = "# >>> conda initialize >>>";
static const char close_mark[] = "# <<< conda initialize <<<";

/* Start of the first line that begins with mark; NULL. */
static const char *find_line(const char *text, const char *mark)
{
	const char *at = text;

	while (at && *at) {
		if (cda_starts_with(at, mark))
			return at;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

static const char *line_end(const char *line)
{
	const char *newline = strchr(line, '\n');

	return newline ? newline + 1 : line + strlen(line);
}

static void add_block(struct cda_buf *out, const char *block)
{
	cda_buf_addf(out, "%s\n%s", open_mark, block);
	if (out->p[out->len - 1] != '\n')
		cda_buf_addc(out, '\n');
	cda_buf_addf(out, "%s\n", close_mark);
}

char *cda_init_edit(const char *text, const char *block)
{
	struct cda_buf out = CDA_BUF_INIT;
	const char *open = find_line(text, open_mark);
	const char *close = open ? find_line(open, close_mark) : NULL;

	if (close) {
		const char *before = open;

		/* Taken out, it takes the empty line along that was put in front of it. */
		if (!block && before - text >= 2 && before[-1] == '\n' && before[-2] == '\n')
			before--;
		cda_buf_add(&out, text, (size_t)(before - text));
		if (block)
			add_block(&out, block);
		cda_buf_adds(&out, line_end(close));
		return cda_buf_take(&out);
	}
	cda_buf_adds(&out, text);
	if (!block)
		return cda_buf_take(&out);
	if (out.len > 0 && out.p[out.len - 1] != '\n')
		cda_buf_addc(&out, '\n');
	if (out.len > 0)
		cda_buf_addc(&out, '\n');
	add_block(&out, block);
	return cda_buf_take(&out);
}
