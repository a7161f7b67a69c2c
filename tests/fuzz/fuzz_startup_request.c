/* The arguments and the environment: words with a NUL between them, the first of which is the value
 * of a list's variable and the second the working folder. */
#include "fuzz.h"
#include "runtime/accounts.h"
#include "runtime/request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char data[1 << 16], path[PATH_MAX];
	static char *argv[256];
	struct cda_request request = {.user = NULL};
	const char *chosen;
	uint32_t id;
	int argc = 0;

	if (len >= sizeof(data))
		return 0;
	memcpy(data, p, len);
	data[len] = '\0';
	for (size_t at = 0; at < len && argc < 255; at += strlen(data + at) + 1)
		argv[argc++] = data + at;
	argv[argc] = NULL;
	if (argc > 1) {
		chosen = cda_request_list(argv[0], "/fallback", argv[1], path);
		HOLDS(chosen == path || strcmp(chosen, "/fallback") == 0);
		HOLDS(strlen(chosen) < PATH_MAX);
		HOLDS(argv[0][0] != '/' || chosen != path || strcmp(chosen, argv[0]) == 0);
	}
	if (cda_request_parse(argc, argv, &request) != 0)
		return 0;
	HOLDS(request.user == NULL || request.user[0] != '\0');
	if (request.new_uid != NULL &&
	    cda_id_parse((struct cda_span){request.new_uid, strlen(request.new_uid)}, &id))
		HOLDS(strspn(request.new_uid, "0123456789") == strlen(request.new_uid));
	if (request.new_user != NULL && cda_name_valid(request.new_user))
		HOLDS(strpbrk(request.new_user, ":/\n .") == NULL && strlen(request.new_user) < 33);
	HOLDS(request.reown == NULL || request.reown[0] != '\0');
	HOLDS(request.only != NULL || cda_request_wants(&request, "identity"));
	return 0;
}
