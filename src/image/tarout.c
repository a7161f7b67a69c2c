/* Fields of a header block as POSIX pax, "ustar Interchange Format", has them. */
#include "image/tarout.h"
#include "util/alloc.h"

#include <inttypes.h>
#include <string.h>

enum { block_size = 512 };

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag;
	char linkname[100], magic[6], version[2], uname[32], gname[32];
	char devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == block_size, "a header is one block");

/* Octal digits and a NUL; false when the number needs more of them. */
static bool octal(char *field, size_t size, uint64_t value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);

	if (n != (int)size - 1)
		return false;
	memcpy(field, text, size);
	return true;
}

/* "LEN KEY=VALUE\n", where LEN counts its own digits. */
static void record(struct cda_buf *pax, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, all = rest + 1;

	for (;;) {
		size_t digits = (size_t)snprintf(NULL, 0, "%zu", all);

		if (all == rest + digits)
			break;
		all = rest + digits;
	}
	cda_buf_addf(pax, "%zu %s=", all, key);
	cda_buf_add(pax, value, len);
	cda_buf_addc(pax, '\n');
}

static void number(char *field, size_t size, uint64_t value, struct cda_buf *pax, const char *key)
{
	char text[32];

	if (octal(field, size, value))
		return;
	octal(field, size, 0);
	record(pax, key, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

static void words(char *field, size_t size, const char *text, struct cda_buf *pax, const char *key)
{
	size_t len = strlen(text);

	memcpy(field, text, len < size ? len : size);
	if (len > size)
		record(pax, key, text, len);
}

static int write_block(const struct cda_tarout *out, struct header *header, struct cda_err *err)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->chksum, ' ', sizeof(header->chksum));
	for (size_t i = 0; i < block_size; i++)
		sum += bytes[i];
	octal(header->chksum, 7, sum);
	return out->sink(out->ctx, header, block_size, err);
}

int cda_tarout_pad(const struct cda_tarout *out, uint64_t size, struct cda_err *err)
{
	static const char zeros[block_size];
	size_t over = (size_t)(size % block_size);

	return over ? out->sink(out->ctx, zeros, block_size - over, err) : 0;
}

int cda_tarout_end(const struct cda_tarout *out, struct cda_err *err)
{
	static const char zeros[2 * block_size];

	return out->sink(out->ctx, zeros, sizeof(zeros), err);
}

/* The member in front that brings what does not fit. */
static int write_pax(const struct cda_tarout *out, const struct cda_buf *pax, struct cda_err *err)
{
	struct header header = {.name = "PaxHeaders/0", .typeflag = 'x'};
	int rc;

	octal(header.mode, sizeof(header.mode), 0644);
	octal(header.uid, sizeof(header.uid), 0);
	octal(header.gid, sizeof(header.gid), 0);
	octal(header.size, sizeof(header.size), pax->len);
	octal(header.mtime, sizeof(header.mtime), 0);
	rc = write_block(out, &header, err);
	if (!rc)
		rc = out->sink(out->ctx, pax->p, pax->len, err);
	return rc ? rc : cda_tarout_pad(out, pax->len, err);
}

int cda_tarout_header(const struct cda_tarout *out, const struct cda_tarout_member *m,
		      struct cda_err *err)
{
	static const char types[] = {
		[CDA_TREE_FILE] = '0', [CDA_TREE_FOLDER] = '5', [CDA_TREE_LINK] = '2',
		[CDA_TREE_CHAR] = '3', [CDA_TREE_BLOCK] = '4',  [CDA_TREE_FIFO] = '6'};
	bool folder = m->type == CDA_TREE_FOLDER && !m->hardlink;
	CDA_AUTOFREE char *path = cda_asprintf("%s%s", m->path, folder ? "/" : "");
	CDA_AUTOBUF struct cda_buf pax = CDA_BUF_INIT;
	struct header header = {.typeflag = m->hardlink ? '1' : types[m->type]};
	const char *target = m->hardlink ? m->hardlink : m->target ? m->target : "";
	int rc = 0;

	words(header.name, sizeof(header.name), path, &pax, "path");
	octal(header.mode, sizeof(header.mode), m->mode & 07777);
	number(header.uid, sizeof(header.uid), m->uid, &pax, "uid");
	number(header.gid, sizeof(header.gid), m->gid, &pax, "gid");
	number(header.size, sizeof(header.size), m->hardlink ? 0 : m->size, &pax, "size");
	number(header.mtime, sizeof(header.mtime), (uint64_t)m->mtime, &pax, "mtime");
	words(header.linkname, sizeof(header.linkname), target, &pax, "linkpath");
	octal(header.devmajor, sizeof(header.devmajor), m->major);
	octal(header.devminor, sizeof(header.devminor), m->minor);
	/* pax(5) of the implementation that engines follow: attributes are SCHILY.xattr.NAME */
	for (size_t i = 0; i < m->nxattrs && !m->hardlink; i++) {
		CDA_AUTOFREE char *key = cda_asprintf("SCHILY.xattr.%s", m->xattrs[i].name);

		record(&pax, key, m->xattrs[i].value, m->xattrs[i].len);
	}
	if (pax.len)
		rc = write_pax(out, &pax, err);
	return rc ? rc : write_block(out, &header, err);
}
