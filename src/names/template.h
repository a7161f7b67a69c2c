/* template.h - what root says that a user without an account is called: the text of
 * /etc/condense/names. Lines of a key, a blank and a value; comments begin with '#'. Keys, each at
 * most once: account (which must be there), gecos, home, shell.
 *
 * Pure, and without a C library. */
#ifndef CDA_NAMES_TEMPLATE_H
#define CDA_NAMES_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

enum { CDA_TEMPLATE_MAX = 2048, CDA_OWN_NAME_MAX = 33, CDA_OWN_PATH_MAX = 256 };

struct cda_template {
	char account[CDA_OWN_NAME_MAX], gecos[128];
	char home[CDA_OWN_PATH_MAX], shell[CDA_OWN_PATH_MAX];
};

/* A name that a user may have: a lower-case letter or '_', then up to 31 of a-z 0-9 _ - */
bool cda_own_name_valid(const char *name);
/* A value that a field of passwd can hold: no ':', no control character; cap includes the NUL. */
bool cda_own_field_valid(const char *value, size_t cap);

/* Returns 0, or -1 if anything in the text is not as it should be; *ret is then undefined. */
int cda_template_parse(const char *text, size_t len, struct cda_template *ret);

#endif
