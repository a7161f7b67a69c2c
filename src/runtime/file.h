/* file.h - whole files, replaced atomically; directories without heap. Buffers belong to the
 * caller. */
#ifndef CDA_RUNTIME_FILE_H
#define CDA_RUNTIME_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Text in a fixed buffer. An append that does not fit sets full, and the text must not be used. */
struct cda_text {
	char *data;
	size_t len, cap;
	bool full;
};

/* A part of a text; not ended by NUL. */
struct cda_span {
	const char *p;
	size_t len;
};

void cda_text_add(struct cda_text *text, const char *data, size_t len);
void cda_text_add_str(struct cda_text *text, const char *str);

bool cda_span_is(struct cda_span span, const char *str);
/* Take the next line (without its newline) off *rest. Returns false at the end. */
bool cda_span_line(struct cda_span *rest, struct cda_span *ret_line);
/* Take the next word, up to a blank, off *rest. Returns false at the end. */
bool cda_span_word(struct cda_span *rest, struct cda_span *ret_word);
/* Copy to buf with a NUL. Returns 0, or -1 if it does not fit or holds a NUL. */
int cda_span_copy(struct cda_span span, char *buf, size_t cap);

/* Read the rest of fd into text. Returns 0, or a negative errno; -EFBIG if it does not fit. */
int cda_file_read(int fd, struct cda_text *text);
/* openat2 with O_CLOEXEC and O_NOFOLLOW. Returns the descriptor or a negative errno. Where
 * cda_openat2_missing(result), an old kernel or a filter refuses the call itself (or openat would
 * be refused as well), and the caller does it step by step. */
enum { CDA_NO_MAGIC = 0x02, CDA_NO_LINKS = 0x04, CDA_BENEATH = 0x08 };
int cda_open_strict(int dirfd, const char *path, int flags, unsigned long resolve);
static inline bool cda_openat2_missing(int result)
{
	return result == -ENOSYS || result == -EPERM;
}

/* Open a regular file for reading without following a link in its last part or waiting on a FIFO.
 * Returns the descriptor, or a negative errno (-EINVAL: not a regular file). */
int cda_file_open(int dirfd, const char *path, struct stat *ret_st);
int cda_file_write(int fd, const char *data, size_t len);

/* Put text in the place of the file name in dirfd: written beside it, synced, renamed over it. A
 * file that cannot be replaced because it is a mount of its own is rewritten in place. like gives
 * owner and mode; without the right to set the group, the group may do what others may.
 * Returns 0 or a negative errno. The caller holds whatever lock guards the file. */
int cda_file_replace(int dirfd, const char *name, const struct cda_text *text,
		     const struct stat *like);

/* Entries of a directory, "." and ".." left out. */
struct cda_dir {
	int fd;
	size_t at, end;
	char data[4096] __attribute__((aligned(8)));
};
void cda_dir_init(struct cda_dir *dir, int fd);
/* Returns the next name, valid until the next call, or NULL at the end or on an error. */
const char *cda_dir_next(struct cda_dir *dir);

/* 1 if a mount point lies at path (below it too, if below), 0 if none; negative if that cannot be
 * known, which callers take for what is safe. */
int cda_mount_at(const char *path, bool below);

/* The same of what a mountinfo says: the mounts are its lines. */
bool cda_mount_in(struct cda_span mounts, const char *path, bool below);

#endif
