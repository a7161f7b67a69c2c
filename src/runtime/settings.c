#include "settings.h"

#include "policy.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

const char *const cda_mirror_names[CDA_MIRRORS] = {"debian", "debian-security", "alpine", "conda",
						   "pypi"};
const char *const cda_setting_variables[CDA_SETTINGS] = {"CONDENSE_MIRROR", "CONDENSE_PROXY",
							 "CONDENSE_CA", "CONDENSE_OFFLINE"};
const char *const cda_setting_words[CDA_SETTINGS] = {"mirror", "proxy", "ca", "offline"};

/* What a base has for the kind. */
static const char *const folders[CDA_MIRRORS] = {"debian", "debian-security", "alpine", "conda",
						 "pypi/simple"};

int cda_settings_environment(struct cda_setting_texts *ret)
{
	for (int i = 0; i < CDA_SETTINGS; i++) {
		const char *value = getenv(cda_setting_variables[i]);

		if (cda_put(ret->value[i], sizeof(ret->value[i]), "%s",
			    value != NULL ? value : "") == 0)
			continue;
		cda_say("'%s' is refused: it is too long", cda_setting_variables[i]);
		return -1;
	}
	return 0;
}

static struct cda_span without_slashes(struct cda_span url)
{
	while (url.len > 0 && url.p[url.len - 1] == '/')
		url.len--;
	return url;
}

/* URL, or KIND=URL. */
static const char *mirror_word(struct cda_span word, char mirror[CDA_MIRRORS][CDA_ADDRESS_MAX],
			       bool named[CDA_MIRRORS], bool *base)
{
	const char *equal = memchr(word.p, '=', word.len), *wrong;
	size_t name = equal != NULL ? (size_t)(equal - word.p) : 0;
	struct cda_span url = word;
	struct cda_address address;
	int only = -1;

	if (equal != NULL && memchr(word.p, ':', name) == NULL) {
		for (int i = 0; i < CDA_MIRRORS && only < 0; i++) {
			if (cda_span_is((struct cda_span){word.p, name}, cda_mirror_names[i]))
				only = i;
		}
		if (only < 0)
			return "expected URL, debian=URL, debian-security=URL, alpine=URL, "
			       "conda=URL or pypi=URL";
		url = (struct cda_span){equal + 1, word.len - name - 1};
	}
	wrong = cda_address_parse(url, CDA_HTTP | CDA_HTTPS | CDA_FILE, &address);
	if (wrong != NULL)
		return wrong;
	if (only < 0 ? *base : named[only])
		return "it says the same thing twice";
	url = without_slashes(url);
	if (cda_address_parse(url, address.scheme, &address) != NULL)
		return "expected file:///PATH";
	for (int i = 0; i < CDA_MIRRORS; i++) {
		if (only < 0 ? named[i] : i != only)
			continue;
		if (cda_put(mirror[i], sizeof(mirror[i]), "%.*s%s%s", (int)url.len, url.p,
			    only < 0 ? "/" : "", only < 0 ? folders[i] : "") < 0)
			return "it is too long";
	}
	if (only < 0)
		*base = true;
	else
		named[only] = true;
	return NULL;
}

static const char *parse_mirror(struct cda_span text, struct cda_settings *ret)
{
	char mirror[CDA_MIRRORS][CDA_ADDRESS_MAX] = {""};
	bool named[CDA_MIRRORS] = {false}, base = false, any = false;
	struct cda_span word;

	if (!cda_span_is(text, "none")) {
		while (cda_span_word(&text, &word)) {
			const char *wrong = mirror_word(word, mirror, named, &base);

			if (wrong != NULL)
				return wrong;
			any = true;
		}
		if (!any)
			return "it is empty";
	}
	memcpy(ret->mirror, mirror, sizeof(mirror));
	return NULL;
}

static const char *parse_proxy(struct cda_span text, struct cda_settings *ret)
{
	struct cda_address address;
	const char *wrong;

	if (cda_span_is(text, "none")) {
		ret->proxy[0] = '\0';
		return NULL;
	}
	/* apk speaks plain HTTP to a proxy; what goes through it is still end to end. */
	wrong = cda_address_parse(text, CDA_HTTP, &address);
	if (wrong != NULL)
		return strncmp(text.p, "https://", 8) == 0
			       ? "a proxy is spoken to by http://, whatever goes through it"
			       : "expected http://HOST:PORT, perhaps with a user and a password";
	if (address.path.len > 1)
		return "a proxy has no path";
	return cda_span_copy(without_slashes(text), ret->proxy, sizeof(ret->proxy)) == 0
		       ? NULL
		       : "it is too long";
}

static const char *parse_ca(struct cda_span text, struct cda_settings *ret)
{
	if (cda_span_is(text, "none")) {
		ret->ca[0] = '\0';
		return NULL;
	}
	if (text.p[0] != '/')
		return "expected the path of a PEM file, from '/'";
	return cda_span_copy(text, ret->ca, sizeof(ret->ca)) == 0 ? NULL : "it is too long";
}

static const char *parse_offline(struct cda_span text, struct cda_settings *ret)
{
	static const struct {
		const char *word;
		bool offline;
	} words[] = {{"yes", true}, {"1", true},  {"true", true},
		     {"no", false}, {"0", false}, {"false", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (cda_span_is(text, words[i].word)) {
			ret->offline = words[i].offline;
			return NULL;
		}
	}
	return "expected yes or no";
}

const char *cda_setting_parse(enum cda_setting setting, const char *text, enum cda_origin origin,
			      struct cda_settings *ret)
{
	static const char *(*const parsers[CDA_SETTINGS])(
		struct cda_span, struct cda_settings *) = {parse_mirror, parse_proxy, parse_ca,
							   parse_offline};
	struct cda_span span = {text, strlen(text)};
	const char *wrong;

	for (size_t i = 0; i < span.len; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] == 0x7f)
			return "it holds a control character";
	}
	if (span.len == 0)
		return "it is empty";
	wrong = parsers[setting](span, ret);
	if (wrong == NULL)
		ret->from[setting] = origin;
	return wrong;
}

int cda_settings_load(const struct cda_policy *policy, const struct cda_setting_texts *environment,
		      struct cda_settings *ret)
{
	*ret = (struct cda_settings){.offline = false};
	for (enum cda_setting i = CDA_MIRROR; i < CDA_SETTINGS; i++) {
		const char *own = policy->settings.value[i];
		const char *given = environment != NULL ? environment->value[i] : "";
		const char *wrong = NULL;

		if (given[0] != '\0' && !policy->settings_fixed) {
			wrong = cda_setting_parse(i, given, CDA_FROM_ENVIRONMENT, ret);
			if (wrong != NULL) {
				cda_say("'%s' is refused: %s", cda_setting_variables[i], wrong);
				return -1;
			}
		} else if (own[0] != '\0') {
			wrong = cda_setting_parse(i, own, CDA_FROM_POLICY, ret);
			if (wrong != NULL) {
				cda_say("'%s' of the policy is refused: %s", cda_setting_words[i],
					wrong);
				return -1;
			}
		}
	}
	return 0;
}

bool cda_settings_foreign(const struct cda_settings *settings)
{
	return settings->from[CDA_MIRROR] == CDA_FROM_ENVIRONMENT ||
	       settings->from[CDA_PROXY] == CDA_FROM_ENVIRONMENT ||
	       settings->from[CDA_CA] == CDA_FROM_ENVIRONMENT;
}
