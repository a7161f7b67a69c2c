/* The page: texts of data/size around what is counted here. Names are hostile: in markup they go
 * through add_text, in the data through cda_treemap_quote, and the policy of the page lets no
 * script run but its own, told by its digest, and nothing be loaded. */
#include "image/page.h"
#include "image/size_print.h"
#include "image/treemap.h"
#include "util/alloc.h"
#include "util/hash.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

enum { parts = 2500, lines = 25, paths_shown = 4 };

static void add_text(struct cda_buf *out, const char *s)
{
	CDA_AUTOBUF struct cda_buf safe = CDA_BUF_INIT;

	cda_size_text(s, &safe);
	for (size_t i = 0; i < safe.len; i++)
		switch (safe.p[i]) {
		case '<':
			cda_buf_adds(out, "&lt;");
			break;
		case '>':
			cda_buf_adds(out, "&gt;");
			break;
		case '&':
			cda_buf_adds(out, "&amp;");
			break;
		case '"':
			cda_buf_adds(out, "&quot;");
			break;
		case '\'':
			cda_buf_adds(out, "&#39;");
			break;
		default:
			cda_buf_addc(out, safe.p[i]);
		}
}

/* The digest of a text as a policy has it: base64 of sha256. */
static void add_digest(struct cda_buf *out, const char *s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char hex[CDA_HASH_HEX_MAX];
	unsigned char raw[33] = {0};

	cda_hash_mem(CDA_SHA256, s, strlen(s), hex);
	for (size_t i = 0; i < 32; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		raw[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	cda_buf_adds(out, "'sha256-");
	for (size_t i = 0; i < 33; i += 3) {
		unsigned bits = (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 | raw[i + 2];

		cda_buf_addc(out, digits[bits >> 18]);
		cda_buf_addc(out, digits[bits >> 12 & 63]);
		cda_buf_addc(out, digits[bits >> 6 & 63]);
		cda_buf_addc(out, i == 30 ? '=' : digits[bits & 63]);
	}
	cda_buf_addc(out, '\'');
}

static const char *name_of(const struct cda_size *size)
{
	return size->image.name ? size->image.name : size->path;
}

/* --- pieces --- */

static void add_bytes(struct cda_buf *out, uint64_t size)
{
	char human[CDA_SIZE_HUMAN_MAX];

	cda_buf_addf(out, "<td>%s</td>", cda_size_human(size, human));
}

static void add_cell(struct cda_buf *out, const char *s)
{
	cda_buf_adds(out, "<td class=\"t\">");
	add_text(out, s);
	cda_buf_adds(out, "</td>");
}

/* heads: '<' in front: aligned left; '-' in front: left out on a small screen. */
static void begin_table(struct cda_buf *out, const char *title, const char *const *heads)
{
	cda_buf_addf(out, "<h2>%s</h2>\n<div class=\"wide\"><table>\n<thead><tr>", title);
	for (; *heads; heads++)
		cda_buf_addf(out, "<th scope=\"col\"%s>%s</th>",
			     **heads == '<'   ? " class=\"t\""
			     : **heads == '-' ? " class=\"o\""
					      : "",
			     *heads + (**heads == '<' || **heads == '-'));
	cda_buf_adds(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct cda_buf *out)
{
	cda_buf_adds(out, "</tbody></table></div>\n");
}
#define HEADS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void add_head(const struct cda_size *before, const struct cda_size *after,
		     struct cda_buf *out)
{
	cda_buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			  "<meta name=\"viewport\" content=\"width=device-width, "
			  "initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			  "'none'; base-uri 'none'; form-action 'none'; style-src ");
	add_digest(out, text_css);
	cda_buf_adds(out, "; script-src ");
	add_digest(out, text_js);
	cda_buf_adds(out, "\">\n<title>");
	add_text(out, name_of(before));
	if (after) {
		cda_buf_adds(out, " and ");
		add_text(out, name_of(after));
	}
	cda_buf_addf(out, " - sizes</title>\n<style>%s</style>\n</head>\n<body>\n", text_css);
}

static void add_title(const struct cda_size *size, const char *label, struct cda_buf *out)
{
	const struct cda_oci_image *image = &size->image;

	cda_buf_addf(out, "<h1>%s", label);
	add_text(out, name_of(size));
	cda_buf_adds(out, "</h1>\n<p class=\"soft\">");
	if (image->os) {
		add_text(out, image->os);
		cda_buf_addc(out, '/');
		add_text(out, image->arch ? image->arch : "?");
		cda_buf_adds(out, ", ");
	}
	add_text(out, image->digest ? image->digest : "a root file system");
	if (size->measured)
		cda_buf_adds(out, "; packed sizes are as stored");
	else
		cda_buf_addf(out, "; packed sizes are an estimate (%s)", size->estimate);
	cda_buf_adds(out, "</p>\n");
}

static void add_card(struct cda_buf *out, uint64_t before, const uint64_t *after, bool bytes,
		     const char *label)
{
	char a[CDA_SIZE_HUMAN_MAX], b[CDA_SIZE_HUMAN_MAX];

	snprintf(a, sizeof(a), "%llu", (unsigned long long)before);
	snprintf(b, sizeof(b), "%llu", (unsigned long long)(after ? *after : 0));
	if (bytes) {
		cda_size_human(before, a);
		cda_size_human(after ? *after : 0, b);
	}
	if (after)
		cda_buf_addf(out, "<li><b>%s &rarr; %s</b><span>%s</span></li>\n", a, b, label);
	else
		cda_buf_addf(out, "<li><b>%s</b><span>%s</span></li>\n", a, label);
}

static void add_cards(const struct cda_size *before, const struct cda_size *after,
		      struct cda_buf *out)
{
	const struct cda_size *b = after ? after : before;
	const struct {
		uint64_t before, after;
		bool bytes;
		const char *label;
	} cards[] = {
		{before->packed, b->packed, true, "packed"},
		{before->all.size, b->all.size, true, "unpacked"},
		{before->all.files, b->all.files, false, "files"},
		{before->all.packages, b->all.packages, false, "packages"},
		{before->wasted, b->wasted, true, "in copies of the same file"},
		{before->hidden, b->hidden, true, "hidden by later layers"},
	};

	cda_buf_addf(out, "<ul class=\"cards%s\">\n", after ? " two" : "");
	for (size_t i = 0; i < CDA_LEN(cards); i++)
		add_card(out, cards[i].before, after ? &cards[i].after : NULL, cards[i].bytes,
			 cards[i].label);
	cda_buf_adds(out, "</ul>\n");
}

static void add_choice(struct cda_buf *out, const char *name, const char *legend,
		       const char *const *choices)
{
	cda_buf_addf(out, "<fieldset><legend>%s</legend>", legend);
	for (; *choices; choices += 2)
		cda_buf_addf(out,
			     "<label><input type=\"radio\" name=\"%s\" value=\"%s\">"
			     "<span>%s</span></label>",
			     name, choices[0], choices[1]);
	cda_buf_adds(out, "</fieldset>\n");
}

static void add_legend(const struct cda_size *before, const struct cda_size *after,
		       struct cda_buf *out)
{
	static const char *const changes[][2] = {{"gone", "gone"},
						 {"less", "smaller"},
						 {"less1", "smaller by less than 5 %"},
						 {"same", "unchanged"},
						 {"more1", "larger by less than 5 %"},
						 {"more", "larger"},
						 {"new", "new"}};

	cda_buf_adds(out, "<ul class=\"keys\">\n");
	for (size_t i = 0; after && i < CDA_LEN(changes); i++)
		cda_buf_addf(out, "<li><i class=\"%s\"></i>%s</li>\n", changes[i][0],
			     changes[i][1]);
	for (unsigned kind = 0; !after && kind < CDA_SIZE_KINDS; kind++) {
		char human[CDA_SIZE_HUMAN_MAX];

		if (before->kinds[kind].files)
			cda_buf_addf(out, "<li><i class=\"k%u\"></i>%s, %s</li>\n", kind,
				     cda_size_kind_title(kind),
				     cda_size_human(before->kinds[kind].size, human));
	}
	cda_buf_adds(out, "</ul>\n");
}

/* What the script fills; hidden where none runs. */
static void add_map(const struct cda_size *before, const struct cda_size *after,
		    struct cda_buf *out)
{
	cda_buf_adds(out, "<section id=\"live\" hidden aria-label=\"Treemap\">\n"
			  "<div class=\"bar\">\n");
	add_choice(out, "view", "View", HEADS("packages", "Packages", "folders", "Folders"));
	add_choice(out, "by", "Size", HEADS("size", "Unpacked", "packed", "Packed"));
	if (after)
		add_choice(out, "side", "Image", HEADS("before", "Before", "after", "After"));
	cda_buf_adds(out,
		     "<input type=\"search\" id=\"find\" placeholder=\"Search by name\" "
		     "aria-label=\"Search by name\">\n</div>\n"
		     "<nav aria-label=\"Where we are\"><ol class=\"way\" id=\"way\"></ol></nav>\n"
		     "<div class=\"map\" id=\"map\" role=\"group\" aria-label=\"Tiles as large as "
		     "what they stand for. Arrow keys move, Enter opens, Escape goes up.\"></div>\n"
		     "<p class=\"say soft\" id=\"say\" aria-live=\"polite\"></p>\n");
	add_legend(before, after, out);
	cda_buf_addf(
		out,
		"<h2 id=\"caption\"></h2>\n<div class=\"wide\"><table "
		"aria-labelledby=\"caption\"><thead><tr><th scope=\"col\" class=\"t\">Name</th>"
		"%s<th scope=\"col\" class=\"o\">Files</th></tr></thead>"
		"<tbody id=\"rows\"></tbody></table></div>\n</section>\n"
		"<noscript><p>The treemap wants JavaScript; the tables below do not.</p>"
		"</noscript>\n",
		after ? "<th scope=\"col\">Before</th><th scope=\"col\">After</th>"
			"<th scope=\"col\">Change</th>"
		      : "<th scope=\"col\">Unpacked</th><th scope=\"col\">Packed</th>"
			"<th scope=\"col\" class=\"o\">Share</th>");
}

/* --- tables --- */

static void add_layers(const struct cda_size *size, struct cda_buf *out)
{
	begin_table(out, "Layers", HEADS("Packed", "Unpacked", "-Hidden", "-Packing", "<Made by"));
	cda_vec_each (layer, &size->image.layers) {
		char human[CDA_SIZE_HUMAN_MAX];

		cda_buf_adds(out, "<tr>");
		add_bytes(out, layer->packed);
		add_bytes(out, layer->unpacked);
		cda_buf_addf(out, "<td class=\"o\">%s</td><td class=\"o\">%s</td>",
			     cda_size_human(layer->hidden, human), layer->packing);
		add_cell(out, layer->created_by ? layer->created_by : "");
		cda_buf_adds(out, "</tr>\n");
	}
	end_table(out);
}

static void add_packages(const struct cda_size *size, struct cda_buf *out)
{
	if (!size->packages.n)
		return;
	begin_table(out, "Largest packages",
		    HEADS("Packed", "Unpacked", "-Files", "-Kind", "<Package"));
	for (size_t i = 0; i < size->packages.n && i < lines; i++) {
		const struct cda_inv_package *p = &size->inv.packages.v[size->packages.v[i].index];
		CDA_AUTOFREE char *full = cda_asprintf("%s %s", p->name, p->version);

		cda_buf_adds(out, "<tr>");
		add_bytes(out, size->packages.v[i].packed);
		add_bytes(out, p->size);
		cda_buf_addf(out, "<td class=\"o\">%llu</td><td class=\"o\">%s</td>",
			     (unsigned long long)p->files, cda_inv_kind_name(p->kind));
		add_cell(out, full);
		cda_buf_adds(out, "</tr>\n");
	}
	end_table(out);
}

static void add_files(const struct cda_size *size, struct cda_buf *out)
{
	begin_table(out, "Largest files", HEADS("Packed", "Unpacked", "<File"));
	for (size_t i = 0; i < size->files.n && i < lines; i++) {
		size_t at = size->files.v[i].entry;
		int32_t owner = size->inv.owner[at];

		cda_buf_adds(out, "<tr>");
		add_bytes(out, size->image.packed[at]);
		add_bytes(out, size->image.tree->v[at]->inode->size);
		cda_buf_adds(out, "<td class=\"t\">");
		add_text(out, size->image.tree->v[at]->path);
		if (owner >= 0) {
			cda_buf_adds(out, "<small>");
			add_text(out, size->inv.packages.v[owner].name);
			cda_buf_adds(out, "</small>");
		}
		cda_buf_adds(out, "</td></tr>\n");
	}
	end_table(out);
}

static void add_copies(const struct cda_size *size, struct cda_buf *out)
{
	if (!size->duplicates.n)
		return;
	begin_table(out, "Copies of the same file", HEADS("Wasted", "Each", "<Files"));
	for (size_t i = 0; i < size->duplicates.n && i < lines; i++) {
		const struct cda_size_twins *twins = &size->duplicates.v[i];

		cda_buf_adds(out, "<tr>");
		add_bytes(out, twins->wasted);
		add_bytes(out, twins->size);
		cda_buf_adds(out, "<td class=\"t\">");
		for (size_t k = 0; k < twins->count && k < paths_shown; k++) {
			cda_buf_adds(out, k ? "<br>" : "");
			add_text(out, size->image.tree->v[twins->entries[k]]->path);
		}
		if (twins->count > paths_shown)
			cda_buf_addf(out, "<br>and %zu more", twins->count - paths_shown);
		cda_buf_adds(out, "</td></tr>\n");
	}
	end_table(out);
}

static void add_changes(const struct cda_size *before, const struct cda_size *after,
			struct cda_buf *out)
{
	struct cda_size_pairs list = {0};

	cda_size_compare(before, after, &list);
	begin_table(out, "Packages that changed most",
		    HEADS("Before", "After", "Change", "<Package"));
	for (size_t i = 0; i < list.n && i < lines; i++) {
		const struct cda_size_pair *pair = &list.v[i];
		const struct cda_inv_package *any = pair->before ? pair->before : pair->after;
		CDA_AUTOFREE char *full = cda_asprintf("%s %s", any->name,
						       (pair->after ? pair->after : any)->version);
		char human[CDA_SIZE_HUMAN_MAX];

		cda_buf_adds(out, "<tr>");
		add_bytes(out, pair->size[0]);
		add_bytes(out, pair->size[1]);
		cda_buf_addf(out, "<td>%s</td>",
			     cda_size_change(pair->size[0], pair->size[1], human));
		add_cell(out, full);
		cda_buf_adds(out, "</tr>\n");
	}
	end_table(out);
	cda_size_pairs_done(&list);
}

static void add_data(const struct cda_size *before, const struct cda_size *after,
		     struct cda_buf *out)
{
	struct cda_treemap map;

	cda_treemap_init(&map, before, after, parts);
	cda_buf_addf(out, "<script type=\"application/json\" id=\"data\">{\"two\":%s,\"kinds\":[",
		     after ? "true" : "false");
	for (unsigned kind = 0; kind < CDA_SIZE_KINDS; kind++) {
		cda_buf_adds(out, kind ? "," : "");
		cda_treemap_quote(cda_size_kind_title(kind), out);
	}
	cda_buf_adds(out, "],\"views\":{\"packages\":");
	cda_treemap_json(&map, map.packages, out);
	cda_buf_adds(out, ",\"folders\":");
	cda_treemap_json(&map, map.folders, out);
	cda_buf_adds(out, "}}</script>\n");
	cda_treemap_done(&map);
}

void cda_size_html(const struct cda_size *before, const struct cda_size *after, struct cda_buf *out)
{
	add_head(before, after, out);
	cda_buf_adds(out, "<a class=\"skip\" href=\"#tables\">To the tables</a>\n<header>\n");
	add_title(before, after ? "Before: " : "", out);
	if (after)
		add_title(after, "After: ", out);
	if (after && before->measured != after->measured)
		cda_buf_adds(out, "<p>Packed sizes are measured in one image and estimated in the "
				  "other: compare the unpacked ones.</p>\n");
	cda_buf_adds(out, "</header>\n<main>\n");
	add_cards(before, after, out);
	add_map(before, after, out);
	cda_buf_adds(out, "<div id=\"tables\" tabindex=\"-1\">\n");
	if (after) {
		add_changes(before, after, out);
	} else {
		if (before->image.is_image)
			add_layers(before, out);
		add_packages(before, out);
		add_files(before, out);
		add_copies(before, out);
	}
	cda_buf_addf(out,
		     "</div>\n</main>\n<footer>Sizes are of 1000 bytes to the kB. Packed: what the "
		     "content takes in the compressed layers, to the blocks of the compression; an "
		     "estimate where the image is not stored compressed. Made by condense %s."
		     "</footer>\n",
		     CDA_VERSION);
	add_data(before, after, out);
	cda_buf_addf(out, "<script>%s</script>\n</body>\n</html>\n", text_js);
}
