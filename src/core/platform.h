/* platform.h - subdir names of platforms, and what this program runs on. */
#ifndef CDA_CORE_PLATFORM_H
#define CDA_CORE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

const char *cda_platform_native(void);                     /* "linux-64", "linux-aarch64", … */
bool cda_platform_is_subdir(const char *name, size_t len); /* a known subdir, noarch included */
extern const char *const cda_platform_subdirs[];           /* all known; NULL-ended */

#endif
