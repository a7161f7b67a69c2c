/* run.h - what the runners of the vector kinds share. A kind is one file with one function, and one
 * line in the table of run.c. */
#ifndef TESTS_CONFORMANCE_RUN_H
#define TESTS_CONFORMANCE_RUN_H

#include "core/channel.h"
#include "util/json.h"

#include <stdbool.h>

struct tally {
	const char *file;   /* the vector file */
	const char *folder; /* that it is in: further files are beside it */
	unsigned passed, failed;
};

/* Each runs every vector of a file of its kind; 0, or -1 when the file cannot be used at all. */
int run_activation(yyjson_val *root, struct tally *tally);
int run_channel(yyjson_val *root, struct tally *tally);
int run_cli(yyjson_val *root, struct tally *tally);
int run_layout(yyjson_val *root, struct tally *tally);
int run_matchspec(yyjson_val *root, struct tally *tally);
int run_solve(yyjson_val *root, struct tally *tally);
int run_version_order(yyjson_val *root, struct tally *tally);
int run_version_spec(yyjson_val *root, struct tally *tally);

/* Counts one vector; when it is not ok, prints the message (what was asked, got and expected). */
void tally_check(struct tally *tally, bool ok, const char *fmt, ...) CDA_PRINTF(3, 4);

/* Reads a condarc text of simple maps and lists as a channel configuration; texts live in arena. */
struct cda_arena;
void tally_channel_config(const char *condarc, struct cda_arena *arena,
			  struct cda_channel_config *ret);
void tally_channel_config_done(struct cda_channel_config *config);
/* What the vectors write for a place of this run. */
struct tally_place {
	const char *name, *real;
};
/* Owned: text with every name of a place as the real one, or the other way round. */
char *tally_exchange(const char *text, const struct tally_place *places, size_t n, bool to_real);
/* Owned: text with <CWD>, <CWD_PARENT> and <HOME> as the configuration above has them. */
char *tally_places(const char *text);

#endif
