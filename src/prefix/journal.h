/* journal.h - what a transaction is going to change, written down before it changes, so that it can
 * be undone: by the run itself when it fails, by the next run when it was killed.
 *
 * conda-meta/.condense.journal/ has `log`, `old/N` (what was moved aside) and `new/N` (what waits
 * for its place). Without a log there is nothing to undo. Lines of the log, undone from the last to
 * the first; a line may stand for a change that was not made:
 *	M N MODE PATH	what was at PATH is in old/N, if that is there
 *	K N PATH	the same, but PATH was replaced and never absent
 *	A PATH		nothing was at PATH; it is ours
 *	D PATH		the same for a folder
 *	R MODE PATH	there was an empty folder
 *	C		all is done: the old files can go */
#ifndef CDA_PREFIX_JOURNAL_H
#define CDA_PREFIX_JOURNAL_H

#include "util/err.h"
#include "util/event.h"
#include "util/vec.h"

#include <stdbool.h>
#include <sys/types.h>

#define CDA_JOURNAL_DIR "conda-meta/.condense.journal"

struct cda_journal; /* opaque; its calls are for one thread, but where told */

/* Makes the folder for staging; nothing is to undo yet. prefixfd stays the caller's and open.
 * What another run left there must be undone before (cda_journal_recover). */
int cda_journal_new(int prefixfd, struct cda_journal **ret, struct cda_err *err) CDA_CHECK;
/* Removes the folder when nothing is to undo; else leaves it to the next run. NULL is fine. */
struct cda_journal *cda_journal_free(struct cda_journal *journal);
CDA_DEFINE_CLEANUP(struct cda_journal *, cda_journal_free)

/* A new name for a staged file, relative to the prefix; owned. From any thread. */
char *cda_journal_new_name(struct cda_journal *journal);

/* Plans are lines in memory until flush, which has them on disk before it returns. */
void cda_journal_plan_move(struct cda_journal *journal, const char *path, unsigned *ret_id);
void cda_journal_plan_add(struct cda_journal *journal, const char *path);
int cda_journal_flush(struct cda_journal *journal, struct cda_err *err) CDA_CHECK;

/* Does a planned and flushed move. What is missing by now is no error. */
int cda_journal_move(struct cda_journal *journal, unsigned id, const char *path,
		     struct cda_err *err) CDA_CHECK;
/* Makes the folder and its parents, logged; where a folder is there already, nothing happens.
 * CDA_E_CLOBBER: something else has that name. */
int cda_journal_mkdirs(struct cda_journal *journal, const char *path, struct cda_err *err)
	CDA_CHECK;
/* Removes a tree of empty folders, logged. CDA_E_CLOBBER: there is a file in it. */
int cda_journal_rmdirs(struct cda_journal *journal, const char *path, struct cda_err *err)
	CDA_CHECK;
/* Puts the text at path in one step, logged; a file that was there is kept aside. */
int cda_journal_replace(struct cda_journal *journal, const char *path, const void *p, size_t len,
			mode_t mode, struct cda_err *err) CDA_CHECK;

/* From here on recovery goes forward. Then the old files go, with folders that are empty now and
 * the compiled leftovers of removed Python files. */
int cda_journal_commit(struct cda_journal *journal, struct cda_err *err) CDA_CHECK;
/* Undoes everything. An error tells the first thing that could not be restored; the journal stays
 * then for another try. */
int cda_journal_rollback(struct cda_journal *journal, struct cda_err *err) CDA_CHECK;

/* Whatever an earlier run left. */
int cda_journal_recover(int prefixfd, bool *ret_found, struct cda_err *err) CDA_CHECK;

/* For tests: called before every change to a file; a value that is not 0 is the errno that the
 * change fails with, without being tried. */
extern int (*cda_journal_fault)(const char *path);
int cda_journal_check(const char *path); /* 0, or -1 with errno as the test wants it */

#endif
