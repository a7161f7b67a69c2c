/* cda_slim_strip of slim.h: sections of an ELF file that nothing needs at run time.
 *
 * Our own, and not binutils': a build stage has no strip, its output would differ with its version,
 * it is not meant for hostile files, and it cuts off what some programs carry behind their
 * sections. What must hold:
 * - no byte that a segment covers moves or changes but the header's three fields of sections;
 * - sections in memory (SHF_ALLOC) keep their numbers, since symbols name them by number;
 * - a file with bytes that no table explains is left alone. */
#include "image/slim.h"

#include "util/alloc.h"
#include "util/str.h"

#include <elf.h>
#include <string.h>

#define SECTIONS_MAX 4096

struct image {
	const char *p;
	size_t len;
	Elf64_Ehdr head;
	Elf64_Shdr *sections; /* owned */
	bool *goes;           /* owned; per section */
	uint64_t covered;     /* end of what segments and their table cover */
};

static bool is_inside(const struct image *elf, uint64_t at, uint64_t len)
{
	return at <= elf->len && len <= elf->len - at;
}

static bool read_segments(struct image *elf)
{
	if (elf->head.e_phentsize != sizeof(Elf64_Phdr) ||
	    !is_inside(elf, elf->head.e_phoff, elf->head.e_phnum * sizeof(Elf64_Phdr)))
		return false;
	elf->covered = elf->head.e_phoff + elf->head.e_phnum * sizeof(Elf64_Phdr);
	for (size_t i = 0; i < elf->head.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, elf->p + elf->head.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NULL || ph.p_filesz == 0)
			continue;
		if (!is_inside(elf, ph.p_offset, ph.p_filesz))
			return false;
		if (ph.p_offset + ph.p_filesz > elf->covered)
			elf->covered = ph.p_offset + ph.p_filesz;
	}
	return true;
}

static uint64_t bytes_of(const Elf64_Shdr *section)
{
	return section->sh_type == SHT_NOBITS || section->sh_type == SHT_NULL ? 0
									      : section->sh_size;
}

static bool read_sections(struct image *elf)
{
	size_t n = elf->head.e_shnum, size = n * sizeof(Elf64_Shdr);
	uint64_t end = elf->head.e_shoff + size;

	if (elf->head.e_shentsize != sizeof(Elf64_Shdr) || n < 2 || n > SECTIONS_MAX ||
	    elf->head.e_shstrndx == 0 || elf->head.e_shstrndx >= n ||
	    !is_inside(elf, elf->head.e_shoff, size) || elf->head.e_shoff < elf->covered)
		return false;
	elf->sections = cda_alloc(size);
	memcpy(elf->sections, elf->p + elf->head.e_shoff, size);
	for (size_t i = 1; i < n; i++) {
		const Elf64_Shdr *section = &elf->sections[i];

		if (section->sh_link >= n || !is_inside(elf, section->sh_offset, bytes_of(section)))
			return false;
		/* code that is elsewhere: a file of debug sections, and nothing but them */
		if (section->sh_type == SHT_NOBITS && section->sh_flags & SHF_EXECINSTR)
			return false;
		if (bytes_of(section) > 0 && section->sh_offset + section->sh_size > end)
			end = section->sh_offset + section->sh_size;
	}
	/* more than tables explain: an archive, or a program's data, behind the last of them */
	return end >= elf->len;
}

static bool has_debug_name(const struct image *elf, const Elf64_Shdr *section)
{
	static const char *const names[] = {".debug_", ".zdebug_", ".stab", ".gdb_index",
					    ".gnu.debuglto_"};
	const Elf64_Shdr *table = &elf->sections[elf->head.e_shstrndx];
	const char *name;

	if (section->sh_name >= bytes_of(table))
		return false;
	name = elf->p + table->sh_offset + section->sh_name;
	for (size_t i = 0; i < CDA_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (n <= bytes_of(table) - section->sh_name && memcmp(name, names[i], n) == 0)
			return true;
	}
	return false;
}

/* Marks what goes; false where that cannot be done safely, or there is nothing. */
static bool choose(struct image *elf)
{
	size_t n = elf->head.e_shnum, last_kept = 0, first_gone = n;
	uint64_t bytes = 0;
	bool any = false;

	elf->goes = cda_alloc0(n, sizeof(*elf->goes));
	for (size_t i = 1; i < n; i++) {
		const Elf64_Shdr *section = &elf->sections[i];

		elf->goes[i] =
			!(section->sh_flags & SHF_ALLOC) && section->sh_offset >= elf->covered &&
			section->sh_type != SHT_NOBITS && i != elf->head.e_shstrndx &&
			(section->sh_type == SHT_SYMTAB || section->sh_type == SHT_SYMTAB_SHNDX ||
			 has_debug_name(elf, section));
	}
	/* the texts of a symbol table that goes, unless another section has its texts there */
	for (size_t i = 1; i < n; i++) {
		size_t texts = elf->sections[i].sh_link;

		if (!elf->goes[i] || elf->sections[i].sh_type != SHT_SYMTAB || texts == 0 ||
		    elf->sections[texts].sh_type != SHT_STRTAB ||
		    elf->sections[texts].sh_flags & SHF_ALLOC ||
		    elf->sections[texts].sh_offset < elf->covered || texts == elf->head.e_shstrndx)
			continue;
		elf->goes[texts] = true;
	}
	for (size_t i = 1; i < n; i++) {
		const Elf64_Shdr *section = &elf->sections[i];
		bool info_is_section = section->sh_type == SHT_REL ||
				       section->sh_type == SHT_RELA ||
				       section->sh_flags & SHF_INFO_LINK;

		if (elf->goes[i]) {
			any = true;
			first_gone = i < first_gone ? i : first_gone;
			continue;
		}
		if (elf->goes[section->sh_link] || section->sh_type == SHT_GROUP ||
		    (info_is_section && section->sh_info < n && elf->goes[section->sh_info]))
			return false;
		if (section->sh_flags & SHF_ALLOC)
			last_kept = i;
		bytes += bytes_of(section); /* each at most len, SECTIONS_MAX of them */
	}
	/* sections that overlap would grow when each is written by itself */
	return any && last_kept < first_gone && bytes <= elf->len;
}

static void align(struct cda_buf *out, uint64_t to)
{
	if (to == 0 || to > 4096 || (to & (to - 1)))
		to = 1;
	while (out->len & (to - 1))
		cda_buf_addc(out, 0);
}

static int by_offset(const void *a, const void *b)
{
	const Elf64_Shdr *x = *(Elf64_Shdr *const *)a, *y = *(Elf64_Shdr *const *)b;

	if (x->sh_offset != y->sh_offset)
		return x->sh_offset < y->sh_offset ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void write_out(struct image *elf, struct cda_buf *out)
{
	size_t n = elf->head.e_shnum, kept = 0, moving = 0;
	CDA_AUTOFREE Elf64_Shdr **order = cda_alloc0(n, sizeof(*order));
	CDA_AUTOFREE uint32_t *number = cda_alloc0(n, sizeof(*number));

	cda_buf_add(out, elf->p, elf->covered);
	for (size_t i = 0; i < n; i++) {
		if (elf->goes[i])
			continue;
		number[i] = (uint32_t)kept++;
		if (elf->sections[i].sh_offset >= elf->covered && i > 0)
			order[moving++] = &elf->sections[i];
	}
	if (moving > 0)
		qsort(order, moving, sizeof(*order), by_offset);
	for (size_t i = 0; i < moving; i++) {
		Elf64_Shdr *section = order[i];
		uint64_t from = section->sh_offset;

		if (bytes_of(section) > 0)
			align(out, section->sh_addralign);
		section->sh_offset = out->len;
		cda_buf_add(out, elf->p + from, bytes_of(section));
	}
	align(out, 8);
	elf->head.e_shoff = out->len;
	elf->head.e_shstrndx = (uint16_t)number[elf->head.e_shstrndx];
	elf->head.e_shnum = (uint16_t)kept;
	for (size_t i = 0; i < n; i++) {
		Elf64_Shdr section = elf->sections[i];

		if (elf->goes[i])
			continue;
		if (i > 0) {
			bool info_is_section = section.sh_type == SHT_REL ||
					       section.sh_type == SHT_RELA ||
					       section.sh_flags & SHF_INFO_LINK;

			section.sh_link = number[section.sh_link];
			if (info_is_section && section.sh_info < n)
				section.sh_info = number[section.sh_info];
		}
		cda_buf_add(out, &section, sizeof(section));
	}
	memcpy(out->p, &elf->head, sizeof(elf->head));
}

int cda_slim_strip(const void *p, size_t len, struct cda_buf *out)
{
	struct image elf = {.p = p, .len = len};
	bool done = false;

	if (len < sizeof(elf.head) || memcmp(p, ELFMAG, SELFMAG) != 0)
		return 0;
	memcpy(&elf.head, p, sizeof(elf.head));
	if (elf.head.e_ident[EI_CLASS] == ELFCLASS64 && elf.head.e_ident[EI_DATA] == ELFDATA2LSB &&
	    (elf.head.e_type == ET_EXEC || elf.head.e_type == ET_DYN) && elf.head.e_phnum > 0 &&
	    elf.head.e_phnum < PN_XNUM && read_segments(&elf) && elf.covered >= sizeof(elf.head) &&
	    read_sections(&elf) && choose(&elf)) {
		write_out(&elf, out);
		done = out->len < len;
		if (!done)
			cda_buf_clear(out);
	}
	free(elf.sections);
	free(elf.goes);
	return done;
}
