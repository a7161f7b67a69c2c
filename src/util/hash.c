#include "util/hash.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

struct cda_hash {
	EVP_MD_CTX *ctx;
};

static const EVP_MD *md_of(enum cda_hash_kind kind)
{
	switch (kind) {
	case CDA_SHA256:
		return EVP_sha256();
	case CDA_MD5:
		return EVP_md5();
	case CDA_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

struct cda_hash *cda_hash_new(enum cda_hash_kind kind)
{
	struct cda_hash *hash = cda_new0(struct cda_hash);

	/* The default provider is linked in: what can fail here is memory. */
	hash->ctx = EVP_MD_CTX_new();
	if (!hash->ctx || EVP_DigestInit_ex(hash->ctx, md_of(kind), NULL) != 1)
		abort();
	return hash;
}

struct cda_hash *cda_hash_free(struct cda_hash *hash)
{
	if (!hash)
		return NULL;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
	return NULL;
}

void cda_hash_add(struct cda_hash *hash, const void *p, size_t len)
{
	if (EVP_DigestUpdate(hash->ctx, p, len) != 1)
		abort();
}

void cda_hash_hex(struct cda_hash *hash, char ret_hex[CDA_HASH_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(hash->ctx, raw, &len) != 1)
		abort();
	for (unsigned i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[raw[i] >> 4];
		ret_hex[2 * i + 1] = digits[raw[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}

void cda_hash_mem(enum cda_hash_kind kind, const void *p, size_t len,
		  char ret_hex[CDA_HASH_HEX_MAX])
{
	CDA_CLEANUP(cda_hash_freep) struct cda_hash *hash = cda_hash_new(kind);

	cda_hash_add(hash, p, len);
	cda_hash_hex(hash, ret_hex);
}

int cda_hash_file(enum cda_hash_kind kind, int dirfd, const char *path,
		  char ret_hex[CDA_HASH_HEX_MAX], struct cda_err *err)
{
	CDA_CLEANUP(cda_hash_freep) struct cda_hash *hash = NULL;
	CDA_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	CDA_AUTOFREE char *chunk = NULL;
	const size_t size = 256 * 1024;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", path);
	hash = cda_hash_new(kind);
	chunk = cda_alloc(size);
	for (;;) {
		ssize_t n = read(fd, chunk, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cda_err_sys(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		cda_hash_add(hash, chunk, (size_t)n);
	}
	cda_hash_hex(hash, ret_hex);
	return 0;
}

bool cda_hash_is_hex(enum cda_hash_kind kind, const char *hex)
{
	size_t want = kind == CDA_MD5 ? 32 : kind == CDA_SHA256 ? 64 : 128, n = 0;

	if (!hex)
		return false;
	for (; hex[n]; n++) {
		char c = cda_lower(hex[n]);

		if (!cda_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return n == want;
}

bool cda_hash_eq(const char *hex_a, const char *hex_b)
{
	return hex_a && hex_b && cda_strcaseeq(hex_a, hex_b);
}
