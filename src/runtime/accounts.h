/* accounts.h - the account files as text: strict reading, and the one change that is allowed.
 *
 * Pure: no files, no NSS. A line that does not parse is kept byte for byte and never matches. */
#ifndef CDA_RUNTIME_ACCOUNTS_H
#define CDA_RUNTIME_ACCOUNTS_H

#include "file.h"

enum { CDA_NAME_MAX = 33, CDA_HOME_MAX = 256 };

struct cda_account {
	char name[CDA_NAME_MAX], home[CDA_HOME_MAX];
	uint32_t uid, gid;
};

/* What a rewrite does: the records of old and image become one of name (with uid and home) and,
 * where name is not image, one of image after it, so that both names keep the uid. */
struct cda_change {
	const char *image, *old, *name, *home, *image_home;
	uint32_t uid;
	bool resumed; /* an earlier run did not get to the end: name may be there already */
};

/* A name that the account may take: a lower-case letter or '_', then up to 31 of a-z 0-9 _ - */
bool cda_name_valid(const char *name);
/* Decimal, no sign, no leading zero, 0 to 4294967295. */
bool cda_id_parse(struct cda_span span, uint32_t *ret_id);

/* First record with that name or uid. Returns 0, or -1 if there is none; *ret is then untouched. */
int cda_passwd_name(const struct cda_text *passwd, const char *name, struct cda_account *ret);
int cda_passwd_uid(const struct cda_text *passwd, uint32_t uid, struct cda_account *ret);
/* Does a line of passwd or shadow begin with the name, whether or not it is a record? Others read
 * those files less strictly: such a name is taken. */
bool cda_file_has_name(const struct cda_text *file, const char *name);
/* First record with that uid whose name is none of the two, nor the uid's own number. */
int cda_passwd_other(const struct cda_text *passwd, uint32_t uid, const char *name1,
		     const char *name2, struct cda_account *ret);

/* Write the changed text to out; a second time changes nothing. The new name must be one that the
 * files do not have yet, unless it is old, image or resumed. Lines that are no record of these
 * names stay as they are, byte for byte. Returns 0; -1 if a record is missing or out is full. */
int cda_passwd_change(const struct cda_text *in, const struct cda_change *change,
		      struct cda_text *out);
int cda_shadow_change(const struct cda_text *in, const struct cda_change *change,
		      struct cda_text *out);
/* group and gshadow: the names in the lists of members (and administrators) alone; they go to the
 * end of a list that had one, which loses its empty members. Other lists stay as they are. */
int cda_group_change(const struct cda_text *in, const struct cda_change *change,
		     struct cda_text *out);

/* Does a line of group or gshadow, of any shape, have the name behind its second ':'? */
bool cda_group_has_member(const struct cda_text *group, const char *name);

#endif
