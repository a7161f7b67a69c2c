#include "world.h"

#include "runtime/say.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, CAPABILITIES = 64, NAMES_MAX = 4096 };

void cda_world_now(struct cda_world *ret, char *const *env)
{
	*ret = (struct cda_world){.root = "", .env = env, .uid = getuid(), .gid = getgid()};
	ret->group_count = getgroups(CDA_GROUPS_MAX, ret->groups);
	if (ret->group_count < 0)
		ret->group_count = 0;
	ret->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	for (int i = 0; i < CAPABILITIES; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			ret->bounding |= (uint64_t)1 << i;
	}
	ret->umask = umask(077);
	umask(ret->umask);
	if (getcwd(ret->cwd, sizeof(ret->cwd)) == NULL || ret->cwd[0] != '/')
		ret->cwd[0] = '\0';
}

const char *cda_world_env(const struct cda_world *world, const char *name)
{
	size_t len = strlen(name);

	for (char *const *at = world->env; *at != NULL; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return (*at)[len + 1] != '\0' ? *at + len + 1 : NULL;
	}
	return NULL;
}

const char *cda_world_path(const struct cda_world *world, const char *path, char buf[PATH_MAX])
{
	(void)cda_put(buf, PATH_MAX, "%s%s%s", world->root, path[0] == '/' ? "" : "/", path);
	return buf;
}

int cda_world_stat(const struct cda_world *world, const char *path, struct stat *ret)
{
	char buf[PATH_MAX];

	return stat(cda_world_path(world, path, buf), ret) == 0 ? 0 : -errno;
}

int cda_world_access(const struct cda_world *world, const char *path, int mode)
{
	char buf[PATH_MAX];

	return access(cda_world_path(world, path, buf), mode) == 0 ? 0 : -errno;
}

int cda_world_read(const struct cda_world *world, const char *path, struct cda_text *ret)
{
	char buf[PATH_MAX];
	struct cda_text text = {.cap = FILE_MAX};
	struct stat st;
	/* A pipe must not make us wait, and a terminal not become ours. */
	int rc, fd = open(cda_world_path(world, path, buf),
			  O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) != 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (rc == 0) {
		text.data = malloc(FILE_MAX + 1);
		rc = text.data != NULL ? cda_file_read(fd, &text) : -ENOMEM;
	}
	close(fd);
	if (rc < 0) {
		free(text.data);
		return rc;
	}
	text.data[text.len] = '\0';
	*ret = text;
	return 0;
}

void cda_world_free(struct cda_text *text)
{
	free(text->data);
	*text = (struct cda_text){.data = NULL};
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int cda_world_names(const struct cda_world *world, const char *path,
		    void (*each)(void *ctx, const char *name), void *ctx)
{
	static char *names[NAMES_MAX];
	char buf[PATH_MAX];
	struct cda_dir dir;
	const char *name;
	int count = 0;
	int fd = open(cda_world_path(world, path, buf), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	cda_dir_init(&dir, fd);
	while (count < NAMES_MAX && (name = cda_dir_next(&dir)) != NULL) {
		names[count] = strdup(name);
		if (names[count] == NULL)
			break;
		count++;
	}
	close(fd);
	qsort(names, (size_t)count, sizeof(*names), by_bytes);
	for (int i = 0; i < count; i++)
		each(ctx, names[i]);
	for (int i = 0; i < count; i++)
		free(names[i]);
	return count;
}

bool cda_world_member(const struct cda_world *world, uint32_t gid)
{
	if (world->gid == gid)
		return true;
	for (int i = 0; i < world->group_count; i++) {
		if (world->groups[i] == gid)
			return true;
	}
	return false;
}

int cda_world_account(const struct cda_world *world, struct cda_account *ret)
{
	struct cda_text text;
	int rc = cda_world_read(world, "/etc/passwd", &text);

	if (rc < 0)
		return rc;
	rc = cda_passwd_uid(&text, world->uid, ret) == 0 ? 0 : -ENOENT;
	cda_world_free(&text);
	return rc;
}

/* "name:password:gid:members"; a line that is not is passed over. */
static bool group_line(struct cda_span line, uint32_t gid, char ret[CDA_NAME_MAX])
{
	struct cda_span parts[3];
	uint32_t id;

	for (int i = 0; i < 3; i++) {
		const char *colon = memchr(line.p, ':', line.len);

		if (colon == NULL)
			return false;
		parts[i] = (struct cda_span){line.p, (size_t)(colon - line.p)};
		line.len -= parts[i].len + 1;
		line.p = colon + 1;
	}
	return parts[0].len > 0 && cda_id_parse(parts[2], &id) && id == gid &&
	       cda_span_copy(parts[0], ret, CDA_NAME_MAX) == 0;
}

void cda_world_group(const struct cda_world *world, uint32_t gid, char ret[CDA_NAME_MAX])
{
	struct cda_text text;
	struct cda_span rest, line;

	ret[0] = '\0';
	if (cda_world_read(world, "/etc/group", &text) < 0)
		return;
	rest = (struct cda_span){text.data, text.len};
	while (cda_span_line(&rest, &line) && !group_line(line, gid, ret))
		;
	cda_world_free(&text);
}
