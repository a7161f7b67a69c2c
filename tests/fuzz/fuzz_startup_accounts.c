/* The account files: a change touches the account's own records alone, and does not change again
 * what it changed. The first two bytes choose names and uid, the rest is the file. */
#include "fuzz.h"
#include "runtime/accounts.h"

#include <string.h>

typedef int (*change_fn)(const struct cda_text *in, const struct cda_change *change,
			 struct cda_text *out);

/* Is the line, alone, a record of one of the names that the change is about? */
static bool is_record(struct cda_span line, const struct cda_change *change, bool passwd)
{
	const char *const names[] = {change->old, change->image,
				     change->resumed ? change->name : change->image};
	struct cda_text one = {.data = (char *)line.p, .len = line.len, .cap = line.len};
	struct cda_account account;
	size_t colons = 0;

	for (size_t i = 0; i < line.len; i++)
		colons += line.p[i] == ':';
	for (size_t i = 0; i < 3; i++) {
		if (passwd ? cda_passwd_name(&one, names[i], &account) == 0
			   : colons == 8 && cda_file_has_name(&one, names[i]))
			return true;
	}
	return false;
}

/* Without the account's records both files are the same, byte for byte, and out has one record of
 * each name where in had any. */
static void check_records(const struct cda_text *in, const struct cda_text *out,
			  const struct cda_change *to, bool passwd)
{
	struct cda_span rest = {in->data, in->len}, have = {out->data, out->len}, line, now;
	struct cda_change after = *to;
	size_t before = 0, records = 0;

	after.old = to->name;
	for (;;) {
		bool more, more_now;

		while ((more = cda_span_line(&rest, &line)) && is_record(line, to, passwd))
			before++;
		while ((more_now = cda_span_line(&have, &now)) && is_record(now, &after, passwd))
			records++;
		HOLDS(more == more_now);
		if (!more)
			break;
		HOLDS(line.len == now.len && memcmp(line.p, now.p, line.len) == 0);
	}
	HOLDS(records == (before == 0 ? 0u : strcmp(to->name, to->image) == 0 ? 1u : 2u));
}

static bool is_name(struct cda_span word, const struct cda_change *to)
{
	return cda_span_is(word, to->old) || cda_span_is(word, to->image) ||
	       (to->resumed && cda_span_is(word, to->name));
}

/* Take what is before the next mark off *rest; false if that was the last. */
static bool next_word(struct cda_span *rest, char mark, struct cda_span *ret)
{
	const char *end = rest->len > 0 ? memchr(rest->p, mark, rest->len) : NULL;
	size_t len = end != NULL ? (size_t)(end - rest->p) : rest->len;

	*ret = (struct cda_span){rest->p, len};
	len += end != NULL;
	rest->p += len;
	rest->len -= len;
	return end != NULL;
}

static void check_list(struct cda_span in, struct cda_span out, const struct cda_change *to)
{
	static char data[1 << 17];
	struct cda_text want = {.data = data, .cap = sizeof(data)};
	struct cda_span rest = in, word;
	bool more = true, have = false;

	while (more) {
		more = next_word(&rest, ',', &word);
		if (is_name(word, to)) {
			have = true;
		} else if (word.len > 0) {
			cda_text_add(&want, word.p, word.len);
			cda_text_add_str(&want, ",");
		}
	}
	if (have) {
		cda_text_add_str(&want, to->name);
		if (strcmp(to->name, to->image) != 0) {
			cda_text_add_str(&want, ",");
			cda_text_add_str(&want, to->image);
		}
	} else {
		want.len = 0;
		cda_text_add(&want, in.p, in.len);
	}
	HOLDS(want.len == out.len && memcmp(want.data, out.p, out.len) == 0);
}

/* Line by line: nothing but the lists changes, and these as they should. */
static void check_lists(const struct cda_text *in, const struct cda_text *out,
			const struct cda_change *to)
{
	struct cda_span rest = {in->data, in->len}, have = {out->data, out->len}, line, now;

	while (cda_span_line(&rest, &line)) {
		struct cda_span was, is;
		size_t colons = 0;

		HOLDS(cda_span_line(&have, &now));
		for (size_t i = 0; i < line.len; i++)
			colons += line.p[i] == ':';
		for (size_t field = 0; field < 4 && colons == 3; field++) {
			HOLDS(next_word(&line, ':', &was) == next_word(&now, ':', &is));
			if (field >= 2)
				check_list(was, is, to);
			else
				HOLDS(was.len == is.len && memcmp(was.p, is.p, is.len) == 0);
		}
		HOLDS(line.len == now.len && memcmp(line.p, now.p, now.len) == 0);
	}
	HOLDS(!cda_span_line(&have, &now));
}

enum kind { PASSWD, SHADOW, GROUP };

static void check(const struct cda_text *in, enum kind kind, const struct cda_change *to)
{
	static const change_fn change[] = {cda_passwd_change, cda_shadow_change, cda_group_change};
	static char data1[1 << 20], data2[1 << 20];
	struct cda_text once = {.data = data1, .cap = sizeof(data1)};
	struct cda_text twice = {.data = data2, .cap = sizeof(data2)};
	struct cda_change again = *to;

	/* The caller refuses a new name that the file has: see accounts.h. */
	if (!to->resumed && strcmp(to->name, to->old) != 0 && strcmp(to->name, to->image) != 0 &&
	    (kind == GROUP ? cda_group_has_member(in, to->name) : cda_file_has_name(in, to->name)))
		return;
	if (change[kind](in, to, &once) != 0) {
		HOLDS(kind == PASSWD); /* the others may lack the account */
		return;
	}
	HOLDS(!once.full && (once.len == 0 || once.data[once.len - 1] == '\n'));
	if (kind == GROUP)
		check_lists(in, &once, to);
	else
		check_records(in, &once, to, kind == PASSWD);
	again.old = to->name;
	HOLDS(change[kind](&once, &again, &twice) == 0);
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
	for (enum kind kind = PASSWD; kind <= GROUP; kind++)
		check(&in, kind, &to);
	if (cda_passwd_uid(&in, to.uid, &account) == 0)
		HOLDS(account.uid == to.uid && memchr(account.name, '\0', CDA_NAME_MAX) != NULL);
	if (cda_passwd_name(&in, to.name, &account) == 0)
		HOLDS(strcmp(account.name, to.name) == 0);
	return 0;
}
