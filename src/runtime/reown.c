#include "reown.h"

#include "file.h"
#include "inside.h"
#include "paths.h"
#include "progress.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_WORKERS = 8,
	WAITING = 128,  /* open folders that wait for a worker */
	MAX_DEPTH = 64, /* open folders of one worker */
	STACK = 1 << 20,
	EMPTY_PATH = 0x1000 /* AT_EMPTY_PATH */,
	REDRAW_MS = 200
};

/* What a place is called: the folder's path as the kernel knows it, and the name in it. */
struct place {
	char path[1024];
	int error;
};

struct pool {
	const struct cda_reown *how;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* for workers: a folder waits, or the last one is done */
	pthread_cond_t over;    /* for who waits for them */
	int waiting[WAITING];
	size_t count;                /* of them */
	size_t open;                 /* folders that wait or are in work */
	struct place failure, mount; /* the first of each */
	atomic_ulong seen, given, failed, mounts;
	atomic_bool stop;
};

bool cda_reown_fits(const struct cda_reown *how, const struct stat *st)
{
	bool old = false;

	for (size_t i = 0; i < sizeof(how->olds) / sizeof(*how->olds); i++)
		old |= how->olds[i] != 0 && how->olds[i] == st->st_uid;
	if (!old || st->st_uid == how->uid)
		return false;
	if (S_ISDIR(st->st_mode))
		return true;
	if (S_ISREG(st->st_mode) && (st->st_mode & (S_ISUID | S_ISGID)) != 0)
		return false;
	return st->st_nlink == 1 && !S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode);
}

/* The first is kept; name may be NULL for the folder itself. */
static void note(struct pool *pool, struct place *place, int dirfd, const char *name, int error)
{
	char link[64], folder[sizeof(place->path) - 300];
	ssize_t len;

	pthread_mutex_lock(&pool->lock);
	if (place->path[0] == '\0') {
		cda_put(link, sizeof(link), "/proc/self/fd/%d", dirfd);
		len = readlink(link, folder, sizeof(folder) - 1);
		folder[len > 0 ? len : 0] = '\0';
		cda_put(place->path, sizeof(place->path), "%s%s%s",
			len > 0 ? folder : pool->how->path, name != NULL ? "/" : "",
			name != NULL ? name : "");
		place->error = error;
	}
	pthread_mutex_unlock(&pool->lock);
}

static void fail(struct pool *pool, int dirfd, const char *name, int error)
{
	note(pool, &pool->failure, dirfd, name, error);
	atomic_fetch_add(&pool->failed, 1);
	/* It will not be better with the next file. */
	if (error == ENOSPC || error == EDQUOT || error == EROFS)
		atomic_store(&pool->stop, true);
}

/* Give away the file open at fd, if it fits; dirfd and name say where it is. */
static void give(struct pool *pool, int fd, const struct stat *st, int dirfd, const char *name)
{
	if (!cda_reown_fits(pool->how, st))
		return;
	if (fchownat(fd, "", pool->how->uid, (gid_t)-1, EMPTY_PATH) == 0)
		atomic_fetch_add(&pool->given, 1);
	else
		fail(pool, dirfd, name, errno);
}

/* Leave a folder to whoever has time. Takes the descriptor if it returns true. */
static bool leave(struct pool *pool, int fd)
{
	bool room;

	pthread_mutex_lock(&pool->lock);
	room = pool->count < WAITING;
	if (room) {
		pool->waiting[pool->count++] = fd;
		pool->open++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

static void walk(struct pool *pool, int dirfd, int depth);

/* The folder held by its O_PATH descriptor. */
static void enter(struct pool *pool, int held, int dirfd, const char *name, int depth)
{
	int fd = openat(held, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fail(pool, dirfd, name, errno);
		return;
	}
	if (leave(pool, fd))
		return;
	if (depth < MAX_DEPTH)
		walk(pool, fd, depth + 1);
	else
		fail(pool, dirfd, name, EMFILE);
	close(fd);
}

static void visit(struct pool *pool, int dirfd, const char *name, int depth)
{
	struct stat st;
	int fd;

	atomic_fetch_add(&pool->seen, 1);
	/* What is nobody's business costs one call. What is, is looked at again once it is held. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (!S_ISDIR(st.st_mode) && !cda_reown_fits(pool->how, &st)))
		return;
	fd = cda_inside_open(dirfd, name, O_PATH);
	if (fd == -EXDEV) {
		if (cda_reown_fits(pool->how, &st)) {
			note(pool, &pool->mount, dirfd, name, 0);
			atomic_fetch_add(&pool->mounts, 1);
		}
		return;
	}
	if (fd < 0) {
		if (fd != -ENOENT)
			fail(pool, dirfd, name, -fd);
		return;
	}
	if (fstat(fd, &st) == 0) {
		give(pool, fd, &st, dirfd, name);
		if (S_ISDIR(st.st_mode))
			enter(pool, fd, dirfd, name, depth);
	}
	close(fd);
}

static void walk(struct pool *pool, int dirfd, int depth)
{
	struct cda_dir dir;
	const char *name;

	cda_dir_init(&dir, dirfd);
	while (!atomic_load_explicit(&pool->stop, memory_order_relaxed) &&
	       (name = cda_dir_next(&dir)) != NULL)
		visit(pool, dirfd, name, depth);
}

static void *work(void *data)
{
	struct pool *pool = data;

	pthread_mutex_lock(&pool->lock);
	while (pool->open > 0) {
		int fd;

		if (pool->count == 0) {
			pthread_cond_wait(&pool->changed, &pool->lock);
			continue;
		}
		fd = pool->waiting[--pool->count];
		pthread_mutex_unlock(&pool->lock);
		walk(pool, fd, 0);
		close(fd);
		pthread_mutex_lock(&pool->lock);
		if (--pool->open == 0) {
			pthread_cond_broadcast(&pool->changed);
			pthread_cond_signal(&pool->over);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* As many as there are processors to use, and never less than two: one waits for the disk. */
static size_t worker_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < 2 ? 2 : count > MAX_WORKERS ? MAX_WORKERS : (size_t)count;
}

static void show(struct pool *pool)
{
	char line[128];

	if (cda_put(line, sizeof(line), "%lu files seen, %lu given\n", atomic_load(&pool->seen),
		    atomic_load(&pool->given)) == 0)
		cda_progress_out(line, strlen(line), false);
	cda_progress_tick();
}

/* Wait for the workers; on a terminal say how far they are. */
static void watch(struct pool *pool)
{
	bool terminal = isatty(STDERR_FILENO) == 1;

	if (terminal)
		cda_progress_begin("home", "the files in it get their owner");
	pthread_mutex_lock(&pool->lock);
	while (pool->open > 0) {
		struct timespec until;

		if (!terminal) {
			pthread_cond_wait(&pool->over, &pool->lock);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REDRAW_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_cond_timedwait(&pool->over, &pool->lock, &until) == ETIMEDOUT)
			show(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	if (terminal)
		cda_progress_end(NULL);
}

static int report(const struct pool *pool)
{
	const struct cda_reown *how = pool->how;
	unsigned long given = atomic_load(&pool->given), failed = atomic_load(&pool->failed),
		      mounts = atomic_load(&pool->mounts);

	if (given > 0)
		cda_say("%lu of %lu files in '%s' were given to uid %lu", given,
			atomic_load(&pool->seen), how->path, (unsigned long)how->uid);
	if (mounts > 0)
		cda_say("'%s' %s, and stays as it is: its owner can be changed where it comes from",
			pool->mount.path,
			mounts > 1 ? "is the first of several mounts in the home" : "is a mount");
	if (failed == 0)
		return 0;
	cda_say("%lu files in '%s' could not be given to uid %lu%s; the first is '%s': %s", failed,
		how->path, (unsigned long)how->uid,
		atomic_load(&pool->stop) ? ", and no more was tried" : "", pool->failure.path,
		strerror(pool->failure.error));
	return CDA_EXIT_FAILED;
}

int cda_reown_tree(int fd, const struct cda_reown *how)
{
	static struct pool pool;
	pthread_t workers[MAX_WORKERS];
	pthread_attr_t attr;
	size_t started = 0, wanted = worker_count();
	struct stat st;
	int top = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0 || fstat(top, &st) != 0) {
		cda_say("cannot read '%s': %s", how->path, strerror(errno));
		return CDA_EXIT_FAILED;
	}
	pool = (struct pool){.how = how,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER,
			     .over = PTHREAD_COND_INITIALIZER,
			     .waiting = {top},
			     .count = 1,
			     .open = 1};
	atomic_store(&pool.seen, 1);
	give(&pool, top, &st, top, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	while (started < wanted && pthread_create(&workers[started], &attr, work, &pool) == 0)
		started++;
	if (started == 0)
		work(&pool); /* no threads under the caller's limits */
	else
		watch(&pool);
	for (size_t i = 0; i < started; i++)
		pthread_join(workers[i], NULL);
	return report(&pool);
}
