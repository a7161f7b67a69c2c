/* run_channel.c - channels: text to name and URLs, under the condarc texts of the vectors. */
#include "run.h"

#include "util/arena.h"
#include "util/str.h"

#include <string.h>

#define CWD_PARENT "/places/parent"
#define CWD CWD_PARENT "/cwd"
#define HOME "/places/home"

char *tally_places(const char *text)
{
	static const char *const table[][2] = {
		{"<CWD_PARENT>", CWD_PARENT}, {"<CWD>", CWD}, {"<HOME>", HOME}};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	while (*text) {
		size_t i = 0;

		while (i < CDA_LEN(table) && !cda_starts_with(text, table[i][0]))
			i++;
		if (i < CDA_LEN(table)) {
			cda_buf_adds(&out, table[i][1]);
			text += strlen(table[i][0]);
		} else {
			cda_buf_addc(&out, *text++);
		}
	}
	return cda_buf_take(&out);
}

static void set_map(struct cda_named_urlsv *map, const char *name, const char *value,
		    struct cda_arena *arena)
{
	struct cda_named_urls *entry = cda_named_urlsv_push(
		map, (struct cda_named_urls){.name = cda_arena_strdup(arena, name)});

	if (*value)
		cda_strv_push(&entry->values, value);
}

/* One line of "key: value", "- item" under the key that is open. */
static void config_line(struct cda_channel_config *config, struct cda_arena *arena, char *line,
			char **key)
{
	size_t indent = strspn(line, " ");
	char *text = line + indent, *colon, *value;
	struct cda_named_urlsv *map = NULL;

	if (cda_starts_with(text, "- ")) {
		value = text + 2;
		if (cda_streq(*key, "default_channels"))
			cda_strv_push(&config->default_channels, value);
		else if (cda_streq(*key, "migrated_channel_aliases"))
			cda_strv_push(&config->migrated_channel_aliases, value);
		else if (cda_streq(*key, "custom_multichannels"))
			cda_strv_push(
				&config->custom_multichannels.v[config->custom_multichannels.n - 1]
					 .values,
				value);
		return;
	}
	colon = strstr(text, ": ");
	if (!colon && cda_ends_with(text, ":"))
		colon = text + strlen(text) - 1;
	if (!colon)
		return;
	value = *colon && colon[1] ? colon + 2 : colon + 1;
	*colon = '\0';
	if (indent == 0) {
		*key = text;
		if (cda_streq(text, "channel_alias"))
			config->channel_alias = cda_arena_strdup(arena, value);
		else if (cda_streq(text, "default_channels"))
			cda_strv_done(&config->default_channels);
		return;
	}
	if (cda_streq(*key, "custom_channels"))
		map = &config->custom_channels;
	else if (cda_streq(*key, "custom_multichannels"))
		map = &config->custom_multichannels;
	if (map)
		set_map(map, text, value, arena);
}

void tally_channel_config(const char *condarc, struct cda_arena *arena,
			  struct cda_channel_config *ret)
{
	struct cda_channel_config config = {.cwd = CWD, .home = HOME};
	CDA_AUTOSTRV struct cda_strv lines = {0};
	char *key = NULL;

	config.channel_alias = "https://conda.anaconda.org";
	cda_strv_push(&config.default_channels, "https://repo.anaconda.com/pkgs/main");
	cda_strv_push(&config.default_channels, "https://repo.anaconda.com/pkgs/r");
	cda_strv_push(&config.subdirs, "linux-64");
	cda_strv_push(&config.subdirs, "noarch");
	set_map(&config.custom_channels, "pkgs/pro", "https://repo.anaconda.com", arena);
	cda_strv_split(&lines, condarc, "\n");
	for (size_t i = 0; i < lines.n; i++)
		config_line(&config, arena, lines.v[i], &key);
	*ret = config;
}

void tally_channel_config_done(struct cda_channel_config *config)
{
	cda_vec_each (entry, &config->custom_channels)
		cda_strv_done(&entry->values);
	cda_vec_each (entry, &config->custom_multichannels)
		cda_strv_done(&entry->values);
	cda_named_urlsv_done(&config->custom_channels);
	cda_named_urlsv_done(&config->custom_multichannels);
	cda_strv_done(&config->default_channels);
	cda_strv_done(&config->migrated_channel_aliases);
	cda_strv_done(&config->subdirs);
}

static bool same(yyjson_val *item, const char *key, const char *got, struct cda_buf *why)
{
	const char *text = cda_json_str(item, key);
	CDA_AUTOFREE char *want = text ? tally_places(text) : NULL;

	if (cda_streq(got, want))
		return true;
	cda_buf_addf(why, "; %s '%s', want '%s'", key, got ? got : "null", want ? want : "null");
	return false;
}

static bool same_urls(yyjson_val *item, const char *key, const struct cda_strv *got,
		      struct cda_buf *why)
{
	yyjson_val *list = yyjson_obj_get(item, key), *url;
	CDA_AUTOFREE char *joined = NULL;
	bool ok = yyjson_arr_size(list) == got->n;
	size_t i, max;

	yyjson_arr_foreach (list, i, max, url) {
		CDA_AUTOFREE char *want = tally_places(yyjson_get_str(url));

		ok = ok && strcmp(got->v[i], want) == 0;
	}
	if (ok)
		return true;
	joined = cda_strv_join(got, " ");
	cda_buf_addf(why, "; %s are %s", key, joined);
	return false;
}

static void check_parse(const struct cda_channel_config *config, yyjson_val *item,
			struct tally *tally)
{
	const char *text = cda_json_str(item, "channel");
	CDA_CLEANUP(cda_channel_done) struct cda_channel ch = {0};
	CDA_AUTOSTRV struct cda_strv urls = {0}, secret = {0};
	CDA_AUTOFREE char *base = NULL, *str = NULL;
	CDA_AUTOBUF struct cda_buf why = CDA_BUF_INIT;
	struct cda_err err = {0};
	bool refused = cda_channel_parse(config, text, &ch, &err) < 0 ||
		       cda_channel_urls(config, &ch, NULL, false, &urls, &err) < 0 ||
		       cda_channel_urls(config, &ch, NULL, true, &secret, &err) < 0;

	if (refused || yyjson_obj_get(item, "error")) {
		tally_check(tally, refused == (yyjson_obj_get(item, "error") != NULL),
			    "channel '%s': %s", text, refused ? err.msg : "accepted, want refused");
		cda_err_done(&err);
		return;
	}
	base = cda_channel_base_url(&ch);
	str = cda_channel_str(&ch);
	same(item, "name", ch.name, &why);
	same(item, "canonical_name", ch.canonical_name, &why);
	same(item, "base_url", base, &why);
	same(item, "str", str, &why);
	same(item, "scheme", ch.scheme, &why);
	same(item, "location", ch.location, &why);
	same(item, "auth", ch.auth, &why);
	same(item, "token", ch.token, &why);
	same(item, "platform", ch.platform, &why);
	same(item, "package_filename", ch.package_filename, &why);
	same_urls(item, "urls", &urls, &why);
	if (yyjson_obj_get(item, "urls_with_credentials"))
		same_urls(item, "urls_with_credentials", &secret, &why);
	tally_check(tally, why.len == 0, "channel '%s' (config %s)%s", text,
		    cda_json_str(item, "config"), why.p);
}

static void check_prioritize(const struct cda_channel_config *config, yyjson_val *item,
			     struct tally *tally)
{
	CDA_AUTOSTRV struct cda_strv channels = {0};
	CDA_CLEANUP(cda_channel_urls_free_all) struct cda_channel_urls urls = {0};
	CDA_AUTOFREE char *joined = NULL;
	yyjson_val *list = yyjson_obj_get(item, "prioritized"), *row;
	struct cda_err err = {0};
	size_t i, max;
	bool ok;

	cda_json_strv(item, "channels", &channels);
	joined = cda_strv_join(&channels, " ");
	ok = cda_channels_prioritize(config, &channels, &urls, &err) == 0 &&
	     yyjson_arr_size(list) == urls.n;
	yyjson_arr_foreach (list, i, max, row) {
		CDA_AUTOFREE char *want = tally_places(yyjson_get_str(yyjson_arr_get(row, 0)));

		ok = ok && strcmp(urls.v[i].url, want) == 0 &&
		     strcmp(urls.v[i].name, yyjson_get_str(yyjson_arr_get(row, 1))) == 0 &&
		     urls.v[i].priority == yyjson_get_int(yyjson_arr_get(row, 2));
	}
	tally_check(tally, ok, "order of '%s' (config %s) differs", joined,
		    cda_json_str(item, "config"));
	if (!ok)
		cda_vec_each (url, &urls)
			printf("\tgot %s %s %d\n", url->url, url->name, url->priority);
	cda_err_done(&err);
}

int run_channel(yyjson_val *root, struct tally *tally)
{
	yyjson_val *configs = yyjson_obj_get(yyjson_obj_get(root, "meta"), "configs");
	yyjson_val *name, *text, *item;
	size_t i, max, k, kmax;

	yyjson_obj_foreach (configs, i, max, name, text) {
		CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
		CDA_CLEANUP(tally_channel_config_done) struct cda_channel_config config = {0};

		tally_channel_config(yyjson_get_str(text), arena, &config);
		yyjson_arr_foreach (yyjson_obj_get(root, "parse"), k, kmax, item)
			if (cda_streq(cda_json_str(item, "config"), yyjson_get_str(name)))
				check_parse(&config, item, tally);
		yyjson_arr_foreach (yyjson_obj_get(root, "prioritize"), k, kmax, item)
			if (cda_streq(cda_json_str(item, "config"), yyjson_get_str(name)))
				check_prioritize(&config, item, tally);
	}
	return 0;
}
