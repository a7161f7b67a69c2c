/* redact.h - text without the secrets of the URLs in it.
 *
 * Lists and indexes may be named by URLs that hold a password or a token; what is printed about
 * them must not. Pure; no heap. */
#ifndef CDA_RUNTIME_REDACT_H
#define CDA_RUNTIME_REDACT_H

#include <stddef.h>

/* Copy the len bytes at text to out, with "***" in the place of each secret: the password in
 * SCHEME://USER:PASSWORD@HOST, a lone USER@ too (it may be a token), and what follows /t/ in the
 * path of a channel. Returns the length; what does not fit is left out. */
size_t cda_redact(const char *text, size_t len, char *out, size_t cap);

#endif
