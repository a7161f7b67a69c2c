/* out.h - where a command's words go: results to stdout, chat, progress and errors to stderr, or
 * all of it as one JSON document on stdout. */
#ifndef CDA_CLI_OUT_H
#define CDA_CLI_OUT_H

#include "util/err.h"
#include "util/event.h"
#include "util/json.h"

#include <stdbool.h>

struct cda_out; /* opaque */

struct cda_out *cda_out_new(bool json, bool quiet, int verbose);
struct cda_out *cda_out_free(struct cda_out *out);
CDA_DEFINE_CLEANUP(struct cda_out *, cda_out_free)

/* What was found to be set after the options were read. */
void cda_out_settings(struct cda_out *out, bool json, bool quiet);

bool cda_out_is_json(const struct cda_out *out);
bool cda_out_is_quiet(const struct cda_out *out);
const struct cda_events *cda_out_events(struct cda_out *out); /* the library's listener */

/* Text of the result; nothing with --json. */
void cda_out_text(struct cda_out *out, const char *fmt, ...) CDA_PRINTF(2, 3);
void cda_out_puts(struct cda_out *out, const char *text);
void cda_out_raw(struct cda_out *out, const char *text); /* for a shell to read: as it is */
/* The JSON document of the result, with --json only (else nothing). */
void cda_out_doc(struct cda_out *out, yyjson_mut_val *root);
/* The error, as text on stderr or as a JSON document on stdout; then err is clean. */
void cda_out_error(struct cda_out *out, struct cda_err *err);
/* Flushes; false when stdout could not be written (a full disk, a closed pipe). */
bool cda_out_finish(struct cda_out *out);

/* Bytes for people: "1 KB", "2.5 MB" as conda counts (1024). */
char *cda_out_bytes(int64_t bytes); /* owned */
/* Appends text with control characters (terminal escapes among them) shown as '?'. */
void cda_out_clean(struct cda_buf *buf, const char *text, bool keep_newlines);

#endif
