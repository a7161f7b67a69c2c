/* osdb.h - which packages of a list dpkg or apk has on record as installed.
 *
 * Read as a stream, without heap: /var/lib/dpkg/status, of dpkg's status format (deb-control(5) and
 * "Status: WANT FLAG STATE"), or /lib/apk/db/installed (records of "P:NAME", "V:VERSION"). A record
 * that does not parse counts as not installed: the manager itself then has the word. */
#ifndef CDA_RUNTIME_OSDB_H
#define CDA_RUNTIME_OSDB_H

#include "reqlist.h"

/* The later, the nearer to what the list asks for. */
enum cda_held {
	CDA_ABSENT,
	CDA_OTHER, /* another version than the one after '=' */
	CDA_RANGE, /* installed; whether its version is in the range is the manager's to say */
	CDA_THERE,
};

struct cda_osdb {
	enum cda_pm pm;
	const struct cda_reqlist *list;
	uint8_t *held; /* of each package of the list, an enum cda_held */
	char line[512];
	size_t len; /* of the line, also where it is longer than what is kept */
	char name[CDA_PKG_MAX], version[CDA_PKG_MAX], arch[32];
	bool installed, bad;
};

/* held has room for list->count entries and is borrowed until the end. */
void cda_osdb_init(struct cda_osdb *db, enum cda_pm pm, const struct cda_reqlist *list,
		   uint8_t *held);
void cda_osdb_add(struct cda_osdb *db, const char *data, size_t len);
void cda_osdb_end(struct cda_osdb *db);

/* The same from the manager's file, which must be root's and writable by root alone. Returns 0, or
 * a negative errno: then everything counts as absent. */
int cda_osdb_read(enum cda_pm pm, const struct cda_reqlist *list, uint8_t *held);

#endif
