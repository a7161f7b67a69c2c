/* yaml_write.c - trees back to text, and to JSON. */
#include "config/yaml.h"

#include <stdlib.h>

/* Words that YAML 1.1 readers take for booleans: quoted, so that every reader sees the text. */
static bool is_old_bool(const char *s)
{
	static const char *const words[] = {"yes", "no", "on", "off", NULL};

	for (size_t i = 0; words[i]; i++)
		if (cda_strcaseeq(s, words[i]))
			return true;
	return false;
}

/* The character at s when it must be escaped: controls, and what YAML takes for a line break, a
 * mark of byte order or no character. 0: it may stay. Its length goes to *ret_len. */
static unsigned special_at(const char *s, size_t *ret_len)
{
	const unsigned char *u = (const unsigned char *)s;

	*ret_len = 1;
	if (u[0] < 0x20 || u[0] == 0x7f)
		return u[0];
	if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f) {
		*ret_len = 2;
		return u[1];
	}
	*ret_len = 3;
	if (u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
		return u[2] == 0xa8 ? 0x2028 : 0x2029;
	if (u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf)
		return 0xfeff;
	if (u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe)
		return u[2] == 0xbe ? 0xfffe : 0xffff;
	*ret_len = 1;
	return 0;
}

static bool has_special(const char *s)
{
	size_t len;

	for (; *s; s += len)
		if (special_at(s, &len))
			return true;
	return false;
}

static void format_escaped(const char *s, struct cda_buf *out)
{
	size_t len;

	cda_buf_addc(out, '"');
	for (; *s; s += len) {
		unsigned special = special_at(s, &len);

		if (*s == '\n' || *s == '\t')
			cda_buf_adds(out, *s == '\n' ? "\\n" : "\\t");
		else if (special)
			cda_buf_addf(out, "\\u%04x", special);
		else if (*s == '"' || *s == '\\')
			cda_buf_addf(out, "\\%c", *s);
		else
			cda_buf_addc(out, *s);
	}
	cda_buf_addc(out, '"');
}

static bool is_plain(const char *s)
{
	size_t len = strlen(s);
	struct cda_yaml *typed;
	bool text;

	if (len == 0 || cda_is_space(s[0]) || cda_is_space(s[len - 1]) || s[len - 1] == ':')
		return false;
	if (strchr(",[]{}#&*!|>'\"%@`", *s))
		return false;
	if (strchr("-?:", *s) && (len == 1 || cda_is_space(s[1])))
		return false;
	if (strstr(s, ": ") || strstr(s, " #") || cda_starts_with(s, "---") ||
	    cda_starts_with(s, "...") || is_old_bool(s) || strcmp(s, "<<") == 0 ||
	    strcmp(s, "=") == 0)
		return false;
	typed = cda_yaml_scalar(s);
	text = typed->kind == CDA_YAML_STR;
	cda_yaml_free(typed);
	return text;
}

static void format_text(const char *s, struct cda_buf *out)
{
	if (has_special(s)) {
		format_escaped(s, out);
	} else if (is_plain(s)) {
		cda_buf_adds(out, s);
	} else {
		cda_buf_addc(out, '\'');
		for (; *s; s++)
			cda_buf_add(out, *s == '\'' ? "''" : s, *s == '\'' ? 2 : 1);
		cda_buf_addc(out, '\'');
	}
}

/* A scalar as it must be written to keep its value (quoted where a plain one would change). */
static void format_scalar(const struct cda_yaml *node, struct cda_buf *out)
{
	if (node->kind == CDA_YAML_STR)
		format_text(node->text, out);
	else if (node->kind == CDA_YAML_BOOL)
		cda_buf_adds(out, node->truth ? "true" : "false");
	else if (node->kind != CDA_YAML_NULL)
		cda_buf_adds(out, node->text);
}

static void pad(struct cda_buf *out, unsigned indent)
{
	while (indent-- > 0)
		cda_buf_addc(out, ' ');
}

static void end_of_line(const struct cda_yaml *node, struct cda_buf *out)
{
	if (node->flag)
		cda_buf_addf(out, "  %s", node->flag);
	cda_buf_addc(out, '\n');
}

static void format_block(const struct cda_yaml *node, unsigned indent, bool first_placed,
			 struct cda_buf *out);

/* The value behind "key:" or "-", whose text is written. */
static void format_value(const struct cda_yaml *node, unsigned indent, bool in_list,
			 struct cda_buf *out)
{
	if (cda_yaml_is_scalar(node)) {
		if (node->kind != CDA_YAML_NULL)
			cda_buf_addc(out, ' ');
		format_scalar(node, out);
		end_of_line(node, out);
	} else if (node->items.n == 0) {
		cda_buf_adds(out, node->kind == CDA_YAML_LIST ? " []" : " {}");
		end_of_line(node, out);
	} else if (in_list) {
		cda_buf_addc(out, ' ');
		format_block(node, indent + 2, true, out);
	} else {
		end_of_line(node, out);
		format_block(node, indent + 2, false, out);
	}
}

static void format_block(const struct cda_yaml *node, unsigned indent, bool first_placed,
			 struct cda_buf *out)
{
	cda_vec_each (it, &node->items) {
		if (!first_placed)
			pad(out, indent);
		first_placed = false;
		if (node->kind == CDA_YAML_MAP) {
			format_text((*it)->key, out);
			cda_buf_addc(out, ':');
			format_value(*it, indent, false, out);
		} else {
			cda_buf_addc(out, '-');
			format_value(*it, indent, true, out);
		}
	}
}

void cda_yaml_format(const struct cda_yaml *node, unsigned indent, struct cda_buf *out)
{
	if (cda_yaml_is_scalar(node)) {
		pad(out, indent);
		if (node->kind == CDA_YAML_NULL)
			cda_buf_adds(out, "null");
		format_scalar(node, out);
		cda_buf_addc(out, '\n');
	} else if (node->items.n == 0) {
		pad(out, indent);
		cda_buf_adds(out, node->kind == CDA_YAML_LIST ? "[]\n" : "{}\n");
	} else {
		format_block(node, indent, false, out);
	}
}

static yyjson_mut_val *number(yyjson_mut_doc *doc, const struct cda_yaml *node)
{
	int64_t value;
	const char *text = *node->text == '+' ? node->text + 1 : node->text;

	if (node->kind == CDA_YAML_INT && cda_parse_int(text, INT64_MIN, INT64_MAX, &value))
		return yyjson_mut_sint(doc, value);
	if (node->kind == CDA_YAML_FLOAT && !strpbrk(text, "nN"))
		return yyjson_mut_real(doc, strtod(text, NULL));
	return yyjson_mut_strcpy(doc, node->text);
}

yyjson_mut_val *cda_yaml_json(yyjson_mut_doc *doc, const struct cda_yaml *node)
{
	yyjson_mut_val *val;

	switch (node->kind) {
	case CDA_YAML_NULL:
		return yyjson_mut_null(doc);
	case CDA_YAML_BOOL:
		return yyjson_mut_bool(doc, node->truth);
	case CDA_YAML_INT:
	case CDA_YAML_FLOAT:
		return number(doc, node);
	case CDA_YAML_LIST:
		val = yyjson_mut_arr(doc);
		cda_vec_each (it, &node->items)
			yyjson_mut_arr_append(val, cda_yaml_json(doc, *it));
		return val;
	case CDA_YAML_MAP:
		val = yyjson_mut_obj(doc);
		cda_vec_each (it, &node->items)
			yyjson_mut_obj_add(val, yyjson_mut_strcpy(doc, (*it)->key),
					   cda_yaml_json(doc, *it));
		return val;
	case CDA_YAML_STR:
		break;
	}
	return yyjson_mut_strcpy(doc, node->text);
}

void cda_yaml_python_scalar(const struct cda_yaml *node, struct cda_buf *out)
{
	if (node->kind == CDA_YAML_BOOL)
		cda_buf_adds(out, node->truth ? "True" : "False");
	else if (node->kind == CDA_YAML_NULL)
		cda_buf_adds(out, "None");
	else
		cda_buf_adds(out, node->text);
}
