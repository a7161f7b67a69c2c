/* The template of names: what is accepted makes a record of passwd that is one line of 7 fields,
 * and fits a buffer exactly. */
#include "fuzz.h"
#include "names/own.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_own own = {.uid = 4294967295u, .gid = 1};
	struct cda_template *is = &own.is;
	struct passwd pw;
	char *buf;
	size_t need;

	if (cda_template_parse((const char *)p, len, is) != 0)
		return 0;
	HOLDS(cda_own_name_valid(is->account) && strcmp(is->account, "root") != 0);
	HOLDS(cda_own_field_valid(is->gecos, sizeof(is->gecos)));
	HOLDS(cda_own_field_valid(is->home, sizeof(is->home)) && is->home[0] == '/');
	HOLDS(cda_own_field_valid(is->shell, sizeof(is->shell)) && is->shell[0] == '/');
	need = strlen(is->account) + strlen(is->gecos) + strlen(is->home) + strlen(is->shell) + 6;
	buf = malloc(need); /* of that length, so that a sanitizer sees one byte more */
	HOLDS(buf != NULL);
	HOLDS(cda_own_passwd(&own, &pw, buf, need - 1) == -1);
	HOLDS(cda_own_passwd(&own, &pw, buf, need) == 0);
	HOLDS(strcmp(pw.pw_name, is->account) == 0 && strcmp(pw.pw_dir, is->home) == 0);
	HOLDS(strcmp(pw.pw_shell, is->shell) == 0 && strcmp(pw.pw_gecos, is->gecos) == 0);
	HOLDS(pw.pw_uid == own.uid && pw.pw_gid == own.gid);
	free(buf);
	return 0;
}
