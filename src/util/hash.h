/* hash.h - streaming sha256 and md5 (OpenSSL's EVP). */
#ifndef CDA_UTIL_HASH_H
#define CDA_UTIL_HASH_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

enum cda_hash_kind { CDA_SHA256, CDA_MD5, CDA_SHA512 };
#define CDA_HASH_HEX_MAX 129 /* longest digest as hex, with its NUL */

struct cda_hash; /* opaque */

struct cda_hash *cda_hash_new(enum cda_hash_kind kind);
struct cda_hash *cda_hash_free(struct cda_hash *hash);
CDA_DEFINE_CLEANUP(struct cda_hash *, cda_hash_free)

void cda_hash_add(struct cda_hash *hash, const void *p, size_t len);
void cda_hash_hex(struct cda_hash *hash, char ret_hex[CDA_HASH_HEX_MAX]); /* ends the hash */

void cda_hash_mem(enum cda_hash_kind kind, const void *p, size_t len,
		  char ret_hex[CDA_HASH_HEX_MAX]);
/* Whole file at (dirfd, path). */
int cda_hash_file(enum cda_hash_kind kind, int dirfd, const char *path,
		  char ret_hex[CDA_HASH_HEX_MAX], struct cda_err *err) CDA_CHECK;
bool cda_hash_is_hex(enum cda_hash_kind kind, const char *hex); /* right length, hex digits */
bool cda_hash_eq(const char *hex_a, const char *hex_b);         /* case does not matter */

#endif
