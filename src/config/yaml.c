#include "config/yaml.h"

#include "util/map.h"

#include <yaml.h>

CDA_VEC_DEFINE(cda_linev, const char *);

struct reader {
	yaml_parser_t parser;
	const char *what, *text;
	size_t len, nodes;
	struct cda_linev lines;  /* start of each line */
	struct cda_map *anchors; /* name to node, borrowed from the tree being built */
	struct cda_yamlv merged; /* values of `<<`, which anchors may still name */
	struct cda_err *err;
};

struct cda_yaml *cda_yaml_new(enum cda_yaml_kind kind)
{
	struct cda_yaml *node = cda_new0(struct cda_yaml);

	node->kind = kind;
	return node;
}

struct cda_yaml *cda_yaml_str(const char *text)
{
	struct cda_yaml *node = cda_yaml_new(CDA_YAML_STR);

	node->text = cda_strdup(text);
	return node;
}

struct cda_yaml *cda_yaml_free(struct cda_yaml *node)
{
	if (!node)
		return NULL;
	cda_vec_each (it, &node->items)
		cda_yaml_free(*it);
	cda_yamlv_done(&node->items);
	free(node->key);
	free(node->text);
	free(node->flag);
	free(node);
	return NULL;
}

static struct cda_yaml *copy_counted(const struct cda_yaml *node, size_t *count)
{
	struct cda_yaml *copy = cda_yaml_new(node->kind);

	++*count;
	copy->key = cda_strdup_null(node->key);
	copy->text = cda_strdup_null(node->text);
	copy->flag = cda_strdup_null(node->flag);
	copy->truth = node->truth;
	copy->line = node->line;
	copy->end_line = node->end_line;
	cda_vec_each (it, &node->items) {
		if (*count > CDA_YAML_MAX_NODES)
			break; /* the caller refuses the tree */
		cda_yamlv_push(&copy->items, copy_counted(*it, count));
	}
	return copy;
}

struct cda_yaml *cda_yaml_copy(const struct cda_yaml *node)
{
	size_t count = 0;

	return node ? copy_counted(node, &count) : NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_int(const char *s)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o') && s[2])
		return s[2 + strspn(s + 2, s[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567")] ==
		       '\0';
	if (*s == '-' || *s == '+')
		s++;
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool is_float(const char *s)
{
	static const char *const words[] = {".inf",  ".Inf", ".INF", "-.inf", "-.Inf", "-.INF",
					    "+.inf", ".nan", ".NaN", ".NAN",  NULL};
	size_t digits;

	if (is_one_of(s, words))
		return true;
	if (*s == '-' || *s == '+')
		s++;
	digits = strspn(s, "0123456789");
	s += digits;
	if (*s == '.') {
		size_t more = strspn(s + 1, "0123456789");
		digits += more;
		s += 1 + more;
	}
	if (digits == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		if (!cda_is_digit(*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

static enum cda_yaml_kind resolve(const char *text, bool *ret_truth)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};

	if (is_one_of(text, nulls))
		return CDA_YAML_NULL;
	if (is_one_of(text, trues) || is_one_of(text, falses)) {
		*ret_truth = cda_lower(*text) == 't';
		return CDA_YAML_BOOL;
	}
	if (is_int(text))
		return CDA_YAML_INT;
	return is_float(text) ? CDA_YAML_FLOAT : CDA_YAML_STR;
}

struct cda_yaml *cda_yaml_scalar(const char *text)
{
	struct cda_yaml *node = cda_yaml_str(text);

	node->kind = resolve(text, &node->truth);
	return node;
}

static int fail(struct reader *in, enum cda_errc code, size_t line, const char *problem)
{
	return cda_err_set(in->err, code, "%s, line %zu: %s", in->what, line + 1, problem);
}

/* Length of the line break at p, as YAML 1.1 and libyaml's marks count them: LF, CR, CRLF, NEL, LS
 * and PS. 0: there is none. */
static size_t break_at(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);

	if (left > 1 && u[0] == '\r' && u[1] == '\n')
		return 2;
	if (left > 0 && (u[0] == '\n' || u[0] == '\r'))
		return 1;
	if (left > 1 && u[0] == 0xc2 && u[1] == 0x85)
		return 2;
	return left > 2 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9) ? 3 : 0;
}

static void split_lines(struct reader *in)
{
	const char *end = in->text + in->len, *line = in->text;

	cda_linev_push(&in->lines, line);
	for (const char *p = in->text; p < end;) {
		size_t len = break_at(p, end);

		p += len > 0 ? len : 1;
		if (len > 0)
			cda_linev_push(&in->lines, p);
	}
}

/* Text at a mark, whose column counts characters, up to the end of the line. */
static struct cda_str text_behind(const struct reader *in, yaml_mark_t mark)
{
	const char *text_end = in->text + in->len, *p, *end;

	if (mark.line >= in->lines.n)
		return (struct cda_str){"", 0};
	p = in->lines.v[mark.line];
	for (end = p; end < text_end && break_at(end, text_end) == 0;)
		end++;
	for (size_t column = mark.column; column > 0 && p < end; column--)
		do
			p++;
		while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
	return (struct cda_str){p, (size_t)(end - p)};
}

/* The comment in the rest of a line, from its '#', when nothing else but `skip` is before it. */
static char *comment_behind(const struct reader *in, yaml_mark_t mark, char skip)
{
	struct cda_str rest = cda_str_trim(text_behind(in, mark));

	if (rest.len > 0 && skip && rest.p[0] == skip)
		rest = cda_str_trim((struct cda_str){rest.p + 1, rest.len - 1});
	return rest.len > 0 && rest.p[0] == '#' ? cda_str_dup(rest) : NULL;
}

static unsigned last_line(yaml_mark_t start, yaml_mark_t end)
{
	return (unsigned)(end.column == 0 && end.line > start.line ? end.line : end.line + 1);
}

static int next_event(struct reader *in, yaml_event_t *event)
{
	if (!yaml_parser_parse(&in->parser, event))
		return fail(in, CDA_E_PARSE, in->parser.problem_mark.line,
			    in->parser.problem ? in->parser.problem : "no valid YAML");
	return 0;
}

static int build(struct reader *in, yaml_event_t *event, unsigned depth, struct cda_yaml **ret);

static int remember(struct reader *in, const char *anchor, struct cda_yaml *node)
{
	if (anchor)
		cda_map_set(in->anchors, anchor, node);
	return 0;
}

static int build_scalar(struct reader *in, const yaml_event_t *event, struct cda_yaml **ret)
{
	const char *tag = (const char *)event->data.scalar.tag;
	const char *text = (const char *)event->data.scalar.value;
	struct cda_yaml *node;

	if (strlen(text) != event->data.scalar.length)
		return fail(in, CDA_E_PARSE, event->start_mark.line, "a NUL byte in a text");
	if (event->data.scalar.plain_implicit ||
	    (tag && !cda_streq(tag, YAML_STR_TAG) && cda_starts_with(tag, "tag:yaml.org,2002:")))
		node = cda_yaml_scalar(text);
	else
		node = cda_yaml_str(text);
	node->line = (unsigned)event->start_mark.line + 1;
	node->end_line = last_line(event->start_mark, event->end_mark);
	if (event->data.scalar.style != YAML_LITERAL_SCALAR_STYLE &&
	    event->data.scalar.style != YAML_FOLDED_SCALAR_STYLE)
		node->flag = comment_behind(in, event->end_mark, 0);
	remember(in, (const char *)event->data.scalar.anchor, node);
	*ret = node;
	return 0;
}

static int build_alias(struct reader *in, const yaml_event_t *event, struct cda_yaml **ret)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct cda_yaml *target = cda_map_get(in->anchors, name);
	struct cda_yaml *node;

	if (!target)
		return fail(in, CDA_E_PARSE, event->start_mark.line, "an alias without its anchor");
	node = copy_counted(target, &in->nodes);
	if (in->nodes > CDA_YAML_MAX_NODES) {
		cda_yaml_free(node);
		return fail(in, CDA_E_VALUE, event->start_mark.line, "too many values");
	}
	cda_replace(&node->key, NULL);
	node->line = node->end_line = (unsigned)event->start_mark.line + 1;
	cda_replace(&node->flag, comment_behind(in, event->end_mark, 0));
	*ret = node;
	return 0;
}

static int build_list(struct reader *in, const yaml_event_t *start, unsigned depth,
		      struct cda_yaml **ret)
{
	CDA_AUTOYAML struct cda_yaml *list = cda_yaml_new(CDA_YAML_LIST);
	int rc;

	list->line = list->end_line = (unsigned)start->start_mark.line + 1;
	for (;;) {
		yaml_event_t event;
		struct cda_yaml *item = NULL;

		rc = next_event(in, &event);
		if (rc < 0)
			return rc;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			if (start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE) {
				list->end_line = last_line(start->start_mark, event.end_mark);
				list->flag = comment_behind(in, event.end_mark, 0);
			}
			yaml_event_delete(&event);
			break;
		}
		rc = build(in, &event, depth + 1, &item);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
		if (item->end_line > list->end_line)
			list->end_line = item->end_line;
		cda_yamlv_push(&list->items, item);
	}
	remember(in, (const char *)start->data.sequence_start.anchor, list);
	*ret = cda_take_ptr(list);
	return 0;
}

/* `<<`: members of another map where this one has none of its own. */
static int merge_into(struct reader *in, struct cda_yaml *map, const struct cda_yaml *from)
{
	if (from->kind == CDA_YAML_LIST) {
		cda_vec_each (it, &from->items)
			if (merge_into(in, map, *it) < 0)
				return -in->err->code;
		return 0;
	}
	if (from->kind != CDA_YAML_MAP)
		return fail(in, CDA_E_PARSE, from->line ? from->line - 1 : 0, "'<<' wants a map");
	cda_vec_each (it, &from->items)
		if (!cda_yaml_get(map, (*it)->key))
			cda_yamlv_push(&map->items, copy_counted(*it, &in->nodes));
	if (in->nodes > CDA_YAML_MAX_NODES)
		return fail(in, CDA_E_VALUE, from->line ? from->line - 1 : 0, "too many values");
	return 0;
}

static int build_member(struct reader *in, const yaml_event_t *key, unsigned depth,
			struct cda_map *seen, struct cda_yaml *map)
{
	CDA_AUTOYAML struct cda_yaml *value = NULL;
	yaml_event_t event;
	const char *name = (const char *)key->data.scalar.value;
	int rc;

	if (strlen(name) != key->data.scalar.length)
		return fail(in, CDA_E_PARSE, key->start_mark.line, "a NUL byte in a text");
	if (cda_map_has(seen, name))
		return cda_err_set(in->err, CDA_E_PARSE, "%s, line %zu: '%s' is there twice",
				   in->what, key->start_mark.line + 1, name);
	cda_map_set(seen, name, NULL);
	rc = next_event(in, &event);
	if (rc < 0)
		return rc;
	rc = build(in, &event, depth + 1, &value);
	yaml_event_delete(&event);
	if (rc < 0)
		return rc;
	if (strcmp(name, "<<") == 0) {
		rc = merge_into(in, map, value);
		cda_yamlv_push(&in->merged, cda_take_ptr(value));
		return rc;
	}
	cda_replace(&value->key, cda_strdup(name));
	value->line = (unsigned)key->start_mark.line + 1;
	if (value->end_line < value->line)
		value->end_line = value->line;
	if (!value->flag)
		value->flag = comment_behind(in, key->end_mark, ':');
	if (value->end_line > map->end_line)
		map->end_line = value->end_line;
	if (cda_map_has(seen, "<<")) /* it may have brought this key */
		cda_yaml_set(map, name, cda_take_ptr(value));
	else
		cda_yamlv_push(&map->items, cda_take_ptr(value));
	return 0;
}

static int build_map(struct reader *in, const yaml_event_t *start, unsigned depth,
		     struct cda_yaml **ret)
{
	CDA_AUTOYAML struct cda_yaml *map = cda_yaml_new(CDA_YAML_MAP);
	CDA_CLEANUP(cda_map_freep) struct cda_map *seen = cda_map_new();
	int rc;

	map->line = map->end_line = (unsigned)start->start_mark.line + 1;
	for (;;) {
		yaml_event_t event;

		rc = next_event(in, &event);
		if (rc < 0)
			return rc;
		if (event.type == YAML_MAPPING_END_EVENT) {
			if (start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) {
				map->end_line = last_line(start->start_mark, event.end_mark);
				map->flag = comment_behind(in, event.end_mark, 0);
			}
			yaml_event_delete(&event);
			break;
		}
		if (event.type != YAML_SCALAR_EVENT)
			rc = fail(in, CDA_E_PARSE, event.start_mark.line, "a key must be a text");
		else if (++in->nodes > CDA_YAML_MAX_NODES)
			rc = fail(in, CDA_E_VALUE, event.start_mark.line, "too many values");
		else
			rc = build_member(in, &event, depth, seen, map);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
	}
	remember(in, (const char *)start->data.mapping_start.anchor, map);
	*ret = cda_take_ptr(map);
	return 0;
}

static int build(struct reader *in, yaml_event_t *event, unsigned depth, struct cda_yaml **ret)
{
	if (depth > CDA_YAML_MAX_DEPTH)
		return fail(in, CDA_E_VALUE, event->start_mark.line, "nested too deeply");
	if (++in->nodes > CDA_YAML_MAX_NODES)
		return fail(in, CDA_E_VALUE, event->start_mark.line, "too many values");
	if (event->type == YAML_SCALAR_EVENT)
		return build_scalar(in, event, ret);
	if (event->type == YAML_ALIAS_EVENT)
		return build_alias(in, event, ret);
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return build_list(in, event, depth, ret);
	if (event->type == YAML_MAPPING_START_EVENT)
		return build_map(in, event, depth, ret);
	return fail(in, CDA_E_PARSE, event->start_mark.line, "a value was expected");
}

static int read_stream(struct reader *in, struct cda_yaml **ret)
{
	CDA_AUTOYAML struct cda_yaml *root = NULL;
	bool more = true;

	while (more) {
		yaml_event_t event;
		int rc = next_event(in, &event);

		if (rc < 0)
			return rc;
		if (event.type == YAML_STREAM_END_EVENT)
			more = false;
		else if (event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_START_EVENT &&
			 event.type != YAML_DOCUMENT_END_EVENT)
			rc = root ? fail(in, CDA_E_PARSE, event.start_mark.line,
					 "a second document begins")
				  : build(in, &event, 0, &root);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
	}
	*ret = root ? cda_take_ptr(root) : cda_yaml_scalar("");
	return 0;
}

int cda_yaml_parse(const char *text, size_t len, const char *what, struct cda_yaml **ret,
		   struct cda_err *err)
{
	struct reader in = {.what = what, .text = text, .len = len, .err = err};
	int rc;

	if (len > CDA_YAML_MAX_BYTES)
		return cda_err_set(err, CDA_E_VALUE, "%s: larger than %d bytes", what,
				   CDA_YAML_MAX_BYTES);
	if (!yaml_parser_initialize(&in.parser))
		return cda_err_set(err, CDA_E_PARSE, "%s: no YAML parser", what);
	yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, len);
	in.anchors = cda_map_new();
	split_lines(&in);
	rc = read_stream(&in, ret);
	cda_linev_done(&in.lines);
	cda_vec_each (it, &in.merged)
		cda_yaml_free(*it);
	cda_yamlv_done(&in.merged);
	cda_map_free(in.anchors);
	yaml_parser_delete(&in.parser);
	return rc;
}

struct cda_yaml *cda_yaml_get(const struct cda_yaml *map, const char *key)
{
	if (map && map->kind == CDA_YAML_MAP)
		cda_vec_each (it, &map->items)
			if (strcmp((*it)->key, key) == 0)
				return *it;
	return NULL;
}

void cda_yaml_set(struct cda_yaml *map, const char *key, struct cda_yaml *node)
{
	if (!cda_streq(node->key, key))
		cda_replace(&node->key, cda_strdup(key));
	cda_vec_each (it, &map->items)
		if (strcmp((*it)->key, key) == 0) {
			if (*it != node)
				cda_yaml_free(*it);
			*it = node;
			return;
		}
	cda_yamlv_push(&map->items, node);
}

void cda_yaml_push(struct cda_yaml *list, struct cda_yaml *node)
{
	cda_yamlv_push(&list->items, node);
}

void cda_yaml_cut(struct cda_yaml *node, size_t at)
{
	cda_yaml_free(node->items.v[at]);
	memmove(node->items.v + at, node->items.v + at + 1,
		(node->items.n - at - 1) * sizeof(*node->items.v));
	node->items.n--;
}

bool cda_yaml_remove(struct cda_yaml *map, const char *key)
{
	for (size_t i = 0; i < map->items.n; i++)
		if (strcmp(map->items.v[i]->key, key) == 0) {
			cda_yaml_cut(map, i);
			return true;
		}
	return false;
}

bool cda_yaml_is_scalar(const struct cda_yaml *node)
{
	return node->kind != CDA_YAML_LIST && node->kind != CDA_YAML_MAP;
}

void cda_yaml_strv(const struct cda_yaml *node, struct cda_strv *list)
{
	if (!node || node->kind == CDA_YAML_MAP)
		return;
	if (node->kind != CDA_YAML_LIST) {
		if (node->kind != CDA_YAML_NULL)
			cda_strv_push(list, node->text);
		return;
	}
	cda_vec_each (it, &node->items)
		if (cda_yaml_is_scalar(*it) && (*it)->kind != CDA_YAML_NULL)
			cda_strv_push(list, (*it)->text);
}

const char *cda_yaml_kind_name(enum cda_yaml_kind kind)
{
	static const char *const names[] = {"null", "bool", "int", "float", "str", "list", "map"};

	return names[kind];
}
