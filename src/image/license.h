/* license.h - licences as packages write them, as SPDX expressions. */
#ifndef CDA_IMAGE_LICENSE_H
#define CDA_IMAGE_LICENSE_H

#include "util/buf.h"

#include <stdbool.h>

/* Appends the SPDX expression for "GPL-2+ and Expat" (Debian's words, in any case) or for one that
 * is SPDX already. False, and nothing appended, where a word of it is no licence we know. */
bool cda_license_spdx(const char *text, struct cda_buf *out);

#endif
