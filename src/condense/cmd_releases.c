#include "condense/releases.h"
#include "condense/say.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/url.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

static void on_event(void *ctx, const struct cda_event *event)
{
	struct cda_releases_run *run = ctx;
	bool tty = isatty(STDERR_FILENO) == 1 && !run->opts.quiet;

	if (event->kind == CDA_EVENT_PROGRESS) {
		if (!tty)
			return;
		fprintf(stderr, "\r\033[K%s  %.1f", event->text, (double)event->done / 1e6);
		if (event->total > 0)
			fprintf(stderr, "/%.1f MB  %d %%", (double)event->total / 1e6,
				(int)(event->done * 100 / event->total));
		else
			fputs(" MB", stderr);
		run->drawn = true;
		return;
	}
	if (event->kind == CDA_EVENT_DEBUG || (event->kind == CDA_EVENT_INFO && run->opts.quiet))
		return;
	if (run->drawn)
		fputs("\r\033[K", stderr);
	run->drawn = false;
	cda_say(event->kind == CDA_EVENT_WARNING ? "warning: " : "", event->text);
}

/* --cache, CONDENSE_CACHE, XDG_CACHE_HOME/condense, ~/.cache/condense; owned, or NULL. An empty
 * word asks for none. */
static char *cache_folder(const struct cda_releases_opts *opts)
{
	const char *own = opts->cache ? opts->cache : getenv("CONDENSE_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (own)
		return own[0] ? cda_strdup(own) : NULL;
	if (xdg && xdg[0] == '/')
		return cda_path_join(xdg, "condense/releases");
	if (home && home[0] == '/')
		return cda_path_join(home, ".cache/condense/releases");
	return NULL;
}

/* The variables that conda reads; -1 where there is none. */
static double environment_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	double value;

	if (!text || !*text)
		return -1;
	value = strtod(text, &end);
	return *end || !(value >= 0 && value < 86400) ? -1 : value;
}

static void set_limits(const struct cda_releases_opts *opts, struct cda_archive_config *config)
{
	double connect = environment_number("CONDA_REMOTE_CONNECT_TIMEOUT_SECS");
	double read = environment_number("CONDA_REMOTE_READ_TIMEOUT_SECS");
	double retries = environment_number("CONDA_REMOTE_MAX_RETRIES");
	double backoff = environment_number("CONDA_REMOTE_BACKOFF_FACTOR");

	if (opts->timeout > 0)
		connect = read = opts->timeout < 86400 ? (double)opts->timeout : 86400;
	if (opts->retries >= 0)
		retries = (double)opts->retries;
	if (connect >= 0)
		config->connect_timeout = connect < 1 ? 1 : (unsigned)connect;
	if (read >= 0)
		config->read_timeout = read < 1 ? 1 : (unsigned)read;
	if (retries >= 0)
		config->retries = retries < 1 ? -1 : retries < 100 ? (int)retries : 100;
	if (backoff >= 0)
		config->backoff_ms = backoff < 0.001 ? 1 : (unsigned)(backoff * 1000);
}

/* A whole name says all that the filters could. */
static int check_words(const struct cda_releases_run *run, struct cda_err *err)
{
	const struct cda_releases_opts *o = &run->opts;
	const char *filter = o->product   ? "product"
			     : o->python  ? "python"
			     : o->conda   ? "conda"
			     : o->release ? "release"
			     : o->arch    ? "arch"
					  : NULL;

	if (run->words.n == 0 || !filter)
		return 0;
	cda_err_set(err, CDA_E_USAGE, "--%s and the whole name '%s' do not go together", filter,
		    run->words.v[0]);
	return cda_err_hint(err, "give the name alone, or the filters alone");
}

int cda_releases_open(struct cda_releases_run *run, const struct cda_command *command, int argc,
		      char *const *argv, bool arch, struct cda_err *err)
{
	struct cda_releases_opts *opts = &run->opts;
	struct cda_archive_config config = {.events = {on_event, run}};
	struct utsname machine;
	int rc;

	opts->retries = -1;
	rc = cda_option_parse(command, argc, argv, opts, &run->words, err);
	if (rc == 0)
		rc = check_words(run, err);
	if (rc == 0)
		rc = cda_request_init(opts->product, opts->python, opts->conda, opts->release,
				      opts->arch, &run->want.request, err);
	if (rc == 0)
		rc = cda_mirrors_init(&opts->mirrors, getenv("CONDA_MIRRORS"), &run->mirrors, err);
	if (rc < 0)
		return rc;
	if (arch && !opts->arch && uname(&machine) == 0)
		run->want.request.arch = cda_release_arch_find(machine.machine);
	run->want.fn = run->words.n > 0 ? run->words.v[0] : NULL;
	run->want.sha256 = opts->sha256;
	run->want.trust_listing = opts->trust_listing;
	run->want.newest = opts->newest;
	run->cache = cache_folder(opts);
	config.mirrors = &run->mirrors.urls;
	config.cache = run->cache;
	config.cache_is_default = !opts->cache && !getenv("CONDENSE_CACHE");
	config.offline = opts->offline;
	set_limits(opts, &config);
	return cda_archive_new(&config, &run->archive, err);
}

void cda_releases_done_run(struct cda_releases_run *run)
{
	if (run->drawn)
		fputs("\r\033[K", stderr);
	cda_archive_free(run->archive);
	cda_mirrors_done(&run->mirrors);
	cda_strv_done(&run->opts.mirrors);
	cda_strv_done(&run->words);
	free(run->cache);
}

static void date_of(const struct cda_release *release, char ret_date[16])
{
	time_t when = release->mtime;
	struct tm tm;

	ret_date[0] = '\0';
	/* a file may have a time that no calendar has; too long a date leaves anything behind */
	if (when <= 0 || !gmtime_r(&when, &tm) || strftime(ret_date, 16, "%Y-%m-%d", &tm) == 0)
		ret_date[0] = '\0';
}

static const char *trust_of(const struct cda_release *release)
{
	return release->pinned ? "pinned" : release->sha256[0] ? "listed" : "unknown";
}

void cda_releases_json(const struct cda_release *release, struct cda_buf *out)
{
	char text[CDA_RELEASE_NAME_MAX], date[16];

	cda_release_name_format(&release->name, text);
	cda_buf_addf(out, "\"name\": \"%s\", \"product\": \"%s\", ", text,
		     cda_product_name(release->name.product));
	cda_release_python_format(&release->name, text);
	cda_buf_addf(out, text[0] ? "\"python\": \"%s\", " : "\"python\": null, ", text);
	cda_release_format(&release->name, text);
	cda_buf_addf(out, "\"conda\": \"%s\", \"release\": \"%s\", \"arch\": \"%s\", ",
		     release->name.version, text, release->name.arch);
	cda_buf_addf(out, release->sha256[0] ? "\"sha256\": \"%s\", " : "\"sha256\": null, ",
		     release->sha256);
	if (release->size > 0)
		cda_buf_addf(out, "\"size\": %ju, ", (uintmax_t)release->size);
	else
		cda_buf_adds(out, "\"size\": null, ");
	date_of(release, date);
	cda_buf_addf(out, date[0] ? "\"date\": \"%s\", " : "\"date\": null, ", date);
	cda_buf_addf(out, "\"pinned\": %s", release->pinned ? "true" : "false");
}

static void print_line(const struct cda_release *release)
{
	char name[CDA_RELEASE_NAME_MAX], date[16], size[32] = "-";

	cda_release_name_format(&release->name, name);
	date_of(release, date);
	if (release->size > 0)
		snprintf(size, sizeof(size), "%ju", (uintmax_t)release->size);
	printf("%s\t%s\t%s\t%s\t%s\n", name, release->sha256[0] ? release->sha256 : "-", size,
	       date[0] ? date : "-", trust_of(release));
}

static void print_row(const struct cda_release *release)
{
	char python[CDA_RELEASE_NAME_MAX], version[CDA_RELEASE_NAME_MAX], date[16], size[32] = "";

	cda_release_python_format(&release->name, python);
	cda_release_format(&release->name, version);
	date_of(release, date);
	if (release->size > 0)
		snprintf(size, sizeof(size), "%.1f MB", (double)release->size / 1e6);
	printf("%-10s  %-6s  %-12s  %-7s  %9s  %-10s  %s\n",
	       cda_product_name(release->name.product), python, version, release->name.arch, size,
	       date, trust_of(release));
}

void cda_releases_print(const struct cda_releases_run *run, const struct cda_releases *list)
{
	bool tty = isatty(STDOUT_FILENO) == 1;

	if (run->opts.json) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

		cda_vec_each (release, list) {
			cda_buf_adds(&text, text.len ? ",\n  {" : "[\n  {");
			cda_releases_json(release, &text);
			cda_buf_addc(&text, '}');
		}
		puts(text.len ? text.p : "[");
		puts("]");
		return;
	}
	if (tty)
		printf("%-10s  %-6s  %-12s  %-7s  %9s  %-10s  %s\n", "product", "python", "release",
		       "arch", "size", "date", "sha256");
	cda_vec_each (release, list) {
		if (tty)
			print_row(release);
		else
			print_line(release);
	}
}

void cda_releases_print_one(const struct cda_releases_run *run, const struct cda_release *release,
			    const char *file)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (!run->opts.json) {
		if (file)
			puts(file);
		else
			print_line(release);
		return;
	}
	cda_buf_addc(&text, '{');
	cda_releases_json(release, &text);
	if (file) {
		cda_buf_adds(&text, ", \"file\": ");
		cda_json_quote(file, &text);
	}
	cda_buf_addc(&text, '}');
	puts(text.p);
}

static const struct cda_command *const subs[] = {
	&cda_releases_list,   &cda_releases_resolve, &cda_releases_fetch,
	&cda_releases_verify, &cda_releases_mirrors, NULL,
};

static const struct cda_option options[] = {OPTION_END()};

const struct cda_command cda_condense_releases = {"releases",
						  "list|resolve|fetch|verify|mirrors [OPTION...]",
						  "list, resolve, fetch and verify conda releases",
						  options,
						  0,
						  0,
						  NULL,
						  subs};
