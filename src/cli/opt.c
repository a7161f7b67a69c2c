#include "cli/opt.h"

#include "util/str.h"

#include <limits.h>

static bool takes_value(const struct cda_opt *opt)
{
	return opt->kind == CDA_OPT_INT || opt->kind == CDA_OPT_TEXT || opt->kind == CDA_OPT_LIST ||
	       opt->kind == CDA_OPT_WORDS || opt->kind == CDA_OPT_PAIR;
}

static bool is_option(const struct cda_opt *opt)
{
	return opt->kind != CDA_OPT_GROUP;
}

/* 0: no; 1: `name` (len bytes) begins one of the option's names; 2: it is one of them. */
static int name_match(const struct cda_opt *opt, const char *name, size_t len)
{
	struct cda_str rest = cda_str(opt->name), piece;
	int best = 0;

	while (cda_str_cut(&rest, "|", &piece)) {
		if (piece.len < len || memcmp(piece.p, name, len) != 0)
			continue;
		if (piece.len == len)
			return 2;
		best = 1;
	}
	return best;
}

static int unknown(const struct cda_opt *table, const char *word, struct cda_err *err)
{
	const char *nearest;
	CDA_AUTOSTRV struct cda_strv names = {0};

	for (const struct cda_opt *o = table; o->kind != CDA_OPT_END; o++) {
		if (is_option(o) && o->help)
			cda_strv_split(&names, o->name, "|");
	}
	cda_err_set(err, CDA_E_USAGE, "unrecognized arguments: %s", word);
	nearest = cda_starts_with(word, "--")
			  ? cda_nearest(word + 2, (const char *const *)cda_strv_argv(&names))
			  : NULL;
	if (nearest)
		cda_err_hint(err, "did you mean '--%s'?", nearest);
	return -CDA_E_USAGE;
}

static int find_long(const struct cda_opt *table, const char *word, size_t len,
		     const struct cda_opt **ret_opt, struct cda_err *err)
{
	const struct cda_opt *found = NULL;

	for (const struct cda_opt *o = table; o->kind != CDA_OPT_END; o++) {
		int how = is_option(o) ? name_match(o, word + 2, len - 2) : 0;

		if (how == 2) {
			*ret_opt = o;
			return 0;
		}
		if (how == 1 && found)
			return cda_err_set(err, CDA_E_USAGE,
					   "ambiguous option: '%s' could match '--%s' or '--%s'",
					   word, found->name, o->name);
		if (how == 1)
			found = o;
	}
	if (!found)
		return unknown(table, word, err);
	*ret_opt = found;
	return 0;
}

static int apply(const struct cda_opt *opt, void *dst, const char *shown, const char *value,
		 struct cda_err *err)
{
	char *at = (char *)dst + opt->at;
	int64_t number;

	switch (opt->kind) {
	case CDA_OPT_FLAG:
	case CDA_OPT_OFF:
		*(bool *)at = opt->kind == CDA_OPT_FLAG;
		return 0;
	case CDA_OPT_COUNT:
		if (*(int *)at < INT_MAX)
			++*(int *)at;
		return 0;
	case CDA_OPT_CONST:
		*(int *)at = opt->value;
		return 0;
	case CDA_OPT_INT:
		if (!cda_parse_int(value, 0, INT_MAX, &number))
			return cda_err_set(err, CDA_E_USAGE, "argument %s: invalid int value: '%s'",
					   shown, value);
		*(int *)at = (int)number;
		return 0;
	case CDA_OPT_TEXT:
		*(const char **)at = value;
		return 0;
	case CDA_OPT_LIST:
	case CDA_OPT_WORDS:
	case CDA_OPT_PAIR:
		cda_strv_push((struct cda_strv *)at, value);
		return 0;
	case CDA_OPT_GROUP:
	case CDA_OPT_END:
		break;
	}
	return 0;
}

/* A word that cannot be an option: what argparse takes as a value. */
static bool is_word(const char *word)
{
	return word[0] != '-' || word[1] == '\0';
}

/* Takes the values of opt from argv[*i…]; `glued` is the text that came with the option. */
static int take_values(const struct cda_opt *opt, void *dst, const char *shown, const char *glued,
		       int argc, char *const *argv, int *i, struct cda_err *err)
{
	int rc, taken = 0, want = opt->kind == CDA_OPT_PAIR ? 2 : 1;

	if (glued) {
		rc = apply(opt, dst, shown, glued, err);
		if (rc < 0 || opt->kind != CDA_OPT_PAIR)
			return rc;
		taken = 1;
	}
	while (*i + 1 < argc && (taken < want || opt->kind == CDA_OPT_WORDS)) {
		/* A value that looks like an option is one, unless nothing else can be meant. */
		if (!is_word(argv[*i + 1]))
			break;
		rc = apply(opt, dst, shown, argv[++*i], err);
		if (rc < 0)
			return rc;
		taken++;
	}
	if (taken < want)
		return cda_err_set(err, CDA_E_USAGE, "argument %s: expected %s", shown,
				   want == 2 ? "2 arguments" : "one argument");
	return 0;
}

static int parse_long(const struct cda_opt *table, void *dst, int argc, char *const *argv, int *i,
		      struct cda_err *err)
{
	const char *word = argv[*i], *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	CDA_AUTOFREE char *shown = cda_strndup(word, len);
	const struct cda_opt *opt = NULL;
	int rc;

	rc = find_long(table, shown, len, &opt, err);
	if (rc < 0)
		return rc;
	if (takes_value(opt))
		return take_values(opt, dst, shown, eq ? eq + 1 : NULL, argc, argv, i, err);
	if (eq)
		return cda_err_set(err, CDA_E_USAGE, "argument %s: ignored explicit argument '%s'",
				   shown, eq + 1);
	return apply(opt, dst, shown, NULL, err);
}

static int parse_short(const struct cda_opt *table, void *dst, int argc, char *const *argv, int *i,
		       struct cda_err *err)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct cda_opt *opt = table;
		char shown[] = {'-', *p, '\0'};
		int rc;

		while (opt->kind != CDA_OPT_END && (!is_option(opt) || opt->letter != *p))
			opt++;
		if (opt->kind == CDA_OPT_END)
			return unknown(table, argv[*i], err);
		if (takes_value(opt)) {
			const char *glued = p[1] == '=' ? p + 2 : p[1] ? p + 1 : NULL;

			return take_values(opt, dst, shown, glued, argc, argv, i, err);
		}
		rc = apply(opt, dst, shown, NULL, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int cda_opt_parse(const struct cda_opt *table, void *dst, int argc, char *const *argv,
		  unsigned flags, struct cda_strv *words, struct cda_err *err)
{
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		int rc = 0;

		if (only_words || is_word(word)) {
			cda_strv_push(words, word);
			only_words = only_words || (flags & CDA_OPT_STOP_AT_WORD) != 0;
		} else if (strcmp(word, "--") == 0) {
			only_words = true;
		} else if (word[1] == '-') {
			rc = parse_long(table, dst, argc, argv, &i, err);
		} else {
			rc = parse_short(table, dst, argc, argv, &i, err);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

void cda_opt_done(const struct cda_opt *table, void *dst)
{
	for (const struct cda_opt *o = table; o->kind != CDA_OPT_END; o++) {
		if (o->kind == CDA_OPT_LIST || o->kind == CDA_OPT_WORDS || o->kind == CDA_OPT_PAIR)
			cda_strv_done((struct cda_strv *)((char *)dst + o->at));
	}
}

enum { HELP_COLUMN = 30, HELP_WIDTH = 96 };

/* Words of text, wrapped, each further line at the column. */
static void add_wrapped(struct cda_buf *out, const char *text, size_t column)
{
	struct cda_str rest = cda_str(text), word;
	size_t at = column;

	while (cda_str_cut(&rest, " ", &word)) {
		if (at > column && at + 1 + word.len > HELP_WIDTH) {
			cda_buf_addf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			cda_buf_addc(out, ' ');
			at++;
		}
		cda_buf_add(out, word.p, word.len);
		at += word.len;
	}
	cda_buf_addc(out, '\n');
}

void cda_opt_help(const struct cda_opt *table, struct cda_buf *out)
{
	for (const struct cda_opt *o = table; o->kind != CDA_OPT_END; o++) {
		struct cda_str rest = cda_str(o->name), name;
		size_t start = out->len, used;
		const char *sep = "";

		if (o->kind == CDA_OPT_GROUP) {
			cda_buf_addf(out, "\n%s:\n", o->name);
			continue;
		}
		if (!o->help)
			continue;
		cda_buf_adds(out, "  ");
		if (o->letter) {
			cda_buf_addf(out, "-%c", o->letter);
			sep = ", ";
		}
		while (cda_str_cut(&rest, "|", &name)) {
			cda_buf_addf(out, "%s--" CDA_STR_FMT, sep, CDA_STR_ARG(name));
			sep = ", ";
		}
		if (o->value_name)
			cda_buf_addf(out, " %s", o->value_name);
		used = out->len - start;
		if (used + 2 > HELP_COLUMN) {
			cda_buf_addf(out, "\n%*s", HELP_COLUMN, "");
		} else {
			cda_buf_addf(out, "%*s", (int)(HELP_COLUMN - used), "");
		}
		add_wrapped(out, o->help, HELP_COLUMN);
	}
}
