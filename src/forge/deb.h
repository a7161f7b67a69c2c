/* deb.h - a Debian binary package: its control fields, and its files unpacked safely. */
#ifndef CDA_FORGE_DEB_H
#define CDA_FORGE_DEB_H

#include "util/err.h"
#include "util/map.h"

#include <stdbool.h>
#include <stdint.h>

struct cda_deb {
	char *path, *name, *version, *arch, *source; /* source: the source package's name */
	char sha256[65];
	int64_t newest; /* latest time of a file, seconds; 0 before it is unpacked */
};

/* Reads the control fields and the hash of the file. Errors: CDA_E_ARCHIVE, CDA_E_SYS. */
int cda_deb_open(const char *path, struct cda_deb *ret_deb, struct cda_err *err) CDA_CHECK;
void cda_deb_done(struct cda_deb *deb);

/* Unpacks the files into the folder dirfd, laid over what is there. Kept out: manuals,
 * translations, documentation but for the copyright text. Hard links become hard links, modes
 * 0644 or 0755. Nothing is written outside dirfd, through a link, or as a device. Errors:
 * CDA_E_ARCHIVE (damaged, cut short, a path that leaves the folder), CDA_E_SYS. */
int cda_deb_unpack(struct cda_deb *deb, int dirfd, struct cda_err *err) CDA_CHECK;

/* Unpacks a zip file (a wheel) into the folder dirfd, under the same rules. */
int cda_deb_unzip(const char *path, int dirfd, struct cda_err *err) CDA_CHECK;

/* Owned: the version as upstream counts it: "1:1.3.dfsg+really1.3.1-1+b1" is "1.3.1". With
 * is_date, 20250419 is "2025.4.19". */
char *cda_deb_upstream(const char *version, bool is_date);

/* The value of a field of control text ("Version"), owned, first line alone; NULL when absent. */
char *cda_deb_field(const char *control, const char *name);

#endif
