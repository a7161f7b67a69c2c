#include "image/pack.h"
#include "image/layer.h"
#include "util/alloc.h"
#include "util/workers.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct work {
	const struct cda_pack *pack;
	struct cda_oci_writer *writer;
	struct cda_oci_layers *layers;
	unsigned char **picked; /* per layer, per entry; NULL: all */
	pthread_mutex_t lock;
	uint64_t done, total;
};

static void on_progress(void *ctx, uint64_t bytes)
{
	struct work *work = ctx;

	pthread_mutex_lock(&work->lock);
	work->done += bytes;
	cda_emit_progress(work->pack->events, "packing", work->done, work->total);
	pthread_mutex_unlock(&work->lock);
}

static int write_layer(void *ctx, size_t i, struct cda_err *err)
{
	struct work *work = ctx;
	const struct cda_pack *pack = work->pack;
	struct cda_oci_layer *layer = &work->layers->v[i];
	CDA_AUTOCLOSE int fd = -1;
	const struct cda_layer_options options = {
		.epoch = pack->epoch,
		.own_time = pack->groups != NULL,
		.fixed_owner = pack->fixed_owner,
		.uid = pack->uid,
		.gid = pack->gid,
		.kind = pack->kind,
		.level = pack->level,
		/* one layer has all threads, many have one each */
		.threads = work->layers->n > 1 ? 1 : pack->threads,
		.progress = on_progress,
		.progress_ctx = work,
	};
	int rc = cda_oci_blob(work->writer, i, &fd, err);

	layer->kind = pack->kind;
	if (!rc)
		rc = cda_layer_write(pack->tree, work->picked ? work->picked[i] : NULL, &options,
				     fd, &layer->packed, err);
	if (!rc && close(cda_take_fd(fd)) != 0)
		rc = cda_err_sys(err, errno, "cannot write a layer");
	return rc ? rc : cda_oci_layer(work->writer, i, &layer->packed, err);
}

/* One layer per group that has an entry. Hard links go where their first name goes. */
static void divide(struct work *work)
{
	const struct cda_pack *pack = work->pack;

	work->picked = cda_alloc0(pack->groups->n + 1, sizeof(*work->picked));
	for (size_t group = 0; group < pack->groups->n; group++) {
		unsigned char *picked = cda_alloc0(pack->tree->n + 1, 1);
		size_t count = 0;

		for (size_t i = 0; i < pack->tree->n; i++) {
			const struct cda_tree_entry *entry = pack->tree->v[i];

			picked[i] = pack->group_of[entry->first ? entry->first->index : i] == group;
			count += picked[i];
		}
		if (!count) {
			free(picked);
			continue;
		}
		work->picked[work->layers->n] = picked;
		cda_oci_layers_push(
			work->layers,
			(struct cda_oci_layer){.name = cda_strdup(pack->groups->v[group])});
	}
}

int cda_pack_write(const struct cda_pack *pack, struct cda_pack_result *ret_result,
		   struct cda_err *err)
{
	CDA_CLEANUP(cda_oci_freep) struct cda_oci_writer *writer = NULL;
	struct cda_pack_result result = {0};
	struct work work = {.pack = pack, .layers = &result.layers};
	struct cda_oci_image image = {
		pack->config, &result.layers, pack->tags, pack->epoch, "", ""};
	int rc = cda_oci_begin(pack->output, pack->format, &writer, err);

	if (rc)
		return rc;
	pthread_mutex_init(&work.lock, NULL);
	work.writer = writer;
	if (pack->groups)
		divide(&work);
	else
		cda_oci_layers_push(&result.layers,
				    (struct cda_oci_layer){.name = cda_strdup("all")});
	for (size_t i = 0; i < pack->tree->n; i++)
		if (!pack->tree->v[i]->first)
			work.total += pack->tree->v[i]->inode->size;
	rc = cda_workers_run(result.layers.n, pack->threads, write_layer, &work, err);
	if (!rc)
		rc = cda_oci_end(writer, &image, err);
	for (size_t i = 0; work.picked && i < result.layers.n; i++)
		free(work.picked[i]);
	free(work.picked);
	pthread_mutex_destroy(&work.lock);
	if (rc) {
		cda_pack_result_done(&result);
		return rc;
	}
	memcpy(result.manifest, image.manifest, sizeof(result.manifest));
	memcpy(result.config_id, image.config_id, sizeof(result.config_id));
	for (size_t i = 0; i < result.layers.n; i++) {
		result.size += result.layers.v[i].packed.size;
		result.raw_size += result.layers.v[i].packed.raw_size;
	}
	*ret_result = result;
	return 0;
}

void cda_pack_result_done(struct cda_pack_result *result)
{
	for (size_t i = 0; i < result->layers.n; i++)
		free(result->layers.v[i].name);
	cda_oci_layers_done(&result->layers);
}

int64_t cda_pack_newest(const struct cda_tree *tree)
{
	int64_t newest = 0;

	for (size_t i = 0; i < tree->n; i++)
		if (tree->v[i]->inode->mtime > newest)
			newest = tree->v[i]->inode->mtime;
	return newest;
}
