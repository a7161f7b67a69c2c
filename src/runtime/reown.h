/* reown.h - give each file of a folder tree to the account's new uid: in parallel, on one mount. */
#ifndef CDA_RUNTIME_REOWN_H
#define CDA_RUNTIME_REOWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct cda_reown {
	uint32_t uid;     /* the owner from now on */
	uint32_t olds[3]; /* owners until now; 0 is none */
	const char *path; /* the tree, for messages */
};

/* Does st show a file that may be given away: owned by one of olds, a folder, or of one name alone
 * and without setuid and setgid? Devices never. */
bool cda_reown_fits(const struct cda_reown *how, const struct stat *st);

/* Give away what fits in the folder open at fd and below it, links themselves included; groups
 * stay. No other mount is entered. Shows progress on a terminal, else one line at the end. Stops at
 * a full or read-only disk. What was done before an end at any moment is found done by the next
 * run. Returns 0, or CDA_EXIT_FAILED with a message that counts what could not be given and names
 * the first. fd is the caller's. */
int cda_reown_tree(int fd, const struct cda_reown *how);

#endif
