/* The policy: what is accepted names an account that is not root's, and answers without trouble. */
#include "fuzz.h"
#include "runtime/policy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char data[4096];
	const struct cda_text text = {.data = data, .len = len, .cap = sizeof(data)};
	struct cda_policy policy;

	if (len > sizeof(data))
		return 0;
	memcpy(data, p, len);
	if (cda_policy_parse(&text, &policy) != 0)
		return 0;
	HOLDS(cda_name_valid(policy.account) && strcmp(policy.account, "root") != 0);
	HOLDS(strlen(policy.users) < sizeof(policy.users));
	HOLDS(strlen(policy.lists) < sizeof(policy.lists));
	HOLDS(strlen(policy.names) < sizeof(policy.names));
	HOLDS(policy.users[0] != '\0' || cda_policy_user(&policy, 4294967295u));
	HOLDS(policy.lists[0] != '\0' || cda_policy_list(&policy, "/x"));
	HOLDS(policy.names[0] != '\0' || cda_policy_name(&policy, "jq"));
	HOLDS(policy.lists[0] == '\0' || !cda_policy_list(&policy, "relative"));
	(void)cda_policy_user(&policy, 0);
	(void)cda_policy_name(&policy, "");
	return 0;
}
