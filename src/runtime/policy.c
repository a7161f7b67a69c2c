#include "policy.h"

#include "paths.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Read a small file that must be root's and writable by root alone. Returns 0, -ENOENT, or
 * -EPERM with a message. */
static int read_roots(const char *path, struct cda_text *text)
{
	struct stat st;
	int rc, fd = cda_file_open(AT_FDCWD, path, &st);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0) {
		cda_say("cannot read '%s': %s", path, strerror(-fd));
		return -EPERM;
	}
	if (st.st_uid != 0 || (st.st_mode & 022) != 0) {
		cda_say("'%s' is refused: it must belong to root and be writable by root alone",
			path);
		close(fd);
		return -EPERM;
	}
	rc = cda_file_read(fd, text);
	close(fd);
	if (rc == 0)
		return 0;
	cda_say("cannot read '%s': %s", path, strerror(-rc));
	return -EPERM;
}

/* "key value"; comments and empty lines give an empty key. */
static void key_value(struct cda_span line, struct cda_span *ret_key, struct cda_span *ret_value)
{
	size_t at = 0;

	while (line.len > 0 && line.p[line.len - 1] == ' ')
		line.len--;
	if (line.len > 0 && line.p[0] == '#')
		line.len = 0;
	while (at < line.len && line.p[at] != ' ')
		at++;
	*ret_key = (struct cda_span){line.p, at};
	while (at < line.len && line.p[at] == ' ')
		at++;
	*ret_value = (struct cda_span){line.p + at, line.len - at};
}

static int policy_line(struct cda_span key, struct cda_span value, struct cda_policy *policy)
{
	if (key.len == 0)
		return 0;
	if (cda_span_is(key, "account"))
		return cda_span_copy(value, policy->account, sizeof(policy->account)) == 0 &&
				       cda_name_valid(policy->account) &&
				       strcmp(policy->account, "root") != 0
			       ? 0
			       : -1;
	if (!cda_span_is(key, "packages"))
		return -1;
	policy->packages = cda_span_is(value, "allow");
	return policy->packages || cda_span_is(value, "deny") ? 0 : -1;
}

int cda_policy_load(struct cda_policy *ret)
{
	char data[4096];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	struct cda_span rest, line, key, value;
	int rc;

	*ret = (struct cda_policy){.account = CDA_IMAGE_ACCOUNT, .packages = true};
	rc = read_roots(CDA_POLICY, &text);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return -1;
	rest = (struct cda_span){text.data, text.len};
	for (int number = 1; cda_span_line(&rest, &line); number++) {
		key_value(line, &key, &value);
		if (policy_line(key, value, ret) == 0)
			continue;
		cda_say("'%s' line %d: expected 'account NAME' or 'packages allow|deny'",
			CDA_POLICY, number);
		return -1;
	}
	return 0;
}

int cda_record_load(const struct cda_policy *policy, struct cda_record *ret)
{
	char data[1024];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	struct cda_span rest, line, key, value;
	int rc;

	*ret = (struct cda_record){.image_uid = 0};
	cda_put(ret->name, sizeof(ret->name), "%s", policy->account);
	cda_put(ret->home, sizeof(ret->home), "/home/%s", policy->account);
	rc = read_roots(CDA_STATE "/account", &text);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return -1;
	rest = (struct cda_span){text.data, text.len};
	while (cda_span_line(&rest, &line)) {
		key_value(line, &key, &value);
		if ((cda_span_is(key, "name") &&
		     cda_span_copy(value, ret->name, sizeof(ret->name)) == 0 &&
		     cda_name_valid(ret->name)) ||
		    (cda_span_is(key, "next") &&
		     cda_span_copy(value, ret->next, sizeof(ret->next)) == 0 &&
		     cda_name_valid(ret->next)) ||
		    (cda_span_is(key, "home") &&
		     cda_span_copy(value, ret->home, sizeof(ret->home)) == 0 &&
		     ret->home[0] == '/') ||
		    (cda_span_is(key, "image_uid") && cda_id_parse(value, &ret->image_uid)))
			continue;
		cda_say("'%s' does not parse", CDA_STATE "/account");
		return -1;
	}
	return 1;
}

int cda_record_save(const struct cda_record *record)
{
	static const struct stat like = {.st_mode = 0644};
	char data[1024];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	int rc, dirfd;

	if (cda_put(data, sizeof(data), "name %s\nhome %s\nimage_uid %lu\n%s%s%s", record->name,
		    record->home, (unsigned long)record->image_uid,
		    record->next[0] != '\0' ? "next " : "", record->next,
		    record->next[0] != '\0' ? "\n" : "") < 0)
		return -EFBIG;
	text.len = strlen(data);
	dirfd = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dirfd < 0)
		return -errno;
	rc = cda_file_replace(dirfd, "account", &text, &like);
	close(dirfd);
	return rc;
}
