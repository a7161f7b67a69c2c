#include "life.h"

#include "accounts.h"
#include "paths.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_small(int dirfd, const char *path, char *data, size_t cap, struct stat *ret_st)
{
	struct cda_text text = {.data = data, .cap = cap - 1};
	int rc, fd = cda_file_open(dirfd, path, ret_st);

	if (fd < 0)
		return fd;
	rc = cda_file_read(fd, &text);
	close(fd);
	data[text.len] = '\0';
	return rc;
}

/* The 22nd field; the second may hold blanks and ends at the last ')'. */
static uint64_t start_of_first(void)
{
	char data[1024];
	struct stat st;
	const char *at;

	if (read_small(AT_FDCWD, "/proc/1/stat", data, sizeof(data), &st) < 0)
		return 0;
	at = strrchr(data, ')');
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

void cda_life_parse(const char *text, struct cda_life *life)
{
	static const char owner[] = "\nowner ";
	const char *at;
	char now[256];
	size_t len;

	cda_put(now, sizeof(now), "life %llu %llu\n", (unsigned long long)life->started,
		(unsigned long long)life->space);
	len = strlen(now);
	if (strncmp(text, now, len) != 0 || strncmp(text + len, "uid ", 4) != 0)
		return;
	life->noted = true;
	life->uid = (uint32_t)strtoul(text + len + 4, NULL, 10);
	life->open = strstr(text + len, "\npackages open\n") != NULL;
	at = strstr(text + len, owner);
	if (at != NULL)
		life->owner = (uint32_t)strtoul(at + sizeof(owner) - 1, NULL, 10);
}

void cda_life_load(struct cda_life *ret)
{
	char data[256];
	struct stat st;
	int state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	*ret = (struct cda_life){.started = start_of_first()};
	if (stat("/proc/self/ns/pid", &st) == 0)
		ret->space = st.st_ino;
	if (state >= 0 && read_small(state, "life", data, sizeof(data), &st) == 0 && st.st_uid == 0)
		cda_life_parse(data, ret);
	if (state >= 0)
		close(state);
}

int cda_life_save(const struct cda_life *life)
{
	static const char temp[] = ".life.condense";
	char data[256];
	int rc = 0, fd, state;

	cda_put(data, sizeof(data), "life %llu %llu\nuid %lu\npackages %s\nowner %lu\n",
		(unsigned long long)life->started, (unsigned long long)life->space,
		(unsigned long)life->uid, life->open ? "open" : "done", (unsigned long)life->owner);
	state = open(CDA_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (state < 0)
		return -errno;
	unlinkat(state, temp, 0);
	fd = openat(state, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		rc = -errno;
	else
		rc = cda_file_write(fd, data, strlen(data));
	if (fd >= 0 && close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(state, temp, state, "life") != 0)
		rc = -errno;
	if (rc < 0 && fd >= 0)
		unlinkat(state, temp, 0);
	close(state);
	return rc;
}

void cda_life_claim(uint32_t uid)
{
	struct cda_life life;

	cda_life_load(&life);
	if (!life.noted)
		life.uid = uid;
	else if (life.uid == uid || life.owner == uid)
		return;
	else
		life.owner = uid;
	(void)cda_life_save(&life);
}
