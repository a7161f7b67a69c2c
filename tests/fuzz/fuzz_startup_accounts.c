/* The account files: a change touches the account's own records alone, and does not change again
 * what it changed. The first two bytes choose names and uid, the rest is the file. */
#include "fuzz.h"
#include "runtime/accounts.h"

#include <string.h>

typedef int (*change_fn)(const struct cda_text *in, const struct cda_change *change,
			 struct cda_text *out);

static bool starts(struct cda_span line, const char *name)
{
	size_t len = strlen(name);

	return line.len > len && memcmp(line.p, name, len) == 0 && line.p[len] == ':';
}

/* Each line that is not the account's is in out, in the same order. */
static void check_kept(const struct cda_text *in, const struct cda_text *out,
		       const struct cda_change *change)
{
	struct cda_span rest = {in->data, in->len}, line, have = {out->data, out->len}, now;

	while (cda_span_line(&rest, &line)) {
		bool found = false;

		if (starts(line, change->old) || starts(line, change->image) ||
		    starts(line, change->name))
			continue;
		while (!found && cda_span_line(&have, &now))
			found = now.len == line.len && memcmp(now.p, line.p, line.len) == 0;
		HOLDS(found);
	}
}

static void check(const struct cda_text *in, change_fn change, const struct cda_change *to,
		  bool by_line)
{
	static char data1[1 << 20], data2[1 << 20];
	struct cda_text once = {.data = data1, .cap = sizeof(data1)};
	struct cda_text twice = {.data = data2, .cap = sizeof(data2)};
	struct cda_change again = *to;
	struct cda_span rest = {in->data, in->len}, line;

	/* A new name that is there already is refused before; a broken line with it is root's
	 * doing. */
	if (!to->resumed && strcmp(to->name, to->old) != 0 && strcmp(to->name, to->image) != 0) {
		while (cda_span_line(&rest, &line)) {
			if (starts(line, to->name))
				return;
		}
		if (cda_group_has_member(in, to->name))
			return;
	}
	if (change(in, to, &once) != 0)
		return;
	HOLDS(!once.full && (once.len == 0 || once.data[once.len - 1] == '\n'));
	if (!by_line)
		return; /* lists of members with empty ones in them are no longer as they were */
	check_kept(in, &once, to);
	again.old = to->name;
	HOLDS(change(&once, &again, &twice) == 0);
	HOLDS(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char *const names[] = {"anaconda", "dja", "bob", "_x"};
	static char data[1 << 16];
	struct cda_text in = {.data = data, .cap = sizeof(data)};
	struct cda_change to = {.image = "anaconda", .image_home = "/home/anaconda"};
	struct cda_account account;

	if (len < 2 || len - 2 > sizeof(data))
		return 0;
	to.old = names[p[0] & 3];
	to.name = names[p[0] >> 2 & 3];
	to.resumed = p[0] & 16;
	to.home = "/home/dja";
	to.uid = p[1] * 16909060u;
	memcpy(data, p + 2, len - 2);
	in.len = len - 2;
	check(&in, cda_passwd_change, &to, true);
	check(&in, cda_shadow_change, &to, true);
	check(&in, cda_group_change, &to, false);
	if (cda_passwd_uid(&in, to.uid, &account) == 0)
		HOLDS(account.uid == to.uid && memchr(account.name, '\0', CDA_NAME_MAX) != NULL);
	if (cda_passwd_name(&in, to.name, &account) == 0)
		HOLDS(strcmp(account.name, to.name) == 0);
	return 0;
}
