/* pool.c - libsolv sees packages with a name and a rank as version, and every spec as a capability
 * that those provide which match it: what matches what is decided by our own matcher alone. */
#include "solve/pool.h"

#include "util/alloc.h"

#include <solv/pool.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>

#include <stdio.h>

struct cda_pool {
	const struct cda_universe *uni;
	Pool *solv;
	bool invalid;
	Id *spec_id;   /* of each spec: its capability; 0 when not needed */
	Id *bad_id;    /* of each constraint: the capability of those it forbids */
	Id first;      /* solvable of the first package that is in the pool */
	Id *solvable;  /* of each package; 0: not in the pool */
	unsigned *pkg; /* of solvable - first: the package */
	size_t n;      /* of them */
};

static Id capability(struct cda_pool *pool, char kind, unsigned spec)
{
	char text[32];

	snprintf(text, sizeof(text), "%c:%u", kind, spec);
	return pool_str2id(pool->solv, text, 1);
}

/* Packages that a constraint forbids: of its name, and not matching. */
static bool forbids(const struct cda_spec_info *info, const struct cda_pkg *pkg)
{
	const struct cda_bucket *bucket = pkg->bucket;

	return !cda_matchspec_match_version(info->spec, bucket->version_texts[pkg->version],
					    bucket->versions[pkg->version]) ||
	       !cda_matchspec_match_rest(info->spec, pkg->record);
}

/* Notes with the packages that constraint `at` forbids that they are of its kind; once. */
static void note_forbidden(struct cda_pool *pool, unsigned at, struct cda_indexes *forbidden_by)
{
	const struct cda_spec_info *info = &pool->uni->specs.v[at];
	struct cda_bucket *bucket;

	if (pool->bad_id[at] != 0)
		return;
	pool->bad_id[at] = -1;
	if (!info->spec || !cda_matchspec_name_is_exact(info->spec))
		return;
	bucket = cda_universe_bucket(pool->uni, cda_matchspec_name(info->spec));
	if (!bucket || !bucket->pkg)
		return;
	for (size_t i = 0; i < bucket->records.n; i++) {
		unsigned pkg = bucket->pkg[i];

		if (pkg == 0 || !forbids(info, &pool->uni->pkgs.v[pkg - 1]))
			continue;
		if (pool->bad_id[at] < 0)
			pool->bad_id[at] = capability(pool, 'x', at);
		cda_indexes_push(&forbidden_by[pkg - 1], at);
	}
}

static Id add_solvable(struct cda_pool *pool, Repo *repo, const struct cda_pkg *pkg,
		       const struct cda_indexes *forbidden_by)
{
	Id id = repo_add_solvable(repo);
	Solvable *s = pool_id2solvable(pool->solv, id);
	char rank[16];

	snprintf(rank, sizeof(rank), "%u", pkg->rank);
	s->name = pool_str2id(pool->solv, pkg->record->name, 1);
	s->evr = pool_str2id(pool->solv, rank, 1);
	s->arch = ARCH_NOARCH;
	s->provides =
		repo_addid(repo, s->provides, pool_rel2id(pool->solv, s->name, s->evr, REL_EQ, 1));
	cda_vec_each (spec, &pkg->matched_by)
		s->provides = repo_addid(repo, s->provides, pool->spec_id[*spec]);
	cda_vec_each (spec, forbidden_by)
		s->provides = repo_addid(repo, s->provides, pool->bad_id[*spec]);
	cda_vec_each (spec, &pkg->depends)
	s->requires = repo_addid(repo, s->requires, pool->spec_id[*spec]);
	cda_vec_each (spec, &pkg->constrains)
		if (pool->bad_id[*spec] > 0)
			s->conflicts = repo_addid(repo, s->conflicts, pool->bad_id[*spec]);
	return id;
}

static void fill(struct cda_pool *pool)
{
	const struct cda_universe *uni = pool->uni;
	Repo *repo = repo_create(pool->solv, "all");
	CDA_AUTOFREE struct cda_indexes *forbidden_by =
		cda_alloc0(uni->pkgs.n + 1, sizeof(*forbidden_by));

	pool->spec_id = cda_alloc0(uni->specs.n + 1, sizeof(Id));
	pool->bad_id = cda_alloc0(uni->specs.n + 1, sizeof(Id));
	pool->solvable = cda_alloc0(uni->pkgs.n + 1, sizeof(Id));
	pool->pkg = cda_alloc0(uni->pkgs.n + 1, sizeof(unsigned));
	pool->first = pool->solv->nsolvables;
	for (size_t i = 0; i < uni->specs.n; i++)
		if (uni->specs.v[i].wanted)
			pool->spec_id[i] = capability(pool, 's', (unsigned)i);
	cda_vec_each (pkg, &uni->pkgs)
		if (pkg->valid || pool->invalid)
			cda_vec_each (spec, &pkg->constrains)
				note_forbidden(pool, *spec, forbidden_by);
	for (size_t i = 0; i < uni->pkgs.n; i++) {
		if (uni->pkgs.v[i].valid || pool->invalid) {
			pool->solvable[i] =
				add_solvable(pool, repo, &uni->pkgs.v[i], &forbidden_by[i]);
			pool->pkg[pool->n++] = (unsigned)i;
		}
		cda_indexes_done(&forbidden_by[i]);
	}
	pool_createwhatprovides(pool->solv);
}

static int pkg_of(const struct cda_pool *pool, Id solvable)
{
	size_t at = (size_t)(solvable - pool->first);

	return solvable >= pool->first && at < pool->n ? (int)pool->pkg[at] : -1;
}

/* The spec behind a capability, by its text "s:12" or "x:12"; -1: none. */
static int spec_of(const struct cda_pool *pool, Id dep)
{
	const char *text = dep && !ISRELDEP(dep) ? pool_id2str(pool->solv, dep) : "";

	if ((text[0] != 's' && text[0] != 'x') || text[1] != ':')
		return -1;
	return (int)strtoul(text + 2, NULL, 10);
}

static void add_clash(const struct cda_pool *pool, Solver *solver, Id rule,
		      struct cda_clashes *clashes)
{
	Id source = 0, target = 0, dep = 0;
	SolverRuleinfo info = solver_ruleinfo(solver, rule, &source, &target, &dep);
	struct cda_clash clash = {.pkg = source ? pkg_of(pool, source) : -1,
				  .other = target ? pkg_of(pool, target) : -1,
				  .spec = spec_of(pool, dep)};

	switch ((unsigned)info) {
	case SOLVER_RULE_JOB:
	case SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP:
	case SOLVER_RULE_JOB_UNKNOWN_PACKAGE:
		clash.kind = CDA_CLASH_JOB;
		break;
	case SOLVER_RULE_PKG_REQUIRES:
	case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP:
		clash.kind = CDA_CLASH_NEEDS;
		break;
	case SOLVER_RULE_PKG_CONFLICTS:
	case SOLVER_RULE_PKG_CONSTRAINS:
		clash.kind = CDA_CLASH_CONSTRAINS;
		break;
	case SOLVER_RULE_PKG_SAME_NAME:
		clash.kind = CDA_CLASH_SAME_NAME;
		break;
	default:
		return;
	}
	cda_clashes_push(clashes, clash);
}

struct cda_pool *cda_pool_new(const struct cda_universe *universe, bool invalid)
{
	struct cda_pool *pool = cda_new0(struct cda_pool);

	pool->uni = universe;
	pool->invalid = invalid;
	pool->solv = pool_create();
	pool_setdisttype(pool->solv, DISTTYPE_CONDA);
	fill(pool);
	return pool;
}

struct cda_pool *cda_pool_free(struct cda_pool *pool)
{
	if (pool) {
		pool_free(pool->solv);
		free(pool->spec_id);
		free(pool->bad_id);
		free(pool->solvable);
		free(pool->pkg);
		free(pool);
	}
	return NULL;
}

static void add_one_of(struct cda_pool *pool, const struct cda_indexes *one_of, Queue *jobs)
{
	Queue set;

	queue_init(&set);
	cda_vec_each (pkg, one_of)
		if (pool->solvable[*pkg])
			queue_push(&set, pool->solvable[*pkg]);
	queue_push2(jobs, SOLVER_SOLVABLE_ONE_OF | SOLVER_INSTALL,
		    pool_queuetowhatprovides(pool->solv, &set));
	queue_free(&set);
}

bool cda_pool_solve(struct cda_pool *pool, const struct cda_indexes *jobs,
		    const struct cda_indexes *one_of, struct cda_indexes *chosen,
		    struct cda_clashes *clashes)
{
	Solver *solver = solver_create(pool->solv);
	Queue queue;
	int problems;

	queue_init(&queue);
	if (one_of)
		add_one_of(pool, one_of, &queue);
	cda_vec_each (job, jobs)
		queue_push2(&queue, SOLVER_SOLVABLE_PROVIDES | SOLVER_INSTALL, pool->spec_id[*job]);
	problems = solver_solve(solver, &queue);
	queue_empty(&queue);
	if (problems == 0) {
		solver_get_decisionqueue(solver, &queue);
		for (int i = 0; i < queue.count; i++)
			if (queue.elements[i] > 0 && pkg_of(pool, queue.elements[i]) >= 0)
				cda_indexes_push(chosen, (unsigned)pkg_of(pool, queue.elements[i]));
	} else if (clashes) {
		solver_findallproblemrules(solver, 1, &queue);
		for (int i = 0; i < queue.count; i++)
			add_clash(pool, solver, queue.elements[i], clashes);
	}
	queue_free(&queue);
	solver_free(solver);
	return problems == 0;
}
