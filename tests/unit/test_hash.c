/* hash and zst: bytes in, bytes out. */
#include "check.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/zst.h"

#include <errno.h>

TEST(digests_are_the_published_ones)
{
	static const struct {
		enum cda_hash_kind kind;
		const char *text, *hex;
	} rows[] = {
		{CDA_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
		{CDA_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
		{CDA_SHA256, "",
		 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{CDA_SHA256, "abc",
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{CDA_SHA512, "abc",
		 "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	};
	CDA_AUTOFREE char *path = NULL;

	REQUIRE(cda_fs_tempdir(NULL, "test-hash", &path, NULL) == 0);
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_CLEANUP(cda_hash_freep) struct cda_hash *hash = cda_hash_new(rows[i].kind);
		CDA_AUTOFREE char *file = cda_path_join(path, "f");
		char hex[CDA_HASH_HEX_MAX];
		size_t len = strlen(rows[i].text);

		cda_hash_mem(rows[i].kind, rows[i].text, len, hex);
		CHECK_STR(hex, rows[i].hex);
		CHECK(cda_hash_is_hex(rows[i].kind, hex));
		for (size_t k = 0; k < len; k++)
			cda_hash_add(hash, rows[i].text + k, 1);
		cda_hash_hex(hash, hex);
		CHECK_STR(hex, rows[i].hex);
		CHECK_INT(cda_fs_replace(AT_FDCWD, file, rows[i].text, len, 0644, false, NULL), 0);
		CHECK_INT(cda_hash_file(rows[i].kind, AT_FDCWD, file, hex, NULL), 0);
		CHECK_STR(hex, rows[i].hex);
	}
	CHECK_INT(cda_fs_remove(AT_FDCWD, path, NULL), 0);
	struct cda_err err = {0};
	char hex[CDA_HASH_HEX_MAX];
	CHECK_INT(cda_hash_file(CDA_MD5, AT_FDCWD, path, hex, &err), -CDA_E_SYS);
	cda_err_done(&err);
}

TEST(hex_is_judged)
{
	CHECK(!cda_hash_is_hex(CDA_MD5, NULL));
	CHECK(!cda_hash_is_hex(CDA_MD5, "d41d8cd98f00b204e9800998ecf8427"));
	CHECK(!cda_hash_is_hex(CDA_MD5, "d41d8cd98f00b204e9800998ecf8427g"));
	CHECK(cda_hash_is_hex(CDA_MD5, "D41D8CD98F00B204E9800998ECF8427E"));
	CHECK(cda_hash_eq("ABC1", "abc1") && !cda_hash_eq("a", "ab") && !cda_hash_eq(NULL, NULL));
}

static void noise(struct cda_buf *text, size_t len)
{
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		cda_buf_addc(text, i % 3 ? 'a' : (char)(state >> 24));
	}
}

TEST(zstd_goes_there_and_back)
{
	static const size_t sizes[] = {0, 1, 1000, 131072, 131073, 1 << 20, (1 << 20) + 17};

	for (size_t i = 0; i < CDA_LEN(sizes); i++) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT, packed = CDA_BUF_INIT;
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		struct cda_err err = {0};

		noise(&text, sizes[i]);
		CHECK_INT(cda_zst_compress(text.p, text.len, 3, &packed, NULL), 0);
		/* Two frames are one stream. */
		CHECK_INT(cda_zst_compress("x", 1, 3, &packed, NULL), 0);
		cda_buf_addc(&text, 'x');
		CHECK_INT(cda_zst_decompress(packed.p, packed.len, text.len, &out, NULL), 0);
		CHECK_MEM(out.p, out.len, text.p, text.len);
		cda_buf_clear(&out);
		CHECK_INT(cda_zst_decompress(packed.p, packed.len, text.len - 1, &out, &err),
			  -CDA_E_VALUE);
		cda_err_done(&err);
		CHECK_INT(out.len, 0);
		CHECK_INT(cda_zst_decompress(packed.p, packed.len - 1, 1 << 30, &out, &err),
			  -CDA_E_ARCHIVE);
		cda_err_done(&err);
		CHECK_INT(out.len, 0);
	}
}

TEST(other_bytes_are_no_zstd)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_err err = {0};

	CHECK_INT(cda_zst_decompress("hello world", 11, 100, &out, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
	CHECK_INT(cda_zst_decompress("", 0, 100, &out, &err), -CDA_E_ARCHIVE);
	cda_err_done(&err);
	CHECK_STR(out.p, "");
}
