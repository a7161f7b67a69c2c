/* archives.h - apt's lists of sources (sources.list(5), one line or deb822) and apk's repositories,
 * copied with another mirror: same suites, components and keys. Pure. */
#ifndef CDA_RUNTIME_ARCHIVES_H
#define CDA_RUNTIME_ARCHIVES_H

#include "netrc.h"
#include "settings.h"

enum cda_archives_form { CDA_ONE_LINE, CDA_DEB822, CDA_REPOSITORIES };

/* How the copies are made, and what was seen in all of them so far. */
struct cda_archives {
	const struct cda_settings *settings;
	const struct cda_netrc *netrc; /* for apk, which knows no file for them; may be NULL */
	bool bare;                     /* leave out user and password of what is copied */
	bool moved;                    /* an archive is at the mirror now */
	bool network;                  /* an archive is not on this machine */
	bool trusting;                 /* an archive counts although nothing signs it */
	bool mute; /* credentials were left out, which a URL for apk cannot hold */
};

/* Append a copy of text to out. */
void cda_archives_copy(struct cda_archives *sources, enum cda_archives_form form,
		       struct cda_span text, struct cda_text *out);

#endif
