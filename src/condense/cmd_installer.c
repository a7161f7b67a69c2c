#include "condense/cmds.h"
#include "forge/installer.h"
#include "release/listing.h"
#include "util/fs.h"

#include <stdio.h>

struct opts {
	const char *channel, *conda, *head, *name, *version, *py, *out;
	int64_t epoch;
};

static const struct cda_option options[] = {
	OPTION_NEEDED("channel", struct opts, channel, "DIR", "an indexed channel folder"),
	OPTION_NEEDED("conda", struct opts, conda, "FILE", "the static conda program"),
	OPTION_NEEDED("head", struct opts, head, "FILE", "the shell text of the installer"),
	OPTION_STR("name", struct opts, name, "NAME", "name of the release [Condense3]"),
	OPTION_NEEDED("version", struct opts, version, "VERSION", "its version, as 26.11.0-0"),
	OPTION_NEEDED("py", struct opts, py, "X.Y", "its Python"),
	OPTION_NEEDED("out", struct opts, out, "DIR", "folder of the installer"),
	OPTION_INT("epoch", struct opts, epoch, "SECONDS", "time of the files inside [0]"),
	OPTION_END(),
};

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct opts opts = {.name = "Condense3"};
	struct cda_installer installer = {0};
	CDA_AUTOFREE char *fn = NULL;
	CDA_AUTOFREE char *path = NULL;
	int64_t size = 0;
	size_t count = 0;
	int rc =
		cda_option_parse(&cda_condense_installer, argc, argv, &opts, &installer.specs, err);

	if (rc)
		goto out;
	fn = cda_installer_name(opts.name, opts.py, opts.version);
	path = cda_path_join(opts.out, fn);
	installer.channel = opts.channel;
	installer.conda = opts.conda;
	installer.head = opts.head;
	installer.name = opts.name;
	installer.version = opts.version;
	installer.py = opts.py;
	installer.epoch = opts.epoch;
	installer.out = path;
	rc = cda_installer_write(&installer, &size, &count, err);
	/* The folder is a mirror that `condense releases` reads. */
	if (!rc)
		rc = cda_listing_write_folder(opts.out, NULL, err);
	if (!rc)
		printf("%s: %zu packages, %.1f MiB\n", path, count, (double)size / (1 << 20));
out:
	cda_strv_done(&installer.specs);
	return rc;
}

const struct cda_command cda_condense_installer = {
	"installer",
	"--channel DIR --conda FILE --head FILE --version V --py X.Y --out DIR PACKAGE...",
	"write a self-extracting release",
	options,
	1,
	1000,
	run};
