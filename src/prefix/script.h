/* script.h - the scripts that packages bring: pre-link, post-link, pre-unlink. post-unlink never
 * runs, as with conda on Unix: the script is gone with the package by then. */
#ifndef CDA_PREFIX_SCRIPT_H
#define CDA_PREFIX_SCRIPT_H

#include "core/record.h"
#include "util/err.h"
#include "util/event.h"

enum cda_script { CDA_SCRIPT_PRE_LINK, CDA_SCRIPT_POST_LINK, CDA_SCRIPT_PRE_UNLINK };

/* Runs DIR/bin/.NAME-ACTION.sh, where it is there, with PREFIX, ROOT_PREFIX, PKG_NAME, PKG_VERSION
 * and PKG_BUILDNUM; dir is the prefix, or the extracted package (pre-link). What it wrote to
 * PREFIX/.messages.txt becomes an output event. A failing link script is CDA_E_LINK with its
 * output, a failing pre-unlink script a warning event. */
int cda_script_run(enum cda_script action, const char *dir, const char *prefix,
		   const char *root_prefix, const struct cda_record *record, const char *const *env,
		   const struct cda_events *events, struct cda_err *err) CDA_CHECK;

#endif
