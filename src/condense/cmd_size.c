#include "condense/cmds.h"
#include "condense/signals.h"
#include "image/size.h"
#include "image/size_print.h"
#include "util/event.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum { default_top = 15, width_min = 40, width_max = 1000 };

struct opts {
	const char *html, *platform, *ref;
	int64_t top, width;
	bool json, zstd, quiet;
};

static const struct cda_option table[] = {
	OPTION_BOOL("json", struct opts, json, "print a JSON object instead of tables"),
	OPTION_STR("html", struct opts, html, "FILE",
		   "write one page with a treemap, and print no tables"),
	OPTION_INT("top", struct opts, top, "N", "lines of each list [15]"),
	OPTION_STR("platform", struct opts, platform, "OS/ARCH",
		   "which of several images [linux on this machine]"),
	OPTION_STR("ref", struct opts, ref, "NAME", "which of several images, by its name or tag"),
	OPTION_BOOL("zstd", struct opts, zstd,
		    "estimate by zstd, not by gzip, what is not stored packed: faster"),
	OPTION_INT("width", struct opts, width, "N",
		   "cut lines to N columns, 0 not at all [the terminal's]"),
	OPTION_BOOL("quiet", struct opts, quiet, "no progress on the terminal"),
	OPTION_END(),
};

static void on_event(void *ctx, const struct cda_event *event)
{
	if (event->kind == CDA_EVENT_PROGRESS && event->total)
		fprintf(stderr, "\r\033[Kreading %s: %3u %%", event->text,
			(unsigned)(event->done * 100 / event->total));
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= width_min)
		return size.ws_col;
	return 80;
}

/* --- an image that an engine has --- */

static bool is_image_name(const char *s)
{
	if (!cda_is_alnum(*s))
		return false;
	for (; *s; s++)
		if (!cda_is_alnum(*s) && !strchr("._-/:@", *s))
			return false;
	return true;
}

/* Asks the engines for the image, in turn; what they said goes into said. */
static int save(const char *name, const char *file, bool progress, struct cda_buf *said,
		struct cda_err *err)
{
	static const char *const engines[] = {"docker", "podman"};
	struct cda_err later = {0};

	for (size_t i = 0; i < CDA_LEN(engines); i++) {
		const char *const argv[] = {engines[i], "save", "-o", file, "--", name, NULL};
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		struct cda_proc proc = {.argv = argv, .out = &text, .errout = &text};
		int status = 0;
		struct cda_str line;

		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		if (progress)
			fprintf(stderr, "\r\033[Kasking %s for the image", engines[i]);
		unlink(file); /* what the one before left behind */
		if (cda_proc_run(&proc, &status, &later)) {
			cda_err_done(&later);
			continue;
		}
		if (status == 0)
			return 0;
		struct cda_str rest = cda_str_trim(cda_buf_str(&text));

		if (status != 126 && status != 127) {
			line = (struct cda_str){"no answer", 9};
			while (cda_str_cut(&rest, "\r\n", &line))
				;
			cda_buf_addf(said, "%s%s says: ", said->len ? "; " : "", engines[i]);
			CDA_AUTOFREE char *one = cda_str_dup(line);

			cda_size_text(one, said);
		}
	}
	if (cda_interrupted)
		return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
	cda_err_set(err, CDA_E_NOTFOUND, "'%s' is no file or folder, and no image of an engine: %s",
		    name, said->len ? said->p : "there is no docker and no podman");
	return cda_err_hint(err,
			    "give an OCI layout, a docker archive (docker save -o FILE IMAGE), "
			    "a root file system, or the name of a local image");
}

static int measure_saved(const char *name, const struct cda_oci_options *options,
			 struct cda_size *ret, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf said = CDA_BUF_INIT;
	CDA_AUTOFREE char *dir = NULL;
	CDA_AUTOFREE char *file = NULL;
	struct cda_err later = {0};
	int rc = cda_fs_tempdir(NULL, "condense-size", &dir, err);

	if (rc)
		return rc;
	file = cda_path_join(dir, "image.tar");
	rc = save(name, file, options->events->fn != NULL, &said, err);
	if (!rc)
		rc = cda_size_read(file, options, ret, err);
	if (!rc)
		cda_replace(&ret->path, cda_strdup(name));
	if (cda_fs_remove(AT_FDCWD, dir, &later))
		cda_err_done(&later);
	return rc;
}

static int measure(const char *path, const struct opts *opts, struct cda_size *ret,
		   struct cda_err *err)
{
	bool progress = !opts->quiet && isatty(STDERR_FILENO);
	struct cda_events events = {progress ? on_event : NULL, NULL};
	struct cda_oci_options options_read = {.platform = opts->platform,
					       .ref = opts->ref,
					       .estimate_zstd = opts->zstd,
					       .events = &events};
	int rc;

	if (!cda_fs_exists(AT_FDCWD, path) && is_image_name(path))
		rc = measure_saved(path, &options_read, ret, err);
	else
		rc = cda_size_read(path, &options_read, ret, err);
	if (progress)
		fputs("\r\033[K", stderr);
	return rc;
}

static int print(const struct opts *opts, const struct cda_size *before,
		 const struct cda_size *after, struct cda_err *err)
{
	struct cda_size_print how = {(size_t)opts->top,
				     opts->width < 0 ? terminal_width() : (unsigned)opts->width};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	int rc = 0;

	if (opts->html) {
		cda_size_html(before, after, &out);
		rc = cda_fs_output(opts->html, out.p, out.len, 0644, err);
		cda_buf_clear(&out);
	}
	if (!rc && opts->json)
		cda_size_json(before, after, &how, &out);
	else if (!rc && !opts->html)
		cda_size_table(before, after, &how, &out);
	fwrite(out.p, 1, out.len, stdout);
	return rc;
}

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct opts opts = {.top = default_top, .width = -1};
	CDA_AUTOSTRV struct cda_strv rest = {0};
	struct cda_size before = {0}, after = {0};
	int rc = cda_option_parse(&cda_condense_size, argc, argv, &opts, &rest, err);

	if (!rc && opts.width > 0 && (opts.width < width_min || opts.width > width_max))
		rc = cda_err_set(err, CDA_E_USAGE, "--width goes from %d to %d, or is 0", width_min,
				 width_max);
	cda_condense_catch_signals();
	if (!rc)
		rc = measure(rest.v[0], &opts, &before, err);
	if (!rc && rest.n > 1)
		rc = measure(rest.v[1], &opts, &after, err);
	if (!rc)
		rc = print(&opts, &before, rest.n > 1 ? &after : NULL, err);
	cda_size_done(&before);
	cda_size_done(&after);
	return rc;
}

const struct cda_command cda_condense_size = {
	.name = "size",
	.usage = "[OPTION...] IMAGE [AFTER]",
	.help = "where the bytes of an image are; with AFTER, what changed from IMAGE to it",
	.options = table,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
