/* world.h - the container as condense-doctor sees it: who asks, and where files are.
 *
 * Everything is read with the caller's own rights, and nothing is written. */
#ifndef CDA_RUNTIME_WORLD_H
#define CDA_RUNTIME_WORLD_H

#include "runtime/accounts.h"

#include <limits.h>
#include <sys/types.h>

enum { CDA_GROUPS_MAX = 256 };

struct cda_world {
	const char *root; /* in front of every path: "", or a test's folder */
	char *const *env;
	uint32_t uid, gid;
	gid_t groups[CDA_GROUPS_MAX];
	int group_count;
	bool no_new_privs;
	uint64_t bounding; /* capabilities that a program may get, a bit each */
	mode_t umask;
	char cwd[PATH_MAX]; /* "" if it is gone */
};

/* The process's own. */
void cda_world_now(struct cda_world *ret, char *const *env);

/* The value of a variable; NULL if it is not set or empty. */
const char *cda_world_env(const struct cda_world *world, const char *name);

/* The path to open; what does not fit becomes "", which opens nothing. */
const char *cda_world_path(const struct cda_world *world, const char *path, char buf[PATH_MAX]);

/* stat and access; 0 or a negative errno. */
int cda_world_stat(const struct cda_world *world, const char *path, struct stat *ret);
int cda_world_access(const struct cda_world *world, const char *path, int mode);

/* Read a whole regular file, links followed, at most 1 MiB, into memory that the caller frees
 * (with a NUL behind it). Returns 0 or a negative errno (-EINVAL: not a regular file, -EFBIG). */
int cda_world_read(const struct cda_world *world, const char *path, struct cda_text *ret);
void cda_world_free(struct cda_text *text);

/* Call each with the names in a folder, in their order by bytes. Returns their number, or a
 * negative errno. */
int cda_world_names(const struct cda_world *world, const char *path,
		    void (*each)(void *ctx, const char *name), void *ctx);

bool cda_world_member(const struct cda_world *world, uint32_t gid);

/* The caller's account in passwd. Returns 0; -ENOENT if there is none; else a negative errno. */
int cda_world_account(const struct cda_world *world, struct cda_account *ret);
/* A group's name; "" if it has none. */
void cda_world_group(const struct cda_world *world, uint32_t gid, char ret[CDA_NAME_MAX]);

#endif
