/* A setting: what is accepted has nothing in it that could end a line, a word or a quote of the
 * files and variables it goes to. */
#include "fuzz.h"
#include "runtime/settings.h"

#include <string.h>

static void plain(const char *url)
{
	for (; *url != '\0'; url++)
		HOLDS(*url > ' ' && *url < 0x7f && strchr("\"'\\;`$|&<>(){}?#*", *url) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char text[CDA_SETTING_MAX + 1];
	static struct cda_settings settings;
	char shown[CDA_ADDRESS_MAX];

	if (len > CDA_SETTING_MAX)
		return 0;
	memcpy(text, p, len);
	text[len] = '\0';
	for (enum cda_setting i = CDA_MIRROR; i < CDA_SETTINGS; i++) {
		memset(&settings, 0, sizeof(settings));
		if (cda_setting_parse(i, text, CDA_FROM_ENVIRONMENT, &settings) != NULL) {
			HOLDS(settings.from[i] == CDA_UNSET);
			continue;
		}
		HOLDS(settings.from[i] == CDA_FROM_ENVIRONMENT);
		plain(settings.proxy);
		HOLDS(settings.ca[0] == '\0' || settings.ca[0] == '/');
		for (int k = 0; k < CDA_MIRRORS; k++) {
			struct cda_span url = {settings.mirror[k], strlen(settings.mirror[k])};
			struct cda_address address;

			plain(settings.mirror[k]);
			if (url.len == 0)
				continue;
			HOLDS(cda_address_parse(url, CDA_HTTP | CDA_HTTPS | CDA_FILE, &address) ==
			      NULL);
			cda_address_show(settings.mirror[k], shown, sizeof(shown));
			HOLDS(address.user.len == 0 || strlen(shown) < url.len);
		}
	}
	return 0;
}
