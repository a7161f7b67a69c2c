/* stage.h - the tree of one package while it is made: the Debian files on one side, the prefix on
 * the other, and the steps of a recipe in between.
 *
 *   tree SRC DST          the Debian file or folder SRC becomes DST, laid over what is there
 *   take GLOB DIR         every Debian file or link that matches goes into the folder DIR
 *   copy FILE DST [MODE]  a file or folder of this machine becomes DST
 *   unzip GLOB DST        the files of a Debian zip file (a wheel) go below DST
 *   zip DIR GLOB DST      the folder DIR becomes a zip file (a wheel) in the folder DST, named as
 *                         the Debian file that matches
 *   concat GLOB DST       the Debian files that match, one after the other, become DST
 *   drop GLOB…            away with what matches, folders whole
 *   link TARGET PATH      a symbolic link
 *   write PATH [MODE]     a text file of the lines that follow
 *   sub GLOB OLD NEW      OLD becomes NEW everywhere in the files that match
 *   cut GLOB FROM TO      away with the lines from the first that has FROM to the one before the
 *                         next that has TO
 *   distinfo DIR          records of Python distributions in DIR as pip writes them (pydist.h)
 *   hide FILE MODULE      see cda_elf_hide_frozen
 *   answer FILE FUNC TEXT see cda_elf_set_answer
 *   compile DIR           byte-code, made by the package's own Python (compile.h)
 *
 * In a GLOB '*' matches '/' too. A step that finds nothing to do is an error: what a recipe knows
 * of its Debian packages is no longer true then. */
#ifndef CDA_FORGE_STAGE_H
#define CDA_FORGE_STAGE_H

#include "forge/recipe.h"

#include <stdint.h>

/* 255 bytes: the place of the prefix in files, replaced at install time. */
extern const char cda_forge_placeholder[];

struct cda_stage {
	const struct cda_recipe *recipe;
	char *dir;               /* absolute path of its folder; has deb/, pkg/ and with/ */
	int deb_fd, pkg_fd;      /* deb/ and pkg/ */
	int64_t epoch;           /* no file is younger than this, seconds */
	struct cda_strv compile; /* folders that compile steps named */
	char *glibc; /* the newest version that a file asks of glibc: "2.38", or NULL; owned */
};

/* Makes the folder NAME below work. The caller owns *ret (cda_stage_done). */
int cda_stage_open(const char *work, const struct cda_recipe *recipe, struct cda_stage *ret,
		   struct cda_err *err) CDA_CHECK;
void cda_stage_done(struct cda_stage *stage);

/* All steps in order, then what every package gets: library paths relative to the file, script
 * heads that name the prefix's Python, and times not after epoch. Errors name recipe and line. */
int cda_stage_run(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;

/* No file of pkg/ is younger than epoch after this; modes become 0664, 0775. */
int cda_stage_settle(struct cda_stage *stage, struct cda_err *err) CDA_CHECK;

/* Every file and link below (dirfd): paths sorted by byte. */
int cda_stage_files(int dirfd, struct cda_strv *ret_paths, struct cda_err *err) CDA_CHECK;

/* Is the library one that glibc brings? */
bool cda_stage_is_glibc(const char *soname);

#endif
