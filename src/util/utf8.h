/* utf8.h - libarchive takes names through the locale: under "C" those in UTF-8 would lose their
 * letters. In a scope with CDA_AUTOUTF8, this thread's are UTF-8, whatever the program's. */
#ifndef CDA_UTIL_UTF8_H
#define CDA_UTIL_UTF8_H

#include "util/cleanup.h"

#include <locale.h>

struct cda_utf8 {
	locale_t ours, before;
};

static inline struct cda_utf8 cda_utf8_begin(void)
{
	struct cda_utf8 utf8 = {newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), (locale_t)0};

	if (utf8.ours)
		utf8.before = uselocale(utf8.ours);
	return utf8;
}

static inline void cda_utf8_end(struct cda_utf8 *utf8)
{
	if (!utf8->ours)
		return;
	uselocale(utf8->before);
	freelocale(utf8->ours);
}
#define CDA_AUTOUTF8 CDA_CLEANUP(cda_utf8_end) struct cda_utf8

#endif
