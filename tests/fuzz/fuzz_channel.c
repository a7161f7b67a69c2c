/* A channel's URLs carry credentials only when asked for, and its base URL means the same place. */
#include "fuzz.h"
#include "core/channel.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char url[] = "https://repo.anaconda.com/pkgs/main";
	static char *defaults[] = {url, NULL};
	static const struct cda_channel_config config = {
		.default_channels = {defaults, 1, 2}, .cwd = "/here", .home = "/home"};
	CDA_AUTOFREE char *text = cda_strndup((const char *)p, len), *base = NULL, *str = NULL;
	CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};
	CDA_AUTOSTRV struct cda_strv urls = {0}, secret = {0};
	struct cda_err err = {0};

	if (cda_channel_parse(&config, text, &channel, &err) < 0) {
		HOLDS(err.code == CDA_E_CHANNEL);
		cda_err_done(&err);
		return 0;
	}
	HOLDS(channel.name && channel.canonical_name);
	base = cda_channel_base_url(&channel);
	str = cda_channel_str(&channel);
	HOLDS(str && (!base || cda_starts_with(str, base) || channel.platform));
	HOLDS(cda_channel_urls(&config, &channel, NULL, false, &urls, &err) == 0);
	HOLDS(cda_channel_urls(&config, &channel, NULL, true, &secret, &err) == 0);
	HOLDS(urls.n == secret.n);
	return 0;
}
