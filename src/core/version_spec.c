/* version_spec.c - version ranges: a tree of `,` (and) and `|` (or) over terms such as ">=1.2",
 * "=1.2", "1.2.*", "~=1.2", "^regex$", "1.*.2" (conda/models/version.py, VersionSpec). */
#include "core/regex.h"
#include "core/version.h"

#include "util/alloc.h"
#include "util/buf.h"
#include "util/str.h"
#include "util/vec.h"

#include <string.h>

enum { MAX_SPEC = 65536, MAX_DEPTH = 200 };

enum kind {
	K_AND,
	K_OR,
	K_ANY,
	K_EXACT_TEXT,
	K_REGEX,
	K_EQ,
	K_NE,
	K_LT,
	K_LE,
	K_GT,
	K_GE,
	K_STARTS,
	K_NOT_STARTS,
	K_COMPATIBLE
};

struct node {
	enum kind kind;
	char *text; /* of a term: canonical */
	struct cda_version *version;
	struct cda_version *prefix; /* of ~=: the version without its last part; NULL: none */
	struct cda_regex *regex;
	bool exact;
	struct node *child, *last, *next; /* children of K_AND and K_OR, and the sibling */
	unsigned depth;
};

struct cda_version_spec {
	struct node *root;
	char *text;
};

CDA_VEC_DEFINE(nodes, struct node *);

static struct node *node_free(struct node *node)
{
	while (node) { /* siblings by loop, children by recursion: depth is limited */
		struct node *next = node->next;

		node_free(node->child);
		free(node->text);
		cda_version_free(node->version);
		cda_version_free(node->prefix);
		cda_regex_free(node->regex);
		free(node);
		node = next;
	}
	return NULL;
}
CDA_DEFINE_CLEANUP(struct node *, node_free)

static int invalid(struct cda_err *err, const char *text, const char *why)
{
	return cda_err_set(err, CDA_E_VERSION, "invalid version '%.200s': %s", text, why);
}

static int set_regex(struct node *node, const char *pattern, struct cda_err *err)
{
	const char *why = NULL;

	node->kind = K_REGEX;
	node->regex = cda_regex_new(pattern, &why);
	return node->regex ? 0 : invalid(err, node->text, why);
}

/* "1.*.2" and so on: every '*' is any text, the rest as conda escapes it. */
static int set_glob(struct node *node, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf rx = CDA_BUF_INIT;

	cda_buf_adds(&rx, "^(?:");
	for (const char *p = node->text; *p; p++) {
		if (*p == '.' || *p == '+')
			cda_buf_addc(&rx, '\\');
		cda_buf_adds(&rx, *p == '*' ? ".*" : (char[]){*p, '\0'});
	}
	cda_buf_adds(&rx, ")$");
	return set_regex(node, rx.p, err);
}

/* The longest operator at s that no further operator byte follows; 0: none. */
static size_t operator_at(const char *s, enum kind *ret_kind)
{
	static const struct {
		const char *text;
		enum kind kind;
	} table[] = {{"==", K_EQ},         {"!=", K_NE},    {"<=", K_LE}, {">=", K_GE},
		     {"~=", K_COMPATIBLE}, {"=", K_STARTS}, {"<", K_LT},  {">", K_GT}};

	for (size_t i = 0; i < CDA_LEN(table); i++) {
		size_t len = strlen(table[i].text);

		if (!cda_starts_with(s, table[i].text))
			continue;
		if (s[len] && strchr("=<>!~", s[len]))
			return 0;
		*ret_kind = table[i].kind;
		return len;
	}
	return 0;
}

static int set_operator(struct node *node, struct cda_err *err)
{
	CDA_AUTOFREE char *version = NULL;
	size_t len = operator_at(node->text, &node->kind), n;

	if (len == 0 || !node->text[len])
		return invalid(err, node->text, "invalid operator");
	for (const char *p = node->text + len; *p; p++)
		if (cda_is_space(*p))
			return invalid(err, node->text, "invalid operator");
	version = cda_strdup(node->text + len);
	n = strlen(version);
	node->exact = node->kind == K_EQ;
	if (cda_ends_with(version, ".*")) {
		if (node->kind == K_COMPATIBLE)
			return invalid(err, node->text, "invalid operator with '.*'");
		if (node->kind == K_NE)
			node->kind = K_NOT_STARTS;
		version[n - 2] = '\0';
	}
	if (cda_version_parse(version, &node->version, err) < 0)
		return -(int)err->code;
	if (node->kind == K_COMPATIBLE) {
		struct cda_err ignored = {0};
		CDA_AUTOFREE char *prefix = cda_strdup(cda_version_text(node->version));
		char *dot = strrchr(prefix, '.');

		if (dot)
			*dot = '\0';
		if (!dot || cda_version_parse(prefix, &node->prefix, &ignored) < 0)
			node->prefix = NULL; /* "~=1": conda fails at every match */
		cda_err_done(&ignored);
	}
	return 0;
}

/* A term; text is trimmed already. */
static int parse_term(const char *text, size_t text_len, struct node **ret, struct cda_err *err)
{
	CDA_CLEANUP(node_freep) struct node *node = cda_new0(struct node);
	char *s = node->text = cda_strndup(text, text_len);
	size_t len = strlen(s), stars = 0;
	int rc = 0;

	if (len == 0)
		return invalid(err, s, "empty version string");
	while (stars < len && s[len - 1 - stars] == '*')
		stars++;
	if (s[0] == '^' || s[len - 1] == '$') {
		if (s[0] != '^' || s[len - 1] != '$')
			return invalid(err, s, "regex specs must start with '^' and end with '$'");
		rc = set_regex(node, s, err);
	} else if (strchr("=<>!~", s[0])) {
		rc = set_operator(node, err);
	} else if (strcmp(s, "*") == 0) {
		node->kind = K_ANY;
	} else if (memchr(s, '*', len - stars)) {
		rc = set_glob(node, err);
	} else if (stars > 0) {
		CDA_AUTOFREE char *version = NULL;
		size_t n;

		if (!cda_ends_with(s, ".*")) {
			char *dotted = cda_asprintf("%.*s.*", (int)len - 1, s);

			cda_replace(&node->text, dotted);
			s = node->text;
		}
		version = cda_strdup(s);
		for (n = strlen(version); n > 0 && version[n - 1] == '*';)
			version[--n] = '\0';
		for (; n > 0 && version[n - 1] == '.';)
			version[--n] = '\0';
		node->kind = K_STARTS;
		rc = cda_version_parse(version, &node->version, err);
	} else if (!strchr(s, '@')) {
		node->kind = K_EQ;
		node->exact = true;
		rc = cda_version_parse(s, &node->version, err);
	} else {
		node->kind = K_EXACT_TEXT;
		node->exact = true;
	}
	if (rc < 0)
		return rc;
	*ret = cda_take_ptr(node);
	return 0;
}

/* One token: a whole regex, one of ( ) | , or anything else up to those. */
static struct cda_str next_token(const char **at, const char *end, const char *last_dollar)
{
	const char *p = *at, *q = p;
	struct cda_str token;

	while (q < end && cda_is_space(*q))
		q++;
	if (q < end && *q == '^' && last_dollar && last_dollar > q)
		q = (const char *)memchr(q, '$', (size_t)(end - q)) + 1;
	else if (q < end && strchr("()|,", *q))
		q++;
	else
		for (q = p; q < end && !strchr("()|,", *q);)
			q++;
	token = (struct cda_str){p, (size_t)(q - p)};
	*at = q;
	return cda_str_trim(token);
}

/* Two operands become one node; operands of the same operator become its children. */
static struct node *join(enum kind kind, struct node *left, struct node *right)
{
	struct node *node = left;

	if (left->kind != kind) {
		node = cda_new0(struct node);
		node->kind = kind;
		node->child = node->last = left;
		node->depth = left->depth + 1;
	}
	if (right->kind == kind) {
		node->last->next = right->child;
		node->last = right->last;
		if (right->depth > node->depth)
			node->depth = right->depth;
		free(right);
	} else {
		node->last->next = right;
		node->last = right;
		if (right->depth + 1 > node->depth)
			node->depth = right->depth + 1;
	}
	return node;
}

struct treeify {
	struct nodes output;
	struct cda_buf stack; /* of '(' '|' ',' */
};

static void treeify_done(struct treeify *tree)
{
	cda_vec_each (node, &tree->output)
		node_free(*node);
	nodes_done(&tree->output);
	cda_buf_done(&tree->stack);
}

/* Applies the operators on the stack down to one of the bytes in stop. */
static const char *apply(struct treeify *tree, const char *stop)
{
	while (tree->stack.len > 0 && !strchr(stop, tree->stack.p[tree->stack.len - 1])) {
		char op = tree->stack.p[tree->stack.len - 1];
		struct nodes *out = &tree->output;
		struct node *node;

		if (out->n < 2)
			return "cannot join single expression";
		cda_buf_cut(&tree->stack, tree->stack.len - 1);
		node = join(op == '|' ? K_OR : K_AND, out->v[out->n - 2], out->v[out->n - 1]);
		out->n--;
		out->v[out->n - 1] = node;
		if (node->depth > MAX_DEPTH)
			return "expression is nested too deeply";
	}
	return NULL;
}

static int treeify_token(struct treeify *tree, struct cda_str token, const char *text,
			 struct cda_err *err)
{
	const char *why = NULL;
	char c = token.len == 1 ? token.p[0] : '\0';
	struct node *node;

	switch (c) {
	case '|':
		why = apply(tree, "(");
		cda_buf_addc(&tree->stack, c);
		break;
	case ',':
		why = apply(tree, "|(");
		cda_buf_addc(&tree->stack, c);
		break;
	case '(':
		cda_buf_addc(&tree->stack, c);
		break;
	case ')':
		why = apply(tree, "(");
		if (!why && tree->stack.len == 0)
			why = "expression must start with '('";
		if (!why)
			cda_buf_cut(&tree->stack, tree->stack.len - 1);
		break;
	default:
		if (parse_term(token.p, token.len, &node, err) < 0)
			return -(int)err->code;
		nodes_push(&tree->output, node);
		break;
	}
	return why ? invalid(err, text, why) : 0;
}

static int parse_tree(const char *text, struct node **ret, struct cda_err *err)
{
	CDA_CLEANUP(treeify_done) struct treeify tree = {.stack = CDA_BUF_INIT};
	CDA_AUTOFREE char *whole = cda_asprintf("(%s)", text);
	const char *at = whole, *end = whole + strlen(whole), *last_dollar = strrchr(whole, '$');

	while (at < end) {
		struct cda_str token = next_token(&at, end, last_dollar);
		int rc = treeify_token(&tree, token, text, err);

		if (rc < 0)
			return rc;
	}
	if (tree.stack.len > 0)
		return invalid(err, text, "unbalanced parentheses or operators");
	if (tree.output.n == 0)
		return invalid(err, text, "unable to determine version from spec");
	*ret = tree.output.v[0];
	tree.output.v[0] = NULL;
	return 0;
}

/* Children joined by their operator, without parentheses: so conda writes them. */
static void write_node(const struct node *node, struct cda_buf *out)
{
	if (node->text) {
		cda_buf_adds(out, node->text);
		return;
	}
	for (const struct node *child = node->child; child; child = child->next) {
		if (child != node->child)
			cda_buf_addc(out, node->kind == K_OR ? '|' : ',');
		write_node(child, out);
	}
}

int cda_version_spec_parse(const char *text, struct cda_version_spec **ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_version_spec_freep)
	struct cda_version_spec *spec = cda_new0(struct cda_version_spec);
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	int rc;

	if (strlen(text) > MAX_SPEC)
		return invalid(err, text, "spec is too long");
	if (strpbrk(text, "()|,^$")) {
		rc = parse_tree(text, &spec->root, err);
	} else {
		struct cda_str trimmed = cda_str_trim(cda_str(text));

		rc = parse_term(trimmed.p, trimmed.len, &spec->root, err);
	}
	if (rc < 0)
		return rc;
	write_node(spec->root, &out);
	spec->text = cda_buf_take(&out);
	*ret = cda_take_ptr(spec);
	return 0;
}

struct cda_version_spec *cda_version_spec_free(struct cda_version_spec *spec)
{
	if (spec) {
		node_free(spec->root);
		free(spec->text);
		free(spec);
	}
	return NULL;
}

/* What is matched; parsed once, when the first term asks for it. */
struct subject {
	const char *text;
	const struct cda_version *version;
	struct cda_version *owned;
	bool bad; /* no version, or a term that fails: nothing matches then */
};

static bool match_version(const struct node *node, struct subject *sub)
{
	const struct cda_version *version = sub->version;
	int c;

	if (node->kind == K_STARTS)
		return cda_version_starts_with(version, node->version);
	if (node->kind == K_NOT_STARTS)
		return !cda_version_starts_with(version, node->version);
	c = cda_version_cmp(version, node->version);
	switch (node->kind) {
	case K_EQ:
		return c == 0;
	case K_NE:
		return c != 0;
	case K_LT:
		return c < 0;
	case K_LE:
		return c <= 0;
	case K_GT:
		return c > 0;
	case K_GE:
		return c >= 0;
	case K_COMPATIBLE:
		if (c >= 0 && !node->prefix)
			sub->bad = true;
		return c >= 0 && node->prefix && cda_version_starts_with(version, node->prefix);
	case K_AND:
	case K_OR:
	case K_ANY:
	case K_EXACT_TEXT:
	case K_REGEX:
	case K_STARTS:
	case K_NOT_STARTS:
		break;
	}
	return false;
}

static bool match(const struct node *node, struct subject *sub)
{
	struct cda_err ignored = {0};

	switch (node->kind) {
	case K_AND:
	case K_OR:
		for (const struct node *child = node->child; child; child = child->next)
			if (match(child, sub) == (node->kind == K_OR))
				return node->kind == K_OR;
		return node->kind == K_AND;
	case K_ANY:
		return true;
	case K_EXACT_TEXT:
		return strcmp(sub->text, node->text) == 0;
	case K_REGEX:
		return cda_regex_match(node->regex, sub->text);
	case K_EQ:
	case K_NE:
	case K_LT:
	case K_LE:
	case K_GT:
	case K_GE:
	case K_STARTS:
	case K_NOT_STARTS:
	case K_COMPATIBLE:
		break;
	}
	if (!sub->version && !sub->bad) {
		sub->bad = cda_version_parse(sub->text, &sub->owned, &ignored) < 0;
		sub->version = sub->owned;
	}
	cda_err_done(&ignored);
	return !sub->bad && match_version(node, sub);
}

bool cda_version_spec_match(const struct cda_version_spec *spec, const char *version)
{
	struct subject sub = {.text = version};
	bool matches = match(spec->root, &sub) && !sub.bad;

	cda_version_free(sub.owned);
	return matches;
}

bool cda_version_spec_match_parsed(const struct cda_version_spec *spec, const char *text,
				   const struct cda_version *version)
{
	struct subject sub = {.text = text, .version = version, .bad = false};
	bool matches = match(spec->root, &sub) && !sub.bad;

	cda_version_free(sub.owned);
	return matches;
}

const char *cda_version_spec_text(const struct cda_version_spec *spec)
{
	return spec->text;
}

bool cda_version_spec_is_exact(const struct cda_version_spec *spec)
{
	return spec->root->exact;
}
