/* opt.h - typed option tables: one const table per command gives parsing, --help and hints.
 * Long options may be shortened to what is unique and may carry =VALUE; short ones may be bundled
 * (-yq) and carry their value (-nNAME). `--` ends the options. */
#ifndef CDA_CLI_OPT_H
#define CDA_CLI_OPT_H

#include "util/buf.h"
#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stddef.h>

enum cda_opt_kind {
	CDA_OPT_END,
	CDA_OPT_GROUP, /* a heading of the help */
	CDA_OPT_FLAG,  /* bool: true */
	CDA_OPT_OFF,   /* bool: false */
	CDA_OPT_COUNT, /* int: one more each time */
	CDA_OPT_INT,   /* int, not negative */
	CDA_OPT_TEXT,  /* const char *: the last one wins; borrowed from argv */
	CDA_OPT_LIST,  /* struct cda_strv: each use adds one */
	CDA_OPT_WORDS, /* struct cda_strv: each use adds the words up to the next option (argparse's
			  +) */
	CDA_OPT_PAIR,  /* struct cda_strv: each use adds two words */
	CDA_OPT_CONST, /* int: set to `value` */
};

struct cda_opt {
	enum cda_opt_kind kind;
	char letter;      /* or 0 */
	const char *name; /* long name without dashes, or the heading's text; more names: "a|b" */
	size_t at;
	const char *value_name; /* NULL for flags */
	const char *help;       /* NULL: accepted, not shown */
	int value;              /* of CDA_OPT_CONST */
};

#define CDA_OPT_AT(type, field, want)                                                              \
	(offsetof(type, field) + 0 * sizeof(char[_Generic(((type *)0)->field, want : 1)]))
#define OPT_GROUP(text)                                                                            \
	{                                                                                          \
		CDA_OPT_GROUP, 0, text, 0, NULL, "", 0                                             \
	}
#define OPT_FLAG(l, n, type, field, help)                                                          \
	{                                                                                          \
		CDA_OPT_FLAG, l, n, CDA_OPT_AT(type, field, bool), NULL, help, 0                   \
	}
#define OPT_OFF(l, n, type, field, help)                                                           \
	{                                                                                          \
		CDA_OPT_OFF, l, n, CDA_OPT_AT(type, field, bool), NULL, help, 0                    \
	}
#define OPT_COUNT(l, n, type, field, help)                                                         \
	{                                                                                          \
		CDA_OPT_COUNT, l, n, CDA_OPT_AT(type, field, int), NULL, help, 0                   \
	}
#define OPT_INT(l, n, type, field, vn, help)                                                       \
	{                                                                                          \
		CDA_OPT_INT, l, n, CDA_OPT_AT(type, field, int), vn, help, 0                       \
	}
#define OPT_TEXT(l, n, type, field, vn, help)                                                      \
	{                                                                                          \
		CDA_OPT_TEXT, l, n, CDA_OPT_AT(type, field, const char *), vn, help, 0             \
	}
#define OPT_LIST(l, n, type, field, vn, help)                                                      \
	{                                                                                          \
		CDA_OPT_LIST, l, n, CDA_OPT_AT(type, field, struct cda_strv), vn, help, 0          \
	}
#define OPT_WORDS(l, n, type, field, vn, help)                                                     \
	{                                                                                          \
		CDA_OPT_WORDS, l, n, CDA_OPT_AT(type, field, struct cda_strv), vn, help, 0         \
	}
#define OPT_PAIR(l, n, type, field, vn, help)                                                      \
	{                                                                                          \
		CDA_OPT_PAIR, l, n, CDA_OPT_AT(type, field, struct cda_strv), vn, help, 0          \
	}
#define OPT_CONST(l, n, type, field, val, help)                                                    \
	{                                                                                          \
		CDA_OPT_CONST, l, n, CDA_OPT_AT(type, field, int), NULL, help, val                 \
	}
#define OPT_END()                                                                                  \
	{                                                                                          \
		CDA_OPT_END, 0, NULL, 0, NULL, NULL, 0                                             \
	}

enum cda_opt_flags {
	CDA_OPT_STOP_AT_WORD = 1u << 0, /* the first word ends the options (conda run) */
};

/* Parses argv[0..argc) (without the command's own name) into the struct at dst (zeroed or with
 * defaults; the caller frees its lists), plain words into words. Errors: CDA_E_USAGE with a hint
 * that names the nearest option. */
int cda_opt_parse(const struct cda_opt *table, void *dst, int argc, char *const *argv,
		  unsigned flags, struct cda_strv *words, struct cda_err *err) CDA_CHECK;
/* Frees the lists of the struct at dst. */
void cda_opt_done(const struct cda_opt *table, void *dst);
/* The lines of --help for the table, appended. */
void cda_opt_help(const struct cda_opt *table, struct cda_buf *out);

#endif
