/* record_json.h - one package record from and to a JSON object: the member names of repodata,
 * index.json, repodata_record.json and conda-meta, which are the same. */
#ifndef CDA_CORE_RECORD_JSON_H
#define CDA_CORE_RECORD_JSON_H

#include "core/record.h"
#include "util/json.h"

/* Reads the members that struct cda_record has; others are left to the caller. Texts point into
 * the document, or are copied to the arena; lists are the arena's. Of equal keys the last counts.
 *
 * False, with what is wrong in *ret_why (static text), for what is no usable record: name, version
 * or build missing or no words, a control character anywhere, a wrong type where a right one is
 * needed. Digests are kept as they are, so that a bad one fails when it is compared.
 *
 * channel comes without its last part where that is the subdir; channel_name is left NULL. */
bool cda_record_from_json(yyjson_val *object, struct cda_arena *arena, bool copy,
			  struct cda_record *ret_record, const char **ret_why) CDA_CHECK;

/* Adds the members in conda's form, those that are set and always depends and constrains. channel
 * gets the subdir behind it. Texts are copied to the document; sorting is the writer's. */
void cda_record_to_json(const struct cda_record *record, yyjson_mut_doc *doc,
			yyjson_mut_val *object);

/* A name, version or build that may stand in a file name: printable ASCII without slash, blank,
 * quote or backslash, not "." or "..", at most 255 bytes. */
bool cda_record_word_is_good(const char *word, size_t len);
/* A file name of a package: such a word, with ".conda" or ".tar.bz2" at its end. */
bool cda_record_fn_is_good(const char *fn, size_t len);

#endif
