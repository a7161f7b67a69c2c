/* Any bytes are a history: each revision has a state, every state comes from the one before by the
 * entry that is written of the two, and specs survive being written. */
#include "fuzz.h"
#include "prefix/history.h"
#include "util/arena.h"

#include <string.h>

static void same_lists(const struct cda_strv *a, const struct cda_strv *b)
{
	HOLDS(a->n == b->n);
	for (size_t i = 0; i < a->n; i++)
		HOLDS(strcmp(a->v[i], b->v[i]) == 0);
}

/* Text that stands for itself in a line of a history. */
static bool is_plain(const struct cda_strv *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct cda_str item = cda_str(list->v[i]), trimmed = cda_str_trim(item);

		if (trimmed.len != item.len || item.len == 0 || strpbrk(list->v[i], "\r\n") ||
		    strchr("#=+-", list->v[i][0]))
			return false;
	}
	return true;
}

static void check_entry(const struct cda_history_entry *entry, const struct cda_strv *before,
			const struct cda_strv *after)
{
	const struct cda_history_change change = {
		.date = "now",
		.cmd = entry->cmd,
		.conda_version = entry->conda_version,
		.update_specs = &entry->update_specs,
		.remove_specs = &entry->remove_specs,
	};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv state = {0}, none = {0};

	cda_history_format(&change, before, after, &text);
	cda_history_parse(text.p, text.len, &history);
	HOLDS(history.entries.n == 1);
	if (is_plain(&entry->update_specs))
		same_lists(&entry->update_specs, &history.entries.v[0].update_specs);
	if (is_plain(&entry->remove_specs))
		same_lists(&entry->remove_specs, &history.entries.v[0].remove_specs);
	cda_buf_clear(&text);
	cda_history_done(&history);
	cda_history_format(&change, &none, after, &text);
	cda_history_parse(text.p, text.len, &history);
	HOLDS(cda_history_state(&history, 0, &state));
	if (is_plain(after))
		same_lists(after, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct cda_channel_config config = {.channel_alias = "https://example.org",
							 .cwd = "/"};
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_AUTOHISTORY struct cda_history history = {0};
	CDA_AUTOSTRV struct cda_strv names = {0}, specs = {0}, before = {0};
	struct cda_record record;

	cda_history_parse((const char *)p, len, &history);
	for (size_t i = 0; i < history.entries.n && i < 20; i++) {
		CDA_AUTOSTRV struct cda_strv after = {0};

		HOLDS(cda_history_state(&history, i, &after));
		for (size_t k = 1; k < after.n; k++)
			HOLDS(strcmp(after.v[k - 1], after.v[k]) < 0);
		for (size_t k = 0; k < after.n; k++)
			if (cda_history_dist(arena, after.v[k], &record))
				HOLDS(record.name && record.version && record.build);
		check_entry(&history.entries.v[i], &before, &after);
		cda_strv_done(&before);
		before = (struct cda_strv){0};
		cda_strv_append(&before, &after);
	}
	cda_history_requested(&history, &config, &names, &specs);
	HOLDS(names.n == specs.n);
	return 0;
}
