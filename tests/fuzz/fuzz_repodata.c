/* Whatever a server sends: the records that come of it have names that are safe in paths and on
 * terminals, URLs below where they may be, and survive the way to JSON and back. */
#include "core/record_json.h"
#include "fuzz.h"
#include "index/parse.h"
#include "util/str.h"

#include <string.h>

static const char home[] = "https://host/ch/noarch";

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static void check_list(const struct cda_texts *list)
{
	for (size_t i = 0; i < list->n; i++)
		HOLDS(is_plain(list->v[i]));
}

static void check_round_trip(const struct cda_record *record, struct cda_arena *arena)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CDA_AUTOJSON yyjson_doc *back = NULL;
	struct cda_record again;
	const char *why = NULL;

	yyjson_mut_doc_set_root(doc, root);
	cda_record_to_json(record, doc, root);
	back = yyjson_mut_doc_imut_copy(doc, NULL);
	HOLDS(cda_record_from_json(yyjson_doc_get_root(back), arena, true, &again, &why));
	HOLDS(strcmp(again.name, record->name) == 0);
	HOLDS(strcmp(again.version, record->version) == 0);
	HOLDS(strcmp(again.build, record->build) == 0);
	HOLDS(again.build_number == record->build_number && again.size == record->size);
	HOLDS(again.depends.n == record->depends.n && again.noarch == record->noarch);
}

static void check_record(const struct cda_record *record, struct cda_arena *arena)
{
	HOLDS(cda_record_word_is_good(record->name, strlen(record->name)));
	HOLDS(cda_record_word_is_good(record->version, strlen(record->version)));
	HOLDS(cda_record_word_is_good(record->build, strlen(record->build)));
	HOLDS(cda_record_word_is_good(record->subdir, strlen(record->subdir)));
	HOLDS(cda_record_fn_is_good(record->fn, strlen(record->fn)));
	HOLDS(cda_ends_with(record->url, record->fn) && is_plain(record->url));
	HOLDS(cda_starts_with(record->url, "https://") || cda_starts_with(record->url, "http://"));
	HOLDS(record->size >= 0 && record->build_number >= 0 && record->timestamp >= 0);
	check_list(&record->depends);
	check_list(&record->constrains);
	check_list(&record->track_features);
	check_round_trip(record, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct cda_repodata_source source = {.url = home,
						   .base_url = "https://host/ch",
						   .channel_name = "ch",
						   .subdir = "noarch"};
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_repodata_counts counts = {0};
	struct cda_records records = {0};
	struct cda_err err = {0};

	cda_buf_add(&text, p, len);
	cda_buf_reserve(&text, CDA_REPODATA_PADDING);
	if (cda_repodata_parse(text.p, text.len, &source, arena, &records, &counts, &err) < 0)
		HOLDS(err.code == CDA_E_PARSE && is_plain(err.msg) && records.n == 0);
	HOLDS(counts.records == records.n);
	HOLDS((counts.skipped > 0) == (counts.why != NULL));
	HOLDS(!counts.first_bad || is_plain(counts.first_bad));
	cda_vec_each (record, &records)
		check_record(*record, arena);
	cda_records_done(&records);
	cda_err_done(&err);
	return 0;
}
