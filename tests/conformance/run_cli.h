/* run_cli.h - the world that the command vectors assume: a base, a home, channels as folders and
 * over HTTP, and what was done before a vector. */
#ifndef TESTS_CONFORMANCE_RUN_CLI_H
#define TESTS_CONFORMANCE_RUN_CLI_H

#include "run.h"
#include "util/buf.h"

struct server;

struct world {
	const struct tally *tally;
	char *top;                   /* scratch folder; owned, as are all below */
	char *root, *home, *nobody;  /* <ROOT>, <HOME>, <NOBODY> */
	char *channel, *channels;    /* <CHANNEL>, <CHANNELS>: URLs */
	char *program;               /* the conda under test, in the root */
	const char *section, *input; /* borrowed; input: stdin of the next command */
	struct server *server;       /* <HTTP> */
	size_t log_from;             /* its log before the vector */
};

struct outcome {
	int status;
	struct cda_buf out, errout;
};

/* 0, or -1 and a message on stdout. */
int world_open(const struct tally *tally, struct world *world);
void world_close(struct world *world);
/* What the vector of that id needs to have been done. */
void world_prepare(struct world *world, const char *id);
/* Owned: <HOME> and its like in the text become ours, and back. */
char *world_real(const struct world *world, const char *text);
char *world_general(const struct world *world, const char *text);
/* Runs conda; words are as the vectors have them. extra_env: an object or NULL; uid 0: as we are.
 */
void world_run(struct world *world, const struct cda_strv *words, yyjson_val *extra_env, int uid,
	       struct outcome *ret);
/* Owned: lines of the server's log since world_prepare. */
char *world_requests(const struct world *world);
void outcome_done(struct outcome *outcome);

#endif
