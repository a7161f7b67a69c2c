/* regex.c - parser to a program of few instructions, and its simulation over sets of states.
 *
 * Hostile patterns: the program, the nesting and the repetition counts are limited, so memory and
 * time for one text are at most program size times text length. */
#include "core/regex.h"

#include "util/alloc.h"
#include "util/str.h"
#include "util/vec.h"

#include <stdint.h>
#include <string.h>

enum { MAX_PROG = 8192, MAX_DEPTH = 100, MAX_REPEAT = 1000 };

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_BOL, OP_EOL, OP_END, OP_WORD, OP_NOTWORD, OP_MATCH };

struct inst {
	enum op op;
	uint32_t x, y; /* SPLIT: both ways; JUMP: x; SET: x indexes sets */
};

struct set {
	uint32_t bits[8];
};

CDA_VEC_DEFINE(insts, struct inst);
CDA_VEC_DEFINE(sets, struct set);

struct cda_regex {
	struct insts prog;
	struct sets sets;
};

struct parser {
	const char *p;
	struct cda_regex *re;
	const char *why; /* set once something is wrong */
	int depth;
};

static void parse_alternatives(struct parser *ps);

static uint32_t emit(struct parser *ps, enum op op, uint32_t x, uint32_t y)
{
	if (ps->re->prog.n >= MAX_PROG) {
		ps->why = "expression is too large";
		return 0;
	}
	insts_push(&ps->re->prog, (struct inst){op, x, y});
	return (uint32_t)ps->re->prog.n - 1;
}

static void set_add(struct set *set, unsigned char c)
{
	set->bits[c >> 5] |= 1u << (c & 31);
}

static bool set_has(const struct set *set, unsigned char c)
{
	return set->bits[c >> 5] >> (c & 31) & 1;
}

static void set_invert(struct set *set)
{
	for (int i = 0; i < 8; i++)
		set->bits[i] = ~set->bits[i];
}

static bool is_word(unsigned char c)
{
	return cda_is_alnum((char)c) || c == '_';
}

/* \d \w \s and their opposites; false for other letters. */
static bool class_escape(char c, struct set *ret)
{
	struct set set = {0};

	for (unsigned i = 1; i < 256; i++) {
		bool in;

		switch (c) {
		case 'd':
		case 'D':
			in = cda_is_digit((char)i);
			break;
		case 'w':
		case 'W':
			in = is_word((unsigned char)i);
			break;
		case 's':
		case 'S':
			in = cda_is_space((char)i);
			break;
		default:
			return false;
		}
		if (in)
			set_add(&set, (unsigned char)i);
	}
	if (c == 'D' || c == 'W' || c == 'S')
		set_invert(&set);
	*ret = set;
	return true;
}

/* The byte that \c stands for outside classes of bytes; -1 when c is a letter without meaning. */
static int byte_escape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'f':
		return '\f';
	case 'v':
		return '\v';
	case 'a':
		return '\a';
	default:
		return cda_is_alnum(c) ? -1 : (unsigned char)c;
	}
}

static void emit_set(struct parser *ps, const struct set *set)
{
	emit(ps, OP_SET, (uint32_t)ps->re->sets.n, 0);
	sets_push(&ps->re->sets, *set);
}

static void emit_byte(struct parser *ps, unsigned char c)
{
	struct set set = {0};

	set_add(&set, c);
	emit_set(ps, &set);
}

/* One member of a [set]: a byte (returned), or a class (added; -2); -1 when wrong. */
static int set_member(struct parser *ps, struct set *set)
{
	struct set more;
	int c;

	if (*ps->p != '\\')
		return (unsigned char)*ps->p++;
	ps->p++;
	if (class_escape(*ps->p, &more)) {
		for (int i = 0; i < 8; i++)
			set->bits[i] |= more.bits[i];
		ps->p++;
		return -2;
	}
	c = *ps->p == 'b' ? '\b' : *ps->p ? byte_escape(*ps->p) : -1;
	if (c >= 0)
		ps->p++;
	return c;
}

static void parse_set(struct parser *ps)
{
	struct set set = {0};
	bool invert = *ps->p == '^', first = true;

	if (invert)
		ps->p++;
	for (; *ps->p && (*ps->p != ']' || first); first = false) {
		int lo = set_member(ps, &set), hi;

		if (lo == -2)
			continue;
		hi = lo;
		if (lo >= 0 && ps->p[0] == '-' && ps->p[1] && ps->p[1] != ']') {
			ps->p++;
			hi = set_member(ps, &set);
		}
		if (lo < 0 || hi < lo) {
			ps->why = "bad character set";
			return;
		}
		for (int c = lo; c <= hi; c++)
			set_add(&set, (unsigned char)c);
	}
	if (*ps->p != ']') {
		ps->why = "unterminated character set";
		return;
	}
	ps->p++;
	if (invert)
		set_invert(&set);
	emit_set(ps, &set);
}

static void parse_group(struct parser *ps)
{
	if (ps->p[0] == '?') {
		if (ps->p[1] != ':') {
			ps->why = "group extensions are not supported";
			return;
		}
		ps->p += 2;
	}
	if (++ps->depth > MAX_DEPTH) {
		ps->why = "groups are nested too deeply";
		return;
	}
	parse_alternatives(ps);
	ps->depth--;
	if (ps->why)
		return;
	if (*ps->p != ')') {
		ps->why = "unterminated group";
		return;
	}
	ps->p++;
}

static void parse_escape(struct parser *ps)
{
	struct set set;
	char c = *ps->p;
	int byte;

	if (!c) {
		ps->why = "bad escape at the end";
		return;
	}
	ps->p++;
	if (class_escape(c, &set)) {
		emit_set(ps, &set);
	} else if (c == 'b' || c == 'B') {
		emit(ps, c == 'b' ? OP_WORD : OP_NOTWORD, 0, 0);
	} else if (c == 'A') {
		emit(ps, OP_BOL, 0, 0);
	} else if (c == 'Z') {
		emit(ps, OP_END, 0, 0);
	} else if ((byte = byte_escape(c)) >= 0) {
		emit_byte(ps, (unsigned char)byte);
	} else {
		ps->why = "bad escape";
	}
}

/* True when an atom was there (false: the end of this branch, or an error). */
static bool parse_atom(struct parser *ps)
{
	struct set any;

	switch (*ps->p) {
	case '\0':
	case '|':
	case ')':
		return false;
	case '*':
	case '+':
	case '?':
		ps->why = "nothing to repeat";
		return false;
	case '(':
		ps->p++;
		parse_group(ps);
		break;
	case '[':
		ps->p++;
		parse_set(ps);
		break;
	case '\\':
		ps->p++;
		parse_escape(ps);
		break;
	case '.':
		ps->p++;
		memset(&any, 0xff, sizeof(any));
		any.bits['\n' >> 5] &= ~(1u << '\n');
		emit_set(ps, &any);
		break;
	case '^':
		ps->p++;
		emit(ps, OP_BOL, 0, 0);
		break;
	case '$':
		ps->p++;
		emit(ps, OP_EOL, 0, 0);
		break;
	default:
		emit_byte(ps, (unsigned char)*ps->p++);
		break;
	}
	return !ps->why;
}

/* "{2}", "{2,}", "{,3}", "{2,3}" at p: true and *ret_end behind it. Other braces are plain text. */
static bool parse_counts(const char *p, int *ret_min, int *ret_max, const char **ret_end)
{
	int num[2] = {-1, -1}, which = 0;

	for (p++; *p != '}'; p++) {
		if (*p == ',' && which == 0) {
			which = 1;
		} else if (cda_is_digit(*p)) {
			if (num[which] < 0)
				num[which] = 0;
			if (num[which] <= MAX_REPEAT)
				num[which] = num[which] * 10 + (*p - '0');
		} else {
			return false;
		}
	}
	if (which == 0 && num[0] < 0)
		return false;
	*ret_min = num[0] < 0 ? 0 : num[0];
	*ret_max = which == 0 ? num[0] : num[1];
	*ret_end = p + 1;
	return true;
}

/* Appends a copy of prog[from, to), with its jumps moved along. */
static void emit_copy(struct parser *ps, uint32_t from, uint32_t to)
{
	uint32_t shift = (uint32_t)ps->re->prog.n - from;

	for (uint32_t i = from; i < to && !ps->why; i++) {
		struct inst in = ps->re->prog.v[i];

		if (in.op == OP_SPLIT || in.op == OP_JUMP)
			in.x += shift;
		if (in.op == OP_SPLIT)
			in.y += shift;
		emit(ps, in.op, in.x, in.y);
	}
}

/* Room for one instruction at `at`; everything behind moves by one. */
static void insert_split(struct parser *ps, uint32_t at)
{
	emit(ps, OP_JUMP, 0, 0);
	if (ps->why)
		return;
	for (uint32_t i = (uint32_t)ps->re->prog.n - 1; i > at; i--) {
		struct inst in = ps->re->prog.v[i - 1];

		if (in.op == OP_SPLIT || in.op == OP_JUMP)
			in.x++;
		if (in.op == OP_SPLIT)
			in.y++;
		ps->re->prog.v[i] = in;
	}
}

/* The atom prog[from, end) becomes `atom?`, `atom*` or one of `atom+`. */
static void make_optional(struct parser *ps, uint32_t from, bool loop)
{
	insert_split(ps, from);
	if (loop)
		emit(ps, OP_JUMP, from, 0);
	if (!ps->why)
		ps->re->prog.v[from] = (struct inst){OP_SPLIT, from + 1, (uint32_t)ps->re->prog.n};
}

static void repeat(struct parser *ps, uint32_t from, int min, int max)
{
	uint32_t to = (uint32_t)ps->re->prog.n, last;

	if (min > MAX_REPEAT || max > MAX_REPEAT || (max >= 0 && max < min)) {
		ps->why = "bad repeat count";
		return;
	}
	if (max == 0) {
		ps->re->prog.n = from;
		return;
	}
	if (min == 0 && max <= 1) {
		make_optional(ps, from, max < 0);
		return;
	}
	if (min == 0) {
		/* x{,n} is (x x? x? …)?: the copies are taken before the split moves x */
		for (int i = 1; i < max && !ps->why; i++) {
			last = (uint32_t)ps->re->prog.n;
			emit_copy(ps, from, to);
			if (!ps->why)
				make_optional(ps, last, false);
		}
		if (!ps->why)
			make_optional(ps, from, false);
		return;
	}
	for (int i = 1; i < min && !ps->why; i++)
		emit_copy(ps, from, to);
	if (max < 0) {
		last = (uint32_t)ps->re->prog.n - (to - from);
		emit(ps, OP_SPLIT, last, (uint32_t)ps->re->prog.n + 1);
		return;
	}
	for (int i = min; i < max && !ps->why; i++) {
		last = (uint32_t)ps->re->prog.n;
		emit_copy(ps, from, to);
		if (!ps->why)
			make_optional(ps, last, false);
	}
}

static bool is_assertion(enum op op)
{
	return op == OP_BOL || op == OP_EOL || op == OP_END || op == OP_WORD || op == OP_NOTWORD;
}

static void parse_branch(struct parser *ps)
{
	for (;;) {
		uint32_t from = (uint32_t)ps->re->prog.n;
		int min, max;
		const char *end;
		bool group = *ps->p == '(';

		if (!parse_atom(ps))
			return;
		switch (*ps->p) {
		case '*':
		case '+':
		case '?':
			min = *ps->p == '+';
			max = *ps->p == '?' ? 1 : -1;
			end = ps->p + 1;
			break;
		case '{':
			if (parse_counts(ps->p, &min, &max, &end))
				break;
			continue;
		default:
			continue;
		}
		if (!group && ps->re->prog.n > from && is_assertion(ps->re->prog.v[from].op)) {
			ps->why = "nothing to repeat";
			return;
		}
		ps->p = end;
		if (*ps->p == '?') /* lazy: what matches is the same */
			ps->p++;
		repeat(ps, from, min, max);
		if (ps->why)
			return;
		if (*ps->p == '*' || *ps->p == '+' || *ps->p == '?' ||
		    (*ps->p == '{' && parse_counts(ps->p, &min, &max, &end))) {
			ps->why = "multiple repeat";
			return;
		}
	}
}

static void parse_alternatives(struct parser *ps)
{
	uint32_t from = (uint32_t)ps->re->prog.n, jump;

	parse_branch(ps);
	if (ps->why || *ps->p != '|')
		return;
	/* split branch, jump end; the rest is the second way, by recursion on the right */
	insert_split(ps, from);
	jump = emit(ps, OP_JUMP, 0, 0);
	if (ps->why)
		return;
	ps->re->prog.v[from] = (struct inst){OP_SPLIT, from + 1, (uint32_t)ps->re->prog.n};
	ps->p++;
	if (++ps->depth > MAX_DEPTH) {
		ps->why = "expression has too many alternatives";
		return;
	}
	parse_alternatives(ps);
	ps->depth--;
	if (!ps->why)
		ps->re->prog.v[jump].x = (uint32_t)ps->re->prog.n;
}

struct cda_regex *cda_regex_new(const char *pattern, const char **ret_why)
{
	CDA_CLEANUP(cda_regex_freep) struct cda_regex *re = cda_new0(struct cda_regex);
	struct parser ps = {.p = pattern, .re = re};

	parse_alternatives(&ps);
	if (!ps.why && *ps.p)
		ps.why = "unbalanced parenthesis";
	if (!ps.why)
		emit(&ps, OP_MATCH, 0, 0);
	if (ps.why) {
		if (ret_why)
			*ret_why = ps.why;
		return NULL;
	}
	return cda_take_ptr(re);
}

struct cda_regex *cda_regex_free(struct cda_regex *re)
{
	if (re) {
		insts_done(&re->prog);
		sets_done(&re->sets);
		free(re);
	}
	return NULL;
}

/* The states that are alive, each once; `stack` is scratch for the closure over splits. */
struct states {
	uint32_t *list, *stack;
	uint32_t n;
	uint32_t *seen; /* seen[i] == stamp: in the list */
};

static bool at_word_edge(const char *text, const char *p)
{
	bool before = p > text && is_word((unsigned char)p[-1]);
	bool after = *p && is_word((unsigned char)*p);

	return before != after;
}

/* Adds the closure of pc; true when it reaches the match. */
static bool add_state(const struct cda_regex *re, struct states *st, uint32_t pc, uint32_t stamp,
		      const char *text, const char *p)
{
	uint32_t depth = 0;

	st->stack[depth++] = pc;
	while (depth > 0) {
		uint32_t at = st->stack[--depth];
		const struct inst *in = &re->prog.v[at];

		if (st->seen[at] == stamp)
			continue;
		st->seen[at] = stamp;
		switch (in->op) {
		case OP_MATCH:
			return true;
		case OP_SET:
			st->list[st->n++] = at;
			continue;
		case OP_JUMP:
			st->stack[depth++] = in->x;
			continue;
		case OP_SPLIT:
			st->stack[depth++] = in->y;
			st->stack[depth++] = in->x;
			continue;
		case OP_BOL:
			if (p != text)
				continue;
			break;
		case OP_EOL:
			if (*p && !(*p == '\n' && !p[1]))
				continue;
			break;
		case OP_END:
			if (*p)
				continue;
			break;
		case OP_WORD:
			if (!at_word_edge(text, p))
				continue;
			break;
		case OP_NOTWORD:
			if (at_word_edge(text, p))
				continue;
			break;
		}
		st->stack[depth++] = at + 1;
	}
	return false;
}

bool cda_regex_match(const struct cda_regex *re, const char *text)
{
	size_t n = re->prog.n;
	CDA_AUTOFREE uint32_t *mem = cda_alloc0(n * 6 + 4, sizeof(uint32_t));
	struct states now = {mem, mem + n, 0, mem + 4 * n};
	uint32_t *next = mem + 5 * n, stamp = 1;
	bool matched = add_state(re, &now, 0, stamp, text, text);

	for (const char *p = text; !matched && *p && now.n > 0; p++) {
		uint32_t *list = now.list, count = now.n;

		now.list = next;
		now.n = 0;
		stamp++;
		for (uint32_t i = 0; i < count && !matched; i++) {
			const struct inst *in = &re->prog.v[list[i]];

			if (set_has(&re->sets.v[in->x], (unsigned char)*p))
				matched = add_state(re, &now, list[i] + 1, stamp, text, p + 1);
		}
		next = list;
	}
	return matched;
}
