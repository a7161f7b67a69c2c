/* condense - the build-side tool: packages, channels and releases. */
#include "condense/cmds.h"
#include "util/str.h"

#include <stdio.h>
#include <string.h>

static const struct cda_command *const commands[] = {
	&cda_condense_repack,
	&cda_condense_index,
	&cda_condense_installer,
};

static void print_help(FILE *out)
{
	fprintf(out, "usage: condense COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < CDA_LEN(commands); i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->help);
	fprintf(out, "\n'condense COMMAND --help' tells more; 'condense --version' the version.\n");
}

static int fail(struct cda_err *err)
{
	int status = cda_err_status(err->code);

	fprintf(stderr, "condense: %s\n", err->msg);
	if (err->hint)
		fprintf(stderr, "hint: %s\n", err->hint);
	cda_err_done(err);
	return status;
}

int main(int argc, char **argv)
{
	struct cda_err err = {0};

	/* zip files hold local time: the same bytes everywhere */
	setenv("TZ", "UTC", 1);
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (cda_streq(argv[1], "--help") || cda_streq(argv[1], "-h")) {
		print_help(stdout);
		return 0;
	}
	if (cda_streq(argv[1], "--version") || cda_streq(argv[1], "-V")) {
		puts("condense " CDA_VERSION);
		return 0;
	}
	for (size_t i = 0; i < CDA_LEN(commands); i++) {
		if (!cda_streq(commands[i]->name, argv[1]))
			continue;
		for (int k = 2; k < argc && !cda_streq(argv[k], "--"); k++)
			if (cda_streq(argv[k], "--help") || cda_streq(argv[k], "-h")) {
				cda_option_help(commands[i]);
				return 0;
			}
		if (commands[i]->run(argc - 2, argv + 2, &err))
			return fail(&err);
		if (fflush(stdout) != 0 || ferror(stdout)) {
			fprintf(stderr, "condense: cannot write the result\n");
			return 1;
		}
		return 0;
	}
	fprintf(stderr, "condense: '%s' is no command\nhint: see 'condense --help'\n", argv[1]);
	return 2;
}
