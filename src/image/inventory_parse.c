#include "image/inventory_parse.h"
#include "util/json.h"

#include <string.h>

enum { name_max = 255, text_max = 1000, licenses_max = 32 };

/* A copy without control bytes and outer white space, cut to max; NULL where nothing is left. */
static const char *keep(struct cda_arena *arena, struct cda_str s, size_t max)
{
	char *copy;
	size_t n = 0;

	s = cda_str_trim(s);
	if (s.len > max)
		s.len = max;
	copy = cda_arena_strndup(arena, s.p ? s.p : "", s.len);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= ' ' && c != 0x7f)
			copy[n++] = s.p[i];
	}
	copy[n] = '\0';
	return n ? copy : NULL;
}

static bool next_line(struct cda_str *rest, struct cda_str *ret_line)
{
	if (!cda_str_cut(rest, "\n", ret_line))
		return false;
	if (ret_line->len && ret_line->p[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

/* "Name: value": the value, when the line begins with the name, whatever the case. */
static bool field(struct cda_str line, const char *name, struct cda_str *ret_value)
{
	size_t n = strlen(name);

	if (line.len <= n || line.p[n] != ':')
		return false;
	for (size_t i = 0; i < n; i++)
		if (cda_lower(line.p[i]) != cda_lower(name[i]))
			return false;
	*ret_value = cda_str_trim((struct cda_str){line.p + n + 1, line.len - n - 1});
	return true;
}

static void tell_path(struct cda_str path, cda_inv_path_fn *fn, void *ctx)
{
	if (path.len && !memchr(path.p, '\0', path.len))
		fn(ctx, path);
}

/* --- dpkg --- */

static bool is_installed(struct cda_str status)
{
	struct cda_str word, last = {0};

	while (cda_str_cut(&status, " \t", &word))
		if (word.len)
			last = word;
	return !cda_str_eq(last, CDA_STR("not-installed")) &&
	       !cda_str_eq(last, CDA_STR("config-files"));
}

static void end_dpkg(struct cda_inv_package *package, bool installed, struct cda_inv_packages *out)
{
	if (package->name && package->version && installed) {
		if (!package->source)
			package->source = package->name;
		cda_inv_packages_push(out, *package);
	}
	*package = (struct cda_inv_package){.kind = CDA_INV_DPKG, .place = ""};
}

void cda_inv_parse_dpkg(struct cda_str text, struct cda_arena *arena, struct cda_inv_packages *out)
{
	struct cda_inv_package package = {.kind = CDA_INV_DPKG, .place = ""};
	struct cda_str line, value;
	bool installed = true;

	while (next_line(&text, &line)) {
		if (!line.len) {
			end_dpkg(&package, installed, out);
			installed = true;
		} else if (field(line, "Package", &value)) {
			package.name = keep(arena, value, name_max);
		} else if (field(line, "Version", &value)) {
			package.version = keep(arena, value, name_max);
		} else if (field(line, "Architecture", &value)) {
			package.arch = keep(arena, value, name_max);
		} else if (field(line, "Description", &value)) {
			package.summary = keep(arena, value, text_max);
		} else if (field(line, "Status", &value)) {
			installed = is_installed(value);
		} else if (field(line, "Source", &value)) {
			struct cda_str word;

			if (cda_str_cut(&value, " ", &word)) /* the rest is "(version)" */
				package.source = keep(arena, word, name_max);
		}
	}
	end_dpkg(&package, installed, out);
}

void cda_inv_parse_list(struct cda_str text, cda_inv_path_fn *fn, void *ctx)
{
	struct cda_str line, before = {0};

	while (next_line(&text, &line)) {
		/* a folder of the package, which may be a link here, comes before what it holds */
		bool below = line.len > before.len && before.len && line.p[before.len] == '/' &&
			     memcmp(line.p, before.p, before.len) == 0;

		if (!below)
			tell_path(before, fn, ctx);
		before = line;
	}
	tell_path(before, fn, ctx);
}

void cda_inv_parse_md5sums(struct cda_str text, cda_inv_path_fn *fn, void *ctx)
{
	struct cda_str line;

	while (next_line(&text, &line))
		if (line.len > 34 && line.p[32] == ' ' && line.p[33] == ' ')
			tell_path((struct cda_str){line.p + 34, line.len - 34}, fn, ctx);
}

const char *cda_inv_parse_copyright(struct cda_str text, struct cda_arena *arena)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	CDA_AUTOFREE char *joined = NULL;
	struct cda_str line, value;
	bool first = true;

	while (next_line(&text, &line)) {
		const char *name;

		/* https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
		if (first && line.len && !field(line, "Format", &value))
			return NULL;
		first = first && !line.len;
		if (!field(line, "License", &value))
			continue;
		name = keep(arena, value, name_max);
		if (name && !cda_strv_has(&names, name))
			cda_strv_push(&names, name);
		if (names.n == licenses_max)
			break;
	}
	if (!names.n)
		return NULL;
	cda_strv_sort(&names);
	joined = cda_strv_join(&names, " and ");
	return keep(arena, cda_str(joined), text_max);
}

/* --- apk --- */

struct apk {
	struct cda_arena *arena;
	struct cda_inv_packages *out;
	cda_inv_begin_fn *begin;
	cda_inv_path_fn *fn;
	void *ctx;
	struct cda_inv_package package;
	struct cda_str folder;
	bool begun;
	struct cda_buf path;
};

static void apk_path(struct apk *apk, struct cda_str name)
{
	if (!apk->begun) {
		if (!apk->package.name || !apk->package.version)
			return;
		cda_inv_packages_push(apk->out, apk->package);
		apk->begin(apk->ctx, apk->out->n - 1);
		apk->begun = true;
	}
	cda_buf_clear(&apk->path);
	cda_buf_add(&apk->path, apk->folder.p, apk->folder.len);
	if (apk->folder.len && name.len)
		cda_buf_addc(&apk->path, '/');
	cda_buf_add(&apk->path, name.p, name.len);
	tell_path(cda_buf_str(&apk->path), apk->fn, apk->ctx);
}

static void apk_end(struct apk *apk)
{
	if (!apk->begun && apk->package.name && apk->package.version)
		cda_inv_packages_push(apk->out, apk->package);
	apk->package = (struct cda_inv_package){.kind = CDA_INV_APK, .place = ""};
	apk->folder = (struct cda_str){0};
	apk->begun = false;
}

void cda_inv_parse_apk(struct cda_str text, struct cda_arena *arena, struct cda_inv_packages *out,
		       cda_inv_begin_fn *begin, cda_inv_path_fn *fn, void *ctx)
{
	struct apk apk = {arena, out,   begin,       fn, ctx, {.kind = CDA_INV_APK, .place = ""},
			  {0},   false, CDA_BUF_INIT};
	struct cda_str line;

	while (next_line(&text, &line)) {
		struct cda_str value;

		if (!line.len) {
			apk_end(&apk);
			continue;
		}
		if (line.len < 2 || line.p[1] != ':')
			continue;
		value = (struct cda_str){line.p + 2, line.len - 2};
		switch (line.p[0]) {
		case 'P':
			apk.package.name = keep(arena, value, name_max);
			break;
		case 'V':
			apk.package.version = keep(arena, value, name_max);
			break;
		case 'A':
			apk.package.arch = keep(arena, value, name_max);
			break;
		case 'T':
			apk.package.summary = keep(arena, value, text_max);
			break;
		case 'L':
			apk.package.license = keep(arena, value, text_max);
			break;
		case 'o':
			apk.package.source = keep(arena, value, name_max);
			break;
		case 'F':
			apk.folder = value;
			apk_path(&apk, (struct cda_str){0});
			break;
		case 'R':
			apk_path(&apk, value);
			break;
		default:
			break;
		}
	}
	apk_end(&apk);
	cda_buf_done(&apk.path);
}

/* --- conda --- */

static const char *json_text(struct cda_arena *arena, yyjson_val *obj, const char *key, size_t max)
{
	yyjson_val *val = yyjson_obj_get(obj, key);

	return yyjson_is_str(val)
		       ? keep(arena, (struct cda_str){yyjson_get_str(val), yyjson_get_len(val)},
			      max)
		       : NULL;
}

bool cda_inv_parse_conda(struct cda_str text, const char *place, struct cda_arena *arena,
			 struct cda_inv_packages *out, cda_inv_begin_fn *begin, cda_inv_path_fn *fn,
			 void *ctx)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_inv_package package;
	struct cda_err err = {0};
	yyjson_val *root, *item;
	size_t i, n;

	if (cda_json_parse(text.p, text.len, "record", &doc, &err)) {
		cda_err_done(&err);
		return false;
	}
	root = yyjson_doc_get_root(doc);
	package = (struct cda_inv_package){
		.kind = CDA_INV_CONDA,
		.name = json_text(arena, root, "name", name_max),
		.version = json_text(arena, root, "version", name_max),
		.build = json_text(arena, root, "build", name_max),
		.arch = json_text(arena, root, "subdir", name_max),
		.license = json_text(arena, root, "license", text_max),
		.summary = json_text(arena, root, "summary", text_max),
		.source = json_text(arena, root, "channel", text_max),
		.place = place,
	};
	if (!package.name || !package.version)
		return false;
	cda_inv_packages_push(out, package);
	begin(ctx, out->n - 1);
	yyjson_arr_foreach (yyjson_obj_get(root, "files"), i, n, item) {
		if (yyjson_is_str(item))
			tell_path((struct cda_str){yyjson_get_str(item), yyjson_get_len(item)}, fn,
				  ctx);
	}
	return true;
}

/* --- pip --- */

bool cda_inv_parse_metadata(struct cda_str text, struct cda_arena *arena,
			    struct cda_inv_package *ret)
{
	const char *expression = NULL, *license = NULL, *classifier = NULL;
	struct cda_inv_package package = {.kind = CDA_INV_PIP, .place = ""};
	struct cda_str line, value;

	/* headers alone: what follows the first empty line is the description */
	while (next_line(&text, &line) && line.len) {
		if (field(line, "Name", &value))
			package.name = keep(arena, value, name_max);
		else if (field(line, "Version", &value))
			package.version = keep(arena, value, name_max);
		else if (field(line, "Summary", &value))
			package.summary = keep(arena, value, text_max);
		else if (field(line, "License-Expression", &value))
			expression = keep(arena, value, text_max);
		else if (field(line, "License", &value))
			license = keep(arena, value, text_max);
		else if (field(line, "Classifier", &value) && value.len > 11 &&
			 memcmp(value.p, "License :: ", 11) == 0) {
			size_t at = value.len; /* the last part: "License :: OSI Approved :: X" */

			while (at > 0 && value.p[at - 1] != ':')
				at--;
			classifier = keep(arena, (struct cda_str){value.p + at, value.len - at},
					  text_max);
		}
	}
	if (license && (cda_streq(license, "UNKNOWN") || license[0] == '#'))
		license = NULL;
	package.license = expression ? expression : license ? license : classifier;
	if (!package.name || !package.version)
		return false;
	*ret = package;
	return true;
}

void cda_inv_parse_record(struct cda_str text, cda_inv_path_fn *fn, void *ctx)
{
	CDA_AUTOBUF struct cda_buf cell = CDA_BUF_INIT;
	struct cda_str line;

	while (next_line(&text, &line)) {
		size_t i = 0;

		if (!line.len)
			continue;
		if (line.p[0] != '"') {
			const char *comma = memchr(line.p, ',', line.len);

			tell_path((struct cda_str){line.p,
						   comma ? (size_t)(comma - line.p) : line.len},
				  fn, ctx);
			continue;
		}
		cda_buf_clear(&cell);
		for (i = 1; i < line.len; i++) {
			if (line.p[i] == '"' && (++i == line.len || line.p[i] != '"'))
				break;
			cda_buf_addc(&cell, line.p[i]);
		}
		tell_path(cda_buf_str(&cell), fn, ctx);
	}
}

/* --- names --- */

const char *cda_inv_parse_os(struct cda_str text, const char *name, struct cda_arena *arena)
{
	const char *found = NULL;
	size_t n = strlen(name);
	struct cda_str line;

	while (next_line(&text, &line)) {
		struct cda_str value;

		if (line.len <= n || memcmp(line.p, name, n) != 0 || line.p[n] != '=')
			continue;
		value = cda_str_trim((struct cda_str){line.p + n + 1, line.len - n - 1});
		if (value.len > 1 && (value.p[0] == '"' || value.p[0] == '\'') &&
		    value.p[value.len - 1] == value.p[0])
			value = (struct cda_str){value.p + 1, value.len - 2};
		found = keep(arena, value, name_max);
	}
	return found;
}

static void add_quoted(struct cda_buf *out, const char *s)
{
	for (; *s; s++) {
		if (cda_is_alnum(*s) || strchr(".-_~:", *s))
			cda_buf_addc(out, *s);
		else
			cda_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

static void add_qualifier(struct cda_buf *out, char *mark, const char *key, const char *value)
{
	if (!value)
		return;
	cda_buf_addf(out, "%c%s=", *mark, key);
	add_quoted(out, value);
	*mark = '&';
}

/* Types and rules: https://github.com/package-url/purl-spec */
const char *cda_inv_purl(const struct cda_inv_package *package, const char *os, const char *os_ver,
			 struct cda_arena *arena)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf distro = CDA_BUF_INIT;
	CDA_AUTOFREE char *name = cda_strdup(package->name);
	const char *default_os = package->kind == CDA_INV_APK ? "alpine" : "debian";
	/* Debian's packages on Alpine are still Debian's */
	bool foreign = os && cda_streq(os, "alpine") != (package->kind == CDA_INV_APK);
	bool is_os = package->kind == CDA_INV_DPKG || package->kind == CDA_INV_APK;
	char mark = '?';

	if (package->kind != CDA_INV_CONDA)
		cda_lower_inplace(name);
	for (char *c = name; package->kind == CDA_INV_PIP && *c; c++)
		if (*c == '_')
			*c = '-';
	cda_buf_adds(&out, package->kind == CDA_INV_DPKG    ? "pkg:deb/"
			   : package->kind == CDA_INV_APK   ? "pkg:apk/"
			   : package->kind == CDA_INV_CONDA ? "pkg:conda/"
							    : "pkg:pypi/");
	if (is_os) {
		add_quoted(&out, os && !foreign ? os : default_os);
		cda_buf_addc(&out, '/');
	}
	add_quoted(&out, name);
	cda_buf_addc(&out, '@');
	add_quoted(&out, package->version);
	if (is_os) {
		add_qualifier(&out, &mark, "arch", package->arch);
		if (os && os_ver && !foreign) {
			cda_buf_addf(&distro, "%s-%s", os, os_ver);
			add_qualifier(&out, &mark, "distro", distro.p);
		}
	} else if (package->kind == CDA_INV_CONDA) {
		/* sorted by key; a channel that is an URL has no name to give */
		add_qualifier(&out, &mark, "build", package->build);
		if (package->source && !strchr(package->source, ':'))
			add_qualifier(&out, &mark, "channel", package->source);
		add_qualifier(&out, &mark, "subdir", package->arch);
	}
	return cda_arena_strdup(arena, out.p);
}
