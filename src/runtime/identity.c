#include "identity.h"

#include "life.h"
#include "paths.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

static char in_data[FILE_MAX], out_data[FILE_MAX];

typedef int (*change_fn)(const struct cda_text *in, const struct cda_change *change,
			 struct cda_text *out);

static void wake(int number)
{
	(void)number;
}

/* The lock that passwd, usermod and the others take. Not for ever: a caller may stop its own run of
 * this program while that holds it. */
static int lock_accounts(int etc)
{
	enum { PATIENCE = 10 /* seconds */ };
	const struct sigaction once = {.sa_handler = wake};
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc, fd = openat(etc, ".pwd.lock", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	sigaction(SIGALRM, &once, NULL);
	alarm(PATIENCE);
	rc = fcntl(fd, F_SETLKW, &whole) == 0 ? 0 : errno == EINTR ? -EBUSY : -errno;
	alarm(0);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int read_accounts(int etc, const char *name, struct cda_text *ret, struct stat *ret_st)
{
	int rc, fd = cda_file_open(etc, name, ret_st);

	if (fd < 0)
		return fd;
	*ret = (struct cda_text){.data = in_data, .cap = sizeof(in_data)};
	rc = cda_file_read(fd, ret);
	close(fd);
	return rc;
}

static int change_file(int etc, const char *name, change_fn change, const struct cda_change *to,
		       bool must_exist)
{
	struct cda_text in, out = {.data = out_data, .cap = sizeof(out_data)};
	struct stat st;
	int rc = read_accounts(etc, name, &in, &st);

	if (rc == -ENOENT && !must_exist)
		return 0;
	if (rc == 0 && change(&in, to, &out) != 0)
		rc = -EINVAL;
	if (rc == 0 && out.len == in.len && memcmp(out.data, in.data, in.len) == 0)
		return 0;
	if (rc == 0)
		rc = cda_file_replace(etc, name, &out, &st);
	if (rc < 0)
		cda_say("cannot change '/etc/%s': %s", name,
			rc == -EINVAL ? "it does not hold the image's account" : strerror(-rc));
	return rc;
}

/* passwd last: it is what makes the rest true. */
static int change_all(int etc, const struct cda_change *change, bool names)
{
	if (names && (change_file(etc, "gshadow", cda_group_change, change, false) < 0 ||
		      change_file(etc, "group", cda_group_change, change, false) < 0 ||
		      change_file(etc, "shadow", cda_shadow_change, change, false) < 0))
		return -1;
	return change_file(etc, "passwd", cda_passwd_change, change, true);
}

/* The uid of process 1, or 0 if unknown. */
static uint32_t first_process_uid(void)
{
	struct stat st;

	return stat("/proc/1", &st) == 0 ? st.st_uid : 0;
}

struct state {
	struct cda_account account, other;
	bool other_has_uid;
};

/* A name without an account may still be the member of a group, or have ids of its own set aside:
 * whoever took it would have these. A file that cannot be read may say so. */
static bool is_named(int etc, const char *name)
{
	static const struct {
		const char *file;
		bool (*has)(const struct cda_text *text, const char *name);
	} rows[] = {{"group", cda_group_has_member},
		    {"gshadow", cda_group_has_member},
		    {"shadow", cda_file_has_name},
		    {"subuid", cda_file_has_name},
		    {"subgid", cda_file_has_name}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_text text;
		struct stat st;
		int rc = read_accounts(etc, rows[i].file, &text, &st);

		if (rc != -ENOENT && (rc < 0 || rows[i].has(&text, name)))
			return true;
	}
	return false;
}

/* Look at passwd: who has what. Returns 0 or an exit status, with a message. */
static int look(int etc, const struct cda_policy *policy, const struct cda_identity *id,
		const char *name, const struct cda_record *record, struct state *ret)
{
	struct cda_text passwd;
	struct stat st;
	bool is_new;
	int rc = read_accounts(etc, "passwd", &passwd, &st);

	if (rc < 0) {
		cda_say("cannot read '/etc/passwd': %s", strerror(-rc));
		return CDA_EXIT_CANNOT;
	}
	if (cda_passwd_name(&passwd, record->name, &ret->account) != 0 &&
	    cda_passwd_name(&passwd, policy->account, &ret->account) != 0) {
		cda_say("'/etc/passwd' has no account '%s'", policy->account);
		return CDA_EXIT_CANNOT;
	}
	if (ret->account.uid == 0) {
		cda_say("account '%s' has uid 0: refused", policy->account);
		return CDA_EXIT_REFUSED;
	}
	is_new = strcmp(name, record->name) != 0 && strcmp(name, policy->account) != 0 &&
		 strcmp(name, record->next) != 0;
	if (is_new && cda_file_has_name(&passwd, name)) {
		cda_say("NEW_USER '%s' is the name of another account", name);
		return CDA_EXIT_REFUSED;
	}
	ret->other_has_uid = cda_passwd_other(&passwd, id->uid, record->name, policy->account,
					      &ret->other) == 0 &&
			     strcmp(ret->other.name, record->next) != 0;
	if (is_new && is_named(etc, name)) {
		cda_say("NEW_USER '%s' is a name that a group, '/etc/shadow' or '/etc/subuid' "
			"already "
			"knows",
			name);
		return CDA_EXIT_REFUSED;
	}
	return 0;
}

static int refuse_uid(const struct cda_identity *id, const struct state *state)
{
	uint32_t first = first_process_uid();
	struct cda_life life;

	if (state->other_has_uid) {
		cda_say("uid %lu is the account '%s' of the image, which stays so; '%s' is not "
			"mapped",
			(unsigned long)id->uid, state->other.name, state->account.name);
		return CDA_EXIT_CANNOT;
	}
	if (state->account.uid != id->uid && first != 0 && first != id->uid &&
	    first == state->account.uid) {
		cda_say("account '%s' belongs to uid %lu, for whom this container was started",
			state->account.name, (unsigned long)first);
		return CDA_EXIT_REFUSED;
	}
	cda_life_load(&life);
	if (life.noted && state->account.uid != id->uid &&
	    (life.uid == state->account.uid || life.owner == state->account.uid)) {
		cda_say("account '%s' was given to uid %lu at this start; restart the container to "
			"give it to another",
			state->account.name, (unsigned long)state->account.uid);
		return CDA_EXIT_REFUSED;
	}
	return 0;
}

static int save(const struct cda_record *record)
{
	int rc = cda_record_save(record);

	if (rc < 0)
		cda_say("cannot write '%s': %s", CDA_STATE "/account", strerror(-rc));
	return rc;
}

/* Give the account that name in all files. The record says what is going on meanwhile, so that a
 * kill at any moment can be made up for. */
static int rename_account(int etc, const struct cda_policy *policy, uint32_t uid, const char *name,
			  const char *home, struct cda_record *record)
{
	char image_home[CDA_HOME_MAX];
	const struct cda_change change = {.image = policy->account,
					  .old = record->name,
					  .name = name,
					  .home = home,
					  .image_home = image_home,
					  .uid = uid,
					  .resumed = strcmp(record->next, name) == 0};
	bool names = strcmp(record->name, name) != 0 || record->next[0] != '\0';

	cda_put(image_home, sizeof(image_home), "/home/%s", policy->account);
	if (names) {
		cda_put(record->next, sizeof(record->next), "%s", name);
		if (save(record) < 0)
			return -1;
	}
	if (change_all(etc, &change, names) < 0)
		return -1;
	if (!names)
		return 0;
	cda_put(record->name, sizeof(record->name), "%s", name);
	record->next[0] = '\0';
	return save(record);
}

/* A run was killed while it gave another name than the one wanted now: first to the end with it. */
static int finish_rename(int etc, const struct cda_policy *policy, uint32_t uid,
			 struct cda_record *record)
{
	char name[CDA_NAME_MAX], home[CDA_HOME_MAX];

	cda_put(name, sizeof(name), "%s", record->next);
	cda_put(home, sizeof(home), "/home/%s", name);
	return rename_account(etc, policy, uid, name, home, record);
}

/* The rest of cda_identity_apply, under the lock. On success ret_home holds whose files the home
 * has, and ret_path the home itself; only its uids count then. */
static int apply_locked(int etc, const struct cda_policy *policy, const struct cda_identity *id,
			struct cda_home *ret_home, char ret_path[CDA_HOME_MAX])
{
	struct cda_record record, before;
	struct state state;
	struct cda_home home;
	char path[CDA_HOME_MAX], name[CDA_NAME_MAX];
	const char *wanted;
	int known = cda_record_load(policy, &record), status, home_status;

	if (known < 0)
		return CDA_EXIT_REFUSED;
	wanted = id->new_user != NULL ? id->new_user : record.name;
	if (!cda_name_valid(wanted) || cda_put(name, sizeof(name), "%s", wanted) < 0) {
		cda_say("NEW_USER is not a name for an account: a-z, 0-9, '_' and '-', at most 32");
		return CDA_EXIT_REFUSED;
	}
	status = look(etc, policy, id, name, &record, &state);
	if (status == 0)
		status = refuse_uid(id, &state);
	if (status != 0)
		return status;
	cda_life_claim(id->uid);
	if (known == 0)
		record.image_uid = state.account.uid;
	if (record.next[0] != '\0' && strcmp(record.next, name) != 0 &&
	    finish_rename(etc, policy, id->uid, &record) < 0)
		return CDA_EXIT_CANNOT;
	before = record;
	if (state.account.uid != id->uid && state.account.uid != record.image_uid)
		record.was_uid = state.account.uid;
	home = (struct cda_home){.uid = id->uid,
				 .gid = state.account.gid,
				 .olds = {state.account.uid, record.image_uid, record.was_uid},
				 .name = name,
				 .wanted = id->new_home,
				 .image = policy->account};
	home_status = cda_home_settle(&home, &record, path);
	if (home_status == CDA_EXIT_REFUSED)
		return home_status;
	/* Where the home is and whose it was must be known before passwd forgets it. */
	if ((strcmp(record.home, before.home) != 0 || record.was_uid != before.was_uid ||
	     (known == 0 && state.account.uid != id->uid)) &&
	    save(&record) < 0)
		return CDA_EXIT_CANNOT;
	if (rename_account(etc, policy, id->uid, name, path, &record) < 0)
		return CDA_EXIT_CANNOT;
	*ret_home = (struct cda_home){.uid = home.uid,
				      .gid = home.gid,
				      .olds = {home.olds[0], home.olds[1], home.olds[2]}};
	cda_put(ret_path, CDA_HOME_MAX, "%s", record.home);
	return home_status;
}

int cda_identity_apply(const struct cda_policy *policy, const struct cda_identity *id)
{
	struct cda_home home;
	char path[CDA_HOME_MAX];
	int lock, status, etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (etc < 0) {
		cda_say("cannot open '/etc': %s", strerror(errno));
		return CDA_EXIT_CANNOT;
	}
	lock = lock_accounts(etc);
	if (lock < 0) {
		cda_say("uid %lu cannot be given the account: '/etc/.pwd.lock': %s",
			(unsigned long)id->uid,
			lock == -EBUSY ? "another program holds it" : strerror(-lock));
		close(etc);
		return CDA_EXIT_CANNOT;
	}
	status = apply_locked(etc, policy, id, &home, path);
	close(lock);
	close(etc);
	/* Others need not wait for this: it changes no account, and two of it do no harm. */
	return status == 0 && id->all ? cda_home_reown(&home, path) : status;
}
