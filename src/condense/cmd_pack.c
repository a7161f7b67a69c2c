#include "condense/cmds.h"
#include "condense/signals.h"
#include "image/groups.h"
#include "image/pack.h"
#include "image/sbom.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/workers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONFIG_MAX ((size_t)4 << 20)
#define EPOCH_MAX INT64_C(253402300799) /* the year 9999 */

struct opts {
	const char *format, *compress, *layers, *config, *entrypoint, *cmd, *user, *workdir, *arch;
	const char *revision, *base_name, *base_digest, *owner, *epoch, *sbom;
	struct cda_strv tags, env, volumes, labels;
	int64_t level, threads, max_layers;
	bool json, quiet, no_sbom;
};

static const struct cda_option options[] = {
	OPTION_STR("format", struct opts, format, "KIND", "oci (a tar), oci-dir or docker [oci]"),
	OPTION_STR("compress", struct opts, compress, "KIND", "gzip, zstd or none [gzip]"),
	OPTION_INT("level", struct opts, level, "N", "of gzip 1 to 9 [9], of zstd 1 to 22 [19]"),
	OPTION_STR("layers", struct opts, layers, "HOW",
		   "single, or groups: packages that change apart from each other [single]"),
	OPTION_INT("max-layers", struct opts, max_layers, "N", "of groups, 6 to 64 [12]"),
	OPTION_STR("epoch", struct opts, epoch, "SECONDS",
		   "the image's time: nothing in it is newer [SOURCE_DATE_EPOCH]"),
	OPTION_STR("owner", struct opts, owner, "UID:GID", "of all files [as they are]"),
	OPTION_LIST("tag", struct opts, tags, "NAME:TAG", "the image's name; repeat it"),
	OPTION_STR("config", struct opts, config, "FILE",
		   "start from this: 'docker image inspect', or an OCI configuration"),
	OPTION_STR("entrypoint", struct opts, entrypoint, "WORDS", "a JSON array, or one word"),
	OPTION_STR("cmd", struct opts, cmd, "WORDS", "a JSON array, or one word"),
	OPTION_LIST("env", struct opts, env, "NAME=VALUE", "repeat it"),
	OPTION_STR("user", struct opts, user, "USER", "user, uid, or either with :group"),
	OPTION_STR("workdir", struct opts, workdir, "PATH", "where commands start"),
	OPTION_LIST("volume", struct opts, volumes, "PATH", "repeat it"),
	OPTION_LIST("label", struct opts, labels, "NAME=VALUE", "repeat it"),
	OPTION_STR("arch", struct opts, arch, "ARCH", "amd64, arm64, ... [this machine's]"),
	OPTION_STR("revision", struct opts, revision, "ID", "of the sources, for the labels"),
	OPTION_STR("base-name", struct opts, base_name, "NAME", "of the base image, likewise"),
	OPTION_STR("base-digest", struct opts, base_digest, "DIGEST",
		   "of the base image, likewise"),
	OPTION_STR("sbom", struct opts, sbom, "FILE", "write the list of packages here too"),
	OPTION_BOOL("no-sbom", struct opts, no_sbom,
		    "leave it out of the image (/" CDA_SBOM_PATH ")"),
	OPTION_INT("threads", struct opts, threads, "N", "that pack [one per CPU]"),
	OPTION_BOOL("json", struct opts, json, "print the result as JSON"),
	OPTION_BOOL("quiet", struct opts, quiet, "print nothing"),
	OPTION_END(),
};

struct choice {
	const char *word;
	int value;
};

static int choose(const char *option, const char *word, const struct choice *choices, size_t n,
		  int *ret_value, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf list = CDA_BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (cda_streq(word, choices[i].word)) {
			*ret_value = choices[i].value;
			return 0;
		}
		cda_buf_addf(&list, "%s%s", i ? i + 1 < n ? ", " : " or " : "", choices[i].word);
	}
	return cda_err_set(err, CDA_E_USAGE, "--%s is %s, not '%s'", option, list.p, word);
}

/* The words of the options as numbers. */
static int read_choices(const struct opts *opts, struct cda_pack *pack, bool *ret_groups,
			struct cda_err *err)
{
	static const struct choice formats[] = {
		{"oci", CDA_OCI_TAR}, {"oci-dir", CDA_OCI_DIR}, {"docker", CDA_OCI_DOCKER}};
	static const struct choice kinds[] = {
		{"gzip", CDA_PACKER_GZIP}, {"zstd", CDA_PACKER_ZSTD}, {"none", CDA_PACKER_NONE}};
	static const struct choice layers[] = {{"single", 0}, {"groups", 1}};
	int format = 0, kind = 0, how = 0, max, rc;
	int64_t uid, gid;

	rc = choose("format", opts->format, formats, CDA_LEN(formats), &format, err);
	if (!rc)
		rc = choose("compress", opts->compress, kinds, CDA_LEN(kinds), &kind, err);
	if (!rc)
		rc = choose("layers", opts->layers, layers, CDA_LEN(layers), &how, err);
	if (rc)
		return rc;
	pack->format = (enum cda_oci_format)format;
	pack->kind = (enum cda_packer_kind)kind;
	*ret_groups = how == 1;
	max = pack->kind == CDA_PACKER_ZSTD ? 22 : 9;
	if (opts->level > max)
		return cda_err_set(err, CDA_E_USAGE, "--level goes from 1 to %d", max);
	pack->level = (int)opts->level;
	if (opts->max_layers < CDA_GROUPS_MIN || opts->max_layers > CDA_GROUPS_MAX)
		return cda_err_set(err, CDA_E_USAGE, "--max-layers goes from %d to %d",
				   CDA_GROUPS_MIN, CDA_GROUPS_MAX);
	if (opts->threads > 64)
		return cda_err_set(err, CDA_E_USAGE, "--threads goes from 1 to 64");
	pack->threads = opts->threads ? (unsigned)opts->threads : cda_workers_cpus();
	if (opts->owner) {
		const char *colon = strchr(opts->owner, ':');
		CDA_AUTOFREE char *first =
			cda_strndup(opts->owner, colon ? (size_t)(colon - opts->owner) : 0);

		if (!colon || !cda_parse_int(first, 0, UINT32_MAX - 1, &uid) ||
		    !cda_parse_int(colon + 1, 0, UINT32_MAX - 1, &gid))
			return cda_err_set(err, CDA_E_USAGE, "--owner wants UID:GID, not '%s'",
					   opts->owner);
		pack->fixed_owner = true;
		pack->uid = (uint32_t)uid;
		pack->gid = (uint32_t)gid;
	}
	return 0;
}

/* The option, the environment, or (at -1) what the tree says. */
static int read_epoch(const struct opts *opts, int64_t *ret_epoch, struct cda_err *err)
{
	const char *text = opts->epoch, *from = "--epoch";

	if (!text) {
		text = getenv("SOURCE_DATE_EPOCH");
		from = "SOURCE_DATE_EPOCH";
	}
	*ret_epoch = -1;
	if (!text || (!opts->epoch && !*text))
		return 0;
	if (!cda_parse_int(text, 0, EPOCH_MAX, ret_epoch))
		return cda_err_set(err, CDA_E_USAGE, "%s wants seconds since 1970, not '%s'", from,
				   text);
	return 0;
}

static int read_config(const struct opts *opts, struct cda_config *config, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc = 0;

	if (opts->config) {
		rc = cda_fs_read(AT_FDCWD, opts->config, CONFIG_MAX, &text, err);
		if (!rc)
			rc = cda_config_parse(config, text.p, text.len, opts->config, err);
	}
	if (!rc && opts->entrypoint)
		rc = cda_config_words(config, "Entrypoint", opts->entrypoint, err);
	if (!rc && opts->cmd)
		rc = cda_config_words(config, "Cmd", opts->cmd, err);
	for (size_t i = 0; !rc && i < opts->env.n; i++)
		rc = cda_config_env(config, opts->env.v[i], err);
	if (rc)
		return rc;
	if (opts->user)
		cda_config_text(config, "User", opts->user);
	if (opts->workdir && opts->workdir[0] != '/')
		return cda_err_set(err, CDA_E_USAGE, "--workdir wants an absolute path");
	if (opts->workdir)
		cda_config_text(config, "WorkingDir", opts->workdir);
	for (size_t i = 0; i < opts->volumes.n; i++) {
		if (opts->volumes.v[i][0] != '/')
			return cda_err_set(err, CDA_E_USAGE, "--volume wants an absolute path");
		cda_config_volume(config, opts->volumes.v[i]);
	}
	if (opts->arch)
		cda_replace(&config->arch, cda_strdup(opts->arch));
	return 0;
}

/* The labels of the options, and those that say where the image comes from. */
static int add_labels(const struct opts *opts, int64_t epoch, struct cda_config *config,
		      struct cda_err *err)
{
	const struct {
		const char *label, *value;
	} known[] = {{"org.opencontainers.image.revision", opts->revision},
		     {"org.opencontainers.image.base.name", opts->base_name},
		     {"org.opencontainers.image.base.digest", opts->base_digest}};
	char created[32];

	cda_config_time(epoch, created);
	cda_config_label(config, "org.opencontainers.image.created", created);
	for (size_t i = 0; i < CDA_LEN(known); i++)
		if (known[i].value && *known[i].value)
			cda_config_label(config, known[i].label, known[i].value);
	for (size_t i = 0; i < opts->labels.n; i++) {
		const char *equals = strchr(opts->labels.v[i], '=');

		if (!equals || equals == opts->labels.v[i])
			return cda_err_set(err, CDA_E_USAGE, "--label wants NAME=VALUE, not '%s'",
					   opts->labels.v[i]);
		CDA_AUTOFREE char *name =
			cda_strndup(opts->labels.v[i], (size_t)(equals - opts->labels.v[i]));

		cda_config_label(config, name, equals + 1);
	}
	return 0;
}

/* A folder, a tar archive, or "-" for one on stdin. */
static int read_tree(const char *root, struct cda_tree *tree, struct cda_err *err)
{
	CDA_AUTOCLOSE int fd = -1;
	struct stat st;

	if (cda_streq(root, "-"))
		return cda_tree_add_tar(tree, STDIN_FILENO, "-", 0, err);
	if (stat(root, &st) != 0)
		return cda_err_sys(err, errno, "cannot open '%s'", root);
	if (S_ISDIR(st.st_mode))
		return cda_tree_add_folder(tree, root, err);
	fd = open(root, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cda_err_sys(err, errno, "cannot open '%s'", root);
	return cda_tree_add_tar(tree, fd, root, 0, err);
}

static void on_event(void *ctx, const struct cda_event *event)
{
	struct timespec *last = ctx, now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (event->kind != CDA_EVENT_PROGRESS || !event->total)
		return;
	if (event->done < event->total && now.tv_sec - last->tv_sec < 1 &&
	    now.tv_nsec / 100000000 == last->tv_nsec / 100000000)
		return;
	*last = now;
	fprintf(stderr, "\rcondense: %s, %3.0f %%%s", event->text,
		100 * (double)event->done / (double)event->total,
		event->done == event->total ? "\n" : "");
}

static void print_json(const struct cda_pack *pack, const char *output,
		       const struct cda_pack_result *result)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *top = yyjson_mut_obj(doc), *layers = yyjson_mut_arr(doc);
	CDA_AUTOFREE char *digest = cda_asprintf("sha256:%s", result->manifest);
	CDA_AUTOFREE char *id = cda_asprintf("sha256:%s", result->config_id);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	for (size_t i = 0; i < result->layers.n; i++) {
		const struct cda_oci_layer *layer = &result->layers.v[i];
		yyjson_mut_val *item = yyjson_mut_obj(doc);
		CDA_AUTOFREE char *blob = cda_asprintf("sha256:%s", layer->packed.sha256);
		CDA_AUTOFREE char *diff = cda_asprintf("sha256:%s", layer->packed.raw_sha256);

		yyjson_mut_obj_add_str(doc, item, "name", layer->name);
		yyjson_mut_obj_add_strcpy(doc, item, "digest", blob);
		yyjson_mut_obj_add_strcpy(doc, item, "diff_id", diff);
		yyjson_mut_obj_add_uint(doc, item, "size", layer->packed.size);
		yyjson_mut_obj_add_uint(doc, item, "raw_size", layer->packed.raw_size);
		yyjson_mut_arr_append(layers, item);
	}
	yyjson_mut_obj_add_str(doc, top, "output", output);
	yyjson_mut_obj_add_str(doc, top, "digest", digest);
	yyjson_mut_obj_add_str(doc, top, "id", id);
	yyjson_mut_obj_add_sint(doc, top, "epoch", pack->epoch);
	yyjson_mut_obj_add_uint(doc, top, "entries", pack->tree->n);
	yyjson_mut_obj_add_uint(doc, top, "size", result->size);
	yyjson_mut_obj_add_uint(doc, top, "raw_size", result->raw_size);
	yyjson_mut_obj_add_val(doc, top, "layers", layers);
	cda_json_add_strv(doc, top, "tags", pack->tags);
	cda_json_format(top, 2, false, &text);
	puts(text.p);
}

static void print_text(const char *output, const struct cda_pack_result *result)
{
	for (size_t i = 0; result->layers.n > 1 && i < result->layers.n; i++) {
		const struct cda_oci_layer *layer = &result->layers.v[i];

		printf("%-16s %8.2f MB of %8.2f MB  sha256:%.12s\n", layer->name,
		       (double)layer->packed.size / 1e6, (double)layer->packed.raw_size / 1e6,
		       layer->packed.sha256);
	}
	printf("%s: %.2f MB of %.2f MB, sha256:%s\n", output, (double)result->size / 1e6,
	       (double)result->raw_size / 1e6, result->manifest);
}

/* What is packed, and what of it is released at the end. */
struct job {
	struct cda_tree *tree;
	struct cda_config *config;
	struct cda_strv tags, groups;
	unsigned char *group_of;
	struct cda_inventory inventory;
	struct cda_buf sbom; /* for --sbom: written when the image is */
	bool divided;        /* into groups */
	struct cda_pack pack;
};

static void job_done(struct job *job)
{
	cda_tree_free(job->tree);
	cda_config_free(job->config);
	cda_buf_done(&job->sbom);
	cda_strv_done(&job->tags);
	cda_strv_done(&job->groups);
	free(job->group_of);
	if (job->inventory.arena)
		cda_inventory_done(&job->inventory);
}

/* The list of packages, for the image and for the file. The inventory goes by places in the tree:
 * what is added has its place before. */
static int add_sbom(const struct opts *opts, struct job *job, struct cda_err *err)
{
	struct cda_tree *tree = job->tree;
	int64_t epoch = job->pack.epoch;
	const char *title = cda_config_get_label(job->config, "org.opencontainers.image.title");
	const char *name = job->tags.n ? job->tags.v[0] : title ? title : "image";
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc = 0;

	if (!opts->no_sbom)
		rc = cda_tree_add_text(tree, CDA_SBOM_PATH, "", 0, 0644, epoch, err);
	if (rc)
		return cda_err_hint(err, "'--no-sbom' leaves the list of packages out");
	cda_tree_sort(tree);
	if (!rc)
		rc = cda_inventory_read(tree, &job->inventory, err);
	if (!rc)
		rc = cda_sbom_write(tree, &job->inventory, name, epoch, &text, err);
	if (!rc && !opts->no_sbom) {
		rc = cda_tree_add_text(tree, CDA_SBOM_PATH, text.p, text.len, 0644, epoch, err);
		cda_tree_sort(tree);
	}
	if (!rc && opts->sbom)
		cda_buf_add(&job->sbom, text.p, text.len);
	return rc;
}

static int read_all(const struct opts *opts, const char *root, struct job *job, struct cda_err *err)
{
	int rc = read_choices(opts, &job->pack, &job->divided, err);

	if (!rc)
		rc = read_epoch(opts, &job->pack.epoch, err);
	for (size_t i = 0; !rc && i < opts->tags.n; i++) {
		char *tag = NULL;

		rc = cda_oci_check_tag(opts->tags.v[i], &tag, err);
		if (!rc)
			cda_strv_take(&job->tags, tag);
	}
	if (!rc)
		rc = read_config(opts, job->config, err);
	if (!rc)
		rc = read_tree(root, job->tree, err);
	if (rc)
		return rc;
	cda_tree_sort(job->tree);
	if (job->pack.epoch < 0)
		job->pack.epoch = cda_pack_newest(job->tree);
	rc = add_labels(opts, job->pack.epoch, job->config, err);
	return rc ? rc : add_sbom(opts, job, err);
}

static int pack_image(const struct opts *opts, const struct cda_strv *rest, struct cda_err *err)
{
	CDA_CLEANUP(job_done)
	struct job job = {.tree = cda_tree_new(NULL), .config = cda_config_new()};
	struct timespec last = {0};
	const struct cda_events events = {on_event, &last};
	struct cda_pack_result result = {0};
	int rc = read_all(opts, rest->v[0], &job, err);

	if (rc)
		return rc;
	job.pack.tree = job.tree;
	job.pack.config = job.config;
	job.pack.tags = &job.tags;
	job.pack.output = rest->v[1];
	if (!opts->quiet && isatty(STDERR_FILENO) == 1)
		job.pack.events = &events;
	if (job.divided) {
		cda_groups_divide(job.tree, &job.inventory, (size_t)opts->max_layers, &job.groups,
				  &job.group_of);
		job.pack.groups = &job.groups;
		job.pack.group_of = job.group_of;
	}
	rc = cda_pack_write(&job.pack, &result, err);
	if (!rc && opts->sbom)
		rc = cda_fs_output(opts->sbom, job.sbom.p, job.sbom.len, 0644, err);
	if (!rc && opts->json)
		print_json(&job.pack, rest->v[1], &result);
	else if (!rc && !opts->quiet)
		print_text(rest->v[1], &result);
	cda_pack_result_done(&result);
	return rc;
}

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct opts opts = {
		.format = "oci", .compress = "gzip", .layers = "single", .max_layers = 12};
	CDA_AUTOSTRV struct cda_strv rest = {0};
	int rc = cda_option_parse(&cda_condense_pack, argc, argv, &opts, &rest, err);

	cda_condense_catch_signals();
	if (!rc)
		rc = pack_image(&opts, &rest, err);
	cda_strv_done(&opts.tags);
	cda_strv_done(&opts.env);
	cda_strv_done(&opts.volumes);
	cda_strv_done(&opts.labels);
	return rc;
}

const struct cda_command cda_condense_pack = {
	"pack",
	"[OPTION...] (ROOT | ROOTFS.tar | -) OUTPUT",
	"make an image of a root file system, the same bytes for the same files",
	options,
	2,
	2,
	run};
