#include "installed.h"

#include "include.h"
#include "paths.h"
#include "prefix.h"
#include "say.h"
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { STAMP_MAX = 1 << 20 };

static char stamp_data[STAMP_MAX];

const struct cda_kind cda_kind_conda = {.what = "conda", .stamp = "conda.list", .conda = true};
const struct cda_kind cda_kind_environment = {
	.what = "conda", .stamp = "environment.list", .yaml = true, .conda = true, .pip = true};
const struct cda_kind cda_kind_pip = {.what = "pip", .stamp = "pip.list", .pip = true};

void cda_installed_hash(const struct cda_kind *kind, const char *path, const struct cda_text *list,
			const char *python, char ret[CDA_SHA256_HEX])
{
	struct cda_sha256 sum;

	cda_sha256_init(&sum);
	cda_sha256_add(&sum, python, strlen(python) + 1);
	if (kind->pip)
		cda_include_sum(&sum, path, list);
	else
		cda_sha256_add(&sum, list->data, list->len);
	cda_sha256_hex(&sum, ret);
}

static void each_name(const struct cda_kind *kind, const char *python, cda_prefix_each *each,
		      void *ctx)
{
	if (kind->conda)
		cda_prefix_conda(each, ctx);
	if (kind->pip)
		cda_prefix_pip(python, each, ctx);
}

bool cda_installed_is(const struct cda_kind *kind, const char *python, const char *hash)
{
	struct cda_text stamp = {.data = stamp_data, .cap = sizeof(stamp_data)};
	struct cda_names names;
	bool done = false;
	char path[64];
	int fd;

	cda_put(path, sizeof(path), "%s/%s", CDA_STAMPS, kind->stamp);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (cda_file_read(fd, &stamp) == 0 && cda_stamp_is(&stamp, hash) &&
	    cda_names_init(&names) == 0) {
		each_name(kind, python, cda_names_add, &names);
		done = cda_stamp_holds(&stamp, &names);
		cda_names_done(&names);
	}
	close(fd);
	return done;
}

void cda_installed_note(const struct cda_kind *kind, const char *python, const char *hash)
{
	const struct stat like = {.st_mode = 0660, .st_uid = getuid(), .st_gid = getgid()};
	struct cda_text stamp = {.data = stamp_data, .cap = sizeof(stamp_data)};
	int rc, fd;

	cda_stamp_begin(&stamp, hash);
	each_name(kind, python, cda_stamp_add, &stamp);
	mkdir(CDA_STAMPS, 0770);
	fd = open(CDA_STAMPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? -errno : cda_file_replace(fd, kind->stamp, &stamp, &like);
	if (rc < 0)
		cda_say("cannot note in '%s' that the list is installed: %s", CDA_STAMPS,
			strerror(-rc));
	if (fd >= 0)
		close(fd);
}
