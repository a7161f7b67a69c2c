#include "index/index.h"
#include "index/parse.h"
#include "util/str.h"
#include "util/url.h"
#include "util/workers.h"

#include <string.h>

struct cda_index *cda_index_new(void)
{
	struct cda_index *index = cda_new0(struct cda_index);

	index->arena = cda_arena_new();
	index->names = cda_map_new();
	return index;
}

struct cda_index *cda_index_free(struct cda_index *index)
{
	size_t at = 0;
	void *list;

	if (!index)
		return NULL;
	while (cda_map_next(index->names, &at, NULL, &list)) {
		cda_records_done(list);
		free(list);
	}
	cda_map_free(index->names);
	cda_records_done(&index->records);
	cda_vec_each (load, &index->texts) {
		cda_arena_free(load->arena);
		cda_buf_done(&load->text);
	}
	cda_index_texts_done(&index->texts);
	cda_arena_free(index->arena);
	free(index);
	return NULL;
}

/* Files are sorted by name: most records go to the list of the one before. */
struct adder {
	struct cda_index *index;
	const char *name;
	struct cda_records *list;
};

static void add(struct adder *adder, const struct cda_record *record)
{
	if (!adder->name || strcmp(adder->name, record->name) != 0) {
		adder->name = record->name;
		adder->list = cda_map_get(adder->index->names, record->name);
		if (!adder->list) {
			adder->list = cda_new0(struct cda_records);
			cda_map_set(adder->index->names, record->name, adder->list);
		}
	}
	cda_records_push(adder->list, record);
	cda_records_push(&adder->index->records, record);
}

/* One URL's text to records, on a thread of its own. */
struct parse_job {
	struct cda_arena *arena;
	struct cda_records records;
	struct cda_repodata_counts counts;
	int rc;
	struct cda_err err;
};

struct load {
	const struct cda_channel_urls *urls;
	const struct cda_index_options *options;
	struct cda_repodata *repodata;
	struct parse_job *jobs;
};

static void load_done(struct load *load)
{
	for (size_t i = 0; i < load->urls->n; i++) {
		cda_repodata_done(&load->repodata[i]);
		cda_arena_free(load->jobs[i].arena);
		cda_records_done(&load->jobs[i].records);
		cda_err_done(&load->jobs[i].err);
	}
	free(load->repodata);
	free(load->jobs);
}

static void parse(struct load *load, size_t i)
{
	const struct cda_channel_url *url = &load->urls->v[i];
	struct parse_job *job = &load->jobs[i];
	struct cda_buf *text = &load->repodata[i].text;
	const struct cda_repodata_source source = {
		.url = url->url,
		.base_url = url->base_url,
		.channel_name = url->name,
		.subdir = url->subdir,
		.priority = url->priority,
		.use_only_tar_bz2 = load->options->use_only_tar_bz2,
	};

	job->arena = cda_arena_new();
	if (!load->repodata[i].missing)
		job->rc = cda_repodata_parse(text->p, text->len, &source, job->arena, &job->records,
					     &job->counts, &job->err);
}

static int parse_job(void *ctx, size_t i, struct cda_err *err)
{
	(void)err; /* one URL's failure may be cured, and must not stop the others */
	parse(ctx, i);
	return 0;
}

/* A copy that was garbled in the cache is fetched once more. What a server sends wrong is an
 * error, and is not kept to be trusted the next time. */
static int cure(struct load *load, size_t i, struct cda_err *err)
{
	struct cda_channel_urls one = {&load->urls->v[i], 1, 1};
	struct parse_job *job = &load->jobs[i];
	bool from_cache = load->repodata[i].from_cache;
	CDA_AUTOFREE char *safe = cda_url_safe(one.v->url);
	int rc;

	if (!cda_starts_with(one.v->url, "file:"))
		cda_repodata_forget(one.v, load->options);
	if (from_cache && load->options->net && !load->options->offline) {
		cda_err_done(&job->err);
		job->arena = cda_arena_free(job->arena);
		job->rc = 0;
		cda_repodata_done(&load->repodata[i]);
		rc = cda_repodata_get(&one, load->options, &load->repodata[i], err);
		if (rc < 0)
			return rc;
		parse(load, i);
		if (job->rc == 0)
			return 0;
		cda_repodata_forget(one.v, load->options);
	}
	rc = job->rc;
	cda_err_move(err, &job->err);
	return cda_err_wrap(err, rc, "cannot read the repodata of '%s'", safe);
}

static void tell_skipped(const struct load *load, size_t i)
{
	const struct cda_repodata_counts *counts = &load->jobs[i].counts;
	CDA_AUTOFREE char *safe = cda_url_safe(load->urls->v[i].url);

	if (counts->skipped)
		cda_emit(load->options->events, CDA_EVENT_WARNING,
			 "%zu of the entries of '%s' are left out, the first is %s: %s",
			 counts->skipped, safe, counts->first_bad, counts->why);
}

int cda_index_load(struct cda_index *index, const struct cda_channel_urls *urls,
		   const struct cda_index_options *options, struct cda_err *err)
{
	CDA_CLEANUP(load_done) struct load load = {urls, options, NULL, NULL};
	struct adder adder = {index, NULL, NULL};
	int rc;

	load.repodata = cda_alloc0(urls->n + 1, sizeof(*load.repodata));
	load.jobs = cda_alloc0(urls->n + 1, sizeof(*load.jobs));
	for (size_t i = 0; i < urls->n; i++)
		load.repodata[i].text = CDA_BUF_INIT;
	rc = cda_repodata_get(urls, options, load.repodata, err);
	if (rc == 0)
		rc = cda_workers_run(urls->n, options->threads, parse_job, &load, err);
	for (size_t i = 0; rc == 0 && i < urls->n; i++)
		if (load.jobs[i].rc < 0)
			rc = cure(&load, i, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < urls->n; i++) {
		tell_skipped(&load, i);
		cda_records_reserve(&index->records, load.jobs[i].records.n);
		cda_vec_each (record, &load.jobs[i].records)
			add(&adder, *record);
		cda_index_texts_push(&index->texts,
				     (struct cda_index_text){cda_take_ptr(load.jobs[i].arena),
							     load.repodata[i].text});
		load.repodata[i].text = CDA_BUF_INIT;
	}
	return 0;
}

const struct cda_record *cda_index_add(struct cda_index *index, const struct cda_record *record)
{
	struct cda_record *copy = cda_record_copy(index->arena, record);
	struct adder adder = {index, NULL, NULL};

	add(&adder, copy);
	return copy;
}

const struct cda_records *cda_index_get(const struct cda_index *index, const char *name)
{
	return cda_map_get(index->names, name);
}

void cda_index_find(const struct cda_index *index, const struct cda_matchspec *spec,
		    struct cda_records *ret_records)
{
	const struct cda_records *from = &index->records;

	if (cda_matchspec_name_is_exact(spec))
		from = cda_index_get(index, cda_matchspec_name(spec));
	if (!from)
		return;
	cda_vec_each (record, from)
		if (cda_matchspec_match(spec, *record))
			cda_records_push(ret_records, *record);
}
