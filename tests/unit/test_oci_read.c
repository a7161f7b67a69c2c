#include "check.h"
#include "images.h"

#include "image/oci_read.h"
#include "util/str.h"

static const struct row below[] = {
	{"etc/", ""},           {"etc/one", "1111"}, {"etc/two", "22"}, {"gone/", ""},
	{"gone/a", "a"},        {"full/", ""},       {"full/old", "o"}, {"hard", "hhhhhh"},
	{"link", "-> etc/one"}, {NULL, NULL},
};
static const struct row above[] = {
	{"etc/two", "222"}, {".wh.gone", ""},     {"full/.wh..wh..opq", ""},
	{"full/new", "n"},  {"again", "=> hard"}, {NULL, NULL},
};
static const struct layer_rows two_layers[] = {{below, "gzip"}, {above, "zstd"}, {NULL, NULL}};
static const struct layer_rows plain_layers[] = {{below, NULL}, {above, NULL}, {NULL, NULL}};

static const char *said(const struct cda_err *err)
{
	return err->msg ? err->msg : "(nothing)";
}

/* "path:size ..." of the tree. */
static char *listing(const struct cda_tree *tree)
{
	struct cda_buf out = CDA_BUF_INIT;

	for (size_t i = 0; i < tree->n; i++)
		cda_buf_addf(&out, "%s%s:%d", i ? " " : "", tree->v[i]->path,
			     (int)tree->v[i]->inode->size);
	return cda_buf_take(&out);
}

static const char merged[] = "again:6 etc:0 etc/one:4 etc/two:3 full:0 full/new:1 hard:6 link:0";

static int open_image(const struct scratch *scratch, const char *name,
		      const struct cda_oci_options *options, struct cda_oci_image *ret,
		      struct cda_err *err)
{
	CDA_AUTOFREE char *path = scratch_path(scratch, name);

	return cda_oci_read(path, options, ret, err);
}

TEST(every_form_of_an_image_gives_the_same_tree)
{
	static const struct {
		const char *name, *filter;
		bool docker, tar;
	} forms[] = {
		{"layout", NULL, false, false},      {"layout.tar", NULL, false, true},
		{"layout.tgz", "gzip", false, true}, {"layout.tzst", "zstd", false, true},
		{"docker", NULL, true, false},       {"docker.tar", NULL, true, true},
		{"docker.txz", "xz", true, true},
	};

	for (size_t i = 0; i < CDA_LEN(forms); i++) {
		AUTOSCRATCH struct scratch scratch = scratch_new();
		AUTOBLOBS blobs = {0};
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		if (forms[i].docker)
			image_docker(&blobs, plain_layers);
		else
			image_layout(&blobs, two_layers);
		if (forms[i].tar)
			blobs_tar(&blobs, forms[i].filter, &scratch, forms[i].name);
		else
			blobs_folder(&blobs, &scratch, forms[i].name);
		if (!CHECK_INT_AT(open_image(&scratch, forms[i].name, NULL, &image, &err), 0,
				  "'%s': %s", forms[i].name, said(&err))) {
			cda_err_done(&err);
			continue;
		}
		CDA_AUTOFREE char *got = listing(image.tree);

		CHECK_STR_AT(got, merged, "'%s'", forms[i].name);
		CHECK_AT(image.is_image, "'%s'", forms[i].name);
		CHECK_STR_AT(image.name, "app:1", "'%s'", forms[i].name);
		CHECK_STR_AT(image.arch, "amd64", "'%s'", forms[i].name);
		CHECK_INT_AT(image.layers.n, 2, "'%s'", forms[i].name);
		CHECK_INT_AT(image.layers.v[0].content, 4 + 2 + 1 + 1 + 6, "'%s'", forms[i].name);
		CHECK_INT_AT(image.layers.v[0].hidden, 2 + 1 + 1, "'%s'", forms[i].name);
		CHECK_INT_AT(image.layers.v[1].hidden, 0, "'%s'", forms[i].name);
		CHECK_AT(image.layers.v[0].measured == !forms[i].docker, "'%s'", forms[i].name);
		if (!forms[i].docker) {
			CHECK_STR(image.layers.v[0].packing, "gzip");
			CHECK_STR(image.layers.v[1].packing, "zstd");
			CHECK_STR(image.layers.v[1].created_by, "step 2");
		}
		cda_oci_done(&image);
	}
}

TEST(a_root_is_a_folder_or_an_archive_and_has_one_layer)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	static const char *const names[] = {"root.tar", "root.tgz", "root"};

	for (size_t i = 0; i < CDA_LEN(names); i++) {
		CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
		CDA_AUTOFREE char *path = scratch_path(&scratch, names[i]);
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		rows_tar(below, i == 1 ? "gzip" : NULL, &out);
		if (i == 2) {
			scratch_write(&scratch, "root/etc/one", "1111");
			scratch_write(&scratch, "root/manifest.json", "{\"mine\": 1}");
		} else if (cda_fs_replace(AT_FDCWD, path, out.p, out.len, 0644, false, &err)) {
			scratch_die("write", path, &err);
		}
		REQUIRE(cda_oci_read(path, NULL, &image, &err) == 0);
		CDA_AUTOFREE char *got = listing(image.tree);

		CHECK_STR_AT(got,
			     i == 2 ? "etc:0 etc/one:4 manifest.json:11"
				    : "etc:0 etc/one:4 etc/two:2 full:0 full/old:1 gone:0 gone/a:1 "
				      "hard:6 link:0",
			     "'%s'", names[i]);
		CHECK_AT(!image.is_image, "'%s'", names[i]);
		CHECK_INT_AT(image.layers.n, 1, "'%s'", names[i]);
		CHECK_AT(image.layers.v[0].measured == (i == 1), "'%s'", names[i]);
		CHECK_AT(image.layers.v[0].packed > 0, "'%s'", names[i]);
		cda_oci_done(&image);
	}
}

/* --- damage --- */

struct damage {
	const char *what;
	bool docker;
	const char *blob;      /* the file that is changed, by the beginning of its name */
	const char *from, *to; /* text in it, of one length; from NULL: the last byte; "": cut */
	enum cda_errc code;
	const char *message;
};

/* The blobs of a layout are: layer, layer, configuration, manifest, then index.json. */
static const struct damage damages[] = {
	{"the index is no JSON", false, "index.json", "{", "x", CDA_E_ARCHIVE, "not valid JSON"},
	{"the index names nothing", false, "index.json", "manifests", "manifexts", CDA_E_NOTFOUND,
	 "it holds nothing"},
	{"a digest of no known kind", false, "index.json", "sha256:", "sha255:", CDA_E_ARCHIVE,
	 "without a digest"},
	{"a digest that leads out", false, "index.json", "sha256:", "../../:", CDA_E_ARCHIVE,
	 "without a digest"},
	{"docker: another configuration", true, "manifest.json", "Config\":\"", "Config\":\"x",
	 CDA_E_NOTFOUND, "there is no"},
	{"docker: a layer leads out", true, "manifest.json", "0/layer.tar", "../ayer.tar",
	 CDA_E_ARCHIVE, "leads out"},
	{"docker: no such layer", true, "manifest.json", "1/layer.tar", "2/layer.tar",
	 CDA_E_NOTFOUND, "there is no '2/layer.tar'"},
	{"docker: a layer changed", true, "1/layer.tar", "222", "333", CDA_E_CHECKSUM,
	 "unpacked bytes"},
	{"docker: a layer is cut", true, "0/layer.tar", "", "", CDA_E_ARCHIVE, "layer 1 of 2"},
};

static void break_text(struct cda_buf *text, const struct damage *d)
{
	char *at =
		d->from && *d->from ? memmem(text->p, text->len, d->from, strlen(d->from)) : NULL;

	if (d->from && !*d->from)
		cda_buf_cut(text, text->len / 3);
	else if (at && strlen(d->to) == strlen(d->from))
		memcpy(at, d->to, strlen(d->to));
	else if (at) { /* one byte more: over what follows */
		memcpy(at, d->to, strlen(d->to));
	} else {
		text->p[text->len - 1] ^= 1;
	}
}

TEST(a_damaged_image_is_refused_with_its_reason)
{
	for (size_t i = 0; i < CDA_LEN(damages); i++) {
		const struct damage *d = &damages[i];
		AUTOSCRATCH struct scratch scratch = scratch_new();
		AUTOBLOBS blobs = {0};
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		if (d->docker)
			image_docker(&blobs, plain_layers);
		else
			image_layout(&blobs, two_layers);
		break_text(blobs_find(&blobs, d->blob), d);
		blobs_tar(&blobs, NULL, &scratch, "x.tar");
		CHECK_INT_AT(open_image(&scratch, "x.tar", NULL, &image, &err), -(int)d->code,
			     "'%s': %s", d->what, said(&err));
		CHECK_AT(err.msg && strstr(err.msg, d->message), "'%s': %s", d->what, said(&err));
		cda_err_done(&err);
		cda_oci_done(&image);
	}
}

TEST(every_blob_of_a_layout_is_verified)
{
	for (size_t i = 0; i < 4; i++)
		for (unsigned how = 0; how < 2; how++) {
			AUTOSCRATCH struct scratch scratch = scratch_new();
			AUTOBLOBS blobs = {0};
			struct cda_oci_image image = {0};
			struct cda_err err = {0};
			int rc;

			image_layout(&blobs, two_layers);
			struct cda_buf *text = &blobs.v[1 + i].text;

			if (how == 0)
				text->p[text->len - 1] ^= 0x20;
			else
				cda_buf_addc(text, '\n');
			blobs_folder(&blobs, &scratch, "x");
			rc = open_image(&scratch, "x", NULL, &image, &err);
			CHECK_AT(rc == -(int)CDA_E_CHECKSUM || rc == -(int)CDA_E_ARCHIVE,
				 "blob %zu, way %u: %d %s", i, how, rc, said(&err));
			cda_err_done(&err);
			cda_oci_done(&image);
		}
}

TEST(platform_and_name_choose_among_images)
{
	static const struct layer_rows one[] = {{below, NULL}, {NULL, NULL}};
	static const struct row other_rows[] = {{"other", "x"}, {NULL, NULL}};
	static const struct layer_rows other[] = {{other_rows, NULL}, {NULL, NULL}};
	static const struct {
		const char *platform, *ref;
		int code;
		const char *arch, *message;
	} rows[] = {
		{"linux/arm64", NULL, 0, "arm64", NULL},
		{"linux/amd64", NULL, 0, "amd64", NULL},
		{"linux/arm64", "app:1", 0, "arm64", NULL},
		{"linux/riscv64", NULL, CDA_E_NOTFOUND, NULL,
		 "app:1 (linux/amd64), app:1 (linux/arm64"},
		{"linux", NULL, CDA_E_NOTFOUND, NULL, "several images"},
		{NULL, "app:2", CDA_E_NOTFOUND, NULL, "has that name"},
	};
	AUTOSCRATCH struct scratch scratch = scratch_new();
	AUTOBLOBS blobs = {0};
	CDA_AUTOBUF struct cda_buf index = CDA_BUF_INIT, list = CDA_BUF_INIT;
	CDA_AUTOBUF struct cda_buf mark = CDA_BUF_INIT;

	cda_buf_adds(&mark, "{}");
	blobs_add(&blobs, "oci-layout", &mark);
	cda_buf_adds(&list, "{\"manifests\":[");
	image_add(&blobs, one, "amd64",
		  ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}", &list);
	cda_buf_addc(&list, ',');
	image_add(&blobs, other, "arm64",
		  ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}",
		  &list);
	/* what is not there, and what is no image */
	cda_buf_adds(&list, ",{\"digest\":\"sha256:"
			    "00000000000000000000000000000000000000000000000000000000000000ff\","
			    "\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},");
	image_add(&blobs, one, "x",
		  ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}", &list);
	cda_buf_adds(&list, "]}");
	cda_buf_adds(&index, "{\"manifests\":[");
	describe(&blobs, &list,
		 ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"app:1\"}", &index);
	cda_buf_adds(&index, "]}");
	blobs_add(&blobs, "index.json", &index);
	blobs_tar(&blobs, NULL, &scratch, "x.tar");
	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_oci_options options = {.platform = rows[i].platform, .ref = rows[i].ref};
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		CHECK_INT_AT(open_image(&scratch, "x.tar", &options, &image, &err), -rows[i].code,
			     "row %zu: %s", i, said(&err));
		CHECK_STR_AT(image.arch, rows[i].arch, "row %zu", i);
		if (rows[i].message)
			CHECK_AT(err.msg && strstr(err.msg, rows[i].message), "row %zu: %s", i,
				 said(&err));
		cda_err_done(&err);
		cda_oci_done(&image);
	}
}

TEST(what_a_file_takes_packed_is_measured_where_it_is_stored_packed)
{
	/* a file that packs to nothing and one that does not */
	CDA_AUTOFREE char *zeros = cda_alloc(1000001);
	CDA_AUTOFREE char *noise = cda_alloc(1000001);
	uint64_t state = 1;

	memset(zeros, '0', 1000000);
	for (size_t i = 0; i < 1000000; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		noise[i] = (char)(1 + (state >> 33) % 255);
	}
	zeros[1000000] = noise[1000000] = '\0';
	const struct row rows[] = {{"noise", noise}, {"zeros", zeros}, {NULL, NULL}};

	for (unsigned how = 0; how < 3; how++) {
		const struct layer_rows layers[] = {{rows, how == 0   ? "gzip"
							   : how == 1 ? "zstd"
								      : NULL},
						    {NULL, NULL}};
		AUTOSCRATCH struct scratch scratch = scratch_new();
		AUTOBLOBS blobs = {0};
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		image_layout(&blobs, layers);
		blobs_tar(&blobs, NULL, &scratch, "x.tar");
		REQUIRE(open_image(&scratch, "x.tar", NULL, &image, &err) == 0);
		REQUIRE(image.tree->n == 2);
		CHECK_AT(image.layers.v[0].measured == (how < 2), "way %u", how);
		CHECK_AT(image.packed[0] > 850000 && image.packed[0] < 1100000, "way %u: %d", how,
			 (int)image.packed[0]);
		/* an estimate has pieces of a million bytes: what is beside it blurs it */
		CHECK_AT(image.packed[1] < (how < 2 ? 100000 : 120000), "way %u: %d", how,
			 (int)image.packed[1]);
		cda_oci_done(&image);
	}
}

/* Each index names the next one a thousand times, the last what is not there: 10^15 looks. */
TEST(indexes_that_multiply_are_refused)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	CDA_AUTOBUF struct cda_buf mark = CDA_BUF_INIT, index = CDA_BUF_INIT, item = CDA_BUF_INIT;
	AUTOBLOBS blobs = {0};
	struct cda_oci_image image = {0};
	struct cda_err err = {0};

	cda_buf_adds(&mark, "{\"imageLayoutVersion\":\"1.0.0\"}");
	blobs_add(&blobs, "oci-layout", &mark);
	cda_buf_addf(&item, "{\"digest\":\"sha256:%064d\",\"size\":1}", 0);
	for (size_t depth = 0; depth < 5; depth++) {
		cda_buf_clear(&index);
		cda_buf_adds(&index, "{\"manifests\":[");
		for (size_t i = 0; i < 1000; i++)
			cda_buf_addf(&index, "%s%s", i ? "," : "", item.p);
		cda_buf_adds(&index, "]}");
		cda_buf_clear(&item);
		if (depth < 4)
			describe(&blobs, &index, "", &item);
	}
	blobs_add(&blobs, "index.json", &index);
	blobs_folder(&blobs, &scratch, "layout");
	CHECK_INT(open_image(&scratch, "layout", NULL, &image, &err), -CDA_E_ARCHIVE);
	CHECK(cda_ends_with(said(&err), "it holds too many images"));
	cda_err_done(&err);
}

TEST(what_is_no_image_is_told)
{
	AUTOSCRATCH struct scratch scratch = scratch_new();
	static const struct {
		const char *name, *text;
		int code;
	} rows[] = {
		{"text", "this is no archive at all, but a text of some length\n", CDA_E_ARCHIVE},
		{"empty", "", CDA_E_ARCHIVE},
		{"packed", "\x1f\x8b\x08 nothing of gzip", CDA_E_ARCHIVE},
		{"absent", NULL, CDA_E_SYS}};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_oci_image image = {0};
		struct cda_err err = {0};

		if (rows[i].text)
			scratch_write(&scratch, rows[i].name, rows[i].text);
		CHECK_INT_AT(open_image(&scratch, rows[i].name, NULL, &image, &err), -rows[i].code,
			     "'%s': %s", rows[i].name, said(&err));
		CHECK_AT(err.msg && strstr(err.msg, rows[i].name), "'%s'", rows[i].name);
		cda_err_done(&err);
		cda_oci_done(&image);
	}
}
