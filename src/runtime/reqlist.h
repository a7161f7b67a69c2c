/* reqlist.h - a list of OS packages: comments, blank lines, BOM, CR, several names a line. */
#ifndef CDA_RUNTIME_REQLIST_H
#define CDA_RUNTIME_REQLIST_H

#include "file.h"

enum cda_pm { CDA_APT, CDA_APK };

enum { CDA_LIST_BYTES = 1 << 16, CDA_LIST_NAMES = 1024, CDA_PKG_MAX = 128 };

struct cda_pkg {
	char text[CDA_PKG_MAX]; /* as given: NAME, NAME:ARCH, NAME=VERSION */
	int line;
};

struct cda_reqlist {
	struct cda_pkg pkgs[CDA_LIST_NAMES];
	int count;
};

/* Read the list in text. Returns 0, or the number of the first line that is refused. */
int cda_reqlist_parse(const struct cda_text *text, enum cda_pm pm, struct cda_reqlist *ret);

/* A package, not an option, path, URL, pattern, task or removal. */
bool cda_pkg_valid(struct cda_span word, enum cda_pm pm);

/* The bare name: without architecture and version. */
void cda_pkg_name(const struct cda_pkg *pkg, char ret_name[CDA_PKG_MAX]);

/* Is text (of any kind of list) no text in UTF-8? Returns NULL if it may be, else what it is and
 * what to do: "is UTF-16; save it as UTF-8" or the like, to follow the list's name. */
const char *cda_list_unfit(struct cda_span text);

/* True if text (of any kind of list) holds more than comments and blanks. */
bool cda_list_says_something(struct cda_span text);

#endif
