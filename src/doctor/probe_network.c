#include "runtime/archives.h"
#include "runtime/paths.h"
#include "probe.h"
#include "reach.h"
#include "runtime/say.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const enum cda_part NETWORK = CDA_PART_NETWORK;

enum { HOSTS_MAX = 64, NAMES_MAX = 64, NAME_BYTES = 512 };

/* Who needs a host. */
enum user { OS, CONDA, PIP, USERS };
static const char *const user_names[USERS] = {"OS packages", "conda", "pip"};

struct hosts {
	struct cda_case *c;
	struct cda_target targets[HOSTS_MAX];
	bool needed[HOSTS_MAX][USERS];
	int count;
	enum user user; /* for whom addresses are read */
	/* conda's channels, which are names until all files are read */
	char channels[NAMES_MAX][NAME_BYTES], alias[NAME_BYTES];
	int channel_count;
	/* pip's */
	char index[NAME_BYTES], extras[NAMES_MAX][NAME_BYTES];
	int extra_count;
	bool no_index;
};

static bool is_this_machine(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "::1") == 0;
}

/* As outfit.c has it for conda and pip, where the caller's own variables win, and transport.c for
 * apt and apk, which are not given them. */
static const char *proxy_of(const struct hosts *hosts, const struct cda_place_of *to)
{
	static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	static const char *const http[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
	const struct cda_world *world = hosts->c->world;
	const char *const *names = strcmp(to->scheme, "https") == 0 ? https : http;
	const char *set = hosts->c->settings.proxy, *none = cda_world_env(world, "no_proxy");

	if (is_this_machine(to->host))
		set = "";
	if (hosts->user == OS)
		return set[0] != '\0' ? set : NULL;
	if (none == NULL)
		none = cda_world_env(world, "NO_PROXY");
	if (none != NULL && cda_no_proxy(none, to->host))
		return NULL;
	for (int i = 0; i < 4; i++) {
		if (cda_world_env(world, names[i]) != NULL)
			return cda_world_env(world, names[i]);
	}
	return set[0] != '\0' ? set : NULL;
}

static void set_proxy(struct cda_target *target, const char *proxy)
{
	const struct cda_span url = {proxy, strlen(proxy)};
	const char *host = strstr(proxy, "://"), *at;
	struct cda_span login;

	if (cda_url_place(url, &target->proxy) != 0)
		return;
	target->proxied = true;
	if (host == NULL)
		return;
	host += 3;
	at = memrchr(host, '@', strcspn(host, "/?#"));
	if (at == NULL)
		return;
	login = (struct cda_span){host, (size_t)(at - host)};
	if (cda_address_decode(login, target->login, sizeof(target->login)) != 0)
		target->login[0] = '\0';
}

static bool is_same(const struct cda_place_of *a, const struct cda_place_of *b)
{
	return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 &&
	       strcasecmp(a->host, b->host) == 0;
}

static void add_url(struct hosts *hosts, struct cda_span url)
{
	struct cda_target target = {.proxied = false};
	const char *proxy;
	int at = 0;

	if (cda_url_place(url, &target.to) != 0)
		return; /* a folder, a CD */
	proxy = proxy_of(hosts, &target.to);
	if (proxy != NULL)
		set_proxy(&target, proxy);
	while (at < hosts->count && (!is_same(&hosts->targets[at].to, &target.to) ||
				     hosts->targets[at].proxied != target.proxied))
		at++;
	if (at == HOSTS_MAX)
		return;
	if (at == hosts->count)
		hosts->targets[hosts->count++] = target;
	hosts->needed[at][hosts->user] = true;
}

static void add_text(struct hosts *hosts, const char *url)
{
	add_url(hosts, (struct cda_span){url, strlen(url)});
}

static void take_os(void *ctx, const char *key, struct cda_span value)
{
	(void)key;
	add_url(ctx, value);
}

typedef void (*reader_fn)(struct cda_span text, cda_source_fn add, void *ctx);

static void read_with(struct hosts *hosts, const char *path, reader_fn reader, cda_source_fn take)
{
	struct cda_text text;

	if (cda_world_read(hosts->c->world, path, &text) < 0)
		return;
	reader((struct cda_span){text.data, text.len}, take, hosts);
	cda_world_free(&text);
}

/* Sources as /startup hands them to apt or apk: with the mirror in the place of what it serves. */
static void read_sources(struct hosts *hosts, const char *path, enum cda_archives_form form)
{
	static const reader_fn readers[] = {[CDA_ONE_LINE] = cda_sources_list,
					    [CDA_DEB822] = cda_sources_deb822,
					    [CDA_REPOSITORIES] = cda_sources_apk};
	static char data[1 << 21];
	struct cda_archives archives = {.settings = &hosts->c->settings, .bare = true};
	struct cda_text text, copy = {.data = data, .cap = sizeof(data)};

	if (cda_world_read(hosts->c->world, path, &text) < 0)
		return;
	cda_archives_copy(&archives, form, (struct cda_span){text.data, text.len}, &copy);
	if (!copy.full)
		readers[form]((struct cda_span){copy.data, copy.len}, take_os, hosts);
	cda_world_free(&text);
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), size = strlen(suffix);

	return len > size && strcmp(name + len - size, suffix) == 0;
}

static void apt_file(void *ctx, const char *name)
{
	char path[PATH_MAX];

	cda_put(path, sizeof(path), "/etc/apt/sources.list.d/%s", name);
	if (ends_in(name, ".list"))
		read_sources(ctx, path, CDA_ONE_LINE);
	else if (ends_in(name, ".sources"))
		read_sources(ctx, path, CDA_DEB822);
}

static void apk_file(void *ctx, const char *name)
{
	char path[PATH_MAX];

	cda_put(path, sizeof(path), "/etc/apk/repositories.d/%s", name);
	if (ends_in(name, ".list"))
		read_sources(ctx, path, CDA_REPOSITORIES);
}

static void os_hosts(struct hosts *hosts)
{
	hosts->user = OS;
	if (cda_probe_is_debian(hosts->c->world)) {
		read_sources(hosts, "/etc/apt/sources.list", CDA_ONE_LINE);
		(void)cda_world_names(hosts->c->world, "/etc/apt/sources.list.d", apt_file, hosts);
	} else {
		read_sources(hosts, "/etc/apk/repositories", CDA_REPOSITORIES);
		(void)cda_world_names(hosts->c->world, "/etc/apk/repositories.d", apk_file, hosts);
	}
}

static void keep(char (*names)[NAME_BYTES], int *count, struct cda_span value)
{
	if (*count < NAMES_MAX && cda_span_copy(value, names[*count], NAME_BYTES) == 0)
		(*count)++;
}

static void take_conda(void *ctx, const char *key, struct cda_span value)
{
	struct hosts *hosts = ctx;

	if (strcmp(key, "channel_alias") == 0)
		(void)cda_span_copy(value, hosts->alias, sizeof(hosts->alias));
	else
		keep(hosts->channels, &hosts->channel_count, value);
}

static const char *in_home(const struct hosts *hosts, const char *name, char buf[PATH_MAX])
{
	const char *home = cda_world_env(hosts->c->world, "HOME");

	(void)cda_put(buf, PATH_MAX, "%s/%s", home != NULL ? home : "", name);
	return buf;
}

static void conda_hosts(struct hosts *hosts)
{
	static const char *const files[] = {"/etc/conda/.condarc", CDA_PREFIX "/.condarc",
					    "/run/secrets/condarc"};
	const struct cda_world *world = hosts->c->world;
	const char *alias = cda_world_env(world, "CONDA_CHANNEL_ALIAS");
	const char *mirror = hosts->c->settings.mirror[CDA_CONDA];
	char path[PATH_MAX];

	hosts->user = CONDA;
	cda_put(hosts->alias, sizeof(hosts->alias), "https://conda.anaconda.org");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		read_with(hosts, files[i], cda_sources_condarc, take_conda);
	read_with(hosts, in_home(hosts, ".condarc", path), cda_sources_condarc, take_conda);
	if (cda_world_env(world, "CONDARC") != NULL)
		read_with(hosts, cda_world_env(world, "CONDARC"), cda_sources_condarc, take_conda);
	if (alias != NULL || mirror[0] != '\0')
		cda_put(hosts->alias, sizeof(hosts->alias), "%s", alias != NULL ? alias : mirror);
	for (int i = 0; i < hosts->channel_count; i++) {
		const char *channel = hosts->channels[i];

		if (strcmp(channel, "defaults") == 0)
			add_text(hosts, "https://repo.anaconda.com");
		else
			add_text(hosts, strstr(channel, "://") != NULL ? channel : hosts->alias);
	}
	if (hosts->channel_count == 0)
		add_text(hosts, hosts->alias);
}

static void take_pip(void *ctx, const char *key, struct cda_span value)
{
	struct hosts *hosts = ctx;

	if (strcmp(key, "index-url") == 0)
		(void)cda_span_copy(value, hosts->index, sizeof(hosts->index));
	else if (strcmp(key, "no-index") == 0)
		hosts->no_index = cda_span_is(value, "true") || cda_span_is(value, "1") ||
				  cda_span_is(value, "yes") || cda_span_is(value, "on");
	else
		keep(hosts->extras, &hosts->extra_count, value);
}

static void pip_hosts(struct hosts *hosts)
{
	const struct cda_world *world = hosts->c->world;
	const char *index = cda_world_env(world, "PIP_INDEX_URL");
	const char *extra = cda_world_env(world, "PIP_EXTRA_INDEX_URL");
	const char *file = cda_world_env(world, "PIP_CONFIG_FILE");
	const char *mirror = hosts->c->settings.mirror[CDA_PYPI];
	char path[PATH_MAX];

	hosts->user = PIP;
	cda_put(hosts->index, sizeof(hosts->index), "https://pypi.org/simple");
	read_with(hosts, "/etc/pip.conf", cda_sources_pip, take_pip);
	read_with(hosts, in_home(hosts, ".pip/pip.conf", path), cda_sources_pip, take_pip);
	read_with(hosts, in_home(hosts, ".config/pip/pip.conf", path), cda_sources_pip, take_pip);
	read_with(hosts, CDA_PREFIX "/pip.conf", cda_sources_pip, take_pip);
	read_with(hosts, "/run/secrets/pip.conf", cda_sources_pip, take_pip);
	if (file != NULL)
		read_with(hosts, file, cda_sources_pip, take_pip);
	if (index != NULL || mirror[0] != '\0')
		cda_put(hosts->index, sizeof(hosts->index), "%s", index != NULL ? index : mirror);
	if (extra != NULL)
		take_pip(hosts, "extra-index-url", (struct cda_span){extra, strcspn(extra, " \t")});
	if (!hosts->no_index || mirror[0] != '\0')
		add_text(hosts, hosts->index);
	for (int i = 0; i < hosts->extra_count; i++)
		add_text(hosts, hosts->extras[i]);
}

/* "OS packages, conda" */
static void users_of(const struct hosts *hosts, int at, char buf[64])
{
	size_t len = 0;

	buf[0] = '\0';
	for (int i = 0; i < USERS; i++) {
		if (!hosts->needed[at][i])
			continue;
		cda_put(buf + len, 64 - len, "%s%s", len > 0 ? ", " : "", user_names[i]);
		len = strlen(buf);
	}
}

/* Is there a way out but to this container itself? */
static bool has_network(void)
{
	struct ifaddrs *all, *at;
	bool found = false;

	if (getifaddrs(&all) != 0)
		return true;
	for (at = all; at != NULL; at = at->ifa_next)
		found = found ||
			((at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0);
	freeifaddrs(all);
	return found;
}

/* What failed, and what to do about it. */
static void explain(const struct cda_target *target, int limit, char why[256],
		    const char **ret_todo)
{
	const struct cda_place_of *first = target->proxied ? &target->proxy : &target->to;
	char by[300] = "";

	if (target->proxied)
		cda_put(by, sizeof(by), "the proxy '%s:%d': ", first->host, first->port);
	*ret_todo =
		target->proxied
			? "see that the proxy runs and is meant: CONDENSE_PROXY=none undoes it"
			: "a firewall, a proxy that is needed (CONDENSE_PROXY), or a mirror that "
			  "can be reached (CONDENSE_MIRROR); else CONDENSE_OFFLINE=yes";
	if (target->result != CDA_REACH_UNTRIED && target->result != CDA_REACH_PROXY &&
	    !has_network()) {
		cda_put(why, 256, "this container has no network");
		*ret_todo = "start without --network none, or set CONDENSE_OFFLINE=yes";
		return;
	}
	switch (target->result) {
	case CDA_REACH_NO_NAME:
		cda_put(why, 256, "%s%s", by,
			target->code == EAI_NONAME  ? "the name does not resolve"
			: target->code == EAI_AGAIN ? "no name server answers"
						    : gai_strerror(target->code));
		*ret_todo = "see that the container has a name server and a network (--network, "
			    "--dns), "
			    "or set CONDENSE_PROXY or CONDENSE_MIRROR";
		break;
	case CDA_REACH_REFUSED:
		cda_put(why, 256, "%s%s", by, strerror(target->code));
		break;
	case CDA_REACH_PROXY:
		if (target->code == 0)
			cda_put(why, 256, "%sthe answer is not that of a proxy", by);
		else
			cda_put(why, 256, "%sit answers with status %d", by, target->code);
		if (target->code == 407)
			*ret_todo = "give the proxy's name and password: "
				    "CONDENSE_PROXY=http://USER:PASSWORD@HOST:PORT";
		break;
	case CDA_REACH_UNTRIED:
		cda_put(why, 256, "not tried: no thread can be started (--pids-limit, ulimit -u)");
		break;
	case CDA_REACH_LATE:
	case CDA_REACH_OK:
		cda_put(why, 256, "%s%s within %d s", by,
			target->named ? "no answer" : "the name does not resolve", limit / 1000);
		break;
	}
}

static bool is_set_by_user(const struct hosts *hosts)
{
	return hosts->c->settings.from[CDA_MIRROR] != CDA_UNSET ||
	       hosts->c->settings.from[CDA_PROXY] != CDA_UNSET;
}

static void tell(struct hosts *hosts, int at, int limit)
{
	struct cda_case *c = hosts->c;
	const struct cda_target *target = &hosts->targets[at];
	bool wanted = (hosts->needed[at][OS] && c->wants_os) ||
		      (hosts->needed[at][CONDA] && c->wants_conda) ||
		      (hosts->needed[at][PIP] && c->wants_pip);
	char users[64], why[256], way[320] = "";
	const char *todo;

	users_of(hosts, at, users);
	if (target->proxied)
		cda_put(way, sizeof(way), " by way of the proxy '%s:%d'", target->proxy.host,
			target->proxy.port);
	if (target->result == CDA_REACH_OK) {
		cda_report_add(c->report, NETWORK, "host", CDA_OK, "'%s:%d' can be reached%s (%s)",
			       target->to.host, target->to.port, way, users);
	} else {
		explain(target, limit, why, &todo);
		cda_report_add(c->report, NETWORK, "host",
			       wanted || is_set_by_user(hosts) ? CDA_PROBLEM : CDA_NOTE,
			       "'%s:%d' cannot be reached (%s): %s", target->to.host,
			       target->to.port, users, why);
		cda_report_todo(c->report, "%s", todo);
	}
	cda_report_about(c->report, target->to.host);
}

void cda_probe_network(struct cda_case *c, int limit)
{
	struct hosts *hosts;

	if (limit == 0) {
		cda_report_add(c->report, NETWORK, "left-out", CDA_OK, "not tried: --no-network");
		return;
	}
	if (c->settings.offline) {
		cda_report_add(c->report, NETWORK, "offline", CDA_OK,
			       "not tried: offline is what the settings say");
		return;
	}
	hosts = calloc(1, sizeof(*hosts));
	if (hosts == NULL)
		return;
	hosts->c = c;
	os_hosts(hosts);
	conda_hosts(hosts);
	pip_hosts(hosts);
	cda_reach(hosts->targets, (size_t)hosts->count, limit);
	for (int i = 0; i < hosts->count; i++)
		tell(hosts, i, limit);
	if (hosts->count == 0)
		cda_report_add(c->report, NETWORK, "none", CDA_OK,
			       "no program is configured to need a host");
	free(hosts);
}
