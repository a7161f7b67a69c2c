/* condense - the build-side tool: packages, channels and releases. */
#include "condense/cmds.h"
#include "condense/say.h"
#include "util/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cda_command *const commands[] = {
	&cda_condense_repack, &cda_condense_index, &cda_condense_installer, &cda_condense_releases,
	&cda_condense_pack,   &cda_condense_size,  &cda_condense_slim,
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

	cda_say("condense: ", err->msg);
	if (err->hint)
		cda_say_lines("hint: ", err->hint);
	cda_err_done(err);
	return status;
}

static bool asks_help(int argc, char *const *argv)
{
	for (int i = 0; i < argc && !cda_streq(argv[i], "--"); i++)
		if (cda_streq(argv[i], "--help") || cda_streq(argv[i], "-h"))
			return true;
	return false;
}

/* The command behind "NAME SUB", or NULL. */
static const struct cda_command *find_sub(const struct cda_command *command, const char *word)
{
	for (const struct cda_command *const *sub = command->subs; *sub; sub++)
		if (cda_streq((*sub)->name + strlen(command->name) + 1, word))
			return *sub;
	return NULL;
}

static int run(const struct cda_command *command, int argc, char *const *argv)
{
	struct cda_err err = {0};

	if (command->subs && argc > 0 && argv[0][0] != '-') {
		const struct cda_command *sub = find_sub(command, argv[0]);

		if (sub)
			return run(sub, argc - 1, argv + 1);
		cda_err_set(&err, CDA_E_USAGE, "'%s' is no command of '%s'", argv[0],
			    command->name);
		cda_err_hint(&err, "see 'condense %s --help'", command->name);
		return fail(&err);
	}
	if (asks_help(argc, argv)) {
		cda_option_help(command);
		return 0;
	}
	if (command->subs) {
		cda_err_set(&err, CDA_E_USAGE, "'%s' wants a command", command->name);
		cda_err_hint(&err, "see 'condense %s --help'", command->name);
		return fail(&err);
	}
	if (command->run(argc, argv, &err))
		return fail(&err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "condense: cannot write the result\n");
		return 1;
	}
	return 0;
}

/* A file that we open must not become 0, 1 or 2: what we print would be written into it. Printing
 * to a closed stdout still fails, since its stand-in cannot be written. */
static void hold_standard_fds(void)
{
	static const int flags[] = {O_WRONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < (int)CDA_LEN(flags); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags[fd]) != fd)
			_exit(1);
}

int main(int argc, char **argv)
{
	hold_standard_fds();
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
	for (size_t i = 0; i < CDA_LEN(commands); i++)
		if (cda_streq(commands[i]->name, argv[1]))
			return run(commands[i], argc - 2, argv + 2);
	fprintf(stderr, "condense: '%s' is no command\nhint: see 'condense --help'\n", argv[1]);
	return 2;
}
