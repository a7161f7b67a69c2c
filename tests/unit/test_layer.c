/* Layers: their bytes, digests and what of a file goes in. */
#include "check.h"
#include "image/layer.h"
#include "image/tarout.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/proc.h"
#include "util/str.h"

static struct cda_tree *sample(void)
{
	struct cda_tree *tree = cda_tree_new(NULL);
	struct cda_err err = {0};
	CDA_AUTOBUF struct cda_buf big = CDA_BUF_INIT;

	/* more than a batch of blocks, and not too easy to pack */
	for (unsigned i = 0, x = 1; i < 6000000 / 8; i++, x = x * 1664525 + 1013904223)
		cda_buf_addf(&big, "%07x\n", x >> 8 & (i & 1 ? 0xfffffff : 0xff));
	CHECK_INT(cda_tree_add_text(tree, "usr/big", big.p, big.len, 0644, 50, &err), 0);
	CHECK_INT(cda_tree_add_text(tree, "usr/bin/tool", "#!/bin/sh\n", 10, 04755, 2000, &err), 0);
	CHECK_INT(cda_tree_add_text(tree, "etc/issue", "hello\n", 6, 0644, -3, &err), 0);
	cda_tree_sort(tree);
	return tree;
}

static int write_layer(const struct cda_tree *tree, const unsigned char *picked,
		       const struct cda_layer_options *options, struct cda_packed *packed,
		       int *ret_fd)
{
	struct cda_err err = {0};
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc = cda_layer_write(tree, picked, options, fd, packed, &err);

	CHECK_STR(err.msg, NULL);
	cda_err_done(&err);
	if (ret_fd)
		*ret_fd = fd;
	else
		close(fd);
	return rc;
}

/* What a program prints about the file fd. */
static char *tell(const char *script, int fd)
{
	CDA_AUTOFREE char *path = cda_asprintf("/proc/%d/fd/%d", (int)getpid(), fd);
	const char *const argv[] = {"sh", "-c", script, "sh", path, NULL};
	const char *const env[] = {"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin", NULL};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	struct cda_proc proc = {.argv = argv, .env = env, .out = &out};
	struct cda_err err = {0};
	int status = -1;

	CHECK_INT(cda_proc_run(&proc, &status, &err), 0);
	CHECK_INT_AT(status, 0, "%s", script);
	return cda_buf_take(&out);
}

TEST(each_packing_holds_the_same_archive)
{
	static const struct {
		enum cda_packer_kind kind;
		const char *unpack;
	} kinds[] = {{CDA_PACKER_NONE, "cat \"$1\" | sha256sum"},
		     {CDA_PACKER_GZIP, "gzip -dc <\"$1\" | sha256sum"},
		     {CDA_PACKER_ZSTD, "zstd -dcq <\"$1\" | sha256sum"}};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = sample();

	for (size_t i = 0; i < CDA_LEN(kinds); i++) {
		char first[65] = "";

		for (unsigned threads = 1; threads <= 3; threads++) {
			struct cda_layer_options options = {.epoch = 1000,
							    .kind = kinds[i].kind,
							    .level = 3,
							    .threads = threads};
			struct cda_packed packed = {0};
			int fd;

			REQUIRE(write_layer(tree, NULL, &options, &packed, &fd) == 0);
			CDA_AUTOFREE char *raw = tell(kinds[i].unpack, fd);
			CDA_AUTOFREE char *all = tell("sha256sum <\"$1\"", fd);
			CHECK(strncmp(raw, packed.raw_sha256, 64) == 0);
			CHECK(strncmp(all, packed.sha256, 64) == 0);
			CHECK_INT(lseek(fd, 0, SEEK_END), (intmax_t)packed.size);
			close(fd);
			if (*first)
				CHECK_STR(packed.sha256, first);
			memcpy(first, packed.sha256, sizeof(first));
		}
	}
}

TEST(tar_lists_what_went_in)
{
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = sample();
	struct cda_layer_options options = {.epoch = 1000};
	struct cda_packed packed;
	int fd;

	REQUIRE(write_layer(tree, NULL, &options, &packed, &fd) == 0);
	CDA_AUTOFREE char *list =
		tell("tar --numeric-owner --full-time -tvf \"$1\" | tr -s ' '", fd);
	close(fd);
	CHECK_STR(list, "drwxr-xr-x 0/0 0 1970-01-01 00:00:00 etc/\n"
			"-rw-r--r-- 0/0 6 1970-01-01 00:00:00 etc/issue\n"
			"drwxr-xr-x 0/0 0 1970-01-01 00:00:50 usr/\n"
			"-rw-r--r-- 0/0 6000000 1970-01-01 00:00:50 usr/big\n"
			"drwxr-xr-x 0/0 0 1970-01-01 00:16:40 usr/bin/\n"
			"-rwsr-xr-x 0/0 10 1970-01-01 00:16:40 usr/bin/tool\n");
}

TEST(a_part_brings_its_folders_and_its_own_time)
{
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = sample();
	struct cda_layer_options options = {
		.epoch = 1000, .own_time = true, .fixed_owner = true, .uid = 7, .gid = 8};
	unsigned char picked[8] = {0};
	struct cda_packed packed;
	int fd;

	picked[cda_tree_find(tree, "usr/bin/tool")->index] = 1;
	picked[cda_tree_find(tree, "usr/big")->index] = 1;
	REQUIRE(write_layer(tree, picked, &options, &packed, &fd) == 0);
	CDA_AUTOFREE char *list =
		tell("tar --numeric-owner --full-time -tvf \"$1\" | tr -s ' '", fd);
	close(fd);
	CHECK_STR(list, "drwxr-xr-x 7/8 0 1970-01-01 00:00:50 usr/\n"
			"-rw-r--r-- 7/8 6000000 1970-01-01 00:00:50 usr/big\n"
			"drwxr-xr-x 7/8 0 1970-01-01 00:00:50 usr/bin/\n"
			"-rwsr-xr-x 7/8 10 1970-01-01 00:00:50 usr/bin/tool\n");
}

/* The bytes of an archive of one folder, as GNU tar writes it too:
 * tar --format=ustar --numeric-owner --owner=3000 --group=3000 --mtime=@1700000000 -b 4 -cf - d */
TEST(an_archive_of_one_folder_has_the_known_digest)
{
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	struct cda_layer_options options = {
		.epoch = 1700000000, .fixed_owner = true, .uid = 3000, .gid = 3000};
	struct cda_packed packed;
	struct cda_err err = {0};

	CHECK_INT(cda_tree_add_text(tree, "d/f", "", 0, 0640, 1800000000, &err), 0);
	cda_tree_sort(tree);
	REQUIRE(write_layer(tree, NULL, &options, &packed, NULL) == 0);
	CHECK_STR(packed.raw_sha256,
		  "9192189061bf10a98c38e8a5a84a4b264123b3b20f49553e2dbcee7f7a4d4c95");
	CHECK_INT(packed.raw_size, 2048);
}

static int add_all(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	cda_buf_add(ctx, p, len);
	return 0;
}

/* Read back by our own reader, which is libarchive's. */
TEST(what_does_not_fit_a_header_goes_into_records)
{
	CDA_AUTOBUF struct cda_buf tar = CDA_BUF_INIT;
	const struct cda_tarout out = {add_all, &tar};
	static const struct cda_tree_xattr xattrs[] = {{"user.note", "a\0b\n", 4}};
	CDA_AUTOFREE char *longname = cda_alloc0(1, 400);
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	CDA_AUTOCLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct cda_tarout_member member = {.path = longname,
					   .type = CDA_TREE_LINK,
					   .mode = 0777,
					   .uid = 4000000000,
					   .gid = 5,
					   .mtime = 1,
					   .target = longname,
					   .xattrs = xattrs,
					   .nxattrs = 1};
	struct cda_err err = {0};
	const struct cda_tree_entry *entry;

	memset(longname, 'n', 97);
	for (size_t len = 98; len < 299; len += 50) {
		longname[len - 1] = '/';
		memset(longname + len, 'a', 50);
	}
	longname[247] = '\0';
	CHECK_INT(cda_tarout_header(&out, &member, &err), 0);
	member = (struct cda_tarout_member){.path = "h", .hardlink = longname, .size = 7};
	CHECK_INT(cda_tarout_header(&out, &member, &err), 0);
	CHECK_INT(cda_tarout_end(&out, &err), 0);
	CHECK(write(fd, tar.p, tar.len) == (ssize_t)tar.len && lseek(fd, 0, SEEK_SET) == 0);
	CHECK_INT(cda_tree_add_tar(tree, fd, "x", 0, &err), 0);
	CHECK_STR(err.msg, NULL);
	entry = cda_tree_find(tree, longname);
	REQUIRE(entry && cda_tree_find(tree, "h") &&
		entry->inode == cda_tree_find(tree, "h")->inode);
	CHECK_STR(entry->inode->target, longname);
	CHECK_INT(entry->inode->uid, 4000000000);
	REQUIRE(entry->inode->nxattrs == 1);
	CHECK_MEM(entry->inode->xattrs[0].value, entry->inode->xattrs[0].len, "a\0b\n", 4);
}

TEST(attributes_of_a_machine_stay_there)
{
	static struct cda_tree_xattr xattrs[] = {{"security.capability", "c", 1},
						 {"security.selinux", "s", 1},
						 {"trusted.overlay.opaque", "y", 1},
						 {"user.note", "n", 1},
						 {"user.overlay.opaque", "y", 1}};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	struct cda_layer_options options = {.epoch = 0};
	struct cda_packed packed;
	struct cda_err err = {0};
	int fd;

	CHECK_INT(cda_tree_add_text(tree, "f", "", 0, 0640, 5, &err), 0);
	cda_tree_find(tree, "f")->inode->xattrs = xattrs;
	cda_tree_find(tree, "f")->inode->nxattrs = CDA_LEN(xattrs);
	cda_tree_sort(tree);
	REQUIRE(write_layer(tree, NULL, &options, &packed, &fd) == 0);
	CDA_AUTOFREE char *kept = tell("grep -ao 'SCHILY[^=]*' \"$1\"", fd);
	close(fd);
	CHECK_STR(kept, "SCHILY.xattr.security.capability\nSCHILY.xattr.user.note\n");
}

/* Byte code of three sources: with the source's time, with another one, by hash. */
TEST(sources_keep_the_time_that_their_byte_code_names)
{
	static const struct {
		const char *stem;
		char head[17];
		const char *want;
	} rows[] = {{"same", "M\r\r\n\0\0\0\0\xd0\x07\0\0size", "1970-01-01 00:33:20 same.py"},
		    {"other", "M\r\r\n\0\0\0\0\xd1\x07\0\0size", "1970-01-01 00:16:40 other.py"},
		    {"hash", "M\r\r\n\3\0\0\0\xd0\x07\0\0size", "1970-01-01 00:16:40 hash.py"},
		    {"short", "M\r\r\n", "1970-01-01 00:16:40 short.py"}};
	CDA_CLEANUP(cda_tree_freep) struct cda_tree *tree = cda_tree_new(NULL);
	struct cda_layer_options options = {.epoch = 1000};
	struct cda_packed packed;
	struct cda_err err = {0};
	int fd;

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		CDA_AUTOFREE char *py = cda_asprintf("%s.py", rows[i].stem);
		CDA_AUTOFREE char *pyc =
			cda_asprintf("__pycache__/%s.cpython-313.pyc", rows[i].stem);

		CHECK_INT(cda_tree_add_text(tree, py, "", 0, 0644, 2000, &err), 0);
		CHECK_INT(cda_tree_add_text(tree, pyc, rows[i].head, i == 3 ? 4 : 16, 0644, 2000,
					    &err),
			  0);
	}
	cda_tree_sort(tree);
	REQUIRE(write_layer(tree, NULL, &options, &packed, &fd) == 0);
	CDA_AUTOFREE char *list =
		tell("tar --full-time -tvf \"$1\" | sed 's/.* 0 //; s/.* 16 //; s/.* 4 //'", fd);
	close(fd);
	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_AT(strstr(list, rows[i].want) != NULL, "'%s' in %s", rows[i].want, list);
	CHECK(strstr(list, "1970-01-01 00:16:40 __pycache__/same.cpython-313.pyc") != NULL);
}
