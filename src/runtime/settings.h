/* settings.h - mirror, proxy, certificates, offline: one setting each, for apt, apk, conda and pip.
 *
 * The environment of the start (CONDENSE_MIRROR, CONDENSE_PROXY, CONDENSE_CA, CONDENSE_OFFLINE)
 * wins over the lines of the policy (mirror, proxy, ca, offline), unless that says
 * 'settings policy'. An empty value counts as not given; 'none' (offline: 'no') undoes the
 * policy's. No heap. */
#ifndef CDA_RUNTIME_SETTINGS_H
#define CDA_RUNTIME_SETTINGS_H

#include "address.h"

#include <limits.h>

enum cda_setting { CDA_MIRROR, CDA_PROXY, CDA_CA, CDA_OFFLINE, CDA_SETTINGS };

/* What a mirror serves; cda_mirror_names has the words. A mirror of one URL serves each kind in a
 * folder of that name: BASE/debian, BASE/debian-security, BASE/alpine, BASE/conda (channels by
 * their names), BASE/pypi/simple. KIND=URL names one in full. */
enum cda_mirror { CDA_DEBIAN, CDA_DEBIAN_SECURITY, CDA_ALPINE, CDA_CONDA, CDA_PYPI, CDA_MIRRORS };
extern const char *const cda_mirror_names[CDA_MIRRORS];

enum cda_origin { CDA_UNSET, CDA_FROM_ENVIRONMENT, CDA_FROM_POLICY };

/* As they are written: "" is not given. */
enum { CDA_SETTING_MAX = 2048 };
struct cda_setting_texts {
	char value[CDA_SETTINGS][CDA_SETTING_MAX];
};

struct cda_settings {
	char mirror[CDA_MIRRORS][CDA_ADDRESS_MAX]; /* without a '/' at the end; "": none */
	char proxy[CDA_ADDRESS_MAX];               /* for http and https alike; "": none */
	char ca[PATH_MAX];                         /* PEM file with certificates; "": none */
	bool offline;
	enum cda_origin from[CDA_SETTINGS];
};

struct cda_policy;

/* The four variables, "CONDENSE_MIRROR" and so on, and the policy's words for them. */
extern const char *const cda_setting_variables[CDA_SETTINGS];
extern const char *const cda_setting_words[CDA_SETTINGS];

/* Copy the four variables out of the environment. Returns 0, or -1 with a message if one is too
 * long for any setting. */
int cda_settings_environment(struct cda_setting_texts *ret);

/* Is the text a value of that setting? Returns NULL, or what is wrong with it, for a message that
 * does not repeat the value. On success *ret has it, and its origin is as given. */
const char *cda_setting_parse(enum cda_setting setting, const char *text, enum cda_origin origin,
			      struct cda_settings *ret);

/* Returns 0, or -1 with a message. environment may be NULL; the policy's values are valid already.
 */
int cda_settings_load(const struct cda_policy *policy, const struct cda_setting_texts *environment,
		      struct cda_settings *ret);

/* True if any of mirror, proxy and certificate is what the environment says. */
bool cda_settings_foreign(const struct cda_settings *settings);

#endif
