#include "sha256.h"

#include <string.h>

enum { BLOCK = 64, ROUNDS = 64 };

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractions of the cube roots of the first primes. */
static const uint32_t k[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static uint32_t rotr(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* 6.2.2, for the block in sum->block. */
static void turn(struct cda_sha256 *sum)
{
	uint32_t w[ROUNDS], s[8];

	for (int t = 0; t < 16; t++) {
		const uint8_t *p = sum->block + t * 4;

		w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	}
	for (int t = 16; t < ROUNDS; t++) {
		uint32_t x = w[t - 15], y = w[t - 2];

		w[t] = (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10) + w[t - 7] +
		       (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + w[t - 16];
	}
	memcpy(s, sum->state, sizeof(s));
	for (int t = 0; t < ROUNDS; t++) {
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t t1 = s[7] + (rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25)) + choice +
			      k[t] + w[t];
		uint32_t t2 = (rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22)) + most;

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		sum->state[i] += s[i];
}

void cda_sha256_init(struct cda_sha256 *sum)
{
	*sum = (struct cda_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void cda_sha256_add(struct cda_sha256 *sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t at = sum->len % BLOCK, part = BLOCK - at < len ? BLOCK - at : len;

		memcpy(sum->block + at, p, part);
		sum->len += part;
		p += part;
		len -= part;
		if (at + part == BLOCK)
			turn(sum);
	}
}

void cda_sha256_hex(struct cda_sha256 *sum, char ret[CDA_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t one = 0x80, zero = 0;
	uint64_t bits = sum->len * 8;
	uint8_t size[8];

	for (int i = 0; i < 8; i++)
		size[i] = (uint8_t)(bits >> (56 - i * 8));
	cda_sha256_add(sum, &one, 1);
	while (sum->len % BLOCK != BLOCK - sizeof(size))
		cda_sha256_add(sum, &zero, 1);
	cda_sha256_add(sum, size, sizeof(size));
	for (int i = 0; i < CDA_SHA256_HEX - 1; i++)
		ret[i] = digits[sum->state[i / 8] >> (28 - i % 8 * 4) & 15];
	ret[CDA_SHA256_HEX - 1] = '\0';
}
