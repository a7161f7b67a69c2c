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

struct sat {
	const struct cda_universe *uni;
	Pool *pool;
	Solver *solver;
	Id *spec_id;   /* of each spec: its capability; 0 when not needed */
	Id *bad_id;    /* of each constraint: the capability of those it forbids */
	Id first;      /* solvable of the first package that is in the pool */
	unsigned *pkg; /* of solvable - first: the package */
	size_t n;      /* of them */
};

static void sat_done(struct sat *sat)
{
	if (sat->solver)
		solver_free(sat->solver);
	if (sat->pool)
		pool_free(sat->pool);
	free(sat->spec_id);
	free(sat->bad_id);
	free(sat->pkg);
}

static Id capability(struct sat *sat, char kind, unsigned spec)
{
	char text[32];

	snprintf(text, sizeof(text), "%c:%u", kind, spec);
	return pool_str2id(sat->pool, text, 1);
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
static void note_forbidden(struct sat *sat, unsigned at, struct cda_indexes *forbidden_by)
{
	const struct cda_spec_info *info = &sat->uni->specs.v[at];
	struct cda_bucket *bucket;

	if (sat->bad_id[at] != 0)
		return;
	sat->bad_id[at] = -1;
	if (!info->spec || !cda_matchspec_name_is_exact(info->spec))
		return;
	bucket = cda_universe_bucket(sat->uni, cda_matchspec_name(info->spec));
	if (!bucket || !bucket->pkg)
		return;
	for (size_t i = 0; i < bucket->records.n; i++) {
		unsigned pkg = bucket->pkg[i];

		if (pkg == 0 || !forbids(info, &sat->uni->pkgs.v[pkg - 1]))
			continue;
		if (sat->bad_id[at] < 0)
			sat->bad_id[at] = capability(sat, 'x', at);
		cda_indexes_push(&forbidden_by[pkg - 1], at);
	}
}

static void add_solvable(struct sat *sat, Repo *repo, const struct cda_pkg *pkg,
			 const struct cda_indexes *forbidden_by)
{
	Solvable *s = pool_id2solvable(sat->pool, repo_add_solvable(repo));
	char rank[16];

	snprintf(rank, sizeof(rank), "%u", pkg->rank);
	s->name = pool_str2id(sat->pool, pkg->record->name, 1);
	s->evr = pool_str2id(sat->pool, rank, 1);
	s->arch = ARCH_NOARCH;
	s->provides =
		repo_addid(repo, s->provides, pool_rel2id(sat->pool, s->name, s->evr, REL_EQ, 1));
	cda_vec_each (spec, &pkg->matched_by)
		s->provides = repo_addid(repo, s->provides, sat->spec_id[*spec]);
	cda_vec_each (spec, forbidden_by)
		s->provides = repo_addid(repo, s->provides, sat->bad_id[*spec]);
	cda_vec_each (spec, &pkg->depends)
	s->requires = repo_addid(repo, s->requires, sat->spec_id[*spec]);
	cda_vec_each (spec, &pkg->constrains)
		if (sat->bad_id[*spec] > 0)
			s->conflicts = repo_addid(repo, s->conflicts, sat->bad_id[*spec]);
}

static void fill(struct sat *sat)
{
	const struct cda_universe *uni = sat->uni;
	Repo *repo = repo_create(sat->pool, "all");
	CDA_AUTOFREE struct cda_indexes *forbidden_by =
		cda_alloc0(uni->pkgs.n + 1, sizeof(*forbidden_by));

	sat->spec_id = cda_alloc0(uni->specs.n + 1, sizeof(Id));
	sat->bad_id = cda_alloc0(uni->specs.n + 1, sizeof(Id));
	sat->pkg = cda_alloc0(uni->pkgs.n + 1, sizeof(unsigned));
	sat->first = sat->pool->nsolvables;
	for (size_t i = 0; i < uni->specs.n; i++)
		if (uni->specs.v[i].wanted)
			sat->spec_id[i] = capability(sat, 's', (unsigned)i);
	cda_vec_each (pkg, &uni->pkgs)
		if (pkg->valid)
			cda_vec_each (spec, &pkg->constrains)
				note_forbidden(sat, *spec, forbidden_by);
	for (size_t i = 0; i < uni->pkgs.n; i++) {
		if (uni->pkgs.v[i].valid) {
			add_solvable(sat, repo, &uni->pkgs.v[i], &forbidden_by[i]);
			sat->pkg[sat->n++] = (unsigned)i;
		}
		cda_indexes_done(&forbidden_by[i]);
	}
	pool_createwhatprovides(sat->pool);
}

static int pkg_of(const struct sat *sat, Id solvable)
{
	size_t at = (size_t)(solvable - sat->first);

	return solvable >= sat->first && at < sat->n ? (int)sat->pkg[at] : -1;
}

/* The spec behind a capability, by its text "s:12" or "x:12"; -1: none. */
static int spec_of(const struct sat *sat, Id dep)
{
	const char *text = dep && !ISRELDEP(dep) ? pool_id2str(sat->pool, dep) : "";

	if ((text[0] != 's' && text[0] != 'x') || text[1] != ':')
		return -1;
	return (int)strtoul(text + 2, NULL, 10);
}

static void add_clash(const struct sat *sat, Id rule, struct cda_clashes *clashes)
{
	Id source = 0, target = 0, dep = 0;
	SolverRuleinfo info = solver_ruleinfo(sat->solver, rule, &source, &target, &dep);
	struct cda_clash clash = {.pkg = source ? pkg_of(sat, source) : -1,
				  .other = target ? pkg_of(sat, target) : -1,
				  .spec = spec_of(sat, dep)};

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

bool cda_pool_solve(const struct cda_universe *uni, const struct cda_indexes *jobs,
		    struct cda_indexes *chosen, struct cda_clashes *clashes)
{
	CDA_CLEANUP(sat_done) struct sat sat = {.uni = uni, .pool = pool_create()};
	Queue queue;
	int problems;

	pool_setdisttype(sat.pool, DISTTYPE_CONDA);
	fill(&sat);
	sat.solver = solver_create(sat.pool);
	queue_init(&queue);
	cda_vec_each (job, jobs)
		queue_push2(&queue, SOLVER_SOLVABLE_PROVIDES | SOLVER_INSTALL, sat.spec_id[*job]);
	problems = solver_solve(sat.solver, &queue);
	if (problems == 0) {
		queue_empty(&queue);
		solver_get_decisionqueue(sat.solver, &queue);
		for (int i = 0; i < queue.count; i++)
			if (queue.elements[i] > 0 && pkg_of(&sat, queue.elements[i]) >= 0 &&
			    queue.elements[i] != SYSTEMSOLVABLE)
				cda_indexes_push(chosen, (unsigned)pkg_of(&sat, queue.elements[i]));
	} else if (clashes) {
		queue_empty(&queue);
		solver_findallproblemrules(sat.solver, 1, &queue);
		for (int i = 0; i < queue.count; i++)
			add_clash(&sat, queue.elements[i], clashes);
	}
	queue_free(&queue);
	return problems == 0;
}
