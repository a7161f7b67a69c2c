/* size_print.h - a report of size.h as text, as JSON, and as a page. All of them show names by
 * cda_size_text and are the same for the same image. after may be NULL: one image alone. */
#ifndef CDA_IMAGE_SIZE_PRINT_H
#define CDA_IMAGE_SIZE_PRINT_H

#include "image/size.h"

struct cda_size_print {
	size_t top;     /* lines of each list */
	unsigned width; /* of the terminal, lines are cut to it; 0: not at all */
};

void cda_size_table(const struct cda_size *before, const struct cda_size *after,
		    const struct cda_size_print *print, struct cda_buf *out);

/* One object; its members are described in docs/size.md. */
void cda_size_json(const struct cda_size *before, const struct cda_size *after,
		   const struct cda_size_print *print, struct cda_buf *out);

/* One self-contained page: no other file, nothing from the network. */
void cda_size_html(const struct cda_size *before, const struct cda_size *after,
		   struct cda_buf *out);

/* "812 B", "12.3 kB", "1.2 MB" (of 1000); with sign: "+1.2 MB". */
enum { CDA_SIZE_HUMAN_MAX = 32 };
const char *cda_size_human(uint64_t bytes, char out[CDA_SIZE_HUMAN_MAX]);
const char *cda_size_change(uint64_t before, uint64_t after, char out[CDA_SIZE_HUMAN_MAX]);

/* "Debian packages", "files of no package". */
const char *cda_size_kind_title(unsigned kind);

/* Packages of both sides that are the same one (kind, place, name, for dpkg the architecture). */
struct cda_size_pair {
	const struct cda_inv_package *before, *after; /* either may be NULL */
	uint64_t size[2], packed[2], files[2];
};
CDA_VEC_DEFINE(cda_size_pairs, struct cda_size_pair);
/* Those that differ in size or version, largest change first. */
void cda_size_compare(const struct cda_size *before, const struct cda_size *after,
		      struct cda_size_pairs *out);

#endif
