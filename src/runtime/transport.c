#include "transport.h"

#include "lock.h"
#include "netrc.h"
#include "paths.h"
#include "pem.h"
#include "priv.h"
#include "say.h"
#include "archives.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER CDA_STATE "/transport"

enum { SOURCES_BYTES = 1 << 16, SOURCES_FILES = 64 };

/* What the caller asked for, as this run knows it. */
static struct {
	const struct cda_settings *settings;
	enum cda_pm pm;
	int folder;
	bool foreign; /* the caller chooses the way: root's own credentials stay at home */
	struct cda_netrc netrc;
	struct cda_archives archives;
} now;

static const char *options[8], *variables[8];
static char proxy_words[2][CDA_ADDRESS_MAX + 32];
static char netrc_data[CDA_NETRC_BYTES], text_data[2 * CDA_PEM_MAX], in_data[CDA_PEM_MAX];
static char mirror_words[CDA_MIRRORS][2][CDA_ADDRESS_MAX];

const char *const *cda_transport_options(void)
{
	return options;
}

const char *const *cda_transport_environment(void)
{
	return variables;
}

static void add(const char **words, const char *word)
{
	while (*words != NULL)
		words++;
	*words = word;
}

/* A new file in folder, which is root's. Returns 0 or an exit status, with a message. */
static int put_file(int folder, const char *name, const struct cda_text *text, mode_t mode)
{
	int fd = -1, rc = text->full ? -EFBIG : 0;

	if (rc == 0) {
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			    0600);
		rc = fd < 0 ? -errno : cda_file_write(fd, text->data, text->len);
	}
	if (rc == 0 && fchmod(fd, mode) != 0)
		rc = -errno;
	if (fd >= 0 && close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	cda_say("cannot write '%s/%s': %s", FOLDER, name, strerror(-rc));
	return CDA_EXIT_FAILED;
}

static void remove_all(int dirfd, const char *name, int depth)
{
	struct cda_dir dir;
	const char *entry;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0) {
		cda_dir_init(&dir, fd);
		while ((entry = cda_dir_next(&dir)) != NULL) {
			if (unlinkat(fd, entry, 0) != 0 && depth > 0)
				remove_all(fd, entry, depth - 1);
		}
		close(fd);
	}
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

void cda_transport_close(void)
{
	int state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	memset(options, 0, sizeof(options));
	memset(variables, 0, sizeof(variables));
	if (now.folder > 0)
		close(now.folder);
	now.folder = 0;
	if (state < 0)
		return;
	remove_all(state, "transport", 1);
	close(state);
}

void cda_transport_sweep(void)
{
	int lock = -1, state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (state < 0)
		return;
	if (faccessat(state, "transport", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		lock = cda_lock_try(state);
	if (lock >= 0) {
		remove_all(state, "transport", 1);
		close(lock);
	}
	close(state);
}

static int make_folder(void)
{
	int state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (state < 0 || mkdirat(state, "transport", 0700) != 0)
		rc = -errno;
	if (rc == 0) {
		now.folder =
			openat(state, "transport", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* apt's own user reads the certificates. */
		if (now.folder < 0 || fchmod(now.folder, 0711) != 0)
			rc = -errno;
	}
	if (state >= 0)
		close(state);
	if (rc == 0)
		return 0;
	cda_say("cannot make '%s': %s", FOLDER, strerror(-rc));
	return CDA_EXIT_FAILED;
}

/* The kinds of mirror that the manager asks. */
static bool is_ours(enum cda_mirror kind)
{
	return now.pm == CDA_APK ? kind == CDA_ALPINE
				 : kind == CDA_DEBIAN || kind == CDA_DEBIAN_SECURITY;
}

/* A folder that the caller names is read with root's rights: it must be one that the caller cannot
 * put links and changes in, which a mount that is read-only is. What is missing must be missing in
 * one of these: an archive that no list of sources names need not be there. */
static int check_folder(const char *path)
{
	char part[CDA_ADDRESS_MAX];
	struct statvfs vfs;
	bool fixed;
	int fd;

	cda_put(part, sizeof(part), "%s", path);
	for (;;) {
		fd = cda_open_strict(AT_FDCWD, part, O_PATH | O_DIRECTORY,
				     CDA_NO_LINKS | CDA_NO_MAGIC);
		if (fd != -ENOENT || strrchr(part, '/') == part)
			break;
		*strrchr(part, '/') = '\0';
	}
	if (cda_openat2_missing(fd)) {
		cda_say("'%s' is no mirror for OS packages: this kernel cannot look it up safely",
			path);
		return CDA_EXIT_FAILED;
	}
	if (fd < 0) {
		cda_say("'%s' is no mirror for OS packages: %s", path,
			fd == -ELOOP ? "a link leads there" : strerror(-fd));
		return CDA_EXIT_FAILED;
	}
	fixed = fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) != 0;
	close(fd);
	if (fixed)
		return 0;
	cda_say("'%s' is no mirror for OS packages: mount it read-only (:ro), or name it in '%s'",
		path, CDA_POLICY);
	return CDA_EXIT_FAILED;
}

/* Check folders, and take the credentials out of the URLs. */
static int take_mirrors(void)
{
	const struct cda_settings *settings = now.settings;

	for (enum cda_mirror i = CDA_DEBIAN; i < CDA_MIRRORS; i++) {
		const char *url = settings->mirror[i];
		struct cda_address address;
		struct cda_netrc_host *host = &now.netrc.hosts[now.netrc.count];
		char *user = mirror_words[i][0], *password = mirror_words[i][1];

		if (!is_ours(i) || url[0] == '\0' ||
		    cda_address_parse((struct cda_span){url, strlen(url)},
				      CDA_HTTP | CDA_HTTPS | CDA_FILE, &address) != NULL)
			continue;
		if (address.scheme == CDA_FILE) {
			if (settings->from[CDA_MIRROR] == CDA_FROM_ENVIRONMENT &&
			    check_folder(url + strlen("file://")) != 0)
				return CDA_EXIT_FAILED;
			continue;
		}
		if (address.user.len == 0 ||
		    (now.foreign && settings->from[CDA_MIRROR] == CDA_FROM_POLICY))
			continue;
		*host = (struct cda_netrc_host){.host = address.host};
		if (address.port.len > 0)
			host->host.len += 1 + address.port.len;
		if (cda_address_decode(address.user, user, CDA_ADDRESS_MAX) != 0 ||
		    cda_address_decode(address.password, password, CDA_ADDRESS_MAX) != 0)
			return CDA_EXIT_FAILED;
		host->login = (struct cda_span){user, strlen(user)};
		host->password = (struct cda_span){password, strlen(password)};
		if (!cda_netrc_word_valid(host->login) || !cda_netrc_word_valid(host->password)) {
			cda_say("the mirror's user or password has a character that apt and apk "
				"cannot be told");
			return CDA_EXIT_REFUSED;
		}
		now.netrc.count++;
	}
	return 0;
}

/* The caller's rights open it: what is not the caller's to read is not sent for the caller. */
static int take_netrc(void)
{
	static const char path[] = CDA_SECRETS "/netrc";
	struct cda_text text = {.data = netrc_data, .cap = sizeof(netrc_data)};
	struct stat st;
	int fd, rc, line;

	cda_priv_as_caller();
	fd = cda_file_open(AT_FDCWD, path, &st);
	rc = fd < 0 ? fd : cda_file_read(fd, &text);
	if (fd >= 0)
		close(fd);
	cda_priv_as_root();
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return 0; /* entry has said that it cannot be read */
	if (rc < 0) {
		cda_say("cannot read '%s': %s", path,
			rc == -EINVAL || rc == -ELOOP ? "not a regular file" : strerror(-rc));
		return CDA_EXIT_FAILED;
	}
	line = cda_netrc_parse((struct cda_span){text.data, text.len}, &now.netrc);
	if (line == 0)
		return 0;
	cda_say("'%s' line %d: expected 'machine HOST login NAME password WORD'", path, line);
	return CDA_EXIT_FAILED;
}

static int put_netrc(void)
{
	struct cda_text text = {.data = text_data, .cap = sizeof(text_data)};

	cda_netrc_format(&now.netrc, &text);
	return put_file(now.folder, "netrc", &text, 0600);
}

static int put_ca(void)
{
	const struct cda_settings *settings = now.settings;
	bool caller = settings->from[CDA_CA] == CDA_FROM_ENVIRONMENT;
	struct cda_text text = {.data = text_data, .cap = sizeof(text_data)};
	struct stat st;
	int rc, fd = cda_file_open(AT_FDCWD, CDA_AUTHORITIES, &st);

	if (fd >= 0) {
		rc = cda_file_read(fd, &text);
		close(fd);
		if (rc < 0)
			text.len = 0;
	}
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		cda_text_add_str(&text, "\n");
	if (caller)
		cda_priv_as_caller();
	rc = cda_pem_load(caller ? "'CONDENSE_CA'" : "'ca' of the policy", settings->ca, &text);
	if (caller)
		cda_priv_as_root();
	return rc != 0 ? CDA_EXIT_REFUSED : put_file(now.folder, "ca.pem", &text, 0644);
}

/* Copy the file name in dirfd to folder. Returns 0 or an exit status; a file that is missing is
 * none.
 */
static int copy_sources(int dirfd, const char *name, enum cda_archives_form form,
			struct cda_text *out)
{
	struct cda_text text = {.data = in_data, .cap = SOURCES_BYTES};
	struct stat st;
	int rc, fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	rc = fd < 0                 ? -errno
	     : fstat(fd, &st) != 0  ? -errno
	     : !S_ISREG(st.st_mode) ? -EINVAL
				    : cda_file_read(fd, &text);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		cda_say("cannot read '%s', which names archives: %s", name, strerror(-rc));
		return CDA_EXIT_FAILED;
	}
	cda_archives_copy(&now.archives, form, (struct cda_span){text.data, text.len}, out);
	return 0;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), tail = strlen(end);

	return len > tail && strcmp(name + len - tail, end) == 0;
}

/* Copies of the files in a folder: to a folder of copies, or all to out. */
static int copy_folder(const char *path, int to, struct cda_text *out)
{
	struct cda_dir dir;
	const char *name;
	int status = 0, count = 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return 0;
	cda_dir_init(&dir, fd);
	while (status == 0 && (name = cda_dir_next(&dir)) != NULL) {
		struct cda_text own = {.data = text_data, .cap = sizeof(text_data)};
		enum cda_archives_form form = out != NULL                 ? CDA_REPOSITORIES
					      : ends_in(name, ".sources") ? CDA_DEB822
									  : CDA_ONE_LINE;

		if (form != CDA_DEB822 && !ends_in(name, ".list"))
			continue;
		if (count++ == SOURCES_FILES) {
			cda_say("'%s' has too many files", path);
			status = CDA_EXIT_FAILED;
			break;
		}
		status = copy_sources(fd, name, form, out != NULL ? out : &own);
		if (status == 0 && out == NULL)
			status = put_file(to, name, &own, 0600);
	}
	close(fd);
	return status;
}

static int put_apt_sources(void)
{
	struct cda_text text = {.data = text_data, .cap = sizeof(text_data)};
	int status, parts;

	status = copy_sources(AT_FDCWD, "/etc/apt/sources.list", CDA_ONE_LINE, &text);
	if (status == 0)
		status = put_file(now.folder, "sources.list", &text, 0600);
	if (status != 0)
		return status;
	parts = mkdirat(now.folder, "sources.d", 0700) == 0
			? openat(now.folder, "sources.d",
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
			: -1;
	if (parts < 0) {
		cda_say("cannot make '%s/sources.d': %s", FOLDER, strerror(errno));
		return CDA_EXIT_FAILED;
	}
	status = copy_folder("/etc/apt/sources.list.d", parts, NULL);
	close(parts);
	return status;
}

static int put_apk_sources(void)
{
	struct cda_text text = {.data = text_data, .cap = sizeof(text_data)};
	int status = copy_sources(AT_FDCWD, "/etc/apk/repositories", CDA_REPOSITORIES, &text);

	if (status == 0)
		status = copy_folder("/etc/apk/repositories.d", -1, &text);
	return status != 0 ? status : put_file(now.folder, "repositories", &text, 0600);
}

static int put_sources(void)
{
	const struct cda_settings *settings = now.settings;
	bool asked = false;
	int status;

	now.archives = (struct cda_archives){.settings = settings,
					     .netrc = now.pm == CDA_APK ? &now.netrc : NULL,
					     .bare = now.foreign};
	status = now.pm == CDA_APT ? put_apt_sources() : put_apk_sources();
	if (status != 0)
		return status;
	if (now.foreign && now.archives.trusting) {
		cda_say("nothing is installed: '/etc/apt' trusts an archive that nothing signs, so "
			"mirror, proxy and certificate must come from '%s'",
			CDA_POLICY);
		return CDA_EXIT_REFUSED;
	}
	if (settings->offline && now.archives.network) {
		cda_say("nothing is installed: the start is offline, and '%s' names archives that "
			"need the network",
			now.pm == CDA_APT ? "/etc/apt" : "/etc/apk/repositories");
		return CDA_EXIT_FAILED;
	}
	for (enum cda_mirror i = CDA_DEBIAN; i < CDA_MIRRORS; i++)
		asked |= is_ours(i) && settings->mirror[i][0] != '\0';
	if (asked && !now.archives.moved)
		cda_say("the mirror changes nothing for OS packages: '%s' names none of the "
			"distribution's own archives",
			now.pm == CDA_APT ? "/etc/apt" : "/etc/apk/repositories");
	return 0;
}

/* Programs' configuration, with nothing in it that could end its quotes: see address.h. */
static int put_apt_config(void)
{
	static const char *const direct[] = {"localhost", "127.0.0.1", "[::1]"};
	const struct cda_settings *settings = now.settings;
	struct cda_text text = {.data = text_data, .cap = sizeof(text_data)};
	char line[CDA_ADDRESS_MAX + 128];

	for (int tls = 0; tls < 2 && settings->proxy[0] != '\0'; tls++) {
		const char *scheme = tls ? "https" : "http";

		cda_put(line, sizeof(line), "Acquire::%s::Proxy \"%s/\";\n", scheme,
			settings->proxy);
		cda_text_add_str(&text, line);
		for (size_t i = 0; i < sizeof(direct) / sizeof(*direct); i++) {
			cda_put(line, sizeof(line), "Acquire::%s::Proxy::%s \"DIRECT\";\n", scheme,
				direct[i]);
			cda_text_add_str(&text, line);
		}
	}
	if (settings->ca[0] != '\0')
		cda_text_add_str(&text, "Acquire::https::CaInfo \"" FOLDER "/ca.pem\";\n");
	cda_text_add_str(&text, "Dir::Etc::sourcelist \"" FOLDER "/sources.list\";\n"
				"Dir::Etc::sourceparts \"" FOLDER "/sources.d\";\n");
	if (now.foreign || now.netrc.count > 0)
		cda_text_add_str(&text, "Dir::Etc::netrc \"" FOLDER "/netrc\";\n");
	if (now.foreign)
		cda_text_add_str(&text, "Dir::Etc::netrcparts \"" FOLDER "/none\";\n");
	add(options, "-c");
	add(options, FOLDER "/apt.conf");
	return put_file(now.folder, "apt.conf", &text, 0600);
}

static void set_apk(void)
{
	const struct cda_settings *settings = now.settings;

	if (settings->proxy[0] != '\0') {
		cda_put(proxy_words[0], sizeof(proxy_words[0]), "http_proxy=%s", settings->proxy);
		cda_put(proxy_words[1], sizeof(proxy_words[1]), "https_proxy=%s", settings->proxy);
		add(variables, proxy_words[0]);
		add(variables, proxy_words[1]);
		add(variables, "no_proxy=localhost,127.0.0.1,::1");
	}
	if (settings->ca[0] != '\0')
		add(variables, "SSL_CERT_FILE=" FOLDER "/ca.pem");
	/* What root has at home is not for a way that the caller chooses. */
	add(variables, "NETRC=" FOLDER "/none");
	add(options, "--repositories-file");
	add(options, FOLDER "/repositories");
	if (settings->offline)
		add(options, "--no-network");
}

int cda_transport_open(enum cda_pm pm, const struct cda_settings *settings)
{
	int status;

	cda_transport_close();
	now.settings = settings;
	now.pm = pm;
	now.foreign = cda_settings_foreign(settings);
	now.netrc.count = 0;
	/* A URL's own credentials come before those of a file. */
	status = take_mirrors();
	if (status == 0)
		status = take_netrc();
	if (status != 0)
		return status;
	/* The image's own ways are left alone where nothing is asked for. */
	if (now.netrc.count == 0 && settings->from[CDA_MIRROR] == CDA_UNSET &&
	    settings->proxy[0] == '\0' && settings->ca[0] == '\0' && !settings->offline)
		return 0;
	status = make_folder();
	if (status == 0)
		status = put_sources();
	if (status == 0 && pm == CDA_APT)
		status = put_netrc();
	if (status == 0 && settings->ca[0] != '\0')
		status = put_ca();
	if (status == 0 && pm == CDA_APT)
		status = put_apt_config();
	else if (status == 0)
		set_apk();
	return status;
}
