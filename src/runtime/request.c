#include "request.h"

#include "say.h"

#include <stddef.h>
#include <string.h>

struct option {
	const char *name;
	size_t at;
};

#define FIELD(name) offsetof(struct cda_request, name)

static const struct option options[] = {
	{"user", FIELD(user)},         {"new_uid", FIELD(new_uid)},   {"new_gid", FIELD(new_gid)},
	{"new_user", FIELD(new_user)}, {"new_home", FIELD(new_home)}, {"only", FIELD(only)},
	{"reown", FIELD(reown)},
};

int cda_request_parse(int argc, char *const *argv, struct cda_request *ret)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *value = strchr(arg, '=');
		size_t n = 0;

		arg += arg[0] == '-';
		arg += arg[0] == '-';
		while (value != NULL && n < sizeof(options) / sizeof(*options) &&
		       (strlen(options[n].name) != (size_t)(value - arg) ||
			strncmp(options[n].name, arg, (size_t)(value - arg)) != 0))
			n++;
		if (argv[i][0] != '-' || value == NULL || n == sizeof(options) / sizeof(*options)) {
			cda_say("usage: startup [-user=NAME] [-new_uid=UID] [-new_gid=GID] "
				"[-new_user=NAME] [-new_home=PATH] [-only=identity|packages] "
				"[-reown=full]");
			return -1;
		}
		if (value[1] != '\0')
			*(const char **)(void *)((char *)ret + options[n].at) = value + 1;
	}
	return 0;
}

bool cda_request_wants(const struct cda_request *request, const char *part)
{
	return request->only == NULL || strcmp(request->only, part) == 0;
}

const char *cda_request_list(const char *value, const char *fallback, const char *cwd,
			     char buf[PATH_MAX])
{
	if (value == NULL || value[0] == '\0' ||
	    cda_put(buf, PATH_MAX, "%s%s%s", value[0] == '/' ? "" : cwd, value[0] == '/' ? "" : "/",
		    value) < 0)
		return fallback;
	return buf;
}
