/* Changes to ELF files, on one that is made here: a code page, a table of frozen modules, a
 * dynamic section. */
#include "check.h"
#include "core/version.h"
#include "forge/elf.h"
#include "util/fs.h"
#include "util/alloc.h"
#include "util/str.h"

#include <elf.h>

enum {
	at_dyn = 0x200,
	at_syms = 0x300,
	at_strings = 0x380,
	at_code = 0x480,
	at_names = 0x4c0,
	at_table = 0x500,
	at_sections = 0x1800,
	text_end = 0x600,
	data = 0x1000,
	file_len = 0x1a00
};

static const char strings[] = "\0libz.so.1\0libme.so\0answer\0_PyImport_FrozenStdlib\0/old";
static const uint8_t code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xc3};

static void put(struct cda_buf *file, size_t at, const void *p, size_t len)
{
	memcpy(file->p + at, p, len);
}

static size_t name_at(const char *name)
{
	return (size_t)((const char *)memmem(strings, sizeof(strings), name, strlen(name)) -
			strings);
}

/* with_rpath: has an RPATH already; spare: free entries at the end of the dynamic section. */
static void make(struct cda_buf *file, bool with_rpath, size_t spare)
{
	Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_phoff = sizeof(head),
			   .e_ehsize = sizeof(head),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3,
			   .e_shoff = at_sections,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3};
	Elf64_Dyn dyn[8] = {{DT_NEEDED, {name_at("libz.so.1")}},
			    {DT_SONAME, {name_at("libme.so")}},
			    {DT_STRTAB, {at_strings}},
			    {DT_STRSZ, {sizeof(strings)}}};
	size_t n = 4;
	Elf64_Sym syms[3] = {
		{0},
		{.st_name = (Elf64_Word)name_at("answer"), .st_shndx = 1, .st_value = at_code},
		{.st_name = (Elf64_Word)name_at("_PyImport"), .st_shndx = 1, .st_value = data}};
	Elf64_Shdr sections[3] = {
		{0},
		{.sh_type = SHT_DYNSYM,
		 .sh_offset = at_syms,
		 .sh_size = sizeof(syms),
		 .sh_link = 2},
		{.sh_type = SHT_STRTAB, .sh_offset = at_strings, .sh_size = sizeof(strings)}};
	uint64_t table[] = {at_names, 0, 0, at_names + 3, 0, 0, 0, 0, 0}, pointer = at_table;

	if (with_rpath)
		dyn[n++] = (Elf64_Dyn){DT_RUNPATH, {name_at("/old")}};
	n += spare;
	Elf64_Phdr segments[3] = {{.p_type = PT_LOAD,
				   .p_flags = PF_R | PF_X,
				   .p_filesz = text_end,
				   .p_memsz = text_end},
				  {.p_type = PT_LOAD,
				   .p_flags = PF_R | PF_W,
				   .p_offset = data,
				   .p_vaddr = data,
				   .p_filesz = 0x800,
				   .p_memsz = 0x900},
				  {.p_type = PT_DYNAMIC,
				   .p_flags = PF_R,
				   .p_offset = at_dyn,
				   .p_vaddr = at_dyn,
				   .p_filesz = n * sizeof(Elf64_Dyn)}};

	cda_buf_reserve(file, file_len);
	memset(file->p, 0, file_len);
	file->len = file_len;
	put(file, 0, &head, sizeof(head));
	put(file, sizeof(head), segments, sizeof(segments));
	put(file, at_dyn, dyn, n * sizeof(Elf64_Dyn));
	put(file, at_syms, syms, sizeof(syms));
	put(file, at_strings, strings, sizeof(strings));
	put(file, at_code, code, sizeof(code));
	put(file, at_names, "os\0site", 8);
	put(file, at_table, table, sizeof(table));
	put(file, data, &pointer, sizeof(pointer));
	put(file, at_sections, sections, sizeof(sections));
}

TEST(names_are_read)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_elf_info info;
	struct cda_err err = {0};

	make(&file, true, 1);
	REQUIRE(cda_elf_info(&file, &info, &err) == 0);
	CHECK(info.dynamic);
	CHECK_INT(info.needed.n, 1);
	CHECK_STR(info.needed.v[0], "libz.so.1");
	CHECK_STR(info.soname, "libme.so");
	CHECK_STR(info.rpath, "/old");
	CHECK(!info.glibc);
	cda_elf_info_done(&info);
}

/* This program itself is linked against some glibc: 2.34 brought __libc_start_main anew. */
TEST(the_glibc_that_a_program_asks_for)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_elf_info info;
	struct cda_err err = {0};

	REQUIRE(cda_fs_read(AT_FDCWD, "/proc/self/exe", 1 << 30, &file, &err) == 0);
	REQUIRE(cda_elf_info(&file, &info, &err) == 0);
	CHECK_AT(cda_version_cmp_text(info.glibc ? info.glibc : "", "2.34") >= 0 &&
			 cda_version_cmp_text(info.glibc, "3") < 0,
		 "it is '%s'", info.glibc);
	cda_elf_info_done(&info);
}

TEST(rpath_is_set_and_the_rest_stays)
{
	for (int with_rpath = 0; with_rpath < 2; with_rpath++) {
		CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
		struct cda_elf_info info;
		struct cda_err err = {0};

		make(&file, with_rpath, 2);
		REQUIRE(cda_elf_set_rpath(&file, "$ORIGIN/../lib", &err) == 0);
		CHECK_INT(file.len, file_len);
		REQUIRE(cda_elf_info(&file, &info, &err) == 0);
		CHECK_STR(info.rpath, "$ORIGIN/../lib");
		CHECK_STR(info.soname, "libme.so");
		CHECK_INT(info.needed.n, 1);
		cda_elf_info_done(&info);
	}
}

TEST(no_free_entry_is_an_error)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_err err = {0};

	make(&file, false, 1); /* the one that ends the section */
	CHECK_INT(cda_elf_set_rpath(&file, "$ORIGIN", &err), -CDA_E_VALUE);
	cda_err_done(&err);
}

TEST(a_function_answers_with_the_new_text)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_err err = {0};
	int32_t rel;

	make(&file, false, 1);
	REQUIRE(cda_elf_set_answer(&file, "answer", "/new/place", &err) == 0);
	memcpy(&rel, file.p + at_code + 7, sizeof(rel));
	CHECK_STR(file.p + at_code + 11 + rel, "/new/place");
	CHECK_INT(cda_elf_set_answer(&file, "nobody", "x", &err), -CDA_E_VALUE);
	cda_err_done(&err);
	file.p[at_code + 11] = 0x55; /* no `ret`: it does more than that */
	CHECK_INT(cda_elf_set_answer(&file, "answer", "x", &err), -CDA_E_VALUE);
	cda_err_done(&err);
}

TEST(a_text_that_does_not_fit_is_refused)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	CDA_AUTOFREE char *text = cda_alloc0(1, 0xb00);
	struct cda_err err = {0};

	make(&file, false, 1);
	memset(text, 'x', 0xa00);
	CHECK_INT(cda_elf_set_answer(&file, "answer", text, &err), -CDA_E_VALUE);
	cda_err_done(&err);
	text[0x9ff] = '\0'; /* ends with the page */
	CHECK_INT(cda_elf_set_answer(&file, "answer", text, &err), 0);
}

TEST(a_frozen_module_is_hidden_alone)
{
	CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
	struct cda_err err = {0};
	uint64_t names[4];

	make(&file, false, 1);
	REQUIRE(cda_elf_hide_frozen(&file, "site", &err) == 0);
	memcpy(names, file.p + at_table, sizeof(names));
	CHECK_STR(file.p + names[0], "os");
	CHECK_STR(file.p + names[3], "ite");
	CHECK_INT(cda_elf_hide_frozen(&file, "site", &err), -CDA_E_VALUE);
	cda_err_done(&err);
}

TEST(damaged_files_are_refused_not_followed)
{
	for (size_t at = 0; at < text_end; at += 3) {
		for (int value = 0; value < 3; value++) {
			static const char bytes[] = {'\0', '\x7f', '\xff'};
			CDA_AUTOBUF struct cda_buf file = CDA_BUF_INIT;
			struct cda_elf_info info = {0};
			struct cda_err err = {0};

			make(&file, true, 1);
			memset(file.p + at, bytes[value], 8);
			if (cda_elf_info(&file, &info, &err) == 0)
				cda_elf_info_done(&info);
			cda_err_done(&err);
			if (cda_elf_set_rpath(&file, "$ORIGIN", &err))
				cda_err_done(&err);
			if (cda_elf_set_answer(&file, "answer", "x", &err))
				cda_err_done(&err);
			if (cda_elf_hide_frozen(&file, "site", &err))
				cda_err_done(&err);
			CHECK_INT(file.len, file_len);
		}
	}
}

TEST(other_files_are_no_elf)
{
	CHECK(!cda_elf_is("#!/bin/sh\n", 10));
	CHECK(!cda_elf_is("\177ELF", 4));
	CHECK(!cda_elf_is("", 0));
}
