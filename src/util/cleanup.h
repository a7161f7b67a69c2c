/* cleanup.h - scope release, and giving away made visible. */
#ifndef CDA_UTIL_CLEANUP_H
#define CDA_UTIL_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CDA_CHECK __attribute__((warn_unused_result))
#define CDA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CDA_CLEANUP(fn) __attribute__((cleanup(fn), unused))
#define CDA_AUTOFREE CDA_CLEANUP(cda_freep)
#define CDA_AUTOCLOSE CDA_CLEANUP(cda_closep)
#define CDA_AUTOFCLOSE CDA_CLEANUP(cda_fclosep)
#define CDA_AUTOCLOSEDIR CDA_CLEANUP(cda_closedirp)

/* For a destructor `T *fn(T *)`: what CDA_CLEANUP(fn##p) calls. */
#define CDA_DEFINE_CLEANUP(type, fn)                                                               \
	static inline void fn##p(type *p)                                                          \
	{                                                                                          \
		*p = fn(*p);                                                                       \
	}

/* The value of p, which is NULL from here on: the caller gives it away. */
#define cda_take_ptr(p)                                                                            \
	__extension__({                                                                            \
		__typeof__(p) took_ = (p);                                                         \
		(p) = NULL;                                                                        \
		took_;                                                                             \
	})

/* The file descriptor in fd, which is -1 from here on. */
#define cda_take_fd(fd)                                                                            \
	__extension__({                                                                            \
		int took_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		took_;                                                                             \
	})

#define CDA_LEN(array) (sizeof(array) / sizeof((array)[0]))

static inline void cda_freep(void *p)
{
	free(*(void **)p);
}

static inline void cda_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cda_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cda_closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
