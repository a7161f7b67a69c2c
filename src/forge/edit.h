/* edit.h - changes to a text file that a recipe names. */
#ifndef CDA_FORGE_EDIT_H
#define CDA_FORGE_EDIT_H

#include "util/buf.h"

/* OLD becomes NEW everywhere; how often. OLD is not empty. */
size_t cda_edit_sub(struct cda_buf *file, const char *old, const char *new_text);
/* Removes the lines from the first that has `from` to the one before the next that has `to`. False,
 * and nothing changed, when one of them is not there. */
bool cda_edit_cut(struct cda_buf *file, const char *from, const char *to);

#endif
