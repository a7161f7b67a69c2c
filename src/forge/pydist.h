/* pydist.h - what Python knows of an installed distribution: its .dist-info folder. */
#ifndef CDA_FORGE_PYDIST_H
#define CDA_FORGE_PYDIST_H

#include "util/err.h"

/* In the folder dir (site-packages) below dirfd: an .egg-info folder or file becomes a .dist-info,
 * and every .dist-info says INSTALLER conda and gets a RECORD of the files of dir that are its own,
 * so that pip can replace or remove it. Files of dir that belong to no distribution by name go to
 * the first one. */
int cda_pydist_fix(int dirfd, const char *dir, struct cda_err *err) CDA_CHECK;

#endif
