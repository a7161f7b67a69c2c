#include "prefix/rewrite.h"

#include <errno.h>

/* What the kernel takes of a `#!` line, and conda's MAX_SHEBANG_LENGTH. */
enum { shebang_max = 127 };

static void replace_all(const char *p, size_t len, struct cda_str from, struct cda_str to,
			struct cda_buf *out)
{
	const char *end = p + len, *hit;

	while (from.len > 0 && (hit = memmem(p, (size_t)(end - p), from.p, from.len))) {
		cda_buf_add(out, p, (size_t)(hit - p));
		cda_buf_add(out, to.p, to.len);
		p = hit + from.len;
	}
	cda_buf_add(out, p, (size_t)(end - p));
}

/* The first line of text with its "#!PLACEHOLDER" replaced, blanks of the prefix escaped so that
 * they are seen below. A text without a line end has no such line. */
static void replace_first_line(const char *p, size_t len, const char *placeholder,
			       const char *prefix, struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf from = CDA_BUF_INIT, to = CDA_BUF_INIT;

	cda_buf_addf(&from, "#!%s", placeholder);
	cda_buf_adds(&to, "#!");
	for (const char *c = prefix; *c; c++) {
		if (*c == ' ')
			cda_buf_addc(&to, '\\');
		cda_buf_addc(&to, *c);
	}
	replace_all(p, len, cda_buf_str(&from), cda_buf_str(&to), out);
}

struct shebang { /* all within the first line */
	struct cda_str whole, program, options;
};

/* "#!", blanks, an absolute path in which "\ " is a blank, the rest of the line. */
static bool find_shebang(struct cda_str text, struct shebang *ret)
{
	const char *eol = memchr(text.p, '\n', text.len);
	const char *end = eol ? eol : text.p + text.len, *p = text.p + 2, *program;

	if (text.len < 3 || memcmp(text.p, "#!", 2) != 0)
		return false;
	while (p < end && *p == ' ')
		p++;
	if (p == end || *p != '/')
		return false;
	program = p;
	while (p < end) {
		if (*p == '\\' && p + 1 < end && p[1] == ' ')
			p += 2;
		else if (memchr(" \r\t", *p, 3))
			break;
		else
			p++;
	}
	*ret = (struct shebang){{text.p, (size_t)(end - text.p)},
				{program, (size_t)(p - program)},
				{p, (size_t)(end - p)}};
	return true;
}

/* A line that is too long, or whose interpreter lies in a folder with a blank, asks env for it:
 * that works while the environment is active. */
static void shorten_shebang(struct cda_buf *text, size_t start)
{
	struct cda_str all = {text->p + start, text->len - start};
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT, kept = CDA_BUF_INIT;
	struct shebang shebang;
	const char *slash;

	if (!find_shebang(all, &shebang))
		return;
	slash = memrchr(shebang.program.p, '/', shebang.program.len);
	if (shebang.whole.len <= shebang_max &&
	    !memmem(shebang.program.p, (size_t)(slash - shebang.program.p), "\\ ", 2))
		return;
	cda_buf_adds(&line, "#!/usr/bin/env ");
	cda_buf_add(&line, slash + 1,
		    shebang.program.len - (size_t)(slash + 1 - shebang.program.p));
	cda_buf_add(&line, shebang.options.p, shebang.options.len);
	/* Every occurrence of the whole line goes, as conda does it. */
	replace_all(all.p, all.len, shebang.whole, cda_buf_str(&line), &kept);
	cda_buf_cut(text, start);
	cda_buf_add(text, kept.p, kept.len);
}

void cda_rewrite_text(const char *p, size_t len, const char *placeholder, const char *prefix,
		      struct cda_buf *out)
{
	CDA_AUTOBUF struct cda_buf first = CDA_BUF_INIT;
	const char *eol = memchr(p, '\n', len);
	size_t start = out->len, line = eol ? (size_t)(eol - p) : 0;

	replace_first_line(p, line, placeholder, prefix, &first);
	/* The remainder of the first line too may have placeholders. */
	cda_buf_add(&first, p + line, len - line);
	replace_all(first.p, first.len, cda_str(placeholder), cda_str(prefix), out);
	shorten_shebang(out, start);
}

int cda_rewrite_binary(const char *p, size_t len, const char *placeholder, const char *prefix,
		       struct cda_buf *out, struct cda_err *err)
{
	struct cda_str from = cda_str(placeholder), to = cda_str(prefix);
	const char *end = p + len, *hit, *nul;
	size_t start = out->len;

	cda_buf_reserve(out, len);
	while (from.len > 0 && (hit = memmem(p, (size_t)(end - p), from.p, from.len))) {
		size_t before;

		nul = memchr(hit, '\0', (size_t)(end - hit));
		/* No end, no string: conda leaves it. */
		if (!nul)
			break;
		if (to.len > from.len) {
			cda_buf_cut(out, start);
			return cda_err_set(err, CDA_E_PADDING,
					   "the prefix '%s' is longer than the %zu bytes that the "
					   "package has room for",
					   prefix, from.len);
		}
		cda_buf_add(out, p, (size_t)(hit - p));
		before = out->len;
		replace_all(hit, (size_t)(nul - hit), from, to, out);
		while (out->len - before < (size_t)(nul - hit))
			cda_buf_addc(out, '\0');
		p = nul;
	}
	cda_buf_add(out, p, (size_t)(end - p));
	return 0;
}

void cda_rewrite_shebang(const char *interpreter, struct cda_buf *out)
{
	if (strlen(interpreter) + 3 <= shebang_max && !strchr(interpreter, ' ')) {
		cda_buf_addf(out, "#!%s\n", interpreter);
		return;
	}
	/* sh runs the second line; for Python lines two and three are one string. */
	cda_buf_addf(out, "#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''\n", interpreter);
}
