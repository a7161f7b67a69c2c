#include "report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 100, INDENT = 11 };

static const char *const part_names[CDA_PARTS] = {"identity", "setuid",  "mounts", "lists",
						  "settings", "network", "image"};
static const char *const verdict_names[] = {"ok", "note", "problem"};
static const char *const colours[] = {"\033[32m", "\033[33m", "\033[1;31m"};

static void *checked(void *p)
{
	if (p == NULL) {
		fputs("condense: there is no memory left\n", stderr);
		exit(2);
	}
	return p;
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	return checked(text);
}

void cda_report_free(struct cda_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->findings[i].text);
		free(report->findings[i].todo);
		free(report->findings[i].subject);
	}
	for (size_t i = 0; i < report->fact_count; i++)
		free(report->facts[i].value);
	free(report->findings);
	free(report->facts);
	*report = (struct cda_report){.count = 0};
}

void cda_report_add(struct cda_report *report, enum cda_part part, const char *id,
		    enum cda_verdict verdict, const char *fmt, ...)
{
	struct cda_finding *finding;
	va_list ap;

	report->findings =
		checked(realloc(report->findings, (report->count + 1) * sizeof(*finding)));
	finding = &report->findings[report->count++];
	*finding = (struct cda_finding){.part = part, .verdict = verdict, .id = id};
	va_start(ap, fmt);
	finding->text = format(fmt, ap);
	va_end(ap);
}

void cda_report_todo(struct cda_report *report, const char *fmt, ...)
{
	struct cda_finding *finding = &report->findings[report->count - 1];
	va_list ap;

	free(finding->todo);
	va_start(ap, fmt);
	finding->todo = format(fmt, ap);
	va_end(ap);
}

void cda_report_about(struct cda_report *report, const char *subject)
{
	struct cda_finding *finding = &report->findings[report->count - 1];

	free(finding->subject);
	finding->subject = checked(strdup(subject));
}

void cda_report_fact(struct cda_report *report, const char *name, const char *fmt, ...)
{
	struct cda_fact *fact;
	va_list ap;

	report->facts = checked(realloc(report->facts, (report->fact_count + 1) * sizeof(*fact)));
	fact = &report->facts[report->fact_count++];
	va_start(ap, fmt);
	*fact = (struct cda_fact){.name = name, .value = format(fmt, ap)};
	va_end(ap);
}

size_t cda_report_having(const struct cda_report *report, enum cda_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += report->findings[i].verdict == verdict;
	return count;
}

/* The length of the character at p and its code; 0 if it is none of UTF-8 (RFC 3629: the shortest
 * form, no surrogates, up to U+10FFFF). */
static size_t character(const char *text, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	size_t len = p[0] < 0x80             ? 1
		     : (p[0] & 0xe0) == 0xc0 ? 2
		     : (p[0] & 0xf0) == 0xe0 ? 3
		     : (p[0] & 0xf8) == 0xf0 ? 4
					     : 0;

	if (len < 2) {
		*ret = p[0];
		return len;
	}
	*ret = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*ret = *ret << 6 | (p[i] & 0x3f);
	}
	return *ret < least[len] || *ret > 0x10ffff || (*ret >= 0xd800 && *ret < 0xe000) ? 0 : len;
}

/* Nothing that a terminal obeys or that turns the direction of text. */
static bool is_printable(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && !(c >= 0x200b && c <= 0x200f) &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

/* A character that can be printed, or '?'. Returns the number of bytes of text that it took. */
static size_t put_character(const char *text, FILE *out)
{
	uint32_t c;
	size_t len = character(text, &c);

	if (len == 0 || !is_printable(c)) {
		putc('?', out);
		return len == 0 ? 1 : len;
	}
	fwrite(text, 1, len, out);
	return len;
}

/* Characters up to the next blank. */
static size_t width_of_word(const char *text)
{
	size_t width = 0;

	while (*text != '\0' && *text != ' ') {
		uint32_t c;
		size_t len = character(text, &c);

		text += len == 0 ? 1 : len;
		width++;
	}
	return width;
}

/* Print from column on, and go on in lines of that indent; a word that is longer than a line is
 * cut. */
static void print_wrapped(const char *text, size_t indent, FILE *out)
{
	size_t column = indent;

	while (*text != '\0') {
		size_t width = width_of_word(text);

		if (column > indent && column + 1 + width > COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putc(' ', out);
			column++;
		}
		for (; width > 0; width--) {
			if (column == COLUMNS) {
				fprintf(out, "\n%*s", (int)indent, "");
				column = indent;
			}
			text += put_character(text, out);
			column++;
		}
		text += *text == ' ';
	}
	putc('\n', out);
}

static void print_finding(const struct cda_finding *finding, FILE *out, bool colour)
{
	fprintf(out, "  %s%-*s%s", colour ? colours[finding->verdict] : "", INDENT - 2,
		verdict_names[finding->verdict], colour ? "\033[m" : "");
	print_wrapped(finding->text, INDENT, out);
	if (finding->todo == NULL)
		return;
	fprintf(out, "%*sdo: ", INDENT, "");
	print_wrapped(finding->todo, INDENT + 4, out);
}

void cda_report_print(const struct cda_report *report, FILE *out, bool colour)
{
	size_t problems = cda_report_having(report, CDA_PROBLEM);
	size_t notes = cda_report_having(report, CDA_NOTE);

	for (enum cda_part part = 0; part < CDA_PARTS; part++) {
		bool headed = false;

		for (size_t i = 0; i < report->count; i++) {
			if (report->findings[i].part != part)
				continue;
			if (!headed)
				fprintf(out, "%s%s%s\n", colour ? "\033[1m" : "", part_names[part],
					colour ? "\033[m" : "");
			headed = true;
			print_finding(&report->findings[i], out, colour);
		}
	}
	if (problems == 0)
		fputs("nothing to do", out);
	else
		fprintf(out, "%zu problem%s", problems, problems == 1 ? "" : "s");
	if (notes > 0)
		fprintf(out, ", %zu note%s", notes, notes == 1 ? "" : "s");
	putc('\n', out);
}

void cda_json_string(const char *text, FILE *out)
{
	putc('"', out);
	while (*text != '\0') {
		uint32_t c;
		size_t len = character(text, &c);

		if (len == 0)
			fputs("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", (unsigned)c);
		else
			fwrite(text, 1, len, out);
		text += len == 0 ? 1 : len;
	}
	putc('"', out);
}

static void print_member(const char *name, const char *value, FILE *out)
{
	if (value == NULL)
		return;
	fprintf(out, ", \"%s\": ", name);
	cda_json_string(value, out);
}

void cda_report_print_json(const struct cda_report *report, FILE *out)
{
	bool first = true;

	fputs("{\n  \"format\": 1,\n  \"facts\": {", out);
	for (size_t i = 0; i < report->fact_count; i++) {
		fprintf(out, "%s\n    ", i > 0 ? "," : "");
		cda_json_string(report->facts[i].name, out);
		fputs(": ", out);
		cda_json_string(report->facts[i].value, out);
	}
	fprintf(out, "\n  },\n  \"problems\": %zu,\n  \"notes\": %zu,\n  \"findings\": [",
		cda_report_having(report, CDA_PROBLEM), cda_report_having(report, CDA_NOTE));
	for (enum cda_part part = 0; part < CDA_PARTS; part++) {
		for (size_t i = 0; i < report->count; i++) {
			const struct cda_finding *finding = &report->findings[i];

			if (finding->part != part)
				continue;
			fprintf(out,
				"%s\n    {\"part\": \"%s\", \"id\": \"%s\", \"verdict\": \"%s\"",
				first ? "" : ",", part_names[part], finding->id,
				verdict_names[finding->verdict]);
			first = false;
			print_member("text", finding->text, out);
			print_member("subject", finding->subject, out);
			print_member("todo", finding->todo, out);
			putc('}', out);
		}
	}
	fputs("\n  ]\n}\n", out);
}
