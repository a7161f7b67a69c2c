/* report.h - what condense-doctor found: findings in parts, as text for people and as JSON.
 *
 * Strings are copied; whatever bytes they hold, the text is printable and the JSON is UTF-8: what
 * is not becomes '?' there and U+FFFD here. Memory that runs out ends the program. */
#ifndef CDA_RUNTIME_REPORT_H
#define CDA_RUNTIME_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* In the order in which they are printed. */
enum cda_part {
	CDA_PART_IDENTITY,
	CDA_PART_SETUID,
	CDA_PART_MOUNTS,
	CDA_PART_LISTS,
	CDA_PART_SETTINGS,
	CDA_PART_NETWORK,
	CDA_PART_IMAGE,
	CDA_PARTS
};

enum cda_verdict { CDA_OK, CDA_NOTE, CDA_PROBLEM };

struct cda_finding {
	enum cda_part part;
	enum cda_verdict verdict;
	const char *id; /* what was looked at, one word: the same in every version */
	char *text;     /* what is the case, one sentence */
	char *todo;     /* the next step; NULL: none */
	char *subject;  /* the path, host or variable that it is about; NULL: none */
};

struct cda_fact {
	const char *name;
	char *value;
};

struct cda_report {
	struct cda_finding *findings;
	struct cda_fact *facts;
	size_t count, fact_count;
};

void cda_report_free(struct cda_report *report);

/* Add a finding; id is borrowed for good. */
void cda_report_add(struct cda_report *report, enum cda_part part, const char *id,
		    enum cda_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Say of the last finding what to do, and what it is about. */
void cda_report_todo(struct cda_report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void cda_report_about(struct cda_report *report, const char *subject);
/* A value that programs may want, such as the uid; name is borrowed for good. */
void cda_report_fact(struct cda_report *report, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

size_t cda_report_having(const struct cda_report *report, enum cda_verdict verdict);

/* At most 100 columns; colour: with terminal sequences. */
void cda_report_print(const struct cda_report *report, FILE *out, bool colour);
/* {"format": 1, "facts": {NAME: VALUE...}, "problems": N, "notes": N, "findings": [{"part",
 * "id", "verdict": "ok"|"note"|"problem", "text", "subject"?, "todo"?}...]} */
void cda_report_print_json(const struct cda_report *report, FILE *out);

/* One JSON string, with its quotes. */
void cda_json_string(const char *text, FILE *out);

#endif
