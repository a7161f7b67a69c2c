#include "check.h"
#include "release/name.h"
#include "util/alloc.h"

#include <regex.h>

static const struct {
	const char *text;
	enum cda_product product;
	int major, minor;
	const char *version;
	int build;
	const char *arch;
} good[] = {
	{"Miniconda3-py37_4.8.2-Linux-x86_64.sh", CDA_MINICONDA3, 3, 7, "4.8.2", -1, "x86_64"},
	{"Miniconda3-py310_23.5.2-0-Linux-aarch64.sh", CDA_MINICONDA3, 3, 10, "23.5.2", 0,
	 "aarch64"},
	{"Miniconda3-4.7.12.1-Linux-x86_64.sh", CDA_MINICONDA3, 0, 0, "4.7.12.1", -1, "x86_64"},
	{"Miniconda3-4.5.12-Linux-x86.sh", CDA_MINICONDA3, 0, 0, "4.5.12", -1, "x86"},
	{"Miniconda3-3.16.0-Linux-armv7l.sh", CDA_MINICONDA3, 0, 0, "3.16.0", -1, "armv7l"},
	{"Condense3-py313_26.11.0-0-Linux-x86_64.sh", CDA_CONDENSE3, 3, 13, "26.11.0", 0, "x86_64"},
	{"Miniforge3-24.3.0-0-Linux-ppc64le.sh", CDA_MINIFORGE3, 0, 0, "24.3.0", 0, "ppc64le"},
	{"Miniforge3-py312_1-999999-Linux-s390x.sh", CDA_MINIFORGE3, 3, 12, "1", 999999, "s390x"},
	{"Miniconda3-py3_1.0-Linux-x86_64.sh", CDA_MINICONDA3, 3, -1, "1.0", -1, "x86_64"},
	{"Miniconda3-py30_1.0-Linux-x86_64.sh", CDA_MINICONDA3, 3, 0, "1.0", -1, "x86_64"},
};

TEST(names_are_read_and_written_back)
{
	for (size_t i = 0; i < CDA_LEN(good); i++) {
		struct cda_release_name name;
		char text[CDA_RELEASE_NAME_MAX];

		if (!CHECK_AT(cda_release_name_parse(cda_str(good[i].text), &name), "row '%s'",
			      good[i].text))
			continue;
		CHECK_INT_AT(name.product, good[i].product, "row '%s'", good[i].text);
		CHECK_INT_AT(name.py_major, good[i].major, "row '%s'", good[i].text);
		CHECK_INT_AT(name.py_minor, good[i].minor, "row '%s'", good[i].text);
		CHECK_STR_AT(name.version, good[i].version, "row '%s'", good[i].text);
		CHECK_INT_AT(name.build, good[i].build, "row '%s'", good[i].text);
		CHECK_STR_AT(name.arch, good[i].arch, "row '%s'", good[i].text);
		cda_release_name_format(&name, text);
		CHECK_STR(text, good[i].text);
	}
}

static const char *const bad[] = {
	"",
	"index.json",
	"Miniconda3",
	"Miniconda3-",
	"Miniconda3-latest-Linux-x86_64.sh",
	"Miniconda3-py39-latest-Linux-x86_64.sh",
	"Miniconda2-4.7.12-Linux-x86_64.sh",
	"Miniconda3-py39_4.9.2-MacOSX-x86_64.sh",
	"Miniconda3-py39_4.9.2-Windows-x86_64.exe",
	"Miniconda3-py39_4.9.2-Linux-x86_64.exe",
	"Miniconda3-py39_4.9.2-Linux-x86_64.sh.part",
	"Miniconda3-py39_4.9.2-Linux-x86_64.sh ",
	" Miniconda3-py39_4.9.2-Linux-x86_64.sh",
	"../Miniconda3-py39_4.9.2-Linux-x86_64.sh",
	"Miniconda3-py39_4.9.2-Linux-../x86_64.sh",
	"Miniconda3-py39_4.9.2-Linux-mips.sh",
	"Miniconda3-py39_4.9.2-Linux-x86.sh",
	"Miniconda3-py39_4.9.2-Linux-.sh",
	"Miniconda3-py39_4.9.2--Linux-x86_64.sh",
	"Miniconda3-py39_4.9.2-00-Linux-x86_64.sh",
	"Miniconda3-py39_4.9.2-1234567-Linux-x86_64.sh",
	"Miniconda3-py39_4..2-Linux-x86_64.sh",
	"Miniconda3-py39_.4-Linux-x86_64.sh",
	"Miniconda3-py39_4.-Linux-x86_64.sh",
	"Miniconda3-py39_04.9-Linux-x86_64.sh",
	"Miniconda3-py39_123456789.1-Linux-x86_64.sh",
	"Miniconda3-py39_1.2.3.4.5.6.7.8.9.10.11.12-Linux-x86_64.sh",
	"Miniconda3-py_4.9-Linux-x86_64.sh",
	"Miniconda3-py03_4.9-Linux-x86_64.sh",
	"Miniconda3-py307_4.9-Linux-x86_64.sh",
	"Miniconda3-py31000_4.9-Linux-x86_64.sh",
	"miniconda3-py39_4.9.2-Linux-x86_64.sh",
};

TEST(what_is_no_name_is_refused)
{
	for (size_t i = 0; i < CDA_LEN(bad); i++) {
		struct cda_release_name name;

		CHECK_AT(!cda_release_name_parse(cda_str(bad[i]), &name), "row '%s'", bad[i]);
	}
	CHECK(cda_release_name_is_latest("Miniconda3-latest-Linux-x86_64.sh"));
	CHECK(!cda_release_name_is_latest(good[0].text));
}

TEST(a_nul_inside_is_no_name)
{
	static const char text[] = "Miniconda3-py39_4.9.2-Linux-x86_64.sh\0x";
	struct cda_release_name name;

	CHECK(!cda_release_name_parse((struct cda_str){text, sizeof(text) - 1}, &name));
}

/* The documented rule, and what it was widened to: a name of the first form is one exactly when
 * the widened expression takes it. */
TEST(the_documented_rule_and_its_wider_form)
{
	regex_t narrow, wide;
	const char *const narrow_text = "^Miniconda3-py[0-9]+_[0-9.]+-Linux-x86_64\\.sh$";
	const char *const wide_text =
		"^(Miniconda3|Miniforge3|Condense3)-py[0-9]+_[0-9.]+(-[0-9]+)?-Linux-"
		"(x86_64|aarch64|ppc64le|s390x)\\.sh$";

	REQUIRE(regcomp(&narrow, narrow_text, REG_EXTENDED | REG_NOSUB) == 0);
	REQUIRE(regcomp(&wide, wide_text, REG_EXTENDED | REG_NOSUB) == 0);
	for (size_t i = 0; i < CDA_LEN(good); i++) {
		bool wants = good[i].major != 0;

		CHECK_INT_AT(regexec(&wide, good[i].text, 0, NULL, 0) == 0, wants, "row '%s'",
			     good[i].text);
		if (regexec(&narrow, good[i].text, 0, NULL, 0) == 0)
			CHECK_AT(wants, "row '%s'", good[i].text);
	}
	regfree(&narrow);
	regfree(&wide);
}

/* ascending */
static const char *const order[] = {
	"Miniconda3-4.7.12-Linux-x86_64.sh",          "Miniconda3-4.7.12.1-Linux-x86_64.sh",
	"Miniconda3-py39_4.12.0-Linux-x86_64.sh",     "Miniconda3-py39_22.11.1-1-Linux-x86_64.sh",
	"Miniconda3-py310_22.11.1-1-Linux-x86_64.sh", "Miniconda3-py39_25.9.1-0-Linux-x86_64.sh",
	"Miniconda3-py39_25.9.1-3-Linux-x86_64.sh",   "Miniconda3-py310_25.9.1-3-Linux-aarch64.sh",
	"Miniconda3-py310_25.9.1-3-Linux-x86_64.sh",  "Miniforge3-py310_25.9.1-3-Linux-x86_64.sh",
	"Miniconda3-py310_25.9.1-10-Linux-x86_64.sh", "Miniconda3-py310_25.11.0-0-Linux-x86_64.sh",
	"Miniconda3-py310_25.11.1-Linux-x86_64.sh",   "Miniconda3-py310_25.11.1-0-Linux-x86_64.sh",
	"Miniconda3-py313_25.11.1-1-Linux-x86_64.sh",
};

TEST(every_pair_is_in_numeric_order_both_ways_round)
{
	for (size_t i = 0; i < CDA_LEN(order); i++)
		for (size_t k = 0; k < CDA_LEN(order); k++) {
			struct cda_release_name a, b;

			REQUIRE(cda_release_name_parse(cda_str(order[i]), &a));
			REQUIRE(cda_release_name_parse(cda_str(order[k]), &b));
			int got = cda_release_name_cmp(&a, &b);
			CHECK_INT_AT((got > 0) - (got < 0), (i > k) - (i < k), "'%s' and '%s'",
				     order[i], order[k]);
		}
}

TEST(words_for_a_machine)
{
	CHECK_STR(cda_release_arch_find("x86_64"), "x86_64");
	CHECK_STR(cda_release_arch_find("amd64"), "x86_64");
	CHECK_STR(cda_release_arch_find("linux/amd64"), "x86_64");
	CHECK_STR(cda_release_arch_find("linux/arm64"), "aarch64");
	CHECK_STR(cda_release_arch_find("linux-ppc64le"), "ppc64le");
	CHECK(cda_release_arch_find("mips") == NULL);
	CHECK(cda_release_arch_find("") == NULL);
}
