/* listline.h - lines of a list that conda or pip will refuse: for advice before a start.
 *
 * Only what is certainly wrong counts. The programs read their lists themselves, and know more. */
#ifndef CDA_RUNTIME_LISTLINE_H
#define CDA_RUNTIME_LISTLINE_H

#include "runtime/file.h"

enum cda_list_kind { CDA_LIST_CONDA, CDA_LIST_PIP, CDA_LIST_YAML };

/* Returns 0, or the number of the first line that is refused. A YAML file without a word of
 * dependencies is refused as a whole: 1. */
int cda_list_refused(enum cda_list_kind kind, struct cda_span text);

#endif
