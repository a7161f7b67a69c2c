/* plan.h - a change as people and tools see it before it happens. */
#ifndef CDA_CLI_PLAN_H
#define CDA_CLI_PLAN_H

#include "cli/out.h"
#include "client/change.h"

/* The "Package Plan" as text. removed: the specs were asked to go. */
void cda_plan_print(struct cda_out *out, const struct cda_change *change, bool removed);
/* {"actions": {FETCH, LINK, UNLINK, PREFIX}, "prefix", "success", "dry_run"} in conda's shape. */
void cda_plan_print_json(struct cda_out *out, const struct cda_change *change, bool dry);

/* A record as conda's JSON shows it: channel is BASE_URL/SUBDIR. With `installed` without arch and
 * platform, unless they are set. */
yyjson_mut_val *cda_record_json(yyjson_mut_doc *doc, const struct cda_record *record,
				bool installed);
/* {"base_url", "build_number", "build_string", "channel", "dist_name", "name", "platform",
 * "version"}: what `list --json` and actions have. */
yyjson_mut_val *cda_record_dist_json(yyjson_mut_doc *doc, const struct cda_record *record);
/* The channel's name for people: the last part of an URL that has no name. Owned. */
char *cda_record_channel(const struct cda_record *record);

#endif
