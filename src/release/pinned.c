#include "release/pinned.h"

#include <time.h>

struct pin {
	char middle[16]; /* "py310_22.11.1-1" */
	char arch[CDA_RELEASE_ARCH_MAX];
	unsigned short tenths; /* of MiB; 0: not known */
	unsigned date;         /* 20131127; 0: not known */
	unsigned char sha256[32];
};

#include "release/pins.h"

static int64_t time_of(unsigned date)
{
	struct tm tm = {.tm_year = (int)(date / 10000) - 1900,
			.tm_mon = (int)(date / 100 % 100) - 1,
			.tm_mday = (int)(date % 100)};

	return date ? timegm(&tm) : 0;
}

static struct cda_release release_of(const struct pin *pin)
{
	static const char digits[] = "0123456789abcdef";
	struct cda_release release = {.pinned = true};
	CDA_AUTOBUF struct cda_buf name = CDA_BUF_INIT;

	cda_buf_addf(&name, "Miniconda3-%s-Linux-%s.sh", pin->middle, pin->arch);
	if (!cda_release_name_parse(cda_buf_str(&name), &release.name))
		abort(); /* a test reads all */
	for (size_t i = 0; i < sizeof(pin->sha256); i++) {
		release.sha256[2 * i] = digits[pin->sha256[i] >> 4];
		release.sha256[2 * i + 1] = digits[pin->sha256[i] & 15];
	}
	release.size = (uint64_t)pin->tenths * ((1 << 20) / 10);
	release.mtime = time_of(pin->date);
	return release;
}

void cda_pinned_add(struct cda_releases *list)
{
	for (size_t i = 0; i < CDA_LEN(pins); i++)
		cda_releases_push(list, release_of(&pins[i]));
}

bool cda_pinned_find(const struct cda_release_name *name, struct cda_release *ret_release)
{
	if (name->product != CDA_MINICONDA3)
		return false;
	for (size_t i = 0; i < CDA_LEN(pins); i++) {
		struct cda_release release;

		if (strcmp(pins[i].arch, name->arch) != 0)
			continue;
		release = release_of(&pins[i]);
		if (cda_release_name_cmp(&release.name, name) == 0) {
			*ret_release = release;
			return true;
		}
	}
	return false;
}

bool cda_pinned_find_hash(const char *sha256, struct cda_release *ret_release)
{
	for (size_t i = 0; i < CDA_LEN(pins); i++) {
		struct cda_release release = release_of(&pins[i]);

		if (cda_strcaseeq(release.sha256, sha256)) {
			*ret_release = release;
			return true;
		}
	}
	return false;
}
