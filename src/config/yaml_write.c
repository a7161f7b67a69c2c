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

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
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
	if (has_control(s)) {
		cda_json_quote(s, out); /* JSON's escapes are YAML's */
	} else if (is_plain(s)) {
		cda_buf_adds(out, s);
	} else {
		cda_buf_addc(out, '\'');
		for (; *s; s++)
			cda_buf_add(out, *s == '\'' ? "''" : s, *s == '\'' ? 2 : 1);
		cda_buf_addc(out, '\'');
	}
}

void cda_yaml_format_scalar(const struct cda_yaml *node, struct cda_buf *out)
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
		cda_yaml_format_scalar(node, out);
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
		cda_yaml_format_scalar(node, out);
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
