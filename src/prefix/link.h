/* link.h - put one file of an unpacked package into the prefix: hard link, soft link, copy. */
#ifndef CDA_PREFIX_LINK_H
#define CDA_PREFIX_LINK_H

#include "prefix/meta.h"
#include "util/err.h"

/* The folder of the prefix that is open: files come folder by folder. Start with {prefixfd, -1}.
 * Every target is opened beneath the prefix. */
struct cda_link_folder {
	int prefixfd, fd;
	char *path;
};
void cda_link_folder_done(struct cda_link_folder *folder);
#define CDA_AUTOFOLDER CDA_CLEANUP(cda_link_folder_done)

/* How files of this package can come into the prefix, tried with one of them: hard links where the
 * file systems allow, else soft links where allowed, else copies. probe: a free name relative to
 * the prefix. */
enum cda_link_type cda_link_choose(int prefixfd, const char *probe, const char *extracted_dir,
				   bool allow_softlinks);

/* source (absolute) appears at target, where nothing is. A relative symbolic link stays one; an
 * absolute one is followed, where it leads to a file. CDA_LINK_HARD falls back to a copy;
 * CDA_LINK_SOFT copies programs, which look for things beside themselves. Errors: CDA_E_SYS,
 * CDA_E_NOSPACE, CDA_E_CLOBBER (the folder leads out of the prefix). */
int cda_link_place(struct cda_link_folder *folder, const char *source, const char *target,
		   enum cda_link_type type, struct cda_err *err) CDA_CHECK;
/* The staged file takes its place. */
int cda_link_move(struct cda_link_folder *folder, const char *staged, const char *target,
		  struct cda_err *err) CDA_CHECK;

#endif
