/* index.h - the records of some channels, ready to be asked by name. */
#ifndef CDA_INDEX_INDEX_H
#define CDA_INDEX_INDEX_H

#include "core/channel.h"
#include "core/matchspec.h"
#include "core/record.h"
#include "index/repodata.h"
#include "util/arena.h"
#include "util/map.h"

struct cda_index_text { /* of one load: records, and the text that they point into */
	struct cda_arena *arena;
	struct cda_buf text;
};
CDA_VEC_DEFINE(cda_index_texts, struct cda_index_text);

struct cda_index {
	struct cda_arena *arena; /* for records added one by one */
	struct cda_records
		records;       /* all: channels in order, each subdir in the order of its file */
	struct cda_map *names; /* name -> struct cda_records * (owned), in that order too */
	struct cda_index_texts texts;
};

struct cda_index *cda_index_new(void);
struct cda_index *cda_index_free(struct cda_index *index); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_index *, cda_index_free)

/* Gets, parses (in parallel) and adds every subdir URL; record->priority is the URL's. A name that
 * is asked for twice is loaded twice: give each URL once. Errors: those of cda_repodata_get,
 * CDA_E_PARSE with the URL. On failure the index holds what it held before. */
int cda_index_load(struct cda_index *index, const struct cda_channel_urls *urls,
		   const struct cda_index_options *options, struct cda_err *err) CDA_CHECK;

/* Adds a deep copy (virtual packages, installed or cached records, tests); returns it. */
const struct cda_record *cda_index_add(struct cda_index *index, const struct cda_record *record);

/* Borrowed; NULL when there is no package of that name. */
const struct cda_records *cda_index_get(const struct cda_index *index, const char *name);
/* Appends the records that match, in the order of the index. */
void cda_index_find(const struct cda_index *index, const struct cda_matchspec *spec,
		    struct cda_records *ret_records);

#endif
