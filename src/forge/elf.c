#include "forge/elf.h"
#include "core/version.h"
#include "util/alloc.h"
#include "util/str.h"

#include <elf.h>
#include <string.h>

#define PAGE 4096u

struct elf {
	struct cda_buf *file;
	Elf64_Ehdr *head;
	Elf64_Phdr *segments;
	Elf64_Dyn *dyn;
	size_t n_dyn;
	Elf64_Dyn *strtab, *strsz;
	struct cda_err *err;
};

static int bad(const struct elf *elf, const char *what)
{
	return cda_err_set(elf->err, CDA_E_VALUE, "the ELF file is not as expected: %s", what);
}

bool cda_elf_is(const void *p, size_t len)
{
	const Elf64_Ehdr *head = p;

	return len >= sizeof(*head) && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
	       head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (head->e_type == ET_EXEC || head->e_type == ET_DYN);
}

/* Bytes [at, at + len) of the file, or NULL. */
static void *part(const struct elf *elf, uint64_t at, uint64_t len)
{
	if (at > elf->file->len || len > elf->file->len - at)
		return NULL;
	return elf->file->p + at;
}

/* The bytes of the file that are at a virtual address; NULL when the file has fewer than len. */
static void *at_address(const struct elf *elf, uint64_t address, uint64_t len)
{
	for (size_t i = 0; i < elf->head->e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->segments[i];

		if (ph->p_type == PT_LOAD && address >= ph->p_vaddr &&
		    address - ph->p_vaddr < ph->p_filesz &&
		    len <= ph->p_filesz - (address - ph->p_vaddr))
			return part(elf, ph->p_offset + (address - ph->p_vaddr), len);
	}
	return NULL;
}

/* A NUL-ended text at a virtual address, or NULL. */
static const char *text_at(const struct elf *elf, uint64_t address)
{
	const char *p = at_address(elf, address, 1);

	return p && memchr(p, 0, (size_t)(elf->file->p + elf->file->len - p)) ? p : NULL;
}

static int open_elf(struct cda_buf *file, struct elf *elf, struct cda_err *err)
{
	*elf = (struct elf){.file = file, .err = err};
	if (!cda_elf_is(file->p, file->len) || (uintptr_t)file->p % 8)
		return bad(elf, "its header");
	elf->head = (Elf64_Ehdr *)(void *)file->p;
	if (elf->head->e_phentsize != sizeof(Elf64_Phdr) || elf->head->e_phoff % 8)
		return bad(elf, "its segment table");
	elf->segments = part(elf, elf->head->e_phoff, elf->head->e_phnum * sizeof(Elf64_Phdr));
	if (!elf->segments)
		return bad(elf, "its segment table");
	for (size_t i = 0; i < elf->head->e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->segments[i];

		if (ph->p_type == PT_LOAD &&
		    (!part(elf, ph->p_offset, ph->p_filesz) || ph->p_vaddr > UINT64_MAX / 2))
			return bad(elf, "a segment that is cut short");
		if (ph->p_type != PT_DYNAMIC || elf->dyn)
			continue;
		elf->dyn = part(elf, ph->p_offset, ph->p_filesz);
		elf->n_dyn = ph->p_filesz / sizeof(Elf64_Dyn);
		if (!elf->dyn || ph->p_offset % 8)
			return bad(elf, "its dynamic section");
	}
	for (size_t i = 0; i < elf->n_dyn && elf->dyn[i].d_tag != DT_NULL; i++) {
		if (elf->dyn[i].d_tag == DT_STRTAB)
			elf->strtab = &elf->dyn[i];
		if (elf->dyn[i].d_tag == DT_STRSZ)
			elf->strsz = &elf->dyn[i];
	}
	if (elf->dyn && (!elf->strtab || !elf->strsz || elf->strtab->d_un.d_val > UINT64_MAX / 2))
		return bad(elf, "no text table");
	return 0;
}

static const char *dyn_text(const struct elf *elf, const Elf64_Dyn *dyn)
{
	if (dyn->d_un.d_val > UINT64_MAX / 2)
		return NULL;
	return text_at(elf, elf->strtab->d_un.d_ptr + dyn->d_un.d_val);
}

static void newer_glibc(const char *name, char **glibc)
{
	static const char prefix[] = "GLIBC_";
	const char *version = name + sizeof(prefix) - 1;

	/* GLIBC_PRIVATE is no version, GLIBC_ABI_DT_RELR comes with 2.36. */
	if (cda_streq(name, "GLIBC_ABI_DT_RELR"))
		version = "2.36";
	else if (!cda_starts_with(name, prefix) || !cda_is_digit(*version))
		return;
	if (!*glibc || cda_version_cmp_text(version, *glibc) > 0)
		cda_replace(glibc, cda_strdup(version));
}

/* The versions that the file asks of its libraries: DT_VERNEED, a chain of files with a chain of
 * names each. Every step goes forward, so the chains end. */
static int read_versions(const struct elf *elf, uint64_t address, char **ret_glibc)
{
	Elf64_Verneed need;

	do {
		const void *p = at_address(elf, address, sizeof(need));
		uint64_t at;

		if (!p)
			return bad(elf, "versions outside the file");
		memcpy(&need, p, sizeof(need));
		at = address + need.vn_aux;
		for (unsigned i = 0; i < need.vn_cnt; i++) {
			Elf64_Vernaux aux;
			const char *name = NULL;

			p = at_address(elf, at, sizeof(aux));
			if (p) {
				memcpy(&aux, p, sizeof(aux));
				name = text_at(elf, elf->strtab->d_un.d_ptr + aux.vna_name);
			}
			if (!name)
				return bad(elf, "a version outside the file");
			newer_glibc(name, ret_glibc);
			if (aux.vna_next == 0)
				break;
			at += aux.vna_next;
		}
		address += need.vn_next;
	} while (need.vn_next != 0);
	return 0;
}

int cda_elf_info(const struct cda_buf *file, struct cda_elf_info *ret, struct cda_err *err)
{
	struct cda_buf view = *file;
	struct elf elf;
	int rc = open_elf(&view, &elf, err);

	*ret = (struct cda_elf_info){.dynamic = elf.dyn != NULL};
	for (size_t i = 0; !rc && i < elf.n_dyn && elf.dyn[i].d_tag != DT_NULL; i++) {
		int64_t tag = elf.dyn[i].d_tag;
		const char *text;

		if (tag == DT_VERNEED) {
			rc = read_versions(&elf, elf.dyn[i].d_un.d_ptr, &ret->glibc);
			continue;
		}
		if (tag != DT_NEEDED && tag != DT_SONAME && tag != DT_RPATH && tag != DT_RUNPATH)
			continue;
		text = dyn_text(&elf, &elf.dyn[i]);
		if (!text)
			rc = bad(&elf, "a name outside the file");
		else if (tag == DT_NEEDED)
			cda_strv_push(&ret->needed, text);
		else
			cda_replace(tag == DT_SONAME ? &ret->soname : &ret->rpath,
				    cda_strdup(text));
	}
	if (rc)
		cda_elf_info_done(ret);
	return rc;
}

void cda_elf_info_done(struct cda_elf_info *info)
{
	cda_strv_done(&info->needed);
	free(info->soname);
	free(info->glibc);
	free(info->rpath);
	*info = (struct cda_elf_info){0};
}

/* First file offset from `from` on that any segment or the section table uses; the file's end
 * where there is none. */
static uint64_t next_used(const struct elf *elf, uint64_t from)
{
	uint64_t next = elf->file->len;

	for (size_t i = 0; i < elf->head->e_phnum; i++)
		if (elf->segments[i].p_filesz && elf->segments[i].p_offset >= from &&
		    elf->segments[i].p_offset < next)
			next = elf->segments[i].p_offset;
	if (elf->head->e_shoff >= from && elf->head->e_shoff < next)
		next = elf->head->e_shoff;
	return next;
}

static bool page_is_free(const struct elf *elf, const Elf64_Phdr *mine, uint64_t address)
{
	for (size_t i = 0; i < elf->head->e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->segments[i];

		if (ph->p_type == PT_LOAD && ph != mine && ph->p_memsz &&
		    address >= ph->p_vaddr - ph->p_vaddr % PAGE &&
		    address < ph->p_vaddr + ph->p_memsz)
			return false;
	}
	return true;
}

/* Puts text behind a read-only segment, on its last page; *ret_address is where. */
static int place_text(struct elf *elf, const char *text, uint64_t *ret_address)
{
	size_t n = strlen(text) + 1;

	for (size_t i = 0; i < elf->head->e_phnum; i++) {
		Elf64_Phdr *ph = &elf->segments[i];
		uint64_t end, room, last;
		char *p;

		if (ph->p_type != PT_LOAD || ph->p_flags & PF_W || ph->p_filesz != ph->p_memsz)
			continue;
		end = ph->p_offset + ph->p_filesz;
		last = ph->p_vaddr + ph->p_filesz + n - 1;
		room = next_used(elf, end) - end;
		if (room < n || (ph->p_vaddr + ph->p_filesz) % PAGE == 0 ||
		    last / PAGE != (ph->p_vaddr + ph->p_filesz) / PAGE ||
		    !page_is_free(elf, ph, last))
			continue;
		p = part(elf, end, n);
		for (size_t k = 0; p && k < n; k++)
			if (p[k])
				p = NULL;
		if (!p)
			continue;
		memcpy(p, text, n);
		*ret_address = ph->p_vaddr + ph->p_filesz;
		ph->p_filesz += n;
		ph->p_memsz += n;
		return 0;
	}
	return bad(elf, "no room for a text behind its segments");
}

int cda_elf_set_rpath(struct cda_buf *file, const char *rpath, struct cda_err *err)
{
	struct elf elf;
	size_t end = 0, old;
	uint64_t address;
	int rc = open_elf(file, &elf, err);

	if (rc || !elf.dyn)
		return rc;
	while (end < elf.n_dyn && elf.dyn[end].d_tag != DT_NULL)
		end++;
	for (old = 0; old < end; old++)
		if (elf.dyn[old].d_tag == DT_RPATH || elf.dyn[old].d_tag == DT_RUNPATH)
			break;
	if (old == end && end + 2 > elf.n_dyn)
		return bad(&elf, "no free entry in its dynamic section");
	rc = place_text(&elf, rpath, &address);
	if (rc)
		return rc;
	if (address < elf.strtab->d_un.d_ptr)
		return bad(&elf, "its text table behind the room for a text");
	elf.dyn[old].d_tag = DT_RPATH;
	elf.dyn[old].d_un.d_val = address - elf.strtab->d_un.d_ptr;
	if (elf.dyn[old].d_un.d_val + strlen(rpath) + 1 > elf.strsz->d_un.d_val)
		elf.strsz->d_un.d_val = elf.dyn[old].d_un.d_val + strlen(rpath) + 1;
	/* a second one (RPATH and RUNPATH together) would win over ours */
	for (size_t i = old + 1; i < end; i++)
		if (elf.dyn[i].d_tag == DT_RPATH || elf.dyn[i].d_tag == DT_RUNPATH)
			elf.dyn[i] = elf.dyn[old];
	return 0;
}

/* Number of dynamic symbols, from the section table; 0 when there is none. */
static const Elf64_Sym *find_symbols(const struct elf *elf, size_t *ret_n, const char **ret_names,
				     size_t *ret_names_len)
{
	const Elf64_Shdr *sections;

	if (elf->head->e_shentsize != sizeof(Elf64_Shdr) || elf->head->e_shoff % 8)
		return NULL;
	sections = part(elf, elf->head->e_shoff, elf->head->e_shnum * sizeof(Elf64_Shdr));
	for (size_t i = 0; sections && i < elf->head->e_shnum; i++) {
		const Elf64_Shdr *names;

		if (sections[i].sh_type != SHT_DYNSYM || sections[i].sh_offset % 8 ||
		    sections[i].sh_link >= elf->head->e_shnum)
			continue;
		names = &sections[sections[i].sh_link];
		*ret_names = part(elf, names->sh_offset, names->sh_size);
		*ret_names_len = names->sh_size;
		*ret_n = sections[i].sh_size / sizeof(Elf64_Sym);
		if (!*ret_names || !names->sh_size || (*ret_names)[names->sh_size - 1])
			return NULL;
		return part(elf, sections[i].sh_offset, sections[i].sh_size);
	}
	return NULL;
}

static const Elf64_Sym *find_symbol(const struct elf *elf, const char *name)
{
	size_t n = 0, names_len = 0;
	const char *names = NULL;
	const Elf64_Sym *symbols = find_symbols(elf, &n, &names, &names_len);

	for (size_t i = 0; symbols && i < n; i++)
		if (symbols[i].st_name < names_len && symbols[i].st_shndx != SHN_UNDEF &&
		    cda_streq(names + symbols[i].st_name, name))
			return &symbols[i];
	return NULL;
}

int cda_elf_set_answer(struct cda_buf *file, const char *symbol, const char *text,
		       struct cda_err *err)
{
	/* endbr64 (where the compiler set it); lea REL(%rip), %rax; ret */
	static const uint8_t lea[] = {0x48, 0x8d, 0x05}, endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct elf elf;
	const Elf64_Sym *sym;
	uint64_t at, address;
	uint8_t *code;
	int64_t distance;
	int32_t rel;
	int rc = open_elf(file, &elf, err);

	if (rc)
		return rc;
	if (elf.head->e_machine != EM_X86_64)
		return bad(&elf, "a machine other than x86-64");
	sym = find_symbol(&elf, symbol);
	if (!sym || sym->st_value > UINT64_MAX / 2)
		return cda_err_set(err, CDA_E_VALUE, "the ELF file exports no '%s'", symbol);
	at = sym->st_value;
	code = at_address(&elf, at, 12);
	if (code && memcmp(code, endbr, sizeof(endbr)) == 0) {
		code += sizeof(endbr);
		at += sizeof(endbr);
	}
	if (!code || memcmp(code, lea, sizeof(lea)) != 0 || code[7] != 0xc3)
		return cda_err_set(err, CDA_E_VALUE, "'%s' does not just return a text", symbol);
	rc = place_text(&elf, text, &address);
	if (rc)
		return rc;
	distance = (int64_t)(address - (at + 7));
	if (distance > INT32_MAX || distance < INT32_MIN)
		return bad(&elf, "a text too far from its function");
	rel = (int32_t)distance;
	memcpy(code + 3, &rel, sizeof(rel));
	return 0;
}

int cda_elf_hide_frozen(struct cda_buf *file, const char *module, struct cda_err *err)
{
	struct entry {
		uint64_t name, code;
		int32_t size, is_package;
	};
	struct elf elf;
	const Elf64_Sym *sym;
	const uint64_t *table;
	uint64_t at = 0;
	int rc = open_elf(file, &elf, err);

	if (rc)
		return rc;
	sym = find_symbol(&elf, "_PyImport_FrozenStdlib");
	table = sym ? at_address(&elf, sym->st_value, sizeof(*table)) : NULL;
	if (table && (uintptr_t)table % 8 == 0)
		at = *table;
	for (size_t i = 0; at && i < 1000; i++, at += sizeof(struct entry)) {
		struct entry *entry = at_address(&elf, at, sizeof(*entry));
		const char *name;

		if (!entry || (uintptr_t)entry % 8 || !entry->name)
			break;
		name = text_at(&elf, entry->name);
		if (!name)
			break;
		if (cda_streq(name, module)) {
			entry->name++; /* "site" becomes "ite", which nobody asks for */
			return 0;
		}
	}
	return cda_err_set(err, CDA_E_VALUE, "the program has no frozen module '%s'", module);
}
