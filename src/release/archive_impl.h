/* archive_impl.h - what the files of the archive client share. */
#ifndef CDA_RELEASE_ARCHIVE_IMPL_H
#define CDA_RELEASE_ARCHIVE_IMPL_H

#include "net/http.h"
#include "release/archive.h"

struct cda_archive {
	struct cda_archive_config config;
	struct cda_net *net;
};

#endif
