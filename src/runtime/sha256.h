/* sha256.h - SHA-256 as FIPS 180-4 has it, for stamps. No heap. */
#ifndef CDA_RUNTIME_SHA256_H
#define CDA_RUNTIME_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { CDA_SHA256_HEX = 65 }; /* with its NUL */

struct cda_sha256 {
	uint32_t state[8];
	uint64_t len; /* of all data, in bytes */
	uint8_t block[64];
};

void cda_sha256_init(struct cda_sha256 *sum);
void cda_sha256_add(struct cda_sha256 *sum, const void *data, size_t len);
/* Lower-case hexadecimal; the sum cannot go on afterwards. */
void cda_sha256_hex(struct cda_sha256 *sum, char ret[CDA_SHA256_HEX]);

#endif
