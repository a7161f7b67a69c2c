/* probe.h - the parts of condense-doctor: each looks at one side of the container and adds its
 * findings. They change nothing, and each works where the others' subjects are missing. */
#ifndef CDA_RUNTIME_PROBE_H
#define CDA_RUNTIME_PROBE_H

#include "runtime/policy.h"
#include "report.h"
#include "world.h"

/* What one part finds out and another one needs. */
struct cda_case {
	const struct cda_world *world;
	struct cda_report *report;
	struct cda_account account; /* the caller's, if known */
	bool known;
	char own_name[CDA_NAME_MAX]; /* else what its own programs see; "": nothing */
	struct cda_policy policy;    /* the defaults if it cannot be had */
	struct cda_settings settings;
	/* What /startup would be needed for, at the next start. */
	bool wants_account, wants_packages;
	/* Lists that would be installed at the next start. */
	bool wants_os, wants_conda, wants_pip;
};

/* In this order: policy and settings are for the others. */
void cda_probe_policy(struct cda_case *c);
void cda_probe_settings(struct cda_case *c);
void cda_probe_identity(struct cda_case *c);
void cda_probe_lists(struct cda_case *c);
void cda_probe_setuid(struct cda_case *c);
void cda_probe_mounts(struct cda_case *c);
void cda_probe_image(struct cda_case *c);
void cda_probe_processes(struct cda_case *c);
/* limit: milliseconds; 0: without it. */
void cda_probe_network(struct cda_case *c, int limit);

/* All of them. */
void cda_probe_all(const struct cda_world *world, int network_limit, struct cda_report *ret);

/* True if the image has Debian's package manager, not Alpine's. */
bool cda_probe_is_debian(const struct cda_world *world);

#endif
