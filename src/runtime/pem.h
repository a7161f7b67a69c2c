/* pem.h - a file of certificates in PEM (RFC 7468), and nothing else in it.
 *
 * Only the frame is looked at: that each block is base64 of one DER sequence that fills it. What
 * the certificate says is for the TLS library. Pure, but for cda_pem_load. */
#ifndef CDA_RUNTIME_PEM_H
#define CDA_RUNTIME_PEM_H

#include "file.h"

enum { CDA_PEM_MAX = 1 << 20 };

/* Append each certificate of text to out, as its block alone: comments, blank lines and CRs are
 * left out. Returns their number, at least 1; or the negative number of the line that is something
 * else (of the last line, if there is no certificate; 0: out is full). */
int cda_pem_copy(struct cda_span text, struct cda_text *out);

/* Why cda_pem_copy took nothing from the text, as the end of a sentence about the file that names
 * what it is instead, or the line; with the next step where there is one. */
void cda_pem_why(struct cda_span text, int line, char *ret, size_t cap);

/* The same as cda_pem_copy from a file, opened with the rights of the moment. Returns 0, or -1 with
 * a message; what names the setting. Its own buffer: one call at a time. */
int cda_pem_load(const char *what, const char *path, struct cda_text *out);

#endif
