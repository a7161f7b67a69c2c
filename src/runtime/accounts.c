#include "accounts.h"

#include "say.h"

#include <string.h>

enum { PASSWD_FIELDS = 7, SHADOW_FIELDS = 9, GROUP_FIELDS = 4 };

static struct cda_span all(const struct cda_text *text)
{
	return (struct cda_span){text->data, text->len};
}

/* Split at ':' into exactly count fields. */
static bool fields(struct cda_span line, struct cda_span *ret, size_t count)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i <= line.len; i++) {
		if (i < line.len && line.p[i] != ':')
			continue;
		if (n == count)
			return false;
		ret[n++] = (struct cda_span){line.p + from, i - from};
		from = i + 1;
	}
	return n == count;
}

bool cda_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= CDA_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if ((c >= 'a' && c <= 'z') || c == '_')
			continue;
		if (i == 0 || !((c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

bool cda_id_parse(struct cda_span span, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (span.len == 0 || span.len > 10 || (span.len > 1 && span.p[0] == '0'))
		return false;
	for (size_t i = 0; i < span.len; i++) {
		if (span.p[i] < '0' || span.p[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(span.p[i] - '0');
	}
	if (id > UINT32_MAX)
		return false;
	*ret_id = (uint32_t)id;
	return true;
}

static bool account_parse(struct cda_span line, struct cda_account *ret)
{
	struct cda_span f[PASSWD_FIELDS];

	return fields(line, f, PASSWD_FIELDS) && f[0].len > 0 &&
	       cda_span_copy(f[0], ret->name, sizeof(ret->name)) == 0 &&
	       cda_id_parse(f[2], &ret->uid) && cda_id_parse(f[3], &ret->gid) &&
	       cda_span_copy(f[5], ret->home, sizeof(ret->home)) == 0;
}

int cda_passwd_name(const struct cda_text *passwd, const char *name, struct cda_account *ret)
{
	struct cda_span rest = all(passwd), line;
	struct cda_account got;

	while (cda_span_line(&rest, &line)) {
		if (account_parse(line, &got) && strcmp(got.name, name) == 0) {
			*ret = got;
			return 0;
		}
	}
	return -1;
}

static bool is_first_field(struct cda_span line, const char *name)
{
	size_t len = strlen(name);

	return line.len >= len && memcmp(line.p, name, len) == 0 &&
	       (line.len == len || line.p[len] == ':');
}

bool cda_file_has_name(const struct cda_text *file, const char *name)
{
	struct cda_span rest = all(file), line;

	while (cda_span_line(&rest, &line)) {
		if (is_first_field(line, name))
			return true;
	}
	return false;
}

/* podman and others add a line for a uid that the image does not know: named by its number, which
 * no account of a distribution is. */
static bool is_placeholder(const struct cda_account *account)
{
	uint32_t id;

	return cda_id_parse((struct cda_span){account->name, strlen(account->name)}, &id) &&
	       id == account->uid;
}

int cda_passwd_other(const struct cda_text *passwd, uint32_t uid, const char *name1,
		     const char *name2, struct cda_account *ret)
{
	struct cda_span rest = all(passwd), line;
	struct cda_account got;

	while (cda_span_line(&rest, &line)) {
		if (account_parse(line, &got) && got.uid == uid && strcmp(got.name, name1) != 0 &&
		    strcmp(got.name, name2) != 0 && !is_placeholder(&got)) {
			*ret = got;
			return 0;
		}
	}
	return -1;
}

int cda_passwd_uid(const struct cda_text *passwd, uint32_t uid, struct cda_account *ret)
{
	struct cda_span rest = all(passwd), line;
	struct cda_account got;

	while (cda_span_line(&rest, &line)) {
		if (account_parse(line, &got) && got.uid == uid) {
			*ret = got;
			return 0;
		}
	}
	return -1;
}

static void add_span(struct cda_text *out, struct cda_span span)
{
	cda_text_add(out, span.p, span.len);
}

static void add_line(struct cda_text *out, struct cda_span line)
{
	add_span(out, line);
	cda_text_add_str(out, "\n");
}

static bool ours(struct cda_span name, const struct cda_change *change)
{
	return cda_span_is(name, change->old) || cda_span_is(name, change->image) ||
	       (change->resumed && cda_span_is(name, change->name));
}

static void add_passwd(struct cda_text *out, const struct cda_span *f, const char *name,
		       uint32_t uid, const char *home)
{
	char number[16];

	cda_put(number, sizeof(number), "%lu", (unsigned long)uid);
	cda_text_add_str(out, name);
	cda_text_add_str(out, ":");
	add_span(out, f[1]);
	cda_text_add_str(out, ":");
	cda_text_add_str(out, number);
	for (size_t i = 3; i < PASSWD_FIELDS; i++) {
		cda_text_add_str(out, ":");
		if (i == 5)
			cda_text_add_str(out, home);
		else
			add_span(out, f[i]);
	}
	cda_text_add_str(out, "\n");
}

/* Is line a record of the account? Numbers that no account has make it none. */
static bool is_record(struct cda_span line, const struct cda_change *change, size_t count,
		      struct cda_span *ret)
{
	struct cda_account account;

	return fields(line, ret, count) && ours(ret[0], change) &&
	       (count != PASSWD_FIELDS || account_parse(line, &account));
}

/* The record of old, or that of image, as the pattern of both new ones. */
static bool pattern(const struct cda_text *in, const struct cda_change *change, size_t count,
		    struct cda_span *ret)
{
	struct cda_span rest = all(in), line, f[SHADOW_FIELDS];
	bool found = false;

	while (cda_span_line(&rest, &line)) {
		if (!is_record(line, change, count, f))
			continue;
		if (!found || cda_span_is(f[0], change->old))
			memcpy(ret, f, count * sizeof(*f));
		found = true;
	}
	return found;
}

int cda_passwd_change(const struct cda_text *in, const struct cda_change *change,
		      struct cda_text *out)
{
	struct cda_span rest = all(in), line, f[PASSWD_FIELDS], like[PASSWD_FIELDS];
	bool done = false;

	if (!pattern(in, change, PASSWD_FIELDS, like))
		return -1;
	while (cda_span_line(&rest, &line)) {
		if (!is_record(line, change, PASSWD_FIELDS, f)) {
			add_line(out, line);
			continue;
		}
		if (done)
			continue;
		done = true;
		add_passwd(out, like, change->name, change->uid, change->home);
		if (strcmp(change->name, change->image) != 0)
			add_passwd(out, like, change->image, change->uid, change->image_home);
	}
	return out->full ? -1 : 0;
}

static void add_shadow(struct cda_text *out, const struct cda_span *f, const char *name)
{
	cda_text_add_str(out, name);
	for (size_t i = 1; i < SHADOW_FIELDS; i++) {
		cda_text_add_str(out, ":");
		add_span(out, f[i]);
	}
	cda_text_add_str(out, "\n");
}

int cda_shadow_change(const struct cda_text *in, const struct cda_change *change,
		      struct cda_text *out)
{
	struct cda_span rest = all(in), line, f[SHADOW_FIELDS], like[SHADOW_FIELDS];
	bool known = pattern(in, change, SHADOW_FIELDS, like), done = false;

	while (cda_span_line(&rest, &line)) {
		if (!known || !is_record(line, change, SHADOW_FIELDS, f)) {
			add_line(out, line);
			continue;
		}
		if (done)
			continue;
		done = true;
		add_shadow(out, like, change->name);
		if (strcmp(change->name, change->image) != 0)
			add_shadow(out, like, change->image);
	}
	return out->full ? -1 : 0;
}

static bool next_member(struct cda_span *rest, struct cda_span *ret)
{
	size_t len = 0;

	if (rest->len == 0)
		return false;
	while (len < rest->len && rest->p[len] != ',')
		len++;
	*ret = (struct cda_span){rest->p, len};
	len += len < rest->len;
	rest->p += len;
	rest->len -= len;
	return true;
}

static bool has_ours(struct cda_span list, const struct cda_change *change)
{
	struct cda_span member;

	while (next_member(&list, &member)) {
		if (ours(member, change))
			return true;
	}
	return false;
}

static void add_members(struct cda_text *out, struct cda_span list, const struct cda_change *change)
{
	struct cda_span rest = list, member;

	if (!has_ours(list, change)) {
		add_span(out, list);
		return;
	}
	while (next_member(&rest, &member)) {
		if (member.len == 0 || ours(member, change))
			continue;
		add_span(out, member);
		cda_text_add_str(out, ",");
	}
	cda_text_add_str(out, change->name);
	if (strcmp(change->name, change->image) != 0) {
		cda_text_add_str(out, ",");
		cda_text_add_str(out, change->image);
	}
}

int cda_group_change(const struct cda_text *in, const struct cda_change *change,
		     struct cda_text *out)
{
	struct cda_span rest = all(in), line, f[GROUP_FIELDS];

	while (cda_span_line(&rest, &line)) {
		/* The third field is a number in group, a list of names in gshadow. */
		if (!fields(line, f, GROUP_FIELDS) ||
		    (!has_ours(f[2], change) && !has_ours(f[3], change))) {
			add_line(out, line);
			continue;
		}
		add_span(out, f[0]);
		cda_text_add_str(out, ":");
		add_span(out, f[1]);
		cda_text_add_str(out, ":");
		add_members(out, f[2], change);
		cda_text_add_str(out, ":");
		add_members(out, f[3], change);
		cda_text_add_str(out, "\n");
	}
	return out->full ? -1 : 0;
}

bool cda_group_has_member(const struct cda_text *group, const char *name)
{
	struct cda_span rest = all(group), line, word;
	size_t colons, from;

	while (cda_span_line(&rest, &line)) {
		colons = from = 0;
		for (size_t i = 0; i <= line.len; i++) {
			if (i < line.len && line.p[i] != ':' && line.p[i] != ',')
				continue;
			word = (struct cda_span){line.p + from, i - from};
			if (colons >= 2 && cda_span_is(word, name))
				return true;
			colons += i < line.len && line.p[i] == ':';
			from = i + 1;
		}
	}
	return false;
}
