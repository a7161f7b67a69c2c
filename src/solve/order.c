/* order.c - the order in which packages are installed, as conda's prefix graph has it: what stands
 * alone first, then generation by generation, each by name. A cycle is cut at the package that
 * waits for the fewest others; python does not wait for pip. */
#include "solve/universe.h"

#include "util/alloc.h"
#include "util/str.h"

#include <stdlib.h>
#include <string.h>

struct node {
	const struct cda_record *record;
	struct cda_indexes children; /* who depends on it */
	unsigned waits;              /* dependencies that are not placed yet */
	bool placed;
};

/* Indexes of the nodes by name; records of one name follow each other in by_name. */
static int by_name(const void *a, const void *b)
{
	const struct node *na = a, *nb = b;

	return strcmp(na->record->name, nb->record->name);
}

static size_t first_of(const struct node *nodes, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(nodes[mid].record->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_edge(struct node *nodes, size_t from, size_t to)
{
	if (from == to || (strcmp(nodes[from].record->name, "pip") == 0 &&
			   strcmp(nodes[to].record->name, "python") == 0))
		return;
	cda_vec_each (child, &nodes[from].children)
		if (*child == to)
			return;
	cda_indexes_push(&nodes[from].children, (unsigned)to);
	nodes[to].waits++;
}

static void add_edges(const struct cda_channel_config *channels, struct node *nodes, size_t n,
		      size_t at)
{
	const struct cda_record *record = nodes[at].record;

	for (size_t i = 0; i < record->depends.n; i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err ignored = {0};
		const char *name;

		if (cda_matchspec_parse(channels, record->depends.v[i], &spec, &ignored) < 0)
			spec = NULL;
		cda_err_done(&ignored);
		if (!spec)
			continue;
		name = cda_matchspec_name(spec);
		for (size_t k = first_of(nodes, n, name);
		     k < n && strcmp(nodes[k].record->name, name) == 0; k++)
			if (cda_matchspec_match(spec, nodes[k].record))
				add_edge(nodes, k, at);
	}
}

static void place(struct node *nodes, size_t at, struct cda_records *out)
{
	nodes[at].placed = true;
	cda_records_push(out, nodes[at].record);
}

static void release(struct node *nodes, size_t at)
{
	cda_vec_each (child, &nodes[at].children)
		nodes[*child].waits--;
}

/* In a cycle: the one that waits for the fewest, then by name. */
static size_t least_waiting(const struct node *nodes, size_t n)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (!nodes[i].placed && (best == n || nodes[i].waits < nodes[best].waits))
			best = i;
	return best;
}

void cda_solve_order(const struct cda_channel_config *channels, struct cda_records *records)
{
	size_t n = records->n;
	CDA_AUTOFREE struct node *nodes = cda_alloc0(n + 1, sizeof(*nodes));
	CDA_CLEANUP(cda_indexes_done) struct cda_indexes ready = {0};
	struct cda_records out = {0};

	for (size_t i = 0; i < n; i++)
		nodes[i].record = records->v[i];
	qsort(nodes, n, sizeof(*nodes), by_name);
	for (size_t i = 0; i < n; i++)
		add_edges(channels, nodes, n, i);
	for (size_t i = 0; i < n; i++)
		if (nodes[i].waits == 0 && nodes[i].children.n == 0)
			place(nodes, i, &out);
	while (out.n < n) {
		ready.n = 0;
		for (size_t i = 0; i < n; i++)
			if (!nodes[i].placed && nodes[i].waits == 0)
				cda_indexes_push(&ready, (unsigned)i);
		if (ready.n == 0)
			cda_indexes_push(&ready, (unsigned)least_waiting(nodes, n));
		cda_vec_each (at, &ready) {
			place(nodes, *at, &out);
			release(nodes, *at);
		}
	}
	for (size_t i = 0; i < n; i++)
		cda_indexes_done(&nodes[i].children);
	cda_records_done(records);
	*records = out;
}
