/* channel.c - from text to channel (conda/models/channel.py, conda/common/url.py). The names that a
 * configuration gives meaning to are its custom channels: members of multichannels first, then
 * custom_channels, which win over members of the same name. */
#include "core/channel_parse.h"

#include "util/buf.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

void cda_channel_done(struct cda_channel *channel)
{
	free(channel->scheme);
	free(channel->auth);
	free(channel->token);
	free(channel->location);
	free(channel->name);
	free(channel->canonical_name);
	free(channel->platform);
	free(channel->package_filename);
	cda_strv_done(&channel->multichannel);
	*channel = (struct cda_channel){0};
}

/* Takes over the other fields than canonical_name, platform and package_filename. */
static void place(struct cda_channel *ch, const char *scheme, const char *auth,
		  const char *location, const char *token, const char *name)
{
	cda_replace(&ch->scheme, cda_strdup_null(scheme));
	cda_replace(&ch->auth, cda_strdup_null(auth && *auth ? auth : NULL));
	cda_replace(&ch->location, cda_strdup_null(location));
	cda_replace(&ch->token, cda_strdup_null(token && *token ? token : NULL));
	cda_replace(&ch->name, cda_strdup(name ? name : ""));
}

static const char *alias_text(const struct cda_channel_config *config)
{
	return config->channel_alias ? config->channel_alias : "https://conda.anaconda.org";
}

/* conda's Channel.make_simple_channel: a plain URL or a name under the alias. */
static void simple_channel(const struct cda_channel_config *config, const char *url,
			   const char *name, struct cda_channel *ret)
{
	CDA_CLEANUP(cda_uri_done) struct cda_uri uri = {0}, alias = {0};
	CDA_AUTOFREE char *bare = NULL, *stripped = NULL;

	cda_uri_split(url, &uri);
	cda_uri_split(alias_text(config), &alias);
	if (!uri.scheme) {
		stripped = cda_strip_slashes(name ? name : url);
		place(ret, alias.scheme, alias.auth, alias.place, alias.token, stripped);
	} else if (name) {
		stripped = cda_strip_slashes(name);
		place(ret, uri.scheme, uri.auth, uri.place, uri.token, stripped);
	} else if (*alias.place && cda_starts_with(uri.place, alias.place)) {
		stripped = cda_strip_slashes(uri.place + strlen(alias.place));
		place(ret, uri.scheme, uri.auth, alias.place, uri.token, stripped);
	} else {
		stripped = cda_strip_slashes(uri.path);
		bare = cda_strndup(uri.place, strlen(uri.place) - strlen(uri.path));
		place(ret, uri.scheme, uri.auth, bare, uri.token, stripped);
	}
}

typedef bool custom_fn(void *ctx, const struct cda_channel *custom);

/* Calls fn for the custom channels as long as it returns true. */
static void each_member(const struct cda_channel_config *config, const struct cda_strv *members,
			custom_fn *fn, void *ctx, bool *go_on)
{
	for (size_t i = 0; i < members->n && *go_on; i++) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel custom = {0};

		simple_channel(config, members->v[i], NULL, &custom);
		*go_on = fn(ctx, &custom);
	}
}

static void each_custom(const struct cda_channel_config *config, custom_fn *fn, void *ctx)
{
	bool go_on = true;

	cda_vec_each (custom, &config->custom_channels) {
		CDA_CLEANUP(cda_channel_done) struct cda_channel channel = {0};

		if (!go_on || custom->values.n == 0)
			continue;
		simple_channel(config, custom->values.v[0], custom->name, &channel);
		go_on = fn(ctx, &channel);
	}
	cda_vec_each (multi, &config->custom_multichannels)
		each_member(config, &multi->values, fn, ctx, &go_on);
	each_member(config, &config->default_channels, fn, ctx, &go_on);
}

/* a/b starts with a: by whole parts between slashes. */
static bool starts_with_parts(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 && (text[len] == '\0' || text[len] == '/');
}

struct longest { /* the custom channel with the longest name that leads the text */
	const char *text;
	bool by_location; /* text is location/name, else a name */
	struct cda_channel found;
	size_t len; /* of found's name; and of the matched text */
	size_t matched;
	bool any;
};

static bool longest_custom(void *ctx, const struct cda_channel *custom)
{
	struct longest *best = ctx;
	CDA_AUTOFREE char *test = best->by_location
					  ? cda_join_slashes(custom->location, custom->name, NULL)
					  : cda_strdup(custom->name);

	if (!starts_with_parts(best->text, test) ||
	    (best->any && strlen(custom->name) <= best->len))
		return true;
	place(&best->found, custom->scheme, custom->auth, custom->location, custom->token,
	      custom->name);
	best->len = strlen(custom->name);
	best->matched = strlen(test);
	best->any = true;
	return true;
}

static void by_name(const struct cda_channel_config *config, const char *name,
		    struct cda_channel *ret)
{
	CDA_AUTOFREE char *stripped = cda_split_platform(name, &ret->platform);
	struct longest best = {.text = stripped};

	each_custom(config, longest_custom, &best);
	if (best.any && (best.len > 0 || !*stripped)) {
		place(ret, best.found.scheme, best.found.auth, best.found.location,
		      best.found.token, stripped);
	} else {
		CDA_CLEANUP(cda_uri_done) struct cda_uri alias = {0};

		cda_uri_split(alias_text(config), &alias);
		place(ret, alias.scheme, alias.auth, alias.place, alias.token, stripped);
	}
	cda_channel_done(&best.found);
}

/* conda's _read_channel_configuration: location and name of what a URL points at. */
static void by_place(const struct cda_channel_config *config, const struct cda_uri *uri,
		     struct cda_channel *ret)
{
	CDA_CLEANUP(cda_uri_done) struct cda_uri alias = {0};
	CDA_AUTOFREE char *name = NULL, *rest = NULL, *host = NULL;
	struct longest best = {.text = uri->place, .by_location = true};
	const char *slash;

	host = cda_strndup(uri->place, strlen(uri->place) - strlen(uri->path));
	if (!*uri->path) {
		place(ret, uri->scheme, uri->auth, host, uri->token, NULL);
		return;
	}
	cda_uri_split(alias_text(config), &alias);
	for (size_t i = 0; i < config->migrated_channel_aliases.n; i++) {
		CDA_CLEANUP(cda_uri_done) struct cda_uri old = {0};

		cda_uri_split(config->migrated_channel_aliases.v[i], &old);
		if (!cda_starts_with(uri->place, old.place))
			continue;
		name = cda_strip_slashes(uri->place + strlen(old.place));
		place(ret, alias.scheme, uri->auth ? uri->auth : alias.auth, alias.place,
		      uri->token && *uri->token ? uri->token : alias.token, name);
		return;
	}
	each_custom(config, longest_custom, &best);
	if (best.any) {
		struct cda_channel *found = &best.found;

		rest = cda_strip_slashes(uri->place + best.matched);
		name = cda_join_slashes(found->name, rest, NULL);
		place(ret, uri->scheme, uri->auth ? uri->auth : found->auth, found->location,
		      uri->token && *uri->token ? uri->token : found->token,
		      *found->name ? name : rest);
		cda_channel_done(found);
		return;
	}
	if (*alias.place && starts_with_parts(uri->place, alias.place)) {
		name = cda_strip_slashes(uri->place + strlen(alias.place));
		place(ret, uri->scheme, uri->auth ? uri->auth : alias.auth, alias.place,
		      uri->token && *uri->token ? uri->token : alias.token, name);
		return;
	}
	if (!*host) { /* a file: URL */
		slash = strrchr(uri->place, '/');
		rest = cda_strndup(uri->place, (size_t)(slash - uri->place));
		place(ret, "file", uri->auth, *rest ? rest : "/", uri->token, slash + 1);
		return;
	}
	/* host/conda/x is x under host/conda, as in Anaconda's repository server */
	if (starts_with_parts(uri->path, "/conda")) {
		cda_replace(&host, cda_asprintf("%s/conda", host));
		name = cda_strip_slashes(uri->path + strlen("/conda"));
	} else {
		name = cda_strip_slashes(uri->path);
	}
	place(ret, uri->scheme, uri->auth, host, uri->token, name);
}

static void by_url(const struct cda_channel_config *config, const char *url,
		   struct cda_channel *ret)
{
	CDA_CLEANUP(cda_uri_done) struct cda_uri uri = {0};
	CDA_AUTOFREE char *token = NULL, *cleaned = cda_split_token(url, &token), *bare = NULL;

	bare = cda_split_platform(cleaned, &ret->platform);
	if (cda_ends_with(bare, ".conda") || cda_ends_with(bare, ".tar.bz2") ||
	    cda_ends_with(bare, ".json")) {
		char *slash = strrchr(bare, '/');

		if (slash) {
			ret->package_filename = cda_strdup(slash + 1);
			*slash = '\0';
		}
	}
	cda_uri_split(bare, &uri);
	cda_replace(&uri.token, cda_take_ptr(token));
	by_place(config, &uri, ret);
}

/* The multichannel of this name: members, or NULL. */
static const struct cda_strv *multichannel(const struct cda_channel_config *config,
					   const char *name)
{
	static const struct cda_strv none;

	if (strcmp(name, "defaults") == 0)
		return &config->default_channels;
	cda_vec_each (multi, &config->custom_multichannels)
		if (strcmp(multi->name, name) == 0)
			return &multi->values;
	return strcmp(name, "local") == 0 ? &none : NULL;
}

struct named {
	const char *name;
	bool found;
};

static bool same_name(void *ctx, const struct cda_channel *custom)
{
	struct named *named = ctx;

	named->found = strcmp(custom->name, named->name) == 0;
	return !named->found;
}

static bool leads_name(void *ctx, const struct cda_channel *custom)
{
	struct named *named = ctx;

	named->found = *named->name && starts_with_parts(named->name, custom->name);
	return !named->found;
}

static bool is_alias_location(const struct cda_channel_config *config, const char *location)
{
	bool is = false;

	for (size_t i = 0; i <= config->migrated_channel_aliases.n && !is; i++) {
		CDA_CLEANUP(cda_uri_done) struct cda_uri alias = {0};

		cda_uri_split(i == 0 ? alias_text(config)
				     : config->migrated_channel_aliases.v[i - 1],
			      &alias);
		is = strcmp(alias.place, location) == 0;
	}
	return is;
}

static char *canonical_name(const struct cda_channel_config *config, const struct cda_channel *ch)
{
	struct named named = {.name = ch->name};
	bool go_on = true;

	cda_vec_each (multi, &config->custom_multichannels) {
		each_member(config, &multi->values, same_name, &named, &go_on);
		if (named.found)
			return cda_strdup(multi->name);
	}
	each_member(config, &config->default_channels, same_name, &named, &go_on);
	if (named.found)
		return cda_strdup("defaults");
	each_custom(config, leads_name, &named);
	if (named.found || (ch->location && is_alias_location(config, ch->location)))
		return cda_strdup(ch->name);
	if (!ch->scheme)
		return cda_strdup(ch->name);
	return cda_channel_base_url(ch);
}

int cda_channel_parse(const struct cda_channel_config *config, const char *text,
		      struct cda_channel *ret, struct cda_err *err)
{
	CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};
	CDA_AUTOFREE char *stripped = NULL, *platform = NULL;
	const struct cda_strv *members = NULL;

	if (strlen(text) > CDA_CHANNEL_TEXT_MAX)
		return cda_err_set(err, CDA_E_CHANNEL, "channel '%.60s…' is too long", text);
	stripped = cda_split_platform(text, &platform);
	if (strcmp(text, "<unknown>") == 0 || strcmp(text, "None:///<unknown>") == 0 ||
	    strcmp(text, "None") == 0) {
		ch.name = cda_strdup(CDA_CHANNEL_UNKNOWN);
		ch.canonical_name = cda_strdup(CDA_CHANNEL_UNKNOWN);
	} else if (cda_has_scheme(text)) {
		by_url(config, text, &ch);
	} else if (cda_is_path(text)) {
		CDA_AUTOFREE char *path =
			cda_path_normal(text, config->cwd ? config->cwd : "/", config->home);
		CDA_AUTOFREE char *url = cda_url_from_path(path);

		by_url(config, url, &ch);
	} else if (cda_ends_with(text, ".conda") || cda_ends_with(text, ".tar.bz2")) {
		by_url(config, text, &ch);
	} else if ((members = multichannel(config, stripped))) {
		ch.name = cda_strdup(stripped);
		ch.canonical_name = cda_strdup(stripped);
		ch.platform = cda_take_ptr(platform);
		ch.is_multi = true;
		cda_strv_append(&ch.multichannel, members);
	} else {
		by_name(config, text, &ch);
	}
	if (!ch.canonical_name)
		ch.canonical_name = canonical_name(config, &ch);
	*ret = ch;
	ch = (struct cda_channel){0};
	return 0;
}

int cda_channel_member(const struct cda_channel_config *config, const char *text,
		       struct cda_channel *ret, struct cda_err *err)
{
	if (strlen(text) > CDA_CHANNEL_TEXT_MAX)
		return cda_err_set(err, CDA_E_CHANNEL, "channel '%.60s…' is too long", text);
	simple_channel(config, text, NULL, ret);
	ret->canonical_name = canonical_name(config, ret);
	return 0;
}

char *cda_channel_base_url(const struct cda_channel *ch)
{
	CDA_AUTOFREE char *joined = NULL;

	if (ch->is_multi || cda_streq(ch->canonical_name, CDA_CHANNEL_UNKNOWN))
		return NULL;
	joined = cda_join_slashes(ch->location, ch->name, NULL);
	return cda_asprintf("%s://%s", ch->scheme ? ch->scheme : "https", joined);
}

char *cda_channel_str(const struct cda_channel *ch)
{
	CDA_AUTOFREE char *base = cda_channel_base_url(ch);

	if (!base)
		base = cda_strdup(ch->name);
	if (ch->platform)
		return cda_join_slashes(base, ch->platform, NULL);
	return cda_take_ptr(base);
}
