#include "run_cli.h"

#include "../unit/server.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/str.h"
#include "util/url.h"

/* The sequence of commands is kept in sections, each in a fresh home. The first row whose patterns
 * have the id counts; an id of no row stays where it is. */
static const struct {
	const char *name, *patterns;
} sections[] = {
	{"@config", "config-*|list-yaml-bad"},
	{"@files", "create-file-*|env-create*|env-update*|env-export-vars*|env-remove*|env-vars*"},
	{"@look", "list-*|env-*|info*|version*|search-*"},
	{"@http", "http-*"},
	{"@fetch", "fetch-*|explicit-*"},
	{"@unwritable", "notwritable-*"},
	{"@error", "err-*"},
	{"@change", "create-*|install-*|update-*|remove-*|clone*|rename*|compare*|clean*"},
};

#define CONDARC                                                                                    \
	"default_channels: []\nchannels:\n  - <CHANNEL>\nnumber_channel_notices: 0\n"              \
	"add_pip_as_python_dependency: false\naggressive_update_packages: []\n"
#define LISTED "channels:\n  - conda-forge\n  - bioconda\n  - defaults\n  - last\n  - first\n"
#define STRICT LISTED "always_yes: true\nchannel_priority: strict\n"
#define EXPLICIT "@EXPLICIT\n<HTTP>/good/linux-64/upgr-1.0-0.conda#"
#define BROKEN "channels: [a\nb: }\n"
#define DEPENDS "dependencies:\n  - "

enum what {
	FRESH, /* an empty home with a condarc */
	BARE,  /* the same without a condarc */
	WRITE, /* a file: path, text */
	RUN,   /* conda with these words */
	INPUT  /* stdin of the vector's command */
};

/* Steps that the vectors do not show, before the vector or the section of that name. */
static const struct step {
	const char *before;
	enum what what;
	const char *a, *b;
} steps[] = {
	{"@look", FRESH, NULL, NULL},
	{"@look", RUN, "create -yq -n demo noarch-generic prefix-text upgr=1.0", NULL},
	{"@look", RUN, "install -yq -n demo act", NULL},
	{"@look", RUN, "create -yq -n http --override-channels -c <HTTP>/good upgr", NULL},
	{"@look", RUN, "create -yq -n empty", NULL},

	{"@change", FRESH, NULL, NULL},
	{"install-decline", RUN, "install -yq -n t1 act", NULL},
	{"install-decline", RUN, "remove -yq -n t1 act", NULL},
	{"install-decline", INPUT, "n\n", NULL},
	{"install-eof", INPUT, "", NULL},
	{"install-bad-answer", INPUT, "perhaps\nn\n", NULL},
	{"remove-text", RUN, "install -yq -n t1 act", NULL},
	{"remove-json", RUN, "update -yq -n t1 upgr", NULL},

	{"@files", FRESH, NULL, NULL},
	{"@files", WRITE, "<HOME>/specs.txt", "# what is wanted\nact\nupgr>=1.0\n"},
	{"@files", WRITE, "<HOME>/environment.yml",
	 "name: fromfile\nchannels:\n  - <CHANNEL>\ndependencies:\n  - upgr=1.0\n"
	 "  - noarch-generic\nvariables:\n  FROMFILE: 1\n"},
	{"@files", WRITE, "<HOME>/environment2.yml",
	 "name: fromfile\nchannels:\n  - <CHANNEL>\ndependencies:\n  - upgr=1.0\n"},
	{"@files", WRITE, "<HOME>/noname.yml", DEPENDS "upgr\n"},
	{"@files", WRITE, "<HOME>/badkey.yml", "name: badkey\nfoo: 1\n" DEPENDS "upgr\n"},
	{"@files", WRITE, "<HOME>/emptyfile.yml", ""},
	{"@files", WRITE, "<HOME>/missingpkg.yml", "name: missingpkg\n" DEPENDS "nosuch\n"},
	{"@files", WRITE, "<HOME>/badspec.yml", "name: badspec\n" DEPENDS "upgr >=1..0\n"},
	{"@files", WRITE, "<HOME>/prefixkey.yml",
	 "name: prefixkey\nprefix: <HOME>/elsewhere\n" DEPENDS "upgr\n"},
	{"@files", WRITE, "<HOME>/pip-without-python.yml",
	 "name: pipless\n" DEPENDS "upgr\n  - pip:\n    - something\n"},
	{"env-export-vars", RUN, "env create --force -q -f <HOME>/environment.yml", NULL},
	{"env-update-prune", RUN, "env create --force -q -f <HOME>/environment.yml", NULL},
	{"env-vars-set", RUN, "create -yq -n v", NULL},

	{"@config", BARE, NULL, NULL},
	{"config-append-channel", WRITE, "<HOME>/.condarc",
	 "channels:\n  - bioconda\n  - conda-forge\n  - defaults\n"},
	{"config-set-bool", WRITE, "<HOME>/.condarc", LISTED},
	{"config-set-map", WRITE, "<HOME>/.condarc", STRICT},
	{"config-get-all", WRITE, "<HOME>/.condarc",
	 STRICT "proxy_servers:\n  http: http://u:p@127.0.0.1:1\nremote_max_retries: 5\n"},
	{"config-merge-sources", BARE, NULL, NULL},
	{"config-merge-sources", WRITE, "<HOME>/.config/conda/condarc.d/x.yml",
	 "channels:\n  - c\n"},
	{"config-merge-sources", WRITE, "<HOME>/.conda/condarc",
	 "channels:\n  - b\nalways_yes: true\n"},
	{"config-merge-sources", WRITE, "<HOME>/.condarc",
	 "channel_priority: strict\nchannels:\n  - a\n"},
	{"config-merge-condarc", WRITE, "<HOME>/extra.rc", BROKEN},
	{"config-flags-sources", BARE, NULL, NULL},
	{"config-flags-sources", WRITE, "<HOME>/.config/conda/.condarc",
	 "channels:\n  - x\nalways_yes: false\n"},
	{"config-flags-sources", WRITE, "<HOME>/.condarc",
	 "channels:\n  - b\n  - a\n  - z\nalways_yes: true\n"},
	{"config-yaml-bad", BARE, NULL, NULL},
	{"config-yaml-bad", WRITE, "<HOME>/.condarc", BROKEN},
	{"list-yaml-bad", WRITE, "<HOME>/.condarc", BROKEN},
	{"config-values-bad-validate", WRITE, "<HOME>/.condarc", "always_yes: perhaps\n"},
	{"config-channels-string", WRITE, "<HOME>/.condarc", "channels: conda-forge\n"},

	{"@error", FRESH, NULL, NULL},
	{"@error", RUN, "create -yq -n e", NULL},
	{"err-create-nonempty-dir", WRITE, "<HOME>/stuff/precious.txt", "precious"},
	{"err-remove-conda-base", WRITE, "<ROOT>/conda-meta/conda-23.5.2-0.json",
	 "{\"build\": \"0\", \"build_number\": 0, \"channel\": \"<CHANNEL>\", \"depends\": [], "
	 "\"files\": [], \"fn\": \"conda-23.5.2-0.conda\", \"name\": \"conda\", "
	 "\"subdir\": \"linux-64\", \"url\": \"<CHANNEL>/linux-64/conda-23.5.2-0.conda\", "
	 "\"version\": \"23.5.2\"}"},

	{"@fetch", FRESH, NULL, NULL},
	{"explicit-http-md5-ok", FRESH, NULL, NULL},
	{"explicit-http-md5-ok", WRITE, "<HOME>/ex.txt",
	 EXPLICIT "2386dbcef9271763a642c1246a7ee00c\n"},
	{"explicit-http-md5-wrong", FRESH, NULL, NULL},
	{"explicit-http-md5-wrong", WRITE, "<HOME>/ex.txt",
	 EXPLICIT "00000000000000000000000000000000\n"},

	{"@http", FRESH, NULL, NULL},

	{"@unwritable", FRESH, NULL, NULL},
	{"@unwritable", RUN, "create -yq -n ro upgr=1.0", NULL},
};

/* Channels over HTTP: folders of links to the files of `from`, but for what a row says. */
static const struct fault {
	const char *name, *from, *subdirs;
	const char *key, *text; /* a member of the newest upgr in the index; NULL: it goes */
	int64_t number;         /* instead of text when it is not 0 */
	const char *also_drop;
} faults[] = {
	{"badsha", "channel", "linux-64|noarch", "sha256",
	 "0000000000000000000000000000000000000000000000000000000000000000", 0, NULL},
	{"badmd5", "channel", "linux-64|noarch", "md5", "00000000000000000000000000000000", 0,
	 "sha256"},
	{"badsize", "channel", "linux-64|noarch", "size", NULL, 7, NULL},
	{"truncated", "channel", "linux-64|noarch", NULL, NULL, 0, NULL},
	{"missingfile", "channel", "linux-64|noarch", NULL, NULL, 0, NULL},
	{"badjson", "channel", "linux-64|noarch", NULL, NULL, 0, NULL},
	{"onlynoarch", "channel", "noarch", NULL, NULL, 0, NULL},
	{"onlylinux", "channel", "linux-64", NULL, NULL, 0, NULL},
};

/* A scratch folder that cannot be filled ends the run: nothing after it would mean anything. */
static void must(int rc, struct cda_err *err)
{
	if (rc >= 0)
		return;
	printf("scratch folder: %s\n", err->msg);
	exit(2);
}

static void put(const char *path, const void *text, size_t len)
{
	struct cda_err err = {0};

	must(cda_fs_mkparents(AT_FDCWD, path, 0777, &err), &err);
	must(cda_fs_remove(AT_FDCWD, path, &err), &err);
	must(cda_fs_replace(AT_FDCWD, path, text, len, 0666, false, &err), &err);
}

static char *exchange(const struct world *world, const char *text, bool to_real)
{
	const struct tally_place places[] = {
		{"<CHANNEL>", world->channel},  {"<CHANNELS>", world->channels},
		{"<HTTP>", world->server->url}, {"<HOME>", world->home},
		{"<NOBODY>", world->nobody},    {"<ROOT>", world->root}};

	return tally_exchange(text, places, CDA_LEN(places), to_real);
}

char *world_real(const struct world *world, const char *text)
{
	return exchange(world, text, true);
}

char *world_general(const struct world *world, const char *text)
{
	return exchange(world, text, false);
}

static void change_index(const char *path, const struct fault *fault)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOJSONMUT yyjson_mut_doc *copy = NULL;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};
	yyjson_mut_val *record;

	must(cda_json_read(AT_FDCWD, path, 1 << 24, &doc, &err), &err);
	copy = yyjson_doc_mut_copy(doc, NULL);
	record = yyjson_mut_obj_get(
		yyjson_mut_obj_get(yyjson_mut_doc_get_root(copy), "packages.conda"),
		"upgr-2.0-0.conda");
	if (!record)
		return;
	if (fault->also_drop)
		yyjson_mut_obj_remove_key(record, fault->also_drop);
	yyjson_mut_obj_remove_key(record, fault->key);
	if (fault->number)
		yyjson_mut_obj_add_int(copy, record, fault->key, fault->number);
	else
		yyjson_mut_obj_add_str(copy, record, fault->key, fault->text);
	cda_json_format(yyjson_mut_doc_get_root(copy), 2, true, &text);
	put(path, text.p, text.len);
}

static void make_subdir(const char *from, const char *to, const struct fault *fault)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_err err = {0};

	must(cda_fs_mkdirs(AT_FDCWD, to, 0777, &err), &err);
	must(cda_fs_list(AT_FDCWD, from, &names, &err), &err);
	for (size_t i = 0; i < names.n; i++) {
		CDA_AUTOFREE char *src = cda_path_join(from, names.v[i]);
		CDA_AUTOFREE char *dst = cda_path_join(to, names.v[i]);
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		bool index = strstr(names.v[i], "repodata") != NULL;
		bool newest = strcmp(names.v[i], "upgr-2.0-0.conda") == 0;

		if (index && !cda_ends_with(names.v[i], ".json"))
			continue;
		if (newest && strcmp(fault->name, "missingfile") == 0)
			continue;
		must(cda_fs_read(AT_FDCWD, src, 1 << 24, &text, &err), &err);
		if (newest && strcmp(fault->name, "truncated") == 0)
			cda_buf_cut(&text, text.len / 2);
		if (index && strcmp(fault->name, "badjson") == 0)
			cda_buf_cut(&text, 14);
		put(dst, text.p, text.len);
		if (index && fault->key)
			change_index(dst, fault);
	}
}

static void link_to(const char *target, const char *www, const char *name)
{
	CDA_AUTOFREE char *path = cda_path_join(www, name);

	if (symlink(target, path) != 0) {
		perror(path);
		exit(2);
	}
}

static void make_www(struct world *world, const char *folder)
{
	CDA_AUTOFREE char *www = cda_path_join(world->top, "www");
	CDA_AUTOFREE char *good = cda_path_join(world->top, "channel");
	CDA_AUTOFREE char *small = cda_path_join(folder, "channels/hm-small");
	CDA_AUTOFREE char *large = cda_path_join(folder, "channels/hm-main");
	struct cda_err err = {0};

	must(cda_fs_mkdirs(AT_FDCWD, www, 0777, &err), &err);
	link_to(good, www, "good");
	link_to(small, www, "small");
	link_to(large, www, "main");
	for (size_t i = 0; i < CDA_LEN(faults); i++) {
		CDA_AUTOSTRV struct cda_strv subdirs = {0};

		cda_strv_split(&subdirs, faults[i].subdirs, "|");
		for (size_t k = 0; k < subdirs.n; k++) {
			CDA_AUTOFREE char *from = cda_path_join(good, subdirs.v[k]);
			CDA_AUTOFREE char *to =
				cda_asprintf("%s/%s/%s", www, faults[i].name, subdirs.v[k]);

			make_subdir(from, to, &faults[i]);
		}
	}
	world->server = cda_new0(struct server);
	server_start(world->server, www, false);
	server_rule(world->server, "/forbidden/* status 403");
	server_rule(world->server, "/needauth/* status 401");
	server_rule(world->server, "/boom/* status 500");
}

static void copy_channel(const char *from, const char *to)
{
	static const char *const subdirs[] = {"linux-64", "noarch"};
	static const struct fault none = {.name = "good"};

	for (size_t i = 0; i < CDA_LEN(subdirs); i++) {
		CDA_AUTOFREE char *src = cda_path_join(from, subdirs[i]);
		CDA_AUTOFREE char *dst = cda_path_join(to, subdirs[i]);

		make_subdir(src, dst, &none);
	}
}

/* Beside the runner, or what CONDA names. */
static char *find_conda(void)
{
	const char *given = getenv("CONDA");
	CDA_AUTOFREE char *self = cda_fs_readlink(AT_FDCWD, "/proc/self/exe");
	CDA_AUTOFREE char *dir = self ? cda_path_dirname(self) : NULL, *path = NULL;

	if (given && *given)
		return realpath(given, NULL);
	path = cda_asprintf("%s/../../conda", dir ? dir : ".");
	return realpath(path, NULL);
}

int world_open(const struct tally *tally, struct world *world)
{
	CDA_AUTOFREE char *folder = realpath(tally->folder, NULL), *conda = find_conda();
	CDA_AUTOFREE char *history = NULL, *from = NULL, *to = NULL, *channels = NULL;
	CDA_AUTOFREE char *channel = NULL;
	struct cda_err err = {0};
	struct stat st;

	*world = (struct world){.tally = tally};
	if (!folder || !conda) {
		printf("no %s\n", folder ? "built conda: set CONDA" : tally->folder);
		return -1;
	}
	from = cda_path_join(folder, "layout/channel");
	channels = cda_path_join(folder, "channels");
	if (stat(from, &st) != 0 || stat(channels, &st) != 0) {
		printf("no layout/channel or no channels beside the vectors\n");
		return -1;
	}
	if (cda_fs_tempdir("/tmp", "commands", &world->top, &err) < 0) {
		printf("%s\n", err.msg);
		cda_err_done(&err);
		return -1;
	}
	/* Vectors of another user must get at it, wherever the build tree is. */
	chmod(world->top, 0755);
	world->root = cda_path_join(world->top, "root");
	world->home = cda_path_join(world->top, "home");
	world->nobody = cda_path_join(world->top, "nobody");
	world->program = cda_path_join(world->root, "bin/conda");
	channel = cda_path_join(world->top, "channel");
	copy_channel(from, channel);
	world->channel = cda_url_from_path(channel);
	world->channels = cda_url_from_path(channels);
	make_www(world, folder);
	history = cda_path_join(world->root, "conda-meta/history");
	put(history, "", 0);
	must(cda_fs_mkdirs(AT_FDCWD, world->nobody, 0755, &err), &err);
	if (geteuid() == 0 && chown(world->nobody, 65534, 65534) != 0)
		perror(world->nobody);
	must(cda_fs_mkparents(AT_FDCWD, world->program, 0755, &err), &err);
	must(cda_fs_place(AT_FDCWD, conda, AT_FDCWD, world->program, CDA_FS_COPY, NULL, &err),
	     &err);
	chmod(world->program, 0755);
	return 0;
}

void world_close(struct world *world)
{
	struct cda_err err = {0};

	if (world->server)
		server_stop(world->server);
	free(world->server);
	if (world->top && cda_fs_remove(AT_FDCWD, world->top, &err) < 0)
		cda_err_done(&err);
	free(world->top);
	free(world->root);
	free(world->home);
	free(world->nobody);
	free(world->channel);
	free(world->channels);
	free(world->program);
}

void outcome_done(struct outcome *outcome)
{
	cda_buf_done(&outcome->out);
	cda_buf_done(&outcome->errout);
}

static void add_env(const struct world *world, yyjson_val *extra_env, struct cda_strv *env)
{
	static const char *const settings[] = {"PATH=/usr/bin:/bin",
					       "HOME=<HOME>",
					       "CONDA_ROOT=<ROOT>",
					       "CONDA_ENVS_PATH=<HOME>/envs",
					       "CONDA_PKGS_DIRS=<HOME>/pkgs",
					       "CONDA_NOTIFY_OUTDATED_CONDA=false",
					       "CONDA_REMOTE_CONNECT_TIMEOUT_SECS=2",
					       "CONDA_REMOTE_MAX_RETRIES=0",
					       "CONDA_REPORT_ERRORS=false"};
	yyjson_val *key, *val;
	size_t i, n;

	for (size_t k = 0; k < CDA_LEN(settings); k++) {
		size_t len = strcspn(settings[k], "=");
		CDA_AUTOFREE char *name = cda_strndup(settings[k], len);

		if (!yyjson_obj_get(extra_env, name))
			cda_strv_take(env, world_real(world, settings[k]));
	}
	if (!extra_env)
		return;
	yyjson_obj_foreach (extra_env, i, n, key, val) {
		CDA_AUTOFREE char *value = world_real(world, yyjson_get_str(val));

		cda_strv_pushf(env, "%s=%s", yyjson_get_str(key), value);
	}
}

void world_run(struct world *world, const struct cda_strv *words, yyjson_val *extra_env, int uid,
	       struct outcome *ret)
{
	CDA_AUTOSTRV struct cda_strv argv = {0}, env = {0};
	struct cda_proc proc = {.cwd = world->home};
	struct cda_err err = {0};

	*ret = (struct outcome){.status = -1, .out = CDA_BUF_INIT, .errout = CDA_BUF_INIT};
	if (uid > 0) {
		cda_strv_push(&argv, "setpriv");
		cda_strv_pushf(&argv, "--reuid=%d", uid);
		cda_strv_pushf(&argv, "--regid=%d", uid);
		cda_strv_push(&argv, "--clear-groups");
		cda_strv_push(&argv, "--");
	}
	cda_strv_push(&argv, world->program);
	for (size_t i = 0; i < words->n; i++)
		cda_strv_take(&argv, world_real(world, words->v[i]));
	add_env(world, extra_env, &env);
	proc.argv = (const char *const *)cda_strv_argv(&argv);
	proc.env = (const char *const *)cda_strv_argv(&env);
	proc.in = world->input;
	proc.in_len = world->input ? strlen(world->input) : 0;
	proc.out = &ret->out;
	proc.errout = &ret->errout;
	if (cda_proc_run(&proc, &ret->status, &err) < 0) {
		cda_buf_adds(&ret->errout, err.msg);
		cda_err_done(&err);
	}
}

static void run_step(struct world *world, const struct step *step)
{
	CDA_AUTOSTRV struct cda_strv words = {0};
	CDA_AUTOFREE char *path = NULL, *text = NULL;
	struct cda_err err = {0};
	struct outcome outcome;

	switch (step->what) {
	case FRESH:
	case BARE:
		must(cda_fs_remove(AT_FDCWD, world->home, &err), &err);
		must(cda_fs_mkdirs(AT_FDCWD, world->home, 0755, &err), &err);
		if (step->what == BARE)
			return;
		path = cda_path_join(world->home, ".condarc");
		text = world_real(world, CONDARC);
		put(path, text, strlen(text));
		return;
	case WRITE:
		path = world_real(world, step->a);
		text = world_real(world, step->b);
		put(path, text, strlen(text));
		return;
	case RUN:
		cda_strv_split(&words, step->a, " ");
		world_run(world, &words, NULL, 0, &outcome);
		if (outcome.status != 0)
			printf("before %s: conda %s: status %d\n%s%s", step->before, step->a,
			       outcome.status, outcome.out.p, outcome.errout.p);
		outcome_done(&outcome);
		return;
	case INPUT:
		world->input = step->a;
		return;
	}
}

static const char *section_of(const char *id)
{
	for (size_t i = 0; i < CDA_LEN(sections); i++) {
		CDA_AUTOSTRV struct cda_strv patterns = {0};

		cda_strv_split(&patterns, sections[i].patterns, "|");
		for (size_t k = 0; k < patterns.n; k++)
			if (cda_glob_match(patterns.v[k], id))
				return sections[i].name;
	}
	return NULL;
}

static void run_steps(struct world *world, const char *before)
{
	for (size_t i = 0; i < CDA_LEN(steps); i++)
		if (strcmp(steps[i].before, before) == 0)
			run_step(world, &steps[i]);
}

void world_prepare(struct world *world, const char *id)
{
	const char *section = section_of(id);
	CDA_AUTOFREE char *log = NULL;

	world->input = NULL;
	/* A file that begins with an id of no section gets the home of the first one. */
	if (!section && !world->section)
		section = "@look";
	if (section && !cda_streq(section, world->section)) {
		world->section = section;
		run_steps(world, section);
	}
	run_steps(world, id);
	log = server_log(world->server);
	world->log_from = strlen(log);
}

char *world_requests(const struct world *world)
{
	CDA_AUTOFREE char *log = server_log(world->server);

	return cda_strdup(log + world->log_from);
}
