/* doctor - the program condense-doctor: what is the case in this container, and what to do.
 *
 * Without privilege, with the caller's own rights; reads, and writes nothing but its report. */
#include "probe.h"
#include "runtime/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { NETWORK_LIMIT = 5000, EXIT_FINE = 0, EXIT_TODO = 1, EXIT_WRONG = 2 };

static const char help[] =
	"usage: condense-doctor [--json] [--no-network]\n"
	"\n"
	"Explains this container to its user: who you are in it, whether /startup can work, the\n"
	"mounts, the lists of packages, the settings, the network, the image; and what to do "
	"where\n"
	"something is wrong. It reads with your own rights, and writes nothing.\n"
	"\n"
	"  --json         for programs: {\"format\": 1, \"facts\": {NAME: VALUE, ...},\n"
	"                 \"problems\": N, \"notes\": N, \"findings\": [{\"part\", \"id\", "
	"\"verdict\",\n"
	"                 \"text\", \"subject\", \"todo\"}, ...]}; verdict is ok, note or "
	"problem;\n"
	"                 subject and todo may be missing\n"
	"  --no-network   do not try to reach the hosts that packages come from\n"
	"  --help         this text\n"
	"  --version      the version\n"
	"\n"
	"Colour is for terminals alone; NO_COLOR turns it off.\n"
	"Status: 0 nothing to do; 1 there is a problem; 2 wrong usage, or no place for the "
	"report.\n";

/* A report that went to a file of ours would be a file that is written: descriptors that are
 * closed get something that cannot be written to. */
static void fill_descriptors(void)
{
	int fd;

	do {
		fd = open("/", O_PATH | O_DIRECTORY);
	} while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int flushed(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	cda_say("the report cannot be written: %s", strerror(errno));
	return EXIT_WRONG;
}

static bool wants_colour(const struct cda_world *world)
{
	const char *term = cda_world_env(world, "TERM");

	return isatty(STDOUT_FILENO) && cda_world_env(world, "NO_COLOR") == NULL &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

int main(int argc, char **argv)
{
	static struct cda_world world;
	struct cda_report report = {.count = 0};
	bool json = false, network = true;
	size_t problems;

	fill_descriptors();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--no-network") == 0) {
			network = false;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return flushed(EXIT_FINE);
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("condense-doctor " CDA_VERSION);
			return flushed(EXIT_FINE);
		} else {
			cda_say("condense-doctor: '%s' is no option; see condense-doctor --help",
				argv[i]);
			return EXIT_WRONG;
		}
	}
	cda_world_now(&world, environ);
	cda_probe_all(&world, network ? NETWORK_LIMIT : 0, &report);
	if (json)
		cda_report_print_json(&report, stdout);
	else
		cda_report_print(&report, stdout, wants_colour(&world));
	problems = cda_report_having(&report, CDA_PROBLEM);
	cda_report_free(&report);
	return flushed(problems > 0 ? EXIT_TODO : EXIT_FINE);
}
