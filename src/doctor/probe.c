#include "probe.h"

#include "runtime/paths.h"
#include "runtime/say.h"

void cda_probe_all(const struct cda_world *world, int network_limit, struct cda_report *ret)
{
	static struct cda_case c;

	c = (struct cda_case){.world = world,
			      .report = ret,
			      .policy = {.account = CDA_IMAGE_ACCOUNT, .packages = CDA_START}};
	cda_probe_policy(&c);
	cda_probe_settings(&c);
	cda_probe_identity(&c);
	cda_probe_lists(&c);
	cda_probe_setuid(&c);
	cda_probe_mounts(&c);
	cda_probe_image(&c);
	cda_probe_processes(&c);
	cda_probe_network(&c, network_limit);
}
