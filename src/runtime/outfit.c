#include "outfit.h"

#include "paths.h"
#include "pem.h"
#include "policy.h"
#include "say.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static struct cda_settings settings;
static struct cda_policy policy;
static char own_data[CDA_PEM_MAX], bundle_data[2 * CDA_PEM_MAX], bundle_path[PATH_MAX];
static struct cda_text own = {.data = own_data, .cap = sizeof(own_data)};

static int load(void)
{
	static struct cda_setting_texts environment;

	/* A policy that the caller may not read is for /startup alone. */
	if (access(CDA_POLICY, R_OK) != 0 && errno == EACCES)
		(void)cda_policy_parse(&(struct cda_text){.len = 0}, &policy);
	else if (cda_policy_load(&policy) != 0)
		return CDA_EXIT_REFUSED;
	if (cda_settings_environment(&environment) != 0 ||
	    cda_settings_load(&policy, &environment, &settings) != 0)
		return CDA_EXIT_REFUSED;
	for (int i = 0; i < CDA_SETTINGS && policy.settings_fixed; i++) {
		if (environment.value[i][0] != '\0')
			cda_say("'%s' has no effect: '%s' says 'settings policy'",
				cda_setting_variables[i], CDA_POLICY);
	}
	if (settings.ca[0] != '\0' &&
	    cda_pem_load(settings.from[CDA_CA] == CDA_FROM_POLICY ? "'ca' of the policy"
								  : "'CONDENSE_CA'",
			 settings.ca, &own) != 0)
		return CDA_EXIT_REFUSED;
	return 0;
}

int cda_outfit_load(void)
{
	int status = load();

	/* A start that goes on all the same does so without any. */
	if (status != 0)
		settings = (struct cda_settings){.offline = false};
	return status;
}

/* Set both spellings unless the caller set one. */
static void set_pair(const char *lower, const char *upper, const char *value)
{
	if (getenv(lower) != NULL || getenv(upper) != NULL)
		return;
	setenv(lower, value, 1);
	setenv(upper, value, 1);
}

/* Is the word in the list, whose words end at one of the separators? */
static bool has_word(const char *list, const char *word, const char *separators)
{
	while (*list != '\0') {
		size_t len = strcspn(list, separators);

		if (len == strlen(word) && strncmp(list, word, len) == 0)
			return true;
		list += len;
		list += strspn(list, separators);
	}
	return false;
}

/* What is on this machine is never asked for by way of a proxy. */
static void set_no_proxy(void)
{
	static const char *const local[] = {"localhost", "127.0.0.1", "::1"};
	static char value[8192];
	const char *given = getenv("no_proxy");

	if (given == NULL)
		given = getenv("NO_PROXY");
	if (given != NULL && (strcmp(given, "*") == 0 || strlen(given) > sizeof(value) - 64))
		return;
	cda_put(value, sizeof(value), "%s", given != NULL ? given : "");
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
		size_t len = strlen(value);

		if (!has_word(value, local[i], ", "))
			cda_put(value + len, sizeof(value) - len, "%s%s", len > 0 ? "," : "",
				local[i]);
	}
	setenv("no_proxy", value, 1);
	setenv("NO_PROXY", value, 1);
}

/* pip does not talk to an index without TLS unless its host is named to it. */
static void trust_index(const char *url)
{
	static char value[4096];
	const char *given = getenv("PIP_TRUSTED_HOST");
	struct cda_address address;
	char host[CDA_ADDRESS_MAX];

	if (cda_address_parse((struct cda_span){url, strlen(url)}, CDA_HTTP, &address) != NULL)
		return;
	cda_put(host, sizeof(host), "%.*s%s%.*s", (int)address.host.len, address.host.p,
		address.port.len > 0 ? ":" : "", (int)address.port.len, address.port.p);
	if (given != NULL && has_word(given, host, " \t\n"))
		return;
	if (cda_put(value, sizeof(value), "%s%s%s", given != NULL ? given : "",
		    given != NULL ? " " : "", host) == 0)
		setenv("PIP_TRUSTED_HOST", value, 1);
}

static bool is_file(const char *url)
{
	return url != NULL && strncmp(url, "file:", 5) == 0;
}

static void set_mirror(void)
{
	const char *conda = settings.mirror[CDA_CONDA], *pypi = settings.mirror[CDA_PYPI];

	if (conda[0] != '\0')
		setenv("CONDA_CHANNEL_ALIAS", conda, 0);
	if (pypi[0] == '\0' || getenv("PIP_INDEX_URL") != NULL)
		return;
	setenv("PIP_INDEX_URL", pypi, 1);
	trust_index(pypi);
}

static int read_whole(const char *path, struct cda_text *text)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	rc = cda_file_read(fd, text);
	close(fd);
	return rc;
}

static int write_bundle(const struct cda_text *text)
{
	const char *const folders[] = {"/tmp", getenv("HOME"), "/dev/shm"};
	int rc = -EACCES;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		int fd;

		if (folders[i] == NULL || folders[i][0] != '/' ||
		    cda_put(bundle_path, sizeof(bundle_path), "%s/.condense-ca.XXXXXX",
			    folders[i]) < 0)
			continue;
		fd = mkostemp(bundle_path, O_CLOEXEC);
		if (fd < 0)
			continue;
		rc = cda_file_write(fd, text->data, text->len);
		if (rc == 0 && fchmod(fd, 0644) != 0)
			rc = -errno;
		if (close(fd) != 0 && rc == 0)
			rc = -errno;
		if (rc == 0)
			return 0;
		unlink(bundle_path);
	}
	bundle_path[0] = '\0';
	return rc;
}

/* Programs take one file, which stands in the place of the authorities that they know. */
static int set_ca(void)
{
	static const char *const variables[] = {"SSL_CERT_FILE",    "REQUESTS_CA_BUNDLE",
						"CURL_CA_BUNDLE",   "PIP_CERT",
						"CONDA_SSL_VERIFY", "GIT_SSL_CAINFO"};
	static const char *const known[] = {CDA_AUTHORITIES, CDA_PREFIX "/ssl/cacert.pem"};
	struct cda_text bundle = {.data = bundle_data, .cap = sizeof(bundle_data)};
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && rc != 0; i++) {
		bundle.len = 0;
		rc = read_whole(known[i], &bundle);
	}
	if (rc != 0)
		bundle.len = 0;
	else if (bundle.len > 0 && bundle.data[bundle.len - 1] != '\n')
		cda_text_add_str(&bundle, "\n");
	cda_text_add(&bundle, own.data, own.len);
	rc = bundle.full ? -EFBIG : write_bundle(&bundle);
	if (rc < 0) {
		cda_say("'%s' has no effect: nowhere to put a file of certificates: %s",
			settings.ca, strerror(-rc));
		return CDA_EXIT_FAILED;
	}
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		setenv(variables[i], bundle_path, 0);
	return 0;
}

int cda_outfit_wear(void)
{
	if (settings.proxy[0] != '\0') {
		set_pair("http_proxy", "HTTP_PROXY", settings.proxy);
		set_pair("https_proxy", "HTTPS_PROXY", settings.proxy);
		set_no_proxy();
	}
	set_mirror();
	if (settings.offline) {
		setenv("CONDA_OFFLINE", "true", 0);
		if (!is_file(getenv("PIP_INDEX_URL")))
			setenv("PIP_NO_INDEX", "1", 0);
	}
	return settings.ca[0] != '\0' ? set_ca() : 0;
}

static const struct {
	const char *variable, *path;
} secrets[] = {{"NETRC", CDA_SECRETS "/netrc"},
	       {"PIP_CONFIG_FILE", CDA_SECRETS "/pip.conf"},
	       {"CONDARC", CDA_SECRETS "/condarc"}};

char *const *cda_outfit_stage(void)
{
	enum { SECRETS = sizeof(secrets) / sizeof(*secrets) };
	static char words[SECRETS][64], **all;
	static bool told;
	size_t count = 0;

	while (environ[count] != NULL)
		count++;
	free(all);
	all = calloc(count + SECRETS + 1, sizeof(*all));
	if (all == NULL)
		return environ;
	memcpy(all, environ, count * sizeof(*all));
	for (size_t i = 0; i < SECRETS; i++) {
		if (getenv(secrets[i].variable) != NULL || access(secrets[i].path, F_OK) != 0)
			continue;
		if (access(secrets[i].path, R_OK) == 0) {
			cda_put(words[i], sizeof(words[i]), "%s=%s", secrets[i].variable,
				secrets[i].path);
			all[count++] = words[i];
		} else if (!told) {
			cda_say("'%s' is not used: uid %lu may not read it; in a build, say "
				"'uid=%lu' where the secret is mounted",
				secrets[i].path, (unsigned long)getuid(), (unsigned long)getuid());
		}
	}
	told = true;
	return all;
}

/* A URL of another machine; of indexes there are none for pip when it is offline. */
static bool needs_network(struct cda_span line)
{
	static const char *const indexes[] = {"-i", "--index-url", "--extra-index-url"};
	const char *at;

	while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
		line.p++;
		line.len--;
	}
	at = memmem(line.p, line.len, "://", 3);
	if (at == NULL || memchr(line.p, '#', (size_t)(at - line.p)) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++) {
		size_t len = strlen(indexes[i]);

		if (line.len > len && memcmp(line.p, indexes[i], len) == 0 &&
		    (line.p[len] == ' ' || line.p[len] == '='))
			return false;
	}
	return at - line.p < 4 || memcmp(at - 4, "file", 4) != 0;
}

int cda_outfit_check_urls(const char *path, const struct cda_text *list)
{
	struct cda_span rest = {list->data, list->len}, line;

	for (int number = 1; settings.offline && cda_span_line(&rest, &line); number++) {
		if (!needs_network(line))
			continue;
		cda_say("'%s' line %d: it needs the network", path, number);
		return -1;
	}
	return 0;
}

void cda_outfit_explain(void)
{
	if (settings.offline)
		cda_say("the start is offline, as '%s' says: only what is on this machine is "
			"installed",
			settings.from[CDA_OFFLINE] == CDA_FROM_POLICY
				? CDA_POLICY
				: cda_setting_variables[CDA_OFFLINE]);
}

void cda_outfit_drop(void)
{
	if (bundle_path[0] != '\0')
		unlink(bundle_path);
}

const char *cda_outfit_leftover(void)
{
	return bundle_path;
}
