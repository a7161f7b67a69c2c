#include "runtime/pem.h"
#include "probe.h"
#include "runtime/say.h"

#include <string.h>
#include <unistd.h>

static const enum cda_part SETTINGS = CDA_PART_SETTINGS;

static const char *origin(enum cda_origin from, enum cda_setting setting, char buf[64])
{
	cda_put(buf, 64, "%s",
		from == CDA_FROM_POLICY ? "of the policy" : cda_setting_variables[setting]);
	return buf;
}

static void mirrors(struct cda_case *c)
{
	char from[64], show[CDA_ADDRESS_MAX];

	for (int i = 0; i < CDA_MIRRORS; i++) {
		bool debian = i == CDA_DEBIAN || i == CDA_DEBIAN_SECURITY;

		if (c->settings.mirror[i][0] == '\0' ||
		    (debian && !cda_probe_is_debian(c->world)) ||
		    (i == CDA_ALPINE && cda_probe_is_debian(c->world)))
			continue;
		cda_address_show(c->settings.mirror[i], show, sizeof(show));
		cda_report_add(c->report, SETTINGS, "mirror", CDA_OK, "mirror for %s: %s (%s)",
			       cda_mirror_names[i], show,
			       origin(c->settings.from[CDA_MIRROR], CDA_MIRROR, from));
		cda_report_about(c->report, cda_mirror_names[i]);
	}
}

static void certificates(struct cda_case *c)
{
	static char data[CDA_PEM_MAX];
	struct cda_text text, copy = {.data = data, .cap = sizeof(data)};
	const char *path = c->settings.ca;
	char from[64];
	int rc, count = 0;

	if (path[0] == '\0')
		return;
	origin(c->settings.from[CDA_CA], CDA_CA, from);
	rc = cda_world_read(c->world, path, &text);
	if (rc == 0) {
		count = cda_pem_copy((struct cda_span){text.data, text.len}, &copy);
		cda_world_free(&text);
	}
	if (rc < 0) {
		cda_report_add(c->report, SETTINGS, "ca", CDA_PROBLEM,
			       "certificates: '%s' (%s) cannot be read: %s", path, from,
			       rc == -EINVAL ? "not a regular file" : strerror(-rc));
		cda_report_todo(c->report,
				"mount the PEM file there, readable for all: -v FILE:%s:ro", path);
	} else if (count <= 0) {
		cda_report_add(
			c->report, SETTINGS, "ca", CDA_PROBLEM,
			"certificates: '%s' (%s) line %d is not of a certificate in PEM form", path,
			from, -count);
		cda_report_todo(c->report,
				"each is from '-----BEGIN CERTIFICATE-----' to "
				"'-----END CERTIFICATE-----'; comments are fine between them");
	} else {
		cda_report_add(c->report, SETTINGS, "ca", CDA_OK, "certificates: %d in '%s' (%s)",
			       count, path, from);
	}
	cda_report_about(c->report, path);
}

static void secret(struct cda_case *c, const char *path)
{
	int rc = cda_world_access(c->world, path, R_OK);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return;
	if (rc == 0) {
		cda_report_add(c->report, SETTINGS, "secret", CDA_OK, "secret: '%s' is there",
			       path);
	} else {
		cda_report_add(c->report, SETTINGS, "secret", CDA_PROBLEM,
			       "secret: '%s' cannot be read by uid %lu: %s", path,
			       (unsigned long)c->world->uid, strerror(-rc));
		cda_report_todo(c->report,
				"give the file to that uid: in compose, uid: and mode: of "
				"the secret; else chown on the host");
	}
	cda_report_about(c->report, path);
}

void cda_probe_settings(struct cda_case *c)
{
	static const char *const secrets[] = {"/run/secrets/netrc", "/run/secrets/pip.conf",
					      "/run/secrets/condarc"};
	static struct cda_setting_texts texts;
	char message[512], from[64], show[CDA_ADDRESS_MAX];
	size_t before = c->report->count;
	int rc;

	for (int i = 0; i < CDA_SETTINGS; i++) {
		const char *value = cda_world_env(c->world, cda_setting_variables[i]);

		texts.value[i][0] = '\0';
		if (value != NULL &&
		    cda_put(texts.value[i], sizeof(texts.value[i]), "%s", value) < 0) {
			cda_report_add(c->report, SETTINGS, "refused", CDA_PROBLEM,
				       "'%s' is refused: it is too long", cda_setting_variables[i]);
			cda_report_todo(c->report, "correct it and start again");
		}
	}
	cda_say_to(message, sizeof(message));
	rc = cda_settings_load(&c->policy, &texts, &c->settings);
	cda_say_to(NULL, 0);
	if (rc != 0) {
		cda_report_add(c->report, SETTINGS, "refused", CDA_PROBLEM, "%s", message);
		cda_report_todo(c->report, "correct it and start again");
		c->settings = (struct cda_settings){.offline = false};
	}
	mirrors(c);
	if (c->settings.proxy[0] != '\0') {
		cda_address_show(c->settings.proxy, show, sizeof(show));
		cda_report_add(c->report, SETTINGS, "proxy", CDA_OK, "proxy: %s (%s)", show,
			       origin(c->settings.from[CDA_PROXY], CDA_PROXY, from));
	}
	certificates(c);
	if (c->settings.offline)
		cda_report_add(c->report, SETTINGS, "offline", CDA_OK, "offline (%s)",
			       origin(c->settings.from[CDA_OFFLINE], CDA_OFFLINE, from));
	if (c->policy.settings_fixed) {
		cda_report_add(c->report, SETTINGS, "fixed", CDA_OK,
			       "the policy alone says mirror, proxy, certificates and offline");
		for (int i = 0; i < CDA_SETTINGS; i++) {
			if (texts.value[i][0] == '\0')
				continue;
			cda_report_add(
				c->report, SETTINGS, "ignored", CDA_NOTE,
				"'%s' has no effect: '/etc/condense/policy' says 'settings policy'",
				cda_setting_variables[i]);
			cda_report_about(c->report, cda_setting_variables[i]);
		}
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		secret(c, secrets[i]);
	if (c->report->count == before)
		cda_report_add(c->report, SETTINGS, "none", CDA_OK,
			       "no mirror, proxy, certificate or secret is set: each program's own "
			       "defaults hold");
}
