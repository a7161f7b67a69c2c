/* run_tree.h - comparing a prefix with what a layout vector says of it. */
#ifndef TESTS_CONFORMANCE_RUN_TREE_H
#define TESTS_CONFORMANCE_RUN_TREE_H

#include "run.h"

#include "util/buf.h"

struct layout { /* the places of one scenario; owned texts */
	const struct tally *tally;
	const char *id;
	char *top, *side; /* scratch folders */
	char *prefix, *pkgs, *channel, *home, *root;
};

/* Owned: <PREFIX>, <PKGS>, <CHANNEL>, <HOME> and <CONDA_ROOT> in the text become ours, and back. */
char *layout_real(const struct layout *layout, const char *text);
char *layout_general(const struct layout *layout, const char *text);

/* Each appends what differs to diff. */
void layout_check_tree(const struct layout *layout, yyjson_val *tree, struct cda_buf *diff);
void layout_check_records(const struct layout *layout, yyjson_val *records, struct cda_buf *diff);

#endif
