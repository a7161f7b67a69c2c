/* mountinfo.h - the lines of /proc/self/mountinfo, as proc(5) describes them. */
#ifndef CDA_RUNTIME_MOUNTINFO_H
#define CDA_RUNTIME_MOUNTINFO_H

#include "runtime/file.h"

#include <limits.h>

struct cda_mount {
	char point[PATH_MAX]; /* with the octal escapes of odd characters undone */
	char type[64];        /* of the file system */
	bool read_only, nosuid, idmapped;
};

/* Take the next line that parses off *rest. Returns false at the end. */
bool cda_mountinfo_next(struct cda_span *rest, struct cda_mount *ret);

#endif
