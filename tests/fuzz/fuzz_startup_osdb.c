/* What dpkg and apk have on record: no text makes a package installed that the text does not name
 * in a record of its own, in whatever pieces it comes. */
#include "fuzz.h"
#include "runtime/osdb.h"

#include <string.h>

static void read_all(enum cda_pm pm, const struct cda_reqlist *list, const uint8_t *p, size_t len,
		     size_t piece, uint8_t *held)
{
	static struct cda_osdb db;

	cda_osdb_init(&db, pm, list, held);
	for (size_t at = 0; at < len; at += piece)
		cda_osdb_add(&db, (const char *)p + at, len - at < piece ? len - at : piece);
	cda_osdb_end(&db);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char *const words[] = {"jq", "jq=1.7.1-r0", "jq:amd64", "jq>=1", "absent"};
	static struct cda_reqlist list;
	uint8_t one[8], all[8];

	list.count = sizeof(words) / sizeof(*words);
	for (int i = 0; i < list.count; i++)
		strcpy(list.pkgs[i].text, words[i]);
	for (enum cda_pm pm = CDA_APT; pm <= CDA_APK; pm++) {
		read_all(pm, &list, p, len, len > 0 ? len : 1, all);
		read_all(pm, &list, p, len, 7, one);
		HOLDS(memcmp(one, all, (size_t)list.count) == 0);
		HOLDS(all[0] == CDA_ABSENT || memmem(p, len, "jq\n", 3) != NULL ||
		      (len > 1 && memcmp(p + len - 2, "jq", 2) == 0));
		HOLDS(all[1] != CDA_THERE || memmem(p, len, "1.7.1-r0", 8) != NULL);
		HOLDS(all[3] != CDA_THERE);
		HOLDS(all[4] == CDA_ABSENT || memmem(p, len, "absent", 6) != NULL);
	}
	return 0;
}
