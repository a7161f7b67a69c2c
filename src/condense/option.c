#include "condense/option.h"
#include "util/str.h"

#include <stdio.h>
#include <string.h>

static const struct cda_option *find(const struct cda_command *command, const char *name, size_t n)
{
	for (const struct cda_option *o = command->options; o->kind != CDA_OPTION_END; o++)
		if (strlen(o->name) == n && strncmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

static int set(const struct cda_option *o, const char *value, void *fields, struct cda_err *err)
{
	void *field = (char *)fields + o->at;

	if (o->kind == CDA_OPTION_STR)
		*(const char **)field = value;
	else if (o->kind == CDA_OPTION_LIST)
		cda_strv_push(field, value);
	else if (!cda_parse_int(value, 0, INT64_MAX, field))
		return cda_err_set(err, CDA_E_USAGE, "--%s wants a number, not '%s'", o->name,
				   value);
	return 0;
}

int cda_option_parse(const struct cda_command *command, int argc, char *const *argv, void *fields,
		     struct cda_strv *rest, struct cda_err *err)
{
	bool plain = false;

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *equals;
		const struct cda_option *o;
		size_t n;
		int rc;

		if (plain || word[0] != '-' || !word[1]) {
			cda_strv_push(rest, word);
			continue;
		}
		if (cda_streq(word, "--")) {
			plain = true;
			continue;
		}
		equals = strchr(word, '=');
		n = equals ? (size_t)(equals - word) : strlen(word);
		o = n > 2 && word[1] == '-' ? find(command, word + 2, n - 2) : NULL;
		if (!o)
			return cda_err_set(err, CDA_E_USAGE, "'%s' is no option of '%s'", word,
					   command->name);
		if (o->kind == CDA_OPTION_BOOL) {
			if (equals)
				return cda_err_set(err, CDA_E_USAGE, "--%s takes no value",
						   o->name);
			*(bool *)((char *)fields + o->at) = true;
			continue;
		}
		if (!equals && i + 1 >= argc)
			return cda_err_set(err, CDA_E_USAGE, "--%s wants a value", o->name);
		rc = set(o, equals ? equals + 1 : argv[++i], fields, err);
		if (rc)
			return rc;
	}
	for (const struct cda_option *o = command->options; o->kind != CDA_OPTION_END; o++)
		if (o->needed && !*(const char **)((char *)fields + o->at))
			return cda_err_set(err, CDA_E_USAGE, "'%s' wants --%s", command->name,
					   o->name);
	if (rest->n < command->min_args || rest->n > command->max_args) {
		cda_err_set(err, CDA_E_USAGE, "wrong number of arguments for '%s'", command->name);
		return cda_err_hint(err, "usage: condense %s %s", command->name, command->usage);
	}
	return 0;
}

void cda_option_help(const struct cda_command *command)
{
	printf("usage: condense %s %s\n\n%s\n\n", command->name, command->usage, command->help);
	for (const struct cda_command *const *sub = command->subs; sub && *sub; sub++)
		printf("  %-24s %s\n", (*sub)->name + strlen(command->name) + 1, (*sub)->help);
	for (const struct cda_option *o = command->options; o->kind != CDA_OPTION_END; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", o->name, o->value ? o->value : "");
		printf("  %-24s %s%s\n", left, o->help, o->needed ? " (needed)" : "");
	}
	printf("  %-24s %s\n", "--help", "this text");
}
