/* blame.h - what installers say of a failure, brought to the line of a list. Pure. */
#ifndef CDA_RUNTIME_BLAME_H
#define CDA_RUNTIME_BLAME_H

#include "file.h"

/* Does the text hold the word by itself, not as a part of another name? */
bool cda_blame_names(const char *text, const char *word);

/* A list of conda's or pip's, or an environment file, line by line. The next line that asks for
 * something: *ret_word is the name, or the whole URL or path, without quotes, channel, version and
 * what else follows. Of an environment file only the list below 'dependencies:' counts. */
struct cda_blame_lines {
	struct cda_span rest;
	int number; /* of the line */
	bool yaml, inside;
};
void cda_blame_begin(struct cda_blame_lines *lines, struct cda_span text, bool yaml);
bool cda_blame_next(struct cda_blame_lines *lines, struct cda_span *ret_word);

/* The number of the first such line whose word said names, else 0. 'pip', 'python' and 'conda'
 * count where no other does. */
int cda_blame_line(struct cda_span list, bool yaml, const char *said, struct cda_span *ret_word);

/* May it pass by itself? By the words of apt, apk, conda, pip and what they use. What a server or
 * proxy refused (401, 403, 404, 407) and a certificate that nobody knows stay so. */
bool cda_blame_transient(const char *said);

/* The last line that calls itself an error, with the indented ones that explain it, else the last
 * one; but the last that tells of network, mirror or proxy, where the error only follows from that:
 * who gets no index finds no package in it. Cuts up the text. */
const char *cda_blame_cause(char *said);
/* The same from what apt or apk says, where cause is the line that the error is in. */
const char *cda_blame_behind(char *said, const char *cause);

/* What the caller can do about it, as the end of a line: "; " and the next step, or "". */
const char *cda_blame_hint(const char *cause);

/* The word is the file or URL of a conda package; of Python's: its version. */
bool cda_blame_is_file(struct cda_span word);
bool cda_blame_python(struct cda_span word, struct cda_span *ret_version);

#endif
