/* The HTML page of a mirror: a table with a row per file, or links and text as web servers list a
 * folder. No tree is built: tags are looked at as they come, with any attributes and white space,
 * and what is cut off or nested wrongly ends a row early at worst. */
#include "release/listing.h"
#include "util/hash.h"
#include "util/url.h"

#include <inttypes.h>

enum { cell_max = 512 }; /* bytes of a cell or a link that count */

struct page {
	const char *p, *end;
	struct cda_releases *list;
	size_t skipped;

	bool in_row, in_cell, in_link, has_link, known;
	struct cda_buf cell, href, text; /* of the link: where it leads, and its words */
	struct cda_release release;      /* of the row, while known */
};

static void add_utf8(struct cda_buf *out, uint32_t c)
{
	char s[4];
	size_t n = 0;

	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	}
	cda_buf_add(out, s, n);
}

/* One &…; at p; how many bytes it took, 0 if it is none. */
static size_t entity(const char *p, const char *end, struct cda_buf *out)
{
	static const struct {
		const char *name;
		char c;
	} names[] = {{"amp", '&'},  {"lt", '<'},    {"gt", '>'},
		     {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}};
	size_t max = (size_t)(end - p) < 12 ? (size_t)(end - p) : 12, n = 1;
	uint32_t value = 0;

	while (n < max && p[n] != ';')
		n++;
	if (n >= max || n < 2)
		return 0;
	for (size_t i = 0; i < CDA_LEN(names); i++)
		if (cda_str_eq((struct cda_str){p + 1, n - 1}, cda_str(names[i].name))) {
			cda_buf_addc(out, names[i].c);
			return n + 1;
		}
	if (p[1] != '#')
		return 0;
	bool hex = cda_lower(p[2]) == 'x';
	for (size_t i = hex ? 3 : 2; i < n; i++) {
		char c = cda_lower(p[i]);
		uint32_t digit = cda_is_digit(c)               ? (uint32_t)(c - '0')
				 : hex && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
							       : 99;

		if (digit == 99)
			return 0;
		value = value * (hex ? 16 : 10) + digit;
		if (value > 0x10ffff)
			return 0;
	}
	if (value < ' ') /* a control character is no part of a name */
		value = 0xfffd;
	add_utf8(out, value);
	return n + 1;
}

static void add_text(const char *p, const char *end, struct cda_buf *out)
{
	while (p < end && out->len < cell_max) {
		size_t n = *p == '&' ? entity(p, end, out) : 0;

		if (n == 0) {
			cda_buf_addc(out, *p);
			n = 1;
		}
		p += n;
	}
}

static bool is_name(const char *text, struct cda_release_name *ret_name)
{
	return cda_release_name_parse(cda_str_trim(cda_str(text)), ret_name);
}

/* Where the link leads decides; a link to another place is none of this folder's files. */
static void take_link(struct page *page)
{
	CDA_AUTOFREE char *decoded = cda_url_decode(page->href.p);
	const char *to = decoded;

	page->in_link = false;
	page->has_link = true;
	page->known = false;
	page->release = (struct cda_release){0};
	if (cda_starts_with(to, "./"))
		to += 2;
	if (cda_starts_with(to, "/") || strstr(to, "://")) {
		/* a whole path: its last part must be what the page shows */
		const char *base = strrchr(to, '/') + 1;

		page->known = cda_streq(base, page->text.p) && is_name(base, &page->release.name);
	} else {
		page->known = cda_release_name_parse(cda_str(to), &page->release.name);
	}
}

static bool take_hash(struct page *page, struct cda_str text)
{
	CDA_AUTOFREE char *hex = cda_str_dup(text);

	if (!cda_hash_is_hex(CDA_SHA256, hex))
		return false;
	memcpy(page->release.sha256, hex, CDA_SHA256_HEX);
	cda_lower_inplace(page->release.sha256);
	return true;
}

static void take_cell(struct page *page)
{
	struct cda_str text = cda_str_trim(cda_buf_str(&page->cell));

	page->in_cell = false;
	if (page->known && text.len > 0 && !take_hash(page, text)) {
		int64_t time = cda_listing_time(text);
		uint64_t size = cda_listing_size(text);

		if (time > 0)
			page->release.mtime = time;
		else if (size > 0)
			page->release.size = size;
	}
	cda_buf_clear(&page->cell);
}

/* Behind a link outside a table: words in any order. */
static void take_words(struct page *page)
{
	struct cda_str rest = cda_buf_str(&page->cell), word;

	while (page->known && cda_str_cut(&rest, " \t\r\n", &word))
		if (word.len > 0 && !take_hash(page, word)) {
			int64_t time = cda_listing_time(word);
			uint64_t size = cda_listing_size(word);

			if (time > 0)
				page->release.mtime = time;
			else if (size > 0)
				page->release.size = size;
		}
	cda_buf_clear(&page->cell);
}

static void end_row(struct page *page)
{
	if (page->in_link)
		take_link(page);
	if (page->in_cell)
		take_cell(page);
	else
		take_words(page);
	if (page->known)
		cda_releases_push(page->list, page->release);
	else if (page->has_link)
		page->skipped++;
	page->known = page->has_link = false;
}

/* The value of an attribute of the tag text. */
static void attribute(struct cda_str tag, const char *name, struct cda_buf *out)
{
	size_t i = 0;

	while (i < tag.len && !cda_is_space(tag.p[i]))
		i++;
	while (i < tag.len) {
		size_t from, len, value;
		char quote = '\0';

		while (i < tag.len && (cda_is_space(tag.p[i]) || tag.p[i] == '/'))
			i++;
		from = i;
		while (i < tag.len && !cda_is_space(tag.p[i]) && tag.p[i] != '=')
			i++;
		len = i - from;
		while (i < tag.len && cda_is_space(tag.p[i]))
			i++;
		if (i >= tag.len || tag.p[i] != '=') {
			i += len == 0;
			continue;
		}
		for (i++; i < tag.len && cda_is_space(tag.p[i]); i++)
			;
		if (i < tag.len && (tag.p[i] == '"' || tag.p[i] == '\''))
			quote = tag.p[i++];
		value = i;
		while (i < tag.len && (quote ? tag.p[i] != quote : !cda_is_space(tag.p[i])))
			i++;
		CDA_AUTOFREE char *key = cda_strndup(tag.p + from, len);
		if (cda_strcaseeq(key, name)) {
			add_text(tag.p + value, tag.p + i, out);
			return;
		}
		i += quote != '\0';
	}
}

static bool tag_is(struct cda_str tag, const char *name)
{
	size_t len = strlen(name);

	if (tag.len < len || (tag.len > len && !cda_is_space(tag.p[len]) && tag.p[len] != '/'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (cda_lower(tag.p[i]) != name[i])
			return false;
	return true;
}

static void take_tag(struct page *page, struct cda_str tag)
{
	if (tag_is(tag, "tr") || tag_is(tag, "/tr") || tag_is(tag, "/table")) {
		end_row(page);
		page->in_row = tag_is(tag, "tr");
	} else if (tag_is(tag, "td") || tag_is(tag, "/td") || tag_is(tag, "th")) {
		if (page->in_link)
			take_link(page);
		if (page->in_cell)
			take_cell(page);
		page->in_cell = page->in_row && !tag_is(tag, "/td");
		cda_buf_clear(&page->cell);
	} else if (tag_is(tag, "a")) {
		if (!page->in_row)
			end_row(page);
		/* the first link of a row names its file */
		page->in_link = !page->has_link;
		if (page->in_link) {
			cda_buf_clear(&page->href);
			cda_buf_clear(&page->text);
			attribute(tag, "href", &page->href);
		}
	} else if (tag_is(tag, "/a")) {
		if (page->in_link)
			take_link(page);
		cda_buf_clear(&page->cell);
	}
}

/* Behind the next text, which is in lower case, whatever case it has there; or the end. */
static const char *find(const char *p, const char *end, const char *text)
{
	size_t len = strlen(text), n;

	for (; (size_t)(end - p) >= len; p++) {
		for (n = 0; n < len && cda_lower(p[n]) == text[n];)
			n++;
		if (n == len)
			return p + len;
	}
	return end;
}

/* Behind the '>' of the tag at '<'; a quoted value may hold one. */
static const char *tag_end(const char *p, const char *end)
{
	char quote = '\0';

	for (p++; p < end; p++) {
		if (quote && *p == quote)
			quote = '\0';
		else if (!quote && (*p == '"' || *p == '\'') && p[-1] == '=')
			quote = *p;
		else if (!quote && *p == '>')
			return p + 1;
	}
	return end;
}

void cda_listing_parse_html(const char *text, size_t len, struct cda_releases *list,
			    size_t *ret_skipped)
{
	struct page page = {.p = text,
			    .end = text + len,
			    .list = list,
			    .cell = CDA_BUF_INIT,
			    .href = CDA_BUF_INIT,
			    .text = CDA_BUF_INIT};

	while (page.p < page.end) {
		const char *open = memchr(page.p, '<', (size_t)(page.end - page.p)), *next;

		open = open ? open : page.end;
		add_text(page.p, open, page.in_link ? &page.text : &page.cell);
		if (open == page.end)
			break;
		if (page.end - open >= 4 && memcmp(open, "<!--", 4) == 0) {
			page.p = find(open + 4, page.end, "-->");
			continue;
		}
		next = tag_end(open, page.end);
		struct cda_str tag = {open + 1, (size_t)(next - open) - 1};
		if (next > open + 1 && next[-1] == '>')
			tag.len--;
		take_tag(&page, tag);
		page.p = tag_is(tag, "script")  ? find(next, page.end, "</script")
			 : tag_is(tag, "style") ? find(next, page.end, "</style")
						: next;
	}
	end_row(&page);
	cda_buf_done(&page.cell);
	cda_buf_done(&page.href);
	cda_buf_done(&page.text);
	if (ret_skipped)
		*ret_skipped = page.skipped;
}
