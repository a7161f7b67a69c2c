/* option.h - option tables of the commands of condense: parsing and --help from the same rows. */
#ifndef CDA_CONDENSE_OPTION_H
#define CDA_CONDENSE_OPTION_H

#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stddef.h>

enum cda_option_kind {
	CDA_OPTION_END,
	CDA_OPTION_STR,
	CDA_OPTION_LIST,
	CDA_OPTION_INT,
	CDA_OPTION_BOOL
};

struct cda_option {
	enum cda_option_kind kind;
	const char *name; /* without the dashes */
	size_t at;        /* offset of the field */
	const char *value, *help;
	bool needed;
};

/* The field must have the type: another is a compile error. */
#define CDA_FIELD_(type, field, want)                                                              \
	(offsetof(type, field) + 0 * sizeof(char[_Generic(((type *)0)->field, want : 1)]))
#define OPTION_STR(name, type, field, value, help)                                                 \
	{                                                                                          \
		CDA_OPTION_STR, name, CDA_FIELD_(type, field, const char *), value, help, false    \
	}
#define OPTION_NEEDED(name, type, field, value, help)                                              \
	{                                                                                          \
		CDA_OPTION_STR, name, CDA_FIELD_(type, field, const char *), value, help, true     \
	}
#define OPTION_LIST(name, type, field, value, help)                                                \
	{                                                                                          \
		CDA_OPTION_LIST, name, CDA_FIELD_(type, field, struct cda_strv), value, help,      \
			false                                                                      \
	}
#define OPTION_INT(name, type, field, value, help)                                                 \
	{                                                                                          \
		CDA_OPTION_INT, name, CDA_FIELD_(type, field, int64_t), value, help, false         \
	}
#define OPTION_BOOL(name, type, field, help)                                                       \
	{                                                                                          \
		CDA_OPTION_BOOL, name, CDA_FIELD_(type, field, bool), NULL, help, false            \
	}
#define OPTION_END()                                                                               \
	{                                                                                          \
		CDA_OPTION_END, NULL, 0, NULL, NULL, false                                         \
	}

struct cda_command {
	const char *name, *usage, *help;
	const struct cda_option *options;
	size_t min_args, max_args;
	/* argv: what is no option. Prints its result on stdout. */
	int (*run)(int argc, char *const *argv, struct cda_err *err);
	/* NULL-ended; with them run is NULL, and their names are "NAME SUB". */
	const struct cda_command *const *subs;
};

/* Reads options into fields (texts borrowed from argv; lists copied), everything else into rest.
 * "--name value", "--name=value" and "--" are understood. Errors: CDA_E_USAGE. */
int cda_option_parse(const struct cda_command *command, int argc, char *const *argv, void *fields,
		     struct cda_strv *rest, struct cda_err *err) CDA_CHECK;
void cda_option_help(const struct cda_command *command);

#endif
