/* Names for those who have no account: the template, the record made of it, and the shared objects.
 */
#include "names/own.h"

#include "check.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <nss.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD "account dev\ngecos G\nhome /home/dev\nshell /bin/sh\n"
#define LONG31 "abcdefghijabcdefghijabcdefghija"
#define LONG64 LONG31 LONG31 "ab"

static const struct {
	const char *name, *text;
	size_t len;       /* 0: to the NUL */
	const char *want; /* name:gecos:home:shell; NULL: refused */
} templates[] = {
	{"all", GOOD, 0, "dev:G:/home/dev:/bin/sh"},
	{"the account is enough, without a newline", "account dev", 0, "dev::/:/bin/sh"},
	{"comments, blanks, empty lines", "# x\n\naccount   dev  \n \n", 0, "dev::/:/bin/sh"},
	{"any text in gecos", "account d\ngecos A B, 5 \xc3\xa9\n", 0,
	 "d:A B, 5 \xc3\xa9:/:/bin/sh"},
	{"nothing", "", 0, NULL},
	{"no account", "home /x\n", 0, NULL},
	{"no value", "account\n", 0, NULL},
	{"no value after a blank", "account \n", 0, NULL},
	{"twice", "account a\naccount b\n", 0, NULL},
	{"an unknown key", "account a\nuid 0\n", 0, NULL},
	{"a longer key", "accounts a\n", 0, NULL},
	{"a shorter key", "acc a\n", 0, NULL},
	{"root", "account root\n", 0, NULL},
	{"a colon", "account a\ngecos a:0:0\n", 0, NULL},
	{"a control character", "account a\ngecos a\tb\n", 0, NULL},
	{"a NUL", "account a\ngecos a\0b\n", 20, NULL},
	{"a carriage return", "account a\r\n", 0, NULL},
	{"a relative home", "account a\nhome home\n", 0, NULL},
	{"a relative shell", "account a\nshell sh\n", 0, NULL},
	{"upper case", "account Dev\n", 0, NULL},
	{"32 characters", "account " LONG31 "b\n", 0, LONG31 "b::/:/bin/sh"},
	{"33 characters", "account " LONG31 "bc\n", 0, NULL},
	{"gecos of 128", "account a\ngecos " LONG64 LONG64 "\n", 0, NULL},
	{"a home of 256", "account a\nhome /" LONG64 LONG64 LONG64 LONG64 "\n", 0, NULL},
};

TEST(template_as_listed)
{
	for (size_t i = 0; i < sizeof(templates) / sizeof(*templates); i++) {
		size_t len = templates[i].len ? templates[i].len : strlen(templates[i].text);
		struct cda_template t;
		char got[1024];
		int rc = cda_template_parse(templates[i].text, len, &t);

		CHECK_INT_AT(rc, templates[i].want ? 0 : -1, "%s", templates[i].name);
		if (rc != 0 || !templates[i].want)
			continue;
		snprintf(got, sizeof(got), "%s:%s:%s:%s", t.account, t.gecos, t.home, t.shell);
		CHECK_STR_AT(got, templates[i].want, "%s", templates[i].name);
	}
}

/* A folder with the files that a record is made of. */
static struct world {
	char dir[64], names[96], passwd[96], group[96], homes[2][96];
	struct cda_own_places places;
} w;

static const char *path(const char *name)
{
	static char buf[4][160];
	static int n;

	n = (n + 1) % 4;
	snprintf(buf[n], sizeof(buf[n]), "%s/%s", w.dir, name);
	return buf[n];
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	int fd;

	unlink(path(name));
	fd = open(path(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

static void world(void)
{
	snprintf(w.dir, sizeof(w.dir), "/tmp/cda-names.XXXXXX");
	CHECK(mkdtemp(w.dir) != NULL);
	snprintf(w.names, sizeof(w.names), "%s/names", w.dir);
	snprintf(w.passwd, sizeof(w.passwd), "%s/passwd", w.dir);
	snprintf(w.group, sizeof(w.group), "%s/group", w.dir);
	snprintf(w.homes[0], sizeof(w.homes[0]), "%s/one", w.dir);
	snprintf(w.homes[1], sizeof(w.homes[1]), "%s/two", w.dir);
	w.places = (struct cda_own_places){.names = w.names,
					   .passwd = w.passwd,
					   .group = w.group,
					   .homes = {w.homes[0], w.homes[1]},
					   .owner = getuid()};
	put_file("names", GOOD, 0644);
	put_file("passwd", "root:x:0:0::/root:/bin/sh\ndev:x:3000:3000::/home/dev:/bin/sh\nlast",
		 0644);
	put_file("group", "root:x:0:\ngid77:x:5:\n", 0644);
}

static void end_of_world(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", w.dir);
	CHECK_INT(system(command), 0);
}

static struct cda_caller me(const char *home, const char *new_user)
{
	return (struct cda_caller){
		.uid = getuid(), .gid = getgid(), .home = home, .new_user = new_user};
}

static const struct {
	const char *new_user, *want;
} new_users[] = {
	{NULL, "dev"},        {"", "dev"},
	{"dja", "dja"},       {"_x-9", "_x-9"},
	{"root", "dev"},      {"dev", "dev"},
	{"roo", "roo"},       {"rootx", "rootx"},
	{"last", "dev"},      {"las", "las"},
	{"lasts", "lasts"},   {"Dja", "dev"},
	{"-x", "dev"},        {"9", "dev"},
	{"a:0:0", "dev"},     {"a\nroot:x:0:0", "dev"},
	{"../x", "dev"},      {LONG31 "b", LONG31 "b"},
	{LONG31 "bc", "dev"},
};

TEST(new_user_if_valid_and_free)
{
	struct cda_own own;

	world();
	for (size_t i = 0; i < sizeof(new_users) / sizeof(*new_users); i++) {
		struct cda_caller caller = me(NULL, new_users[i].new_user);

		CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
		CHECK_STR_AT(own.is.account, new_users[i].want, "row %zu", i);
		CHECK_INT(own.uid, getuid());
	}
	/* A file that cannot be read has every name. */
	unlink(w.passwd);
	CHECK_INT(cda_own_record(&w.places, &(struct cda_caller){.new_user = "dja"}, &own), 0);
	CHECK_STR(own.is.account, "dev");
	end_of_world();
}

/* Lines that cross the end of what is read at once. */
TEST(a_name_is_found_anywhere)
{
	char text[4096];
	struct cda_own own;

	world();
	for (size_t lead = 1000; lead < 1040; lead++) {
		struct cda_caller caller = me(NULL, "victim");

		memset(text, 'x', lead);
		snprintf(text + lead, sizeof(text) - lead, "\nvictim:x:1:1::/:/bin/sh\n");
		put_file("passwd", text, 0644);
		CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
		CHECK_STR_AT(own.is.account, "dev", "%zu", lead);
		snprintf(text + lead, sizeof(text) - lead, "\nvictims:x:1:1::/:/bin/sh\nvicti:\n");
		put_file("passwd", text, 0644);
		CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
		CHECK_STR_AT(own.is.account, "victim", "%zu", lead);
	}
	end_of_world();
}

TEST(home_is_one_that_the_caller_owns)
{
	char one[CDA_OWN_PATH_MAX], two[CDA_OWN_PATH_MAX], odd[160];
	struct cda_own own;
	struct {
		const char *home, *want;
	} rows[] = {
		{NULL, "/home/dev"},       {"", "/home/dev"},      {"relative", "/home/dev"},
		{"/nowhere", "/home/dev"}, {w.names, "/home/dev"}, {w.dir, w.dir},
		{odd, "/home/dev"},
	};

	world();
	snprintf(odd, sizeof(odd), "%s/a:b", w.dir);
	CHECK(mkdir(odd, 0700) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cda_caller caller = me(rows[i].home, NULL);

		CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
		CHECK_STR_AT(own.is.home, rows[i].want, "row %zu", i);
	}
	cda_own_private(w.homes[0], getuid(), one);
	cda_own_private(w.homes[1], getuid(), two);
	CHECK(mkdir(two, 0700) == 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const homes[] = {NULL, "/nowhere", "relative", ""};
		struct cda_caller caller = me(homes[i], NULL);

		CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
		CHECK_STR_AT(own.is.home, two, "row %zu", i);
	}
	/* One that another made there first is none: a link, or writable by others. */
	CHECK(symlink(two, one) == 0);
	CHECK(!cda_own_is_private(one, getuid()));
	unlink(one);
	CHECK(mkdir(one, 0700) == 0 && cda_own_is_private(one, getuid()));
	CHECK(!cda_own_is_private(one, getuid() + 1));
	CHECK(chmod(one, 0770) == 0 && !cda_own_is_private(one, getuid()));
	end_of_world();
}

TEST(template_must_be_its_owners_alone)
{
	struct cda_caller caller = me(NULL, NULL);
	struct cda_own own;
	char big[CDA_TEMPLATE_MAX + 64];

	world();
	CHECK_INT(cda_own_record(&w.places, &caller, &own), 0);
	for (int bit = 0; bit < 9; bit++) {
		bool writable = bit == 1 || bit == 4;

		put_file("names", GOOD, 0600u | (1u << bit));
		CHECK_INT_AT(cda_own_record(&w.places, &caller, &own), writable ? -1 : 0, "bit %d",
			     bit);
	}
	put_file("names", GOOD, 0644);
	w.places.owner++;
	CHECK_INT(cda_own_record(&w.places, &caller, &own), -1);
	w.places.owner--;
	CHECK(rename(w.names, path("other")) == 0 && symlink(path("other"), w.names) == 0);
	CHECK_INT(cda_own_record(&w.places, &caller, &own), -1);
	unlink(w.names);
	CHECK_INT(cda_own_record(&w.places, &caller, &own), -1);
	CHECK(mkfifo(w.names, 0644) == 0);
	CHECK_INT(cda_own_record(&w.places, &caller, &own), -1);
	unlink(w.names);
	CHECK(mkdir(w.names, 0755) == 0);
	CHECK_INT(cda_own_record(&w.places, &caller, &own), -1);
	rmdir(w.names);
	for (size_t more = 0; more < 2; more++) {
		memset(big, '#', CDA_TEMPLATE_MAX + more);
		memcpy(big, GOOD, strlen(GOOD));
		big[CDA_TEMPLATE_MAX + more] = '\0';
		put_file("names", big, 0644);
		CHECK_INT(cda_own_record(&w.places, &caller, &own), more == 0 ? 0 : -1);
	}
	end_of_world();
}

TEST(a_short_buffer_is_told_and_not_overrun)
{
	struct cda_caller caller = {.uid = 7, .gid = 4294967294u};
	struct cda_own own = {.is = {"dev", "G", "/home/dev", "/bin/sh"}, .uid = 7, .gid = 8};
	const size_t need =
		sizeof("dev") + sizeof("x") + sizeof("G") + sizeof("/home/dev") + sizeof("/bin/sh");
	struct passwd pw;
	struct group gr;

	for (size_t len = 0; len <= need; len++) {
		char *buf = malloc(len + 1);

		buf[len] = 'E';
		CHECK_INT_AT(cda_own_passwd(&own, &pw, buf, len), len < need ? -1 : 0, "%zu", len);
		CHECK_INT(buf[len], 'E');
		if (len == need)
			CHECK_STR(pw.pw_shell, "/bin/sh");
		free(buf);
	}
	world();
	for (size_t len = 0; len < 48; len++) {
		char *buf = malloc(len + 2);
		int rc;

		buf[len + 1] = 'E';
		rc = cda_own_group(&w.places, &caller, NULL, caller.gid, &gr, buf + 1, len);
		CHECK_INT(buf[len + 1], 'E');
		if (rc == 1) {
			CHECK_STR(gr.gr_name, "gid4294967294");
			CHECK(gr.gr_mem[0] == NULL && (uintptr_t)gr.gr_mem % sizeof(char *) == 0);
		} else {
			CHECK_INT(rc, -1);
			CHECK_AT(len < 40, "%zu", len);
		}
		free(buf);
	}
	end_of_world();
}

static const struct {
	const char *name; /* NULL: by gid */
	uint32_t own, gid;
	const char *want;
} groups[] = {
	{NULL, 2000, 2000, "gid2000"},
	{NULL, 2000, 2001, NULL},
	{NULL, 0, 0, NULL},
	{NULL, 77, 77, NULL},
	{"gid2000", 2000, 0, "gid2000"},
	{"gid2001", 2000, 0, NULL},
	{"gid02000", 2000, 0, NULL},
	{"gid", 2000, 0, NULL},
	{"gid0", 0, 0, NULL},
	{"gid2000x", 2000, 0, NULL},
	{"", 2000, 0, NULL},
	{"gid4294969296", 2000, 0, NULL},
	{"gid99999999999999999999", 2000, 0, NULL},
	{"gid77", 77, 0, NULL},
};

TEST(groups_of_the_caller_alone)
{
	world();
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		struct cda_caller caller = {.uid = 7, .gid = groups[i].own};
		struct group gr;
		char buf[64];
		int rc = cda_own_group(&w.places, &caller, groups[i].name, groups[i].gid, &gr, buf,
				       sizeof(buf));

		CHECK_INT_AT(rc, groups[i].want != NULL, "row %zu", i);
		if (rc == 1 && groups[i].want != NULL)
			CHECK_STR_AT(gr.gr_name, groups[i].want, "row %zu", i);
	}
	end_of_world();
}

/* Status of a child that takes these ids and asks who it is: 0 answered, 1 not. */
static int asked_as(uid_t real, uid_t effective, uid_t saved, gid_t gid, gid_t egid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct cda_caller caller;

		if (setresgid(gid, egid, egid) != 0 || setresuid(real, effective, saved) != 0)
			_exit(9);
		_exit(cda_own_caller(&caller) && caller.uid == real && caller.gid == gid ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(only_who_is_one_and_not_root)
{
	if (getuid() != 0)
		SKIP("ids can be taken by root alone");
	CHECK_INT(asked_as(54321, 54321, 54321, 5, 5), 0);
	CHECK_INT(asked_as(54321, 54321, 54321, 0, 0), 0);
	CHECK_INT(asked_as(0, 0, 0, 0, 0), 1);
	CHECK_INT(asked_as(54321, 0, 0, 5, 5), 1);
	CHECK_INT(asked_as(54321, 54321, 0, 5, 5), 1);
	CHECK_INT(asked_as(54321, 54322, 54321, 5, 5), 1);
	CHECK_INT(asked_as(0, 54321, 0, 5, 5), 1);
	CHECK_INT(asked_as(54321, 54321, 54321, 5, 6), 1);
}

static void *open_object(const char *name)
{
	const char *build = getenv("BUILD_ROOT");
	char file[512];
	void *object;

	snprintf(file, sizeof(file), "%s/src/names/%s", build ? build : "", name);
	object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL)
		printf("# %s\n", dlerror());
	return object;
}

/* Both libraries of an image load them: so they need neither, and no version of a symbol. */
TEST(objects_need_no_library)
{
	static const char *const names[] = {"libnss_condense.so.2", "names.so"};

	for (size_t i = 0; i < 2; i++) {
		void *object = open_object(names[i]);
		struct link_map *map;

		REQUIRE(object != NULL && dlinfo(object, RTLD_DI_LINKMAP, &map) == 0);
		for (const ElfW(Dyn) *at = map->l_ld; at->d_tag != DT_NULL; at++)
			CHECK_AT(at->d_tag != DT_NEEDED && at->d_tag != DT_VERNEED &&
					 at->d_tag != DT_INIT && at->d_tag != DT_INIT_ARRAY &&
					 at->d_tag != DT_TEXTREL,
				 "%s: tag %ld", names[i], (long)at->d_tag);
		dlclose(object);
	}
}

TEST(module_answers_for_nobody_else)
{
	void *object = open_object("libnss_condense.so.2");
	enum nss_status (*by_uid)(uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*by_name)(const char *, struct passwd *, char *, size_t, int *);
	struct passwd pw;
	char buf[1024];
	int error = 0;

	REQUIRE(object != NULL);
	*(void **)&by_uid = dlsym(object, "_nss_condense_getpwuid_r");
	*(void **)&by_name = dlsym(object, "_nss_condense_getpwnam_r");
	REQUIRE(by_uid != NULL && by_name != NULL);
	CHECK(dlsym(object, "_nss_condense_getpwent_r") == NULL);
	CHECK_INT(by_uid(getuid() + 1, &pw, buf, sizeof(buf), &error), NSS_STATUS_NOTFOUND);
	CHECK_INT(error, ENOENT);
	CHECK_INT(by_uid(0, &pw, buf, sizeof(buf), &error), NSS_STATUS_NOTFOUND);
	CHECK_INT(by_name("root", &pw, buf, sizeof(buf), &error), NSS_STATUS_NOTFOUND);
	CHECK_INT(by_name("", &pw, buf, sizeof(buf), &error), NSS_STATUS_NOTFOUND);
	dlclose(object);
}
