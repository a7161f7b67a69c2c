/* The table of the program against the file that it was made from, and against hashes that were
 * taken from another place. Tests run in the source folder. */
#include "check.h"
#include "release/pinned.h"
#include "util/fs.h"

#include <regex.h>

static void read_rows(struct cda_strv *rows)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};

	CHECK_INT(cda_fs_read(AT_FDCWD, "data/releases/miniconda.tsv", 1 << 20, &text, &err), 0);
	cda_strv_split(rows, text.p, "\n");
	cda_err_done(&err);
}

TEST(all_rows_of_the_file_are_in_the_table)
{
	CDA_AUTOSTRV struct cda_strv rows = {0};
	struct cda_releases all = {0};
	size_t n = 0;

	read_rows(&rows);
	cda_pinned_add(&all);
	for (size_t i = 0; i < rows.n; i++) {
		struct cda_str rest = cda_str(rows.v[i]), fn, hex;
		struct cda_release_name name;
		struct cda_release pin;

		if (rest.p[0] == '#')
			continue;
		n++;
		REQUIRE(cda_str_cut(&rest, "\t", &fn) && cda_str_cut(&rest, "\t", &hex));
		if (!CHECK_AT(cda_release_name_parse(fn, &name), "row '%s'", rows.v[i]) ||
		    !CHECK_AT(cda_pinned_find(&name, &pin), "row '%s'", rows.v[i]))
			continue;
		CHECK_AT(cda_str_eq(cda_str(pin.sha256), hex), "row '%s'", rows.v[i]);
		CHECK(pin.pinned);
		CHECK_AT(cda_release_name_cmp(&name, &pin.name) == 0, "row '%s'", rows.v[i]);
	}
	CHECK(n >= 508);
	CHECK_INT(all.n, n);
	cda_listing_sort(&all);
	CHECK_INT(all.n, n); /* no name twice */
	cda_releases_done(&all);
}

static size_t count_arch(const struct cda_releases *all, const char *arch)
{
	size_t n = 0;

	cda_vec_each (release, all)
		n += strcmp(release->name.arch, arch) == 0;
	return n;
}

/* At least what there was when the table was made; the documented rule takes no new name. */
TEST(machines_and_rules_are_counted)
{
	static const struct {
		const char *arch;
		size_t n;
	} rows[] = {{"x86_64", 179}, {"aarch64", 141}, {"s390x", 94},
		    {"ppc64le", 59}, {"x86", 34},      {"armv7l", 1}};
	struct cda_releases all = {0};
	size_t narrow_n = 0, wide_n = 0;
	regex_t narrow, wide;

	REQUIRE(regcomp(&narrow, "^Miniconda3-py[0-9]+_[0-9.]+-Linux-x86_64\\.sh$",
			REG_EXTENDED | REG_NOSUB) == 0);
	REQUIRE(regcomp(&wide, "^Miniconda3-py[0-9]+_[0-9.]+(-[0-9]+)?-Linux-x86_64\\.sh$",
			REG_EXTENDED | REG_NOSUB) == 0);
	cda_pinned_add(&all);
	for (size_t i = 0; i < CDA_LEN(rows); i++)
		CHECK_AT(count_arch(&all, rows[i].arch) >= rows[i].n, "'%s'", rows[i].arch);
	cda_vec_each (release, &all) {
		char name[CDA_RELEASE_NAME_MAX];

		cda_release_name_format(&release->name, name);
		narrow_n += regexec(&narrow, name, 0, NULL, 0) == 0;
		wide_n += regexec(&wide, name, 0, NULL, 0) == 0;
	}
	CHECK_INT(narrow_n, 16);
	CHECK(wide_n >= 141);
	regfree(&narrow);
	regfree(&wide);
	cda_releases_done(&all);
}

/* name without product and system; hash */
static const char *const samples[][2] = {
	{"py37_4.8.2", "957d2f0f0701c3d1335e3b39f235d197837ad69a944fa6f5d8ad2c686b69df3b"},
	{"py38_4.8.2", "5bbb193fd201ebe25f4aeb3c58ba83feced6a25982ef4afa86d5506c3656c142"},
	{"py38_4.9.2", "1314b90489f154602fd794accfc90446111514a5a72fe1f71ab83e07de9504a7"},
	{"py39_4.10.3", "1ea2f885b4dbc3098662845560bc64271eb17085387a70c2ba3f29fff6f8d52f"},
	{"py39_4.12.0", "78f39f9bae971ec1ae7969f0516017f2413f17796670f7040725dd83fcff5689"},
	{"py310_22.11.1-1", "00938c3534750a0e4069499baf8f4e6dc1c2e471c86a59caa0dd03f4a9269db6"},
	{"py38_23.5.2-0", "e2a4438671e0e42c5bba14cb51de6ce9763938184d6ca2967340bbe972bbe7e6"},
	{"py39_23.5.2-0", "9829d95f639bd0053b2ed06d1204e60644617bf37dd5cc57523732e0e8d64516"},
	{"py310_23.5.2-0", "ea5e6e8a3d5a0247b9df85382d27220fac8e59b5778fd313c5913879cd9baafc"},
	{"py311_23.5.2-0", "634d76df5e489c44ade4085552b97bebc786d49245ed1a830022b0b406de5817"},
	{"py312_24.5.0-0", "4b3b3b1b99215e85fd73fb2c2d7ebf318ac942a457072de62d885056556eb83e"},
	{"py312_25.1.1-2", "4766d85b5f7d235ce250e998ebb5a8a8210cbd4f2b0fea4d2177b3ed9ea87884"},
	{"py313_25.11.1-1", "e0b10e050e8928e2eb9aad2c522ee3b5d31d30048b8a9997663a8a460d538cef"},
	{"py313_26.5.3-1", "7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51"},
	{"py314_26.5.3-1", "42cfece170da342364a78d629e06b94dfd81b0f2717d7655729100d888d606b4"},
};

TEST(samples_have_their_hashes)
{
	for (size_t i = 0; i < CDA_LEN(samples); i++) {
		CDA_AUTOFREE char *fn =
			cda_asprintf("Miniconda3-%s-Linux-x86_64.sh", samples[i][0]);
		struct cda_release_name name;
		struct cda_release pin, same;

		REQUIRE(cda_release_name_parse(cda_str(fn), &name));
		if (!CHECK_AT(cda_pinned_find(&name, &pin), "'%s'", fn))
			continue;
		CHECK_STR_AT(pin.sha256, samples[i][1], "'%s'", fn);
		CHECK(cda_pinned_find_hash(samples[i][1], &same) &&
		      cda_release_name_cmp(&same.name, &name) == 0);
	}
}

TEST(sizes_and_dates_are_those_of_the_file)
{
	struct cda_release_name name;
	struct cda_release pin;

	REQUIRE(cda_release_name_parse(CDA_STR("Miniconda3-2.2.2-Linux-x86.sh"), &name));
	REQUIRE(cda_pinned_find(&name, &pin));
	CHECK_INT(pin.mtime, 1385510400);    /* 2013-11-27 */
	CHECK_INT(pin.size * 10 >> 20, 255); /* 25.6 MiB, rounded down */
	REQUIRE(cda_release_name_parse(CDA_STR("Miniconda3-py313_26.5.3-1-Linux-x86_64.sh"),
				       &name));
	REQUIRE(cda_pinned_find(&name, &pin));
	CHECK_INT(pin.size, 0);
	CHECK_INT(pin.mtime, 0);
}

TEST(other_products_and_unknown_releases_are_not_pinned)
{
	static const char *const rows[] = {
		"Miniforge3-py313_26.5.3-1-Linux-x86_64.sh",
		"Condense3-py313_26.5.3-1-Linux-x86_64.sh",
		"Miniconda3-py313_26.5.3-2-Linux-x86_64.sh",
		"Miniconda3-py313_26.5.3-Linux-x86_64.sh",
		"Miniconda3-py313_26.5.3-1-Linux-ppc64le.sh",
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		struct cda_release_name name;
		struct cda_release pin;

		REQUIRE(cda_release_name_parse(cda_str(rows[i]), &name));
		CHECK_AT(!cda_pinned_find(&name, &pin), "'%s'", rows[i]);
	}
}
