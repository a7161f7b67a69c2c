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

/* UID or FIRST-LAST. */
static bool range(struct cda_span word, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *dash = memchr(word.p, '-', word.len);
	size_t len = dash != NULL ? (size_t)(dash - word.p) : word.len;

	if (!cda_id_parse((struct cda_span){word.p, len}, ret_first))
		return false;
	*ret_last = *ret_first;
	return dash == NULL ||
	       (cda_id_parse((struct cda_span){dash + 1, word.len - len - 1}, ret_last) &&
		*ret_first <= *ret_last);
}

static bool is_range(struct cda_span word)
{
	uint32_t first, last;

	return range(word, &first, &last);
}

static bool is_path(struct cda_span word)
{
	return word.p[0] == '/';
}

/* As apt and apk name packages; '*' at the end only. */
static bool is_pattern(struct cda_span word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-' || c == '_';

		if (!plain && !(c == '*' && i + 1 == word.len))
			return false;
	}
	return true;
}

/* Add the words of a line, each of which must be valid, to what earlier lines said. */
static int add_words(struct cda_span value, bool (*valid)(struct cda_span), char *words, size_t cap)
{
	size_t len = strlen(words);
	struct cda_span word;

	if (value.len == 0 || memchr(value.p, '\0', value.len) != NULL)
		return -1;
	while (cda_span_word(&value, &word)) {
		if (!valid(word) || len + word.len + 2 > cap)
			return -1;
		if (len > 0)
			words[len++] = ' ';
		memcpy(words + len, word.p, word.len);
		len += word.len;
		words[len] = '\0';
	}
	return 0;
}

/* Returns 0, -1, or 1 if the key is none of the settings' words. *ret_wrong: why a value is none.
 */
static int setting_line(struct cda_span key, struct cda_span value, struct cda_policy *policy,
			const char **ret_wrong)
{
	static struct cda_settings checked;

	if (cda_span_is(key, "settings")) {
		policy->settings_fixed = cda_span_is(value, "policy");
		return policy->settings_fixed || cda_span_is(value, "start") ? 0 : -1;
	}
	for (enum cda_setting i = CDA_MIRROR; i < CDA_SETTINGS; i++) {
		char *text = policy->settings.value[i];

		if (!cda_span_is(key, cda_setting_words[i]))
			continue;
		*ret_wrong = cda_span_copy(value, text, CDA_SETTING_MAX) != 0
				     ? "it is too long"
				     : cda_setting_parse(i, text, CDA_FROM_POLICY, &checked);
		return *ret_wrong == NULL ? 0 : -1;
	}
	return 1;
}

static int yes_or_no(struct cda_span value, bool *ret)
{
	*ret = cda_span_is(value, "yes");
	return *ret || cda_span_is(value, "no") ? 0 : -1;
}

static int policy_line(struct cda_span key, struct cda_span value, struct cda_policy *policy,
		       const char **ret_wrong)
{
	static const struct {
		const char *word;
		enum cda_when when;
	} times[] = {{"start", CDA_START},
		     {"first", CDA_FIRST},
		     {"never", CDA_NEVER},
		     {"allow", CDA_START},
		     {"deny", CDA_NEVER}};

	int rc = setting_line(key, value, policy, ret_wrong);

	if (key.len == 0 || rc == 0)
		return 0;
	if (rc < 0)
		return -1;
	if (cda_span_is(key, "account"))
		return cda_span_copy(value, policy->account, sizeof(policy->account)) == 0 &&
				       cda_name_valid(policy->account) &&
				       strcmp(policy->account, "root") != 0
			       ? 0
			       : -1;
	if (cda_span_is(key, "users"))
		return add_words(value, is_range, policy->users, sizeof(policy->users));
	if (cda_span_is(key, "lists"))
		return add_words(value, is_path, policy->lists, sizeof(policy->lists));
	if (cda_span_is(key, "names"))
		return add_words(value, is_pattern, policy->names, sizeof(policy->names));
	if (cda_span_is(key, "reown"))
		return yes_or_no(value, &policy->reown);
	if (cda_span_is(key, "recommends"))
		return yes_or_no(value, &policy->recommends);
	if (!cda_span_is(key, "packages"))
		return -1;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		if (cda_span_is(value, times[i].word)) {
			policy->packages = times[i].when;
			return 0;
		}
	}
	return -1;
}

int cda_policy_parse(const struct cda_text *text, struct cda_policy *ret)
{
	struct cda_span rest = {text->data, text->len}, line, key, value;

	*ret = (struct cda_policy){
		.account = CDA_IMAGE_ACCOUNT, .packages = CDA_START, .reown = true};
	for (int number = 1; cda_span_line(&rest, &line); number++) {
		const char *wrong = NULL;

		key_value(line, &key, &value);
		if (policy_line(key, value, ret, &wrong) == 0)
			continue;
		if (wrong != NULL) {
			cda_say("'%s' line %d: '%.*s' is refused: %s", CDA_POLICY, number,
				(int)key.len, key.p, wrong);
			return -1;
		}
		cda_say("'%s' line %d: expected 'account NAME', 'packages start|first|never', "
			"'recommends yes|no', 'users UID...', 'lists PATH...', 'names NAME...', "
			"'mirror URL', 'proxy URL', 'ca PATH', 'offline yes|no', 'settings "
			"start|policy' or 'reown yes|no'",
			CDA_POLICY, number);
		return -1;
	}
	return 0;
}

int cda_policy_load(struct cda_policy *ret)
{
	static char data[16384];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	int rc = read_roots(CDA_POLICY, &text);

	if (rc < 0 && rc != -ENOENT)
		return -1;
	return cda_policy_parse(&text, ret);
}

bool cda_policy_user(const struct cda_policy *policy, uint32_t uid)
{
	struct cda_span rest = {policy->users, strlen(policy->users)}, word;
	uint32_t first, last;

	if (rest.len == 0)
		return true;
	while (cda_span_word(&rest, &word)) {
		if (range(word, &first, &last) && first <= uid && uid <= last)
			return true;
	}
	return false;
}

bool cda_policy_list(const struct cda_policy *policy, const char *path)
{
	struct cda_span rest = {policy->lists, strlen(policy->lists)}, word;

	if (rest.len == 0)
		return true;
	while (cda_span_word(&rest, &word)) {
		if (cda_span_is(word, path))
			return true;
	}
	return false;
}

bool cda_policy_name(const struct cda_policy *policy, const char *name)
{
	struct cda_span rest = {policy->names, strlen(policy->names)}, word;

	if (rest.len == 0)
		return true;
	while (cda_span_word(&rest, &word)) {
		bool open = word.p[word.len - 1] == '*';

		if (open ? strncmp(name, word.p, word.len - 1) == 0 : cda_span_is(word, name))
			return true;
	}
	return false;
}

int cda_record_parse(const struct cda_text *text, struct cda_record *ret)
{
	struct cda_span rest, line, key, value;

	rest = (struct cda_span){text->data, text->len};
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
		    (cda_span_is(key, "image_uid") && cda_id_parse(value, &ret->image_uid)) ||
		    (cda_span_is(key, "was_uid") && cda_id_parse(value, &ret->was_uid)))
			continue;
		return -1;
	}
	return 0;
}

int cda_record_load(const struct cda_policy *policy, struct cda_record *ret)
{
	char data[1024];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	int rc;

	*ret = (struct cda_record){.image_uid = 0};
	cda_put(ret->name, sizeof(ret->name), "%s", policy->account);
	cda_put(ret->home, sizeof(ret->home), "/home/%s", policy->account);
	rc = read_roots(CDA_STATE "/account", &text);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return -1;
	if (cda_record_parse(&text, ret) == 0)
		return 1;
	cda_say("'%s' does not parse", CDA_STATE "/account");
	return -1;
}

int cda_record_save(const struct cda_record *record)
{
	static const struct stat like = {.st_mode = 0644};
	char data[1024];
	struct cda_text text = {.data = data, .cap = sizeof(data)};
	int rc, dirfd;

	if (cda_put(data, sizeof(data), "name %s\nhome %s\nimage_uid %lu\nwas_uid %lu\n%s%s%s",
		    record->name, record->home, (unsigned long)record->image_uid,
		    (unsigned long)record->was_uid, record->next[0] != '\0' ? "next " : "",
		    record->next, record->next[0] != '\0' ? "\n" : "") < 0)
		return -EFBIG;
	text.len = strlen(data);
	dirfd = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dirfd < 0)
		return -errno;
	rc = cda_file_replace(dirfd, "account", &text, &like);
	close(dirfd);
	return rc;
}
