/* outlet.h - what a program that runs writes: kept for a message, shown, handed on. */
#ifndef CDA_RUNTIME_OUTLET_H
#define CDA_RUNTIME_OUTLET_H

#include "reap.h"

struct cda_outlet {
	const struct cda_run *run;
	int err[2], out[2]; /* pipes: read here, written by the program; -1: none */
	size_t tail_len;
};

/* Make the pipes that the run wants. Returns 0, or -1 with errno. */
int cda_outlet_open(struct cda_outlet *outlet, const struct cda_run *run);
/* The program has its ends. */
void cda_outlet_started(struct cda_outlet *outlet);
/* How long the loop may wait, for poll. */
int cda_outlet_wait(const struct cda_outlet *outlet);
/* Take what is there. */
void cda_outlet_take(struct cda_outlet *outlet, bool err, bool out);
/* Take what was written last, without waiting: a grandchild may hold a pipe open. */
void cda_outlet_close(struct cda_outlet *outlet);

#endif
