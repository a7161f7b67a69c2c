/* policy.h - what root allows the helper to do, and what the helper keeps for its next run. */
#ifndef CDA_RUNTIME_POLICY_H
#define CDA_RUNTIME_POLICY_H

#include "accounts.h"
#include "settings.h"

enum cda_when { CDA_NEVER, CDA_FIRST, CDA_START };

struct cda_policy {
	char account[CDA_NAME_MAX]; /* the one account that may be given away */
	enum cda_when packages;     /* when lists of OS packages are installed */
	bool reown;                 /* CONDENSE_REOWN is obeyed */
	bool recommends;            /* with what they recommend */
	/* Words with a blank between them; empty: any. */
	char users[512];                   /* uids, or ranges of them, whose lists are installed */
	char lists[1024];                  /* paths of lists */
	char names[2048];                  /* packages; a '*' at the end stands for any rest */
	struct cda_setting_texts settings; /* mirror, proxy, ca, offline; all valid */
	bool settings_fixed;               /* the start's environment has no say in them */
};

/* Read CDA_POLICY; a missing file means the defaults. Returns 0, or -1 with a message if it is
 * not root's alone or holds an unknown line. */
int cda_policy_load(struct cda_policy *ret);
/* The same from its text. */
int cda_policy_parse(const struct cda_text *text, struct cda_policy *ret);

bool cda_policy_user(const struct cda_policy *policy, uint32_t uid);
bool cda_policy_list(const struct cda_policy *policy, const char *path);
bool cda_policy_name(const struct cda_policy *policy, const char *name);

/* What earlier runs made of the account: its present name, the folder that is its home, and the
 * uid that it came with. next is the name that a run was giving it; not empty after that run means
 * that it did not get to the end, and any file may have either name. */
struct cda_record {
	char name[CDA_NAME_MAX], next[CDA_NAME_MAX], home[CDA_HOME_MAX];
	uint32_t image_uid;
	uint32_t was_uid; /* the owner before the last change, if another than that one; else 0 */
};

/* Without a record: the account as the policy names it, with /home/NAME. Returns 1 if there was a
 * record, 0 if there was none, -1 with a message if it is not root's or does not parse. */
int cda_record_load(const struct cda_policy *policy, struct cda_record *ret);
/* Change *ret to what the text of a record says. Returns 0, or -1 if it does not parse. */
int cda_record_parse(const struct cda_text *text, struct cda_record *ret);
/* Returns 0 or a negative errno. */
int cda_record_save(const struct cda_record *record);

#endif
