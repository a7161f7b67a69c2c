/* reap.h - run one program at a time under a loop that forwards signals and reaps orphans.
 *
 * All signals are blocked from the start and read from a descriptor; nothing wakes up unless
 * something happened, or a status line stands on the terminal. No heap. */
#ifndef CDA_RUNTIME_REAP_H
#define CDA_RUNTIME_REAP_H

#include <stdbool.h>
#include <stddef.h>

struct cda_run {
	const char *const *argv; /* argv[0] is the path */
	char *const *envp;
	const char *cwd;      /* NULL: stay */
	bool quiet_input;     /* stdin is /dev/null, stdout goes to stderr */
	bool no_output;       /* stdout is /dev/null */
	bool terminal;        /* hand over the terminal, if we have it; else stop keys do nothing */
	bool guard_start;     /* the program is the entry script: see below */
	int (*prepare)(void); /* in the new process, before its program; 0 or a negative errno */
	char *tail;           /* the last of its stderr, with a NUL; NULL: not wanted */
	size_t tail_cap;
	bool hold;     /* its stderr goes to the tail alone */
	bool progress; /* what it writes goes by progress.h, which was begun */
	/* Called in pieces with its stdout, which then is not printed. NULL: not wanted. */
	void (*output)(void *ctx, const char *data, size_t len);
	void *ctx;
};

/* Block the signals, open the descriptor, take in orphans. Returns 0 or a negative errno. */
int cda_reap_init(void);

/* For a program that begins again by exec between two runs: the signals that the programs it runs
 * get blocked, to be handed to cda_reap_resume instead of a second cda_reap_init. Signals that come
 * in between stay pending. */
unsigned long cda_reap_mask(void);
int cda_reap_resume(unsigned long mask);

/* Run to the end. Returns the exit status, 128+n after a signal; 126 or 127, with a message, if it
 * cannot be started. guard_start: a script that has no child yet when a signal comes is ended with
 * its group, and the status is 128+n: the signal would otherwise be lost before the command. */
int cda_reap_run(const struct cda_run *run);

/* The same, up to three times with longer and longer pauses, as long as it fails and passes says of
 * the tail (which run must ask for) that this may pass. 128+n after a signal that asks for the end,
 * before or during it. */
int cda_reap_insist(const struct cda_run *run, bool (*passes)(const char *tail));

/* The signal that asked for the end during a run so far, or 0. */
int cda_reap_stopped(void);

/* Wait that long unless a signal asks for the end. */
void cda_reap_pause(int milliseconds);

#endif
