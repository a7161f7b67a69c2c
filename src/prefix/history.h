/* history.h - conda-meta/history: what was asked for and what changed, in conda's own text. */
#ifndef CDA_PREFIX_HISTORY_H
#define CDA_PREFIX_HISTORY_H

#include "core/channel.h"
#include "core/record.h"
#include "util/err.h"

struct cda_history_entry { /* one `==> date <==`; all borrowed from the history */
	const char *date, *cmd, *conda_version; /* NULL when not there */
	struct cda_strv diff;                   /* "+dist", "-dist"; or bare dists: a full state */
	struct cda_strv update_specs, remove_specs, neutered_specs;
};
CDA_VEC_DEFINE(cda_history_entries, struct cda_history_entry);

struct cda_history {
	struct cda_history_entries entries; /* oldest first; the index is the revision */
};

/* Any bytes are fine: lines that say nothing are left out. */
void cda_history_parse(const char *text, size_t len, struct cda_history *ret);
/* Absent file: no entries. */
int cda_history_load(const char *prefix, struct cda_history *ret, struct cda_err *err) CDA_CHECK;
void cda_history_done(struct cda_history *history);
#define CDA_AUTOHISTORY CDA_CLEANUP(cda_history_done)

/* The specs that the user asked for and that still count, one per name in order of first request:
 * texts as recorded. Specs that do not parse are left out. names may be NULL. */
void cda_history_requested(const struct cda_history *history,
			   const struct cda_channel_config *config, struct cda_strv *ret_names,
			   struct cda_strv *ret_specs);
/* The dists installed after revision rev, sorted; false when there is no such revision. */
bool cda_history_state(const struct cda_history *history, size_t rev, struct cda_strv *ret_dists);

/* "channel/subdir::name-version-build" (or older forms): parts into the arena; false for none.
 * ret: name, version, build, channel_name, subdir. */
bool cda_history_dist(struct cda_arena *arena, const char *dist, struct cda_record *ret);

struct cda_history_change {
	const char *date;          /* "2026-11-22 23:46:22"; NULL: now, local time */
	const char *cmd;           /* the command line, one line */
	const char *conda_version; /* what stands behind `# conda version:` */
	const struct cda_strv *remove_specs, *update_specs, *neutered_specs; /* NULL: none */
};
/* Appends the entry's text: heads, the difference between the two sets of dists, specs. */
void cda_history_format(const struct cda_history_change *change, const struct cda_strv *before,
			const struct cda_strv *after, struct cda_buf *out);

#endif
