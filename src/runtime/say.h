/* say.h - one-line messages on stderr, safe to print whatever the caller put into them. */
#ifndef CDA_RUNTIME_SAY_H
#define CDA_RUNTIME_SAY_H

#include <stddef.h>

/* Print "condense: " and the text as one line, in one write. Control characters become '?', secrets
 * of URLs "***". */
void cda_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on messages are not printed but put into buf, the last one only, without "condense: ";
 * NULL: printed again. For a program that tells them in its own way. */
void cda_say_to(char *buf, size_t cap);

/* Write "fmt" to buf. Returns 0, or -1 if it did not fit (buf is then the empty string). */
int cda_put(char *buf, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
