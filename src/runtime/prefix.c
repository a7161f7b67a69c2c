#include "prefix.h"

#include "paths.h"
#include "say.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { NAME_CAP = 300 };

/* The stem of a file with that ending. */
static bool has_end(const char *file, const char *end, struct cda_span *ret_stem)
{
	size_t len = strlen(file), end_len = strlen(end);

	if (len <= end_len || strcmp(file + len - end_len, end) != 0)
		return false;
	*ret_stem = (struct cda_span){file, len - end_len};
	return true;
}

/* Without its last '-' and what follows. */
static bool cut_last(struct cda_span *stem)
{
	while (stem->len > 0 && stem->p[stem->len - 1] != '-')
		stem->len--;
	if (stem->len < 2)
		return false;
	stem->len--;
	return true;
}

int cda_prefix_conda_name(const char *file, char *ret, size_t cap)
{
	struct cda_span stem;

	if (!has_end(file, ".json", &stem) || !cut_last(&stem) || !cut_last(&stem))
		return -1;
	return cda_put(ret, cap, "conda %.*s", (int)stem.len, stem.p);
}

/* Names that differ in case and in the kind of '-', '_' and '.' are the same one. */
int cda_prefix_pip_name(const char *file, char *ret, size_t cap)
{
	struct cda_span stem;

	if (!has_end(file, ".dist-info", &stem) || !cut_last(&stem) ||
	    cda_put(ret, cap, "pip %.*s", (int)stem.len, stem.p) != 0)
		return -1;
	for (char *p = ret; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '-' || *p == '.')
			*p = '_';
	}
	return 0;
}

static void walk(const char *folder, int (*name_of)(const char *file, char *ret, size_t cap),
		 cda_prefix_each *each, void *ctx)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_CAP];
	struct cda_dir dir;
	const char *file;

	if (fd < 0)
		return;
	cda_dir_init(&dir, fd);
	while ((file = cda_dir_next(&dir)) != NULL) {
		/* A newline would be two names for whoever reads the stamp. */
		if (name_of(file, name, sizeof(name)) == 0 && strchr(name, '\n') == NULL)
			each(ctx, name);
	}
	close(fd);
}

void cda_prefix_conda(cda_prefix_each *each, void *ctx)
{
	walk(CDA_PREFIX "/conda-meta", cda_prefix_conda_name, each, ctx);
}

void cda_prefix_pip(const char *python, cda_prefix_each *each, void *ctx)
{
	size_t major = strcspn(python, "."), minor = 0;
	char path[128];

	if (python[major] == '.')
		minor = 1 + strcspn(python + major + 1, ".");
	if (cda_put(path, sizeof(path), "%s/lib/python%.*s/site-packages", CDA_PREFIX,
		    (int)(major + minor), python) == 0)
		walk(path, cda_prefix_pip_name, each, ctx);
}

int cda_prefix_python(char ret[CDA_VERSION_MAX])
{
	static const char lead[] = "python-";
	struct cda_dir dir;
	const char *name;
	int found = -1, fd = open(CDA_PREFIX "/conda-meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	cda_dir_init(&dir, fd);
	while (found != 0 && (name = cda_dir_next(&dir)) != NULL) {
		const char *version = name + sizeof(lead) - 1;

		if (strncmp(name, lead, sizeof(lead) - 1) != 0 || *version < '0' || *version > '9')
			continue;
		found = cda_span_copy((struct cda_span){version, strcspn(version, "-")}, ret,
				      CDA_VERSION_MAX);
	}
	close(fd);
	return found;
}
