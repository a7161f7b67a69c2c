/* sources.h - the addresses in the configuration of apt, apk, conda and pip.
 *
 * Pure: no files. Each reader calls add with what it finds, in order; what does not parse is passed
 * over, as the program itself is the one to complain about it. */
#ifndef CDA_RUNTIME_SOURCES_H
#define CDA_RUNTIME_SOURCES_H

#include "runtime/file.h"

typedef void (*cda_source_fn)(void *ctx, const char *key, struct cda_span value);

/* "deb [options] URL suite..." lines of sources.list(5): key "url". */
void cda_sources_list(struct cda_span text, cda_source_fn add, void *ctx);
/* The URIs of *.sources, stanzas with "Enabled: no" left out: key "url". */
void cda_sources_deb822(struct cda_span text, cda_source_fn add, void *ctx);
/* /etc/apk/repositories: "[@TAG] URL": key "url". */
void cda_sources_apk(struct cda_span text, cda_source_fn add, void *ctx);
/* .condarc: the values of channels, default_channels and channel_alias, with these keys. Of YAML
 * the forms that conda itself writes: lists of "- item" or [item, item], quotes, comments. */
void cda_sources_condarc(struct cda_span text, cda_source_fn add, void *ctx);
/* pip.conf: index-url, extra-index-url (each word), no-index and find-links of [global] and
 * [install], with these keys. */
void cda_sources_pip(struct cda_span text, cda_source_fn add, void *ctx);

/* Where a URL leads; no part of it is a password. */
struct cda_place_of {
	char scheme[8], host[256];
	int port; /* the scheme's own, if the URL has none */
};

/* http, https and socks5 (a proxy's) alone. Returns 0, or -1 for any other text. */
int cda_url_place(struct cda_span url, struct cda_place_of *ret);

/* Does the list of no_proxy ("host,.domain,*") name the host? */
bool cda_no_proxy(const char *list, const char *host);

#endif
