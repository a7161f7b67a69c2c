/* channel_urls.c - the subdir URLs of channels, their order, and which channels are allowed. */
#include "core/channel_parse.h"

#include "core/platform.h"
#include "util/str.h"

#include <string.h>

static void add_url(const struct cda_channel *ch, const char *subdir, bool with_credentials,
		    struct cda_strv *urls)
{
	bool token = with_credentials && ch->token, auth = with_credentials && ch->auth;
	CDA_AUTOFREE char *base =
		token ? cda_join_slashes(ch->location, "t", ch->token, ch->name, NULL)
		      : cda_join_slashes(ch->location, ch->name, NULL);
	CDA_AUTOFREE char *full = cda_join_slashes(base, subdir, NULL);

	cda_strv_pushf(urls, "%s://%s%s%s", ch->scheme ? ch->scheme : "https", auth ? ch->auth : "",
		       auth ? "@" : "", full);
}

int cda_channel_urls(const struct cda_channel_config *config, const struct cda_channel *ch,
		     const struct cda_strv *subdirs, bool with_credentials, struct cda_strv *urls,
		     struct cda_err *err)
{
	bool unknown = cda_streq(ch->canonical_name, CDA_CHANNEL_UNKNOWN);
	const struct cda_strv *members = unknown ? &config->default_channels : &ch->multichannel;

	if (ch->is_multi || unknown) {
		for (size_t i = 0; i < members->n; i++) {
			CDA_CLEANUP(cda_channel_done) struct cda_channel member = {0};

			if (cda_channel_member(config, members->v[i], &member, err) < 0)
				return -(int)err->code;
			if (ch->platform)
				cda_replace(&member.platform, cda_strdup(ch->platform));
			if (cda_channel_urls(config, &member, subdirs, with_credentials, urls,
					     err) < 0)
				return -(int)err->code;
		}
		return 0;
	}
	if (!subdirs)
		subdirs = &config->subdirs;
	if (ch->platform) {
		add_url(ch, ch->platform, with_credentials, urls);
		if (strcmp(ch->platform, "noarch") != 0)
			add_url(ch, "noarch", with_credentials, urls);
	} else if (subdirs->n > 0) {
		for (size_t i = 0; i < subdirs->n; i++)
			add_url(ch, subdirs->v[i], with_credentials, urls);
	} else {
		add_url(ch, cda_platform_native(), with_credentials, urls);
		add_url(ch, "noarch", with_credentials, urls);
	}
	return 0;
}

static int add_channel(const struct cda_channel_config *config, const struct cda_channel *ch,
		       int priority, struct cda_channel_urls *out, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv urls = {0};

	if (cda_channel_urls(config, ch, NULL, true, &urls, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < urls.n; i++) {
		const char *slash = strrchr(urls.v[i], '/');
		bool known = false;

		cda_vec_each (url, out)
			known = known || strcmp(url->url, urls.v[i]) == 0;
		if (known)
			continue;
		cda_channel_urls_push(out, (struct cda_channel_url){
						   .url = cda_strdup(urls.v[i]),
						   .base_url = cda_channel_base_url(ch),
						   .name = cda_strdup(ch->canonical_name),
						   .subdir = cda_strdup(slash + 1),
						   .priority = priority,
					   });
	}
	return 0;
}

int cda_channels_prioritize(const struct cda_channel_config *config,
			    const struct cda_strv *channels, struct cda_channel_urls *ret_urls,
			    struct cda_err *err)
{
	CDA_CLEANUP(cda_channel_urls_free_all) struct cda_channel_urls out = {0};
	int priority = 0;

	for (size_t i = 0; i < channels->n; i++) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};

		if (cda_channel_parse(config, channels->v[i], &ch, err) < 0)
			return -(int)err->code;
		if (!ch.is_multi) {
			if (add_channel(config, &ch, priority++, &out, err) < 0)
				return -(int)err->code;
			continue;
		}
		for (size_t k = 0; k < ch.multichannel.n; k++) {
			CDA_CLEANUP(cda_channel_done) struct cda_channel member = {0};

			if (cda_channel_member(config, ch.multichannel.v[k], &member, err) < 0)
				return -(int)err->code;
			if (ch.platform)
				cda_replace(&member.platform, cda_strdup(ch.platform));
			if (add_channel(config, &member, priority++, &out, err) < 0)
				return -(int)err->code;
		}
	}
	*ret_urls = out;
	out = (struct cda_channel_urls){0};
	return 0;
}

void cda_channel_urls_free_all(struct cda_channel_urls *urls)
{
	cda_vec_each (url, urls) {
		free(url->url);
		free(url->base_url);
		free(url->name);
		free(url->subdir);
	}
	cda_channel_urls_done(urls);
}

/* One of the list's texts means the same channel. */
static int listed(const struct cda_channel_config *config, const struct cda_strv *list,
		  const struct cda_channel *ch, struct cda_err *err)
{
	CDA_AUTOFREE char *base = cda_channel_base_url(ch);

	for (size_t i = 0; i < list->n; i++) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel other = {0};
		CDA_AUTOFREE char *other_base = NULL;

		if (cda_channel_parse(config, list->v[i], &other, err) < 0)
			return -(int)err->code;
		if (other.is_multi) {
			int rc = listed(config, &other.multichannel, ch, err);

			if (rc != 0)
				return rc;
			if (cda_streq(other.name, ch->name))
				return 1;
			continue;
		}
		other_base = cda_channel_base_url(&other);
		if (base && other_base && strcmp(base, other_base) == 0)
			return 1;
	}
	return 0;
}

int cda_channel_check_allowed(const struct cda_channel_config *config, const struct cda_channel *ch,
			      struct cda_err *err)
{
	const char *name = ch->canonical_name;
	int rc;

	if (ch->is_multi) {
		for (size_t i = 0; i < ch->multichannel.n; i++) {
			CDA_CLEANUP(cda_channel_done) struct cda_channel member = {0};

			rc = cda_channel_member(config, ch->multichannel.v[i], &member, err);
			if (rc == 0)
				rc = cda_channel_check_allowed(config, &member, err);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	rc = listed(config, &config->denylist_channels, ch, err);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return cda_err_set(err, CDA_E_CHANNEL, "channel '%s' is in denylist_channels",
				   name);
	if (config->allowlist_channels.n == 0)
		return 0;
	rc = listed(config, &config->allowlist_channels, ch, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return cda_err_set(err, CDA_E_CHANNEL, "channel '%s' is not in allowlist_channels",
				   name);
	return 0;
}
