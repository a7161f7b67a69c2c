#include "cli/out.h"

#include "cli/progress.h"
#include "util/alloc.h"
#include "util/str.h"

#include <stdarg.h>

struct cda_out {
	bool json, quiet;
	int verbose;
	struct cda_events events;
	struct cda_progress *progress;
};

static void on_event(void *ctx, const struct cda_event *event)
{
	struct cda_out *out = ctx;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_out_clean(&text, event->text ? event->text : "", true);
	switch (event->kind) {
	case CDA_EVENT_PHASE:
	case CDA_EVENT_DONE:
	case CDA_EVENT_FAILED:
	case CDA_EVENT_PROGRESS:
		if (!out->json)
			cda_progress_event(out->progress, event, text.p);
		break;
	case CDA_EVENT_INFO:
		if (!out->json && !out->quiet)
			cda_progress_line(out->progress, text.p);
		break;
	case CDA_EVENT_WARNING:
	case CDA_EVENT_OUTPUT:
		cda_progress_line(out->progress, text.p);
		break;
	case CDA_EVENT_DEBUG:
		if (out->verbose > 0)
			cda_progress_line(out->progress, text.p);
		break;
	}
}

struct cda_out *cda_out_new(bool json, bool quiet, int verbose)
{
	struct cda_out *out = cda_new0(struct cda_out);

	out->json = json;
	out->quiet = quiet;
	out->verbose = verbose;
	out->events = (struct cda_events){on_event, out};
	out->progress = cda_progress_new(!json && !quiet);
	return out;
}

struct cda_out *cda_out_free(struct cda_out *out)
{
	if (out) {
		out->progress = cda_progress_free(out->progress);
		free(out);
	}
	return NULL;
}

void cda_out_settings(struct cda_out *out, bool json, bool quiet)
{
	out->json = json;
	out->quiet = quiet;
	cda_progress_free(out->progress);
	out->progress = cda_progress_new(!json && !quiet);
}

bool cda_out_is_json(const struct cda_out *out)
{
	return out->json;
}

bool cda_out_is_quiet(const struct cda_out *out)
{
	return out->quiet;
}

const struct cda_events *cda_out_events(struct cda_out *out)
{
	return &out->events;
}

void cda_out_text(struct cda_out *out, const char *fmt, ...)
{
	CDA_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = cda_vasprintf(fmt, ap);
	va_end(ap);
	cda_out_puts(out, text);
}

void cda_out_puts(struct cda_out *out, const char *text)
{
	CDA_AUTOBUF struct cda_buf clean = CDA_BUF_INIT;

	if (out->json)
		return;
	cda_progress_clear(out->progress);
	cda_out_clean(&clean, text, true);
	fputs(clean.p, stdout);
}

void cda_out_raw(struct cda_out *out, const char *text)
{
	cda_progress_clear(out->progress);
	fputs(text, stdout);
}

void cda_out_doc(struct cda_out *out, yyjson_mut_val *root)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (!out->json)
		return;
	cda_json_format(root, 2, true, &text);
	puts(text.p);
}

/* "  - a\n  - b" of a list of texts. */
static void add_formatted(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *from,
			  const char *key)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(root, from), *item;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	size_t i, n;

	if (!list)
		list = yyjson_mut_obj_add_arr(doc, root, from);
	yyjson_mut_arr_foreach(list, i, n, item)
		cda_buf_addf(&text, "%s  - %s", i > 0 ? "\n" : "", yyjson_mut_get_str(item));
	if (text.len > 0)
		yyjson_mut_obj_add_strcpy(doc, root, key, text.p);
	else
		yyjson_mut_obj_add_arr(doc, root, key);
}

/* conda keeps the classes of these two elsewhere. */
static char *type_of(const char *id)
{
	bool top = cda_streq(id, "CondaError") || cda_streq(id, "CondaMultiError");

	return cda_asprintf("<class 'conda.%s%s'>", top ? "" : "exceptions.", id);
}

static yyjson_mut_val *error_members(yyjson_mut_doc *doc, const struct cda_err *err)
{
	CDA_AUTOFREE char *error = cda_asprintf("%s: %s", cda_err_id(err->code), err->msg);
	CDA_AUTOFREE char *type = type_of(cda_err_id(err->code));
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	if (err->data) {
		CDA_AUTOFREE char *text = cda_asprintf("{%s}", err->data);
		CDA_AUTOJSON yyjson_doc *data = yyjson_read(text, strlen(text), 0);

		if (data)
			root = yyjson_val_mut_copy(doc, yyjson_doc_get_root(data));
	}
	if (err->code == CDA_E_NOTFOUND) {
		add_formatted(doc, root, "packages", "packages_formatted");
		add_formatted(doc, root, "channel_urls", "channels_formatted");
	}
	yyjson_mut_obj_add_str(doc, root, "caused_by", "None");
	yyjson_mut_obj_add_strcpy(doc, root, "error", error);
	yyjson_mut_obj_add_str(doc, root, "exception_name", cda_err_id(err->code));
	yyjson_mut_obj_add_strcpy(doc, root, "exception_type", type);
	yyjson_mut_obj_add_str(doc, root, "message", err->msg);
	if (err->hint)
		yyjson_mut_obj_add_str(doc, root, "hint", err->hint);
	if (err->code == CDA_E_DRYRUN || err->code == CDA_E_CANCELLED)
		yyjson_mut_obj_add_bool(doc, root, "dry_run", err->code == CDA_E_DRYRUN);
	return root;
}

static void error_doc(struct cda_out *out, const struct cda_err *err)
{
	static const char multi[] = "CondaMultiError";
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOFREE char *type = type_of(multi);
	yyjson_mut_val *root = error_members(doc, err);

	/* What ends several jobs at once comes in a list, be it one alone. */
	if (err->multi) {
		yyjson_mut_val *list = yyjson_mut_arr(doc);

		yyjson_mut_arr_append(list, root);
		root = yyjson_mut_obj(doc);
		yyjson_mut_obj_add_strcpy(doc, root, "error", err->msg);
		yyjson_mut_obj_add_val(doc, root, "errors", list);
		yyjson_mut_obj_add_str(doc, root, "exception_name", multi);
		yyjson_mut_obj_add_strcpy(doc, root, "exception_type", type);
	}
	yyjson_mut_doc_set_root(doc, root);
	cda_out_doc(out, root);
}

/* Each line of a hint behind its own mark, so that it is found in a log. */
static void add_hint(struct cda_buf *text, const char *hint)
{
	struct cda_str rest = cda_str(hint), line;
	const char *mark = "hint: ";

	while (cda_str_cut(&rest, "\n", &line)) {
		CDA_AUTOFREE char *one = cda_str_dup(line);

		cda_buf_adds(text, mark);
		cda_out_clean(text, one, false);
		cda_buf_addc(text, '\n');
		mark = "      ";
	}
}

void cda_out_error(struct cda_out *out, struct cda_err *err)
{
	cda_progress_clear(out->progress);
	fflush(stdout);
	if (out->json) {
		error_doc(out, err);
	} else {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

		cda_buf_addf(&text, "%s%s: ", err->code == CDA_E_USAGE ? "conda: " : "\n",
			     cda_err_id(err->code));
		cda_out_clean(&text, err->msg ? err->msg : "", true);
		cda_buf_addc(&text, '\n');
		if (err->hint)
			add_hint(&text, err->hint);
		if (err->code != CDA_E_USAGE)
			cda_buf_addc(&text, '\n');
		fputs(text.p, stderr);
	}
	cda_err_done(err);
}

bool cda_out_finish(struct cda_out *out)
{
	cda_progress_clear(out->progress);
	return fflush(stdout) == 0 && !ferror(stdout);
}

char *cda_out_bytes(int64_t bytes)
{
	if (bytes < 1024)
		return cda_asprintf("%lld B", (long long)bytes);
	if (bytes < 1024 * 1024)
		return cda_asprintf("%.0f KB", (double)bytes / 1024);
	if (bytes < 1024LL * 1024 * 1024)
		return cda_asprintf("%.1f MB", (double)bytes / (1024 * 1024));
	return cda_asprintf("%.2f GB", (double)bytes / (1024.0 * 1024 * 1024));
}

void cda_out_clean(struct cda_buf *buf, const char *text, bool keep_newlines)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool keep =
			(*p >= 0x20 && *p != 0x7f) || *p == '\t' || (*p == '\n' && keep_newlines);

		/* U+0080 to U+009F are control characters too; in UTF-8 they begin with C2. */
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			cda_buf_addc(buf, '?');
			p++;
			continue;
		}
		cda_buf_addc(buf, keep ? (char)*p : '?');
	}
}
