/* channel.h - channels: a name, URL or path to base URL, subdir URLs and canonical name, under a
 * configuration (conda/models/channel.py). Judge: the channel vectors. */
#ifndef CDA_CORE_CHANNEL_H
#define CDA_CORE_CHANNEL_H

#include "util/err.h"
#include "util/vec.h"

#include <stdbool.h>

struct cda_named_urls { /* custom_channels: name -> URL; custom_multichannels: name -> channels */
	const char *name;
	struct cda_strv values;
};
CDA_VEC_DEFINE(cda_named_urlsv, struct cda_named_urls);

/* What names mean; plain values that the configuration fills in. */
struct cda_channel_config {
	const char *channel_alias; /* "https://conda.anaconda.org" */
	struct cda_strv default_channels, migrated_channel_aliases;
	struct cda_strv allowlist_channels, denylist_channels;
	struct cda_named_urlsv custom_channels, custom_multichannels;
	const char *cwd, *home;  /* for relative paths and ~ */
	struct cda_strv subdirs; /* default: native, noarch */
};

struct cda_channel {
	char *scheme, *auth, *token; /* NULL when absent; auth is user:password */
	char *location;              /* host[:port]/path before the name; NULL for multichannels */
	char *name;                  /* "conda-forge", "pkgs/main"; */
	char *canonical_name;
	char *platform; /* subdir named in the text, or NULL */
	char *package_filename;
	struct cda_strv multichannel; /* texts of the members, when it is a multichannel */
	bool is_multi;
};

/* Errors: CDA_E_CHANNEL. The caller owns *ret (cda_channel_done). */
int cda_channel_parse(const struct cda_channel_config *config, const char *text,
		      struct cda_channel *ret, struct cda_err *err) CDA_CHECK;
void cda_channel_done(struct cda_channel *channel);

/* Owned; without credentials; NULL for a multichannel. */
char *cda_channel_base_url(const struct cda_channel *channel);
/* The subdir URLs ("…/linux-64"), of members in order for a multichannel, appended to urls.
 * subdirs NULL: the configuration's. */
int cda_channel_urls(const struct cda_channel_config *config, const struct cda_channel *channel,
		     const struct cda_strv *subdirs, bool with_credentials, struct cda_strv *urls,
		     struct cda_err *err) CDA_CHECK;
char *cda_channel_str(const struct cda_channel *channel); /* owned; as conda prints it */

/* One subdir URL to load, with its place. */
struct cda_channel_url {
	char *url;      /* with credentials; ends in the subdir; owned */
	char *base_url; /* without credentials and subdir; owned */
	char *name;     /* canonical name of its channel; owned */
	char *subdir;   /* owned */
	int priority;   /* 0 = first channel of the request */
};
CDA_VEC_DEFINE(cda_channel_urls, struct cda_channel_url);

/* prioritize_channels: every subdir URL of the channel texts in order, each once. */
int cda_channels_prioritize(const struct cda_channel_config *config,
			    const struct cda_strv *channels, struct cda_channel_urls *ret_urls,
			    struct cda_err *err) CDA_CHECK;
void cda_channel_urls_free_all(struct cda_channel_urls *urls);
/* CDA_E_CHANNEL when the denylist has it or an allowlist lacks it. */
int cda_channel_check_allowed(const struct cda_channel_config *config,
			      const struct cda_channel *channel, struct cda_err *err) CDA_CHECK;

#endif
