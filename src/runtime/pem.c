#include "pem.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";

static int digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'             ? 62
	       : c == '/'             ? 63
				      : -1;
}

/* A block as it is read: the first bytes of what it decodes to, and how many there are. */
struct block {
	unsigned char head[8];
	size_t bytes, digits;
	unsigned bits;
	int pads;
};

static bool take(struct block *block, struct cda_span line)
{
	for (size_t i = 0; i < line.len; i++) {
		int value = digit(line.p[i]);

		if (line.p[i] == '=' && block->pads < 2) {
			block->pads++;
			continue;
		}
		if (value < 0 || block->pads > 0)
			return false;
		block->bits = (block->bits << 6) | (unsigned)value;
		block->digits++;
		if (block->digits % 4 == 1)
			continue;
		if (block->bytes < sizeof(block->head))
			block->head[block->bytes] =
				(unsigned char)(block->bits >> (6 - 2 * ((block->digits - 1) % 4)));
		block->bytes++;
	}
	return true;
}

/* One DER sequence, of a definite length that is just what there is. */
static bool whole(const struct block *block)
{
	size_t len, lead = 2;

	if ((block->digits + (size_t)block->pads) % 4 != 0 || block->bytes < 4 ||
	    block->head[0] != 0x30)
		return false;
	len = block->head[1];
	if (len >= 0x80) {
		size_t count = len & 0x7f;

		if (count == 0 || count > 3 || block->bytes < 2 + count)
			return false;
		len = 0;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | block->head[2 + i];
		lead += count;
	}
	return lead + len == block->bytes;
}

static struct cda_span trimmed(struct cda_span line)
{
	while (line.len > 0 && strchr(" \t\r", line.p[line.len - 1]) != NULL &&
	       line.p[line.len - 1] != '\0')
		line.len--;
	return line;
}

int cda_pem_copy(struct cda_span text, struct cda_text *out)
{
	struct cda_span rest = text, line;
	struct block block = {.bytes = 0};
	bool inside = false;
	int count = 0, number = 1;

	if (rest.len >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0) {
		rest.p += 3;
		rest.len -= 3;
	}
	for (; cda_span_line(&rest, &line); number++) {
		line = trimmed(line);
		if (!inside && (line.len == 0 || line.p[0] == '#'))
			continue;
		if (inside && cda_span_is(line, end)) {
			if (!whole(&block))
				return -number;
			inside = false;
			count++;
		} else if (inside ? !take(&block, line) : !cda_span_is(line, begin)) {
			return -number;
		} else if (!inside) {
			block = (struct block){.bytes = 0};
			inside = true;
		}
		cda_text_add(out, line.p, line.len);
		cda_text_add_str(out, "\n");
	}
	if (inside || count == 0)
		return number > 1 ? -(number - 1) : -1;
	return out->full ? 0 : count;
}

static bool holds(struct cda_span text, const char *word)
{
	return memmem(text.p, text.len, word, strlen(word)) != NULL;
}

void cda_pem_why(struct cda_span text, int line, char *ret, size_t cap)
{
	if (text.len == 0)
		(void)cda_put(ret, cap, "it is empty");
	else if (holds(text, "PRIVATE KEY-----"))
		(void)cda_put(ret, cap, "it holds a private key: give the certificates alone");
	else if (text.len > 1 && text.p[0] == 0x30 && (unsigned char)text.p[1] >= 0x80)
		(void)cda_put(
			ret, cap,
			"it is DER: openssl x509 -inform DER -in FILE -out FILE.pem makes PEM "
			"of it");
	else if (!holds(text, begin))
		(void)cda_put(ret, cap, "there is no certificate in it ('%s')", begin);
	else
		(void)cda_put(ret, cap, "line %d: not a PEM file of certificates alone", line);
}

int cda_pem_load(const char *what, const char *path, struct cda_text *out)
{
	static char data[CDA_PEM_MAX];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	struct stat st;
	char why[160];
	int rc, fd = cda_file_open(AT_FDCWD, path, &st);

	if (fd < 0) {
		cda_say("%s is refused: cannot read '%s': %s", what, path,
			fd == -EINVAL || fd == -ELOOP ? "not a regular file" : strerror(-fd));
		return -1;
	}
	rc = cda_file_read(fd, &text);
	close(fd);
	if (rc == -EFBIG) {
		cda_say("%s is refused: '%s' is too large: %d bytes at most", what, path,
			CDA_PEM_MAX);
		return -1;
	}
	if (rc < 0) {
		cda_say("%s is refused: cannot read '%s': %s", what, path, strerror(-rc));
		return -1;
	}
	rc = cda_pem_copy((struct cda_span){text.data, text.len}, out);
	if (rc > 0)
		return 0;
	if (rc == 0) {
		cda_say("%s is refused: '%s' is too large, with the image's authorities", what,
			path);
		return -1;
	}
	cda_pem_why((struct cda_span){text.data, text.len}, -rc, why, sizeof(why));
	cda_say("%s is refused: '%s': %s", what, path, why);
	return -1;
}
